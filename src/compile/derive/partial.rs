//! The keywords of a node of which only a part is visible (`derivation.md` R3–R8):
//! lists, unions, counts, defaults, rules.
//!
//! The internal CRD and the service cluster still enforce everything. So a dropped validation only moves an error to a
//! later place, while a validation that names hidden fields breaks the CRD. When unsure, drop it with a warning; when it
//! is unsure whether a field is exposed, hide it.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::exposure::Report;
use super::junctor::{self, Verdict};
use super::node::{Node, Pruned, smaller};
use crate::compile::{cel, schema, values};
use crate::model::codes::derivation as codes;
use crate::model::path::{Exposed, FieldPath, PathSet};

/// A partial node whose children are pruned already.
pub(super) struct Partial<'a, 'r> {
    /// Collects the diagnostics.
    pub report: &'a mut Report<'r>,
    /// The node in the base CRD.
    pub node: Node<'a>,
    /// Its path.
    pub at: &'a FieldPath,
}

impl Partial<'_, '_> {
    /// Removes from `out`, a copy of the node with pruned children, the keywords that do not hold for the visible part.
    pub(super) fn settle(mut self, out: &mut Map<String, Value>, pruned: &mut Pruned) {
        self.replaced_as_a_whole(out, pruned);
        self.preserve(out);
        self.junctors(out);
        self.counts(out);
        self.default(out, pruned);
        self.rules(out, pruned);
    }

    /// Reports lists and objects that a write replaces, and makes sets atomic whose items may become equal (R7).
    fn replaced_as_a_whole(&mut self, out: &mut Map<String, Value>, pruned: &mut Pruned) {
        let at = self.at;
        let source = self.node.source;
        let list = schema::type_name(source) == "array";
        if list && schema::list_type(source) == "set" {
            out.remove("x-kubernetes-list-type");
            pruned.changed_type = true;
            let message = format!("`{at}` is a set whose items are exposed in part, so items may look the same");
            let help = format!("expose `{at}` itself to keep it a set");
            self.report.about(&codes::SET_MADE_ATOMIC, at, message, help);
            return;
        }
        if schema::is_atomic(source) && !self.node.replaced && !self.node.in_status {
            let within = if list { "in its items" } else { "in it" };
            let message = format!("`{at}` is replaced as a whole at every change, with what is hidden {within}");
            self.report.about(&codes::ATOMIC_LIST, at, message, format!("expose `{at}` itself to avoid it"));
        }
    }

    /// A partial node must not keep unknown fields: the hidden ones would stay settable (R8).
    fn preserve(&mut self, out: &mut Map<String, Value>) {
        if !schema::is_free_form(self.node.source) {
            return;
        }
        out.remove("x-kubernetes-preserve-unknown-fields");
        if out.get("additionalProperties").is_some_and(Value::is_boolean) {
            out.remove("additionalProperties");
        }
        out.entry("type").or_insert_with(|| Value::from("object"));
        let at = self.at;
        let message = format!("`{at}` may hold anything in the CRD, and only what is exposed in the derived one");
        self.report.about(&codes::PRESERVE_DROPPED, at, message, None);
    }

    /// Unions and their like, simplified under "hidden is absent" (R5).
    fn junctors(&mut self, out: &mut Map<String, Value>) {
        let at = self.at;
        for key in schema::JUNCTORS {
            let Some(value) = self.node.source.get(key) else { continue };
            let mut hidden = BTreeSet::new();
            let whole = json!({ key: value });
            junctor::hidden_paths(&whole, self.node.set, &mut FieldPath::default(), &mut hidden);
            // In a status the hidden fields are there, in a spec they are not, unless something sets them.
            let filled = self.node.in_status && !hidden.is_empty() || hidden.iter().any(|p| self.is_filled(p));
            let verdict = if filled { Verdict::Unclear } else { junctor::junctor(key, value, self.node.set) };
            let hidden: Vec<FieldPath> =
                hidden.into_iter().map(|p| FieldPath(at.0.iter().chain(&p.0).cloned().collect())).collect();
            let names = hidden.iter().map(|p| format!("`{p}`")).collect::<Vec<_>>().join(", ");
            match verdict {
                Verdict::Says(value) => {
                    out.insert(key.to_owned(), value);
                }
                Verdict::True => {
                    out.remove(key);
                }
                Verdict::False => {
                    out.remove(key);
                    let message = format!("`{at}`: `{key}` requires hidden fields: {names}");
                    let help = hidden.first().map(|first| match hidden.len() {
                        1 => format!("add `- jsonPath: {first}` to `fields`, or preset it"),
                        _ => format!("add one of them to `fields`, such as `- jsonPath: {first}`, or preset it"),
                    });
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

    /// Whether a preset or a default of the CRD sets a hidden field below this node.
    fn is_filled(&self, below: &FieldPath) -> bool {
        let defaulted = schema::at(self.node.source, below.segments()).is_some_and(|n| n.get("default").is_some());
        defaulted || self.node.preset.is_some_and(|p| p.shows(below))
    }

    /// Lowers `minProperties` to the number of visible fields: a higher one could never be met (R6).
    fn counts(&mut self, out: &mut Map<String, Value>) {
        if self.node.in_status {
            // A part of a status may have fewer fields than the whole.
            out.remove("minProperties");
            return;
        }
        let Some(fields) = out.get("properties").and_then(Value::as_object) else { return };
        let visible = fields.len() as u64;
        let Some(least) = out.get("minProperties").and_then(Value::as_u64).filter(|n| *n > visible) else { return };
        out.insert("minProperties".to_owned(), Value::from(visible));
        let hidden = |name: &&String| self.node.set.property(name) == Exposed::Hidden;
        let candidates: Vec<&String> = schema::properties(self.node.source).map(|(n, _)| n).filter(hidden).collect();
        let filled = candidates.iter().filter(|n| self.is_filled(&FieldPath::default().property(n))).count() as u64;
        let at = self.at;
        let message = format!("`{at}` must have at least {least} fields, of which only {visible} can be seen");
        let help =
            candidates.first().map(|n| format!("add more of its fields, such as `- jsonPath: {}`", at.property(n)));
        match visible + filled < least {
            true => self.report.about(&codes::UNFULFILLABLE, at, format!("{message}, and nothing sets others"), help),
            false => self.report.about(&codes::COUNT_LOWERED, at, message, help),
        }
    }

    /// Drops a default that sets hidden fields. A cut one would stop the source from applying its own (R3).
    fn default(&mut self, out: &mut Map<String, Value>, pruned: &mut Pruned) {
        let Some(default) = out.get("default").cloned() else { return };
        // What only a server can judge, one has judged in the CRD.
        let fits = || values::judge(&Value::Object(out.clone()), &default).violations.is_empty();
        let visible: &PathSet = self.node.set;
        let why = match visible.project(&default) == default {
            true if fits() => return,
            true => "it is not valid without fields that are hidden",
            false => "it sets fields that are hidden",
        };
        out.remove("default");
        pruned.lost_default = true;
        let at = self.at;
        let message = format!("the default of `{at}` is dropped: {why}");
        self.report.about(&codes::DEFAULT_DROPPED, at, message, format!("expose `{at}` itself to keep it"));
    }

    /// Drops rules that name hidden fields, which do not compile, and rules whose estimated cost rises (R4).
    fn rules(&mut self, out: &mut Map<String, Value>, pruned: &Pruned) {
        let Some(rules) = self.node.source.get("x-kubernetes-validations").and_then(Value::as_array) else { return };
        let at = self.at;
        let costlier = self.node.unbounded && smaller(self.node.source, &Value::Object(out.clone()));
        let mut kept = Vec::new();
        for rule in rules {
            let text = rule.get("rule").and_then(Value::as_str).unwrap_or_default();
            let read = cel::reads(text, &pruned.hidden);
            let grown = cel::selects(text, &pruned.grown);
            let why = match (&read, &grown) {
                (Ok(read), _) if !read.is_empty() => Some(names(read)),
                _ if pruned.changed_type => Some("its field is of another type now".to_owned()),
                (Err(unparsed), _) | (_, Err(unparsed)) => Some(unparsed.to_string()),
                _ => None,
            };
            if let Some(why) = why {
                let message = format!("`{at}`: the rule `{}` is dropped: {why}", cel::one_line(text));
                self.report.about(&codes::RULE_DROPPED, at, message, None);
                continue;
            }
            if costlier || pruned.is_grown || grown.is_ok_and(|grown| !grown.is_empty()) {
                let message =
                    format!("`{at}`: the rule `{}` is dropped: it would cost more than before", cel::one_line(text));
                self.report.about(&codes::RULE_TOO_COSTLY, at, message, None);
                continue;
            }
            kept.push(self.rule(rule, text, pruned));
        }
        if kept.is_empty() {
            out.remove("x-kubernetes-validations");
        } else {
            out.insert("x-kubernetes-validations".to_owned(), Value::Array(kept));
        }
    }

    /// A rule that is kept, without a message expression or a field path that names hidden fields.
    fn rule(&mut self, rule: &Value, text: &str, pruned: &Pruned) -> Value {
        let mut rule = rule.clone();
        for key in ["messageExpression", "fieldPath"] {
            let Some(expression) = rule.get(key).and_then(Value::as_str) else { continue };
            let read = match key {
                "fieldPath" => cel::leads_through(expression, &pruned.hidden),
                _ => cel::reads(expression, &pruned.hidden).and_then(|mut read| {
                    read.extend(cel::selects(expression, &pruned.grown)?);
                    Ok(read)
                }),
            };
            let why = match read {
                Ok(read) if read.is_empty() => None,
                Ok(read) => Some(names(&read)),
                Err(unparsed) => Some(unparsed.to_string()),
            };
            if let Some(why) = why {
                let at = self.at;
                let message = format!("`{at}`: the {key} of the rule `{}` is dropped: {why}", cel::one_line(text));
                self.report.about(&codes::RULE_MESSAGE_DROPPED, at, message, None);
                if let Some(map) = rule.as_object_mut() {
                    map.remove(key);
                }
            }
        }
        rule
    }
}

/// Why a rule is dropped that reads these fields.
fn names(read: &[String]) -> String {
    let quoted = read.iter().map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", ");
    format!("it names {quoted}, hidden or not certain to be there")
}
