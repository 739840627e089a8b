//! `CAR00xx`: Files, folders and configuration.

use super::Code;

/// The codes of this file, in order.
pub static ALL: &[&Code] = &[];
