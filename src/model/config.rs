//! `carrier.yaml`, the settings of a repository.
//!
//! Every setting has a default. The file contains no secrets: it refers to kubeconfigs
//! and never contains one.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The path of the file below the repository's root.
pub(crate) const CONFIG_PATH: &str = "carrier.yaml";

/// The settings of a repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Config {
    /// The version of the format of this file. There is one version, and it is optional.
    #[serde(default)]
    pub api_version: ConfigVersion,
    /// The folder that `carrier render` writes, relative to the repository's root.
    #[serde(default = "rendered")]
    #[schemars(length(min = 1))]
    pub output: String,
    /// The folder with the CRDs of the service clusters, relative to the repository's root.
    #[serde(default = "snapshots")]
    #[schemars(length(min = 1))]
    pub snapshots: String,
    /// The name of the inventory of the objects that `carrier apply` writes. Two repositories that are
    /// applied to the same management cluster need different names.
    #[serde(default = "inventory")]
    #[schemars(length(min = 1, max = 40), regex(pattern = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"))]
    pub inventory: String,
    /// The kubeconfig of the management cluster. If absent, the one that kubectl uses.
    #[serde(default)]
    pub management: Management,
    /// The kubeconfig of each service cluster, by `<provider>/<cluster>`.
    #[serde(default)]
    #[schemars(extend("propertyNames" = {
        "pattern": "^[a-z0-9]([-a-z0-9]*[a-z0-9])?/[a-z0-9]([-a-z0-9]*[a-z0-9])?$"
    }))]
    pub service_clusters: BTreeMap<String, ClusterAccess>,
    /// The tool that `carrier render` writes manifests for.
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

/// The version of the format of the file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ConfigVersion {
    /// The only version.
    #[default]
    #[serde(rename = "carrier/v1")]
    V1,
}

/// The kubeconfig of the management cluster and its expected identity.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Management {
    /// Path of a kubeconfig file. If absent, `$KUBECONFIG` or `~/.kube/config`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub kubeconfig: Option<String>,
    /// The context in the kubeconfig. If absent, its current context.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub context: Option<String>,
    /// UID of the cluster's namespace `kube-system`. carrier does not read or write a cluster with another UID.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub uid: Option<String>,
}

/// The kubeconfig of a service cluster: a file, an environment variable or the Secret of the `ServiceCluster`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("oneOf" = [
    { "required": ["kubeconfig"] },
    { "required": ["context"], "not": { "required": ["kubeconfig"] } },
    { "required": ["env"] },
    { "required": ["secret"], "properties": { "secret": { "const": true } } }
]))]
pub struct ClusterAccess {
    /// Path of a kubeconfig file. If absent and `context` is set, `$KUBECONFIG` or `~/.kube/config`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub kubeconfig: Option<String>,
    /// The context in the kubeconfig. If absent, its current context.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub context: Option<String>,
    /// The environment variable that contains a kubeconfig.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = "^[A-Za-z_][A-Za-z0-9_]*$"))]
    pub env: Option<String>,
    /// `true` for the Secret that the `ServiceCluster` names, read from the management cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<bool>,
}

/// The source of a kubeconfig: a [`ClusterAccess`] with exactly one of its settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KubeconfigSource {
    /// A file and a context in it.
    File {
        /// The path; `None` for the file that kubectl uses.
        path: Option<String>,
        /// The context; `None` for the current context of the file.
        context: Option<String>,
    },
    /// The name of an environment variable that contains the kubeconfig.
    Env(String),
    /// The Secret that the `ServiceCluster` names.
    Secret,
}

impl ClusterAccess {
    /// The source; `None` if the settings name none or more than one.
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

/// Whether the path of a kubeconfig leads into the repository, by its text alone: it starts from the root, and `~/` is the
/// home folder.
#[must_use]
pub(crate) fn leads_inside(path: &str) -> bool {
    if path.starts_with('/') || path.starts_with("~/") {
        return false;
    }
    let depth = path.split('/').try_fold(0_usize, |depth, part| match part {
        "" | "." => Some(depth),
        ".." => depth.checked_sub(1),
        _ => Some(depth + 1),
    });
    depth.is_some()
}

/// The tool that `carrier render` writes manifests for, and its settings.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Render {
    /// The tool that reads the manifests.
    #[serde(default, rename = "for")]
    pub target: RenderTarget,
    /// Settings for Flux.
    #[serde(default)]
    pub flux: Flux,
    /// Settings for Argo CD.
    #[serde(default)]
    pub argo: Argo,
}

/// The tool that reads the manifests.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum RenderTarget {
    /// No additional files: for kubectl and carrier.
    #[default]
    Plain,
    /// Flux.
    Flux,
    /// Argo CD.
    Argo,
}

/// Settings for Flux.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Flux {
    /// The kind of the Flux source of this repository.
    #[serde(default)]
    pub source_kind: FluxSourceKind,
    /// The name of the Flux source.
    #[serde(default = "flux_system")]
    #[schemars(length(min = 1))]
    pub source_name: String,
    /// The namespace of the Flux objects.
    #[serde(default = "flux_system")]
    #[schemars(length(min = 1))]
    pub namespace: String,
    /// Path of the output folder in the Flux source. If absent, the value of `output`.
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

/// The kinds of Flux sources.
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

/// Settings for Argo CD.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Argo {
    /// The namespace of the Argo CD objects.
    #[serde(default = "argocd")]
    #[schemars(length(min = 1))]
    pub namespace: String,
    /// The Argo CD project of the applications.
    #[serde(default = "default_project")]
    #[schemars(length(min = 1))]
    pub project: String,
    /// URL of this repository. If absent, no applications are rendered.
    #[serde(default, rename = "repoURL", skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub repo_url: Option<String>,
    /// The branch, tag or commit to deploy. If absent, `HEAD` of the repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub target_revision: Option<String>,
    /// Path of the output folder in the repository. If absent, the value of `output`.
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

    #[test]
    fn a_path_of_the_settings_leads_into_the_repository_or_not() {
        for inside in ["kube.conf", "hack/kube.conf", "./hack/../kube.conf", "~user/kube.conf", "~", "a//b"] {
            assert!(leads_inside(inside), "{inside}");
        }
        for outside in ["/etc/kube.conf", "~/kube.conf", "../kube.conf", "hack/../../kube.conf"] {
            assert!(!leads_inside(outside), "{outside}");
        }
    }
}
