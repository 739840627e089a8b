//! The writes to the parent of an inventory (KEP-3659).
//!
//! The parent lists the kinds of the members, so that tools can find them. It is
//! written twice: before all other writes with the old and the new kinds, and
//! after them with the kinds that remain. If a run is killed in between, the
//! parent lists a kind too many, which is harmless, but never one too few.
//!
//! The first write is also the claim of the run: it names the run, and is held to the version of the parent that was read
//! before the plan was made. Of two runs that overlap the later claim counts, and the other run ends. A claim is no lock:
//! what a killed run has claimed, the next one claims from it.

use std::collections::BTreeSet;

use serde_json::Value;

use super::compare::{Comparison, compare};
use super::inventory::{
    GROUP_KINDS, Inventory, TOOLING, TOOLING_NAME, is_shared, is_taken_list_damaged, kinds_text, taken_ids,
};
use super::live::LiveObject;
use crate::compile::render::Manifest;
use crate::model::keys::{RUN, TAKEN_INVENTORIES, annotation};
use crate::model::managed_fields::is_annotation_of_carrier;
use crate::model::resource::Resource;

/// An API group, empty for the core group, and a kind.
pub(crate) type GroupKind = (String, String);

/// The groups and kinds of the members among rendered objects.
#[must_use]
pub(crate) fn kinds(wanted: &[Manifest]) -> BTreeSet<GroupKind> {
    let members = wanted.iter().filter(|manifest| !is_shared(&manifest.body));
    members.map(|manifest| (manifest.id.group().to_owned(), manifest.id.kind.clone())).collect()
}

/// The writes to a parent; `None` for a write that would change nothing.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Parent {
    /// Before all other writes: the kinds of the old and the new members.
    pub before: Option<Value>,
    /// After all other writes: the kinds of the remaining members.
    pub after: Option<Value>,
    /// The parent that was read before the plan was made; `None` if there was none.
    pub seen: Option<Seen>,
}

/// A parent as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// `metadata.uid`.
    pub uid: String,
    /// `metadata.resourceVersion`.
    pub resource_version: String,
    /// The run that has claimed it last; `None` if no run has.
    pub run: Option<String>,
}

impl Seen {
    /// What of a live parent says which it is.
    #[must_use]
    pub(crate) fn of(parent: &Value) -> Self {
        let text = |pointer: &str| parent.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        Self {
            uid: text("/metadata/uid"),
            resource_version: text("/metadata/resourceVersion"),
            run: annotation(parent, RUN).map(str::to_owned),
        }
    }
}

impl Parent {
    /// The writes for an inventory. `live` is the existing parent; `wanted` are the kinds of the objects in the
    /// repository, `kept` those of members that are no longer in the repository and that are not deleted, and `inherited` the
    /// inventories that some of these have the label of. `run` names the
    /// run, and `works` is whether it writes anything else: only then it has to claim the inventory.
    #[must_use]
    pub fn of(
        inventory: &Inventory,
        live: Option<&Value>,
        wanted: &BTreeSet<GroupKind>,
        kept: &BTreeSet<GroupKind>,
        inherited: &BTreeSet<String>,
        (run, works): (&str, bool),
    ) -> Self {
        let left = &(wanted | kept) | &live.map(unknown_kinds).unwrap_or_default();
        if live.is_none() && left.is_empty() && !works {
            return Self::default();
        }
        let seen = live.map(Seen::of);
        let last = seen.as_ref().and_then(|seen| seen.run.as_deref());
        let is_damaged = || live.is_some_and(is_taken_list_damaged);
        let is_settled = || {
            let live = live.cloned().map(|body| LiveObject { body });
            !is_damaged() && compare(&inventory.parent(&left, inherited, last), live.as_ref()) == Comparison::Same
        };
        if !works && is_settled() {
            return Self::default();
        }
        let mut named = live.map(group_kinds).unwrap_or_default();
        // Once it is in a list of carrier's, what somebody has made up is a kind of another version.
        named.retain(|kind| is_known(kind) || left.contains(kind));
        let after = inventory.parent(&left, inherited, Some(run));
        // Without other writes, nothing is deleted whose kind the parent would have to name until then.
        let recorded = live.map(taken_ids).unwrap_or_default();
        let mut before = match works {
            true => inventory.parent(&(&named | &left), &(&recorded | inherited), Some(run)),
            false => after.clone(),
        };
        if is_damaged() && annotation(&before, TAKEN_INVENTORIES).is_none() {
            // Somebody else holds it: carrier can remove it only once it has written it.
            before["metadata"]["annotations"][TAKEN_INVENTORIES] = Value::from("");
        }
        let after = Some(after).filter(|after| *after != before);
        Self { before: Some(before), after, seen }
    }
}

/// The groups and kinds that a parent lists, from its annotation `contains-group-kinds`. What is no kind is left out.
#[must_use]
pub(crate) fn group_kinds(parent: &Value) -> BTreeSet<GroupKind> {
    let annotations = parent.pointer("/metadata/annotations");
    let text = annotations.and_then(|a| a.get(GROUP_KINDS)).and_then(Value::as_str).unwrap_or_default();
    text.split(',').filter_map(|text| group_kind(text.trim())).collect()
}

/// The kinds in the list of a parent that this version of carrier does not know, and that another version has written: they
/// stay in the list. Those are the kinds of a list in carrier's form that is carrier's, or that a backup tool has restored and whose
/// parent names another version.
#[must_use]
pub(crate) fn unknown_kinds(parent: &Value) -> BTreeSet<GroupKind> {
    let mut named = group_kinds(parent);
    let version = annotation(parent, TOOLING).and_then(|tool| tool.strip_prefix(TOOLING_NAME)?.strip_prefix("/v"));
    let is_of_another = version.is_some_and(|version| version != env!("CARGO_PKG_VERSION"));
    let is_whole = annotation(parent, GROUP_KINDS) == Some(kinds_text(&named).as_str());
    match is_whole && (is_of_another || is_annotation_of_carrier(parent, GROUP_KINDS)) {
        true => named.retain(|kind| !is_known(kind)),
        false => named.clear(),
    }
    named
}

/// Whether this version of carrier writes objects of a kind.
#[must_use]
pub(crate) fn is_known((group, kind): &GroupKind) -> bool {
    Resource::rendered().iter().any(|one| one.group == *group && one.kind == *kind)
}

/// `<kind>.<group>`, or the kind alone of the core group; `None` if it is neither.
fn group_kind(text: &str) -> Option<GroupKind> {
    let is_word = |word: &str, others: &[u8]| {
        !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphanumeric() || others.contains(&b))
    };
    let (kind, group) = match text.split_once('.') {
        Some((kind, group)) if is_word(group, b"-.") => (kind, group),
        Some(_) => return None,
        None => (text, ""),
    };
    is_word(kind, b"-").then(|| (group.to_owned(), kind.to_owned()))
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
    fn a_parent_is_written_only_if_it_changes_or_the_run_writes_something_else() {
        let inventory = inventory::of(&Target::Management, "carrier", None).held_by(Some("me"));
        let of = |live: Option<&Value>, wanted: &[&str], kept: &[&str], works: bool| {
            Parent::of(&inventory, live, &kinds(wanted), &kinds(kept), &BTreeSet::new(), ("new", works))
        };
        let parent = |texts: &[&str]| Some(inventory.parent(&kinds(texts), &BTreeSet::new(), Some("new")));
        assert_eq!(of(None, &[], &[], false), Parent::default(), "an empty inventory needs no parent");
        let first = of(None, &["Namespace"], &[], true);
        assert_eq!(first, Parent { before: parent(&["Namespace"]), after: None, seen: None });
        let mut live =
            served(inventory.parent(&kinds(&["Namespace", "ServiceAccount"]), &BTreeSet::new(), Some("old")));
        live["metadata"]["uid"] = "u".into();
        live["metadata"]["resourceVersion"] = "7".into();
        assert_eq!(group_kinds(&live), kinds(&["Namespace", "ServiceAccount"]));
        // The run of before stays in it.
        assert_eq!(of(Some(&live), &["Namespace"], &["ServiceAccount"], false), Parent::default());
        let seen = Some(Seen { uid: "u".into(), resource_version: "7".into(), run: Some("old".into()) });
        // B is deleted: the parent lists it until the deletion is done.
        let claimed = of(Some(&live), &["Namespace"], &[], true);
        assert_eq!(
            claimed,
            Parent {
                before: parent(&["Namespace", "ServiceAccount"]),
                after: parent(&["Namespace"]),
                seen: seen.clone()
            }
        );
        // B was deleted by a run that was killed then.
        assert_eq!(
            of(Some(&live), &["Namespace"], &[], false),
            Parent { before: parent(&["Namespace"]), after: None, seen }
        );
        let both = of(Some(&live), &["Unknown"], &[], true);
        assert_eq!(
            (both.before, both.after),
            (parent(&["Namespace", "ServiceAccount", "Unknown"]), parent(&["Unknown"]))
        );
    }

    #[test]
    fn what_cannot_be_read_is_written_anew_and_the_rest_is_kept() {
        let inventory = inventory::of(&Target::Management, "carrier", None);
        let mut live = served(inventory.parent(&kinds(&["Namespace"]), &BTreeSet::new(), Some("old")));
        let annotations =
            |parent: Option<&Value>| parent.map(|p| p["metadata"]["annotations"].clone()).unwrap_or_default();
        let of = |live: &Value, works| {
            Parent::of(&inventory, Some(live), &kinds(&["Namespace"]), &kinds(&[]), &BTreeSet::new(), ("new", works))
        };
        live["metadata"]["annotations"][GROUP_KINDS] = "Namespace, ServiceAccount,,C.!!,.x".into();
        assert_eq!(group_kinds(&live), kinds(&["Namespace", "ServiceAccount"]));
        assert_eq!(annotations(of(&live, true).before.as_ref())[GROUP_KINDS], "Namespace,ServiceAccount");
        live["metadata"]["annotations"][GROUP_KINDS] = "Namespace".into();
        // Somebody else holds it: it is written, so that it can be removed.
        live["metadata"]["annotations"][TAKEN_INVENTORIES] = "{broken".into();
        for works in [true, false] {
            let parent = of(&live, works);
            assert_eq!(annotations(parent.before.as_ref())[TAKEN_INVENTORIES], "", "{works}");
            assert_eq!(annotations(parent.after.as_ref()).get(TAKEN_INVENTORIES), None, "{works}");
            assert!(parent.after.is_some(), "{works}");
        }
        // What somebody else has written does not become carrier's.
        live["metadata"]["annotations"][TAKEN_INVENTORIES] = "applyset-x-v1,{broken".into();
        assert_eq!(annotations(of(&live, true).before.as_ref())[TAKEN_INVENTORIES], "");
        live["metadata"]["annotations"][TAKEN_INVENTORIES] = "applyset-x-v1".into();
        assert_eq!(annotations(of(&live, true).before.as_ref())[TAKEN_INVENTORIES], "");
        assert_eq!(annotations(of(&live, true).after.as_ref()).get(TAKEN_INVENTORIES), None);
        let owned = &mut live["metadata"]["managedFields"][0]["fieldsV1"]["f:metadata"]["f:annotations"];
        owned[format!("f:{TAKEN_INVENTORIES}")] = serde_json::json!({});
        assert_eq!(annotations(of(&live, true).before.as_ref())[TAKEN_INVENTORIES], "applyset-x-v1");
    }

    #[test]
    fn kinds_of_a_newer_version_stay() {
        let inventory = inventory::of(&Target::Management, "carrier", None);
        let mut live = served(inventory.parent(&kinds(&["Namespace", "Unknown"]), &BTreeSet::new(), Some("old")));
        let of = |live: &Value| {
            Parent::of(&inventory, Some(live), &kinds(&["Namespace"]), &kinds(&[]), &BTreeSet::new(), ("new", false))
        };
        let named = |parent: &Parent| parent.before.as_ref().map(group_kinds);
        assert_eq!(of(&live), Parent::default());
        live["metadata"]["annotations"][TOOLING] = "carrier/v999.0.0".into();
        assert_eq!(named(&of(&live)), Some(kinds(&["Namespace", "Unknown"])));
        // A backup tool has restored it.
        live["metadata"]["managedFields"][0]["manager"] = "velero-server".into();
        assert_eq!(named(&of(&live)), Some(kinds(&["Namespace", "Unknown"])));
        // Somebody has edited it.
        for (list, tooling) in [("Namespace,Unknown", "carrier/v"), ("Namespace,,Unknown", "carrier/v999.0.0")] {
            live["metadata"]["annotations"][GROUP_KINDS] = list.into();
            live["metadata"]["annotations"][TOOLING] = match tooling {
                "carrier/v" => format!("{tooling}{}", env!("CARGO_PKG_VERSION")).into(),
                other => other.into(),
            };
            assert_eq!(named(&of(&live)), Some(kinds(&["Namespace"])), "{list} {tooling}");
            // Nor is it written by a run that keeps the list until its deletions are done.
            let (wanted, kept) = (kinds(&["Namespace"]), kinds(&[]));
            let run = Parent::of(&inventory, Some(&live), &wanted, &kept, &BTreeSet::new(), ("new", true));
            assert_eq!(named(&run), Some(kinds(&["Namespace"])), "{list} {tooling}");
        }
    }

    #[test]
    fn a_parent_without_the_identity_of_the_repository_gets_it() {
        let of = |repository| inventory::of(&Target::Management, "carrier", None).held_by(repository);
        let live = served(of(None).parent(&kinds(&["Namespace"]), &BTreeSet::new(), None));
        let again = |repository| {
            Parent::of(
                &of(repository),
                Some(&live),
                &kinds(&["Namespace"]),
                &kinds(&[]),
                &BTreeSet::new(),
                ("r", false),
            )
        };
        assert_eq!(again(None), Parent::default());
        assert_eq!(
            again(Some("me")).before,
            Some(of(Some("me")).parent(&kinds(&["Namespace"]), &BTreeSet::new(), Some("r")))
        );
    }
}
