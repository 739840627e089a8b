//! Whether a value fits a structural schema, as an API server would judge it.
//!
//! Used for the values that the catalog gives (defaults, presets) and for the
//! source's own defaults after pruning. CEL rules and most string formats are not checked.

use regex::Regex;
use serde_json::Value;

use super::schema;
use crate::model::names;
use crate::model::path::{FieldPath, Segment};

/// The field at which a value violates a schema, and how: `is required`, `must be at least 1`.
pub type Violation = (FieldPath, String);

/// Every violation of `schema` in `value`. A field that the schema does not have is one.
#[must_use]
pub fn violations(schema: &Value, value: &Value) -> Vec<Violation> {
    let mut found = Vec::new();
    check(schema, value, &mut FieldPath::default(), &mut found);
    found
}

/// Fills in the defaults below a value, as the API server does before it validates.
pub fn fill_defaults(schema: &Value, value: &mut Value) {
    match value {
        Value::Object(map) => {
            for (name, child) in schema::properties(schema) {
                let nulled = map.get(name).is_some_and(Value::is_null) && !schema::flag(child, "nullable");
                if let Some(default) = child.get("default").filter(|_| nulled || !map.contains_key(name)) {
                    map.insert(name.clone(), default.clone());
                } else if nulled {
                    map.remove(name);
                }
            }
            for (name, inner) in map.iter_mut() {
                if let Some(child) = schema::property(schema, name).or_else(|| schema::values(schema)) {
                    fill_defaults(child, inner);
                }
            }
        }
        Value::Array(list) => {
            if let Some(child) = schema::items(schema) {
                for item in list {
                    fill_defaults(child, item);
                }
            }
        }
        _ => {}
    }
}

fn check(schema: &Value, value: &Value, at: &mut FieldPath, found: &mut Vec<Violation>) {
    if value.is_null() {
        if !schema::flag(schema, "nullable") && !schema::type_name(schema).is_empty() {
            found.push((at.clone(), "must not be null".to_owned()));
        }
        return;
    }
    if !has_type(schema, value) {
        let message = format!("must be {}, not {}", article(&schema::describe(schema)), name_of(value));
        found.push((at.clone(), message));
        return;
    }
    limits(schema, value, at, found);
    junctors(schema, value, at, found);
    match value {
        Value::Object(map) => {
            for name in schema::required(schema).filter(|n| !map.contains_key(*n)) {
                found.push((at.property(name), "is required".to_owned()));
            }
            for (name, inner) in map {
                if let Some(message) = embedded_identity(schema, name, inner) {
                    found.push((at.property(name), message));
                }
                let child = schema::property(schema, name).or_else(|| schema::values(schema));
                match child {
                    Some(child) => inside(child, inner, Segment::Property(name.clone()), at, found),
                    None if schema::is_free_form(schema) || schema::type_name(schema).is_empty() => {}
                    None if schema::is_embedded(schema)
                        && matches!(name.as_str(), "apiVersion" | "kind" | "metadata") => {}
                    None => found.push((at.property(name), "is not a field of the CRD".to_owned())),
                }
            }
        }
        Value::Array(list) => {
            if let Some(child) = schema::items(schema) {
                for item in list {
                    inside(child, item, Segment::Items, at, found);
                }
            }
            let keys: Vec<&str> = schema::list_map_keys(schema).collect();
            let key_of = |i: &Value| keys.iter().map(|k| i.get(k).cloned().unwrap_or_default()).collect::<Vec<_>>();
            let same = |a: &Value, b: &Value| match schema::list_type(schema) {
                "set" => a == b,
                "map" => key_of(a) == key_of(b),
                _ => false,
            };
            if list.iter().enumerate().any(|(i, a)| list[..i].iter().any(|b| same(a, b))) {
                found.push((at.clone(), "has the same item twice".to_owned()));
            }
        }
        _ => {}
    }
}

/// Why an API server refuses `value` as the field `name` of an object with the schema `parent`, if that
/// is an embedded resource and the field says what kind of object it is.
pub fn embedded_identity(parent: &Value, name: &str, value: &Value) -> Option<String> {
    let text = value.as_str().filter(|_| schema::is_embedded(parent))?;
    match name {
        "kind" => {
            let problem = names::dns_1035_label(&text.to_lowercase()).err()?;
            Some(format!("is the kind of an embedded object: {problem}"))
        }
        "apiVersion" if text.is_empty() || text.matches('/').count() > 1 => {
            Some("must be a version, or a group and a version, of an embedded object".to_owned())
        }
        _ => None,
    }
}

fn inside(schema: &Value, value: &Value, segment: Segment, at: &mut FieldPath, found: &mut Vec<Violation>) {
    at.0.push(segment);
    check(schema, value, at, found);
    at.0.pop();
}

fn has_type(schema: &Value, value: &Value) -> bool {
    match schema::type_name(schema) {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|f| f.fract() == 0.0),
        "number" => value.is_number(),
        "int-or-string" => value.is_string() || value.is_i64() || value.is_u64(),
        _ => true,
    }
}

fn limits(schema: &Value, value: &Value, at: &FieldPath, found: &mut Vec<Violation>) {
    let mut say = |message: String| found.push((at.clone(), message));
    if let Some(choices) = schema.get("enum").and_then(Value::as_array)
        && !choices.contains(value)
    {
        let listed: Vec<String> = choices.iter().map(ToString::to_string).collect();
        say(format!("must be one of {}", listed.join(", ")));
    }
    let number = |key: &str| schema.get(key).and_then(Value::as_f64);
    let count = |key: &str| schema.get(key).and_then(Value::as_u64);
    if let Some(n) = value.as_f64() {
        let open = |key: &str| schema::flag(schema, key);
        if let Some(min) = number("minimum")
            && (n < min || n <= min && open("exclusiveMinimum"))
        {
            say(format!("must not be less than {min}"));
        }
        if let Some(max) = number("maximum")
            && (n > max || n >= max && open("exclusiveMaximum"))
        {
            say(format!("must not be more than {max}"));
        }
        if let Some(step) = number("multipleOf")
            && (n / step).fract() != 0.0
        {
            say(format!("must be a multiple of {step}"));
        }
        if schema.get("format").and_then(Value::as_str) == Some("int32")
            && !(-2_147_483_648.0..=2_147_483_647.0).contains(&n)
        {
            say("must be a 32-bit integer".to_owned());
        }
    }
    let size = match value {
        Value::String(s) => Some((s.chars().count(), "Length", "characters")),
        Value::Array(l) => Some((l.len(), "Items", "items")),
        Value::Object(m) => Some((m.len(), "Properties", "fields")),
        _ => None,
    };
    if let Some((size, suffix, unit)) = size {
        if let Some(min) = count(&format!("min{suffix}")).filter(|min| (size as u64) < *min) {
            say(format!("must have at least {min} {unit}"));
        }
        if let Some(max) = count(&format!("max{suffix}")).filter(|max| (size as u64) > *max) {
            say(format!("must have at most {max} {unit}"));
        }
    }
    if let (Some(text), Some(pattern)) = (value.as_str(), schema.get("pattern").and_then(Value::as_str))
        && Regex::new(pattern).is_ok_and(|r| !r.is_match(text))
    {
        say(format!("must match `{pattern}`"));
    }
}

fn junctors(schema: &Value, value: &Value, at: &FieldPath, found: &mut Vec<Violation>) {
    let fits = |branch: &Value| branch_fits(branch, value);
    let branches = |key: &str| schema.get(key).and_then(Value::as_array);
    let mut say = |message: &str| found.push((at.clone(), message.to_owned()));
    if branches("allOf").is_some_and(|b| !b.iter().all(fits)) {
        say("does not satisfy all of `allOf`");
    }
    if branches("anyOf").is_some_and(|b| !b.iter().any(fits)) {
        say("satisfies none of `anyOf`");
    }
    if branches("oneOf").is_some_and(|b| b.iter().filter(|b| fits(b)).count() != 1) {
        say("does not satisfy exactly one of `oneOf`");
    }
    if schema.get("not").is_some_and(fits) {
        say("satisfies what `not` forbids");
    }
}

/// A branch of a junctor is no structural schema: it has no types and describes only what it restricts.
fn branch_fits(branch: &Value, value: &Value) -> bool {
    let mut found = Vec::new();
    let typed = branch.get("type").is_none() || has_type(branch, value);
    limits(branch, value, &FieldPath::default(), &mut found);
    junctors(branch, value, &FieldPath::default(), &mut found);
    let below = match value {
        Value::Object(map) => {
            schema::required(branch).all(|n| map.contains_key(n))
                && schema::properties(branch).all(|(n, b)| map.get(n).is_none_or(|v| branch_fits(b, v)))
        }
        Value::Array(list) => schema::items(branch).is_none_or(|b| list.iter().all(|v| branch_fits(b, v))),
        _ => true,
    };
    typed && below && found.is_empty()
}

fn name_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(n) if n.is_f64() => "a number",
        Value::Number(_) => "an integer",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

fn article(noun: &str) -> String {
    let article = if noun.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    if noun.starts_with("[]") { format!("a list ({noun})") } else { format!("{article} {noun}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn complaints(schema: &Value, value: &Value) -> Vec<String> {
        violations(schema, value).into_iter().map(|(p, m)| format!("{p} {m}")).collect()
    }

    #[test]
    fn everything_that_does_not_fit_is_said() {
        let schema = json!({"type": "object", "required": ["name"], "properties": {
            "name": {"type": "string", "pattern": "^[a-z]+$"},
            "size": {"type": "integer", "minimum": 1},
            "mode": {"type": "string", "enum": ["a", "b"]},
            "ports": {"type": "array", "maxItems": 1, "items": {"x-kubernetes-int-or-string": true}},
        }});
        assert_eq!(
            complaints(&schema, &json!({"size": "3", "mode": "c", "ports": [80, "http"], "x": 1})),
            [
                ".name is required",
                ".mode must be one of \"a\", \"b\"",
                ".ports must have at most 1 items",
                ".size must be an integer, not a string",
                ".x is not a field of the CRD",
            ]
        );
        assert!(complaints(&schema, &json!({"name": "ok", "size": 2})).is_empty());
    }

    #[test]
    fn an_embedded_object_has_a_kind_that_a_server_takes() {
        let schema = json!({"type": "object", "x-kubernetes-embedded-resource": true, "properties": {
            "apiVersion": {"type": "string"}, "kind": {"type": "string"}}});
        assert!(complaints(&schema, &json!({"apiVersion": "apps/v1", "kind": "Deployment"})).is_empty());
        assert!(complaints(&schema, &json!({"apiVersion": "v1", "kind": "Pod"})).is_empty());
        let wrong = complaints(&schema, &json!({"apiVersion": "a/b/c", "kind": "example.com/a"}));
        assert_eq!(wrong.len(), 2, "{wrong:?}");
        assert!(wrong[1].starts_with(".kind is the kind of an embedded object: "), "{wrong:?}");
    }

    #[test]
    fn unions_and_lists() {
        let schema = json!({"type": "object", "oneOf": [{"required": ["a"]}, {"required": ["b"]}],
            "properties": {"a": {"type": "string"}, "b": {"type": "string"}}});
        assert_eq!(complaints(&schema, &json!({"a": "", "b": ""})), [". does not satisfy exactly one of `oneOf`"]);
        let list = json!({"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k"],
            "items": {"type": "object", "properties": {"k": {"type": "string"}}}});
        assert_eq!(complaints(&list, &json!([{"k": "x"}, {"k": "x"}])), [". has the same item twice"]);
    }
}
