//! The metadata of an object: its name, namespace, labels and annotations.
//!
//! The API server sets all other fields; they are present in the output of `kubectl get -o yaml`.

use std::collections::BTreeMap;

use super::schema::{OBJECT, Walk, dotted};
use super::shape::Type;
use crate::model::codes::object;
use crate::model::diagnostic::Diagnostic;
use crate::model::kinds::table::{KindInfo, NameRule};
use crate::model::names;
use crate::yaml::tree::{Entry, Node, Value, escape};

/// Fields that the API server or controllers set; they are not compiled.
const SERVER_FIELDS: &[&str] = &[
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "managedFields",
    "ownerReferences",
    "finalizers",
    "selfLink",
];
const OWN_FIELDS: &[&str] = &["name", "namespace", "labels", "annotations"];
/// The annotation in which kubectl keeps a copy of the whole object.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// The metadata of an object.
#[derive(Debug, Default)]
pub(super) struct Metadata {
    /// The name; empty only with `fine` false.
    pub name: String,
    /// The namespace, if a valid one is written.
    pub namespace: Option<String>,
    /// Whether a namespace is written, valid or not.
    pub says_namespace: bool,
    /// The labels that are valid.
    pub labels: BTreeMap<String, String>,
    /// The annotations that are valid.
    pub annotations: BTreeMap<String, String>,
    /// Whether the object has `metadata`.
    pub there: bool,
    /// Whether it has no errors.
    pub fine: bool,
}

/// The name for diagnostics, if there is one.
pub(super) fn name_of(root: &Node) -> Option<&str> {
    root.get("metadata")?.get("name")?.as_str()
}

/// Whether the object is marked as not meant for a cluster.
pub(super) fn is_local_config(root: &Node) -> bool {
    ["annotations", "labels"].iter().any(|block| {
        let value = root.get("metadata").and_then(|m| m.get(block)?.get("config.kubernetes.io/local-config"));
        value.is_some_and(|v| v.as_str() == Some("true") || v.value == Value::Bool(true))
    })
}

/// Reads and checks the metadata of an object of this kind. In a `live` object the fields that the API
/// server sets are not reported.
pub(super) fn read(info: &KindInfo, root: &Node, live: bool, walk: &mut Walk) -> Metadata {
    let mut metadata = Metadata::default();
    let Some(entry) = root.entry("metadata") else {
        let diagnostic = Diagnostic::new(&object::MISSING_FIELD, root.place("/kind"), "`metadata.name` is missing")
            .help("add `metadata` with a `name`");
        walk.push(diagnostic, "");
        return metadata;
    };
    let Value::Map(entries) = &entry.value.value else {
        walk.wrong_type(Type::Object, &entry.value, "/metadata", Some(entry.key_span));
        return metadata;
    };
    metadata.fine = true;
    metadata.there = true;
    let mut meant_name = false;
    for field in entries {
        let path = format!("/metadata/{}", escape(&field.key));
        match field.key.as_str() {
            "name" => {
                if let Some(name) = name(info, field, &path, walk) {
                    name.clone_into(&mut metadata.name);
                } else {
                    metadata.fine = false;
                }
            }
            "namespace" => {
                metadata.says_namespace = true;
                metadata.namespace = namespace(info, field, &path, walk);
                metadata.fine &= metadata.namespace.is_some();
            }
            "labels" => metadata.fine &= strings(field, &path, walk, true, &mut metadata.labels),
            "annotations" => metadata.fine &= strings(field, &path, walk, false, &mut metadata.annotations),
            // An object that a server has named keeps the prefix that it was named from.
            "generateName" if live => {}
            "generateName" => {
                meant_name = true;
                metadata.fine = false;
                let diagnostic =
                    Diagnostic::new(&object::GENERATE_NAME, field.key_span, "`generateName` cannot be used")
                        .help("write `name` instead, with a name of your choice");
                walk.push(diagnostic, &path);
            }
            server if SERVER_FIELDS.contains(&server) => {
                if !live {
                    server_field(field, &path, walk);
                }
            }
            _ => {
                metadata.fine = false;
                let known = OWN_FIELDS.iter().copied();
                let taken = |key: &str| entry.value.get(key).is_some();
                meant_name |= walk.unknown(field, "/metadata", &path, known, taken) == Some("name");
            }
        }
    }
    if entry.value.get("name").is_none() {
        metadata.fine = false;
        if !meant_name {
            let diagnostic = Diagnostic::new(&object::MISSING_FIELD, entry.key_span, "`metadata.name` is missing")
                .at("needs `name`")
                .help("add `name: …`");
            walk.push(diagnostic, "/metadata");
        }
    }
    metadata.annotations.remove(LAST_APPLIED);
    metadata
}

fn name<'n>(info: &KindInfo, field: &'n Entry, path: &str, walk: &mut Walk) -> Option<&'n str> {
    let Value::String(name) = &field.value.value else {
        walk.wrong_type(Type::String, &field.value, path, Some(field.key_span));
        return None;
    };
    let checked = match info.name_rule {
        NameRule::Label => names::dns_label(name),
        NameRule::Subdomain => names::dns_subdomain(name),
    };
    let Err(why) = checked else { return Some(name) };
    let message = format!("`{name}` cannot be the name of {}: {why}", info.with_article());
    let diagnostic = Diagnostic::new(&object::INVALID_NAME, field.value.span, message);
    let diagnostic = match names::propose_label(name) {
        Some(proposal) => diagnostic.help(format!("write `{proposal}`")),
        None => diagnostic.help("use lower case letters, digits and `-`, and begin and end with a letter or digit"),
    };
    walk.push(diagnostic, path);
    None
}

fn namespace(info: &KindInfo, field: &Entry, path: &str, walk: &mut Walk) -> Option<String> {
    if !info.namespaced() {
        let message = format!("{} lives in no namespace", info.with_article());
        let diagnostic =
            Diagnostic::new(&object::NAMESPACE_NOT_ALLOWED, field.key_span, message).help("remove `namespace`");
        walk.push(diagnostic, path);
        return None;
    }
    let Value::String(name) = &field.value.value else {
        walk.wrong_type(Type::String, &field.value, path, Some(field.key_span));
        return None;
    };
    if let Err(why) = names::dns_label(name) {
        let diagnostic =
            Diagnostic::new(&object::INVALID_NAME, field.value.span, format!("`{name}` cannot be a namespace: {why}"))
                .help("write the name of the provider's account");
        walk.push(diagnostic, path);
        return None;
    }
    Some(name.clone())
}

/// A map of strings: labels, whose values are checked, or annotations, whose values are free.
fn strings(field: &Entry, path: &str, walk: &mut Walk, labels: bool, into: &mut BTreeMap<String, String>) -> bool {
    let entries = match &field.value.value {
        // The API server reads an empty `labels:` as an empty map.
        Value::Null => return true,
        Value::Map(entries) => entries,
        _ => return walk.wrong_type(Type::Object, &field.value, path, Some(field.key_span)),
    };
    let mut fine = true;
    for entry in entries {
        let at = format!("{path}/{}", escape(&entry.key));
        let checked = if labels { names::label_key(&entry.key) } else { names::annotation_key(&entry.key) };
        if let Err(why) = checked {
            fine = false;
            let what = if labels { "a label" } else { "an annotation" };
            let message = format!("`{}` cannot be the key of {what}: {why}", entry.key);
            let diagnostic = Diagnostic::new(&object::INVALID_LABEL, entry.key_span, message)
                .help("write a key such as `tier` or `example.com/tier`");
            walk.push(diagnostic, &at);
        }
        let Value::String(value) = &entry.value.value else {
            fine = walk.wrong_type(Type::String, &entry.value, &at, Some(entry.key_span));
            continue;
        };
        if labels && let Err(why) = names::label_value(value) {
            fine = false;
            let message = format!("`{value}` cannot be the value of the label `{}`: {why}", entry.key);
            let diagnostic = Diagnostic::new(&object::INVALID_LABEL, entry.value.span, message)
                .help("put free text into an annotation instead");
            walk.push(diagnostic, &at);
        }
        into.insert(entry.key.clone(), value.clone());
    }
    fine
}

fn server_field(field: &Entry, path: &str, walk: &mut Walk) {
    // `kubectl create --dry-run=client -o yaml` writes `creationTimestamp: null`.
    if field.value.value == Value::Null {
        return;
    }
    let message = format!("{} is set by the API server, and left out here", dotted(path, ""));
    let diagnostic = Diagnostic::new(&object::SERVER_FIELD, field.key_span, message).help("remove it");
    walk.push(diagnostic, path);
}

/// A walk that reports with the codes of objects.
pub(super) fn walk<'a>(
    text: &'a str,
    object: &'a str,
    diagnostics: &'a mut crate::model::diagnostic::Diagnostics,
) -> Walk<'a> {
    Walk { text, object, codes: &OBJECT, diagnostics }
}
