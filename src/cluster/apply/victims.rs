//! The instances that a deletion destroys: counted again, approved for sync, and waited for.
//!
//! Sync holds the deletions of instances whose CRD or namespace is being deleted, until somebody approves them, and needs
//! the objects that the same run deletes: the CatalogEntry, the assignment, its Roles. So these deletions come first, each
//! instance is approved, and the rest waits until they are done (`DESIGN.md` §8).

use std::time::Duration;

use futures::future::join_all;
use serde_json::Value;
use tokio::time::Instant;

use super::deletion::Sent;
use super::object::SERVED_WITHIN;
use super::outcome::Leaving;
use super::{Event, INTERRUPTED, Run};
use crate::cluster::approval::approve;
use crate::cluster::client::ListSink;
use crate::cluster::error::{ClusterError, ErrorKind, discreet};
use crate::cluster::impacts::listable;
use crate::cluster::request::{ApiRequest, Selection};
use crate::model::keys::{DELETION_POLICY, FINALIZER, annotation};
use crate::model::resource::Resource;
use crate::plan::steps::Step;
use crate::plan::types::{Counted, CountedKind};
use crate::plan::words;

/// The first pause between two looks at what is being deleted; it doubles.
const PAUSE: Duration = Duration::from_millis(200);
/// The longest such pause.
const MAX_PAUSE: Duration = Duration::from_secs(2);
/// So many instances are named.
const NAMES: usize = 3;

/// What a count has found.
#[derive(Debug, Default)]
pub(super) struct Count {
    /// Instances that the plan does not have.
    strangers: Vec<String>,
    /// Instances that must not be deleted, because their deletion policy is `Block`.
    blocked: Vec<String>,
    /// Those that sync holds by its finalizer.
    held: Vec<Held>,
}

/// An instance with the finalizer of sync.
#[derive(Debug)]
struct Held {
    resource: Resource,
    namespace: Option<String>,
    name: String,
    uid: String,
}

/// Why a deletion is not begun.
#[derive(Debug)]
pub(super) struct Refusal {
    error: ClusterError,
    reason: String,
}

impl Refusal {
    fn new(error: ClusterError, reason: String) -> Self {
        Self { error, reason }
    }

    /// That of instances that must not be deleted.
    fn blocked(names: &[String]) -> Self {
        let blocked = in_it(names);
        Self::of(format!("the deletion policy of {blocked} is Block, so it stays; plan again"))
    }

    /// One that no request has come to.
    fn of(reason: String) -> Self {
        Self::new(ClusterError::new(ErrorKind::VersionConflict, ""), reason)
    }
}

/// Instances, as the reason of a refusal has them.
fn in_it(names: &[String]) -> String {
    let (number, names) = (names.len(), words::first(names.iter().cloned(), names.len(), NAMES));
    format!("{} in it ({names})", words::count(number, "instance"))
}

/// What a deletion means for instances that cannot be listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Uncounted {
    /// They are deleted with the object, which was allowed by its name. Sync holds those whose policy is `Block`.
    Deleted,
    /// Their copies lose what protects them, and sync cannot hold these: the policies have to be known.
    Unprotected,
}

impl Uncounted {
    fn of(step: &Step) -> Self {
        if step.destroys { Self::Deleted } else { Self::Unprotected }
    }

    /// Whether the deletion goes on though the instances of a kind cannot be listed.
    fn is_allowed(self, kind: &CountedKind) -> bool {
        kind.uids.is_none() && (self == Self::Deleted || kind.policy.is_none())
    }
}

/// What the CRD of a kind says.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    /// There is none, and so no instance.
    Gone,
    /// None of its versions is served. There may be instances all the same.
    Unserved,
    /// This version can be asked for.
    Served(String),
}

struct Collect<'a> {
    kind: &'a CountedKind,
    /// The kind in the version that was asked for.
    resource: &'a Resource,
    count: Count,
}

impl ListSink for Collect<'_> {
    fn take(&mut self, object: Value) {
        let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        let (namespace, name) = (text("/metadata/namespace"), text("/metadata/name").unwrap_or_default());
        let uid = text("/metadata/uid").unwrap_or_default();
        if self.kind.uids.as_ref().is_some_and(|known| !known.contains(&uid)) {
            self.count.strangers.push(words::full_name(namespace.as_deref(), &name));
        }
        let asked = annotation(&object, DELETION_POLICY);
        if self.kind.policy.as_ref().is_some_and(|policy| policy.blocks(asked)) {
            self.count.blocked.push(words::full_name(namespace.as_deref(), &name));
        }
        let finalizers = object.pointer("/metadata/finalizers").and_then(Value::as_array);
        if finalizers.into_iter().flatten().any(|finalizer| finalizer == FINALIZER) {
            self.count.held.push(Held { resource: self.resource.clone(), namespace, name, uid });
        }
    }

    fn restart(&mut self) {
        self.count = Count::default();
    }
}

impl Run<'_> {
    /// Deletes what takes instances along that sync holds, and waits until it is gone: the CRDs first, since a namespace
    /// may have what sync needs for their instances, such as the Secret of the service cluster. Nothing is deleted if
    /// anything of it may not be. An error is why nothing else is deleted.
    pub(super) async fn destroy_first(&self) -> Result<(), &'static str> {
        let is_meant = |step: &&Step| step.is_deletion() && step.destroys && step.victims.is_some();
        let meant = self.work.steps.iter().filter(is_meant);
        let (crds, spaces): (Vec<&Step>, Vec<&Step>) = meant.partition(|step| step.is_crd());
        let (crds, _) = (self.holding(crds).await?, self.holding(spaces.clone()).await?);
        self.destroy_all(crds).await?;
        // That may have taken minutes.
        if let Some(reason) = self.lost_claim().await {
            return Err(reason);
        }
        let spaces = self.holding(spaces).await?;
        self.destroy_all(spaces).await
    }

    /// Those of the steps that take instances along that sync holds, each with these.
    async fn holding<'s>(&self, steps: Vec<&'s Step>) -> Result<Vec<(&'s Step, Count)>, &'static str> {
        let counts = join_all(steps.iter().map(|step| self.count_again(step))).await;
        let mut holding = Vec::new();
        for (step, count) in steps.into_iter().zip(counts) {
            match count {
                Ok(count) if count.held.is_empty() => {}
                Ok(count) => holding.push((step, count)),
                Err(refusal) => {
                    self.refuse(step, refusal);
                    return Err(NOT_DELETED);
                }
            }
        }
        Ok(holding)
    }

    async fn destroy_all(&self, steps: Vec<(&Step, Count)>) -> Result<(), &'static str> {
        if steps.is_empty() {
            return Ok(());
        }
        let instances = steps.iter().map(|(_, count)| count.held.len()).sum();
        self.tell(Event::Releasing { cluster: self.name(), instances });
        let done = join_all(steps.iter().map(|(step, count)| self.destroy(step, count))).await;
        match done.iter().all(|done| *done) {
            true => Ok(()),
            false => Err(if self.stopped() { INTERRUPTED } else { NOT_DELETED }),
        }
    }

    /// Counts what a deletion destroys, directly before it: neither the UID nor the version of a CRD or a namespace
    /// changes with what is in it.
    pub(super) async fn count_again(&self, step: &Step) -> Result<Count, Refusal> {
        let Some(Counted { kinds, namespace }) = &step.victims else {
            return match step.destroys {
                true => Err(Refusal::of("its instances were not counted, so it stays".to_owned())),
                false => Ok(Count::default()),
            };
        };
        let uncounted = Uncounted::of(step);
        let counts = join_all(kinds.iter().map(|kind| self.count_kind(kind, namespace.as_deref(), uncounted))).await;
        let mut all = Count::default();
        for count in counts {
            let Count { strangers, blocked, held } = count?;
            all.strangers.extend(strangers);
            all.blocked.extend(blocked);
            all.held.extend(held);
        }
        if !all.strangers.is_empty() {
            let verb = if all.strangers.len() == 1 { "is" } else { "are" };
            let strangers = in_it(&all.strangers);
            return Err(Refusal::of(format!("{strangers} {verb} not in the plan, so it stays; plan again")));
        }
        if !all.blocked.is_empty() {
            return Err(Refusal::blocked(&all.blocked));
        }
        Ok(all)
    }

    /// Looks again, in the management cluster, at the policies of the instances whose copies go with the namespace of a
    /// tenant in a service cluster. Sync does not hold copies.
    pub(super) async fn look_at_originals(&self, step: &Step) -> Result<(), Refusal> {
        let Some(Counted { kinds, namespace }) = &step.originals else { return Ok(()) };
        let count = |kind| self.count_kind(kind, namespace.as_deref(), Uncounted::Unprotected);
        let counts: Result<Vec<Count>, Refusal> = join_all(kinds.iter().map(count)).await.into_iter().collect();
        match counts?.into_iter().flat_map(|count| count.blocked).collect::<Vec<_>>() {
            blocked if blocked.is_empty() => Ok(()),
            blocked => Err(Refusal::blocked(&blocked)),
        }
    }

    /// Counts the instances of one kind. What the plan has counted must be counted again.
    async fn count_kind(
        &self,
        kind: &CountedKind,
        namespace: Option<&str>,
        uncounted: Uncounted,
    ) -> Result<Count, Refusal> {
        let mut resource = kind.resource.clone();
        let until = Instant::now() + SERVED_WITHIN.min(self.how.timeout);
        let error = loop {
            let mut sink = Collect { kind, resource: &resource, count: Count::default() };
            let selection = Selection::all(&resource).within(namespace).metadata_only();
            let Err(error) = self.work.cluster.list(&selection, &mut sink).await else { return Ok(sink.count) };
            if error.kind != ErrorKind::KindNotFound {
                break error;
            }
            // That a version is not served says nothing of what is stored: the CRD says which version is served now.
            match self.served_now(&resource).await {
                // The CRD went before its namespace.
                Ok(Kind::Gone) => return Ok(Count::default()),
                Ok(Kind::Served(version)) if Instant::now() < until => {
                    if version == resource.version && self.unless_stopped(tokio::time::sleep(PAUSE)).await.is_none() {
                        break error;
                    }
                    resource.version = version;
                }
                _ => break error,
            }
        };
        if self.stopped() {
            return Err(Refusal::new(error, INTERRUPTED.to_owned()));
        }
        if uncounted.is_allowed(kind) {
            return Ok(Count::default());
        }
        let reason = format!(
            "its instances of {} cannot be counted again, so it stays: {}",
            kind.resource.full_name(),
            discreet(&error.message)
        );
        Err(Refusal::new(error, reason))
    }

    /// In which version the instances of a kind can be asked for now: this run may have applied the CRD with another one than
    /// the plan was made with.
    async fn served_now(&self, resource: &Resource) -> Result<Kind, ClusterError> {
        let call = ApiRequest::object(Resource::crds(), None, &resource.full_name());
        match self.work.cluster.call(&call).await {
            Err(error) if error.kind == ErrorKind::NotFound => Ok(Kind::Gone),
            crd => Ok(listable(&crd?).map_or(Kind::Unserved, |kind| Kind::Served(kind.version))),
        }
    }

    /// Approves the instances, deletes what they are in, and waits until it is gone.
    async fn destroy(&self, step: &Step, count: &Count) -> bool {
        if let Some(reason) = self.obstacle(step) {
            self.skip(step, &reason);
            return false;
        }
        // An approval must not stay on instances whose deletion the server refuses.
        if self.send_deletion(step, true).await == Sent::Refused {
            return false;
        }
        let approved = join_all(count.held.iter().map(|held| self.approve(held))).await;
        if let Some(refusal) = approved.into_iter().find_map(Result::err) {
            self.refuse(step, refusal);
            return false;
        }
        if self.send_deletion(step, false).await == Sent::Refused {
            return false;
        }
        let until = Instant::now() + self.how.timeout;
        let mut pause = PAUSE;
        loop {
            let request = ApiRequest::object(&step.resource, None, &step.key.name).metadata_only();
            match self.work.cluster.call(&request).await {
                Err(error) if error.kind == ErrorKind::NotFound => return self.deleted(step),
                Ok(live) if !is_same(step, &live) => return self.deleted(step),
                _ if Instant::now() >= until => {
                    self.still_going(step, count);
                    return false;
                }
                _ => {}
            }
            if self.unless_stopped(tokio::time::sleep(pause)).await.is_none() {
                self.still_going(step, count);
                self.state().outcome.interrupted = true;
                return false;
            }
            pause = (pause * 2).min(MAX_PAUSE);
        }
    }

    /// Takes note of a deletion that has begun, and is not waited for any longer.
    fn still_going(&self, step: &Step, count: &Count) {
        let instances = words::count(count.held.len(), "instance");
        let reason =
            format!("`carrier sync` has to delete the copies of {instances} first; apply again when it is gone");
        let mut state = self.state();
        if state.told.insert(step.key.clone()) {
            state.outcome.going.push(Leaving { object: step.object.clone(), reason, held: true });
        }
    }

    /// Takes note of a deletion that is not begun.
    pub(super) fn refuse(&self, step: &Step, refusal: Refusal) {
        self.fail_step(step, &refusal.error, refusal.reason);
    }

    /// Writes the approval of one instance, which names its UID.
    async fn approve(&self, held: &Held) -> Result<(), Refusal> {
        let Held { resource, namespace, name, uid } = held;
        match approve(self.work.cluster, resource, namespace.as_deref(), name, uid).await {
            Ok(_) => Ok(()),
            Err(error) => {
                let what = namespace.as_ref().map_or_else(|| name.clone(), |namespace| format!("{namespace}/{name}"));
                let reason = format!(
                    "the deletion of the {} {what} cannot be approved: {}",
                    resource.kind,
                    discreet(&error.message)
                );
                Err(Refusal::new(error, reason))
            }
        }
    }
}

/// Whether a live object is the one that a step deletes.
pub(super) fn is_same(step: &Step, live: &Value) -> bool {
    let uid = live.pointer("/metadata/uid").and_then(Value::as_str);
    step.seen.as_ref().is_some_and(|seen| Some(seen.uid.as_str()) == uid)
}

/// Why what comes later is not deleted.
pub(super) const NOT_DELETED: &str = "something before it could not be deleted";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::kinds::DeletionPolicyConfig;
    use std::collections::BTreeSet;

    #[test]
    fn an_assignment_stays_if_the_policies_of_its_instances_are_unknown() {
        let kind = |is_counted: bool, has_policy: bool| CountedKind {
            resource: Resource::crds().clone(),
            uids: is_counted.then(BTreeSet::new),
            policy: has_policy.then(DeletionPolicyConfig::default),
        };
        assert!(!Uncounted::Unprotected.is_allowed(&kind(false, true)));
        assert!(Uncounted::Unprotected.is_allowed(&kind(false, false)), "copies have no policy");
        assert!(Uncounted::Deleted.is_allowed(&kind(false, true)));
        for uncounted in [Uncounted::Deleted, Uncounted::Unprotected] {
            assert!(!uncounted.is_allowed(&kind(true, true)), "{uncounted:?}");
        }
    }
}
