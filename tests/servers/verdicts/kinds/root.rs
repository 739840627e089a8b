//! The root of a schema and the fields that every object has.

use serde_json::{Value, json};

use super::super::hand::{Did, Hand, any, kinds, put, thing};

kinds![
    root_type,
    root_without_type,
    root_nullable,
    root_default,
    root_enum,
    root_preserve,
    root_int_or_string,
    root_embedded,
    root_values,
    root_items,
    root_required_unknown,
    root_format,
    root_not_a_mapping,
    root_junctor,
    metadata_names,
    metadata_more,
    metadata_of_wrong_type,
    metadata_with_keywords,
    metadata_required,
    type_fields_restricted,
    status_of_another_type,
    root_map_type,
    root_without_properties,
    nested_metadata,
];

/// A root that is no object.
fn root_type(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let value = hand.one(json!(["array", "string", "", "Object"]));
    put(hand.root(crd)?, "type", value)
}

/// A root without a type.
fn root_without_type(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    hand.root(crd)?.remove("type").map(drop)
}

/// A root that may be null.
fn root_nullable(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let value = hand.one(json!([true, true, false]));
    put(hand.root(crd)?, "nullable", value)
}

/// A root with a default.
fn root_default(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let value = hand.one(json!([{}, {"spec": {}}, null, "x"]));
    put(hand.root(crd)?, "default", value)
}

/// A root with listed values.
fn root_enum(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let value = hand.one(json!([[{}], []]));
    put(hand.root(crd)?, "enum", value)
}

/// A root that preserves unknown fields.
fn root_preserve(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let value = hand.one(json!([true, true, false, null]));
    put(hand.root(crd)?, "x-kubernetes-preserve-unknown-fields", value)
}

/// A root that is a number or a text.
fn root_int_or_string(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    put(hand.root(crd)?, "x-kubernetes-int-or-string", json!(true))
}

/// A root that is embedded.
fn root_embedded(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    put(hand.root(crd)?, "x-kubernetes-embedded-resource", json!(true))
}

/// A root with `additionalProperties`.
fn root_values(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let value = hand.one(json!([true, false, {"type": "string"}]));
    let root = hand.root(crd)?;
    if value.is_object() {
        root.remove("properties");
    }
    put(root, "additionalProperties", value)
}

/// A root with items.
fn root_items(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    put(hand.root(crd)?, "items", json!({"type": "string"}))
}

/// A root that requires what it does not have, or what every object has.
fn root_required_unknown(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let value = hand.one(json!([["zzz"], ["metadata"], ["status"], ["apiVersion", "kind"], ["spec", "spec"]]));
    put(hand.root(crd)?, "required", value)
}

/// Keywords of scalars at the root.
fn root_format(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let (key, value) = hand
        .random
        .pick(&[
            ("format", json!("x")),
            ("pattern", json!("a")),
            ("minimum", json!(1)),
            ("minProperties", json!(1)),
            ("maxProperties", json!(1)),
            ("minLength", json!(1)),
            ("title", json!("A title")),
            ("example", json!({})),
            ("externalDocs", json!({"url": "https://example.com"})),
            ("id", json!("x")),
        ])
        .clone();
    put(hand.root(crd)?, key, value)
}

/// A schema that is none.
fn root_not_a_mapping(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let value = hand.one(json!([null, [], "x", true, {}]));
    let version = hand.version(crd)?;
    put(version.get_mut("schema")?.as_object_mut()?, "openAPIV3Schema", value)
}

/// Junctors at the root.
fn root_junctor(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let key = hand.word(&["anyOf", "oneOf", "allOf", "not"]);
    let schema = hand.one(json!([
        {"required": ["spec"]},
        {"properties": {"metadata": {"required": ["labels"]}}},
        {"properties": {"metadata": {"properties": {"name": {"pattern": "^a"}}}}},
        {"properties": {"spec": {"required": ["zzz"]}}},
        {"properties": {"kind": {"enum": ["A"]}}},
    ]));
    let value = if key == "not" { schema } else { json!([schema]) };
    put(hand.root(crd)?, key, value)
}

fn metadata(crd: &mut Value, hand: &mut Hand<'_>, schema: Value) -> Did {
    let root = hand.root(crd)?;
    let properties = root.entry("properties").or_insert_with(|| json!({})).as_object_mut()?;
    put(properties, "metadata", schema)
}

/// What may be said of an object's name.
fn metadata_names(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let schema = hand.one(json!([
        {"type": "object", "properties": {"name": {"type": "string", "pattern": "^a"}}},
        {"type": "object", "properties": {"name": {"type": "string", "maxLength": 20}, "generateName": {"type": "string"}}},
        {"type": "object", "properties": {"name": {"type": "string", "enum": ["a", "b"]}}},
        {"type": "object", "properties": {"name": {"type": "string", "format": "uuid", "description": "x"}}},
        {"type": "object", "description": "x", "properties": {}},
    ]));
    metadata(crd, hand, schema)
}

/// What may not be said of it.
fn metadata_more(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let schema = hand.one(json!([
        {"type": "object", "properties": {"labels": {"type": "object", "additionalProperties": {"type": "string"}}}},
        {"type": "object", "properties": {"name": {"type": "string"}, "namespace": {"type": "string"}}},
        {"type": "object", "properties": {"annotations": {"type": "object"}}},
        {"type": "object", "properties": {"name": {"type": "string", "default": "a"}}},
        {"type": "object", "properties": {"name": {"type": "string", "nullable": true}}},
        {"type": "object", "properties": {"name": {"type": "integer"}}},
        {"type": "object", "properties": {"name": {"type": "string", "x-kubernetes-validations": [{"rule": "self != 'x'"}]}}},
        {"type": "object", "x-kubernetes-validations": [{"rule": "self.name != 'x'"}]},
        {"type": "object", "properties": {"name": {"type": "string", "anyOf": [{"pattern": "a"}, {"pattern": "b"}]}}},
    ]));
    metadata(crd, hand, schema)
}

/// Metadata that is no object.
fn metadata_of_wrong_type(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let schema = hand.one(json!([{"type": "string"}, {}, {"x-kubernetes-preserve-unknown-fields": true}, {"type": "array", "items": {"type": "string"}}, null]));
    metadata(crd, hand, schema)
}

/// Keywords that metadata may not have.
fn metadata_with_keywords(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let (key, value) = hand
        .random
        .pick(&[
            ("additionalProperties", json!(true)),
            ("additionalProperties", json!({"type": "string"})),
            ("nullable", json!(true)),
            ("default", json!({})),
            ("enum", json!([{}])),
            ("minProperties", json!(1)),
            ("maxProperties", json!(1)),
            ("x-kubernetes-preserve-unknown-fields", json!(true)),
            ("x-kubernetes-embedded-resource", json!(true)),
            ("x-kubernetes-map-type", json!("atomic")),
            ("title", json!("x")),
            ("example", json!({})),
            ("x-vendor", json!(1)),
            ("anyOf", json!([{"required": ["name"]}])),
            ("format", json!("x")),
            ("externalDocs", json!({"url": "x"})),
        ])
        .clone();
    metadata(crd, hand, json!({"type": "object", key: value}))
}

/// Required metadata.
fn metadata_required(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let value = hand.one(json!([["name"], ["labels"], ["name", "namespace"], []]));
    metadata(crd, hand, json!({"type": "object", "required": value, "properties": {"name": {"type": "string"}}}))
}

/// `apiVersion` and `kind` with more than their type.
fn type_fields_restricted(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let name = hand.word(&["apiVersion", "kind"]);
    let schema = hand.one(json!([
        {"type": "integer"}, {"type": "string", "enum": ["x"]}, {"type": "string", "default": "x"}, {"type": "string", "pattern": "^a"},
        {"type": "string", "nullable": true}, {"type": "object"}, {}, {"type": "string", "minLength": 3}, {"type": "string", "x-kubernetes-validations": [{"rule": "self != ''"}]},
    ]));
    let root = hand.root(crd)?;
    put(root.entry("properties").or_insert_with(|| json!({})).as_object_mut()?, name, schema)
}

/// A status that is no object, or more than one.
fn status_of_another_type(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let schema = hand.one(json!([
        {"type": "string"}, {"type": "array", "items": {"type": "string"}}, {"type": "object", "nullable": true}, {"type": "object", "default": {}},
        {"type": "object", "additionalProperties": {"type": "string"}}, {"type": "object", "x-kubernetes-preserve-unknown-fields": true}, {"x-kubernetes-int-or-string": true},
        {"type": "object", "required": ["a"], "properties": {"a": {"type": "string"}}},
        {"type": "object", "properties": {"conditions": {"type": "string"}}},
    ]));
    let root = hand.root(crd)?;
    put(root.entry("properties").or_insert_with(|| json!({})).as_object_mut()?, "status", schema)
}

/// The type of the root as a map.
fn root_map_type(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let value = hand.one(json!(["atomic", "granular", "set"]));
    put(hand.root(crd)?, "x-kubernetes-map-type", value)
}

/// A root that describes nothing.
fn root_without_properties(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let keep = hand.random.chance(50);
    let root = hand.root(crd)?;
    root.clear();
    if keep {
        put(root, "x-kubernetes-preserve-unknown-fields", json!(true))?;
    }
    put(root, "type", json!("object"))
}

/// Metadata of what is not the root, which is a field like others.
fn nested_metadata(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let mut schema = thing();
    schema["properties"]["metadata"] = hand.one(json!([
        {"type": "object", "properties": {"labels": {"type": "object", "additionalProperties": {"type": "string"}}}},
        {"type": "string"}, {"type": "object", "default": {}, "nullable": true},
    ]));
    hand.insert(crd, schema)?;
    hand.node(crd, any).map(drop)
}
