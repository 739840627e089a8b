//! What the tasks of one process share: the index behind its lock, the connections, the metrics.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, mpsc};

use super::index::Index;
use super::job::{Job, policy};
use super::lease::permits::Permits;
use super::level::Level;
use super::metrics::Direction;
use super::queue::{Id, Moment};
use super::record::Since;
use super::service::Service;
use super::step::Step;
use super::telemetry::Telemetry;
use super::verdict::{Reason, Verdict};
use crate::cluster::Cluster;
use crate::cluster::client::Counters;
use crate::model::cluster::ClusterId;
use crate::model::kinds::deletion::DeletionPolicy;
use crate::model::resource::Resource;

/// Slower answers than this count as a sign of a busy server.
const SLOW: Duration = Duration::from_secs(2);

/// The time of day, as Kubernetes writes it.
pub(crate) fn clock() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// What other tasks are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Wish {
    /// A cluster did not answer: look whether it can be reached.
    Doubt(ClusterId),
    /// A write says that the tenant's namespace is gone, or going.
    Namespace(ClusterId, String),
    /// Something is worth an event on a tenant object.
    Event(Box<Happening>),
}

/// Something that is worth an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Happening {
    /// The object, as a reference: API version, kind, namespace, name, UID.
    pub api_version: String,
    /// Its kind.
    pub kind: String,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its UID.
    pub uid: String,
    /// `Normal` or `Warning`.
    pub warning: bool,
    /// The reason.
    pub reason: &'static str,
    /// The sentence.
    pub message: String,
}

/// A write that a dry run would do.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Would {
    /// The service cluster.
    pub cluster: ClusterId,
    /// The kind of tenants, `<plural.group>`.
    pub kind: String,
    /// The tenant's namespace.
    pub namespace: String,
    /// The name.
    pub name: String,
    /// What would be done first, by the words of logs and metrics.
    pub steps: Vec<String>,
    /// The same, to be read.
    pub words: Vec<String>,
    /// How the instance would stand then, where that is known not to be in step.
    pub then: Option<String>,
}

/// A connection to a service cluster whose identity is known.
#[derive(Debug, Clone)]
pub(crate) struct Connection {
    /// Its number: what was seen over an earlier one is not believed.
    pub epoch: u64,
    /// The cluster.
    pub cluster: Cluster,
    /// The UID that identifies it.
    pub uid: String,
}

/// What the tasks share.
pub(crate) struct Shared {
    /// The management cluster.
    pub management: Cluster,
    /// Wakes the dispatcher.
    pub wake: Notify,
    /// Whether nothing may be written.
    pub dry_run: bool,
    /// The metrics.
    pub telemetry: Telemetry,
    index: Mutex<Index>,
    began: Instant,
    #[cfg(test)]
    simulated_time: Mutex<Option<Moment>>,
    connections: Mutex<BTreeMap<ClusterId, Connection>>,
    counters: Mutex<BTreeMap<ClusterId, Arc<Counters>>>,
    permits: Option<Permits>,
    wishes: mpsc::Sender<Wish>,
    told: Mutex<BTreeSet<(String, &'static str, String)>>,
    would: Mutex<BTreeMap<Id, Would>>,
    not_listed: Mutex<Vec<String>>,
}

impl Shared {
    /// What the tasks share; the second part receives their wishes.
    pub(crate) fn new(
        management: Cluster,
        dry_run: bool,
        permits: Option<Permits>,
    ) -> (Arc<Self>, mpsc::Receiver<Wish>) {
        let (wishes, receiver) = mpsc::channel(1_024);
        let shared = Self {
            management,
            wake: Notify::new(),
            dry_run,
            telemetry: Telemetry::default(),
            index: Mutex::new(Index::default()),
            began: Instant::now(),
            #[cfg(test)]
            simulated_time: Mutex::default(),
            connections: Mutex::default(),
            counters: Mutex::default(),
            permits,
            wishes,
            told: Mutex::default(),
            would: Mutex::default(),
            not_listed: Mutex::new(vec!["the management cluster was not listed yet".to_owned()]),
        };
        (Arc::new(shared), receiver)
    }

    /// The index, for as long as no server is waited for.
    pub(crate) fn index(&self) -> MutexGuard<'_, Index> {
        // A panic while it was held is a bug that the process reports; the index is still whole enough to go on.
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The time since the process began.
    pub(crate) fn now(&self) -> Moment {
        #[cfg(test)]
        if let Some(now) = *self.simulated_time.lock().unwrap_or_else(PoisonError::into_inner) {
            return now;
        }
        self.began.elapsed()
    }

    /// Has a test say what time it is.
    #[cfg(test)]
    pub(crate) fn set_now(&self, now: Moment) {
        *self.simulated_time.lock().unwrap_or_else(PoisonError::into_inner) = Some(now);
    }

    /// Whether this process may write for a cluster at this moment. Without leases, as in a dry run, nothing is written.
    pub(crate) fn may_write(&self, cluster: &ClusterId) -> bool {
        self.permits.as_ref().is_none_or(|permits| permits.may_write(cluster))
    }

    /// Writes under the permit for a cluster: `None` where another replica may work on it.
    pub(crate) async fn within<T>(&self, cluster: &ClusterId, write: impl Future<Output = T>) -> Option<T> {
        match &self.permits {
            Some(permits) => permits.within(cluster, write).await.ok(),
            None => Some(write.await),
        }
    }

    /// Replaces the connection to a cluster.
    pub(crate) fn connect(&self, cluster: &ClusterId, connection: Option<Connection>) {
        let mut all = self.connections.lock().unwrap_or_else(PoisonError::into_inner);
        match connection {
            Some(connection) => drop(all.insert(cluster.clone(), connection)),
            None => drop(all.remove(cluster)),
        }
    }

    /// The connection with this number, if it is still the one in use.
    pub(crate) fn connection(&self, cluster: &ClusterId, epoch: u64) -> Option<Connection> {
        let all = self.connections.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(cluster).filter(|connection| connection.epoch == epoch).cloned()
    }

    /// Where the requests to a service cluster are counted. They go on counting through all its connections, for as long
    /// as the process lives: a counter that begins anew would show as a rate that never was.
    pub(crate) fn counters(&self, cluster: &ClusterId) -> Arc<Counters> {
        let mut all = self.counters.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(all.entry(cluster.clone()).or_default())
    }

    /// All of them.
    pub(crate) fn all_counters(&self) -> BTreeMap<ClusterId, Arc<Counters>> {
        self.counters.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What of the management cluster was not listed yet, one line each.
    pub(crate) fn set_not_listed(&self, missing: Vec<String>) {
        *self.not_listed.lock().unwrap_or_else(PoisonError::into_inner) = missing;
    }

    /// The same.
    pub(crate) fn not_listed(&self) -> Vec<String> {
        self.not_listed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn wish(&self, wish: Wish) {
        // What does not fit is said again: the same write fails again, and events are no record.
        let _ = self.wishes.try_send(wish);
    }

    /// A cluster did not answer.
    pub(crate) fn doubt(&self, cluster: &ClusterId) {
        self.wish(Wish::Doubt(cluster.clone()));
    }

    /// A write says that a tenant's namespace is gone, or going.
    pub(crate) fn look_at_namespace(&self, cluster: &ClusterId, namespace: &str) {
        self.wish(Wish::Namespace(cluster.clone(), namespace.to_owned()));
    }

    /// A request took this long.
    pub(crate) fn took(&self, cluster: &ClusterId, time: Duration) {
        let mut index = self.index();
        let lane = index.places.clusters.get(cluster).map(|state| state.lane);
        if let Some(lane) = lane {
            index.queue.answered(lane, time > SLOW, None);
        }
    }

    /// Fields that the target's schema does not have were left out. Said once for each.
    pub(crate) fn dropped(&self, service: &Service, level: Level, fields: &[String]) {
        for field in fields {
            if self.is_first(service, level, field) {
                tracing::warn!(
                    cluster = %service.route.cluster, service = %service.entry, level = level.word(), field = %field,
                    "the schema of the target does not have this field, so it is not copied"
                );
            }
        }
    }

    /// A server does not allow a step. Logged once per service, level and step, because no condition can be written where
    /// status writes are forbidden.
    pub(crate) fn forbidden(&self, service: &Service, level: Level, step: &Step) {
        if self.is_first(service, level, &format!("forbidden: {}", step.word())) {
            let route = &service.route;
            let (side, kind) = match level {
                Level::Tenant => ("the management cluster", &route.tenant),
                Level::Internal => ("the management cluster", &route.internal),
                Level::Service => ("the service cluster", &route.base),
            };
            // Its words may quote what stands in the object.
            tracing::warn!(
                cluster = %route.cluster, kind = %kind.full_name(), step = step.word(),
                "{side} does not allow this: a right of sync is missing, or admission refuses it"
            );
        }
    }

    /// Whether this is said of a service and level for the first time.
    fn is_first(&self, service: &Service, level: Level, what: &str) -> bool {
        let mut known = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        known.len() < 10_000 && known.insert((service.entry.clone(), level.word(), what.to_owned()))
    }

    /// A step has written something.
    pub(crate) fn wrote(&self, job: &Job, step: &Step, level: Level) {
        let cluster = &job.service.route.cluster;
        if step.write_reason().is_some() {
            self.telemetry.wrote(cluster, level, step);
        }
        tracing::debug!(
            cluster = %cluster, kind = %job.service.route.tenant.full_name(), namespace = %job.namespace,
            name = %job.name, level = level.word(), step = step.word(), reason = step.write_reason(), "wrote"
        );
        let mut index = self.index();
        let now = self.now();
        match step {
            Step::TenantStatus { verdict, .. } => {
                let Some(record) = index.record_mut(job.id) else { return };
                if let Some(lasted) = record.status_since.end(now) {
                    self.telemetry.arrived(Direction::Up, lasted);
                }
                let before = job.tenant.as_ref().and_then(|tenant| tenant.synced.as_ref());
                if before.is_none_or(|before| before.reason != Some(verdict.reason)) {
                    drop(index);
                    self.happened(job, verdict);
                }
            }
            Step::Apply { level: Level::Service, .. } => {
                if let Some(lasted) = index.record(job.id).and_then(|record| record.unsynced_since.lasted(now)) {
                    self.telemetry.arrived(Direction::Down, lasted);
                }
            }
            Step::ReleaseFinalizer => {
                let is_counted = job.tenant.as_ref().is_some_and(|tenant| !tenant.approved)
                    && policy(&job.service, job.tenant.as_ref()).0 == DeletionPolicy::Delete;
                let service_id = index.record(job.id).map(|record| record.service_id);
                if is_counted && let Some(indexed) = service_id.and_then(|id| index.services.get_mut(&id)) {
                    indexed.breaker.deleted(now);
                }
                drop(index);
                self.event(job, false, "Deleted", "the copies of the instance are deleted".to_owned());
            }
            _ => {}
        }
    }

    fn happened(&self, job: &Job, verdict: &Verdict) {
        match verdict.reason {
            Reason::InStep => self.event(job, false, "Synced", verdict.message.to_string()),
            Reason::Pending | Reason::Paused => {}
            reason => self.event(job, true, reason.word(), verdict.message.to_string()),
        }
    }

    /// Tells of a deletion policy that is not allowed, once.
    pub(crate) fn check_policy(&self, id: Id) {
        let mut index = self.index();
        let Some(record) =
            index.record(id).filter(|record| record.tenant.as_ref().is_some_and(|tenant| tenant.policy.is_some()))
        else {
            return;
        };
        let Some(service) = index.services.get(&record.service_id).map(|indexed| Arc::clone(&indexed.service)) else {
            return;
        };
        let asked = policy(&service, record.tenant.as_ref()).1.map(Box::from);
        let uid = record.tenant.as_ref().map(|tenant| tenant.seen.uid.to_string()).unwrap_or_default();
        let (namespace, name) = (record.namespace.to_string(), record.name.to_string());
        let Some(record) = index.record_mut(id) else { return };
        if record.rare.as_ref().is_some_and(|rare| rare.told_policy == asked)
            || record.rare.is_none() && asked.is_none()
        {
            return;
        }
        record.rare().told_policy.clone_from(&asked);
        drop(index);
        if let Some(asked) = asked {
            let message = format!("the deletion policy {asked} is not allowed for this service; its default applies");
            self.tell(&service.route.tenant, (namespace, name, uid), true, "DeletionPolicyNotAllowed", message);
        }
    }

    /// Tells that a copy is left without a tenant object.
    pub(crate) fn orphaned(&self, id: Id) {
        let index = self.index();
        let Some(record) = index.record(id) else { return };
        let Some(indexed) = index.services.get(&record.service_id) else { return };
        let (kind, cluster) = (indexed.service.route.tenant.full_name(), indexed.service.route.cluster.clone());
        let uid = index.places.assignment(&cluster, &record.namespace).map(|assignment| assignment.uid.clone());
        let message = format!(
            "a copy of {kind} {} is left without its object, whose deletion was not seen; it is kept until \
             `carrier approve`",
            record.name
        );
        let assignment =
            (cluster.provider.clone(), format!("{}.{}", record.namespace, cluster.cluster), uid.unwrap_or_default());
        drop(index);
        let resource = Resource::rendered().iter().find(|resource| resource.kind == "ServiceClusterAssignment");
        if let Some(resource) = resource {
            self.tell(resource, assignment, true, "Orphan", message);
        }
    }

    fn event(&self, job: &Job, warning: bool, reason: &'static str, message: String) {
        let Some(tenant) = &job.tenant else { return };
        let object = (job.namespace.clone(), job.name.clone(), tenant.seen.uid.to_string());
        self.tell(&job.service.route.tenant, object, warning, reason, message);
    }

    fn tell(
        &self,
        kind: &Resource,
        (namespace, name, uid): (String, String, String),
        warning: bool,
        reason: &'static str,
        message: String,
    ) {
        if self.dry_run {
            return;
        }
        let (api_version, kind) = (kind.api_version(), kind.kind.clone());
        let happening = Happening { api_version, kind, namespace, name, uid, warning, reason, message };
        self.wish(Wish::Event(Box::new(happening)));
    }

    /// An instance stands in another way than before.
    pub(crate) fn stands(&self, id: Id, verdict: &Verdict) {
        let mut index = self.index();
        if let Some(record) = index.record_mut(id) {
            if verdict.reason == Reason::InStep {
                record.unsynced_since = Since::default();
            }
            tracing::debug!(namespace = %record.namespace, name = %record.name, reason = verdict.reason.word(), "stands");
        }
    }

    /// A dry run would do this, and the instance would stand so `then`.
    pub(crate) fn would(&self, job: &Job, then: Option<&Verdict>) {
        let writes = || job.steps.iter().filter_map(|step| Some((step, step.write_reason()?)));
        let would = Would {
            cluster: job.service.route.cluster.clone(),
            kind: job.service.route.tenant.full_name(),
            namespace: job.namespace.clone(),
            name: job.name.clone(),
            steps: writes().map(|(step, reason)| format!("{} ({reason})", step.word())).collect(),
            words: writes().map(|(step, _)| step.sentence()).collect(),
            then: then.map(|verdict| format!("{}: {}", verdict.reason.word(), verdict.message)),
        };
        let mut all = self.would.lock().unwrap_or_else(PoisonError::into_inner);
        // More may be known of the instance than before, when a watch was not complete yet.
        match would.steps.is_empty() {
            true => all.remove(&job.id),
            false => all.insert(job.id, would),
        };
    }

    /// A dry run would do nothing with this instance.
    pub(crate) fn would_not(&self, id: Id) {
        self.would.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
    }

    /// What a dry run would do.
    pub(crate) fn all_that_would_be(&self) -> Vec<Would> {
        let mut all: Vec<Would> = self.would.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect();
        all.sort();
        all
    }
}
