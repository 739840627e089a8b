//! Cutting a schema down to what is exposed (`derivation.md` R2–R8).
//!
//! A node is whole, partial or hidden. Whole nodes are copied as they are.
//! Partial nodes keep what can be said of their visible part. What settles the
//! rest: the internal CRD and the service cluster still enforce everything, so a
//! dropped validation only moves an error, while one that names hidden fields
//! breaks the CRD. When unsure, drop and say so; for visibility, hide.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::exposure::Report;
use super::junctor::{self, Verdict};
use super::{cel, schema, validate};
use crate::model::codes::derivation as codes;
use crate::model::path::{Exposed, FieldPath, PathSet, Segment};

/// What pruning knows beside the schema and the paths.
pub struct Pruner<'a, 'r> {
    /// Where complaints go.
    pub report: &'a mut Report<'r>,
    /// Hidden fields that a preset sets: they are hidden, but not absent.
    pub preset: &'a PathSet,
}

/// A pruned node and what its ancestors must know of it.
struct Pruned {
    schema: Value,
    /// Names that rules on ancestors must not use: hidden fields, fields whose default went, fields whose type changed.
    hidden: BTreeSet<String>,
    /// Fields that lead to unbounded lists or maps with items that got smaller.
    grown: BTreeSet<String>,
    /// Whether the node is such a list or map, or holds one without a field in between.
    is_grown: bool,
    lost_default: bool,
    changed_type: bool,
}

/// Where in the schema a node stands.
#[derive(Clone, Copy)]
struct Place<'k> {
    in_status: bool,
    /// Whether a list or map above it has no limit, so that the server reckons how many may fit.
    unbounded: bool,
    /// The keys of the list-map whose item this is; they stay required.
    keys: &'k [&'k str],
}

impl Pruner<'_, '_> {
    /// The schema of the visible part; `None` where nothing is visible.
    pub fn root(&mut self, root: &Value, set: &PathSet) -> Option<Value> {
        let place = Place { in_status: false, unbounded: false, keys: &[] };
        let preset = self.preset.clone();
        self.node(root, set, Some(&preset), &mut FieldPath::default(), place).map(|p| p.schema)
    }

    fn node(
        &mut self,
        source: &Value,
        set: &PathSet,
        preset: Option<&PathSet>,
        at: &mut FieldPath,
        place: Place<'_>,
    ) -> Option<Pruned> {
        let mut out = source.as_object()?.clone();
        let mut pruned = Pruned {
            schema: Value::Null,
            hidden: BTreeSet::new(),
            grown: BTreeSet::new(),
            is_grown: false,
            lost_default: false,
            changed_type: false,
        };
        let visible = match schema::type_name(source) {
            "array" => self.array(source, set, preset, at, place, &mut out, &mut pruned),
            _ if schema::values(source).is_some() => self.map(source, set, preset, at, place, &mut out, &mut pruned),
            _ => self.object(source, set, preset, at, place, &mut out, &mut pruned),
        };
        if !visible {
            return None;
        }
        self.preserve(source, at, &mut out);
        self.junctors(source, set, preset, at, place, &mut out);
        self.counts(at, place, &mut out);
        self.default(set, at, &mut out, &mut pruned);
        self.rules(source, at, place, &mut out, &mut pruned);
        pruned.schema = Value::Object(out);
        Some(pruned)
    }

    #[allow(clippy::too_many_arguments, reason = "three shapes of one step, told apart by `node` alone")]
    fn object(
        &mut self,
        source: &Value,
        set: &PathSet,
        preset: Option<&PathSet>,
        at: &mut FieldPath,
        place: Place<'_>,
        out: &mut Map<String, Value>,
        pruned: &mut Pruned,
    ) -> bool {
        let mut visible = Map::new();
        let mut optional = BTreeSet::new();
        for (name, child) in schema::properties(source) {
            let exposed = set.property(name);
            if let Exposed::Whole = exposed {
                visible.insert(name.clone(), child.clone());
                continue;
            }
            let Exposed::Partial(below) = exposed else {
                pruned.hidden.insert(name.clone());
                continue;
            };
            at.0.push(Segment::Property(name.clone()));
            let inner = Place { in_status: place.in_status || at.0.len() == 1 && name == "status", keys: &[], ..place };
            let result = self.node(child, below, step(preset, &Segment::Property(name.clone())), at, inner);
            at.0.pop();
            match result {
                Some(child) => {
                    pruned.absorb(Some(name), &child);
                    if child.lost_default {
                        optional.insert(name.clone());
                    }
                    visible.insert(name.clone(), child.schema);
                }
                None => {
                    pruned.hidden.insert(name.clone());
                }
            }
        }
        let stays = |name: &&str| {
            visible.contains_key(*name)
                && !optional.contains(*name)
                && (!place.in_status || place.keys.contains(name))
                && !(at.0.is_empty() && matches!(*name, "status" | "metadata"))
        };
        let required: Vec<String> = schema::required(source).filter(stays).map(str::to_owned).collect();
        schema::set_strings(out, "required", required);
        let any = !visible.is_empty();
        out.insert("properties".to_owned(), Value::Object(visible));
        any
    }

    #[allow(clippy::too_many_arguments, reason = "three shapes of one step, told apart by `node` alone")]
    fn map(
        &mut self,
        source: &Value,
        set: &PathSet,
        preset: Option<&PathSet>,
        at: &mut FieldPath,
        place: Place<'_>,
        out: &mut Map<String, Value>,
        pruned: &mut Pruned,
    ) -> bool {
        let Some(value) = schema::values(source) else { return false };
        let unbounded = place.unbounded || source.get("maxProperties").is_none();
        if let Exposed::Partial(below) = set.child(&Segment::Values) {
            at.0.push(Segment::Values);
            let inner = Place { unbounded, keys: &[], ..place };
            let result = self.node(value, below, step(preset, &Segment::Values), at, inner);
            at.0.pop();
            let Some(child) = result else { return false };
            pruned.absorb(None, &child);
            pruned.is_grown |= source.get("maxProperties").is_none() && smaller(value, &child.schema);
            out.insert("additionalProperties".to_owned(), child.schema);
            return true;
        }
        // One key of a map makes it an object with that property: both at once is refused by the server.
        let mut visible = Map::new();
        for (segment, below) in set.children() {
            let Segment::Property(key) = segment else { continue };
            if below.is_whole() {
                visible.insert(key.clone(), value.clone());
                continue;
            }
            at.0.push(segment.clone());
            let result = self.node(value, below, step(preset, segment), at, Place { keys: &[], ..place });
            at.0.pop();
            if let Some(child) = result {
                pruned.absorb(Some(key), &child);
                visible.insert(key.clone(), child.schema);
            }
        }
        let any = !visible.is_empty();
        out.remove("additionalProperties");
        out.insert("properties".to_owned(), Value::Object(visible));
        pruned.changed_type = true;
        any
    }

    #[allow(clippy::too_many_arguments, reason = "three shapes of one step, told apart by `node` alone")]
    fn array(
        &mut self,
        source: &Value,
        set: &PathSet,
        preset: Option<&PathSet>,
        at: &mut FieldPath,
        place: Place<'_>,
        out: &mut Map<String, Value>,
        pruned: &mut Pruned,
    ) -> bool {
        let (Some(items), Exposed::Partial(below)) = (schema::items(source), set.child(&Segment::Items)) else {
            return false;
        };
        let keys: Vec<&str> = schema::list_map_keys(source).collect();
        let unbounded = source.get("maxItems").is_none();
        at.0.push(Segment::Items);
        let inner = Place { unbounded: place.unbounded || unbounded, keys: &keys, ..place };
        let result = self.node(items, below, step(preset, &Segment::Items), at, inner);
        at.0.pop();
        let Some(child) = result else { return false };
        pruned.absorb(None, &child);
        pruned.is_grown |= unbounded && smaller(items, &child.schema);
        out.insert("items".to_owned(), child.schema);
        match schema::list_type(source) {
            "set" => {
                out.remove("x-kubernetes-list-type");
                pruned.changed_type = true;
                let message = format!("`{at}` is a set whose items are exposed in part, so items may look the same");
                let help = format!("expose `{at}` itself to keep it a set");
                self.report.about(&codes::SET_MADE_ATOMIC, at, message, help);
            }
            "map" => {}
            _ if !place.in_status => {
                let message =
                    format!("`{at}` is replaced as a whole at every change, with what is hidden in its items");
                self.report.about(&codes::ATOMIC_LIST, at, message, format!("expose `{at}` itself to avoid it"));
            }
            _ => {}
        }
        true
    }

    /// A partial node must not keep unknown fields: the hidden ones would stay settable (R8).
    fn preserve(&mut self, source: &Value, at: &FieldPath, out: &mut Map<String, Value>) {
        if !schema::is_free_form(source) {
            return;
        }
        out.remove("x-kubernetes-preserve-unknown-fields");
        if out.get("additionalProperties").is_some_and(Value::is_boolean) {
            out.remove("additionalProperties");
        }
        out.entry("type").or_insert_with(|| Value::from("object"));
        let message = format!("`{at}` may hold anything in the CRD, and only what is exposed in the derived one");
        self.report.about(&codes::PRESERVE_DROPPED, at, message, None);
    }

    fn junctors(
        &mut self,
        source: &Value,
        set: &PathSet,
        preset: Option<&PathSet>,
        at: &FieldPath,
        place: Place<'_>,
        out: &mut Map<String, Value>,
    ) {
        for key in schema::JUNCTORS {
            let Some(value) = source.get(key) else { continue };
            let mut hidden = Vec::new();
            junctor::hidden_names(&serde_json::json!({ key: value }), set, &mut hidden);
            hidden.sort();
            hidden.dedup();
            let names = hidden.iter().map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", ");
            // In a status the hidden fields are there, in a spec they are not.
            let stays_there = place.in_status && !hidden.is_empty();
            let filled = stays_there || hidden.iter().any(|n| has_default(source, n) || is_set(preset, n));
            let verdict = if filled { Verdict::Unclear } else { junctor::junctor(key, value, set) };
            match verdict {
                Verdict::Says(value) => {
                    out.insert(key.to_owned(), value);
                }
                Verdict::True => {
                    out.remove(key);
                }
                Verdict::False => {
                    out.remove(key);
                    let message = format!("`{at}`: `{key}` demands what the exposure hides: {names}");
                    let help = format!("expose one of {names}, or preset it");
                    self.report.about(&codes::UNION_HIDDEN, at, message, help);
                }
                Verdict::Unclear => {
                    out.remove(key);
                    let message = format!("`{at}`: `{key}` also speaks of hidden fields: {names}");
                    self.report.about(&codes::VALIDATION_DROPPED, at, message, None);
                }
            }
        }
        if out.remove("enum").is_some() {
            let message = format!("`{at}`: `enum` compares whole values, of which a part is hidden");
            self.report.about(&codes::VALIDATION_DROPPED, at, message, None);
        }
    }

    /// `minProperties` above the number of visible fields could never be met (R6).
    fn counts(&mut self, at: &FieldPath, place: Place<'_>, out: &mut Map<String, Value>) {
        if place.in_status {
            // A part of a status may have fewer fields than the whole.
            out.remove("minProperties");
            return;
        }
        let visible = out.get("properties").and_then(Value::as_object).map_or(u64::MAX, |p| p.len() as u64);
        if let Some(least) = out.get("minProperties").and_then(Value::as_u64).filter(|n| *n > visible) {
            out.insert("minProperties".to_owned(), Value::from(visible));
            let message = format!("`{at}` must have at least {least} fields, and {visible} of them are exposed");
            self.report.about(&codes::COUNT_LOWERED, at, message, "expose more of its fields".to_owned());
        }
    }

    /// A default that would lose something goes; a cut one would stop the source from applying its own (R3).
    fn default(&mut self, set: &PathSet, at: &FieldPath, out: &mut Map<String, Value>, pruned: &mut Pruned) {
        let Some(default) = out.get("default").cloned() else { return };
        let fits = || {
            let mut filled = default.clone();
            let here = Value::Object(out.clone());
            validate::fill_defaults(&here, &mut filled);
            validate::misfits(&here, &filled).is_empty()
        };
        if set.project(&default) == default && fits() {
            return;
        }
        out.remove("default");
        pruned.lost_default = true;
        let message = format!("the default of `{at}` goes: it sets fields that are hidden");
        let help = format!("expose `{at}` itself to keep it");
        self.report.about(&codes::DEFAULT_DROPPED, at, message, help);
    }

    fn rules(
        &mut self,
        source: &Value,
        at: &FieldPath,
        place: Place<'_>,
        out: &mut Map<String, Value>,
        pruned: &mut Pruned,
    ) {
        let Some(rules) = source.get("x-kubernetes-validations").and_then(Value::as_array) else { return };
        let costlier = place.unbounded && smaller(source, &Value::Object(out.clone()));
        let mut kept = Vec::new();
        for rule in rules {
            let text = rule.get("rule").and_then(Value::as_str).unwrap_or_default();
            let named = cel::mentions(text, &pruned.hidden);
            if !named.is_empty() || pruned.changed_type {
                let why = match named.is_empty() {
                    true => "its field is of another type now".to_owned(),
                    false => format!("it names {}, hidden or without a default", quoted(&named)),
                };
                let message = format!("`{at}`: the rule `{}` goes: {why}", one_line(text));
                self.report.about(&codes::RULE_DROPPED, at, message, None);
                continue;
            }
            if costlier || pruned.is_grown || !cel::mentions(text, &pruned.grown).is_empty() {
                let message = format!("`{at}`: the rule `{}` would cost more than before", one_line(text));
                self.report.about(&codes::RULE_TOO_COSTLY, at, message, None);
                continue;
            }
            let mut rule = rule.clone();
            for key in ["messageExpression", "fieldPath"] {
                let Some(expression) = rule.get(key).and_then(Value::as_str) else { continue };
                let named = cel::mentions(expression, &pruned.hidden);
                if !named.is_empty() {
                    let message =
                        format!("`{at}`: the {key} of the rule `{}` names {}", one_line(text), quoted(&named));
                    self.report.about(&codes::RULE_MESSAGE_DROPPED, at, message, None);
                    if let Some(map) = rule.as_object_mut() {
                        map.remove(key);
                    }
                }
            }
            kept.push(rule);
        }
        if kept.is_empty() {
            out.remove("x-kubernetes-validations");
        } else {
            out.insert("x-kubernetes-validations".to_owned(), Value::Array(kept));
        }
    }
}

impl Pruned {
    /// Takes over what a child's ancestors must know; `name` where the child is a property.
    fn absorb(&mut self, name: Option<&String>, child: &Pruned) {
        self.hidden.extend(child.hidden.iter().cloned());
        self.grown.extend(child.grown.iter().cloned());
        match name {
            Some(name) => {
                if child.lost_default || child.changed_type {
                    self.hidden.insert(name.clone());
                }
                if child.is_grown {
                    self.grown.insert(name.clone());
                }
            }
            None => {
                self.is_grown |= child.is_grown;
                self.changed_type |= child.changed_type;
            }
        }
    }
}

fn step<'p>(preset: Option<&'p PathSet>, segment: &Segment) -> Option<&'p PathSet> {
    preset?.children().find(|(s, _)| *s == segment).map(|(_, set)| set)
}

fn is_set(preset: Option<&PathSet>, name: &str) -> bool {
    step(preset, &Segment::Property(name.to_owned())).is_some()
}

/// Whether a property anywhere in the node's reach has a default.
fn has_default(node: &Value, name: &str) -> bool {
    schema::property(node, name).is_some_and(|p| p.get("default").is_some())
        || schema::properties(node).any(|(_, child)| has_default(child, name))
        || schema::items(node).is_some_and(|child| has_default(child, name))
}

fn smaller(source: &Value, pruned: &Value) -> bool {
    schema::least_size(pruned) < schema::least_size(source)
}

fn quoted(names: &[String]) -> String {
    names.iter().map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", ")
}

/// A rule's text on one line, and not too long a one.
fn one_line(text: &str) -> String {
    let joined = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match joined.char_indices().nth(100) {
        Some((cut, _)) => format!("{}…", &joined[..cut]),
        None => joined,
    }
}
