//! Writes values as canonical YAML: the same value gives the same bytes on every machine.
//!
//! Only this file uses `serde-saphyr`
//! (`docs/decisions/0001-yaml.md`). Readers of YAML 1.1 and of
//! YAML 1.2 read every string in the output as that string.

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Map, Value};

/// Keys that come first in an object, in this order; the others follow in sorted order.
const OBJECT_FIRST: &[&str] = &["apiVersion", "kind", "metadata"];
/// The same in `metadata`.
const METADATA_FIRST: &[&str] = &["name", "namespace", "labels", "annotations"];

/// Writes a value as one YAML document that ends in one line break.
///
/// Kubernetes objects begin with `apiVersion`, `kind` and `metadata`; all
/// other keys are sorted. Strings of several lines are written as `|`, no string
/// is ever folded.
///
/// # Panics
///
/// Never: every JSON value can be written.
#[must_use]
pub fn to_yaml(value: &Value) -> String {
    let options = serde_saphyr::ser_options! {
        indent_step: 2,
        compact_list_indent: true,
        // Without folding, a changed word changes one line of a diff, and long
        // descriptions remain searchable.
        folded_wrap_chars: usize::MAX,
    };
    #[expect(clippy::expect_used, reason = "a JSON value has string keys and finite numbers; nothing else can fail")]
    let mut text = serde_saphyr::to_string_with_options(&Ordered { value, place: Place::Root }, options)
        .expect("every JSON value is YAML");
    if !text.ends_with('\n') {
        text.push('\n');
    }
    match value {
        Value::Object(map) if map.keys().any(|key| separates(key)) => quote_separators(&text),
        _ => text,
    }
}

/// The position of a mapping in an object, which determines the order of its keys.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    Root,
    Metadata,
    Elsewhere,
}

struct Ordered<'a> {
    value: &'a Value,
    place: Place,
}

impl Serialize for Ordered<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.value {
            Value::Object(map) => self.object(map, serializer),
            Value::Array(items) => {
                serializer.collect_seq(items.iter().map(|value| Self { value, place: Place::Elsewhere }))
            }
            Value::String(text) => Text(text).serialize(serializer),
            scalar => scalar.serialize(serializer),
        }
    }
}

/// A string or key. `serde-saphyr` chooses the style, except for text that kubectl would
/// then misread (`tests/it/yaml_roundtrip.rs` has each case).
struct Text<'a>(&'a str);

impl Serialize for Text<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = self.0;
        if separates(text) || (text.contains('\n') && !block_safe(text)) {
            return serde_saphyr::DoubleQuoted(text).serialize(serializer);
        }
        serializer.serialize_str(text)
    }
}

/// Whether kubectl splits the file at a line that begins with this text, even if it is a key.
fn separates(text: &str) -> bool {
    text.starts_with("---") || text.starts_with("...")
}

/// Quotes the outermost keys that begin with `---` or `...`; `serde-saphyr` has no option for
/// the style of a key.
fn quote_separators(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for line in text.split_inclusive('\n') {
        // An unquoted key does not contain `: `, so the first one ends it.
        let end = line.find(": ").or_else(|| line.find(":\n"));
        match end {
            Some(end) if separates(line) => {
                let key = line[..end].replace('\\', "\\\\").replace('"', "\\\"");
                out.push('"');
                out.push_str(&key);
                out.push('"');
                out.push_str(&line[end..]);
            }
            _ => out.push_str(line),
        }
    }
    out
}

/// Whether every reader reads a string of several lines unchanged from a `|` block.
/// Exceptions: a blank or indented first line (readers derive the indentation from it),
/// trailing blank lines (editors and `git` strip them), and characters that are not printable.
fn block_safe(text: &str) -> bool {
    let body = text.strip_suffix('\n').unwrap_or(text);
    let last = body.rsplit('\n').next().unwrap_or(body);
    let blank = |line: &str| line.chars().all(char::is_whitespace);
    !body.starts_with(char::is_whitespace)
        && !blank(last)
        && text.chars().all(|c| match c {
            '\n' | '\t' => true,
            '\u{85}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' => false,
            c => !c.is_control(),
        })
}

impl Ordered<'_> {
    fn object<S: Serializer>(&self, map: &Map<String, Value>, serializer: S) -> Result<S::Ok, S::Error> {
        let first: &[&str] = match self.place {
            Place::Root => OBJECT_FIRST,
            Place::Metadata => METADATA_FIRST,
            Place::Elsewhere => &[],
        };
        let mut out = serializer.serialize_map(Some(map.len()))?;
        let mut entry = |key: &str, value| {
            let place = if self.place == Place::Root && key == "metadata" { Place::Metadata } else { Place::Elsewhere };
            out.serialize_entry(&Text(key), &Ordered { value, place })
        };
        for key in first {
            if let Some(value) = map.get(*key) {
                entry(key, value)?;
            }
        }
        for (key, value) in map.iter().filter(|(key, _)| !first.contains(&key.as_str())) {
            entry(key, value)?;
        }
        out.end()
    }
}
