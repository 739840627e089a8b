//! Resources: the kinds of objects as the API serves them, with the plurals that
//! only a table or a CRD knows.

use std::sync::LazyLock;

use serde_json::Value;

use super::kinds::table::{KINDS, Scope};
use super::object::ManifestId;

/// A kind as the API serves it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Resource {
    /// The API group; empty for the core group.
    pub group: String,
    /// The version.
    pub version: String,
    /// The kind.
    pub kind: String,
    /// The plural, as paths have it.
    pub plural: String,
    /// Whether its objects are in namespaces.
    pub namespaced: bool,
}

/// The kinds of Kubernetes' own that carrier renders.
const NATIVE: [(&str, &str, &str, &str, bool); 7] = [
    ("apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions", false),
    ("", "v1", "Namespace", "namespaces", false),
    ("", "v1", "ServiceAccount", "serviceaccounts", true),
    ("rbac.authorization.k8s.io", "v1", "ClusterRole", "clusterroles", false),
    ("rbac.authorization.k8s.io", "v1", "ClusterRoleBinding", "clusterrolebindings", false),
    ("rbac.authorization.k8s.io", "v1", "Role", "roles", true),
    ("rbac.authorization.k8s.io", "v1", "RoleBinding", "rolebindings", true),
];

/// The table of resources, made on first use.
struct Resources {
    crds: Resource,
    namespaces: Resource,
    rendered: Vec<Resource>,
}

static RESOURCES: LazyLock<Resources> = LazyLock::new(|| {
    let native = NATIVE
        .map(|(group, version, kind, plural, namespaced)| Resource::new(group, version, kind, plural, namespaced));
    let [crds, namespaces, ..] = native.clone();
    let ours = KINDS
        .iter()
        .map(|info| Resource::new(info.group, info.version, info.kind, info.plural, info.scope == Scope::Namespaced));
    let mut rendered: Vec<Resource> = native.into_iter().chain(ours).collect();
    rendered.sort();
    Resources { crds, namespaces, rendered }
});

impl Resource {
    /// A resource of these names.
    pub fn new(group: &str, version: &str, kind: &str, plural: &str, namespaced: bool) -> Self {
        let (group, version) = (group.to_owned(), version.to_owned());
        Self { group, version, kind: kind.to_owned(), plural: plural.to_owned(), namespaced }
    }

    /// CustomResourceDefinitions.
    #[must_use]
    pub fn crds() -> &'static Self {
        &RESOURCES.crds
    }

    /// Namespaces.
    #[must_use]
    pub fn namespaces() -> &'static Self {
        &RESOURCES.namespaces
    }

    /// Every kind of object that carrier renders, sorted.
    #[must_use]
    pub fn rendered() -> &'static [Self] {
        &RESOURCES.rendered
    }

    /// The resource of a rendered object; `None` for a kind that carrier does not render.
    #[must_use]
    pub fn of(id: &ManifestId) -> Option<&'static Self> {
        Self::rendered().iter().find(|r| r.group == id.group() && r.kind == id.kind)
    }

    /// The resource of a kind that carrier renders, by the kind alone; `None` for any other.
    #[must_use]
    pub fn rendered_kind(kind: &str) -> Option<&'static Self> {
        Self::rendered().iter().find(|resource| resource.kind == kind)
    }

    /// The resource that a CRD defines, in the version that is stored.
    #[must_use]
    pub fn defined_by(crd: &Value) -> Option<Self> {
        let text = |pointer: &str| crd.pointer(pointer).and_then(Value::as_str);
        let stored = super::crd::stored(crd)?;
        Some(Self::new(
            text("/spec/group")?,
            stored.body.get("name").and_then(Value::as_str)?,
            text("/spec/names/kind")?,
            text("/spec/names/plural")?,
            text("/spec/scope")? == "Namespaced",
        ))
    }

    /// `group/version`, or the version alone of the core group.
    #[must_use]
    pub fn api_version(&self) -> String {
        match self.group.as_str() {
            "" => self.version.clone(),
            group => format!("{group}/{}", self.version),
        }
    }

    /// `plural.group`, as `kubectl get` takes it and a CRD is named.
    #[must_use]
    pub fn full_name(&self) -> String {
        match self.group.as_str() {
            "" => self.plural.clone(),
            group => format!("{}.{group}", self.plural),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_plural() {
        let id = |api_version: &str, kind: &str| ManifestId {
            api_version: api_version.into(),
            kind: kind.into(),
            namespace: None,
            name: "a".into(),
        };
        assert_eq!(Resource::of(&id("v1", "Namespace")), Some(Resource::namespaces()));
        let offering = Resource::of(&id("catalog.kubecarrier.io/v1alpha1", "Offering")).expect("rendered");
        assert_eq!((offering.full_name().as_str(), offering.namespaced), ("offerings.catalog.kubecarrier.io", true));
        assert_eq!(Resource::of(&id("v1", "Secret")), None);
    }
}
