//! Planning against the clusters: what `plan` and `apply` have in common.
//!
//! Every cluster is asked who it is and which CRDs it has ([`asking`](super::asking)), then
//! what is in it; all at once. One that cannot be asked is a diagnostic, and the
//! others go on; without the management cluster there is no plan, since nobody would
//! know whose instances a change concerns.

use std::collections::BTreeMap;
use std::io;

use futures::future::join_all;

use super::asking::{Asked, Question, ask};
use super::clusters::ClusterFlags;
use super::env::Env;
use super::exit::Exit;
use super::progress::Progress;
use super::ui::Ui;
use crate::cluster::diagnose::diagnose;
use crate::cluster::observe::{self, Observed, observe};
use crate::cluster::{Cluster, ClusterError};
use crate::compile::locking::{self, drift, strict};
use crate::compile::render::{Manifest, ManifestSet};
use crate::compile::{Compiled, Discovered, compile};
use crate::model::cluster::Target;
use crate::model::codes::cluster as codes;
use crate::model::diagnostic::{Diagnostic, Diagnostics, Severity};
use crate::model::object::ObjectKey;
use crate::ops::Repository;
use crate::plan::build::{ClusterInput, Inputs, build};
use crate::plan::guard;
use crate::plan::inventory::{self, Inventory};
use crate::plan::types::{Allowed, Drift, ObjectRef, Plan, Refusal};

/// What the user wants of a plan.
#[allow(clippy::struct_excessive_bools, reason = "each is a wish of its own")]
#[derive(Debug, Clone, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub struct PlanOptions {
    /// Whether what the repository no longer has is deleted.
    pub prune: bool,
    /// What is allowed by name.
    pub allowed: Vec<Allowed>,
    /// How many objects may be deleted at most.
    pub max_prune: Option<usize>,
    /// Whether an empty repository may delete all there is.
    pub allow_empty: bool,
    /// Whether instances are tried under a new schema by a trial CRD.
    pub trial: bool,
    /// Whether a CRD that is not what was locked is an error.
    pub locked: bool,
    /// Whether to plan with what the clusters have instead of what is locked.
    pub refresh: bool,
}

/// A plan, and the clusters it is for.
#[derive(Debug)]
pub struct Planned {
    /// The plan; `None` where the management cluster could not be asked, or nothing can be compiled.
    pub plan: Option<Plan>,
    /// The objects of all clusters.
    pub manifests: ManifestSet,
    /// The clusters that answered, the management cluster first.
    pub reached: Vec<Reached>,
    /// UID of the management cluster, where neither the settings nor the lock say which one is meant.
    pub unpinned: Option<String>,
    /// Service clusters that the lock knows and the repository no longer has: nobody looks at them.
    pub gone: Vec<String>,
    /// Everything that is to be said about the repository and the clusters.
    pub found: Vec<Diagnostic>,
    /// How to end if nothing else is wrong; `None` where nothing is.
    pub exit: Option<Exit>,
}

/// A cluster that answered.
#[derive(Debug)]
pub struct Reached {
    /// The cluster.
    pub cluster: Cluster,
    /// The repository's inventory in it.
    pub inventory: Inventory,
    /// What was seen.
    pub observed: Observed,
}

/// Plans against the live clusters. The clients of what was reached belong to the runtime that this runs
/// in.
pub async fn plan_live(
    repository: &Repository,
    flags: &ClusterFlags,
    env: &Env,
    wishes: &PlanOptions,
    progress: &Progress,
) -> Planned {
    let compiled = compile(&repository.loaded, &repository.locked.discovered);
    let found = repository.judge(&compiled, &repository.locked, repository.stale.clone());
    // What is wrong here is not mended by asking; but with `--refresh` a CRD that is not locked yet may be there.
    if !wishes.refresh || repository.settings_are_broken() {
        let list = repository.and(found.clone());
        if list.iter().any(|d| d.severity == Severity::Error) {
            return Planned::nothing(list, Some(Exit::Errors));
        }
    }
    let options = flags.options(env);
    let connector = repository.connector(&options);
    let question =
        Question { sources: &repository.sources, resolved: &compiled.resolved, locked: &repository.locked, only: None };
    let asked = ask(&connector, question, progress).await;
    if !wishes.refresh {
        return observe_all(repository, (&compiled, found), asked, wishes, progress).await;
    }
    // What has drifted is compiled from here, and said all the same.
    let (moved, _) = drift(&compiled.resolved, compiled.discovered, &asked.seen, false);
    let inputs = locking::plan::Inputs {
        sources: &repository.sources,
        config: &repository.loaded.config,
        resolved: &compiled.resolved,
        locked: &repository.locked,
        given: None,
        seen: Some(&asked.seen),
        cluster: None,
        prune: false,
    };
    let lock = locking::plan(inputs);
    let mut stale = repository.stale.clone();
    stale.retain(|complaint| !lock.mends(complaint, inputs));
    let compiled = compile(&repository.loaded, &lock.after.discovered);
    let found = repository.judge(&compiled, &lock.after, stale);
    let mut planned = observe_all(repository, (&compiled, found), asked, wishes, progress).await;
    if let Some(plan) = &mut planned.plan {
        plan.drift = drifts(moved);
    }
    planned
}

/// Looks at the clusters that answered, and plans.
async fn observe_all(
    repository: &Repository,
    (compiled, mut found): (&Compiled<'_>, Diagnostics),
    asked: Asked,
    wishes: &PlanOptions,
    progress: &Progress,
) -> Planned {
    let (drift, drifted) = drift(&compiled.resolved, compiled.discovered, &asked.seen, wishes.locked);
    found.append(drifted);
    found.append(asked.found.clone());
    let mut planned = Planned::nothing(repository.and(found), asked.exit);
    if wishes.locked {
        // Of a lock that is stale by itself it is not known either whether it is what the clusters have.
        let _ = strict(&mut planned.found);
    }
    let is_error = |d: &&Diagnostic| d.severity == Severity::Error;
    // With `--locked`, a CRD that is not what was locked is an error like those of the repository; one that is
    // gone is another than was locked.
    let keeps = |d: &Diagnostic| match () {
        () if d.code == &codes::DRIFT => true,
        () if d.code == &codes::NO_SUCH_CRD => wishes.locked,
        () => !codes::ALL.contains(&d.code),
    };
    if planned.found.iter().filter(is_error).any(keeps) {
        planned.exit = Some(Exit::Errors);
        return planned;
    }
    if planned.found.iter().any(|d| d.code == &codes::NO_SUCH_CRD) {
        planned.exit = planned.exit.or(Some(Exit::Errors));
    }
    let pinned = compiled.discovered.management_uid.is_some();
    planned.unpinned = asked.seen.management_uid.clone().filter(|_| !pinned);
    let known = &compiled.discovered.clusters;
    let gone = known.iter().filter(|(id, c)| !c.namespaces.is_empty() && !compiled.resolved.clusters.contains_key(*id));
    planned.gone = gone.map(|(id, _)| id.to_string()).collect();
    planned.manifests = compiled.render();
    let Some(management) = asked.management else { return planned };

    let uid = asked.seen.management_uid.clone();
    let name = &repository.loaded.config.inventory;
    let mut clusters = vec![management];
    clusters.extend(asked.clusters.into_values());
    let looked = look(clusters, &asked.seen, (&planned.manifests, name), wishes, progress).await;
    let mut lost = Vec::new();
    for (cluster, inventory, observed) in looked {
        match observed {
            Ok(observed) => planned.reached.push(Reached { cluster, inventory, observed }),
            Err(error) => lost.push((cluster.target, error)),
        }
    }
    for (target, error) in lost {
        let place = match &target {
            Target::Management => None,
            Target::Service(id) => compiled.resolved.clusters.get(id).map(|c| c.place("/metadata/name")),
        };
        planned.found.push(diagnose(&target, &error, place));
        // That a cluster is another one is worse than that one cannot be asked.
        planned.exit = planned.exit.or(Some(Exit::Cluster));
    }
    // The first one is the management cluster, or it could not be looked at.
    if planned.reached.first().is_some_and(|r| r.cluster.target == Target::Management) {
        let mut plan = planned.build(repository, wishes, uid.as_deref(), drifts(drift));
        let others = planned.found.iter().filter(|d| d.code == &codes::OTHER_CLUSTER);
        plan.refusals.extend(others.map(|d| Refusal {
            guard: "wrong-cluster".to_owned(),
            message: d.message.clone(),
            flag: None,
        }));
        planned.plan = Some(plan);
    }
    planned
}

/// Looks at clusters, all at once.
async fn look(
    clusters: Vec<Cluster>,
    seen: &Discovered,
    (manifests, name): (&ManifestSet, &str),
    wishes: &PlanOptions,
    progress: &Progress,
) -> Vec<(Cluster, Inventory, Result<Observed, ClusterError>)> {
    let uid = seen.management_uid.as_deref();
    let looking = clusters.into_iter().map(|cluster| async move {
        let inventory = inventory::of(&cluster.target, name, uid);
        let own = match &cluster.target {
            Target::Management => uid,
            Target::Service(id) => seen.uid(id),
        };
        let forced = |key: &ObjectKey| {
            let about = ObjectRef {
                cluster: cluster.target.to_string(),
                api_version: key.group.clone(),
                kind: key.kind.clone(),
                namespace: key.namespace.clone(),
                name: key.name.clone(),
            };
            guard::is_allowed(&wishes.allowed, guard::FORCE_CONFLICTS, &about)
        };
        let options = observe::Options {
            uid: own,
            prune: wishes.prune,
            trial: wishes.trial,
            forced: &forced,
            ..observe::Options::default()
        };
        let what = format!("the objects of {}", cluster.target);
        let looking = observe(&cluster, wanted(manifests, &cluster.target), &inventory, &options);
        let observed = progress.on(what, looking).await;
        (cluster, inventory, observed)
    });
    join_all(looking).await
}

/// Drifted CRDs as a plan shows them, in the order of their names.
fn drifts(found: Vec<locking::drift::Drift>) -> Vec<Drift> {
    let mut list: Vec<Drift> =
        found.into_iter().map(|d| Drift { cluster: d.cluster.to_string(), crd: d.crd, lines: d.lines }).collect();
    list.sort();
    list
}

fn wanted<'m>(manifests: &'m ManifestSet, target: &Target) -> &'m [Manifest] {
    match target {
        Target::Management => &manifests.management,
        Target::Service(id) => manifests.clusters.get(id).map_or(&[], Vec::as_slice),
    }
}

impl Planned {
    /// Nothing planned yet, and what is to be said so far.
    fn nothing(found: Vec<Diagnostic>, exit: Option<Exit>) -> Self {
        Self {
            plan: None,
            manifests: ManifestSet::default(),
            reached: Vec::new(),
            unpinned: None,
            gone: Vec::new(),
            found,
            exit,
        }
    }

    /// What a cluster is to have.
    #[must_use]
    pub fn wanted(&self, target: &Target) -> &[Manifest] {
        wanted(&self.manifests, target)
    }

    /// Warns of clusters that are out of sight: what is in them stays, and somebody has to know.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn warn(&self, ui: &mut Ui<'_>) -> io::Result<()> {
        for name in &self.gone {
            ui.warn(format_args!(
                "the service cluster `{name}` is no longer in the repository and was not looked at: what carrier made there, the tenants' namespaces too, stays"
            ))?;
        }
        Ok(())
    }

    /// Says how many requests each cluster got; only with `-v`.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn count(&self, ui: &mut Ui<'_>) -> io::Result<()> {
        for Reached { cluster, .. } in &self.reached {
            let (calls, writes) = (cluster.calls(), cluster.writes());
            ui.detail(format_args!("{}: {calls} requests, {writes} of them writes", cluster.target))?;
        }
        Ok(())
    }

    fn build(
        &self,
        repository: &Repository,
        wishes: &PlanOptions,
        management_uid: Option<&str>,
        drift: Vec<Drift>,
    ) -> Plan {
        let (no_answers, no_impacts) = (BTreeMap::new(), BTreeMap::new());
        let targets: Vec<Target> = std::iter::once(Target::Management)
            .chain(self.manifests.clusters.keys().cloned().map(Target::Service))
            .collect();
        let name = &repository.loaded.config.inventory;
        let inventories: Vec<Inventory> =
            targets.iter().map(|target| inventory::of(target, name, management_uid)).collect();
        let clusters = targets
            .iter()
            .zip(&inventories)
            .map(|(target, inventory)| {
                let observed = self.reached.iter().find(|r| r.cluster.target == *target).map(|r| &r.observed);
                ClusterInput {
                    target,
                    wanted: self.wanted(target),
                    inventory,
                    live: observed.map(|o| &o.live),
                    answers: observed.map_or(&no_answers, |o| &o.answers),
                    impacts: observed.map_or(&no_impacts, |o| &o.impacts),
                }
            })
            .collect();
        build(&Inputs {
            clusters,
            sources: &repository.sources,
            against: "clusters".to_owned(),
            prune: wishes.prune,
            allowed: wishes.allowed.clone(),
            max_prune: wishes.max_prune,
            allow_empty: wishes.allow_empty,
            drift,
            hermetic: false,
        })
    }
}
