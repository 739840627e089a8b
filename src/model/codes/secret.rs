//! `CAR08xx`: Secrets.

use super::Code;

/// The codes of this file, in order.
pub static ALL: &[&Code] = &[];
