//! What a cluster has to say to a plan: what is there, what a dry run would make of
//! what differs, and which instances that would touch.
//!
//! The number of requests does not grow with the objects that are as they should be:
//! one paged LIST a kind, then one dry run for each object that differs, then one
//! metadata-only LIST for each kind whose instances matter. Nothing is written but
//! the CRDs of trials, which go again (`trial`).

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures::future::try_join_all;
use serde_json::{Value, json};

use super::apply::{parent_refused, parents};
use super::client::{Cluster, ListSink};
use super::error::{ClusterError, ErrorKind};
use super::impacts::listable;
use super::request::Selection;
use super::trial::{Leftover, sweep};
use super::{dry_run, going, impacts};
use crate::compile::render::Manifest;
use crate::model::cluster::Target;
use crate::model::keys::ORIGIN_NAMESPACE;
use crate::model::object::ObjectKey;
use crate::model::resource::Resource;
use crate::plan::build::{DryRunResult, queries};
use crate::plan::going::{Instances, are_records_held_up};
use crate::plan::inventory::{Inventory, Ownership};
use crate::plan::live::{LiveCluster, LiveObject, Other, PART_OF};
use crate::plan::losing::Lost;
use crate::plan::others;
use crate::plan::permissions::{Permission, needs};
use crate::plan::types::Impact;

/// A trial that goes on is younger.
pub(crate) const LEFTOVER_AGE: Duration = Duration::from_mins(10);

/// How to look.
#[derive(Clone, Copy)]
pub struct Options<'a> {
    /// UID of the cluster, if it was asked: [`super::identity::identify`].
    pub uid: Option<&'a str>,
    /// Whether objects that the repository no longer has would be deleted.
    pub prune: bool,
    /// Whether instances are tried under new schemas, for which a CRD is made and deleted.
    pub trial: bool,
    /// The objects of which fields of others may be taken (`--force-conflicts`).
    pub forced: &'a (dyn Fn(&ObjectKey) -> bool + Sync),
    /// The field managers that are taken over (`--take-over-from`).
    pub from: &'a [String],
    /// How old the CRD of a trial is at least that is taken for a leftover.
    pub leftover_age: Duration,
}

impl Default for Options<'_> {
    fn default() -> Self {
        Self { uid: None, prune: false, trial: true, forced: &|_| false, from: &[], leftover_age: LEFTOVER_AGE }
    }
}

impl std::fmt::Debug for Options<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options").field("prune", &self.prune).field("trial", &self.trial).finish_non_exhaustive()
    }
}

/// What was seen.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Observed {
    /// The objects that are wanted and those of the inventory, as they are.
    pub live: LiveCluster,
    /// What the server made of the dry runs.
    pub answers: BTreeMap<ObjectKey, DryRunResult>,
    /// What changed CRDs and doomed objects mean for instances.
    pub impacts: BTreeMap<ObjectKey, Impact>,
    /// The Roles that lose the access to kinds of services.
    pub(crate) lost: Vec<Lost>,
    /// The instances that are left of CRDs in deletion.
    pub instances: BTreeMap<ObjectKey, Instances>,
    /// How many objects were to be tried in a dry run.
    pub dry_runs: usize,
    /// What the account lacks for trials of schemas; then there were none.
    pub no_trial: Vec<Permission>,
    /// Why the server would not take the parent of the inventory.
    pub inventory_refused: Option<String>,
}

/// Looks at a cluster.
///
/// # Errors
/// When the cluster does not answer, or does not let us list what carrier renders. What it says of a
/// single object is not an error but a [`DryRunResult`], or an [`Impact::unchecked`].
pub async fn observe(
    cluster: &Cluster,
    wanted: &[Manifest],
    inventory: &Inventory,
    options: &Options<'_>,
) -> Result<Observed, ClusterError> {
    let listed = list(cluster, wanted, inventory, options.uid).await?;
    ask(cluster, wanted, inventory, listed, options).await
}

/// The objects of a cluster, as they were listed.
#[derive(Debug)]
pub(crate) struct Listed {
    /// The objects that are wanted and those of the inventory.
    pub live: LiveCluster,
    /// The objects that the lists were searched for.
    searched: BTreeSet<ObjectKey>,
    /// The kinds of services of other repositories: their instances may be in the namespaces of this one.
    others: Vec<Resource>,
    /// What earlier trials have left.
    leftovers: Vec<Leftover>,
}

/// Asks what the server would make of what differs from the objects that were listed.
///
/// # Errors
/// As [`observe`].
pub(crate) async fn ask(
    cluster: &Cluster,
    wanted: &[Manifest],
    inventory: &Inventory,
    listed: Listed,
    options: &Options<'_>,
) -> Result<Observed, ClusterError> {
    let Listed { live, others, leftovers, .. } = looked_up(cluster, wanted, inventory, listed).await?;
    if options.trial {
        sweep(cluster, &leftovers, options.leftover_age).await;
    }
    let asks = queries(wanted, inventory, &live, options.prune, options.from);
    let how = (options.forced, options.from);
    let (answers, dry_runs) = dry_run::ask(cluster, wanted, inventory, &live, &asks.dry_run, how).await?;
    // Where the namespace of the record is being deleted nothing is written.
    let inventory_refused = match asks.writes && !are_records_held_up(&live) {
        true => parent_refused(cluster, inventory, wanted).await?,
        false => None,
    };
    let (impacts, no_trial) = impacts::find(cluster, (&live, &others), &answers, &asks, options.trial).await?;
    let instances = going::left(cluster, &live, &asks.going_crds).await;
    Ok(Observed { live, answers, impacts, lost: asks.lost, instances, dry_runs, no_trial, inventory_refused })
}

/// The objects that are wanted and those of the inventory: one LIST a kind.
///
/// # Errors
/// When the cluster does not answer, or does not let us list what carrier renders.
pub(crate) async fn list(
    cluster: &Cluster,
    wanted: &[Manifest],
    inventory: &Inventory,
    uid: Option<&str>,
) -> Result<Listed, ClusterError> {
    let searched: BTreeSet<ObjectKey> = wanted.iter().map(|manifest| ObjectKey::from(&manifest.id)).collect();
    let keys = &searched;
    let lists = kinds(&cluster.target, keys).into_iter().map(|resource| async move {
        let (objects, others, leftovers) = (BTreeMap::new(), Vec::new(), Vec::new());
        let mut kept = Kept { resource, keys, inventory, objects, others, leftovers };
        match cluster.list(&Selection::all(resource), &mut kept).await {
            // Its CRD is not installed (yet), so there is none of it.
            Err(error) if error.kind == ErrorKind::KindNotFound => {}
            Err(error) => return Err(error),
            Ok(_) => {}
        }
        Ok((kept.objects, kept.others, kept.leftovers))
    });
    let kept = try_join_all(lists).await?;
    let mut live = LiveCluster { uid: uid.map(str::to_owned), ..LiveCluster::default() };
    let (mut others, mut leftovers) = (Vec::new(), Vec::new());
    for (objects, other, left) in kept {
        live.objects.extend(objects);
        others.extend(other);
        leftovers.extend(left);
    }
    live.others = other_inventories(cluster, inventory, &live).await?;
    Ok(Listed { live, searched, others, leftovers })
}

/// The same, with the objects that are wanted since the lists were read: what stays beside the repository. The lists have
/// these only if they bear the label of the inventory, which somebody may have removed.
async fn looked_up(
    cluster: &Cluster,
    wanted: &[Manifest],
    inventory: &Inventory,
    mut listed: Listed,
) -> Result<Listed, ClusterError> {
    let keys: BTreeSet<ObjectKey> = wanted.iter().map(|manifest| ObjectKey::from(&manifest.id)).collect();
    let is_open = |key: &ObjectKey| !listed.searched.contains(key) && !listed.live.objects.contains_key(key);
    let asking = keys.into_iter().filter(is_open).filter_map(|key| {
        let resource = Resource::rendered().iter().find(|r| r.group == key.group && r.kind == key.kind)?;
        // A list of one: it needs no other permission than the lists before.
        let one = Selection::named(resource, &key.name).within(key.namespace.as_deref());
        Some(async move {
            let (keys, objects, others, leftovers) = (BTreeSet::from([key]), BTreeMap::new(), Vec::new(), Vec::new());
            let mut kept = Kept { resource, keys: &keys, inventory, objects, others, leftovers };
            match cluster.list(&one, &mut kept).await {
                Err(error) if error.is_absent() => Ok(BTreeMap::new()),
                done => done.map(|_| kept.objects),
            }
        })
    });
    let asking: Vec<_> = asking.collect();
    let mut found = BTreeMap::new();
    for objects in try_join_all(asking).await? {
        found.extend(objects);
    }
    let is_new = !found.is_empty();
    listed.live.objects.extend(found);
    if is_new {
        listed.live.others = other_inventories(cluster, inventory, &listed.live).await?;
    }
    Ok(listed)
}

/// The other inventories that objects belong to. Without the permission to list their parents, nothing is known of them.
async fn other_inventories(
    cluster: &Cluster,
    inventory: &Inventory,
    live: &LiveCluster,
) -> Result<BTreeMap<String, Other>, ClusterError> {
    let is_ours = |object: &LiveObject| matches!(inventory.ownership(object), Ownership::Ours | Ownership::Unmarked);
    if live.objects.values().all(is_ours) {
        return Ok(BTreeMap::new());
    }
    match parents(cluster).await {
        Ok(found) => Ok(others::read(&found, inventory.repository.as_deref())),
        Err(error) if error.is_of_connection() => Err(error),
        Err(_) => Ok(BTreeMap::new()),
    }
}

/// The kinds that are rendered for such a cluster, and those that are wanted now.
fn kinds(target: &Target, wanted: &BTreeSet<ObjectKey>) -> Vec<&'static Resource> {
    let usual = needs::kinds(target);
    let is_wanted =
        |resource: &Resource| wanted.iter().any(|key| key.kind == resource.kind && key.group == resource.group);
    Resource::rendered().iter().filter(|resource| usual.contains(resource) || is_wanted(resource)).collect()
}

/// Takes the objects of a list that matter, and drops all others at once.
struct Kept<'a> {
    resource: &'a Resource,
    keys: &'a BTreeSet<ObjectKey>,
    inventory: &'a Inventory,
    objects: BTreeMap<ObjectKey, LiveObject>,
    others: Vec<Resource>,
    leftovers: Vec<Leftover>,
}

impl ListSink for Kept<'_> {
    fn take(&mut self, mut object: Value) {
        let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        let Some(name) = text("/metadata/name") else { return };
        let namespace = text("/metadata/namespace").filter(|_| self.resource.namespaced);
        let (group, kind) = (self.resource.group.clone(), self.resource.kind.clone());
        let key = ObjectKey { group, kind, namespace, name };
        let labels = object.pointer("/metadata/labels");
        let id = labels.and_then(|l| l.get(PART_OF)).and_then(Value::as_str);
        let is_member = id.is_some_and(|id| self.inventory.includes(id));
        // Its record needs this namespace, also where the repository has nothing any more.
        let is_going = object.pointer("/metadata/deletionTimestamp").is_some();
        let holds_up = is_going && key == ObjectKey::of_namespace(&self.inventory.namespace);
        if is_member || holds_up || self.keys.contains(&key) {
            // The items of a list do not say of what kind they are.
            object["apiVersion"] = json!(self.resource.api_version());
            object["kind"] = json!(self.resource.kind);
            self.objects.insert(key, LiveObject { body: object });
        } else if self.resource.kind == "CustomResourceDefinition" {
            let is_of_service = labels.is_some_and(|labels| labels.get(ORIGIN_NAMESPACE).is_some());
            self.others.extend(listable(&object).filter(|_| is_of_service));
            self.leftovers.extend(Leftover::of(&object));
        }
    }

    fn restart(&mut self) {
        self.objects.clear();
        self.others.clear();
        self.leftovers.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::cluster::ClusterId;

    #[test]
    fn a_cluster_is_asked_for_what_it_may_have() {
        let names = |target: &Target| {
            let kinds = kinds(target, &BTreeSet::new());
            kinds.into_iter().map(|kind| kind.plural.clone()).collect::<Vec<_>>()
        };
        let service = names(&Target::Service(ClusterId::new("a", "eu")));
        let expected =
            ["namespaces", "serviceaccounts", "clusterroles", "clusterrolebindings", "roles", "rolebindings"];
        assert_eq!(service, expected);
        // The account of sync has ClusterRoles there, too.
        let management = names(&Target::Management);
        assert!(management.contains(&"offerings".to_owned()) && management.contains(&"clusterroles".to_owned()));
        assert!(!service.contains(&"offerings".to_owned()));
    }
}
