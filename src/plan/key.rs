//! What an object is called in its cluster, whatever version it is read in.

use std::fmt;

use super::types::ObjectRef;
use crate::compile::render::{ManifestId, Stage};

/// Group, kind, namespace and name: what stays the same when a version comes or goes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectKey {
    /// The API group; empty for the core group.
    pub group: String,
    /// The kind.
    pub kind: String,
    /// The namespace; `None` for what is in none.
    pub namespace: Option<String>,
    /// The name.
    pub name: String,
}

impl From<&ManifestId> for ObjectKey {
    fn from(id: &ManifestId) -> Self {
        Self {
            group: id.group().to_owned(),
            kind: id.kind.clone(),
            namespace: id.namespace.clone(),
            name: id.name.clone(),
        }
    }
}

impl From<&ObjectRef> for ObjectKey {
    fn from(object: &ObjectRef) -> Self {
        Self {
            group: object.api_version.split_once('/').map_or("", |(group, _)| group).to_owned(),
            kind: object.kind.clone(),
            namespace: object.namespace.clone(),
            name: object.name.clone(),
        }
    }
}

impl ObjectKey {
    /// Whether it is a CustomResourceDefinition.
    #[must_use]
    pub fn is_crd(&self) -> bool {
        self.group == "apiextensions.k8s.io" && self.kind == "CustomResourceDefinition"
    }

    /// The step in which objects of its kind are applied.
    #[must_use]
    pub fn stage(&self) -> Stage {
        match (self.group.as_str(), self.kind.as_str()) {
            _ if self.is_crd() => Stage::Crds,
            ("", "Namespace") => Stage::Namespaces,
            ("rbac.authorization.k8s.io", _) | ("", "ServiceAccount") => Stage::Rbac,
            _ => Stage::Catalog,
        }
    }
}

/// `Kind namespace/name`, as people read it.
impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.namespace {
            Some(namespace) => write!(f, "{} {namespace}/{}", self.kind, self.name),
            None => write!(f, "{} {}", self.kind, self.name),
        }
    }
}
