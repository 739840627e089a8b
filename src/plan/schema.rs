//! The effects of a change of a schema: which values it no longer accepts.
//!
//! A change is breaking if it removes a field, so that every value of it would be
//! dropped or rejected. It is tightening if some values are no longer valid. If the
//! comparison cannot tell, the change counts as tightening: a different pattern may
//! accept more values than before, or fewer.

use serde_json::Value;

use super::types::{Effect, Reason};
use crate::compile::derive::schema;
use crate::model::path::{FieldPath, Segment};
use crate::model::redact::names_credential;

/// Compares the schemas of a version at a node and everything below it, and adds the effects to `reasons`.
/// `version` begins each text; `at` is the path of the node.
pub(crate) fn compare(version: &str, old: &Value, new: &Value, at: &mut FieldPath, reasons: &mut Vec<Reason>) {
    let mut walk = Walk { version, reasons };
    walk.node(old, new, at);
}

/// The bounds, and whether a greater number accepts fewer values.
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
/// Keywords that accept fewer values if they are added or changed.
const EXACT: [&str; 3] = ["pattern", "format", "multipleOf"];
/// Flags that accept fewer values if they are set, and the text for that.
const FLAGS: [(&str, &str); 4] = [
    ("exclusiveMinimum", "no longer accepts the minimum itself"),
    ("exclusiveMaximum", "no longer accepts the maximum itself"),
    ("uniqueItems", "accepts each item only once"),
    ("x-kubernetes-embedded-resource", "must be a complete Kubernetes object"),
];

struct Walk<'a> {
    version: &'a str,
    reasons: &'a mut Vec<Reason>,
}

impl Walk<'_> {
    fn add(&mut self, effect: Effect, at: &FieldPath, what: &str) {
        let path = at.to_string();
        // The path of the root is not shown.
        let named = if path.is_empty() || path == "." { String::new() } else { format!(" {path}") };
        self.reasons.push(Reason { effect, text: format!("{}{named} {what}", self.version), path });
    }

    /// A quotation from the schema; `None` at or below a credential, whose default or single enum value may be the
    /// secret.
    fn quoted(at: &FieldPath, what: impl FnOnce() -> String) -> Option<String> {
        let secret = |segment: &Segment| matches!(segment, Segment::Property(name) if names_credential(name));
        (!at.0.iter().any(secret)).then(what)
    }

    fn node(&mut self, old: &Value, new: &Value, at: &mut FieldPath) {
        let (was, is) = (schema::type_name(old), schema::type_name(new));
        let open = |node: &Value| schema::is_free_form(node) || schema::type_name(node).is_empty();
        if was != is {
            let (was, is) = (schema::describe(old), schema::describe(new));
            match is_wider(schema::type_name(old), schema::type_name(new)) {
                true => self.add(
                    Effect::Safe,
                    at,
                    &format!("changes type from {was} to {is}, which accepts all old values"),
                ),
                false => {
                    self.add(Effect::Breaking, at, &format!("changes type from {was} to {is}"));
                    return;
                }
            }
        }
        if open(old) && !open(new) && schema::values(new).is_none() && was == is {
            self.add(Effect::Breaking, at, "no longer accepts fields that are not in the schema");
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
                    self.add(Effect::Tightening, at, &format!("accepts only {}", schema::describe(after)));
                }
                (Some(_), None) if segment == Segment::Values && !open(new) => {
                    self.add(Effect::Breaking, at, "no longer accepts arbitrary keys");
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
                    self.add(Effect::Safe, &at.property(name), "is no longer in the schema, but its values are kept");
                }
                None => {
                    self.add(
                        Effect::Breaking,
                        &at.property(name),
                        &format!("({}) is removed", schema::describe(before)),
                    );
                }
            }
        }
        for (name, after) in schema::properties(new) {
            let here = at.property(name);
            let must = needs(new, name, after);
            let Some(before) = schema::property(old, name) else {
                let kind = schema::describe(after);
                match (must, was_open || schema::values(old).is_some()) {
                    (true, _) => self.add(Effect::Tightening, &here, &format!("({kind}) is new and required")),
                    (false, true) => self.add(Effect::Tightening, &here, &format!("accepts only {kind}")),
                    (false, false) => self.add(Effect::Safe, &here, &format!("({kind}) is new")),
                }
                continue;
            };
            match (needs(old, name, before), must) {
                (false, true) => self.add(Effect::Tightening, &here, "becomes required"),
                (true, false) => self.add(Effect::Safe, &here, "is no longer required"),
                _ => {}
            }
            at.0.push(Segment::Property(name.clone()));
            self.node(before, after, at);
            at.0.pop();
        }
        // A field can be required without being among the properties.
        let undescribed = |name: &&str| schema::property(new, name).is_none();
        for name in schema::required(new).filter(undescribed) {
            if !schema::required(old).any(|r| r == name) {
                self.add(Effect::Tightening, &at.property(name), "becomes required");
            }
        }
    }

    /// Compares the keywords of the node itself, apart from its type and its children.
    fn values(&mut self, old: &Value, new: &Value, at: &FieldPath) {
        if schema::flag(old, "nullable") && !schema::flag(new, "nullable") {
            self.add(Effect::Tightening, at, "may no longer be null");
        }
        self.enumeration(old, new, at);
        for (key, greater_is_narrower) in BOUNDS {
            let number = |node: &Value| node.get(key).and_then(Value::as_f64);
            match (number(old), number(new)) {
                (None, Some(bound)) => self.add(Effect::Tightening, at, &format!("has a new {key}: {bound}")),
                (Some(was), Some(is)) if (is > was) == greater_is_narrower && differ(is, was) => {
                    self.add(Effect::Tightening, at, &format!("has the {key} {is} instead of {was}"));
                }
                (Some(was), Some(is)) if differ(is, was) => {
                    self.add(Effect::Safe, at, &format!("has the {key} {is} instead of {was}"));
                }
                (Some(_), None) => self.add(Effect::Safe, at, &format!("no longer has a {key}")),
                _ => {}
            }
        }
        for key in EXACT {
            match (old.get(key), new.get(key)) {
                (was, Some(is)) if !was.is_some_and(|was| super::compare::equal(was, is)) => {
                    let what = if was.is_some() { "different" } else { "new" };
                    let is = Self::quoted(at, || format!(": {}", short(is))).unwrap_or_default();
                    self.add(Effect::Tightening, at, &format!("has a {what} {key}{is}"));
                }
                (Some(_), None) => self.add(Effect::Safe, at, &format!("no longer has a {key}")),
                _ => {}
            }
        }
        for (key, what) in FLAGS {
            if schema::flag(new, key) && !schema::flag(old, key) {
                self.add(Effect::Tightening, at, what);
            }
        }
        let (was, is) = (schema::list_type(old), schema::list_type(new));
        let keys = |node: &Value| schema::list_map_keys(node).map(str::to_owned).collect::<Vec<_>>();
        if schema::type_name(new) == "array" && is != "atomic" && (was != is || keys(old) != keys(new)) {
            self.add(Effect::Tightening, at, &format!("is now a list of type {is}, whose items must be unique"));
        }
        self.rules(old, new, at);
        match (old.get("default"), new.get("default")) {
            (Some(_), None) => self.add(Effect::Safe, at, "no longer has a default"),
            (None, Some(_)) => self.add(Effect::Safe, at, "has a new default"),
            (Some(was), Some(is)) if was != is => self.add(Effect::Safe, at, "has a different default"),
            _ => {}
        }
    }

    fn enumeration(&mut self, old: &Value, new: &Value, at: &FieldPath) {
        let list = |node: &Value| node.get("enum").and_then(Value::as_array).cloned();
        match (list(old), list(new)) {
            (None, Some(is)) => {
                let is = Self::quoted(at, || joined(&is)).unwrap_or_else(|| "some values".to_owned());
                self.add(Effect::Tightening, at, &format!("accepts only {is}"));
            }
            (Some(was), Some(is)) => {
                let gone: Vec<Value> = was.iter().filter(|v| !is.contains(v)).cloned().collect();
                let come: Vec<Value> = is.iter().filter(|v| !was.contains(v)).cloned().collect();
                if !gone.is_empty() {
                    let gone = Self::quoted(at, || joined(&gone)).unwrap_or_else(|| "some values".to_owned());
                    self.add(Effect::Tightening, at, &format!("no longer accepts {gone}"));
                }
                if !come.is_empty() {
                    let come = Self::quoted(at, || joined(&come)).unwrap_or_else(|| "other values".to_owned());
                    self.add(Effect::Safe, at, &format!("also accepts {come}"));
                }
            }
            (Some(_), None) => self.add(Effect::Safe, at, "accepts any value"),
            (None, None) => {}
        }
    }

    /// Compares CEL rules by their text, and junctors such as `anyOf` as a whole.
    fn rules(&mut self, old: &Value, new: &Value, at: &FieldPath) {
        let rules = |node: &'_ Value| -> Vec<String> {
            let list = node.get("x-kubernetes-validations").and_then(Value::as_array).into_iter().flatten();
            list.filter_map(|r| r.get("rule")?.as_str().map(str::to_owned)).collect()
        };
        let (was, is) = (rules(old), rules(new));
        for rule in is.iter().filter(|rule| !was.contains(rule)) {
            let rule = Self::quoted(at, || format!(": {}", cut(rule))).unwrap_or_default();
            self.add(Effect::Tightening, at, &format!("has a new rule{rule}"));
        }
        for rule in was.iter().filter(|rule| !is.contains(rule)) {
            let rule = Self::quoted(at, || format!(": {}", cut(rule))).unwrap_or_default();
            self.add(Effect::Safe, at, &format!("no longer has the rule{rule}"));
        }
        for junctor in schema::JUNCTORS {
            match (old.get(junctor), new.get(junctor)) {
                (was, Some(is)) if was != Some(is) => {
                    let what = if was.is_some() { "different" } else { "new" };
                    self.add(Effect::Tightening, at, &format!("has a {what} `{junctor}`"));
                }
                (Some(_), None) => self.add(Effect::Safe, at, &format!("no longer has `{junctor}`")),
                _ => {}
            }
        }
    }
}

/// Whether the type `is` accepts every value of the type `was`.
fn is_wider(was: &str, is: &str) -> bool {
    matches!((was, is), (_, "") | ("integer", "number" | "int-or-string") | ("string", "int-or-string"))
}

/// Whether two bounds differ. Exact comparison is right, because they are read and not computed.
fn differ(a: f64, b: f64) -> bool {
    a.total_cmp(&b).is_ne()
}

fn short(value: &Value) -> String {
    match value {
        Value::String(text) => cut(text),
        other => cut(&other.to_string()),
    }
}

/// Longer quotations from a schema are cut, in characters.
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

    /// The effects of a change of the schema of a field `.a`.
    fn of_field(old: Value, new: Value) -> Vec<(Effect, String)> {
        let root = |a: Value| json!({"type": "object", "properties": {"a": a}});
        of_root(root(old), root(new))
    }

    fn of_root(old: Value, new: Value) -> Vec<(Effect, String)> {
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
    fn the_removal_of_a_field_is_breaking() {
        let (string, object) = (json!({"type": "string"}), |p: Value| json!({"type": "object", "properties": p}));
        assert_eq!(
            of_root(object(json!({"a": string})), object(json!({}))),
            one(Breaking, "v1 .a (string) is removed")
        );
        assert_eq!(of_root(object(json!({})), object(json!({"a": string}))), one(Safe, "v1 .a (string) is new"));
        let required = json!({"type": "object", "properties": {"a": string}, "required": ["a"]});
        assert_eq!(of_root(object(json!({})), required.clone()), one(Tightening, "v1 .a (string) is new and required"));
        assert_eq!(of_root(object(json!({"a": string})), required.clone()), one(Tightening, "v1 .a becomes required"));
        assert_eq!(of_root(required.clone(), object(json!({"a": string}))), one(Safe, "v1 .a is no longer required"));
        let defaulted =
            json!({"type": "object", "required": ["a"], "properties": {"a": {"type": "string", "default": "x"}}});
        assert_eq!(of_root(object(json!({})), defaulted.clone()), one(Safe, "v1 .a (string) is new"));
        let lost =
            [(Tightening, "v1 .a becomes required".to_owned()), (Safe, "v1 .a no longer has a default".to_owned())];
        assert_eq!(of_root(defaulted, required), lost);
    }

    #[test]
    fn a_change_of_type_is_breaking_unless_all_old_values_stay_valid() {
        let kind = |t: &str| json!({"type": t});
        assert_eq!(
            of_field(kind("integer"), kind("string")),
            one(Breaking, "v1 .a changes type from integer to string")
        );
        assert_eq!(
            of_field(kind("integer"), kind("number")),
            one(Safe, "v1 .a changes type from integer to number, which accepts all old values")
        );
        assert_eq!(
            of_field(kind("number"), kind("integer")),
            one(Breaking, "v1 .a changes type from number to integer")
        );
        let either = json!({"x-kubernetes-int-or-string": true});
        assert_eq!(
            of_field(kind("integer"), either.clone()),
            one(Safe, "v1 .a changes type from integer to int-or-string, which accepts all old values")
        );
        assert_eq!(
            of_field(either, kind("integer")),
            one(Breaking, "v1 .a changes type from int-or-string to integer")
        );
        let list = |t: &str| json!({"type": "array", "items": {"type": t}});
        assert_eq!(
            of_field(list("string"), list("integer")),
            one(Breaking, "v1 .a[] changes type from string to integer")
        );
    }

    #[test]
    fn no_longer_accepting_unknown_fields_is_breaking() {
        let open = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
        let closed = json!({"type": "object", "properties": {"x": {"type": "string"}}});
        assert_eq!(
            of_field(open.clone(), closed.clone()),
            [
                (Breaking, "v1 .a no longer accepts fields that are not in the schema".to_owned()),
                (Tightening, "v1 .a.x accepts only string".to_owned())
            ]
        );
        assert_eq!(
            of_field(closed.clone(), open),
            one(Safe, "v1 .a.x is no longer in the schema, but its values are kept")
        );
        let map = |t: &str| json!({"type": "object", "additionalProperties": {"type": t}});
        assert_eq!(
            of_field(map("string"), map("integer")),
            one(Breaking, "v1 .a.* changes type from string to integer")
        );
        let any = json!({"type": "object", "additionalProperties": true});
        assert_eq!(of_field(any, map("string")), one(Tightening, "v1 .a accepts only string"));
        let lost = [
            (Tightening, "v1 .a.x accepts only string".to_owned()),
            (Breaking, "v1 .a no longer accepts arbitrary keys".to_owned()),
        ];
        assert_eq!(of_field(map("string"), closed), lost);
    }

    #[test]
    fn fewer_values_are_tightening_and_more_values_are_safe() {
        let number = |more: Value| {
            let mut node = json!({"type": "number"});
            node.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            node
        };
        let of_field = |old: Value, new: Value| of_field(number(old), number(new));
        assert_eq!(of_field(json!({}), json!({"minimum": 1})), one(Tightening, "v1 .a has a new minimum: 1"));
        assert_eq!(
            of_field(json!({"minimum": 1}), json!({"minimum": 2})),
            one(Tightening, "v1 .a has the minimum 2 instead of 1")
        );
        assert_eq!(
            of_field(json!({"minimum": 2}), json!({"minimum": 1.0})),
            one(Safe, "v1 .a has the minimum 1 instead of 2")
        );
        assert_eq!(of_field(json!({"minimum": 1}), json!({"minimum": 1.0})), []);
        assert_eq!(
            of_field(json!({"maxLength": 9}), json!({"maxLength": 8})),
            one(Tightening, "v1 .a has the maxLength 8 instead of 9")
        );
        assert_eq!(of_field(json!({"maxItems": 9}), json!({})), one(Safe, "v1 .a no longer has a maxItems"));
        assert_eq!(of_field(json!({}), json!({"pattern": "^a"})), one(Tightening, "v1 .a has a new pattern: `^a`"));
        assert_eq!(
            of_field(json!({"pattern": "a"}), json!({"pattern": "b"})),
            one(Tightening, "v1 .a has a different pattern: `b`")
        );
        assert_eq!(of_field(json!({"nullable": true}), json!({})), one(Tightening, "v1 .a may no longer be null"));
        assert_eq!(
            of_field(json!({"enum": ["x", "y"]}), json!({"enum": ["y", 1]})),
            [(Tightening, "v1 .a no longer accepts `x`".to_owned()), (Safe, "v1 .a also accepts `1`".to_owned()),]
        );
        assert_eq!(of_field(json!({}), json!({"enum": ["y"]})), one(Tightening, "v1 .a accepts only `y`"));
        assert_eq!(
            of_field(json!({}), json!({"exclusiveMinimum": true})),
            one(Tightening, "v1 .a no longer accepts the minimum itself")
        );
        assert_eq!(of_field(json!({"description": "a"}), json!({"description": "b"})), []);
    }

    #[test]
    fn the_schema_of_a_credential_is_not_quoted() {
        let root = |leaf: Value| json!({"type": "object", "properties": {"password": {"type": "object", "properties": {"text": leaf}}}});
        let leaf = |text: &str| {
            json!({"type": "string", "enum": [text], "pattern": text, "default": text,
                "x-kubernetes-validations": [{"rule": text}]})
        };
        for (old, new) in [(leaf("hunter2"), leaf("hunter3")), (json!({"type": "string"}), leaf("hunter2"))] {
            let effects = of_root(root(old), root(new));
            assert!(effects.len() >= 4 && !format!("{effects:?}").contains("hunter"), "{effects:?}");
        }
    }

    #[test]
    fn a_new_rule_is_tightening() {
        let rule = |rule: &str, message: &str| json!({"type": "object", "x-kubernetes-validations": [{"rule": rule, "message": message}]});
        assert_eq!(of_field(rule("self.x", "a"), rule("self.x", "b")), []);
        assert_eq!(
            of_field(rule("self.x", "a"), rule("self.y", "a")),
            [
                (Tightening, "v1 .a has a new rule: `self.y`".to_owned()),
                (Safe, "v1 .a no longer has the rule: `self.x`".to_owned()),
            ]
        );
        let any = |of: Value| json!({"type": "object", "anyOf": of});
        assert_eq!(
            of_field(any(json!([{"required": ["a"]}])), any(json!([{"required": ["b"]}]))),
            one(Tightening, "v1 .a has a different `anyOf`")
        );
        let set = json!({"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"});
        let atomic = json!({"type": "array", "items": {"type": "string"}});
        assert_eq!(
            of_field(atomic, set),
            one(Tightening, "v1 .a is now a list of type set, whose items must be unique")
        );
    }
}
