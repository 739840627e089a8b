//! What came of an apply, object by object: nothing that was begun goes without a word.

use std::collections::BTreeSet;

use crate::plan::types::{Action, Conflict, ObjectRef, Place, Plan};

/// What came of applying to all clusters.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outcome {
    /// Objects that were written.
    pub applied: Vec<ObjectRef>,
    /// Objects that were sent, and that the server had just so.
    pub unchanged: Vec<ObjectRef>,
    /// Objects that are gone.
    pub deleted: Vec<ObjectRef>,
    /// Objects whose deletion has begun and that are not gone yet.
    pub going: Vec<Leaving>,
    /// What the server did not take.
    pub failed: Vec<Failure>,
    /// What was not tried, and why.
    pub skipped: Vec<(ObjectRef, String)>,
    /// What a dry run could not try, because the run itself would first make or change what it needs, and why.
    pub untried: Vec<(ObjectRef, String)>,
    /// CRDs that were applied and that the server does not serve, and why.
    pub not_ready: Vec<(ObjectRef, String)>,
    /// Whether the user stopped it.
    pub interrupted: bool,
    /// The clusters in which the record of the inventory was written as it is to remain.
    pub records: Vec<String>,
    /// The inventories that another run has claimed meanwhile, one sentence each.
    pub superseded: Vec<String>,
}

/// An object whose deletion has begun, and that is not gone yet.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Leaving {
    /// The object.
    pub object: ObjectRef,
    /// What holds it, or what it waits for.
    pub reason: String,
    /// Whether somebody else than the API server has to act before it is gone.
    pub held: bool,
}

/// What was to be done to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task {
    /// It was to be applied.
    Apply,
    /// It was to be deleted.
    Delete,
    /// It is applied, and its instances were to be rewritten.
    Rewrite,
}

/// An object that the server did not take.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure {
    /// The object.
    pub object: ObjectRef,
    /// What was to be done.
    pub task: Task,
    /// Why, in the server's words where it said any. Of [`Task::Rewrite`] also what was not done.
    pub reason: String,
    /// The fields that belong to others.
    pub conflicts: Vec<Conflict>,
    /// The line of the repository that causes the object.
    pub source: Option<Place>,
    /// Whether it is the cluster or the network that failed, and not the object.
    pub cluster: bool,
}

impl Outcome {
    /// Whether all that was to be done is done. What the server finishes by itself is done, and so is a dry run of all that
    /// can be tried: nothing speaks against the rest.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        let is_held = self.going.iter().any(|leaving| leaving.held);
        let is_done = self.failed.is_empty() && self.skipped.is_empty() && !is_held;
        is_done && self.not_ready.is_empty() && !self.interrupted && self.superseded.is_empty()
    }

    /// Whether anything was written.
    #[must_use]
    pub fn changed_anything(&self) -> bool {
        !self.applied.is_empty() || !self.deleted.is_empty() || !self.going.is_empty()
    }

    /// Whether the same command again would not be the right thing: another run has taken over, or deletions of the plan
    /// were not made for a reason.
    #[must_use]
    pub(crate) fn needs_a_look(&self, plan: &Plan) -> bool {
        let deletions = plan.changes.iter().filter(|change| change.action == Action::Delete);
        let deletions: BTreeSet<&ObjectRef> = deletions.map(|change| &change.object).collect();
        let undone =
            self.failed.iter().map(|failure| &failure.object).chain(self.skipped.iter().map(|(object, _)| object));
        !self.superseded.is_empty()
            || (!self.interrupted && undone.into_iter().any(|object| deletions.contains(object)))
    }

    /// Takes in what came of another cluster.
    pub fn append(&mut self, mut other: Self) {
        self.applied.append(&mut other.applied);
        self.unchanged.append(&mut other.unchanged);
        self.deleted.append(&mut other.deleted);
        self.going.append(&mut other.going);
        self.failed.append(&mut other.failed);
        self.skipped.append(&mut other.skipped);
        self.untried.append(&mut other.untried);
        self.not_ready.append(&mut other.not_ready);
        self.interrupted |= other.interrupted;
        self.records.append(&mut other.records);
        self.superseded.append(&mut other.superseded);
    }

    /// The same, each list in the order of the objects' names: the order of the answers is arbitrary.
    #[must_use]
    pub fn sorted(mut self) -> Self {
        self.applied.sort();
        self.unchanged.sort();
        self.deleted.sort();
        self.going.sort();
        self.failed.sort_by(|a, b| a.object.cmp(&b.object));
        self.skipped.sort();
        self.untried.sort();
        self.not_ready.sort();
        self.records.sort();
        self.superseded.sort();
        self
    }
}

/// Something that happened while it happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// An object was written.
    Applied(ObjectRef),
    /// It was sent, and was just so.
    Unchanged(ObjectRef),
    /// It is gone.
    Deleted(ObjectRef),
    /// Its deletion has begun, and it is not gone yet.
    Leaving(ObjectRef),
    /// The server did not take it.
    Failed(Failure),
    /// CRDs are waited for.
    Waiting {
        /// The cluster.
        cluster: String,
        /// How many.
        crds: usize,
    },
    /// The instances of a CRD are stored in its new storage version.
    Rewritten {
        /// The CRD.
        crd: ObjectRef,
        /// The version.
        version: String,
        /// How many.
        instances: usize,
    },
    /// Instances are waited for, whose deletion was approved.
    Releasing {
        /// The cluster.
        cluster: String,
        /// How many.
        instances: usize,
    },
    /// What is being deleted is waited for.
    Settling {
        /// The cluster.
        cluster: String,
        /// How many objects.
        objects: usize,
    },
    /// A step of a cluster is done.
    Stage {
        /// The cluster.
        cluster: String,
        /// What was done: `crds applied`.
        what: &'static str,
        /// Of how many objects it came to the end it should.
        done: usize,
        /// Of how many in all.
        of: usize,
        /// How many of those that are done are being deleted, and not gone yet.
        going: usize,
    },
}
