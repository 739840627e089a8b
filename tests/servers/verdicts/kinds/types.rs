//! Types, and keywords whose value has the wrong type.

use serde_json::{Value, json};

use super::super::hand::{Did, Hand, any, has_properties, is, kinds, put, thing};

kinds![
    type_is_a_list,
    type_unknown,
    type_of_wrong_json,
    type_missing,
    type_changed,
    properties_of_wrong_json,
    property_is_no_schema,
    items_of_wrong_json,
    items_missing,
    items_beside_another_type,
    additional_items,
    values_and_properties,
    values_true_and_properties,
    values_false,
    values_of_wrong_json,
    required_of_wrong_json,
    required_twice,
    required_unknown,
    required_empty,
    required_not_a_name,
    enum_of_wrong_json,
    enum_empty,
    enum_twice,
    enum_of_other_type,
    nullable_of_wrong_json,
    texts_of_wrong_json,
    unique_items,
    references,
    external_docs,
    properties_of_a_text,
];

/// `type: [string, "null"]`, as JSON Schema has it.
fn type_is_a_list(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let value = hand.one(json!([["string", "null"], ["string"], [], ["object"]]));
    put(hand.inner(crd, any)?, "type", value)
}

/// A type that does not exist.
fn type_unknown(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let value = hand.one(json!(["float", "any", "null", "String", "int", "", " string", "file"]));
    put(hand.inner(crd, any)?, "type", value)
}

/// A type that is no text.
fn type_of_wrong_json(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let value = hand.one(json!([1, true, {}, null, 1.5]));
    put(hand.inner(crd, any)?, "type", value)
}

/// A schema without a type.
fn type_missing(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    hand.inner(crd, |node| node.get("type").is_some())?.remove("type").map(drop)
}

/// Another type, beside keywords of the old one.
fn type_changed(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let value = hand.one(json!(["string", "integer", "number", "boolean", "array", "object"]));
    put(hand.inner(crd, any)?, "type", value)
}

/// `properties` that is no mapping.
fn properties_of_wrong_json(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let value = hand.one(json!([[], ["a"], "a", 1, true, null]));
    put(hand.inner(crd, is("object"))?, "properties", value)
}

/// A property that is no schema.
fn property_is_no_schema(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let value = hand.one(json!([true, false, null, "string", [], 1, {}]));
    hand.insert(crd, value)
}

/// `items` of a wrong type, the list of draft 4 among them.
fn items_of_wrong_json(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let value = hand.one(
        json!([[{"type": "string"}], [], true, false, {}, null, "string", [{"type": "string"}, {"type": "integer"}]]),
    );
    hand.insert(crd, json!({"type": "array", "items": value}))
}

/// A list that does not say of what.
fn items_missing(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    hand.insert(crd, json!({"type": "array"}))
}

/// `items` of what is no list.
fn items_beside_another_type(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let schema = hand.one(json!([
        {"type": "object", "items": {"type": "string"}},
        {"type": "string", "items": {"type": "string"}},
        {"type": "object", "properties": {"a": {"type": "string"}}, "items": {"type": "string"}},
    ]));
    hand.insert(crd, schema)
}

/// `additionalItems`.
fn additional_items(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let value = hand.one(json!([true, false, {"type": "string"}, null, "x"]));
    hand.insert(crd, json!({"type": "array", "items": {"type": "string"}, "additionalItems": value}))
}

/// A schema for all other values beside properties.
fn values_and_properties(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    put(hand.inner(crd, has_properties)?, "additionalProperties", json!({"type": "string"}))
}

/// `additionalProperties: true` beside properties, which is allowed.
fn values_true_and_properties(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    put(hand.inner(crd, has_properties)?, "additionalProperties", json!(true))
}

/// `additionalProperties: false`.
fn values_false(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    if hand.random.chance(50) {
        return hand.insert(crd, json!({"type": "object", "additionalProperties": false}));
    }
    put(hand.inner(crd, is("object"))?, "additionalProperties", json!(false))
}

/// `additionalProperties` that is neither a schema nor a boolean.
fn values_of_wrong_json(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let value = hand.one(json!(["yes", 1, [], {}, null, [{"type": "string"}], true]));
    hand.insert(crd, json!({"type": "object", "additionalProperties": value}))
}

/// `required` that is no list, as in draft 3.
fn required_of_wrong_json(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let value = hand.one(json!([true, "a", {}, [true], [1], [null], null, {"a": true}]));
    let mut schema = thing();
    schema["required"] = value;
    hand.insert(crd, schema)
}

/// A name twice.
fn required_twice(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let mut schema = thing();
    schema["required"] = json!(["a", "a"]);
    hand.insert(crd, schema)
}

/// A name that is no property.
fn required_unknown(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let mut schema = thing();
    schema["required"] = json!(["zzz"]);
    hand.insert(crd, schema)
}

/// An empty list.
fn required_empty(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    put(hand.inner(crd, |node| node.get("required").is_none())?, "required", json!([]))
}

/// `required` of what is no object, or with an empty name.
fn required_not_a_name(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let schema = hand.one(json!([
        {"type": "string", "required": ["a"]},
        {"type": "object", "required": [""], "properties": {"a": {"type": "string"}}},
        {"type": "array", "required": ["a"], "items": {"type": "string"}},
        {"type": "object", "required": ["a"], "additionalProperties": {"type": "string"}},
    ]));
    hand.insert(crd, schema)
}

/// `enum` that is no list.
fn enum_of_wrong_json(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let value = hand.one(json!(["a", {}, 1, {"a": "b"}, null, true]));
    hand.insert(crd, json!({"type": "string", "enum": value}))
}

/// No value at all.
fn enum_empty(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    hand.insert(crd, json!({"type": "string", "enum": []}))
}

/// A value twice.
fn enum_twice(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let schema = hand.one(json!([
        {"type": "string", "enum": ["a", "b", "a"]},
        {"type": "number", "enum": [1, 1.0]},
        {"type": "object", "x-kubernetes-preserve-unknown-fields": true, "enum": [{"a": 1}, {"a": 1}]},
    ]));
    hand.insert(crd, schema)
}

/// Values that the type does not have.
fn enum_of_other_type(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let schema = hand.one(json!([
        {"type": "string", "enum": [1, 2]},
        {"type": "string", "enum": [true, "a"]},
        {"type": "string", "nullable": true, "enum": ["a", null]},
        {"type": "string", "enum": ["a", null]},
        {"type": "integer", "enum": ["1"]},
        {"type": "integer", "enum": [1.5, 1.0]},
        {"type": "boolean", "enum": ["true"]},
        {"type": "boolean", "enum": [true, false]},
        {"type": "array", "items": {"type": "string"}, "enum": [["a"], []]},
        {"type": "object", "properties": {"a": {"type": "string"}}, "enum": [{"a": "x"}]},
    ]));
    hand.insert(crd, schema)
}

/// `nullable` that is no boolean.
fn nullable_of_wrong_json(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let value = hand.one(json!(["true", 1, null, [], {}, 0]));
    put(hand.inner(crd, any)?, "nullable", value)
}

/// Descriptions and titles that are no text.
fn texts_of_wrong_json(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let key = hand.word(&["description", "title", "format", "pattern", "id", "$schema", "$ref"]);
    let value = hand.one(json!([1, true, ["a"], {}, null]));
    put(hand.inner(crd, is("string"))?, key, value)
}

/// `uniqueItems`.
fn unique_items(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let value = hand.one(json!([true, false, "true", null, 1]));
    if hand.random.chance(50) {
        return put(hand.inner(crd, any)?, "uniqueItems", value);
    }
    hand.insert(crd, json!({"type": "array", "items": {"type": "string"}, "uniqueItems": value}))
}

/// Keywords that refer to other schemas.
fn references(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let (key, value) = hand
        .random
        .pick(&[
            ("$ref", json!("#/definitions/x")),
            ("$ref", json!("")),
            ("definitions", json!({"x": {"type": "string"}})),
            ("definitions", json!({})),
            ("dependencies", json!({"a": ["b"]})),
            ("dependencies", json!({"a": {"required": ["b"]}})),
            ("dependencies", json!({})),
            ("patternProperties", json!({"^x-": {"type": "string"}})),
            ("patternProperties", json!({})),
            ("id", json!("x")),
            ("$id", json!("x")),
            ("$schema", json!("http://json-schema.org/draft-04/schema#")),
            ("$schema", json!("")),
            ("const", json!("x")),
            ("propertyNames", json!({"pattern": "^a"})),
            ("if", json!({"required": ["a"]})),
            ("contains", json!({"type": "string"})),
        ])
        .clone();
    put(hand.inner(crd, any)?, key, value)
}

/// Links to documents, sound and unsound.
fn external_docs(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let value = hand
        .one(json!([{"url": "https://example.com", "description": "More."}, {"url": 1}, "x", {}, null, {"href": "x"}]));
    put(hand.inner(crd, any)?, "externalDocs", value)
}

/// Properties of what is no object.
fn properties_of_a_text(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let kind = hand.word(&["string", "integer", "boolean"]);
    let schema = hand.one(json!([
        {"properties": {"a": {"type": "string"}}},
        {"properties": {}},
        {"additionalProperties": {"type": "string"}},
        {"properties": {"a": {"type": "string"}}, "required": ["a"]},
    ]));
    let mut schema = schema;
    schema["type"] = json!(kind);
    hand.insert(crd, schema)
}
