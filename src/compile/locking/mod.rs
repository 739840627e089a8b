//! Locking: which CRDs a repository wants of its clusters, taken out of what was
//! given, and what of snapshots and lock changes by it.
//!
//! [`given`] finds the CRDs in files, [`seen`] is what clusters said, [`plan`] says
//! what is to be written, and [`difference`] what a changed CRD means to those who
//! read the review. [`drift`] is what a plan says of clusters that have moved on,
//! and [`strict`] what `--locked` refuses. Asking and writing are for the shell.

pub mod difference;
pub mod drift;
pub mod given;
pub mod plan;
pub mod seen;
pub mod strict;
pub mod unrecorded;
pub mod unused;

pub use drift::drift;
pub use given::{Given, given};
pub use plan::{Change, ChangeKind, ClusterChanges, LockPlan, plan};
pub use seen::{Seen, SeenCluster};
pub use strict::strict;
pub use unrecorded::unrecorded;
pub use unused::{orphans, unused};

#[cfg(test)]
mod tests;
