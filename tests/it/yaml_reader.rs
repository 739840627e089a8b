//! What the reader says about a text: places, complaints, limits, recovery.

use std::fmt::Write as _;

use carrier::diagnostic::{Diagnostics, Severity};
use carrier::source::{FileId, Span};
use carrier::text::MAX_DEPTH;
use carrier::text::apply_suppressions;
use carrier::text::{Document, read};
use carrier::text::{Node, Value};
use proptest::prelude::*;
use serde_json::json;

use crate::harness::Case;

/// The tests of this file.
pub(crate) fn cases() -> Vec<Case> {
    cases![
        every_value_keeps_its_place,
        documents_after_a_broken_one_are_read,
        json_values_one_after_the_other_are_documents,
        after_several_json_values_there_is_no_yaml,
        keys_that_are_no_strings_are_said,
        what_is_no_document_is_left_out,
        complaints_name_the_words_concerned,
        both_places_of_a_duplicate_are_shown_and_the_first_stays,
        a_refused_value_leaves_the_rest_of_its_document,
        alias_bombs_are_stopped,
        depth_is_limited_with_aliases_written_out,
        size_is_limited,
        comments_hide_warnings_of_their_line,
        a_suppression_knows_its_reason,
        no_text_makes_it_panic_and_every_place_is_in_the_text,
    ]
}

fn parse(text: &str) -> (Vec<Document>, Diagnostics) {
    let mut diagnostics = Diagnostics::default();
    let documents = read(FileId(0), text, &mut diagnostics);
    (documents, diagnostics)
}

fn slice(text: &str, span: Span) -> &str {
    &text[span.start as usize..span.end as usize]
}

/// Every diagnostic as `CODE "underlined": message`.
fn complaints(text: &str) -> Vec<String> {
    let said = parse(text).1.into_sorted();
    said.iter()
        .map(|d| {
            assert!(!d.help.is_empty(), "no way to mend it: {d:?}");
            assert!(!d.message.ends_with('.'), "{d:?}");
            format!("{} {:?}: {}", d.code.id, slice(text, d.primary.as_ref().unwrap().span), d.message)
        })
        .collect()
}

fn every_value_keeps_its_place() {
    let text = "\u{feff}a: on # c\nb: 'x y'  \nc:\n  - 1\n  - d: |\n      t1\n      t2\n\n  # é\n  - {k: 1, l: [1, 2]}  # x\n\
                e: &x !!str foo\nf: *x\ng:\nh: >-\n  u\n\n";
    let (documents, diagnostics) = parse(text);
    assert!(diagnostics.is_empty(), "{:?}", diagnostics.into_sorted());
    let root = &documents[0].root;
    let at = |pointer: &str| slice(text, root.pointer(pointer).unwrap().span);
    assert_eq!(at("/a"), "on");
    assert_eq!(at("/b"), "'x y'");
    assert_eq!(at("/c/0"), "1");
    assert_eq!(at("/c/1"), "d: |\n      t1\n      t2");
    assert_eq!(at("/c/1/d"), "t1\n      t2");
    assert_eq!(at("/c/2"), "{k: 1, l: [1, 2]}");
    assert_eq!(at("/c/2/l"), "[1, 2]");
    assert_eq!(at("/c"), "- 1\n  - d: |\n      t1\n      t2\n\n  # é\n  - {k: 1, l: [1, 2]}");
    assert_eq!(at("/e"), "foo");
    assert_eq!(at("/f"), "foo", "an alias has the place of its anchor");
    assert_eq!(root.pointer("/f").unwrap().span, root.pointer("/e").unwrap().span);
    assert_eq!(at("/g"), "");
    assert_eq!(slice(text, root.span), text[3..].trim_end());
    let keys: Vec<&str> = match &root.value {
        Value::Map(entries) => entries.iter().map(|e| slice(text, e.key_span)).collect(),
        _ => panic!("{root:?}"),
    };
    assert_eq!(keys, ["a", "b", "c", "e", "f", "g", "h"]);
}

fn documents_after_a_broken_one_are_read() {
    let text = "a: 1\n---\nb: [1\n---\nc: 3\n---\nd:\n\te: 4\n---\ne: 'x\n---\nf: 6\n...\ng: 7\n---\nh: 8\n";
    let (documents, _) = parse(text);
    let values: Vec<_> = documents.iter().map(|d| d.root.to_json()).collect();
    assert_eq!(values, [json!({"a": 1}), json!({"c": 3}), json!({"h": 8})]);
    assert_eq!(slice(text, documents[2].root.get("h").unwrap().span), "8", "places are those of the file");
    assert_eq!(
        complaints(text),
        [
            "CAR0101 \"[\": this bracket is not closed",
            "CAR0101 \"\\t\": this line is indented with a tab",
            "CAR0101 \"'\": this quote is not closed",
            "CAR0114 \"\": text after the end of the document",
        ]
    );
}

fn json_values_one_after_the_other_are_documents() {
    let text = "\u{feff} {\"a\": \"\\ud83d\\udc4b\", \"b\": [1, {\"c\": 1.50}]}{\"d\": \"\u{2028}\"}\n\n{\"e\":\n {\"f\": 1e2, \"y\": null}}\n";
    let (documents, diagnostics) = parse(text);
    assert!(diagnostics.is_empty(), "{:?}", diagnostics.into_sorted());
    let values: Vec<_> = documents.iter().map(|d| d.root.to_json()).collect();
    let wanted =
        [json!({"a": "👋", "b": [1, {"c": 1.5}]}), json!({"d": "\u{2028}"}), json!({"e": {"f": 100, "y": null}})];
    assert_eq!(values, wanted);
    let at = |i: usize, pointer: &str| slice(text, documents[i].root.pointer(pointer).unwrap().span);
    assert_eq!(at(0, "/a"), "\"\\ud83d\\udc4b\"");
    assert_eq!(at(0, "/b"), "[1, {\"c\": 1.50}]");
    assert_eq!(at(0, "/b/1/c"), "1.50");
    assert_eq!(at(1, ""), "{\"d\": \"\u{2028}\"}");
    assert_eq!(at(2, "/e/f"), "1e2");
    assert_eq!(slice(text, documents[2].root.key_place("/e/f").unwrap()), "\"f\"");
    // YAML may follow one JSON value, with `---` or without.
    let mixed = "{\"a\": 1}\n---\nb: y\n---\n{\"c\": on}\n";
    let values: Vec<_> = parse(mixed).0.iter().map(|d| d.root.to_json()).collect();
    assert_eq!(values, [json!({"a": 1}), json!({"b": true}), json!({"c": true})]);
    let values: Vec<_> = parse("{\"a\": 1} # one\n").0.iter().map(|d| d.root.to_json()).collect();
    assert_eq!(values, [json!({"a": 1})]);
    assert_eq!(complaints("{\"a\": 1, \"a\": 2}"), ["CAR0102 \"\\\"a\\\"\": duplicate key `a`"]);
    assert_eq!(complaints("{\"a\": 1e999}"), ["CAR0111 \"1e999\": JSON has no number `1e999`"]);
}

fn after_several_json_values_there_is_no_yaml() {
    let message = "this is not JSON, and a file that begins with several JSON objects is read as JSON";
    for (text, underlined) in [
        ("{\"a\": 1}\n{\"b\": 2}\n---\n{\"c\": 3}\n", "-"),
        ("{\"a\": 1}{\"b\": 2}{\"c\": x}", "x"),
        ("{\"a\": 1}{\"b\": 2}{\"c\": 3", ""),
    ] {
        assert_eq!(complaints(text), [format!("CAR0101 {underlined:?}: {message}")], "{text}");
        assert_eq!(parse(text).0.len(), 2, "what is before it is read");
    }
    let deep = format!("{}1{}", "{\"a\":".repeat(200), "}".repeat(200));
    assert_eq!(code_of(&deep), ["CAR0109"]);
    assert_eq!(parse(&format!("{deep}{{\"b\": 2}}")).0.len(), 1);
}

fn keys_that_are_no_strings_are_said() {
    assert_eq!(
        complaints("y: 1\n010: 2\ntrue: 3\n\"on\": 4\nname: 5\n"),
        [
            "CAR0116 \"y\": the key `y` is read by Kubernetes as `true`",
            "CAR0116 \"010\": the key `010` is read by Kubernetes as `8`",
            "CAR0102 \"true\": duplicate key `true`",
        ]
    );
}

fn what_is_no_document_is_left_out() {
    for text in ["", "\n", "# a\n", "---\n", "---\n---\n# x\n---\n", "null", "~\n---\n", "\u{feff}", "--- # a\n...\n"] {
        let (documents, diagnostics) = parse(text);
        assert!(documents.is_empty() && diagnostics.is_empty(), "{text:?}");
    }
}

fn complaints_name_the_words_concerned() {
    let cases: &[(&str, &[&str])] = &[
        ("a: 1\nb: 2\na: 3", &["CAR0102 \"a\": duplicate key `a`"]),
        (
            "y: 1\ntrue: 2",
            &["CAR0116 \"y\": the key `y` is read by Kubernetes as `true`", "CAR0102 \"true\": duplicate key `true`"],
        ),
        (
            "1: a\n'1': b\n0x1: c",
            &[
                "CAR0102 \"'1'\": duplicate key `1`",
                "CAR0102 \"0x1\": duplicate key `1`",
                "CAR0116 \"0x1\": the key `0x1` is read by Kubernetes as `1`",
            ],
        ),
        (
            "{{ .x }}: 1",
            &["CAR0103 \"{{ .x }}\": a mapping cannot be a key", "CAR0103 \"{ .x }\": a mapping cannot be a key"],
        ),
        ("? [a]\n: 1\n~: 2", &["CAR0103 \"[a]\": a list cannot be a key", "CAR0103 \"~\": null cannot be a key"]),
        ("a: !vault x", &["CAR0104 \"!vault\": Kubernetes does not support the tag `!vault` here"]),
        ("a: !!binary aGk=", &["CAR0104 \"!!binary\": Kubernetes does not support the tag `!!binary` here"]),
        ("a: !!set {b, c}", &["CAR0104 \"!!set\": Kubernetes does not support the tag `!!set` here"]),
        ("a: !!str {}", &["CAR0104 \"!!str\": Kubernetes does not support the tag `!!str` here"]),
        ("a: !!int x", &["CAR0104 \"!!int\": the tag `!!int` does not match its value"]),
        ("a: *b\nb: &b 1", &["CAR0105 \"*b\": there is no anchor `&b` before this alias"]),
        ("a: &a [*a]", &["CAR0105 \"*a\": this alias is inside the value that it refers to"]),
        ("a: &a 1\n---\nb: *a", &["CAR0105 \"*a\": there is no anchor `&a` before this alias"]),
        ("<<: 3", &["CAR0106 \"3\": `<<` needs a mapping, or a list of mappings"]),
        ("b: &b {a: 2}\nc:\n  a: 1\n  <<: *b", &["CAR0107 \"<<\": `<<` replaces the key `a` above it"]),
        ("b: &b {a: 1}\nc:\n  a: 1\n  <<: *b", &[]),
        ("b: &b {a: 1}\nc:\n  <<: *b\n  a: 2", &[]),
        ("b: &b {a: 1}\nc:\n  <<: *b\n  a: 2\n  a: 3", &["CAR0102 \"a\": duplicate key `a`"]),
        (
            "a: .inf\nb: -.NAN\nc: .nan",
            &["CAR0111 \".inf\": JSON has no number `.inf`", "CAR0111 \".nan\": JSON has no number `.nan`"],
        ),
        (".inf: a", &[]),
        ("a: 1\n--- b", &["CAR0113 \"b\": text after `---` on the same line"]),
        ("a: 1\n---#x", &["CAR0113 \"#x\": text after `---` on the same line"]),
        ("a: 1\n--- # x\nb: 1", &[]),
        (
            "a: \"x\u{2028}y\" # \u{85}",
            &[
                "CAR0115 \"\\u{2028}\": the character U+2028 is a line break for some YAML readers only",
                "CAR0115 \"\\u{85}\": the character U+0085 is a line break for some YAML readers only",
            ],
        ),
        (
            "# x\n\u{feff}a: 1",
            &["CAR0101 \"\\u{feff}\": a byte-order mark (U+FEFF) that is not at the start of the file"],
        ),
        ("%YAML 1.2\n---\na: 1", &["CAR0101 \"%YAML 1.2\": kubectl does not support `%` directives"]),
    ];
    for (text, expected) in cases {
        assert_eq!(complaints(text), *expected, "{text:?}");
    }
}

fn both_places_of_a_duplicate_are_shown_and_the_first_stays() {
    let text = "a: 1\nb: 2\na: 3\n";
    let (documents, diagnostics) = parse(text);
    assert_eq!(documents[0].root.to_json(), json!({"a": 1, "b": 2}));
    let said = diagnostics.into_sorted();
    assert_eq!(said[0].labels[0].span.start, 0);
    assert_eq!(said[0].primary.as_ref().unwrap().span.start, 10);
}

fn a_refused_value_leaves_the_rest_of_its_document() {
    let (documents, _) = parse("kind: Account\nname: !x a\nlist: [1, *no, 2]\n? [a]\n: b\nlast: 1\n");
    assert!(!documents[0].sound);
    assert_eq!(documents[0].root.to_json(), json!({"kind": "Account", "name": null, "list": [1, null, 2], "last": 1}));
    assert!(parse("a: 1\na: 2").0[0].sound);
}

// ---------------------------------------------------------------- limits

fn code_of(text: &str) -> Vec<&'static str> {
    parse(text).1.into_sorted().iter().map(|d| d.code.id).collect()
}

fn alias_bombs_are_stopped() {
    let mut lists = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    let mut maps = String::from("a0: &a0 {k: v}\n");
    for i in 1..10 {
        let alias = format!("*a{}, ", i - 1).repeat(10);
        writeln!(lists, "a{i}: &a{i} [{alias}]").unwrap();
        writeln!(maps, "a{i}: &a{i}\n  <<: [{alias}]\n  k{i}: v").unwrap();
    }
    assert_eq!(code_of(&lists), ["CAR0108"]);
    assert_eq!(code_of(&maps), Vec::<&str>::new(), "merging ten equal maps gives no more keys");
    let long = format!("a: &a {}\nb: [{}]", "x".repeat(1 << 20), "*a, ".repeat(40));
    assert_eq!(code_of(&long), ["CAR0108"]);
    let nested = format!("{}{}", "&a [".repeat(100), "x,".repeat(5_000));
    assert_eq!(code_of(&nested), ["CAR0101"]);
    let closed = format!(
        "{}{}{}",
        (0..100).fold(String::new(), |s, i| s + &format!("&a{i} [")),
        "x,".repeat(5_000),
        "]".repeat(100)
    );
    assert_eq!(code_of(&closed), ["CAR0108"], "anchors inside anchors are copies too");
}

fn depth_is_limited_with_aliases_written_out() {
    let nest = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
    assert_eq!(code_of(&nest(MAX_DEPTH)), Vec::<&str>::new());
    assert_eq!(code_of(&nest(MAX_DEPTH + 1)), ["CAR0109"]);
    assert_eq!(code_of(&nest(100_000)), ["CAR0109"]);
    assert_eq!(code_of(&"[".repeat(20_000)), ["CAR0109"]);
    assert_eq!(code_of(&"- ".repeat(20_000)), ["CAR0109"]);
    assert_eq!(code_of(&(0..300).fold(String::new(), |s, i| format!("{s}{}a:\n", " ".repeat(i)))), ["CAR0109"]);
    let half = MAX_DEPTH / 2;
    let doubled = format!("a: &a {}\nb: {}*a{}", nest(half), "[".repeat(half), "]".repeat(half));
    assert_eq!(code_of(&doubled), ["CAR0109"]);
}

fn size_is_limited() {
    assert_eq!(code_of(&"a\n".repeat(17 * 1024 * 1024)), ["CAR0110"]);
    assert_eq!(code_of(&format!("[{}]", "1,".repeat(1_000_001))), ["CAR0110"]);
    let wide = (0..200_000).fold(String::new(), |mut s, i| {
        writeln!(s, "k{i}: 1").unwrap();
        s
    });
    assert_eq!(code_of(&wide), Vec::<&str>::new(), "many keys take no quadratic time");
    assert_eq!(code_of(&format!("{}a: 1", "# carrier: c\n".repeat(100_000))).len(), 100_000);
    assert_eq!(code_of(&"---\n".repeat(200_000)), Vec::<&str>::new());
}

// ---------------------------------------------------------------- suppressions

fn comments_hide_warnings_of_their_line() {
    let base = "b: &b {a: 2}\nc:\n  a: 1\n";
    let with = |rest: &str| {
        let text = format!("{base}{rest}");
        let (documents, diagnostics) = parse(&text);
        let suppressions: Vec<_> = documents.into_iter().flat_map(|d| d.suppressions).collect();
        apply_suppressions(diagnostics, &suppressions).into_sorted().iter().map(|d| d.code.id).collect::<Vec<_>>()
    };
    assert_eq!(with("  <<: *b\n"), ["CAR0107"]);
    assert!(with("  <<: *b # carrier: ignore[CAR0107] on purpose\n").is_empty());
    assert!(with("  # carrier: ignore[CAR0107] on purpose\n  <<: *b\n").is_empty());
    assert!(with("  # carrier: ignore[CAR0107]\n\n  # more\n  <<: *b\n").is_empty());
    assert!(with("  # carrier:ignore[ car0107 ]\n  <<: *b\n").is_empty());
    assert_eq!(with("  # carrier: ignore[CAR0107]\n  x: 1\n  <<: *b\n"), ["CAR0121", "CAR0107"]);
    assert_eq!(with("  # carrier: ignore[CAR0107, CAR0001]\n  <<: *b\n"), ["CAR0121"]);
    assert_eq!(with("  <<: *b # carrier: ignore\n"), ["CAR0107", "CAR0120"]);
    assert_eq!(with("  <<: *b # carrier: ignore[CAR9999]\n"), ["CAR0107", "CAR0120"]);
    assert_eq!(with("  a: 2 # carrier: ignore[CAR0102] no\n"), ["CAR0102", "CAR0121"], "errors cannot be suppressed");
    assert!(with("  s: '# carrier: ignore[CAR0107]'\n").is_empty(), "text is no comment");
}

fn a_suppression_knows_its_reason() {
    let text = "# carrier: ignore[CAR0107,CAR0121]  because \na: 1\n";
    let (documents, _) = parse(text);
    let suppression = &documents[0].suppressions[0];
    assert_eq!(suppression.reason, "because");
    assert_eq!(suppression.codes.len(), 2);
    assert_eq!(slice(text, suppression.covers), "a: 1");
    assert_eq!(slice(text, suppression.span).trim_end(), text.lines().next().unwrap().trim_end());
}

// ---------------------------------------------------------------- any text

fn check_spans(text: &str, node: &Node) {
    let inside = |s: Span| assert!(text.get(s.start as usize..s.end as usize).is_some(), "{s:?} of {text:?}");
    inside(node.span);
    match &node.value {
        Value::Seq(items) => items.iter().for_each(|i| check_spans(text, i)),
        Value::Map(entries) => {
            for (i, entry) in entries.iter().enumerate() {
                inside(entry.key_span);
                assert!(entries[..i].iter().all(|e| e.key != entry.key), "{} twice in {text:?}", entry.key);
                check_spans(text, &entry.value);
            }
        }
        _ => {}
    }
}

fn any_text() -> impl Strategy<Value = String> {
    let token = prop::sample::select(vec![
        "a",
        "1",
        "0x1",
        "yes",
        "~",
        "- ",
        "-",
        "? ",
        ": ",
        ":",
        "\n",
        "\n  ",
        "\n    ",
        "\n- ",
        "\na: ",
        "\n  b: ",
        "{",
        "}",
        "[",
        "]",
        ", ",
        "'",
        "\"",
        "|",
        "|-",
        "|+2",
        ">",
        "&x ",
        "*x",
        "<<: ",
        "# c",
        "!!str ",
        "!t ",
        "! ",
        "\\",
        "\t",
        " ",
        "---",
        "\n---\n",
        "\n...\n",
        "%",
        "@",
        "é",
        "\u{feff}",
        "😀",
        "\r\n",
        "\r",
        "\u{85}",
        "\u{2028}",
        "\u{0}",
        "# carrier: ignore[CAR0107] x\n",
        "# carrier: ignore",
        "x: |\n  t\n",
        "<<: [*x, {a: b}]\n",
    ]);
    prop_oneof![
        4 => prop::collection::vec(token, 0..24).prop_map(|t| t.concat()),
        1 => "(?s).{0,60}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

    fn no_text_makes_it_panic_and_every_place_is_in_the_text(text in any_text()) {
        let (documents, diagnostics) = parse(&text);
        for document in &documents {
            check_spans(&text, &document.root);
        }
        for diagnostic in diagnostics.iter() {
            for label in diagnostic.primary.iter().chain(&diagnostic.labels) {
                prop_assert!(text.get(label.span.start as usize..label.span.end as usize).is_some(), "{:?}", diagnostic);
            }
        }
        let unsound = documents.iter().any(|d| !d.sound);
        prop_assert!(!unsound || diagnostics.iter().any(|d| d.severity == Severity::Error));
        let suppressions: Vec<_> = documents.into_iter().flat_map(|d| d.suppressions).collect();
        let _ = apply_suppressions(diagnostics, &suppressions);
    }
}
