//! Changes of the keywords that bound a single value: numbers, sizes, patterns, formats, and the
//! words for people.

#![allow(clippy::needless_pass_by_value, reason = "`json!` is written where it is used")]

use serde_json::{Map, Value, json};

use super::catalogue::{Change, kind, list, map, with};
use crate::corpus::random::Random;

pub(super) fn all(random: &mut Random) -> Vec<Change> {
    let mut found = bounds(random);
    found.extend(texts());
    found
}

/// Bounds, with numbers as the dice fall.
fn bounds(random: &mut Random) -> Vec<Change> {
    type Make = fn(usize) -> Value;
    let mut found = Vec::new();
    let text = |length: usize| Value::from("é".repeat(length));
    let numbers = |size: usize| Value::from(size);
    let items = |size: usize| Value::from(vec!["a"; size]);
    let entries = |size: usize| (0..size).map(|n| (format!("k{n}"), json!("v"))).collect::<Map<_, _>>().into();
    let of: [(&str, &str, Value, Make); 4] = [
        ("minimum", "maximum", kind("integer"), numbers),
        ("minLength", "maxLength", kind("string"), text),
        ("minItems", "maxItems", list(kind("string")), items),
        ("minProperties", "maxProperties", map(kind("string")), entries),
    ];
    for (least, most, plain, sized) in of {
        let low = random.between(1, 3);
        let high = low + random.between(1, 3);
        let mut values: Vec<Value> = [0, low - 1, low, low + 1, high, high + 1].into_iter().map(sized).collect();
        if least == "minimum" {
            values.push(json!(-1));
        }
        for (key, narrow, wide) in [(least, high, low), (most, low, high)] {
            let at = |bound: usize| with(&plain, json!({ key: bound }));
            found.extend([
                Change::new(key, "added", plain.clone(), at(narrow), &values),
                Change::new(key, "removed", at(wide), plain.clone(), &values),
                Change::new(key, "narrowed", at(wide), at(narrow), &values),
                Change::new(key, "widened", at(narrow), at(wide), &values),
                Change::new(key, "added", plain.clone(), at(0), &values),
            ]);
        }
    }
    let number = kind("number");
    let values = [json!(1), json!(1.5), json!(2), json!(2.5), json!(3)];
    for (key, flag, narrower, wider) in
        [("minimum", "exclusiveMinimum", 2.5, 1.5), ("maximum", "exclusiveMaximum", 1.5, 2.5)]
    {
        let at = |bound: f64, exclusive: bool| with(&number, json!({ key: bound, flag: exclusive }));
        found.extend([
            // Whole numbers are compared with the whole part of a bound.
            Change::new(key, "widened", at(2.0, false), at(wider + (wider - 2.0), true), &values),
            Change::new(flag, "added", at(2.0, false), at(2.0, true), &values),
            Change::new(flag, "removed", at(2.0, true), at(2.0, false), &values),
            Change::new(flag, "added", with(&number, json!({ key: 2 })), at(2.0, true), &values),
            Change::new(key, "widened", at(2.0, false), at(wider, true), &values),
            Change::new(key, "narrowed", at(2.0, true), at(narrower, false), &values),
            Change::new(flag, "added", number.clone(), with(&number, json!({ flag: true })), &values),
            Change::new(key, "added", with(&number, json!({ flag: true })), at(2.0, true), &values),
            Change::new(key, "removed", at(2.0, true), number.clone(), &values),
        ]);
    }
    let negative =
        |bound: f64, exclusive: bool| with(&number, json!({ "minimum": bound, "exclusiveMinimum": exclusive }));
    let values = [json!(-1), json!(-2), json!(-1.5), json!(0)];
    found.push(Change::new("minimum", "widened", negative(-1.0, false), negative(-1.5, true), &values));
    found.push(Change::new("minimum", "widened", negative(-1.0, false), negative(-2.0, true), &values));
    // A bound of another type says nothing; one of either type does.
    let either = json!({ "x-kubernetes-int-or-string": true });
    found.push(Change::new(
        "minLength",
        "added",
        kind("integer"),
        json!({ "type": "integer", "minLength": 3 }),
        &[json!(1)],
    ));
    found.push(Change::new(
        "maximum",
        "added",
        kind("string"),
        json!({ "type": "string", "maximum": 1 }),
        &[json!("abc"), json!("5")],
    ));
    found.push(Change::new(
        "minLength",
        "added",
        either.clone(),
        with(&either, json!({ "minLength": 3 })),
        &[json!(1), json!("a")],
    ));
    found.push(Change::new(
        "maximum",
        "added",
        either.clone(),
        with(&either, json!({ "maximum": 3 })),
        &[json!(5), json!("a")],
    ));
    let integers = |by: Value| json!({ "type": "integer", "multipleOf": by });
    let (key, values) = ("multipleOf", [json!(2), json!(3), json!(4), json!(6)]);
    found.extend([
        Change::new(key, "added", kind("integer"), integers(json!(2)), &values),
        Change::new(key, "removed", integers(json!(2)), kind("integer"), &values),
        Change::new(key, "narrowed", integers(json!(2)), integers(json!(4)), &values),
        Change::new(key, "widened", integers(json!(4)), integers(json!(2)), &values),
        Change::new(key, "moved", integers(json!(2)), integers(json!(3)), &values),
        Change::new(
            key,
            "moved",
            json!({ "type": "number", "multipleOf": 0.3 }),
            json!({ "type": "number", "multipleOf": 0.1 }),
            &[json!(0.3), json!(0.9), json!(3)],
        ),
    ]);
    found
}

fn texts() -> Vec<Change> {
    let text = kind("string");
    let pattern = |pattern: &str| json!({ "type": "string", "pattern": pattern });
    let values = [json!("a"), json!("ab"), json!("b"), json!("")];
    let key = "pattern";
    let mut found = vec![
        Change::new(key, "added", text.clone(), pattern("^a"), &values),
        Change::new(key, "removed", pattern("^a"), text.clone(), &values),
        Change::new(key, "moved", pattern("^a"), pattern("b$"), &values),
        Change::new(key, "moved", pattern("^a"), pattern("^ab"), &values),
        Change::new(key, "moved", pattern("^ab"), pattern("^a"), &values),
    ];
    let formats = [
        ("date", "2024-02-30"),
        ("date-time", "2024-02-03T04:05:06Z"),
        ("duration", "1h"),
        ("byte", "aGk="),
        ("ipv4", "10.0.0.1"),
        ("ipv6", "::1"),
        ("cidr", "10.0.0.0/8"),
        ("email", "a@b.cc"),
        ("hostname", "a.b"),
        ("uri", "http://a/b"),
        ("uuid", "123e4567-e89b-12d3-a456-426614174000"),
        ("password", "x"),
        ("k8s-short-name", "a-b"),
        ("unheard-of", "x"),
    ];
    for (format, example) in formats {
        let formatted = with(&text, json!({ "format": format }));
        let values = [json!(example), json!("no such thing"), json!("")];
        found.push(Change::new("format", "added", text.clone(), formatted.clone(), &values));
        found.push(Change::new("format", "removed", formatted, text.clone(), &values));
    }
    for (name, format) in [("integer", "int32"), ("integer", "int64"), ("number", "float"), ("number", "double")] {
        let formatted = json!({ "type": name, "format": format });
        let values = [
            json!(1),
            json!(4_294_967_296_i64),
            json!(9_223_372_036_854_775_807_i64),
            json!(-5_000_000_000_i64),
            json!(1e39),
        ];
        found.push(Change::new("format", "added", kind(name), formatted.clone(), &values));
        found.push(Change::new("format", "removed", formatted, kind(name), &values));
    }
    let of = |format: &str| json!({ "type": "string", "format": format });
    let dates = [json!("2024-01-02"), json!("2024-01-02T03:04:05Z")];
    found.push(Change::new("format", "moved", of("date"), of("date-time"), &dates));
    let wide = json!({ "type": "integer", "format": "int64" });
    found.push(Change::new(
        "format",
        "moved",
        json!({ "type": "integer", "format": "int32" }),
        wide,
        &[json!(1), json!(5_000_000_000_i64)],
    ));
    for key in ["description", "title", "example", "externalDocs"] {
        let more = |text: &str| match key {
            "externalDocs" => json!({ key: { "url": text } }),
            _ => json!({ key: text }),
        };
        found.push(Change::new(key, "added", text.clone(), with(&text, more("a")), &values));
        found.push(Change::new(key, "moved", with(&text, more("a")), with(&text, more("b")), &values));
    }
    found
}
