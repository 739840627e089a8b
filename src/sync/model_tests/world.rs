//! The whole of the model: two API servers, processes of sync, and chance, which says what happens next.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use http::Method;

use super::laws::{self, Laws};
use super::managed::Owned;
use super::offer::KINDS;
use super::process::{Process, Ticket, Work};
use super::server::{Key, Server};
use crate::cluster::ErrorKind;
use crate::cluster::client::simulated::Answer;
use crate::sync::queue::Moment;

/// How much of the trace is shown where a law is broken.
const SHOWN: usize = 120;

/// The world.
pub(super) struct World {
    /// Chance.
    pub rng: fastrand::Rng,
    /// The time.
    pub now: Moment,
    /// How much has happened.
    pub step: u64,
    /// The management cluster.
    pub management: Server,
    /// The service cluster.
    pub service: Server,
    /// Whether nothing gets through to it.
    pub is_cut: bool,
    /// Whether nothing happens that may leave a copy behind.
    pub is_calm: bool,
    /// Whether the CatalogEntry is there.
    pub has_entry: bool,
    /// The processes.
    pub processes: Vec<Process>,
    /// The laws.
    pub laws: Laws,
    /// How many writes were executed.
    pub writes: u64,
    /// The older state of the management cluster that a restore goes back to.
    pub backup: Option<BTreeMap<Key, Owned>>,
    ghosts: Vec<(Arc<Ticket>, u64)>,
    observed: (usize, usize),
    seed: u64,
    trace: Vec<String>,
}

impl World {
    /// A world with one process.
    pub(super) fn new(seed: u64) -> Self {
        fastrand::seed(seed);
        Self {
            rng: fastrand::Rng::with_seed(seed),
            now: Duration::from_secs(1_000),
            step: 0,
            management: Server::new("m"),
            service: Server::new("s"),
            is_cut: false,
            is_calm: seed.is_multiple_of(2),
            has_entry: true,
            processes: vec![Process::new(Duration::from_secs(1_000), true)],
            laws: Laws::default(),
            writes: 0,
            backup: None,
            ghosts: Vec::new(),
            observed: (0, 0),
            seed,
            trace: Vec::new(),
        }
    }

    /// Writes down what happens.
    pub(super) fn note(&mut self, what: impl Into<String>) {
        self.step += 1;
        self.trace.push(format!("{:>5} {:>8.3}s {}", self.step, self.now.as_secs_f64(), what.into()));
    }

    /// Ends the run: something is wrong.
    pub(super) fn fail(&self, why: &str) -> ! {
        let from = self.trace.len().saturating_sub(SHOWN);
        panic!("seed {}: {why}\n{}", self.seed, self.trace[from..].join("\n"));
    }

    fn hold<T>(&self, judged: Result<T, String>) -> T {
        match judged {
            Ok(value) => value,
            Err(why) => self.fail(&why),
        }
    }

    /// Takes what happened on the servers into the laws' memory.
    pub(super) fn observe(&mut self) {
        for change in &self.management.log[self.observed.0..] {
            self.laws.observe(change, self.step, &self.service);
        }
        for change in &self.service.log[self.observed.1..] {
            self.laws.observe(change, self.step, &self.service);
        }
        self.observed = (self.management.log.len(), self.service.log.len());
    }

    /// Lets time pass.
    pub(super) fn pass(&mut self, time: Duration) {
        self.now += time;
        self.processes.iter().for_each(|process| process.shared.set_now(self.now));
    }

    /// Has chance say who is next.
    pub(super) fn hear_any(&mut self) {
        if self.processes.is_empty() {
            return;
        }
        let (process, level) = (self.rng.usize(0..self.processes.len()), self.rng.usize(0..3));
        self.hear(process, level);
    }

    /// Has a watch tell something. Returns whether it did.
    pub(super) fn hear(&mut self, process: usize, level: usize) -> bool {
        if level == 2 && (self.is_cut || self.processes[process].is_cut_off) {
            return false;
        }
        let chance = self.rng.usize(0..3);
        let server = if level == 2 { &self.service } else { &self.management };
        let told = self.processes[process].hear(level, server, chance);
        if let Some(told) = &told {
            self.note(format!("process {process} hears of {}: {told}", KINDS[level]));
        }
        told.is_some()
    }

    /// Has chance say who is next.
    pub(super) fn begin_any(&mut self) -> bool {
        !self.processes.is_empty() && {
            let process = self.rng.usize(0..self.processes.len());
            self.begin(process)
        }
    }

    /// Has a process begin to work on an instance. Returns whether there was one.
    pub(super) fn begin(&mut self, process: usize) -> bool {
        let step = self.step;
        let before = self.processes[process].works.len();
        let Some(sent) = self.processes[process].begin(step) else { return false };
        if self.processes[process].works.len() > before {
            self.note(format!("process {process} begins"));
            self.sent(process, before, &sent);
        }
        true
    }

    fn sent(&mut self, process: usize, work: usize, tickets: &[Arc<Ticket>]) {
        for ticket in tickets {
            let of = &self.processes[process];
            let Work { id, was_paused, .. } = of.works[work];
            let judged = laws::sent(of, (id, was_paused), ticket);
            // A release begins with a look at the tenant object.
            if ticket.key().0 == KINDS[0] {
                let index = of.shared.index();
                let tenant = index.record(id).and_then(|record| record.tenant.as_ref());
                let counts =
                    tenant.is_some_and(|t| !t.approved && !matches!(t.policy.as_deref(), Some("Orphan" | "Block")));
                drop(index);
                match *ticket.request.method() {
                    Method::GET => self.processes[process].works[work].counts = counts,
                    _ if ticket.request.body().starts_with(b"[") => {
                        ticket.counts.store(of.works[work].counts, Ordering::Relaxed);
                    }
                    _ => {}
                }
            }
            self.note(format!("process {process} sends {}", described(ticket)));
            self.hold(judged);
        }
    }

    /// Has chance say who is next.
    pub(super) fn answer_any(&mut self) {
        let all: Vec<(usize, usize, usize)> = self
            .processes
            .iter()
            .enumerate()
            .flat_map(|(p, process)| {
                process
                    .works
                    .iter()
                    .enumerate()
                    .flat_map(move |(w, work)| (0..work.tickets.len()).map(move |t| (p, w, t)))
            })
            .collect();
        if !self.ghosts.is_empty() && self.rng.u8(0..20) == 0 {
            let at = self.rng.usize(0..self.ghosts.len());
            let (ticket, began) = self.ghosts.swap_remove(at);
            self.note(format!("a request of a process that is gone arrives: {}", described(&ticket)));
            // What it makes may have no tenant object any more.
            self.laws.excused.insert(laws::instance(&ticket.key()));
            let _ = self.execute(&ticket, began);
            return;
        }
        if !all.is_empty() {
            let (process, work, ticket) = all[self.rng.usize(0..all.len())];
            self.answer(process, work, ticket, true);
        }
    }

    /// Has a server execute a request, or the worker get the answer.
    pub(super) fn answer(&mut self, process: usize, work: usize, at: usize, with_faults: bool) {
        let of = &self.processes[process].works[work];
        let ((ticket, answer), began) = (&of.tickets[at], of.began);
        let ticket = Arc::clone(ticket);
        if answer.is_none() {
            let fate = if with_faults { self.rng.u8(0..100) } else { 100 };
            let answer = match fate {
                0 => Err(ErrorKind::Unreachable),
                1 => Err(ErrorKind::Busy),
                2 => {
                    let _ = self.execute(&ticket, began);
                    Err(ErrorKind::TimedOut)
                }
                _ => self.execute(&ticket, began),
            };
            let said = answer.as_ref().map(|(code, _)| *code);
            self.note(format!("  {} is answered {said:?}", described(&ticket)));
            self.processes[process].works[work].tickets[at].1 = Some(answer);
            return;
        }
        if ticket.counts.load(Ordering::Relaxed) && matches!(answer, Some(Ok((200, _)))) {
            let now = self.now;
            self.processes[process].finished.push(now);
        }
        let works = self.processes[process].works.len();
        let sent = self.processes[process].deliver(work, at);
        self.note(format!("  process {process} gets the answer to {}", described(&ticket)));
        if self.processes[process].works.len() == works {
            self.sent(process, work, &sent);
        }
    }

    fn execute(&mut self, ticket: &Ticket, began: u64) -> Answer {
        if ticket.is_below && self.is_cut {
            return Err(ErrorKind::Unreachable);
        }
        let key = ticket.key();
        let server = if ticket.is_below { &mut self.service } else { &mut self.management };
        let was_ours = server.get(&key).is_some_and(|object| laws::is_ours(server, &key, &object));
        let before = server.log.len();
        let answer = server.answer(&ticket.request);
        let is_dry = ticket.request.uri().query().is_some_and(|query| query.contains("dryRun"));
        if *ticket.request.method() != Method::GET && !is_dry {
            self.writes += 1;
        }
        if server.log.len() > before {
            let change = server.log[before].clone();
            self.observe();
            let judged = self.laws.executed((&self.management, &self.service), ticket, &change, was_ours, began);
            if judged.is_err() {
                self.note(format!("  {} made {change:?}", described(ticket)));
            }
            self.hold(judged);
        }
        Ok(answer)
    }

    /// Ends a process at once. What it sent may arrive later, or never.
    pub(super) fn kill(&mut self, process: usize) {
        let killed = self.processes.swap_remove(process);
        for work in killed.works {
            for (ticket, answer) in work.tickets {
                if !self.is_calm && answer.is_none() && *ticket.request.method() != Method::GET && self.rng.bool() {
                    self.ghosts.push((ticket, work.began));
                }
            }
        }
    }

    /// Forgets the requests of processes that are gone.
    pub(super) fn lay_ghosts(&mut self) {
        self.ghosts.clear();
    }
}

fn described(ticket: &Ticket) -> String {
    let uri = ticket.request.uri();
    let path = uri.path().trim_start_matches("/apis/");
    let manager = uri.query().and_then(|query| query.split('&').find_map(|pair| pair.strip_prefix("fieldManager=")));
    let dry = if uri.query().is_some_and(|query| query.contains("dryRun")) { " (dry run)" } else { "" };
    format!("{} {path}{dry} {}", ticket.request.method(), manager.unwrap_or_default())
}
