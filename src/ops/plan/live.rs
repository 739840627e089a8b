//! Comparing a repository with its clusters: where a live plan is assembled.
//!
//! Every cluster is asked who it is and which CRDs it has ([`survey`](crate::ops::survey)), then for the
//! objects in it; all clusters at once. A cluster that cannot be asked is a diagnostic, and the others go on.
//! Without the management cluster there is no plan: it is where the instances are that a change concerns.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::join_all;
use serde_json::Value;

use super::PlanOptions;
use crate::cluster::apply::parent_of;
use crate::cluster::connect::ConnectOptions;
use crate::cluster::diagnose::diagnose;
use crate::cluster::impacts::{self, listable};
use crate::cluster::observe::{self, Listed, Observed};
use crate::cluster::{Cluster, ClusterError, Selection};
use crate::compile::locking::{self, drift, strict};
use crate::compile::render::staying::Staying;
use crate::compile::render::{Manifest, ManifestSet};
use crate::compile::{Compiled, Discovered, compile};
use crate::model::cluster::{ClusterId, Target};
use crate::model::codes::cluster as codes;
use crate::model::diagnostic::{Diagnostic, Diagnostics, Severity};
use crate::model::object::ObjectKey;
use crate::ops::Repository;
use crate::ops::error::{ClusterFailure, PlanFailure};
use crate::ops::event::{Events, Subject};
use crate::ops::repository::judge;
use crate::ops::schema_words;
use crate::ops::survey::{Scope, Survey, survey};
use crate::plan;
use crate::plan::build::{ClusterInput, Inputs, build};
use crate::plan::guard;
use crate::plan::holder::{Holder, Record};
use crate::plan::inventory::{self, Inventory};
use crate::plan::live::{LiveCluster, LiveObject};
use crate::plan::staying::Former;
use crate::plan::steps::crd_key;
use crate::plan::take_over;
use crate::plan::types::{Action, Drift, Impact, ObjectRef, Plan, Refusal};
use crate::plan::words;

/// A plan, and the clusters it is for.
#[derive(Debug)]
pub(crate) struct LivePlan {
    /// The plan; `None` where the management cluster could not be asked, or nothing can be compiled.
    pub plan: Option<Plan>,
    /// The objects of all clusters.
    pub manifests: ManifestSet,
    /// The clusters that answered, the management cluster first.
    pub reached: Vec<Reached>,
    /// The clusters that answered and of which neither the settings nor the lock record the UID, with the UID.
    pub unpinned: Vec<(Target, String)>,
    /// Service clusters that the lock knows and the repository no longer has: they are not asked.
    pub gone: Vec<String>,
    /// The diagnostics of the repository and of the clusters, sorted.
    pub found: Vec<Diagnostic>,
    /// Why the plan is missing or incomplete; `None` where it is whole.
    pub failure: Option<PlanFailure>,
}

/// A cluster that answered.
#[derive(Debug)]
pub(crate) struct Reached {
    /// The cluster.
    pub cluster: Cluster,
    /// The inventory of the repository in it.
    pub inventory: Inventory,
    /// The parent of the inventory, as it was before the objects were listed, or why it could not be read.
    pub parent: Result<Option<Value>, ClusterError>,
    /// Its objects, and what dry runs made of them.
    pub observed: Observed,
}

/// Plans against the live clusters. The clients in the result belong to the runtime that this runs in.
/// Failures are part of the result.
pub(crate) async fn plan_live(
    repository: &Repository,
    connect: &ConnectOptions,
    options: &PlanOptions,
    events: &Events,
) -> LivePlan {
    let compiled = compile(&repository.loaded, &repository.locked.discovered);
    let found = judge(&compiled, &repository.locked, repository.stale.clone());
    // Asking the clusters fixes no errors of the repository. With `refresh` it may: a CRD that is not locked yet.
    if !options.refresh || repository.has_invalid_files() {
        let list = repository.and(found.clone());
        if list.iter().any(|d| d.severity == Severity::Error) {
            return LivePlan::nothing(list, Some(PlanFailure::Invalid));
        }
    }
    let connector = repository.connector(connect);
    let scope =
        Scope { sources: &repository.sources, resolved: &compiled.resolved, locked: &repository.locked, only: None };
    let survey = survey(&connector, scope, events).await;
    if !options.refresh {
        return observe_all(repository, (&compiled, found), survey, options, events).await;
    }
    // The CRDs of now are compiled; how they differ from the locked ones is part of the plan.
    let (moved, _) = drift(&compiled.resolved, compiled.discovered, &survey.seen, false, schema_words::lines);
    let inputs = locking::plan::Inputs {
        sources: &repository.sources,
        config: &repository.loaded.config,
        resolved: &compiled.resolved,
        locked: &repository.locked,
        given: None,
        seen: Some(&survey.seen),
        cluster: None,
        identity: None,
        prune: false,
    };
    let lock = locking::plan(inputs);
    let mut stale = repository.stale.clone();
    stale.retain(|complaint| !lock.fixes(complaint, inputs));
    let compiled = compile(&repository.loaded, &lock.after.discovered);
    let found = judge(&compiled, &lock.after, stale);
    let mut planned = observe_all(repository, (&compiled, found), survey, options, events).await;
    if let Some(plan) = &mut planned.plan {
        plan.drift = drifts(moved);
    }
    planned
}

/// Reads the objects of the clusters that answered, and makes the plan.
async fn observe_all(
    repository: &Repository,
    (compiled, mut found): (&Compiled<'_>, Diagnostics),
    survey: Survey,
    options: &PlanOptions,
    events: &Events,
) -> LivePlan {
    let (drift, drifted) =
        drift(&compiled.resolved, compiled.discovered, &survey.seen, options.locked, schema_words::lines);
    found.append(drifted);
    found.append(survey.found.clone());
    let mut planned = LivePlan::nothing(repository.and(found), survey.failure.map(PlanFailure::Cluster));
    if options.locked {
        // A lock that is out of date by itself cannot be compared with the clusters.
        let _ = strict(&mut planned.found);
    }
    let is_error = |d: &&Diagnostic| d.severity == Severity::Error;
    // With `locked`, a CRD that differs from the locked one is an error like those of the repository, and so is
    // one that is gone.
    let keeps = |d: &Diagnostic| match () {
        () if d.code == &codes::DRIFT => true,
        () if d.code == &codes::NO_SUCH_CRD => options.locked,
        () => !codes::ALL.contains(&d.code),
    };
    if planned.found.iter().filter(is_error).any(keeps) {
        planned.failure = Some(PlanFailure::Invalid);
        return planned;
    }
    if planned.found.iter().any(|d| d.code == &codes::NO_SUCH_CRD || d.code == &codes::CRD_GOING) {
        planned.failure = planned.failure.or(Some(PlanFailure::Invalid));
    }
    planned.unpinned = unpinned(&survey.seen, &repository.locked.discovered);
    let known = &compiled.discovered.clusters;
    let gone = known.iter().filter(|(id, c)| !c.namespaces.is_empty() && !compiled.resolved.clusters.contains_key(*id));
    planned.gone = gone.map(|(id, _)| id.to_string()).collect();
    let Some(management) = survey.management else { return planned };

    let uid = survey.seen.management_uid.clone();
    let name = &repository.loaded.config.inventory;
    planned.manifests = inventory::labelled(compiled.render(), name, uid.as_deref());
    let mut clusters = vec![management];
    clusters.extend(survey.clusters.into_values());
    let owned = |target: &Target| {
        let inventory = inventory::of(target, name, uid.as_deref());
        let cluster = target.to_string();
        inventory
            .held_by(repository.locked.lock().repository.as_deref())
            .taking_over(plan::others::allowed(&options.allowed, &cluster))
    };
    let (listed, mut parents) = list(clusters, &survey.seen, &planned.manifests, owned, events).await;
    let render = |staying: &Staying| inventory::labelled(compiled.render_beside(staying), name, uid.as_deref());
    let keys: BTreeSet<ObjectKey> =
        planned.manifests.management.iter().map(|manifest| ObjectKey::from(&manifest.id)).collect();
    let mut staying = staying(&listed, &keys);
    // Instances of a service that is not offered any more are there until somebody deletes them.
    let left = left(&listed, (&planned.manifests, &keys)).await;
    // As in a plan without `--prune`, services stay as long as nothing is deleted.
    let is_held_up = |listed: &Listed| plan::going::are_records_held_up(&listed.live);
    let prune = options.prune && !listed.iter().filter_map(|(.., listed)| listed.as_ref().ok()).any(is_held_up);
    let mut beside = None;
    if prune {
        let all = std::mem::take(&mut staying);
        beside = (!all.is_empty()).then(|| render(&all));
    }
    plan::staying::add(&mut staying, left);
    if !staying.is_empty() {
        planned.manifests = render(&staying);
    }
    bridge(&mut planned.manifests, &listed);
    let looking = PlanOptions { prune, ..options.clone() };
    let looked = look(listed, &survey.seen, &planned.manifests, &looking, events).await;
    let mut lost = Vec::new();
    for (cluster, inventory, observed) in looked {
        match observed {
            Ok(observed) => {
                let parent = parents.remove(&cluster.target).unwrap_or(Ok(None));
                planned.reached.push(Reached { cluster, inventory, parent, observed });
            }
            Err(error) => lost.push((cluster.target, error)),
        }
    }
    for (target, error) in lost {
        let place = match &target {
            Target::Management => None,
            Target::Service(id) => compiled.resolved.clusters.get(id).map(|c| c.place("/metadata/name")),
        };
        planned.found.push(diagnose(&target, &error, place));
        // Another cluster is graver than one that cannot be asked.
        planned.failure = planned.failure.or(Some(PlanFailure::Cluster(ClusterFailure::Unreachable)));
    }
    if prune {
        forbid(&mut planned.reached).await;
    }
    // The first one is the management cluster, if it answered.
    if planned.reached.first().is_some_and(|r| r.cluster.target == Target::Management) {
        let mut plan = planned.build(repository, options, uid.as_deref(), drifts(drift));
        let others = planned.found.iter().filter(|d| d.code == &codes::OTHER_CLUSTER);
        plan.refusals.extend(others.map(|d| Refusal {
            guard: "wrong-cluster".to_owned(),
            message: d.message.clone(),
            flag: None,
        }));
        plan.refusals.extend(beside.and_then(|beside| planned.unpermitted(&plan, &beside)));
        planned.plan = Some(plan);
    }
    planned
}

/// A cluster, the inventory of the repository in it, and what it was asked for.
type Answer<T> = (Cluster, Inventory, Result<T, ClusterError>);

/// The parents of inventories, by the cluster.
type Parents = BTreeMap<Target, Result<Option<Value>, ClusterError>>;

/// Reads the inventories and the objects of clusters, all at once. `owned` is the inventory in a cluster.
async fn list(
    clusters: Vec<Cluster>,
    seen: &Discovered,
    manifests: &ManifestSet,
    owned: impl Fn(&Target) -> Inventory,
    events: &Events,
) -> (Vec<Answer<Listed>>, Parents) {
    let listing = clusters.into_iter().map(|cluster| (owned(&cluster.target), cluster));
    let listing = listing.map(|(mut inventory, cluster)| async move {
        let wanted = wanted(manifests, &cluster.target);
        // The claim of an apply is held to this version, so the parent is read before the objects.
        let reading = async {
            let parent = parent_of(&cluster, &inventory).await;
            match &parent {
                Err(error) if error.is_of_connection() => Err(error.clone()),
                _ => {
                    // The record of another repository says nothing of this one.
                    let own = parent.as_ref().ok().and_then(Option::as_ref);
                    if matches!(Record::of(&inventory, Ok(own)).holder, Holder::This | Holder::Nobody) {
                        inventory.inherit(own);
                    }
                    let listed = observe::list(&cluster, wanted, &inventory, uid_of(&cluster.target, seen)).await?;
                    Ok((listed, parent))
                }
            }
        };
        let read = events.during(cluster.target.clone(), Subject::Objects, reading).await;
        (cluster, inventory, read)
    });
    let (mut listed, mut parents) = (Vec::new(), Parents::new());
    for (cluster, inventory, read) in join_all(listing).await {
        let read = read.map(|(listed, parent)| {
            parents.insert(cluster.target.clone(), parent);
            listed
        });
        listed.push((cluster, inventory, read));
    }
    (listed, parents)
}

/// What the management cluster still has of services and offers that the repository no longer has.
/// `wanted` are the keys of what the repository has there.
fn staying(answers: &[Answer<Listed>], wanted: &BTreeSet<ObjectKey>) -> Staying {
    let management = answers.iter().find(|(cluster, ..)| cluster.target == Target::Management);
    let Some((_, inventory, Ok(listed))) = management else { return Staying::default() };
    let mut staying = plan::staying::staying(&listed.live, inventory, |key| wanted.contains(key));
    let ids: Vec<ClusterId> = staying.clusters.keys().cloned().collect();
    for id in ids {
        let target = Target::Service(id.clone());
        let there = answers.iter().find(|(cluster, ..)| cluster.target == target);
        let live = there.and_then(|(.., listed)| listed.as_ref().ok()).map(|listed| &listed.live);
        plan::staying::without_absent(&mut staying, &id, live);
    }
    staying
}

/// Keeps the versions of CRDs in which instances may be stored.
fn bridge(manifests: &mut ManifestSet, listed: &[Answer<Listed>]) {
    let management = listed.iter().find(|(cluster, ..)| cluster.target == Target::Management);
    let Some((_, _, Ok(listed))) = management else { return };
    for manifest in &mut manifests.management {
        let key = ObjectKey::from(&manifest.id);
        if let Some(live) = listed.live.objects.get(&key).filter(|_| key.is_crd()) {
            manifest.body = plan::storage::bridged(&manifest.body, &live.body);
        }
    }
}

/// The services that tenants are no longer offered and of which they have instances, or may have.
async fn left(listed: &[Answer<Listed>], (manifests, keys): (&ManifestSet, &BTreeSet<ObjectKey>)) -> Vec<Former> {
    let found = |target: &Target| listed.iter().find(|(cluster, ..)| cluster.target == *target);
    let Some((management, inventory, Ok(here))) = found(&Target::Management) else { return Vec::new() };
    let is_wanted = |key: &ObjectKey| keys.contains(key);
    let former = listed.iter().filter_map(|(cluster, own, there)| {
        let (Target::Service(id), Ok(there)) = (&cluster.target, there) else { return None };
        let wanted = wanted(manifests, &cluster.target);
        Some(plan::staying::former((&here.live, inventory, is_wanted), id, (&there.live, own, wanted)))
    });
    let asking: Vec<_> = former.flatten().map(|former| has_instances(management, &here.live, former)).collect();
    join_all(asking).await.into_iter().flatten().collect()
}

/// The service, unless the tenant is known to have no instances of it.
async fn has_instances(management: &Cluster, live: &LiveCluster, former: Former) -> Option<Former> {
    let kind = live.objects.get(&crd_key(&former.crd)).and_then(|crd| listable(&crd.body));
    let Some(kind) = kind else { return Some(former) };
    let selection = Selection::all(&kind).within(Some(&former.tenant)).metadata_only();
    let is_none = matches!(management.first(&selection).await, Ok((None, _)));
    (!is_none).then_some(former)
}

/// The clusters that answered with a UID which is not recorded: any cluster would do.
fn unpinned(seen: &Discovered, recorded: &Discovered) -> Vec<(Target, String)> {
    let targets = std::iter::once(Target::Management).chain(seen.clusters.keys().cloned().map(Target::Service));
    let open = targets.filter(|target| uid_of(target, recorded).is_none());
    open.filter_map(|target| uid_of(&target, seen).map(str::to_owned).map(|uid| (target, uid))).collect()
}

fn uid_of<'s>(target: &Target, seen: &'s Discovered) -> Option<&'s str> {
    match target {
        Target::Management => seen.management_uid.as_deref(),
        Target::Service(id) => seen.uid(id),
    }
}

/// Asks clusters what would become of what differs, all at once.
async fn look(
    listed: Vec<Answer<Listed>>,
    seen: &Discovered,
    manifests: &ManifestSet,
    options: &PlanOptions,
    events: &Events,
) -> Vec<Answer<Observed>> {
    let looking = listed.into_iter().map(|(cluster, inventory, listed)| async move {
        let listed = match listed {
            Ok(listed) => listed,
            Err(error) => return (cluster, inventory, Err(error)),
        };
        let forced = |key: &ObjectKey| {
            let about = ObjectRef {
                cluster: cluster.target.to_string(),
                api_version: key.group.clone(),
                kind: key.kind.clone(),
                namespace: key.namespace.clone(),
                name: key.name.clone(),
            };
            guard::is_allowed(&options.allowed, guard::FORCE_CONFLICTS, &about)
        };
        let from = take_over::managers(&options.allowed);
        let how = observe::Options {
            uid: uid_of(&cluster.target, seen),
            prune: options.prune,
            trial: options.trial,
            forced: &forced,
            from: &from,
            ..observe::Options::default()
        };
        let looking = observe::ask(&cluster, wanted(manifests, &cluster.target), &inventory, listed, &how);
        let observed = events.during(cluster.target.clone(), Subject::Objects, looking).await;
        (cluster, inventory, observed)
    });
    join_all(looking).await
}

/// Finds out which namespaces of tenants must stay in the service clusters: the policies of the instances are in the
/// management cluster.
async fn forbid(reached: &mut [Reached]) {
    let Some((management, services)) = reached.split_first_mut() else { return };
    let losing: Vec<_> = services
        .iter()
        .map(|service| match &service.cluster.target {
            Target::Service(id) => impacts::losing_copies(id, &service.observed.live, &service.observed.impacts),
            Target::Management => BTreeMap::new(),
        })
        .collect();
    let tenants: BTreeSet<_> = losing.iter().flat_map(BTreeMap::values).cloned().collect();
    if tenants.is_empty() || management.cluster.target != Target::Management {
        return;
    }
    let found = impacts::originals(&management.cluster, &management.observed.live, tenants).await;
    for (service, losing) in services.iter_mut().zip(&losing) {
        for (key, tenant) in losing {
            let Some(impact) = service.observed.impacts.get_mut(key) else { continue };
            match &found {
                Ok(found) => found.get(tenant).into_iter().for_each(|originals| impacts::forbid(impact, originals)),
                Err(error) => impact.unchecked = Some(error.message.to_string()),
            }
        }
    }
}

/// Drifted CRDs as a plan shows them, in the order of their names.
fn drifts(found: Vec<locking::drift::Drift>) -> Vec<Drift> {
    let mut list: Vec<Drift> =
        found.into_iter().map(|d| Drift { cluster: d.cluster.to_string(), crd: d.crd, lines: d.lines }).collect();
    list.sort();
    list
}

pub(super) fn wanted<'m>(manifests: &'m ManifestSet, target: &Target) -> &'m [Manifest] {
    match target {
        Target::Management => &manifests.management,
        Target::Service(id) => manifests.clusters.get(id).map_or(&[], Vec::as_slice),
    }
}

impl LivePlan {
    /// No plan yet, with the diagnostics so far.
    fn nothing(found: Vec<Diagnostic>, failure: Option<PlanFailure>) -> Self {
        Self {
            plan: None,
            manifests: ManifestSet::default(),
            reached: Vec::new(),
            unpinned: Vec::new(),
            gone: Vec::new(),
            found,
            failure,
        }
    }

    /// Why sync could not delete the copies of the instances that a plan deletes: its roles lack the permissions that they
    /// have in `beside`. Then what the instances are in would stay in deletion, and the copies in a namespace are not
    /// counted, since the roles say which kinds there are.
    fn unpermitted(&self, plan: &Plan, beside: &ManifestSet) -> Option<Refusal> {
        let mut deletions = plan.changes.iter().filter(|change| change.action == Action::Delete);
        // A run that ended between the update of the roles and the last deletion has left no instances.
        let destroys = deletions.any(|change| change.impact.as_ref().is_some_and(Impact::may_destroy));
        let lacking = self.reached.iter().flat_map(|reached| {
            let target = &reached.cluster.target;
            let keys = plan::staying::lacking(wanted(beside, target), self.wanted(target), &reached.observed.live);
            keys.into_iter().map(move |key| format!("{key} in {target}"))
        });
        let lacking: Vec<String> = lacking.filter(|_| destroys).collect();
        let roles = words::first(lacking.iter().cloned(), lacking.len(), 3);
        (!lacking.is_empty()).then(|| Refusal {
            guard: "permissions".to_owned(),
            message: format!(
                "instances may be deleted, and `carrier sync` lacks permissions to delete their copies ({roles}); apply \
                 without `--prune` first, which gives them"
            ),
            flag: None,
        })
    }

    /// The other field managers that have written objects of the repository or its inventory.
    #[must_use]
    pub(crate) fn managers(&self) -> BTreeSet<String> {
        let objects = self.reached.iter().flat_map(|reached| reached.observed.live.objects.values());
        let managers = objects.flat_map(LiveObject::managers);
        let others = managers.filter(|manager| !manager.is_carrier() && manager.subresource.is_empty());
        others.map(|manager| manager.name.to_owned()).collect()
    }

    /// The manifests of a cluster.
    #[must_use]
    pub(crate) fn wanted(&self, target: &Target) -> &[Manifest] {
        wanted(&self.manifests, target)
    }

    fn build(
        &self,
        repository: &Repository,
        options: &PlanOptions,
        management_uid: Option<&str>,
        drift: Vec<Drift>,
    ) -> Plan {
        let (no_answers, no_impacts, no_instances) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        let targets: Vec<Target> = std::iter::once(Target::Management)
            .chain(self.manifests.clusters.keys().cloned().map(Target::Service))
            .collect();
        let name = &repository.loaded.config.inventory;
        let reached = |target: &Target| self.reached.iter().find(|reached| reached.cluster.target == *target);
        let records: Vec<(Inventory, Record)> = targets
            .iter()
            .map(|target| match reached(target) {
                Some(Reached { inventory, parent, .. }) => {
                    let parent = parent.as_ref().map(Option::as_ref).map_err(|error| error.message.to_string());
                    (inventory.clone(), Record::of(inventory, parent))
                }
                None => (inventory::of(target, name, management_uid), Record::default()),
            })
            .collect();
        let clusters = targets
            .iter()
            .zip(&records)
            .map(|(target, (inventory, record))| {
                let observed = reached(target).map(|reached| &reached.observed);
                ClusterInput {
                    target,
                    wanted: self.wanted(target),
                    inventory,
                    record,
                    live: observed.map(|o| &o.live),
                    answers: observed.map_or(&no_answers, |o| &o.answers),
                    impacts: observed.map_or(&no_impacts, |o| &o.impacts),
                    lost: observed.map_or(&[], |o| &o.lost),
                    instances: observed.map_or(&no_instances, |o| &o.instances),
                    dry_runs: observed.map_or(0, |o| o.dry_runs),
                    no_trial: observed.map_or(&[], |o| &o.no_trial),
                    inventory_refused: observed.and_then(|o| o.inventory_refused.as_deref()),
                }
            })
            .collect();
        build(&Inputs {
            clusters,
            sources: &repository.sources,
            against: "clusters".to_owned(),
            prune: options.prune,
            allowed: options.allowed.clone(),
            max_prune: options.max_prune,
            allow_empty: options.allow_empty,
            drift,
            hermetic: false,
        })
    }
}
