//! What a version has beside its schema: printer columns, the scale subresource, selectable fields.
//!
//! Source: apiextensions-apiserver `pkg/apis/apiextensions/validation/validation.go` and `ValidFieldPath` of
//! `pkg/apiserver/schema/cel/validation.go`, Kubernetes 1.37 (the same in 1.33). The object is one of `decode`.

use std::collections::BTreeSet;

use serde_json::Value;

use super::node::{Node, objects, text};
use super::problem::{Report, invalid};

const COLUMN_TYPES: [&str; 5] = ["boolean", "date", "integer", "number", "string"];
const COLUMN_FORMATS: [&str; 8] = ["byte", "date", "date-time", "double", "float", "int32", "int64", "password"];

/// The most selectable fields of a version.
const SELECTABLE_MAX: usize = 8;

/// Everything that is wrong with the parts of one version.
pub(super) fn parts(version: &Node, report: &mut Report) {
    report.within("additionalPrinterColumns", |report| {
        for (index, shown) in objects(version, "additionalPrinterColumns") {
            report.within(&index.to_string(), |report| column(shown, report));
        }
    });
    if let Some(scale) = version.get("subresources").and_then(|s| s.get("scale")).and_then(Value::as_object) {
        report.within("subresources", |report| report.within("scale", |report| self::scale(scale, report)));
    }
    selectable(version, report);
}

fn column(column: &Node, report: &mut Report) {
    if text(column, "name").is_empty() {
        invalid(report, "name", "is missing");
    }
    let type_ = text(column, "type");
    if !COLUMN_TYPES.contains(&type_) {
        invalid(report, "type", format!("is {type_:?}; it must be one of {}", COLUMN_TYPES.join(", ")));
    }
    let format = text(column, "format");
    if !format.is_empty() && !COLUMN_FORMATS.contains(&format) {
        invalid(report, "format", format!("is {format:?}; it must be one of {}", COLUMN_FORMATS.join(", ")));
    }
    path(column, "jsonPath", report);
}

/// A path that begins with a dot: the server demands no more of it. Returns it, if it is one.
fn path<'o>(of: &'o Node, key: &str, report: &mut Report) -> Option<&'o str> {
    let path = text(of, key);
    match path {
        "" => invalid(report, key, "is missing"),
        path if !path.starts_with('.') => invalid(report, key, format!("is {path:?}; it must begin with a dot")),
        path => return Some(path),
    }
    None
}

fn scale(scale: &Node, report: &mut Report) {
    for (key, roots) in [
        ("specReplicasPath", &[".spec."] as &[&str]),
        ("statusReplicasPath", &[".status."]),
        ("labelSelectorPath", &[".spec.", ".status."]),
    ] {
        if key == "labelSelectorPath" && text(scale, key).is_empty() {
            continue;
        }
        if let Some(found) = path(scale, key, report).filter(|path| !roots.iter().any(|root| path.starts_with(root))) {
            let roots: Vec<String> = roots.iter().map(|root| format!("`{root}`")).collect();
            invalid(report, key, format!("is {found:?}; it must begin with {}", roots.join(" or ")));
        }
    }
}

fn selectable(version: &Node, report: &mut Report) {
    let Some(fields) = version.get("selectableFields").and_then(Value::as_array) else { return };
    let root = version.get("schema").and_then(|s| s.get("openAPIV3Schema"));
    let mut seen = BTreeSet::new();
    report.within("selectableFields", |report| {
        for (index, field) in fields.iter().enumerate() {
            let path = field.get("jsonPath").and_then(Value::as_str).unwrap_or_default();
            report.within(&index.to_string(), |report| {
                let message = match root.map(|root| field_at(root, path)) {
                    _ if path.is_empty() => "is missing".to_owned(),
                    None | Some(None) => format!("is {path:?}, which leads to no field of the schema"),
                    Some(Some((steps, _))) if steps.first() == Some(&"metadata") => {
                        format!("is {path:?}; fields of the metadata are not selectable")
                    }
                    Some(Some((_, node))) if !is_selectable(node) => {
                        format!("is {path:?}, which is no string, boolean or integer")
                    }
                    Some(Some((steps, _))) if !seen.insert(steps.clone()) => {
                        format!("is {path:?}, which is listed twice")
                    }
                    Some(Some(_)) => return,
                };
                invalid(report, "jsonPath", message);
            });
        }
        if seen.len() > SELECTABLE_MAX {
            invalid(report, "", format!("are {}; a version may have {SELECTABLE_MAX}", seen.len()));
        }
    });
}

/// Selectable fields and schemas must both be the same in all versions, or both differ: the server keeps what all versions
/// share apart from the versions, and finds the other half missing (`conversion.go`, versions into the internal type).
pub(super) fn selectable_of_all(versions: &[Value], shared_schema: bool, report: &mut Report) {
    let fields = |version: &Value| version.get("selectableFields").cloned();
    let shared = versions.windows(2).all(|two| fields(&two[0]) == fields(&two[1]));
    if shared == shared_schema {
        return;
    }
    let message = match shared {
        true => "are the same in all versions, but the schemas differ: API servers refuse that",
        false => "differ between the versions, but the schemas are the same: API servers refuse that",
    };
    for (index, _) in versions.iter().enumerate().filter(|(_, version)| fields(version).is_some()) {
        report.within(&index.to_string(), |report| invalid(report, "selectableFields", message));
    }
}

fn is_selectable(node: &Value) -> bool {
    node.get("type").and_then(Value::as_str).is_some_and(|type_| ["boolean", "integer", "string"].contains(&type_))
}

/// The steps of a path of dots, and the node that it leads to, through properties and maps.
fn field_at<'s, 'p>(root: &'s Value, path: &'p str) -> Option<(Vec<&'p str>, &'s Value)> {
    if path.contains(['[', ']']) {
        return None;
    }
    let steps: Vec<&str> = path.strip_prefix('.')?.split('.').collect();
    let step = |node: &'s Value, name: &&str| match node.get("properties") {
        Some(properties) => properties.get(name),
        None => node.get("additionalProperties").filter(|values| values.is_object()),
    };
    let node = steps.iter().try_fold(root, step)?;
    Some((steps, node))
}
