//! How two values of a keyword relate: which of them accepts more instances.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::super::compare::{equal, key};
use super::table::Change;
use crate::compile::schema;

/// The keywords of bounds: the flag that excludes the bound itself, whether a greater number accepts fewer values, and the
/// type of the values that it bounds.
pub(super) const BOUNDS: [(&str, Option<&str>, bool, &str); 8] = [
    ("minimum", Some("exclusiveMinimum"), true, "number"),
    ("maximum", Some("exclusiveMaximum"), false, "number"),
    ("minLength", None, true, "string"),
    ("maxLength", None, false, "string"),
    ("minItems", None, true, "array"),
    ("maxItems", None, false, "array"),
    ("minProperties", None, true, "object"),
    ("maxProperties", None, false, "object"),
];

/// Whether the type `is` accepts every value of the type `was`.
pub(super) fn is_wider_type(was: &str, is: &str) -> bool {
    matches!((was, is), (_, "") | ("integer", "number" | "int-or-string") | ("string", "int-or-string"))
}

/// Whether values of a node can be of a type.
pub(super) fn can_be(node: &Value, kind: &str) -> bool {
    match schema::type_name(node) {
        "" => true,
        "int-or-string" => matches!(kind, "number" | "string"),
        "integer" => kind == "number",
        other => other == kind,
    }
}

/// A bound, and whether it is excluded itself.
pub(super) type Bound = (Option<f64>, bool);

/// How a bound changes; `None` if it accepts the same values.
///
/// An API server cuts off the fraction of a bound before it compares a whole number with it, so that 2 is not less than 2.5.
/// The bound that it takes for whole numbers must not be narrower either.
pub(super) fn bounds(old: Bound, new: Bound, greater_is_narrower: bool) -> Option<Change> {
    let cut = |(bound, excluded): Bound| (bound.map(f64::trunc), excluded);
    let exact = ordered(old, new, greater_is_narrower);
    match ordered(cut(old), cut(new), greater_is_narrower) {
        Some(Change::Narrowed) => Some(Change::Narrowed),
        _ => exact,
    }
}

fn ordered(old: Bound, new: Bound, greater_is_narrower: bool) -> Option<Change> {
    match (old, new) {
        ((None, _), (None, _)) => None,
        ((None, _), (Some(_), _)) => Some(Change::Added),
        ((Some(_), _), (None, _)) => Some(Change::Removed),
        ((Some(was), was_excluded), (Some(is), is_excluded)) => match is.total_cmp(&was) {
            std::cmp::Ordering::Equal => match (was_excluded, is_excluded) {
                (false, true) => Some(Change::Narrowed),
                (true, false) => Some(Change::Widened),
                _ => None,
            },
            order if order.is_gt() == greater_is_narrower => Some(Change::Narrowed),
            _ => Some(Change::Widened),
        },
    }
}

/// How a keyword that is compared as a whole changes; `None` if it stays equal.
pub(super) fn whole(keyword: &str, old: Option<&Value>, new: Option<&Value>) -> Option<Change> {
    match (old, new) {
        (None, None) => None,
        (None, Some(_)) => Some(Change::Added),
        (Some(_), None) => Some(Change::Removed),
        (Some(was), Some(is)) if equal(was, is) || is_junctor(keyword) && are_same(was, is) => None,
        (Some(was), Some(is)) => Some(match keyword {
            "multipleOf" => multiples(was, is),
            "allOf" => branches(was, is),
            // Each branch of `anyOf` accepts more values, each of `allOf` fewer.
            "anyOf" => match branches(was, is) {
                Change::Narrowed => Change::Widened,
                Change::Widened => Change::Narrowed,
                other => other,
            },
            _ => Change::Moved,
        }),
    }
}

fn multiples(was: &Value, is: &Value) -> Change {
    // Only whole numbers: a server divides, and a tenth of three tenths is not exact.
    match (was.as_u64(), is.as_u64()) {
        (Some(was), Some(is)) if is > 0 && was % is == 0 => Change::Widened,
        (Some(was), Some(is)) if was > 0 && is % was == 0 => Change::Narrowed,
        _ => Change::Moved,
    }
}

fn is_junctor(keyword: &str) -> bool {
    schema::JUNCTORS.contains(&keyword)
}

/// Whether two lists of branches are the same, in any order.
fn are_same(was: &Value, is: &Value) -> bool {
    let (Some(was), Some(is)) = (was.as_array(), is.as_array()) else { return false };
    let sorted = |list: &[Value]| {
        let mut keys: Vec<String> = list.iter().map(key).collect();
        keys.sort_unstable();
        keys
    };
    was.len() == is.len() && sorted(was) == sorted(is)
}

/// How a list changes of which each branch accepts fewer values.
fn branches(was: &Value, is: &Value) -> Change {
    let (Some(was), Some(is)) = (was.as_array(), is.as_array()) else { return Change::Moved };
    let keys = |list: &[Value]| list.iter().map(key).collect::<BTreeSet<_>>();
    let (was, is) = (keys(was), keys(is));
    if is.is_subset(&was) {
        return Change::Widened;
    }
    match was.is_subset(&is) {
        true => Change::Narrowed,
        false => Change::Moved,
    }
}

/// A junctor of a node, without the `anyOf` that a schema may repeat what `x-kubernetes-int-or-string` says with; `None` if
/// it says nothing.
pub(super) fn junctor(node: &Value, keyword: &str) -> Option<Value> {
    let found = node.get(keyword)?;
    if !schema::flag(node, "x-kubernetes-int-or-string") {
        return Some(found.clone());
    }
    let repeated = json!([{ "type": "integer" }, { "type": "string" }]);
    match keyword {
        "anyOf" if *found == repeated => None,
        "allOf" => {
            let repeats = |branch: &Value| *branch == json!({ "anyOf": repeated });
            let rest: Vec<Value> = found.as_array()?.iter().filter(|branch| !repeats(branch)).cloned().collect();
            (!rest.is_empty()).then_some(Value::Array(rest))
        }
        _ => Some(found.clone()),
    }
}
