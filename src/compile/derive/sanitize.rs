//! Keywords that no copy of a CRD can keep, whatever is exposed: formats with which
//! newer API servers refuse every instance, and root validations that the status
//! subresource forbids.

use serde_json::Value;

use super::projection::OBSERVED_GENERATION;
use crate::compile::schema as look;
use crate::compile::validity::may_be_at_root;
use crate::model::path::{FieldPath, Segment};

/// Drops integer formats that contradict the bounds beside them (`derivation.md` §3.1 trap 3).
/// Returns each place with a message. A generation in the status stops being required.
pub(super) fn schema(root: &mut Value) -> Vec<(FieldPath, String)> {
    let mut found = Vec::new();
    if let Some(status) = root.pointer_mut("/properties/status") {
        generations(status);
    }
    formats(root, &mut FieldPath::default(), &mut found);
    found
}

/// Makes `observedGeneration` optional at and below a node of the status: a copied status lacks those that could not be
/// translated, and must be storable all the same.
fn generations(node: &mut Value) {
    let Some(map) = node.as_object_mut() else { return };
    if let Some(Value::Array(required)) = map.get_mut("required")
        && required.iter().any(|name| name == OBSERVED_GENERATION)
    {
        required.retain(|name| name != OBSERVED_GENERATION);
        if required.is_empty() {
            map.remove("required");
        }
    }
    for (_, child) in map.get_mut("properties").and_then(Value::as_object_mut).into_iter().flatten() {
        generations(child);
    }
    for key in ["items", "additionalProperties"] {
        if let Some(child) = map.get_mut(key) {
            generations(child);
        }
    }
}

/// Drops from the root what is forbidden there once there is a status subresource (R5, R10).
pub(super) fn root(root: &mut Value) -> Vec<String> {
    let Some(map) = root.as_object_mut() else { return Vec::new() };
    let forbidden: Vec<String> = map.keys().filter(|k| !may_be_at_root(k)).cloned().collect();
    for key in &forbidden {
        map.remove(key);
    }
    let mut said: Vec<String> = forbidden
        .iter()
        .map(|k| format!("`{k}` at the root is dropped: the status subresource forbids it there"))
        .collect();
    // Every object has metadata, and none has a status when it is created (R2).
    let named: Vec<String> = look::strings(&Value::Object(map.clone()), "required").map(str::to_owned).collect();
    if named.iter().any(|n| n == "status") {
        said.push("`required` at the root loses `status`: an object is created without one".to_owned());
    }
    look::set_strings(map, "required", named.into_iter().filter(|n| n != "status" && n != "metadata").collect());
    said
}

fn formats(node: &mut Value, at: &mut FieldPath, found: &mut Vec<(FieldPath, String)>) {
    let format = node.get("format").and_then(Value::as_str).unwrap_or_default().to_owned();
    let range = match format.as_str() {
        "int32" => Some(-2_147_483_648.0..=2_147_483_647.0),
        "uint32" => Some(0.0..=4_294_967_295.0),
        _ => None,
    };
    if let (Some(range), "integer") = (range, look::type_name(node)) {
        let outside = |key: &str| node.get(key).and_then(Value::as_f64).is_some_and(|n| !range.contains(&n));
        if outside("minimum") || outside("maximum") {
            found.push((at.clone(), format!("`{at}`: format {format} is dropped: its bounds are outside of it")));
            if let Some(map) = node.as_object_mut() {
                map.remove("format");
            }
        }
    }
    let Some(map) = node.as_object_mut() else { return };
    let mut into = |segment: Segment, child: &mut Value| {
        at.0.push(segment);
        formats(child, at, found);
        at.0.pop();
    };
    if let Some(properties) = map.get_mut("properties").and_then(Value::as_object_mut) {
        for (name, child) in properties {
            into(Segment::Property(name.clone()), child);
        }
    }
    if let Some(child) = map.get_mut("items") {
        into(Segment::Items, child);
    }
    if let Some(child) = map.get_mut("additionalProperties").filter(|c| c.is_object()) {
        into(Segment::Values, child);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_status_is_storable_without_generations() {
        let generation = json!({"type": "integer"});
        let item = |required: Value| json!({"type": "object", "required": required, "properties": {"observedGeneration": generation}});
        let of = |node: Value| json!({"type": "object", "properties": {"spec": item(json!(["observedGeneration"])), "status": node}});
        let mut root = of(json!({"type": "object", "required": ["observedGeneration", "phase"], "properties": {
            "conditions": {"type": "array", "items": item(json!(["type", "observedGeneration"]))},
            "members": {"type": "object", "additionalProperties": item(json!(["name"]))},
        }}));
        schema(&mut root);
        let expected = of(json!({"type": "object", "required": ["phase"], "properties": {
            "conditions": {"type": "array", "items": item(json!(["type"]))},
            "members": {"type": "object", "additionalProperties": item(json!(["name"]))},
        }}));
        assert_eq!(root, expected);
    }
}
