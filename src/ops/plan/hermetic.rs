//! Comparing a repository with what was rendered or committed before. Opens no socket.

use std::collections::{BTreeMap, BTreeSet};

use super::PlanOptions;
use super::base::{Against, BaseError};
use crate::model::cluster::Target;
use crate::model::diagnostic::{Diagnostic, Severity};
use crate::ops::Repository;
use crate::plan::build::{ClusterInput, Inputs, build};
use crate::plan::holder::Record;
use crate::plan::inventory;
use crate::plan::live::LiveCluster;
use crate::plan::types::Plan;

/// The result of planning against files.
#[derive(Debug)]
pub(crate) struct HermeticPlan {
    /// The diagnostics of the repository, sorted.
    pub diagnostics: Vec<Diagnostic>,
    /// The plan, or why there is none.
    pub plan: Result<Plan, HermeticError>,
}

/// Why there is no plan against files.
#[derive(Debug)]
pub(crate) enum HermeticError {
    /// The repository has errors, which are among its diagnostics.
    Invalid,
    /// What it is compared with cannot be used.
    Base(BaseError),
}

/// Compares a repository with files or a Git revision.
#[must_use]
pub(crate) fn plan_hermetic(repository: &Repository, against: &Against, options: &PlanOptions) -> HermeticPlan {
    let (compiled, diagnostics) = repository.compile();
    if diagnostics.iter().any(|d| d.severity == Severity::Error) {
        return HermeticPlan { diagnostics, plan: Err(HermeticError::Invalid) };
    }
    let base = match against.read(&repository.root) {
        Ok(base) => base,
        Err(error) => return HermeticPlan { diagnostics, plan: Err(HermeticError::Base(error)) },
    };
    let set = compiled.render().decorated(base.reader);
    let own = std::iter::once(Target::Management).chain(set.clusters.keys().cloned().map(Target::Service));
    let targets: BTreeSet<Target> = own.chain(base.clusters.keys().cloned()).collect();
    let (empty, answers, impacts, instances) =
        (LiveCluster::default(), BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    // Files belong to no inventory, so any will do.
    let record = Record::default();
    let inventory = inventory::of(&Target::Management, &repository.loaded.config.inventory, None);
    let clusters = targets
        .iter()
        .map(|target| ClusterInput {
            target,
            wanted: super::live::wanted(&set, target),
            inventory: &inventory,
            record: &record,
            live: Some(base.clusters.get(target).unwrap_or(&empty)),
            answers: &answers,
            impacts: &impacts,
            lost: &[],
            instances: &instances,
            dry_runs: 0,
            no_trial: &[],
            inventory_refused: None,
        })
        .collect();
    let plan = build(&Inputs {
        clusters,
        sources: &repository.sources,
        against: against.name.clone(),
        hermetic: true,
        prune: options.prune,
        allowed: options.allowed.clone(),
        max_prune: options.max_prune,
        allow_empty: options.allow_empty,
        drift: Vec::new(),
    });
    HermeticPlan { diagnostics, plan: Ok(plan) }
}
