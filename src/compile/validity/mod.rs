//! Validity: whether an API server would take a CustomResourceDefinition, and with which bytes it would store it.
//!
//! A CRD from a file was seen by no server yet. [`decode`] gives it the form in which a server stores it and says what is
//! dropped on the way; [`problems`] says what the server would refuse, at the JSON Pointer of the value, with the server's
//! reason in our words. Each file names its source. Nothing here knows what of the CRD is exposed.

mod decode;
mod defaults;
mod keywords;
mod node;
mod parts;
mod problem;
mod spec;
mod structural;
mod types;

use std::collections::BTreeSet;

use serde_json::Value;

use crate::compile::cel::{ProblemKind, check_rules};

pub(crate) use self::decode::decode;
pub(crate) use self::keywords::may_be_at_root;
pub(crate) use self::problem::{Kind, Problem};

use self::problem::Report;
use crate::yaml::tree::unescape;

/// The sentence about what an API server drops of a CRD.
#[must_use]
pub(crate) fn dropped(name: &str, unknown: &[String]) -> String {
    const SHOWN: usize = 5;
    let keys: BTreeSet<String> =
        unknown.iter().filter_map(|pointer| pointer.rsplit('/').next().map(unescape)).collect();
    let mut listed: Vec<String> = keys.iter().take(SHOWN).map(|key| format!("`{key}`")).collect();
    if keys.len() > SHOWN {
        listed.push(format!("{} more", keys.len() - SHOWN));
    }
    let places = if unknown.len() == 1 { "one place".to_owned() } else { format!("{} places", unknown.len()) };
    format!("`{name}` has keys that API servers drop, in {places}: {}", listed.join(", "))
}

/// Everything that an API server would refuse in a CRD, and what cannot be judged, in order of place. The CRD is one of
/// [`decode`].
#[must_use]
pub(crate) fn problems(crd: &Value) -> Vec<Problem> {
    let Some(crd) = crd.as_object() else { return Vec::new() };
    let mut report = Report::default();
    spec::definition(crd, &mut report);
    let versions = crd.get("spec").and_then(|spec| spec.get("versions")).and_then(Value::as_array);
    let versions = versions.map_or(&[][..], Vec::as_slice);
    // A schema that all versions share is checked once, with the subresources of all of them.
    let shared = versions.windows(2).all(|two| schema(&two[0]) == schema(&two[1]));
    // What is wrong with a version that is not served matters less, so it is checked with one that is.
    let is_served = |version: &Value| version.get("served") == Some(&Value::Bool(true));
    let checked = versions.iter().position(is_served).unwrap_or(0);
    let has_status = |version: &Value| version.pointer("/subresources/status").is_some();
    report.within("spec", |report| {
        report.within("versions", |report| {
            parts::selectable_of_all(versions, shared, report);
            for (index, version) in versions.iter().enumerate() {
                let status = if shared { versions.iter().any(has_status) } else { has_status(version) };
                let is_checked = !shared || index == checked;
                report.within(&index.to_string(), |report| one(version, status, is_checked, report));
            }
        });
    });
    report.into_problems()
}

/// The schema of a version, with the key around it.
fn schema(version: &Value) -> Option<&Value> {
    version.get("schema")
}

fn one(version: &Value, status: bool, is_checked: bool, report: &mut Report) {
    let Some(object) = version.as_object() else { return };
    parts::parts(object, report);
    let root = schema(version).and_then(|schema| schema.get("openAPIV3Schema"));
    let Some(schema @ Value::Object(root)) = root.filter(|_| is_checked) else { return };
    report.within("schema", |report| {
        report.within("openAPIV3Schema", |report| {
            structural::structural(root, report);
            keywords::keywords(root, report);
            if status {
                keywords::beside_status(root, report);
            }
            defaults::defaults(schema, report);
            // As the server does: with a schema that is not structural, what is said of its rules helps nobody.
            let rules = if report.has_structural() { Vec::new() } else { check_rules(schema) };
            for problem in rules {
                let (kind, verdict) = match problem.kind {
                    ProblemKind::Refused => (Kind::Invalid, "is refused"),
                    ProblemKind::Unjudged => (Kind::Unjudged, "may be refused"),
                };
                report.say_below(kind, &problem.pointer, format!("{verdict}: {}", problem.message));
            }
        });
    });
}

#[cfg(test)]
mod tests;
