//! The state of a cluster that a plan is computed from.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::model::managed_fields::{Manager, managers};
use crate::model::object::ObjectKey;

/// The label on each member of an inventory; its value is the id of the ApplySet (KEP-3659).
pub(crate) const PART_OF: &str = "applyset.kubernetes.io/part-of";

/// The objects of one cluster that are in the repository or in its inventory.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LiveCluster {
    /// UID of the namespace `kube-system`; `None` if a folder or a revision stands for the cluster.
    pub uid: Option<String>,
    /// The existing objects among those of the repository, and all members of its inventory.
    pub objects: BTreeMap<ObjectKey, LiveObject>,
    /// The other inventories that some of them belong to, by their ids, as far as their parents were found.
    pub others: BTreeMap<String, Other>,
}

/// Another inventory in a cluster than that of the repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Other {
    /// The name of its parent.
    pub name: String,
    /// The identity of the repository that it is of, if its parent says so.
    pub repository: Option<String>,
}

/// An object as the API server returned it, or as a file has it.
#[derive(Debug, Clone, PartialEq)]
pub struct LiveObject {
    /// The whole object, with `managedFields` if it comes from a server.
    pub body: Value,
}

impl LiveObject {
    /// A string in its metadata.
    fn metadata(&self, key: &str) -> Option<&str> {
        self.body.pointer(&format!("/metadata/{key}")).and_then(Value::as_str)
    }

    /// `metadata.uid`; empty if the object comes from a file.
    #[must_use]
    pub fn uid(&self) -> &str {
        self.metadata("uid").unwrap_or_default()
    }

    /// `metadata.resourceVersion`; empty if the object comes from a file.
    #[must_use]
    pub fn resource_version(&self) -> &str {
        self.metadata("resourceVersion").unwrap_or_default()
    }

    /// Whether deletion has begun: it has a `deletionTimestamp`.
    #[must_use]
    pub fn is_terminating(&self) -> bool {
        self.metadata("deletionTimestamp").is_some()
    }

    /// The value of the label [`PART_OF`]; `None` without the label. The label alone does not make the object a
    /// member: see [`super::inventory`].
    #[must_use]
    pub fn part_of(&self) -> Option<&str> {
        self.body.pointer("/metadata/labels")?.get(PART_OF)?.as_str().filter(|id| !id.is_empty())
    }

    /// The entries of `metadata.managedFields`.
    pub fn managers(&self) -> impl Iterator<Item = Manager<'_>> {
        managers(&self.body)
    }
}
