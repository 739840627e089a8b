//! The canonical form of a CRD's spec: as an API server stores and returns it, with its defaults and without
//! empty optional fields. A CRD in a release manifest and the same CRD in a cluster are then the same bytes.
//! (`tests/servers/lock.rs` compares it with real servers.)
//!
//! The rules are those of `apiextensions.k8s.io/v1`: its defaults, and the fields that its types omit if empty.
//! Unknown fields are not changed.

use serde_json::{Map, Number, Value, json};

type Object = Map<String, Value>;

/// Changes a CRD's spec as an API server would.
pub(super) fn canonical(spec: &mut Value) {
    numbers(spec);
    let Value::Object(spec) = spec else { return };
    leave_out(spec, &["preserveUnknownFields"]);
    if let Some(Value::Object(names)) = spec.get_mut("names") {
        let kind = names.get("kind").and_then(Value::as_str).unwrap_or_default().to_owned();
        leave_out(names, &["singular", "listKind", "shortNames", "categories"]);
        if !kind.is_empty() {
            names.entry("singular").or_insert_with(|| Value::from(kind.to_lowercase()));
            names.entry("listKind").or_insert_with(|| Value::from(format!("{kind}List")));
        }
    }
    leave_out(spec, &["conversion"]);
    let conversion = spec.entry("conversion").or_insert_with(|| json!({"strategy": "None"}));
    if let Some(Value::Object(service)) = conversion.pointer_mut("/webhook/clientConfig/service") {
        service.entry("port").or_insert(json!(443));
    }
    for version in objects(spec.get_mut("versions")) {
        leave_out(version, &["deprecated", "deprecationWarning", "additionalPrinterColumns", "selectableFields"]);
        for flag in ["served", "storage"] {
            version.entry(flag).or_insert(Value::Bool(false));
        }
        for column in objects(version.get_mut("additionalPrinterColumns")) {
            leave_out(column, &["format", "description", "priority"]);
        }
        if let Some(Value::Object(root)) = version.get_mut("schema").and_then(|s| s.get_mut("openAPIV3Schema")) {
            schema(root);
        }
    }
}

/// Fields of a schema that are omitted if empty.
const SCHEMA: [&str; 27] = [
    "$schema",
    "allOf",
    "anyOf",
    "default",
    "definitions",
    "dependencies",
    "description",
    "enum",
    "example",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "format",
    "id",
    "nullable",
    "oneOf",
    "pattern",
    "patternProperties",
    "properties",
    "required",
    "title",
    "type",
    "uniqueItems",
    "x-kubernetes-embedded-resource",
    "x-kubernetes-int-or-string",
    "x-kubernetes-list-map-keys",
    "x-kubernetes-preserve-unknown-fields",
    "x-kubernetes-validations",
];
/// Of those, the fields that hold an arbitrary value, where only `null` counts as empty.
const VALUES: [&str; 3] = ["default", "example", "x-kubernetes-preserve-unknown-fields"];

fn schema(node: &mut Object) {
    for key in SCHEMA {
        let empty =
            node.get(key).is_some_and(|value| if VALUES.contains(&key) { value.is_null() } else { is_empty(value) });
        if empty {
            node.remove(key);
        }
    }
    for key in ["properties", "patternProperties", "definitions"] {
        if let Some(Value::Object(children)) = node.get_mut(key) {
            children.values_mut().filter_map(Value::as_object_mut).for_each(schema);
        }
    }
    for key in ["items", "additionalProperties", "not"] {
        if let Some(Value::Object(child)) = node.get_mut(key) {
            schema(child);
        }
    }
    for key in ["allOf", "anyOf", "oneOf", "items"] {
        objects(node.get_mut(key)).for_each(schema);
    }
    for rule in objects(node.get_mut("x-kubernetes-validations")) {
        leave_out(rule, &["message", "messageExpression", "fieldPath"]);
    }
}

/// The objects in a list; none if the value is not a list.
fn objects(list: Option<&mut Value>) -> impl Iterator<Item = &mut Object> {
    list.and_then(Value::as_array_mut).into_iter().flatten().filter_map(Value::as_object_mut)
}

fn leave_out(object: &mut Object, keys: &[&str]) {
    for key in keys {
        if object.get(*key).is_some_and(is_empty) {
            object.remove(*key);
        }
    }
}

/// Whether Go omits the value.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Bool(true) => false,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty(),
    }
}

/// Writes whole numbers as integers: on its way from YAML to a server `1.0` becomes `1`.
fn numbers(value: &mut Value) {
    match value {
        Value::Number(number) if number.is_f64() => {
            // Beyond this not every integer is a float.
            const EXACT: f64 = 9_007_199_254_740_992.0;
            if let Some(float) = number.as_f64().filter(|f| f.fract() == 0.0 && f.abs() <= EXACT) {
                #[expect(clippy::cast_possible_truncation, reason = "a whole number of at most 53 bits")]
                let whole = float as i64;
                *number = Number::from(whole);
            }
        }
        Value::Array(list) => list.iter_mut().for_each(numbers),
        Value::Object(map) => map.values_mut().for_each(numbers),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_becomes_what_a_server_says() {
        let mut spec = json!({
            "names": {"kind": "Thing", "plural": "things", "shortNames": []}, "preserveUnknownFields": false,
            "versions": [{"name": "v1", "served": true, "storage": true, "deprecated": false,
                "additionalPrinterColumns": [{"name": "A", "type": "string", "jsonPath": ".a", "priority": 0}],
                "schema": {"openAPIV3Schema": {"type": "object", "description": "", "required": [], "properties": {
                    "required": {"type": "array", "items": {"type": "string", "nullable": false}},
                    "default": {"type": "number", "default": 1.0, "minimum": 0.5, "enum": [null, 1.0]},
                    "empty": {"type": "object", "default": {}, "properties": {}},
                }}},
            }],
        });
        canonical(&mut spec);
        let wanted = json!({
            "names": {"kind": "Thing", "plural": "things", "singular": "thing", "listKind": "ThingList"},
            "conversion": {"strategy": "None"},
            "versions": [{"name": "v1", "served": true, "storage": true,
                "additionalPrinterColumns": [{"name": "A", "type": "string", "jsonPath": ".a"}],
                "schema": {"openAPIV3Schema": {"type": "object", "properties": {
                    "required": {"type": "array", "items": {"type": "string"}},
                    "default": {"type": "number", "default": 1, "minimum": 0.5, "enum": [null, 1]},
                    "empty": {"type": "object", "default": {}},
                }}},
            }],
        });
        assert_eq!(spec, wanted);
        canonical(&mut spec);
        assert_eq!(spec, wanted);
    }
}
