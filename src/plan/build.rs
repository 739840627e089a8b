//! The plan itself: from what is wanted and what is live to the changes, what
//! each means, and why they may not be made.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::compare::{Comparison, compare, is_shared};
use super::crd;
use super::inventory::{Inventory, Ownership};
use super::key::ObjectKey;
use super::live::LiveCluster;
use super::types::{Allowed, Conflict, Drift, Effect, Impact, Plan};
use crate::compile::render::Manifest;
use crate::model::cluster::Target;
use crate::model::source::Sources;

/// What the server said to a dry run of an object.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// What the object would be.
    WouldBe(Value),
    /// Others own fields of it.
    Conflicts(Vec<Conflict>),
    /// It would not take it, in its words.
    Refused(String),
}

/// One cluster's part of a plan.
#[derive(Debug, Clone, Copy)]
pub struct ClusterInput<'a> {
    /// The cluster.
    pub target: &'a Target,
    /// Its objects as they were rendered.
    pub wanted: &'a [Manifest],
    /// The repository's inventory there.
    pub inventory: &'a Inventory,
    /// What is there; `None` where the cluster did not answer.
    pub live: Option<&'a LiveCluster>,
    /// The answers to the dry runs of [`Asks::dry_run`]; an object without one was not asked.
    pub answers: &'a BTreeMap<ObjectKey, Answer>,
    /// What was found out about the instances of changed CRDs and of doomed objects.
    pub impacts: &'a BTreeMap<ObjectKey, Impact>,
}

/// What a plan is made of.
#[derive(Debug, Clone)]
pub struct Inputs<'a> {
    /// The clusters, the management cluster first.
    pub clusters: Vec<ClusterInput<'a>>,
    /// The repository's files, for the places of what causes a change.
    pub sources: &'a Sources,
    /// What was compared with: `clusters`, a folder or a Git revision.
    pub against: String,
    /// Whether what the repository no longer has is deleted.
    pub prune: bool,
    /// What the user allowed by name.
    pub allowed: Vec<Allowed>,
    /// How many objects may be deleted at most; `None` for the usual.
    pub max_prune: Option<usize>,
    /// Whether a repository without objects may delete all there is.
    pub allow_empty: bool,
    /// CRDs of service clusters that are not what was locked.
    pub drift: Vec<Drift>,
}

/// What has to be asked of a cluster before a plan can be built.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Asks {
    /// Objects whose dry run is wanted.
    pub dry_run: Vec<ObjectKey>,
    /// CRDs whose instances may not fit the new schema.
    pub crds_changed: Vec<ChangedCrd>,
    /// CRDs that would be deleted: how many instances, where?
    pub doomed_crds: Vec<ObjectKey>,
    /// Namespaces that would be deleted: what is in them?
    pub doomed_namespaces: Vec<ObjectKey>,
    /// Other objects that would be deleted, and that instances may depend on: Offerings and
    /// ServiceClusterAssignments, whose tenants' instances would be without a service.
    pub doomed_others: Vec<ObjectKey>,
}

/// A CRD whose schema changes so that instances may not fit any more.
#[derive(Debug, Clone, PartialEq)]
pub struct ChangedCrd {
    /// The CRD.
    pub key: ObjectKey,
    /// As it is.
    pub live: Value,
    /// As it is wanted.
    pub new: Value,
}

/// What has to be asked of a cluster. `prune` as in [`Inputs`].
#[must_use]
pub fn to_ask(wanted: &[Manifest], inventory: &Inventory, live: &LiveCluster, prune: bool) -> Asks {
    let mut asks = Asks::default();
    let mut keys = BTreeSet::new();
    for manifest in wanted {
        let key = ObjectKey::from(&manifest.id);
        let body = inventory.label(&manifest.body);
        let there = live.objects.get(&key);
        let differs = compare(&body, there) == Comparison::Differs;
        let foreign = there.is_some_and(|live| matches!(inventory.ownership(live), Ownership::Foreign(_)));
        if differs && !foreign {
            asks.dry_run.push(key.clone());
            if let Some(there) = there.filter(|_| is_crd(&key))
                && crd::reasons(&there.body, &body).iter().any(|reason| reason.effect >= Effect::Tightening)
            {
                asks.crds_changed.push(ChangedCrd { key: key.clone(), live: there.body.clone(), new: body });
            }
        }
        keys.insert(key);
    }
    if prune {
        for (key, object) in &live.objects {
            let ours = !is_shared(&object.body) && inventory.ownership(object) == Ownership::Ours;
            if keys.contains(key) || !ours {
                continue;
            }
            match key.kind.as_str() {
                "CustomResourceDefinition" => asks.doomed_crds.push(key.clone()),
                "Namespace" => asks.doomed_namespaces.push(key.clone()),
                "Offering" | "ServiceClusterAssignment" => asks.doomed_others.push(key.clone()),
                _ => {}
            }
        }
    }
    asks
}

/// Whether it is a CRD.
pub(super) fn is_crd(key: &ObjectKey) -> bool {
    key.kind == "CustomResourceDefinition" && key.group == "apiextensions.k8s.io"
}

/// Builds the plan.
#[must_use]
pub fn build(inputs: &Inputs<'_>) -> Plan {
    Plan { against: inputs.against.clone(), prune: inputs.prune, ..Plan::default() }
}
