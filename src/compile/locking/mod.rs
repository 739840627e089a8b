//! Locking: which CRDs a repository wants of its clusters, taken out of what was
//! given, and what of snapshots and lock changes by it.
//!
//! [`given`] finds the CRDs in files, [`snapshots`] and [`lock_file`] read what was locked before, [`plan`] says
//! what is to be written, and [`difference`] what a changed CRD means to those who
//! read the review. [`drift`] is what a plan says of clusters that have moved on,
//! and [`strict`] what `--locked` refuses. Asking and writing are for the shell.

mod candidates;
mod canonical;
pub mod difference;
pub mod drift;
pub mod given;
pub mod lock_file;
pub mod plan;
pub mod snapshots;
pub mod strict;
pub mod strip;
pub mod unrecorded;
pub mod unused;

pub use drift::drift;
pub use given::{Given, given};
pub use lock_file::LockFile;
pub use plan::{Change, ChangeKind, ClusterChanges, LockPlan, plan};
pub use snapshots::Locked;
pub use strict::strict;
pub use strip::strip;
pub use unrecorded::unrecorded;
pub use unused::{orphans, unused};

use super::resolve::Resolved;
use crate::model::diagnostic::Diagnostics;

/// Compares what is locked with what the repository wants: unused snapshots, and tenants'
/// namespaces that are not recorded.
#[must_use]
pub fn review(resolved: &Resolved<'_>, locked: &Locked) -> Diagnostics {
    let mut diagnostics = unused(resolved, locked);
    diagnostics.append(unrecorded(resolved, locked.lock()));
    diagnostics
}

#[cfg(test)]
mod tests;
