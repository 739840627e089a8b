//! What a snapshot keeps of a CRD (`derivation.md` R12): all of its `spec`, its
//! name, and those labels and annotations that say something about it. What a
//! server adds, and what tools that deliver it note on it, differs from cluster
//! to cluster and would be a change where there is none. The spec is in the one
//! form that servers answer, see [`canonical`].

use serde_json::{Map, Value, json};

use super::canonical::canonical;

/// Annotations and labels of tools, by what their keys' prefix is or ends with.
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
/// Single keys of tools: who delivered the CRD, and requests to write into it.
const KEYS: &[&str] = &["app.kubernetes.io/managed-by", "app.kubernetes.io/instance", "chart", "heritage", "release"];

/// The CRD without what is not its own. What comes out depends on the CRD
/// alone, and stripping it again changes nothing.
#[must_use]
pub fn strip(crd: &Value) -> Value {
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
        // Written by the cluster's certificate manager, anew whenever a certificate is.
        client.remove("caBundle");
    }
    canonical(&mut spec);
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
