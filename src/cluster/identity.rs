//! Which cluster it is: the UID of its namespace `kube-system`, and its version.

use serde_json::Value;

use super::client::Cluster;
use super::error::{ClusterError, ErrorKind};
use super::request::ApiRequest;
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
    let version = ApiRequest::version();
    let system = ApiRequest::object(Resource::namespaces(), None, "kube-system").metadata_only();
    let (version, system) = tokio::join!(cluster.call(&version), cluster.call(&system));
    let (version, system) = (version?, system?);
    let uid = system.pointer("/metadata/uid").and_then(Value::as_str);
    let uid = uid.filter(|uid| !uid.is_empty() && uid.len() <= 63).ok_or_else(|| {
        ClusterError::new(ErrorKind::BadAnswer, "the namespace `kube-system` has no UID: this is no API server")
    })?;
    // Some distributions write `30+`.
    let digits = |key: &str| {
        let text = version.get(key).and_then(Value::as_str).unwrap_or_default();
        text.chars().take_while(char::is_ascii_digit).collect::<String>()
    };
    Ok(Identity { uid: uid.to_owned(), minor: format!("{}.{}", digits("major"), digits("minor")) })
}
