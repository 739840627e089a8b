//! The extensions of Kubernetes: int-or-string, embedded objects, preserved fields, unknown keys.

use serde_json::{Value, json};

use super::super::hand::{Did, Hand, any, has_properties, is, kinds, put, thing};

kinds![
    int_or_string_with_type,
    int_or_string_forms,
    int_or_string_any_of_changed,
    int_or_string_of_wrong_json,
    int_or_string_on_anything,
    embedded_without_properties,
    embedded_forms,
    embedded_of_wrong_json,
    embedded_on_anything,
    preserve_false,
    preserve_of_wrong_json,
    preserve_on_anything,
    preserve_on_a_scalar,
    unknown_vendor_key,
    unknown_schema_key,
    unknown_kubernetes_key,
    openapi_keys,
];

/// int-or-string beside a type.
fn int_or_string_with_type(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let kind = hand.word(&["string", "integer", "object", ""]);
    hand.insert(crd, json!({"x-kubernetes-int-or-string": true, "type": kind}))
}

/// The forms that are allowed, and some that nearly are.
fn int_or_string_forms(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let schema = hand.one(json!([
        {"x-kubernetes-int-or-string": true},
        {"x-kubernetes-int-or-string": true, "anyOf": [{"type": "integer"}, {"type": "string"}]},
        {"x-kubernetes-int-or-string": true, "anyOf": [{"type": "integer"}, {"type": "string"}], "pattern": "^a$"},
        {"x-kubernetes-int-or-string": true, "allOf": [{"anyOf": [{"type": "integer"}, {"type": "string"}]}]},
        {"x-kubernetes-int-or-string": true, "allOf": [{"anyOf": [{"type": "integer"}, {"type": "string"}]}, {"pattern": "^a$"}]},
        {"x-kubernetes-int-or-string": true, "allOf": [{"pattern": "^a$"}, {"anyOf": [{"type": "integer"}, {"type": "string"}]}]},
        {"x-kubernetes-int-or-string": true, "minimum": 1, "maxLength": 5, "format": "int32"},
        {"x-kubernetes-int-or-string": true, "default": "10%"},
        {"x-kubernetes-int-or-string": true, "default": 1},
        {"x-kubernetes-int-or-string": true, "nullable": true, "enum": [1, "a"]},
        {"x-kubernetes-int-or-string": true, "maxLength": 5},
    ]));
    hand.insert(crd, schema)
}

/// The `anyOf` of int-or-string, with something changed.
fn int_or_string_any_of_changed(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let any_of = hand.one(json!([
        [{"type": "string"}, {"type": "integer"}],
        [{"type": "integer"}],
        [{"type": "integer"}, {"type": "string"}, {"type": "boolean"}],
        [{"type": "integer", "minimum": 0}, {"type": "string"}],
        [{"type": "integer"}, {"type": "string", "pattern": "^a"}],
        [{"type": "number"}, {"type": "string"}],
        [{"type": "integer", "description": "x"}, {"type": "string"}],
        [],
    ]));
    let key = hand.word(&["anyOf", "anyOf", "oneOf"]);
    hand.insert(crd, json!({"x-kubernetes-int-or-string": true, key: any_of}))
}

/// int-or-string that is no boolean, or false.
fn int_or_string_of_wrong_json(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let value = hand.one(json!(["true", 1, null, false]));
    let mut schema = json!({"x-kubernetes-int-or-string": value});
    if hand.random.chance(50) {
        schema["type"] = json!("string");
    }
    hand.insert(crd, schema)
}

/// int-or-string beside whatever is there.
fn int_or_string_on_anything(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    put(hand.inner(crd, any)?, "x-kubernetes-int-or-string", json!(true))
}

/// An embedded object that describes nothing.
fn embedded_without_properties(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    hand.insert(crd, json!({"type": "object", "x-kubernetes-embedded-resource": true}))
}

/// Embedded objects in all forms.
fn embedded_forms(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let schema = hand.one(json!([
        {"type": "object", "x-kubernetes-embedded-resource": true, "x-kubernetes-preserve-unknown-fields": true},
        {"type": "object", "x-kubernetes-embedded-resource": true, "properties": {"apiVersion": {"type": "string"}, "kind": {"type": "string"}, "metadata": {"type": "object"}}},
        {"type": "object", "x-kubernetes-embedded-resource": true, "properties": {"spec": {"type": "object"}}},
        {"type": "object", "x-kubernetes-embedded-resource": true, "properties": {"metadata": {"type": "object", "properties": {"name": {"type": "string"}, "labels": {"type": "object"}}}}},
        {"type": "object", "x-kubernetes-embedded-resource": true, "properties": {"metadata": {"type": "string"}}},
        {"type": "object", "x-kubernetes-embedded-resource": true, "properties": {"kind": {"type": "integer"}}},
        {"type": "object", "x-kubernetes-embedded-resource": true, "properties": {"kind": {"type": "string", "enum": ["P"]}}, "required": ["kind"]},
        {"type": "object", "x-kubernetes-embedded-resource": true, "additionalProperties": {"type": "string"}},
        {"type": "array", "items": {"type": "object", "x-kubernetes-embedded-resource": true, "x-kubernetes-preserve-unknown-fields": true}},
        {"x-kubernetes-embedded-resource": true, "x-kubernetes-preserve-unknown-fields": true},
        {"type": "object", "x-kubernetes-embedded-resource": true, "x-kubernetes-preserve-unknown-fields": true, "nullable": true},
        {"type": "object", "x-kubernetes-embedded-resource": true, "x-kubernetes-preserve-unknown-fields": true, "default": {}},
        {"type": "object", "x-kubernetes-embedded-resource": true, "x-kubernetes-preserve-unknown-fields": true, "default": {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}}},
        {"type": "object", "x-kubernetes-embedded-resource": true, "x-kubernetes-preserve-unknown-fields": true, "default": {"apiVersion": "a/b/c", "kind": "pod!"}},
        {"type": "object", "x-kubernetes-embedded-resource": true, "properties": {"apiVersion": {"type": "string", "default": "v1"}, "kind": {"type": "string", "default": "Pod"}, "spec": {"type": "object"}}},
    ]));
    hand.insert(crd, schema)
}

/// Embedding that is no boolean, or false.
fn embedded_of_wrong_json(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let value = hand.one(json!(["true", 1, null, false]));
    put(hand.inner(crd, is("object"))?, "x-kubernetes-embedded-resource", value)
}

/// Embedding of whatever is there.
fn embedded_on_anything(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    put(hand.inner(crd, any)?, "x-kubernetes-embedded-resource", json!(true))
}

/// Preserving that is denied, which is not allowed.
fn preserve_false(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    put(hand.inner(crd, is("object"))?, "x-kubernetes-preserve-unknown-fields", json!(false))
}

/// Preserving that is no boolean.
fn preserve_of_wrong_json(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let value = hand.one(json!(["true", 1, null, {}]));
    put(hand.inner(crd, is("object"))?, "x-kubernetes-preserve-unknown-fields", value)
}

/// Preserving whatever is there.
fn preserve_on_anything(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    put(hand.inner(crd, any)?, "x-kubernetes-preserve-unknown-fields", json!(true))
}

/// Preserving where there are no fields.
fn preserve_on_a_scalar(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let schema = hand.one(json!([
        {"x-kubernetes-preserve-unknown-fields": true},
        {"type": "string", "x-kubernetes-preserve-unknown-fields": true},
        {"type": "array", "x-kubernetes-preserve-unknown-fields": true},
        {"type": "array", "items": {"type": "string"}, "x-kubernetes-preserve-unknown-fields": true},
        {"type": "array", "items": {"x-kubernetes-preserve-unknown-fields": true}},
        {"x-kubernetes-preserve-unknown-fields": true, "nullable": true, "default": [1]},
        {"x-kubernetes-preserve-unknown-fields": true, "properties": {"a": {"type": "string"}}},
        {"x-kubernetes-preserve-unknown-fields": true, "type": "object", "additionalProperties": {"type": "string"}},
        {"x-kubernetes-preserve-unknown-fields": true, "type": "object", "additionalProperties": true},
        {"x-kubernetes-int-or-string": true, "x-kubernetes-preserve-unknown-fields": true},
        {"x-kubernetes-preserve-unknown-fields": true, "required": ["a"]},
    ]));
    hand.insert(crd, schema)
}

/// Keys of other tools, which the server drops.
fn unknown_vendor_key(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let key = hand.word(&["x-vendor", "x-go-type", "x-descriptors", "x-examples", "x-doc-default"]);
    let value = hand.one(json!([1, "a", [1, 2], {"a": 1}, null, true]));
    put(hand.node(crd, any)?, key, value)
}

/// Keys of other drafts, which the server drops.
fn unknown_schema_key(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let key = hand.word(&[
        "examples",
        "$comment",
        "contentEncoding",
        "minContains",
        "Type",
        "desciption",
        "unevaluatedProperties",
        "$defs",
        "optional",
    ]);
    let value = hand.one(json!([["a"], "a", true, {"type": "string"}, null]));
    put(hand.node(crd, any)?, key, value)
}

/// Keys that look like those of Kubernetes.
fn unknown_kubernetes_key(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let key = hand.word(&[
        "x-kubernetes-unions",
        "x-kubernetes-group-version-kind",
        "x-kubernetes-patch-merge-key",
        "x-kubernetes-patch-strategy",
        "x-kubernetes-immutable",
        "x-kubernetes-sensitive-data",
        "x-kubernetes-validation",
        "x-kubernetes-selectable-fields",
    ]);
    let value = hand.one(json!([true, "name", [{"kind": "A"}], []]));
    put(hand.node(crd, any)?, key, value)
}

/// Keys of `OpenAPI` that the server drops.
fn openapi_keys(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let (key, value) = hand
        .random
        .pick(&[
            ("readOnly", json!(true)),
            ("writeOnly", json!(true)),
            ("deprecated", json!(true)),
            ("xml", json!({"name": "x"})),
            ("discriminator", json!({"propertyName": "a"})),
            ("example", json!({"a": [1, null]})),
            ("example", json!(null)),
            ("example", json!(1.0)),
        ])
        .clone();
    let mut schema = thing();
    schema[key] = value;
    if hand.random.chance(50) {
        let value = schema[key].take();
        return put(hand.inner(crd, has_properties)?, key, value);
    }
    hand.insert(crd, schema)
}
