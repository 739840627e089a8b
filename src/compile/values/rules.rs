//! Whether CEL rules would be evaluated on a value. What they say of it is not found out here.

use serde_json::Value;

use crate::compile::schema;

/// Whether a rule stands at the node of the value or of a part of it.
#[must_use]
pub fn meets_rules(node: &Value, value: &Value) -> bool {
    if node.get("x-kubernetes-validations").is_some() {
        return true;
    }
    match value {
        Value::Object(map) => map.iter().any(|(name, inner)| {
            let child = schema::property(node, name).or_else(|| schema::values(node));
            child.is_some_and(|child| meets_rules(child, inner))
        }),
        Value::Array(items) => {
            schema::items(node).is_some_and(|child| items.iter().any(|inner| meets_rules(child, inner)))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn rules_of_what_is_not_there_are_not_met() {
        let ruled = json!({"type": "string", "x-kubernetes-validations": [{"rule": "true"}]});
        let node = json!({"type": "object", "properties": {"a": ruled, "b": {"type": "string"},
            "l": {"type": "array", "items": ruled}, "m": {"type": "object", "additionalProperties": ruled}}});
        for (value, met) in [
            (json!({"a": ""}), true),
            (json!({"b": ""}), false),
            (json!({"l": []}), false),
            (json!({"l": [""]}), true),
            (json!({"m": {"k": ""}}), true),
            (json!({}), false),
        ] {
            assert_eq!(meets_rules(&node, &value), met, "{value}");
        }
    }
}
