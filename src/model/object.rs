//! What an object is called in its cluster, and the step in which it is applied.
//!
//! Names only: what a kind means is in [`super::kinds`], how the API serves it in
//! [`super::resource`].

use std::fmt;

/// What tells an object apart from every other one of its cluster.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ManifestId {
    /// Group and version.
    pub api_version: String,
    /// The kind.
    pub kind: String,
    /// The namespace; `None` for what is in none.
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

/// The steps in which objects are applied: each needs what comes before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// CustomResourceDefinitions.
    Crds,
    /// Namespaces.
    Namespaces,
    /// Who may do what.
    Rbac,
    /// Objects of KubeCarrier's own kinds.
    Catalog,
}

impl Stage {
    /// All of them, in order.
    pub const ALL: [Self; 4] = [Self::Crds, Self::Namespaces, Self::Rbac, Self::Catalog];

    /// Its name in plans and file names.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Crds => "crds",
            Self::Namespaces => "namespaces",
            Self::Rbac => "rbac",
            Self::Catalog => "catalog",
        }
    }

    /// Its folder: the number keeps a listing in order.
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
