//! What is in a cluster, as far as a plan has to know it.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::model::managed_fields::{Manager, managers};
use crate::model::object::ObjectKey;

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
    pub fn is_terminating(&self) -> bool {
        self.metadata("deletionTimestamp").is_some()
    }

    /// The inventory it is a member of.
    #[must_use]
    pub fn part_of(&self) -> Option<&str> {
        self.body.pointer("/metadata/labels")?.get(PART_OF)?.as_str()
    }

    /// The entries of its managed fields.
    pub fn managers(&self) -> impl Iterator<Item = Manager<'_>> {
        managers(&self.body)
    }
}
