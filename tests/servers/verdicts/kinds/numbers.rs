//! Bounds, lengths and factors.

use serde_json::{Value, json};

use super::super::hand::{Did, Hand, kinds, raw};

kinds![
    bound_of_wrong_json,
    exclusive_is_a_number,
    exclusive_alone,
    bounds_crossed,
    bound_of_a_text,
    bound_beyond_int64,
    bound_beyond_float,
    bound_is_minus_zero,
    bound_is_a_float,
    bound_with_many_digits,
    bound_is_a_fraction,
    length_of_wrong_json,
    length_negative,
    length_is_a_fraction,
    length_is_a_float,
    length_beyond_int64,
    lengths_crossed,
    length_of_another_type,
    factor_is_zero,
    factor_is_negative,
    factor_is_a_fraction,
    factor_of_wrong_json,
    factor_is_large,
    format_beside_bounds,
];

/// A bound that is no number.
fn bound_of_wrong_json(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let (key, value) = (hand.word(&["minimum", "maximum"]), hand.one(json!(["5", true, [], {}, null])));
    hand.insert(crd, json!({"type": "integer", key: value}))
}

/// The exclusive bounds of later drafts.
fn exclusive_is_a_number(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let (key, value) = (hand.word(&["exclusiveMinimum", "exclusiveMaximum"]), hand.one(json!([0, 5, "true", null])));
    hand.insert(crd, json!({"type": "integer", "minimum": 0, key: value}))
}

/// An exclusive bound without a bound.
fn exclusive_alone(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let (key, value) = (hand.word(&["exclusiveMinimum", "exclusiveMaximum"]), hand.one(json!([true, false])));
    hand.insert(crd, json!({"type": "number", key: value}))
}

/// Bounds that leave no number.
fn bounds_crossed(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let schema = hand.one(json!([
        {"type": "integer", "minimum": 5, "maximum": 3},
        {"type": "number", "minimum": 5, "maximum": 5, "exclusiveMaximum": true},
        {"type": "integer", "minimum": 5, "exclusiveMinimum": true, "maximum": 6, "exclusiveMaximum": true},
    ]));
    hand.insert(crd, schema)
}

/// Bounds of what is no number.
fn bound_of_a_text(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let kind = hand.word(&["string", "boolean", "object"]);
    hand.insert(crd, json!({"type": kind, "minimum": 1, "maximum": 9, "multipleOf": 2}))
}

/// Bounds that no 64-bit integer reaches.
fn bound_beyond_int64(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let number = hand.word(&[
        "9223372036854774807",
        "9223372036854775807",
        "9223372036854775808",
        "-9223372036854775808",
        "18446744073709551616",
        "9007199254740993",
    ]);
    let (kind, key) = (hand.word(&["integer", "number"]), hand.word(&["minimum", "maximum"]));
    hand.insert(crd, json!({"type": kind, key: raw(number)}))
}

/// Bounds that no float reaches, or nearly none.
fn bound_beyond_float(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let number =
        hand.word(&["1e400", "-1e400", "1e308", "1.7976931348623157e308", "1e-400", "4.9e-324", "1E5", "1e+2"]);
    let kind = hand.word(&["integer", "number"]);
    hand.insert(crd, json!({"type": kind, "maximum": raw(number)}))
}

/// The negative zero.
fn bound_is_minus_zero(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let number = hand.word(&["-0", "-0.0", "0.0", "-0e1"]);
    hand.insert(crd, json!({"type": "number", "minimum": raw(number)}))
}

/// Whole numbers, written as floats.
fn bound_is_a_float(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let (kind, number) = (
        hand.word(&["integer", "number"]),
        hand.word(&["1.0", "1e0", "10e-1", "100.00", "1e21", "1e20", "123456789012345678901"]),
    );
    hand.insert(crd, json!({"type": kind, "minimum": 0, "maximum": raw(number)}))
}

/// More digits than a float keeps.
fn bound_with_many_digits(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let number = hand.word(&[
        "0.1234567890123456789",
        "3.14159265358979323846",
        "1.00000000000000000001",
        "0.1",
        "0.30000000000000004",
        "1e-7",
        "0.000001",
        "1234567.891",
    ]);
    let key = hand.word(&["minimum", "multipleOf", "maximum"]);
    hand.insert(crd, json!({"type": "number", key: raw(number)}))
}

/// A fraction as the bound of integers.
fn bound_is_a_fraction(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let (key, value) = (hand.word(&["minimum", "maximum"]), hand.one(json!([0.5, -1.5, 2.25])));
    hand.insert(crd, json!({"type": "integer", key: value}))
}

/// The lengths of texts, lists and objects.
const LENGTHS: [(&str, &str); 6] = [
    ("string", "minLength"),
    ("string", "maxLength"),
    ("array", "minItems"),
    ("array", "maxItems"),
    ("object", "minProperties"),
    ("object", "maxProperties"),
];

fn with_length(crd: &mut Value, hand: &mut Hand<'_>, value: Value) -> Did {
    let (kind, key) = *hand.random.pick(&LENGTHS);
    let mut schema = json!({"type": kind});
    schema[key] = value;
    match kind {
        "array" => schema["items"] = json!({"type": "string"}),
        "object" => schema["additionalProperties"] = json!({"type": "string"}),
        _ => {}
    }
    hand.insert(crd, schema)
}

/// A length that is no number.
fn length_of_wrong_json(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let value = hand.one(json!(["1", true, [], null, {}]));
    with_length(crd, hand, value)
}

/// A length below nothing.
fn length_negative(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    with_length(crd, hand, json!(-1))
}

/// Half a character.
fn length_is_a_fraction(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    with_length(crd, hand, json!(1.5))
}

/// A whole length, written as a float.
fn length_is_a_float(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let number = hand.word(&["1.0", "1e1", "2.00", "1E2"]);
    with_length(crd, hand, raw(number))
}

/// A length that no 64-bit integer holds, or hardly.
fn length_beyond_int64(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let number = hand.word(&[
        "9223372036854775807",
        "9223372036854775808",
        "1e19",
        "18446744073709551615",
        "99999999999999999999",
    ]);
    with_length(crd, hand, raw(number))
}

/// Lengths that leave nothing.
fn lengths_crossed(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let schema = hand.one(json!([
        {"type": "string", "minLength": 5, "maxLength": 3},
        {"type": "array", "items": {"type": "string"}, "minItems": 5, "maxItems": 3},
        {"type": "object", "additionalProperties": {"type": "string"}, "minProperties": 5, "maxProperties": 3},
    ]));
    hand.insert(crd, schema)
}

/// A length of what has none.
fn length_of_another_type(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let (_, key) = *hand.random.pick(&LENGTHS);
    let kind = hand.word(&["integer", "boolean", "string"]);
    hand.insert(crd, json!({"type": kind, key: 3}))
}

/// Multiples of nothing.
fn factor_is_zero(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let (kind, value) = (hand.word(&["integer", "number"]), hand.one(json!([0, 0.0, -0.0])));
    hand.insert(crd, json!({"type": kind, "multipleOf": value}))
}

/// Multiples of less than nothing.
fn factor_is_negative(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let (kind, value) = (hand.word(&["integer", "number"]), hand.one(json!([-1, -0.5])));
    hand.insert(crd, json!({"type": kind, "multipleOf": value}))
}

/// Multiples of a fraction.
fn factor_is_a_fraction(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let (kind, value) = (hand.word(&["integer", "number"]), hand.one(json!([0.5, 0.01, 1.0, 2.5])));
    hand.insert(crd, json!({"type": kind, "multipleOf": value}))
}

/// A factor that is no number.
fn factor_of_wrong_json(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let value = hand.one(json!(["2", true, [], null]));
    hand.insert(crd, json!({"type": "integer", "multipleOf": value}))
}

/// A factor that no 64-bit integer holds.
fn factor_is_large(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let number = hand.word(&["9223372036854775807", "9223372036854775808", "1e300", "1e-300"]);
    let kind = hand.word(&["integer", "number"]);
    hand.insert(crd, json!({"type": kind, "multipleOf": raw(number)}))
}

/// A format whose range the bounds leave.
fn format_beside_bounds(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let schema = hand.one(json!([
        {"type": "integer", "format": "int32", "maximum": 2_147_483_648_u64},
        {"type": "integer", "format": "int32", "minimum": -2_147_483_648_i64, "maximum": 2_147_483_647},
        {"type": "integer", "format": "int32", "multipleOf": 2_147_483_648_u64},
        {"type": "integer", "format": "int64", "maximum": 3},
        {"type": "number", "format": "float", "maximum": 1e39},
        {"type": "number", "format": "double", "maximum": 1e39},
        {"type": "integer", "format": "uint32", "maximum": -1},
        {"type": "integer", "format": "double", "maximum": 1.5},
        {"type": "number", "format": "int32", "maximum": 2_147_483_648_u64},
    ]));
    hand.insert(crd, schema)
}
