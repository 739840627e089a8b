//! When two values are the same to a server: it tells whole numbers (`1`) from others (`1.0`), as its reader does.

use std::fmt::Write as _;

use serde_json::Value;

use super::number::{Number, to_int};

/// Whether the two are the same in type and content (Go's `reflect.DeepEqual` of decoded JSON).
pub(super) fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(_), Value::Number(_)) => match (Number::of(a), Number::of(b)) {
            (Some(Number::Int(a)), Some(Number::Int(b))) => a == b,
            (Some(Number::Float(a)), Some(Number::Float(b))) => equal(a, b),
            _ => false,
        },
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(name, a)| b.get(name).is_some_and(|b| same(a, b)))
        }
        _ => a == b,
    }
}

/// Whether the value is among those of `enum`. The server converts the value to the type of each choice first, as Go
/// does: `1.5` becomes 1 beside an integer, and 97 becomes `a` beside a string. Null is never among them, not even
/// beside a null (kube-openapi `pkg/validation/validate/validator.go`, `basicCommonValidator`, v1.33 and v1.37).
pub(super) fn is_among(value: &Value, choices: &[Value]) -> bool {
    choices.iter().any(|choice| match (Number::of(value), Number::of(choice), choice) {
        _ if value.is_null() || choice.is_null() => false,
        (Some(value), Some(Number::Int(choice)), _) => match value {
            Number::Int(value) => value == choice,
            Number::Float(value) => to_int(value) == choice,
        },
        (Some(value), Some(Number::Float(choice)), _) => equal(value.as_float(), choice),
        (Some(Number::Int(code)), None, Value::String(choice)) => {
            let character = u32::try_from(code).ok().and_then(char::from_u32).unwrap_or(char::REPLACEMENT_CHARACTER);
            choice.chars().eq([character])
        }
        _ => same(value, choice),
    })
}

/// The value as the server writes it in JSON: that is how it compares lists and objects with one another.
pub(super) fn written(value: &Value) -> String {
    match value {
        Value::Number(_) => match Number::of(value) {
            Some(Number::Int(n)) => n.to_string(),
            // A whole number looks like an integer.
            Some(Number::Float(f)) if f.fract() == 0.0 && f.abs() < 1e21 => format!("{f:.0}"),
            Some(Number::Float(f)) => format!("{f:e}"),
            None => String::new(),
        },
        Value::Array(list) => format!("[{}]", list.iter().map(written).collect::<Vec<_>>().join(",")),
        Value::Object(map) => {
            let mut text = String::from("{");
            let mut names: Vec<&String> = map.keys().collect();
            names.sort();
            for name in names {
                // A `String` takes everything that is written to it.
                let _ = write!(text, "{}:{},", Value::from(name.as_str()), written(&map[name.as_str()]));
            }
            text.push('}');
            text
        }
        other => other.to_string(),
    }
}

/// Equality of what was read, not of what was computed.
fn equal(a: f64, b: f64) -> bool {
    a.partial_cmp(&b) == Some(std::cmp::Ordering::Equal)
}
