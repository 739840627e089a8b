//! The keywords of a schema, node by node: those that API servers refuse, and those that must fit each other.
//!
//! Source: apiextensions-apiserver `pkg/apis/apiextensions/validation/validation.go`,
//! `ValidateCustomResourceDefinitionOpenAPISchema` and `specStandardValidatorV3`, Kubernetes 1.37 (the same in 1.33). Nodes
//! are those of `decode`. Rules of CEL are checked elsewhere.

use std::collections::BTreeSet;

use serde_json::Value;

use super::node::{Node, given, is, object, objects, strings};
use super::problem::{Kind, Report};

/// The types that there are.
const TYPES: [&str; 6] = ["array", "boolean", "integer", "number", "object", "string"];

/// Keywords that are refused wherever they stand.
const REFUSED: [&str; 8] =
    ["$ref", "$schema", "additionalItems", "definitions", "dependencies", "id", "patternProperties", "uniqueItems"];

/// What may stand at the root of a schema with the status subresource.
const AT_ROOT: [&str; 22] = [
    "description",
    "type",
    "format",
    "title",
    "maximum",
    "exclusiveMaximum",
    "minimum",
    "exclusiveMinimum",
    "maxLength",
    "minLength",
    "pattern",
    "maxItems",
    "minItems",
    "uniqueItems",
    "multipleOf",
    "required",
    "items",
    "properties",
    "externalDocs",
    "example",
    "x-kubernetes-preserve-unknown-fields",
    "x-kubernetes-validations",
];

/// What is said of another keyword.
pub(super) const NOT_AT_ROOT: &str = "is not allowed at the root of a schema with the status subresource";

/// Whether a keyword may stand at the root of a schema with the status subresource.
pub(crate) fn may_be_at_root(key: &str) -> bool {
    AT_ROOT.contains(&key)
}

/// The keywords of the root, if the status is a subresource: its own schema is cut out of the root's, and nothing else of
/// the root may judge it.
pub(super) fn beside_status(root: &Node, report: &mut Report) {
    if let Some(other) = root.get("type").and_then(Value::as_str).filter(|type_| *type_ != "object") {
        report.say(Kind::Structural, "type", format!("must be `object`, not `{other}`, with the status subresource"));
    }
    for key in root.keys().filter(|key| !may_be_at_root(key) && !REFUSED.contains(&key.as_str())) {
        report.say(Kind::Structural, key, NOT_AT_ROOT);
    }
}

/// Where defaults are refused, and whether a node is within the metadata of an object.
#[derive(Debug, Clone, Copy, Default)]
struct Scope {
    no_defaults: Option<&'static str>,
    in_metadata: bool,
}

/// The keywords of every node of a schema.
pub(super) fn keywords(root: &Node, report: &mut Report) {
    if root.contains_key("nullable") {
        report.say(Kind::Structural, "nullable", "must not be true at the root");
    }
    node(root, Scope::default(), true, report);
}

fn node(this: &Node, scope: Scope, is_root: bool, report: &mut Report) {
    alone(this, scope, report);
    lists(this, report);
    let embedded = is(this, "x-kubernetes-embedded-resource");
    if let Some(values) = this.get("additionalProperties") {
        if *values != Value::Bool(true) && this.contains_key("properties") {
            report.say(
                Kind::Structural,
                "additionalProperties",
                "is not allowed beside `properties`: describe fields with the one, or a map with the other",
            );
        }
        if let Some(child) = values.as_object() {
            let mut inside = scope;
            if scope.in_metadata {
                inside.no_defaults = Some("in a map within metadata");
            }
            report.within("additionalProperties", |report| node(child, inside, false, report));
        }
    }
    report.within("properties", |report| {
        for (name, child) in object(this, "properties").into_iter().flatten() {
            let Some(child) = child.as_object() else { continue };
            let mut inside = scope;
            if (is_root || embedded) && matches!(name.as_str(), "apiVersion" | "kind" | "metadata") {
                inside.in_metadata = true;
                if is_root {
                    inside.no_defaults = Some("in `apiVersion`, `kind` and `metadata` of the root");
                }
            }
            report.within(name, |report| node(child, inside, false, report));
        }
    });
    if let Some(child) = object(this, "not") {
        report.within("not", |report| node(child, scope, false, report));
    }
    for key in ["allOf", "anyOf", "oneOf", "items"] {
        report.within(key, |report| {
            for (index, child) in objects(this, key) {
                report.within(&index.to_string(), |report| node(child, scope, false, report));
            }
        });
    }
    if let Some(child) = object(this, "items") {
        report.within("items", |report| node(child, scope, false, report));
    }
}

/// What is wrong with a node by itself.
fn alone(this: &Node, scope: Scope, report: &mut Report) {
    for key in REFUSED.into_iter().filter(|key| this.contains_key(*key)) {
        report.say(Kind::Structural, key, "is a keyword that API servers refuse; remove it");
    }
    if this.get("items").is_some_and(Value::is_array) {
        report.say(Kind::Structural, "items", "must be one schema, not a list of schemas");
    }
    match given(this, "type") {
        Some("null") => report.say(Kind::Structural, "type", "must not be `null`; write `nullable: true` instead"),
        Some(other) if !TYPES.contains(&other) => {
            let message = format!("is `{other}`, which is not a type; the types are {}", listed(&TYPES));
            report.say(Kind::Structural, "type", message);
        }
        _ => {}
    }
    if let Some(why) = scope.no_defaults.filter(|_| this.contains_key("default")) {
        report.say(Kind::Structural, "default", format!("must not be set {why}"));
    }
    if scope.in_metadata && is(this, "x-kubernetes-embedded-resource") {
        report.say(Kind::Structural, "x-kubernetes-embedded-resource", "is not allowed within metadata");
    }
    if this.get("x-kubernetes-preserve-unknown-fields") == Some(&Value::Bool(false)) {
        report.say(Kind::Structural, "x-kubernetes-preserve-unknown-fields", "must be true or not be there; remove it");
    }
    if let Some(map_type) = given(this, "x-kubernetes-map-type") {
        if given(this, "type") != Some("object") {
            report.say(Kind::Structural, "x-kubernetes-map-type", "needs `type: object` beside it");
        }
        if !["atomic", "granular"].contains(&map_type) {
            let message = format!("is {map_type:?}; it must be `atomic` or `granular`");
            report.say(Kind::Structural, "x-kubernetes-map-type", message);
        }
    }
}

/// What says how lists are merged.
fn lists(this: &Node, report: &mut Report) {
    let list_type = given(this, "x-kubernetes-list-type");
    let items = object(this, "items");
    let keys: Vec<&str> = strings(this, "x-kubernetes-list-map-keys").collect();
    if let Some(list_type) = list_type {
        if given(this, "type") != Some("array") {
            report.say(Kind::Structural, "x-kubernetes-list-type", "needs `type: array` beside it");
        }
        if !["atomic", "map", "set"].contains(&list_type) {
            let message = format!("is {list_type:?}; it must be `atomic`, `map` or `set`");
            report.say(Kind::Structural, "x-kubernetes-list-type", message);
        }
    }
    if !keys.is_empty() && list_type != Some("map") {
        report.say(Kind::Structural, "x-kubernetes-list-map-keys", "needs `x-kubernetes-list-type: map` beside it");
    }
    if let Some(items) = items.filter(|_| matches!(list_type, Some("set" | "map")))
        && is(items, "nullable")
    {
        report.say_below(Kind::Structural, "/items/nullable", "must not be true for the items of a set or a map");
    }
    match list_type {
        Some("set") => set(items, given(this, "type") == Some("array"), report),
        Some("map") => map(items, &keys, report),
        _ => {}
    }
}

fn set(items: Option<&Node>, is_array: bool, report: &mut Report) {
    let Some(items) = items.filter(|_| is_array) else { return };
    let message = "must be `atomic` for the items of a set";
    match given(items, "type") {
        Some("array") if given(items, "x-kubernetes-list-type").is_some_and(|t| t != "atomic") => {
            report.say_below(Kind::Structural, "/items/x-kubernetes-list-type", message);
        }
        Some("object") if given(items, "x-kubernetes-map-type") != Some("atomic") => {
            report.say_below(Kind::Structural, "/items/x-kubernetes-map-type", message);
        }
        _ => {}
    }
}

fn map(items: Option<&Node>, keys: &[&str], report: &mut Report) {
    if keys.is_empty() {
        let message = "needs `x-kubernetes-list-map-keys` beside it, with at least one key";
        report.say(Kind::Structural, "x-kubernetes-list-type", message);
    }
    let Some(items) = items else {
        report.say(
            Kind::Structural,
            "x-kubernetes-list-type",
            "is `map`, so the schema of the items must be described",
        );
        return;
    };
    if given(items, "type") != Some("object") {
        report.say_below(Kind::Structural, "/items/type", "must be `object` for the items of a list of type `map`");
        return;
    }
    let required: BTreeSet<&str> = strings(items, "required").collect();
    let mut seen = BTreeSet::new();
    for (index, key) in keys.iter().enumerate() {
        if !seen.insert(key) {
            let message = format!("has the key `{key}` twice");
            report.say(Kind::Structural, "x-kubernetes-list-map-keys", message);
        }
        let Some(field) = object(items, "properties").and_then(|p| p.get(*key)).and_then(Value::as_object) else {
            let message = format!("is `{key}`, which is not a property of the items");
            report.say_below(Kind::Structural, &format!("/x-kubernetes-list-map-keys/{index}"), message);
            continue;
        };
        report.within("items", |report| {
            report.within("properties", |report| {
                report.within(key, |report| {
                    if matches!(given(field, "type"), Some("array" | "object")) {
                        report.say(Kind::Structural, "type", "must be a scalar for a key of the list");
                    }
                    if !required.contains(key) && !field.contains_key("default") {
                        report.say(
                            Kind::Structural,
                            "",
                            "is a key of the list, so it must be required or have a default",
                        );
                    }
                    if is(field, "nullable") {
                        report.say(Kind::Structural, "nullable", "must not be true for a key of the list");
                    }
                });
            });
        });
    }
}

fn listed(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}
