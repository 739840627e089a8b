//! The parts of a CRD that a snapshot keeps (`derivation.md` R12): its `spec`, its name, and the labels and
//! annotations that belong to the CRD itself. Fields of the server and notes of deployment tools differ between
//! clusters and would look like changes. The spec is in the form in which servers store it, see [`decode`].

use serde_json::{Map, Value, json};

use crate::compile::validity::decode;

/// Prefixes of annotations and labels of tools, also as the end of a prefix.
const TOOLS: &[&str] = &[
    "helm.sh",
    "argoproj.io",
    "fluxcd.io",
    "operatorframework.io",
    "operators.coreos.com",
    "cattle.io",
    "k14s.io",
    "openshift.io",
    "applyset.kubernetes.io",
    "config.kubernetes.io",
    "config.k8s.io",
    "kubectl.kubernetes.io",
    "kpt.dev",
    "kapp.carvel.dev",
];
/// Single keys of tools: who deployed the CRD, and requests to write into it.
const KEYS: &[&str] = &["app.kubernetes.io/managed-by", "app.kubernetes.io/instance", "chart", "heritage", "release"];

/// The CRD without everything that is not its own. The result depends on the CRD alone, and stripping it again
/// changes nothing.
#[must_use]
pub fn strip(crd: &Value) -> Value {
    strip_decoded(&decode(crd).crd)
}

/// The same of a CRD that was decoded already.
#[must_use]
pub(crate) fn strip_decoded(crd: &Value) -> Value {
    let mut metadata = Map::new();
    if let Some(name) = crd.pointer("/metadata/name") {
        metadata.insert("name".to_owned(), name.clone());
    }
    for key in ["labels", "annotations"] {
        let kept: Map<String, Value> = crd
            .pointer(&format!("/metadata/{key}"))
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
            .filter(|(name, value)| value.is_string() && !of_a_tool(name))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        if !kept.is_empty() {
            metadata.insert(key.to_owned(), Value::Object(kept));
        }
    }
    let mut spec = crd.get("spec").cloned().unwrap_or_else(|| json!({}));
    if let Some(Value::Object(client)) = spec.pointer_mut("/conversion/webhook/clientConfig") {
        // The cluster's certificate manager writes it, and changes it with each certificate.
        client.remove("caBundle");
    }
    json!({
        "apiVersion": crd.get("apiVersion").cloned().unwrap_or_default(),
        "kind": crd.get("kind").cloned().unwrap_or_default(),
        "metadata": metadata,
        "spec": spec,
    })
}

fn of_a_tool(key: &str) -> bool {
    if KEYS.contains(&key) {
        return true;
    }
    let (prefix, name) = key.split_once('/').unwrap_or(("", key));
    // `olm.owner` and `olm.managed` have no prefix.
    if prefix.is_empty() {
        return name.starts_with("olm.");
    }
    // cert-manager's other keys are a CRD's own; these ask it to write a certificate.
    if prefix == "cert-manager.io" {
        return name.starts_with("inject-");
    }
    TOOLS.iter().any(|tool| prefix.strip_suffix(tool).is_some_and(|rest| rest.is_empty() || rest.ends_with('.')))
}
