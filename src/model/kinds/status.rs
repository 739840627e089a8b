//! Status conditions, as KubeCarrier defines them: all fields are required, except the time of a heartbeat.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// The observed state of one aspect of an object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Condition {
    /// The aspect, such as `Ready`.
    #[serde(rename = "type")]
    pub type_: String,
    /// The status of the condition.
    pub status: ConditionStatus,
    /// When `status` last changed.
    #[schemars(extend("format" = "date-time"))]
    pub last_transition_time: String,
    /// The reason for the status, as a CamelCase identifier.
    pub reason: String,
    /// The reason for the status, as a sentence.
    pub message: String,
}

/// A condition with the time at which it was last written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HeartbeatCondition {
    /// The aspect, such as `ServiceClusterReachable`.
    #[serde(rename = "type")]
    pub type_: String,
    /// The status of the condition.
    pub status: ConditionStatus,
    /// When `status` last changed.
    #[schemars(extend("format" = "date-time"))]
    pub last_transition_time: String,
    /// When the condition was last written. carrier does not write a condition again to refresh it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "date-time"))]
    pub last_heartbeat_time: Option<String>,
    /// The reason for the status, as a CamelCase identifier.
    pub reason: String,
    /// The reason for the status, as a sentence.
    pub message: String,
}

/// The status of a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) enum ConditionStatus {
    /// The condition is met.
    True,
    /// The condition is not met.
    False,
    /// The status is unknown.
    Unknown,
}

/// The schema of a list of conditions, a map by `type`, so that with server-side apply
/// each writer owns its own condition.
pub(super) fn condition_list<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "array",
        "items": generator.subschema_for::<T>(),
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["type"],
    })
}
