//! What is written of an inventory's parent (KEP-3659), and when.
//!
//! The parent names the kinds of the members, so that they can be found. It is
//! written with the kinds of before and after before anything else, and with
//! those that are left when all is done: a run that is killed in between leaves a
//! kind too many, never one too few.

use std::collections::BTreeSet;

use serde_json::Value;

use super::compare::{Comparison, compare};
use super::inventory::{GROUP_KINDS, Inventory};
use super::live::LiveObject;

/// An API group, empty for the core group, and a kind.
pub type GroupKind = (String, String);

/// What is written of a parent; nothing where it is as it should be.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Parent {
    /// Before anything else: with the kinds of all members of before and after.
    pub before: Option<Value>,
    /// When all is done: with the kinds of those that are left.
    pub after: Option<Value>,
}

impl Parent {
    /// What to write. `live` is the parent as it is; `wanted` are the kinds of the objects that the
    /// repository has, `kept` those of members that it no longer has and that stay.
    #[must_use]
    pub fn of(
        inventory: &Inventory,
        live: Option<&Value>,
        wanted: &BTreeSet<GroupKind>,
        kept: &BTreeSet<GroupKind>,
    ) -> Self {
        let left: BTreeSet<GroupKind> = wanted | kept;
        if live.is_none() && left.is_empty() {
            return Self::default();
        }
        let named = live.map(group_kinds).unwrap_or_default();
        let all = &named | &left;
        let (first, last) = (inventory.parent(&all), inventory.parent(&left));
        let live = live.cloned().map(|body| LiveObject { body });
        let is = |body: &Value| compare(body, live.as_ref()) == Comparison::Same;
        let before = Some(first).filter(|body| !is(body));
        let after = Some(last).filter(|body| match &before {
            Some(before) => before != body,
            None => !is(body),
        });
        Self { before, after }
    }
}

/// The kinds that a parent names.
#[must_use]
pub fn group_kinds(parent: &Value) -> BTreeSet<GroupKind> {
    let annotations = parent.pointer("/metadata/annotations");
    let text = annotations.and_then(|a| a.get(GROUP_KINDS)).and_then(Value::as_str).unwrap_or_default();
    text.split(',')
        .filter(|kind| !kind.is_empty())
        .map(|text| {
            text.split_once('.').map_or((String::new(), text.to_owned()), |(k, g)| (g.to_owned(), k.to_owned()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::cluster::Target;
    use crate::plan::inventory;

    fn kinds(texts: &[&str]) -> BTreeSet<GroupKind> {
        texts.iter().map(|kind| (String::new(), (*kind).to_owned())).collect()
    }

    /// A parent as a server gives it back that carrier has written.
    fn served(mut parent: Value) -> Value {
        let owned = |key: &str| {
            let entries = parent["metadata"][key].as_object().into_iter().flatten();
            entries.map(|(name, _)| (format!("f:{name}"), serde_json::json!({}))).collect::<serde_json::Map<_, _>>()
        };
        let fields =
            serde_json::json!({"f:metadata": {"f:labels": owned("labels"), "f:annotations": owned("annotations")}});
        parent["metadata"]["managedFields"] =
            serde_json::json!([{"manager": "carrier", "operation": "Apply", "apiVersion": "v1", "fieldsV1": fields}]);
        parent
    }

    #[test]
    fn a_parent_that_is_right_is_not_written() {
        let inventory = inventory::of(&Target::Management, "carrier", None);
        let of = |live: Option<&Value>, wanted: &[&str], kept: &[&str]| {
            Parent::of(&inventory, live, &kinds(wanted), &kinds(kept))
        };
        assert_eq!(of(None, &[], &[]), Parent::default(), "nothing is nothing's inventory");
        assert_eq!(of(None, &["A"], &[]), Parent { before: Some(inventory.parent(&kinds(&["A"]))), after: None });
        let live = served(inventory.parent(&kinds(&["A", "B"])));
        assert_eq!(group_kinds(&live), kinds(&["A", "B"]));
        assert_eq!(of(Some(&live), &["A"], &["B"]), Parent::default());
        // B goes: the parent names it until it is gone.
        assert_eq!(
            of(Some(&live), &["A"], &[]),
            Parent { before: None, after: Some(inventory.parent(&kinds(&["A"]))) }
        );
        let both = of(Some(&live), &["C"], &[]);
        assert_eq!(both.before, Some(inventory.parent(&kinds(&["A", "B", "C"]))));
        assert_eq!(both.after, Some(inventory.parent(&kinds(&["C"]))));
    }
}
