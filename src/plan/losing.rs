//! Access to living instances that a change takes away without deleting anything: the role of a tenant changes to another
//! kind, because its service was renamed or its catalog objects were made anew, and the instances of the old kind stay.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::access_change::rules;
use super::inventory::Inventory;
use super::live::LiveCluster;
use super::steps::crd_key;
use super::types::{AccessChange, Change, Effect, Impact, Reason};
use super::words::{count, first};
use crate::compile::render::Manifest;
use crate::model::keys::SYNC_ROLE;
use crate::model::kinds::table::{CATALOG_GROUP, CORE_GROUP};
use crate::model::object::ObjectKey;
use crate::model::plain;

/// So many subjects are named.
const NAMED: usize = 3;

/// The kinds of services that a Role no longer allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Lost {
    /// The Role.
    pub role: ObjectKey,
    /// The CRDs of the kinds.
    pub crds: Vec<ObjectKey>,
}

/// The Roles that lose the access to kinds of services. Left out is what the plan says elsewhere: an offer, a CRD or a
/// namespace that it deletes.
#[must_use]
pub(crate) fn lost(wanted: &[Manifest], inventory: &Inventory, live: &LiveCluster, prune: bool) -> Vec<Lost> {
    let bodies: BTreeMap<ObjectKey, &Value> =
        wanted.iter().map(|manifest| (ObjectKey::from(&manifest.id), &*manifest.body)).collect();
    let members = live.objects.iter().filter(|(_, object)| inventory.is_member(object));
    let going: BTreeSet<&ObjectKey> =
        members.clone().map(|(key, _)| key).filter(|key| prune && !bodies.contains_key(*key)).collect();
    // From the last, so that the first of several Offerings of one kind counts.
    let offerings = live.objects.iter().rev().filter(|(key, _)| key.is(CATALOG_GROUP, "Offering"));
    let offers: BTreeMap<(&str, &str), &ObjectKey> = offerings
        .filter_map(|(key, object)| {
            let crd = object.body.pointer("/spec/crd/name").and_then(Value::as_str)?;
            Some(((key.namespace.as_deref()?, crd), key))
        })
        .collect();
    let roles = members.filter(|(key, _)| key.kind == "Role" && !key.name.starts_with(SYNC_ROLE));
    let lost = roles.filter_map(|(role, object)| {
        let namespace = role.namespace.as_deref()?;
        let will = match bodies.get(role) {
            Some(body) => rules(body),
            None if going.contains(role) => BTreeSet::new(),
            None => return None,
        };
        let is_told = |crd: &str| {
            let told = [crd_key(crd), ObjectKey::of_namespace(namespace)];
            told.iter().any(|key| going.contains(key))
                || offers.get(&(namespace, crd)).is_some_and(|key| going.contains(*key))
        };
        let names: BTreeSet<String> = rules(&object.body)
            .into_iter()
            .filter(|right| right.1.is_none() && right.2 == "get" && !will.contains(right))
            .map(|(resource, ..)| resource)
            .collect();
        let crds = names.into_iter().filter(|name| !is_told(name)).map(|name| crd_key(&name));
        // The objects of the catalog, which the Role of an account allows to look at, are carrier's own.
        let is_of_service = |key: &ObjectKey| {
            let group = key.name.split_once('.').map_or("", |(_, group)| group);
            group != CATALOG_GROUP && group != CORE_GROUP && live.objects.contains_key(key)
        };
        let crds: Vec<ObjectKey> = crds.filter(is_of_service).collect();
        (!crds.is_empty()).then(|| Lost { role: role.clone(), crds })
    });
    lost.collect()
}

/// Adds to the changes of Roles, whose access is known, what they take away. `impacts` are the instances of what each Role
/// no longer allows.
pub(crate) fn add(changes: &mut [&mut Change], lost: &[Lost], impacts: &BTreeMap<ObjectKey, Impact>) {
    let mut access: BTreeMap<Option<&str>, Vec<&AccessChange>> = BTreeMap::new();
    for one in changes.iter().flat_map(|change| &change.access) {
        access.entry(one.namespace.as_deref()).or_default().push(one);
    }
    let losers: Vec<BTreeSet<String>> = lost
        .iter()
        .map(|Lost { role, crds }| losers(access.get(&role.namespace.as_deref()).map_or(&[], Vec::as_slice), crds))
        .collect();
    let mut changes: BTreeMap<ObjectKey, &mut Change> =
        changes.iter_mut().map(|change| (ObjectKey::from(&change.object), &mut **change)).collect();
    for (Lost { role, .. }, losers) in lost.iter().zip(losers) {
        let Some(change) = changes.get_mut(role) else { continue };
        // Another role may give the same.
        change.impact = None;
        let impact = impacts.get(role).filter(|impact| impact.instances > 0 || impact.unchecked.is_some());
        let Some(impact) = impact.filter(|_| !losers.is_empty()) else { continue };
        let who = first(losers.iter().cloned(), losers.len(), NAMED);
        let what = match impact.unchecked {
            Some(_) => "instances that could not be counted".to_owned(),
            None => count(impact.instances, "instance"),
        };
        let text = format!("{who} can no longer use {what} of a service that stays");
        change.reasons.insert(0, Reason { effect: Effect::Breaking, text, path: String::new() });
        change.effect = change.effect.max(Effect::Breaking);
        change.impact = Some(impact.clone());
    }
}

/// Who loses the access to kinds in a namespace, by a role or by a binding that goes with it.
fn losers(access: &[&AccessChange], crds: &[ObjectKey]) -> BTreeSet<String> {
    let is_meant = |text: &String| text.split([' ', ',']).any(|word| crds.iter().any(|crd| crd.name == word));
    let losing = access.iter().filter(|access| access.loses.iter().any(is_meant));
    losing.map(|access| plain::line(&access.subject).into_owned()).collect()
}
