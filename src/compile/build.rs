//! Building: every resolved service gets its CRDs.
//!
//! Exposures are applied to the CRDs of each cluster here. The same problem in several clusters is one
//! diagnostic. Two services whose names conflict in an API group are found here, since only CRDs know their
//! names.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use serde_json::Value;

use super::derive::exposure::Exposure;
use super::derive::names::CrdNames;
use super::derive::select::ALWAYS;
use super::derive::source::{SourceCrd, SourceProblem};
use super::derive::{self, Derived};
use super::discovered::{Discovered, DiscoveredCrd};
use super::parallel::in_parallel;
use super::resolve::{BaseName, Origin, Resolved, Service};
use super::route::ServiceRoute;
use super::schema;
use super::validity::dropped;
use crate::model::cluster::ClusterId;
use crate::model::codes::{Code, derivation, lock, reference};
use crate::model::diagnostic::{Diagnostic, Diagnostics};
use crate::model::nearest::nearest;
use crate::model::path::Segment;
use crate::model::resource::Resource;

/// A service with its CRDs.
#[derive(Debug, Clone, PartialEq)]
pub struct Built {
    /// Its index in [`Resolved::services`].
    pub service: usize,
    /// How its instances are copied.
    pub route: ServiceRoute,
    /// The base CRD.
    pub source: Arc<SourceCrd>,
    /// The internal CRD.
    pub internal: Arc<Value>,
    /// The derived CRD; `None` where tenants use the internal one.
    pub derived: Option<Derived>,
}

/// The names and versions of the CRD that tenants use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfferedCrd {
    /// Its full name.
    pub name: String,
    /// Its group.
    pub group: String,
    /// Its kind.
    pub kind: String,
    /// Its plural.
    pub plural: String,
    /// Its versions, each with whether it is the stored one.
    pub versions: Vec<(String, bool)>,
}

impl OfferedCrd {
    fn new(resource: &Resource, versions: Vec<(String, bool)>) -> Self {
        Self {
            name: resource.full_name(),
            group: resource.group.clone(),
            kind: resource.kind.clone(),
            plural: resource.plural.clone(),
            versions,
        }
    }
}

impl Built {
    /// The internal CRD's names.
    #[must_use]
    pub fn internal_crd(&self) -> OfferedCrd {
        let internal = &self.route.internal;
        OfferedCrd::new(internal, vec![(internal.version.clone(), true)])
    }

    /// What tenants use: the derived CRD, or the internal one where nothing is derived.
    #[must_use]
    pub fn tenant_crd(&self) -> OfferedCrd {
        let Some(derived) = &self.derived else { return self.internal_crd() };
        let versions = derived.versions.iter().map(|v| (v.clone(), *v == derived.storage)).collect();
        OfferedCrd::new(&self.route.tenant, versions)
    }
}

/// The amount of text that one service is taken for where work is divided among threads: a CRD of an ordinary size.
const BYTES_PER_SERVICE: usize = 16 * 1024;

/// Builds every service whose CRD is known, in the order of the services. Those that cannot be built are
/// reported and left out.
pub(crate) fn build(resolved: &Resolved<'_>, discovered: &Discovered) -> (Vec<Built>, Diagnostics) {
    let mut diagnostics = Diagnostics::default();
    let services = resolved.services.iter().enumerate();
    let found: Vec<(usize, &Service<'_>, &DiscoveredCrd)> = services
        .filter_map(|(index, service)| Some((index, service, find(service, discovered, &mut diagnostics)?)))
        .collect();
    let sources = read_all(found.iter().map(|(.., snapshot)| *snapshot));
    let outcomes = in_parallel(
        found,
        |_| BYTES_PER_SERVICE,
        |(index, service, snapshot)| {
            let (source, is_large) = &sources[&address(snapshot)];
            let outcome = source.as_ref().map(|source| one(index, service, snapshot, (Arc::clone(source), *is_large)));
            (service, snapshot, outcome)
        },
    );
    let mut merged = Merged::default();
    let mut built = Vec::with_capacity(outcomes.len());
    let mut refused = BTreeSet::new();
    for (service, snapshot, outcome) in outcomes {
        match outcome {
            Ok((one, found)) => {
                merged.add(&service.cluster, found);
                built.extend(one);
            }
            // Once a cluster, however many services are made of it.
            Err(problems) if refused.insert((&service.cluster, address(snapshot))) => {
                merged.add(&service.cluster, unreadable(service, snapshot, problems));
            }
            Err(_) => {}
        }
    }
    diagnostics.append(merged.into_diagnostics(resolved));
    collisions(resolved, &mut built, &mut diagnostics);
    (built, diagnostics)
}

/// A base CRD, and whether what is made of it may be too large for etcd.
type Read = (Result<Arc<SourceCrd>, Vec<SourceProblem>>, bool);

/// Reads every base CRD once, however many clusters have the same body; by [`address`].
fn read_all<'d>(snapshots: impl Iterator<Item = &'d DiscoveredCrd>) -> HashMap<usize, Read> {
    let bodies: HashMap<usize, &Value> = snapshots.map(|snapshot| (address(snapshot), &*snapshot.body)).collect();
    // What is made of a CRD is hardly larger than it: those of an ordinary size are not counted again.
    let read = |(at, body)| (at, (SourceCrd::read(body).map(Arc::new), json_length(body) > MOST_BYTES / 2));
    in_parallel(bodies.into_iter().collect(), |_| BYTES_PER_SERVICE, read).into_iter().collect()
}

/// Tells shared bodies from others.
fn address(snapshot: &DiscoveredCrd) -> usize {
    Arc::as_ptr(&snapshot.body).addr()
}

fn find<'d>(
    service: &'d Service<'_>,
    discovered: &'d Discovered,
    diagnostics: &mut Diagnostics,
) -> Option<&'d DiscoveredCrd> {
    let cluster = &service.cluster;
    match &service.base.name {
        BaseName::Crd(name) => {
            let found = discovered.crd(cluster, name);
            if found.is_none() && !discovered.is_broken(cluster, name) {
                let message = format!("there is no snapshot of `{name}` from the cluster `{cluster}`");
                let diagnostic = Diagnostic::new(&lock::NO_SNAPSHOT, service.base.place, message)
                    .help(format!("run `carrier lock --cluster {cluster}`, which asks the cluster, or with `--from FILE`, the file of the operator's release that holds the CRD"))
                    .on(service.origin.id(), "/spec/discover/crd/name");
                diagnostics.push(diagnostic);
            }
            found
        }
        BaseName::Plural(plural) => {
            let mut found = discovered.by_plural(cluster, plural);
            let (first, second) = (found.next(), found.next());
            let message = match (first, second) {
                (Some((_, only)), None) => return Some(only),
                (None, _) if discovered.is_broken(cluster, plural) => return None,
                (None, _) => format!("the cluster `{cluster}` has no snapshot of a CRD with the plural `{plural}`"),
                (Some(a), Some(b)) => format!("the plural `{plural}` fits both `{}` and `{}`", a.0, b.0),
            };
            let diagnostic = Diagnostic::new(&reference::BASE_UNKNOWN, service.base.place, message)
                .help(match plurals_of(discovered, cluster).filter(|_| first.is_none()) {
                    Some(list) => format!("write one of the plurals that have a snapshot: {list}"),
                    None => "offer the CRD with a CatalogEntrySet, which names it in full".to_owned(),
                })
                .on(service.origin.id(), "/spec/baseCRD/name");
            diagnostics.push(diagnostic);
            None
        }
    }
}

/// The plurals of a cluster's CRDs, if there are few enough to list in a message.
fn plurals_of(discovered: &Discovered, cluster: &ClusterId) -> Option<String> {
    let names = discovered.crds(cluster).map(|(name, _)| name);
    let plurals: Vec<String> =
        names.filter_map(|n| n.split_once('.')).map(|(plural, _)| format!("`{plural}`")).collect();
    (1..=8).contains(&plurals.len()).then(|| plurals.join(", "))
}

/// The problems of a base CRD, each at its line of the snapshot: that is what is wrong. A CRD that no file has is reported
/// where it is offered.
fn unreadable(service: &Service<'_>, snapshot: &DiscoveredCrd, problems: &[SourceProblem]) -> Diagnostics {
    let mut found = Diagnostics::default();
    for problem in problems {
        let new = |place| Diagnostic::new(problem.code, place, problem.message.as_str());
        let diagnostic = match snapshot.place {
            Some(place) => new(place).inside(&problem.pointer).label(service.base.place, "offered here"),
            None => new(service.base.place),
        };
        found.push(diagnostic.help(problem.code.fix()).on(service.origin.id(), ""));
    }
    found
}

/// What is doubtful in a base CRD, where it is offered: a comment there can accept it.
fn doubtful(service: &Service<'_>, snapshot: &DiscoveredCrd, source: &SourceCrd, found: &mut Diagnostics) {
    let mut say = |code: &'static Code, message: String, pointer: &str| {
        let mut diagnostic =
            Diagnostic::new(code, service.base.place, message).help(code.fix()).on(service.origin.id(), "");
        if let Some(place) = snapshot.place {
            diagnostic = diagnostic.label(place, "here").label_inside(pointer);
        }
        found.push(diagnostic);
    };
    for problem in &source.doubts.unjudged {
        let SourceProblem { code, message, pointer } = SourceProblem::of(problem, &snapshot.body);
        say(code, message, &pointer);
    }
    if let Some(first) = source.doubts.unknown.first() {
        say(&derivation::CRD_UNKNOWN_FIELDS, dropped(&source.name, &source.doubts.unknown), first);
    }
}

/// Builds a service from its base CRD; `None` where the problems prevent it.
fn one(
    index: usize,
    service: &Service<'_>,
    snapshot: &DiscoveredCrd,
    (source, is_large): (Arc<SourceCrd>, bool),
) -> (Option<Built>, Diagnostics) {
    let mut found = Diagnostics::default();
    doubtful(service, snapshot, &source, &mut found);
    let built = built(index, service, source, &mut found);
    if let Some(built) = built.as_ref().filter(|_| is_large) {
        sizes(service, built, &mut found);
    }
    (built, found)
}

/// The longest CRD that etcd takes by default, as JSON: a request of 1.5 MiB, and 4 KiB less for what the server adds.
const MOST_BYTES: usize = 1536 * 1024 - 4 * 1024;

/// Warns of CRDs that etcd would not take.
fn sizes(service: &Service<'_>, built: &Built, found: &mut Diagnostics) {
    let derived = built.derived.as_ref().map(|derived| &*derived.crd);
    for crd in std::iter::once(&*built.internal).chain(derived) {
        let length = json_length(crd);
        if length <= MOST_BYTES {
            continue;
        }
        let name = crd.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
        let message = format!(
            "the CRD `{name}` has {} KiB as JSON, and etcd accepts {} KiB by default",
            length.div_ceil(1024),
            MOST_BYTES / 1024
        );
        let code = &derivation::CRD_TOO_LARGE;
        found.push(Diagnostic::new(code, service.base.place, message).help(code.fix()).on(service.origin.id(), ""));
    }
}

/// The length of a value in JSON as an API server writes it: Go escapes what has a meaning in HTML.
fn json_length(value: &Value) -> usize {
    let quoted = |text: &str| {
        let more = |byte: u8| match byte {
            b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 8 | 12 => 1,
            b'<' | b'>' | b'&' | 0..32 => 5,
            _ => 0,
        };
        text.len() + 2 + text.bytes().map(more).sum::<usize>()
    };
    // Between the brackets, and with a comma between two items.
    let listed = |count: usize, items: usize| 2 + count.saturating_sub(1) + items;
    match value {
        Value::Null | Value::Bool(true) => 4,
        Value::Bool(false) => 5,
        Value::Number(number) => number.to_string().len(),
        Value::String(text) => quoted(text),
        Value::Array(items) => listed(items.len(), items.iter().map(json_length).sum()),
        Value::Object(map) => {
            listed(map.len(), map.iter().map(|(key, value)| quoted(key) + 1 + json_length(value)).sum())
        }
    }
}

fn built(index: usize, service: &Service<'_>, source: Arc<SourceCrd>, found: &mut Diagnostics) -> Option<Built> {
    let cluster = &service.cluster;
    let derived = match &service.exposure {
        None => None,
        Some(exposure) => {
            let undescribed = undescribed(&source, exposure);
            if !undescribed.is_empty() {
                for complaint in undescribed {
                    found.push(complaint);
                }
                return None;
            }
            Some(derive::derive(&source, exposure, cluster, found)?)
        }
    };
    let version = match &derived {
        Some(derived) => source.version(&derived.storage)?,
        None => source.preferred()?,
    };
    // A CatalogEntry names its internal CRD, so that CRD keeps its name. In a CatalogEntrySet, the overrides of
    // `kind` and `plural` make it possible to offer two operators' CRDs with the same kind.
    let internal_names = match (&service.exposure, service.origin) {
        (Some(exposure), Origin::Set(_)) => CrdNames::of_exposure(&source, exposure),
        _ => CrdNames::of_source(&source),
    };
    let internal = Arc::new(derive::internal_as(&source, &internal_names, cluster, version));
    let route = ServiceRoute::compiled(cluster, (&source, version), (&internal, &internal_names), derived.as_ref());
    Some(Built { service: index, route, internal, derived, source })
}

/// Exposed paths whose first field the schema does not describe, because the whole object may hold anything. Nothing
/// but the whole object can be exposed then.
fn undescribed(source: &SourceCrd, exposure: &Exposure) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for item in &exposure.items {
        let versions = item.versions.iter().filter_map(|version| source.version(&version.value));
        for root in versions.map(|version| &version.schema).filter(|root| schema::is_free_form(root)) {
            for path in item.fields.iter().chain(item.defaults.iter().map(|default| &default.path)) {
                let Some(Segment::Property(first)) = path.value.segments().first() else { continue };
                let names = || schema::properties(root).map(|(name, _)| name.as_str());
                if ALWAYS.contains(&first.as_str()) || names().any(|n| n == first) || nearest(first, names()).is_some()
                {
                    continue;
                }
                let message = format!("the CRD does not describe `.{first}`: an object may hold anything");
                let mut complaint = Diagnostic::new(&derivation::UNDESCRIBED, path.span, message)
                    .help("leave `derive` out: then tenants have the whole object");
                complaint.object = Some(exposure.object.clone());
                found.push(complaint);
            }
        }
    }
    found
}

/// Diagnostics of several clusters about the same line.
#[derive(Default)]
struct Merged {
    found: Vec<(Diagnostic, Vec<ClusterId>)>,
    at: BTreeMap<(u64, String), usize>,
}

impl Merged {
    fn add(&mut self, cluster: &ClusterId, diagnostics: Diagnostics) {
        for diagnostic in diagnostics.into_sorted() {
            let span = diagnostic.primary.as_ref().map(|l| l.span);
            let place = span.map_or(0, |s| u64::from(s.file.0) << 32 | u64::from(s.start));
            let key = (place, format!("{}{}", diagnostic.code.id, diagnostic.message));
            match self.at.get(&key) {
                Some(index) => {
                    let clusters = &mut self.found[*index].1;
                    if clusters.last() != Some(cluster) {
                        clusters.push(cluster.clone());
                    }
                }
                None => {
                    self.at.insert(key, self.found.len());
                    self.found.push((diagnostic, vec![cluster.clone()]));
                }
            }
        }
    }

    /// Each diagnostic once. If it does not apply to all clusters that the object selects, a note lists those
    /// to which it applies.
    fn into_diagnostics(self, resolved: &Resolved<'_>) -> Diagnostics {
        let mut clusters_of: BTreeMap<String, usize> = BTreeMap::new();
        for service in &resolved.services {
            *clusters_of.entry(service.origin.id()).or_default() += 1;
        }
        let mut out = Diagnostics::default();
        for (mut diagnostic, clusters) in self.found {
            let all = diagnostic.object.as_ref().and_then(|o| clusters_of.get(o)).copied().unwrap_or(1);
            if clusters.len() < all {
                let names: Vec<String> = clusters.iter().map(|c| format!("`{c}`")).collect();
                diagnostic.notes.push(format!(
                    "so it is in {} of {all} clusters: {}",
                    clusters.len(),
                    names.join(", ")
                ));
            }
            out.push(diagnostic);
        }
        out
    }
}

/// Within one API group plural, singular, kind and list kind must be unique, or the API server accepts the
/// second CRD and never serves it (`derivation.md` R12). The later service is left out.
fn collisions(resolved: &Resolved<'_>, built: &mut Vec<Built>, diagnostics: &mut Diagnostics) {
    // (group, name) -> (what tells two CRDs apart, index of the service)
    let mut taken: BTreeMap<(String, String), (String, usize)> = BTreeMap::new();
    let mut versions: BTreeMap<(String, String), (String, usize)> = BTreeMap::new();
    built.retain(|candidate| {
        let service = &resolved.services[candidate.service];
        let internal = candidate.internal_crd();
        // Two services may share an internal CRD, which has one version (R11).
        let (version, first) = versions
            .entry((internal.name.clone(), candidate.source.name.clone()))
            .or_insert_with(|| (candidate.route.base.version.clone(), candidate.service));
        if *version != candidate.route.base.version {
            let first = &resolved.services[*first];
            let message = format!(
                "`{}` is offered in version `{}` here and in `{version}` by `{}`",
                candidate.source.name, candidate.route.base.version, first.entry
            );
            let diagnostic = Diagnostic::new(&reference::VERSION_CONFLICT, service.base.place, message)
                .label(first.base.place, "the other one")
                .help(format!(
                    "expose version `{version}` in both, or offer one of them through another provider account"
                ))
                .on(service.origin.id(), "");
            diagnostics.push(diagnostic);
            return false;
        }
        let mut claims = vec![(internal.group, names_of(&candidate.internal), candidate.source.name.clone())];
        if let Some(derived) = &candidate.derived {
            claims.push((service.cluster.derived_group(), names_of(&derived.crd), service.entry.clone()));
        }
        for (group, names, identity) in &claims {
            for name in names {
                let Some((other, index)) = taken.get(&(group.clone(), name.clone())) else { continue };
                if other == identity {
                    continue;
                }
                let first = &resolved.services[*index];
                let message = format!("`{name}` is taken in the API group `{group}`: `{}` has it already", first.entry);
                let help = match service.origin {
                    Origin::Set(_) => "give one of them another `kind` and `plural` under `derive`",
                    Origin::Entry(_) => "use a CatalogEntrySet with another `kind` and `plural` under `derive`",
                };
                let diagnostic = Diagnostic::new(&reference::NAME_TAKEN, service.base.place, message)
                    .label(first.base.place, "the other one")
                    .help(help)
                    .on(service.origin.id(), "");
                diagnostics.push(diagnostic);
                return false;
            }
        }
        for (group, names, identity) in claims {
            for name in names {
                taken.insert((group.clone(), name), (identity.clone(), candidate.service));
            }
        }
        true
    });
}

/// The names that must be unique in a group. Kinds begin with a capital letter, so they do not conflict with
/// resources.
fn names_of(crd: &Value) -> Vec<String> {
    let mut names: Vec<String> = ["plural", "singular", "kind", "listKind"]
        .iter()
        .filter_map(|key| crd.pointer(&format!("/spec/names/{key}")).and_then(Value::as_str).map(str::to_owned))
        .collect();
    names.sort();
    names.dedup();
    names
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::compile::load::load;
    use crate::compile::resolve::resolve;
    use crate::model::source::{FileId, SourceFile, Sources, Span};

    const COMMON: &str = "
apiVersion: catalog.kubecarrier.io/v1alpha1
kind: Account
metadata: {name: team-a}
spec: {metadata: {displayName: A}, roles: [Provider, Tenant], subjects: [{kind: User, name: a}]}
---
apiVersion: kubecarrier.io/v1alpha1
kind: ServiceCluster
metadata: {name: west, namespace: team-a}
spec: {kubeconfigSecret: {name: k}}
---
apiVersion: catalog.kubecarrier.io/v1alpha1
kind: Catalog
metadata: {name: all, namespace: team-a}
spec: {catalogEntrySelector: {}, tenantSelector: {}}
---
";

    fn set(name: &str, group: &str, version: &str, overrides: &str) -> String {
        format!(
            "apiVersion: catalog.kubecarrier.io/v1alpha1\nkind: CatalogEntrySet\nmetadata: {{name: {name}, namespace: team-a}}\n\
             spec:\n  metadata: {{displayName: X}}\n  discover: {{crd: {{name: clusters.{group}}}, serviceClusterSelector: {{}}}}\n  \
             derive: {{{overrides} expose: [{{versions: [{version}], fields: [{{jsonPath: .spec.size}}]}}]}}\n---\n"
        )
    }

    /// A CRD with the kind Cluster and the versions v1 and v2.
    fn crd(group: &str) -> DiscoveredCrd {
        let schema = json!({"type": "object", "properties": {"spec": {"type": "object", "properties": {"size": {"type": "integer"}}}}});
        let version = |name: &str, storage: bool| json!({"name": name, "served": true, "storage": storage, "schema": {"openAPIV3Schema": schema}});
        let crd = json!({
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": format!("clusters.{group}")},
            "spec": {"group": group, "scope": "Namespaced", "names": {"kind": "Cluster", "plural": "clusters"},
                "versions": [version("v1", true), version("v2", false)]},
        });
        DiscoveredCrd { body: Arc::new(crd), place: Some(Span::file_start(FileId(0))) }
    }

    /// The names of the CRDs that are built, and the errors.
    fn outcome(sets: &[String]) -> (Vec<String>, Vec<String>) {
        let text = COMMON.to_owned() + &sets.concat();
        let sources = Sources::new(vec![SourceFile { path: "all.yaml".into(), text: text.into() }]);
        let (loaded, mut found) = load(&sources);
        let (resolved, more) = resolve(&loaded);
        found.append(more);
        let crds = ["pg.example.com", "capi.example.com"].map(|g| (format!("clusters.{g}"), crd(g)));
        let mut discovered = Discovered::default();
        discovered.clusters.entry(ClusterId::new("team-a", "west")).or_default().crds = crds.into_iter().collect();
        let (built, more) = build(&resolved, &discovered);
        found.append(more);
        let names = built.iter().flat_map(|b| [b.internal_crd().name, b.tenant_crd().name]).collect();
        let errors =
            found.into_sorted().into_iter().filter(|d| d.severity == crate::model::diagnostic::Severity::Error);
        (names, errors.map(|d| format!("{} {}", d.code.id, d.message)).collect())
    }

    #[test]
    fn json_is_counted_as_an_api_server_writes_it() {
        let value = json!({"a": [1, -2.5, true, false, null, "x\"\\\n"], "b": {}, "c": []});
        assert_eq!(json_length(&value), value.to_string().len());
        assert_eq!(json_length(&json!("<&>\u{1}é")), 4 * 6 + 2 + 2);
    }

    #[test]
    fn two_operators_with_one_kind_need_another_name_for_one_of_them() {
        let pg = set("pg", "pg.example.com", "v1", "");
        let (names, errors) = outcome(&[pg.clone(), set("capi", "capi.example.com", "v2", "")]);
        assert_eq!(names, ["clusters.internal.west.team-a", "clusters.west.team-a"]);
        assert_eq!(
            errors,
            ["CAR0263 `Cluster` is taken in the API group `internal.west.team-a`: `capi.west` has it already"]
        );
        let renamed = set("capi", "capi.example.com", "v2", "kind: Fleet, plural: fleets,");
        let (names, errors) = outcome(&[pg, renamed]);
        assert_eq!(errors, [""; 0]);
        assert_eq!(
            names,
            [
                "fleets.internal.west.team-a",
                "fleets.west.team-a",
                "clusters.internal.west.team-a",
                "clusters.west.team-a"
            ]
        );
    }

    #[test]
    fn one_crd_is_offered_in_one_version() {
        let (names, errors) = outcome(&[set("a", "pg.example.com", "v1", ""), set("b", "pg.example.com", "v2", "")]);
        assert_eq!(names, ["clusters.internal.west.team-a", "clusters.west.team-a"]);
        assert_eq!(
            errors,
            ["CAR0266 `clusters.pg.example.com` is offered in version `v2` here and in `v1` by `a.west`"]
        );
    }
}
