//! The JSON Schema of a plan: `schemas/plan.json`, for programs that read plans.

use serde_json::Value;

use super::types::Plan;
use crate::model::kinds::editor::schema_of;

/// The file in `schemas/`.
pub const FILE: &str = "plan.json";

/// The schema, draft-07. It allows unknown fields, because minor versions add fields.
#[must_use]
pub fn schema() -> Value {
    let mut schema = schema_of::<Plan>("Plan", "plan");
    schema.sort_all_objects();
    schema
}
