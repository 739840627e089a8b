//! `kubecarrier.io/v1alpha1`: ServiceCluster and ServiceClusterAssignment.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::common::ObjectReference;
use super::status::{Condition, HeartbeatCondition, condition_list};

/// A cluster that runs services.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ServiceClusterSpec {
    /// How the cluster is displayed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<ServiceClusterMetadata>,
    /// The Secret in the same namespace whose key `kubeconfig` has the kubeconfig of the cluster.
    pub kubeconfig_secret: ObjectReference,
}

/// How a service cluster is displayed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ServiceClusterMetadata {
    /// The displayed name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// A description of the cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// The observed state of a service cluster.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ServiceClusterStatus {
    /// The version of its API server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kubernetes_version: Option<VersionInfo>,
    /// Addition of carrier: the UID of the `kube-system` namespace at first contact, by which the cluster is recognized.
    #[serde(default, rename = "clusterUID", skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub cluster_uid: Option<String>,
    /// The generation of the object that this status describes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// The conditions `Ready`, `ControllerReady`, `ServiceClusterReachable` and, of carrier, `KubeconfigReady`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "condition_list::<HeartbeatCondition>")]
    pub conditions: Vec<HeartbeatCondition>,
    /// `Ready`, `NotReady`, `Terminating` or `Unknown`; a summary of the conditions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<String>,
}

/// The response of the API server to `/version`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct VersionInfo {
    /// Major version.
    pub major: String,
    /// Minor version.
    pub minor: String,
    /// The whole version.
    pub git_version: String,
    /// The commit of the build.
    pub git_commit: String,
    /// The state of the source tree: `clean` or `dirty`.
    pub git_tree_state: String,
    /// The time of the build.
    pub build_date: String,
    /// The Go version of the build.
    pub go_version: String,
    /// The Go compiler of the build.
    pub compiler: String,
    /// The operating system and architecture.
    pub platform: String,
}

/// Assigns a namespace in a service cluster to a tenant's namespace in the management cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("x-kubernetes-validations" = [{
    "rule": "self == oldSelf",
    "message": "an assignment cannot be changed"
}]))]
pub(crate) struct ServiceClusterAssignmentSpec {
    /// The service cluster.
    pub service_cluster: ObjectReference,
    /// The tenant's namespace in the management cluster.
    pub management_namespace: ObjectReference,
}

/// The observed state of an assignment.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ServiceClusterAssignmentStatus {
    /// The tenant's namespace in the service cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_cluster_namespace: Option<ObjectReference>,
    /// The generation of the object that this status describes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// The condition `Ready`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "condition_list::<Condition>")]
    pub conditions: Vec<Condition>,
    /// `Ready`, `NotReady` or `Unknown`; a summary of the conditions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<String>,
}
