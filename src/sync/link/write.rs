//! What both keepers share: the write of a status, the time in it, and tasks that end with their owner.

use std::sync::Arc;

use k8s_openapi::jiff::Timestamp;
use serde_json::Value;
use tokio::task::JoinHandle;

use crate::cluster::{ApiRequest, Cluster, ClusterError};
use crate::model::resource::Resource;

/// The field manager of all statuses that sync writes.
pub(super) const STATUS_MANAGER: &str = "carrier-sync-status";

/// Whether this process may write at this moment.
pub(crate) type MayWrite = Arc<dyn Fn() -> bool + Send + Sync>;

/// The time for a condition: seconds, as Kubernetes writes it.
pub(crate) fn now() -> String {
    Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Applies a status; what comes back is the object as it is then.
pub(crate) async fn status(management: &Cluster, resource: &Resource, body: &Value) -> Result<Value, ClusterError> {
    let text = |pointer: &str| body.pointer(pointer).and_then(Value::as_str);
    let (namespace, name) = (text("/metadata/namespace"), text("/metadata/name").unwrap_or_default());
    let apply = ApiRequest::apply(resource, namespace, name, body).subresource("status");
    // The statuses are ours alone, whoever wrote them before.
    management.call(&apply.field_manager(STATUS_MANAGER).force(true)).await
}

/// Whether `new` is an older state of the same object than `old`: a watch may tell what a write has answered already.
pub(super) fn is_older(new: &Value, old: &Value) -> bool {
    let of = |object: &Value, key: &str| Some(object.pointer("/metadata")?.get(key)?.as_str()?.to_owned());
    let version = |object: &Value| of(object, "resourceVersion")?.parse::<u64>().ok();
    match (version(new), version(old)) {
        (Some(new_version), Some(old_version)) => of(new, "uid") == of(old, "uid") && new_version < old_version,
        _ => false,
    }
}

/// A task that ends when this goes.
pub(super) struct Task(JoinHandle<()>);

impl Task {
    /// Starts it.
    pub(super) fn spawn(work: impl Future<Output = ()> + Send + 'static) -> Self {
        Self(tokio::spawn(work))
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}
