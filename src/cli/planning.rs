//! Planning against the clusters: connect, make sure that each is the one that is
//! meant, look, and plan. What `plan` and `apply` have in common.
//!
//! All clusters are asked at once. One that cannot be asked is a diagnostic, and
//! the others go on; without the management cluster there is no plan.

use std::cell::RefCell;
use std::collections::BTreeMap;

use futures::future::join_all;

use super::clusters::{ClusterFlags, Connector};
use super::env::Env;
use super::exit::Exit;
use super::progress::Progress;
use super::repository::Repository;
use crate::cluster::diagnose::{diagnose, other_cluster};
use crate::cluster::identity::identify;
use crate::cluster::observe::{self, Observed, observe};
use crate::cluster::{Cluster, ClusterError};
use crate::compile::compiled::Compiled;
use crate::compile::render::{Manifest, ManifestSet};
use crate::model::cluster::{ClusterId, Target};
use crate::model::diagnostic::{Diagnostic, Diagnostics};
use crate::model::source::Span;
use crate::plan::build::{ClusterInput, Inputs, build};
use crate::plan::inventory::{self, Inventory};
use crate::plan::types::{Allowed, Drift, Plan, Refusal};

/// What the user wants of a plan.
#[derive(Debug, Clone, Default)]
pub struct Wishes {
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
}

/// A plan, and the clusters it is for.
#[derive(Debug)]
pub struct Planned {
    /// The plan; `None` where the management cluster could not be asked.
    pub plan: Option<Plan>,
    /// The clusters that answered, the management cluster first.
    pub reached: Vec<Reached>,
    /// What is wrong with the others, and CRDs that are not what was locked.
    pub found: Diagnostics,
    /// How it ends if nothing else is wrong.
    pub exit: Exit,
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

/// What is planned.
#[derive(Debug, Clone, Copy)]
pub struct Scene<'a> {
    /// The repository.
    pub repository: &'a Repository,
    /// What it comes to.
    pub compiled: &'a Compiled<'a>,
    /// Its objects.
    pub manifests: &'a ManifestSet,
    /// How to reach clusters.
    pub flags: &'a ClusterFlags,
    /// The process's surroundings.
    pub env: &'a Env,
}

impl<'a> Scene<'a> {
    fn connector(&self) -> Connector<'a> {
        Connector {
            flags: self.flags,
            env: self.env,
            config: &self.repository.loaded.config,
            root: &self.repository.root,
        }
    }

    fn place(&self, id: &ClusterId) -> Option<Span> {
        self.compiled.resolved.clusters.get(id).map(|c| c.place("/metadata/name"))
    }

    /// The UID that a cluster must have, where it is known.
    fn expected(&self, target: &Target) -> Option<&'a str> {
        let lock = &self.compiled.discovered.lock;
        match target {
            Target::Management => lock.management_uid(&self.repository.loaded.config),
            Target::Service(id) => lock.clusters.get(id)?.uid.as_deref(),
        }
    }

    fn wanted(&self, target: &Target) -> &'a [Manifest] {
        match target {
            Target::Management => &self.manifests.management,
            Target::Service(id) => self.manifests.clusters.get(id).map_or(&[], Vec::as_slice),
        }
    }
}

/// Why a cluster is left out.
enum Left {
    /// It cannot be asked.
    Trouble(ClusterError),
    /// It is another one: expected and found UID.
    Other(String, String),
}

/// Plans against the live clusters.
pub async fn plan_live(scene: Scene<'_>, wishes: &Wishes, progress: &Progress) -> Planned {
    let mut planned = Planned { plan: None, reached: Vec::new(), found: Diagnostics::default(), exit: Exit::Fine };
    let connector = scene.connector();
    let management = progress.on("the management cluster", async {
        let cluster = connector.management().await.map_err(Left::Trouble)?;
        let uid = right_one(&cluster, scene.expected(&Target::Management)).await?;
        Ok::<_, Left>((cluster, uid))
    });
    let (management, uid) = match management.await {
        Ok(found) => found,
        Err(left) => {
            planned.leave_out(&Target::Management, &left, None);
            return planned;
        }
    };

    // The clusters have nothing to wait for each other for.
    let drift = RefCell::new(Vec::new());
    let services = scene.manifests.clusters.keys().map(|id| {
        let (drift, management, uid) = (&drift, &management, uid.as_str());
        progress.on(id.to_string(), async move {
            let found = service(scene, id, management, uid, wishes).await;
            found.map(|(reached, seen, complaints)| {
                drift.borrow_mut().extend(seen);
                (reached, complaints)
            })
        })
    });
    let inventory = inventory::of(&Target::Management, &scene.repository.loaded.config.inventory, Some(&uid));
    let options = options(wishes);
    let observing = progress.on(
        "the management cluster",
        observe(&management, scene.wanted(&Target::Management), &inventory, &options),
    );
    let (observed, services) = tokio::join!(observing, join_all(services));
    let observed = match observed {
        Ok(observed) => observed,
        Err(error) => {
            planned.leave_out(&Target::Management, &Left::Trouble(error), None);
            return planned;
        }
    };
    planned.reached.push(Reached { cluster: management, inventory, observed });
    let mut refusals = Vec::new();
    for (id, found) in scene.manifests.clusters.keys().zip(services) {
        match found {
            Ok((reached, complaints)) => {
                planned.found.append(complaints);
                planned.reached.push(reached);
            }
            Err(left) => refusals.extend(planned.leave_out(&Target::Service(id.clone()), &left, scene.place(id))),
        }
    }
    let mut plan = planned.build(scene, wishes, &uid, drift.into_inner());
    plan.refusals.extend(refusals);
    planned.plan = Some(plan);
    planned
}

/// A service cluster: what is in it, and whether its CRDs are what was locked.
async fn service(
    scene: Scene<'_>,
    id: &ClusterId,
    management: &Cluster,
    management_uid: &str,
    wishes: &Wishes,
) -> Result<(Reached, Vec<Drift>, Diagnostics), Left> {
    let target = Target::Service(id.clone());
    let cluster = scene.connector().service(id, &scene.compiled.resolved, Ok(management)).await;
    let cluster = cluster.map_err(Left::Trouble)?;
    right_one(&cluster, scene.expected(&target)).await?;
    let name = &scene.repository.loaded.config.inventory;
    let inventory = inventory::of(&target, name, Some(management_uid));
    let options = options(wishes);
    let observing = observe(&cluster, scene.wanted(&target), &inventory, &options);
    let drifting = drift(scene, id, &cluster);
    let (observed, (drift, complaints)) = tokio::join!(observing, drifting);
    let observed = observed.map_err(Left::Trouble)?;
    Ok((Reached { cluster, inventory, observed }, drift, complaints))
}

/// Asks a cluster who it is, and compares.
async fn right_one(cluster: &Cluster, expected: Option<&str>) -> Result<String, Left> {
    let identity = identify(cluster).await.map_err(Left::Trouble)?;
    match expected.filter(|expected| *expected != identity.uid) {
        Some(expected) => Err(Left::Other(expected.to_owned(), identity.uid)),
        None => Ok(identity.uid),
    }
}

fn options(wishes: &Wishes) -> observe::Options {
    let forced = wishes.allowed.iter().filter(|a| a.flag == "--force-conflicts").map(|a| a.name.clone()).collect();
    observe::Options { prune: wishes.prune, trial: wishes.trial, forced }
}

impl Planned {
    /// Notes why a cluster is left out; the refusal, where somebody has to decide something.
    fn leave_out(&mut self, target: &Target, left: &Left, place: Option<Span>) -> Option<Refusal> {
        let (diagnostic, exit): (Diagnostic, Exit) = match left {
            Left::Trouble(error) => (diagnose(target, error, place), Exit::Cluster),
            Left::Other(expected, found) => (other_cluster(target, expected, found, place), Exit::Refused),
        };
        let refusal = (exit == Exit::Refused).then(|| Refusal {
            guard: "wrong-cluster".to_owned(),
            message: diagnostic.message.clone(),
            flag: None,
        });
        self.found.push(diagnostic);
        // A wrong cluster is worse than an absent one.
        self.exit = match (self.exit, exit) {
            (Exit::Refused, _) | (_, Exit::Refused) => Exit::Refused,
            (_, exit) => exit,
        };
        refusal
    }

    fn build(&self, scene: Scene<'_>, wishes: &Wishes, management_uid: &str, drift: Vec<Drift>) -> Plan {
        let nothing = (BTreeMap::new(), BTreeMap::new());
        let targets: Vec<Target> = std::iter::once(Target::Management)
            .chain(scene.manifests.clusters.keys().cloned().map(Target::Service))
            .collect();
        let name = &scene.repository.loaded.config.inventory;
        let inventories: Vec<Inventory> =
            targets.iter().map(|target| inventory::of(target, name, Some(management_uid))).collect();
        let clusters = targets
            .iter()
            .zip(&inventories)
            .map(|(target, inventory)| {
                let observed = self.reached.iter().find(|r| r.cluster.target == *target).map(|r| &r.observed);
                ClusterInput {
                    target,
                    wanted: scene.wanted(target),
                    inventory,
                    live: observed.map(|o| &o.live),
                    answers: observed.map_or(&nothing.0, |o| &o.answers),
                    impacts: observed.map_or(&nothing.1, |o| &o.impacts),
                }
            })
            .collect();
        build(&Inputs {
            clusters,
            sources: &scene.repository.sources,
            against: "clusters".to_owned(),
            prune: wishes.prune,
            allowed: wishes.allowed.clone(),
            max_prune: wishes.max_prune,
            allow_empty: wishes.allow_empty,
            drift,
        })
    }
}
