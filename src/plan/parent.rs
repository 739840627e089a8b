//! The writes to the parent of an inventory (KEP-3659).
//!
//! The parent lists the kinds of the members, so that tools can find them. It is
//! written twice: before all other writes with the old and the new kinds, and
//! after them with the kinds that remain. If a run is killed in between, the
//! parent lists a kind too many, which is harmless, but never one too few.

use std::collections::BTreeSet;

use serde_json::Value;

use super::compare::{Comparison, compare};
use super::inventory::{GROUP_KINDS, Inventory};
use super::live::LiveObject;

/// An API group, empty for the core group, and a kind.
pub(crate) type GroupKind = (String, String);

/// The writes to a parent; `None` for a write that would change nothing.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Parent {
    /// Before all other writes: the kinds of the old and the new members.
    pub before: Option<Value>,
    /// After all other writes: the kinds of the remaining members.
    pub after: Option<Value>,
}

impl Parent {
    /// The writes for an inventory. `live` is the existing parent; `wanted` are the kinds of the objects in the
    /// repository, `kept` those of members that are no longer in the repository and that are not deleted.
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

/// The groups and kinds that a parent lists, from its annotation `contains-group-kinds`.
#[must_use]
pub(crate) fn group_kinds(parent: &Value) -> BTreeSet<GroupKind> {
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

    /// A parent as a server returns it after carrier has written it.
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
    fn a_parent_is_written_only_if_it_changes() {
        let inventory = inventory::of(&Target::Management, "carrier", None);
        let of = |live: Option<&Value>, wanted: &[&str], kept: &[&str]| {
            Parent::of(&inventory, live, &kinds(wanted), &kinds(kept))
        };
        assert_eq!(of(None, &[], &[]), Parent::default(), "an empty inventory needs no parent");
        assert_eq!(of(None, &["A"], &[]), Parent { before: Some(inventory.parent(&kinds(&["A"]))), after: None });
        let live = served(inventory.parent(&kinds(&["A", "B"])));
        assert_eq!(group_kinds(&live), kinds(&["A", "B"]));
        assert_eq!(of(Some(&live), &["A"], &["B"]), Parent::default());
        // B is deleted: the parent lists it until the deletion is done.
        assert_eq!(
            of(Some(&live), &["A"], &[]),
            Parent { before: None, after: Some(inventory.parent(&kinds(&["A"]))) }
        );
        let both = of(Some(&live), &["C"], &[]);
        assert_eq!(both.before, Some(inventory.parent(&kinds(&["A", "B", "C"]))));
        assert_eq!(both.after, Some(inventory.parent(&kinds(&["C"]))));
    }
}
