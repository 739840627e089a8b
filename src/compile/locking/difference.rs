//! The differences between two forms of a CRD for its users: names, versions and fields that were added or
//! removed, types that changed, and the subresources and selectable fields of versions. If there are none, the
//! changed lines of the manifest: descriptions, defaults, columns, validations.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::compile::schema;
use crate::model::crd::{Version, in_words, keeps_unknown_fields, names};
use crate::model::line_diff::line_diff;
use crate::model::path::{FieldPath, Segment};
use crate::model::secret_values::without_secrets;
use crate::yaml::to_yaml;

/// The first line where no field was added or removed and no type has changed.
pub(crate) const ONLY_DETAILS: &str = "~ descriptions, defaults, columns or validations only";

/// The differences, one line each: `+` added, `-` removed, `~` changed.
#[must_use]
pub(crate) fn difference(old: &Value, new: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    for (what, pointer) in
        [("scope", "/spec/scope"), ("kind", "/spec/names/kind"), ("conversion", "/spec/conversion/strategy")]
    {
        let text = |crd: &Value| crd.pointer(pointer).and_then(Value::as_str).unwrap_or("none").to_owned();
        if text(old) != text(new) {
            lines.push(format!("~ {what}: {} -> {}", text(old), text(new)));
        }
    }
    for (what, key) in [("short names", "shortNames"), ("categories", "categories")] {
        let (was, is) = (names(old, key), names(new, key));
        if was != is {
            lines.push(format!("~ {what}: {} -> {}", in_words(&was), in_words(&is)));
        }
    }
    match (keeps_unknown_fields(old), keeps_unknown_fields(new)) {
        (true, false) => lines.push("~ fields that are not in the schemas are no longer kept".to_owned()),
        (false, true) => lines.push("~ fields that are not in the schemas are kept".to_owned()),
        _ => {}
    }
    if let (Some(was), Some(is)) = (webhook(old), webhook(new))
        && was != is
    {
        lines.push("~ the conversion webhook changes".to_owned());
    }
    let (before, after) = (versions(old), versions(new));
    for name in before.keys().filter(|name| !after.contains_key(*name)) {
        lines.push(format!("- version {name}"));
    }
    for (name, version) in &after {
        let Some(was) = before.get(name) else {
            lines.push(format!("+ version {name}"));
            continue;
        };
        for (flag, on, off) in [
            ("served", "is served", "is no longer served"),
            ("storage", "is the stored one", "is no longer the stored one"),
            ("deprecated", "is deprecated", "is no longer deprecated"),
        ] {
            match (schema::flag(was, flag), schema::flag(version, flag)) {
                (false, true) => lines.push(format!("~ version {name} {on}")),
                (true, false) => lines.push(format!("~ version {name} {off}")),
                _ => {}
            }
        }
        around(name, was, version, &mut lines);
        let root = |version: &'_ Value| version.pointer("/schema/openAPIV3Schema").cloned().unwrap_or_default();
        nodes(name, &root(was), &root(version), &mut FieldPath::default(), &mut lines);
    }
    if lines.is_empty() {
        let what = match (old == new, old.get("spec") == new.get("spec")) {
            (true, _) => "~ the CRD is the same; only its file or its line in the lock was not",
            (_, true) => "~ labels or annotations only",
            _ => ONLY_DETAILS,
        };
        lines.push(what.to_owned());
        let text = |crd: &Value| to_yaml(&without_secrets(crd));
        lines.extend(line_diff(&text(old), &text(new)).iter().map(ToString::to_string));
    }
    lines
}

/// The webhook that converts instances, without the CA bundle: other programs, such as cert-manager, write that.
fn webhook(crd: &Value) -> Option<Value> {
    let mut webhook = crd.pointer("/spec/conversion/webhook").cloned()?;
    if let Some(config) = webhook.get_mut("clientConfig").and_then(Value::as_object_mut) {
        config.remove("caBundle");
    }
    Some(webhook)
}

/// What a version has beside its schema, without its columns.
fn around(version: &str, old: &Value, new: &Value, lines: &mut Vec<String>) {
    for what in ["status", "scale"] {
        let of = |body| Version { body }.subresource(what);
        let sign = match (of(old), of(new)) {
            (None, Some(_)) => '+',
            (Some(_), None) => '-',
            (was, is) if was != is => '~',
            _ => continue,
        };
        lines.push(format!("{sign} {version} {what} subresource"));
    }
    let selectable = |body| Version { body }.selectable_fields();
    let (was, is) = (selectable(old), selectable(new));
    lines.extend(was.difference(&is).map(|path| format!("- {version} selectable field {path}")));
    lines.extend(is.difference(&was).map(|path| format!("+ {version} selectable field {path}")));
}

fn versions(crd: &Value) -> BTreeMap<String, &Value> {
    crate::model::crd::versions(crd).map(|version| (version.name().to_owned(), version.body)).collect()
}

fn nodes(version: &str, old: &Value, new: &Value, at: &mut FieldPath, lines: &mut Vec<String>) {
    let (was, is) = (schema::describe(old), schema::describe(new));
    if was != is {
        lines.push(format!("~ {version} {at}: {was} -> {is}"));
        return;
    }
    let required = |node: &Value, name: &str| schema::required(node).any(|r| r == name);
    for (name, child) in schema::properties(old) {
        if schema::property(new, name).is_none() {
            lines.push(format!("- {version} {} ({})", at.property(name), schema::describe(child)));
        }
    }
    for (name, child) in schema::properties(new) {
        let here = at.property(name);
        let Some(before) = schema::property(old, name) else {
            let must = if required(new, name) { ", required" } else { "" };
            lines.push(format!("+ {version} {here} ({}{must})", schema::describe(child)));
            continue;
        };
        match (required(old, name), required(new, name)) {
            (false, true) => lines.push(format!("~ {version} {here} becomes required")),
            (true, false) => lines.push(format!("~ {version} {here} is no longer required")),
            _ => {}
        }
        at.0.push(Segment::Property(name.clone()));
        nodes(version, before, child, at, lines);
        at.0.pop();
    }
    for (segment, before, after) in [
        (Segment::Items, schema::items(old), schema::items(new)),
        (Segment::Values, schema::values(old), schema::values(new)),
    ] {
        if let (Some(before), Some(after)) = (before, after) {
            at.0.push(segment);
            nodes(version, before, after, at, lines);
            at.0.pop();
        }
    }
}

#[cfg(test)]
#[allow(clippy::needless_pass_by_value, reason = "`json!` is written where it is used")]
mod tests {
    use super::*;
    use serde_json::json;

    fn crd(versions: &Value) -> Value {
        json!({"spec": {"scope": "Namespaced", "versions": versions}})
    }

    fn version(name: &str, spec: &Value, required: &[&str]) -> Value {
        let spec = json!({"type": "object", "required": required, "properties": spec});
        json!({
            "name": name, "served": true,
            "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec}}},
        })
    }

    #[test]
    fn names_subresources_and_selectable_fields_are_named() {
        let crd = |names: Value, subresources: Value, selectable: &[&str]| {
            let selectable: Vec<Value> = selectable.iter().map(|path| json!({"jsonPath": path})).collect();
            let mut version = version("v1", &json!({"size": {"type": "integer"}, "n": {"type": "integer"}}), &[]);
            version["subresources"] = subresources;
            version["selectableFields"] = json!(selectable);
            let mut crd = crd(&json!([version]));
            crd["spec"]["names"] = names;
            crd
        };
        let scale = |path: &str| json!({"scale": {"specReplicasPath": path, "statusReplicasPath": ".status.n"}});
        let old =
            crd(json!({"kind": "A", "shortNames": ["a"], "categories": ["x", "y"]}), scale(".spec.n"), &[".spec.size"]);
        let with_status = json!({"status": {}});
        let new = crd(json!({"kind": "A", "shortNames": ["b", "a"]}), with_status.clone(), &[".spec.n"]);
        assert_eq!(
            difference(&old, &new),
            [
                "~ short names: a -> a, b",
                "~ categories: x, y -> none",
                "+ v1 status subresource",
                "- v1 scale subresource",
                "- v1 selectable field .spec.size",
                "+ v1 selectable field .spec.n",
            ]
        );
        let with = |keeps: bool, path: &str| {
            let mut crd = old.clone();
            crd["spec"]["preserveUnknownFields"] = json!(keeps);
            let config = json!({"caBundle": path, "service": {"path": path}});
            crd["spec"]["conversion"] = json!({"strategy": "Webhook", "webhook": {"clientConfig": config}});
            crd
        };
        assert_eq!(
            difference(&with(true, "/a"), &with(false, "/b")),
            ["~ fields that are not in the schemas are no longer kept", "~ the conversion webhook changes"]
        );
        let other = crd(
            json!({"kind": "A", "shortNames": ["a"], "categories": ["y", "x"]}),
            scale(".spec.size"),
            &[".spec.size"],
        );
        assert_eq!(difference(&old, &other), ["~ v1 scale subresource"]);
    }

    #[test]
    fn only_what_matters_has_a_line() {
        let string = json!({"type": "string"});
        let old = crd(&json!([
            version("v1alpha1", &json!({}), &[]),
            version(
                "v1",
                &json!({
                    "size": {"type": "integer"}, "gone": string, "same": {"type": "string", "description": "a"},
                    "list": {"type": "array", "items": {"type": "object", "properties": {"x": string}}},
                }),
                &["gone"]
            ),
        ]));
        let new = crd(&json!([
            version(
                "v1",
                &json!({
                    "size": string, "same": {"type": "string", "description": "b"}, "must": string,
                    "list": {"type": "array", "items": {"type": "object", "properties": {"x": string, "y": string}}},
                }),
                &["must", "same"]
            ),
            version("v2", &json!({}), &[]),
        ]));
        assert_eq!(
            difference(&old, &new),
            [
                "- version v1alpha1",
                "- v1 .spec.gone (string)",
                "+ v1 .spec.list[].y (string)",
                "+ v1 .spec.must (string, required)",
                "~ v1 .spec.same becomes required",
                "~ v1 .spec.size: integer -> string",
                "+ version v2",
            ]
        );
        assert_eq!(difference(&old, &old), ["~ the CRD is the same; only its file or its line in the lock was not"]);
        let described = crd(&json!([version("v1", &json!({"a": {"type": "string", "description": "x"}}), &[])]));
        let anew = crd(&json!([version("v1", &json!({"a": {"type": "string", "description": "z"}}), &[])]));
        let lines = difference(&described, &anew);
        assert_eq!(lines[0], "~ descriptions, defaults, columns or validations only");
        assert!(lines[1].starts_with("@@ ") && lines.len() == 8, "{lines:?}");
        let changed: Vec<&str> = lines[1..]
            .iter()
            .filter(|l| l.starts_with(['-', '+']))
            .map(|l| l.trim_start_matches(['-', '+']))
            .map(str::trim)
            .collect();
        assert_eq!(changed, ["description: x", "description: z"]);
    }
}
