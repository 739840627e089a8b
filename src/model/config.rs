//! `carrier.yaml`, the settings of a repository.
//!
//! Everything in it has a default. Nothing in it is secret: a kubeconfig is
//! named, never written out.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The path of the file below the repository's root.
pub const CONFIG_PATH: &str = "carrier.yaml";
/// The only `apiVersion` of the file.
pub const CONFIG_API_VERSION: &str = "carrier/v1";

/// The settings of a repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Config {
    /// The version of this file's form; there is one, and it may be left out.
    #[serde(default)]
    pub api_version: ConfigVersion,
    /// The folder that `carrier render` writes, below the repository's root.
    #[serde(default = "rendered")]
    #[schemars(length(min = 1))]
    pub output: String,
    /// The folder with the CRDs of the service clusters, below the repository's root.
    #[serde(default = "snapshots")]
    #[schemars(length(min = 1))]
    pub snapshots: String,
    /// What the objects that `carrier apply` writes are known by as a whole. Two repositories that are
    /// applied to one management cluster need two names.
    #[serde(default = "inventory")]
    #[schemars(length(min = 1, max = 40), regex(pattern = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"))]
    pub inventory: String,
    /// How to reach the management cluster. Absent, as kubectl would.
    #[serde(default)]
    pub management: Management,
    /// How to reach each service cluster, by `<provider>/<cluster>`.
    #[serde(default)]
    #[schemars(extend("propertyNames" = {
        "pattern": "^[a-z0-9]([-a-z0-9]*[a-z0-9])?/[a-z0-9]([-a-z0-9]*[a-z0-9])?$"
    }))]
    pub service_clusters: BTreeMap<String, ClusterAccess>,
    /// What `carrier render` writes for.
    #[serde(default)]
    pub render: Render,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            api_version: ConfigVersion::V1,
            output: rendered(),
            snapshots: snapshots(),
            inventory: inventory(),
            management: Management::default(),
            service_clusters: BTreeMap::new(),
            render: Render::default(),
        }
    }
}

fn rendered() -> String {
    "rendered".into()
}

fn inventory() -> String {
    "carrier".into()
}

fn snapshots() -> String {
    "snapshots".into()
}

/// The version of the file's form.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ConfigVersion {
    /// The only one.
    #[default]
    #[serde(rename = "carrier/v1")]
    V1,
}

/// How to reach the management cluster.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Management {
    /// Path of a kubeconfig file. Absent, `$KUBECONFIG` or `~/.kube/config`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub kubeconfig: Option<String>,
    /// The context in it. Absent, its current one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub context: Option<String>,
    /// UID of the cluster's namespace `kube-system`: carrier refuses to touch another cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub uid: Option<String>,
}

/// How to reach one service cluster: a file, an environment variable or the `ServiceCluster`'s Secret.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("oneOf" = [
    { "required": ["kubeconfig"] },
    { "required": ["context"], "not": { "required": ["kubeconfig"] } },
    { "required": ["env"] },
    { "required": ["secret"], "properties": { "secret": { "const": true } } }
]))]
pub struct ClusterAccess {
    /// Path of a kubeconfig file. Absent beside `context`, `$KUBECONFIG` or `~/.kube/config`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub kubeconfig: Option<String>,
    /// The context in it. Absent, its current one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub context: Option<String>,
    /// The environment variable that holds a kubeconfig.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = "^[A-Za-z_][A-Za-z0-9_]*$"))]
    pub env: Option<String>,
    /// `true`: the Secret that the `ServiceCluster` names, read from the management cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<bool>,
}

/// Where a kubeconfig comes from; a [`ClusterAccess`] that says exactly one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KubeconfigSource {
    /// A file, or kubectl's usual one, and a context in it.
    File {
        /// The file.
        path: Option<String>,
        /// The context.
        context: Option<String>,
    },
    /// An environment variable.
    Env(String),
    /// The Secret that the `ServiceCluster` names.
    Secret,
}

impl ClusterAccess {
    /// The one source it names; `None` where it names none, or two.
    #[must_use]
    pub fn source(&self) -> Option<KubeconfigSource> {
        let file = self.kubeconfig.is_some() || self.context.is_some();
        match (file, &self.env, self.secret.unwrap_or(false)) {
            (true, None, false) => {
                Some(KubeconfigSource::File { path: self.kubeconfig.clone(), context: self.context.clone() })
            }
            (false, Some(name), false) => Some(KubeconfigSource::Env(name.clone())),
            (false, None, true) => Some(KubeconfigSource::Secret),
            _ => None,
        }
    }
}

/// What `carrier render` writes for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Render {
    /// Who reads the manifests.
    #[serde(default, rename = "for")]
    pub target: RenderTarget,
    /// What Flux has to know.
    #[serde(default)]
    pub flux: Flux,
    /// What Argo CD has to know.
    #[serde(default)]
    pub argo: Argo,
}

/// Who reads the manifests.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum RenderTarget {
    /// Nobody in particular: kubectl, carrier itself.
    #[default]
    Plain,
    /// Flux.
    Flux,
    /// Argo CD.
    Argo,
}

/// What Flux has to know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Flux {
    /// Kind of the source object that fetches this repository.
    #[serde(default)]
    pub source_kind: FluxSourceKind,
    /// Its name.
    #[serde(default = "flux_system")]
    #[schemars(length(min = 1))]
    pub source_name: String,
    /// The namespace of Flux' own objects.
    #[serde(default = "flux_system")]
    #[schemars(length(min = 1))]
    pub namespace: String,
    /// Where the output folder is in that source. Absent, at `output`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub path: Option<String>,
}

impl Default for Flux {
    fn default() -> Self {
        Self {
            source_kind: FluxSourceKind::default(),
            source_name: flux_system(),
            namespace: flux_system(),
            path: None,
        }
    }
}

fn flux_system() -> String {
    "flux-system".into()
}

/// The kinds of source that Flux knows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum FluxSourceKind {
    /// A Git repository.
    #[default]
    GitRepository,
    /// An OCI artifact.
    #[serde(rename = "OCIRepository")]
    OciRepository,
    /// A bucket.
    Bucket,
}

/// What Argo CD has to know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Argo {
    /// The namespace of Argo CD's own objects.
    #[serde(default = "argocd")]
    #[schemars(length(min = 1))]
    pub namespace: String,
    /// The project of the applications.
    #[serde(default = "default_project")]
    #[schemars(length(min = 1))]
    pub project: String,
    /// URL of this repository. Absent, no applications are written.
    #[serde(default, rename = "repoURL", skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub repo_url: Option<String>,
    /// The branch, tag or commit to follow. Absent, the repository's `HEAD`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub target_revision: Option<String>,
    /// Where the output folder is in that repository. Absent, at `output`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub path: Option<String>,
}

impl Default for Argo {
    fn default() -> Self {
        Self { namespace: argocd(), project: default_project(), repo_url: None, target_revision: None, path: None }
    }
}

fn argocd() -> String {
    "argocd".into()
}

fn default_project() -> String {
    "default".into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_empty_file_is_the_default() {
        let config: Config = serde_json::from_value(json!({})).expect("everything has a default");
        assert_eq!(config, Config::default());
        assert_eq!((config.output.as_str(), config.snapshots.as_str()), ("rendered", "snapshots"));
    }

    #[test]
    fn a_cluster_is_reached_in_one_way() {
        let source = |access| serde_json::from_value::<ClusterAccess>(access).expect("an access").source();
        assert_eq!(
            source(json!({"kubeconfig": "k", "context": "c"})),
            Some(KubeconfigSource::File { path: Some("k".into()), context: Some("c".into()) })
        );
        assert_eq!(
            source(json!({"context": "c"})),
            Some(KubeconfigSource::File { path: None, context: Some("c".into()) })
        );
        assert_eq!(source(json!({"env": "K"})), Some(KubeconfigSource::Env("K".into())));
        assert_eq!(source(json!({"secret": true})), Some(KubeconfigSource::Secret));
        for wrong in [
            json!({}),
            json!({"secret": false}),
            json!({"env": "K", "secret": true}),
            json!({"env": "K", "context": "c"}),
        ] {
            assert_eq!(source(wrong.clone()), None, "{wrong}");
        }
    }
}
