//! The pages of a process: its health, what it is not ready for yet, and its metrics.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use super::listen::Pages;
use super::metrics::{ClusterSnapshot, Metrics, QueueClass, Requests, Snapshot};
use super::place::Trust;
use super::queue::Class;
use super::readiness;
use super::shared::Shared;
use super::verdict::Reason;
use crate::model::cluster::{ClusterId, Target};

/// How everything stands.
fn snapshot(shared: &Shared) -> Snapshot {
    let now = shared.now();
    let mut requests: BTreeMap<Target, Requests> = BTreeMap::new();
    requests.entry(Target::Management).or_default().add(shared.management.counters());
    for (id, counters) in shared.all_counters() {
        requests.entry(Target::Service(id)).or_default().add(&counters);
    }
    let index = shared.index();
    let mut clusters: BTreeMap<ClusterId, ClusterSnapshot> = BTreeMap::new();
    for (id, state) in &index.places.clusters {
        clusters.entry(id.clone()).or_default().reachable = state.trust == Trust::Trusted;
    }
    for indexed in index.services.values() {
        let cluster = clusters.entry(indexed.service.route.cluster.clone()).or_default();
        let heard = indexed.heard.iter().flatten().map(|heard| now.saturating_sub(*heard)).max();
        cluster.watch_age = cluster.watch_age.max(heard);
    }
    let mut oldest = Duration::ZERO;
    for (_, record) in index.records() {
        let Some(indexed) = index.services.get(&record.service_id) else { continue };
        let cluster = clusters.entry(indexed.service.route.cluster.clone()).or_default();
        let reason = record.verdict.as_ref().map(|verdict| verdict.reason);
        let state = match (record.orphan, &record.tenant, reason) {
            (true, ..) => "orphan",
            (false, None, _) => continue,
            (false, Some(_), Some(reason)) => reason.state(),
            (false, Some(_), None) => Reason::Pending.state(),
        };
        *cluster.objects.entry(state).or_default() += 1;
        cluster.conflicts += u64::from(reason == Some(Reason::Conflict));
        cluster.deletions_held += u64::from(reason == Some(Reason::DeletionHeld));
        // A pause is somebody's wish.
        if reason != Some(Reason::Paused)
            && let Some(lasted) = record.unsynced_since.lasted(now)
        {
            oldest = oldest.max(lasted);
        }
    }
    let depth = |class| u64::try_from(index.queue.depth(class)).unwrap_or(u64::MAX);
    let queue = BTreeMap::from([
        (QueueClass::Fresh, depth(Class::Fresh)),
        (QueueClass::Status, depth(Class::Status)),
        (QueueClass::Backlog, depth(Class::Backlog)),
    ]);
    Snapshot { oldest_unsynced: oldest, queue, clusters, requests }
}

/// The pages of a process: empty until it has begun to work.
#[derive(Default)]
pub(crate) struct ProcessPages {
    shared: OnceLock<Arc<Shared>>,
}

impl ProcessPages {
    /// It has begun to work.
    pub(crate) fn begin(&self, shared: Arc<Shared>) {
        // It begins once.
        let _ = self.shared.set(shared);
    }
}

impl Pages for ProcessPages {
    fn unhealthy(&self) -> Vec<String> {
        Vec::new()
    }

    fn missing(&self) -> Vec<String> {
        let Some(shared) = self.shared.get() else {
            return vec!["the management cluster does not answer".to_owned()];
        };
        let mut missing = shared.not_listed();
        missing.extend(readiness::missing(&shared.index()));
        missing
    }

    fn not_counted(&self) -> Vec<String> {
        self.shared.get().map(|shared| readiness::not_counted(&shared.index())).unwrap_or_default()
    }

    fn metrics(&self) -> String {
        match self.shared.get() {
            Some(shared) => shared.telemetry.metrics().text(&snapshot(shared)),
            None => Metrics::default().text(&Snapshot::default()),
        }
    }
}
