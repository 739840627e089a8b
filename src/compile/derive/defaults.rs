//! Defaults of the catalog: they are put into a schema, and the rules go that nothing here can hold them against
//! (`derivation.md` R3, R4).

use serde_json::Value;

use super::exposure::Report;
use crate::compile::cel::one_line;
use crate::model::codes::Code;
use crate::model::codes::derivation as codes;
use crate::model::path::{FieldPath, Segment};

/// What becomes of the rules on the way to a default.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Rules {
    /// They stay.
    Stay,
    /// They go: with the default, items are smaller, and the server reckons with more of them.
    Costlier,
}

/// Puts a default at `path` below a node whose own path is `at`.
pub(super) fn put_default(
    node: &mut Value,
    path: &[Segment],
    default: &Value,
    way: Rules,
    at: &mut FieldPath,
    report: &mut Report<'_>,
) {
    let Some((first, rest)) = path.split_first() else {
        node["default"] = default.clone();
        drop_rules(node, at, report);
        return;
    };
    if way == Rules::Costlier {
        take_rules(
            node,
            at,
            report,
            |_| false,
            &codes::RULE_TOO_COSTLY,
            "it would cost more with the catalog's default",
        );
    }
    let child = match first {
        Segment::Property(name) => node.get_mut("properties").and_then(|p| p.get_mut(name)),
        Segment::Items => node.get_mut("items"),
        Segment::Values => node.get_mut("additionalProperties"),
    };
    if let Some(child) = child {
        at.0.push(first.clone());
        put_default(child, rest, default, way, at, report);
        at.0.pop();
    }
}

/// Drops the rules at and below a field with a default of the catalog. Transition rules are held against changes only.
fn drop_rules(node: &mut Value, at: &mut FieldPath, report: &mut Report<'_>) {
    let transition = |text: &str| text.contains("oldSelf");
    take_rules(
        node,
        at,
        report,
        transition,
        &codes::RULE_DROPPED,
        "it cannot be checked against the catalog's default",
    );
    let Some(map) = node.as_object_mut() else { return };
    let mut into = |segment: Segment, child: &mut Value| {
        at.0.push(segment);
        drop_rules(child, at, report);
        at.0.pop();
    };
    for (name, child) in map.get_mut("properties").and_then(Value::as_object_mut).into_iter().flatten() {
        into(Segment::Property(name.clone()), child);
    }
    if let Some(child) = map.get_mut("items") {
        into(Segment::Items, child);
    }
    if let Some(child) = map.get_mut("additionalProperties").filter(|c| c.is_object()) {
        into(Segment::Values, child);
    }
}

fn take_rules(
    node: &mut Value,
    at: &FieldPath,
    report: &mut Report<'_>,
    stays: impl Fn(&str) -> bool,
    code: &'static Code,
    why: &str,
) {
    let Some(rules) = node.get_mut("x-kubernetes-validations").and_then(Value::as_array_mut) else { return };
    rules.retain(|rule| {
        let text = rule.get("rule").and_then(Value::as_str).unwrap_or_default();
        if !stays(text) {
            report.about(code, at, format!("`{at}`: the rule `{}` is dropped: {why}", one_line(text)), None);
        }
        stays(text)
    });
    if rules.is_empty()
        && let Some(map) = node.as_object_mut()
    {
        map.remove("x-kubernetes-validations");
    }
}
