//! Embedded resources: what they must say of themselves, and their metadata
//! (apiextensions `pkg/apiserver/schema/objectmeta/{coerce,validation}.go`, apimachinery
//! `pkg/api/validation/objectmeta.go`; v1.33 and v1.37 agree).
//!
//! Metadata are judged whether the schema describes them or not. Unknown fields in them are dropped by servers and no
//! violation. Managed fields and odd times are left to the server.

use serde_json::{Map, Value};

use super::number::Number;
use super::{Judgement, formats};
use crate::compile::schema;
use crate::model::names;
use crate::model::path::{FieldPath, Segment};

/// Whether metadata have such a field.
#[must_use]
pub fn is_of_metadata(name: &str) -> bool {
    METADATA.contains(&name)
}

/// The fields of metadata (apimachinery `pkg/apis/meta/v1/types.go`, `ObjectMeta`).
const METADATA: [&str; 15] = [
    "annotations",
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "finalizers",
    "generateName",
    "generation",
    "labels",
    "managedFields",
    "name",
    "namespace",
    "ownerReferences",
    "resourceVersion",
    "selfLink",
    "uid",
];

/// The greatest size of all annotations together, in bytes.
const ANNOTATIONS_MAX: usize = 256 << 10;

/// Looks for embedded resources at and below a value.
pub(super) fn check(schema: &Value, value: &Value, at: &mut FieldPath, judgement: &mut Judgement) {
    match value {
        Value::Object(map) => {
            if schema::is_embedded(schema) {
                for name in ["apiVersion", "kind"].into_iter().filter(|name| !map.contains_key(*name)) {
                    judgement.violate(&at.property(name), "is required of an embedded object");
                }
                for (name, inner) in map {
                    if let Some(message) = identity(schema, name, inner) {
                        judgement.violate(&at.property(name), message);
                    }
                }
                if let Some(metadata) = map.get("metadata") {
                    object_meta(metadata, &at.property("metadata"), judgement);
                }
            }
            for (name, inner) in map {
                let Some(child) = schema::property(schema, name).or_else(|| schema::values(schema)) else { continue };
                at.0.push(Segment::Property(name.clone()));
                check(child, inner, at, judgement);
                at.0.pop();
            }
        }
        Value::Array(list) => {
            let Some(items) = schema::items(schema) else { return };
            at.0.push(Segment::Items);
            for inner in list {
                check(items, inner, at, judgement);
            }
            at.0.pop();
        }
        _ => {}
    }
}

/// Why an API server refuses `value` as the field `name` of an object with the schema `parent`, if that
/// is an embedded resource and the field says what kind of object it is.
#[must_use]
pub fn identity(parent: &Value, name: &str, value: &Value) -> Option<String> {
    if !schema::is_embedded(parent) || !matches!(name, "apiVersion" | "kind") {
        return None;
    }
    let Some(text) = value.as_str() else {
        return Some("must be a string in an embedded object".to_owned());
    };
    match name {
        "kind" => {
            let problem = names::dns_1035_label(&text.to_lowercase()).err()?;
            Some(format!("is the kind of an embedded object: {problem}"))
        }
        _ if text.is_empty() || !is_version(text) => {
            Some("must be a version, or a group and a version, of an embedded object".to_owned())
        }
        _ => None,
    }
}

/// What `schema.ParseGroupVersion` takes: anything with at most one `/`.
fn is_version(text: &str) -> bool {
    text.matches('/').count() <= 1
}

fn object_meta(metadata: &Value, at: &FieldPath, judgement: &mut Judgement) {
    let map = match metadata {
        Value::Object(map) => map,
        Value::Null => return,
        _ => {
            judgement.violate(at, "must be an object");
            return;
        }
    };
    for (name, value) in map.iter().filter(|(_, value)| !value.is_null()) {
        field(name, value, &at.property(name), judgement);
    }
}

fn field(name: &str, value: &Value, at: &FieldPath, judgement: &mut Judgement) {
    let mut named = |check: fn(&str) -> Result<(), names::NameError>| match value.as_str() {
        None => judgement.violate(at, "must be a string"),
        // Left out, for a server.
        Some("") => {}
        Some(text) => {
            if let Err(problem) = check(text) {
                judgement.violate(at, format!("is not valid: {problem}"));
            }
        }
    };
    match name {
        "name" => named(names::path_segment),
        "generateName" => named(|text| match text {
            // More will follow.
            "." | ".." => Ok(()),
            text => names::path_segment(text),
        }),
        "namespace" => named(names::dns_label),
        "selfLink" | "uid" | "resourceVersion" => named(|_| Ok(())),
        "generation" | "deletionGracePeriodSeconds" => match Number::of(value).and_then(Number::whole) {
            Some(n) if n >= 0 || name != "generation" => {}
            Some(_) => judgement.violate(at, "must not be less than 0"),
            None => judgement.violate(at, "must be an integer"),
        },
        "creationTimestamp" | "deletionTimestamp" => match value.as_str() {
            None => judgement.violate(at, "must be a time"),
            Some(text) if formats::judge("date-time", text) == formats::Verdict::Fits => {}
            Some(_) => {
                judgement.doubt(at, "must be a time in RFC 3339, and only a server knows whether it takes this one");
            }
        },
        "labels" => strings(value, at, judgement, names::label_key, names::label_value),
        "annotations" => {
            strings(value, at, judgement, names::annotation_key, |_| Ok(()));
            let size = |(key, text): (&String, &Value)| key.len() + text.as_str().map_or(0, str::len);
            if value.as_object().is_some_and(|map| map.iter().map(size).sum::<usize>() > ANNOTATIONS_MAX) {
                judgement.violate(at, "must not be larger than 256 KiB");
            }
        }
        "finalizers" => finalizers(value, at, judgement),
        "ownerReferences" => owners(value, at, judgement),
        "managedFields" => judgement.doubt(at, "is what servers write; only a server knows whether it takes it"),
        // Dropped.
        _ => {}
    }
}

fn strings(
    value: &Value,
    at: &FieldPath,
    judgement: &mut Judgement,
    key_check: fn(&str) -> Result<(), names::NameError>,
    value_check: fn(&str) -> Result<(), names::NameError>,
) {
    let Some(map) = value.as_object() else {
        judgement.violate(at, "must be an object of strings");
        return;
    };
    for (key, text) in map {
        if let Err(problem) = key_check(key) {
            judgement.violate(&at.property(key), format!("is not a valid key: {problem}"));
        }
        match text {
            Value::Null => {}
            Value::String(text) => {
                if let Err(problem) = value_check(text) {
                    judgement.violate(&at.property(key), format!("is not valid: {problem}"));
                }
            }
            _ => judgement.violate(&at.property(key), "must be a string"),
        }
    }
}

fn finalizers(value: &Value, at: &FieldPath, judgement: &mut Judgement) {
    let names: Option<Vec<&str>> = value
        .as_array()
        .and_then(|list| list.iter().map(|v| if v.is_null() { Some("") } else { v.as_str() }).collect());
    let Some(names) = names else {
        judgement.violate(at, "must be a list of strings");
        return;
    };
    for problem in names.iter().filter_map(|name| names::label_key(name).err()) {
        judgement.violate(&at.with(Segment::Items), format!("is not a valid finalizer: {problem}"));
    }
    if names.contains(&"orphan") && names.contains(&"foregroundDeletion") {
        judgement.violate(at, "must not hold both `orphan` and `foregroundDeletion`");
    }
}

fn owners(value: &Value, at: &FieldPath, judgement: &mut Judgement) {
    let Some(owners) = value.as_array() else {
        judgement.violate(at, "must be a list of objects");
        return;
    };
    let mut controllers = 0;
    let at = at.with(Segment::Items);
    for owner in owners {
        let empty = Map::new();
        let owner = match owner {
            Value::Object(map) => map,
            Value::Null => &empty,
            _ => {
                judgement.violate(&at, "must be an object");
                continue;
            }
        };
        for name in ["apiVersion", "kind", "name", "uid"] {
            match owner.get(name) {
                None | Some(Value::Null) => judgement.violate(&at.property(name), "is required"),
                Some(Value::String(text)) => {
                    let version = name != "apiVersion" || is_version(text) && !text.ends_with('/');
                    if text.is_empty() || !version {
                        judgement.violate(&at.property(name), "is not valid");
                    }
                }
                Some(_) => judgement.violate(&at.property(name), "must be a string"),
            }
        }
        let is = |name: &str, text: &str| owner.get(name).and_then(Value::as_str) == Some(text);
        if is("apiVersion", "v1") && is("kind", "Event") {
            judgement.violate(&at, "must not be an Event");
        }
        for name in ["controller", "blockOwnerDeletion"] {
            match owner.get(name) {
                None | Some(Value::Null | Value::Bool(_)) => {}
                Some(_) => judgement.violate(&at.property(name), "must be true or false"),
            }
        }
        controllers += usize::from(owner.get("controller") == Some(&Value::Bool(true)));
    }
    if controllers > 1 {
        judgement.violate(&at, "must not be a controller more than once");
    }
}
