//! Who set which fields of an object: the reader of `metadata.managedFields`, which
//! server-side apply keeps (KEP-555). Reading only; nothing here compares values.

use serde_json::Value;

/// The field manager of everything that carrier applies from a repository.
pub const FIELD_MANAGER: &str = "carrier";

/// An entry of an object's managed fields.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Manager<'a> {
    /// The manager's name.
    pub name: &'a str,
    /// Group and version in which it wrote.
    pub api_version: &'a str,
    /// Whether it used server-side apply.
    pub applies: bool,
    /// The subresource it wrote; empty for the object itself.
    pub subresource: &'a str,
    /// The fields it owns.
    pub fields: &'a Value,
}

impl Manager<'_> {
    /// Whether this is carrier, applying the object itself.
    #[must_use]
    pub fn is_carrier(&self) -> bool {
        self.name == FIELD_MANAGER && self.applies && self.subresource.is_empty()
    }
}

/// The entries of an object's managed fields, in the server's order; none where there are none or
/// where an entry has no `fieldsV1`.
pub fn managers(object: &Value) -> impl Iterator<Item = Manager<'_>> {
    let entries = object.pointer("/metadata/managedFields").and_then(Value::as_array);
    entries.into_iter().flatten().filter_map(|entry| {
        let text = |key: &str| entry.get(key).and_then(Value::as_str).unwrap_or_default();
        Some(Manager {
            name: text("manager"),
            api_version: text("apiVersion"),
            applies: text("operation") == "Apply",
            subresource: text("subresource"),
            fields: entry.get("fieldsV1")?,
        })
    })
}
