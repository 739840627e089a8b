//! Rules of one node with the same text. A CRD may be created with such twins, but server-side apply takes rules for a
//! list that is keyed by `rule`, and refuses them (`x-kubernetes-validations` in apiextensions
//! `pkg/apis/apiextensions/v1/types_jsonschema.go`, 1.37). The copies of a CRD are applied, so they have one of each.

use serde_json::Value;

use crate::compile::cel::one_line;
use crate::model::path::{FieldPath, Segment};

/// Drops from each node at and below `root` the rules whose text an earlier rule of the node has. Returns each place
/// with a message.
pub(super) fn merge(root: &mut Value) -> Vec<(FieldPath, String)> {
    let mut found = Vec::new();
    walk(root, &mut FieldPath::default(), &mut found);
    found
}

fn walk(node: &mut Value, at: &mut FieldPath, found: &mut Vec<(FieldPath, String)>) {
    let Some(map) = node.as_object_mut() else { return };
    if let Some(rules) = map.get_mut("x-kubernetes-validations").and_then(Value::as_array_mut) {
        let all = std::mem::take(rules);
        for rule in all {
            let text = rule.get("rule").and_then(Value::as_str);
            let is_twin = text.is_some() && rules.iter().any(|kept| kept.get("rule").and_then(Value::as_str) == text);
            if !is_twin {
                rules.push(rule);
                continue;
            }
            let text = one_line(text.unwrap_or_default());
            found.push((at.clone(), format!("`{at}`: the rule `{text}` stands there twice: only the first is kept")));
        }
    }
    let mut into = |segment: Segment, child: &mut Value| {
        at.0.push(segment);
        walk(child, at, found);
        at.0.pop();
    };
    for (name, child) in map.get_mut("properties").and_then(Value::as_object_mut).into_iter().flatten() {
        into(Segment::Property(name.clone()), child);
    }
    if let Some(child) = map.get_mut("items") {
        into(Segment::Items, child);
    }
    if let Some(child) = map.get_mut("additionalProperties") {
        into(Segment::Values, child);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_first_of_several_rules_with_one_text_stays() {
        let rule = |text: &str, message: &str| json!({"rule": text, "message": message});
        let node = |rules: Value| json!({"type": "string", "x-kubernetes-validations": rules});
        let of = |node: &Value| {
            json!({"type": "object", "properties": {
                "a": node,
                "list": {"type": "array", "items": node},
                "map": {"type": "object", "additionalProperties": node},
            }})
        };
        let twins = json!([rule("self != ''", "one"), rule("self == 'x'", "two"), rule("self != ''", "three")]);
        let mut root = of(&node(twins));
        let said = merge(&mut root);
        assert_eq!(root, of(&node(json!([rule("self != ''", "one"), rule("self == 'x'", "two")]))));
        let places: Vec<String> = said.iter().map(|(at, _)| at.to_string()).collect();
        assert_eq!(places, [".a", ".list[]", ".map.*"]);
        assert_eq!(said[0].1, "`.a`: the rule `self != ''` stands there twice: only the first is kept");
    }

    #[test]
    fn rules_that_differ_in_a_sign_are_no_twins() {
        let mut root = json!({"x-kubernetes-validations": [{"rule": "true"}, {"rule": "true "}, {}, {}]});
        let before = root.clone();
        assert_eq!(merge(&mut root), []);
        assert_eq!(root, before);
    }
}
