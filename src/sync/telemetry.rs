//! What sync counts of itself: its writes, and the time that changes take.

use std::time::Duration;

use super::level::Level;
use super::metrics::{Direction, Metrics, Side, WriteReason};
use super::step::{Step, WriteReason as Why};
use crate::model::cluster::ClusterId;

/// The counters of one process.
#[derive(Debug, Default)]
pub(crate) struct Telemetry {
    metrics: Metrics,
}

impl Telemetry {
    /// The metrics that it counts in.
    pub(crate) fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// A step has written something.
    pub(crate) fn wrote(&self, cluster: &ClusterId, level: Level, step: &Step) {
        let side = if level == Level::Service { Side::Service } else { Side::Management };
        let reason = match step {
            Step::PlaceFinalizer | Step::ReleaseFinalizer => WriteReason::Finalizer,
            Step::Apply { reason: Why::Create, .. } => WriteReason::Create,
            Step::Apply { reason: Why::Edit, .. } | Step::RemoveExcess | Step::Orphan => WriteReason::Update,
            Step::Apply { reason: Why::Correction, .. } => WriteReason::Correction,
            Step::Apply { reason: Why::Heal | Why::Adopt, .. } => WriteReason::Adopt,
            Step::Delete(_) => WriteReason::Delete,
            Step::InternalStatus | Step::TenantStatus { .. } => WriteReason::Status,
            Step::Confirm => return,
        };
        self.metrics.wrote(cluster, side, reason);
    }

    /// A change has arrived after so long.
    pub(crate) fn arrived(&self, direction: Direction, after: Duration) {
        self.metrics.synced(direction, after);
    }
}
