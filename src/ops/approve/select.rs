//! Which objects of a service wait for an approval. Pure.
//!
//! Of an instance only its metadata and the condition `Synced` are kept; what its owner wrote is dropped as it arrives.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::cluster::ListSink;
use crate::model::keys::{APPROVED_DELETION, FINALIZER, MANAGEMENT_CLUSTER, ORPHANED, SOURCE, SOURCE_UID};
use crate::model::resource::Resource;

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

fn text<'o>(object: &'o Value, section: &str, key: &str) -> Option<&'o str> {
    object.get("metadata")?.get(section)?.get(key)?.as_str().filter(|text| !text.is_empty())
}

fn metadata<'o>(object: &'o Value, key: &str) -> Option<&'o str> {
    object.get("metadata")?.get(key)?.as_str().filter(|text| !text.is_empty())
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

    fn has(&self, copy: &Copied) -> bool {
        self.present.contains(&(copy.tenant.clone(), copy.name.clone()))
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

fn synced(object: &Value) -> Option<String> {
    let list = object.pointer("/status/conditions")?.as_array()?;
    let condition = list.iter().find(|condition| condition.get("type").and_then(Value::as_str) == Some("Synced"))?;
    let part = |key: &str| condition.get(key).and_then(Value::as_str).unwrap_or_default();
    let head = format!("{}/{}", part("status"), part("reason"));
    Some(if part("message").is_empty() { head } else { format!("{head}: {}", part("message")) })
}

/// A copy with our marks.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Copied {
    tenant: String,
    name: String,
    namespace: String,
    uid: String,
    /// Its tenant object was deleted with the policy `Orphan`: it is to stay.
    orphaned: bool,
    approved: bool,
    deleting: bool,
}

/// The copies of one service, as the objects of a kind are listed.
#[derive(Debug)]
pub(super) struct Copies {
    what: What,
    resource: Resource,
    /// The full name of the CRD of the tenant objects.
    kind: String,
    /// The UID of the management cluster.
    management: String,
    only: Option<String>,
    found: Vec<Copied>,
}

impl Copies {
    /// None yet. Objects of the kind `resource` are copies if their marks name a tenant object of the CRD `kind`, this
    /// management cluster, and the tenant `only` if one is given.
    pub(super) fn new(what: What, resource: &Resource, kind: &str, management: &str, only: Option<&str>) -> Self {
        let (kind, management) = (kind.to_owned(), management.to_owned());
        let only = only.map(str::to_owned);
        Self { what, resource: resource.clone(), kind, management, only, found: Vec::new() }
    }

    fn waiting(&self, copy: &Copied) -> Waiting {
        Waiting {
            tenant: copy.tenant.clone(),
            name: copy.name.clone(),
            what: self.what,
            namespace: copy.namespace.clone(),
            uid: copy.uid.clone(),
            since: None,
            synced: None,
            resource: self.resource.clone(),
        }
    }

    /// The copy that an object is, by its marks.
    fn read(&self, object: &Value) -> Option<Copied> {
        let source = text(object, "annotations", SOURCE)?;
        let mut parts = source.splitn(3, '/');
        let (tenant, kind, name) = (parts.next()?, parts.next()?, parts.next()?);
        let namespace = metadata(object, "namespace")?;
        let is_ours = kind == self.kind
            && metadata(object, "name") == Some(name)
            && text(object, "labels", MANAGEMENT_CLUSTER) == Some(&self.management)
            && text(object, "annotations", SOURCE_UID).is_some()
            && (self.what != What::Internal || namespace == tenant)
            && self.only.as_deref().is_none_or(|only| only == tenant);
        if !is_ours {
            return None;
        }
        let uid = metadata(object, "uid")?;
        Some(Copied {
            tenant: tenant.to_owned(),
            name: name.to_owned(),
            namespace: namespace.to_owned(),
            uid: uid.to_owned(),
            orphaned: text(object, "annotations", ORPHANED) == Some("true"),
            approved: text(object, "annotations", APPROVED_DELETION) == Some(uid),
            deleting: metadata(object, "deletionTimestamp").is_some(),
        })
    }
}

impl ListSink for Copies {
    fn take(&mut self, object: Value) {
        let copy = self.read(&object);
        self.found.extend(copy);
    }

    fn restart(&mut self) {
        self.found.clear();
    }
}

/// The copies without a tenant object that wait for an approval. The copies have to be listed before the tenant
/// objects: the other way round, an instance that is created in between would look like an orphan.
pub(super) fn orphans(tenants: &Tenants, internal: &[Copies], copies: &[Copies]) -> Vec<Waiting> {
    let all = |lists: &[Copies]| -> Vec<(Copied, Waiting)> {
        let each = lists.iter().flat_map(|list| list.found.iter().map(|copy| (copy.clone(), list.waiting(copy))));
        each.filter(|(copy, _)| !tenants.has(copy)).collect()
    };
    let internal = all(internal);
    let key = |copy: &Copied| (copy.tenant.clone(), copy.name.clone());
    let above: BTreeSet<_> = internal.iter().map(|(copy, _)| key(copy)).collect();
    // What was left behind on purpose stays, unless an internal object would take it along.
    let copies = all(copies).into_iter().filter(|(copy, _)| !copy.orphaned || above.contains(&key(copy)));
    let each = internal.iter().cloned().chain(copies).filter(|(copy, _)| !copy.deleting && !copy.approved);
    let mut waiting: Vec<Waiting> = each.map(|(_, waiting)| waiting).collect();
    waiting.sort();
    waiting.dedup();
    waiting
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const KIND: &str = "redis.eu-west-1.team-a";

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

    fn copy(namespace: &str, name: &str, change: impl FnOnce(&mut Value)) -> Value {
        let mut object = json!({"metadata": {
            "namespace": namespace, "name": name, "uid": format!("uid-{namespace}-{name}"),
            "labels": {MANAGEMENT_CLUSTER: "m"},
            "annotations": {SOURCE: format!("team-b/{KIND}/{name}"), SOURCE_UID: "before"},
        }});
        change(&mut object);
        object
    }

    fn take<S: ListSink>(mut sink: S, objects: impl IntoIterator<Item = Value>) -> S {
        objects.into_iter().for_each(|object| sink.take(object));
        sink
    }

    fn copies(what: What, objects: impl IntoIterator<Item = Value>) -> [Copies; 1] {
        [take(Copies::new(what, &resource(), KIND, "m", None), objects)]
    }

    fn resource() -> Resource {
        Resource::new("eu-west-1.team-a", "v1", "Redis", "redis", true)
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
        assert_eq!(held.synced.as_deref(), Some("False/DeletionHeld: why"));
        assert_eq!(tenants.waiting[2].synced, None);
        assert!(!format!("{tenants:?}").contains("s3cret"));
    }

    #[test]
    fn copies_wait_whose_tenant_object_is_gone() {
        let tenants = take(none(), [tenant("there", |_| {})]);
        let internal = copies(What::Internal, [copy("team-b", "gone", |_| {}), copy("team-b", "there", |_| {})]);
        let below = copies(
            What::Copy,
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
        let waiting = orphans(&tenants, &internal, &below);
        assert_eq!(named(&waiting), [(What::Copy, "alone"), (What::Internal, "gone"), (What::Copy, "gone")]);
        assert_eq!((waiting[0].tenant.as_str(), waiting[0].namespace.as_str()), ("team-b", "team-b-x"));
        assert_eq!(waiting[0].uid, "uid-team-b-x-alone");
    }

    #[test]
    fn what_does_not_bear_our_marks_is_no_copy() {
        let objects = [
            copy("team-b", "other-cluster", |o| o["metadata"]["labels"] = json!({MANAGEMENT_CLUSTER: "n"})),
            copy("team-b", "no-label", |o| o["metadata"]["labels"] = json!({})),
            copy("team-b", "no-uid", |o| o["metadata"]["annotations"][SOURCE_UID] = json!("")),
            copy("team-b", "other-kind", |o| o["metadata"]["annotations"][SOURCE] = json!("team-b/x.y/other-kind")),
            copy("team-b", "other-name", |o| {
                o["metadata"]["annotations"][SOURCE] = json!(format!("team-b/{KIND}/x"));
            }),
            copy("team-b", "no-source", |o| o["metadata"]["annotations"][SOURCE] = json!("team-b")),
            copy("team-c", "elsewhere", |_| {}),
        ];
        assert_eq!(orphans(&none(), &copies(What::Internal, objects), &[]), []);
    }

    #[test]
    fn what_was_left_behind_on_purpose_stays_unless_its_internal_object_is_there() {
        let left = |name: &str| copy("team-b-x", name, |o| o["metadata"]["annotations"][ORPHANED] = json!("true"));
        let below = copies(What::Copy, [left("left"), left("half")]);
        let internal = copies(What::Internal, [copy("team-b", "half", |_| {})]);
        let waiting = orphans(&none(), &internal, &below);
        assert_eq!(named(&waiting), [(What::Internal, "half"), (What::Copy, "half")]);
    }

    #[test]
    fn one_tenant_alone_may_be_meant() {
        let all = |only| {
            let list = take(Copies::new(What::Copy, &resource(), KIND, "m", only), [copy("team-b-x", "a", |_| {})]);
            orphans(&none(), &[], &[list]).len()
        };
        assert_eq!((all(None), all(Some("team-b")), all(Some("team-c"))), (1, 1, 0));
    }
}
