//! The parent of an inventory: read before a plan is made, written before and after it is executed.

use serde_json::{Value, json};

use super::object::{held_to, held_to_absent};
use super::{Failure, Run, is_of_cluster};
use crate::cluster::client::Cluster;
use crate::cluster::error::{ClusterError, ErrorKind};
use crate::cluster::request::ApiRequest;
use crate::model::keys::SYSTEM_NAMESPACE;
use crate::model::resource::Resource;
use crate::plan::inventory::Inventory;
use crate::plan::steps::{Operation, Step};
use crate::plan::types::ObjectRef;

/// The parent of an inventory as it is; `None` where there is none yet.
///
/// # Errors
/// When it cannot be read.
pub(crate) async fn parent_of(cluster: &Cluster, inventory: &Inventory) -> Result<Option<Value>, ClusterError> {
    match cluster.call(&ApiRequest::object(&config_maps(), Some(&inventory.namespace), &inventory.name)).await {
        Ok(parent) => Ok(Some(parent)),
        Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn config_maps() -> Resource {
    Resource::new("", "v1", "ConfigMap", "configmaps", true)
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
        let call = ApiRequest::apply(&config_maps(), Some(SYSTEM_NAMESPACE), name, &body).force(true);
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
            reason: error.message.to_string(),
            conflicts: error.conflicts(),
            source: None,
            cluster: is_of_cluster(error),
        });
    }
}
