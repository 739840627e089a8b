//! Changes that a server takes, which carrier must take, too.

use serde_json::{Map, Value, json};

use super::super::hand::{Did, Hand, any, has_properties, is, kinds, named_list, put, thing};

kinds![
    sound_nothing,
    sound_texts,
    sound_example,
    sound_nullable,
    sound_optional,
    sound_reordered,
    sound_empty_object,
    sound_list,
    sound_map,
    sound_enum,
    sound_bounds,
    sound_default,
    sound_required_with_default,
    sound_columns,
    sound_names,
    sound_objects_nested,
    sound_open_object,
    sound_unions,
    sound_rules_bounded,
    sound_defaults_nested,
    sound_status_fields,
    sound_empty_keywords,
];

/// The CRD as it is.
#[allow(clippy::unnecessary_wraps, reason = "the others may find nothing to change")]
fn sound_nothing(_: &mut Value, _: &mut Hand<'_>) -> Did {
    Some(())
}

/// Descriptions and titles.
fn sound_texts(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let (key, text) = (
        hand.word(&["description", "title"]),
        hand.word(&["A text.", "Two\nlines.", "  indented", "a: b # c", "\u{e4}\u{1f600}"]),
    );
    put(hand.inner(crd, any)?, key, json!(text))
}

/// An example.
fn sound_example(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let value = hand.one(json!(["x", 1, {"a": [1, 2.5]}, [], true, {"b": null}]));
    put(hand.inner(crd, any)?, "example", value)
}

/// A field that may be null.
fn sound_nullable(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    put(hand.inner(crd, |node| node.get("type").is_some() && node.get("enum").is_none())?, "nullable", json!(true))
}

/// A required field that is required no more.
fn sound_optional(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    hand.inner(crd, |node| node.get("required").is_some() && node.get("x-kubernetes-validations").is_none())?
        .remove("required")
        .map(drop)
}

/// Keys in another order.
fn sound_reordered(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let node = hand.inner(crd, has_properties)?;
    let properties = node.get_mut("properties")?.as_object_mut()?;
    let turned: Map<String, Value> = std::mem::take(properties).into_iter().rev().collect();
    *properties = turned;
    Some(())
}

/// An object without anything.
fn sound_empty_object(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let schema = hand.one(json!([{"type": "object"}, {"type": "object", "properties": {}}, {"type": "object", "default": {}}, {"type": "object", "nullable": true}]));
    hand.insert(crd, schema)
}

/// Lists of all sorts.
fn sound_list(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let schema = hand.one(json!([{"type": "array", "items": {"type": "string"}, "default": ["a"]}, {"type": "array", "items": {"type": "array", "items": {"type": "integer"}}}, named_list(), {"type": "array", "items": {"type": "object"}, "x-kubernetes-list-type": "atomic", "minItems": 1}]));
    hand.insert(crd, schema)
}

/// Maps of all sorts.
fn sound_map(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let schema = hand.one(json!([{"type": "object", "additionalProperties": {"type": "string"}}, {"type": "object", "additionalProperties": true}, {"type": "object", "additionalProperties": {"type": "object", "additionalProperties": {"type": "integer"}}}, {"type": "object", "additionalProperties": {"x-kubernetes-int-or-string": true}, "x-kubernetes-map-type": "atomic"}]));
    hand.insert(crd, schema)
}

/// Listed values.
fn sound_enum(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let schema = hand.one(json!([{"type": "string", "enum": ["a", "b", ""], "default": "a"}, {"type": "integer", "enum": [1, 2, 3]}, {"type": "boolean", "enum": [true]}, {"type": "number", "enum": [0.5, 1]}]));
    hand.insert(crd, schema)
}

/// Bounds.
fn sound_bounds(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let schema = hand.one(json!([{"type": "integer", "minimum": 0, "maximum": 10, "exclusiveMaximum": true, "multipleOf": 2, "default": 4}, {"type": "number", "minimum": -0.5, "multipleOf": 0.1, "default": 0.3}, {"type": "string", "minLength": 0, "maxLength": 9, "pattern": "^[a-z]*$", "default": ""}]));
    hand.insert(crd, schema)
}

/// A default.
fn sound_default(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let (kind, value) = hand
        .random
        .pick(&[
            ("string", json!("x")),
            ("integer", json!(3)),
            ("boolean", json!(false)),
            ("number", json!(1.5)),
            ("number", json!(2)),
        ])
        .clone();
    hand.insert(crd, json!({"type": kind, "default": value}))
}

/// A required field with a default.
fn sound_required_with_default(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let mut schema = thing();
    schema["required"] = json!(["a"]);
    schema["properties"]["a"]["default"] = json!("x");
    hand.insert(crd, schema)
}

/// Another column.
fn sound_columns(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let version = hand.version(crd)?;
    let list = version.entry("additionalPrinterColumns").or_insert_with(|| json!([])).as_array_mut()?;
    list.push(json!({"name": "More", "type": "string", "jsonPath": ".metadata.labels.more", "priority": 1}));
    Some(())
}

/// Short names and categories.
fn sound_names(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let (key, value) =
        hand.random.pick(&[("shortNames", json!(["zz", "zy"])), ("categories", json!(["all", "more"]))]).clone();
    put(crd.pointer_mut("/spec/names")?.as_object_mut()?, key, value)
}

/// Objects in objects.
fn sound_objects_nested(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let schema = json!({"type": "object", "properties": {"a": thing(), "l": {"type": "array", "items": thing()}, "m": {"type": "object", "additionalProperties": thing()}}});
    hand.insert(crd, schema)
}

/// An object that takes more than it describes.
fn sound_open_object(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    put(hand.inner(crd, is("object"))?, "x-kubernetes-preserve-unknown-fields", json!(true))
}

/// One of two fields.
fn sound_unions(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let mut schema = thing();
    let key = hand.word(&["oneOf", "anyOf"]);
    schema[key] = json!([{"required": ["a"]}, {"required": ["b"]}]);
    hand.insert(crd, schema)
}

/// A rule with bounds.
fn sound_rules_bounded(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let mut schema = thing();
    schema["properties"]["a"]["maxLength"] = json!(10);
    schema["x-kubernetes-validations"] = json!([{"rule": "!has(self.a) || self.a.startsWith('x')", "message": "must start with x", "reason": "FieldValueInvalid", "fieldPath": ".a"}]);
    hand.insert(crd, schema)
}

/// Defaults in defaults.
fn sound_defaults_nested(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let schema = hand.one(json!([
        {"type": "object", "default": {"a": "x"}, "properties": {"a": {"type": "string", "default": "y"}, "b": {"type": "integer", "default": 1}}},
        {"type": "object", "default": {}, "properties": {"o": {"type": "object", "default": {}, "properties": {"b": {"type": "integer", "default": 1}}}}},
    ]));
    hand.insert(crd, schema)
}

/// Fields of the status.
fn sound_status_fields(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let root = hand.root(crd)?.get_mut("properties")?.as_object_mut()?;
    let status = root.entry("status").or_insert_with(|| json!({"type": "object"})).as_object_mut()?;
    let properties = status.entry("properties").or_insert_with(|| json!({})).as_object_mut()?;
    put(
        properties,
        "more",
        json!({"type": "array", "items": {"type": "object", "required": ["type"], "properties": {"type": {"type": "string"}}}, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]}),
    )
}

/// Keywords that say nothing.
fn sound_empty_keywords(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let (key, value) = hand
        .random
        .pick(&[
            ("required", json!([])),
            ("description", json!("")),
            ("title", json!("")),
            ("format", json!("")),
            ("pattern", json!("")),
            ("nullable", json!(false)),
            ("exclusiveMinimum", json!(false)),
            ("minLength", json!(0)),
            ("anyOf", json!([])),
            ("enum", json!([])),
            ("x-kubernetes-validations", json!([])),
            ("properties", json!({})),
            ("uniqueItems", json!(false)),
            ("definitions", json!({})),
            ("dependencies", json!({})),
            ("x-kubernetes-list-map-keys", json!([])),
            ("id", json!("")),
            ("x-kubernetes-embedded-resource", json!(false)),
            ("x-kubernetes-int-or-string", json!(false)),
            ("default", json!(null)),
            ("example", json!(null)),
            ("x-kubernetes-list-type", json!(null)),
            ("not", json!(null)),
            ("items", json!(null)),
            ("additionalProperties", json!(null)),
            ("minimum", json!(null)),
            ("externalDocs", json!(null)),
            ("$schema", json!(null)),
            ("type", json!(null)),
        ])
        .clone();
    put(hand.inner(crd, |node| node.get(key).is_none())?, key, value)
}
