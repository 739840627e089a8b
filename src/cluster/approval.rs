//! Approving the deletion of one object: an annotation with its UID, which `carrier sync` reads. Nothing is deleted here.

use serde_json::json;

use super::client::Cluster;
use super::error::{ClusterError, ErrorKind};
use super::request::ApiRequest;
use crate::model::keys::APPROVED_DELETION;
use crate::model::resource::Resource;

/// The manager of the annotation.
const MANAGER: &str = "carrier-approve";

/// Approves the deletion of the object with this UID. Returns whether it is there: `false` if it is gone, or another one
/// has its name.
///
/// # Errors
/// When the approval cannot be written.
pub(crate) async fn approve(
    cluster: &Cluster,
    resource: &Resource,
    namespace: Option<&str>,
    name: &str,
    uid: &str,
) -> Result<bool, ClusterError> {
    let mut body = json!({
        "apiVersion": resource.api_version(), "kind": resource.kind,
        "metadata": {"name": name, "uid": uid, "annotations": {APPROVED_DELETION: uid}},
    });
    if let Some(namespace) = namespace {
        body["metadata"]["namespace"] = namespace.into();
    }
    let apply = ApiRequest::apply(resource, namespace, name, &body).field_manager(MANAGER);
    // Whoever wrote another UID there approved another object.
    match cluster.call(&apply.force(true).metadata_only()).await {
        Ok(_) => Ok(true),
        // With a UID in it an apply makes nothing: it is a conflict where the object is another, or is not there.
        Err(error) if error.is_absent() || error.kind == ErrorKind::VersionConflict => Ok(false),
        Err(error) => Err(error),
    }
}
