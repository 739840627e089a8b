//! Locking: takes the CRDs that a repository refers to from files or clusters, and says what changes in the
//! snapshots and the lock.
//!
//! [`file_crds`] finds the CRDs in files, [`snapshots`] and [`lock_file`] read what was locked before, [`plan`]
//! computes the files to write, [`difference`] describes how a CRD changed, [`drift`] compares clusters with
//! the lock, and [`strict`] implements `--locked`. Requests to clusters and writing of files belong to the
//! shell.

mod bare_words;
mod candidates;
pub(crate) mod difference;
pub(crate) mod drift;
pub(crate) mod file_crds;
pub mod lock_file;
pub(crate) mod plan;
pub mod snapshots;
pub(crate) mod strict;
pub(crate) mod strip;
mod templates;
pub(crate) mod unrecorded;
pub(crate) mod unused;

pub(crate) use difference::ONLY_DETAILS;
pub(crate) use drift::drift;
pub(crate) use file_crds::{CrdDocument, CrdDocuments, FileCrds, crd_documents, crds_in_files};
pub(crate) use plan::{ChangeKind, ClusterChanges, LockPlan, is_said, plan};
pub(crate) use snapshots::Locked;
pub(crate) use strict::strict;
pub(crate) use strip::strip;
pub(crate) use unrecorded::unrecorded;
pub(crate) use unused::unused;

use super::resolve::Resolved;
use crate::model::diagnostic::Diagnostics;

/// Compares what is locked with what the repository wants: unused snapshots, and tenants'
/// namespaces that are not recorded.
#[must_use]
pub(crate) fn review(resolved: &Resolved<'_>, locked: &Locked) -> Diagnostics {
    let mut diagnostics = unused(resolved, locked);
    diagnostics.append(unrecorded(resolved, locked.lock()));
    diagnostics
}

#[cfg(test)]
mod tests;
