//! Sends what [`state`](super::state) decides, and tells it what is seen.
//!
//! At rest a replica writes its own Lease and those of its clusters every [`Timing::renew_every`], and reads nothing: a
//! watch tells what the others do. The keeper wants a client of its own, with few requests and short deadlines, so that
//! a renewal does not wait behind a burst of other work.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use jiff::Timestamp;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until, timeout};

use super::names;
use super::permits::Permits;
use super::record::{self, Record};
use super::seen::Me;
use super::state::{Action, Answer, Leases};
use super::timing::Timing;
use crate::cluster::client::Cluster;
use crate::cluster::error::{ClusterError, ErrorKind};
use crate::cluster::request::{ApiRequest, Selection};
use crate::cluster::watch::{WatchEvent, WatchOptions, Watcher};
use crate::model::cluster::ClusterId;
use crate::model::keys;

/// The field manager of Leases.
const MANAGER: &str = "carrier-sync-lease";
/// The time after which the server ends the watch. A connection that dies in silence is noticed a little later; until
/// then the resource versions of writes keep what is decided safe.
const WATCH_LIFETIME: Duration = Duration::from_mins(1);
/// The pause after the watch ended for good, as without the right to watch.
const WATCH_PAUSE: Duration = Duration::from_secs(5);

/// Who keeps Leases, and which.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeeperOptions {
    /// The name of the replica. Two processes of one name must not run at once: the later takes over.
    pub replica: String,
    /// The only clusters that it works on; absent, all.
    pub only: Option<BTreeSet<ClusterId>>,
    /// Whether it works once over all clusters, instead of sharing them for good. It then takes no cluster from
    /// anybody who lives, not even from a process of its own name.
    pub once: bool,
    /// How long Leases last.
    pub timing: Timing,
}

/// Which clusters this replica may write for, and who holds the others.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Holdings {
    /// Whether the Leases are known; before that the rest says nothing.
    pub known: bool,
    /// The clusters that this replica may write for.
    pub mine: BTreeSet<ClusterId>,
    /// How often writes for a cluster were allowed anew: a permit that lapsed and came back counts, however short the
    /// time between.
    pub grants: BTreeMap<ClusterId, u64>,
    /// The clusters of this replica that others hold.
    pub elsewhere: BTreeMap<ClusterId, Holder>,
    /// Whether another process that lives has the name of this replica.
    pub superseded: bool,
    /// What keeps Leases from being seen or written.
    pub problem: Option<String>,
}

/// Another holder of a Lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// Its name; empty where a Lease was deleted a moment ago.
    pub replica: String,
    /// Whether it was seen to renew the Lease, so that it lives; else its Lease may expire.
    pub lives: bool,
}

/// Keeps the Leases of one replica. When it is dropped the Leases stay as they are; [`Self::stop`] gives them back.
#[derive(Debug)]
pub struct LeaseKeeper {
    permits: Permits,
    holdings: watch::Receiver<Holdings>,
    clusters: watch::Sender<BTreeSet<ClusterId>>,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl LeaseKeeper {
    /// Begins to keep Leases in the management cluster. There are no clusters until [`Self::clusters`] names them.
    #[must_use]
    pub fn start(management: Cluster, options: KeeperOptions) -> Self {
        let permits = Permits::new();
        let (told, holdings) = watch::channel(Holdings::default());
        let (clusters, wanted) = watch::channel(BTreeSet::new());
        let (stop, stopping) = watch::channel(false);
        let process = format!("{:016x}{:016x}", fastrand::u64(..), fastrand::u64(..));
        let me = Me { replica: options.replica, process, inherits: !options.once };
        let keeper = Keeper {
            management,
            timing: options.timing,
            leases: Leases::new(me, !options.once, options.only, options.timing),
            permits: permits.clone(),
            told,
            grants: BTreeMap::new(),
            began: Instant::now(),
            watch_problem: None,
            problems: Problems::default(),
        };
        let task = tokio::spawn(keeper.run(wanted, stopping));
        Self { permits, holdings, clusters, stop, task }
    }

    /// The permits, to be asked at each write.
    #[must_use]
    pub fn permits(&self) -> Permits {
        self.permits.clone()
    }

    /// What is held. Changes are told.
    #[must_use]
    pub fn holdings(&self) -> watch::Receiver<Holdings> {
        self.holdings.clone()
    }

    /// Names all service clusters that there are, whatever this replica is limited to.
    pub fn clusters(&self, all: BTreeSet<ClusterId>) {
        self.clusters.send_if_modified(|known| {
            let differs = *known != all;
            *known = all;
            differs
        });
    }

    /// Where to name the service clusters, for a task of its own.
    #[must_use]
    pub fn names(&self) -> watch::Sender<BTreeSet<ClusterId>> {
        self.clusters.clone()
    }

    /// Gives all Leases back: no more writes begin, and each Lease goes when the last write to its cluster has ended.
    /// Whoever cannot wait for that drops the future.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        // A task that panicked holds nothing any more.
        let _ = (&mut self.task).await;
    }
}

impl Drop for LeaseKeeper {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Keeper {
    management: Cluster,
    timing: Timing,
    leases: Leases,
    permits: Permits,
    told: watch::Sender<Holdings>,
    grants: BTreeMap<ClusterId, u64>,
    began: Instant,
    watch_problem: Option<String>,
    problems: Problems,
}

/// What went wrong at the last request about each Lease, and when.
#[derive(Debug, Default)]
struct Problems(BTreeMap<String, (Duration, String)>);

impl Problems {
    /// A request has ended.
    fn ended(&mut self, lease: &str, problem: Option<String>, now: Duration) {
        match problem {
            Some(problem) => self.0.insert(lease.to_owned(), (now, problem)),
            None => self.0.remove(lease),
        };
    }

    /// What is wrong now. A request that failed is repeated after a pause; if it is not, another replica holds the Lease, or
    /// the cluster is no more, and the problem is over.
    fn now(&mut self, timing: &Timing, now: Duration) -> Option<String> {
        let tried_again = (timing.renew_every + timing.renew_deadline) * 2;
        self.0.retain(|_, (at, _)| now < *at + tried_again);
        self.0.values().next().map(|(_, problem)| problem.clone())
    }
}

/// A request that has ended.
struct Done {
    lease: String,
    started: Duration,
    answer: Answer,
    problem: Option<String>,
}

impl Keeper {
    async fn run(mut self, mut wanted: watch::Receiver<BTreeSet<ClusterId>>, mut stopping: watch::Receiver<bool>) {
        let mut watcher = Some(self.watcher());
        let mut watch_again = Instant::now();
        let mut requests = FuturesUnordered::new();
        let permits = self.permits.clone();
        loop {
            let now = self.now();
            let actions = self.leases.next(now, &|cluster| permits.close(cluster));
            requests
                .extend(actions.into_iter().map(|action| perform(&self.management, &self.timing, action, self.began)));
            self.publish(now);
            if self.leases.is_stopped() {
                return;
            }
            let wake = self.began + self.leases.wake(self.now());
            tokio::select! {
                event = next(&mut watcher, watch_again) => match event {
                    Some(event) => self.saw(event),
                    None if watcher.is_none() => watcher = Some(self.watcher()),
                    None => {
                        watcher = None;
                        watch_again = Instant::now() + WATCH_PAUSE;
                    }
                },
                Some(done) = requests.next() => self.done(done),
                Ok(()) = wanted.changed() => {
                    let all = wanted.borrow_and_update().clone();
                    let now = self.now();
                    self.leases.clusters(&all, now);
                }
                Ok(()) = stopping.changed() => self.leases.stop(),
                () = permits.quiet() => {}
                () = sleep_until(wake) => {}
            }
        }
    }

    fn watcher(&self) -> Watcher {
        let selection = Selection::all(&record::resource()).within(Some(keys::SYSTEM_NAMESPACE));
        let options = WatchOptions { lifetime: WATCH_LIFETIME, ..WatchOptions::default() };
        Watcher::new(&self.management, selection, &options)
    }

    fn now(&self) -> Duration {
        self.began.elapsed()
    }

    fn saw(&mut self, event: WatchEvent) {
        let now = self.now();
        let seen = self.leases.seen();
        match event {
            WatchEvent::Restarted => seen.restarted(),
            WatchEvent::Object(lease) => {
                let (name, record) = Record::of(&lease);
                if name.starts_with(names::PREFIX) {
                    seen.told(&name, record, now);
                }
            }
            WatchEvent::Deleted(lease) => {
                let (name, record) = Record::of(&lease);
                seen.deleted(&name, &record, now);
            }
            WatchEvent::Listed { .. } => seen.completed(now),
            WatchEvent::Live => {
                seen.found(now);
                self.watch_problem = None;
            }
            WatchEvent::Lost(error) => {
                seen.lost();
                self.watch_problem = Some(format!("the leases cannot be watched: {error}"));
            }
        }
    }

    fn done(&mut self, done: Done) {
        let now = self.now();
        self.problems.ended(&done.lease, done.problem, now);
        self.leases.answered(&done.lease, done.started, done.answer, now);
    }

    /// Tells what is held now, first to those who write.
    fn publish(&mut self, now: Duration) {
        let permits = self.leases.permits();
        let at = |time: Duration| self.began + time;
        let until = permits.iter().map(|(id, p)| (id.clone(), (p.begin_until.map(at), at(p.end_until))));
        for id in self.permits.replace(&until.collect()) {
            *self.grants.entry(id).or_default() += 1;
        }
        let mine = permits.iter().filter(|(_, permit)| permit.begin_until.is_some_and(|until| now < until));
        let holdings = Holdings {
            known: self.leases.is_listed(),
            mine: mine.map(|(id, _)| id.clone()).collect(),
            grants: self.grants.clone(),
            elsewhere: self
                .leases
                .elsewhere(now)
                .into_iter()
                .map(|(id, (replica, lives))| (id, Holder { replica, lives }))
                .collect(),
            superseded: self.leases.is_superseded(now),
            problem: self.watch_problem.clone().or_else(|| self.problems.now(&self.timing, now)),
        };
        self.told.send_if_modified(|told| {
            let differs = *told != holdings;
            *told = holdings;
            differs
        });
    }
}

/// The next event of the watch; `None` when it has ended for good, or is to begin again.
async fn next(watcher: &mut Option<Watcher>, again: Instant) -> Option<WatchEvent> {
    match watcher {
        Some(watcher) => watcher.next().await,
        None => {
            sleep_until(again).await;
            None
        }
    }
}

/// Sends a request about a Lease.
fn perform(
    management: &Cluster,
    timing: &Timing,
    action: Action,
    began: Instant,
) -> impl Future<Output = Done> + Send + use<> {
    let (management, deadline) = (management.clone(), timing.renew_deadline);
    async move {
        let leases = record::resource();
        let space = Some(keys::SYSTEM_NAMESPACE);
        let (lease, request) = match &action {
            Action::Write { lease, replaces, wanted } => {
                let now = format!("{:.6}", Timestamp::now());
                let body = wanted.body(lease, replaces.as_ref(), &now);
                (lease, ApiRequest::apply(&leases, space, lease, &body).force(true).field_manager(MANAGER))
            }
            Action::Read { lease } => (lease, ApiRequest::object(&leases, space, lease)),
            Action::Remove { lease, uid, version } => (lease, ApiRequest::delete(&leases, space, lease, uid, version)),
        };
        // The permit counts from here, whenever the server does it.
        let started = began.elapsed();
        let answer = timeout(deadline, management.call(&request)).await;
        let answer = answer.unwrap_or_else(|_| Err(ClusterError::timed_out(deadline)));
        let (answer, problem) = match (answer, &action) {
            (Ok(object), Action::Write { .. }) => (Answer::Written(Record::of(&object).1), None),
            (Ok(object), Action::Read { .. }) => (Answer::Read(Some(Record::of(&object).1)), None),
            (Ok(_), Action::Remove { .. }) => (Answer::Removed, None),
            (Err(error), _) => {
                let verb = if matches!(action, Action::Read { .. }) { "read" } else { "written" };
                refused(&error, &action).map_or_else(
                    || (Answer::Failed, Some(format!("the lease {lease} cannot be {verb}: {error}"))),
                    |answer| (answer, None),
                )
            }
        };
        Done { lease: lease.clone(), started, answer, problem }
    }
}

/// What an error says of the Lease; `None` where it says nothing.
fn refused(error: &ClusterError, action: &Action) -> Option<Answer> {
    match (error.kind, action) {
        (ErrorKind::VersionConflict | ErrorKind::AlreadyExists | ErrorKind::FieldConflict, _) => Some(Answer::Conflict),
        (ErrorKind::NotFound, Action::Read { .. }) => Some(Answer::Read(None)),
        (ErrorKind::NotFound, Action::Remove { .. }) => Some(Answer::Removed),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_ends_with_the_next_request_or_when_there_is_none() {
        let (mut problems, timing, s) = (Problems::default(), Timing::default(), Duration::from_secs(1));
        problems.ended("a", Some("away".to_owned()), s);
        assert_eq!(problems.now(&timing, s * 7).as_deref(), Some("away"));
        problems.ended("a", None, s * 7);
        assert_eq!(problems.now(&timing, s * 7), None);
        // Another replica was faster, so that this one does not ask again.
        problems.ended("b", Some("away".to_owned()), s * 8);
        assert_eq!(problems.now(&timing, s * 19).as_deref(), Some("away"));
        assert_eq!(problems.now(&timing, s * 20), None);
    }
}
