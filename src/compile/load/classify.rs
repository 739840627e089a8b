//! Classifies documents: objects of our kinds, near misses, and all others.
//!
//! A repository holds all sorts of YAML, such as instances, kustomizations or Deployments, which are ignored. A
//! near miss, such as a misspelt kind, must not be ignored.

use std::borrow::Cow;

use super::list;
use crate::model::codes::object;
use crate::model::diagnostic::{Diagnostic, Diagnostics};
use crate::model::kinds::table::{self, CATALOG_GROUP, CORE_GROUP, KINDS, KindInfo, OPERATOR_GROUP, VERSION};
use crate::model::nearest::nearest;
use crate::model::source::Span;
use crate::yaml::tree::{Node, Value};

/// The class of a document.
#[derive(Debug)]
pub(super) enum Class<'a> {
    /// An object of a kind that people write.
    Ours(&'static KindInfo),
    /// Probably meant as an object of this kind; the problem is reported.
    Meant(&'static KindInfo),
    /// A list of these objects.
    List(Vec<Cow<'a, Node>>),
    /// A Secret of the core group.
    Secret,
    /// A kubeconfig.
    Kubeconfig,
    /// Ignored, or reported.
    Ignored,
}

/// Kinds of KubeCarrier that carrier does not use, and what to do instead.
const RETIRED: &[(&str, &str, &str)] = &[
    (
        CATALOG_GROUP,
        "DerivedCustomResource",
        "write its `expose` as `derive.expose` of the CatalogEntry or CatalogEntrySet",
    ),
    (CORE_GROUP, "CustomResourceDiscovery", "write a CatalogEntrySet; `carrier lock --from FILE` takes the CRD in"),
    (CORE_GROUP, "CustomResourceDiscoverySet", "write a CatalogEntrySet; `carrier lock --from FILE` takes the CRDs in"),
];

/// Classifies a document, and reports near misses.
pub(super) fn classify<'a>(root: &'a Node, diagnostics: &mut Diagnostics) -> Class<'a> {
    let api_version = root.get("apiVersion").and_then(Node::as_str);
    let kind = root.get("kind").and_then(Node::as_str);
    match (api_version, kind) {
        (Some(api_version), Some(kind)) => full(root, api_version, kind, diagnostics),
        (api_version, kind) => half(root, api_version, kind, diagnostics).map_or(Class::Ignored, Class::Meant),
    }
}

fn full<'a>(root: &'a Node, api_version: &str, kind: &str, diagnostics: &mut Diagnostics) -> Class<'a> {
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    if let Some(items) = items(root, group, kind) {
        return Class::List(items);
    }
    match (group, version, kind) {
        ("", "v1", "Secret") => return Class::Secret,
        ("", "v1", "Config") if ["clusters", "users", "contexts"].iter().any(|k| root.get(k).is_some()) => {
            return Class::Kubeconfig;
        }
        _ => {}
    }
    let place = Places { root };
    match group {
        OPERATOR_GROUP => {
            diagnostics.push(
                Diagnostic::new(&object::OPERATOR_KIND, place.kind(), format!("{kind} of {group} is ignored"))
                    .help("remove the object: carrier installs nothing that it could configure"),
            );
            Class::Ignored
        }
        CATALOG_GROUP | CORE_GROUP => ours(place, group, version, kind, diagnostics),
        _ => {
            stranger(place, group, kind, diagnostics);
            Class::Ignored
        }
    }
}

/// The items of a `List`, or of a list of one of our kinds.
fn items<'a>(root: &'a Node, group: &str, kind: &str) -> Option<Vec<Cow<'a, Node>>> {
    let of_ours = || kind.strip_suffix("List").is_some_and(|kind| table::find(group, kind).is_some());
    if !(group.is_empty() && kind == "List" || of_ours()) {
        return None;
    }
    Some(list::items(root).unwrap_or_default())
}

fn ours<'a>(place: Places, group: &str, version: &str, kind: &str, diagnostics: &mut Diagnostics) -> Class<'a> {
    if let Some((.., instead)) = RETIRED.iter().find(|(g, k, _)| *g == group && *k == kind) {
        diagnostics.push(
            Diagnostic::new(&object::RETIRED_KIND, place.kind(), format!("carrier does without {kind}")).help(*instead),
        );
        return Class::Ignored;
    }
    let Some(info) = table::find(group, kind) else {
        return unknown_kind(place, group, kind, diagnostics).map_or(Class::Ignored, Class::Meant);
    };
    if !info.authored {
        diagnostics.push(
            Diagnostic::new(&object::RENDERED_KIND, place.kind(), format!("carrier makes every {kind} itself"))
                .help("remove the object; a Catalog that selects the entry and the tenant brings it about"),
        );
        return Class::Ignored;
    }
    if version != info.version {
        let right = info.api_version();
        diagnostics.push(
            Diagnostic::new(&object::WRONG_VERSION, place.api_version(), format!("{kind} has no version `{version}`"))
                .help(format!("write `{right}`")),
        );
        return Class::Meant(info);
    }
    Class::Ours(info)
}

/// Reports a kind that the group does not have. Returns the kind that was probably meant.
fn unknown_kind(place: Places, group: &str, kind: &str, diagnostics: &mut Diagnostics) -> Option<&'static KindInfo> {
    // If the kind exists in the other group, the group is wrong.
    if let Some(info) = KINDS.iter().copied().find(|info| info.kind == kind) {
        let message = format!("`{group}` has no kind `{kind}`, that is of `{}`", info.group);
        diagnostics.push(
            Diagnostic::new(&object::UNKNOWN_KIND, place.api_version(), message)
                .help(format!("write `{}`", info.api_version())),
        );
        return Some(info).filter(|info| info.authored);
    }
    let diagnostic = Diagnostic::new(&object::UNKNOWN_KIND, place.kind(), format!("`{group}` has no kind `{kind}`"));
    let meant = nearest(kind, kinds_of(group).map(|info| info.kind));
    diagnostics.push(match meant {
        Some(meant) => diagnostic.did_you_mean(meant),
        None => diagnostic.help(format!("write one of its kinds: {}", listed(group))),
    });
    KINDS.iter().copied().find(|info| Some(info.kind) == meant)
}

/// The kinds of a group that people write.
fn kinds_of(group: &str) -> impl Iterator<Item = &'static KindInfo> {
    KINDS.iter().copied().filter(move |info| info.group == group && info.authored)
}

fn listed(group: &str) -> String {
    kinds_of(group).map(|info| format!("`{}`", info.kind)).collect::<Vec<_>>().join(", ")
}

/// An object of another group. It is reported if both its group and its kind are ours or similar.
fn stranger(place: Places, group: &str, kind: &str, diagnostics: &mut Diagnostics) {
    let near_kind = KINDS.iter().copied().find(|i| i.kind == kind).or_else(|| {
        let meant = nearest(kind, KINDS.iter().copied().map(|i| i.kind))?;
        KINDS.iter().copied().find(|i| i.kind == meant)
    });
    let Some(info) = near_kind else { return };
    // No kind of Kubernetes has `apiVersion: v1alpha1` without a group.
    let no_group = group.is_empty() && place.root.get("apiVersion").and_then(Node::as_str) == Some(VERSION);
    if !no_group && nearest(group, [CATALOG_GROUP, CORE_GROUP]).is_none() {
        return;
    }
    let right = info.api_version();
    diagnostics.push(
        Diagnostic::new(
            &object::SIMILAR_GROUP,
            place.api_version(),
            format!("this {kind} is ignored, its apiVersion is not one of KubeCarrier's"),
        )
        .did_you_mean(right),
    );
}

/// An object without kind or apiVersion. It is reported if the other one is ours. Returns its kind.
fn half(
    root: &Node,
    api_version: Option<&str>,
    kind: Option<&str>,
    diagnostics: &mut Diagnostics,
) -> Option<&'static KindInfo> {
    let group = api_version.and_then(|a| a.split_once('/')).map(|(group, _)| group);
    let place = Places { root };
    // A key that is similar to the missing one.
    let slip = |key: &str| match &root.value {
        Value::Map(entries) => entries.iter().find(|e| nearest(&e.key, [key]).is_some()).map(|e| e.key_span),
        _ => None,
    };
    let (diagnostic, info) = match (group, kind) {
        (Some(group @ (CATALOG_GROUP | CORE_GROUP)), None) => {
            let complain = |place| Diagnostic::new(&object::INCOMPLETE_OBJECT, place, "the object has no kind");
            let diagnostic = match slip("kind") {
                Some(place) => complain(place).did_you_mean("kind"),
                None => complain(place.api_version()).help(format!("add `kind`, one of {}", listed(group))),
            };
            (diagnostic, None)
        }
        // Without an apiVersion, only a kind that no other group has is certainly ours.
        (None, Some(kind)) => match KINDS.iter().copied().find(|i| i.kind == kind && i.authored) {
            Some(info) if root.get("metadata").is_some() || root.get("spec").is_some() => {
                let message = format!("the {kind} has no apiVersion");
                let complain = |place| Diagnostic::new(&object::INCOMPLETE_OBJECT, place, message);
                let diagnostic = match slip("apiVersion") {
                    Some(place) => complain(place).did_you_mean("apiVersion"),
                    None => complain(place.kind()).help(format!("add `apiVersion: {}`", info.api_version())),
                };
                (diagnostic, Some(info))
            }
            _ => return None,
        },
        _ => return None,
    };
    diagnostics.push(diagnostic);
    info
}

/// The places of `kind` and `apiVersion`.
#[derive(Clone, Copy)]
struct Places<'a> {
    root: &'a Node,
}

impl Places<'_> {
    fn kind(self) -> Span {
        self.root.place("/kind")
    }

    fn api_version(self) -> Span {
        self.root.place("/apiVersion")
    }
}
