//! `catalog.kubecarrier.io/v1alpha1`: Account and Tenant.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::common::{CommonMetadata, ObjectReference};
use super::status::{Condition, condition_list};

/// A team that offers services, uses them, or both.
///
/// Cluster-scoped; its name is the name of its namespace.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("x-kubernetes-validations" = [{
    "rule": "has(self.metadata) || !('Provider' in self.roles)",
    "message": "a Provider needs metadata, because its tenants see it"
}]))]
pub struct AccountSpec {
    /// How the account is displayed. Required for a provider, because its tenants see it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<CommonMetadata>,
    /// The roles of the account. Items are unique.
    #[schemars(length(min = 1, max = 2), extend("x-kubernetes-list-type" = "set"))]
    pub roles: Vec<AccountRole>,
    /// The users, groups and service accounts that belong to the account.
    #[schemars(length(min = 1))]
    pub subjects: Vec<Subject>,
}

impl AccountSpec {
    /// Whether the account offers services.
    #[must_use]
    pub fn is_provider(&self) -> bool {
        self.roles.contains(&AccountRole::Provider)
    }

    /// Whether the account uses services.
    #[must_use]
    pub fn is_tenant(&self) -> bool {
        self.roles.contains(&AccountRole::Tenant)
    }
}

/// The role of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub enum AccountRole {
    /// The account offers services.
    Provider,
    /// The account uses services.
    Tenant,
}

/// A subject of RBAC (`rbac.authorization.k8s.io/v1`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Subject {
    /// The kind of the subject.
    pub kind: SubjectKind,
    /// The name of the subject.
    #[schemars(length(min = 1))]
    pub name: String,
    /// `rbac.authorization.k8s.io` for users and groups, empty for service accounts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_group: Option<String>,
    /// The namespace of a service account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
}

/// The kinds of subjects in RBAC. KubeCarrier accepted any string, and the API server then
/// rejected the `RoleBinding`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub enum SubjectKind {
    /// A user.
    User,
    /// A group of users.
    Group,
    /// A service account of the management cluster.
    ServiceAccount,
}

/// The observed state of an account.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AccountStatus {
    /// The account's namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<ObjectReference>,
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

/// A tenant as its provider sees it. Catalogs select tenants by the labels of this object.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TenantSpec {}
