//! Defaults inside of schemas.

use serde_json::{Value, json};

use super::super::hand::{Did, Hand, any, has_properties, kinds, put, raw};

kinds![
    default_of_wrong_type,
    default_on_anything,
    default_outside_enum,
    default_outside_bounds,
    default_outside_length,
    default_against_pattern,
    default_against_format,
    default_with_good_format,
    default_incomplete,
    default_with_unknown_fields,
    default_null,
    default_of_integers,
    default_of_many_digits,
    default_in_lists,
    default_in_maps,
    default_against_factor,
    default_against_rule,
    default_against_junctor,
    default_in_metadata,
    default_nested,
    default_of_any_type,
    default_of_embedded,
    default_in_a_transition,
];

/// A default of another type.
fn default_of_wrong_type(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let kind = hand.word(&["string", "integer", "number", "boolean", "object"]);
    let value = hand.one(json!(["x", 1, 1.5, true, {}, [], "1", "true"]));
    hand.insert(crd, json!({"type": kind, "default": value}))
}

/// Some default for whatever is there.
fn default_on_anything(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let value = hand.one(json!(["x", 1, true, {}, [], null, {"a": null}, [null], [{}]]));
    put(hand.inner(crd, any)?, "default", value)
}

/// A default that is not listed.
fn default_outside_enum(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let schema = hand.one(json!([
        {"type": "string", "enum": ["a", "b"], "default": "c"},
        {"type": "string", "enum": ["a", "b"], "default": "a"},
        {"type": "integer", "enum": [1, 2], "default": 3},
        {"type": "number", "enum": [1, 2], "default": 1.0},
        {"type": "string", "nullable": true, "enum": ["a", "b"], "default": null},
        {"type": "string", "nullable": true, "enum": ["a", null], "default": null},
        {"type": "string", "enum": [""], "default": ""},
        {"type": "string", "enum": ["A"], "default": "a"},
    ]));
    hand.insert(crd, schema)
}

/// A default out of bounds, or just inside.
fn default_outside_bounds(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let schema = hand.one(json!([
        {"type": "integer", "minimum": 5, "default": 4},
        {"type": "integer", "minimum": 5, "default": 5},
        {"type": "integer", "minimum": 5, "exclusiveMinimum": true, "default": 5},
        {"type": "number", "maximum": 5, "exclusiveMaximum": true, "default": 4.999},
        {"type": "number", "maximum": 1.5, "default": 2},
        {"type": "integer", "maximum": 1.5, "default": 1},
        {"type": "integer", "format": "int32", "default": 2_147_483_648_u64},
        {"type": "integer", "format": "int32", "default": -2_147_483_648_i64},
        {"type": "integer", "format": "int64", "default": 9_223_372_036_854_775_807_u64},
        {"type": "integer", "maximum": 9_223_372_036_854_775_807_u64, "default": 3},
        {"type": "integer", "maximum": 9_007_199_254_740_992_u64, "default": 9_007_199_254_740_993_u64},
        {"type": "number", "format": "float", "default": 1e39},
        {"type": "integer", "format": "uint8", "default": 256},
        {"type": "integer", "minimum": 0, "default": -0.0},
    ]));
    hand.insert(crd, schema)
}

/// A default too long or too short, in characters and not in bytes.
fn default_outside_length(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let schema = hand.one(json!([
        {"type": "string", "maxLength": 3, "default": "ääää"},
        {"type": "string", "maxLength": 3, "default": "äää"},
        {"type": "string", "maxLength": 1, "default": "e\u{301}"},
        {"type": "string", "maxLength": 1, "default": "😀"},
        {"type": "string", "minLength": 1, "default": ""},
        {"type": "array", "items": {"type": "string"}, "maxItems": 1, "default": ["a", "b"]},
        {"type": "array", "items": {"type": "string"}, "minItems": 1, "default": []},
        {"type": "object", "additionalProperties": {"type": "string"}, "minProperties": 1, "default": {}},
        {"type": "object", "additionalProperties": {"type": "string"}, "maxProperties": 1, "default": {"a": "x", "b": "y"}},
        {"type": "object", "maxProperties": 1, "properties": {"a": {"type": "string", "default": "x"}, "b": {"type": "string", "default": "x"}}, "default": {}},
    ]));
    hand.insert(crd, schema)
}

/// A default against its pattern, or just with it.
fn default_against_pattern(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let (pattern, default) = *hand.random.pick(&[
        ("^a$", "b"),
        ("^a$", "a\n"),
        ("a", "xax"),
        ("^\\w+$", "Größe"),
        ("^\\d+$", "٣"),
        ("^\\s$", "\u{a0}"),
        ("(?i)^K$", "\u{212a}"),
        ("^.$", "\n"),
        ("^.$", "😀"),
        ("\\bx", "äx"),
        ("^[[:alpha:]]$", "ä"),
        ("^\\pL$", "ä"),
        ("^[a&&b]$", "&"),
        ("^\\Q.\\E$", "x"),
        ("(?m)^b$", "a\nb"),
        ("^$", ""),
        ("[^a]", ""),
        ("(?i)^ſ$", "S"),
        ("(?i)^straße$", "STRASSE"),
        ("^\\S+$", "\u{85}"),
    ]);
    hand.insert(crd, json!({"type": "string", "pattern": pattern, "default": default}))
}

/// A default against its format.
fn default_against_format(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let (format, default) = *hand.random.pick(&[
        ("date", "2024-02-30"),
        ("date", "2024-2-3"),
        ("date-time", "2024-01-01"),
        ("date-time", "2024-01-01T25:00:00Z"),
        ("datetime", "x"),
        ("duration", "1 fortnight"),
        ("duration", "P1D"),
        ("byte", "a"),
        ("byte", "!!!!"),
        ("ipv4", "::1"),
        ("ipv4", "256.1.1.1"),
        ("ipv6", "1.2.3.4"),
        ("cidr", "10.0.0.1"),
        ("uuid", "x"),
        ("uuid3", "x"),
        ("uuid4", "00000000-0000-1000-8000-000000000000"),
        ("uri", "a b"),
        ("uri", "x"),
        ("email", "x"),
        ("hostname", "a_b"),
        ("hostname", "-a"),
        ("mac", "zz"),
        ("isbn", "1"),
        ("isbn10", "1"),
        ("isbn13", "2"),
        ("creditcard", "1"),
        ("ssn", "1"),
        ("hexcolor", "#ggg"),
        ("rgbcolor", "rgb(300,0,0)"),
        ("bsonobjectid", "x"),
        ("password", ""),
        ("int32", "x"),
        ("k8s-short-name", "A"),
        ("k8s-long-name", "A_"),
        ("ip", "x"),
        ("regex", "("),
    ]);
    hand.insert(crd, json!({"type": "string", "format": format, "default": default}))
}

/// A default with its format, at the edge of it.
fn default_with_good_format(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let (format, default) = *hand.random.pick(&[
        ("date", "2024-02-29"),
        ("date-time", "2024-01-01T00:00:00Z"),
        ("date-time", "2024-01-01t00:00:00z"),
        ("date-time", "2024-01-01T00:00:00.123456789+01:00"),
        ("date-time", "2024-01-01 00:00:00Z"),
        ("date-time", "2024-01-01T23:59:60Z"),
        ("duration", "1h30m"),
        ("duration", "1 day"),
        ("duration", "3w"),
        ("byte", ""),
        ("byte", "YQ=="),
        ("byte", "YQ"),
        ("byte", "Y Q=="),
        ("ipv4", "1.2.3.4"),
        ("ipv4", "01.2.3.4"),
        ("ipv6", "::1"),
        ("ipv6", "::ffff:1.2.3.4"),
        ("ipv6", "fe80::1%eth0"),
        ("cidr", "10.0.0.0/8"),
        ("cidr", "10.0.0.1/8"),
        ("uuid", "00000000-0000-0000-0000-000000000000"),
        ("uuid", "{00000000-0000-0000-0000-000000000000}"),
        ("uuid", "00000000000000000000000000000000"),
        ("uri", "http://a"),
        ("uri", "/a"),
        ("uri", "a:b"),
        ("uri", "http://a b"),
        ("email", "a@b"),
        ("email", "A <a@b.c>"),
        ("hostname", "a.b"),
        ("hostname", "a."),
        ("hostname", "A-1"),
        ("hostname", "1"),
        ("mac", "00:00:00:00:00:00"),
        ("mac", "00-00-00-00-00-00"),
        ("mac", "0000.0000.0000"),
        ("isbn", "0306406152"),
        ("creditcard", "4111111111111111"),
        ("ssn", "111-11-1111"),
        ("hexcolor", "#fff"),
        ("hexcolor", "fff"),
        ("rgbcolor", "rgb(0,0,0)"),
        ("bsonobjectid", "507f1f77bcf86cd799439011"),
        ("k8s-short-name", "a"),
        ("password", "x"),
        ("unknown", "x"),
    ]);
    hand.insert(crd, json!({"type": "string", "format": format, "default": default}))
}

/// A default without a required field, whose own default does not count.
fn default_incomplete(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let schema = hand.one(json!([
        {"type": "object", "required": ["b"], "properties": {"b": {"type": "string", "default": "q"}}, "default": {}},
        {"type": "object", "required": ["b"], "properties": {"b": {"type": "string"}}, "default": {}},
        {"type": "object", "properties": {"c": {"type": "object", "required": ["b"], "properties": {"b": {"type": "string"}}}}, "default": {}},
        {"type": "object", "properties": {"c": {"type": "object", "required": ["b"], "properties": {"b": {"type": "string"}}}}, "default": {"c": {}}},
        {"type": "array", "items": {"type": "object", "required": ["b"], "properties": {"b": {"type": "string", "default": "x"}}}, "default": [{}]},
        {"type": "object", "properties": {"c": {"type": "object", "default": {}, "required": ["b"], "properties": {"b": {"type": "string", "default": "x"}}}}, "default": {}},
    ]));
    hand.insert(crd, schema)
}

/// A default with fields that the schema does not know.
fn default_with_unknown_fields(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let schema = hand.one(json!([
        {"type": "object", "properties": {"b": {"type": "string"}}, "default": {"c": 1}},
        {"type": "object", "default": {"c": 1}},
        {"type": "object", "additionalProperties": true, "default": {"c": 1}},
        {"type": "object", "x-kubernetes-preserve-unknown-fields": true, "default": {"c": {"d": null}}},
        {"type": "object", "additionalProperties": {"type": "object", "properties": {"a": {"type": "string"}}}, "default": {"x": {"b": 1}}},
        {"type": "array", "items": {"type": "object", "properties": {"a": {"type": "string"}}}, "default": [{"b": 1}]},
        {"type": "object", "properties": {"b": {"type": "object"}}, "default": {"b": {}}},
        {"type": "object", "properties": {"b": {"type": "object"}}, "default": {"b": {"c": 1}}},
        {"type": "object", "additionalProperties": true, "properties": {"b": {"type": "string"}}, "default": {"c": 1}},
    ]));
    hand.insert(crd, schema)
}

/// Nulls in defaults.
fn default_null(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let schema = hand.one(json!([
        {"type": "string", "default": null},
        {"type": "string", "nullable": true, "default": null},
        {"type": "object", "properties": {"b": {"type": "string"}}, "default": {"b": null}},
        {"type": "object", "properties": {"b": {"type": "string", "nullable": true}}, "default": {"b": null}},
        {"type": "object", "properties": {"b": {"type": "string", "default": "x"}}, "default": {"b": null}},
        {"type": "array", "items": {"type": "string"}, "default": [null]},
        {"type": "array", "items": {"type": "string", "nullable": true}, "default": [null]},
        {"type": "object", "additionalProperties": {"type": "string"}, "default": {"b": null}},
        {"type": "object", "x-kubernetes-preserve-unknown-fields": true, "default": null},
        {"x-kubernetes-preserve-unknown-fields": true, "default": null},
        {"type": "object", "required": ["b"], "properties": {"b": {"type": "string", "nullable": true}}, "default": {"b": null}},
    ]));
    hand.insert(crd, schema)
}

/// Integers as floats, and beyond 64 bits.
fn default_of_integers(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let (kind, number) = (
        hand.word(&["integer", "number"]),
        hand.word(&[
            "1.0",
            "1e3",
            "9223372036854775807",
            "9223372036854775808",
            "-9223372036854775809",
            "-0",
            "-0.0",
            "1e400",
            "1E2",
            "1.50",
            "9007199254740993",
            "1e19",
            "1.0e2",
            "100000000000000000000",
            "5e-1",
        ]),
    );
    hand.insert(crd, json!({"type": kind, "default": raw(number)}))
}

/// Digits that must not be lost.
fn default_of_many_digits(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let number = hand.word(&[
        "0.1234567890123456789",
        "123456789.123456789",
        "1e-10",
        "1e21",
        "1e20",
        "0.1",
        "1e22",
        "123456789012345680000",
        "5e-324",
    ]);
    hand.insert(crd, json!({"type": "number", "default": raw(number)}))
}

/// Defaults of items.
fn default_in_lists(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let items = hand.one(json!([{"type": "string", "default": "x"}, {"type": "string", "default": 1}, {"type": "object", "default": {}, "properties": {"a": {"type": "integer", "default": "x"}}}, {"type": "string", "nullable": true, "default": "x"}, {"type": "object", "properties": {"a": {"type": "integer", "default": 1}}}]));
    hand.insert(crd, json!({"type": "array", "items": items}))
}

/// Defaults of values.
fn default_in_maps(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let values = hand.one(json!([{"type": "string", "default": "x"}, {"type": "string", "default": 1}, {"type": "object", "properties": {"a": {"type": "integer", "default": 1}}}, {"type": "string", "nullable": true, "default": "x"}]));
    hand.insert(crd, json!({"type": "object", "additionalProperties": values}))
}

/// Factors and fractions.
fn default_against_factor(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let (factor, default) = *hand.random.pick(&[
        ("0.1", "0.3"),
        ("0.01", "1.15"),
        ("0.1", "0.35"),
        ("2", "3"),
        ("2", "4"),
        ("0.5", "1"),
        ("1e-10", "0.3"),
        ("3", "9007199254740993"),
        ("0.1", "1e17"),
        ("0.7", "2.1"),
        ("1.1", "3.3000000000000003"),
    ]);
    let kind = hand.word(&["integer", "number"]);
    hand.insert(crd, json!({"type": kind, "multipleOf": raw(factor), "default": raw(default)}))
}

/// A default against a rule, or with it.
fn default_against_rule(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let schema = hand.one(json!([
        {"type": "integer", "default": 1, "x-kubernetes-validations": [{"rule": "self > 3"}]},
        {"type": "integer", "default": 5, "x-kubernetes-validations": [{"rule": "self > 3"}]},
        {"type": "object", "default": {}, "properties": {"a": {"type": "integer"}}, "x-kubernetes-validations": [{"rule": "has(self.a)"}]},
        {"type": "object", "default": {"a": 1}, "properties": {"a": {"type": "integer"}}, "x-kubernetes-validations": [{"rule": "self.a < 3"}]},
        {"type": "object", "default": {"a": 1}, "properties": {"a": {"type": "integer", "x-kubernetes-validations": [{"rule": "self > 3"}]}}},
        {"type": "array", "items": {"type": "string"}, "default": ["a"], "x-kubernetes-validations": [{"rule": "self.all(x, x != 'a')"}]},
        {"type": "object", "default": {}, "properties": {"a": {"type": "integer", "default": 5}}, "x-kubernetes-validations": [{"rule": "self.a > 3"}]},
        {"type": "string", "default": "a", "x-kubernetes-validations": [{"rule": "self.matches('^b')"}]},
        {"type": "integer", "default": 1, "x-kubernetes-validations": [{"rule": "10 / (self - 1) > 3"}]},
    ]));
    hand.insert(crd, schema)
}

/// A default against a junctor, or with it.
fn default_against_junctor(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let schema = hand.one(json!([
        {"type": "string", "default": "a", "anyOf": [{"pattern": "^b"}, {"pattern": "^c"}]},
        {"type": "string", "default": "b", "anyOf": [{"pattern": "^b"}, {"pattern": "^c"}]},
        {"type": "string", "default": "bc", "oneOf": [{"pattern": "b"}, {"pattern": "c"}]},
        {"type": "integer", "default": 3, "not": {"maximum": 3}},
        {"type": "integer", "default": 3, "allOf": [{"minimum": 1}, {"maximum": 2}]},
        {"type": "object", "default": {}, "properties": {"a": {"type": "string"}}, "oneOf": [{"required": ["a"]}]},
        {"type": "string", "default": "x", "anyOf": [{"format": "ipv4"}]},
        {"type": "number", "default": 3, "anyOf": [{"enum": [3.0]}]},
    ]));
    hand.insert(crd, schema)
}

/// Defaults in the metadata of an embedded object.
fn default_in_metadata(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let name = hand.one(json!([{"type": "string", "default": "x"}, {"type": "object", "default": {"a": "b"}}]));
    hand.insert(crd, json!({"type": "object", "x-kubernetes-embedded-resource": true, "properties": {
        "apiVersion": {"type": "string"}, "kind": {"type": "string"}, "metadata": {"type": "object", "properties": {"name": name}}}}))
}

/// Defaults in defaults.
fn default_nested(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let node = hand.inner(crd, has_properties)?;
    put(node, "default", json!({}))
}

/// Defaults of fields of any content.
fn default_of_any_type(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let value = hand.one(json!(["x", 1, 1.5, true, {"a": [1, {"b": null}]}, [], null, {}]));
    hand.insert(crd, json!({"x-kubernetes-preserve-unknown-fields": true, "default": value}))
}

/// Defaults of embedded objects.
fn default_of_embedded(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let value = hand.one(json!([
        {}, {"kind": "P"}, {"apiVersion": "v1"}, {"apiVersion": "v1", "kind": "P"}, {"apiVersion": "v1", "kind": "P", "metadata": {"name": "x"}}, {"apiVersion": "v1", "kind": "P", "metadata": {"name": "X_"}},
        {"apiVersion": "v1", "kind": "P", "metadata": {"labels": {"a": 1}}}, {"apiVersion": "v1", "kind": "P", "metadata": {"foo": "x"}}, {"apiVersion": "v1", "kind": "", "metadata": {}}, {"apiVersion": "v1", "kind": "p p"}, {"apiVersion": 1, "kind": "P"},
        {"apiVersion": "v1", "kind": "P", "metadata": {"labels": {"a b": "x"}}}, {"apiVersion": "v1", "kind": "P", "spec": {"a": 1}}, {"apiVersion": "v1", "kind": "P", "metadata": null},
    ]));
    let mut schema = json!({"type": "object", "x-kubernetes-embedded-resource": true, "default": value,
        "properties": {"apiVersion": {"type": "string"}, "kind": {"type": "string"}, "metadata": {"type": "object"}}});
    if hand.random.chance(50) {
        schema["x-kubernetes-preserve-unknown-fields"] = json!(true);
    }
    hand.insert(crd, schema)
}

/// A default of a field with a rule on its change.
fn default_in_a_transition(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let schema = hand.one(json!([
        {"type": "integer", "default": 1, "x-kubernetes-validations": [{"rule": "self == oldSelf"}]},
        {"type": "integer", "default": 1, "x-kubernetes-validations": [{"rule": "!oldSelf.hasValue() || self > 3", "optionalOldSelf": true}]},
        {"type": "integer", "default": 1, "x-kubernetes-validations": [{"rule": "oldSelf.hasValue() || self > 3", "optionalOldSelf": true}]},
    ]));
    hand.insert(crd, schema)
}
