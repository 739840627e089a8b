//! Reads the snapshots, the CRDs of the service clusters in the repository, and compares them with the lock.
//!
//! The path alone says of which CRD and cluster a snapshot is. Every file in the folder of snapshots is a
//! snapshot or is reported: an ignored file would be missed elsewhere.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

use super::lock_file::{self, LockFile};
use crate::compile::discovered::{Discovered, DiscoveredCluster, DiscoveredCrd};
use crate::compile::load::config::below;
use crate::compile::parallel::in_parallel;
use crate::model::cluster::ClusterId;
use crate::model::codes::lock as codes;
use crate::model::config::Config;
use crate::model::diagnostic::{Diagnostic, Diagnostics};
use crate::model::digest::sha256;
use crate::model::lock::{Lock, LockedCluster};
use crate::model::names;
use crate::model::source::{FileId, SourceFile, Sources, Span};
use crate::yaml;
use crate::yaml::tree::Node;

/// The help for a merge conflict in a snapshot.
const EITHER_SIDE: &str = "take either side and remove the markers, then run `carrier lock`";

/// What a repository has locked: the lock file, and the facts that it and the snapshots hold.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Locked {
    /// The lock file.
    pub file: LockFile,
    /// The facts.
    pub discovered: Discovered,
}

impl Locked {
    /// The lock, empty where there is none.
    #[must_use]
    pub fn lock(&self) -> &Lock {
        &self.file.lock
    }
}

/// Reads the lock and all snapshots. A snapshot that the lock contradicts is reported and
/// used all the same, so that nothing else is reported because of it.
#[must_use]
pub fn read(sources: &Sources, config: &Config) -> (Locked, Diagnostics) {
    let mut diagnostics = Diagnostics::default();
    let file = lock_file::read(sources, &mut diagnostics);
    let (crds, mut broken, found) = snapshots(sources, config);
    diagnostics.append(found);
    if file.sound {
        if let Some(foreign) = foreign(config, &file) {
            diagnostics.push(foreign);
        }
        against_lock(sources, config, &crds, &file, &mut diagnostics);
        broken.extend(file.places.keys().cloned());
    }
    broken.retain(|(id, name)| !crds.get(id).is_some_and(|crds| crds.contains_key(name)));
    let crds =
        crds.into_iter().map(|(id, crds)| (id, crds.into_iter().map(|(name, found)| (name, found.crd)).collect()));
    let discovered = Discovered { broken, ..facts(&file.lock, config, crds) };
    (Locked { file, discovered }, diagnostics)
}

/// The facts in a lock, with the CRDs whose hashes it has.
pub(super) fn facts(
    lock: &Lock,
    config: &Config,
    crds: impl IntoIterator<Item = (ClusterId, BTreeMap<String, DiscoveredCrd>)>,
) -> Discovered {
    let fact = |(id, locked): (&ClusterId, &LockedCluster)| {
        let known = DiscoveredCluster {
            uid: locked.uid.clone(),
            server: locked.server.clone(),
            crds: BTreeMap::new(),
            going: BTreeMap::new(),
            namespaces: locked.namespaces.clone(),
        };
        (id.clone(), known)
    };
    let mut clusters: BTreeMap<ClusterId, DiscoveredCluster> = lock.clusters.iter().map(fact).collect();
    for (id, crds) in crds {
        clusters.entry(id).or_default().crds = crds;
    }
    let management_uid = lock.management_uid(config).map(str::to_owned);
    Discovered { management_uid, clusters, broken: BTreeSet::new() }
}

/// The diagnostic for a lock of another management cluster than the one that the settings pin.
#[must_use]
pub fn foreign(config: &Config, locked: &LockFile) -> Option<Diagnostic> {
    let (ours, theirs) = (config.management.uid.as_deref()?, locked.lock.management_uid.as_deref()?);
    let place = locked.uid_place.filter(|_| ours != theirs)?;
    let message = format!("the lock was made for another management cluster than `{ours}` of carrier.yaml");
    Some(Diagnostic::new(&codes::OTHER_MANAGEMENT, place, message).help(codes::OTHER_MANAGEMENT.fix()))
}

/// The path of a CRD's snapshot below the repository's root.
#[must_use]
pub fn path_of(config: &Config, id: &ClusterId, crd: &str) -> String {
    format!("{}/{}/{}/{crd}.yaml", config.snapshots, id.provider, id.cluster)
}

/// SHA-256 of a CRD in canonical JSON (no white space, keys sorted by their bytes), in hex.
#[must_use]
pub fn hash(crd: &Value) -> String {
    // serde_json's map is sorted, and a `Value` has string keys and finite numbers only, so this cannot fail.
    sha256(&serde_json::to_vec(crd).unwrap_or_default())
}

/// A snapshot and its hash.
struct Found {
    crd: DiscoveredCrd,
    place: Span,
    hash: String,
    file: FileId,
}

type Snapshots = BTreeMap<ClusterId, BTreeMap<String, Found>>;
type Broken = BTreeSet<(ClusterId, String)>;

fn snapshots(sources: &Sources, config: &Config) -> (Snapshots, Broken, Diagnostics) {
    let files: Vec<(FileId, &SourceFile)> = sources.iter().filter(|(_, f)| below(&f.path, &config.snapshots)).collect();
    let read = in_parallel(files, |(_, file)| file.text.len(), |(id, file)| one(id, file, config));

    let mut found = Snapshots::new();
    let mut broken = Broken::new();
    let mut diagnostics = Diagnostics::default();
    for one in read {
        diagnostics.append(one.diagnostics);
        let Some((id, name, snapshot)) = one.found else {
            broken.extend(one.place);
            continue;
        };
        let crds = found.entry(id).or_default();
        if let Some(other) = crds.get(&name) {
            let message = format!("`{name}` has two snapshots");
            diagnostics.push(
                Diagnostic::new(&codes::SNAPSHOT_TWICE, snapshot.place, message)
                    .label(other.place, "the other one")
                    .help(format!("remove the file that is not called `{name}.yaml`")),
            );
            continue;
        }
        crds.insert(name, snapshot);
    }
    (found, broken, diagnostics)
}

/// The result of reading one file.
struct One {
    /// The cluster and the CRD that the path names.
    place: Option<(ClusterId, String)>,
    found: Option<(ClusterId, String, Found)>,
    diagnostics: Diagnostics,
}

fn one(file: FileId, source: &SourceFile, config: &Config) -> One {
    let mut diagnostics = Diagnostics::default();
    let place = place_of(&source.path, config);
    let found = match &place {
        Some((id, name)) => read_one(file, source, id, name, &mut diagnostics),
        None => {
            let message = format!("`{}` is at the place of no snapshot", source.path);
            diagnostics.push(Diagnostic::new(&codes::SNAPSHOT_PATH, Span::file_start(file), message).help(format!(
                "snapshots are at `{}/PROVIDER/CLUSTER/CRD.yaml`; move the file elsewhere",
                config.snapshots
            )));
            None
        }
    };
    One { place, found, diagnostics }
}

/// The cluster and the CRD of a snapshot, from its path.
fn place_of(path: &str, config: &Config) -> Option<(ClusterId, String)> {
    let parts: Vec<&str> = path[config.snapshots.len()..].trim_start_matches('/').split('/').collect();
    let [provider, cluster, file] = parts[..] else { return None };
    let name = file.strip_suffix(".yaml").or_else(|| file.strip_suffix(".yml"))?;
    Some((ClusterId::new(provider, cluster), name.to_owned()))
}

fn read_one(
    file: FileId,
    source: &SourceFile,
    id: &ClusterId,
    stem: &str,
    diagnostics: &mut Diagnostics,
) -> Option<(ClusterId, String, Found)> {
    let start = Span::file_start(file);
    if source.text.is_empty() || lock_file::conflict(file, &source.text, EITHER_SIDE, diagnostics) {
        // The text is empty if the file could not be read, which is reported already, or if it is empty.
        if source.text.is_empty() {
            diagnostics.push(not_a_crd(start, "the file is empty"));
        }
        return None;
    }
    let before = diagnostics.iter().count();
    let documents = yaml::read(file, &source.text, diagnostics);
    let root = match documents.as_slice() {
        [one] if one.sound => &one.root,
        [_, second, ..] => {
            let message = "a snapshot has one document, and this file has more";
            let help = "remove all but the CRD that the file is named after";
            diagnostics.push(Diagnostic::new(&codes::SNAPSHOT_TWICE, head(&second.root), message).help(help));
            return None;
        }
        _ => {
            if diagnostics.iter().count() == before {
                diagnostics.push(not_a_crd(start, "the file holds no object"));
            }
            return None;
        }
    };
    match what_is_it(root) {
        Kind::Crd => {}
        Kind::OldCrd => {
            diagnostics.push(v1beta1(root));
            return None;
        }
        Kind::Other(what) => {
            diagnostics
                .push(not_a_crd(head(root), &format!("a snapshot is a CustomResourceDefinition, and this is {what}")));
            return None;
        }
    }
    let place = root.place("/metadata/name");
    let name = root.pointer("/metadata/name").and_then(Node::as_str).unwrap_or_default();
    if name != stem {
        let message = format!("the file is named after `{stem}`, but the CRD in it is `{name}`");
        diagnostics.push(
            Diagnostic::new(&codes::SNAPSHOT_PATH, place, message)
                .help(format!("rename the file to `{name}.yaml`, or run `carrier lock --from FILE`")),
        );
        return None;
    }
    let crd = root.to_json();
    let hash = hash(&crd);
    let crd = DiscoveredCrd { body: Arc::new(crd), place: Some(place) };
    Some((id.clone(), name.to_owned(), Found { crd, place, hash, file }))
}

/// The kind of an object, for a search for CRDs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A CRD with a valid name.
    Crd,
    /// A CRD of `apiextensions.k8s.io/v1beta1`.
    OldCrd,
    /// Another object, described in words.
    Other(String),
}

/// Tells CRDs from other objects.
pub fn what_is_it(root: &Node) -> Kind {
    let text = |key: &str| root.get(key).and_then(Node::as_str).unwrap_or_default();
    match (text("apiVersion"), text("kind")) {
        ("apiextensions.k8s.io/v1", "CustomResourceDefinition") => {
            let name = root.pointer("/metadata/name").and_then(Node::as_str).unwrap_or_default();
            if name.contains('.') && names::dns_subdomain(name).is_ok() {
                return Kind::Crd;
            }
            // The name becomes a path, so an invalid name must not be used.
            Kind::Other("a CustomResourceDefinition without a name of its own".to_owned())
        }
        ("apiextensions.k8s.io/v1beta1", "CustomResourceDefinition") => Kind::OldCrd,
        ("", _) | (_, "") => Kind::Other("no object of Kubernetes".to_owned()),
        (version, kind) => Kind::Other(format!("a {kind} of `{version}`")),
    }
}

/// The diagnostic for a CRD of `apiextensions.k8s.io/v1beta1`.
pub fn v1beta1(root: &Node) -> Diagnostic {
    let name = root.pointer("/metadata/name").and_then(Node::as_str).unwrap_or("?");
    let message = format!("`{name}` is a CRD of `apiextensions.k8s.io/v1beta1`, which no API server takes any more");
    Diagnostic::new(&codes::CRD_V1BETA1, root.place("/apiVersion"), message).help(codes::CRD_V1BETA1.fix())
}

fn not_a_crd(place: Span, message: &str) -> Diagnostic {
    Diagnostic::new(&codes::NOT_A_CRD, place, message).help(codes::NOT_A_CRD.fix())
}

/// The place for a diagnostic about a whole object: its kind, else its first line.
fn head(root: &Node) -> Span {
    match root.get("kind") {
        Some(kind) => kind.span,
        None => Span { end: root.span.start, ..root.span },
    }
}

fn against_lock(
    sources: &Sources,
    config: &Config,
    found: &Snapshots,
    locked: &LockFile,
    diagnostics: &mut Diagnostics,
) {
    for (id, crds) in found {
        for (name, one) in crds {
            let path = sources.get(one.file).map_or("", |f| f.path.as_str());
            let take = format!("to take the file as it stands: `carrier lock --from {path} --cluster {id}`");
            match locked.lock.clusters.get(id).and_then(|c| c.crds.get(name)) {
                None => diagnostics.push(
                    Diagnostic::new(
                        &codes::NOT_LOCKED,
                        one.place,
                        format!("`{name}` of the cluster `{id}` is not in `carrier.lock`"),
                    )
                    .help(take),
                ),
                Some(entry) if entry.sha256 != one.hash => {
                    let message = format!("`{name}` of the cluster `{id}` is not the CRD that is in `carrier.lock`");
                    let mut diagnostic = Diagnostic::new(&codes::HASH_DIFFERS, one.place, message)
                        .help(codes::HASH_DIFFERS.fix())
                        .help(take);
                    if let Some(place) = locked.places.get(&(id.clone(), name.clone())) {
                        diagnostic = diagnostic.label(*place, "locked here, with another hash");
                    }
                    diagnostics.push(diagnostic);
                }
                Some(_) => {}
            }
        }
    }
    for ((id, name), place) in &locked.places {
        let path = path_of(config, id, name);
        let there = found.get(id).is_some_and(|crds| crds.contains_key(name));
        // An existing file with errors is reported already.
        if !there && sources.by_path(&path).is_none() {
            let message = format!("`{name}` of the cluster `{id}` is locked, but there is no `{path}`");
            let help = "add the file from where the lock was committed, or run `carrier lock`";
            diagnostics.push(Diagnostic::new(&codes::SNAPSHOT_MISSING, *place, message).help(help));
        }
    }
}
