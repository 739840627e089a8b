//! kubectl is the oracle: what it makes of a text, the reader makes of it too.
//!
//! Without kubectl on PATH, or without the real CRDs beside the checkout, a test
//! says so and passes; in CI it fails instead.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use carrier::diagnostic::Diagnostics;
use carrier::source::FileId;
use carrier::text::read;
use serde_json::{Map, Value};

use crate::harness::Case;
use crate::{corpus, kubectl};

/// The tests of this file.
pub(crate) fn cases() -> Vec<Case> {
    cases![
        scalars_are_read_as_kubectl_reads_them [kubectl::is_here],
        keys_are_read_as_kubectl_reads_them [kubectl::is_here],
        what_kubectl_refuses_is_refused [kubectl::is_here],
        documents_are_read_as_kubectl_reads_them [kubectl::is_here],
        json_is_read_as_kubectl_reads_it [kubectl::is_here],
        real_files_are_read_as_kubectl_reads_them [corpus::is_here, kubectl::is_here],
    ]
}

/// Plain scalars that somebody, somewhere, reads as something else.
const SCALARS: &[&str] = &[
    "yes",
    "Yes",
    "YES",
    "yEs",
    "no",
    "No",
    "on",
    "On",
    "oN",
    "off",
    "OFF",
    "y",
    "Y",
    "n",
    "N",
    "true",
    "True",
    "TRUE",
    "tRUE",
    "false",
    "~",
    "null",
    "Null",
    "NULL",
    "nULL",
    "0",
    "1",
    "-1",
    "+1",
    "010",
    "-010",
    "+010",
    "08",
    "-08",
    "09",
    "0o10",
    "0O10",
    "-0o10",
    "0o8",
    "0x1F",
    "0X1f",
    "-0x1",
    "0xg",
    "0b101",
    "0B1",
    "-0b1",
    "+0b1",
    "0b2",
    "1_000",
    "1__0_",
    "_1",
    "-_1",
    "0_8",
    "0x_1",
    "1_0.5",
    "1.5",
    "-1.5",
    "+1.5",
    "1.",
    "1.0",
    "10.0",
    ".5",
    "-.5",
    "+.5",
    "._5",
    ".5_0",
    ".5_",
    "1e3",
    "1E3",
    "1e+3",
    "1e-3",
    "1e",
    "1e400",
    "-1e400",
    "e1",
    "1.5e3",
    ".5e1",
    "1.e1",
    "1:30",
    "1:30:20",
    "190:20:30.15",
    "0.1",
    "1e-7",
    "1e20",
    "1e21",
    "123456789.0",
    "16777217.0",
    "0.30000000000000004",
    "-0",
    "-0.0",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "-9223372036854775809",
    "18446744073709551615",
    "18446744073709551616",
    "99999999999999999999999",
    "1000000000000000128.0",
    "9007199254740993.0",
    "2001-01-01",
    "2001-1-1",
    "2001-01-01T00:00:00Z",
    "2001-12-14 21:59:43.10",
    "1Gi",
    "100m",
    "1.2.3",
    "v1",
    "=",
    "<<x",
    "a b",
    "a#b",
    "a:b",
    "a'b",
    "a\"b",
    "NaN",
    "nan",
    "inf",
    "Infinity",
    "0x",
    "0o",
    "0b",
    "+",
    ".",
    "..",
    "...x",
    "-a",
    "--",
    "é",
    "日本",
    "😀",
    "!!str 5",
    "!!str yes",
    "!!str ~",
    "!!str",
    "!!int 5",
    "!!int \"5\"",
    "!!float 5",
    "!!bool \"yes\"",
    "!!null ~",
    "!!null \"\"",
    "'yes'",
    "\"010\"",
    "'~'",
    "\"\"",
    "''",
    "! 5",
];

fn scalars_are_read_as_kubectl_reads_them() {
    let mut text = String::from("apiVersion: example.com/v1\nkind: Test\nmetadata:\n  name: a\nvalues:\n");
    for s in SCALARS {
        writeln!(text, "- {s}").unwrap();
    }
    text.push_str("flow: [");
    for s in SCALARS {
        write!(text, "{s} , ").unwrap();
    }
    text.push_str("]\n");
    let (ours, theirs) = (carrier_reads(&text), kubectl_reads(&text).unwrap());
    for (i, s) in SCALARS.iter().enumerate() {
        assert_eq!(ours[0]["values"][i], theirs[0]["values"][i], "value {s:?}");
    }
    assert_eq!(ours, theirs);
}

fn keys_are_read_as_kubectl_reads_them() {
    // One object a key: many of these are the same key.
    let no_key =
        ["~", "null", "Null", "NULL", "9223372036854775808", "18446744073709551615", "!!null ~", "!!null \"\""];
    let keys: Vec<&&str> = SCALARS.iter().filter(|s| !no_key.contains(s)).collect();
    let mut text = String::new();
    for s in &keys {
        let key = if **s == "!!str" { "? !!str\n  ".to_owned() } else { (**s).to_owned() };
        writeln!(text, "---\napiVersion: example.com/v1\nkind: Test\nmetadata:\n  name: a\nkeys:\n  {key}: here")
            .unwrap();
    }
    let (ours, theirs) = (carrier_reads(&text), kubectl_reads(&text).unwrap());
    assert_eq!(ours.len(), keys.len());
    for (i, key) in keys.iter().enumerate() {
        assert_eq!(ours[i]["keys"], theirs[i]["keys"], "key {key:?}");
    }
}

/// What kubectl refuses, the reader refuses; so it does what kubectl drops in silence.
fn what_kubectl_refuses_is_refused() {
    let refused = [
        "a: .inf",
        "a: -.INF",
        "a: .nan",
        "~: a",
        "null: a",
        "? [a]\n: b",
        "? {a: b}\n: c",
        "a: -\n",
        "a: *x",
        "a: &x [*x]",
        "<<: 3",
        "<<: [3]",
        "<<: null",
        "a: !!int x",
        "a: !!int",
        "a: !!null x",
        "a: !!bool 3",
        "a: !!float x",
        "a: @x",
        "a: `x",
        "a: b: c",
        "a: [",
        "a: {",
        "a: \"x",
        "a: 'x",
        "a: \"\\q\"",
        "\ta: b",
        "a:\n\t- b",
        "a: %x",
        "{a: b",
        "a: b\n c: d",
        "a: b\nc",
        "- a\nb: c",
        "a: b\nb:\t- y",
        "9223372036854775808: a",
        "--- x",
        "---x: y",
        "a: &x b\nc: &x",
        "a: x\u{1}y",
    ];
    for snippet in refused {
        let text = format!("apiVersion: example.com/v1\nkind: Test\nmetadata: {{name: a}}\n{snippet}\n");
        let mut diagnostics = Diagnostics::default();
        read(FileId(0), &text, &mut diagnostics);
        let kubectl = kubectl_reads(&text);
        let theirs_is_fine = kubectl.is_some();
        assert_eq!(
            (snippet, diagnostics.has_errors(), theirs_is_fine),
            (snippet, !snippet.ends_with("&x"), snippet.ends_with("&x")),
            "{kubectl:?}"
        );
    }
}

/// Whole documents: styles, folding, merge keys, aliases, separators.
fn documents_are_read_as_kubectl_reads_them() {
    let bodies = [
        "base: &b {x: 1, y: 2}\nm:\n  <<: *b\n  y: 3\n",
        "base: &b {x: 1, y: 2}\nm: {<<: *b, x: yes}\n",
        "a: &a {x: 1, y: 1}\nb: &b {x: 2, z: 2}\nm:\n  <<: [*a, *b]\nn:\n  <<: [*b, {x: 3}]\n",
        "a: &a {x: 1}\nb: &b\n  <<: *a\n  y: 2\nc:\n  <<: *b\n",
        "m:\n  \"<<\": 1\n",
        "base: &b {x: 1}\nm:\n  !!merge <<: *b\n  y: 1\n",
        "m:\n  <<: {a: 1}\n  <<: {b: 1}\n",
        "a: &x 010\nb: *x\n*x : c\n",
        "a: &x [1, {b: yes}]\nb: *x\nc: &x 2\nd: *x\n",
        "a: |\n  x\n   y\n\n  z\n\n\nb: >\n  x\n  y\n\n  z\n   k\n\nc: |-\n  x\n\nd: |+\n  x\n\ne: >2\n    x\n   y\n",
        "a: x\n  y\n\n  z\nb: 'x\n  y\n\n  z'\nc: \"x\\\n  y \\n\\\n  \\ z\\u00e9\\x41\\t\"\n",
        "a: |\r\n  x\r\n  y\r\nb: \"x\r\n  y\"\r\nc: x\r\n",
        "a:\n- 1\n-\n- - 2\n  - 3\n-   k: v\n    l: w\n- |\n  x\n",
        "a:\nb: ~\nc: []\nd: {}\ne: ''\n",
        "a: [1, 2,\n  3]\nb: {x: 1,\n  y: [a, {z: }], w}\nc: [x: 1, y]\n",
        "\"a b\": 1\n'c d': 2\n? e\n: 3\n? f\n\"g\":\n  - 1\n",
        "a: b # c\n# d\ne: 'f' # g\nh: i#j\n",
        "a: \"\\u2028\\N\\_\\L\\P\\e\\0\\a\\b\"\n",
        "a: {b: c}\n...\n",
        "a: https://x.y/z?q=1\nb: -1x\nc: ?x\nd: :x\ne: a,b\nf: {a: b:c, d: e}\n",
        "a: \t x\nb:\t[y]\nc: x\ty\n",
        "a: !!map {x: 1}\nb: !!seq [1]\n",
        "a: |\n  last line without a break",
        "a: |1\n  x\n",
        "a: \u{feff}b\n",
        "\u{e9}\u{1f600}: \u{65e5}\n",
    ];
    let mut text = String::from("\u{feff}");
    for body in bodies {
        write!(text, "apiVersion: example.com/v1\nkind: Test\nmetadata: {{name: a}}\n{body}\n--- # next\n").unwrap();
    }
    text.push_str("# nothing\n---\n\n---\n~\n---\nnull\n");
    let (ours, theirs) = (carrier_reads(&text), kubectl_reads(&text).unwrap());
    for (i, body) in bodies.iter().enumerate() {
        assert_eq!(ours[i], theirs[i], "{body:?}");
    }
    assert_eq!(ours.len(), theirs.len());
}

/// JSON, one value after the other, and what may follow it.
fn json_is_read_as_kubectl_reads_it() {
    let object = |name: &str, more: &str| {
        format!(
            "{{\"apiVersion\": \"example.com/v1\", \"kind\": \"Test\", \"metadata\": {{\"name\": \"{name}\"}}{more}}}"
        )
    };
    let (a, b, c) =
        (object("a", ""), object("b", ", \"x\": [1.0, -0, 1e3, null, \"y\"]"), object("c", ", \"y\": true"));
    let escapes = object("d", r#", "t": "\ud83d\udc4b \ud83d \u00e9 \/ \b \" \\""#);
    let flow = "{apiVersion: example.com/v1, kind: Test, metadata: {name: e}, y: on}";
    let texts = [
        a.clone(),
        format!("{a}{b}"),
        format!("{a}\n{b}\n{c}\n"),
        format!("\n  {a}\t{b}\r\n{c}"),
        escapes.clone(),
        format!("{escapes}\n{escapes}"),
        format!("{a}\n---\n{b}\n---\n{flow}\n"),
        format!("{a}\n--- # b\n{b}\n"),
        format!("{a}\n{b}\n---\n{c}\n"),
        format!("{a} # one\n"),
        format!("{a}\n{flow}\n"),
        format!("{flow}\n---\n{a}\n"),
        format!("{a}{b}{flow}"),
        format!("{a}\n{b}\n{{"),
        object("f", ", \"n\": [9223372036854775807, 9223372036854775808, 18446744073709551616, 1e-7, 0.10]"),
        object("g", ", \"t\": \"a\u{2028}b\u{85}c\""),
    ];
    for text in texts {
        let mut diagnostics = Diagnostics::default();
        let documents = read(FileId(0), &text, &mut diagnostics);
        let ours = (!diagnostics.has_errors()).then(|| documents.iter().map(|d| labelled(d.root.to_json())).collect());
        assert_eq!(ours, kubectl_reads(&text), "{text}");
    }
}

/// Every real CRD and sample instance, where they are.
fn real_files_are_read_as_kubectl_reads_them() {
    let shared = corpus::folder();
    let mut files = Vec::new();
    for folder in ["crds", "crds-special", "samples", "samples-rejected"] {
        yaml_files(&shared.join(folder), &mut files);
    }
    assert!(files.len() > 40, "found {}", files.len());
    // One kubectl for all: it takes longer to start than to read.
    let mut text = String::new();
    let mut documents = 0;
    for file in &files {
        let part = fs::read_to_string(file).unwrap();
        documents += carrier_reads(&part).len();
        write!(text, "{}\n---\n", part.trim_start_matches('\u{feff}')).unwrap();
    }
    let ours = carrier_reads(&text);
    assert_eq!(ours.len(), documents, "the files together are the files one by one");
    let theirs = kubectl_reads(&text).unwrap();
    assert_eq!(ours.len(), theirs.len());
    for (ours, theirs) in ours.iter().zip(&theirs) {
        assert!(ours == theirs, "{} {} differs", ours["kind"], ours["metadata"]["name"]);
    }
    crate::measured(&format!("{} files, {documents} documents, {} bytes: no difference", files.len(), text.len()));
}

fn yaml_files(folder: &Path, out: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            yaml_files(&path, out);
        } else if path.extension().is_some_and(|e| e == "yaml" || e == "yml") {
            out.push(path);
        }
    }
}

fn carrier_reads(text: &str) -> Vec<Value> {
    // Nothing in the files may be too much: the limits are a file's, so give room.
    let mut diagnostics = Diagnostics::default();
    let documents = read(FileId(0), text, &mut diagnostics);
    assert!(!diagnostics.has_errors(), "{:#?}", diagnostics.into_sorted());
    documents.iter().map(|d| labelled(d.root.to_json())).collect()
}

/// The changes that the oracle makes to every object.
fn labelled(mut object: Value) -> Value {
    let metadata = object.as_object_mut().unwrap().entry("metadata").or_insert_with(|| Value::Object(Map::new()));
    metadata.as_object_mut().unwrap().remove("managedFields");
    let labels = metadata.as_object_mut().unwrap().entry("labels").or_insert_with(|| Value::Object(Map::new()));
    if labels.is_null() {
        *labels = Value::Object(Map::new());
    }
    labels.as_object_mut().unwrap().insert(kubectl::LABEL.0.into(), kubectl::LABEL.1.into());
    object
}

/// The objects as kubectl reads them; `None` where it refuses the text.
fn kubectl_reads(text: &str) -> Option<Vec<Value>> {
    Some(kubectl::read(text)?.into_iter().map(|object| floats(labelled(object))).collect())
}

/// kubectl prints the float 9.2e18 with all its digits, and `serde_json` then takes it for an integer.
fn floats(value: Value) -> Value {
    match value {
        Value::Number(n) if n.as_i64().is_none() => Value::from(n.as_f64()),
        Value::Array(items) => items.into_iter().map(floats).collect(),
        Value::Object(map) => map.into_iter().map(|(k, v)| (k, floats(v))).collect(),
        other => other,
    }
}
