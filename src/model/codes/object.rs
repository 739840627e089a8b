//! `CAR02xx`: Objects, names and references.

use super::Code;

/// The codes of this file, in order.
pub static ALL: &[&Code] = &[];
