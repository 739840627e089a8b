//! The keywords of one node, apart from its type and what is below it.

use std::collections::BTreeSet;

use serde_json::Value;

use super::super::compare::key;
use super::super::types::Effect;
use super::Walk;
use super::quote::{cut, joined, quoted, short};
use super::relation::{self, BOUNDS};
use super::shape;
use super::table::{Change, SILENT, TABLE, effect};
use crate::compile::schema;
use crate::model::path::FieldPath;

/// Flags that accept fewer values if they are set, and the text for that.
const FLAGS: [(&str, &str); 2] = [
    ("uniqueItems", "accepts each item only once"),
    ("x-kubernetes-embedded-resource", "must be a complete Kubernetes object"),
];

impl Walk<'_> {
    /// Compares the keywords of two nodes.
    pub(super) fn values(&mut self, old: &Value, new: &Value, at: &FieldPath) {
        self.nullable(old, new, at);
        self.enumeration(old, new, at);
        self.bounds(old, new, at);
        self.exact(old, new, at);
        self.flags(old, new, at);
        self.merging(old, new, at);
        self.rules(old, new, at);
        self.junctors(old, new, at);
        self.default(old, new, at);
        self.unknown(old, new, at);
    }

    fn nullable(&mut self, old: &Value, new: &Value, at: &FieldPath) {
        let has_default = old.get("default").is_some() || new.get("default").is_some();
        match (schema::flag(old, "nullable"), schema::flag(new, "nullable")) {
            (true, false) => self.add(effect("nullable", Change::Removed), at, "may no longer be null"),
            // A server takes the default for a null that may not be there.
            (false, true) if has_default => {
                self.add(
                    effect("default", Change::Moved),
                    at,
                    "may be null, and a stored null is no longer its default",
                );
            }
            (false, true) => self.add(effect("nullable", Change::Added), at, "may be null"),
            _ => {}
        }
    }

    fn enumeration(&mut self, old: &Value, new: &Value, at: &FieldPath) {
        let list = |node: &Value| node.get("enum").and_then(Value::as_array).cloned();
        let without = |list: &[Value], others: &[Value]| -> Vec<Value> {
            let others: BTreeSet<String> = others.iter().map(key).collect();
            list.iter().filter(|value| !others.contains(&key(value))).cloned().collect()
        };
        match (list(old), list(new)) {
            (None, Some(is)) => {
                let is = quoted(at, || joined(&is)).unwrap_or_else(|| "some values".to_owned());
                self.add(effect("enum", Change::Added), at, &format!("accepts only {is}"));
            }
            (Some(was), Some(is)) => {
                let (gone, come) = (without(&was, &is), without(&is, &was));
                if !gone.is_empty() {
                    let gone = quoted(at, || joined(&gone)).unwrap_or_else(|| "some values".to_owned());
                    self.add(effect("enum", Change::Narrowed), at, &format!("no longer accepts {gone}"));
                }
                if !come.is_empty() {
                    let come = quoted(at, || joined(&come)).unwrap_or_else(|| "other values".to_owned());
                    self.add(effect("enum", Change::Widened), at, &format!("also accepts {come}"));
                }
            }
            (Some(_), None) => self.add(effect("enum", Change::Removed), at, "accepts any value"),
            (None, None) => {}
        }
    }

    fn bounds(&mut self, old: &Value, new: &Value, at: &FieldPath) {
        for (key, exclusive, greater_is_narrower, kind) in BOUNDS {
            // A bound of lengths says nothing of numbers.
            if !relation::can_be(new, kind) {
                continue;
            }
            let lowest = if key.starts_with("min") && kind != "number" { Some(0.0) } else { None };
            let bound = |node: &Value| {
                // At least nothing is no bound.
                let number = node.get(key).and_then(Value::as_f64).filter(|bound| Some(*bound) != lowest);
                (number, exclusive.is_some_and(|flag| schema::flag(node, flag)))
            };
            let (was, is) = (bound(old), bound(new));
            let Some(change) = relation::bounds(was, is, greater_is_narrower) else { continue };
            let text = match (was.0, is.0) {
                (Some(was), Some(is)) if was.total_cmp(&is).is_ne() => format!("has the {key} {is} instead of {was}"),
                (Some(_), Some(_)) if change == Change::Narrowed => format!("no longer accepts the {key} itself"),
                (Some(_), Some(_)) => format!("also accepts the {key} itself"),
                (None, Some(is)) => format!("has a new {key}: {is}"),
                (_, None) => format!("no longer has a {key}"),
            };
            self.add(effect(key, change), at, &text);
        }
    }

    /// Compares keywords whose values are compared as a whole.
    fn exact(&mut self, old: &Value, new: &Value, at: &FieldPath) {
        for key in ["pattern", "format", "multipleOf"] {
            let Some(change) = relation::whole(key, old.get(key), new.get(key)) else { continue };
            let what = match change {
                Change::Removed => format!("no longer has a {key}"),
                Change::Added => format!("has a new {key}"),
                Change::Narrowed | Change::Widened | Change::Moved => format!("has a different {key}"),
            };
            let is = new.get(key).and_then(|is| quoted(at, || format!(": {}", short(is)))).unwrap_or_default();
            self.add(effect(key, change), at, &format!("{what}{is}"));
        }
    }

    fn flags(&mut self, old: &Value, new: &Value, at: &FieldPath) {
        for (key, what) in FLAGS {
            if schema::flag(new, key) && !schema::flag(old, key) {
                self.add(effect(key, Change::Added), at, what);
            }
        }
        if schema::is_embedded(old) && !schema::is_embedded(new) {
            let described = shape::OF_ALL_OBJECTS.iter().any(|name| schema::property(new, name).is_some());
            match shape::is_open(new) && !described {
                true => self.add(Effect::Safe, at, "need no longer be a complete Kubernetes object"),
                false => self.add(
                    effect("x-kubernetes-embedded-resource", Change::Removed),
                    at,
                    "is no longer a Kubernetes object, so its apiVersion, kind and metadata are removed",
                ),
            }
        }
    }

    /// Compares how server-side apply merges what several managers have applied.
    fn merging(&mut self, old: &Value, new: &Value, at: &FieldPath) {
        let is_list = |node: &Value| schema::type_name(node) == "array";
        if is_list(old) || is_list(new) {
            let (was, is) = (schema::list_type(old), schema::list_type(new));
            let keys = |node: &Value| schema::list_map_keys(node).map(str::to_owned).collect::<BTreeSet<_>>();
            let what = match is {
                "atomic" => "which server-side apply replaces as a whole",
                _ => "whose items must be unique",
            };
            if was != is {
                let key = "x-kubernetes-list-type";
                self.add(effect(key, Change::Moved), at, &format!("is now a list of type {is}, {what}"));
            } else if keys(old) != keys(new) {
                let key = "x-kubernetes-list-map-keys";
                self.add(
                    effect(key, Change::Moved),
                    at,
                    &format!("is now a list of type {is} with other keys, {what}"),
                );
            }
            return;
        }
        let key = "x-kubernetes-map-type";
        match (schema::is_atomic(old), schema::is_atomic(new)) {
            (false, true) => {
                self.add(effect(key, Change::Added), at, "is now atomic: server-side apply replaces it as a whole");
            }
            (true, false) => {
                self.add(effect(key, Change::Removed), at, "is no longer atomic: server-side apply merges its fields");
            }
            _ => {}
        }
    }

    /// Compares CEL rules by their text. Their messages do not count.
    fn rules(&mut self, old: &Value, new: &Value, at: &FieldPath) {
        const KEY: &str = "x-kubernetes-validations";
        let rules = |node: &'_ Value| -> Vec<(String, bool)> {
            let list = node.get(KEY).and_then(Value::as_array).into_iter().flatten();
            // A rule about the old value counts at a creation, too, if that is optional.
            let one = |r: &Value| Some((r.get("rule")?.as_str()?.to_owned(), schema::flag(r, "optionalOldSelf")));
            list.filter_map(one).collect()
        };
        let (was, is) = (rules(old), rules(new));
        for (rule, _) in is.iter().filter(|rule| !was.contains(rule)) {
            let rule = quoted(at, || format!(": {}", cut(rule))).unwrap_or_default();
            self.add(effect(KEY, Change::Added), at, &format!("has a new rule{rule}"));
        }
        for (rule, _) in was.iter().filter(|rule| !is.contains(rule)) {
            let rule = quoted(at, || format!(": {}", cut(rule))).unwrap_or_default();
            self.add(effect(KEY, Change::Removed), at, &format!("no longer has the rule{rule}"));
        }
    }

    fn junctors(&mut self, old: &Value, new: &Value, at: &FieldPath) {
        for key in schema::JUNCTORS {
            let (was, is) = (relation::junctor(old, key), relation::junctor(new, key));
            let Some(change) = relation::whole(key, was.as_ref(), is.as_ref()) else { continue };
            let what = match change {
                Change::Removed => format!("no longer has `{key}`"),
                Change::Added => format!("has a new `{key}`"),
                Change::Widened => format!("has a wider `{key}`"),
                Change::Narrowed | Change::Moved => format!("has a different `{key}`"),
            };
            self.add(effect(key, change), at, &what);
        }
    }

    pub(super) fn default(&mut self, old: &Value, new: &Value, at: &FieldPath) {
        let text = match (old.get("default"), new.get("default")) {
            (None, Some(_)) => (Change::Added, "has a new default, which instances without the field read at once"),
            (Some(_), None) => {
                (Change::Removed, "no longer has a default: instances that were stored without the field lose it")
            }
            (Some(was), Some(is)) if was != is => (
                Change::Moved,
                "has a different default, which instances that were stored without the field read at once",
            ),
            _ => return,
        };
        self.add(effect("default", text.0), at, text.1);
    }

    /// Compares keywords that this version of carrier does not know.
    fn unknown(&mut self, old: &Value, new: &Value, at: &FieldPath) {
        let keys = |node: &'_ Value| -> BTreeSet<String> {
            node.as_object().into_iter().flatten().map(|(key, _)| key.clone()).collect()
        };
        let is_known = |key: &str| TABLE.iter().any(|row| row.keyword == key) || SILENT.contains(&key);
        for key in keys(old).union(&keys(new)).filter(|key| !is_known(key)) {
            let Some(change) = relation::whole(key, old.get(key), new.get(key)) else { continue };
            self.add(effect(key, change), at, &format!("has a different `{}`", cut(key).trim_matches('`')));
        }
    }
}
