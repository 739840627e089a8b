//! Which values of an object may be secret, and the object without them.

use serde_json::{Map, Value};

use super::redact::names_credential;

/// The annotation in which `kubectl apply` keeps a copy of the whole object, including secrets.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
/// What is shown instead of a value.
const HIDDEN: &str = "(hidden)";

/// Whether a field with this name holds a secret. `kubeconfigSecret` only refers to a Secret by name.
pub(crate) fn is_secret_key(key: &str) -> bool {
    key == LAST_APPLIED || names_credential(key) && key != "kubeconfigSecret"
}

/// Whether an object has a path and a value for it, as the presets and defaults of a catalog entry do. Tenants do not
/// see these values, and each may be a credential.
pub(crate) fn assigns(entries: &Map<String, Value>) -> bool {
    entries.contains_key("jsonPath") && entries.contains_key("value")
}

/// Whether an object has a value next to a path or a name that names a credential, as an environment variable does.
pub(crate) fn names_secret(entries: &Map<String, Value>) -> bool {
    entries.get("jsonPath").is_some_and(names_secret_path)
        || entries.contains_key("value") && entries.get("name").and_then(Value::as_str).is_some_and(names_credential)
}

/// Whether a field path of a catalog entry names a credential at any step.
fn names_secret_path(path: &Value) -> bool {
    path.as_str().unwrap_or_default().split(['.', '\'', '"', '[', ']']).any(names_credential)
}

/// Whether a value contains a secret at any depth.
pub(crate) fn holds_secret(value: &Value) -> bool {
    match value {
        Value::String(text) => is_private_key(text),
        Value::Array(items) => items.iter().any(holds_secret),
        Value::Object(entries) => {
            assigns(entries)
                || entries.contains_key("value") && names_secret(entries)
                || entries.iter().any(|(key, value)| is_secret_key(key) || holds_secret(value))
        }
        _ => false,
    }
}

/// A copy of a value in which `(hidden)` stands for every value that may be secret.
pub(crate) fn without_secrets(value: &Value) -> Value {
    match value {
        Value::String(text) if is_private_key(text) => Value::from(HIDDEN),
        Value::Array(items) => items.iter().map(without_secrets).collect(),
        Value::Object(entries) => {
            let beside = assigns(entries) || names_secret(entries);
            let entry = |(key, value): (&String, &Value)| {
                let hidden = is_secret_key(key) || beside && key == "value";
                (key.clone(), if hidden { Value::from(HIDDEN) } else { without_secrets(value) })
            };
            Value::Object(entries.iter().map(entry).collect())
        }
        other => other.clone(),
    }
}

fn is_private_key(text: &str) -> bool {
    text.contains("PRIVATE KEY-----")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_copy_has_no_secrets_and_all_else() {
        let object = json!({
            "kind": "X", "spec": {"adminPassword": "s1", "kubeconfigSecret": {"name": "a"}, "size": 3,
                "presets": [{"jsonPath": ".spec.size", "value": {"a": "s2"}}], "deep": [{"token": {"x": "s3"}}],
                "env": [{"name": "DB_PASSWORD", "value": "s4"}, {"name": "LEVEL", "value": "info"}],
                "pem": "-----BEGIN PRIVATE KEY-----\ns5"},
            "metadata": {"annotations": {LAST_APPLIED: "s6"}},
        });
        let copy = without_secrets(&object);
        assert!(holds_secret(&object));
        let shown = json!({
            "kind": "X", "spec": {"adminPassword": HIDDEN, "kubeconfigSecret": {"name": "a"}, "size": 3,
                "presets": [{"jsonPath": ".spec.size", "value": HIDDEN}], "deep": [{"token": HIDDEN}],
                "env": [{"name": "DB_PASSWORD", "value": HIDDEN}, {"name": "LEVEL", "value": "info"}], "pem": HIDDEN},
            "metadata": {"annotations": {LAST_APPLIED: HIDDEN}},
        });
        assert_eq!(copy, shown);
    }
}
