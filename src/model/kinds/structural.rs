//! Converts the schema that schemars generates for a Rust type to two dialects:
//! structural schemas for Kubernetes and draft-07 for editors.
//!
//! A structural schema has no `$ref`, allows `null` by `nullable` only, and does not
//! define fields inside `anyOf` and similar keywords. Editors do not support
//! `x-kubernetes-*`. In both, an optional field may be absent but not null, as in the
//! API server.

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::table::{KindInfo, SchemaOf};

/// The structural schema of a type.
#[must_use]
pub(crate) fn structural(schema_of: SchemaOf) -> Value {
    let mut settings = SchemaSettings::draft07();
    settings.inline_subschemas = true;
    settings.meta_schema = None;
    let mut generator = settings.into_generator();
    let mut schema = schema_of(&mut generator).to_value();
    tidy(&mut schema);
    for_each_schema(&mut schema, &mut to_structural);
    schema
}

/// The structural schema of a kind's whole object, for its CRD. `spec` is required if it
/// has required fields.
#[must_use]
pub(crate) fn object_schema(info: &KindInfo) -> Value {
    let spec = structural(info.spec);
    let mut properties = json!({
        "apiVersion": {
            "description": "The version of this object's schema.",
            "type": "string",
        },
        "kind": {
            "description": "The kind of this object.",
            "type": "string",
        },
        "metadata": { "type": "object" },
    });
    let mut schema = json!({ "description": info.summary, "type": "object" });
    if spec.get("required").is_some() {
        schema["required"] = json!(["spec"]);
    }
    properties["spec"] = spec;
    if let Some(status) = info.status {
        properties["status"] = structural(status);
    }
    schema["properties"] = properties;
    if !info.rules.is_empty() {
        let rules = info.rules.iter().map(|(rule, message)| json!({ "rule": rule, "message": message }));
        schema["x-kubernetes-validations"] = rules.collect();
    }
    schema
}

/// Normalizes a schema for both dialects: no `null` for optional fields, enums as lists of
/// values, the first paragraph of descriptions, no titles, no empty defaults.
pub(super) fn tidy(schema: &mut Value) {
    for_each_schema(schema, &mut |schema| {
        drop_null(schema);
        plain_enum(schema);
        if let Some(Value::String(text)) = schema.get_mut("description") {
            let first = text.split("\n\n").next().unwrap_or_default().replace('\n', " ");
            *text = first;
        }
        schema.remove("title");
        if schema.get("default").is_some_and(is_empty) {
            schema.remove("default");
        }
    });
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(entries) => entries.is_empty(),
        _ => false,
    }
}

/// schemars generates `T` or null for `Option<T>`; this leaves `T`.
fn drop_null(schema: &mut Map<String, Value>) {
    if let Some(Value::Array(types)) = schema.get_mut("type") {
        types.retain(|t| t != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            schema.insert("type".into(), only);
        }
    }
    if let Some(Value::Array(branches)) = schema.get_mut("anyOf") {
        branches.retain(|b| b.get("type").is_none_or(|t| t != "null"));
        if let [Value::Object(only)] = branches.as_slice() {
            let only = only.clone();
            schema.remove("anyOf");
            for (key, value) in only {
                schema.entry(key).or_insert(value);
            }
        }
    }
    if let Some(Value::Array(values)) = schema.get_mut("enum") {
        values.retain(|v| !v.is_null());
    }
}

/// schemars generates a `oneOf` of constants for an enum with documented variants.
fn plain_enum(schema: &mut Map<String, Value>) {
    let Some(Value::Array(branches)) = schema.get("oneOf") else { return };
    let mut values = Vec::new();
    for branch in branches {
        match (branch.get("const"), branch.get("enum")) {
            (Some(value), _) => values.push(value.clone()),
            (None, Some(Value::Array(some))) => values.extend(some.iter().cloned()),
            _ => return,
        }
    }
    schema.remove("oneOf");
    schema.insert("type".into(), json!("string"));
    schema.insert("enum".into(), Value::Array(values));
}

fn to_structural(schema: &mut Map<String, Value>) {
    // A structural schema has either `properties` or `additionalProperties`.
    if schema.get("additionalProperties") == Some(&Value::Bool(false)) {
        schema.remove("additionalProperties");
    }
    for outside in ["anyOf", "oneOf", "allOf", "not"] {
        schema.remove(outside);
    }
}

/// Applies `change` to this schema and all schemas in it, the innermost first. The keys of
/// `properties` are field names, not keywords.
pub(super) fn for_each_schema(schema: &mut Value, change: &mut impl FnMut(&mut Map<String, Value>)) {
    let Value::Object(map) = schema else { return };
    for keyed in ["properties", "definitions", "patternProperties"] {
        if let Some(Value::Object(children)) = map.get_mut(keyed) {
            for child in children.values_mut() {
                for_each_schema(child, change);
            }
        }
    }
    for single in ["items", "additionalProperties", "not", "if", "then", "else", "propertyNames"] {
        if let Some(child) = map.get_mut(single) {
            for_each_schema(child, change);
        }
    }
    for many in ["anyOf", "oneOf", "allOf"] {
        if let Some(Value::Array(children)) = map.get_mut(many) {
            for child in children {
                for_each_schema(child, change);
            }
        }
    }
    change(map);
}
