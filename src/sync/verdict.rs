//! What the condition `Synced` can say. The words are a contract: dashboards and runbooks depend on them
//! (`docs/sync.md`). Pure.

use std::borrow::Cow;
use std::num::NonZero;

use super::digest::Digest;
use super::truth::Truth;
use crate::model::plain::Line;
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
    pub(crate) fn status(self) -> Truth {
        match self {
            Self::InStep => Truth::True,
            Self::ClusterUnreachable | Self::IdentityChanged | Self::Paused | Self::Pending => Truth::Unknown,
            _ => Truth::False,
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
    /// All of them, in the order of `docs/sync.md`.
    pub(crate) const ALL: [Self; 12] = [
        Self::InStep,
        Self::Rejected,
        Self::Conflict,
        Self::Contested,
        Self::NamespaceNotOurs,
        Self::DeletionWaits,
        Self::DeletionHeld,
        Self::ServiceUnavailable,
        Self::ClusterUnreachable,
        Self::IdentityChanged,
        Self::Paused,
        Self::Pending,
    ];

    /// The reason with this word.
    #[must_use]
    pub(crate) fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.word() == word)
    }

    /// What it means, and what a person does about it; empty where there is nothing to be done. These are the words of
    /// the table in `docs/sync.md`.
    #[must_use]
    pub(crate) fn runbook(self) -> (&'static str, &'static str) {
        match self {
            Self::InStep => ("the copy is what the object says", ""),
            Self::Rejected => (
                "a server refuses the copy; the message has its words",
                "fix the field that it names; sync tries again after each change, and at the latest every minute",
            ),
            Self::Conflict => (
                "an object of that name belongs to somebody else",
                "use another name, or let the owner set the annotation `adopt` on it",
            ),
            Self::Contested => (
                "somebody keeps changing a field, or admission stores another value",
                "the message names the field and the field manager: make one of the two stop",
            ),
            Self::NamespaceNotOurs => (
                "the tenant's namespace in the service cluster has other labels",
                "correct the labels, or give the assignment another namespace",
            ),
            Self::DeletionWaits => (
                "the copy is in deletion, and finalizers hold it",
                "look at the operator in the service cluster; the message names the finalizers",
            ),
            Self::DeletionHeld => {
                ("a policy or the breaker holds the deletion", "change the policy, or approve the deletion")
            }
            Self::ServiceUnavailable => (
                "the service cluster does not serve the kind or its version",
                "install the CRD again, or lock and apply the new version",
            ),
            Self::ClusterUnreachable => (
                "the change has not arrived, and the cluster does not answer",
                "look at the ServiceCluster's conditions",
            ),
            Self::IdentityChanged => (
                "another cluster answers behind the kubeconfig",
                "correct the Secret, or accept the new identity with the command in the ServiceCluster's condition",
            ),
            Self::Paused => ("somebody asked for a pause", "remove the annotation `paused`"),
            Self::Pending => ("it is not done yet; the message says what is waited for", ""),
        }
    }

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

/// The condition `Synced` as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SyncedSeen {
    /// `status`, where it is one.
    pub status: Option<Truth>,
    /// `reason`, where it is one of ours.
    pub reason: Option<Reason>,
    /// The digest of `message`.
    pub message: Digest,
    /// `observedGeneration`.
    pub observed_generation: Option<NonZero<i64>>,
    /// The digits of `lastTransitionTime`, where it is written as sync writes it.
    pub last_transition: Option<NonZero<i64>>,
}

impl SyncedSeen {
    /// Whether it speaks of this generation of its object; 0 where that has none.
    #[must_use]
    pub(crate) fn speaks_of(&self, generation: i64) -> bool {
        self.observed_generation.map_or(0, NonZero::get) == generation
    }
}

/// What the condition shall say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// The reason.
    pub reason: Reason,
    /// The sentence. It has no counters, times or resource versions: each change is a write.
    pub message: Cow<'static, str>,
}

impl Verdict {
    /// A verdict.
    #[must_use]
    pub(crate) fn new(reason: Reason, message: impl Into<Cow<'static, str>>) -> Self {
        // It may name what others have named, and becomes a condition, an Event, a log line and a line of a table.
        let message = match message.into() {
            Cow::Borrowed(ours) => Cow::Borrowed(ours),
            Cow::Owned(text) => Cow::Owned(Line::from(text).into_string()),
        };
        Self { reason, message }
    }

    /// Whether the condition says that already, of this generation.
    #[must_use]
    pub(crate) fn is_shown(&self, seen: Option<&SyncedSeen>, generation: i64, keeps_generation: bool) -> bool {
        seen.is_some_and(|seen| {
            seen.status == Some(self.reason.status())
                && seen.reason == Some(self.reason)
                && seen.message == Digest::of(&Value::from(&*self.message))
                && (!keeps_generation || seen.speaks_of(generation))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_runbook_is_the_table_of_the_document() {
        let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/sync.md")).unwrap();
        let rows: Vec<String> = Reason::ALL
            .iter()
            .map(|reason| {
                let (meaning, action) = reason.runbook();
                format!("| {} | `{}` | {meaning} | {action} |", reason.status().word(), reason.word())
                    .replace("  |", " |")
            })
            .collect();
        assert!(page.contains(&rows.join("\n")), "docs/sync.md has another table than:\n{}", rows.join("\n"));
        for reason in Reason::ALL {
            assert_eq!(Reason::named(reason.word()), Some(reason));
        }
        assert_eq!(Reason::named("instep"), None);
    }
}
