//! `catalog.kubecarrier.io/v1alpha1`: Account, Catalog, CatalogEntry,
//! CatalogEntrySet, Tenant.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::common::{CommonMetadata, LabelSelector, ObjectReference};
use super::derive::DeriveConfig;

/// A team that offers services, uses them, or both. Cluster-scoped; its name is its namespace.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AccountSpec {
    /// How the account is shown; needed of a provider.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<AccountMetadata>,
    /// What the account may be.
    #[schemars(length(min = 1))]
    pub roles: Vec<AccountRole>,
    /// The people, groups and service accounts that belong to it.
    #[schemars(length(min = 1))]
    pub subjects: Vec<Subject>,
}

/// How an account is shown: as [`CommonMetadata`], but nothing is required of a tenant.
pub type AccountMetadata = CommonMetadata;

/// What an account may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub enum AccountRole {
    /// It offers services.
    Provider,
    /// It uses services.
    Tenant,
}

/// A subject of RBAC (`rbac.authorization.k8s.io/v1`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Subject {
    /// `User`, `Group` or `ServiceAccount`.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// `rbac.authorization.k8s.io` for users and groups, empty for service accounts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_group: Option<String>,
    /// The namespace of a service account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
}

/// Which entries a provider offers to which tenants.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CatalogSpec {
    /// The entries. Absent, none; `{}`, all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub catalog_entry_selector: Option<LabelSelector>,
    /// The tenants. Absent, none; `{}`, all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant_selector: Option<LabelSelector>,
}

/// One service of one cluster, ready to be offered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CatalogEntrySpec {
    /// How the service is shown.
    pub metadata: CommonMetadata,
    /// The internal CRD in the management cluster, such as `redis.internal.eu-west-1.team-a`.
    #[serde(rename = "baseCRD")]
    pub base_crd: ObjectReference,
    /// What tenants get to see. Absent, the internal CRD itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub derive: Option<DeriveConfig>,
}

/// One service of every selected cluster.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CatalogEntrySetSpec {
    /// How the service is shown.
    pub metadata: CommonMetadata,
    /// What tenants get to see. Absent, the internal CRDs themselves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub derive: Option<DeriveConfig>,
    /// Where the CRD comes from.
    pub discover: DiscoverConfig,
}

/// Which CRD of which clusters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DiscoverConfig {
    /// The CRD in the service clusters.
    pub crd: ObjectReference,
    /// The service clusters of the same namespace; `{}` selects all.
    pub service_cluster_selector: LabelSelector,
    /// Whether internal objects are admitted by a dry run in the service cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook_strategy: Option<WebhookStrategy>,
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

/// A tenant as its provider sees it: only the labels matter, catalogs select by them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TenantSpec {}
