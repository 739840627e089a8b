//! `CAR03xx`: Deriving the CRDs of an exposure.

use super::Code;

/// The codes of this file, in order.
pub static ALL: &[&Code] = &[];
