//! The CRDs that are mutated: the small ones of the project, and pieces of real ones.

use serde_json::{Map, Value, json};

use super::server::{self, Server};
use crate::corpus::random::Random;
use crate::corpus::{self, files, folder, read_yaml, stem};

/// A sound CRD.
pub(super) struct Base {
    pub name: String,
    pub crd: Value,
}

/// The length of a real CRD of which pieces are cut, in a run of the usual length and in a long one.
const LENGTHS: [u64; 2] = [120_000, 600_000];
/// How many real CRDs are used in a run of the usual length.
const FEW: usize = 12;
/// How many pieces are cut of each.
const PIECES: usize = 3;

/// The CRDs to mutate. The server takes all of them.
pub(super) async fn bases(server: &Server, seed: u64, long: bool) -> Vec<Base> {
    let mut found: Vec<Base> =
        corpus::small().into_iter().map(|crd| Base { name: crd.stem, crd: crd.manifest }).collect();
    found.push(Base { name: "everything".to_owned(), crd: everything() });
    found.push(Base { name: "plain".to_owned(), crd: plain() });
    let mut random = Random::new(seed, u64::MAX);
    let mut paths = files(&folder().join("crds"));
    paths.retain(|path| path.metadata().is_ok_and(|file| file.len() < LENGTHS[usize::from(long)]));
    while !long && paths.len() > FEW {
        paths.swap_remove(random.below(paths.len()));
    }
    for path in paths {
        let crd = read_yaml(&path).remove(0);
        for piece in 0..PIECES {
            let name = format!("{}-{piece}", stem(&path));
            let mut piece = piece_of(&crd, &mut random);
            if server::create(server, &piece).await.is_err() {
                without_rules(&mut piece);
            }
            found.push(Base { name, crd: piece });
        }
    }
    let mut sound = Vec::new();
    for mut base in found {
        // A cluster-scoped one is refused, whatever else is wrong with it.
        base.crd["spec"]["scope"] = json!("Namespaced");
        match server::create(server, &base.crd).await {
            Ok(_) => sound.push(base),
            Err(message) => eprintln!("left out: {}: {}", base.name, message.chars().take(160).collect::<String>()),
        }
    }
    sound
}

/// A piece of a CRD: one version, some properties of each object.
fn piece_of(crd: &Value, random: &mut Random) -> Value {
    let mut piece = crd.clone();
    if let Some(object) = piece.as_object_mut() {
        object.remove("status");
    }
    if let Some(versions) = piece["spec"]["versions"].as_array_mut() {
        versions.retain(|version| version["storage"] == true);
        for version in versions {
            version["served"] = json!(true);
            if let Some(root) = version.pointer_mut("/schema/openAPIV3Schema").and_then(Value::as_object_mut) {
                thin(root, 0, random);
            }
        }
    }
    piece
}

fn thin(node: &mut Map<String, Value>, depth: usize, random: &mut Random) {
    if node.get("description").and_then(Value::as_str).is_some_and(|text| text.len() > 80) {
        node.insert("description".to_owned(), json!("A field."));
    }
    let required: Vec<Value> = node.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
    if let Some(Value::Object(properties)) = node.get_mut("properties") {
        let most = [20, 5, 4, 3, 2][depth.min(4)];
        let names: Vec<String> = properties.keys().cloned().collect();
        let free = names.iter().filter(|name| !required.iter().any(|r| r == *name)).count().max(1);
        for name in names {
            let is_required = required.iter().any(|r| *r == name);
            if !is_required && random.below(free) >= most {
                properties.remove(&name);
            }
        }
        for child in properties.values_mut().filter_map(Value::as_object_mut) {
            thin(child, depth + 1, random);
        }
    }
    for key in ["items", "additionalProperties"] {
        if let Some(Value::Object(child)) = node.get_mut(key) {
            thin(child, depth, random);
        }
    }
}

/// Drops what refers to fields that a piece may not have.
fn without_rules(crd: &mut Value) {
    for version in crd["spec"]["versions"].as_array_mut().into_iter().flatten() {
        if let Some(version) = version.as_object_mut() {
            version.remove("selectableFields");
        }
        strip(&mut version["schema"]);
    }
}

fn strip(value: &mut Value) {
    match value {
        Value::Object(map) => {
            for key in ["x-kubernetes-validations", "anyOf", "oneOf", "allOf", "not"] {
                if map.get(key).is_some_and(Value::is_array) {
                    map.remove(key);
                }
            }
            map.values_mut().for_each(strip);
        }
        Value::Array(list) => list.iter_mut().for_each(strip),
        _ => {}
    }
}

/// A CRD with next to nothing.
fn plain() -> Value {
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "ks.example.com"},
        "spec": {
            "group": "example.com", "scope": "Namespaced", "names": {"kind": "K", "plural": "ks"},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {
                "type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "string"}}}}}}}],
        },
    })
}

/// A CRD with something of everything.
fn everything() -> Value {
    let spec = json!({"type": "object", "required": ["name"], "properties": {
        "name": {"type": "string", "minLength": 1, "maxLength": 30, "pattern": "^[a-z]+$"},
        "size": {"type": "integer", "format": "int32", "minimum": 1, "maximum": 9, "default": 3},
        "share": {"type": "number", "minimum": 0, "exclusiveMinimum": true, "multipleOf": 0.5},
        "on": {"type": "boolean", "default": true},
        "mode": {"type": "string", "enum": ["one", "many"], "default": "one"},
        "port": {"x-kubernetes-int-or-string": true, "anyOf": [{"type": "integer"}, {"type": "string"}]},
        "tags": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}, "maxItems": 5},
        "parts": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"], "items": {
            "type": "object", "required": ["name"], "properties": {"name": {"type": "string"}, "weight": {"type": "integer", "default": 1}}}},
        "labels": {"type": "object", "additionalProperties": {"type": "string"}},
        "template": {"type": "object", "x-kubernetes-embedded-resource": true, "x-kubernetes-preserve-unknown-fields": true},
        "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
        "until": {"type": "string", "format": "date-time", "nullable": true},
        "choice": {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}}, "oneOf": [{"required": ["a"]}, {"required": ["b"]}]},
        "nested": {"type": "object", "default": {}, "properties": {"deep": {"type": "object", "default": {}, "properties": {"x": {"type": "string", "default": "y"}}}}},
    }, "x-kubernetes-validations": [{"rule": "self.size > 1 || self.on", "message": "one must be on", "fieldPath": ".on", "reason": "FieldValueForbidden"}]});
    let status = json!({"type": "object", "properties": {
        "size": {"type": "integer"}, "phase": {"type": "string"}, "selector": {"type": "string"},
        "conditions": {"type": "array", "items": {"type": "object", "required": ["type"], "properties": {"type": {"type": "string"}, "status": {"type": "string"}}}},
    }});
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "gadgets.tools.example.com", "labels": {"app": "tools"}},
        "spec": {
            "group": "tools.example.com", "scope": "Namespaced",
            "names": {"kind": "Gadget", "plural": "gadgets", "singular": "gadget", "listKind": "GadgetList", "shortNames": ["gd"], "categories": ["all"]},
            "conversion": {"strategy": "None"},
            "versions": [{
                "name": "v1", "served": true, "storage": true,
                "subresources": {"status": {}, "scale": {"specReplicasPath": ".spec.size", "statusReplicasPath": ".status.size", "labelSelectorPath": ".status.selector"}},
                "additionalPrinterColumns": [{"name": "Phase", "type": "string", "jsonPath": ".status.phase", "priority": 1, "description": "The phase", "format": "byte"}],
                "selectableFields": [{"jsonPath": ".spec.mode"}],
                "schema": {"openAPIV3Schema": {"type": "object", "required": ["spec"], "properties": {
                    "apiVersion": {"type": "string"}, "kind": {"type": "string"}, "metadata": {"type": "object", "properties": {"name": {"type": "string", "maxLength": 40}}},
                    "spec": spec, "status": status}}},
            }, {
                "name": "v1alpha1", "served": false, "storage": false, "deprecated": true, "deprecationWarning": "use v1",
                "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}},
            }],
        },
    })
}
