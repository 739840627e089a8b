//! Nodes of a schema that can have no value at all, though a server takes the CRD.

use serde_json::Value;

use super::number::{self, Width};

/// Why no value (but null, where that is taken) can ever be valid at this node, its children not looked at: a bound or a
/// factor does not fit the node's own type and format. `maximum: 9223372036854775807` is stored as a float beyond 64 bits,
/// `multipleOf: 0.5` is no integer (kube-openapi `validator.go`, `numberValidator`, v1.37; v1.33 refuses the same values of
/// integers, apart from some bounds at the very edge of 64 bits and those of `int32`).
///
/// A pattern that Go does not compile is no such case: a server refuses the CRD. Junctors and CEL rules may contradict
/// each other; nobody looks for that.
#[must_use]
pub fn unusable(schema: &Value) -> Option<String> {
    let of = |key: &str| schema.get(key).and_then(Value::as_str).unwrap_or_default();
    match of("type") {
        type_ @ ("integer" | "number") => number::unusable_bound(schema, Width::of(&[type_], of("format"))),
        _ => None,
    }
}
