//! Copies with the marks of sync, and those of them whose tenant object does not exist. Pure.
//!
//! A copy is believed to be without its tenant object only by a complete list of the tenant objects; to have one is
//! the caller's task. Nothing of a copy but its metadata is read.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::cluster::ListSink;
use crate::model::keys::{APPROVED_DELETION, MANAGEMENT_CLUSTER, ORPHANED, SOURCE, SOURCE_UID};
use crate::model::resource::Resource;

/// The level of a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    /// An internal object, in the management cluster.
    Internal,
    /// A service object, in the service cluster.
    Service,
}

/// A copy with our marks.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Copied {
    /// The namespace of the tenant object.
    pub tenant: String,
    /// The name, on all levels.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
    /// Its UID.
    pub uid: String,
    /// Its tenant object was deleted with the policy `Orphan`: it is to stay.
    orphaned: bool,
    /// Its deletion was approved.
    pub approved: bool,
    /// It is being deleted.
    pub deleting: bool,
}

/// A copy whose tenant object does not exist.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Left {
    /// The copy.
    pub copy: Copied,
    /// Its level.
    pub level: Level,
    /// Its kind.
    pub resource: Resource,
    /// It was left behind on purpose, by the policy `Orphan`, and is to stay. Without that it is an orphan.
    pub released: bool,
}

pub(super) fn text<'o>(object: &'o Value, section: &str, key: &str) -> Option<&'o str> {
    object.get("metadata")?.get(section)?.get(key)?.as_str().filter(|text| !text.is_empty())
}

pub(super) fn metadata<'o>(object: &'o Value, key: &str) -> Option<&'o str> {
    object.get("metadata")?.get(key)?.as_str().filter(|text| !text.is_empty())
}

/// The copies of one service, as the objects of a kind are listed.
#[derive(Debug)]
pub(crate) struct Copies {
    level: Level,
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
    pub(crate) fn new(level: Level, resource: &Resource, kind: &str, management: &str, only: Option<&str>) -> Self {
        let (kind, management) = (kind.to_owned(), management.to_owned());
        let only = only.map(str::to_owned);
        Self { level, resource: resource.clone(), kind, management, only, found: Vec::new() }
    }

    /// Takes note of an object, if it is one of these copies.
    pub(crate) fn see(&mut self, object: &Value) {
        let copy = self.read(object);
        self.found.extend(copy);
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
            && (self.level != Level::Internal || namespace == tenant)
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
        self.see(&object);
    }

    fn restart(&mut self) {
        self.found.clear();
    }
}

/// The copies of a service on all levels whose tenant object, by its namespace and name, is not in `present`; sorted.
pub(crate) fn left(present: &BTreeSet<(String, String)>, lists: &[&Copies]) -> Vec<Left> {
    let key = |copy: &Copied| (copy.tenant.clone(), copy.name.clone());
    let without = |level: Option<Level>| {
        let lists = lists.iter().filter(move |list| level.is_none_or(|level| list.level == level));
        let each = lists.flat_map(|list| list.found.iter().map(move |copy| (list, copy)));
        each.filter(|(_, copy)| !present.contains(&key(copy)))
    };
    let above: BTreeSet<_> = without(Some(Level::Internal)).map(|(_, copy)| key(copy)).collect();
    let mut left: Vec<Left> = without(None)
        .map(|(list, copy)| Left {
            level: list.level,
            resource: list.resource.clone(),
            // What was left behind on purpose stays, unless an internal object would take it along.
            released: list.level == Level::Service && copy.orphaned && !above.contains(&key(copy)),
            copy: copy.clone(),
        })
        .collect();
    left.sort();
    left.dedup();
    left
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use serde_json::json;

    pub(crate) const KIND: &str = "redis.eu-west-1.team-a";

    /// A copy of the object `name` of the tenant `team-b`.
    pub(crate) fn copy(namespace: &str, name: &str, change: impl FnOnce(&mut Value)) -> Value {
        let mut object = json!({
            "metadata": {
                "namespace": namespace, "name": name, "uid": format!("uid-{namespace}-{name}"),
                "labels": {MANAGEMENT_CLUSTER: "m"},
                "annotations": {SOURCE: format!("team-b/{KIND}/{name}"), SOURCE_UID: "before"},
            },
            "spec": {"password": "s3cret"},
        });
        change(&mut object);
        object
    }

    pub(crate) fn take<S: ListSink>(mut sink: S, objects: impl IntoIterator<Item = Value>) -> S {
        objects.into_iter().for_each(|object| sink.take(object));
        sink
    }

    pub(crate) fn resource() -> Resource {
        Resource::new("eu-west-1.team-a", "v1", "Redis", "redis", true)
    }

    pub(crate) fn copies(level: Level, objects: impl IntoIterator<Item = Value>) -> Copies {
        take(Copies::new(level, &resource(), KIND, "m", None), objects)
    }

    /// That its deletion leaves it behind.
    pub(crate) fn on_purpose(object: &mut Value) {
        object["metadata"]["annotations"][ORPHANED] = json!("true");
    }

    fn named(left: &[Left]) -> Vec<(Level, &str, bool)> {
        left.iter().map(|one| (one.level, one.copy.name.as_str(), one.released)).collect()
    }

    fn without_any(list: &Copies) -> Vec<Left> {
        left(&BTreeSet::new(), &[list])
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
        assert_eq!(without_any(&copies(Level::Internal, objects)), []);
    }

    #[test]
    fn a_copy_is_left_if_its_tenant_object_is_not_there() {
        let present = BTreeSet::from([("team-b".to_owned(), "there".to_owned())]);
        let internal = copies(Level::Internal, [copy("team-b", "gone", |_| {}), copy("team-b", "there", |_| {})]);
        let below = copies(Level::Service, [copy("team-b-x", "gone", |_| {}), copy("team-b-x", "there", |_| {})]);
        let left = left(&present, &[&internal, &below]);
        assert_eq!(named(&left), [(Level::Internal, "gone", false), (Level::Service, "gone", false)]);
        assert_eq!((left[1].copy.tenant.as_str(), left[1].copy.namespace.as_str()), ("team-b", "team-b-x"));
        assert!(!format!("{below:?}").contains("s3cret"));
    }

    #[test]
    fn what_was_left_behind_on_purpose_is_released_unless_its_internal_object_is_there() {
        let below = copies(Level::Service, ["left", "half"].map(|name| copy("team-b-x", name, on_purpose)));
        let internal = copies(Level::Internal, [copy("team-b", "half", on_purpose)]);
        let left = left(&BTreeSet::new(), &[&internal, &below]);
        let wanted =
            [(Level::Internal, "half", false), (Level::Service, "half", false), (Level::Service, "left", true)];
        assert_eq!(named(&left), wanted);
    }

    #[test]
    fn one_tenant_alone_may_be_meant() {
        let all = |only| {
            let list = Copies::new(Level::Service, &resource(), KIND, "m", only);
            without_any(&take(list, [copy("team-b-x", "a", |_| {})])).len()
        };
        assert_eq!((all(None), all(Some("team-b")), all(Some("team-c"))), (1, 1, 0));
    }
}
