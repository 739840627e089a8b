//! The files that `carrier lock` writes: the CRDs that the repository refers to, as the files or the clusters
//! have them, the namespaces of new assignments, and the removal of what is no longer used.
//!
//! A locked CRD that was not found stays, and a recorded namespace is never changed, since the tenant's objects
//! are in it. Nothing is removed without `--prune`. If the given files have errors, nothing is written. The
//! plan is complete: after it is applied, a second plan changes nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value as Json;

use super::candidates::{candidates, going, missing};
use super::difference::difference;
use super::file_crds::{FileCrd, FileCrds};
use super::lock_file::{self, LockFile};
use super::snapshots::{Locked, facts, hash, path_of};
use super::unused::orphans;
use crate::compile::derive::source::{SourceCrd, SourceProblem};
use crate::compile::discovered::{Discovered, DiscoveredCrd};
use crate::compile::resolve::{BaseName, Resolved};
use crate::compile::validity::{Problem, dropped};
use crate::model::cluster::ClusterId;
use crate::model::codes::lock as codes;
use crate::model::codes::{derivation, reference};
use crate::model::config::Config;
use crate::model::crd::{self, Version};
use crate::model::diagnostic::{Diagnostic, Diagnostics, Severity};
use crate::model::lock::{CrdOrigin, LOCK_PATH, Lock, LockedCrd};
use crate::model::namespace::service_namespace;
use crate::model::nearest::nearest;
use crate::model::source::{Sources, Span};
use crate::yaml::to_yaml;

/// The input of a plan.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Inputs<'a> {
    /// The files of the repository.
    pub sources: &'a Sources,
    /// The settings of the repository.
    pub config: &'a Config,
    /// The services and clusters of the repository.
    pub resolved: &'a Resolved<'a>,
    /// What is locked.
    pub locked: &'a Locked,
    /// The CRDs in the files of `--from`; `None` without that flag.
    pub given: Option<&'a FileCrds>,
    /// The facts about the clusters that answered; `None` where none was asked.
    pub seen: Option<&'a Discovered>,
    /// The only cluster to lock; `None` for all.
    pub cluster: Option<&'a ClusterId>,
    /// The identity that the repository gets if its lock has none; `None` if nothing is written.
    pub identity: Option<&'a str>,
    /// Whether to remove what is no longer used. Only correct for a repository without errors: a
    /// CatalogEntrySet with errors still refers to its CRD.
    pub prune: bool,
}

/// The files to write, and what they change.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct LockPlan {
    /// The changes in the order of writing: path below the root and text; `None` removes the file. The lock is
    /// last: if the writing is interrupted before it, the next run finds the same changes.
    pub files: Vec<(String, Option<String>)>,
    /// The identity of the repository, if it is new.
    pub repository: Option<String>,
    /// The UID of the management cluster, if it is new.
    pub management_uid: Option<String>,
    /// The changes by cluster; clusters without changes are left out.
    pub clusters: BTreeMap<ClusterId, ClusterChanges>,
    /// Whether the given files were refused as a whole.
    pub refused: bool,
    /// The lock and the facts after the plan is written.
    pub after: Locked,
    /// Diagnostics with places in the repository.
    pub in_repository: Diagnostics,
    /// Diagnostics with places in the given files.
    pub in_given: Diagnostics,
}

/// The changes of one cluster.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ClusterChanges {
    /// Changes of the cluster itself, such as `Kubernetes 1.36 -> 1.37`.
    pub facts: Vec<String>,
    /// The CRDs by name.
    pub crds: BTreeMap<String, Change>,
    /// New namespaces by tenant.
    pub namespaces: BTreeMap<String, String>,
}

/// The change of one CRD.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Change {
    /// What.
    pub kind: ChangeKind,
    /// The differences, one line each.
    pub lines: Vec<String>,
}

/// The kind of a change of a CRD.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ChangeKind {
    /// It was not locked.
    Added,
    /// It was locked and is different now, or its file is.
    Changed,
    /// It is equal to what was locked.
    Unchanged,
    /// It is locked, and was neither in the files nor in the answer of the cluster.
    Kept,
    /// It was locked, and no service uses it.
    Removed,
}

impl ClusterChanges {
    /// Whether the plan writes or removes this CRD, so that diagnostics about its snapshot no longer apply.
    #[must_use]
    pub(crate) fn takes(&self, crd: &str) -> bool {
        self.crds.get(crd).is_some_and(|change| change.kind != ChangeKind::Kept)
    }
}

impl LockPlan {
    /// Whether a diagnostic about a snapshot or a line of the lock no longer applies once the plan is written.
    #[must_use]
    pub(crate) fn fixes(&self, complaint: &Diagnostic, inputs: Inputs<'_>) -> bool {
        let Some(span) = complaint.primary.as_ref().map(|l| l.span) else { return false };
        let path = inputs.sources.path(span);
        let touched = path != LOCK_PATH && self.files.iter().any(|(touched, _)| touched == path);
        let mut taken = self
            .clusters
            .iter()
            .flat_map(|(id, c)| c.crds.keys().filter(|name| c.takes(name)).map(move |name| (id, name)));
        touched
            || taken.any(|(id, name)| {
                path == path_of(inputs.config, id, name)
                    || inputs.locked.file.places.get(&(id.clone(), name.clone())) == Some(&span)
            })
    }
}

/// Computes the plan.
#[must_use]
pub(crate) fn plan(inputs: Inputs<'_>) -> LockPlan {
    let mut planner = Planner {
        inputs,
        given: inputs.given.unwrap_or(&NOTHING),
        lock: inputs.locked.lock().clone(),
        crds: inputs.locked.discovered.clusters.iter().map(|(id, known)| (id.clone(), known.crds.clone())).collect(),
        plan: LockPlan::default(),
        found: 0,
        missing: BTreeMap::new(),
    };
    planner.lock.management_uid.clone_from(&inputs.locked.discovered.management_uid);
    if let Some(seen) = inputs.seen {
        planner.take_seen(seen);
    }
    if inputs.given.is_some() && !planner.take_given() {
        let Planner { plan: LockPlan { in_repository, in_given, .. }, .. } = planner;
        return LockPlan { refused: true, in_repository, in_given, ..LockPlan::default() };
    }
    // A namespace is never renamed, and its name depends on the management cluster's UID. If the cluster was
    // asked and did not answer, the next run may know the UID.
    if inputs.seen.is_none() || planner.lock.management_uid.is_some() {
        planner.namespaces();
    }
    if inputs.prune {
        planner.remove();
    }
    planner.identify();
    planner.finish()
}

static NOTHING: FileCrds = FileCrds {
    crds: BTreeMap::new(),
    old: BTreeMap::new(),
    errors: Vec::new(),
    ignored_errors: Vec::new(),
    place: None,
};

struct Planner<'a> {
    inputs: Inputs<'a>,
    given: &'a FileCrds,
    lock: Lock,
    /// The CRDs whose hashes are in the lock.
    crds: BTreeMap<ClusterId, BTreeMap<String, DiscoveredCrd>>,
    plan: LockPlan,
    /// The number of wanted CRDs that the files have.
    found: usize,
    /// Wanted CRDs that the files do not have.
    missing: BTreeMap<&'a BaseName, Missing<'a>>,
}

/// A CRD that the files do not have.
#[derive(Default)]
struct Missing<'a> {
    /// The places that refer to it.
    places: Vec<Span>,
    /// The clusters without a snapshot of it.
    unlocked: Vec<&'a ClusterId>,
}

impl<'a> Planner<'a> {
    fn in_scope(&self, id: &ClusterId) -> bool {
        self.inputs.cluster.is_none_or(|only| only == id)
    }

    /// Takes the wanted CRDs from the files. Returns whether they may be written.
    fn take_given(&mut self) -> bool {
        self.given.errors.iter().for_each(|error| self.plan.in_given.push(error.clone()));
        self.take();
        self.complain_of_missing();
        let wants = self.inputs.resolved.services.iter().any(|s| self.in_scope(&s.cluster));
        !self.plan.in_given.has_errors() && (self.found > 0 || !wants)
    }

    fn take(&mut self) {
        let inputs = self.inputs;
        // By name, whether the CRD is refused.
        let mut judged: BTreeMap<&str, bool> = BTreeMap::new();
        for service in &inputs.resolved.services {
            let (id, base) = (&service.cluster, &service.base);
            if !self.in_scope(id) {
                continue;
            }
            let is_known = |name: &str| inputs.locked.discovered.crd(id, name).is_some();
            let names = candidates(&self.given.crds, &base.name, is_known);
            match names.as_slice() {
                [name] => {
                    self.found += 1;
                    // What is said about a CRD is said of every cluster; it is reported once.
                    let given = &self.given.crds[*name];
                    let refused = *judged.entry(name).or_insert_with(|| {
                        let said = self.given.two(name).map_or_else(|| complaints(given), |two| vec![two]);
                        let refused = said.iter().any(|complaint| complaint.severity == Severity::Error);
                        for complaint in said {
                            self.plan.in_given.push(complaint);
                        }
                        refused
                    });
                    if !refused {
                        self.lock_one(id, name, &given.crd, CrdOrigin::File);
                    }
                }
                [] => self.not_given(id, base),
                several => {
                    let names: Vec<String> = several.iter().map(|n| format!("`{n}`")).collect();
                    let message = format!("the files have more than one CRD that this can be: {}", names.join(", "));
                    self.plan.in_repository.push(
                        Diagnostic::new(&codes::TWO_IN_FILES, base.place, message)
                            .help("name a file that has only the one that runs in the cluster")
                            .on(service.origin.id(), ""),
                    );
                }
            }
        }
    }

    /// Takes the identities of the clusters, and the wanted CRDs that they have.
    fn take_seen(&mut self, seen: &'a Discovered) {
        let inputs = self.inputs;
        if let (None, Some(uid)) = (&self.lock.management_uid, &seen.management_uid) {
            self.lock.management_uid = Some(uid.clone());
            self.plan.management_uid = Some(uid.clone());
        }
        for (id, cluster) in &seen.clusters {
            if !self.in_scope(id) {
                continue;
            }
            let locked = self.lock.clusters.entry(id.clone()).or_default();
            let mut facts = Vec::new();
            if let Some(server) = &cluster.server {
                match locked.server.replace(server.clone()) {
                    None => facts.push(format!("Kubernetes {server}")),
                    Some(old) if old != *server => facts.push(format!("Kubernetes {old} -> {server}")),
                    Some(_) => {}
                }
            }
            if let Some(uid) = &cluster.uid
                && locked.uid.replace(uid.clone()).as_ref() != Some(uid)
            {
                facts.push(format!("UID {uid}"));
            }
            if !facts.is_empty() {
                self.plan.clusters.entry(id.clone()).or_default().facts = facts;
            }
        }
        let mut refused = BTreeSet::new();
        for service in &inputs.resolved.services {
            let (id, base) = (&service.cluster, &service.base);
            if !self.in_scope(id) {
                continue;
            }
            let known = self.known(id, &base.name);
            let Some(cluster) = seen.clusters.get(id) else {
                self.keep(id, &known);
                continue;
            };
            let on = |complaint: Diagnostic| complaint.on(service.origin.id(), "");
            match candidates(&cluster.crds, &base.name, |name| inputs.locked.discovered.crd(id, name).is_some())
                .as_slice()
            {
                [name] => {
                    if let Some(cause) = cluster.going.get(*name) {
                        self.plan.in_repository.push(on(going(id, name, base.place, cause)));
                    }
                    let crd = &cluster.crds[*name].body;
                    let problems = SourceCrd::read(crd).err().unwrap_or_default();
                    if problems.is_empty() {
                        self.lock_one(id, name, crd, CrdOrigin::Cluster);
                        continue;
                    }
                    self.keep(id, &known);
                    // The errors of one CRD in many clusters are reported once.
                    for problem in problems.into_iter().filter(|p| refused.insert((base.place, p.message.clone()))) {
                        let complaint = Diagnostic::new(problem.code, base.place, problem.message)
                            .help(problem.code.fix())
                            .note(format!("so it is in the service cluster `{id}`; nothing of it was taken"));
                        self.plan.in_repository.push(on(complaint));
                    }
                }
                [] => {
                    self.keep(id, &known);
                    self.plan.in_repository.push(on(missing(id, &base.name, base.place, !known.is_empty())));
                }
                several => {
                    let names: Vec<String> = several.iter().map(|n| format!("`{n}`")).collect();
                    let message = format!(
                        "the service cluster `{id}` has more than one CRD that this can be: {}",
                        names.join(", ")
                    );
                    let complaint = Diagnostic::new(&reference::BASE_UNKNOWN, base.place, message)
                        .help("offer the CRD with a CatalogEntrySet, which names it in full");
                    self.plan.in_repository.push(on(complaint));
                }
            }
        }
    }

    /// The CRDs of a cluster that a name can refer to and that have a snapshot.
    fn known(&self, id: &ClusterId, base: &BaseName) -> Vec<String> {
        let crds = self.inputs.locked.discovered.crds(id);
        crds.map(|(name, _)| name).filter(|name| base.is(name)).map(str::to_owned).collect()
    }

    /// Records that existing CRDs stay as they are.
    fn keep(&mut self, id: &ClusterId, known: &[String]) {
        for name in known {
            let kept = || Change { kind: ChangeKind::Kept, lines: Vec::new() };
            self.plan.clusters.entry(id.clone()).or_default().crds.entry(name.clone()).or_insert_with(kept);
        }
    }

    fn lock_one(&mut self, id: &ClusterId, name: &str, crd: &Arc<Json>, from: CrdOrigin) {
        let inputs = self.inputs;
        let changes = self.plan.clusters.entry(id.clone()).or_default();
        if changes.crds.contains_key(name) {
            return;
        }
        let (path, text, sha256) = (path_of(inputs.config, id, name), to_yaml(crd), hash(crd));
        let locked = inputs.locked.lock().clusters.get(id).and_then(|c| c.crds.get(name));
        let old = inputs.locked.discovered.crd(id, name);
        // A comment in a snapshot may stay: the hash is of the content.
        let same_file = inputs.sources.by_path(&path).is_some() && old.is_some_and(|old| hash(&old.body) == sha256);
        let same_hash = locked.is_some_and(|l| l.sha256 == sha256);
        let kind = match (same_file && same_hash, locked.is_some() || (old.is_some() && !same_file)) {
            (true, _) => ChangeKind::Unchanged,
            (false, true) => ChangeKind::Changed,
            (false, false) => ChangeKind::Added,
        };
        let lines = match (kind, old) {
            (ChangeKind::Added, _) => vec![versions(crd)],
            // Only the hash of what was locked is known, so the differences are not.
            (ChangeKind::Changed, Some(_)) if same_file && locked.is_some() => vec![AS_IT_STANDS.to_owned()],
            (ChangeKind::Changed, Some(old)) => difference(&old.body, crd),
            _ => Vec::new(),
        };
        changes.crds.insert(name.to_owned(), Change { kind, lines });
        let also = short_ending(&path);
        if !same_file {
            self.plan.files.push((path, Some(text)));
            let fact = DiscoveredCrd { body: Arc::clone(crd), place: None };
            self.crds.entry(id.clone()).or_default().insert(name.to_owned(), fact);
        }
        // A file with this name would be a second snapshot of the CRD.
        self.remove_file(also);
        // The cluster was seen to have this CRD, and still has it.
        let origin = locked.filter(|_| same_hash && from == CrdOrigin::File).map_or(from, |l| l.origin);
        self.lock.clusters.entry(id.clone()).or_default().crds.insert(name.to_owned(), LockedCrd { sha256, origin });
    }

    fn not_given(&mut self, id: &'a ClusterId, base: &'a crate::compile::resolve::Base) {
        let known = self.known(id, &base.name);
        self.keep(id, &known);
        let missing = self.missing.entry(&base.name).or_default();
        missing.places.push(base.place);
        if known.is_empty() {
            missing.unlocked.push(id);
        }
    }

    fn complain_of_missing(&mut self) {
        let given = self.given;
        // Locked CRDs may be missing from the files, unless all are: then these are the wrong files.
        let found = self.found > 0;
        let is_old = |base: &BaseName| given.old.iter().find(|(name, _)| base.is(name));
        self.missing.retain(|base, missing| !found || !missing.unlocked.is_empty() || is_old(base).is_some());
        if self.missing.is_empty() {
            return;
        }
        // The missing CRD may be in a file that could not be read.
        if given.errors.is_empty() {
            given.ignored_errors.iter().for_each(|error| self.plan.in_given.push(error.clone()));
        }
        if given.crds.is_empty() && given.old.is_empty() {
            if !given.ignored_errors.is_empty() || !given.errors.is_empty() {
                return;
            }
            let message = "the files behind `--from` have no CustomResourceDefinition";
            let complaint = match given.place {
                Some(place) => Diagnostic::new(&codes::NO_CRD_IN_FILES, place, message),
                None => Diagnostic::unplaced(&codes::NO_CRD_IN_FILES, message),
            };
            self.plan.in_given.push(complaint.help(codes::NO_CRD_IN_FILES.fix()));
            return;
        }
        for (base, Missing { places, unlocked }) in std::mem::take(&mut self.missing) {
            let (name, plural) = match base {
                BaseName::Crd(name) => (name.as_str(), name.split('.').next().unwrap_or(name)),
                BaseName::Plural(plural) => (plural.as_str(), plural.as_str()),
            };
            if let Some((old, place)) = is_old(base) {
                let message =
                    format!("`{old}` is a CRD of `apiextensions.k8s.io/v1beta1`, which no API server takes any more");
                let complaint = Diagnostic::new(&codes::CRD_V1BETA1, *place, message).help(codes::CRD_V1BETA1.fix());
                self.plan.in_given.push(complaint);
                continue;
            }
            let complaint =
                Diagnostic::new(&codes::NOT_IN_FILES, places[0], format!("the files do not have the CRD `{name}`"));
            let mut complaint = match (meant(given, name, plural), base) {
                (Some(meant), BaseName::Crd(_)) => complaint.did_you_mean(meant),
                (Some(meant), BaseName::Plural(_)) => {
                    complaint.help(format!("offer `{meant}` with a CatalogEntrySet, which names the CRD in full"))
                }
                (None, _) => complaint.help(contents(given)),
            };
            let mut unlocked: Vec<String> = unlocked.iter().map(|c| format!("`{c}`")).collect();
            unlocked.dedup();
            complaint.notes.push(match unlocked.is_empty() {
                true => "what is locked of it stays as it is".to_owned(),
                false => format!("there is no snapshot of it from {}", unlocked.join(", ")),
            });
            if found {
                // Every operator has its own release, so CRDs are taken one release at a time.
                complaint.severity = Severity::Warning;
            }
            self.plan.in_repository.push(complaint);
        }
    }

    /// Gives the repository an identity if it has none. It is never changed: inventories in the clusters have it too.
    fn identify(&mut self) {
        if let (None, Some(identity)) = (&self.lock.repository, self.inputs.identity) {
            self.lock.repository = Some(identity.to_owned());
            self.plan.repository = Some(identity.to_owned());
        }
    }

    /// Records the namespace of every tenant that is offered something.
    fn namespaces(&mut self) {
        for (id, tenants) in self.inputs.resolved.assignments() {
            if !self.in_scope(id) {
                continue;
            }
            let known = &mut self.lock.clusters.entry(id.clone()).or_default().namespaces;
            for tenant in tenants {
                if known.contains_key(tenant) {
                    continue;
                }
                let name = service_namespace(self.lock.management_uid.as_deref(), id, tenant);
                known.insert(tenant.to_owned(), name.clone());
                self.plan.clusters.entry(id.clone()).or_default().namespaces.insert(tenant.to_owned(), name);
            }
        }
    }

    /// Removes the CRDs that no service uses.
    fn remove(&mut self) {
        let inputs = self.inputs;
        for (id, name) in orphans(inputs.resolved, inputs.locked) {
            if !self.in_scope(id) {
                continue;
            }
            if let Some(cluster) = self.lock.clusters.get_mut(id) {
                cluster.crds.remove(name);
            }
            if let Some(crds) = self.crds.get_mut(id) {
                crds.remove(name);
            }
            let path = path_of(inputs.config, id, name);
            self.remove_file(path.clone());
            self.remove_file(short_ending(&path));
            let removed = Change { kind: ChangeKind::Removed, lines: Vec::new() };
            self.plan.clusters.entry(id.clone()).or_default().crds.insert(name.to_owned(), removed);
        }
    }

    fn remove_file(&mut self, path: String) {
        if self.inputs.sources.by_path(&path).is_some() {
            self.plan.files.push((path, None));
        }
    }

    fn finish(mut self) -> LockPlan {
        let text = lock_file::write(&self.lock);
        let there = self.inputs.sources.by_path(LOCK_PATH).map(|(_, f)| &f.text);
        // Writes come before removals, and both before the lock.
        self.plan.files.sort_by(|a, b| (a.1.is_none(), &a.0).cmp(&(b.1.is_none(), &b.0)));
        // Git may have changed the line ends.
        if there.is_none_or(|there| there.replace("\r\n", "\n") != text) {
            self.plan.files.push((LOCK_PATH.to_owned(), Some(text)));
        }
        let before = self.inputs.locked;
        let mut discovered = facts(&self.lock, self.inputs.config, self.crds);
        discovered.broken.clone_from(&before.discovered.broken);
        discovered
            .broken
            .retain(|(id, name)| discovered.clusters.get(id).is_none_or(|known| !known.crds.contains_key(name)));
        self.plan.after = Locked { file: LockFile { lock: self.lock, ..before.file.clone() }, discovered };
        self.plan
    }
}

/// The line for a snapshot that was edited and is locked as it is.
const AS_IT_STANDS: &str =
    "~ the snapshot is not what was locked; it is locked as it stands, and Git shows what was edited";

/// What has to be said about a CRD of the files: that which has a place of its own, what is wrong with it, and what is only
/// doubtful, each at its line. A file was taken by no server yet, so what a server would refuse in any version of it is an
/// error.
fn complaints(given: &FileCrd) -> Vec<Diagnostic> {
    let source = &given.source;
    let of =
        |problems: &[Problem]| problems.iter().map(|problem| SourceProblem::of(problem, source)).collect::<Vec<_>>();
    let (problems, unknown) = match SourceCrd::read(source) {
        Ok(SourceCrd { doubts, .. }) => ([of(&doubts.unserved), of(&doubts.unjudged)].concat(), doubts.unknown),
        Err(problems) => (problems, Vec::new()),
    };
    let complain = |problem: &SourceProblem| {
        let diagnostic = Diagnostic::new(problem.code, given.place, problem.message.as_str()).inside(&problem.pointer);
        diagnostic.help(problem.code.fix())
    };
    let mut said = given.complaints.clone();
    said.extend(problems.iter().filter(|problem| !is_said(&given.complaints, problem)).map(complain));
    if let Some(first) = unknown.first() {
        let name = source.pointer("/metadata/name").and_then(Json::as_str).unwrap_or_default();
        let code = &derivation::CRD_UNKNOWN_FIELDS;
        said.push(Diagnostic::new(code, given.place, dropped(name, &unknown)).inside(first).help(code.fix()));
    }
    said
}

/// Whether a complaint about the text says already what is wrong at the place of a problem: a bare `y` is no name.
#[must_use]
pub(crate) fn is_said(complaints: &[Diagnostic], problem: &SourceProblem) -> bool {
    let at = Some(problem.pointer.as_str());
    complaints.iter().any(|complaint| complaint.severity == Severity::Error && complaint.path.as_deref() == at)
}

/// The path with the other extension of YAML files.
fn short_ending(path: &str) -> String {
    path.strip_suffix(".yaml").map_or_else(String::new, |stem| format!("{stem}.yml"))
}

/// `v1beta2, v1 (stored)`.
fn versions(crd: &serde_json::Value) -> String {
    let name = |version: Version<'_>| match version.is_stored() {
        true => format!("{} (stored)", version.name()),
        false => version.name().to_owned(),
    };
    let names: Vec<String> = crd::versions(crd).map(name).collect();
    names.join(", ")
}

/// The CRD in the files with the most similar name, or with the same plural.
fn meant<'g>(given: &'g FileCrds, name: &str, plural: &str) -> Option<&'g str> {
    let names = || given.crds.keys().map(String::as_str);
    nearest(name, names()).or_else(|| names().find(|n| n.split_once('.').is_some_and(|(p, _)| p == plural)))
}

/// The help for a missing CRD: which CRDs the files have.
fn contents(given: &FileCrds) -> String {
    const SHOWN: usize = 8;
    let names = || given.crds.keys().map(String::as_str);
    if given.crds.is_empty() {
        let old: Vec<String> = given.old.keys().map(|n| format!("`{n}`")).collect();
        return format!("take a newer release: the files have only {}, of `v1beta1`", old.join(", "));
    }
    let shown: Vec<String> = names().take(SHOWN).map(|n| format!("`{n}`")).collect();
    let more = given.crds.len().saturating_sub(SHOWN);
    let tail = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("correct the name; the files have {}{tail}", shown.join(", "))
}
