//! What a change of a CRD means for the instances of it and for those who write them.

use serde_json::Value;

use super::types::Reason;

/// Why a CRD's update matters, each with its effect; empty where nobody can tell the difference.
#[must_use]
pub fn reasons(_live: &Value, _new: &Value) -> Vec<Reason> {
    Vec::new()
}
