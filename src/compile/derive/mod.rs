//! From a base CRD and an exposure to the internal CRD, the derived CRD and the
//! rules by which instances are copied between them.
//!
//! `derivation.md` R1–R14 is the specification. Deriving is a pure function of
//! its arguments: the order of paths, versions or clusters has no influence.

pub(crate) mod columns;
pub(crate) mod contract;
pub(crate) mod exposure;
pub(crate) mod fulfil;
pub(crate) mod names;
pub(crate) mod projection;
pub(crate) mod select;
pub(crate) mod selection;
pub(crate) mod source;

mod defaults;
mod junctor;
mod node;
mod partial;
mod prune;
mod sanitize;
mod status;
mod twins;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use self::exposure::{ExposeItem, Exposure, Report, ValueAt};
use self::names::CrdNames;
use self::projection::Projection;
use self::prune::Pruner;
use self::selection::Selection;
use self::source::{SourceCrd, SourceVersion, priority};
use crate::model::cluster::ClusterId;
use crate::model::codes::derivation as codes;
use crate::model::diagnostic::Diagnostics;
use crate::model::keys;
use crate::model::path::{PathSet, Segment};
use crate::model::source::Spanned;

/// The CRD that tenants get, and how to copy its instances.
#[derive(Debug, Clone, PartialEq)]
pub struct Derived {
    /// The CustomResourceDefinition.
    pub crd: Arc<Value>,
    /// The kind tenants see.
    pub kind: String,
    /// The plural tenants see.
    pub plural: String,
    /// The exposed versions, most preferred first.
    pub versions: Vec<String>,
    /// The version that is stored, and in which everything is copied.
    pub storage: String,
    /// The copying rules of the stored version.
    pub projection: Arc<Projection>,
}

/// The copy of a base CRD for the management cluster: everything of the one version that is
/// copied (R11), in the API group of the cluster, without short names and categories, which would clash (R12).
#[must_use]
pub fn internal(source: &SourceCrd, cluster: &ClusterId, version: &SourceVersion) -> Value {
    internal_as(source, &CrdNames::of_source(source), cluster, version)
}

/// The same with other names: two operators may use the same kind, and the copies of their CRDs share an API group.
#[must_use]
pub(crate) fn internal_as(source: &SourceCrd, names: &CrdNames, cluster: &ClusterId, version: &SourceVersion) -> Value {
    let annotations = origin(source, version);
    let mut root = version.storable.clone();
    sanitize::root(&mut root);
    let selectable = version.selectable.iter().map(|p| json!({ "jsonPath": p })).collect();
    let version =
        crd_version(version, true, root, version.subresources.scale.clone(), version.columns.clone(), selectable);
    let mut crd = crd(&cluster.internal_group(), &names.plural, names.to_value(), vec![version], cluster);
    crd["metadata"]["annotations"] = annotations;
    crd
}

/// The annotations that say which CRD an internal one is the copy of. With them the management cluster alone tells
/// where instances go.
fn origin(source: &SourceCrd, version: &SourceVersion) -> Value {
    let mut annotations = json!({
        keys::BASE_CRD: source.name,
        keys::BASE_KIND: source.kind,
        keys::BASE_VERSION: version.name,
    });
    if !version.subresources.status {
        annotations[keys::BASE_STATUS_SUBRESOURCE] = json!("false");
    }
    annotations
}

/// Derives the CRD that an exposure asks for. Problems are added to `diagnostics`; wherever a CRD can be made in spite
/// of them it is returned, so that the problems of later stages are found in the same run.
pub fn derive(
    source: &SourceCrd,
    exposure: &Exposure,
    cluster: &ClusterId,
    diagnostics: &mut Diagnostics,
) -> Option<Derived> {
    let mut shapes: BTreeMap<String, Shape<'_>> = BTreeMap::new();
    for item in &exposure.items {
        let mut report = Report { item, object: &exposure.object, diagnostics };
        for name in &item.versions {
            if let Some(version) = exposed_version(source, name, &shapes, &mut report)
                && let Some(shape) = Shape::of(item, name, version, &mut report)
            {
                shapes.insert(version.name.clone(), shape);
            }
        }
    }
    let mut names: Vec<String> = shapes.keys().cloned().collect();
    names.sort_by_key(|n| std::cmp::Reverse(priority(n)));
    let stored = |n: &&String| source.version(n).is_some_and(|v| v.storage);
    let storage = names.iter().find(stored).or(names.first())?.clone();
    same_shape(source, &shapes, &storage, &exposure.object, diagnostics);

    let projection = Arc::clone(&shapes.get(&storage)?.projection);
    let versions =
        names.iter().filter_map(|name| Some(shapes.remove(name)?.into_crd_version(*name == storage))).collect();
    let called = CrdNames::of_exposure(source, exposure);
    let mut crd_names = called.to_value();
    crd_names["categories"] = json!(["all"]);
    let crd = crd(&cluster.derived_group(), &called.plural, crd_names, versions, cluster);
    let CrdNames { kind, plural, .. } = called;
    Some(Derived { crd: Arc::new(crd), kind, plural, versions: names, storage, projection })
}

/// The version of the source, if it can be exposed here.
fn exposed_version<'s>(
    source: &'s SourceCrd,
    name: &Spanned<String>,
    shapes: &BTreeMap<String, Shape<'_>>,
    report: &mut Report<'_>,
) -> Option<&'s SourceVersion> {
    let served: Vec<String> = source.versions.iter().filter(|v| v.served).map(|v| format!("`{}`", v.name)).collect();
    let help = match served.as_slice() {
        [only] => format!("write {only}, the one that it serves"),
        all => format!("write one of those that it serves: {}", all.join(", ")),
    };
    let Some(version) = source.version(&name.value) else {
        let message = format!("`{}` has no version `{}`", source.name, name.value);
        report.at(&codes::UNKNOWN_VERSION, name.span, message, help);
        return None;
    };
    if !version.served {
        let message = format!("`{}` does not serve version `{}`", source.name, name.value);
        report.at(&codes::VERSION_NOT_SERVED, name.span, message, help);
        return None;
    }
    if shapes.contains_key(&name.value) {
        let message = format!("version `{}` stands in two items", name.value);
        report.at(&codes::VERSION_TWICE, name.span, message, "put all its fields into one item".to_owned());
        return None;
    }
    Some(version)
}

/// What is derived of one exposed version.
struct Shape<'s> {
    place: crate::model::source::Span,
    source: &'s SourceVersion,
    schema: Value,
    scale: Option<Value>,
    columns: Vec<Value>,
    selectable: Vec<Value>,
    projection: Arc<Projection>,
}

impl<'s> Shape<'s> {
    fn of(
        item: &ExposeItem,
        name: &Spanned<String>,
        source: &'s SourceVersion,
        report: &mut Report<'_>,
    ) -> Option<Self> {
        let root = &source.storable;
        let selection = Selection::of(root, report);
        let Selection { set, defaults, presets } = &selection;
        for (code, dropped) in [(&codes::FORMAT_DROPPED, &source.dropped), (&codes::RULE_TWICE, &source.twins)] {
            for (path, message) in dropped.iter().filter(|(path, _)| {
                set.shows(path) || presets.iter().any(|preset| preset.path.value.is_prefix_of(path))
            }) {
                report.about(code, path, message.clone(), None);
            }
        }
        // A preset that does not fit has been reported; its field is not reported as unset as well.
        let plain =
            |p: &&ValueAt| !p.path.value.segments().iter().any(|s| matches!(s, Segment::Items | Segment::Values));
        let unsound = report.item.presets.iter().filter(plain).filter(|p| !presets.contains(p));
        let given: Vec<ValueAt> = presets.iter().chain(unsound).cloned().collect();
        fulfil::fulfillable(root, set, &given, report);
        fulfil::usable(root, set, report);
        let preset: PathSet = presets.iter().map(|p| &p.path.value).collect();
        let mut schema = Pruner { report, preset: &preset, defaults }.root(root, set)?;
        // After pruning: the service cluster still enforces what the root requires of hidden fields.
        for message in sanitize::root(&mut schema) {
            report.at(&codes::VALIDATION_DROPPED, item.place, message, None);
        }
        let columns = columns::columns(source, set, report);
        let scale = columns::scale(source, set, report);
        let selectable = columns::selectable(source, set, report);
        let projection = Arc::new(selection.projection(root));
        status::guarantee(&mut schema, set, report);
        Some(Self { place: name.span, source, schema, scale, columns, selectable, projection })
    }

    fn into_crd_version(self, storage: bool) -> Value {
        crd_version(self.source, storage, self.schema, self.scale, self.columns, self.selectable)
    }
}

/// Reports versions that differ in more than descriptions and defaults: the management cluster converts between them
/// by changing `apiVersion` alone (R11).
fn same_shape(
    source: &SourceCrd,
    shapes: &BTreeMap<String, Shape<'_>>,
    storage: &str,
    object: &str,
    diagnostics: &mut Diagnostics,
) {
    let Some(stored) = shapes.get(storage).filter(|_| shapes.len() > 1) else { return };
    let bare = bare(&stored.schema);
    for (name, shape) in shapes.iter().filter(|(n, _)| n.as_str() != storage) {
        let (code, message) = if self::bare(&shape.schema) != bare {
            (&codes::VERSIONS_DIFFER, format!("version `{name}` differs in shape from `{storage}`, the stored one"))
        } else if source.webhook_conversion {
            let message =
                format!("version `{name}` is converted to `{storage}` by the operator's webhook, here by name only");
            (&codes::WEBHOOK_CONVERSION, message)
        } else {
            continue;
        };
        let diagnostic = crate::model::diagnostic::Diagnostic::new(code, shape.place, message)
            .help(format!("expose one version; `{storage}` is the one to keep"));
        diagnostics.push(crate::model::diagnostic::Diagnostic { object: Some(object.to_owned()), ..diagnostic });
    }
}

fn bare(schema: &Value) -> Value {
    match schema {
        Value::Object(map) => map
            .iter()
            .filter(|(key, value)| !(key.as_str() == "description" && value.is_string() || key.as_str() == "default"))
            .map(|(key, value)| match key.as_str() {
                // Names of fields, not keywords.
                "properties" => {
                    (key.clone(), value.as_object().into_iter().flatten().map(|(n, s)| (n.clone(), bare(s))).collect())
                }
                _ => (key.clone(), bare(value)),
            })
            .collect(),
        Value::Array(items) => items.iter().map(bare).collect(),
        other => other.clone(),
    }
}

fn crd_version(
    source: &SourceVersion,
    storage: bool,
    schema: Value,
    scale: Option<Value>,
    columns: Vec<Value>,
    selectable: Vec<Value>,
) -> Value {
    let mut version = Map::new();
    version.insert("name".to_owned(), Value::from(source.name.as_str()));
    version.insert("served".to_owned(), Value::Bool(true));
    version.insert("storage".to_owned(), Value::Bool(storage));
    if source.deprecated {
        // Without the source's own warning, which names the source's group (R11).
        version.insert("deprecated".to_owned(), Value::Bool(true));
    }
    let schema = Map::from_iter([("openAPIV3Schema".to_owned(), schema)]);
    version.insert("schema".to_owned(), Value::Object(schema));
    version.insert("subresources".to_owned(), columns::subresources(scale));
    for (key, list) in [("additionalPrinterColumns", columns), ("selectableFields", selectable)] {
        if !list.is_empty() {
            version.insert(key.to_owned(), Value::Array(list));
        }
    }
    Value::Object(version)
}

fn crd(group: &str, plural: &str, names: Value, versions: Vec<Value>, cluster: &ClusterId) -> Value {
    let mut crd = json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": format!("{plural}.{group}"),
            "labels": {
                keys::ORIGIN_NAMESPACE: cluster.provider,
                keys::SERVICE_CLUSTER: cluster.cluster,
            },
        },
        "spec": { "group": group, "scope": "Namespaced" },
    });
    crd["spec"]["names"] = names;
    crd["spec"]["versions"] = Value::Array(versions);
    crd
}
