//! Locking: which CRDs a repository wants of its clusters, taken out of what was
//! given, and what of snapshots and lock changes by it.
//!
//! [`given`] finds the CRDs in files, [`snapshots`] and [`lock_file`] read what was locked before, [`plan`] says
//! what is to be written, and [`difference`] what a changed CRD means to those who
//! read the review. [`drift`] is what a plan says of clusters that have moved on,
//! and [`strict`] what `--locked` refuses. Asking and writing are for the shell.

mod candidates;
mod canonical;
pub(crate) mod difference;
pub(crate) mod drift;
pub(crate) mod given;
pub mod lock_file;
pub(crate) mod plan;
pub mod snapshots;
pub(crate) mod strict;
pub(crate) mod strip;
pub(crate) mod unrecorded;
pub(crate) mod unused;

pub(crate) use drift::drift;
pub(crate) use given::{Given, given};
pub(crate) use plan::{ChangeKind, ClusterChanges, LockPlan, plan};
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
