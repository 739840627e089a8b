//! `catalog.kubecarrier.io/v1alpha1`: Catalog, CatalogEntry and CatalogEntrySet.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::common::{CommonMetadata, ObjectReference};
use super::deletion::DeletionPolicyConfig;
use super::derive::DeriveConfig;
use super::offering::CrdInformation;
use super::propagate::PropagateConfig;
use super::selector::LabelSelector;
use super::status::{Condition, condition_list};

/// The entries that a provider offers, and the tenants that they are offered to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(clippy::struct_field_names, reason = "the field names are those of the KubeCarrier API")]
pub struct CatalogSpec {
    /// The entries to offer. If absent, none; `{}` selects all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub catalog_entry_selector: Option<LabelSelector>,
    /// The tenants to offer them to. If absent, none; `{}` selects all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant_selector: Option<LabelSelector>,
    /// Addition of carrier: the clusters whose entries are offered. If absent, all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_cluster_selector: Option<LabelSelector>,
}

/// The observed state of a catalog.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CatalogStatus {
    /// The tenants selected.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tenants: Vec<ObjectReference>,
    /// The entries selected.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub entries: Vec<ObjectReference>,
    /// The generation of the object that this status describes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// The conditions `Ready` and `ServiceClusterAssignmentReady`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "condition_list::<Condition>")]
    pub conditions: Vec<Condition>,
    /// `Ready`, `NotReady`, `Terminating` or `Unknown`; a summary of the conditions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<String>,
}

/// A service of one cluster.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CatalogEntrySpec {
    /// How the service is displayed.
    pub metadata: CommonMetadata,
    /// The internal CRD in the management cluster, such as `redis.internal.eu-west-1.team-a`.
    #[serde(rename = "baseCRD")]
    #[schemars(extend("x-kubernetes-validations" = [{
        "rule": "self.name == oldSelf.name",
        "message": "the base CRD of an entry cannot be changed"
    }]))]
    pub base_crd: ObjectReference,
    /// What tenants see of the internal CRD. If absent, all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub derive: Option<DeriveConfig>,
    /// Addition of carrier: what the deletion of an instance does in the service cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletion_policy: Option<DeletionPolicyConfig>,
    /// Addition of carrier: the labels and annotations that are copied to the service cluster. If absent, none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub propagate: Option<PropagateConfig>,
}

/// The observed state of an entry.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CatalogEntryStatus {
    /// The CRD that tenants use.
    #[serde(default, rename = "tenantCRD", skip_serializing_if = "Option::is_none")]
    pub tenant_crd: Option<CrdInformation>,
    /// The CRD that the provider uses.
    #[serde(default, rename = "providerCRD", skip_serializing_if = "Option::is_none")]
    pub provider_crd: Option<CrdInformation>,
    /// The generation of the object that this status describes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// The condition `Ready`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "condition_list::<Condition>")]
    pub conditions: Vec<Condition>,
    /// `Ready`, `NotReady`, `Terminating` or `Unknown`; a summary of the conditions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<String>,
}

/// A service of several clusters: one CatalogEntry for each.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CatalogEntrySetSpec {
    /// How the service is displayed.
    pub metadata: CommonMetadata,
    /// What tenants see of the internal CRDs. If absent, all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub derive: Option<DeriveConfig>,
    /// The CRD and the service clusters that it is read from.
    pub discover: DiscoverConfig,
    /// Addition of carrier: what the deletion of an instance does in the service clusters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletion_policy: Option<DeletionPolicyConfig>,
    /// Addition of carrier: the labels and annotations that are copied to the service clusters. If absent, none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub propagate: Option<PropagateConfig>,
}

/// The CRD of a service and the clusters that have it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DiscoverConfig {
    /// The CRD in the service clusters, by its name.
    pub crd: ObjectReference,
    /// The service clusters of the same namespace; `{}` selects all.
    pub service_cluster_selector: LabelSelector,
    /// Whether a dry run in the service cluster validates internal objects.
    #[serde(default)]
    pub webhook_strategy: WebhookStrategy,
}

/// Who validates internal objects.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum WebhookStrategy {
    /// The management cluster only.
    #[default]
    None,
    /// Also the service cluster, by a dry run.
    ServiceCluster,
}

/// The observed state of a set.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CatalogEntrySetStatus {
    /// The generation of the object that this status describes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// The conditions `Ready`, `CustomResourceDiscoveryReady` and `CatalogEntriesReady`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "condition_list::<Condition>")]
    pub conditions: Vec<Condition>,
    /// `Ready`, `NotReady`, `Terminating` or `Unknown`; a summary of the conditions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<String>,
}
