//! The changed fields of an object, as JSON Pointers.
//!
//! Fields that the server writes are left out. Values that may be secret are hidden,
//! among them all presets and defaults, which tenants never see; long values are
//! cut. So are the defaults in the schemas of a CRD: those of a catalog entry are
//! written there. In the schemas of a CRD, properties are compared: a new property is one
//! change, not one for each keyword of its schema.

use serde_json::{Map, Value};

use super::compare::{equal, without_server_fields};
use super::types::{FieldChange, FieldOp};
use crate::compile::schema;
use crate::model::crd;
use crate::model::line_diff::{DiffLine, value_diff};
use crate::model::plain;
use crate::model::redact::names_credential;
use crate::model::secret_values::{assigns, holds_secret, is_secret_key, names_secret};

/// Longer values, in bytes of JSON, are cut or replaced by their size.
const LONGEST: usize = 256;
/// Longer lines of the diff of a text are cut, in characters.
const LONGEST_LINE: usize = 1_000;
/// The number of lines that are kept of the diff of one text.
const MOST_LINES: usize = 199;

/// The fields that change from `live` to `would_be`, the result of a dry run.
#[must_use]
pub(crate) fn changes(live: &Value, would_be: &Value) -> Vec<FieldChange> {
    let (live, would_be) = (without_server_fields(live), without_server_fields(would_be));
    let mut walk = Walk { found: Vec::new(), ignore_others: false };
    if live.get("kind").is_some_and(|kind| kind == "CustomResourceDefinition") {
        walk.crd(&live, &would_be);
    } else {
        walk.value("", &live, &would_be, false);
    }
    walk.found
}

/// The fields of `wanted` that `live` does not have or has with another value. Other fields of `live` are ignored:
/// without a dry run, it is unknown which of them applying the object would remove.
#[must_use]
pub(crate) fn wanted(live: &Value, wanted: &Value) -> Vec<FieldChange> {
    let (live, wanted) = (without_server_fields(live), without_server_fields(wanted));
    let mut walk = Walk { found: Vec::new(), ignore_others: true };
    if live.get("kind").is_some_and(|kind| kind == "CustomResourceDefinition") {
        walk.crd(&live, &wanted);
    } else {
        walk.value("", &live, &wanted, false);
    }
    walk.found
}

struct Walk {
    found: Vec<FieldChange>,
    /// Whether to ignore fields that only the first state has.
    ignore_others: bool,
}

/// A JSON Pointer extended by a key, escaped by RFC 6901.
fn step(at: &str, key: &str) -> String {
    format!("{at}/{}", key.replace('~', "~0").replace('/', "~1"))
}

impl Walk {
    fn push(&mut self, path: &str, before: Option<&Value>, after: Option<&Value>, sensitive: bool) {
        let op = match (before, after) {
            (None, None) => return,
            (None, Some(_)) => FieldOp::Add,
            (Some(_), None) => FieldOp::Remove,
            (Some(_), Some(_)) => FieldOp::Replace,
        };
        let sensitive = sensitive || [before, after].into_iter().flatten().any(holds_secret);
        let shown = |value: Option<&Value>| value.filter(|_| !sensitive).map(shortened);
        let lines = match (before, after) {
            (Some(Value::String(before)), Some(Value::String(after))) if !sensitive => text_lines(before, after),
            _ => Vec::new(),
        };
        let (before, after) = (shown(before), shown(after));
        self.found.push(FieldChange { path: path.to_owned(), op, before, after, sensitive, lines });
    }

    fn value(&mut self, at: &str, before: &Value, after: &Value, sensitive: bool) {
        if equal(before, after) {
            return;
        }
        match (before, after) {
            (Value::Object(old), Value::Object(new)) => {
                let sensitive = sensitive || names_secret(old) || names_secret(new);
                let assigned = assigns(old) || assigns(new);
                let mut keys: Vec<&String> = old.keys().chain(new.keys()).collect();
                keys.sort();
                keys.dedup();
                for key in keys {
                    let sensitive = sensitive || is_secret_key(key) || assigned && key == "value";
                    let path = step(at, key);
                    match (old.get(key), new.get(key)) {
                        (Some(old), Some(new)) => self.value(&path, old, new, sensitive),
                        (Some(_), None) if self.ignore_others => {}
                        (old, new) => self.push(&path, old, new, sensitive),
                    }
                }
            }
            (Value::Array(old), Value::Array(new)) => self.list(at, old, new, sensitive),
            (old, new) => self.push(at, Some(old), Some(new), sensitive),
        }
    }

    /// Compares lists after removing the common items at both ends; the rest is compared by index.
    fn list(&mut self, at: &str, old: &[Value], new: &[Value], sensitive: bool) {
        let start = old.iter().zip(new).take_while(|(a, b)| equal(a, b)).count();
        let (old, new) = (&old[start..], &new[start..]);
        let end = old.iter().rev().zip(new.iter().rev()).take_while(|(a, b)| equal(a, b)).count();
        let (old, new) = (&old[..old.len() - end], &new[..new.len() - end]);
        for i in 0..old.len().max(new.len()) {
            let path = format!("{at}/{}", start + i);
            match (old.get(i), new.get(i)) {
                (Some(old), Some(new)) => self.value(&path, old, new, sensitive),
                (old, new) => self.push(&path, old, new, sensitive),
            }
        }
    }

    fn crd(&mut self, live: &Value, new: &Value) {
        let mut bare = [live.clone(), new.clone()];
        for crd in &mut bare {
            if let Some(Value::Object(spec)) = crd.get_mut("spec") {
                spec.remove("versions");
            }
        }
        let [old_rest, new_rest] = &bare;
        self.value("", old_rest, new_rest, false);
        let list = |crd: &Value| crd::versions(crd).map(|version| version.body.clone()).collect::<Vec<Value>>();
        let (old, new) = (list(live), list(new));
        let name = |version: &Value| version.get("name").cloned().unwrap_or_default();
        let position = |list: &[Value], wanted: &Value| list.iter().position(|v| name(v) == *wanted);
        for (i, was) in old.iter().enumerate() {
            if position(&new, &name(was)).is_none() {
                self.push(&format!("/spec/versions/{i}"), Some(&name(was)), None, false);
            }
        }
        for (i, version) in new.iter().enumerate() {
            let path = format!("/spec/versions/{i}");
            let Some(was) = position(&old, &name(version)).and_then(|at| old.get(at)) else {
                self.push(&path, None, Some(&name(version)), false);
                continue;
            };
            let without = |version: &Value| {
                let mut version = version.clone();
                if let Some(object) = version.as_object_mut() {
                    object.remove("schema");
                }
                version
            };
            // Printer columns and the like; the schema follows.
            self.value(&path, &without(was), &without(version), false);
            let root = format!("{path}/schema/openAPIV3Schema");
            self.node(&root, super::crd::root(was), super::crd::root(version), false);
        }
    }

    /// Compares a node of a schema. An added or removed property is shown by its type, other keywords by value.
    fn node(&mut self, at: &str, old: &Value, new: &Value, secret: bool) {
        let (Value::Object(was), Value::Object(is)) = (old, new) else {
            return self.value(at, old, new, secret || holds_default(old) || holds_default(new));
        };
        let mut keys: Vec<&String> = was.keys().chain(is.keys()).collect();
        keys.sort();
        keys.dedup();
        for key in keys {
            let path = step(at, key);
            let holds = [was, is].into_iter().filter_map(|node| node.get(key)).any(holds_default);
            // Of a default, or of a schema with one that comes or goes as a whole, the value is not shown.
            let hidden = secret || key == "default" || holds;
            match (key.as_str(), was.get(key), is.get(key)) {
                // Documentation changes are in the diff of the snapshot.
                ("description" | "title" | "example" | "externalDocs", _, _) => {}
                ("properties", old, new) => self.properties(&path, old, new, secret),
                ("items" | "additionalProperties", Some(old @ Value::Object(_)), Some(new @ Value::Object(_))) => {
                    self.node(&path, old, new, secret);
                }
                (_, Some(old), Some(new)) => self.value(&path, old, new, hidden),
                (_, old, new) => self.push(&path, old, new, hidden),
            }
        }
    }

    /// Compares properties. A property below a credential is one too: `auth.password.value`.
    fn properties(&mut self, at: &str, old: Option<&Value>, new: Option<&Value>, secret: bool) {
        let empty = Map::new();
        let of = |node: Option<&'_ Value>| node.and_then(Value::as_object).unwrap_or(&empty).clone();
        let (old, new) = (of(old), of(new));
        let mut names: Vec<&String> = old.keys().chain(new.keys()).collect();
        names.sort();
        names.dedup();
        for name in names {
            let path = step(at, name);
            let kind = |node: &Value| Value::String(schema::describe(node));
            match (old.get(name), new.get(name)) {
                (Some(old), Some(new)) if schema::type_name(old) != schema::type_name(new) => {
                    self.push(&path, Some(&kind(old)), Some(&kind(new)), false);
                }
                (Some(old), Some(new)) => self.node(&path, old, new, secret || names_credential(name)),
                (old, new) => self.push(&path, old.map(kind).as_ref(), new.map(kind).as_ref(), false),
            }
        }
    }
}

/// Whether a part of a schema has a default at any depth. A property of that name counts too: in doubt a value is hidden.
fn holds_default(schema: &Value) -> bool {
    match schema {
        Value::Array(items) => items.iter().any(holds_default),
        Value::Object(entries) => entries.iter().any(|(key, value)| key == "default" || holds_default(value)),
        _ => false,
    }
}

/// The diff of two texts of which one has several lines or is long; empty for other texts.
fn text_lines(before: &str, after: &str) -> Vec<String> {
    if ![before, after].iter().any(|text| text.contains('\n') || text.len() > LONGEST) {
        return Vec::new();
    }
    let diff = value_diff(before, after);
    let line = |line: &DiffLine| plain::cut(&line.to_string(), LONGEST_LINE).into_owned();
    let mut lines: Vec<String> = diff.iter().take(MOST_LINES).map(line).collect();
    if diff.len() > MOST_LINES {
        lines.push(format!("and {} more", diff.len() - MOST_LINES));
    }
    lines
}

/// The value; for a long one, the beginning of the string, or its number of entries and its size.
fn shortened(value: &Value) -> Value {
    let text = value.to_string();
    if text.len() <= LONGEST {
        return value.clone();
    }
    let what = match value {
        Value::Array(items) => format!("{} items, {} bytes", items.len(), text.len()),
        Value::Object(entries) => format!("{} fields, {} bytes", entries.len(), text.len()),
        Value::String(text) => {
            let cut = text.char_indices().nth(LONGEST / 2).map_or(text.as_str(), |(at, _)| &text[..at]);
            return Value::String(format!("{cut}… ({} bytes)", text.len()));
        }
        _ => format!("{} bytes", text.len()),
    };
    Value::String(format!("({what})"))
}

#[cfg(test)]
#[allow(clippy::needless_pass_by_value, reason = "`json!` is written where it is used")]
mod tests {
    use super::*;
    use serde_json::json;

    /// `+ path after`, `- path before`, `~ path before after`.
    fn lines(found: Vec<FieldChange>) -> Vec<String> {
        let text = |value: Option<Value>| value.map_or(String::new(), |v| format!(" {v}"));
        let line = |c: FieldChange| {
            let sign = match c.op {
                FieldOp::Add => '+',
                FieldOp::Remove => '-',
                FieldOp::Replace => '~',
            };
            let hidden = if c.sensitive { " (hidden)" } else { "" };
            format!("{sign} {}{}{}{hidden}", c.path, text(c.before), text(c.after))
        };
        found.into_iter().map(line).collect()
    }

    #[test]
    fn values_and_items_are_added_removed_and_replaced() {
        let old = json!({"kind": "Role", "metadata": {"uid": "u", "resourceVersion": "1", "labels": {"a/b": "x"}},
            "status": {"x": 1}, "rules": [{"verbs": ["get"]}, {"verbs": ["list"]}], "n": 1, "gone": true});
        let new = json!({"kind": "Role", "metadata": {"labels": {"a/b": "y", "c": "d"}},
            "rules": [{"verbs": ["get", "watch"]}, {"verbs": ["list"]}, {"verbs": ["patch"]}], "n": 1.0});
        assert_eq!(
            lines(changes(&old, &new)),
            [
                "- /gone true",
                r#"~ /metadata/labels/a~1b "x" "y""#,
                r#"+ /metadata/labels/c "d""#,
                r#"+ /rules/0/verbs/1 "watch""#,
                r#"+ /rules/2 {"verbs":["patch"]}"#,
            ]
        );
        assert_eq!(changes(&old, &old), []);
        assert_eq!(lines(wanted(&old, &new)).len(), 4, "fields that are not wanted are ignored");
    }

    #[test]
    fn an_item_removed_from_the_middle_is_one_change() {
        let list = |names: &[&str]| json!({"subjects": names});
        assert_eq!(lines(changes(&list(&["a", "b", "c"]), &list(&["a", "c"]))), [r#"- /subjects/1 "b""#]);
    }

    #[test]
    fn secrets_are_hidden_at_any_depth() {
        let old = json!({"kind": "X", "spec": {"adminPassword": "old-value", "kubeconfigSecret": {"name": "a"}}});
        let new = json!({"kind": "X", "spec": {
            "adminPassword": "new-value", "kubeconfigSecret": {"name": "b"},
            "presets": [{"jsonPath": ".spec.auth['api-key']", "value": "value-1"}, {"jsonPath": ".spec.size", "value": 3}],
            "deep": {"list": [{"token": "value-2"}]}, "pem": "-----BEGIN RSA PRIVATE KEY-----",
        }, "metadata": {"annotations": {"kubectl.kubernetes.io/last-applied-configuration": "value-3"}}});
        let found = lines(changes(&old, &new));
        let text = found.join("\n");
        assert!(!text.contains("value") && !text.contains("BEGIN"), "{text}");
        assert!(found.contains(&r#"~ /spec/kubeconfigSecret/name "a" "b""#.to_owned()), "{text}");
        assert!(found.contains(&"~ /spec/adminPassword (hidden)".to_owned()), "{text}");
        let preset = |value: &str| json!({"presets": [{"jsonPath": ".spec.auth.token", "value": value}]});
        assert_eq!(lines(changes(&preset("a"), &preset("b"))), ["~ /presets/0/value (hidden)"]);
    }

    #[test]
    fn presets_and_fields_below_a_credential_are_hidden_under_any_name() {
        let entry = |path: &str, value: Value| json!({"presets": [{"jsonPath": path, "value": value}]});
        for path in [".spec.size", ".spec.password.value", ".spec.tokens[0]", ".spec['db-dsn'].text"] {
            let found = lines(changes(&entry(path, json!("hunter2")), &entry(path, json!("hunter3"))));
            assert_eq!(found, ["~ /presets/0/value (hidden)"], "{path}");
            let deep = lines(changes(&entry(path, json!({"a": "hunter2"})), &entry(path, json!({"a": "hunter3"}))));
            assert_eq!(deep, ["~ /presets/0/value/a (hidden)"], "{path}");
            let new = lines(changes(&json!({"presets": []}), &entry(path, json!("hunter2"))));
            assert_eq!(new, ["+ /presets/0 (hidden)"], "{path}");
        }
        let below = |text: &str| json!({"auth": {"tokens": [{"a": {"text": text}}]}, "connectionString": {"x": text}});
        assert_eq!(
            lines(changes(&below("hunter2"), &below("hunter3"))),
            ["~ /auth/tokens/0/a/text (hidden)", "~ /connectionString/x (hidden)"]
        );
        let env = |text: &str| json!({"env": [{"name": "DB_PASSWORD", "value": text}]});
        assert_eq!(lines(changes(&env("hunter2"), &env("hunter3"))), ["~ /env/0/value (hidden)"]);
        let crd = |text: &str| {
            let leaf = json!({"type": "string", "default": text, "enum": [text], "pattern": text});
            let root =
                json!({"properties": {"password": {"properties": {"list": {"items": {"properties": {"x": leaf}}}}}}});
            json!({"kind": "CustomResourceDefinition",
                "spec": {"versions": [{"name": "v1", "schema": {"openAPIV3Schema": root}}]}})
        };
        let found = lines(changes(&crd("hunter2"), &crd("hunter3")));
        assert!(found.len() == 3 && !found.join("").contains("hunter"), "{found:?}");
    }

    #[test]
    fn the_properties_of_a_crd_are_compared() {
        let crd = |spec: Value, versions: &[&str]| {
            let versions: Vec<Value> = versions
                .iter()
                .map(|name| {
                    json!({"name": name, "served": true, "schema":
                {"openAPIV3Schema": {"type": "object", "description": spec.to_string(), "properties": {"spec": spec}}}})
                })
                .collect();
            json!({"kind": "CustomResourceDefinition", "spec": {"scope": "Namespaced", "versions": versions}})
        };
        let big: serde_json::Map<String, Value> =
            (0..50).map(|i| (format!("p{i}"), json!({"type": "string"}))).collect();
        let old = crd(
            json!({"type": "object", "properties": {
            "size": {"type": "integer", "minimum": 1}, "token": {"type": "string", "default": "value"}, "x": {"type": "string"}}}),
            &["v1", "v2"],
        );
        let new = crd(
            json!({"type": "object", "required": ["size"], "properties": {
            "size": {"type": "integer", "minimum": 2}, "token": {"type": "string", "default": "other"}, "x": {"type": "integer"},
            "big": {"type": "object", "properties": big}}}),
            &["v2", "v3"],
        );
        let at = "/spec/versions/0/schema/openAPIV3Schema/properties/spec";
        assert_eq!(
            lines(changes(&old, &new)),
            [
                r#"- /spec/versions/0 "v1""#.to_owned(),
                format!(r#"+ {at}/properties/big "object""#),
                format!("~ {at}/properties/size/minimum 1 2"),
                format!("~ {at}/properties/token/default (hidden)"),
                format!(r#"~ {at}/properties/x "string" "integer""#),
                format!(r#"+ {at}/required ["size"]"#),
                r#"+ /spec/versions/1 "v3""#.to_owned(),
            ]
        );
    }

    #[test]
    fn the_defaults_in_a_schema_are_not_shown() {
        let crd = |spec: Value| {
            json!({"kind": "CustomResourceDefinition",
                "spec": {"versions": [{"name": "v1", "schema": {"openAPIV3Schema": {"properties": {"spec": spec}}}}]}})
        };
        let leaf = |text: &str| json!({"type": "string", "default": text});
        let plain = json!({"type": "string"});
        let list = |items: Value| json!({"type": "array", "items": items});
        let map = |values: Value| json!({"type": "object", "additionalProperties": values});
        let fields = |of: Value| json!({"type": "object", "properties": {"x": of}});
        for (old, new) in [
            (leaf("hunter2"), leaf("hunter3")),
            (plain.clone(), leaf("hunter2")),
            (leaf("hunter2"), plain.clone()),
            (fields(leaf("hunter2")), fields(leaf("hunter3"))),
            (list(leaf("hunter2")), list(leaf("hunter3"))),
            (json!({"type": "array"}), list(leaf("hunter2"))),
            (map(leaf("hunter2")), map(plain.clone())),
            (fields(plain.clone()), map(fields(leaf("hunter2")))),
            (map(json!(true)), map(leaf("hunter2"))),
            (
                json!({"type": "object", "default": {"a": "hunter2"}}),
                json!({"type": "object", "default": {"a": "hunter3", "b": [1]}}),
            ),
            (json!({"type": "string", "default": "hunter2\nhunter4"}), leaf("hunter3")),
        ] {
            let found = changes(&crd(old), &crd(new));
            assert!(found.iter().any(|change| change.sensitive), "{found:?}");
            assert!(!format!("{found:?}").contains("hunter"), "{found:?}");
        }
        assert_eq!(wanted(&crd(leaf("hunter2")), &crd(leaf("hunter3")))[0].after, None);
    }

    #[test]
    fn of_a_text_of_several_lines_the_changed_ones_are_shown() {
        let text = |key: &str, text: &str| json!({"spec": {key: text}});
        let found = changes(&text("notes", "a\nb\nc\n"), &text("notes", "a\nx\nc\n"));
        assert_eq!(found[0].lines, ["@@ -1,3 +1,3 @@", " a", "-b", "+x", " c"]);
        assert_eq!(
            changes(&text("notes", "a"), &text("notes", "b"))[0].lines,
            [""; 0],
            "short values stand side by side"
        );
        let found = changes(&text("notes", &"a\n".repeat(500)), &text("notes", &"b\n".repeat(500)));
        assert!(found[0].lines.len() == 200 && found[0].lines[199] == "and 802 more", "{:?}", found[0].lines.last());
        for (key, prefix) in [("password", ""), ("notes", "-----BEGIN PRIVATE KEY-----\n")] {
            let [old, new] = ["hunter2\na", "hunter3\na"].map(|value| text(key, &format!("{prefix}{value}")));
            assert!(!format!("{:?}", changes(&old, &new)).contains("hunter"), "{key}");
        }
    }

    #[test]
    fn long_lines_of_a_diff_are_cut() {
        let before = "x".repeat(200_000);
        let found = changes(&json!({"spec": before}), &json!({"spec": "y"}));
        assert_eq!(found[0].lines.len(), 3, "the head of the hunk is one");
        assert!(found[0].lines.iter().any(|line| line.starts_with("-xxx") && line.ends_with("x…")));
        assert!(found[0].lines.iter().all(|line| line.chars().count() <= LONGEST_LINE + 1));
    }

    #[test]
    fn long_values_are_cut() {
        let long = "x".repeat(1000);
        let found = changes(&json!({"a": "b"}), &json!({"a": long, "c": [long]}));
        let text = lines(found).join("\n");
        assert!(text.len() < 500 && text.contains("(1000 bytes)") && text.contains("1 items"), "{text}");
    }
}
