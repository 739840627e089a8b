//! `catalog.kubecarrier.io/v1alpha1`: Catalog, CatalogEntry, CatalogEntrySet,
//! what is offered to whom.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::common::{CommonMetadata, ObjectReference};
use super::derive::DeriveConfig;
use super::offering::CrdInformation;
use super::selector::LabelSelector;
use super::status::{Condition, condition_list};

/// Which entries a provider offers to which tenants.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CatalogSpec {
    /// The entries offered. Absent, none; `{}`, all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub catalog_entry_selector: Option<LabelSelector>,
    /// The tenants they are offered to. Absent, none; `{}`, all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant_selector: Option<LabelSelector>,
    /// Addition of carrier: only entries of the clusters so labelled. Absent, of all clusters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_cluster_selector: Option<LabelSelector>,
}

/// What became of a catalog.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CatalogStatus {
    /// The tenants selected.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tenants: Vec<ObjectReference>,
    /// The entries selected.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub entries: Vec<ObjectReference>,
    /// The generation that this status speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// The conditions `Ready` and `ServiceClusterAssignmentReady`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "condition_list::<Condition>")]
    pub conditions: Vec<Condition>,
    /// `Ready`, `NotReady`, `Terminating` or `Unknown`: the conditions in a word, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<String>,
}

/// One service of one cluster, ready to be offered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CatalogEntrySpec {
    /// How the service is shown.
    pub metadata: CommonMetadata,
    /// The internal CRD in the management cluster, such as `redis.internal.eu-west-1.team-a`.
    #[serde(rename = "baseCRD")]
    #[schemars(extend("x-kubernetes-validations" = [{
        "rule": "self.name == oldSelf.name",
        "message": "the base CRD of an entry cannot be changed"
    }]))]
    pub base_crd: ObjectReference,
    /// What tenants get to see. Absent, the internal CRD itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub derive: Option<DeriveConfig>,
}

/// What became of an entry.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CatalogEntryStatus {
    /// The CRD that tenants use.
    #[serde(default, rename = "tenantCRD", skip_serializing_if = "Option::is_none")]
    pub tenant_crd: Option<CrdInformation>,
    /// The CRD that the provider uses.
    #[serde(default, rename = "providerCRD", skip_serializing_if = "Option::is_none")]
    pub provider_crd: Option<CrdInformation>,
    /// The generation that this status speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// The condition `Ready`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "condition_list::<Condition>")]
    pub conditions: Vec<Condition>,
    /// `Ready`, `NotReady`, `Terminating` or `Unknown`: the conditions in a word, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<String>,
}

/// One service of every selected cluster.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CatalogEntrySetSpec {
    /// How the service is shown.
    pub metadata: CommonMetadata,
    /// What tenants get to see. Absent, the internal CRDs themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub derive: Option<DeriveConfig>,
    /// Where the CRD comes from.
    pub discover: DiscoverConfig,
}

/// Which CRD of which clusters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DiscoverConfig {
    /// The CRD in the service clusters.
    pub crd: ObjectReference,
    /// The service clusters of the same namespace; `{}` selects all.
    pub service_cluster_selector: LabelSelector,
    /// Whether internal objects are admitted by a dry run in the service cluster.
    #[serde(default)]
    pub webhook_strategy: WebhookStrategy,
}

/// How internal objects are admitted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum WebhookStrategy {
    /// By the management cluster alone.
    #[default]
    None,
    /// Also by a dry run in the service cluster.
    ServiceCluster,
}

/// What became of a set.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CatalogEntrySetStatus {
    /// The generation that this status speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// The conditions `Ready`, `CustomResourceDiscoveryReady` and `CatalogEntriesReady`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "condition_list::<Condition>")]
    pub conditions: Vec<Condition>,
    /// `Ready`, `NotReady`, `Terminating` or `Unknown`: the conditions in a word, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<String>,
}
