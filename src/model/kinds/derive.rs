//! The exposure: which versions and fields of a CRD tenants get to see.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What to derive from a base CRD.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DeriveConfig {
    /// Addition of carrier: the kind tenants see, where the base CRD's own will not do.
    ///
    /// It tells apart two CRDs of the same kind and cluster (`kubecarrier.md` §3.6).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 63), regex(pattern = "^[A-Za-z]([-A-Za-z0-9]*[A-Za-z0-9])?$"))]
    pub kind: Option<String>,
    /// Addition of carrier: the plural tenants see.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 63), regex(pattern = "^[a-z]([-a-z0-9]*[a-z0-9])?$"))]
    pub plural: Option<String>,
    /// What is exposed, one item a group of versions.
    #[schemars(length(min = 1))]
    pub expose: Vec<VersionExpose>,
}

/// The fields exposed of some versions: those of `fields` and those of `defaults`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend(
    "anyOf" = [
        { "required": ["fields"], "properties": { "fields": { "minItems": 1 } } },
        { "required": ["defaults"], "properties": { "defaults": { "minItems": 1 } } }
    ],
    "x-kubernetes-validations" = [{
        "rule": "(has(self.fields) && size(self.fields) > 0) || (has(self.defaults) && size(self.defaults) > 0)",
        "message": "at least one field has to be exposed"
    }]
))]
pub struct VersionExpose {
    /// The versions; each may stand in one item only.
    #[schemars(length(min = 1), inner(length(min = 1)))]
    pub versions: Vec<String>,
    /// The fields. At least one, unless `defaults` has one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldPathRef>,
    /// Addition of carrier: fields exposed with a default that the tenant may override.
    ///
    /// A path that stands here is exposed, whether or not `fields` names it too.
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
    #[schemars(extend("x-kubernetes-preserve-unknown-fields" = true))]
    pub value: Value,
}
