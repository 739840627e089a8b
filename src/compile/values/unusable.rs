//! Nodes of a schema that can have no value at all, though a server takes the CRD.

use serde_json::Value;

use super::number::{self, Width};

/// Why no value (but null, where that is taken) can ever be valid at this node, its children not looked at: the bounds
/// contradict each other, or a bound or a factor does not fit the node's own type and format. `maximum: 9223372036854775807` is stored as a float beyond 64 bits,
/// `multipleOf: 0.5` is no integer (kube-openapi `validator.go`, `numberValidator`, v1.37; v1.33 refuses the same values of
/// integers, apart from some bounds at the very edge of 64 bits and those of `int32`).
///
/// A pattern that Go does not compile is no such case: a server refuses the CRD. Junctors and CEL rules may contradict
/// each other; nobody looks for that.
#[must_use]
pub fn unusable(schema: &Value) -> Option<String> {
    let of = |key: &str| schema.get(key).and_then(Value::as_str).unwrap_or_default();
    match of("type") {
        type_ @ ("integer" | "number") => number::unusable_bound(schema, Width::of(&[type_], of("format")))
            .or_else(|| crossed(schema, "minimum", "maximum")),
        "string" => crossed(schema, "minLength", "maxLength"),
        "array" => crossed(schema, "minItems", "maxItems"),
        _ => None,
    }
}

/// Why nothing lies between two bounds. What lies between those of an object depends on which of its fields are exposed.
fn crossed(schema: &Value, least: &str, most: &str) -> Option<String> {
    let bound = |key: &str| schema.get(key).filter(|bound| bound.as_f64().is_some());
    let (low, high) = (bound(least)?, bound(most)?);
    let above = low.as_f64() > high.as_f64();
    above.then(|| format!("its `{least}`, {low}, is above its `{most}`, {high}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn nothing_lies_between_crossed_bounds() {
        for (schema, expected) in [
            (
                json!({"type": "integer", "minimum": 5, "maximum": 3}),
                Some("its `minimum`, 5, is above its `maximum`, 3"),
            ),
            (
                json!({"type": "string", "minLength": 1, "maxLength": 0}),
                Some("its `minLength`, 1, is above its `maxLength`, 0"),
            ),
            (
                json!({"type": "array", "minItems": 2, "maxItems": 1}),
                Some("its `minItems`, 2, is above its `maxItems`, 1"),
            ),
            (json!({"type": "number", "minimum": 3, "maximum": 3}), None),
            (json!({"type": "string", "maxLength": 0}), None),
        ] {
            assert_eq!(unusable(&schema).as_deref(), expected, "{schema}");
        }
    }
}
