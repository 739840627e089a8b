//! Applying a live plan, in three steps: [`check`], [`prepare`], [`execute`].
//!
//! They are apart so that a caller can show the plan and ask for consent between them. Nothing is written
//! before [`execute`].

use std::io;
use std::path::Path;
use std::time::Duration;

use super::event::{Event, Events};
use super::plan::{LivePlan, Reached};
use super::random;
use crate::cluster::ClusterError;
use crate::cluster::apply::{self as executor, ClusterWork, How, Outcome, Stop};
use crate::model::cluster::Target;
use crate::plan::guard::{FORCE_CONFLICTS, is_allowed};
use crate::plan::saved;
use crate::plan::steps::PlanMismatch;
use crate::plan::types::{Change, Plan, Refusal};
use crate::plan::words;

/// How to apply.
#[derive(Debug, Clone)]
pub(crate) struct ApplyOptions {
    /// Have the servers try everything, and write nothing.
    pub dry_run: bool,
    /// The time limit for new CRDs to be established.
    pub timeout: Duration,
    /// Whether to wait for all new CRDs, or only for those that other objects of the run need.
    pub wait: bool,
}

/// Why a plan is not applied. Nothing was written.
#[derive(Debug)]
pub(crate) enum ApplyError {
    /// Guards refuse changes of the plan.
    Refused(Vec<Refusal>),
    /// The account may not make the changes: what it lacks, one cluster a line.
    NotPermitted(Vec<String>),
    /// The saved plan is no longer the plan that would be made: the differences, one a line.
    Stale(Vec<String>),
    /// Nothing says that these clusters are the ones that are meant: their UIDs are not recorded, and nobody has seen the
    /// plan.
    UnknownClusters(Vec<(Target, String)>),
    /// The inventory of a cluster cannot be read.
    Inventory {
        /// The cluster.
        cluster: Target,
        /// What the request came to.
        error: ClusterError,
    },
    /// A change does not fit the manifests that the plan was made of.
    Mismatch(Box<PlanMismatch>),
}

/// Why a saved plan cannot be used.
#[derive(Debug)]
pub(crate) enum SavedPlanError {
    /// The file cannot be read.
    Read(io::Error),
    /// It is no plan of this version.
    Invalid(saved::ReadError),
    /// The plan was refused when it was saved.
    Refused(Box<Plan>),
}

/// Reads a plan that `carrier plan --out` wrote.
///
/// # Errors
/// When it cannot be read, or could not be applied.
pub(crate) fn read_saved(path: &Path) -> Result<Plan, SavedPlanError> {
    let text = std::fs::read_to_string(path).map_err(SavedPlanError::Read)?;
    let plan = saved::read(&text).map_err(SavedPlanError::Invalid)?;
    if plan.refusals.is_empty() { Ok(plan) } else { Err(SavedPlanError::Refused(Box::new(plan))) }
}

/// Checks whether a live plan may be applied: a saved plan must still be the same, the account must be allowed to make its
/// changes, no guard may refuse it, and unless a person is asked about this plan (`attended`), every cluster must be a recorded one: recorded in the lock or the
/// settings, or in the saved plan that somebody has looked at.
///
/// # Errors
/// The first reason why not.
pub(crate) fn check(planned: &LivePlan, plan: &Plan, saved: Option<&Plan>, attended: bool) -> Result<(), ApplyError> {
    if let Some(saved) = saved {
        let differences = saved::differences(saved, plan);
        if !differences.is_empty() {
            return Err(ApplyError::Stale(differences));
        }
    }
    let not_permitted: Vec<String> = plan.clusters.iter().filter_map(words::not_permitted).collect();
    if !not_permitted.is_empty() {
        return Err(ApplyError::NotPermitted(not_permitted));
    }
    if !plan.refusals.is_empty() {
        return Err(ApplyError::Refused(plan.refusals.clone()));
    }
    let is_in = |plan: &Plan, (target, uid): &(Target, String)| {
        plan.clusters.iter().any(|cluster| cluster.name == target.to_string() && cluster.uid.as_ref() == Some(uid))
    };
    let unknown = planned.unpinned.iter().filter(|one| !saved.is_some_and(|plan| is_in(plan, one)));
    let unknown: Vec<(Target, String)> = unknown.filter(|_| !attended).cloned().collect();
    if unknown.is_empty() { Ok(()) } else { Err(ApplyError::UnknownClusters(unknown)) }
}

/// A plan that is ready to be executed: its steps in each cluster that answered.
#[derive(Debug)]
pub(crate) struct Prepared<'p> {
    planned: &'p LivePlan,
    plan: &'p Plan,
    works: Vec<ClusterWork<'p>>,
}

/// Works out the steps in each cluster.
///
/// # Errors
/// When an inventory could not be read.
pub(crate) fn prepare<'p>(planned: &'p LivePlan, plan: &'p Plan) -> Result<Prepared<'p>, ApplyError> {
    let run = random::id();
    let mut works = Vec::new();
    for Reached { cluster, inventory, parent, .. } in &planned.reached {
        let inventory_error =
            |error: &ClusterError| ApplyError::Inventory { cluster: cluster.target.clone(), error: error.clone() };
        let parent = parent.as_ref().map_err(inventory_error)?;
        let force = |change: &Change| {
            !change.conflicts.is_empty() && is_allowed(&plan.allowed, FORCE_CONFLICTS, &change.object)
        };
        let wanted = planned.wanted(&cluster.target);
        let work = ClusterWork::of(plan, cluster, inventory, wanted, (parent.as_ref(), &run), force);
        works.push(work.map_err(ApplyError::Mismatch)?);
    }
    Ok(Prepared { planned, plan, works })
}

impl Prepared<'_> {
    /// Whether there is nothing to do.
    #[must_use]
    pub(crate) fn is_empty(&self) -> bool {
        self.works.iter().all(ClusterWork::is_nothing)
    }

    /// Whether the clusters are as the repository wants them once it is executed: all of them were planned, and nothing is
    /// being deleted that holds something up.
    #[must_use]
    pub(crate) fn is_whole(&self) -> bool {
        self.planned.failure.is_none() && !self.plan.is_held_up()
    }
}

/// What came of an apply.
#[derive(Debug)]
pub(crate) struct Applied {
    /// What became of each object.
    pub outcome: Outcome,
    /// The whole in a word.
    pub completion: Completion,
}

/// How much of a plan was applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Completion {
    /// All of it.
    Complete,
    /// A part: an object or a cluster is missing, a CRD is not served, or something holds an object in deletion.
    Partial,
    /// The caller stopped it.
    Interrupted,
    /// Nothing, because the management cluster stopped answering.
    ManagementLost,
    /// Nothing, because another run has claimed an inventory since the plan was made.
    Superseded,
}

/// Executes a plan. `stop` tells it to begin nothing more; what is under way is finished. Errors are part of
/// the result, object by object.
pub(crate) async fn execute(prepared: &Prepared<'_>, options: &ApplyOptions, stop: &Stop, events: &Events) -> Applied {
    let how = How {
        dry_run: options.dry_run,
        timeout: options.timeout,
        wait: options.wait,
        no_deletions: (!prepared.plan.complete)
            .then(|| "nothing is deleted while a cluster does not answer".to_owned()),
    };
    let listener = |event| events.send(Event::Apply(event));
    let outcome = executor::apply(&prepared.works, &how, stop, &listener).await;
    let completion = completion(&outcome, prepared);
    Applied { outcome, completion }
}

fn completion(outcome: &Outcome, prepared: &Prepared<'_>) -> Completion {
    if outcome.interrupted {
        return Completion::Interrupted;
    }
    let management = Target::Management.to_string();
    let lost = outcome.failed.iter().any(|f| f.cluster && f.object.cluster == management);
    match () {
        () if lost && !outcome.changed_anything() => Completion::ManagementLost,
        () if !outcome.superseded.is_empty() && !outcome.changed_anything() => Completion::Superseded,
        () if !outcome.is_whole() || !prepared.is_whole() => Completion::Partial,
        () => Completion::Complete,
    }
}
