//! What is in a cluster, as far as a plan has to know it.

use std::collections::BTreeMap;

use serde_json::Value;

use super::key::ObjectKey;

/// Who carrier is to server-side apply. The one name for everything that is applied.
pub const FIELD_MANAGER: &str = "carrier";

/// The label that makes an object a member of an inventory (KEP-3659).
pub const PART_OF: &str = "applyset.kubernetes.io/part-of";

/// The objects of one cluster that the repository wants or once wrote.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LiveCluster {
    /// UID of its namespace `kube-system`; `None` for a folder that stands for a cluster.
    pub uid: Option<String>,
    /// The objects: those that are wanted, and those of our inventory.
    pub objects: BTreeMap<ObjectKey, LiveObject>,
}

/// One object as it is.
#[derive(Debug, Clone, PartialEq)]
pub struct LiveObject {
    /// All of it.
    pub body: Value,
}

impl LiveObject {
    /// A text of its metadata.
    fn metadata(&self, key: &str) -> Option<&str> {
        self.body.pointer(&format!("/metadata/{key}")).and_then(Value::as_str)
    }

    /// Its UID; empty where the object is only a file.
    #[must_use]
    pub fn uid(&self) -> &str {
        self.metadata("uid").unwrap_or_default()
    }

    /// Its resource version; empty where the object is only a file.
    #[must_use]
    pub fn resource_version(&self) -> &str {
        self.metadata("resourceVersion").unwrap_or_default()
    }

    /// Whether it is being deleted.
    #[must_use]
    pub fn is_going(&self) -> bool {
        self.metadata("deletionTimestamp").is_some()
    }

    /// The inventory it is a member of.
    #[must_use]
    pub fn part_of(&self) -> Option<&str> {
        self.body.pointer("/metadata/labels")?.get(PART_OF)?.as_str()
    }

    /// What each manager owns of it: name, operation, subresource, fields (`fieldsV1`).
    pub fn managers(&self) -> impl Iterator<Item = Manager<'_>> {
        let entries = self.body.pointer("/metadata/managedFields").and_then(Value::as_array);
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
}

impl Manager<'_> {
    /// Whether this is carrier, applying the object itself.
    #[must_use]
    pub fn is_carrier(&self) -> bool {
        self.name == FIELD_MANAGER && self.applies && self.subresource.is_empty()
    }
}

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
