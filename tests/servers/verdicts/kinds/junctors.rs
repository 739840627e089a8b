//! `anyOf`, `oneOf`, `allOf` and `not`, with what they may hold and what not.

use serde_json::{Value, json};

use super::super::hand::{Did, Hand, has_properties, kinds, put, thing};

kinds![
    junctor_with_type,
    junctor_with_description,
    junctor_with_default,
    junctor_with_values,
    junctor_with_nullable,
    junctor_with_extension,
    junctor_with_value_checks,
    junctor_with_unknown_property,
    junctor_with_items,
    junctor_with_rules,
    junctor_with_bad_pattern,
    junctor_empty,
    junctor_of_wrong_json,
    junctor_in_junctor,
    junctor_on_anything,
    junctor_with_unknown_key,
    junctor_with_bad_bounds,
    junctor_with_format,
];

/// Puts a schema into a random junctor of an object with `a` and `b`.
fn within(crd: &mut Value, hand: &mut Hand<'_>, schema: Value) -> Did {
    let key = hand.word(&["anyOf", "oneOf", "allOf", "not"]);
    let mut object = thing();
    let schema = match hand.random.below(3) {
        0 => schema,
        1 => json!({"properties": {"a": schema}}),
        _ => json!({"allOf": [schema]}),
    };
    object[key] = match key {
        "not" => schema,
        _ if hand.random.chance(30) => json!([{"required": ["b"]}, schema]),
        _ => json!([schema]),
    };
    hand.insert(crd, object)
}

/// A type inside a junctor.
fn junctor_with_type(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let kind = hand.one(json!(["string", "object", "integer", "", null, ["string"]]));
    within(crd, hand, json!({"type": kind}))
}

/// Texts for people inside a junctor.
fn junctor_with_description(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let (key, value) = hand
        .random
        .pick(&[
            ("description", json!("x")),
            ("title", json!("x")),
            ("description", json!("")),
            ("example", json!(1)),
            ("externalDocs", json!({"url": "x"})),
            ("id", json!("x")),
        ])
        .clone();
    within(crd, hand, json!({key: value}))
}

/// A default inside a junctor.
fn junctor_with_default(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let value = hand.one(json!(["x", {}, null, 1]));
    within(crd, hand, json!({"default": value}))
}

/// `additionalProperties` inside a junctor.
fn junctor_with_values(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let value = hand.one(json!([true, false, {"pattern": "^a"}, {"type": "string"}]));
    within(crd, hand, json!({"additionalProperties": value}))
}

/// `nullable` inside a junctor.
fn junctor_with_nullable(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let value = hand.one(json!([true, true, false]));
    within(crd, hand, json!({"nullable": value}))
}

/// Extensions inside a junctor.
fn junctor_with_extension(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let (key, value) = hand
        .random
        .pick(&[
            ("x-kubernetes-preserve-unknown-fields", json!(true)),
            ("x-kubernetes-int-or-string", json!(true)),
            ("x-kubernetes-embedded-resource", json!(true)),
            ("x-kubernetes-list-type", json!("set")),
            ("x-kubernetes-map-type", json!("atomic")),
            ("x-kubernetes-list-map-keys", json!(["a"])),
            ("x-kubernetes-int-or-string", json!(false)),
        ])
        .clone();
    within(crd, hand, json!({key: value}))
}

/// Checks of values, which are what junctors are for.
fn junctor_with_value_checks(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let schema = hand.one(json!([
        {"required": ["a"]}, {"enum": [{}]}, {"minProperties": 1}, {"properties": {"a": {"pattern": "^x"}}},
        {"properties": {"b": {"minimum": 1, "multipleOf": 2}}}, {"properties": {"a": {"minLength": 1, "maxLength": 3}}}, {}, {"required": []}, {"properties": {}},
        {"not": {"required": ["a"]}}, {"oneOf": [{"required": ["a"]}, {"required": ["b"]}]}, {"properties": {"a": {"enum": ["x", 1, null]}}}, {"properties": {"a": {}}},
    ]));
    within(crd, hand, schema)
}

/// A property that only the junctor has.
fn junctor_with_unknown_property(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    within(crd, hand, json!({"properties": {"zzz": {"pattern": "x"}}}))
}

/// Items that only the junctor has.
fn junctor_with_items(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    within(crd, hand, json!({"items": {"pattern": "x"}}))
}

/// Rules inside a junctor.
fn junctor_with_rules(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    within(crd, hand, json!({"x-kubernetes-validations": [{"rule": "true"}]}))
}

/// A pattern inside a junctor that does not compile.
fn junctor_with_bad_pattern(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let pattern = hand.word(&["(", "(?!a)", "^a$", "[a&&b]"]);
    within(crd, hand, json!({"pattern": pattern}))
}

/// No alternative, or an empty one.
fn junctor_empty(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let key = hand.word(&["anyOf", "oneOf", "allOf"]);
    let value = hand.one(json!([[], [{}], [{}, {}]]));
    put(hand.inner(crd, has_properties)?, key, value)
}

/// Junctors that are no lists, or hold no schemas.
fn junctor_of_wrong_json(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let key = hand.word(&["anyOf", "oneOf", "allOf", "not"]);
    let value =
        hand.one(json!([{"required": ["a"]}, "x", [true], [null], null, true, [[]], {}, [{"required": ["a"]}]]));
    put(hand.inner(crd, has_properties)?, key, value)
}

/// Junctors in junctors in junctors.
fn junctor_in_junctor(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let mut schema = hand.one(json!([{"required": ["a"]}, {"properties": {"b": {"maximum": 3}}}]));
    for _ in 0..hand.random.between(1, 6) {
        let key = hand.word(&["anyOf", "oneOf", "allOf", "not"]);
        schema = if key == "not" { json!({"not": schema}) } else { json!({key: [schema, {"required": ["b"]}]}) };
    }
    within(crd, hand, schema)
}

/// A choice on an object that is there.
fn junctor_on_anything(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let key = hand.word(&["anyOf", "oneOf", "allOf"]);
    let node = hand.inner(crd, has_properties)?;
    let names: Vec<Value> =
        node.get("properties")?.as_object()?.keys().take(3).map(|name| json!({"required": [name]})).collect();
    put(node, key, json!(names))
}

/// Keys that the server drops, inside a junctor.
fn junctor_with_unknown_key(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let (key, value) = hand
        .random
        .pick(&[("x-vendor", json!(1)), ("readOnly", json!(true)), ("const", json!("x")), ("examples", json!([1]))])
        .clone();
    within(crd, hand, json!({key: value}))
}

/// Bounds inside a junctor that are none.
fn junctor_with_bad_bounds(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let schema = hand.one(json!([{"multipleOf": 0}, {"minLength": -1}, {"maximum": "3"}, {"minItems": 1.5}, {"exclusiveMaximum": 3}, {"uniqueItems": true}, {"required": ["a", "a"]}, {"enum": []}, {"minLength": 1.0}]));
    within(crd, hand, schema)
}

/// Formats inside a junctor.
fn junctor_with_format(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let format = hand.word(&["date", "ipv4", "x"]);
    within(crd, hand, json!({"format": format}))
}
