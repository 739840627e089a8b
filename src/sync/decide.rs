//! What is to be done for one instance: total and pure. It sees facts, never absence of knowledge as absence, and
//! answers with steps, which the worker executes before it asks again (`DESIGN.md` §7, §8).

use super::digest::Digest;
use super::facts::{CopyFacts, InternalFacts, ServiceFacts, TenantFacts};
use super::level::Level;
use super::marks::Marks;
use super::memory::{Memory, Refusable};
use super::status::StatusFacts;
use super::step::{Decision, Pair, StatusFrom, Step, WriteReason};
use super::truth::Truth;
use super::uid::Uid;
use super::verdict::{Reason, Verdict};
use crate::model::kinds::deletion::DeletionPolicy;

/// What is known of an object. Only a complete list of a watch that is live makes `Absent`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Observed<T> {
    /// Nothing that may be acted upon.
    Unknown,
    /// It is not there.
    Absent,
    /// It is there.
    Present(T),
}

impl<T> Observed<T> {
    /// The facts, where it is there.
    #[must_use]
    pub(crate) fn present(self) -> Option<T> {
        match self {
            Self::Present(facts) => Some(facts),
            Self::Unknown | Self::Absent => None,
        }
    }
}

/// Whether the service cluster can be written to for this instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// It can.
    Open,
    /// It cannot, and why.
    Closed {
        /// What the condition says.
        verdict: Verdict,
        /// Whether deletions of copies with our marks go on.
        deletions: bool,
        /// Whether only instances say so whose current generation has not arrived: contact is lost, and what has
        /// arrived is still in step.
        touched_only: bool,
    },
}

/// Who keeps changing a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Contest {
    /// The sentence for the condition.
    pub message: String,
    /// Whether it is too early to correct it again.
    pub backing_off: bool,
}

/// Everything that a decision depends on.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own; no two of them are one state")]
pub(crate) struct View<'a> {
    /// The tenant object.
    pub tenant: Observed<&'a TenantFacts>,
    /// The internal object; `None` where nothing is derived.
    pub internal: Option<Observed<&'a InternalFacts>>,
    /// The service object. `Absent` means that a watch of objects with our marks does not have it.
    pub service: Observed<&'a ServiceFacts>,
    /// Whether the service cluster has just said that no object of that name exists, marks or not.
    pub confirmed: bool,
    /// Whether the service cluster can be written to.
    pub place: &'a Place,
    /// What happened before.
    pub memory: &'a Memory,
    /// The deletion policy in effect.
    pub policy: DeletionPolicy,
    /// Why the breaker holds this deletion, if it does.
    pub hold: Option<&'a str>,
    /// Who asked for a pause, if anybody did.
    pub paused: Option<&'a str>,
    /// Whether it is time to look again at what no watch tells of.
    pub retry: bool,
    /// Whether what was refused waits for its time: otherwise it is tried again.
    pub waits: bool,
    /// Who keeps changing the copy, if anybody does.
    pub contest: Option<&'a Contest>,
    /// Whether the condition can say of which generation it speaks.
    pub keeps_generation: bool,
    /// Whether the tenant object can hold the condition.
    pub holds_synced: bool,
}

/// How a copy stands to what it shall be.
enum Hop<'a, Facts> {
    /// In step.
    Done(&'a Facts),
    /// This is to be done.
    Do(Step),
    /// Nothing can be done now, and the condition says why.
    Blocked(Verdict),
    /// Nothing is known; something will happen.
    Wait,
}

/// Decides.
#[must_use]
pub(crate) fn decide(view: &View<'_>) -> Decision {
    match view.tenant {
        Observed::Unknown => Decision::default(),
        Observed::Absent => without_tenant(view),
        Observed::Present(tenant) => {
            if let Some(who) = view.paused {
                let verdict = Verdict::new(Reason::Paused, who.to_owned());
                return report(view, tenant, verdict, StatusFrom::Itself, None);
            }
            if tenant.seen.deleting { deletion(view, tenant) } else { alive(view, tenant) }
        }
    }
}

/// A tenant object that shall have a copy.
fn alive(view: &View<'_>, tenant: &TenantFacts) -> Decision {
    let mut steps = Vec::new();
    if !tenant.finalizer {
        // Without it nothing is copied that could be left behind.
        if let Some(verdict) = was_refused(view, Refusable::Finalizer, tenant.wants, tenant.seen.version) {
            return report(view, tenant, verdict, shown(view), None);
        }
        steps.push(Step::PlaceFinalizer);
    }
    let (wants, internal) = match view.internal {
        None => (tenant.wants, None),
        Some(internal) => match first_hop(view, tenant, internal) {
            Hop::Done(internal) => (internal.wants, Some(internal)),
            Hop::Do(step) => {
                steps.push(step);
                return Decision { steps, verdict: Some(pending()), ..Decision::default() };
            }
            Hop::Blocked(verdict) => {
                let mut decision = report(view, tenant, verdict, shown(view), None);
                decision.steps.extend(steps);
                return decision;
            }
            Hop::Wait => return Decision { steps, verdict: Some(pending()), ..Decision::default() },
        },
    };
    if !steps.is_empty() {
        return Decision { steps, verdict: Some(pending()), ..Decision::default() };
    }
    let hop = match view.place {
        Place::Open => second_hop(view, tenant, wants),
        Place::Closed { verdict, touched_only, .. } => {
            if *touched_only && has_arrived(view, tenant) {
                return Decision { verdict: Some(verdict.clone()), ..Decision::default() };
            }
            Hop::Blocked(verdict.clone())
        }
    };
    match hop {
        Hop::Done(service) => {
            let pair = Pair {
                service: service.seen.generation,
                internal: internal.map_or(tenant.seen.generation, |internal| internal.seen.generation),
                tenant: tenant.seen.generation,
            };
            let verdict = Verdict::new(Reason::InStep, "the copy in the service cluster is in step");
            report(view, tenant, verdict, StatusFrom::Service, Some(pair))
        }
        Hop::Do(step) => Decision { steps: vec![step], verdict: Some(pending()), ..Decision::default() },
        Hop::Blocked(verdict) => report(view, tenant, verdict, shown(view), None),
        Hop::Wait => Decision { verdict: Some(pending()), ..Decision::default() },
    }
}

fn pending() -> Verdict {
    Verdict::new(Reason::Pending, "the copy in the service cluster is not written yet")
}

/// Whether the current generation of the tenant object has arrived in the service cluster, as far as we remember or
/// the condition says.
fn has_arrived(view: &View<'_>, tenant: &TenantFacts) -> bool {
    view.memory.arrived() == Some(tenant.seen.generation)
        || tenant
            .synced
            .as_ref()
            .is_some_and(|synced| synced.status == Some(Truth::True) && synced.speaks_of(tenant.seen.generation))
}

/// Where the status of a tenant object comes from while its copy is not in step.
fn shown(view: &View<'_>) -> StatusFrom {
    match (view.service, view.place) {
        (Observed::Present(service), Place::Open) if service.marks.are_ours() => StatusFrom::Service,
        (Observed::Present(_), Place::Open) => StatusFrom::Nothing,
        // Absence of the marks is no absence, but nothing of it may be shown.
        (Observed::Absent, Place::Open) if view.confirmed => StatusFrom::Nothing,
        _ => StatusFrom::Itself,
    }
}

fn first_hop<'a>(
    view: &View<'a>,
    tenant: &TenantFacts,
    internal: Observed<&'a InternalFacts>,
) -> Hop<'a, InternalFacts> {
    let apply = |reason, look_first| Step::Apply { level: Level::Internal, reason, look_first };
    let internal = match internal {
        Observed::Unknown => return Hop::Wait,
        Observed::Absent => {
            return refused(view, Refusable::Internal, tenant.wants, 0, apply(WriteReason::Create, false));
        }
        Observed::Present(internal) => internal,
    };
    if internal.seen.deleting {
        return Hop::Blocked(Verdict::new(Reason::Pending, "the internal object is being deleted"));
    }
    let version = internal.seen.version;
    match whose(&internal.marks, &tenant.seen.uid) {
        Whose::Ours => {}
        Whose::Take(reason) => return refused(view, Refusable::Internal, tenant.wants, version, apply(reason, false)),
        Whose::Theirs(why) => {
            let message = format!("the management cluster has an internal object of this name {why}");
            return Hop::Blocked(Verdict::new(Reason::Conflict, message));
        }
    }
    let memory = &view.memory.internal;
    if !memory.is_in_step(tenant.wants, internal.owned) {
        let step = apply(memory.reason(tenant.wants), memory.is_blank());
        return refused(view, Refusable::Internal, tenant.wants, version, step);
    }
    if tenant.exposed != internal.exposed
        && !view.memory.is_exposed_as_far_as_possible(tenant.exposed, internal.exposed)
    {
        return refused(view, Refusable::Internal, tenant.wants, version, Step::RemoveExcess);
    }
    Hop::Done(internal)
}

fn second_hop<'a>(view: &View<'a>, tenant: &TenantFacts, wants: Digest) -> Hop<'a, ServiceFacts> {
    let apply = |reason, look_first| Step::Apply { level: Level::Service, reason, look_first };
    let service = match view.service {
        Observed::Unknown => return Hop::Wait,
        Observed::Absent => return refused(view, Refusable::Service, wants, 0, apply(WriteReason::Create, false)),
        Observed::Present(service) => service,
    };
    let version = service.seen.version;
    match whose(&service.marks, &tenant.seen.uid) {
        Whose::Ours => {}
        Whose::Take(_) if service.seen.deleting => {}
        Whose::Take(reason) => return refused(view, Refusable::Service, wants, version, apply(reason, false)),
        // Objects without our label are not watched.
        Whose::Theirs(_) if view.retry && !matches!(service.marks, Marks::OtherSource(_)) => {
            return Hop::Do(Step::Confirm);
        }
        Whose::Theirs(why) => return Hop::Blocked(in_the_way(&why)),
    }
    if service.seen.deleting && view.retry && is_unwatched(service) {
        return Hop::Do(Step::Confirm);
    }
    if service.seen.deleting {
        return Hop::Blocked(Verdict::new(
            Reason::Pending,
            format!("the copy is being deleted by somebody else and will be made again{}", held_by(service)),
        ));
    }
    if service.orphaned {
        return refused(view, Refusable::Service, wants, version, apply(WriteReason::Adopt, false));
    }
    let memory = &view.memory.service;
    if memory.is_in_step(wants, service.owned) {
        return match view.contest {
            // What admission writes instead of ours is not corrected, and not in step.
            Some(contest) if memory.is_overwritten() && wants != service.owned => {
                Hop::Blocked(Verdict::new(Reason::Contested, contest.message.clone()))
            }
            _ => Hop::Done(service),
        };
    }
    let reason = memory.reason(wants);
    match view.contest {
        Some(contest) if reason == WriteReason::Correction && contest.backing_off => {
            Hop::Blocked(Verdict::new(Reason::Contested, contest.message.clone()))
        }
        _ => refused(view, Refusable::Service, wants, version, apply(reason, memory.is_blank())),
    }
}

/// The step, unless the same was refused and nothing has changed since.
fn refused<'a, F>(view: &View<'_>, write: Refusable, wants: Digest, version: u64, step: Step) -> Hop<'a, F> {
    was_refused(view, write, wants, version).map_or(Hop::Do(step), Hop::Blocked)
}

/// What a server said of the same write, while nothing has changed and it is not time to try again.
fn was_refused(view: &View<'_>, write: Refusable, wants: Digest, version: u64) -> Option<Verdict> {
    view.memory.was_refused(write, wants, version).filter(|_| view.waits).cloned()
}

/// How an instance stands if the service cluster has an object of its name with these marks; `None` where it is ours, or
/// becomes ours. `uid` is that of the tenant object.
#[must_use]
pub(super) fn conflict(marks: &Marks, uid: &Uid) -> Option<Verdict> {
    match whose(marks, uid) {
        Whose::Ours | Whose::Take(_) => None,
        Whose::Theirs(why) => Some(in_the_way(&why)),
    }
}

fn in_the_way(why: &str) -> Verdict {
    let message = format!(
        "the service cluster has an object of this name {why}; its owner hands it over with the annotation \
         carrier.kubecarrier.io/adopt: \"true\" on it"
    );
    Verdict::new(Reason::Conflict, message)
}

enum Whose {
    Ours,
    Take(WriteReason),
    Theirs(String),
}

fn whose(marks: &Marks, uid: &Uid) -> Whose {
    match marks {
        Marks::Ours { uid: found } if found == uid => Whose::Ours,
        // The same key with another UID: the tenant object was restored or made anew.
        Marks::Ours { .. } => Whose::Take(WriteReason::Adopt),
        Marks::Missing { proven: true, .. } => Whose::Take(WriteReason::Heal),
        Marks::Missing { adopt: true, .. } => Whose::Take(WriteReason::Adopt),
        Marks::Missing { .. } => Whose::Theirs("that carrier did not make".to_owned()),
        Marks::OtherSource(source) => Whose::Theirs(format!("that is the copy of {source}")),
        Marks::OtherManagement(uid) => Whose::Theirs(format!("that belongs to the management cluster {uid}")),
    }
}

/// Whether a watch may not tell of a copy: that of objects with our label does not when somebody stripped it. While such
/// a copy is being deleted nothing can be healed, and its end has to be looked for.
pub(super) fn is_unwatched(service: &CopyFacts) -> bool {
    matches!(service.marks, Marks::Missing { .. })
}

fn held_by(service: &CopyFacts) -> String {
    match &service.finalizers[..] {
        [] => String::new(),
        list => format!(", once its finalizers are gone: {}", list.join(", ")),
    }
}

/// A tenant object that is being deleted: the copy first, then the internal object, then the finalizer.
fn deletion(view: &View<'_>, tenant: &TenantFacts) -> Decision {
    let report = |verdict| report(view, tenant, verdict, StatusFrom::Itself, None);
    // What has begun goes on, whatever holds those that have not.
    let begun = view.service.present().is_some_and(|service| service.seen.deleting && service.marks.are_ours());
    if !begun {
        if view.policy == DeletionPolicy::Block {
            let message = "the deletion policy of the service is Block: the copy stays until the policy changes";
            return report(Verdict::new(Reason::DeletionHeld, message));
        }
        if let Some(why) = view.hold.filter(|_| view.policy == DeletionPolicy::Delete && !tenant.approved) {
            return report(Verdict::new(Reason::DeletionHeld, why.to_owned()));
        }
    }
    if let Place::Closed { verdict, deletions: false, .. } = view.place {
        return report(verdict.clone());
    }
    let waiting = || Verdict::new(Reason::Pending, "the copy in the service cluster is looked for");
    match view.service {
        Observed::Unknown => return Decision { verdict: Some(waiting()), ..Decision::default() },
        Observed::Present(service) if service.marks.are_ours() => {
            let step = match (view.policy, service.seen.deleting) {
                (_, true) if view.retry && is_unwatched(service) => Some(Step::Confirm),
                (_, true) => {
                    let message = match &service.finalizers[..] {
                        [] => "the copy is being deleted".to_owned(),
                        list => format!("the copy is being deleted and its finalizers hold it: {}", list.join(", ")),
                    };
                    return report(Verdict::new(Reason::DeletionWaits, message));
                }
                (DeletionPolicy::Orphan, false) if service.orphaned => None,
                (DeletionPolicy::Orphan, false) => Some(Step::Orphan),
                (_, false) => Some(Step::Delete(Level::Service)),
            };
            if let Some(step) = step {
                return match was_refused(view, Refusable::ServiceEnd, tenant.wants, service.seen.version) {
                    Some(verdict) => report(verdict),
                    None => Decision { steps: vec![step], verdict: Some(waiting()), ..Decision::default() },
                };
            }
        }
        // Somebody else's object of that name is not touched.
        Observed::Present(_) => {}
        Observed::Absent if view.confirmed => {}
        Observed::Absent => {
            return Decision { steps: vec![Step::Confirm], verdict: Some(waiting()), ..Decision::default() };
        }
    }
    match view.internal {
        Some(Observed::Unknown) => Decision { verdict: Some(waiting()), ..Decision::default() },
        Some(Observed::Present(internal)) if internal.marks.are_ours() => match internal.seen.deleting {
            true => {
                let message = match &internal.finalizers[..] {
                    [] => "the internal object is being deleted".to_owned(),
                    list => {
                        format!("the internal object is being deleted and its finalizers hold it: {}", list.join(", "))
                    }
                };
                report(Verdict::new(Reason::DeletionWaits, message))
            }
            false => match was_refused(view, Refusable::InternalEnd, tenant.wants, internal.seen.version) {
                Some(verdict) => report(verdict),
                None => {
                    let steps = vec![Step::Delete(Level::Internal)];
                    Decision { steps, verdict: Some(waiting()), ..Decision::default() }
                }
            },
        },
        _ if !tenant.finalizer => Decision { verdict: Some(waiting()), ..Decision::default() },
        _ => match was_refused(view, Refusable::Finalizer, tenant.wants, tenant.seen.version) {
            Some(verdict) => report(verdict),
            None => Decision { steps: vec![Step::ReleaseFinalizer], verdict: Some(waiting()), ..Decision::default() },
        },
    }
}

/// Copies without a tenant object. Its deletion was not seen, so they stay until somebody approves.
fn without_tenant(view: &View<'_>) -> Decision {
    let ours = |copy: &CopyFacts| matches!(copy.marks, Marks::Ours { .. });
    let service = view.service.present().filter(|service| ours(service));
    let internal = view.internal.and_then(Observed::present).filter(|internal| ours(internal));
    if service.is_none() && internal.is_none() {
        return Decision::default();
    }
    if service.is_some_and(|service| service.orphaned) && internal.is_none() {
        return Decision::default();
    }
    let approved = service.is_some_and(|s| s.approved) || internal.is_some_and(|i| i.approved);
    if !approved || view.paused.is_some() {
        return Decision { orphan: true, ..Decision::default() };
    }
    let can_delete = match view.place {
        Place::Open => true,
        Place::Closed { deletions, .. } => *deletions,
    };
    let step = match (view.service, internal) {
        (Observed::Present(facts), _) if facts.seen.deleting => None,
        (Observed::Present(_), _) if service.is_some() => can_delete.then_some(Step::Delete(Level::Service)),
        (Observed::Unknown, _) => None,
        (Observed::Absent, Some(_)) if !view.confirmed => can_delete.then_some(Step::Confirm),
        (_, Some(internal)) if !internal.seen.deleting => Some(Step::Delete(Level::Internal)),
        _ => None,
    };
    Decision { steps: step.into_iter().collect(), orphan: true, ..Decision::default() }
}

/// The statuses, and the condition.
fn report(view: &View<'_>, tenant: &TenantFacts, verdict: Verdict, from: StatusFrom, pair: Option<Pair>) -> Decision {
    let mut steps = Vec::new();
    let service = view.service.present().filter(|service| service.marks.are_ours());
    // A status that the management cluster refuses stays below, and the condition says so.
    let refused = service
        .filter(|_| from == StatusFrom::Service)
        .and_then(|service| was_refused(view, Refusable::TenantStatus, tenant.wants, service.seen.version));
    let (verdict, from) = refused.map_or((verdict, from), |refused| (refused, StatusFrom::Itself));
    if from == StatusFrom::Service
        && let (Some(service), Some(Observed::Present(internal))) = (service, view.internal)
        && internal.marks.are_ours()
    {
        let wanted = service.status.translated(&view.memory.internal_generations(pair));
        if !view.memory.internal_status.is_in_step(wanted.digest(), internal.status) {
            steps.push(Step::InternalStatus);
        }
    }
    let wanted = match (from, service) {
        (StatusFrom::Service, Some(service)) => {
            Some(service.shown.translated(&view.memory.tenant_generations(pair)).digest())
        }
        (StatusFrom::Nothing, _) => Some(StatusFacts::of(None).digest()),
        _ => None,
    };
    let status_differs = wanted.is_some_and(|wanted| !view.memory.tenant_status.is_in_step(wanted, tenant.status));
    let condition_differs =
        view.holds_synced && !verdict.is_shown(tenant.synced.as_ref(), tenant.seen.generation, view.keeps_generation);
    if status_differs || condition_differs {
        steps.push(Step::TenantStatus { verdict: verdict.clone(), from });
    }
    Decision { steps, verdict: Some(verdict), orphan: false, pair }
}
