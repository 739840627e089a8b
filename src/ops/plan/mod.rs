//! Planning: what applying a repository would change.
//!
//! [`live`] compares with the clusters, [`hermetic`] with files or a Git revision, which [`base`] reads; that
//! asks no cluster. Both end in the pure `plan::build`.

pub(crate) mod base;
pub(crate) mod hermetic;
pub(crate) mod live;

pub(crate) use base::BaseError;
pub(crate) use hermetic::{HermeticError, HermeticPlan};
pub(crate) use live::{LivePlan, Reached, plan_live};

use crate::plan::types::{Allowed, Plan};

/// What a plan may contain and how it is made.
#[derive(Debug, Clone, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of its own")]
pub(crate) struct PlanOptions {
    /// Whether objects that the repository no longer has are deleted.
    pub prune: bool,
    /// The changes that are allowed by name although a guard would refuse them.
    pub allowed: Vec<Allowed>,
    /// The largest number of deletions; absent, the guard's own limit.
    pub max_prune: Option<usize>,
    /// Whether a repository without objects may delete everything.
    pub allow_empty: bool,
    /// Whether instances are tried under a new schema, for which a CRD is made and deleted.
    pub trial: bool,
    /// Whether a CRD that differs from the locked one is an error.
    pub locked: bool,
    /// Whether to compile with the CRDs that the clusters have now instead of the locked ones.
    pub refresh: bool,
}

impl PlanOptions {
    /// These options for making a saved plan again, to compare: what it may contain was decided when it was
    /// saved.
    #[must_use]
    pub(crate) fn for_saved(self, saved: &Plan) -> Self {
        Self {
            prune: saved.prune,
            allowed: saved.allowed.clone(),
            // The deletions are compared one by one.
            max_prune: Some(usize::MAX),
            allow_empty: true,
            ..self
        }
    }
}
