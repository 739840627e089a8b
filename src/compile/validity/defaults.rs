//! The defaults in a schema: an API server judges each when the CRD is created.
//!
//! Source: apiextensions-apiserver `pkg/apiserver/schema/defaulting/validation.go`, Kubernetes 1.37 (the same in 1.33). How a
//! value is judged stands in `values`; here is only what is said of it, and that CEL rules are not evaluated.

use serde_json::Value;

use super::problem::{Kind, Report};
use crate::compile::{schema, values};
use crate::model::path::{FieldPath, Segment};
use crate::yaml::tree::escape;

/// Judges every default of the schema of a version.
pub(super) fn defaults(root: &Value, report: &mut Report) {
    for (at, judgement) in values::defaults(root) {
        let pointer = pointer(&at);
        let place = |path: &FieldPath| if path.segments().is_empty() { "it".to_owned() } else { format!("`{path}`") };
        for (path, why) in &judgement.violations {
            let message = format!("does not fit the schema: {} {why}", place(path));
            report.say_below(Kind::Invalid, &pointer, message);
        }
        for (path, why) in &judgement.unjudged {
            let message = format!("may not fit the schema: {} {why}", place(path));
            report.say_below(Kind::Unjudged, &pointer, message);
        }
    }
    rules(root, report);
}

/// The JSON Pointer of the default of a node, below the root.
fn pointer(at: &FieldPath) -> String {
    let step = |segment: &Segment| match segment {
        Segment::Property(name) => format!("/properties/{}", escape(name)),
        Segment::Items => "/items".to_owned(),
        Segment::Values => "/additionalProperties".to_owned(),
    };
    let steps: String = at.segments().iter().map(step).collect();
    format!("{steps}/default")
}

/// Says which defaults have to satisfy CEL rules. The server does not look below `additionalProperties`.
fn rules(this: &Value, report: &mut Report) {
    if this.get("default").is_some_and(|default| values::meets_rules(this, default)) {
        report.say(Kind::Unjudged, "default", "has to satisfy CEL rules, which only a server evaluates");
    }
    if let Some(items) = schema::items(this) {
        report.within("items", |report| rules(items, report));
    }
    report.within("properties", |report| {
        for (name, child) in schema::properties(this) {
            report.within(name, |report| rules(child, report));
        }
    });
}
