//! `catalog.kubecarrier.io/v1alpha1`: Offering, Provider and Region, the objects in a
//! tenant's namespace. carrier renders them; users do not write them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::common::{CommonMetadata, ObjectReference};

/// A service that is offered to a tenant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct OfferingSpec {
    /// How the service is displayed, copied from its entry.
    pub metadata: CommonMetadata,
    /// The provider of the service.
    #[schemars(extend("x-kubernetes-validations" = [{
        "rule": "self.name == oldSelf.name",
        "message": "the provider of an offering cannot be changed"
    }]))]
    pub provider: ObjectReference,
    /// The CRD whose objects are the service's instances.
    pub crd: CrdInformation,
}

/// The names and versions of a CRD that its users need.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct CrdInformation {
    /// The name of the CRD.
    pub name: String,
    /// The API group.
    pub api_group: String,
    /// The kind.
    pub kind: String,
    /// The plural.
    pub plural: String,
    /// The versions.
    pub versions: Vec<CrdVersion>,
    /// The service cluster, by the name of its `ServiceCluster`.
    pub region: ObjectReference,
}

/// One version of a CRD.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct CrdVersion {
    /// The name of the version.
    pub name: String,
    /// The schema. carrier omits it: the CRD has it, and this object is stored once per tenant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("type" = "object", "x-kubernetes-preserve-unknown-fields" = true))]
    pub schema: Option<Value>,
    /// Whether this is the storage version.
    #[serde(default)]
    pub storage: bool,
}

/// A provider as its tenants see it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ProviderSpec {
    /// How the provider is displayed, copied from its account.
    pub metadata: CommonMetadata,
}

/// A service cluster as tenants see it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct RegionSpec {
    /// How the cluster is displayed, copied from its `ServiceCluster`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<super::service_cluster::ServiceClusterMetadata>,
    /// The provider that offers services in the cluster.
    #[schemars(extend("x-kubernetes-validations" = [{
        "rule": "self.name == oldSelf.name",
        "message": "the provider of a region cannot be changed"
    }]))]
    pub provider: ObjectReference,
}
