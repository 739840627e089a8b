//! What the status of a kind can hold: the condition `Synced` beside the service's own conditions, and the generation
//! that was last seen.
//!
//! It is read from the schema alone, so that the compiler, which completes the status of a derived CRD, and sync, which
//! writes that status, judge alike.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::compile::schema;

/// The fields of a condition that carrier writes. A list whose items demand others cannot hold `Synced`.
pub(crate) const CONDITION_FIELDS: [&str; 5] = ["type", "status", "lastTransitionTime", "reason", "message"];

/// What the status of one version can hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusContract {
    /// Whether `.status.observedGeneration` can be stored; a server drops or refuses what the schema does not have.
    pub observed_generation: bool,
    /// The list `.status.conditions`, or why it cannot hold `Synced`.
    pub conditions: Result<Conditions, Unfit>,
}

/// A list of conditions that can hold `Synced`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conditions {
    /// Whether the server merges the list by `type`, so that each writer owns its items. If not, each write replaces
    /// the list, and one writer must write all of it.
    pub merged_by_type: bool,
    /// The fields that an item can hold, among [`CONDITION_FIELDS`] and `observedGeneration`.
    pub fields: BTreeSet<&'static str>,
    /// The greatest number of items, where there is a limit.
    pub max_items: Option<u64>,
}

/// Why the conditions of a status cannot hold `Synced`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// `.status` is not an object with fields of fixed names.
    #[error("`.status` is not an object with fixed fields")]
    StatusNoObject,
    /// `.status` has no field `conditions`.
    #[error("`.status` has no conditions")]
    Absent,
    /// `.status.conditions` is of another type.
    #[error("it is not a list of conditions")]
    NoList,
    /// An item cannot say what it is about, or whether that is so.
    #[error("its items lack `type` or `status`")]
    NoTypeOrStatus,
    /// `type` is an enumeration.
    #[error("the types of its conditions are fixed")]
    TypesFixed,
    /// An item needs fields that carrier does not write.
    #[error("its items require fields that a condition does not have")]
    OtherFieldsRequired,
}

impl StatusContract {
    /// The contract of a version with the root schema `root`.
    #[must_use]
    pub fn of(root: &Value) -> Self {
        let Some(status) = schema::property(root, "status") else {
            let everything = schema::is_free_form(root);
            let conditions = if everything { Ok(Conditions::undescribed()) } else { Err(Unfit::Absent) };
            return Self { observed_generation: everything, conditions };
        };
        if !is_struct(status) {
            return Self { observed_generation: false, conditions: Err(Unfit::StatusNoObject) };
        }
        let free = schema::is_free_form(status);
        let observed_generation = free || schema::property(status, "observedGeneration").is_some();
        let conditions = match schema::property(status, "conditions") {
            Some(conditions) => Conditions::of(conditions),
            None if free => Ok(Conditions::undescribed()),
            None => Err(Unfit::Absent),
        };
        Self { observed_generation, conditions }
    }
}

/// Whether a status is an object with fields of fixed names, to which some may be added.
pub(crate) fn is_struct(status: &Value) -> bool {
    schema::type_name(status) == "object" && status.get("additionalProperties").is_none()
}

impl Conditions {
    /// What the schema of a list of conditions allows.
    pub fn of(list: &Value) -> Result<Self, Unfit> {
        let Some(item) = schema::items(list).filter(|_| schema::type_name(list) == "array") else {
            return Err(Unfit::NoList);
        };
        let is_text = |name: &str| schema::property(item, name).is_some_and(|p| schema::type_name(p) == "string");
        if !is_text("type") || !is_text("status") {
            return Err(Unfit::NoTypeOrStatus);
        }
        if schema::property(item, "type").is_some_and(|t| t.get("enum").is_some()) {
            return Err(Unfit::TypesFixed);
        }
        if schema::required(item).any(|name| !CONDITION_FIELDS.contains(&name)) {
            return Err(Unfit::OtherFieldsRequired);
        }
        let stored = |name: &&str| schema::property(item, name).is_some() || schema::is_free_form(item);
        Ok(Self {
            merged_by_type: schema::list_map_keys(list).eq(["type"]),
            fields: CONDITION_FIELDS.into_iter().chain(["observedGeneration"]).filter(stored).collect(),
            max_items: list.get("maxItems").and_then(Value::as_u64),
        })
    }

    /// A list that no schema describes: anything can be stored, and each write replaces it.
    fn undescribed() -> Self {
        let fields = CONDITION_FIELDS.into_iter().chain(["observedGeneration"]).collect();
        Self { merged_by_type: false, fields, max_items: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn status(conditions: &Value) -> Value {
        json!({"type": "object", "properties": {"status": {"type": "object", "properties": {"conditions": conditions}}}})
    }

    fn list(item: &Value) -> Value {
        json!({"type": "array", "items": item})
    }

    #[test]
    fn a_list_of_conditions_says_how_it_is_written() {
        let text = json!({"type": "string"});
        let item = json!({"type": "object", "required": ["type", "status"], "properties": {
            "type": text, "status": text, "reason": text, "observedGeneration": {"type": "integer"}}});
        let mut conditions = list(&item);
        let found = StatusContract::of(&status(&conditions));
        assert!(!found.observed_generation);
        let fields = ["observedGeneration", "reason", "status", "type"].into_iter().collect();
        assert_eq!(found.conditions, Ok(Conditions { merged_by_type: false, fields, max_items: None }));

        conditions["x-kubernetes-list-type"] = json!("map");
        conditions["x-kubernetes-list-map-keys"] = json!(["type"]);
        conditions["maxItems"] = json!(8);
        let found = StatusContract::of(&status(&conditions)).conditions.unwrap();
        assert!(found.merged_by_type);
        assert_eq!(found.max_items, Some(8));
    }

    #[test]
    fn why_a_status_cannot_hold_the_condition() {
        let text = json!({"type": "string"});
        let unfit = |root: &Value| StatusContract::of(root).conditions.unwrap_err();
        assert_eq!(unfit(&json!({"type": "object"})), Unfit::Absent);
        assert_eq!(unfit(&json!({"type": "object", "properties": {"status": {"type": "object"}}})), Unfit::Absent);
        let map = json!({"type": "object", "additionalProperties": {"type": "string"}});
        assert_eq!(unfit(&json!({"type": "object", "properties": {"status": map}})), Unfit::StatusNoObject);
        assert_eq!(unfit(&status(&text)), Unfit::NoList);
        assert_eq!(
            unfit(&status(&list(&json!({"type": "object", "properties": {"type": text}})))),
            Unfit::NoTypeOrStatus
        );
        let fixed = json!({"type": "string", "enum": ["Ready"]});
        let item = json!({"type": "object", "properties": {"type": fixed, "status": text}});
        assert_eq!(unfit(&status(&list(&item))), Unfit::TypesFixed);
        let item = json!({"type": "object", "required": ["severity"], "properties": {"type": text, "status": text}});
        assert_eq!(unfit(&status(&list(&item))), Unfit::OtherFieldsRequired);
    }

    #[test]
    fn a_status_of_any_shape_holds_everything() {
        let free = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
        let found = StatusContract::of(&json!({"type": "object", "properties": {"status": free}}));
        assert!(found.observed_generation);
        assert_eq!(found.conditions.map(|c| (c.merged_by_type, c.fields.len())), Ok((false, 6)));
    }
}
