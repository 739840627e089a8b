//! The metrics of `carrier sync`, in Prometheus' text format.
//!
//! Names and labels are a contract with dashboards: `docs/sync.md` lists them. What happens is counted when it happens
//! ([`Metrics`]); what is so at the moment is asked for at each scrape ([`Snapshot`]), and kept nowhere.

use std::collections::BTreeMap;
use std::time::Duration;

use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder, prometheus_text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::cluster::client::Counters;
use crate::cluster::client::counters::Outcome;
use crate::cluster::request::Verb;
use crate::model::cluster::{ClusterId, Target};

/// The content type of [`Metrics::text`].
pub(crate) const CONTENT_TYPE: &str = prometheus_text::CONTENT_TYPE;
/// From a write on loopback to an object that was stuck for minutes.
const LATENCIES: [f64; 17] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0];

/// The way that a change takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From the tenant to the service cluster.
    Down,
    /// From the service cluster to the tenant.
    Up,
}

/// The cluster that is written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    /// The management cluster.
    Management,
    /// The service cluster.
    Service,
}

/// Why something is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WriteReason {
    /// The object is not there yet.
    Create,
    /// What it is copied from has changed.
    Update,
    /// It was changed in the place that it is copied to.
    Correction,
    /// A status.
    Status,
    /// A finalizer, placed or removed.
    Finalizer,
    /// A deletion.
    Delete,
    /// Marks of ours that were stripped, or an object that is taken up again.
    Adopt,
}

/// The classes of the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum QueueClass {
    /// An edit that somebody waits for.
    Fresh,
    /// A copy or a status that has changed.
    Status,
    /// What is due after a list or a restart, or is tried again.
    Backlog,
}

macro_rules! words {
    ($($kind:ident { $($variant:ident: $word:literal),* $(,)? })*) => {$(
        impl $kind {
            /// Its word in labels.
            #[must_use]
            pub fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),* }
            }
        }

        impl EncodeLabelValue for $kind {
            fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), std::fmt::Error> {
                EncodeLabelValue::encode(&self.word(), encoder)
            }
        }
    )*};
}

words! {
    Direction { Down: "down", Up: "up" }
    Side { Management: "management", Service: "service" }
    WriteReason {
        Create: "create", Update: "update", Correction: "correction", Status: "status", Finalizer: "finalizer",
        Delete: "delete", Adopt: "adopt",
    }
    QueueClass { Fresh: "fresh", Status: "status", Backlog: "backlog" }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct LatencyLabels {
    direction: Direction,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct WriteLabels {
    cluster: String,
    side: Side,
    reason: WriteReason,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    cluster: String,
    verb: &'static str,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ClassLabels {
    class: QueueClass,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ClusterLabels {
    cluster: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ObjectLabels {
    cluster: String,
    state: &'static str,
}

/// What is counted as it happens. A clone counts into the same.
#[derive(Debug, Clone)]
pub struct Metrics {
    latency: Family<LatencyLabels, Histogram, fn() -> Histogram>,
    writes: Family<WriteLabels, Counter>,
}

/// What is so at the moment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Snapshot {
    /// The age of the oldest change that has not arrived; zero if all have.
    pub oldest_unsynced: Duration,
    /// How many objects wait, by class.
    pub queue: BTreeMap<QueueClass, u64>,
    /// The service clusters.
    pub clusters: BTreeMap<ClusterId, ClusterSnapshot>,
    /// The requests that were sent so far, by cluster, verb and outcome.
    pub requests: BTreeMap<Target, Requests>,
}

/// What is so at the moment in a service cluster.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ClusterSnapshot {
    /// Whether it answers.
    pub reachable: bool,
    /// The time since the most silent of its watches said something; absent without a watch.
    pub watch_age: Option<Duration>,
    /// Objects whose name is taken by an object of somebody else.
    pub conflicts: u64,
    /// Deletions that wait for an approval or another policy.
    pub deletions_held: u64,
    /// The number of objects by state, such as `in_step` or `orphan`.
    pub objects: BTreeMap<&'static str, u64>,
}

/// The requests of one cluster by verb and outcome.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Requests(Vec<(Verb, Outcome, u64)>);

impl Requests {
    /// Adds what a client has sent. A cluster may have several clients.
    pub fn add(&mut self, counters: &Counters) {
        for (verb, outcome, count) in counters.all() {
            match self.0.iter_mut().find(|(v, o, _)| (*v, *o) == (verb, outcome)) {
                Some((.., sum)) => *sum += count,
                None => self.0.push((verb, outcome, count)),
            }
        }
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// Metrics at zero.
    #[must_use]
    pub fn new() -> Self {
        let metrics =
            Self { latency: Family::new_with_constructor(|| Histogram::new(LATENCIES)), writes: Family::default() };
        // So that a rate can be computed from the first change on.
        for direction in [Direction::Down, Direction::Up] {
            drop(metrics.latency.get_or_create(&LatencyLabels { direction }));
        }
        metrics
    }

    /// A change has arrived after so long.
    pub fn synced(&self, direction: Direction, after: Duration) {
        self.latency.get_or_create(&LatencyLabels { direction }).observe(after.as_secs_f64());
    }

    /// Something was written for a service cluster, on one side or the other.
    pub fn wrote(&self, cluster: &ClusterId, side: Side, reason: WriteReason) {
        self.writes.get_or_create(&WriteLabels { cluster: cluster.to_string(), side, reason }).inc();
    }

    /// All metrics in the text format.
    #[must_use]
    pub fn text(&self, now: &Snapshot) -> String {
        let mut registry = Registry::with_prefix("carrier");
        // A counter gets the suffix `_total`, and a help text its full stop, from the encoder.
        registry.register(
            "sync_latency_seconds",
            "The time from a change on one side to the same on the other",
            self.latency.clone(),
        );
        registry.register("writes", "Writes by service cluster, side and reason", self.writes.clone());
        registry.register("requests", "Requests by cluster, verb and outcome", requests(now));
        let oldest: Gauge<f64, std::sync::atomic::AtomicU64> = Gauge::default();
        oldest.set(now.oldest_unsynced.as_secs_f64());
        registry.register("oldest_unsynced_seconds", "The age of the oldest change that has not arrived", oldest);
        let queue = Family::<ClassLabels, Gauge>::default();
        for class in [QueueClass::Fresh, QueueClass::Status, QueueClass::Backlog] {
            let depth = now.queue.get(&class).copied().unwrap_or_default();
            queue.get_or_create(&ClassLabels { class }).set(signed(depth));
        }
        registry.register("queue_depth", "Objects that wait for their turn", queue);
        register_clusters(&mut registry, &now.clusters);
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = prometheus_text::encode(&mut text, &registry);
        text
    }
}

fn register_clusters(registry: &mut Registry, clusters: &BTreeMap<ClusterId, ClusterSnapshot>) {
    let (conflicts, held) = (Family::<ClusterLabels, Gauge>::default(), Family::<ClusterLabels, Gauge>::default());
    let reachable = Family::<ClusterLabels, Gauge>::default();
    let age = Family::<ClusterLabels, Gauge<f64, std::sync::atomic::AtomicU64>>::default();
    let objects = Family::<ObjectLabels, Gauge>::default();
    for (id, cluster) in clusters {
        let labels = ClusterLabels { cluster: id.to_string() };
        conflicts.get_or_create(&labels).set(signed(cluster.conflicts));
        held.get_or_create(&labels).set(signed(cluster.deletions_held));
        reachable.get_or_create(&labels).set(i64::from(cluster.reachable));
        if let Some(silent) = cluster.watch_age {
            age.get_or_create(&labels).set(silent.as_secs_f64());
        }
        for (state, count) in &cluster.objects {
            objects.get_or_create(&ObjectLabels { cluster: id.to_string(), state }).set(signed(*count));
        }
    }
    registry.register("conflicts", "Objects whose name is taken by an object of somebody else", conflicts);
    registry.register("deletions_held", "Deletions that wait for an approval or another policy", held);
    registry.register("cluster_reachable", "Whether the service cluster answers: 1 or 0", reachable);
    registry.register("watch_age_seconds", "The time since the most silent watch of the cluster said something", age);
    registry.register("objects", "Objects by state", objects);
}

fn requests(now: &Snapshot) -> Family<RequestLabels, Counter> {
    let family = Family::<RequestLabels, Counter>::default();
    for (target, requests) in &now.requests {
        for (verb, outcome, count) in &requests.0 {
            let labels =
                RequestLabels { cluster: target.to_string(), verb: verb_word(*verb), outcome: outcome_word(*outcome) };
            // Most pairs never happen.
            if *count > 0 {
                family.get_or_create(&labels).inc_by(*count);
            }
        }
    }
    family
}

fn verb_word(verb: Verb) -> &'static str {
    match verb {
        Verb::Get => "get",
        Verb::List => "list",
        Verb::Watch => "watch",
        Verb::Create => "create",
        Verb::Patch => "patch",
        Verb::Delete => "delete",
    }
}

fn outcome_word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Success => "success",
        Outcome::Refused => "refused",
        Outcome::Busy => "busy",
        Outcome::Failed => "failed",
        Outcome::NoAnswer => "no_answer",
    }
}

/// Gauges are signed; no count comes near the difference.
fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_labels_are_those_of_the_contract() {
        let metrics = Metrics::new();
        let id = ClusterId::new("team-a", "eu-west-1");
        metrics.synced(Direction::Down, Duration::from_millis(20));
        metrics.wrote(&id, Side::Service, WriteReason::Create);
        metrics.clone().wrote(&id, Side::Service, WriteReason::Create);
        let cluster = ClusterSnapshot {
            reachable: true,
            watch_age: Some(Duration::from_millis(1_500)),
            conflicts: 2,
            deletions_held: 3,
            objects: [("in_step", 10), ("orphan", 0)].into(),
        };
        let now = Snapshot {
            oldest_unsynced: Duration::from_millis(2_500),
            queue: [(QueueClass::Fresh, 4)].into(),
            clusters: [(id, cluster)].into(),
            requests: [(Target::Management, Requests(vec![(Verb::Patch, Outcome::NoAnswer, 7)]))].into(),
        };
        let text = metrics.text(&now);
        for line in [
            "# TYPE carrier_sync_latency_seconds histogram",
            r#"carrier_sync_latency_seconds_bucket{direction="down",le="0.01"} 0"#,
            r#"carrier_sync_latency_seconds_bucket{direction="down",le="0.025"} 1"#,
            r#"carrier_sync_latency_seconds_bucket{direction="up",le="300"} 0"#,
            r#"carrier_sync_latency_seconds_count{direction="down"} 1"#,
            "# TYPE carrier_writes_total counter",
            r#"carrier_writes_total{cluster="team-a/eu-west-1",side="service",reason="create"} 2"#,
            r#"carrier_requests_total{cluster="management",verb="patch",outcome="no_answer"} 7"#,
            "carrier_oldest_unsynced_seconds 2.5",
            r#"carrier_queue_depth{class="fresh"} 4"#,
            r#"carrier_queue_depth{class="backlog"} 0"#,
            r#"carrier_conflicts{cluster="team-a/eu-west-1"} 2"#,
            r#"carrier_deletions_held{cluster="team-a/eu-west-1"} 3"#,
            r#"carrier_cluster_reachable{cluster="team-a/eu-west-1"} 1"#,
            r#"carrier_watch_age_seconds{cluster="team-a/eu-west-1"} 1.5"#,
            r#"carrier_objects{cluster="team-a/eu-west-1",state="in_step"} 10"#,
            r#"carrier_objects{cluster="team-a/eu-west-1",state="orphan"} 0"#,
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
        }
        assert!(!text.contains("_total_total") && text.lines().all(|line| line.contains("carrier_")), "{text}");
    }

    #[test]
    fn several_clients_of_a_cluster_count_together() {
        let (first, second) = (Counters::default(), Counters::default());
        let mut requests = Requests::default();
        requests.add(&first);
        requests.add(&second);
        assert_eq!(requests.0.len(), first.all().count());
    }
}
