//! Objects that are being deleted: since when, and what holds them.
//!
//! The API server takes a deletion at once, and keeps the object until its last finalizer is removed; a namespace until
//! nothing is in it, a CRD until it has no instances. Until then the object can neither be applied nor made anew, so it
//! is listed until it is gone, and what needs it waits.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::inventory::Inventory;
use super::live::{LiveCluster, LiveObject};
use super::steps::{prerequisites, served_by};
use super::types::{Going, ObjectRef};
use super::words::{count, first};
use crate::compile::render::Manifest;
use crate::model::keys::SYSTEM_NAMESPACE;
use crate::model::object::ObjectKey;
use crate::model::plain;

/// The finalizers that the controllers of Kubernetes remove by themselves.
const OF_SERVER: [&str; 3] = ["customresourcecleanup.apiextensions.k8s.io", "foregroundDeletion", "orphan"];
/// What a namespace has while its content is being deleted, also if nothing holds that.
const IN_PROGRESS: &str = "NamespaceContentRemaining";
/// The number of names in one line.
const NAMES: usize = 3;

/// The instances that are left of a CRD in deletion.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Instances {
    /// Their number.
    pub count: usize,
    /// The names of the first of them.
    pub first: Vec<String>,
    /// The finalizers that they have.
    pub finalizers: BTreeSet<String>,
    /// Why they could not be listed; `None` if they were.
    pub unknown: Option<String>,
}

/// Whether the namespace of the records of inventories is being deleted in a cluster: no record can be made there, and
/// without its record nothing can be applied.
#[must_use]
pub(crate) fn are_records_held_up(live: &LiveCluster) -> bool {
    live.objects.get(&ObjectKey::of_namespace(SYSTEM_NAMESPACE)).is_some_and(LiveObject::is_terminating)
}

/// Whether it is the namespace of the records of inventories that is being deleted.
#[must_use]
pub(crate) fn holds_up_records(going: &Going) -> bool {
    going.object.kind == "Namespace" && going.object.name == SYSTEM_NAMESPACE
}

/// The record of an inventory, if it is being deleted. It can be written until it is gone, and is made anew then.
#[must_use]
pub(crate) fn of_record(cluster: &str, inventory: &Inventory, record: &Value) -> Option<Going> {
    record.pointer("/metadata/deletionTimestamp")?;
    let object = ObjectRef {
        cluster: cluster.to_owned(),
        api_version: "v1".to_owned(),
        kind: "ConfigMap".to_owned(),
        namespace: Some(inventory.namespace.clone()),
        name: inventory.name.clone(),
    };
    Some(of(object, record, true, None))
}

/// Whether it is the record of an inventory. It is no member of one.
#[must_use]
pub(crate) fn is_record(going: &Going) -> bool {
    going.object.kind == "ConfigMap"
}

/// What a live object in deletion says of it. `instances` are those of a CRD.
#[must_use]
pub(crate) fn of(object: ObjectRef, live: &Value, wanted: bool, instances: Option<&Instances>) -> Going {
    let texts = |pointer: &str| {
        let list = live.pointer(pointer).and_then(Value::as_array);
        list.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect::<Vec<String>>()
    };
    let finalizers = texts("/metadata/finalizers");
    let mut held = finalizers.iter().any(|finalizer| is_foreign(finalizer));
    let mut held_by = Vec::new();
    if let Some(instances) = instances {
        held |= !instances.finalizers.is_empty() || instances.unknown.is_some();
        held_by.extend(of_instances(instances));
    }
    if object.kind == "Namespace" {
        for (kind, message) in conditions(live) {
            held |= kind != IN_PROGRESS;
            held_by.push(format!("the server says {}", plain::quoted(message)));
        }
    }
    let since = live.pointer("/metadata/deletionTimestamp").and_then(Value::as_str).unwrap_or_default().to_owned();
    Going { object, wanted, since, finalizers, held_by, held, waiting: 0 }
}

fn is_foreign(finalizer: &str) -> bool {
    !OF_SERVER.contains(&finalizer)
}

/// What is true of a namespace in deletion, by the kind of the condition.
fn conditions(namespace: &Value) -> impl Iterator<Item = (&str, &str)> {
    let all = namespace.pointer("/status/conditions").and_then(Value::as_array);
    all.into_iter().flatten().filter_map(|condition| {
        let text = |key: &str| condition.get(key).and_then(Value::as_str).unwrap_or_default();
        (text("status") == "True").then(|| (text("type"), text("message")))
    })
}

fn of_instances(instances: &Instances) -> Option<String> {
    if let Some(why) = &instances.unknown {
        return Some(format!("its instances cannot be listed: {why}"));
    }
    if instances.count == 0 {
        return None;
    }
    let names = first(instances.first.iter().map(|name| plain::name(name).into_owned()), instances.count, NAMES);
    let are = if instances.count == 1 { "is" } else { "are" };
    let left = format!("{} {are} left ({names})", count(instances.count, "instance"));
    Some(match holding(instances.finalizers.iter()) {
        Some((finalizers, verb)) => format!("{left}, which {finalizers} {verb}"),
        None => left,
    })
}

/// `the finalizer a`, `the finalizers a, b`, and the verb that follows; `None` without any.
fn holding<'f>(finalizers: impl Iterator<Item = &'f String>) -> Option<(String, &'static str)> {
    let names: Vec<String> = finalizers.map(|name| plain::name(name).into_owned()).collect();
    let (word, verb) = if names.len() == 1 { ("finalizer", "holds") } else { ("finalizers", "hold") };
    let all = names.len();
    (all > 0).then(|| (format!("the {word} {}", first(names, all, NAMES)), verb))
}

/// What holds an object in deletion, in one line.
#[must_use]
pub(crate) fn cause(going: &Going) -> String {
    let foreign = going.finalizers.iter().filter(|finalizer| is_foreign(finalizer));
    let own = holding(foreign).map(|(finalizers, verb)| format!("{finalizers} {verb} it"));
    let all: Vec<String> = own.into_iter().chain(going.held_by.iter().cloned()).collect();
    if all.is_empty() { "the API server has not finished yet".to_owned() } else { all.join("; ") }
}

/// The whole sentence: since when, what holds it, and what comes after it.
#[must_use]
pub(crate) fn sentence(going: &Going) -> String {
    let mut text = format!("is being deleted since {}: {}", going.since, cause(going));
    let then = match (going.wanted, going.waiting) {
        _ if holds_up_records(going) => of_records(going),
        (false, 0) => String::new(),
        (true, 0) => "; the repository has it, so apply again when it is gone".to_owned(),
        (true, waiting) => {
            let what = count(waiting, "object");
            let need = if waiting == 1 { "needs" } else { "need" };
            format!("; the repository has it and {what} that {need} it, so apply again when it is gone")
        }
        (false, waiting) => {
            let what = count(waiting, "object");
            let need = if waiting == 1 { "needs" } else { "need" };
            format!("; the repository has {what} that {need} it, so apply again when it is gone")
        }
    };
    text.push_str(&then);
    text
}

/// What comes of the deletion of the namespace of inventories.
fn of_records(going: &Going) -> String {
    let wait = match going.waiting {
        0 => String::new(),
        1 => " (1 object waits)".to_owned(),
        waiting => format!(" ({waiting} objects wait)"),
    };
    format!(
        "; the record of the inventory is kept in this namespace{wait}: until it is gone, nothing is applied in this cluster \
         and nothing is deleted in any cluster; then apply again"
    )
}

/// What cannot be made while what it needs is being deleted: its namespace, the CRD of its kind, or the namespace of the
/// record of the inventory.
#[derive(Debug)]
pub(crate) struct Waiting<'a> {
    live: &'a LiveCluster,
    records: Option<ObjectKey>,
    served_by: BTreeMap<(String, String), String>,
    counts: BTreeMap<ObjectKey, usize>,
}

impl<'a> Waiting<'a> {
    /// Nothing waits yet. `wanted` are the objects of the repository in the cluster.
    #[must_use]
    pub(crate) fn new(live: &'a LiveCluster, wanted: &[Manifest]) -> Self {
        let records = are_records_held_up(live).then(|| ObjectKey::of_namespace(SYSTEM_NAMESPACE));
        Self { live, records, served_by: served_by(wanted), counts: BTreeMap::new() }
    }

    /// Whether an object has to wait; then it is counted.
    pub(crate) fn takes(&mut self, key: &ObjectKey) -> bool {
        let is_going = |key: &ObjectKey| self.live.objects.get(key).is_some_and(LiveObject::is_terminating);
        let needed = prerequisites(key, &self.served_by).into_iter().find(is_going).or_else(|| self.records.clone());
        let Some(needed) = needed else { return false };
        *self.counts.entry(needed).or_default() += 1;
        true
    }

    /// The number of objects that wait for another.
    #[must_use]
    pub(crate) fn on(&self, key: &ObjectKey) -> usize {
        self.counts.get(key).copied().unwrap_or_default()
    }
}

#[cfg(test)]
#[allow(clippy::needless_pass_by_value, reason = "`json!` is written where it is used")]
mod tests {
    use super::*;
    use serde_json::json;

    fn going(kind: &str, live: Value, instances: Option<&Instances>) -> Going {
        let object = ObjectRef {
            cluster: "management".into(),
            api_version: "v1".into(),
            kind: kind.into(),
            namespace: None,
            name: "a".into(),
        };
        of(object, &live, false, instances)
    }

    fn with(finalizers: &[&str]) -> Value {
        json!({"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z", "finalizers": finalizers}})
    }

    #[test]
    fn a_finalizer_of_somebody_holds_an_object() {
        let account = going("Account", with(&["catalog.kubecarrier.io/account", "x/y"]), None);
        assert!(account.held);
        assert_eq!(cause(&account), "the finalizers catalog.kubecarrier.io/account, x/y hold it");
        let since = "is being deleted since 2026-01-01T00:00:00Z: the finalizer x/y holds it";
        let mut one = going("Account", with(&["x/y"]), None);
        assert_eq!(sentence(&one), since);
        one.wanted = true;
        assert_eq!(sentence(&one), format!("{since}; the repository has it, so apply again when it is gone"));
        one.waiting = 2;
        let needed = "; the repository has it and 2 objects that need it, so apply again when it is gone";
        assert_eq!(sentence(&one), format!("{since}{needed}"));
    }

    #[test]
    fn what_the_server_does_by_itself_holds_nothing() {
        let crd = going("CustomResourceDefinition", with(&[OF_SERVER[0]]), Some(&Instances::default()));
        assert!(!crd.held);
        assert_eq!(cause(&crd), "the API server has not finished yet");
        let namespace = going("Namespace", with(&[]), None);
        assert!(!namespace.held);
    }

    #[test]
    fn a_crd_is_held_by_the_finalizers_of_its_instances() {
        let left = Instances {
            count: 4,
            first: ["t/a", "t/b", "t/c", "t/d"].map(str::to_owned).into(),
            finalizers: ["carrier.kubecarrier.io/sync".to_owned()].into(),
            unknown: None,
        };
        let crd = going("CustomResourceDefinition", with(&[OF_SERVER[0]]), Some(&left));
        assert!(crd.held);
        let expected =
            "4 instances are left (t/a, t/b, t/c and 1 more), which the finalizer carrier.kubecarrier.io/sync holds";
        assert_eq!(cause(&crd), expected);
        let unknown = Instances { unknown: Some("forbidden".into()), ..Instances::default() };
        let crd = going("CustomResourceDefinition", with(&[]), Some(&unknown));
        assert!(crd.held && cause(&crd) == "its instances cannot be listed: forbidden", "{crd:?}");
    }

    #[test]
    fn a_namespace_says_what_is_left_in_it() {
        let with = |kind: &str, status: &str| {
            let condition = json!({"type": kind, "status": status, "message": "x in 1 resource instances"});
            going("Namespace", json!({"metadata": {}, "status": {"conditions": [condition]}}), None)
        };
        let remaining = with("NamespaceContentRemaining", "True");
        assert!(!remaining.held, "pods take their time");
        assert_eq!(cause(&remaining), "the server says “x in 1 resource instances”");
        assert!(with("NamespaceFinalizersRemaining", "True").held);
        assert!(with("NamespaceDeletionDiscoveryFailure", "True").held);
        assert_eq!(with("NamespaceFinalizersRemaining", "False").held_by, Vec::<String>::new());
    }
}
