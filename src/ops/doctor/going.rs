//! What is being deleted in a cluster: the members of the inventory.

use futures::future::join_all;
use serde_json::{Value, json};

use crate::cluster::{ApiRequest, Cluster, ClusterError, ErrorKind, ListSink, Selection, going};
use crate::model::resource::Resource;
use crate::plan;
use crate::plan::inventory::{Inventory, Ownership};
use crate::plan::live::{LiveObject, PART_OF};
use crate::plan::permissions::needs;
use crate::plan::types::{Going, ObjectRef};

/// The members of the inventory that are being deleted, by name.
///
/// # Errors
/// When the cluster does not answer. What may not be listed is left out: if a command needs the permission, it is among the
/// missing ones.
pub(super) async fn members(cluster: &Cluster, inventory: &Inventory) -> Result<Vec<Going>, ClusterError> {
    let kinds: Vec<_> =
        needs::kinds(&cluster.target).into_iter().map(|kind| of_kind(cluster, kind, inventory)).collect();
    let mut found = Vec::new();
    for going in join_all(kinds).await {
        found.extend(going?);
    }
    found.sort();
    Ok(found)
}

async fn of_kind(cluster: &Cluster, kind: &Resource, inventory: &Inventory) -> Result<Vec<Going>, ClusterError> {
    let mut sink = Deleted { kind, inventory, found: Vec::new() };
    let selection = Selection::all(kind).labels(&format!("{PART_OF}={}", inventory.id)).metadata_only();
    match cluster.list(&selection, &mut sink).await {
        Ok(_) => {}
        Err(error) if matches!(error.kind, ErrorKind::KindNotFound | ErrorKind::Forbidden) => return Ok(Vec::new()),
        Err(error) => return Err(error),
    }
    let looks = sink.found.into_iter().map(|object| look(cluster, kind, object));
    Ok(join_all(looks).await)
}

/// What holds a member. For a namespace and a CRD more than its metadata says it.
async fn look(cluster: &Cluster, kind: &Resource, mut object: Value) -> Going {
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
    plan::going::of(reference, &object, false, instances.as_ref())
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
