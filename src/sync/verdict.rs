//! What the condition `Synced` can say. The words are a contract: dashboards and runbooks depend on them
//! (`docs/sync.md`). Pure.

use super::digest::Digest;
use super::facts::SyncedSeen;
use serde_json::Value;

/// A reason of the condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Reason {
    /// The copy is what the tenant object says.
    InStep,
    /// The service cluster, or the management cluster, refuses the copy.
    Rejected,
    /// An object of that name belongs to somebody else.
    Conflict,
    /// Somebody keeps changing a field of the copy.
    Contested,
    /// The namespace of the tenant in the service cluster belongs to somebody else.
    NamespaceNotOurs,
    /// The copy is being deleted, and something holds it.
    DeletionWaits,
    /// The deletion does not begin: a policy or the breaker holds it.
    DeletionHeld,
    /// The service cluster does not serve the kind or its version.
    ServiceUnavailable,
    /// The service cluster cannot be reached.
    ClusterUnreachable,
    /// Another cluster answers.
    IdentityChanged,
    /// Somebody asked sync to leave it alone.
    Paused,
    /// It is not done yet.
    Pending,
}

impl Reason {
    /// The status of the condition.
    #[must_use]
    pub(crate) fn status(self) -> &'static str {
        match self {
            Self::InStep => "True",
            Self::ClusterUnreachable | Self::IdentityChanged | Self::Paused | Self::Pending => "Unknown",
            _ => "False",
        }
    }

    /// The reason as the condition has it.
    #[must_use]
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::InStep => "InStep",
            Self::Rejected => "Rejected",
            Self::Conflict => "Conflict",
            Self::Contested => "Contested",
            Self::NamespaceNotOurs => "NamespaceNotOurs",
            Self::DeletionWaits => "DeletionWaits",
            Self::DeletionHeld => "DeletionHeld",
            Self::ServiceUnavailable => "ServiceUnavailable",
            Self::ClusterUnreachable => "ClusterUnreachable",
            Self::IdentityChanged => "IdentityChanged",
            Self::Paused => "Paused",
            Self::Pending => "Pending",
        }
    }
}

impl Reason {
    /// The word for it in the metric `carrier_objects`.
    #[must_use]
    pub(crate) fn state(self) -> &'static str {
        match self {
            Self::InStep => "in_step",
            Self::Rejected => "rejected",
            Self::Conflict => "conflict",
            Self::Contested => "contested",
            Self::NamespaceNotOurs => "namespace_not_ours",
            Self::DeletionWaits => "deletion_waits",
            Self::DeletionHeld => "deletion_held",
            Self::ServiceUnavailable => "service_unavailable",
            Self::ClusterUnreachable => "cluster_unreachable",
            Self::IdentityChanged => "identity_changed",
            Self::Paused => "paused",
            Self::Pending => "pending",
        }
    }
}

/// What the condition shall say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// The reason.
    pub reason: Reason,
    /// The sentence. It has no counters, times or resource versions: each change is a write.
    pub message: String,
}

impl Verdict {
    /// A verdict.
    #[must_use]
    pub(crate) fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self { reason, message: message.into() }
    }

    /// Whether the condition says that already, of this generation.
    #[must_use]
    pub(crate) fn is_shown(&self, seen: Option<&SyncedSeen>, generation: i64, keeps_generation: bool) -> bool {
        seen.is_some_and(|seen| {
            *seen.status == *self.reason.status()
                && *seen.reason == *self.reason.word()
                && seen.message == Digest::of(&Value::from(self.message.as_str()))
                && (!keeps_generation || seen.observed_generation == Some(generation))
        })
    }
}
