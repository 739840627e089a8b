//! What a change of a schema means: which values it took and takes no more.
//!
//! Breaking is what takes a field away: a value that was kept would be dropped or
//! refused whatever it is. Tightening is what some values do not survive. The
//! rules err towards the graver: a pattern that changed may be wider, but nobody
//! can tell.

use serde_json::Value;

use super::types::{Effect, Reason};
use crate::compile::derive::schema;
use crate::model::path::{FieldPath, Segment};
use crate::model::redact::names_credential;

/// Compares a version's schema at a node, and adds what is to be said.
pub fn compare(version: &str, old: &Value, new: &Value, at: &mut FieldPath, reasons: &mut Vec<Reason>) {
    let mut walk = Walk { version, reasons };
    walk.node(old, new, at);
}

/// Bounds, each with whether a greater number is the narrower one.
const BOUNDS: [(&str, bool); 8] = [
    ("minimum", true),
    ("maximum", false),
    ("minLength", true),
    ("maxLength", false),
    ("minItems", true),
    ("maxItems", false),
    ("minProperties", true),
    ("maxProperties", false),
];
/// What narrows by being there or by being another.
const EXACT: [&str; 3] = ["pattern", "format", "multipleOf"];
/// What narrows by being true.
const FLAGS: [(&str, &str); 4] = [
    ("exclusiveMinimum", "no longer takes its minimum"),
    ("exclusiveMaximum", "no longer takes its maximum"),
    ("uniqueItems", "takes each item once only"),
    ("x-kubernetes-embedded-resource", "has to be a whole object"),
];

struct Walk<'a> {
    version: &'a str,
    reasons: &'a mut Vec<Reason>,
}

impl Walk<'_> {
    fn say(&mut self, effect: Effect, at: &FieldPath, what: &str) {
        let path = at.to_string();
        // The root has no name of its own.
        let named = if path.is_empty() || path == "." { String::new() } else { format!(" {path}") };
        self.reasons.push(Reason { effect, text: format!("{}{named} {what}", self.version), path });
    }

    /// What of a schema is quoted. Below a credential nothing is: a default, or the one value of an enum, may be it.
    fn quoted(at: &FieldPath, what: impl FnOnce() -> String) -> Option<String> {
        let secret = |segment: &Segment| matches!(segment, Segment::Property(name) if names_credential(name));
        (!at.0.iter().any(secret)).then(what)
    }

    fn node(&mut self, old: &Value, new: &Value, at: &mut FieldPath) {
        let (was, is) = (schema::type_name(old), schema::type_name(new));
        let open = |node: &Value| schema::is_free_form(node) || schema::type_name(node).is_empty();
        if was != is {
            let (was, is) = (schema::describe(old), schema::describe(new));
            match wider(schema::type_name(old), schema::type_name(new)) {
                true => self.say(Effect::Safe, at, &format!("takes {is}, and was {was}")),
                false => {
                    self.say(Effect::Breaking, at, &format!("is {is}, and was {was}"));
                    return;
                }
            }
        }
        if open(old) && !open(new) && schema::values(new).is_none() && was == is {
            self.say(Effect::Breaking, at, "no longer takes fields that are not described");
        }
        self.values(old, new, at);
        self.properties(old, new, at, open(old), open(new));
        for (segment, before, after) in [
            (Segment::Items, schema::items(old), schema::items(new)),
            (Segment::Values, schema::values(old), schema::values(new)),
        ] {
            match (before, after) {
                (Some(before), Some(after)) => {
                    at.0.push(segment);
                    self.node(before, after, at);
                    at.0.pop();
                }
                (None, Some(after)) if open(old) => {
                    self.say(Effect::Tightening, at, &format!("takes {} only", schema::describe(after)));
                }
                (Some(_), None) if segment == Segment::Values && !open(new) => {
                    self.say(Effect::Breaking, at, "no longer takes keys of one's own");
                }
                _ => {}
            }
        }
    }

    fn properties(&mut self, old: &Value, new: &Value, at: &mut FieldPath, was_open: bool, is_open: bool) {
        let needs = |node: &Value, name: &str, property: &Value| {
            schema::required(node).any(|r| r == name) && property.get("default").is_none()
        };
        for (name, before) in schema::properties(old) {
            match schema::property(new, name) {
                Some(_) => {}
                None if is_open || schema::values(new).is_some() => {
                    self.say(Effect::Safe, &at.property(name), "is no longer described, and still kept");
                }
                None => {
                    self.say(Effect::Breaking, &at.property(name), &format!("({}) is gone", schema::describe(before)));
                }
            }
        }
        for (name, after) in schema::properties(new) {
            let here = at.property(name);
            let must = needs(new, name, after);
            let Some(before) = schema::property(old, name) else {
                let kind = schema::describe(after);
                match (must, was_open || schema::values(old).is_some()) {
                    (true, _) => self.say(Effect::Tightening, &here, &format!("({kind}) is new and required")),
                    (false, true) => self.say(Effect::Tightening, &here, &format!("takes {kind} only")),
                    (false, false) => self.say(Effect::Safe, &here, &format!("({kind}) is new")),
                }
                continue;
            };
            match (needs(old, name, before), must) {
                (false, true) => self.say(Effect::Tightening, &here, "is required"),
                (true, false) => self.say(Effect::Safe, &here, "is no longer required"),
                _ => {}
            }
            at.0.push(Segment::Property(name.clone()));
            self.node(before, after, at);
            at.0.pop();
        }
        // What is required and not described has to be there all the same.
        let undescribed = |name: &&str| schema::property(new, name).is_none();
        for name in schema::required(new).filter(undescribed) {
            if !schema::required(old).any(|r| r == name) {
                self.say(Effect::Tightening, &at.property(name), "is required");
            }
        }
    }

    /// What is said of the node's own values.
    fn values(&mut self, old: &Value, new: &Value, at: &FieldPath) {
        if schema::flag(old, "nullable") && !schema::flag(new, "nullable") {
            self.say(Effect::Tightening, at, "may no longer be null");
        }
        self.enumeration(old, new, at);
        for (key, greater_is_narrower) in BOUNDS {
            let number = |node: &Value| node.get(key).and_then(Value::as_f64);
            match (number(old), number(new)) {
                (None, Some(bound)) => self.say(Effect::Tightening, at, &format!("has a {key}: {bound}")),
                (Some(was), Some(is)) if (is > was) == greater_is_narrower && differ(is, was) => {
                    self.say(Effect::Tightening, at, &format!("has the {key} {is}, and had {was}"));
                }
                (Some(was), Some(is)) if differ(is, was) => {
                    self.say(Effect::Safe, at, &format!("has the {key} {is}, and had {was}"));
                }
                (Some(_), None) => self.say(Effect::Safe, at, &format!("has no {key} any more")),
                _ => {}
            }
        }
        for key in EXACT {
            match (old.get(key), new.get(key)) {
                (was, Some(is)) if !was.is_some_and(|was| super::compare::equal(was, is)) => {
                    let what = if was.is_some() { "another" } else { "a" };
                    let is = Self::quoted(at, || format!(": {}", short(is))).unwrap_or_default();
                    self.say(Effect::Tightening, at, &format!("has {what} {key}{is}"));
                }
                (Some(_), None) => self.say(Effect::Safe, at, &format!("has no {key} any more")),
                _ => {}
            }
        }
        for (key, what) in FLAGS {
            if schema::flag(new, key) && !schema::flag(old, key) {
                self.say(Effect::Tightening, at, what);
            }
        }
        let (was, is) = (schema::list_type(old), schema::list_type(new));
        let keys = |node: &Value| schema::list_map_keys(node).map(str::to_owned).collect::<Vec<_>>();
        if schema::type_name(new) == "array" && is != "atomic" && (was != is || keys(old) != keys(new)) {
            self.say(Effect::Tightening, at, &format!("is a list of type {is} now, whose items must differ"));
        }
        self.rules(old, new, at);
        match (old.get("default"), new.get("default")) {
            (Some(_), None) => self.say(Effect::Safe, at, "has no default any more"),
            (None, Some(_)) => self.say(Effect::Safe, at, "has a default"),
            (Some(was), Some(is)) if was != is => self.say(Effect::Safe, at, "has another default"),
            _ => {}
        }
    }

    fn enumeration(&mut self, old: &Value, new: &Value, at: &FieldPath) {
        let list = |node: &Value| node.get("enum").and_then(Value::as_array).cloned();
        match (list(old), list(new)) {
            (None, Some(is)) => {
                let is = Self::quoted(at, || joined(&is)).unwrap_or_else(|| "some values".to_owned());
                self.say(Effect::Tightening, at, &format!("takes {is} only"));
            }
            (Some(was), Some(is)) => {
                let gone: Vec<Value> = was.iter().filter(|v| !is.contains(v)).cloned().collect();
                let come: Vec<Value> = is.iter().filter(|v| !was.contains(v)).cloned().collect();
                if !gone.is_empty() {
                    let gone = Self::quoted(at, || joined(&gone)).unwrap_or_else(|| "some values".to_owned());
                    self.say(Effect::Tightening, at, &format!("no longer takes {gone}"));
                }
                if !come.is_empty() {
                    let come = Self::quoted(at, || joined(&come)).unwrap_or_else(|| "other values".to_owned());
                    self.say(Effect::Safe, at, &format!("also takes {come}"));
                }
            }
            (Some(_), None) => self.say(Effect::Safe, at, "takes any value"),
            (None, None) => {}
        }
    }

    /// CEL rules by their text, and junctors as a whole.
    fn rules(&mut self, old: &Value, new: &Value, at: &FieldPath) {
        let rules = |node: &'_ Value| -> Vec<String> {
            let list = node.get("x-kubernetes-validations").and_then(Value::as_array).into_iter().flatten();
            list.filter_map(|r| r.get("rule")?.as_str().map(str::to_owned)).collect()
        };
        let (was, is) = (rules(old), rules(new));
        for rule in is.iter().filter(|rule| !was.contains(rule)) {
            let rule = Self::quoted(at, || format!(": {}", cut(rule))).unwrap_or_default();
            self.say(Effect::Tightening, at, &format!("has a new rule{rule}"));
        }
        for rule in was.iter().filter(|rule| !is.contains(rule)) {
            let rule = Self::quoted(at, || format!(": {}", cut(rule))).unwrap_or_default();
            self.say(Effect::Safe, at, &format!("has a rule less{rule}"));
        }
        for junctor in schema::JUNCTORS {
            match (old.get(junctor), new.get(junctor)) {
                (was, Some(is)) if was != Some(is) => {
                    let what = if was.is_some() { "another" } else { "an" };
                    self.say(Effect::Tightening, at, &format!("has {what} `{junctor}`"));
                }
                (Some(_), None) => self.say(Effect::Safe, at, &format!("has no `{junctor}` any more")),
                _ => {}
            }
        }
    }
}

/// Whether a type takes all that another one took.
fn wider(was: &str, is: &str) -> bool {
    matches!((was, is), (_, "") | ("integer", "number" | "int-or-string") | ("string", "int-or-string"))
}

/// Whether bounds are two: they are numbers of a schema, never the result of reckoning.
fn differ(a: f64, b: f64) -> bool {
    a.total_cmp(&b).is_ne()
}

fn short(value: &Value) -> String {
    match value {
        Value::String(text) => cut(text),
        other => cut(&other.to_string()),
    }
}

/// The longest text of a schema that is quoted whole, in characters.
const LONGEST: usize = 80;

fn cut(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("`{}…`", &text[..at]),
        None => format!("`{text}`"),
    }
}

fn joined(values: &[Value]) -> String {
    let shown: Vec<String> = values.iter().take(10).map(short).collect();
    let more = values.len().saturating_sub(shown.len());
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{more}", shown.join(", "))
}

#[cfg(test)]
#[allow(clippy::needless_pass_by_value, reason = "`json!` is written where it is used")]
mod tests {
    use super::*;
    use Effect::{Breaking, Safe, Tightening};
    use serde_json::json;

    /// What is said of a field `.a` whose schema changes, with what stands beside it.
    fn said(old: Value, new: Value) -> Vec<(Effect, String)> {
        let root = |a: Value| json!({"type": "object", "properties": {"a": a}});
        whole(root(old), root(new))
    }

    fn whole(old: Value, new: Value) -> Vec<(Effect, String)> {
        let mut reasons = Vec::new();
        compare("v1", &old, &new, &mut FieldPath::default(), &mut reasons);
        for reason in &reasons {
            assert!(reason.path.is_empty() || reason.text.contains(&reason.path), "{reason:?}");
        }
        reasons.into_iter().map(|r| (r.effect, r.text)).collect()
    }

    fn one(effect: Effect, text: &str) -> Vec<(Effect, String)> {
        vec![(effect, text.to_owned())]
    }

    #[test]
    fn a_field_that_goes_breaks() {
        let (string, object) = (json!({"type": "string"}), |p: Value| json!({"type": "object", "properties": p}));
        assert_eq!(whole(object(json!({"a": string})), object(json!({}))), one(Breaking, "v1 .a (string) is gone"));
        assert_eq!(whole(object(json!({})), object(json!({"a": string}))), one(Safe, "v1 .a (string) is new"));
        let required = json!({"type": "object", "properties": {"a": string}, "required": ["a"]});
        assert_eq!(whole(object(json!({})), required.clone()), one(Tightening, "v1 .a (string) is new and required"));
        assert_eq!(whole(object(json!({"a": string})), required.clone()), one(Tightening, "v1 .a is required"));
        assert_eq!(whole(required.clone(), object(json!({"a": string}))), one(Safe, "v1 .a is no longer required"));
        let defaulted =
            json!({"type": "object", "required": ["a"], "properties": {"a": {"type": "string", "default": "x"}}});
        assert_eq!(whole(object(json!({})), defaulted.clone()), one(Safe, "v1 .a (string) is new"));
        let lost = [(Tightening, "v1 .a is required".to_owned()), (Safe, "v1 .a has no default any more".to_owned())];
        assert_eq!(whole(defaulted, required), lost);
    }

    #[test]
    fn another_type_breaks_unless_it_takes_all_that_the_old_one_took() {
        let kind = |t: &str| json!({"type": t});
        assert_eq!(said(kind("integer"), kind("string")), one(Breaking, "v1 .a is string, and was integer"));
        assert_eq!(said(kind("integer"), kind("number")), one(Safe, "v1 .a takes number, and was integer"));
        assert_eq!(said(kind("number"), kind("integer")), one(Breaking, "v1 .a is integer, and was number"));
        let either = json!({"x-kubernetes-int-or-string": true});
        assert_eq!(said(kind("integer"), either.clone()), one(Safe, "v1 .a takes int-or-string, and was integer"));
        assert_eq!(said(either, kind("integer")), one(Breaking, "v1 .a is integer, and was int-or-string"));
        let list = |t: &str| json!({"type": "array", "items": {"type": t}});
        assert_eq!(said(list("string"), list("integer")), one(Breaking, "v1 .a[] is integer, and was string"));
    }

    #[test]
    fn what_takes_anything_and_no_longer_does_breaks() {
        let open = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
        let closed = json!({"type": "object", "properties": {"x": {"type": "string"}}});
        assert_eq!(
            said(open.clone(), closed.clone()),
            [
                (Breaking, "v1 .a no longer takes fields that are not described".to_owned()),
                (Tightening, "v1 .a.x takes string only".to_owned())
            ]
        );
        assert_eq!(said(closed.clone(), open), one(Safe, "v1 .a.x is no longer described, and still kept"));
        let map = |t: &str| json!({"type": "object", "additionalProperties": {"type": t}});
        assert_eq!(said(map("string"), map("integer")), one(Breaking, "v1 .a.* is integer, and was string"));
        let any = json!({"type": "object", "additionalProperties": true});
        assert_eq!(said(any, map("string")), one(Tightening, "v1 .a takes string only"));
        let lost = [
            (Tightening, "v1 .a.x takes string only".to_owned()),
            (Breaking, "v1 .a no longer takes keys of one's own".to_owned()),
        ];
        assert_eq!(said(map("string"), closed), lost);
    }

    #[test]
    fn narrower_values_tighten_and_wider_ones_are_safe() {
        let number = |more: Value| {
            let mut node = json!({"type": "number"});
            node.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            node
        };
        let said = |old: Value, new: Value| said(number(old), number(new));
        assert_eq!(said(json!({}), json!({"minimum": 1})), one(Tightening, "v1 .a has a minimum: 1"));
        assert_eq!(
            said(json!({"minimum": 1}), json!({"minimum": 2})),
            one(Tightening, "v1 .a has the minimum 2, and had 1")
        );
        assert_eq!(
            said(json!({"minimum": 2}), json!({"minimum": 1.0})),
            one(Safe, "v1 .a has the minimum 1, and had 2")
        );
        assert_eq!(said(json!({"minimum": 1}), json!({"minimum": 1.0})), []);
        assert_eq!(
            said(json!({"maxLength": 9}), json!({"maxLength": 8})),
            one(Tightening, "v1 .a has the maxLength 8, and had 9")
        );
        assert_eq!(said(json!({"maxItems": 9}), json!({})), one(Safe, "v1 .a has no maxItems any more"));
        assert_eq!(said(json!({}), json!({"pattern": "^a"})), one(Tightening, "v1 .a has a pattern: `^a`"));
        assert_eq!(
            said(json!({"pattern": "a"}), json!({"pattern": "b"})),
            one(Tightening, "v1 .a has another pattern: `b`")
        );
        assert_eq!(said(json!({"nullable": true}), json!({})), one(Tightening, "v1 .a may no longer be null"));
        assert_eq!(
            said(json!({"enum": ["x", "y"]}), json!({"enum": ["y", 1]})),
            [(Tightening, "v1 .a no longer takes `x`".to_owned()), (Safe, "v1 .a also takes `1`".to_owned()),]
        );
        assert_eq!(said(json!({}), json!({"enum": ["y"]})), one(Tightening, "v1 .a takes `y` only"));
        assert_eq!(
            said(json!({}), json!({"exclusiveMinimum": true})),
            one(Tightening, "v1 .a no longer takes its minimum")
        );
        assert_eq!(said(json!({"description": "a"}), json!({"description": "b"})), []);
    }

    #[test]
    fn of_a_credential_nothing_is_quoted() {
        let root = |leaf: Value| json!({"type": "object", "properties": {"password": {"type": "object", "properties": {"text": leaf}}}});
        let leaf = |text: &str| {
            json!({"type": "string", "enum": [text], "pattern": text, "default": text,
                "x-kubernetes-validations": [{"rule": text}]})
        };
        for (old, new) in [(leaf("hunter2"), leaf("hunter3")), (json!({"type": "string"}), leaf("hunter2"))] {
            let said = whole(root(old), root(new));
            assert!(said.len() >= 4 && !format!("{said:?}").contains("hunter"), "{said:?}");
        }
    }

    #[test]
    fn a_new_rule_tightens() {
        let rule = |rule: &str, message: &str| json!({"type": "object", "x-kubernetes-validations": [{"rule": rule, "message": message}]});
        assert_eq!(said(rule("self.x", "a"), rule("self.x", "b")), []);
        assert_eq!(
            said(rule("self.x", "a"), rule("self.y", "a")),
            [
                (Tightening, "v1 .a has a new rule: `self.y`".to_owned()),
                (Safe, "v1 .a has a rule less: `self.x`".to_owned()),
            ]
        );
        let any = |of: Value| json!({"type": "object", "anyOf": of});
        assert_eq!(
            said(any(json!([{"required": ["a"]}])), any(json!([{"required": ["b"]}]))),
            one(Tightening, "v1 .a has another `anyOf`")
        );
        let set = json!({"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"});
        let atomic = json!({"type": "array", "items": {"type": "string"}});
        assert_eq!(said(atomic, set), one(Tightening, "v1 .a is a list of type set now, whose items must differ"));
    }
}
