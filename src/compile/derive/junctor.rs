//! `oneOf`, `anyOf`, `allOf` and `not` of a node of which only a part is
//! visible (`derivation.md` R5).
//!
//! The constraint is simplified on the assumption that hidden fields are absent.
//! The result is exact, or there is none and the caller drops the constraint with
//! a warning.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::compile::schema as look;
use crate::model::path::{Exposed, FieldPath, PathSet, Segment};

/// A simplified constraint.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Verdict {
    /// Every instance satisfies it: it can go.
    True,
    /// No instance can satisfy it: it requires hidden fields.
    False,
    /// It becomes this constraint on the visible part.
    Says(Value),
    /// It cannot be expressed for the visible part alone.
    Unclear,
}

/// Simplifies one constraint: the value of `not`, or one branch of a list.
pub(super) fn simplify(schema: &Value, set: &PathSet) -> Verdict {
    let Some(map) = schema.as_object() else { return Verdict::Unclear };
    if set.is_whole() {
        return if map.is_empty() { Verdict::True } else { Verdict::Says(schema.clone()) };
    }
    let mut out = Map::new();
    for (key, value) in map {
        let verdict = match key.as_str() {
            "required" => {
                let names = value.as_array().into_iter().flatten().filter_map(Value::as_str);
                match names.map(|n| set.property(n)).any(|e| e == Exposed::Hidden) {
                    true => Verdict::False,
                    false => Verdict::Says(value.clone()),
                }
            }
            "properties" => properties(value, map, set),
            "items" => match set.child(&Segment::Items) {
                Exposed::Hidden => Verdict::True,
                Exposed::Whole => Verdict::Says(value.clone()),
                Exposed::Partial(inner) => match simplify(value, inner) {
                    Verdict::False => Verdict::Unclear,
                    other => other,
                },
            },
            "allOf" => all(value, set),
            "anyOf" => any(value, set),
            "oneOf" => one(value, set),
            "not" => match simplify(value, set) {
                Verdict::True => Verdict::False,
                Verdict::False => Verdict::True,
                other => other,
            },
            // These count hidden fields as absent already.
            "minProperties" | "maxProperties" | "minItems" | "maxItems" => Verdict::Says(value.clone()),
            // These compare whole values, of which a part is hidden.
            "enum" | "uniqueItems" | "additionalProperties" => Verdict::Unclear,
            _ => Verdict::Says(value.clone()),
        };
        match verdict {
            Verdict::True => {}
            Verdict::False => return Verdict::False,
            Verdict::Unclear => return Verdict::Unclear,
            Verdict::Says(value) => {
                out.insert(key.clone(), value);
            }
        }
    }
    if out.is_empty() { Verdict::True } else { Verdict::Says(Value::Object(out)) }
}

/// Simplifies the value of the junctor `key` of a node.
pub(super) fn junctor(key: &str, value: &Value, set: &PathSet) -> Verdict {
    match simplify(&json!({ key: value }), set) {
        Verdict::Says(mut map) => map.get_mut(key).map_or(Verdict::Unclear, |v| Verdict::Says(v.take())),
        other => other,
    }
}

/// Every hidden property that a constraint names, by its path below `at`.
pub(super) fn hidden_paths(schema: &Value, set: &PathSet, at: &mut FieldPath, found: &mut BTreeSet<FieldPath>) {
    let Some(map) = schema.as_object() else { return };
    if set.is_whole() {
        return;
    }
    for name in look::required(schema) {
        if set.property(name) == Exposed::Hidden {
            found.insert(at.property(name));
        }
    }
    for (name, inner) in look::properties(schema) {
        match set.property(name) {
            Exposed::Hidden => {
                found.insert(at.property(name));
            }
            Exposed::Whole => {}
            Exposed::Partial(below) => {
                at.0.push(Segment::Property(name.clone()));
                hidden_paths(inner, below, at, found);
                at.0.pop();
            }
        }
    }
    if let (Some(inner), Exposed::Partial(below)) = (map.get("items"), set.child(&Segment::Items)) {
        at.0.push(Segment::Items);
        hidden_paths(inner, below, at, found);
        at.0.pop();
    }
    for key in ["allOf", "anyOf", "oneOf"] {
        for branch in map.get(key).and_then(Value::as_array).into_iter().flatten() {
            hidden_paths(branch, set, at, found);
        }
    }
    if let Some(inner) = map.get("not") {
        hidden_paths(inner, set, at, found);
    }
}

fn properties(value: &Value, parent: &Map<String, Value>, set: &PathSet) -> Verdict {
    let demanded = |name: &str| {
        parent.get("required").and_then(Value::as_array).is_some_and(|r| r.iter().any(|v| v.as_str() == Some(name)))
    };
    let mut out = Map::new();
    for (name, inner) in value.as_object().into_iter().flatten() {
        match set.property(name) {
            Exposed::Hidden => {}
            Exposed::Whole => {
                out.insert(name.clone(), inner.clone());
            }
            Exposed::Partial(below) => match simplify(inner, below) {
                Verdict::True => {}
                Verdict::False if demanded(name) => return Verdict::False,
                // "Must not be there at all": that is more than the branch said.
                Verdict::False | Verdict::Unclear => return Verdict::Unclear,
                Verdict::Says(inner) => {
                    out.insert(name.clone(), inner);
                }
            },
        }
    }
    if out.is_empty() { Verdict::True } else { Verdict::Says(Value::Object(out)) }
}

fn branches(value: &Value, set: &PathSet) -> Vec<Verdict> {
    value.as_array().into_iter().flatten().map(|b| simplify(b, set)).collect()
}

fn all(value: &Value, set: &PathSet) -> Verdict {
    let mut said = Vec::new();
    for verdict in branches(value, set) {
        match verdict {
            Verdict::True => {}
            Verdict::Says(v) => said.push(v),
            other => return other,
        }
    }
    if said.is_empty() { Verdict::True } else { Verdict::Says(Value::Array(said)) }
}

fn any(value: &Value, set: &PathSet) -> Verdict {
    let (mut said, mut unclear) = (Vec::new(), false);
    for verdict in branches(value, set) {
        match verdict {
            Verdict::True => return Verdict::True,
            Verdict::False => {}
            Verdict::Unclear => unclear = true,
            Verdict::Says(v) => said.push(v),
        }
    }
    match (unclear, said.is_empty()) {
        (true, _) => Verdict::Unclear,
        (false, true) => Verdict::False,
        (false, false) => Verdict::Says(Value::Array(said)),
    }
}

fn one(value: &Value, set: &PathSet) -> Verdict {
    let (mut said, mut always) = (Vec::new(), 0);
    for verdict in branches(value, set) {
        match verdict {
            Verdict::True => {
                always += 1;
                said.push(json!({}));
            }
            Verdict::False => {}
            Verdict::Unclear => return Verdict::Unclear,
            Verdict::Says(v) => said.push(v),
        }
    }
    match (always, said.len()) {
        (_, 0) => Verdict::False,
        (1, 1) => Verdict::True,
        (2.., _) => Verdict::False,
        _ => Verdict::Says(Value::Array(said)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(paths: &[&str]) -> PathSet {
        let paths: Vec<_> = paths.iter().map(|p| FieldPath::parse(p).unwrap()).collect();
        paths.iter().collect()
    }

    fn needs(names: &[&str]) -> Value {
        json!({ "required": names })
    }

    #[test]
    fn a_union_keeps_its_visible_members() {
        let union = json!([needs(&["a"]), needs(&["b"]), needs(&["c"])]);
        assert_eq!(junctor("oneOf", &union, &set(&[".a", ".b"])), Verdict::Says(json!([needs(&["a"]), needs(&["b"])])));
        assert_eq!(junctor("oneOf", &union, &set(&[".x"])), Verdict::False);
        assert_eq!(junctor("anyOf", &union, &set(&[".a"])), Verdict::Says(json!([needs(&["a"])])));
    }

    #[test]
    fn istio_style_at_most_one() {
        let at_most_one = json!([{"not": {"anyOf": [needs(&["a"]), needs(&["b"])]}}, needs(&["a"]), needs(&["b"])]);
        assert_eq!(junctor("oneOf", &at_most_one, &set(&[".x"])), Verdict::True);
        assert_eq!(
            junctor("oneOf", &at_most_one, &set(&[".a"])),
            Verdict::Says(json!([{"not": {"anyOf": [needs(&["a"])]}}, needs(&["a"])]))
        );
    }

    #[test]
    fn negation_turns_round() {
        assert_eq!(junctor("not", &needs(&["h"]), &set(&[".a"])), Verdict::True);
        assert_eq!(junctor("not", &json!({"properties": {"h": {"enum": ["x"]}}}), &set(&[".a"])), Verdict::False);
        assert_eq!(junctor("not", &needs(&["a"]), &set(&[".a"])), Verdict::Says(needs(&["a"])));
    }

    #[test]
    fn nested_properties_follow_the_paths() {
        let value = json!([{"properties": {"t": {"required": ["h"]}}, "required": ["t"]}, needs(&["a"])]);
        assert_eq!(junctor("oneOf", &value, &set(&[".a", ".t.v"])), Verdict::Says(json!([needs(&["a"])])));
        let optional = json!([{"properties": {"t": {"required": ["h"]}}}]);
        assert_eq!(junctor("oneOf", &optional, &set(&[".a", ".t.v"])), Verdict::Unclear);
    }
}
