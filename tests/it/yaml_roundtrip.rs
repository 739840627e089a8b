//! What is written is read back the same: by our own reader, by `serde_yaml`
//! (another reader, and the one many tools still use) and by kubectl.

use carrier::diagnostic::Diagnostics;
use carrier::source::FileId;
use carrier::text::read;
use carrier::text::to_yaml;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::harness::Case;
use crate::kubectl;

/// The tests of this file.
pub(crate) fn cases() -> Vec<Case> {
    cases![
        nasty_strings_survive_our_own_reader,
        serde_yaml_agrees_with_what_is_written,
        serde_yaml_writes_what_kubernetes_misreads,
        kubectl_agrees_with_what_is_written[kubectl::is_here],
        the_order_of_keys_is_fixed,
        any_value_is_read_back_as_it_was,
    ]
}

/// Strings that some YAML writer writes so that some reader reads something else.
const NASTY: &[&str] = &[
    "",
    " ",
    "yes",
    "Yes",
    "no",
    "on",
    "off",
    "y",
    "N",
    "true",
    "False",
    "null",
    "~",
    "Null",
    "1",
    "010",
    "0o10",
    "08",
    "1_000",
    "1__0_",
    "0x1F",
    "0b1",
    "-0b1",
    "+1",
    "1.5",
    "1.",
    ".5",
    "1e3",
    "1E3",
    "1:30",
    "190:20:30",
    "1:30.5",
    ".inf",
    "-.INF",
    ".nan",
    "2001-01-01",
    "2001-01-01T00:00:00Z",
    "2001-12-14 21:59:43.10 -5",
    "=",
    "<<",
    "- a",
    "-",
    "--",
    "---",
    "...",
    "--- a",
    "a: b",
    "a:",
    ":a",
    ": a",
    "?",
    "? a",
    "a ?",
    "#x",
    "a #x",
    "a# x",
    " a",
    "a ",
    "a\t",
    "\ta",
    "a\tb",
    "\t",
    "a\nb",
    "a\nb\n",
    "a\n\n",
    "\na",
    "\n",
    "\n\n",
    " a\nb",
    "  a\n b\n",
    "a \nb",
    "a\n b\nc",
    "a\r\nb",
    "a\rb",
    "\r",
    "a\u{85}b",
    "a\u{2028}b",
    "\u{2029}",
    "\u{feff}",
    "\u{feff}a",
    "a\u{feff}",
    "\u{a0}",
    "😀",
    "é",
    "\u{0}",
    "\u{1}",
    "a\u{7f}b",
    "\u{9f}",
    "\u{fffe}",
    "\u{ffff}",
    "\u{10ffff}",
    "\u{200b}",
    "'",
    "''",
    "a'b",
    "'a'",
    "\"",
    "\"a\"",
    "\\",
    "\\n",
    "a\\b",
    "[",
    "]",
    "[a]",
    "{",
    "}",
    "{a: b}",
    "{{ .Values.x }}",
    ",",
    "a,b",
    "a, b",
    "&a",
    "*a",
    "!a",
    "!!str a",
    "|",
    "|-",
    ">",
    "> a",
    "%",
    "%YAML 1.2",
    "@a",
    "`a`",
    "a\n---\nb",
    "---\na",
    "a\n...\nb",
    "#!/bin/sh\nset -e\n",
    "\n  a",
    "\n\ta",
    "\t\na",
    "a\n\t",
    "a\n ",
    " \na",
    "key: |\n  x\n",
    "x\n\n\n",
    "x\n\n\ny\n",
    " \n ",
    "\n ",
    "a\n#b\n",
    "#a\nb",
    "$x",
    "${x}",
    "0",
    "-0",
    "00",
    "0x",
    "0o",
    "0o8",
    "1e",
    "e1",
    "+",
    "+.5",
    "1,000",
    "0.1.2",
    "1Gi",
    "100m",
    "12e03",
    "123456789012345678901234567890",
    "NaN",
    "inf",
    "Infinity",
    "undefined",
    "none",
    "nil",
    "a\u{2028}\nb",
    "tail\\",
    "a:\nb",
    "- a\n- b\n",
];

fn reread(text: &str) -> Value {
    let mut diagnostics = Diagnostics::default();
    let documents = read(FileId(0), text, &mut diagnostics);
    assert!(diagnostics.is_empty(), "{text}\n{:#?}", diagnostics.into_sorted());
    documents.first().map_or(Value::Null, |d| d.root.to_json())
}

fn nasty() -> Value {
    let values: Vec<Value> = NASTY.iter().map(|s| json!(s)).collect();
    let keys: Map<String, Value> = NASTY.iter().map(|s| ((*s).to_owned(), json!(s))).collect();
    let nested: Vec<Value> = NASTY.iter().map(|s| json!([[s], {"k": s}, {"k": {"l": [s, s]}}])).collect();
    json!({"values": values, "keys": keys, "nested": nested})
}

fn nasty_strings_survive_our_own_reader() {
    for s in NASTY {
        for value in [json!({ "a": s }), json!({ *s: 1 }), json!([s]), json!([[s], s]), json!({"a": {"b": [{"c": s}]}})]
        {
            let text = to_yaml(&value);
            assert_eq!(reread(&text), value, "{s:?} was written as\n{text}");
        }
    }
    assert_eq!(reread(&to_yaml(&nasty())), nasty());
}

fn serde_yaml_agrees_with_what_is_written() {
    for s in NASTY {
        for value in [json!({ "a": s }), json!({ *s: 1 }), json!([s])] {
            let text = to_yaml(&value);
            let read: Result<Value, _> = serde_yaml::from_str(&text);
            assert_eq!(read.ok(), Some(value), "{s:?} was written as\n{text}");
        }
    }
}

/// Why `serde_yaml` does not write for us: what it writes, Kubernetes reads as
/// something else. Our reader stands for Kubernetes here; `yaml_oracle.rs` holds it to that.
fn serde_yaml_writes_what_kubernetes_misreads() {
    let misread: Vec<&str> = NASTY
        .iter()
        .copied()
        .filter(|s| {
            let text = serde_yaml::to_string(&json!({ "a": s })).unwrap();
            let documents = read(FileId(0), &text, &mut Diagnostics::default());
            documents.first().map(|d| d.root.to_json()) != Some(json!({ "a": s }))
        })
        .collect();
    for s in ["yes", "Yes", "no", "on", "off", "y", "N", "1_000", "1__0_"] {
        assert!(misread.contains(&s), "{s:?} is written well now; {misread:?} are not");
    }
}

fn kubectl_agrees_with_what_is_written() {
    let object = json!({
        "apiVersion": "example.com/v1", "kind": "Test", "metadata": {"name": "a", "labels": {kubectl::LABEL.0: kubectl::LABEL.1}}, "spec": nasty(),
    });
    let read = kubectl::read(&to_yaml(&object)).unwrap().remove(0);
    let values = |v: &Value| v["spec"]["values"].as_array().cloned().unwrap_or_default();
    for (ours, theirs) in values(&object).iter().zip(values(&read)) {
        assert_eq!(*ours, theirs);
    }
    assert_eq!(read, object);
}

fn the_order_of_keys_is_fixed() {
    let value = json!({
        "status": {}, "spec": {"name": 1, "a": [], "metadata": {"z": 1, "name": 2}}, "kind": "K",
        "metadata": {"uid": "u", "annotations": {}, "labels": {"b": "1", "a": "2"}, "namespace": "ns", "name": "n"},
        "apiVersion": "v1", "data": {},
    });
    assert_eq!(
        to_yaml(&value),
        "apiVersion: v1\nkind: K\nmetadata:\n  name: \"n\"\n  namespace: ns\n  labels:\n    a: \"2\"\n    b: \"1\"\n  \
         annotations: {}\n  uid: u\ndata: {}\nspec:\n  a: []\n  metadata:\n    name: 2\n    z: 1\n  name: 1\nstatus: {}\n"
    );
}

fn any_json() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        3 => "\\PC{0,12}",
        2 => "[ -~\\n\\t]{0,40}",
        1 => "(?s).{0,20}",
        2 => prop::sample::select(NASTY).prop_map(str::to_owned),
        1 => (prop::sample::select(NASTY), prop::sample::select(NASTY)).prop_map(|(a, b)| format!("{a}{b}")),
        1 => (prop::sample::select(NASTY), prop::sample::select(NASTY)).prop_map(|(a, b)| format!("{a}\n{b}")),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>()
            .prop_filter_map("finite, and no integer", |f| (f.is_finite() && f.fract() != 0.0).then(|| json!(f))),
        text.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 64, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(text.clone(), inner, 0..6).prop_map(|m| Value::Object(m.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    fn any_value_is_read_back_as_it_was(value in any_json()) {
        let text = to_yaml(&value);
        prop_assert_eq!(reread(&text), value, "{}", text);
    }
}
