//! What the worker gets for one instance: the steps that `decide` wants, with all that is needed to execute them. Pure.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::decide::{Contest, Observed, Place, View, decide, is_unwatched};
use super::facts::{InternalFacts, ServiceFacts, TenantFacts};
use super::index::{Index, Indexed, Watched};
use super::level::Level;
use super::queue::{Id, Moment};
use super::record::Record;
use super::service::Service;
use super::step::{Decision, Step};
use super::verdict::{Reason, Verdict};
use crate::compile::derive::projection::Generations;
use crate::compile::route::Synced;
use crate::model::kinds::deletion::DeletionPolicy;

/// How often an object without our label that stands in the way is looked at again.
const LOOK_AGAIN: Duration = Duration::from_secs(15);

/// Work on one instance.
#[derive(Debug, Clone)]
pub(crate) struct Job {
    /// The instance.
    pub id: Id,
    /// Its service.
    pub service: Arc<Service>,
    /// The tenant's namespace.
    pub namespace: String,
    /// The name.
    pub name: String,
    /// The namespace in the service cluster; absent while none is assigned.
    pub service_namespace: Option<String>,
    /// The number of the connection that the decision rests on.
    pub epoch: u64,
    /// What is to be done.
    pub steps: Vec<Step>,
    /// The tenant object.
    pub tenant: Option<TenantFacts>,
    /// The internal object.
    pub internal: Option<InternalFacts>,
    /// The service object.
    pub copy: Option<ServiceFacts>,
    /// The bodies that are at hand.
    pub bodies: [Option<Arc<Value>>; 3],
    /// From generations of the service object to those of the internal one.
    pub internal_generations: Generations,
    /// From generations of the service object to those of the tenant object.
    pub tenant_generations: Generations,
}

/// What came of deciding.
#[derive(Debug)]
pub(crate) enum Next {
    /// This is to be done.
    Do(Box<Job>),
    /// Nothing for now.
    Nothing {
        /// Whether the verdict is another one than before.
        changed: Option<Verdict>,
        /// Whether a copy was found to be left without a tenant object.
        orphaned: bool,
    },
}

/// The deletion policy in effect, and the one that the tenant asked for in vain.
#[must_use]
pub(crate) fn policy<'t>(service: &Service, tenant: Option<&'t TenantFacts>) -> (DeletionPolicy, Option<&'t str>) {
    let asked = tenant.and_then(|tenant| tenant.policy.as_deref());
    let (policy, in_vain) = service.deletion.in_effect(asked);
    (policy, asked.filter(|_| in_vain))
}

impl Index {
    /// Why deletions of a service are held, if they are.
    pub(crate) fn hold(&mut self, service_id: u32, namespace: &str, now: Moment) -> Option<String> {
        let indexed = self.services.get_mut(&service_id)?;
        if let Some(why) = &indexed.held {
            return Some(why.clone());
        }
        if self.places.terminating.contains(namespace) {
            return Some(format!(
                "the namespace {namespace} is being deleted; `carrier approve` lets its deletions go on"
            ));
        }
        let cluster = self.places.clusters.get(&indexed.service.route.cluster)?;
        let (instances, deleting) = (indexed.instances, indexed.deleting);
        indexed.breaker.holds(&cluster.breaker, instances, deleting, now).then(|| {
            "many instances of this service are being deleted at once; `carrier approve` lets the deletions go on"
                .to_owned()
        })
    }

    fn place_of(&self, indexed: &Indexed, record: &Record) -> Place {
        let place = self.places.place(&indexed.service.route.cluster, &record.namespace);
        if place != Place::Open {
            return place;
        }
        if let Some(why) = &indexed.unavailable {
            let base = &indexed.service.route.base;
            let message = format!(
                "the service cluster does not serve {} in the version {}: {why}",
                base.full_name(),
                base.version
            );
            let verdict = Verdict::new(Reason::ServiceUnavailable, message);
            return Place::Closed { verdict, deletions: false, touched_only: false };
        }
        match &indexed.problems[Level::Service as usize] {
            Some(why) if indexed.watched[Level::Service as usize] != Watched::Live => {
                let verdict = Verdict::new(Reason::Rejected, format!("the service cluster cannot be watched: {why}"));
                Place::Closed { verdict, deletions: false, touched_only: true }
            }
            _ => Place::Open,
        }
    }

    /// Decides what is to be done for an instance. `confirmed` says that the service cluster has just answered that no
    /// object of that name exists.
    pub(crate) fn next(&mut self, id: Id, confirmed: bool, now: Moment) -> Option<Next> {
        let record = self.record(id)?;
        let (service_id, namespace) = (record.service_id, record.namespace.clone());
        let is_deleting = record.tenant.as_ref().is_some_and(|tenant| tenant.seen.deleting);
        let hold = is_deleting.then(|| self.hold(service_id, &namespace, now)).flatten();
        let record = self.record(id)?;
        let indexed = self.services.get(&service_id)?;
        let service = Arc::clone(&indexed.service);
        let place = self.place_of(indexed, record);
        let cluster = &service.route.cluster;
        let contest = contest(record, now);
        // What rests because its CatalogEntry is gone has its deletions held, and can be approved.
        let rests = indexed.paused.clone().filter(|_| !(is_deleting && indexed.held.is_some()));
        let paused = self.places.paused(cluster, &namespace).map(str::to_owned).or(rests);
        let paused = match &record.tenant {
            Some(tenant) if tenant.paused => Some("the annotation carrier.kubecarrier.io/paused is on it".to_owned()),
            _ => paused,
        };
        let view = View {
            tenant: observed(indexed, Level::Tenant, record.tenant.as_ref()),
            internal: service.derives().then(|| observed(indexed, Level::Internal, record.internal.as_ref())),
            service: observed(indexed, Level::Service, record.service.as_ref()),
            confirmed,
            place: &place,
            memory: &record.memory,
            policy: policy(&service, record.tenant.as_ref()).0,
            hold: hold.as_deref(),
            paused: paused.as_deref(),
            waits: record.rare.as_ref().and_then(|rare| rare.retry_at).is_some_and(|at| at > now),
            retry: record.rare.as_ref().and_then(|rare| rare.retry_at).is_some_and(|at| at <= now),
            contest: contest.as_ref(),
            keeps_generation: keeps_generation(&service),
            holds_synced: service.route.synced().is_ok(),
        };
        let decision = decide(&view);
        let epoch = self.places.clusters.get(cluster).map_or(0, |state| state.epoch);
        let service_namespace = self.places.assignment(cluster, &namespace).map(|a| a.namespace.clone());
        Some(self.take(id, &service, decision, (epoch, service_namespace), now))
    }

    fn take(
        &mut self,
        id: Id,
        service: &Arc<Service>,
        decision: Decision,
        (epoch, service_namespace): (u64, Option<String>),
        now: Moment,
    ) -> Next {
        let Some(record) = self.record_mut(id) else { return Next::Nothing { changed: None, orphaned: false } };
        if let Some(pair) = decision.pair {
            record.memory.note(pair);
            if let (Some(tenant), Some(copy)) = (&record.tenant, &record.service) {
                let wants = match (&record.internal, service.derives()) {
                    (Some(internal), true) => {
                        record.memory.internal.found_in_step(tenant.wants, internal.owned);
                        internal.wants
                    }
                    _ => tenant.wants,
                };
                record.memory.service.found_in_step(wants, copy.owned);
            }
        }
        let orphaned = decision.orphan && !record.orphan;
        record.orphan = decision.orphan;
        let changed = match &decision.verdict {
            Some(verdict) if record.verdict.as_deref() != Some(verdict) => Some(verdict.clone()),
            _ => None,
        };
        if let Some(verdict) = &changed {
            let service_id = record.service_id;
            let shared = self.services.get_mut(&service_id).map(|indexed| indexed.shared(verdict));
            if let Some(record) = self.record_mut(id) {
                record.verdict = shared;
            }
        }
        let Some(record) = self.record_mut(id) else { return Next::Nothing { changed, orphaned } };
        if !decision.steps.is_empty() {
            return Next::Do(Box::new(Job {
                id,
                service: Arc::clone(service),
                namespace: record.namespace.to_string(),
                name: record.name.to_string(),
                service_namespace,
                epoch,
                steps: decision.steps,
                tenant: record.tenant.clone(),
                internal: record.internal.clone(),
                copy: record.service.clone(),
                bodies: record.rare.as_ref().map(|rare| rare.bodies.clone()).unwrap_or_default(),
                internal_generations: record.memory.internal_generations(None),
                tenant_generations: record.memory.tenant_generations(None),
            }));
        }
        // In step but for a status that is refused is no recovery: it is tried again at its time.
        if decision.pair.is_some() && decision.verdict.as_ref().is_some_and(|verdict| verdict.reason == Reason::InStep)
        {
            record.recovered();
        }
        let home = record.home;
        let reason = record.verdict.as_ref().map(|verdict| verdict.reason);
        let goes_unwatched = record.service.as_ref().is_some_and(|copy| copy.seen.deleting && is_unwatched(copy));
        // Objects without our label are not watched.
        let is_looked_at = match reason {
            Some(Reason::Conflict) => true,
            Some(Reason::DeletionWaits | Reason::Pending) => goes_unwatched,
            _ => false,
        };
        let again = match reason {
            _ if is_looked_at => Some(now + LOOK_AGAIN),
            Some(Reason::Contested) => {
                record.rare.as_ref().and_then(|rare| rare.corrections.backing_off(now)).map(|(until, _)| until)
            }
            // What holds it may be over: the window of the breaker, or the deletion of a CRD.
            Some(Reason::DeletionHeld) => Some(now + LOOK_AGAIN),
            Some(Reason::Rejected) => record.rare.as_ref().and_then(|rare| rare.retry_at),
            _ => None,
        };
        if let Some(again) = again.filter(|again| *again > now) {
            if is_looked_at {
                record.rare().retry_at = Some(again);
            }
            self.queue.push_at(id, home, again);
        }
        Next::Nothing { changed, orphaned }
    }
}

fn observed<'f, T>(indexed: &Indexed, level: Level, facts: Option<&'f T>) -> Observed<&'f T> {
    match (indexed.watched[level as usize], facts) {
        (Watched::Live, Some(facts)) => Observed::Present(facts),
        (Watched::Live, None) => Observed::Absent,
        (Watched::Unknown | Watched::Listing, _) => Observed::Unknown,
    }
}

fn contest(record: &Record, now: Moment) -> Option<Contest> {
    let corrections = &record.rare.as_ref()?.corrections;
    let culprit = corrections.culprit()?;
    let message = format!("in the service cluster, {culprit}");
    Some(Contest { message, backing_off: corrections.backing_off(now).is_some() })
}

fn keeps_generation(service: &Service) -> bool {
    match service.route.synced() {
        Ok(Synced::Alone(list) | Synced::Merged(list)) => list.fields.contains("observedGeneration"),
        Err(_) => false,
    }
}
