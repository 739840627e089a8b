//! The Secret of a ServiceCluster: the kubeconfig in it, for the commands and for sync alike.

use serde_json::Value;

use super::error::{ClusterError, ErrorKind};
use super::kubeconfig;
use crate::model::resource::Resource;

/// The keys of a Secret that may hold a kubeconfig: KubeCarrier's, then those of Cluster API and Flux.
const KEYS: [&str; 3] = ["kubeconfig", "value", "value.yaml"];

/// Secrets.
#[must_use]
pub(crate) fn resource() -> Resource {
    Resource::new("", "v1", "Secret", "secrets", true)
}

/// The text of the kubeconfig in a Secret; `named` is what errors call the Secret.
///
/// # Errors
/// When none of the keys is there, or its value is no text.
pub(crate) fn kubeconfig_text(secret: &Value, named: &str) -> Result<String, ClusterError> {
    let unusable = |message| ClusterError::new(ErrorKind::Kubeconfig, message);
    let found = KEYS.iter().find_map(|key| secret.pointer("/data")?.get(*key).and_then(Value::as_str));
    let encoded = found.ok_or_else(|| unusable(format!("{named} has none of the keys {}", KEYS.join(", "))))?;
    kubeconfig::decoded(encoded).ok_or_else(|| unusable(format!("{named} holds no text")))
}
