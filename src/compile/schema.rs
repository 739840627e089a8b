//! Read-only looks into a CRD's OpenAPI schema.
//!
//! Foreign schemas stay `serde_json::Value`: typed structs would lose what they
//! do not know (`rust.md` C1). Nothing here changes a schema.

use serde_json::{Map, Value};

use crate::model::path::Segment;

/// The names of a node's junctors, in the order they are handled.
pub const JUNCTORS: [&str; 4] = ["allOf", "anyOf", "oneOf", "not"];

/// The properties of an object node, in order of name.
pub fn properties(schema: &Value) -> impl Iterator<Item = (&String, &Value)> {
    schema.get("properties").and_then(Value::as_object).into_iter().flatten()
}

/// One property of an object node.
pub fn property<'a>(schema: &'a Value, name: &str) -> Option<&'a Value> {
    schema.get("properties")?.get(name)
}

/// The schema of a list's items.
pub fn items(schema: &Value) -> Option<&Value> {
    schema.get("items").filter(|i| i.is_object())
}

/// The schema of a map's values; `None` for `additionalProperties: true`, which describes nothing.
pub fn values(schema: &Value) -> Option<&Value> {
    schema.get("additionalProperties").filter(|a| a.is_object())
}

/// The children of a node, each with the step that leads to it.
pub fn children(schema: &Value) -> impl Iterator<Item = (Segment, &Value)> {
    properties(schema)
        .map(|(name, child)| (Segment::Property(name.clone()), child))
        .chain(items(schema).map(|child| (Segment::Items, child)))
        .chain(values(schema).map(|child| (Segment::Values, child)))
}

/// The node that a path leads to; a key of a map leads to the schema of its values.
pub fn at<'a>(root: &'a Value, path: &[Segment]) -> Option<&'a Value> {
    path.iter().try_fold(root, |node, segment| match segment {
        Segment::Property(name) => property(node, name).or_else(|| values(node)),
        Segment::Items => items(node),
        Segment::Values => values(node),
    })
}

/// The names under `required`.
pub fn required(schema: &Value) -> impl Iterator<Item = &str> {
    strings(schema, "required")
}

/// The keys that tell a list-map's items apart.
pub fn list_map_keys(schema: &Value) -> impl Iterator<Item = &str> {
    let keyed = list_type(schema) == "map";
    strings(schema, "x-kubernetes-list-map-keys").filter(move |_| keyed)
}

/// Whether a write to a part of the node replaces all of it.
pub fn is_atomic(schema: &Value) -> bool {
    match type_name(schema) {
        "array" => list_type(schema) != "map",
        _ => schema.get("x-kubernetes-map-type").and_then(Value::as_str) == Some("atomic"),
    }
}

/// `atomic` where a list says nothing.
pub fn list_type(schema: &Value) -> &str {
    schema.get("x-kubernetes-list-type").and_then(Value::as_str).unwrap_or("atomic")
}

/// The node's `type`, or what its shape implies; empty for a node that may be anything.
pub fn type_name(schema: &Value) -> &str {
    match schema.get("type").and_then(Value::as_str) {
        Some(t) => t,
        None if flag(schema, "x-kubernetes-int-or-string") => "int-or-string",
        None if schema.get("properties").is_some() || schema.get("additionalProperties").is_some() => "object",
        None if schema.get("items").is_some() => "array",
        None => "",
    }
}

/// Whether an extension is set to true.
pub fn flag(schema: &Value, key: &str) -> bool {
    schema.get(key).and_then(Value::as_bool).unwrap_or(false)
}

/// Whether anything may stand below the node, described or not.
pub fn is_free_form(schema: &Value) -> bool {
    flag(schema, "x-kubernetes-preserve-unknown-fields")
        || schema.get("additionalProperties").and_then(Value::as_bool).unwrap_or(false)
}

/// Whether the node is a whole Kubernetes object of its own.
pub fn is_embedded(schema: &Value) -> bool {
    flag(schema, "x-kubernetes-embedded-resource")
}

/// The strings of a list under `key`.
pub fn strings<'a>(schema: &'a Value, key: &str) -> impl Iterator<Item = &'a str> + use<'a> {
    schema.get(key).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

/// Sets a list of strings, or removes the key when there are none.
pub fn set_strings(schema: &mut Map<String, Value>, key: &str, names: Vec<String>) {
    if names.is_empty() {
        schema.remove(key);
    } else {
        schema.insert(key.to_owned(), Value::Array(names.into_iter().map(Value::String).collect()));
    }
}

/// A node's type as people say it: `[]object`, `map of string`, `int-or-string`.
pub fn describe(schema: &Value) -> String {
    match type_name(schema) {
        "array" => format!("[]{}", items(schema).map_or_else(|| "any".to_owned(), describe)),
        "object" if values(schema).is_some() => {
            format!("map of {}", values(schema).map_or_else(String::new, describe))
        }
        "object" if is_free_form(schema) && schema.get("properties").is_none() => "object of any shape".to_owned(),
        "" => "anything".to_owned(),
        other => other.to_owned(),
    }
}

/// The least number of bytes that an instance of the node takes in JSON, as the
/// API server's cost estimate has it: required properties without a default,
/// names, quotes and braces (apiserver `pkg/cel/common/schemas.go`, `SchemaDeclType`).
pub fn least_size(schema: &Value) -> u64 {
    if flag(schema, "x-kubernetes-int-or-string") {
        return 1;
    }
    match type_name(schema) {
        "object" if values(schema).is_some() => 2,
        "object" => {
            let needed: Vec<&str> = required(schema).collect();
            let of = |(name, prop): (&String, &Value)| match prop.get("default") {
                None if needed.contains(&name.as_str()) => name.len() as u64 + least_size(prop) + 4,
                _ => 0,
            };
            2 + properties(schema).map(of).sum::<u64>()
        }
        "boolean" => 4,
        "number" | "integer" => 1,
        _ => 2,
    }
}
