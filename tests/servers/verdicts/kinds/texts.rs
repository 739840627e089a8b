//! Patterns, formats, and very long or odd texts.

use serde_json::{Map, Value, json};

use super::super::hand::{Did, Hand, any, is, kinds, put};

kinds![
    pattern_refused,
    pattern_odd_and_legal,
    pattern_of_another_type,
    pattern_long,
    format_unknown,
    format_known,
    format_of_another_type,
    description_very_long,
    description_odd,
    enum_very_long,
    schema_very_deep,
    properties_many,
    property_with_an_odd_name,
    property_with_a_long_name,
];

/// Patterns that RE2 does not compile.
fn pattern_refused(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let pattern = hand.word(&[
        "^(?!a)b$",
        "(?=x)",
        "(?<=x)y",
        "(?<!x)y",
        "(a)\\1",
        "a++",
        "a*+",
        "(?>a)",
        "(",
        ")",
        "[",
        "a{1001}",
        "a{1,2000}",
        "(a{100}){100}",
        "*a",
        "+",
        "?",
        "a**",
        "\\",
        "[b-a]",
        "[[:foo:]]",
        "\\p{Foo}",
        "(?P<a>x)(?P<a>y)",
        "\\u0041",
        "\\<",
        "\\>",
        "\\h",
        "\\R",
        "\\K",
        "\\e",
        "\\N",
        "\\cA",
        "(?x)a b",
        "(?#c)",
        "(?i",
        "(?P=a)",
        "(?<1>a)",
        "\\x{110000}",
        "\\xg",
        "[\\8]",
        "(?-u)\\w",
        "(?R)",
        "[a-\\d]",
        "x{2}{3}",
        "(?|a)",
        "\\k<a>",
        "(?P<>a)",
        "[[.a.]]",
        "[[=a=]]",
        "\\Z",
        "\\G",
        "[]",
        "[^]",
        "\\pX",
        "\\8",
        "(?P<a-b>x)",
        "(?i-)",
        "(?-)",
        "[z-a]",
        "a{2,1}",
        "(?P>a)",
        "\\x{}",
        "((((a{30}){30}){30}){30})",
    ]);
    hand.insert(crd, json!({"type": "string", "pattern": pattern}))
}

/// Patterns that look wrong, or that other engines read otherwise, and that RE2 takes.
fn pattern_odd_and_legal(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let pattern = hand.word(&[
        "",
        "^",
        "[a&&b]",
        "[a--b]",
        "[a~~b]",
        "\\Q(.\\E",
        "\\Qa",
        "\\E",
        "[[:word:]]",
        "[[:^alpha:]]",
        "\\pL",
        "\\p{Greek}",
        "\\PN",
        "\\z",
        "\\A",
        "(?i)a",
        "\\C",
        "[]a]",
        "[^]a]",
        "x{,3}",
        "x{",
        "x{a}",
        "x{1",
        "{",
        "}",
        "]",
        "\\x{10FFFF}",
        "\\x41",
        "(?P<n>a)",
        "(?<n>a)",
        "\\_",
        "\\-",
        "\\/",
        "\\.",
        "\\@",
        "\\#",
        "\\\"",
        "\\ ",
        "a{1000}",
        "a{0}",
        "a{0,0}",
        "(?s).",
        "(?U)a+",
        "(?ms-i:a)",
        "(?i:a)",
        "\\a\\f\\t\\n\\r\\v",
        "\\01",
        "\\07",
        "\\123",
        "[\\d-z]",
        "[a-]",
        "[-a]",
        "[\\w.]",
        "\\b",
        "\\B",
        "(|a)",
        "(?:)",
        "()",
        "a||b",
        "|",
        "^*",
        "$*",
        "$^",
        "(?i)ß",
        "[[a]",
        "[[]",
        "[a[:digit:]b]",
        "ä+",
        "[ä-ü]",
        "\\p{^Greek}",
        "\\P{^Greek}",
        "(?:a{10}){10}",
        "[^\\x00-\\x{10FFFF}]",
        "a{2}?",
        "a??",
        "\\p{L}",
        "\\p{Letter}",
        "\\p{Any}",
        "^\\w+$",
        "(?s)^.{1,63}$",
        "[\\]]",
        "\\D\\S\\W",
        "[[:ascii:]]",
        "^(?:https?://)?$",
        "(?P<a1>x)",
        "(?<ä>x)",
        "\\d{1,3}",
        "[\\Qa\\E]",
        "\\x0",
        "\\x{0}",
        "\\0",
        "(?-s:.)",
        "[!-~]",
        "a{,}",
    ]);
    hand.insert(crd, json!({"type": "string", "pattern": pattern}))
}

/// A pattern of what is no text.
fn pattern_of_another_type(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let (kind, pattern) = (hand.word(&["integer", "object", "boolean"]), hand.word(&["^a$", "("]));
    hand.insert(crd, json!({"type": kind, "pattern": pattern}))
}

/// A pattern of some length.
fn pattern_long(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let part = hand.word(&["a|", "[a-z]", "(a)", "(?:", "a{3}"]);
    hand.insert(crd, json!({"type": "string", "pattern": part.repeat(300)}))
}

/// Formats that the server does not know.
fn format_unknown(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let format = hand.word(&[
        "foo",
        "",
        "int128",
        "DateTime",
        "URI",
        "regex",
        "go-duration",
        "quantity",
        "k8s-short-name",
        " date",
    ]);
    put(hand.inner(crd, is("string"))?, "format", json!(format))
}

/// Formats that it knows.
fn format_known(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let format = hand.word(&[
        "date-time",
        "date",
        "duration",
        "byte",
        "binary",
        "ipv4",
        "ipv6",
        "cidr",
        "uuid",
        "uri",
        "email",
        "hostname",
        "password",
        "mac",
        "bsonobjectid",
        "isbn",
        "creditcard",
        "ssn",
        "hexcolor",
        "datetime",
        "int-or-string",
    ]);
    put(hand.inner(crd, is("string"))?, "format", json!(format))
}

/// A format of another type than the format's.
fn format_of_another_type(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let (kind, format) = (
        hand.word(&["integer", "number", "boolean", "object", "array", "string"]),
        hand.word(&["date-time", "int32", "int64", "float", "byte", "int-or-string", "x"]),
    );
    let mut schema = json!({"type": kind, "format": format});
    if kind == "array" {
        schema["items"] = json!({"type": "string"});
    }
    hand.insert(crd, schema)
}

/// A description of 100 KiB.
fn description_very_long(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    put(hand.inner(crd, any)?, "description", json!("word ".repeat(20_000)))
}

/// Texts that YAML writers and readers stumble over.
fn description_odd(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let text = hand.word(&[
        "",
        " ",
        "\n",
        "a\n\nb\n",
        "\tx",
        "- a",
        "a: b",
        "#",
        "'",
        "\"",
        "\u{0}",
        "\u{7f}",
        "\u{85}",
        "\u{2028}",
        "\u{feff}",
        "\u{1f600}",
        "y",
        "null",
        "1.0",
        "~",
        "{{ x }}",
        "---",
        "a\r\nb",
        "\\",
        "@x",
        "%",
        "\u{fffd}",
        "<a&b>",
        "0x1",
        "1e3",
        "=",
        "<<",
    ]);
    put(hand.inner(crd, any)?, "description", json!(text))
}

/// Two thousand values.
fn enum_very_long(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let values: Vec<String> = (0..2000).map(|n| format!("value-{n}")).collect();
    hand.insert(crd, json!({"type": "string", "enum": values}))
}

/// A schema in a schema in a schema.
fn schema_very_deep(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let depth = *hand.random.pick(&[10, 30, 50]);
    let wrap = hand.word(&["object", "array", "map"]);
    let mut schema = json!({"type": "string"});
    for _ in 0..depth {
        schema = match wrap {
            "object" => json!({"type": "object", "properties": {"a": schema}}),
            "array" => json!({"type": "array", "items": schema}),
            _ => json!({"type": "object", "additionalProperties": schema}),
        };
    }
    hand.insert(crd, schema)
}

/// Three hundred properties.
fn properties_many(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let properties: Map<String, Value> = (0..300).map(|n| (format!("p{n}"), json!({"type": "string"}))).collect();
    hand.insert(crd, json!({"type": "object", "properties": properties}))
}

/// Names that mean something elsewhere, or that need quotes.
fn property_with_an_odd_name(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let name = hand.word(&[
        "",
        "a.b",
        "a/b",
        "a~b",
        "$ref",
        "__proto__",
        "x-kubernetes-validations",
        "y",
        "ä",
        "in",
        " ",
        "a b",
        "properties",
        "items",
        "metadata",
        "apiVersion",
        "kind",
        "type",
        "default",
        "a-b",
        "_",
        "__",
        "self",
        "1",
        "true",
        "null",
        "~",
        "namespace",
        "a[0]",
        "'",
        "\"",
        "\\",
        "*",
        "a\nb",
        "required",
        "additionalProperties",
        "has",
        "all",
        "int",
        "string",
        "-",
        "@",
        "%",
        "{{x}}",
        "\u{2028}",
        "no",
        "=",
        "<<",
        "0x1",
        "1.0",
        "status",
    ]);
    let child = hand.one(json!([{"type": "string"}, {"type": "object"}, {"type": "integer", "default": 1}]));
    let mut schema = json!({"type": "object", "properties": {name: child}});
    if hand.random.chance(30) {
        schema["required"] = json!([name]);
    }
    hand.insert(crd, schema)
}

/// A name that is long, and not longer than YAML allows.
fn property_with_a_long_name(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let name = "n".repeat(*hand.random.pick(&[64, 300, 900]));
    hand.insert(crd, json!({"type": "object", "properties": {name: {"type": "string"}}}))
}
