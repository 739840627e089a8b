//! `CAR05xx`: Snapshots and the lock.

use super::Code;

/// The codes of this file, in order.
pub static ALL: &[&Code] = &[];
