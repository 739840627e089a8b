//! The defaults in a schema: an API server judges each when the CRD is created.
//!
//! Source: apiextensions-apiserver `pkg/apiserver/schema/defaulting/validation.go`, Kubernetes 1.37 (the same in 1.33). The
//! server does not look below `additionalProperties`, and neither does this. How a value is judged stands in `values`.

use serde_json::Value;

use super::problem::{Kind, Report};
use crate::compile::{schema, values};
use crate::model::path::FieldPath;

/// Judges every default of the schema of a version.
pub(super) fn defaults(root: &Value, report: &mut Report) {
    // The server takes the root for an embedded resource.
    if root.get("default").is_some() {
        let mut embedded = root.clone();
        embedded["x-kubernetes-embedded-resource"] = Value::Bool(true);
        one(&embedded, false, report);
    }
    below(root, true, false, report);
}

fn node(this: &Value, in_metadata: bool, report: &mut Report) {
    let embedded = schema::is_embedded(this);
    let in_metadata = in_metadata && !embedded;
    one(this, in_metadata, report);
    below(this, embedded, in_metadata, report);
}

fn below(this: &Value, is_object: bool, in_metadata: bool, report: &mut Report) {
    if let Some(items) = schema::items(this) {
        report.within("items", |report| node(items, in_metadata, report));
    }
    report.within("properties", |report| {
        for (name, child) in schema::properties(this) {
            let identity = is_object && matches!(name.as_str(), "apiVersion" | "kind" | "metadata");
            report.within(name, |report| node(child, in_metadata || identity, report));
        }
    });
}

/// Judges the default of a node, if it has one.
fn one(this: &Value, in_metadata: bool, report: &mut Report) {
    let Some(default) = this.get("default") else { return };
    if in_metadata {
        // The server judges it with an object around it.
        report.say(
            Kind::Unjudged,
            "default",
            "is part of the metadata of an embedded resource; only a server can judge it",
        );
        return;
    }
    let judgement = values::default(this, default);
    let at = |path: &FieldPath| if path.segments().is_empty() { String::new() } else { format!("at `{path}` ") };
    for (path, why) in &judgement.violations {
        report.say(Kind::Invalid, "default", format!("does not fit the schema: {}it {why}", at(path)));
    }
    for (path, why) in &judgement.unjudged {
        report.say(Kind::Unjudged, "default", format!("may not fit the schema: {}it {why}", at(path)));
    }
    if judgement.violations.is_empty() && meets_rules(this, default) {
        report.say(Kind::Unjudged, "default", "has to satisfy CEL rules, which only a server evaluates");
    }
}

/// Whether a rule is evaluated on the value or on a part of it.
fn meets_rules(this: &Value, value: &Value) -> bool {
    if this.get("x-kubernetes-validations").is_some() {
        return true;
    }
    match value {
        Value::Object(map) => map.iter().any(|(name, inner)| {
            let child = schema::property(this, name).or_else(|| schema::values(this));
            child.is_some_and(|child| meets_rules(child, inner))
        }),
        Value::Array(items) => {
            schema::items(this).is_some_and(|child| items.iter().any(|inner| meets_rules(child, inner)))
        }
        _ => false,
    }
}
