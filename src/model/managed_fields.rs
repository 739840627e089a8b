//! Reads `metadata.managedFields`, in which the API server records the owners of fields
//! (KEP-555). Nothing here compares values.

use serde_json::Value;

/// The field manager of all objects that carrier applies from a repository.
pub(crate) const FIELD_MANAGER: &str = "carrier";

/// An entry of `metadata.managedFields`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Manager<'a> {
    /// The manager's name.
    pub name: &'a str,
    /// The `apiVersion` that the manager wrote the object in.
    pub api_version: &'a str,
    /// Whether the operation is `Apply` (server-side apply).
    pub applies: bool,
    /// The subresource that the manager wrote; empty for the object itself.
    pub subresource: &'a str,
    /// The owned fields, in the format `FieldsV1`.
    pub fields: &'a Value,
}

impl Manager<'_> {
    /// Whether this is the entry of carrier's server-side apply of the object itself.
    #[must_use]
    pub fn is_carrier(&self) -> bool {
        self.name == FIELD_MANAGER && self.applies && self.subresource.is_empty()
    }
}

/// The entries of `metadata.managedFields`, in the order of the server. Entries without
/// `fieldsV1` are left out.
pub(crate) fn managers(object: &Value) -> impl Iterator<Item = Manager<'_>> {
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
