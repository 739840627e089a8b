//! Generates the CustomResourceDefinitions of the KubeCarrier kinds from their Rust types.

use serde_json::{Value, json};

use super::structural::object_schema;
use super::table::{KINDS, KindInfo, Scope};

/// The CRDs of all kinds, in the order of [`KINDS`].
#[must_use]
pub fn crds() -> Vec<Value> {
    KINDS.iter().map(|info| crd(info)).collect()
}

/// The CRD of one kind.
#[must_use]
pub(crate) fn crd(info: &KindInfo) -> Value {
    let mut names = json!({
        "kind": info.kind,
        "listKind": format!("{}List", info.kind),
        "plural": info.plural,
        "singular": info.singular,
    });
    if !info.short_names.is_empty() {
        names["shortNames"] = json!(info.short_names);
    }
    if !info.categories.is_empty() {
        names["categories"] = json!(info.categories);
    }
    let columns: Vec<Value> =
        info.columns.iter().map(|c| json!({ "name": c.name, "type": c.type_, "jsonPath": c.json_path })).collect();
    let mut version = json!({
        "name": info.version,
        "served": true,
        "storage": true,
        "schema": { "openAPIV3Schema": object_schema(info) },
        "additionalPrinterColumns": columns,
    });
    if info.has_status() {
        version["subresources"] = json!({ "status": {} });
    }
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": { "name": info.crd_name() },
        "spec": {
            "group": info.group,
            "names": names,
            "scope": match info.scope {
                Scope::Cluster => "Cluster",
                Scope::Namespaced => "Namespaced",
            },
            "versions": [version],
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks the rules of structural schemas that a bug in the generator would most likely
    /// violate. `tests/servers` checks the CRDs against an API server.
    fn assert_structural(schema: &Value, path: &str, faults: &mut Vec<String>) {
        const KNOWN: &[&str] = &[
            "type",
            "description",
            "properties",
            "items",
            "additionalProperties",
            "required",
            "enum",
            "minLength",
            "maxLength",
            "minItems",
            "maxItems",
            "minProperties",
            "pattern",
            "format",
            "default",
            "x-kubernetes-preserve-unknown-fields",
            "x-kubernetes-validations",
            "x-kubernetes-list-type",
            "x-kubernetes-list-map-keys",
        ];
        let Some(map) = schema.as_object() else {
            faults.push(format!("{path}: {schema} is not a schema"));
            return;
        };
        for key in map.keys().filter(|k| !KNOWN.contains(&k.as_str())) {
            faults.push(format!("{path}: keyword {key}"));
        }
        let free = map.contains_key("x-kubernetes-preserve-unknown-fields");
        if !free && !map.get("type").is_some_and(Value::is_string) {
            faults.push(format!("{path}: no type"));
        }
        if map.contains_key("properties") && map.contains_key("additionalProperties") {
            faults.push(format!("{path}: properties beside additionalProperties"));
        }
        for (name, child) in map.get("properties").and_then(Value::as_object).into_iter().flatten() {
            assert_structural(child, &format!("{path}.{name}"), faults);
        }
        for keyword in ["items", "additionalProperties"] {
            if let Some(child) = map.get(keyword) {
                assert_structural(child, &format!("{path}[{keyword}]"), faults);
            }
        }
    }

    #[test]
    fn schemas_are_structural() {
        let mut faults = Vec::new();
        for crd in crds() {
            let name = crd["metadata"]["name"].as_str().expect("a name").to_owned();
            assert_structural(&crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"], &name, &mut faults);
        }
        assert!(faults.is_empty(), "{faults:#?}");
    }

    #[test]
    fn descriptions_are_short() {
        fn walk(value: &Value, longest: &mut String) {
            match value {
                Value::Object(map) => {
                    if let Some(Value::String(text)) = map.get("description")
                        && text.len() > longest.len()
                    {
                        longest.clone_from(text);
                    }
                    map.values().for_each(|v| walk(v, longest));
                }
                Value::Array(items) => items.iter().for_each(|v| walk(v, longest)),
                _ => {}
            }
        }
        let mut longest = String::new();
        for crd in crds() {
            walk(&crd, &mut longest);
        }
        assert!(longest.len() <= 120, "{longest}");
        assert!(!longest.contains('\n'));
    }

    #[test]
    fn names_and_columns_match_kubecarrier() {
        let rows: Vec<String> = crds()
            .iter()
            .map(|crd| {
                let spec = &crd["spec"];
                let version = &spec["versions"][0];
                let columns: Vec<String> = version["additionalPrinterColumns"]
                    .as_array()
                    .expect("columns")
                    .iter()
                    .map(|c| {
                        format!("{} <- {}", c["name"].as_str().unwrap_or("?"), c["jsonPath"].as_str().unwrap_or("?"))
                    })
                    .collect();
                format!(
                    "{} {} {} {} status={} | {}",
                    crd["metadata"]["name"].as_str().unwrap_or("?"),
                    spec["scope"].as_str().unwrap_or("?"),
                    spec["names"]["shortNames"],
                    spec["names"]["categories"],
                    version["subresources"]["status"].is_object(),
                    columns.join("; "),
                )
            })
            .collect();
        let status = "Status <- .status.phase";
        let shown = "Display Name <- .spec.metadata.displayName";
        let age = "Age <- .metadata.creationTimestamp";
        let provider = r#"["all","kubecarrier-provider"]"#;
        let tenant = r#"["all","kubecarrier-tenant"]"#;
        assert_eq!(
            rows,
            [
                format!(
                    r#"accounts.catalog.kubecarrier.io Cluster ["acc"] ["all","kubecarrier-admin"] status=true | Account Namespace <- .status.namespace.name; {shown}; {status}; {age}"#
                ),
                format!(
                    r#"serviceclusters.kubecarrier.io Namespaced ["sc"] {provider} status=true | {status}; {shown}; Kubernetes Version <- .status.kubernetesVersion.gitVersion; {age}"#
                ),
                format!(
                    r#"catalogs.catalog.kubecarrier.io Namespaced ["cl"] {provider} status=true | {status}; {age}"#
                ),
                format!(
                    r#"catalogentries.catalog.kubecarrier.io Namespaced ["ce"] {provider} status=true | {status}; Base CRD <- .spec.baseCRD.name; Tenant CRD <- .status.tenantCRD.name; {age}"#
                ),
                format!(
                    r#"catalogentrysets.catalog.kubecarrier.io Namespaced ["ces"] {provider} status=true | {status}; CRD <- .spec.discover.crd.name; {age}"#
                ),
                format!(r#"tenants.catalog.kubecarrier.io Namespaced ["tr"] {provider} status=false | {age}"#),
                format!(
                    r#"offerings.catalog.kubecarrier.io Namespaced ["off"] {tenant} status=false | {shown}; Provider <- .spec.provider.name; {age}"#
                ),
                format!(r#"providers.catalog.kubecarrier.io Namespaced ["pr"] {tenant} status=false | {shown}; {age}"#),
                format!(
                    r#"regions.catalog.kubecarrier.io Namespaced ["scr"] {tenant} status=false | Provider <- .spec.provider.name; {shown}; {age}"#
                ),
                format!(
                    r#"serviceclusterassignments.kubecarrier.io Namespaced ["sca"] null status=true | {status}; {age}"#
                ),
            ]
        );
    }

    #[test]
    fn immutable_fields_have_transition_rules() {
        let rules = |kind: &str, pointer: &str| -> Vec<String> {
            let info = KINDS.iter().find(|i| i.kind == kind).expect("a kind");
            let schema = object_schema(info);
            let at = schema.pointer(pointer).unwrap_or_else(|| panic!("{kind} has no {pointer}"));
            let list = at["x-kubernetes-validations"].as_array().cloned().unwrap_or_default();
            list.iter().map(|r| r["rule"].as_str().unwrap_or("?").to_owned()).collect()
        };
        assert_eq!(rules("CatalogEntry", "/properties/spec/properties/baseCRD"), ["self.name == oldSelf.name"]);
        assert_eq!(rules("Offering", "/properties/spec/properties/provider"), ["self.name == oldSelf.name"]);
        assert_eq!(rules("Region", "/properties/spec/properties/provider"), ["self.name == oldSelf.name"]);
        assert_eq!(rules("ServiceClusterAssignment", "/properties/spec"), ["self == oldSelf"]);
        assert_eq!(rules("ServiceClusterAssignment", "").len(), 1);
    }

    #[test]
    fn values_accept_any_type() {
        let schema = object_schema(&super::super::table::CATALOG_ENTRY_SET);
        let item = "/properties/spec/properties/derive/properties/expose/items/properties";
        for list in ["defaults", "presets"] {
            let value = schema.pointer(&format!("{item}/{list}/items/properties/value")).expect("a schema");
            assert_eq!(value["x-kubernetes-preserve-unknown-fields"], true);
            assert!(value.get("type").is_none());
            assert_eq!(schema.pointer(&format!("{item}/{list}/items/required")), Some(&json!(["jsonPath", "value"])));
        }
    }

    #[test]
    #[ignore = "prints the CRDs for inspection"]
    #[expect(clippy::print_stdout, reason = "its purpose is to print")]
    fn show() {
        for crd in crds() {
            println!("---\n{}", serde_json::to_string_pretty(&crd).unwrap_or_default());
        }
    }
}
