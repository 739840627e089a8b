//! Changes anywhere in a CRD, whatever stands there.

use serde_json::{Value, json};

use super::super::hand::{Did, Hand, kinds, put};

kinds![
    null_anywhere,
    scalar_anywhere,
    empty_anywhere,
    removed_anywhere,
    key_anywhere,
    spelled_otherwise,
    number_written_as_float,
    value_wrapped,
    value_unwrapped,
    moved_elsewhere,
    text_for_a_scalar
];

/// A random place below the spec, weighted towards the higher ones.
fn place<'c>(
    crd: &'c mut Value,
    hand: &mut Hand<'_>,
    fits: impl Fn(&Value) -> bool,
) -> Option<(&'c mut Value, String)> {
    let mut found = Vec::new();
    walk(crd.get("spec")?, "/spec".to_owned(), &mut found);
    found.retain(|pointer| crd.pointer(pointer).is_some_and(&fits));
    if found.is_empty() {
        return None;
    }
    let pointer = hand.random.pick(&found).clone();
    hand.touched = Some(pointer.clone());
    Some((crd.pointer_mut(&pointer)?, pointer))
}

fn walk(value: &Value, at: String, found: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            for (name, child) in map {
                walk(child, format!("{at}/{}", name.replace('~', "~0").replace('/', "~1")), found);
            }
        }
        Value::Array(list) => {
            for (index, child) in list.iter().enumerate() {
                walk(child, format!("{at}/{index}"), found);
            }
        }
        _ => {}
    }
    found.push(at);
}

/// Null, where something stands.
fn null_anywhere(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    *place(crd, hand, |_| true)?.0 = Value::Null;
    Some(())
}

/// Another scalar, where one stands.
fn scalar_anywhere(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let value = hand.one(json!([1, "x", true, 1.5, "", -1, "null", 0]));
    *place(crd, hand, |found| !found.is_object() && !found.is_array())?.0 = value;
    Some(())
}

/// Nothing, where a list or a mapping stands.
fn empty_anywhere(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let value = hand.one(json!([{}, [], "", null]));
    *place(crd, hand, |found| found.is_object() || found.is_array())?.0 = value;
    Some(())
}

/// A mapping without one of its keys.
fn removed_anywhere(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let (found, _) = place(crd, hand, |found| found.as_object().is_some_and(|map| !map.is_empty()))?;
    let map = found.as_object_mut()?;
    let keys: Vec<String> = map.keys().cloned().collect();
    let key = hand.random.pick(&keys);
    map.remove(key).map(drop)
}

/// A mapping with one key more.
fn key_anywhere(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let (key, value) = (
        hand.word(&["x-more", "more", "type", "name", "description", "default", "required", "x-kubernetes-more"]),
        hand.one(json!([1, "x", null, {}, []])),
    );
    put(place(crd, hand, Value::is_object)?.0.as_object_mut()?, key, value)
}

/// A key in other letters: Go reads some keys whatever their case, and Kubernetes' reader does not.
fn spelled_otherwise(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let (found, _) = place(crd, hand, |found| found.as_object().is_some_and(|map| !map.is_empty()))?;
    let map = found.as_object_mut()?;
    let keys: Vec<String> = map.keys().cloned().collect();
    let key = hand.random.pick(&keys).clone();
    let value = map.remove(&key)?;
    let other = if hand.random.chance(50) { key.to_uppercase() } else { key.to_lowercase() };
    put(map, &other, value)
}

/// A whole number as `1.0`, or as a text.
fn number_written_as_float(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let quoted = hand.random.chance(30);
    let (found, _) = place(crd, hand, Value::is_number)?;
    *found = if quoted { json!(found.to_string()) } else { json!(found.as_f64()?) };
    Some(())
}

/// A value in a list.
fn value_wrapped(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let (found, _) = place(crd, hand, |_| true)?;
    *found = json!([found.take()]);
    Some(())
}

/// The only item of a list instead of the list.
fn value_unwrapped(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let (found, _) = place(crd, hand, |found| found.as_array().is_some_and(|list| !list.is_empty()))?;
    *found = found.as_array()?.first()?.clone();
    Some(())
}

/// A schema in the place of another.
fn moved_elsewhere(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let value = place(crd, hand, |found| found.get("type").is_some() || found.is_array())?.0.clone();
    if value.to_string().len() > 20_000 {
        return None;
    }
    *place(crd, hand, |found| found.is_object() || found.is_array())?.0 = value;
    Some(())
}

/// A text instead of a boolean or a number.
fn text_for_a_scalar(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let (found, _) = place(crd, hand, |found| found.is_boolean() || found.is_number())?;
    *found = json!(found.to_string());
    Some(())
}
