//! The exposure: the versions and fields of a CRD that tenants see.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// How the CRD for tenants is derived from a base CRD.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DeriveConfig {
    /// Addition of carrier: the kind that tenants see. If absent, the kind of the base CRD.
    ///
    /// Needed for two CRDs of the same kind and cluster (`kubecarrier.md` §3.6).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 63), regex(pattern = "^[A-Za-z]([-A-Za-z0-9]*[A-Za-z0-9])?$"))]
    pub kind: Option<String>,
    /// Addition of carrier: the plural that tenants see. If absent, the plural of the base CRD.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 63), regex(pattern = "^[a-z]([-a-z0-9]*[a-z0-9])?$"))]
    pub plural: Option<String>,
    /// The exposed versions and fields, one item for each group of versions.
    #[schemars(length(min = 1))]
    pub expose: Vec<VersionExpose>,
}

/// The exposed fields of some versions: those of `fields` and those of `defaults`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend(
    "anyOf" = [
        { "required": ["fields"], "properties": { "fields": { "minItems": 1 } } },
        { "required": ["defaults"], "properties": { "defaults": { "minItems": 1 } } }
    ],
    "x-kubernetes-validations" = [{
        "rule": "(has(self.fields) && size(self.fields) > 0) || (has(self.defaults) && size(self.defaults) > 0)",
        "message": "at least one field must be exposed"
    }]
))]
pub struct VersionExpose {
    /// The versions. A version can be in one item only.
    #[schemars(length(min = 1), inner(length(min = 1)))]
    pub versions: Vec<String>,
    /// The exposed fields. At least one, unless `defaults` has one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldPathRef>,
    /// Addition of carrier: exposed fields with a default that the tenant can override.
    ///
    /// `fields` does not have to list the paths again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub defaults: Vec<FieldValue>,
    /// Addition of carrier: values of hidden fields. Only the provider sets and sees them.
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
    /// The path, in the same syntax as the path of an exposed field.
    #[schemars(length(min = 1))]
    pub json_path: String,
    /// The value. It must match the schema of the field in the CRD.
    #[schemars(extend("x-kubernetes-preserve-unknown-fields" = true))]
    pub value: Value,
}
