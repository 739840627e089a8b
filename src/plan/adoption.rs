//! Adoption: the repository has an object that exists in the cluster without a mark of carrier's. Applying it makes it a
//! member of the inventory: the roles of the repository apply to it, and `--prune` may delete it later with all that is in
//! it. So it has an effect of its own, and a flag.

use std::collections::BTreeMap;

use serde_json::Value;

use super::inventory::{Inventory, is_shared};
use super::live::{LiveObject, Other, PART_OF};
use super::take_over;
use super::types::{Action, Change, Effect, Reason};
use super::words::{first, full_name};
use crate::model::keys::{MANAGEMENT_CLUSTER, PROVIDER, SERVICE_CLUSTER, TENANT};
use crate::model::managed_fields::Manager;

/// Takes over the named object, which exists and is not carrier's, or all objects of the named inventory.
pub(crate) const ADOPT: &str = "--adopt";
/// Up to so many objects are named one by one in flags and texts.
pub(crate) const FEW: usize = 3;

/// Whether a live object bears a mark of carrier's: carrier has applied it before, or it has the label of this inventory,
/// as after a restore from a backup, or it is the namespace of a tenant that `carrier sync` has made.
#[must_use]
pub(crate) fn is_marked(inventory: &Inventory, live: &LiveObject, wanted: &Value) -> bool {
    let is_applied = || live.managers().any(|manager: Manager<'_>| manager.is_carrier());
    live.part_of() == Some(&inventory.id) || is_applied() || is_of_sync(&live.body, wanted)
}

/// Whether it is the namespace of a tenant with the labels that `carrier sync` gives it, the management cluster among them.
fn is_of_sync(live: &Value, wanted: &Value) -> bool {
    let label = |body: &'_ Value, key: &str| body.pointer("/metadata/labels")?.get(key)?.as_str().map(str::to_owned);
    let is_same = |key: &str| label(wanted, key).is_some_and(|wanted| label(live, key) == Some(wanted));
    [PROVIDER, SERVICE_CLUSTER, TENANT, MANAGEMENT_CLUSTER].into_iter().all(is_same)
}

/// What it means that an object of no inventory becomes a member; `None` for what all repositories share, which belongs to
/// no inventory.
#[must_use]
pub(crate) fn reason(inventory: &Inventory, live: &LiveObject, wanted: &Value) -> Option<Reason> {
    if is_shared(wanted) {
        return None;
    }
    if is_marked(inventory, live, wanted) {
        let text = "it already exists with marks of carrier's, and is added to this inventory".to_owned();
        return Some(Reason { effect: Effect::Safe, text, path: String::new() });
    }
    let text = match wanted.get("kind").and_then(Value::as_str) {
        Some("Namespace") => {
            "it exists and is not carrier's: the roles of the repository will apply to everything in it, and a later `--prune` can delete it with all of that"
        }
        Some("CustomResourceDefinition") => {
            "it exists and is not carrier's: a later `--prune` can delete it with all of its instances"
        }
        _ => "it exists and is not carrier's: a later `--prune` can delete it",
    };
    Some(Reason { effect: Effect::Adopting, text: text.to_owned(), path: String::new() })
}

/// What it means that a member of another inventory becomes one of this inventory.
#[must_use]
pub(crate) fn taken(name: &str, other: Option<&Other>, inventory: &Inventory) -> Reason {
    let theirs =
        other.and_then(|other| other.repository.as_ref()).filter(|id| Some(*id) != inventory.repository.as_ref());
    let whose = theirs.map(|id| format!(" of another repository, {id}")).unwrap_or_default();
    let text = format!("it is taken over from the inventory {name}{whose}");
    Reason { effect: Effect::Adopting, text, path: String::new() }
}

/// `12 objects of the kind Role (a/b, a/c, a/d and 9 more)`, or `12 objects (2 Account, 1 Catalog, 9 Role)`.
#[must_use]
pub(crate) fn heading(changes: &[&Change]) -> String {
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for change in changes {
        *kinds.entry(&change.object.kind).or_default() += 1;
    }
    let all = changes.len();
    match kinds.len() {
        1 => {
            let kind = kinds.into_keys().next().unwrap_or_default();
            format!("{all} objects of the kind {kind} ({})", names(changes))
        }
        _ => {
            let kinds: Vec<String> = kinds.into_iter().map(|(kind, count)| format!("{count} {kind}")).collect();
            format!("{all} objects ({})", kinds.join(", "))
        }
    }
}

fn names(changes: &[&Change]) -> String {
    let names = changes.iter().map(|change| full_name(change.object.namespace.as_deref(), &change.object.name));
    first(names, changes.len(), FEW)
}

/// An entry in a list of the changes of one cluster.
#[derive(Debug, PartialEq)]
pub(crate) enum Entry<'c> {
    /// A change.
    One(&'c Change),
    /// Many objects that are adopted, with the same consequences, and in which nothing else changes.
    Many {
        /// `12 objects (2 Account, 1 Catalog, 9 Role)`.
        heading: String,
        /// Why that is no safe change.
        reason: &'c str,
    },
}

/// The changes of one cluster, with those of many objects that are only adopted in one entry, at the place of the first of
/// them. Namespaces and CRDs have entries of their own: what is in them is taken over, too.
#[must_use]
pub(crate) fn entries<'c>(changes: &[&'c Change]) -> Vec<Entry<'c>> {
    let mut plain: BTreeMap<&str, Vec<&Change>> = BTreeMap::new();
    for change in changes.iter().copied().filter(|change| is_plain(change)) {
        plain.entry(why(change)).or_default().push(change);
    }
    plain.retain(|_, changes| changes.len() > FEW);
    let mut entries = Vec::new();
    for &change in changes {
        match plain.get_mut(why(change)).filter(|_| is_plain(change)) {
            None => entries.push(Entry::One(change)),
            Some(many) if many.is_empty() => {}
            Some(many) => {
                entries.push(Entry::Many { heading: heading(many), reason: why(change) });
                many.clear();
            }
        }
    }
    entries
}

/// What an adoption means. A change can have graver reasons before it.
#[must_use]
pub(crate) fn why(change: &Change) -> &str {
    let reason = change.reasons.iter().find(|reason| reason.effect == Effect::Adopting);
    reason.map_or("", |reason| reason.text.as_str())
}

/// Whether an object only becomes a member of the inventory: it gets the label, and nothing else.
fn is_plain(change: &Change) -> bool {
    let is_label = |field: &super::types::FieldChange| match field.path.strip_prefix("/metadata/labels") {
        Some("") => field
            .after
            .as_ref()
            .and_then(Value::as_object)
            .is_some_and(|labels| field.before.is_none() && labels.len() == 1 && labels.contains_key(PART_OF)),
        Some(rest) => rest.replace("~1", "/") == format!("/{PART_OF}"),
        None => false,
    };
    change.effect == Effect::Adopting
        && change.action == Action::Update
        && change.reasons.len() == 1
        && change.fields.iter().all(|field| is_label(field) || take_over::is_quiet(field))
        && change.access.is_empty()
        && change.conflicts.is_empty()
        && change.refused.is_none()
}
