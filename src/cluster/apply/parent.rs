//! The parent of an inventory: read before a plan is made, written before and after it is executed.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use serde_json::{Value, json};

use super::object::{held_to, held_to_absent};
use super::outcome::Task;
use super::{Failure, Run, is_of_cluster};
use crate::cluster::client::Cluster;
use crate::cluster::dry_run::refusal;
use crate::cluster::error::{ClusterError, ErrorKind};
use crate::cluster::request::{ApiRequest, Selection};
use crate::cluster::rights::Rights;
use crate::compile::render::Manifest;
use crate::model::keys::SYSTEM_NAMESPACE;
use crate::model::object::ObjectKey;
use crate::model::resource::Resource;
use crate::plan::build::DryRunResult;
use crate::plan::inventory::{ID, Inventory};
use crate::plan::parent::kinds;
use crate::plan::steps::{Operation, Step};
use crate::plan::types::ObjectRef;

/// The kind of the parents of inventories.
static CONFIG_MAPS: LazyLock<Resource> = LazyLock::new(|| Resource::new("", "v1", "ConfigMap", "configmaps", true));

/// The parent of an inventory as it is; `None` where there is none yet.
///
/// # Errors
/// When it cannot be read.
pub(crate) async fn parent_of(cluster: &Cluster, inventory: &Inventory) -> Result<Option<Value>, ClusterError> {
    match cluster.call(&ApiRequest::object(&CONFIG_MAPS, Some(&inventory.namespace), &inventory.name)).await {
        Ok(parent) => Ok(Some(parent)),
        Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// The metadata of the parents of all inventories in a cluster.
///
/// # Errors
/// When they cannot be listed.
pub(crate) async fn parents(cluster: &Cluster) -> Result<Vec<Value>, ClusterError> {
    let selection = Selection::all(&CONFIG_MAPS).within(Some(SYSTEM_NAMESPACE)).labels(ID).metadata_only();
    let mut found = Vec::new();
    cluster.list(&selection, &mut found).await?;
    Ok(found)
}

/// Why the server would not take the parent of an inventory, which every run writes first; `None` if it would, or cannot be
/// asked: the namespace is not there yet, or the account may only plan.
///
/// # Errors
/// When the cluster no longer answers.
pub(crate) async fn parent_refused(
    cluster: &Cluster,
    inventory: &Inventory,
    wanted: &[Manifest],
) -> Result<Option<String>, ClusterError> {
    let body = inventory.parent(&kinds(wanted), &BTreeSet::new(), Some("plan"));
    let call =
        ApiRequest::apply(&CONFIG_MAPS, Some(&inventory.namespace), &inventory.name, &body).force(true).dry_run(true);
    let Err(error) = cluster.call(&call).await else { return Ok(None) };
    if error.kind == ErrorKind::Forbidden {
        let (namespace, name) = (Some(inventory.namespace.clone()), inventory.name.clone());
        let key = ObjectKey { group: String::new(), kind: CONFIG_MAPS.kind.clone(), namespace, name };
        let rights = Rights::new(cluster, std::iter::once((&*CONFIG_MAPS, key.namespace.clone())));
        // Every run needs both verbs, whether the parent is there or not.
        if !rights.lacking(&CONFIG_MAPS, &key, &body, true).await?.is_empty() {
            return Ok(None);
        }
    }
    Ok(match refusal(error)? {
        Some(DryRunResult::Refused(why)) => Some(why),
        _ => None,
    })
}

impl Run<'_> {
    /// Writes the parent of the inventory, and its namespace where that is not there. `seen` is the UID and the version that
    /// must be there; without it the parent must not be there.
    pub(super) async fn apply_parent(&self, parent: &Value, seen: Option<(&str, &str)>) -> Result<Value, ClusterError> {
        let name = parent.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
        let body = match seen {
            Some((uid, version)) => held_to(parent, uid, version),
            None => held_to_absent(parent),
        };
        // It is carrier's own record: what somebody has edited in it must not stop the runs that come.
        let call = ApiRequest::apply(&CONFIG_MAPS, Some(SYSTEM_NAMESPACE), name, &body).force(true);
        match self.work.cluster.call(&call).await {
            Err(error) if error.kind == ErrorKind::NamespaceNotFound => {
                let is_it = |step: &&Step| step.key.kind == "Namespace" && step.key.name == SYSTEM_NAMESPACE;
                let step = self.work.steps.iter().find(is_it);
                let body = match step.map(|step| &step.operation) {
                    Some(Operation::Apply { body, .. }) => Value::clone(body),
                    _ => json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": SYSTEM_NAMESPACE}}),
                };
                let spaces = Resource::namespaces();
                let make = ApiRequest::apply(spaces, None, SYSTEM_NAMESPACE, &body);
                self.work.cluster.call(&make).await?;
                self.state().made_namespace = true;
                self.work.cluster.call(&call).await
            }
            done => done,
        }
    }

    pub(super) fn parent_failed(&self, error: &ClusterError) {
        let parent = self.work.parent.before.as_ref().or(self.work.parent.after.as_ref());
        let name = parent.and_then(|p| p.pointer("/metadata/name")).and_then(Value::as_str).unwrap_or_default();
        let object = ObjectRef {
            cluster: self.name(),
            api_version: "v1".to_owned(),
            kind: "ConfigMap".to_owned(),
            namespace: Some(SYSTEM_NAMESPACE.to_owned()),
            name: name.to_owned(),
        };
        self.fail(Failure {
            object,
            task: Task::Apply,
            reason: error.message.to_string(),
            conflicts: error.conflicts(),
            source: None,
            cluster: is_of_cluster(error),
        });
    }
}
