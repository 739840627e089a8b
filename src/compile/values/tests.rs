//! Values beside schemas, with kube-apiserver v1.37's verdict.

use serde_json::{Value, json};

use super::*;

fn said(violations: Vec<Violation>) -> Vec<String> {
    violations.into_iter().map(|(path, message)| format!("{path} {message}")).collect()
}

/// What is wrong with an instance.
fn complaints(schema: &Value, value: &Value) -> Vec<String> {
    said(instance(schema, value).violations)
}

/// Whether a server takes the value as a default, and in an instance.
fn taken(schema: &Value, value: &Value) -> (bool, bool) {
    let taken = |judgement: Judgement| {
        assert!(judgement.unjudged.is_empty(), "{schema} {value}: {judgement:?}");
        judgement.violations.is_empty()
    };
    (taken(default(schema, value)), taken(instance(schema, value)))
}

const YES: (bool, bool) = (true, true);
const NO: (bool, bool) = (false, false);
const AS_DEFAULT: (bool, bool) = (true, false);
const IN_INSTANCES: (bool, bool) = (false, true);

fn table(rows: Vec<(Value, Value, (bool, bool))>) {
    for (schema, value, expected) in rows {
        assert_eq!(taken(&schema, &value), expected, "{schema} with {value}");
    }
}

#[test]
fn everything_that_does_not_fit_is_said() {
    let schema = json!({"type": "object", "required": ["name"], "properties": {
        "name": {"type": "string", "pattern": "^[a-z]+$"},
        "size": {"type": "integer", "minimum": 1},
        "mode": {"type": "string", "enum": ["a", "b"]},
        "ports": {"type": "array", "maxItems": 1, "items": {"x-kubernetes-int-or-string": true}},
    }});
    assert_eq!(
        complaints(&schema, &json!({"size": "3", "mode": "c", "ports": [80, "http"], "x": 1})),
        [
            ".name is required",
            ".mode must be one of \"a\", \"b\"",
            ".ports must have at most 1 items",
            ".size must be an integer, not a string",
            ".x is not a field of the CRD",
        ]
    );
    assert!(complaints(&schema, &json!({"name": "ok", "size": 2})).is_empty());
}

#[test]
fn a_default_is_judged_as_it_stands_and_an_instance_with_its_defaults() {
    let required =
        json!({"type": "object", "required": ["b"], "properties": {"b": {"type": "string", "default": "q"}}});
    let plain = json!({"type": "object", "properties": {"b": {"type": "string"}}});
    let nullable = json!({"type": "object", "properties": {"b": {"type": "string", "nullable": true}}});
    let pair = json!({"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}});
    table(vec![
        (required.clone(), json!({}), IN_INSTANCES),
        (required, json!({"b": null}), IN_INSTANCES),
        (plain.clone(), json!({"b": null}), IN_INSTANCES),
        (plain, json!({"c": 1}), NO),
        (nullable, json!({"b": null}), YES),
        (pair.clone(), json!(["a", "a"]), AS_DEFAULT),
        (pair, json!(["a", "b"]), YES),
        (json!({"x-kubernetes-int-or-string": true}), json!(true), AS_DEFAULT),
        (json!({"x-kubernetes-int-or-string": true}), json!("80"), YES),
    ]);
    assert_eq!(
        filled(&json!({"type": "object", "properties": {"b": {"type": "string", "default": "q"}}}), &json!({})),
        json!({"b": "q"})
    );
}

#[test]
fn integers_are_compared_as_integers() {
    let at_most = |limit: Value| json!({"type": "integer", "maximum": limit});
    table(vec![
        (at_most(json!(9_007_199_254_740_992_i64)), json!(9_007_199_254_740_993_i64), NO),
        (at_most(json!(9_007_199_254_740_992_i64)), json!(9_007_199_254_740_992_i64), YES),
        (at_most(json!(9_223_372_036_854_774_807_i64)), json!(9_223_372_036_854_774_807_i64), NO),
        (at_most(json!(i64::MAX)), json!(3), NO),
        (json!({"type": "integer", "minimum": i64::MIN}), json!(3), NO),
        (json!({"type": "integer", "multipleOf": 0.5}), json!(3), NO),
        (json!({"type": "integer", "multipleOf": 2}), json!(3), NO),
        (json!({"type": "integer", "multipleOf": 2.0}), json!(4), YES),
        (json!({"type": "integer", "format": "int32"}), json!(2_147_483_648_i64), NO),
        (json!({"type": "integer", "format": "int32", "maximum": 4_294_967_295_i64}), json!(1), NO),
        (json!({"type": "integer", "format": "uint32"}), json!(-1), YES),
        (json!({"type": "integer"}), json!(1.0), YES),
        (json!({"type": "integer"}), json!(1.5), NO),
        (json!({"type": "integer"}), json!(u64::MAX), NO),
        (json!({"type": "integer", "minimum": 1, "exclusiveMinimum": true}), json!(1), NO),
        (json!({"type": "integer", "minimum": 1, "exclusiveMinimum": true}), json!(2), YES),
    ]);
}

#[test]
fn other_numbers_are_compared_with_the_servers_arithmetic() {
    let step = |step: f64| json!({"type": "number", "multipleOf": step});
    table(vec![
        (step(0.1), json!(0.3), YES),
        (step(0.1), json!(0.35), NO),
        (step(2.5), json!(7.5), YES),
        // Cut to an integer the factor is 0.
        (step(0.1), json!(3), NO),
        (step(0.1), json!(3.0), YES),
        // And the bound is 0.
        (json!({"type": "number", "minimum": 0.5}), json!(0), YES),
        (json!({"type": "number", "minimum": 0.5}), json!(0.0), NO),
        (json!({"type": "number", "format": "float"}), json!(1e39), NO),
        (json!({"type": "number", "format": "double"}), json!(1e39), YES),
        (json!({"type": "number"}), json!(3), YES),
    ]);
}

#[test]
fn a_default_is_stored_without_a_fraction_of_zero() {
    let tenths = json!({"type": "number", "multipleOf": 0.1});
    assert!(default(&tenths, &json!(3.0)).is_sound() && instance(&tenths, &json!(3.0)).is_sound());
    let said = said(judge(&tenths, &json!(3.0)).violations);
    assert_eq!(said, [". must be a multiple of 0.1, and a server finds that no integer is one"]);
    assert!(judge(&json!({"type": "number", "minimum": 1}), &json!(3.0)).is_sound());
}

#[test]
fn a_bound_beyond_its_own_type_refuses_everything() {
    for schema in [
        json!({"type": "integer", "maximum": i64::MAX}),
        json!({"type": "integer", "minimum": i64::MIN}),
        json!({"type": "integer", "multipleOf": 0.5}),
        json!({"type": "integer", "maximum": 10.5}),
        json!({"type": "integer", "format": "int32", "maximum": 4_294_967_295_i64}),
        json!({"type": "number", "multipleOf": 0}),
        json!({"type": "number", "format": "float", "maximum": 1e39}),
    ] {
        let why = unusable(&schema).unwrap_or_default();
        assert!(!why.is_empty(), "{schema}");
        for value in [json!(3), json!(0.25), json!("a")] {
            assert!(!instance(&schema, &value).violations.is_empty(), "{schema} {value}");
        }
    }
    for schema in [
        json!({"type": "integer", "maximum": 9_223_372_036_854_774_784_i64, "minimum": -9_007_199_254_740_993_i64}),
        json!({"type": "integer", "format": "int64", "maximum": 4_294_967_295_i64}),
        json!({"type": "number", "multipleOf": 0.5, "maximum": 1e300}),
        json!({"type": "string", "pattern": "^a", "maximum": 0.5}),
        json!({"x-kubernetes-int-or-string": true, "maximum": 0.5}),
        json!({"type": "object", "properties": {"a": {"type": "integer", "multipleOf": 0.5}}}),
    ] {
        assert_eq!(unusable(&schema), None, "{schema}");
    }
}

#[test]
fn a_choice_is_compared_in_its_own_type() {
    let choices = |choices: Value| json!({"x-kubernetes-preserve-unknown-fields": true, "enum": choices});
    table(vec![
        (choices(json!([1])), json!(1.0), YES),
        (choices(json!([1.0])), json!(1), YES),
        (choices(json!([1])), json!(1.5), YES),
        (choices(json!(["a"])), json!(97), YES),
        (choices(json!(["1"])), json!(1), NO),
        (choices(json!([{"a": 1}])), json!({"a": 1}), YES),
        (choices(json!([{"a": 1}])), json!({"a": 1.0}), NO),
        (choices(json!([[1, 2]])), json!([1, 2]), YES),
        (choices(json!([])), json!(1), YES),
        (
            json!({"type": "object", "properties": {"a": {"type": "string", "nullable": true, "enum": ["b", null]}}}),
            json!({"a": null}),
            NO,
        ),
    ]);
}

#[test]
fn a_format_of_text_weakens_its_type() {
    table(vec![
        (json!({"type": "string", "format": "date"}), json!("2024-02-30"), NO),
        (json!({"type": "string", "format": "date"}), json!(["2024-02-30"]), YES),
        (json!({"type": "string", "format": "nonsense"}), json!("x"), YES),
        (json!({"type": "string", "format": "nonsense"}), json!([]), AS_DEFAULT),
        (json!({"type": "boolean", "format": "date"}), json!("2024-02-29"), AS_DEFAULT),
        (json!({"type": "string", "maxLength": 5}), json!("Größe"), YES),
        (json!({"type": "string", "maxLength": 4}), json!("Größe"), NO),
    ]);
}

#[test]
fn junctors_look_at_whole_values() {
    let either = json!({"type": "object", "oneOf": [{"required": ["a"]}, {"required": ["b"]}],
        "properties": {"a": {"type": "string"}, "b": {"type": "string"}}});
    assert_eq!(complaints(&either, &json!({"a": "", "b": ""})), [". does not satisfy exactly one of `oneOf`"]);
    let unsure = json!({"type": "string", "anyOf": [{"format": "email"}, {"maxLength": 1}]});
    assert!(instance(&unsure, &json!("a")).is_sound());
    let judgement = instance(&unsure, &json!("A <a@b>"));
    assert!(judgement.violations.is_empty());
    assert_eq!(said(judgement.unjudged), [". perhaps satisfies none of `anyOf`; only a server knows"]);
    let not = json!({"type": "integer", "not": {"minimum": 5}});
    table(vec![(not.clone(), json!(4), YES), (not, json!(5), NO)]);
}

#[test]
fn unknown_fields_are_those_that_a_server_drops() {
    let open = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true, "properties": {
        "a": {"type": "object", "properties": {"b": {"type": "string"}}}}});
    let both = json!({"type": "object", "additionalProperties": true, "properties": {"b": {"type": "string"}}});
    table(vec![
        (open.clone(), json!({"x": {"y": 1}}), YES),
        (open, json!({"a": {"y": 1}}), NO),
        (both.clone(), json!({"x": 1, "b": "c"}), YES),
        (both, json!({"x": {"y": 1}}), NO),
        (json!({"type": "object"}), json!({"x": 1}), NO),
        (json!({"type": "array", "items": {"type": "object"}}), json!([{"x": 1}]), NO),
    ]);
}

#[test]
fn an_embedded_object_says_what_it_is() {
    let schema = json!({"type": "object", "x-kubernetes-embedded-resource": true, "properties": {
        "apiVersion": {"type": "string"}, "kind": {"type": "string"}, "metadata": {"type": "object"}}});
    let with = |metadata: Value| json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata});
    table(vec![
        (schema.clone(), json!({"apiVersion": "v1", "kind": "Pod"}), YES),
        (schema.clone(), json!({"kind": "P"}), NO),
        (schema.clone(), json!({"apiVersion": "v1"}), NO),
        (schema.clone(), with(json!({"name": "x", "labels": {"a": "b"}})), YES),
        (schema.clone(), with(json!({"unheard": "of"})), YES),
        (schema.clone(), with(json!({"name": "a/b"})), NO),
        (schema.clone(), with(json!({"labels": {"a": "b c"}})), NO),
        (schema.clone(), with(json!({"labels": ["a"]})), NO),
        (schema.clone(), with(json!({"namespace": "A"})), NO),
        (schema.clone(), with(json!({"ownerReferences": [{"kind": "K"}]})), NO),
        (schema.clone(), json!({"apiVersion": "v1", "kind": "Pod", "spec": {}}), NO),
    ]);
    let wrong = complaints(&schema, &json!({"apiVersion": "a/b/c", "kind": "example.com/a"}));
    assert_eq!(wrong.len(), 2, "{wrong:?}");
    assert!(wrong[1].starts_with(".kind is the kind of an embedded object: "), "{wrong:?}");
}

#[test]
fn keys_of_a_list_are_told_apart_with_their_defaults() {
    let list = |key: Value| {
        json!({"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k"],
            "items": {"type": "object", "properties": {"k": key, "v": {"type": "integer"}}}})
    };
    let plain = list(json!({"type": "string"}));
    assert_eq!(
        complaints(&plain, &json!([{"k": "x"}, {"k": "x"}])),
        [". has the same item twice: two have the same `k`"]
    );
    let defaulted = list(json!({"type": "string", "default": "x"}));
    assert!(complaints(&plain, &json!([{}, {"k": "x"}])).is_empty());
    assert_eq!(complaints(&defaulted, &json!([{"v": 1}, {"k": "x"}])).len(), 1);
    let set = json!({"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "number"}});
    assert!(complaints(&set, &json!([1, 1.0])).is_empty(), "an integer is not the same as a float");
    let lists = json!({"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "array", "items": {"type": "number"}}});
    assert_eq!(complaints(&lists, &json!([[1], [1.0]])).len(), 1, "lists are compared as JSON");
}

#[test]
fn what_older_servers_refuse_is_said() {
    let cents = json!({"type": "number", "multipleOf": 0.01});
    let judgement = judge(&cents, &json!(1.15));
    assert!(judgement.violations.is_empty());
    assert_eq!(said(judgement.unjudged), [". is a multiple of 0.01 for servers from Kubernetes 1.37 on only"]);
    assert!(judge(&cents, &json!(1.25)).is_sound());
    assert_eq!(judge(&json!({"x-kubernetes-int-or-string": true}), &json!(2.999_999_999_999_999_6)).unjudged.len(), 1);
}

#[test]
fn what_cannot_be_judged_is_said() {
    let email = json!({"type": "string", "format": "email"});
    assert_eq!(
        said(judge(&email, &json!("A <a@b>")).unjudged),
        [". must have the format email, and only a server knows whether it has"]
    );
    let large = json!({"type": "string", "pattern": format!("^{}$", r"[\pL\pN]{1,1000}".repeat(20))});
    assert_eq!(judge(&large, &json!("a")).unjudged.len(), 1);
}

#[test]
fn a_server_knows_the_fields_of_metadata() {
    let schema = json!({"type": "object"});
    let value = json!({"name": "x", "labels": {"a": "b"}, "colour": 1});
    let said = |judgement: Judgement| judgement.violations.iter().map(|(path, _)| path.to_string()).collect::<Vec<_>>();
    assert_eq!(said(instance(&schema, &value)), [".colour", ".labels", ".name"]);
    assert_eq!(said(instance(&schema, &value).of_metadata()), [".colour"]);
}
