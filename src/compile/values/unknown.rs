//! Fields that the schema does not have
//! (apiextensions `pkg/apiserver/schema/pruning/algorithm.go`, the same in v1.33 and v1.37).

use serde_json::Value;

use super::Judgement;
use crate::compile::schema;
use crate::model::path::{FieldPath, Segment};

/// What is said of such a field.
pub(super) const UNKNOWN: &str = "is not a field of the CRD";

/// What an embedded resource has without its schema saying so.
const META: [&str; 3] = ["apiVersion", "kind", "metadata"];

pub(super) fn check(schema: &Value, value: &Value, at: &mut FieldPath, judgement: &mut Judgement) {
    prune(Some(schema), value, at, judgement);
}

/// `None` for what no schema describes. There a server drops fields, but not lists and scalars.
fn prune(schema: Option<&Value>, value: &Value, at: &mut FieldPath, judgement: &mut Judgement) {
    let keeps = schema.is_some_and(|s| schema::flag(s, "x-kubernetes-preserve-unknown-fields"));
    walk(schema, value, keeps, at, judgement);
}

fn walk(schema: Option<&Value>, value: &Value, keeps: bool, at: &mut FieldPath, judgement: &mut Judgement) {
    match value {
        Value::Object(map) => {
            for (name, inner) in map {
                if schema.is_some_and(schema::is_embedded) && META.contains(&name.as_str()) {
                    continue;
                }
                let described = schema.and_then(|s| schema::property(s, name));
                // `additionalProperties: true` keeps a field and describes nothing below it.
                let additional = schema.and_then(|s| s.get("additionalProperties"));
                if described.is_none() && additional.is_none() {
                    if !keeps {
                        judgement.violate(&at.property(name), UNKNOWN);
                    }
                    continue;
                }
                at.0.push(Segment::Property(name.clone()));
                prune(described.or_else(|| additional.filter(|a| a.is_object())), inner, at, judgement);
                at.0.pop();
            }
        }
        Value::Array(list) => {
            let items = schema.and_then(schema::items);
            if keeps && items.is_none() {
                return;
            }
            // The items of a list that keeps everything keep everything, too.
            let keeps = keeps || items.is_some_and(|s| schema::flag(s, "x-kubernetes-preserve-unknown-fields"));
            at.0.push(Segment::Items);
            for inner in list {
                walk(items, inner, keeps, at, judgement);
            }
            at.0.pop();
        }
        _ => {}
    }
}
