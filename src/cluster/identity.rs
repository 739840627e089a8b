//! Which cluster it is: the UID of its namespace `kube-system`, and its version.

use serde_json::Value;

use super::client::Cluster;
use super::error::{ClusterError, ErrorKind};
use super::request::ApiRequest;
use crate::model::names;
use crate::model::resource::Resource;

/// Who a cluster is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    /// UID of the namespace `kube-system`.
    pub uid: String,
    /// Its minor version, such as `1.37`.
    pub minor: String,
}

/// Asks a cluster who it is. Two requests.
///
/// # Errors
/// When it cannot be reached, or may not be asked.
pub(crate) async fn identify(cluster: &Cluster) -> Result<Identity, ClusterError> {
    let (version, uid) = tokio::join!(version(cluster), uid(cluster));
    let (version, uid) = (version?, uid?);
    // Some distributions write `30+`.
    let digits = |key: &str| {
        let text = version.get(key).and_then(Value::as_str).unwrap_or_default();
        text.chars().take_while(char::is_ascii_digit).collect::<String>()
    };
    Ok(Identity { uid, minor: format!("{}.{}", digits("major"), digits("minor")) })
}

/// The UID of the namespace `kube-system`. It ends in labels and in commands that people copy, so it has to be a value
/// of a label.
///
/// # Errors
/// When the cluster cannot be reached, or may not be asked.
pub(crate) async fn uid(cluster: &Cluster) -> Result<String, ClusterError> {
    let system = ApiRequest::object(Resource::namespaces(), None, "kube-system").metadata_only();
    let system = cluster.call(&system).await?;
    let uid = system.pointer("/metadata/uid").and_then(Value::as_str);
    let uid = uid.filter(|uid| !uid.is_empty() && names::label_value(uid).is_ok());
    uid.map(str::to_owned).ok_or_else(|| {
        ClusterError::new(ErrorKind::BadAnswer, "the namespace `kube-system` has no UID: this is no API server")
    })
}

/// The answer to `/version`, as it is.
///
/// # Errors
/// When the cluster cannot be reached.
pub(crate) async fn version(cluster: &Cluster) -> Result<Value, ClusterError> {
    cluster.call(&ApiRequest::version()).await
}
