//! The whole of `carrier sync`: puts the parts together, runs until it is told to stop or, once, until nothing is left
//! to do.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep};

use super::dispatch::dispatch;
use super::lease::keeper::{Holdings, KeeperOptions, LeaseKeeper};
use super::lease::timing::Timing;
use super::link::keeper::LinkOptions;
use super::news::News;
use super::place::Trust;
use super::queue::Moment;
use super::readiness;
use super::settings::Settings;
use super::shared::{Shared, Would};
use super::supervise::Supervisor;
use super::verdict::{Reason, Verdict};
use crate::cluster::kubeconfig::Loopback;
use crate::cluster::plugin::PluginLimits;
use crate::cluster::{Cluster, ClusterError, Limits, identity};
use crate::model::cluster::ClusterId;

/// The deadline of a request, its retries included. The time that a lease is valid for depends on it.
pub(crate) const REQUEST_DEADLINE: Duration = Duration::from_secs(5);
/// How many requests to one cluster are under way at once.
pub(crate) const CONCURRENCY: usize = 64;
/// How long everything has to be quiet before a single run ends: an answer of an operator may be on its way.
const QUIET: Duration = Duration::from_secs(1);
/// How long a single run waits for a sign of life of who holds a lease, or for its end: a lease is renewed more often, and
/// expires sooner, unless somebody has written it by hand.
const SIGN_OF_LIFE: Duration = Duration::from_secs(15);
/// How long what is under way may take to finish, once it is time to stop.
const FINISH: Duration = Duration::from_secs(7);
/// The pause after which a credential plugin that failed runs again: the service behind it may have been away.
const PLUGIN_AGAIN: Duration = Duration::from_secs(30);

/// How sync runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SyncOptions {
    /// The clusters to work on; empty, all of them.
    pub only: BTreeSet<ClusterId>,
    /// The name of this replica.
    pub replica: String,
    /// Whether a kubeconfig from a Secret may point at this machine.
    pub loopback: Loopback,
    /// Run until nothing is left to do; absent, until told to stop.
    pub once: Option<Once>,
}

/// A single run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Once {
    /// The longest time that it takes.
    pub timeout: Duration,
    /// Whether nothing is written.
    pub dry_run: bool,
}

/// How an instance stands that is not in step.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Standing {
    /// The service cluster.
    pub cluster: ClusterId,
    /// The kind of tenants, `<plural.group>`.
    pub kind: String,
    /// The tenant's namespace.
    pub namespace: String,
    /// The name.
    pub name: String,
    /// The reason, as the condition has it; `Orphan` where the tenant object is gone.
    pub reason: String,
    /// The sentence.
    pub message: String,
}

/// What came of a single run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Report {
    /// How many instances are in step.
    pub in_step: usize,
    /// Those that are paused.
    pub paused: Vec<Standing>,
    /// Those that are not in step.
    pub others: Vec<Standing>,
    /// The clusters that did not answer, and why.
    pub unreachable: BTreeMap<ClusterId, String>,
    /// The clusters that another replica works on, and which.
    pub elsewhere: BTreeMap<ClusterId, String>,
    /// What a dry run would write.
    pub would: Vec<Would>,
    /// Whether the time was over before everything was done.
    pub timed_out: bool,
}

/// Running sync.
pub(crate) struct Running {
    shared: Arc<Shared>,
    leases: Option<LeaseKeeper>,
    supervisor: tokio::task::JoinHandle<()>,
    dispatcher: tokio::task::JoinHandle<()>,
    followers: Vec<tokio::task::JoinHandle<()>>,
    stop: watch::Sender<bool>,
    holdings: Option<watch::Receiver<Holdings>>,
}

impl Running {
    /// Starts: asks the management cluster who it is, and begins to follow it.
    ///
    /// # Errors
    /// When the management cluster does not say who it is.
    pub(crate) async fn start(management: Cluster, options: &SyncOptions) -> Result<Self, ClusterError> {
        let limits = management.limits();
        let plugin = PluginLimits { again: Some(PLUGIN_AGAIN), ..limits.plugin };
        let management = management.with_limits(Limits { concurrency: CONCURRENCY, plugin, probe: None, ..limits });
        let identity = identity::identify(&management).await?;
        let dry_run = options.once.is_some_and(|once| once.dry_run);
        let leases = (!dry_run).then(|| {
            let only = (!options.only.is_empty()).then(|| options.only.clone());
            let options = KeeperOptions {
                replica: options.replica.clone(),
                only,
                once: options.once.is_some(),
                timing: Timing::default(),
            };
            // Renewals do not wait for the turns of other requests.
            LeaseKeeper::start(management.with_limits(Limits { concurrency: 8, ..management.limits() }), options)
        });
        let permits = leases.as_ref().map(LeaseKeeper::permits);
        let (shared, wishes) = Shared::new(management.clone(), dry_run, permits.clone());
        let link = LinkOptions {
            limits: Limits { deadline: REQUEST_DEADLINE, concurrency: CONCURRENCY, ..Limits::default() },
            loopback: options.loopback.clone(),
            unrecorded: dry_run,
            // Set for each cluster, like the counters.
            may_write: Arc::new(|| false),
            counters: Arc::default(),
        };
        let settings = Settings { only: options.only.clone(), management: identity.uid, link, permits };
        let holdings = leases.as_ref().map(LeaseKeeper::holdings);
        let (supervisor, news) =
            Supervisor::new(Arc::clone(&shared), settings, leases.as_ref().map(LeaseKeeper::names));
        let mut followers = Vec::new();
        if let Some(holdings) = holdings.clone() {
            followers.push(tokio::spawn(tell(holdings, supervisor.sender())));
        }
        let supervisor = tokio::spawn(supervisor.run(news, wishes));
        let (stop, mut stopped) = watch::channel(false);
        let until = async move {
            let _ = stopped.wait_for(|stop| *stop).await;
        };
        let dispatcher = tokio::spawn(dispatch(Arc::clone(&shared), until));
        Ok(Self { shared, leases, supervisor, dispatcher, followers, stop, holdings })
    }

    /// What the tasks share, for those who look at it.
    pub(crate) fn shared(&self) -> Arc<Shared> {
        Arc::clone(&self.shared)
    }

    /// Stops: no new work, what is under way is finished, the leases are given back.
    pub(crate) async fn stop(self) {
        let _ = self.stop.send(true);
        // Each request has a deadline of its own; this bounds what waits for others.
        let _ = tokio::time::timeout(FINISH, self.dispatcher).await;
        self.supervisor.abort();
        self.followers.iter().for_each(tokio::task::JoinHandle::abort);
        if let Some(leases) = self.leases {
            leases.stop().await;
        }
    }

    /// Waits until nothing is left to do.
    pub(crate) async fn settle(&self, once: &Once) -> Report {
        let began = Instant::now();
        let end = began + once.timeout;
        let mut quiet_since: Option<Instant> = None;
        let timed_out = loop {
            let now = Instant::now();
            let is_quiet = self.is_settled() && (now - began >= SIGN_OF_LIFE || !self.waits_for_a_sign_of_life());
            let since = if is_quiet { *quiet_since.get_or_insert(now) } else { now };
            if !is_quiet {
                quiet_since = None;
            }
            if is_quiet && now - since >= QUIET {
                break false;
            }
            if now >= end {
                break true;
            }
            sleep(Duration::from_millis(20)).await;
        };
        Report { timed_out, ..self.report() }
    }

    /// Whether it is not known yet if a replica that holds a lease is still there.
    fn waits_for_a_sign_of_life(&self) -> bool {
        self.holdings.as_ref().is_some_and(|holdings| holdings.borrow().elsewhere.values().any(|holder| !holder.lives))
    }

    /// Whether everything that can be seen was seen, and nothing waits.
    fn is_settled(&self) -> bool {
        let now: Moment = self.shared.now();
        let index = self.shared.index();
        let soon = index.queue.next_due(now).is_some_and(|due| {
            // What was refused or conflicts is looked at again for as long as sync runs.
            due <= now
        });
        self.shared.not_listed().is_empty() && readiness::missing(&index).is_empty() && index.queue.is_quiet() && !soon
    }

    /// How everything stands.
    #[must_use]
    pub(crate) fn report(&self) -> Report {
        let mut report = Report { would: self.shared.all_that_would_be(), ..Report::default() };
        if let Some(holdings) = &self.holdings {
            let elsewhere = &holdings.borrow().elsewhere;
            report.elsewhere = elsewhere.iter().map(|(id, holder)| (id.clone(), holder.replica.clone())).collect();
        }
        let index = self.shared.index();
        for (id, state) in &index.places.clusters {
            match &state.trust {
                Trust::Unreachable(why) | Trust::NoKubeconfig(why) | Trust::IdentityChanged(why) => {
                    report.unreachable.insert(id.clone(), why.clone());
                }
                Trust::Unknown | Trust::Trusted => {}
            }
        }
        for (_, record) in index.records() {
            let Some(indexed) = index.services.get(&record.service_id) else { continue };
            let service = &indexed.service;
            let standing = |verdict: &Verdict, reason: &str| Standing {
                cluster: service.route.cluster.clone(),
                kind: service.route.tenant.full_name(),
                namespace: record.namespace.to_string(),
                name: record.name.to_string(),
                reason: reason.to_owned(),
                message: verdict.message.to_string(),
            };
            match record.verdict.as_deref() {
                _ if record.orphan => {
                    let message =
                        "its tenant object is gone, and its deletion was not seen; `carrier approve` deletes it";
                    report.others.push(standing(&Verdict::new(Reason::Pending, message), "Orphan"));
                }
                Some(verdict) if verdict.reason == Reason::InStep => report.in_step += 1,
                Some(verdict) if verdict.reason == Reason::Paused => {
                    report.paused.push(standing(verdict, verdict.reason.word()));
                }
                Some(verdict) => report.others.push(standing(verdict, verdict.reason.word())),
                None if record.tenant.is_some() => {
                    let verdict = Verdict::new(Reason::Pending, "nothing is known of it yet");
                    report.others.push(standing(&verdict, verdict.reason.word()));
                }
                None => {}
            }
        }
        report.paused.sort();
        report.others.sort();
        report
    }
}

/// Tells the supervisor what the leases say.
async fn tell(mut holdings: watch::Receiver<Holdings>, news: mpsc::Sender<News>) {
    loop {
        let held = Box::new(holdings.borrow_and_update().clone());
        if news.send(News::Held(held)).await.is_err() || holdings.changed().await.is_err() {
            return;
        }
    }
}

/// Starts again and again until the management cluster answers, or `stop` ends.
pub(crate) async fn start_patiently(
    management: &Cluster,
    options: &SyncOptions,
    stop: impl Future<Output = ()>,
    failed: impl Fn(&ClusterError),
) -> Option<Running> {
    tokio::pin!(stop);
    let mut pause = Duration::from_millis(200);
    loop {
        tokio::select! {
            started = Running::start(management.clone(), options) => match started {
                Ok(running) => return Some(running),
                Err(error) => failed(&error),
            },
            () = &mut stop => return None,
        }
        tokio::select! {
            () = sleep(pause) => pause = (pause * 2).min(Duration::from_secs(5)),
            () = &mut stop => return None,
        }
    }
}
