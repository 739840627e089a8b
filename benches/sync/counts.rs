//! What is counted of sync: its writes and requests by its own metrics, lease renewals by a watch of the benchmark's,
//! memory and sockets by the system.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures::StreamExt;
use kube::runtime::{WatchStreamExt, watcher};

use crate::bed::Bed;
use crate::objects::Objects;
use crate::process::SyncProcess;

const SIDES: [&str; 2] = ["management", "service"];
const REASONS: [&str; 7] = ["create", "update", "correction", "status", "finalizer", "delete", "adopt"];
const VERBS: [&str; 6] = ["get", "list", "watch", "create", "patch", "delete"];
/// Nothing is written any more if this long nothing was.
const SETTLED: Duration = Duration::from_secs(2);

/// The counters at one moment, or what they grew by since another.
#[derive(Debug, Clone, Default)]
pub(crate) struct Counts {
    /// Writes to instances by side and reason.
    writes: BTreeMap<(&'static str, &'static str), usize>,
    /// All requests by verb.
    requests: BTreeMap<&'static str, usize>,
    /// Renewals of leases.
    leases: usize,
    /// A counter fell: a connection was made anew, as after a lease was lost, and its requests count from zero.
    anew: bool,
}

impl Counts {
    /// As they are now, but not in the middle of a renewal.
    pub(crate) async fn now(sync: &SyncProcess, leases: &Leases) -> Self {
        loop {
            let before = leases.count();
            let metrics = sync.metrics().await;
            // A renewal that is counted already comes by the watch in this time.
            tokio::time::sleep(Duration::from_millis(200)).await;
            if leases.count() == before && leases.quiet_for() > Duration::from_millis(250) {
                let number = |metric: &str, labels: &[&str]| whole(metrics.sum(metric, labels));
                let writes = SIDES.iter().flat_map(|&side| REASONS.iter().map(move |&reason| (side, reason)));
                let labels = |(side, reason)| [format!("side=\"{side}\""), format!("reason=\"{reason}\"")];
                return Self {
                    writes: writes
                        .map(|key| (key, labels(key)))
                        .map(|(key, [side, reason])| (key, number("carrier_writes_total", &[&side, &reason])))
                        .collect(),
                    requests: VERBS
                        .iter()
                        .map(|&verb| (verb, number("carrier_requests_total", &[&format!("verb=\"{verb}\"")])))
                        .collect(),
                    leases: before,
                    anew: false,
                };
            }
        }
    }

    /// As they are once nothing is written any more.
    pub(crate) async fn settled(sync: &SyncProcess, leases: &Leases) -> Self {
        let mut last = Self::now(sync, leases).await;
        loop {
            tokio::time::sleep(SETTLED).await;
            let now = Self::now(sync, leases).await;
            if now.since(&last).all_writes() == 0 {
                return now;
            }
            last = now;
        }
    }

    /// What was added since.
    pub(crate) fn since(&self, before: &Self) -> Self {
        let less = |now: usize, then: Option<&usize>| now.saturating_sub(then.copied().unwrap_or_default());
        Self {
            writes: self.writes.iter().map(|(key, &now)| (*key, less(now, before.writes.get(key)))).collect(),
            requests: self.requests.iter().map(|(key, &now)| (*key, less(now, before.requests.get(key)))).collect(),
            leases: self.leases.saturating_sub(before.leases),
            anew: self.requests.iter().any(|(verb, now)| before.requests.get(verb).is_some_and(|then| now < then)),
        }
    }

    /// Writes to instances: without Events, leases, and the statuses of ServiceClusters and Assignments.
    pub(crate) fn writes(&self) -> usize {
        self.writes.values().sum()
    }

    /// Requests that write, but for lease renewals: Events and refused writes are among them.
    pub(crate) fn all_writes(&self) -> usize {
        let writes: usize = ["create", "patch", "delete"].iter().map(|verb| self.requests[verb]).sum();
        writes.saturating_sub(self.leases)
    }

    /// Writes for each of `objects`, by kind.
    pub(crate) fn by_kind(&self, objects: usize) -> String {
        let each = |number: usize| crate::table::float(number) / crate::table::float(objects);
        let kinds = self.writes.iter().filter(|(_, number)| **number > 0);
        let kinds: Vec<_> =
            kinds.map(|((side, reason), &number)| format!("{side} {reason} {:.2}", each(number))).collect();
        let beside = self.all_writes().saturating_sub(self.writes());
        let note = self.note();
        format!("{:.2} ({}), Events and others {:.2}{note}", each(self.writes()), kinds.join(", "), each(beside))
    }

    /// All requests by verb, lease renewals apart.
    pub(crate) fn by_verb(&self) -> String {
        let verbs = self.requests.iter().filter(|(_, number)| **number > 0);
        let verbs: Vec<_> = verbs.map(|(verb, number)| format!("{verb} {number}")).collect();
        format!("{}; {} of them lease renewals{}", verbs.join(", "), self.leases, self.note())
    }

    fn note(&self) -> &'static str {
        if self.anew { " (not all: a connection was made anew)" } else { "" }
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a counter is a small whole number")]
fn whole(counter: f64) -> usize {
    counter as usize
}

/// How often the leases of sync were written, and when last.
pub(crate) struct Leases {
    seen: Arc<Mutex<(usize, Instant)>>,
    task: tokio::task::AbortHandle,
}

impl Leases {
    /// Watches them.
    pub(crate) fn watch(bed: &Bed) -> Self {
        let kind = ("coordination.k8s.io", "v1", "Lease", "leases");
        let leases = Objects::new(bed.management().client(), kind, "kubecarrier-system");
        let seen = Arc::new(Mutex::new((0, Instant::now())));
        let noted = Arc::clone(&seen);
        let task = tokio::spawn(async move {
            let events = watcher(leases.api().clone(), watcher::Config::default()).default_backoff().touched_objects();
            let mut events = Box::pin(events);
            while let Some(event) = events.next().await {
                if event.is_ok() {
                    let mut seen = noted.lock().unwrap_or_else(PoisonError::into_inner);
                    *seen = (seen.0 + 1, Instant::now());
                }
            }
        });
        Self { seen, task: task.abort_handle() }
    }

    fn count(&self) -> usize {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).0
    }

    fn quiet_for(&self) -> Duration {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).1.elapsed()
    }
}

impl Drop for Leases {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The resident memory of sync in KiB.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Memory {
    /// What it allocated.
    pub own: u64,
    /// Pages of the program's file, which the system may drop at any time.
    pub file: u64,
}

impl Memory {
    /// As it is now; zero where the system has no `/proc`.
    pub(crate) fn now(sync: &SyncProcess) -> Self {
        let status = std::fs::read_to_string(of_process(sync, "status")).unwrap_or_default();
        let of = |what: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(what)).unwrap_or_default();
            line.trim().trim_end_matches(" kB").parse().unwrap_or_default()
        };
        Self { own: of("RssAnon:"), file: of("RssFile:") }
    }

    /// To be read.
    pub(crate) fn shown(self) -> String {
        format!("{} and {} of the program's file", mib(self.own), mib(self.file))
    }
}

/// The processor time that went by, in the system's ticks: of sync, of everything on the machine, and of nothing.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Ticks {
    sync: i64,
    busy: i64,
    idle: i64,
}

impl Ticks {
    /// As they are now; zero where the system has no `/proc`.
    pub(crate) fn now(sync: &SyncProcess) -> Self {
        let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
        let of_process = read(&of_process(sync, "stat"));
        // The name of the program, in parentheses, may have spaces. Behind it: the state, then numbers (proc_pid_stat(5)).
        let fields = of_process.rsplit_once(") ").map(|(_, fields)| fields).unwrap_or_default();
        let own: Vec<i64> = fields.split(' ').skip(1).filter_map(|field| field.parse().ok()).collect();
        let machine = read("/proc/stat");
        let first = machine.lines().next().unwrap_or_default();
        // user, nice, system, idle, iowait, irq, softirq, steal (proc_stat(5)).
        let all: Vec<i64> = first.split_whitespace().skip(1).filter_map(|field| field.parse().ok()).collect();
        let sum = |of: &[i64], at: &[usize]| at.iter().filter_map(|at| of.get(*at)).sum();
        Self { sync: sum(&own, &[10, 11]), busy: sum(&all, &[0, 1, 2, 5, 6, 7]), idle: sum(&all, &[3, 4]) }
    }

    /// Where the time since `before` went.
    pub(crate) fn since(self, before: Self) -> String {
        let [sync, busy, idle] = [self.sync - before.sync, self.busy - before.busy, self.idle - before.idle];
        let share = |of: i64| 100 * of / (busy + idle).max(1);
        format!("{} % by sync, {} % by servers and clients, {} % idle", share(sync), share(busy - sync), share(idle))
    }
}

/// The open sockets of sync; zero where the system has no `/proc`.
pub(crate) fn sockets(sync: &SyncProcess) -> usize {
    let files = std::fs::read_dir(of_process(sync, "fd")).into_iter().flatten().flatten();
    let links = files.filter_map(|file| std::fs::read_link(file.path()).ok());
    links.filter(|link| link.to_string_lossy().starts_with("socket:")).count()
}

/// KiB as MiB, to be read.
pub(crate) fn mib(kib: u64) -> String {
    let kib = u32::try_from(kib).expect("less than 4 TiB");
    format!("{:.1} MiB", f64::from(kib) / 1024.0)
}

fn of_process(sync: &SyncProcess, file: &str) -> String {
    format!("/proc/{}/{file}", sync.pid().expect("sync runs"))
}
