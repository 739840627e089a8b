//! The way to a service cluster without a repository: by the Secret that its ServiceCluster in the management cluster
//! names, and only if it is the cluster that sync has recorded.

use serde_json::Value;

use crate::cluster::connect::Connector;
use crate::cluster::{ApiRequest, Cluster, ClusterError, ErrorKind, identity};
use crate::model::cluster::ClusterId;
use crate::model::keys::ACCEPT_IDENTITY;
use crate::model::resource::Resource;

/// Why a service cluster is not asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unreached {
    /// Why, one sentence without a trailing dot.
    pub why: String,
    /// Whether it is another cluster than sync has recorded.
    pub is_other_cluster: bool,
}

impl Unreached {
    /// It is not asked, for this reason.
    pub(super) fn new(why: impl Into<String>) -> Self {
        Self { why: why.into(), is_other_cluster: false }
    }

    /// Its ServiceCluster cannot be read.
    pub(super) fn without_object(error: &ClusterError) -> Self {
        match error.is_absent() {
            true => Self::new("the management cluster has no such ServiceCluster"),
            false => Self::new(error.message.clone()),
        }
    }
}

/// The ServiceCluster of a service cluster.
///
/// # Errors
/// When it is not there or cannot be read.
pub(super) async fn object(management: &Cluster, id: &ClusterId) -> Result<Value, ClusterError> {
    let absent = || ClusterError::new(ErrorKind::KindNotFound, "there are no ServiceClusters");
    let resource = Resource::rendered_kind("ServiceCluster").ok_or_else(absent)?;
    management.call(&ApiRequest::object(resource, Some(&id.provider), &id.cluster)).await
}

/// The service cluster of a ServiceCluster.
///
/// # Errors
/// When its Secret cannot be read or used, it does not answer, or it is another cluster than sync has recorded and
/// nobody has accepted that.
pub(super) async fn by_object(
    connector: &Connector<'_>,
    management: &Cluster,
    id: &ClusterId,
    object: &Value,
) -> Result<Cluster, Unreached> {
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str);
    let failed = |error: ClusterError| Unreached::new(error.message);
    let secret = text("/spec/kubeconfigSecret/name").ok_or_else(|| Unreached::new("it names no Secret"))?;
    let cluster = connector.by_secret(id, secret, management).await.map_err(failed)?;
    let uid = identity::uid(&cluster).await.map_err(failed)?;
    let accepted = object.pointer("/metadata/annotations").and_then(|all| all.get(ACCEPT_IDENTITY)?.as_str());
    match text("/status/clusterUID") {
        Some(recorded) if recorded != uid && accepted != Some(&uid) => {
            let why = format!("it is another cluster: its UID is {uid}, and sync has recorded {recorded}");
            Err(Unreached { why, is_other_cluster: true })
        }
        _ => Ok(cluster),
    }
}
