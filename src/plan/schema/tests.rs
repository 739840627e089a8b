//! What each change of a schema means, by example.

#![allow(clippy::needless_pass_by_value, reason = "`json!` is written where it is used")]

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
    assert_eq!(of_root(object(json!({"a": string})), object(json!({}))), one(Breaking, "v1 .a (string) is removed"));
    assert_eq!(of_root(object(json!({})), object(json!({"a": string}))), one(Safe, "v1 .a (string) is new"));
    let required = json!({"type": "object", "properties": {"a": string}, "required": ["a"]});
    assert_eq!(of_root(object(json!({})), required.clone()), one(Tightening, "v1 .a (string) is new and required"));
    assert_eq!(of_root(object(json!({"a": string})), required.clone()), one(Tightening, "v1 .a becomes required"));
    assert_eq!(of_root(required.clone(), object(json!({"a": string}))), one(Safe, "v1 .a is no longer required"));
    let defaulted =
        json!({"type": "object", "required": ["a"], "properties": {"a": {"type": "string", "default": "x"}}});
    let new = "v1 .a (string) is new, and instances without it read its default at once";
    assert_eq!(of_root(object(json!({})), defaulted.clone()), one(Tightening, new));
    let lost = [
        (Tightening, "v1 .a becomes required".to_owned()),
        (Tightening, "v1 .a no longer has a default: instances that were stored without the field lose it".to_owned()),
    ];
    assert_eq!(of_root(defaulted, required), lost);
}

#[test]
fn a_change_of_type_is_breaking_unless_all_old_values_stay_valid() {
    let kind = |t: &str| json!({"type": t});
    assert_eq!(of_field(kind("integer"), kind("string")), one(Breaking, "v1 .a changes type from integer to string"));
    assert_eq!(
        of_field(kind("integer"), kind("number")),
        one(Safe, "v1 .a changes type from integer to number, which accepts all old values")
    );
    assert_eq!(of_field(kind("number"), kind("integer")), one(Breaking, "v1 .a changes type from number to integer"));
    let either = json!({"x-kubernetes-int-or-string": true});
    assert_eq!(
        of_field(kind("integer"), either.clone()),
        one(Safe, "v1 .a changes type from integer to int-or-string, which accepts all old values")
    );
    assert_eq!(of_field(either, kind("integer")), one(Breaking, "v1 .a changes type from int-or-string to integer"));
    let list = |t: &str| json!({"type": "array", "items": {"type": t}});
    assert_eq!(of_field(list("string"), list("integer")), one(Breaking, "v1 .a[] changes type from string to integer"));
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
    assert_eq!(of_field(map("string"), map("integer")), one(Breaking, "v1 .a.* changes type from string to integer"));
    let any = json!({"type": "object", "additionalProperties": true});
    assert_eq!(of_field(any.clone(), map("string")), one(Tightening, "v1 .a.* accepts only string"));
    // It keeps the fields, and drops what is in them.
    let kept = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    let effects = of_field(kept.clone(), any.clone());
    assert_eq!(effects, one(Breaking, "v1 .a.* no longer accepts fields that are not in the schema"));
    assert_eq!(of_field(any, kept)[0].0, Tightening);
    assert_eq!(of_field(map("string"), closed), one(Breaking, "v1 .a no longer accepts arbitrary keys"));
}

#[test]
fn fewer_values_are_tightening_and_more_values_are_safe() {
    let number = |more: Value| {
        let mut node = json!({"type": "number"});
        node.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        node
    };
    let text = |more: Value| {
        let mut node = number(more);
        node["type"] = json!("string");
        node
    };
    let of_text = |old: Value, new: Value| of_field(text(old), text(new));
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
        of_text(json!({"maxLength": 9}), json!({"maxLength": 8})),
        one(Tightening, "v1 .a has the maxLength 8 instead of 9")
    );
    assert_eq!(of_text(json!({"maxLength": 9}), json!({})), one(Safe, "v1 .a no longer has a maxLength"));
    assert_eq!(of_text(json!({}), json!({"minLength": 0, "maxItems": 3})), [], "they say nothing of a text");
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
    let excluded = |bound: i32, excluded: bool| json!({"minimum": bound, "exclusiveMinimum": excluded});
    assert_eq!(
        of_field(excluded(1, false), excluded(1, true)),
        one(Tightening, "v1 .a no longer accepts the minimum itself")
    );
    assert_eq!(of_field(excluded(1, true), excluded(1, false)), one(Safe, "v1 .a also accepts the minimum itself"));
    assert_eq!(
        of_field(excluded(2, false), excluded(1, true)),
        one(Safe, "v1 .a has the minimum 1 instead of 2"),
        "2 is more than 1"
    );
    // A server compares whole numbers with 2, and 2 is not less than that.
    let below = |bound: f64, excluded: bool| json!({"maximum": bound, "exclusiveMaximum": excluded});
    assert_eq!(
        of_field(below(2.0, false), below(2.5, true)),
        one(Tightening, "v1 .a has the maximum 2.5 instead of 2")
    );
    assert_eq!(of_field(below(2.0, false), below(3.5, true))[0].0, Safe);
    assert_eq!(of_field(json!({}), json!({"exclusiveMinimum": true})), [], "there is no minimum");
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
    assert_eq!(of_field(atomic, set), one(Tightening, "v1 .a is now a list of type set, whose items must be unique"));
}

fn object(properties: Value) -> Value {
    json!({"type": "object", "properties": properties})
}

#[test]
fn an_object_that_becomes_a_map_of_another_type_is_not_safe() {
    let (text, number) = (json!({"type": "string"}), json!({"type": "integer"}));
    let map = |of: &Value| json!({"type": "object", "additionalProperties": of});
    assert_eq!(of_field(object(json!({"x": text})), map(&text)), []);
    assert_eq!(
        of_field(object(json!({"x": text})), map(&number)),
        one(Breaking, "v1 .a.x changes type from string to integer")
    );
    // What is below a field counts as well.
    let deep = |inner: Value| object(json!({"x": object(inner)}));
    assert_eq!(
        of_field(deep(json!({"q": text})), map(&object(json!({})))),
        one(Breaking, "v1 .a.x.q (string) is removed")
    );
    assert_eq!(
        of_field(map(&text), object(json!({"x": number}))),
        [
            (Breaking, "v1 .a no longer accepts arbitrary keys".to_owned()),
            (Breaking, "v1 .a.x changes type from string to integer".to_owned()),
        ]
    );
}

#[test]
fn a_default_is_read_at_once() {
    let plain = json!({"type": "string"});
    let with = |default: &str| json!({"type": "string", "default": default});
    let text = |what: &str| format!("v1 .a {what}");
    let new = text("has a new default, which instances without the field read at once");
    assert_eq!(of_field(plain.clone(), with("x")), one(Tightening, &new));
    let other = text("has a different default, which instances that were stored without the field read at once");
    assert_eq!(of_field(with("x"), with("y")), one(Tightening, &other));
    let gone = text("no longer has a default: instances that were stored without the field lose it");
    assert_eq!(of_field(with("x"), plain.clone()), one(Tightening, &gone));
    assert_eq!(of_field(with("x"), with("x")), []);
    // Below a field that nobody has set there is nothing to fill in.
    let deep = |inner: Value| object(json!({"w": plain, "x": inner}));
    let old = object(json!({"w": plain}));
    assert_eq!(of_field(old.clone(), deep(deep(with("x")))), one(Safe, "v1 .a.x (object) is new"));
    let filled = json!({"type": "object", "default": {}, "properties": {"y": with("x")}});
    let new = "v1 .a.x (object) is new, and instances without it read its default at once";
    assert_eq!(of_field(old, deep(filled)), one(Tightening, new));
    // A null is filled in where it may not be there.
    let null = |node: Value| {
        let mut node = node;
        node["nullable"] = json!(true);
        node
    };
    let effects = of_field(with("x"), null(with("x")));
    assert_eq!(effects, one(Tightening, "v1 .a may be null, and a stored null is no longer its default"));
    assert_eq!(of_field(plain.clone(), null(plain)), one(Safe, "v1 .a may be null"));
}

#[test]
fn what_is_no_longer_described_keeps_its_values_but_not_its_defaults() {
    let open = |properties: Value| json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true, "properties": properties});
    let described = json!({"x": object(json!({"q": {"type": "integer", "default": 1}}))});
    assert_eq!(
        of_field(open(described.clone()), open(json!({}))),
        [
            (Safe, "v1 .a.x is no longer in the schema, but its values are kept".to_owned()),
            (Tightening, "v1 .a.x keeps fields that were dropped when they were read".to_owned()),
            (
                Tightening,
                "v1 .a.x.q no longer has a default: instances that were stored without the field lose it".to_owned()
            ),
        ]
    );
    assert_eq!(
        of_field(open(json!({})), open(described)),
        one(Breaking, "v1 .a.x no longer accepts fields that are not in the schema")
    );
    assert_eq!(
        of_field(open(json!({})), open(json!({"x": {"type": "string", "default": "d"}}))),
        [
            (Tightening, "v1 .a.x accepts only string".to_owned()),
            (Tightening, "v1 .a.x has a new default, which instances without the field read at once".to_owned()),
        ]
    );
}

#[test]
fn what_server_side_apply_may_have_stored_is_read_again() {
    let text = json!({"type": "string"});
    let stored = "(string) is new, and what server-side apply has stored of it is read at once";
    // It checks the fields of an object that describes some, and of no other.
    assert_eq!(of_field(object(json!({})), object(json!({"x": text}))), one(Tightening, &format!("v1 .a.x {stored}")));
    let below_open = |fields: Value| json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true, "properties": {"b": object(fields)}});
    assert_eq!(
        of_field(below_open(json!({"w": text})), below_open(json!({"w": text, "x": text}))),
        one(Tightening, &format!("v1 .a.b.x {stored}"))
    );
    let kept = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    assert_eq!(of_field(object(json!({})), kept)[0].0, Tightening);
    let mut shallow = below_open(json!({}));
    shallow["properties"]["b"] = json!({"type": "object", "additionalProperties": true});
    let worst = of_field(below_open(json!({"w": text})), shallow).into_iter().map(|(effect, _)| effect).max();
    assert_eq!(worst, Some(Tightening));
}

#[test]
fn a_kubernetes_object_has_names_that_a_schema_can_bound() {
    let root = |name: Value| object(json!({"metadata": object(json!({"name": name}))}));
    let bounded = root(json!({"type": "string", "maxLength": 5}));
    let plain = json!({"type": "object"});
    assert_eq!(of_root(plain.clone(), bounded.clone()), one(Tightening, "v1 .metadata.name has a new maxLength: 5"));
    assert_eq!(of_root(bounded, plain.clone()), one(Safe, "v1 .metadata.name no longer has a maxLength"));
    assert_eq!(of_root(plain.clone(), object(json!({"metadata": {"type": "object"}}))), []);
    let embedded = |more: Value| {
        let mut node = object(more);
        node["x-kubernetes-embedded-resource"] = json!(true);
        node
    };
    let gone = "v1 .a is no longer a Kubernetes object, so its apiVersion, kind and metadata are removed";
    assert_eq!(of_field(embedded(json!({})), plain.clone()), one(Breaking, gone));
    assert_eq!(of_field(plain, embedded(json!({}))), one(Tightening, "v1 .a must be a complete Kubernetes object"));
}

#[test]
fn what_several_managers_apply_must_still_merge() {
    let list = |kind: &str| json!({"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": kind});
    let whole = "v1 .a is now a list of type atomic, which server-side apply replaces as a whole";
    assert_eq!(of_field(list("set"), list("atomic")), one(Tightening, whole));
    let map = |kind: &str| json!({"type": "object", "x-kubernetes-map-type": kind});
    let whole = "v1 .a is now atomic: server-side apply replaces it as a whole";
    assert_eq!(of_field(map("granular"), map("atomic")), one(Tightening, whole));
    let merged = "v1 .a is no longer atomic: server-side apply merges its fields";
    assert_eq!(of_field(map("atomic"), map("granular")), one(Safe, merged));
}

#[test]
fn a_rule_that_stays_may_mean_something_else() {
    let ruled = |kind: &str| {
        json!({"type": "object", "x-kubernetes-validations": [{"rule": "self.x / self.y == 1"}],
            "properties": {"x": {"type": kind}, "y": {"type": "integer"}}})
    };
    let effects = of_field(ruled("integer"), ruled("number"));
    let declared = "v1 .a.x has another declaration for the validation rules around it".to_owned();
    assert!(effects.contains(&(Tightening, declared)), "{effects:?}");
    let optional = |optional: bool| json!({"type": "string", "x-kubernetes-validations": [{"rule": "self == oldSelf", "optionalOldSelf": optional}]});
    let worst = |effects: Vec<(Effect, String)>| effects.into_iter().map(|(effect, _)| effect).max();
    assert_eq!(worst(of_field(optional(false), optional(true))), Some(Tightening));
}

#[test]
fn branches_that_come_and_go_are_wider_or_narrower() {
    let of = |key: &str, branches: Value| json!({"type": "integer", key: branches});
    let (one_branch, two) = (json!([{"minimum": 1}]), json!([{"maximum": 0}, {"minimum": 1}]));
    for (key, more, less) in
        [("allOf", Tightening, Safe), ("anyOf", Safe, Tightening), ("oneOf", Tightening, Tightening)]
    {
        let effect = |old: &Value, new: &Value| of_field(of(key, old.clone()), of(key, new.clone()))[0].0;
        assert_eq!((effect(&one_branch, &two), effect(&two, &one_branch)), (more, less), "{key}");
    }
    let reversed = json!([{"minimum": 1}, {"maximum": 0}]);
    assert_eq!(of_field(of("oneOf", two.clone()), of("oneOf", reversed)), []);
    let either = |more: Value| {
        let mut node = more;
        node["x-kubernetes-int-or-string"] = json!(true);
        node
    };
    let repeated = json!({"anyOf": [{"type": "integer"}, {"type": "string"}]});
    assert_eq!(of_field(either(json!({})), either(repeated)), []);
}

#[test]
fn a_keyword_from_a_newer_server_is_not_safe() {
    let effects = of_field(json!({"type": "string"}), json!({"type": "string", "x-kubernetes-new": 1}));
    assert_eq!(effects, one(Tightening, "v1 .a has a different `x-kubernetes-new`"));
}
