//! Repositories made in memory, and what they render to.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test says what it expects by unwrapping")]

use std::collections::BTreeMap;

use carrier::compiler::load;
use carrier::compiler::{Discovered, DiscoveredCrd, compile};
use carrier::diagnostic::Severity;
use carrier::names::ClusterId;
use carrier::rendering::{Manifest, ManifestSet};
use carrier::source::{SourceFile, Sources};
use serde_json::{Value, json};

/// A repository and the CRDs of its clusters.
#[derive(Debug, Clone, Default)]
pub(crate) struct Repository {
    pub files: BTreeMap<String, String>,
    pub discovered: Discovered,
}

impl Repository {
    /// The tutorial's: team-a offers redis of eu-west-1 to team-b.
    pub(crate) fn tutorial() -> Self {
        Self::default()
            .account("team-a", "Provider")
            .account("team-b", "Tenant")
            .cluster("team-a", "eu-west-1")
            .set("team-a", "redis", "redis.redis.redis.opstreelabs.in")
            .catalog("team-a", "default")
            .crd("team-a", "eu-west-1", &redis())
    }

    pub(crate) fn file(mut self, path: &str, text: impl Into<String>) -> Self {
        self.files.insert(path.to_owned(), text.into());
        self
    }

    pub(crate) fn account(self, name: &str, roles: &str) -> Self {
        let text = format!(
            "apiVersion: catalog.kubecarrier.io/v1alpha1\nkind: Account\nmetadata: {{name: {name}}}\nspec:\n  \
             metadata: {{displayName: Team {name}, shortDescription: A team}}\n  roles: [{roles}]\n  \
             subjects:\n  - {{kind: User, name: {name}-member, apiGroup: rbac.authorization.k8s.io}}\n"
        );
        self.file(&format!("accounts/{name}.yaml"), text)
    }

    pub(crate) fn cluster(self, provider: &str, name: &str) -> Self {
        let text = format!(
            "apiVersion: kubecarrier.io/v1alpha1\nkind: ServiceCluster\nmetadata: {{name: {name}, namespace: {provider}}}\n\
             spec:\n  metadata: {{displayName: Region {name}}}\n  kubeconfigSecret: {{name: {name}-kubeconfig}}\n"
        );
        self.file(&format!("clusters/{provider}-{name}.yaml"), text)
    }

    pub(crate) fn set(self, provider: &str, name: &str, crd: &str) -> Self {
        let text = format!(
            "apiVersion: catalog.kubecarrier.io/v1alpha1\nkind: CatalogEntrySet\nmetadata: {{name: {name}, namespace: {provider}}}\n\
             spec:\n  metadata: {{displayName: {name}, shortDescription: A service}}\n  discover:\n    crd: {{name: {crd}}}\n    \
             serviceClusterSelector: {{}}\n  derive:\n    expose:\n    - versions: [v1beta1]\n      fields: [{{jsonPath: .spec.size}}, {{jsonPath: .spec.mode}}]\n"
        );
        self.file(&format!("catalogs/{provider}-{name}.yaml"), text)
    }

    pub(crate) fn catalog(self, provider: &str, name: &str) -> Self {
        let text = format!(
            "apiVersion: catalog.kubecarrier.io/v1alpha1\nkind: Catalog\nmetadata: {{name: {name}, namespace: {provider}}}\n\
             spec: {{catalogEntrySelector: {{}}, tenantSelector: {{}}}}\n"
        );
        self.file(&format!("catalogs/{provider}-catalog-{name}.yaml"), text)
    }

    pub(crate) fn crd(mut self, provider: &str, cluster: &str, crd: &Value) -> Self {
        let name = crd["metadata"]["name"].as_str().unwrap().to_owned();
        let known = self.discovered.clusters.entry(ClusterId::new(provider, cluster)).or_default();
        known.crds.insert(name, DiscoveredCrd::live(crd.clone()));
        self
    }

    pub(crate) fn sources(&self) -> Sources {
        let file = |(path, text): (&String, &String)| SourceFile { path: path.clone(), text: text.as_str().into() };
        // Backwards: the order in which files are found must not matter.
        Sources::new(self.files.iter().rev().map(file).collect())
    }

    /// What it renders to; there must be nothing wrong with it.
    pub(crate) fn render(&self) -> ManifestSet {
        let sources = self.sources();
        let (loaded, mut diagnostics) = load(&sources);
        let compiled = compile(&loaded, &self.discovered);
        diagnostics.append(compiled.diagnostics.clone());
        let errors: Vec<_> = diagnostics.iter().filter(|d| d.severity == Severity::Error).collect();
        assert!(errors.is_empty(), "{errors:#?}");
        compiled.render()
    }
}

/// A CRD with two fields that are exposed and one that is not.
pub(crate) fn crd(group: &str, plural: &str, kind: &str) -> Value {
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("{plural}.{group}")},
        "spec": {
            "group": group,
            "names": {"kind": kind, "listKind": format!("{kind}List"), "plural": plural, "singular": kind.to_lowercase()},
            "scope": "Namespaced",
            "versions": [{
                "name": "v1beta1", "served": true, "storage": true,
                "subresources": {"status": {}},
                "schema": {"openAPIV3Schema": {"type": "object", "properties": {
                    "apiVersion": {"type": "string"}, "kind": {"type": "string"}, "metadata": {"type": "object"},
                    "spec": {"type": "object", "properties": {
                        "size": {"type": "integer"}, "mode": {"type": "string"}, "secret": {"type": "string"},
                    }},
                    "status": {"type": "object", "properties": {"ready": {"type": "boolean"}}},
                }}},
            }],
        },
    })
}

pub(crate) fn redis() -> Value {
    crd("redis.redis.opstreelabs.in", "redis", "Redis")
}

/// The object of this kind and `namespace/name`.
pub(crate) fn object<'a>(list: &'a [Manifest], kind: &str, name: &str) -> &'a Manifest {
    let found = list.iter().find(|m| m.id.kind == kind && full(m) == name);
    found.unwrap_or_else(|| panic!("no {kind} {name} in {:#?}", names(list)))
}

pub(crate) fn names(list: &[Manifest]) -> Vec<String> {
    list.iter().map(|m| format!("{} {}", m.id.kind, full(m))).collect()
}

fn full(manifest: &Manifest) -> String {
    manifest.id.namespace.as_ref().map_or_else(|| manifest.id.name.clone(), |n| format!("{n}/{}", manifest.id.name))
}
