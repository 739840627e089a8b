//! The exposure: which versions and fields of a CRD tenants get to see.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What to derive from a base CRD.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DeriveConfig {
    /// Addition of carrier: the kind tenants see, where the base CRD's own will not do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Addition of carrier: the plural tenants see.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plural: Option<String>,
    /// What is exposed, one item a group of versions.
    pub expose: Vec<VersionExpose>,
}

/// The fields exposed of some versions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct VersionExpose {
    /// The versions; each may stand in one item only.
    #[schemars(length(min = 1))]
    pub versions: Vec<String>,
    /// The fields.
    #[schemars(length(min = 1))]
    pub fields: Vec<FieldPathRef>,
    /// Addition of carrier: fields exposed with a default that the tenant may override.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub defaults: Vec<FieldValue>,
    /// Addition of carrier: values of hidden fields that only the provider sets; tenants never see them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub presets: Vec<FieldValue>,
}

/// A field by its path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FieldPathRef {
    /// The path, such as `.spec.replicas`, `.spec.listeners[].port` or `.spec.config['a.b']`.
    #[schemars(length(min = 1))]
    pub json_path: String,
}

/// A field and its value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FieldValue {
    /// The path, in the same grammar as an exposed field's.
    #[schemars(length(min = 1))]
    pub json_path: String,
    /// The value, of the type that the CRD gives the field.
    pub value: Value,
}
