//! `kubecarrier.io/v1alpha1`: ServiceCluster and ServiceClusterAssignment,
//! where services run.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::common::ObjectReference;
use super::status::{Condition, HeartbeatCondition, condition_list};

/// A cluster in which services run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ServiceClusterSpec {
    /// How the cluster is shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<ServiceClusterMetadata>,
    /// The Secret in the same namespace whose key `kubeconfig` says how to reach the cluster.
    pub kubeconfig_secret: ObjectReference,
}

/// How a service cluster is shown.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ServiceClusterMetadata {
    /// The name shown to people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// A text on the cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// What is known of a service cluster.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ServiceClusterStatus {
    /// What its API server says of itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kubernetes_version: Option<VersionInfo>,
    /// The generation that this status speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// The conditions `Ready`, `ControllerReady` and `ServiceClusterReachable`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "condition_list::<HeartbeatCondition>")]
    pub conditions: Vec<HeartbeatCondition>,
    /// `Ready`, `NotReady`, `Terminating` or `Unknown`: the conditions in a word, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<String>,
}

/// The answer of an API server's `/version`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct VersionInfo {
    /// Major version.
    pub major: String,
    /// Minor version.
    pub minor: String,
    /// The whole version.
    pub git_version: String,
    /// The commit it was built from.
    pub git_commit: String,
    /// Whether that commit was clean.
    pub git_tree_state: String,
    /// When it was built.
    pub build_date: String,
    /// What Go it was built with.
    pub go_version: String,
    /// What compiler it was built with.
    pub compiler: String,
    /// What it runs on.
    pub platform: String,
}

/// Which namespace of a service cluster a tenant's instances go to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("x-kubernetes-validations" = [{
    "rule": "self == oldSelf",
    "message": "an assignment cannot be changed"
}]))]
pub struct ServiceClusterAssignmentSpec {
    /// The service cluster.
    pub service_cluster: ObjectReference,
    /// The tenant's namespace in the management cluster.
    pub management_namespace: ObjectReference,
}

/// What became of an assignment.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ServiceClusterAssignmentStatus {
    /// The tenant's namespace in the service cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_cluster_namespace: Option<ObjectReference>,
    /// The generation that this status speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// The condition `Ready`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "condition_list::<Condition>")]
    pub conditions: Vec<Condition>,
    /// `Ready`, `NotReady` or `Unknown`: the conditions in a word, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<String>,
}
