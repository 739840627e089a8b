//! Validates a tree against a schema, and reports every problem at its place.
//!
//! The API server drops unknown fields. Here they are errors, because the author meant them to have an effect.

use std::collections::HashMap;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{GeneralPurpose, GeneralPurposeConfig};
use serde_json::Number;

use super::shape::{Additional, Shape, Type};
use crate::model::codes::{Code, config, object, yaml};
use crate::model::diagnostic::{Diagnostic, Diagnostics};
use crate::model::kinds::propagate;
use crate::model::nearest::nearest;
use crate::model::source::Span;
use crate::yaml::tree::{Entry, Node, Value, escape};

/// The codes that a walk reports with: those of objects or of settings.
#[derive(Debug)]
pub(crate) struct Codes {
    /// A field that the schema does not have.
    pub unknown: &'static Code,
    /// A required field that is not there.
    pub missing: &'static Code,
    /// A value of the wrong type.
    pub wrong_type: &'static Code,
    /// A bare word that Kubernetes does not read as a string where a string is needed.
    pub bare_word: &'static Code,
    /// A value that is not one of those listed.
    pub not_listed: &'static Code,
    /// Too few or too many characters, items or pairs.
    pub length: &'static Code,
    /// A text that does not match its pattern, or is not base64.
    pub form: &'static Code,
    /// A repeated item.
    pub repeated: &'static Code,
}

/// The codes for objects.
pub(crate) static OBJECT: Codes = Codes {
    unknown: &object::UNKNOWN_FIELD,
    missing: &object::MISSING_FIELD,
    wrong_type: &object::WRONG_TYPE,
    bare_word: &yaml::AMBIGUOUS_SCALAR,
    not_listed: &object::NOT_LISTED,
    length: &object::LENGTH,
    form: &object::FORM,
    repeated: &object::DUPLICATE_ITEM,
};

/// The codes for `carrier.yaml`.
pub(crate) static CONFIG: Codes = Codes {
    unknown: &config::UNKNOWN_KEY,
    // No setting is required.
    missing: &config::WRONG_VALUE,
    wrong_type: &config::WRONG_VALUE,
    bare_word: &yaml::AMBIGUOUS_SCALAR,
    not_listed: &config::WRONG_VALUE,
    length: &config::WRONG_VALUE,
    form: &config::WRONG_VALUE,
    repeated: &config::WRONG_VALUE,
};

/// Fields that KubeCarrier had once, and what to write instead (`kubecarrier.md` §4.4).
const RETIRED: [(&str, &str); 1] = [(
    "kindOverride",
    "write `kind` in `spec.derive` of the CatalogEntrySet instead: KubeCarrier had this field up to v0.2",
)];

/// A walk over one document.
pub(crate) struct Walk<'a> {
    /// The text that spans refer to; empty for an API object.
    pub text: &'a str,
    /// The name of the document for [`Diagnostic::object`]: `Account/team-a`.
    pub object: &'a str,
    /// The codes to report with.
    pub codes: &'static Codes,
    /// Receives the diagnostics.
    pub diagnostics: &'a mut Diagnostics,
}

impl Walk<'_> {
    /// Validates a value. `path` is its JSON Pointer in the document, `name` the span of its key. Returns
    /// whether it has no errors.
    pub(crate) fn check(&mut self, shape: &Shape, node: &Node, path: &str, name: Option<Span>) -> bool {
        match (shape.type_, &node.value) {
            (Type::Any, value) if *value != Value::Null => true,
            (Type::Object, Value::Map(entries)) => self.mapping(shape, node, entries, path, name),
            (Type::Array, Value::Seq(items)) => self.list(shape, node, items, path, name),
            (Type::String, Value::String(text)) => self.string(shape, node, text, path),
            (Type::Boolean, Value::Bool(_)) | (Type::Number, Value::Number(_)) => true,
            (Type::Integer, Value::Number(n)) if is_whole(n) => true,
            _ => self.wrong(shape.type_, shape.wraps(), node, path, name),
        }
    }

    fn mapping(&mut self, shape: &Shape, node: &Node, entries: &[Entry], path: &str, name: Option<Span>) -> bool {
        let mut fine = true;
        let mut meant: Vec<&str> = Vec::new();
        for entry in entries {
            let at = format!("{path}/{}", escape(&entry.key));
            match (shape.properties.get(&entry.key), &shape.additional) {
                (Some(property), _) => fine &= self.check(property, &entry.value, &at, Some(entry.key_span)),
                (None, Additional::Of(any)) => fine &= self.check(any, &entry.value, &at, Some(entry.key_span)),
                (None, Additional::Anything) => {}
                (None, Additional::None) => {
                    fine = false;
                    let known = shape.properties.keys().map(String::as_str);
                    match shape.properties.iter().find(|(_, inner)| inner.properties.contains_key(&entry.key)) {
                        Some((block, _)) if !shape.properties.keys().any(|k| k.eq_ignore_ascii_case(&entry.key)) => {
                            self.misplaced(entry, path, &at, block);
                        }
                        _ => meant.extend(self.unknown(entry, path, &at, known, |key| node.get(key).is_some())),
                    }
                }
            }
        }
        // A misspelt required field is one mistake, not two.
        for field in shape.required.iter().filter(|f| node.get(f).is_none() && !meant.contains(&f.as_str())) {
            fine = false;
            let place = name.or_else(|| entries.first().map(|e| e.key_span)).unwrap_or(node.span);
            let diagnostic = Diagnostic::new(self.codes.missing, place, format!("{} is missing", dotted(path, field)))
                .at(format!("needs `{field}`"))
                .help(to_add(field, shape.properties.get(field)));
            self.push(diagnostic, path);
        }
        fine & self.length(shape, entries.len(), "entry", "entries", node, path, name)
    }

    /// Reports a field that belongs into a neighbouring block.
    fn misplaced(&mut self, entry: &Entry, path: &str, at: &str, block: &str) {
        let message = match path {
            "" => format!("unknown field `{}`", entry.key),
            _ => format!("unknown field `{}` in {}", entry.key, dotted(path, "")),
        };
        let diagnostic = Diagnostic::new(self.codes.unknown, entry.key_span, message)
            .help(format!("move it into {}", dotted(path, block)));
        self.push(diagnostic, at);
    }

    /// Reports an unknown field. Returns the field that was probably meant.
    pub(super) fn unknown<'k>(
        &mut self,
        entry: &Entry,
        path: &str,
        at: &str,
        known: impl Iterator<Item = &'k str> + Clone,
        taken: impl Fn(&str) -> bool,
    ) -> Option<&'k str> {
        let meant = nearest(&entry.key, known.clone().filter(|key| !taken(key)));
        let message = match path {
            "" => format!("unknown field `{}`", entry.key),
            _ => format!("unknown field `{}` in {}", entry.key, dotted(path, "")),
        };
        let diagnostic = Diagnostic::new(self.codes.unknown, entry.key_span, message);
        let list: Vec<String> = known.map(|key| format!("`{key}`")).collect();
        let successor =
            RETIRED.iter().find(|(key, _)| *key == entry.key && std::ptr::eq(self.codes, &raw const OBJECT));
        if let Some((_, successor)) = successor {
            self.push(diagnostic.help(*successor), at);
            return None;
        }
        let diagnostic = match (meant, list.as_slice()) {
            (Some(meant), _) => diagnostic.did_you_mean(meant),
            (None, []) => diagnostic.help("remove it: nothing may stand here"),
            (None, list) => diagnostic.help(format!("remove it; what may stand here is {}", list.join(", "))),
        };
        self.push(diagnostic, at);
        meant
    }

    fn list(&mut self, shape: &Shape, node: &Node, items: &[Node], path: &str, name: Option<Span>) -> bool {
        let mut fine = true;
        if let Some(of) = &shape.items {
            for (i, item) in items.iter().enumerate() {
                fine &= self.check(of, item, &format!("{path}/{i}"), None);
            }
        }
        if shape.unique {
            let mut seen: HashMap<String, Span> = HashMap::new();
            for (i, item) in items.iter().enumerate() {
                // Values are equal if their JSON is.
                let first = *seen.entry(item.to_json().to_string()).or_insert(item.span);
                if first == item.span {
                    continue;
                }
                fine = false;
                let message = format!("{} stands twice in {}", shown(&item.value), dotted(path, ""));
                let diagnostic = Diagnostic::new(self.codes.repeated, item.span, message)
                    .label(first, "first here")
                    .help("remove one of them");
                self.push(diagnostic, &format!("{path}/{i}"));
            }
        }
        fine & self.length(shape, items.len(), "item", "items", node, path, name)
    }

    fn string(&mut self, shape: &Shape, node: &Node, text: &str, path: &str) -> bool {
        let field = dotted(path, "");
        if !shape.words.is_empty() && !shape.words.iter().any(|w| w == text) {
            let list: Vec<String> = shape.words.iter().map(|w| format!("`{w}`")).collect();
            let message = format!("`{text}` is not a value of {field}");
            let diagnostic = Diagnostic::new(self.codes.not_listed, node.span, message);
            let diagnostic = match nearest(text, shape.words.iter().map(String::as_str)) {
                Some(meant) => diagnostic.did_you_mean(meant),
                None => diagnostic.help(format!("write {}", one_of(&list))),
            };
            self.push(diagnostic, path);
            return false;
        }
        let mut fine = self.length(shape, text.chars().count(), "character", "characters", node, path, None);
        if fine
            && let Some((pattern, regex)) = &shape.pattern
            && !regex.is_match(text)
        {
            fine = false;
            let diagnostic = Diagnostic::new(self.codes.form, node.span, format!("`{text}` cannot be {field}"))
                .help(in_words(pattern));
            self.push(diagnostic, path);
        }
        if fine && shape.base64 && !is_base64(text) {
            fine = false;
            let diagnostic = Diagnostic::new(self.codes.form, node.span, format!("{field} is not base64"))
                .help("write the file's bytes in base64, as `base64 -w0 FILE` prints them");
            self.push(diagnostic, path);
        }
        fine
    }

    #[expect(clippy::too_many_arguments, reason = "two of them are the words for what is counted")]
    fn length(
        &mut self,
        shape: &Shape,
        length: usize,
        one: &str,
        many: &str,
        node: &Node,
        path: &str,
        name: Option<Span>,
    ) -> bool {
        let (min, max) = shape.length;
        let counted = |n: u64| format!("{n} {}", if n == 1 { one } else { many });
        let length = length as u64;
        let (message, help) = if length < min {
            let message = match length {
                0 => format!("{} is empty", dotted(path, "")),
                n => format!("{} has only {}", dotted(path, ""), counted(n)),
            };
            (message, format!("write at least {}", counted(min)))
        } else if let Some(max) = max.filter(|max| length > *max) {
            (
                format!("{} has {}", dotted(path, ""), counted(length)),
                format!("at most {} may stand here", counted(max)),
            )
        } else {
            return true;
        };
        let place = if length == 0 { node.span } else { name.unwrap_or(node.span) };
        self.push(Diagnostic::new(self.codes.length, place, message).help(help), path);
        false
    }

    /// Reports a value of the wrong type. Returns false.
    pub(super) fn wrong_type(&mut self, wanted: Type, node: &Node, path: &str, name: Option<Span>) -> bool {
        self.wrong(wanted, None, node, path, name)
    }

    /// The same; `wraps` is the one field of the mapping that was expected.
    fn wrong(&mut self, wanted: Type, wraps: Option<&str>, node: &Node, path: &str, name: Option<Span>) -> bool {
        let field = dotted(path, "");
        let raw = self.text.get(node.span.start as usize..node.span.end as usize).unwrap_or_default();
        let (wanted_words, mend) = match wanted {
            Type::Object => ("a mapping", "write its fields on the following lines, indented, as `field: value`"),
            Type::Array => ("a list", "write each item on a line of its own, after `- `"),
            Type::String => ("a string", "write a text"),
            Type::Boolean => ("`true` or `false`", "write `true` or `false`, without quotes"),
            Type::Integer => ("a whole number", "write a whole number, without quotes"),
            Type::Number => ("a number", "write a number, without quotes"),
            Type::Any => ("a value", "write a value"),
        };
        let diagnostic = match &node.value {
            Value::Null => {
                let place = name.unwrap_or(node.span);
                Diagnostic::new(self.codes.wrong_type, place, format!("{field} has no value"))
                    .at(format!("{wanted_words} was expected here"))
                    .help(format!("{mend}, or remove the field"))
            }
            value @ (Value::Bool(_) | Value::Number(_)) if wanted == Type::String => {
                // The text may differ from the value: `on`, `0x10`, `1_000`.
                let written = if raw.is_empty() || raw.contains('\n') { shown(value) } else { raw.to_owned() };
                let message = format!("`{written}` is read by Kubernetes as {}", described(value));
                Diagnostic::new(self.codes.bare_word, node.span, message)
                    .at("a string was expected here")
                    .help(format!("write `\"{written}\"`"))
            }
            value => {
                let wrong_list = wanted == Type::Array && !matches!(value, Value::Map(_));
                // A block of several lines is shown by its key.
                let place = match value {
                    Value::Map(_) | Value::Seq(_) if raw.contains('\n') => name.unwrap_or(node.span),
                    _ => node.span,
                };
                let message = format!("{field} is {}, {wanted_words} was expected", described(value));
                let help = match value {
                    Value::Seq(items) if wanted == Type::String && items.len() == 1 => match items[0].as_str() {
                        Some(only) => format!("write `{only}`, without brackets"),
                        None => mend.to_owned(),
                    },
                    Value::String(text) if wanted == Type::Object && wraps.is_some() => {
                        format!("write `{{{}: {text}}}`", wraps.unwrap_or_default())
                    }
                    _ if wrong_list && !raw.is_empty() && !raw.contains('\n') => format!("write `[{raw}]`"),
                    _ => mend.to_owned(),
                };
                Diagnostic::new(self.codes.wrong_type, place, message).help(help)
            }
        };
        self.push(diagnostic, path);
        false
    }

    /// Adds a diagnostic about the value at `path`.
    pub(crate) fn push(&mut self, diagnostic: Diagnostic, path: &str) {
        let object = (!self.object.is_empty()).then(|| self.object.to_owned());
        self.diagnostics.push(Diagnostic { object, path: Some(path.to_owned()), ..diagnostic });
    }
}

fn is_whole(n: &Number) -> bool {
    n.is_i64() || n.is_u64() || n.as_f64().is_some_and(|f| f.fract() == 0.0 && f.abs() < 9.0e15)
}

/// A JSON Pointer as a field path: `spec.derive.expose[0].fields`.
pub(super) fn dotted(pointer: &str, field: &str) -> String {
    let mut words = String::new();
    for token in pointer.split('/').skip(1) {
        let token = token.replace("~1", "/").replace("~0", "~");
        if !token.is_empty() && token.bytes().all(|b| b.is_ascii_digit()) && !words.is_empty() {
            words.push('[');
            words.push_str(&token);
            words.push(']');
        } else {
            if !words.is_empty() {
                words.push('.');
            }
            words.push_str(&token);
        }
    }
    if !field.is_empty() {
        if !words.is_empty() {
            words.push('.');
        }
        words.push_str(field);
    }
    format!("`{words}`")
}

/// How to write a field that is missing.
fn to_add(field: &str, shape: Option<&Shape>) -> String {
    let Some(shape) = shape else { return format!("add `{field}`") };
    let listed = |names: &[String]| names.iter().map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", ");
    match shape.type_ {
        Type::String if !shape.words.is_empty() => format!("add `{field}`, one of {}", listed(&shape.words)),
        Type::Object if shape.required.is_empty() => format!("add `{field}: {{}}`, or what should stand in it"),
        Type::Object => format!("add `{field}` with {}", listed(&shape.required)),
        Type::Array => format!("add `{field}` and its items below it, each after `- `"),
        _ => format!("add `{field}: …`"),
    }
}

/// Descriptions of the patterns of our own fields.
fn in_words(pattern: &str) -> String {
    let words = match pattern {
        "^[A-Za-z]([-A-Za-z0-9]*[A-Za-z0-9])?$" => "letters, digits and `-`, with a letter first and no `-` last",
        "^[a-z]([-a-z0-9]*[a-z0-9])?$" => "lower case letters, digits and `-`, with a letter first and no `-` last",
        propagate::FORM => {
            "the key of a label, such as `tier` or `example.com/tier`, or `example.com/*` for all keys with that prefix"
        }
        "^[A-Za-z_][A-Za-z0-9_]*$" => "letters, digits and `_`, with no digit first",
        _ => return format!("write a text that matches the pattern `{pattern}`"),
    };
    format!("use {words}")
}

fn one_of(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::Bool(b) => b.to_string(),
        Value::Number(n) => n.to_string(),
        Value::String(s) => format!("`{s}`"),
        Value::Null => "null".into(),
        Value::Seq(_) => "a list".into(),
        Value::Map(_) => "a mapping".into(),
    }
}

fn described(value: &Value) -> String {
    match value {
        Value::Bool(b) => format!("the boolean {b}"),
        Value::Number(n) => format!("the number {n}"),
        Value::String(s) if s.chars().count() <= 40 => format!("the string {s:?}"),
        Value::String(_) => "a string".into(),
        other => shown(other),
    }
}

/// Whether a text is standard base64 with padding, as Go's decoder takes it: line breaks are ignored, and so are the
/// bits of the last character that no byte needs.
fn is_base64(text: &str) -> bool {
    const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true);
    const GO: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
    let bytes: Vec<u8> = text.bytes().filter(|b| !matches!(b, b'\n' | b'\r')).collect();
    GO.decode(bytes).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::source::FileId;
    use crate::yaml;
    use serde_json::json;

    /// The complaints about a text, a line each: code, what is underlined, message, help.
    fn complaints(schema: &serde_json::Value, text: &str) -> Vec<String> {
        let mut diagnostics = Diagnostics::default();
        let documents = yaml::read(FileId(0), text, &mut diagnostics);
        assert!(diagnostics.is_empty(), "{diagnostics:?}");
        let mut walk = Walk { text, object: "X/x", codes: &OBJECT, diagnostics: &mut diagnostics };
        let fine = walk.check(&Shape::new(schema), &documents[0].root, "", None);
        assert_eq!(fine, diagnostics.is_empty(), "the answer and the complaints agree");
        let said = diagnostics.into_sorted();
        said.iter()
            .map(|d| {
                let span = d.primary.as_ref().expect("a place").span;
                let underlined = &text[span.start as usize..span.end as usize];
                format!("{} [{underlined}] {} | {}", d.code.id, d.message, d.help.join("; "))
            })
            .collect()
    }

    fn schema() -> serde_json::Value {
        json!({
            "type": "object",
            "required": ["name"],
            "properties": {
                "name": {"type": "string", "minLength": 2},
                "kind": {"type": "string", "enum": ["User", "Group"]},
                "plural": {"type": "string", "pattern": "^[a-z]+$"},
                "data": {"type": "string", "format": "byte"},
                "on": {"type": "boolean"},
                "size": {"type": "integer"},
                "labels": {"type": "object", "additionalProperties": {"type": "string"}, "minProperties": 1},
                "roles": {"type": "array", "minItems": 1, "maxItems": 2, "items": {"type": "string"}, "x-kubernetes-list-type": "set"},
                "value": {"x-kubernetes-preserve-unknown-fields": true},
                "inner": {"type": "object", "required": ["crd"], "properties": {"crd": {"type": "string"}}},
            },
        })
    }

    #[test]
    fn a_sound_document_has_no_complaints() {
        let text = "name: abc\nkind: User\nplural: dbs\ndata: aGk=\nsize: 3\nlabels: {a/b: c}\nroles: [a, b]\nvalue: {a: [1]}\ninner: {crd: x}\n";
        assert_eq!(complaints(&schema(), text), [""; 0]);
    }

    #[test]
    fn all_at_once() {
        let text = "knd: User\nname: on\nroles: []\ninner: {}\n";
        assert_eq!(
            complaints(&schema(), text),
            [
                "CAR0201 [knd] unknown field `knd` | write `kind`",
                "CAR0112 [on] `on` is read by Kubernetes as the boolean true | write `\"on\"`",
                "CAR0205 [[]] `roles` is empty | write at least 1 item",
                "CAR0202 [inner] `inner.crd` is missing | add `crd: …`",
            ]
        );
    }

    #[test]
    fn each_sort_of_complaint() {
        for (text, said) in [
            (
                "name: abc\nzzzz: 1",
                "CAR0201 [zzzz] unknown field `zzzz` | remove it; what may stand here is `data`, `inner`, `kind`, `labels`, `name`, `on`, `plural`, `roles`, `size`, `value`",
            ),
            ("nme: abc", "CAR0201 [nme] unknown field `nme` | write `name`"),
            ("kind: User", "CAR0202 [kind] `name` is missing | add `name: …`"),
            ("{}", "CAR0202 [{}] `name` is missing | add `name: …`"),
            ("name: 1.10", "CAR0112 [1.10] `1.10` is read by Kubernetes as the number 1.1 | write `\"1.10\"`"),
            ("name:", "CAR0203 [name] `name` has no value | write a text, or remove the field"),
            ("name: [a]", "CAR0203 [[a]] `name` is a list, a string was expected | write `a`, without brackets"),
            ("name: abc\nroles: x", "CAR0203 [x] `roles` is the string \"x\", a list was expected | write `[x]`"),
            (
                "name: abc\nroles: {a: b}",
                "CAR0203 [{a: b}] `roles` is a mapping, a list was expected | write each item on a line of its own, after `- `",
            ),
            (
                "name: abc\ninner: x",
                "CAR0203 [x] `inner` is the string \"x\", a mapping was expected | write `{crd: x}`",
            ),
            (
                "name: abc\n\"on\": \"yes\"",
                "CAR0203 [\"yes\"] `on` is the string \"yes\", `true` or `false` was expected | write `true` or `false`, without quotes",
            ),
            (
                "name: abc\nsize: 1.5",
                "CAR0203 [1.5] `size` is the number 1.5, a whole number was expected | write a whole number, without quotes",
            ),
            ("name: abc\nvalue: null", "CAR0203 [value] `value` has no value | write a value, or remove the field"),
            ("name: a", "CAR0205 [a] `name` has only 1 character | write at least 2 characters"),
            ("name: abc\nlabels: {}", "CAR0205 [{}] `labels` is empty | write at least 1 entry"),
            ("name: abc\nroles: [a, b, c]", "CAR0205 [roles] `roles` has 3 items | at most 2 items may stand here"),
            ("name: abc\nroles: [a, a]", "CAR0207 [a] `a` stands twice in `roles` | remove one of them"),
            ("name: abc\nkind: user", "CAR0204 [user] `user` is not a value of `kind` | write `User`"),
            (
                "name: abc\nplural: My",
                "CAR0206 [My] `My` cannot be `plural` | write a text that matches the pattern `^[a-z]+$`",
            ),
            (
                "name: abc\ndata: a b",
                "CAR0206 [a b] `data` is not base64 | write the file's bytes in base64, as `base64 -w0 FILE` prints them",
            ),
            (
                "name: abc\nlabels: {a: true}",
                "CAR0112 [true] `true` is read by Kubernetes as the boolean true | write `\"true\"`",
            ),
        ] {
            assert_eq!(complaints(&schema(), text), [said], "{text}");
        }
    }

    #[test]
    fn base64_as_go_reads_it() {
        for (text, fine) in [
            ("", true),
            ("aGk=", true),
            ("aG\nk=", true),
            ("aGl=", true),
            ("aGk", false),
            ("a===", false),
            ("a-k=", false),
        ] {
            assert_eq!(is_base64(text), fine, "{text:?}");
        }
    }

    #[test]
    fn paths_as_people_write_them() {
        assert_eq!(dotted("/spec/derive/expose/0/fields", ""), "`spec.derive.expose[0].fields`");
        assert_eq!(dotted("", "spec"), "`spec`");
        assert_eq!(dotted("/metadata/labels/a~1b", ""), "`metadata.labels.a/b`");
    }
}
