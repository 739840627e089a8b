//! The condition `Synced` of a tenant object, as `carrier sync` wrote it. Pure.

use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::cluster::error::discreet;

/// The longest word that is taken for a reason.
const LONGEST_REASON: usize = 100;

/// The condition `Synced` of an instance.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct SyncedCondition {
    /// `True`, `False` or `Unknown`.
    pub status: String,
    /// The reason, one word such as `InStep` or `Conflict`.
    pub reason: String,
    /// The sentence for people, without the values that it quotes.
    pub message: String,
    /// The generation of the instance that the condition is about; null where it says none.
    pub observed_generation: Option<i64>,
    /// The generation of the instance now; null where it has none.
    pub generation: Option<i64>,
    /// Whether the condition is about another generation than that of the instance now.
    pub stale: bool,
}

impl SyncedCondition {
    /// The condition of an object; `None` where it has none with a status that Kubernetes knows.
    #[must_use]
    pub(crate) fn of(object: &Value) -> Option<Self> {
        let list = object.pointer("/status/conditions")?.as_array()?;
        let condition =
            list.iter().find(|condition| condition.get("type").and_then(Value::as_str) == Some("Synced"))?;
        let text = |key: &str| condition.get(key).and_then(Value::as_str).unwrap_or_default();
        let status = text("status");
        if !["True", "False", "Unknown"].contains(&status) {
            return None;
        }
        let is_word = |reason: &str| {
            (1..=LONGEST_REASON).contains(&reason.len()) && reason.bytes().all(|b| b.is_ascii_alphanumeric())
        };
        let observed_generation = condition.get("observedGeneration").and_then(Value::as_i64);
        let generation = object.pointer("/metadata/generation").and_then(Value::as_i64);
        Some(Self {
            status: status.to_owned(),
            reason: Some(text("reason")).filter(|reason| is_word(reason)).unwrap_or("?").to_owned(),
            message: discreet(text("message")),
            observed_generation,
            generation,
            stale: observed_generation.zip(generation).is_some_and(|(observed, now)| observed != now),
        })
    }
}

/// Status and reason, and the generations where the condition is stale: `True/InStep (generation 3 of 4)`.
impl fmt::Display for SyncedCondition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.status, self.reason)?;
        match (self.observed_generation, self.generation) {
            (Some(observed), Some(now)) if self.stale => write!(f, " (generation {observed} of {now})"),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(condition: &Value) -> Option<SyncedCondition> {
        SyncedCondition::of(&json!({
            "metadata": {"generation": 4},
            "spec": {"password": "hunter2"},
            "status": {"conditions": [{"type": "Ready", "status": "True", "reason": "Up"}, condition]},
        }))
    }

    fn shown(condition: &Value) -> String {
        of(condition).map_or_else(|| "-".to_owned(), |synced| synced.to_string())
    }

    #[test]
    fn a_condition_of_another_generation_is_stale() {
        let condition = |generation: Value| json!({"type": "Synced", "status": "True", "reason": "InStep", "observedGeneration": generation});
        assert_eq!(shown(&condition(json!(4))), "True/InStep");
        assert_eq!(shown(&condition(json!(3))), "True/InStep (generation 3 of 4)");
        // After a restore from a backup.
        assert_eq!(shown(&condition(json!(7))), "True/InStep (generation 7 of 4)");
        // Where the status cannot hold the number, it is not known.
        assert_eq!(shown(&condition(Value::Null)), "True/InStep");
        assert_eq!(of(&condition(json!(3))).map(|synced| synced.stale), Some(true));
    }

    #[test]
    fn what_is_no_condition_of_kubernetes_is_none() {
        for condition in [
            json!({"type": "Synced", "reason": "InStep"}),
            json!({"type": "Synced", "status": "hunter2", "reason": "InStep"}),
            json!({"type": "Other", "status": "True", "reason": "InStep"}),
            json!("Synced"),
        ] {
            assert_eq!(shown(&condition), "-", "{condition}");
        }
        assert_eq!(SyncedCondition::of(&json!({"status": {"conditions": "Synced"}})), None);
        assert_eq!(shown(&json!({"type": "Synced", "status": "False", "reason": "a b\u{1b}[2J"})), "False/?");
        assert_eq!(shown(&json!({"type": "Synced", "status": "Unknown"})), "Unknown/?");
    }

    #[test]
    fn values_are_left_out_of_the_message() {
        let message = "spec.size: Invalid value: \"hunter2\": must be a number";
        let condition = json!({"type": "Synced", "status": "False", "reason": "Rejected", "message": message});
        let message = of(&condition).map(|synced| synced.message);
        assert_eq!(message.as_deref(), Some("spec.size: Invalid value: …: must be a number"));
    }
}
