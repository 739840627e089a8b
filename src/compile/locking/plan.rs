//! What `carrier lock` is to write: the wanted CRDs that the files have, the
//! namespaces of new assignments, and what is no longer wanted.
//!
//! What is locked and not given stays as it is, and a namespace once recorded
//! keeps its name. The plan is the whole difference: applied to what it was made
//! from, in its order, it gives what a second plan has nothing to change on.

use std::collections::{BTreeMap, BTreeSet};

use super::difference::difference;
use super::given::Given;
use crate::compile::discovered::Discovered;
use crate::compile::load::lock;
use crate::compile::load::snapshots::{hash, orphans, path_of};
use crate::compile::render::yaml::to_yaml;
use crate::compile::resolve::{BaseName, Resolved};
use crate::model::cluster::ClusterId;
use crate::model::codes::lock as codes;
use crate::model::config::Config;
use crate::model::diagnostic::{Diagnostic, Diagnostics, Severity};
use crate::model::lock::{CrdOrigin, LOCK_PATH, LockedCrd};
use crate::model::namespace::service_namespace;
use crate::model::nearest::nearest;
use crate::model::source::{Sources, Span};

/// What the plan is made from.
#[derive(Debug, Clone, Copy)]
pub struct Inputs<'a> {
    /// The repository's files.
    pub sources: &'a Sources,
    /// Its settings.
    pub config: &'a Config,
    /// What it wants.
    pub resolved: &'a Resolved<'a>,
    /// What is locked.
    pub discovered: &'a Discovered,
    /// What somebody gave.
    pub given: &'a Given,
    /// The only cluster to look at; else all.
    pub cluster: Option<&'a ClusterId>,
    /// Whether the repository is free of errors. Only then is something removed:
    /// a broken CatalogEntrySet still wants its CRD.
    pub sound: bool,
}

/// What is to be written, and what that means.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LockPlan {
    /// What changes, in this order: path below the root to text, `None` to remove
    /// the file. The lock is last: until it stands, the next run finds the same to do.
    pub files: Vec<(String, Option<String>)>,
    /// What it means, by cluster; clusters without anything to say are left out.
    pub clusters: BTreeMap<ClusterId, ClusterChanges>,
    /// Complaints with places in the repository.
    pub in_repository: Diagnostics,
    /// Complaints with places in the given files.
    pub in_given: Diagnostics,
}

/// What changes for one cluster.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClusterChanges {
    /// The CRDs by name.
    pub crds: BTreeMap<String, Change>,
    /// Namespaces that are new, by tenant.
    pub namespaces: BTreeMap<String, String>,
    /// Namespaces whose cluster is no more, by tenant.
    pub forgotten: BTreeMap<String, String>,
}

/// What becomes of a CRD.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// What.
    pub kind: ChangeKind,
    /// What of it has changed, a line each.
    pub lines: Vec<String>,
}

/// What becomes of a CRD.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChangeKind {
    /// It was not locked.
    Added,
    /// It was locked, and is another now; or its file was.
    Changed,
    /// It is what was locked.
    Unchanged,
    /// It is locked, and the files do not have it.
    Kept,
    /// It was locked, and nothing wants it.
    Removed,
}

impl ClusterChanges {
    /// Whether the plan takes or removes this CRD, so that what was wrong with its snapshot no longer is.
    #[must_use]
    pub fn takes(&self, crd: &str) -> bool {
        self.crds.get(crd).is_some_and(|change| change.kind != ChangeKind::Kept)
    }
}

/// Plans.
#[must_use]
pub fn plan(inputs: Inputs<'_>) -> LockPlan {
    let mut planner = Planner {
        inputs,
        lock: inputs.discovered.lock.clone(),
        plan: LockPlan::default(),
        found: 0,
        missing: BTreeMap::new(),
    };
    planner.lock.management_uid = inputs.discovered.lock.management_uid(inputs.config).map(str::to_owned);
    planner.take();
    planner.complain_of_missing();
    planner.namespaces();
    if inputs.sound {
        planner.remove();
    }
    planner.finish()
}

struct Planner<'a> {
    inputs: Inputs<'a>,
    lock: crate::model::lock::Lock,
    plan: LockPlan,
    /// How many wanted CRDs the files have.
    found: usize,
    /// Wanted CRDs that neither the files nor the snapshots have: where they are wanted, and of which clusters.
    missing: BTreeMap<&'a BaseName, (Vec<Span>, Vec<&'a ClusterId>)>,
}

impl<'a> Planner<'a> {
    fn in_scope(&self, id: &ClusterId) -> bool {
        self.inputs.cluster.is_none_or(|only| only == id)
    }

    /// Takes what is wanted out of what was given.
    fn take(&mut self) {
        let inputs = self.inputs;
        let mut twice = BTreeSet::new();
        for service in &inputs.resolved.services {
            let (id, base) = (&service.cluster, &service.base);
            if !self.in_scope(id) {
                continue;
            }
            let names = self.named(&base.name, id);
            match names.as_slice() {
                [name] if inputs.given.crds[*name].other.is_some() => {
                    self.found += 1;
                    twice.insert(*name);
                }
                [name] => {
                    self.found += 1;
                    self.lock_one(id, name);
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
        for name in twice {
            if let Some(complaint) = inputs.given.two(name) {
                self.plan.in_given.push(complaint);
            }
        }
    }

    /// The CRDs of the files that a name can mean; the locked one where that is among several.
    fn named(&self, base: &BaseName, id: &ClusterId) -> Vec<&'a str> {
        let crds = &self.inputs.given.crds;
        match base {
            BaseName::Crd(name) => crds.get_key_value(name).map(|(name, _)| name.as_str()).into_iter().collect(),
            BaseName::Plural(plural) => {
                let found: Vec<&str> = crds
                    .keys()
                    .map(String::as_str)
                    .filter(|n| n.split_once('.').is_some_and(|(p, _)| p == plural))
                    .collect();
                match found.iter().find(|n| self.inputs.discovered.by_name(id, n).is_some()) {
                    Some(known) => vec![known],
                    None => found,
                }
            }
        }
    }

    fn lock_one(&mut self, id: &ClusterId, name: &str) {
        let inputs = self.inputs;
        let Some(given) = inputs.given.crds.get(name) else { return };
        let changes = self.plan.clusters.entry(id.clone()).or_default();
        if changes.crds.contains_key(name) {
            return;
        }
        let (path, text, sha256) = (path_of(inputs.config, id, name), to_yaml(&given.crd), hash(&given.crd));
        let locked = inputs.discovered.lock.clusters.get(id).and_then(|c| c.crds.get(name));
        let old = inputs.discovered.by_name(id, name);
        // A comment that somebody wrote into a snapshot may stay: the lock has the hash of what it says.
        let same_file =
            inputs.sources.by_path(&path).is_some() && old.is_some_and(|snapshot| hash(&snapshot.crd) == sha256);
        let same_hash = locked.is_some_and(|l| l.sha256 == sha256);
        let kind = match (same_file && same_hash, locked.is_some() || (old.is_some() && !same_file)) {
            (true, _) => ChangeKind::Unchanged,
            (false, true) => ChangeKind::Changed,
            (false, false) => ChangeKind::Added,
        };
        let lines = match (kind, old) {
            (ChangeKind::Added, _) => vec![versions(&given.crd)],
            (ChangeKind::Changed, Some(old)) => difference(&old.crd, &given.crd),
            _ => Vec::new(),
        };
        changes.crds.insert(name.to_owned(), Change { kind, lines });
        let also = short_ending(&path);
        if !same_file {
            self.plan.files.push((path, Some(text)));
        }
        // A file that somebody called so would be a second snapshot of the CRD.
        self.remove_file(also);
        // What the cluster was seen to have it still has.
        let origin = locked.filter(|_| same_hash).map_or(CrdOrigin::File, |l| l.origin);
        self.lock.clusters.entry(id.clone()).or_default().crds.insert(name.to_owned(), LockedCrd { sha256, origin });
    }

    fn not_given(&mut self, id: &'a ClusterId, base: &'a crate::compile::resolve::Base) {
        let known: Vec<String> = match &base.name {
            BaseName::Crd(name) => self.inputs.discovered.by_name(id, name).map(|_| name.clone()).into_iter().collect(),
            BaseName::Plural(plural) => {
                self.inputs.discovered.by_plural(id, plural).map(|(name, _)| name.to_owned()).collect()
            }
        };
        let changes = self.plan.clusters.entry(id.clone()).or_default();
        for name in &known {
            let kept = || Change { kind: ChangeKind::Kept, lines: Vec::new() };
            changes.crds.entry(name.clone()).or_insert_with(kept);
        }
        if known.is_empty() {
            let (places, clusters) = self.missing.entry(&base.name).or_default();
            places.push(base.place);
            clusters.push(id);
        }
    }

    fn complain_of_missing(&mut self) {
        let given = self.inputs.given;
        if self.missing.is_empty() {
            return;
        }
        // What could not be read may be what is missing.
        given.troubles.iter().for_each(|trouble| self.plan.in_given.push(trouble.clone()));
        if given.crds.is_empty() && given.old.is_empty() {
            if !given.troubles.is_empty() {
                return;
            }
            let message = "the files behind `--from` have no CustomResourceDefinition";
            let complaint = match given.place {
                Some(place) => Diagnostic::new(&codes::NO_CRD_IN_FILES, place, message),
                None => Diagnostic::unplaced(&codes::NO_CRD_IN_FILES, message),
            };
            self.plan.in_given.push(complaint.help(codes::NO_CRD_IN_FILES.mend()));
            return;
        }
        for (base, (places, clusters)) in std::mem::take(&mut self.missing) {
            let (name, plural) = match base {
                BaseName::Crd(name) => (name.as_str(), name.split('.').next().unwrap_or(name)),
                BaseName::Plural(plural) => (plural.as_str(), plural.as_str()),
            };
            let old = given.old.iter().find(|(n, _)| {
                *n == name || matches!(base, BaseName::Plural(_)) && n.starts_with(&format!("{plural}."))
            });
            if let Some((old, place)) = old {
                let message =
                    format!("`{old}` is a CRD of `apiextensions.k8s.io/v1beta1`, which no API server takes any more");
                let complaint = Diagnostic::new(&codes::CRD_V1BETA1, *place, message).help(codes::CRD_V1BETA1.mend());
                self.plan.in_given.push(complaint);
                continue;
            }
            let mut complaint =
                Diagnostic::new(&codes::NOT_IN_FILES, places[0], format!("the files do not have the CRD `{name}`"))
                    .help(contents(given, name, plural));
            let mut clusters: Vec<String> = clusters.iter().map(|c| format!("`{c}`")).collect();
            clusters.dedup();
            complaint.notes.push(format!("there is no snapshot of it from {}", clusters.join(", ")));
            if self.found > 0 {
                // Every operator has files of its own: the others come one by one.
                complaint.severity = Severity::Warning;
            }
            self.plan.in_repository.push(complaint);
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

    /// Removes what nothing wants any more.
    fn remove(&mut self) {
        let inputs = self.inputs;
        for (id, name) in orphans(inputs.resolved, inputs.discovered) {
            if !self.in_scope(id) {
                continue;
            }
            if let Some(cluster) = self.lock.clusters.get_mut(id) {
                cluster.crds.remove(name);
            }
            let path = path_of(inputs.config, id, name);
            self.remove_file(path.clone());
            self.remove_file(short_ending(&path));
            let removed = Change { kind: ChangeKind::Removed, lines: Vec::new() };
            self.plan.clusters.entry(id.clone()).or_default().crds.insert(name.to_owned(), removed);
        }
        let gone: Vec<ClusterId> = self
            .lock
            .clusters
            .keys()
            .filter(|id| self.in_scope(id) && !inputs.resolved.clusters.contains_key(id))
            .cloned()
            .collect();
        for id in gone {
            if let Some(cluster) = self.lock.clusters.remove(&id) {
                self.plan.clusters.entry(id).or_default().forgotten = cluster.namespaces;
            }
        }
    }

    fn remove_file(&mut self, path: String) {
        if self.inputs.sources.by_path(&path).is_some() {
            self.plan.files.push((path, None));
        }
    }

    fn finish(mut self) -> LockPlan {
        let text = lock::write(&self.lock);
        let there = self.inputs.sources.by_path(LOCK_PATH).map(|(_, f)| &f.text);
        // Writes come before removals, and both before the lock.
        self.plan.files.sort_by(|a, b| (a.1.is_none(), &a.0).cmp(&(b.1.is_none(), &b.0)));
        if there.is_none_or(|there| **there != *text) {
            self.plan.files.push((LOCK_PATH.to_owned(), Some(text)));
        }
        self.plan
    }
}

/// The path with the other ending that YAML files have.
fn short_ending(path: &str) -> String {
    path.strip_suffix(".yaml").map_or_else(String::new, |stem| format!("{stem}.yml"))
}

/// `v1beta2, v1 (stored)`.
fn versions(crd: &serde_json::Value) -> String {
    let list = crd.pointer("/spec/versions").and_then(serde_json::Value::as_array).into_iter().flatten();
    let names: Vec<String> = list
        .filter_map(|v| {
            let name = v.get("name")?.as_str()?;
            let stored = v.get("storage").and_then(serde_json::Value::as_bool).unwrap_or(false);
            Some(if stored { format!("{name} (stored)") } else { name.to_owned() })
        })
        .collect();
    names.join(", ")
}

/// What the files have instead.
fn contents(given: &Given, name: &str, plural: &str) -> String {
    const SHOWN: usize = 8;
    let names = || given.crds.keys().map(String::as_str);
    let same_plural = || names().find(|n| n.split_once('.').is_some_and(|(p, _)| p == plural));
    if let Some(meant) = nearest(name, names()).or_else(same_plural) {
        return format!("did you mean `{meant}`?");
    }
    if given.crds.is_empty() {
        let old: Vec<String> = given.old.keys().map(|n| format!("`{n}`")).collect();
        return format!("they have only {} of `v1beta1`, which is of no use", old.join(", "));
    }
    let shown: Vec<String> = names().take(SHOWN).map(|n| format!("`{n}`")).collect();
    let more = given.crds.len().saturating_sub(SHOWN);
    let tail = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("they have {}{tail}", shown.join(", "))
}
