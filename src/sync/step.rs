//! The steps that a decision consists of. Pure.

use super::level::Level;
use super::verdict::Verdict;

/// Why something is written; the words of the metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum WriteReason {
    /// It was not there.
    Create,
    /// The object above changed.
    Edit,
    /// Somebody changed the copy.
    Correction,
    /// Somebody stripped the marks.
    Heal,
    /// Its owner consented, or a new tenant object takes up an old copy.
    Adopt,
}

impl WriteReason {
    /// The word for it in metrics.
    #[must_use]
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Edit => "edit",
            Self::Correction => "correction",
            Self::Heal => "heal",
            Self::Adopt => "adopt",
        }
    }
}

/// One thing to do. Steps of one decision do not depend on each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// Put our finalizer on the tenant object.
    PlaceFinalizer,
    /// Take it off.
    ReleaseFinalizer,
    /// Apply the copy on this level.
    Apply {
        /// Internal or service.
        level: Level,
        /// Why.
        reason: WriteReason,
        /// Whether a dry run decides first if that would change anything: nothing is remembered of the object.
        look_first: bool,
    },
    /// Remove exposed fields of the internal object that others hold and the tenant does not have.
    RemoveExcess,
    /// Ask the service cluster for the object of that name, marks or not.
    Confirm,
    /// Delete exactly the object that was seen.
    Delete(Level),
    /// Leave the copy behind, and say so on it.
    Orphan,
    /// Write the status of the internal object.
    InternalStatus,
    /// Write the status of the tenant object, with the condition.
    TenantStatus {
        /// What the condition says.
        verdict: Verdict,
        /// Where the rest comes from.
        from: StatusFrom,
    },
}

/// Where the status of a tenant object comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StatusFrom {
    /// From the service object.
    Service,
    /// There is none.
    Nothing,
    /// It stays as it is.
    Itself,
}

/// What a decision says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Decision {
    /// What is to be done now.
    pub steps: Vec<Step>,
    /// How the instance stands, where its tenant object is known.
    pub verdict: Option<Verdict>,
    /// Whether a copy of ours is left without a tenant object.
    pub orphan: bool,
    /// The generations that belong together: service, internal, tenant. Known while everything is in step.
    pub pair: Option<Pair>,
}

/// Generations of the three levels that are in step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pair {
    /// Of the service object.
    pub service: i64,
    /// Of the internal object; that of the tenant object where nothing is derived.
    pub internal: i64,
    /// Of the tenant object.
    pub tenant: i64,
}

impl Step {
    /// The word for it in logs.
    #[must_use]
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::PlaceFinalizer => "place-finalizer",
            Self::ReleaseFinalizer => "release-finalizer",
            Self::Apply { .. } => "apply",
            Self::RemoveExcess => "remove-excess",
            Self::Confirm => "confirm",
            Self::Delete(_) => "delete",
            Self::Orphan => "orphan",
            Self::InternalStatus => "internal-status",
            Self::TenantStatus { .. } => "tenant-status",
        }
    }

    /// What it does, to be read: a verb and its object.
    #[must_use]
    pub(crate) fn sentence(&self) -> String {
        let object = |level: &Level| match level {
            Level::Tenant => "the tenant object",
            Level::Internal => "the internal object",
            Level::Service => "the copy",
        };
        match self {
            Self::PlaceFinalizer => "add the finalizer".to_owned(),
            Self::ReleaseFinalizer => "remove the finalizer".to_owned(),
            Self::Apply { level, reason, .. } => {
                let verb = match reason {
                    WriteReason::Create => "create",
                    WriteReason::Edit => "update",
                    WriteReason::Correction => "correct",
                    WriteReason::Heal => "restore the marks of",
                    WriteReason::Adopt => "adopt",
                };
                format!("{verb} {}", object(level))
            }
            Self::RemoveExcess => "remove exposed fields of others from the internal object".to_owned(),
            Self::Confirm => "look for the copy".to_owned(),
            Self::Delete(level) => format!("delete {}", object(level)),
            Self::Orphan => "leave the copy behind".to_owned(),
            Self::InternalStatus => "update the status of the internal object".to_owned(),
            Self::TenantStatus { .. } => "update the status of the tenant object".to_owned(),
        }
    }

    /// Why it writes, as the metric `carrier_writes_total` has it; `None` for a read.
    #[must_use]
    pub(crate) fn write_reason(&self) -> Option<&'static str> {
        Some(match self {
            Self::PlaceFinalizer | Self::ReleaseFinalizer => "finalizer",
            Self::Apply { reason, .. } => reason.word(),
            Self::RemoveExcess => "edit",
            Self::Confirm => return None,
            Self::Delete(_) => "delete",
            Self::Orphan => "orphan",
            Self::InternalStatus => "status",
            Self::TenantStatus { from: StatusFrom::Service, .. } => "status",
            Self::TenantStatus { .. } => "synced",
        })
    }
}
