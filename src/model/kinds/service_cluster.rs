//! `kubecarrier.io/v1alpha1`: ServiceCluster.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::common::ObjectReference;

/// A cluster in which services run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ServiceClusterSpec {
    /// How the cluster is shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<ServiceClusterMetadata>,
    /// The Secret in the same namespace whose key `kubeconfig` says how to reach the cluster.
    pub kubeconfig_secret: ObjectReference,
}

/// How a service cluster is shown.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ServiceClusterMetadata {
    /// The name shown to people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// A text on the cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}
