//! Values of an offer: defaults and presets near the limits of their fields, and far beyond.

use serde_json::{Value, json};

use super::hand::{Hand, pointers, raw};
use super::offers;
use super::shop::Offer;
use crate::corpus::instances;
use crate::corpus::random::Random;

/// A default or a preset of a field.
pub(super) struct Valued {
    pub offer: Offer,
    /// The source with the value as the field's default: the server says whether it is one.
    pub source: Value,
    /// What the field is, for the table.
    pub sort: String,
}

/// Gives a random field of a CRD a value. The CRD may get a field for it.
pub(super) fn valued(crd: &mut Value, random: &mut Random, preset: bool) -> Option<Valued> {
    if random.chance(60) {
        let schema = special(random);
        Hand { random, touched: None }.insert(crd, schema)?;
    }
    let served = |pointer: &str| {
        let index = pointer.strip_prefix("/spec/versions/").and_then(|rest| rest.split('/').next());
        index.and_then(|index| crd.pointer(&format!("/spec/versions/{index}/served"))) == Some(&Value::Bool(true))
    };
    let split = |pointer: &str| {
        let (start, below) = pointer.split_once("/schema/openAPIV3Schema")?;
        let path = offers::path(below)?;
        let in_map = below.contains("/additionalProperties");
        let in_list = preset && below.contains("/items");
        let unusable = path.starts_at("status") || in_map || in_list;
        (!unusable).then(|| (start.to_owned(), path))
    };
    let all: Vec<(String, (String, carrier::paths::FieldPath))> = pointers(crd)
        .into_iter()
        .filter(|pointer| served(pointer))
        .filter_map(|pointer| Some((pointer.clone(), split(&pointer)?)))
        .collect();
    let new: Vec<_> = all.iter().filter(|(pointer, _)| pointer.contains("/properties/mut")).cloned().collect();
    let candidates = if new.is_empty() { &all } else { &new };
    if candidates.is_empty() {
        return None;
    }
    let (pointer, (version, path)) = random.pick(candidates).clone();
    let node = crd.pointer(&pointer)?.clone();
    let value = value(&node, random);
    let mut source = crd.clone();
    // A preset goes into instances, whose nulls are dropped and whose defaults are filled in before they are judged. How
    // that is done is compared with the server's code by `tests/it/value_verdicts.rs`.
    let asked = if preset { carrier::derivation::values::filled(&node, &value) } else { value.clone() };
    source.pointer_mut(&pointer)?.as_object_mut()?.insert("default".to_owned(), asked);
    let name = crd.pointer(&format!("{version}/name"))?.as_str()?.to_owned();
    let mut offer = Offer { versions: vec![name], ..Offer::default() };
    let pair = (path.to_string(), value);
    if preset {
        let others: Vec<String> = all
            .iter()
            .map(|(_, (_, other))| other)
            .filter(|other| !other.is_prefix_of(&path) && !path.is_prefix_of(other))
            .map(ToString::to_string)
            .collect();
        offer.fields.push(if others.is_empty() { ".status".to_owned() } else { random.pick(&others).clone() });
        offer.presets.push(pair);
    } else {
        if random.chance(50) {
            offer.fields.extend(
                path.segments().first().map(|first| carrier::paths::FieldPath(vec![first.clone()]).to_string()),
            );
        }
        offer.defaults.push(pair);
    }
    let sort = node.get("type").and_then(Value::as_str).unwrap_or("any").to_owned();
    Some(Valued { offer, source, sort })
}

/// A field with rules of its own.
fn special(random: &mut Random) -> Value {
    let format = *random.pick(&[
        "date",
        "date-time",
        "duration",
        "byte",
        "ipv4",
        "ipv6",
        "cidr",
        "uuid",
        "uri",
        "email",
        "hostname",
        "mac",
        "password",
        "foo",
        "uuid3",
        "uuid4",
        "uuid5",
        "isbn",
        "creditcard",
        "hexcolor",
        "rgbcolor",
        "bsonobjectid",
        "ssn",
        "int32",
    ]);
    let pattern = *random.pick(&[
        "^[a-z]+$",
        "^\\w+$",
        "(?i)^k$",
        "^.$",
        "^[a&&b]$",
        "^\\d{1,3}$",
        "^\\Q.\\E$",
        "^[^x]*$",
        "\\bx",
        "^\\pL$",
        "^$",
        "^\\S+$",
        "^(a|b)?$",
        "[[:alpha:]]",
    ]);
    let choices = match random.below(6) {
        0 => json!([
            {"type": "string", "format": format}, {"type": "string", "format": format}, {"type": "string", "pattern": pattern}, {"type": "string", "pattern": pattern},
            {"type": "string", "minLength": 2, "maxLength": 3}, {"type": "string", "enum": ["a", "B", ""]}, {"type": "string", "nullable": true}, {"type": "string", "nullable": true, "enum": ["a", null]},
        ]),
        1 => json!([
            {"type": "integer", "minimum": 2, "maximum": 5}, {"type": "integer", "format": "int32"}, {"type": "integer", "format": "int64"}, {"type": "integer", "maximum": 9_007_199_254_740_992_u64}, {"type": "integer", "multipleOf": 3}, {"type": "integer", "maximum": raw("9223372036854775807")}, {"type": "integer", "multipleOf": 0.5}, {"type": "integer", "minimum": 0.5}, {"type": "integer", "enum": [1, 2]}, {"type": "integer", "exclusiveMinimum": true, "minimum": 2},
        ]),
        2 => json!([
            {"type": "number", "multipleOf": 0.1}, {"type": "number", "multipleOf": 0.01}, {"type": "number", "maximum": 1.5, "exclusiveMaximum": true}, {"type": "number", "format": "float"}, {"type": "number", "enum": [1, 2.5]}, {"type": "number", "minimum": 2, "maximum": 5},
        ]),
        3 => json!([
            {"type": "boolean"}, {"x-kubernetes-int-or-string": true}, {"x-kubernetes-int-or-string": true, "pattern": "^[0-9]+%$"}, {"x-kubernetes-int-or-string": true, "minimum": 2, "maxLength": 2}, {"x-kubernetes-preserve-unknown-fields": true}, {"x-kubernetes-preserve-unknown-fields": true, "nullable": true},
            {"type": "object", "required": ["b"], "properties": {"b": {"type": "string", "default": "q"}}}, {"type": "object", "required": ["b"], "properties": {"b": {"type": "string"}, "c": {"type": "integer", "default": 1}}}, {"type": "object", "properties": {"b": {"type": "string"}, "c": {"type": "object", "required": ["d"], "properties": {"d": {"type": "string"}}}}},
        ]),
        4 => json!([
            {"type": "object", "additionalProperties": {"type": "integer", "maximum": 3}, "maxProperties": 2}, {"type": "object", "x-kubernetes-preserve-unknown-fields": true, "properties": {"b": {"type": "string"}}}, {"type": "object", "minProperties": 1, "properties": {"b": {"type": "string", "nullable": true}}}, {"type": "object"}, {"type": "object", "additionalProperties": true}, {"type": "object", "additionalProperties": true, "properties": {"b": {"type": "string"}}},
            {"type": "object", "nullable": true, "properties": {"b": {"type": "string"}}}, {"type": "object", "properties": {"b": {"type": "string"}, "c": {"type": "string"}}, "oneOf": [{"required": ["b"]}, {"required": ["c"]}]}, {"type": "object", "properties": {"b": {"type": "integer"}}, "anyOf": [{"properties": {"b": {"minimum": 3}}}]}, {"type": "object", "properties": {"b": {"type": "string"}}, "not": {"required": ["b"]}},
        ]),
        _ => json!([
            {"type": "object", "properties": {"b": {"type": "integer"}}, "x-kubernetes-validations": [{"rule": "has(self.b) && self.b > 1"}]}, {"type": "integer", "x-kubernetes-validations": [{"rule": "self > 3"}]}, {"type": "string", "x-kubernetes-validations": [{"rule": "self.startsWith('a')"}]}, {"type": "integer", "x-kubernetes-validations": [{"rule": "self == oldSelf"}]},
            {"type": "object", "x-kubernetes-embedded-resource": true, "properties": {"apiVersion": {"type": "string"}, "kind": {"type": "string"}, "metadata": {"type": "object"}, "spec": {"type": "object", "properties": {"b": {"type": "string"}}}}}, {"type": "object", "x-kubernetes-embedded-resource": true, "x-kubernetes-preserve-unknown-fields": true}, {"type": "array", "items": {"type": "object", "x-kubernetes-embedded-resource": true, "x-kubernetes-preserve-unknown-fields": true}},
            {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"}, {"type": "array", "items": {"type": "number"}, "x-kubernetes-list-type": "set"}, {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 2}, {"type": "array", "items": {"type": "string", "nullable": true}}, {"type": "array", "items": {"type": "object", "required": ["n"], "properties": {"n": {"type": "string"}, "p": {"type": "integer", "default": 1}}}, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["n"]},
            {"type": "array", "items": {"type": "object", "required": ["n"], "properties": {"n": {"type": "string"}, "p": {"type": "integer", "default": 1}}}, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["n", "p"]}, {"type": "array", "items": {"type": "object", "properties": {"n": {"type": "string"}}}}, {"type": "array", "nullable": true, "items": {"type": "array", "items": {"type": "integer"}}},
        ]),
    };
    Hand { random, touched: None }.one(choices)
}

/// A value for a field: one that fits, one near its limits, or one of another sort.
fn value(node: &Value, random: &mut Random) -> Value {
    let right = instances::value(node, random);
    if let Some(right) = right.clone().filter(|_| random.chance(25)) {
        return right;
    }
    if random.chance(15) {
        return Hand { random, touched: None }.one(json!([1, "x", true, {}, [], null, 1.5, -1, "", {"b": null}, [null], {"zzz": 1}, "1", [{}], {"b": {}}, "true"]));
    }
    if random.chance(20)
        && let Some(right) = right
    {
        return bent(right, random);
    }
    near(node, random)
}

/// A value that fits, with something changed.
fn bent(mut value: Value, random: &mut Random) -> Value {
    match &mut value {
        Value::Object(map) => match random.below(4) {
            0 => drop(map.insert("zzz".to_owned(), json!(1))),
            1 => {
                let names: Vec<String> = map.keys().cloned().collect();
                if !names.is_empty() {
                    map.remove(random.pick(&names));
                }
            }
            2 => {
                if let Some(child) = map.values_mut().next() {
                    *child = Value::Null;
                }
            }
            _ => {
                if let Some(child) = map.values_mut().next() {
                    *child = bent(child.take(), random);
                }
            }
        },
        Value::Array(list) => match (random.below(3), list.first().cloned()) {
            (0, Some(first)) => list.push(first),
            (1, _) => list.push(Value::Null),
            (_, Some(first)) => list[0] = bent(first, random),
            _ => list.push(json!({})),
        },
        Value::String(text) => *text = format!("{text}{}", random.pick(&["x", "\n", " ", "\u{e4}", "", "0"])),
        Value::Number(number) => {
            let number = number.as_f64().unwrap_or_default() + random.pick(&[1.0, 0.5, -1.0, 0.0]);
            return json!(number);
        }
        Value::Bool(flag) => return json!(flag.to_string()),
        Value::Null => return json!({}),
    }
    value
}

/// A value near the limits of a type.
fn near(node: &Value, random: &mut Random) -> Value {
    let mut hand = Hand { random, touched: None };
    match node.get("type").and_then(Value::as_str) {
        Some("string") => {
            let format = node.get("format").and_then(Value::as_str).unwrap_or_default();
            let texts = texts(format);
            json!(hand.word(texts))
        }
        Some("integer" | "number") => {
            let number = hand.word(&["0", "1", "2", "3", "4", "5", "6", "-1", "1.0", "2.0", "2.5", "1.5", "0.1", "0.3", "0.35", "1.15", "1.149", "2147483647", "2147483648", "-2147483649", "9223372036854775807", "9223372036854775808", "-9223372036854775808", "9007199254740992", "9007199254740993", "1e3", "1e19", "1e39", "1e400", "-0", "-0.0", "1e-400", "0.30000000000000004", "1.4999999999999999", "5.0", "100000000000000000000", "1E2", "3.4028235e38"]);
            raw(number)
        }
        Some("boolean") => hand.one(json!([true, false, "true", 0, 1, null])),
        Some("array") => {
            let n = |n: i64| json!({"n": "a", "p": n});
            hand.one(json!([[], ["a"], ["a", "a"], ["a", "b"], ["a", "b", "c"], [null], [1, 1.0], [1], [{}], [{"n": "a"}], [{"n": "a"}, {"n": "a"}], [{"n": "a"}, {"n": "b"}], [n(1), {"n": "a"}], [n(1), n(1)], [n(1), n(2)], [n(1), {"p": 1}], [[1], ["a"]], [[]], [{"n": null}], [{"zzz": 1}], {}, [{"apiVersion": "v1", "kind": "P"}], [{"kind": "P"}], [true]]))
        }
        Some("object") => {
            let name = hand.word(&["x", "X", "a.b", "", "-a", "a b"]);
            hand.one(json!([
                {}, {"b": "x"}, {"b": 1}, {"b": 4}, {"b": null}, {"b": "x", "c": "y"}, {"c": {}}, {"c": {"d": "x"}}, {"c": {"d": null}}, {"a": 1, "b": 2}, {"a": 1, "b": 2, "c": 3}, {"a": 1, "b": 9}, {"zzz": {"b": null}}, {"b": "x", "zzz": 1}, {"c": 1}, {"b": "x", "c": 2},
                {"apiVersion": "v1", "kind": "P"}, {"apiVersion": "v1", "kind": "P", "metadata": {"name": name}}, {"kind": "P"}, {"apiVersion": "v1", "kind": "p-"}, {"apiVersion": "a/b/c", "kind": "P"}, {"apiVersion": "v1", "kind": "P", "metadata": {"labels": {"a": name}}}, {"apiVersion": "v1", "kind": "P", "metadata": {"annotations": {"a": 1}}}, {"apiVersion": "v1", "kind": "P", "metadata": {"zzz": 1}}, {"apiVersion": "v1", "kind": "P", "metadata": {"generateName": name}}, {"apiVersion": "v1", "kind": "P", "metadata": {"namespace": name}},
                {"apiVersion": "v1", "kind": "P", "metadata": {"creationTimestamp": null}}, {"apiVersion": "v1", "kind": "P", "metadata": null}, {"apiVersion": "v1", "kind": "P", "spec": {"b": "x"}}, {"apiVersion": "v1", "kind": "P", "spec": {"zzz": "x"}}, {"apiVersion": "", "kind": "P"}, {"apiVersion": "v1", "kind": "P", "metadata": {"finalizers": [name]}}, {"apiVersion": "v1", "kind": "P", "metadata": {"ownerReferences": [{}]}}, {"apiVersion": "v1", "kind": "P", "metadata": "x"}, null,
            ]))
        }
        _ => hand.one(json!([1, "1", "10%", "a", 5, 1.5, true, null, {}, [], {"a": null}, "123", 3, [null], -1, 9_223_372_036_854_775_808_u64])),
    }
}

/// Texts at the edges of formats.
const FORMATS: &[(&[&str], &[&str])] = &[
    (
        &["date"],
        &[
            "2024-02-29",
            "2023-02-29",
            "2024-2-3",
            "0000-01-01",
            "2024-13-01",
            "24-01-01",
            "2024-01-01T00:00:00Z",
            "2024-01-01 ",
            "+2024-01-01",
        ],
    ),
    (
        &["date-time", "datetime"],
        &[
            "2024-01-01T00:00:00Z",
            "2024-01-01t00:00:00z",
            "2024-01-01T00:00:00",
            "2024-01-01T00:00:00+01:00",
            "2024-01-01T00:00:00.1Z",
            "2024-01-01T24:00:00Z",
            "2024-01-01 00:00:00Z",
            "2024-01-01T23:59:60Z",
            "2024-01-01T00:00Z",
            "2024-01-01T00:00:00+0100",
            "2024-01-01T00:00:00,5Z",
            "2024-02-30T00:00:00Z",
        ],
    ),
    (
        &["duration"],
        &[
            "1h",
            "1h30m",
            "1 day",
            "1d",
            "P1D",
            "1",
            "",
            "-1h",
            "1.5h",
            "3 weeks",
            "1us",
            "1 \u{b5}s",
            "1h 30m",
            "h",
            "1y",
            "99999999999h",
            "0",
            "+1h",
            ".5s",
            "1ns",
            "2 hours",
            "1 hour and",
        ],
    ),
    (&["byte"], &["", "YQ==", "YQ", "YQ=", "!", "Y Q==", "YQ==\n", "_-==", "YWJj", "YR==", "====", "Y"]),
    (
        &["ipv4", "ipv6", "ip"],
        &[
            "1.2.3.4",
            "01.2.3.4",
            "1.2.3",
            "1.2.3.256",
            "::1",
            "::",
            "::ffff:1.2.3.4",
            "fe80::1%eth0",
            "1::2::3",
            ":::",
            "1.2.3.4 ",
            "12345::",
            "0:0:0:0:0:0:0:0",
            "0xa.1.1.1",
        ],
    ),
    (
        &["cidr"],
        &[
            "10.0.0.0/8",
            "10.0.0.1/8",
            "10.0.0.0",
            "10.0.0.0/33",
            "::/0",
            "::/129",
            "10.0.0.0/08",
            "10.0.0.0/-1",
            "::ffff:1.2.3.4/96",
            "1.2.3.4/",
        ],
    ),
    (
        &["uuid", "uuid3", "uuid4", "uuid5"],
        &[
            "00000000-0000-0000-0000-000000000000",
            "00000000-0000-3000-8000-000000000000",
            "00000000-0000-4000-8000-000000000000",
            "00000000-0000-5000-8000-000000000000",
            "{00000000-0000-4000-8000-000000000000}",
            "00000000000040008000000000000000",
            "urn:uuid:00000000-0000-4000-8000-000000000000",
            "0000000-0000-4000-8000-000000000000",
            "G0000000-0000-4000-8000-000000000000",
            "00000000-0000-4000-C000-000000000000",
            "ABCDEF00-0000-4000-B000-000000000000",
        ],
    ),
    (
        &["uri"],
        &[
            "http://a",
            "/a",
            "a",
            "a:b",
            "http://a b",
            "http://%zz",
            "http://[::1",
            "",
            "//a",
            "http://a:99999",
            "http://a:b",
            "#x",
            "?x",
            "http://\u{e4}",
            "mailto:a@b",
            "http://",
            ":a",
            "1:a",
        ],
    ),
    (
        &["email"],
        &[
            "a@b",
            "a",
            "A <a@b.c>",
            "a@",
            "@b",
            "a b@c",
            "\"a b\"@c",
            "a@b, c@d",
            "a@[1.2.3.4]",
            "a@b.",
            "\u{e4}@b.c",
            "a@b (c)",
            "<a@b>",
            "",
        ],
    ),
    (
        &["hostname"],
        &[
            "a", "a.b", "a.", "-a", "a_b", "1", "a..b", "A-1.b", ".", "", "a-.b", "\u{e4}.b", "a.1", "1.2.3.4", "a b",
            "x.y.z.", "xn--a", "*.a", "a/b",
        ],
    ),
    (
        &["mac"],
        &[
            "00:00:00:00:00:00",
            "00-00-00-00-00-00",
            "0000.0000.0000",
            "00:00:00:00:00",
            "0:0:0:0:0:0",
            "00:00:00:00:00:00:00:00",
            "zz:00:00:00:00:00",
            "00:00-00:00:00:00",
            "000000000000",
        ],
    ),
    (
        &["isbn", "isbn10", "isbn13"],
        &[
            "0306406152",
            "0-306-40615-2",
            "9780306406157",
            "978-0-306-40615-7",
            "1",
            "0306406153",
            "030640615X",
            "080442957X",
            "0 306 40615 2",
        ],
    ),
    (
        &["creditcard"],
        &[
            "4111111111111111",
            "4111-1111-1111-1111",
            "4111111111111112",
            "378282246310005",
            "1",
            "",
            "4111 1111 1111 1111",
            "6011111111111117",
            "5105105105105100",
        ],
    ),
    (
        &["ssn"],
        &["111-11-1111", "111111111", "111 11 1111", "11-111-1111", "000-00-0000", "111-11-11111", "111-111111"],
    ),
    (&["hexcolor"], &["#fff", "fff", "#ffffff", "#ffff", "#ggg", "", "#FFF", "ffffff", "#fffffff"]),
    (
        &["rgbcolor"],
        &[
            "rgb(0,0,0)",
            "rgb(0, 0, 0)",
            "rgb(256,0,0)",
            "rgb(0%,0%,0%)",
            "rgba(0,0,0,0)",
            "RGB(0,0,0)",
            "rgb(01,0,0)",
            "rgb(0,0,0",
            "rgb(-1,0,0)",
            "rgb( 1 , 2 , 3 )",
        ],
    ),
    (
        &["bsonobjectid"],
        &[
            "507f1f77bcf86cd799439011",
            "507f1f77bcf86cd79943901",
            "507F1F77BCF86CD799439011",
            "x07f1f77bcf86cd799439011",
        ],
    ),
];

/// Texts for all other fields.
const TEXTS: &[&str] = &[
    "",
    "a",
    "b",
    "A",
    "ab",
    "abc",
    "abcd",
    "\u{e4}\u{e4}\u{e4}",
    "\u{e4}\u{e4}\u{e4}\u{e4}",
    "\u{1f600}",
    "a\n",
    "\n",
    "K",
    "k",
    "\u{212a}",
    "Gr\u{f6}\u{df}e",
    "\u{663}",
    "123",
    "1234",
    "&",
    ".",
    "x",
    " ",
    "\u{a0}",
    "\u{85}",
    "true",
    "1",
    "2024-01-01",
    "null",
    "e\u{301}",
    "\u{17f}",
    "one",
    "\u{e4}x",
    "\u{0}",
    "\u{feff}",
];

/// Texts at the edges of a format.
fn texts(format: &str) -> &'static [&'static str] {
    FORMATS.iter().find(|(names, _)| names.contains(&format)).map_or(TEXTS, |(_, texts)| texts)
}
