//! `CAR01xx`: YAML and Kubernetes' reading of it.

use super::Code;

/// The codes of this file, in order.
pub static ALL: &[&Code] = &[];
