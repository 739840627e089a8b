//! What is being deleted in a cluster: the objects of the repository, the members of its inventory, the record of that, and
//! the namespace that it is in.

use std::collections::BTreeSet;

use futures::future::join_all;
use serde_json::{Value, json};

use crate::cluster::apply::parent_of;
use crate::cluster::{ApiRequest, Cluster, ClusterError, ErrorKind, ListSink, Selection, going};
use crate::compile::render::Manifest;
use crate::model::keys::SYSTEM_NAMESPACE;
use crate::model::object::ObjectKey;
use crate::model::resource::Resource;
use crate::plan;
use crate::plan::holder::Record;
use crate::plan::inventory::{Inventory, Ownership, is_shared};
use crate::plan::live::{LiveObject, PART_OF};
use crate::plan::permissions::needs;
use crate::plan::types::{Going, ObjectRef};

/// The record of an inventory, if the repository was applied to the cluster, and if it may be read.
///
/// # Errors
/// When the cluster does not answer.
pub(super) async fn record(cluster: &Cluster, inventory: &Inventory) -> Result<Option<Value>, ClusterError> {
    match parent_of(cluster, inventory).await {
        Ok(parent) => Ok(Record::of(inventory, Ok(parent.as_ref())).parent),
        // If a command needs the permission, it is among the missing ones.
        Err(error) if error.kind == ErrorKind::Forbidden || error.is_absent() => Ok(None),
        Err(error) => Err(error),
    }
}

/// What is being deleted, by name, first what the repository has and what something holds. `manifests` are the objects of
/// the repository; an inventory comes with its record.
///
/// # Errors
/// When the cluster does not answer. What may not be read is left out: if a command needs the permission, it is among the
/// missing ones.
pub(super) async fn find(
    cluster: &Cluster,
    manifests: &[Manifest],
    inventory: Option<(&Inventory, Option<Value>)>,
) -> Result<Vec<Going>, ClusterError> {
    let wanted: BTreeSet<ObjectKey> = manifests.iter().map(|manifest| ObjectKey::from(&manifest.id)).collect();
    let mut found = Vec::new();
    // Those that repositories share have no label of an inventory.
    let shared = manifests.iter().filter(|manifest| is_shared(&manifest.body));
    let shared = shared.filter_map(|manifest| Some((Resource::of(&manifest.id)?, ObjectKey::from(&manifest.id))));
    let mut shared: Vec<(&Resource, ObjectKey)> = shared.collect();
    let system = ObjectKey::of_namespace(SYSTEM_NAMESPACE);
    if !wanted.contains(&system) {
        shared.push((Resource::namespaces(), system));
    }
    for going in join_all(shared.into_iter().map(|(kind, key)| of_shared(cluster, kind, key))).await {
        found.extend(going?);
    }
    if let Some((inventory, record)) = inventory {
        let kinds = needs::kinds(&cluster.target).into_iter();
        for going in join_all(kinds.map(|kind| of_kind(cluster, kind, inventory, &wanted))).await {
            found.extend(going?);
        }
        let name = cluster.target.to_string();
        found.extend(record.and_then(|record| plan::going::of_record(&name, inventory, &record)));
    }
    found.sort_by_cached_key(|one| (!(one.wanted || one.held), one.object.clone()));
    Ok(found)
}

async fn of_shared(cluster: &Cluster, kind: &Resource, key: ObjectKey) -> Result<Option<Going>, ClusterError> {
    let request = ApiRequest::object(kind, key.namespace.as_deref(), &key.name).metadata_only();
    match cluster.call(&request).await {
        Ok(body) => {
            let live = LiveObject { body };
            match live.is_terminating() {
                true => Ok(Some(look(cluster, kind, live.body, true).await)),
                false => Ok(None),
            }
        }
        Err(error) if error.kind == ErrorKind::Forbidden || error.is_absent() => Ok(None),
        Err(error) => Err(error),
    }
}

async fn of_kind(
    cluster: &Cluster,
    kind: &Resource,
    inventory: &Inventory,
    wanted: &BTreeSet<ObjectKey>,
) -> Result<Vec<Going>, ClusterError> {
    let mut sink = Deleted { kind, inventory, found: Vec::new() };
    let selection = Selection::all(kind).labels(&format!("{PART_OF}={}", inventory.id)).metadata_only();
    match cluster.list(&selection, &mut sink).await {
        Ok(_) => {}
        Err(error) if matches!(error.kind, ErrorKind::KindNotFound | ErrorKind::Forbidden) => return Ok(Vec::new()),
        Err(error) => return Err(error),
    }
    let looks = sink.found.into_iter().map(|object| async move {
        let mut going = look(cluster, kind, object, false).await;
        going.wanted = wanted.contains(&ObjectKey::from(&going.object));
        going
    });
    Ok(join_all(looks).await)
}

/// What holds an object. For a namespace and a CRD more than its metadata says it.
async fn look(cluster: &Cluster, kind: &Resource, mut object: Value, wanted: bool) -> Going {
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    let reference = ObjectRef {
        cluster: cluster.target.to_string(),
        api_version: kind.api_version(),
        kind: kind.kind.clone(),
        namespace: text("/metadata/namespace").filter(|_| kind.namespaced),
        name: text("/metadata/name").unwrap_or_default(),
    };
    let mut instances = None;
    if kind == Resource::crds() || kind == Resource::namespaces() {
        let request = ApiRequest::object(kind, None, &reference.name);
        // It may be gone by now; then its metadata says all there is to say.
        if let Ok(whole) = cluster.call(&request).await {
            object = whole;
        }
        if kind == Resource::crds() {
            instances = Some(going::of_crd(cluster, &object).await);
        }
    }
    plan::going::of(reference, &object, wanted, instances.as_ref())
}

/// Takes the members of a list that are being deleted.
struct Deleted<'a> {
    kind: &'a Resource,
    inventory: &'a Inventory,
    found: Vec<Value>,
}

impl ListSink for Deleted<'_> {
    fn take(&mut self, mut object: Value) {
        object["apiVersion"] = json!(self.kind.api_version());
        object["kind"] = json!(self.kind.kind);
        let live = LiveObject { body: object };
        if live.is_terminating() && self.inventory.ownership(&live) == Ownership::Ours {
            self.found.push(live.body);
        }
    }

    fn restart(&mut self) {
        self.found.clear();
    }
}
