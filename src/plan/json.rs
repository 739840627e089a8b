//! The JSON Schema of a plan: `schemas/plan.json`, for programs that read one.

use serde_json::Value;

use super::types::Plan;
use crate::model::kinds::editor::schema_of;

/// Its file name in `schemas/`.
pub const FILE: &str = "plan.json";

/// The schema, draft-07. It takes what it does not know, since minor versions add fields.
#[must_use]
pub fn schema() -> Value {
    let mut schema = schema_of::<Plan>("Plan", "plan");
    schema.sort_all_objects();
    schema
}
