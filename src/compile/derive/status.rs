//! What every derived status has (`DESIGN.md` §4): conditions, so that "is it in
//! step, and if not, why" has an answer for every service, and the generation
//! that was last observed.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::contract::{self, CONDITION_FIELDS, StatusContract};
use super::exposure::Report;
use crate::compile::{cel, schema};
use crate::model::codes::derivation as codes;
use crate::model::path::{Exposed, FieldPath, PathSet};

/// Adds to the pruned root what the contract requires and the exposure does not have.
pub(super) fn guarantee(root: &mut Value, set: &PathSet, report: &mut Report<'_>) {
    let exposed = set.property("status");
    if exposed == Exposed::Hidden {
        let message = "nothing of `.status` is exposed: tenants see the state of synchronisation, not of the service";
        let help = "add paths below `.status`, such as `- jsonPath: .status.conditions`";
        report.at(&codes::STATUS_HIDDEN, report.item.place, message.to_owned(), help.to_owned());
    }
    storable_at_any_time(root, report);
    let Some(properties) = root.get_mut("properties").and_then(Value::as_object_mut) else { return };
    let status = properties.entry("status").or_insert_with(|| json!({"type": "object"}));
    if contract::is_struct(status)
        && let Some(status) = status.as_object_mut()
    {
        complete(status);
    }
    if let Err(why) = StatusContract::of(root).conditions {
        let place = FieldPath::default().property("status").property("conditions");
        let message = format!("`.status.conditions` cannot hold the condition `Synced`: {why}");
        report.about(&codes::CONDITIONS_UNFIT, &place, message, None);
    }
}

/// Makes the status storable before the service has reported anything: nothing of it is required (R2), no union
/// requires a part of it, and no rule relies on a field that was required.
fn storable_at_any_time(root: &mut Value, report: &mut Report<'_>) {
    let at = FieldPath::default().property("status");
    let Some(status) = root.pointer_mut("/properties/status").and_then(Value::as_object_mut) else { return };
    let required: Vec<String> = schema::required(&Value::Object(status.clone())).map(str::to_owned).collect();
    status.remove("required");
    status.remove("minProperties");
    for key in schema::JUNCTORS {
        if status.remove(key).is_some() {
            let message =
                format!("`{at}`: `{key}` is dropped: a status must be storable before the service has reported");
            report.about(&codes::VALIDATION_DROPPED, &at, message, None);
        }
    }
    uncertain(status, &required.iter().map(|n| FieldPath::default().property(n)).collect(), &at, report);
    if let Some(root) = root.as_object_mut() {
        uncertain(root, &required.iter().map(|n| at.property(n)).collect(), &FieldPath::default(), report);
    }
}

/// Drops the rules that rely on fields which may be missing now.
fn uncertain(node: &mut Map<String, Value>, fields: &BTreeSet<FieldPath>, at: &FieldPath, report: &mut Report<'_>) {
    let Some(rules) = node.get_mut("x-kubernetes-validations").and_then(Value::as_array_mut) else { return };
    rules.retain(|rule| {
        let text = rule.get("rule").and_then(Value::as_str).unwrap_or_default();
        let why = match cel::reads(text, fields) {
            Ok(read) if read.is_empty() => return true,
            Ok(read) => {
                let read = read.join("`, `");
                format!("it relies on `{read}`, which a status may lack before the service has reported")
            }
            Err(unparsed) => unparsed.to_string(),
        };
        let message = format!("`{at}`: the rule `{}` is dropped: {why}", cel::one_line(text));
        report.about(&codes::RULE_DROPPED, at, message, None);
        false
    });
    if rules.is_empty() {
        node.remove("x-kubernetes-validations");
    }
}

/// Adds `observedGeneration` and `conditions` to the schema of a status that lacks them.
fn complete(status: &mut Map<String, Value>) {
    let free = status.contains_key("x-kubernetes-preserve-unknown-fields");
    let described = |name: &str| status.get("properties").is_some_and(|p| p.get(name).is_some());
    if free && !described("conditions") {
        // The service may report anything there already; a description could refuse it.
        return;
    }
    let properties = status.entry("properties").or_insert_with(|| json!({}));
    let Some(properties) = properties.as_object_mut() else { return };
    properties.entry("observedGeneration").or_insert_with(|| json!({"type": "integer", "format": "int64"}));
    properties.entry("conditions").or_insert_with(conditions);
}

fn conditions() -> Value {
    let text = |description: &str| json!({"type": "string", "description": description});
    json!({
        "type": "array",
        "description": "What is known of the object, one item a type. `Synced` says whether it is in step with the service cluster.",
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["type"],
        "items": {
            "type": "object",
            "required": CONDITION_FIELDS,
            "properties": {
                "type": text("What this is about."),
                "status": {"type": "string", "enum": ["True", "False", "Unknown"], "description": "Whether it is so."},
                "reason": text("Why, in one word."),
                "message": text("Why, in a sentence."),
                "lastTransitionTime": {"type": "string", "format": "date-time", "description": "When the status last changed."},
                "observedGeneration": {"type": "integer", "format": "int64", "description": "The generation this speaks of."},
            },
        },
    })
}
