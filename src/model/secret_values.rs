//! Which values of an object may be secret, and the object without them.

use serde_json::{Map, Value};

use super::redact::{names_credential, names_secret_path};

/// The annotation in which `kubectl apply` keeps a copy of the whole object, including secrets.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
/// What is shown instead of a value.
pub(crate) const HIDDEN: &str = "(hidden)";

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
    entries.get("jsonPath").and_then(Value::as_str).is_some_and(names_secret_path)
        || entries.contains_key("value") && entries.get("name").and_then(Value::as_str).is_some_and(names_credential)
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

/// A copy of a CRD in which `(hidden)` stands for every default in its schemas: those of a catalog entry are written there.
pub(crate) fn without_defaults(value: &Value) -> Value {
    fn of_schema(node: &Value) -> Value {
        match node {
            Value::Array(branches) => branches.iter().map(of_schema).collect(),
            Value::Object(entries) => {
                let entry = |(key, value): (&String, &Value)| {
                    let value = match (key.as_str(), value) {
                        ("default", _) => Value::from(HIDDEN),
                        // Here the keys are names of fields.
                        ("properties", Value::Object(fields)) => {
                            Value::Object(fields.iter().map(|(name, node)| (name.clone(), of_schema(node))).collect())
                        }
                        (_, value) => of_schema(value),
                    };
                    (key.clone(), value)
                };
                Value::Object(entries.iter().map(entry).collect())
            }
            other => other.clone(),
        }
    }
    match value {
        Value::Array(items) => items.iter().map(without_defaults).collect(),
        Value::Object(entries) => {
            let entry = |(key, value): (&String, &Value)| match key.as_str() {
                "openAPIV3Schema" => (key.clone(), of_schema(value)),
                _ => (key.clone(), without_defaults(value)),
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

    #[test]
    fn a_copy_of_a_crd_has_no_defaults_and_all_else() {
        let crd = |text: &str| {
            let field = json!({"type": "string", "default": text, "enum": ["a"]});
            let map = json!({"type": "object", "additionalProperties": {"type": "array", "items": field}});
            let root =
                json!({"properties": {"default": field, "x": map, "y": {"type": "object", "default": {"z": text}}}});
            json!({"kind": "CustomResourceDefinition", "default": 1,
                "spec": {"versions": [{"schema": {"openAPIV3Schema": root}}]}})
        };
        let shown = without_defaults(&crd("hunter2"));
        assert!(!shown.to_string().contains("hunter2"), "{shown}");
        let mut plain = crd(HIDDEN);
        plain["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["y"]["default"] = json!(HIDDEN);
        assert_eq!(shown, plain);
    }
}
