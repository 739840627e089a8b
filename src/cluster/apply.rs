//! Applying: the steps of a plan, sent to all clusters at once, in each of them in
//! the order in which objects need each other.
//!
//! Every write is server-side apply or a deletion that names UID and version, so
//! each may be sent twice, and a run that ends anywhere is finished by the next
//! one. The parent of the inventory is written first, with the kinds of before and
//! after: whatever a killed run has applied, the next one finds. With it the run claims the inventory; a run whose claim
//! another one has taken over ends.

mod claim;
mod deletion;
mod leaving;
mod migrate;
mod object;
pub(crate) mod outcome;
mod parent;
mod take_over;
mod tested;
mod victims;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::future::join_all;
use futures::stream::{self, StreamExt as _};
use serde_json::Value;
use tokio::sync::{OnceCell, watch};
use tokio::time::Instant;

use super::client::Cluster;
use super::error::ClusterError;
use super::request::Selection;
use super::wait::{self, Verdict, Wait};
use crate::compile::render::Manifest;
use crate::model::cluster::Target;
use crate::model::keys::SYNC_ROLE;
use crate::model::object::ObjectKey;
use crate::model::object::Stage;
use crate::model::resource::Resource;
use crate::plan::going::{holds_up_records, is_record};
use crate::plan::inventory::Inventory;
use crate::plan::parent::{GroupKind, Parent, kinds};
use crate::plan::steps::{PlanMismatch, Step, crd_key, prerequisites, served_by};
use crate::plan::types::{Change, Going, ObjectRef, Plan};
pub(crate) use outcome::{Event, Failure, Leaving, Outcome, Task};
pub(crate) use parent::{parent_of, parent_refused, parents};

/// What is done to one cluster.
#[derive(Debug)]
pub struct ClusterWork<'a> {
    /// The cluster.
    pub cluster: &'a Cluster,
    /// The inventory of the repository in it.
    pub inventory: Inventory,
    /// The name of the run.
    pub run: String,
    /// The parent of the ApplySet.
    pub parent: Parent,
    /// The steps, deletions among them, in any order.
    pub steps: Vec<Step>,
    /// Which wanted CRD serves which group and kind: [`crate::plan::steps::served_by`].
    pub served_by: BTreeMap<(String, String), String>,
}

impl<'a> ClusterWork<'a> {
    /// What a plan says is to be done to one cluster. `wanted` are its objects as they were rendered,
    /// `parent` is the parent of its inventory as it was before the plan was made, `run` names the run, and `force` says of
    /// which objects the fields of other managers are taken.
    ///
    /// # Errors
    /// The change that does not fit to what is wanted; then the plan is of another repository.
    pub fn of(
        plan: &Plan,
        cluster: &'a Cluster,
        inventory: &Inventory,
        wanted: &[Manifest],
        (parent, run): (Option<&Value>, &str),
        force: impl Fn(&Change) -> bool,
    ) -> Result<Self, Box<PlanMismatch>> {
        let name = cluster.target.to_string();
        let changes: Vec<&Change> = plan.changes.iter().filter(|change| change.object.cluster == name).collect();
        let sent: BTreeSet<ObjectKey> = changes.iter().map(|change| ObjectKey::from(&change.object)).collect();
        let labelled = wanted.iter().map(|m| (ObjectKey::from(&m.id), m)).filter(|(key, _)| sent.contains(key));
        let labelled = labelled.map(|(key, m)| (key, inventory.labelled(&m.body)));
        let bodies: BTreeMap<ObjectKey, Arc<Value>> = labelled.collect();
        let resources = Resource::rendered();
        let steps: Result<Vec<Step>, _> = changes
            .into_iter()
            .map(|c| {
                Step::of(c, &bodies, resources, force(c))
                    .map_err(|why| Box::new(PlanMismatch { object: c.object.clone(), why }))
            })
            .collect();
        let going = plan.going.iter().filter(|going| !is_record(going)).map(|going| &going.object);
        let kept = plan.kept.iter().chain(going).filter(|object| object.cluster == name);
        let group = |object: &ObjectRef| object.api_version.split_once('/').map_or("", |(group, _)| group).to_owned();
        let kept: BTreeSet<GroupKind> = kept.map(|object| (group(object), object.kind.clone())).collect();
        let steps = steps?;
        let here = plan.clusters.iter().find(|cluster| cluster.name == name);
        let inherited = here.map(|cluster| cluster.inherited.iter().cloned().collect()).unwrap_or_default();
        // Its record cannot be written, and the plan has no changes for the cluster; or it is written when it is made anew.
        let is_going =
            |which: fn(&Going) -> bool| plan.going.iter().any(|one| one.object.cluster == name && which(one));
        let is_sound = here.is_none_or(|cluster| cluster.inventory_repair.is_none() && !cluster.claims_inventory);
        let parent = match is_going(holds_up_records) || steps.is_empty() && is_sound && is_going(is_record) {
            true => Parent::default(),
            false => Parent::of(inventory, parent, &kinds(wanted), &kept, &inherited, (run, !steps.is_empty())),
        };
        Ok(Self {
            cluster,
            inventory: inventory.clone(),
            run: run.to_owned(),
            parent,
            steps,
            served_by: served_by(wanted),
        })
    }
}

impl ClusterWork<'_> {
    /// Whether there is nothing to do.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        self.steps.is_empty() && self.parent == Parent::default()
    }
}

/// So many steps are begun before one of them has ended: the others are not begun if the user stops the
/// run, or the cluster is lost. The client limits the requests by itself.
const BEGUN: usize = 16;

/// How to apply.
#[derive(Debug, Clone)]
pub struct How {
    /// Ask the servers what they would do, and write nothing.
    pub dry_run: bool,
    /// How long CRDs may take to be established.
    pub timeout: Duration,
    /// Whether all CRDs are waited for, or only those that something else needs.
    pub wait: bool,
    /// Why nothing may be deleted, where that is known from the outset, such as a cluster that does not answer.
    pub no_deletions: Option<String>,
}

/// Tells a run to begin nothing more: set to `true` once.
pub(crate) type Stop = watch::Receiver<bool>;

/// Receives the events of an apply as they happen.
pub(crate) type Listener<'a> = dyn Fn(Event) + Send + Sync + 'a;

/// Applies to all clusters at once. `events` receives what happens as it happens.
///
/// Nothing is deleted anywhere unless everything was applied everywhere.
pub async fn apply(works: &[ClusterWork<'_>], how: &How, stop: &Stop, events: &Listener<'_>) -> Outcome {
    let runs: Vec<Run<'_>> = works.iter().map(|work| Run::new(work, how, stop, events)).collect();
    // Who asks for something in a service cluster is in the management cluster, and goes first.
    let (first, then): (Vec<&Run<'_>>, Vec<&Run<'_>>) =
        runs.iter().partition(|run| run.work.cluster.target == Target::Management);
    // Sync needs its permissions until what it holds is gone.
    let destroys = !how.dry_run && how.no_deletions.is_none() && first.iter().any(|run| run.destroys());
    let is_later = |step: &Step| destroys && is_of_sync(step);
    let now = |step: &Step| !is_later(step);
    // One after the other and in the same order in every run: of two that overlap one has all inventories.
    let mut begun = Vec::new();
    for run in first.iter().chain(&then) {
        if run.begin().await {
            begun.push(*run);
        }
        if run.is_superseded() {
            break;
        }
    }
    if runs.iter().any(Run::is_superseded) {
        // Nothing is written anywhere from a plan that another run has overtaken.
        for run in &runs {
            run.skip_all(|_| true, claim::SUPERSEDED);
        }
        return outcome_of(runs);
    }
    join_all(begun.iter().map(|run| run.forward(now, Claimed::Now))).await;
    let whole = runs.iter().all(|run| run.state().outcome.is_whole());
    let mut refusal = match &how.no_deletions {
        Some(reason) => Some(reason.clone()),
        None if whole => None,
        None => Some(NOT_APPLIED.to_owned()),
    };
    if destroys && refusal.is_none() {
        for lost in join_all(first.iter().map(|run| run.lost_claim())).await {
            refusal = refusal.or_else(|| lost.map(str::to_owned));
        }
    }
    if destroys && refusal.is_none() {
        for done in join_all(first.iter().map(|run| run.destroy_first())).await {
            if let Err(reason) = done {
                refusal = Some(reason.to_owned());
            }
        }
    }
    if destroys {
        match &refusal {
            None => {
                join_all(runs.iter().map(|run| run.forward(is_later, Claimed::Before))).await;
                if !runs.iter().all(|run| run.state().outcome.is_whole()) {
                    refusal = Some(NOT_APPLIED.to_owned());
                }
            }
            Some(reason) => {
                for run in &runs {
                    run.skip_all(|step| !step.is_deletion() && is_later(step), reason);
                }
            }
        }
    }
    join_all(first.iter().map(|run| run.backward(refusal.as_deref()))).await;
    let is_open = refusal.is_none();
    let whole = first.iter().all(|run| run.state().outcome.is_whole());
    let refusal = refusal.or_else(|| {
        (!whole).then(|| "something that it belongs to could not be deleted in the management cluster".to_owned())
    });
    let refusal = match refusal {
        Some(refusal) => Some(refusal),
        None => forbidden(&first, &then).await,
    };
    join_all(then.iter().map(|run| run.backward(refusal.as_deref()))).await;
    join_all(runs.iter().map(Run::settle)).await;
    join_all(first.iter().filter(|_| is_open).map(|run| run.complete())).await;
    join_all(then.iter().filter(|_| refusal.is_none()).map(|run| run.complete())).await;
    // The last stage may be long: what another run has deleted meanwhile is not reported as applied without a word.
    join_all(begun.iter().map(|run| run.lost_claim())).await;
    outcome_of(runs)
}

fn outcome_of(runs: Vec<Run<'_>>) -> Outcome {
    let mut outcome = Outcome::default();
    for run in runs {
        outcome.append(run.into_outcome());
    }
    outcome.sorted()
}

/// Why nothing is deleted in the service clusters: the instances in the management cluster forbid a deletion.
async fn forbidden(management: &[&Run<'_>], services: &[&Run<'_>]) -> Option<String> {
    let mut refusal = None;
    for run in services {
        for step in run.work.steps.iter().filter(|step| step.originals.is_some()) {
            for looked in join_all(management.iter().map(|run| run.look_at_originals(step))).await {
                if let Err(why) = looked {
                    run.refuse(step, why);
                    refusal = Some(victims::NOT_DELETED.to_owned());
                }
            }
        }
    }
    refusal
}

/// When the inventory was claimed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Claimed {
    /// Directly before: another look would tell nothing new.
    Now,
    /// Before something that may have taken minutes.
    Before,
}

/// The work on one cluster, under way.
struct Run<'a> {
    work: &'a ClusterWork<'a>,
    how: &'a How,
    stop: Stop,
    events: &'a Listener<'a>,
    /// What the run itself makes: a dry run does not.
    made: BTreeSet<&'a ObjectKey>,
    /// What came of the steps so far. Steps run concurrently; the lock is never held while one waits.
    state: Mutex<State>,
}

/// What came of the steps of one cluster so far.
#[derive(Default)]
struct State {
    outcome: Outcome,
    /// The objects of the steps of which the outcome says something: each is in it once.
    told: BTreeSet<ObjectKey>,
    /// Objects that others may need and that are not there, and why.
    missing: BTreeMap<ObjectKey, String>,
    /// CRDs that were written and are not established yet.
    pending: BTreeSet<String>,
    /// When the server got another form of a CRD.
    changed: BTreeMap<String, Instant>,
    /// CRDs that objects wait for, each once.
    gates: BTreeMap<String, Arc<OnceCell<Verdict>>>,
    /// What became of the cluster, once it does not answer any more.
    lost: Option<String>,
    /// Whether the run has claimed the inventory.
    claimed: bool,
    /// What is being deleted and not gone yet.
    leaving: BTreeSet<ObjectKey>,
    /// The numbers of deletions that were told last: gone, and in deletion.
    told_deleted: BTreeMap<Stage, (usize, usize)>,
    /// Whether the parent's namespace was made, so that its own step has nothing to do.
    made_namespace: bool,
}

impl<'a> Run<'a> {
    fn new(work: &'a ClusterWork<'a>, how: &'a How, stop: &Stop, events: &'a Listener<'a>) -> Self {
        let made = work.steps.iter().filter(|step| !step.is_deletion() && step.seen.is_none());
        Self {
            work,
            made: made.map(|step| &step.key).collect(),
            how,
            stop: stop.clone(),
            events,
            state: Mutex::default(),
        }
    }

    /// The state. Whoever takes it must give it back before it waits, and not take it twice.
    fn state(&self) -> MutexGuard<'_, State> {
        // A step that panicked has left whole entries: each is pushed at once.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn into_outcome(self) -> Outcome {
        self.state.into_inner().unwrap_or_else(PoisonError::into_inner).outcome
    }

    fn name(&self) -> String {
        self.work.cluster.target.to_string()
    }

    fn stopped(&self) -> bool {
        *self.stop.borrow()
    }

    /// Does something unless or until the user stops it. For what writes nothing.
    async fn unless_stopped<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let mut stop = self.stop.clone();
        tokio::select! {
            done = work => Some(done),
            // Nobody is left who could stop it: then it goes on.
            Ok(_) = stop.wait_for(|stop| *stop) => None,
        }
    }

    fn tell(&self, event: Event) {
        (self.events)(event);
    }

    /// Whether instances go with something that is deleted.
    fn destroys(&self) -> bool {
        self.work.steps.iter().any(|step| step.is_deletion() && step.destroys && step.victims.is_some())
    }

    fn skip_all(&self, which: impl Fn(&Step) -> bool, reason: &str) {
        self.work.steps.iter().filter(|step| which(step)).for_each(|step| self.skip(step, reason));
    }

    /// What is not a deletion, of the steps that are meant.
    async fn forward(&self, which: impl Fn(&Step) -> bool, claimed: Claimed) {
        let steps = || self.work.steps.iter().filter(|step| !step.is_deletion() && which(step));
        let mut just_claimed = claimed == Claimed::Now;
        for stage in Stage::ALL {
            let steps: Vec<&Step> = steps().filter(|step| step.stage == stage).collect();
            if steps.is_empty() {
                continue;
            }
            if !std::mem::take(&mut just_claimed)
                && let Some(reason) = self.lost_claim().await
            {
                // Of a plan that another run has overtaken nothing is deleted either.
                let is_meant = |step: &Step| self.is_superseded() || !step.is_deletion();
                return self.skip_all(|step| step.stage >= stage && which(step) && is_meant(step), reason);
            }
            let since =
                if stage == Stage::Crds && !self.how.dry_run { self.version_of_crds(&steps).await } else { None };
            let of = steps.len();
            let done = self.each(steps.iter().copied(), |step| self.one(step)).await;
            self.tell(Event::Stage { cluster: self.name(), what: applied(stage), done, of, going: 0 });
            if stage == Stage::Crds {
                self.wait_for_crds(since).await;
                self.migrate(&steps).await;
            }
        }
    }

    /// Does some at once; how many went well.
    async fn each<'s, F: Future<Output = bool>>(
        &self,
        steps: impl Iterator<Item = &'s Step>,
        work: impl Fn(&'s Step) -> F,
    ) -> usize {
        // A future that holds the closure beside what it made is not Send.
        let works: Vec<F> = steps.map(work).collect();
        let done = stream::iter(works).buffer_unordered(BEGUN);
        done.filter(|done| std::future::ready(*done)).count().await
    }

    /// The version from which a watch sees what becomes of new CRDs. Without it (it is not worth
    /// a failure) the watch begins with all that is there.
    async fn version_of_crds(&self, steps: &[&Step]) -> Option<String> {
        if steps.iter().all(|step| step.seen.is_some()) {
            return None;
        }
        let crds = Selection::all(Resource::crds()).metadata_only();
        self.work.cluster.first(&crds).await.ok().map(|(_, version)| version)
    }

    /// Waits for the CRDs that are not established yet: for all, or for those that a later step needs.
    async fn wait_for_crds(&self, since: Option<String>) {
        let mut names = std::mem::take(&mut self.state().pending);
        if !self.how.wait {
            let later = self.work.steps.iter().filter(|step| !step.is_deletion());
            let needed: BTreeSet<ObjectKey> =
                later.flat_map(|step| prerequisites(&step.key, &self.work.served_by)).collect();
            names.retain(|name| needed.contains(&crd_key(name)));
        }
        if names.is_empty() {
            return;
        }
        self.tell(Event::Waiting { cluster: self.name(), crds: names.len() });
        let until = Instant::now() + self.how.timeout;
        let (of, waited) = (names.len(), names.clone());
        // One watch of all CRDs: those of the KubeCarrier kinds have no label in common with ours.
        let wait = Wait { selection: Selection::all(Resource::crds()), names, since, until };
        let Some(verdicts) = self.unless_stopped(wait::established(self.work.cluster, wait)).await else {
            let mut state = self.state();
            state.missing.extend(waited.iter().map(|name| (crd_key(name), INTERRUPTED.to_owned())));
            state.outcome.interrupted = true;
            return;
        };
        let ready = verdicts.values().filter(|verdict| **verdict == Verdict::Ready).count();
        for (name, verdict) in verdicts {
            if let Verdict::NotReady(reason) = verdict {
                self.not_ready(&name, reason);
            }
        }
        self.tell(Event::Stage { cluster: self.name(), what: "CRDs established", done: ready, of, going: 0 });
    }

    fn not_ready(&self, crd: &str, reason: String) {
        let object = ObjectRef {
            cluster: self.name(),
            api_version: "apiextensions.k8s.io/v1".to_owned(),
            kind: "CustomResourceDefinition".to_owned(),
            namespace: None,
            name: crd.to_owned(),
        };
        let mut state = self.state();
        let told = state.missing.insert(crd_key(crd), reason.clone()).is_some();
        if !told {
            state.outcome.not_ready.push((object, reason));
        }
    }

    /// The deletions that are left, in reverse order. `refusal` says why there are none.
    async fn backward(&self, refusal: Option<&str>) {
        let mut refusal = refusal;
        let is_left = |step: &&Step| !self.state().told.contains(&step.key);
        for stage in Stage::ALL.into_iter().rev() {
            let of_stage = self.work.steps.iter().filter(|step| step.is_deletion() && step.stage == stage);
            let steps: Vec<&Step> = of_stage.filter(is_left).collect();
            if steps.is_empty() {
                // What takes instances along has been deleted before.
                self.tell_deleted(stage);
                continue;
            }
            if let Some(reason) = refusal {
                for step in steps {
                    self.skip(step, reason);
                }
                continue;
            }
            let lost = self.lost_claim().await;
            if let Some(reason) = lost {
                for step in steps {
                    self.skip(step, reason);
                }
                refusal = Some(reason);
                continue;
            }
            let of = steps.len();
            let done = self.each(steps.into_iter(), |step| self.delete(step)).await;
            self.tell_deleted(stage);
            if done < of {
                // A CRD takes its objects along, a namespace all that is in it: also what was to stay.
                refusal = Some(if self.stopped() { INTERRUPTED } else { victims::NOT_DELETED });
            }
        }
    }

    /// Writes what remains of the inventory, if nothing was left out.
    async fn complete(&self) {
        // A kind too many costs a list; one too few would lose objects, also those that are not gone yet.
        let whole = {
            let state = self.state();
            state.outcome.is_whole() && state.outcome.going.is_empty() && !self.how.dry_run
        };
        if let Some(parent) = self.work.parent.after.as_ref().filter(|_| whole) {
            self.finish(parent).await;
        }
    }

    fn skip(&self, step: &Step, reason: &str) {
        let mut state = self.state();
        state.outcome.interrupted |= reason == INTERRUPTED;
        if state.told.insert(step.key.clone()) {
            state.outcome.skipped.push((step.object.clone(), reason.to_owned()));
        }
        state.missing.entry(step.key.clone()).or_insert_with(|| reason.to_owned());
    }

    /// Takes note of what a dry run cannot try.
    fn leave_untried(&self, step: &Step, reason: String) {
        let mut state = self.state();
        if state.told.insert(step.key.clone()) {
            state.outcome.untried.push((step.object.clone(), reason));
        }
    }

    fn fail(&self, failure: Failure) {
        if failure.cluster {
            let reason = format!("the cluster does not answer any more: {}", failure.reason);
            self.state().lost.get_or_insert(reason);
        }
        self.tell(Event::Failed(failure.clone()));
        self.state().outcome.failed.push(failure);
    }

    fn fail_step(&self, step: &Step, error: &ClusterError, reason: String) {
        let is_news = {
            let mut state = self.state();
            let what = if step.is_deletion() { "deleted" } else { "applied" };
            state.missing.insert(step.key.clone(), format!("{} could not be {what}", step.key));
            state.told.insert(step.key.clone())
        };
        if !is_news {
            return;
        }
        self.fail(failure(step, error, reason));
    }

    /// Why a step is not begun.
    fn obstacle(&self, step: &Step) -> Option<String> {
        if self.stopped() {
            return Some(INTERRUPTED.to_owned());
        }
        let state = self.state();
        if let Some(lost) = &state.lost {
            return Some(lost.clone());
        }
        let needed = prerequisites(&step.key, &self.work.served_by);
        let (key, reason) = needed.iter().find_map(|key| Some((key, state.missing.get(key)?)))?;
        Some(if reason == INTERRUPTED { INTERRUPTED.to_owned() } else { format!("it needs the {key}: {reason}") })
    }
}

/// The failure of a step.
fn failure(step: &Step, error: &ClusterError, reason: String) -> Failure {
    Failure {
        object: step.object.clone(),
        task: if step.is_deletion() { Task::Delete } else { Task::Apply },
        reason,
        conflicts: error.conflicts(),
        source: step.source.clone(),
        cluster: is_of_cluster(error),
    }
}

/// Why nothing is deleted where something was not applied.
const NOT_APPLIED: &str = "nothing is deleted while something could not be applied";

/// The reason of what was not begun because the user stopped it.
pub(crate) const INTERRUPTED: &str = "interrupted";

/// Whether an error is of the cluster or the network, and not of one object.
fn is_of_cluster(error: &ClusterError) -> bool {
    error.is_of_connection() || error.is_of_gateway()
}

/// Whether a step changes a permission that sync has.
fn is_of_sync(step: &Step) -> bool {
    step.stage == Stage::Rbac && step.seen.is_some() && step.key.name.starts_with(SYNC_ROLE)
}

fn applied(stage: Stage) -> &'static str {
    match stage {
        Stage::Crds => "CRDs applied",
        Stage::Namespaces => "namespaces applied",
        Stage::Rbac => "roles, bindings and service accounts applied",
        Stage::Catalog => "catalog objects applied",
    }
}

fn deleted(stage: Stage) -> &'static str {
    match stage {
        Stage::Crds => "CRDs deleted",
        Stage::Namespaces => "namespaces deleted",
        Stage::Rbac => "roles, bindings and service accounts deleted",
        Stage::Catalog => "catalog objects deleted",
    }
}
