//! The identity of an object in its cluster, and the stage in which it is applied.
//!
//! Names only: [`super::kinds`] defines the kinds, [`super::resource`] how the API serves them.

use std::fmt;

/// The identity of an object in its cluster, with the version that it is written in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ManifestId {
    /// `group/version`, or `version` for the core group.
    pub api_version: String,
    /// The kind.
    pub kind: String,
    /// The namespace; `None` for a cluster-scoped object.
    pub namespace: Option<String>,
    /// The name.
    pub name: String,
}

impl ManifestId {
    /// The API group; empty for the core group.
    #[must_use]
    pub fn group(&self) -> &str {
        self.api_version.split_once('/').map_or("", |(group, _)| group)
    }
}

impl fmt::Display for ManifestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.namespace {
            Some(namespace) => write!(f, "{} {namespace}/{}", self.kind, self.name),
            None => write!(f, "{} {}", self.kind, self.name),
        }
    }
}

/// The stages in which objects are applied, in order: objects depend on earlier stages only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// CustomResourceDefinitions.
    Crds,
    /// Namespaces.
    Namespaces,
    /// Roles, bindings and service accounts.
    Rbac,
    /// Objects of the KubeCarrier kinds.
    Catalog,
}

impl Stage {
    /// All stages, in order.
    pub const ALL: [Self; 4] = [Self::Crds, Self::Namespaces, Self::Rbac, Self::Catalog];

    /// The name of the stage in plans and file names.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Crds => "crds",
            Self::Namespaces => "namespaces",
            Self::Rbac => "rbac",
            Self::Catalog => "catalog",
        }
    }

    /// The folder of the stage in the rendered output; the number sorts it.
    #[must_use]
    pub fn folder(self) -> &'static str {
        match self {
            Self::Crds => "00-crds",
            Self::Namespaces => "10-namespaces",
            Self::Rbac => "20-rbac",
            Self::Catalog => "30-catalog",
        }
    }
}

/// Group, kind, namespace and name: the identity of an object independent of the API version.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectKey {
    /// The API group; empty for the core group.
    pub group: String,
    /// The kind.
    pub kind: String,
    /// The namespace; `None` for a cluster-scoped object.
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

impl ObjectKey {
    /// The key of the namespace with this name.
    #[must_use]
    pub fn of_namespace(name: &str) -> Self {
        Self { group: String::new(), kind: "Namespace".to_owned(), namespace: None, name: name.to_owned() }
    }

    /// Whether it is of this API group and kind.
    #[must_use]
    pub fn is(&self, group: &str, kind: &str) -> bool {
        self.group == group && self.kind == kind
    }

    /// Whether it is a CustomResourceDefinition.
    #[must_use]
    pub fn is_crd(&self) -> bool {
        self.is("apiextensions.k8s.io", "CustomResourceDefinition")
    }

    /// The stage in which objects of its kind are applied.
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

/// Formats as `Kind namespace/name`.
impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.namespace {
            Some(namespace) => write!(f, "{} {namespace}/{}", self.kind, self.name),
            None => write!(f, "{} {}", self.kind, self.name),
        }
    }
}
