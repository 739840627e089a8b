//! Quotations from a schema in the text of a reason.

use serde_json::Value;

use crate::model::path::{FieldPath, Segment};
use crate::model::plain;
use crate::model::redact::names_credential;

/// Longer quotations are cut, in characters.
const LONGEST: usize = 80;
/// The number of values that are listed.
const MOST: usize = 10;

/// A quotation from the schema; `None` at or below a credential, whose default or single enum value may be the
/// secret.
pub(super) fn quoted(at: &FieldPath, what: impl FnOnce() -> String) -> Option<String> {
    let secret = |segment: &Segment| matches!(segment, Segment::Property(name) if names_credential(name));
    (!at.0.iter().any(secret)).then(what)
}

pub(super) fn short(value: &Value) -> String {
    match value {
        Value::String(text) => cut(text),
        other => cut(&other.to_string()),
    }
}

pub(super) fn cut(text: &str) -> String {
    format!("`{}`", plain::cut(text, LONGEST))
}

pub(super) fn joined(values: &[Value]) -> String {
    let shown: Vec<String> = values.iter().take(MOST).map(short).collect();
    let more = values.len().saturating_sub(shown.len());
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{more}", shown.join(", "))
}
