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

    /// Whether it owns a label or an annotation: `map` is `labels` or `annotations`. Whoever changes the value of one takes it
    /// from its owners (server-side apply: an update, too).
    #[must_use]
    pub(crate) fn owns(&self, map: &str, key: &str) -> bool {
        let owned = self.fields.get("f:metadata").and_then(|metadata| metadata.get(format!("f:{map}")));
        owned.is_some_and(|owned| owned.get(format!("f:{key}")).is_some())
    }
}

/// Whether carrier has written an annotation of an object, and nobody else has changed it since.
#[must_use]
pub(crate) fn is_annotation_of_carrier(object: &Value, key: &str) -> bool {
    managers(object).any(|manager| manager.is_carrier() && manager.owns("annotations", key))
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
