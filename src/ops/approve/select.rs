//! Which objects of a service wait for an approval. Pure.
//!
//! Of an instance only its metadata and the condition `Synced` are kept; what its owner wrote is dropped as it arrives.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::cluster::ListSink;
use crate::model::keys::{APPROVED_DELETION, FINALIZER};
use crate::model::plain;
use crate::model::resource::Resource;
use crate::ops::copies::{Copies, Left, Level, left, metadata, text};
use crate::ops::synced::SyncedCondition;

/// What waits for an approval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum What {
    /// A tenant object in deletion.
    Tenant,
    /// An internal object whose tenant object is gone.
    Internal,
    /// A copy in the service cluster whose tenant object is gone.
    Copy,
}

/// An object that waits for an approval.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Waiting {
    /// The tenant: the namespace of the tenant object, also where that is gone.
    pub tenant: String,
    /// The name, on all levels.
    pub name: String,
    /// What it is.
    pub what: What,
    /// Its namespace.
    pub namespace: String,
    /// Its UID: what is approved is this object and no other of its name.
    pub uid: String,
    /// Since when it is in deletion, as the API server wrote it; of tenant objects.
    pub since: Option<String>,
    /// What its condition `Synced` says, as `Status/Reason: message`; of tenant objects.
    pub synced: Option<String>,
    /// Its kind.
    pub resource: Resource,
}

/// The tenant objects of a service, as they are listed.
#[derive(Debug)]
pub(super) struct Tenants {
    resource: Resource,
    present: BTreeSet<(String, String)>,
    /// Those that wait for an approval.
    pub waiting: Vec<Waiting>,
}

impl Tenants {
    /// None yet, of this kind.
    pub(super) fn new(resource: &Resource) -> Self {
        Self { resource: resource.clone(), present: BTreeSet::new(), waiting: Vec::new() }
    }
}

impl ListSink for Tenants {
    fn take(&mut self, object: Value) {
        let (Some(namespace), Some(name), Some(uid)) =
            (metadata(&object, "namespace"), metadata(&object, "name"), metadata(&object, "uid"))
        else {
            return;
        };
        self.present.insert((namespace.to_owned(), name.to_owned()));
        let finalizers = object.pointer("/metadata/finalizers").and_then(Value::as_array);
        let is_ours = finalizers.into_iter().flatten().any(|finalizer| finalizer == FINALIZER);
        let is_approved = text(&object, "annotations", APPROVED_DELETION) == Some(uid);
        let Some(since) = metadata(&object, "deletionTimestamp").filter(|_| is_ours && !is_approved) else { return };
        self.waiting.push(Waiting {
            tenant: namespace.to_owned(),
            name: name.to_owned(),
            what: What::Tenant,
            namespace: namespace.to_owned(),
            uid: uid.to_owned(),
            since: Some(since.to_owned()),
            synced: synced(&object),
            resource: self.resource.clone(),
        });
    }

    fn restart(&mut self) {
        self.present.clear();
        self.waiting.clear();
    }
}

/// What the condition says, as `Status/Reason: message`.
fn synced(object: &Value) -> Option<String> {
    let synced = SyncedCondition::of(object)?;
    Some(if synced.message.is_empty() {
        synced.to_string()
    } else {
        format!("{synced}: {}", plain::quoted(&synced.message))
    })
}

/// The copies without a tenant object that wait for an approval. The copies have to be listed before the tenant
/// objects: the other way round, an instance that is created in between would look like an orphan.
pub(super) fn orphans(tenants: &Tenants, copies: &[&Copies]) -> impl Iterator<Item = Waiting> {
    let left = left(&tenants.present, copies).into_iter();
    left.filter(|one| !one.released && !one.copy.deleting && !one.copy.approved).map(
        |Left { copy, level, resource, .. }| Waiting {
            tenant: copy.tenant,
            name: copy.name,
            what: match level {
                Level::Internal => What::Internal,
                Level::Service => What::Copy,
            },
            namespace: copy.namespace,
            uid: copy.uid,
            since: None,
            synced: None,
            resource,
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::copies::tests::{copies, copy, on_purpose, resource, take};
    use serde_json::json;

    fn tenant(name: &str, change: impl FnOnce(&mut Value)) -> Value {
        let mut object = json!({
            "metadata": {"namespace": "team-b", "name": name, "uid": format!("uid-{name}"), "finalizers": [FINALIZER],
                "deletionTimestamp": "2026-01-02T03:04:05Z"},
            "spec": {"password": "s3cret"},
            "status": {"conditions": [{"type": "Synced", "status": "False", "reason": "DeletionHeld", "message": "why"}]},
        });
        change(&mut object);
        object
    }

    fn none() -> Tenants {
        Tenants::new(&resource())
    }

    fn named(waiting: &[Waiting]) -> Vec<(What, &str)> {
        waiting.iter().map(|one| (one.what, one.name.as_str())).collect()
    }

    #[test]
    fn tenant_objects_wait_that_are_in_deletion_held_by_sync_and_not_approved() {
        let objects = [
            tenant("held", |_| {}),
            tenant("alive", |o| drop(o["metadata"].as_object_mut().unwrap().remove("deletionTimestamp"))),
            tenant("others", |o| o["metadata"]["finalizers"] = json!(["example.com/x"])),
            tenant("approved", |o| o["metadata"]["annotations"] = json!({APPROVED_DELETION: "uid-approved"})),
            tenant("before", |o| o["metadata"]["annotations"] = json!({APPROVED_DELETION: "uid-of-an-earlier-one"})),
            tenant("silent", |o| drop(o.as_object_mut().unwrap().remove("status"))),
        ];
        let tenants = take(none(), objects);
        assert_eq!(
            named(&tenants.waiting),
            [(What::Tenant, "held"), (What::Tenant, "before"), (What::Tenant, "silent")]
        );
        let held = &tenants.waiting[0];
        assert_eq!((held.since.as_deref(), held.uid.as_str()), (Some("2026-01-02T03:04:05Z"), "uid-held"));
        assert_eq!(held.synced.as_deref(), Some("False/DeletionHeld: “why”"));
        assert_eq!(tenants.waiting[2].synced, None);
        assert!(!format!("{tenants:?}").contains("s3cret"));
    }

    #[test]
    fn copies_wait_whose_tenant_object_is_gone() {
        let tenants = take(none(), [tenant("there", |_| {})]);
        let internal = copies(Level::Internal, [copy("team-b", "gone", |_| {}), copy("team-b", "there", |_| {})]);
        let below = copies(
            Level::Service,
            [
                copy("team-b-x", "gone", |_| {}),
                copy("team-b-x", "there", |_| {}),
                copy("team-b-x", "alone", |_| {}),
                copy("team-b-x", "going", |o| o["metadata"]["deletionTimestamp"] = json!("2026-01-02T03:04:05Z")),
                copy("team-b-x", "approved", |o| {
                    o["metadata"]["annotations"][APPROVED_DELETION] = json!("uid-team-b-x-approved");
                }),
            ],
        );
        let waiting: Vec<Waiting> = orphans(&tenants, &[&internal, &below]).collect();
        assert_eq!(named(&waiting), [(What::Copy, "alone"), (What::Internal, "gone"), (What::Copy, "gone")]);
        assert_eq!((waiting[0].tenant.as_str(), waiting[0].namespace.as_str()), ("team-b", "team-b-x"));
        assert_eq!(waiting[0].uid, "uid-team-b-x-alone");
    }

    #[test]
    fn what_was_left_behind_on_purpose_stays_unless_its_internal_object_is_there() {
        let below = copies(Level::Service, ["left", "half"].map(|name| copy("team-b-x", name, on_purpose)));
        let internal = copies(Level::Internal, [copy("team-b", "half", |_| {})]);
        let waiting: Vec<Waiting> = orphans(&none(), &[&internal, &below]).collect();
        assert_eq!(named(&waiting), [(What::Internal, "half"), (What::Copy, "half")]);
    }
}
