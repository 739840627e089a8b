//! `catalog.kubecarrier.io/v1alpha1`: Offering, Provider, Region, what a tenant
//! finds in its namespace. Carrier renders them; nobody writes them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::common::{CommonMetadata, ObjectReference};

/// A service that a tenant may use.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OfferingSpec {
    /// How the service is shown, as its entry says.
    pub metadata: CommonMetadata,
    /// Who offers it.
    #[schemars(extend("x-kubernetes-validations" = [{
        "rule": "self.name == oldSelf.name",
        "message": "the provider of an offering cannot be changed"
    }]))]
    pub provider: ObjectReference,
    /// The CRD whose objects are the service's instances.
    pub crd: CrdInformation,
}

/// What one has to know of a CRD to use it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CrdInformation {
    /// The CRD's name.
    pub name: String,
    /// Its API group.
    pub api_group: String,
    /// Its kind.
    pub kind: String,
    /// Its plural.
    pub plural: String,
    /// Its versions.
    pub versions: Vec<CrdVersion>,
    /// The service cluster, by the `ServiceCluster`'s own name.
    pub region: ObjectReference,
}

/// One version of a CRD.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CrdVersion {
    /// The version's name.
    pub name: String,
    /// Its schema. Carrier leaves it out: it would be stored once per tenant, and the CRD has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("type" = "object", "x-kubernetes-preserve-unknown-fields" = true))]
    pub schema: Option<Value>,
    /// Whether objects are stored in it.
    #[serde(default)]
    pub storage: bool,
}

/// A provider as its tenants see it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProviderSpec {
    /// How the provider is shown, as its account says.
    pub metadata: CommonMetadata,
}

/// A service cluster as tenants see it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RegionSpec {
    /// How the cluster is shown, as its `ServiceCluster` says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<super::service_cluster::ServiceClusterMetadata>,
    /// Who offers services in it.
    #[schemars(extend("x-kubernetes-validations" = [{
        "rule": "self.name == oldSelf.name",
        "message": "the provider of a region cannot be changed"
    }]))]
    pub provider: ObjectReference,
}
