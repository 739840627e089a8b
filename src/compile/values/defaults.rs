//! All defaults of a schema, judged as a server judges them when the CRD is created
//! (apiextensions `pkg/apiserver/schema/defaulting/validation.go`, `ValidateDefaults`, v1.37; v1.33 does the same).

use serde_json::{Map, Value, json};

use super::{Judgement, Occasion, check, embedded};
use crate::compile::schema;
use crate::model::path::{FieldPath, Segment};

/// The judgement of each default in the root schema of a version that a server does not take for certain, with the
/// path of its node. The paths within a judgement begin at that node.
///
/// A server judges no defaults below `additionalProperties`, though they may be there. CEL rules are not held against the defaults.
#[must_use]
pub fn defaults(root: &Value) -> Vec<(FieldPath, Judgement)> {
    let mut root = root.clone();
    // The root is a resource, whether it says so or not.
    if let Some(map) = root.as_object_mut() {
        map.insert("x-kubernetes-embedded-resource".to_owned(), Value::Bool(true));
    }
    let mut found = Vec::new();
    let place = Place { resource: &root, below: Vec::new(), in_meta: false };
    walk(&root, &place, &mut FieldPath::default(), &mut found);
    found
}

/// Where a node stands.
struct Place<'s> {
    /// The resource around the node.
    resource: &'s Value,
    /// The way from there to the node.
    below: Vec<Segment>,
    /// Whether the node is `apiVersion`, `kind` or `metadata` of the resource, or below.
    in_meta: bool,
}

fn walk(node: &Value, place: &Place<'_>, at: &mut FieldPath, found: &mut Vec<(FieldPath, Judgement)>) {
    let own = Place { resource: node, below: Vec::new(), in_meta: false };
    let embedded = schema::is_embedded(node);
    let place = if embedded { &own } else { place };
    if let Some(default) = node.get("default").filter(|d| !d.is_null()) {
        let judgement = if place.in_meta { within(place, node, default) } else { super::default(node, default) };
        if !judgement.is_sound() {
            found.push((at.clone(), judgement));
        }
    }
    let of_property = schema::properties(node).map(|(name, child)| (Segment::Property(name.clone()), child));
    let of_items = schema::items(node).map(|child| (Segment::Items, child));
    for (segment, child) in of_property.chain(of_items) {
        let meta = |name: &String| matches!(name.as_str(), "apiVersion" | "kind" | "metadata");
        let in_meta = place.in_meta || embedded && matches!(&segment, Segment::Property(name) if meta(name));
        let below = place.below.iter().cloned().chain([segment.clone()]).collect();
        at.0.push(segment);
        walk(child, &Place { resource: place.resource, below, in_meta }, at, found);
        at.0.pop();
    }
}

/// Judges a default of metadata: alone, and as the only thing that its resource says.
fn within(place: &Place<'_>, node: &Value, default: &Value) -> Judgement {
    let mut judgement = Judgement::default();
    let mut object = default.clone();
    for segment in place.below.iter().rev() {
        object = match segment {
            Segment::Property(name) => Value::Object(Map::from_iter([(name.clone(), object)])),
            Segment::Items | Segment::Values => Value::Array(vec![object]),
        };
    }
    for (name, value) in [("apiVersion", json!("validation/v1")), ("kind", json!("Validation"))] {
        if let Some(map) = object.as_object_mut() {
            map.entry(name).or_insert(value);
        }
    }
    let mut around = Judgement::default();
    embedded::check(place.resource, &object, &mut FieldPath::default(), &mut around);
    let here = |(path, message): (FieldPath, String)| {
        (FieldPath::default(), format!("makes the object invalid: `{path}` {message}"))
    };
    judgement.violations.extend(around.violations.into_iter().map(here));
    judgement.unjudged.extend(around.unjudged.into_iter().map(here));
    check::check(node, default, Occasion::Default, &mut FieldPath::default(), &mut judgement);
    judgement
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_default_is_judged_where_it_stands() {
        let root = json!({"type": "object", "properties": {
            "kind": {"type": "string", "default": "not a kind"},
            "metadata": {"type": "object", "properties": {"name": {"type": "string", "default": "a/b"}}},
            "spec": {"type": "object", "default": {}, "required": ["size"], "properties": {
                "size": {"type": "integer", "default": 1},
                "most": {"type": "integer", "default": "1"},
                "pod": {"type": "object", "x-kubernetes-embedded-resource": true, "properties": {
                    "kind": {"type": "string", "default": "Pod"},
                    "apiVersion": {"type": "string", "default": "a/b/c"}}},
            }},
        }});
        let said: Vec<String> = defaults(&root)
            .into_iter()
            .flat_map(|(at, judgement)| {
                judgement.violations.into_iter().map(move |(path, why)| format!("{at} {path} {why}"))
            })
            .collect();
        let [kind, name, spec, most, version] = said.as_slice() else { panic!("{said:#?}") };
        assert!(
            kind.starts_with(".kind . makes the object invalid: `.kind` is the kind of an embedded object"),
            "{kind}"
        );
        assert!(name.starts_with(".metadata.name . makes the object invalid: `.metadata.name` is not valid"), "{name}");
        assert_eq!(spec, ".spec .size is required");
        assert_eq!(most, ".spec.most . must be an integer, not a string");
        assert!(version.starts_with(".spec.pod.apiVersion . makes the object invalid"), "{version}");
    }
}
