//! A CustomResourceDefinition besides its schemas: metadata, group, names, versions, conversion.
//!
//! Source: apiextensions-apiserver `pkg/apis/apiextensions/validation/validation.go`, Kubernetes 1.37 (the same in 1.33), and
//! the object metadata of apimachinery `pkg/api/validation`. The object is one of `decode`.

use std::collections::BTreeSet;

use serde_json::Value;

use super::node::{Node, list, object, text};
use super::problem::{Report, invalid};
use crate::model::names::{self, NameError};

/// The annotation without which a group of Kubernetes itself is refused.
const APPROVED: &str = "api-approved.kubernetes.io";

/// The most bytes of keys and values of all annotations (apimachinery `validation.TotalAnnotationSizeLimitB`).
const ANNOTATIONS_MAX: usize = 256 * 1024;

/// Reports why a name is not valid.
fn named(report: &mut Report, key: &str, name: &str, result: Result<(), NameError>) {
    if let Err(error) = result {
        invalid(report, key, format!("is {name:?}, which is not valid: {error}"));
    }
}

/// Everything that is wrong besides the schemas.
pub(super) fn definition(crd: &Node, report: &mut Report) {
    let empty = Node::new();
    let metadata = object(crd, "metadata").unwrap_or(&empty);
    let Some(spec) = object(crd, "spec") else {
        invalid(report, "spec", "is missing");
        return;
    };
    report.within("metadata", |report| about(metadata, spec, report));
    report.within("spec", |report| {
        group(spec, report);
        let scope = text(spec, "scope");
        if !["Cluster", "Namespaced"].contains(&scope) {
            invalid(report, "scope", format!("must be `Namespaced` or `Cluster`, not {scope:?}"));
        }
        if spec.contains_key("preserveUnknownFields") {
            invalid(
                report,
                "preserveUnknownFields",
                "must not be true; set `x-kubernetes-preserve-unknown-fields` in the schema instead",
            );
        }
        report.within("names", |report| kinds(object(spec, "names").unwrap_or(&empty), report));
        versions(list(spec, "versions"), report);
        if let Some(conversion) = object(spec, "conversion") {
            report.within("conversion", |report| self::conversion(conversion, report));
        }
    });
}

fn about(metadata: &Node, spec: &Node, report: &mut Report) {
    let (name, group) = (text(metadata, "name"), text(spec, "group"));
    let plural = object(spec, "names").map_or("", |names| text(names, "plural"));
    if name != format!("{plural}.{group}") {
        invalid(report, "name", format!("is {name:?}; it must be the plural and the group: `{plural}.{group}`"));
    } else if let Err(error) = names::dns_subdomain(name) {
        invalid(report, "name", format!("is {name:?}, which is not valid: {error}"));
    }
    if !["", name].contains(&text(metadata, "generateName")) {
        invalid(report, "generateName", "must not be set: the name of a CRD is its plural and its group");
    }
    report.within("ownerReferences", |report| {
        for (index, owner) in list(metadata, "ownerReferences").iter().enumerate() {
            let lacks = |key: &&str| owner.get(*key).and_then(Value::as_str).is_none_or(str::is_empty);
            for key in ["apiVersion", "kind", "name", "uid"].iter().filter(|key| lacks(key)) {
                report.within(&index.to_string(), |report| invalid(report, key, "is missing"));
            }
        }
    });
    report.within("labels", |report| {
        for (key, value) in object(metadata, "labels").into_iter().flatten() {
            let value = value.as_str().unwrap_or_default();
            named(report, key, key, names::label_key(key));
            named(report, key, value, names::label_value(value));
        }
    });
    let annotations = object(metadata, "annotations");
    report.within("annotations", |report| {
        for (key, _) in annotations.into_iter().flatten() {
            named(report, key, key, names::annotation_key(key));
        }
        let size = |(key, value): (&String, &Value)| key.len() + value.as_str().map_or(0, str::len);
        if annotations.into_iter().flatten().map(size).sum::<usize>() > ANNOTATIONS_MAX {
            invalid(report, "", "have more than 256 KiB in all");
        }
    });
    report.within("finalizers", |report| {
        for (index, finalizer) in list(metadata, "finalizers").iter().enumerate() {
            let finalizer = finalizer.as_str().unwrap_or_default();
            named(report, &index.to_string(), finalizer, names::label_key(finalizer));
        }
    });
    approval(group, annotations, report);
}

/// A group of Kubernetes itself must be approved (KEP 1111).
fn approval(group: &str, annotations: Option<&Node>, report: &mut Report) {
    let protected =
        |suffix: &str| group == suffix || group.strip_suffix(suffix).is_some_and(|rest| rest.ends_with('.'));
    if !protected("k8s.io") && !protected("kubernetes.io") {
        return;
    }
    let approved = annotations.map_or("", |annotations| text(annotations, APPROVED));
    let is_url = approved.split_once("://").is_some_and(|(scheme, rest)| {
        !scheme.is_empty() && rest.split(['/', '?', '#']).next().is_some_and(|host| !host.is_empty())
    });
    if !approved.starts_with("unapproved") && !is_url {
        let message = format!(
            "must have `{APPROVED}`, since the group `{group}` is one of Kubernetes itself: the URL of the approval, or a text that begins with `unapproved`"
        );
        invalid(report, "annotations", message);
    }
}

fn group(spec: &Node, report: &mut Report) {
    let group = text(spec, "group");
    match names::dns_subdomain(group) {
        Err(_) if group.is_empty() => invalid(report, "group", "is missing"),
        Err(error) => invalid(report, "group", format!("is {group:?}, which is not valid: {error}")),
        Ok(()) if !group.contains('.') => {
            invalid(report, "group", format!("is `{group}`; it must be a domain with at least one dot"));
        }
        Ok(()) => {}
    }
}

fn kinds(of: &Node, report: &mut Report) {
    let (kind, list_kind) = (text(of, "kind"), text(of, "listKind"));
    for (key, name) in [("plural", text(of, "plural")), ("singular", text(of, "singular"))] {
        match name.is_empty() {
            true => invalid(report, key, "is missing"),
            false => named(report, key, name, names::dns_1035_label(name)),
        }
    }
    for (key, name) in [("kind", kind), ("listKind", list_kind)] {
        match name.is_empty() {
            true => invalid(report, key, "is missing"),
            false => named(report, key, name, names::dns_1035_label(&name.to_lowercase())),
        }
    }
    if !kind.is_empty() && kind == list_kind {
        invalid(report, "listKind", format!("is `{kind}`, as the kind is; the two must differ"));
    }
    for key in ["shortNames", "categories"] {
        report.within(key, |report| {
            for (index, name) in list(of, key).iter().enumerate() {
                let name = name.as_str().unwrap_or_default();
                named(report, &index.to_string(), name, names::dns_1035_label(name));
            }
        });
    }
}

fn versions(versions: &[Value], report: &mut Report) {
    let objects = || versions.iter().filter_map(Value::as_object);
    let stored = objects().filter(|version| version.get("storage") == Some(&Value::Bool(true))).count();
    if stored != 1 {
        invalid(report, "versions", format!("must have exactly one version with `storage: true`, and have {stored}"));
    }
    let mut seen = BTreeSet::new();
    report.within("versions", |report| {
        for (index, version) in versions.iter().enumerate() {
            let Some(version) = version.as_object() else { continue };
            report.within(&index.to_string(), |report| {
                let name = text(version, "name");
                named(report, "name", name, names::dns_1035_label(name));
                if !seen.insert(name) {
                    invalid(report, "name", format!("is `{name}`, which another version has, too"));
                }
                if object(version, "schema").is_none_or(|schema| !schema.contains_key("openAPIV3Schema")) {
                    invalid(report, "schema", "has no `openAPIV3Schema`");
                }
                deprecation(version, report);
            });
        }
    });
}

fn deprecation(version: &Node, report: &mut Report) {
    let Some(warning) = version.get("deprecationWarning").and_then(Value::as_str) else { return };
    let message = match () {
        () if !version.contains_key("deprecated") => "needs `deprecated: true` beside it",
        () if warning.is_empty() => "must not be empty",
        () if warning.len() > 256 => "must not be longer than 256 bytes",
        () if warning.chars().any(|c| !is_printable(c)) => "must have printable characters only",
        () => return,
    };
    invalid(report, "deprecationWarning", message);
}

/// Whether Go prints the character: spaces other than the ASCII one are not printed.
fn is_printable(c: char) -> bool {
    c == ' ' || !(c.is_control() || c.is_whitespace() || matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{feff}'))
}

fn conversion(of: &Node, report: &mut Report) {
    let webhook = object(of, "webhook");
    match text(of, "strategy") {
        "None" => {
            if webhook.is_some() {
                invalid(report, "webhook", "must not be set unless `strategy` is `Webhook`");
            }
        }
        "Webhook" => match webhook {
            None => invalid(report, "webhook", "is missing, and `strategy` is `Webhook`"),
            Some(webhook) => report.within("webhook", |report| self::webhook(webhook, report)),
        },
        other => invalid(report, "strategy", format!("must be `None` or `Webhook`, not {other:?}")),
    }
}

fn webhook(of: &Node, report: &mut Report) {
    let Some(client) = object(of, "clientConfig") else {
        invalid(report, "clientConfig", "is missing");
        return review_versions(of, report);
    };
    report.within("clientConfig", |report| {
        match (client.get("url").and_then(Value::as_str), object(client, "service")) {
            (Some(url), None) => webhook_url(url, report),
            (None, Some(service)) => report.within("service", |report| webhook_service(service, report)),
            _ => invalid(report, "", "must have either `url` or `service`"),
        }
    });
    review_versions(of, report);
}

fn webhook_url(url: &str, report: &mut Report) {
    let rest = url.strip_prefix("https://");
    let host = rest.and_then(|rest| rest.split(['/', '?', '#']).next());
    if host.is_none_or(|host| host.is_empty() || host.contains('@')) || url.contains(['?', '#']) {
        invalid(report, "url", "must be `https://HOST/PATH`, without a user, a query and a fragment");
    }
}

fn webhook_service(service: &Node, report: &mut Report) {
    for key in ["name", "namespace"] {
        if text(service, key).is_empty() {
            invalid(report, key, "is missing");
        }
    }
    if let Some(path) = service.get("path").and_then(Value::as_str).filter(|path| *path != "/") {
        let mut steps = path.trim_end_matches('/').split('/');
        let rooted = steps.next() == Some("");
        if !rooted || steps.any(|step| names::dns_subdomain(step).is_err()) {
            invalid(report, "path", format!("is {path:?}, which is no path of a URL"));
        }
    }
    let port = service.get("port").and_then(Value::as_i64).unwrap_or_default();
    if !(1..=65535).contains(&port) {
        invalid(report, "port", format!("must be from 1 to 65535, not {port}"));
    }
}

fn review_versions(of: &Node, report: &mut Report) {
    let versions: Vec<&str> = list(of, "conversionReviewVersions").iter().filter_map(Value::as_str).collect();
    if !versions.iter().any(|version| ["v1", "v1beta1"].contains(version)) {
        invalid(report, "conversionReviewVersions", "must have `v1` or `v1beta1`");
    }
    let mut seen = BTreeSet::new();
    report.within("conversionReviewVersions", |report| {
        for (index, version) in versions.into_iter().enumerate() {
            match seen.insert(version) {
                true => named(report, &index.to_string(), version, names::dns_1035_label(version)),
                false => invalid(report, &index.to_string(), format!("has `{version}` twice")),
            }
        }
    });
}
