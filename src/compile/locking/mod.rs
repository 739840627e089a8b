//! Locking: which CRDs a repository wants of its clusters, taken out of what was
//! given, and what of snapshots and lock changes by it.
//!
//! [`given`] finds the CRDs in files, [`plan`] says what is to be written, and
//! [`difference`] what a changed CRD means to those who read the review. Writing
//! it is for the shell.

pub mod difference;
pub mod given;
pub mod plan;

pub use given::{Given, given};
pub use plan::{Change, ChangeKind, ClusterChanges, LockPlan, plan};
