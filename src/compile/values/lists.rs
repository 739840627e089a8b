//! Lists that are sets or maps: no item and no key stands twice
//! (apiextensions `pkg/apiserver/schema/listtype/validation.go`, the same in v1.33 and v1.37).
//!
//! Judged in instances only: a server takes a default with the same item twice, and then refuses the instances.

use std::collections::HashSet;

use serde_json::Value;

use super::Judgement;
use super::number::Number;
use super::same::written;
use crate::compile::schema;
use crate::model::path::{FieldPath, Segment};

pub(super) fn check(schema: &Value, value: &Value, at: &mut FieldPath, judgement: &mut Judgement) {
    match value {
        Value::Object(map) => {
            for (name, inner) in map {
                // Both, if both are there.
                for child in schema::values(schema).into_iter().chain(schema::property(schema, name)) {
                    at.0.push(Segment::Property(name.clone()));
                    check(child, inner, at, judgement);
                    at.0.pop();
                }
            }
        }
        Value::Array(list) => {
            match schema::list_type(schema) {
                "set" if is_twice(list.iter().map(key)) => judgement.violate(at, TWICE),
                "map" => list_map(schema, list, at, judgement),
                _ => {}
            }
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

const TWICE: &str = "has the same item twice";

fn list_map(schema: &Value, list: &[Value], at: &FieldPath, judgement: &mut Judgement) {
    if list.iter().any(|item| !item.is_object() && !item.is_null()) {
        judgement.violate(at, "must have objects as items");
        return;
    }
    let keys: Vec<&str> = schema::list_map_keys(schema).collect();
    // An item without a key is the same as another one without it.
    let key_of = |item: &Value| match keys.as_slice() {
        [name] => item.get(*name).map_or(Key::Missing, key),
        names => {
            let given = names.iter().filter_map(|name| Some(((*name).to_owned(), item.get(*name)?.clone())));
            Key::Compound(written(&Value::Object(given.collect())))
        }
    };
    if is_twice(list.iter().map(key_of)) {
        let names: Vec<String> = keys.iter().map(|k| format!("`{k}`")).collect();
        judgement.violate(at, format!("{TWICE}: two have the same {}", names.join(" and ")));
    }
}

/// What items are compared by. A scalar is not the same as another of a different type: 1 is not 1.0.
#[derive(PartialEq, Eq, Hash)]
enum Key {
    Missing,
    Null,
    Bool(bool),
    Int(i64),
    Float(u64),
    Text(String),
    /// Objects and lists are compared as JSON.
    Compound(String),
}

fn key(value: &Value) -> Key {
    match (value, Number::of(value)) {
        (_, Some(Number::Int(n))) => Key::Int(n),
        // Zero has one sign.
        (_, Some(Number::Float(f))) => Key::Float((f + 0.0).to_bits()),
        (Value::Null, _) => Key::Null,
        (Value::Bool(b), _) => Key::Bool(*b),
        (Value::String(text), _) => Key::Text(text.clone()),
        _ => Key::Compound(written(value)),
    }
}

fn is_twice(mut keys: impl Iterator<Item = Key>) -> bool {
    let mut seen = HashSet::new();
    !keys.all(|key| seen.insert(key))
}
