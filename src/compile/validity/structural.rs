//! Whether a schema is structural: what an API server demands of every node besides its keywords.
//!
//! Source: apiextensions-apiserver `pkg/apiserver/schema/validation.go` and `complete.go`, Kubernetes 1.37 (the same in
//! 1.33). Nodes are those of `decode`: types are right, and what is empty is absent.

use serde_json::{Value, json};

use super::node::{Node, is, object, objects, text};
use super::problem::{Kind, Report};
use crate::compile::values::pattern::{self, PatternError};

/// Where a node stands, for the demand of a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Level {
    Root,
    Item,
    Field,
}

/// Everything that is not structural in the schema of a version.
pub(super) fn structural(root: &Node, report: &mut Report) {
    invariants(root, Level::Root, report);
    complete_junctors(root, Some(root), report);
}

fn say(report: &mut Report, key: &str, message: &str) {
    report.say(Kind::Structural, key, message);
}

/// The children under a key, with their names.
fn children<'n>(node: &'n Node, key: &str) -> impl Iterator<Item = (&'n String, &'n Node)> {
    object(node, key).into_iter().flatten().filter_map(|(name, child)| Some((name, child.as_object()?)))
}

/// Searches the branches of a node's junctors: `allOf`, `anyOf`, `oneOf`, `not`.
fn each_branch<'n>(node: &'n Node, report: &mut Report, mut search: impl FnMut(&str, usize, &'n Node, &mut Report)) {
    for key in ["allOf", "anyOf", "oneOf"] {
        report.within(key, |report| {
            for (index, branch) in objects(node, key) {
                report.within(&index.to_string(), |report| search(key, index, branch, report));
            }
        });
    }
    if let Some(branch) = object(node, "not") {
        report.within("not", |report| search("not", 0, branch, report));
    }
}

fn invariants(node: &Node, level: Level, report: &mut Report) {
    let (type_, embedded) = (text(node, "type"), is(node, "x-kubernetes-embedded-resource"));
    if type_ == "array" && !node.contains_key("items") {
        say(report, "", "is a list without a schema of its items; add `items`");
    }
    if let Some(items) = object(node, "items") {
        report.within("items", |report| invariants(items, Level::Item, report));
    }
    report.within("properties", |report| {
        for (name, child) in children(node, "properties") {
            report.within(name, |report| invariants(child, Level::Field, report));
        }
    });
    if let Some(values) = node.get("additionalProperties") {
        if level == Level::Root {
            say(report, "additionalProperties", "is not allowed at the root");
        }
        if embedded {
            say(report, "additionalProperties", "is not allowed beside `x-kubernetes-embedded-resource`");
        }
        if let Some(child) = values.as_object() {
            report.within("additionalProperties", |report| invariants(child, Level::Field, report));
        }
    }
    extensions(node, report);
    junctors(node, is_int_or_string(node), starts_with_int_or_string(node), report);
    if embedded && type_ != "object" {
        say(report, "type", "must be `object` beside `x-kubernetes-embedded-resource`");
    } else if type_.is_empty()
        && !is(node, "x-kubernetes-int-or-string")
        && !is(node, "x-kubernetes-preserve-unknown-fields")
    {
        say(report, "", "has no `type`");
    }
    if level == Level::Root && !type_.is_empty() && type_ != "object" {
        say(report, "type", "must be `object` at the root");
    }
    if embedded && !is(node, "x-kubernetes-preserve-unknown-fields") && object(node, "properties").is_none() {
        say(
            report,
            "",
            "is an embedded resource without `properties`; describe some, or add `x-kubernetes-preserve-unknown-fields: true`",
        );
    }
    identity(node, level, embedded, report);
}

/// The fields that every object of Kubernetes has: at the root, and in an embedded resource.
fn identity(node: &Node, level: Level, embedded: bool, report: &mut Report) {
    let checked = level == Level::Root || embedded;
    let Some(properties) = object(node, "properties").filter(|_| checked) else { return };
    report.within("properties", |report| {
        for name in ["apiVersion", "kind"] {
            if properties.get(name).and_then(Value::as_object).is_some_and(|child| text(child, "type") != "string") {
                report.within(name, |report| say(report, "type", "must be `string`, as in every object"));
            }
        }
        let Some(metadata) = properties.get("metadata").and_then(Value::as_object) else { return };
        report.within("metadata", |report| {
            if text(metadata, "type") != "object" {
                say(report, "type", "must be `object`, as in every object");
            }
            if level == Level::Root {
                root_metadata(metadata, report);
            }
        });
    });
}

/// What is said of anything else in the metadata of the root.
pub(super) const NOT_IN_METADATA: &str =
    "is not allowed in the metadata of the root, of which a schema may restrict `name` and `generateName` only";

/// At the root, the metadata may describe the name and nothing else.
fn root_metadata(metadata: &Node, report: &mut Report) {
    let only_names = |names: &Value| {
        let names = names.as_object();
        names.is_some_and(|names| names.keys().all(|name| name == "name" || name == "generateName"))
    };
    // A default is refused elsewhere.
    let allowed = |(key, value): &(&String, &Value)| match key.as_str() {
        "type" | "default" => true,
        "properties" => only_names(value),
        _ => false,
    };
    for (key, _) in metadata.iter().filter(|entry| !allowed(entry)) {
        say(report, key, NOT_IN_METADATA);
    }
}

fn extensions(node: &Node, report: &mut Report) {
    if !is(node, "x-kubernetes-int-or-string") {
        return;
    }
    for key in ["x-kubernetes-preserve-unknown-fields", "x-kubernetes-embedded-resource"] {
        if is(node, key) {
            say(report, key, "must not be true beside `x-kubernetes-int-or-string: true`");
        }
    }
}

/// The one `anyOf` that may name types, however the node is marked.
fn is_int_or_string(node: &Node) -> bool {
    node.get("anyOf").is_some_and(|found| *found == json!([{"type": "integer"}, {"type": "string"}]))
}

fn starts_with_int_or_string(node: &Node) -> bool {
    objects(node, "allOf").next().is_some_and(|(_, first)| is_int_or_string(first))
}

/// The pattern and the junctors of a node. `skip_any` passes over its `anyOf`, and `skip_first` over that of the first branch of `allOf`:
/// they are the pattern of `x-kubernetes-int-or-string`.
fn junctors(node: &Node, skip_any: bool, skip_first: bool, report: &mut Report) {
    match node.get("pattern").and_then(Value::as_str).map(pattern::read) {
        Some(Err(PatternError::Refused(why))) => {
            report.say(Kind::Invalid, "pattern", format!("is not a valid RE2 pattern: {why}"));
        }
        Some(Err(PatternError::Unjudged(why))) => {
            report.say(Kind::Unjudged, "pattern", format!("may not be a valid pattern for a server: {why}"));
        }
        Some(Ok(())) | None => {}
    }
    each_branch(node, report, |key, index, branch, report| match key {
        "anyOf" if skip_any => {}
        "allOf" => nested(branch, skip_first && index == 0, report),
        _ => nested(branch, false, report),
    });
}

/// The keywords that may not stand inside a junctor, where only values are restricted.
const OUTSIDE: [&str; 11] = [
    "type",
    "default",
    "title",
    "description",
    "nullable",
    "x-kubernetes-preserve-unknown-fields",
    "x-kubernetes-embedded-resource",
    "x-kubernetes-int-or-string",
    "x-kubernetes-list-map-keys",
    "x-kubernetes-list-type",
    "x-kubernetes-map-type",
];

fn nested(branch: &Node, skip_any: bool, report: &mut Report) {
    junctors(branch, skip_any, false, report);
    if let Some(items) = object(branch, "items") {
        report.within("items", |report| nested(items, false, report));
    }
    report.within("properties", |report| {
        for (name, child) in children(branch, "properties") {
            report.within(name, |report| nested(child, false, report));
            if name == "metadata" {
                say(report, name, "must not be restricted inside `allOf`, `anyOf`, `oneOf` or `not`");
            }
        }
    });
    let forbidden = OUTSIDE.into_iter().chain(["x-kubernetes-validations"]).filter(|key| branch.contains_key(*key));
    for key in forbidden {
        say(
            report,
            key,
            "is not allowed inside `allOf`, `anyOf`, `oneOf` or `not`, which restrict values only; move it to the field itself",
        );
    }
    if branch.get("additionalProperties").is_some_and(|values| *values != Value::Bool(false)) {
        say(report, "additionalProperties", "is not allowed inside `allOf`, `anyOf`, `oneOf` or `not`");
    }
}

/// What the junctors of the root restrict must be described outside of them. The server looks at no other junctors.
fn complete_junctors(node: &Node, described: Option<&Node>, report: &mut Report) {
    each_branch(node, report, |_, _, branch, report| complete(branch, described, report));
}

fn complete(branch: &Node, described: Option<&Node>, report: &mut Report) {
    let Some(described) = described else {
        say(report, "", "restricts what the schema does not describe outside of it");
        return;
    };
    complete_junctors(branch, Some(described), report);
    if let Some(items) = object(branch, "items") {
        report.within("items", |report| complete(items, object(described, "items"), report));
    }
    report.within("properties", |report| {
        for (name, child) in children(branch, "properties") {
            let field = object(described, "properties").and_then(|p| p.get(name)).and_then(Value::as_object);
            report.within(name, |report| complete(child, field, report));
        }
    });
}
