//! Executes the steps of one instance, one after the other, until nothing is left to do. Each answer of a server is
//! taken into the index at once, so that its echo in the watch causes nothing.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::facts::{Facts, Seen};
use super::job::{Job, Next};
use super::level::Level;
use super::memory::{Refusable, Refused};
use super::queue::Id;
use super::rehearse::rehearse;
use super::settled::{self, Settled};
use super::shared::Shared;
use super::step::Step;
use super::write::{Failed, Outcome, Writer};
use crate::cluster::ErrorKind;

/// More rounds than any instance needs: a creation takes four, a deletion seven. What is not done then goes on later.
const ROUNDS: usize = 16;
/// The longest pause before something that was refused is tried again.
const LONGEST_REFUSED: Duration = Duration::from_mins(1);
/// The longest pause before a cluster that does not answer is asked again.
const LONGEST_SILENT: Duration = Duration::from_secs(15);

/// Works on an instance until nothing is left to do, or something has to be waited for.
pub(crate) async fn work(shared: &Shared, id: Id) {
    let mut confirmed = false;
    for round in 0..ROUNDS {
        let next = {
            let now = shared.now();
            let mut index = shared.index();
            let Some(cluster) = index
                .record(id)
                .and_then(|record| Some(index.services.get(&record.service_id)?.service.route.cluster.clone()))
            else {
                break;
            };
            // Without the lease another replica works on it.
            if !shared.may_write(&cluster) {
                break;
            }
            index.next(id, std::mem::take(&mut confirmed), now)
        };
        let Some(Next::Do(job)) = next else {
            if let Some(Next::Nothing { changed, orphaned }) = next {
                if let Some(verdict) = changed {
                    shared.stands(id, &verdict);
                }
                if orphaned {
                    shared.orphaned(id);
                }
                shared.check_policy(id);
                if shared.dry_run {
                    shared.would_not(id);
                }
            }
            break;
        };
        let outcomes = if shared.dry_run {
            rehearse(shared, &job).await
        } else {
            let writer = Writer::new(shared, &job);
            let outcomes = futures::future::join_all(job.steps.iter().map(|step| writer.execute(step))).await;
            job.steps.iter().zip(outcomes).collect()
        };
        let mut go_on = round + 1 < ROUNDS && !outcomes.is_empty();
        for (step, outcome) in outcomes {
            match absorb(shared, &job, step, outcome) {
                Flow::Again => {}
                Flow::Confirmed => confirmed = true,
                Flow::Stop => go_on = false,
            }
        }
        if !go_on {
            break;
        }
    }
    let now = shared.now();
    let mut index = shared.index();
    if let Some(record) = index.record_mut(id) {
        record.tidy(now);
    }
    index.queue.done(id);
    index.forget_if_empty(id);
}

/// How it goes on after a step.
enum Flow {
    /// Decide again.
    Again,
    /// Decide again, knowing that the service cluster has no object of that name.
    Confirmed,
    /// Wait for an event or a time.
    Stop,
}

fn absorb(shared: &Shared, job: &Job, step: &Step, outcome: Outcome) -> Flow {
    match outcome {
        Outcome::Wrote { level, body, settled } => {
            shared.wrote(job, step, level);
            learn(shared, job, level, body, Some((step, *settled)));
            Flow::Again
        }
        Outcome::AsWanted { level, body, settled } => {
            learn(shared, job, level, body, Some((step, *settled)));
            Flow::Again
        }
        Outcome::Found { level, body } => {
            learn(shared, job, level, body, None);
            if *step == Step::Confirm
                && let Some(record) = shared.index().record_mut(job.id)
            {
                record.rare().retry_at = None;
            }
            Flow::Again
        }
        Outcome::Gone { level } => {
            shared.index().learn_gone(job.id, level);
            match level {
                Level::Service => Flow::Confirmed,
                Level::Tenant | Level::Internal => Flow::Again,
            }
        }
        Outcome::Deleted { level } => {
            shared.wrote(job, step, level);
            let mut index = shared.index();
            index.learn_gone(job.id, level);
            if level == Level::Tenant {
                return Flow::Stop;
            }
            // The server has said that it is gone, not only that it is going.
            if level == Level::Service { Flow::Confirmed } else { Flow::Again }
        }
        Outcome::Would { .. } => Flow::Stop,
        Outcome::Failed(failed) => fail(shared, job, step, &failed),
    }
}

/// Takes an object into the index, with the step that wrote it and what became of that.
fn learn(shared: &Shared, job: &Job, level: Level, body: Value, written: Option<(&Step, Settled)>) {
    let service = &job.service;
    let body = Arc::new(body);
    let facts = Facts::of(service, level, &body, &job.namespace, &job.name);
    let Some(facts) = facts else { return };
    let now = shared.now();
    let mut index = shared.index();
    if let (Some((step, settled)), Some(record)) = (written, index.record_mut(job.id)) {
        if Refusable::of(step).is_some_and(|write| record.memory.accept(write)) {
            record.recovered();
        }
        settled::remember(settled, &facts, record, now);
    }
    index.learn_at(job.id, level, facts, Some(&body), now);
}

fn fail(shared: &Shared, job: &Job, step: &Step, failed: &Failed) -> Flow {
    let Failed { level, error, wants, .. } = failed;
    let (level, wants) = (*level, *wants);
    let now = shared.now();
    let chance = fastrand::f64();
    let least = error.retry_after().unwrap_or_default().min(Duration::from_mins(5));
    let is_silent =
        matches!(error.kind, ErrorKind::Unreachable | ErrorKind::TimedOut | ErrorKind::Slow | ErrorKind::Busy);
    tracing::debug!(
        cluster = %job.service.route.cluster, namespace = %job.namespace, name = %job.name, level = level.word(),
        step = step.word(), kind = ?error.kind, "write failed"
    );
    if error.kind == ErrorKind::Forbidden {
        shared.forbidden(&job.service, level, step);
    }
    let mut index = shared.index();
    let Some(record) = index.record_mut(job.id) else { return Flow::Stop };
    let home = record.home;
    if is_silent || error.kind == ErrorKind::Unauthorized {
        let at = record.failed(now, chance, least, LONGEST_SILENT);
        index.queue.push_at(job.id, home, at);
        let pause = (least > Duration::ZERO).then(|| now + least);
        index.queue.answered(home.lane, true, pause);
        if error.kind != ErrorKind::Busy && level == Level::Service {
            shared.doubt(&job.service.route.cluster);
        }
        return Flow::Stop;
    }
    let in_namespace = error.kind == ErrorKind::NamespaceNotFound
        || error.causes().iter().any(|cause| cause.reason == "NamespaceTerminating");
    if in_namespace && level == Level::Service {
        let at = record.failed(now, chance, least, LONGEST_SILENT);
        index.queue.push_at(job.id, home, at);
        shared.look_at_namespace(&job.service.route.cluster, &job.namespace);
        return Flow::Stop;
    }
    if error.kind == ErrorKind::KindNotFound && level == Level::Service {
        let service_id = record.service_id;
        let at = record.failed(now, chance, least, LONGEST_SILENT);
        index.queue.push_at(job.id, home, at);
        if let Some(indexed) = index.services.get_mut(&service_id) {
            indexed.unavailable = Some("its API server has no such resource".to_owned());
        }
        // Once more, so that the condition says so.
        return Flow::Again;
    }
    let version = match level {
        // A status is refused as it came from this version of the copy.
        Level::Tenant if matches!(step, Step::TenantStatus { .. }) => job.copy.as_ref().map(|facts| &facts.seen),
        Level::Tenant => job.tenant.as_ref().map(|facts| &facts.seen),
        Level::Internal => job.internal.as_ref().map(|facts| &facts.seen),
        Level::Service => job.copy.as_ref().map(|facts| &facts.seen),
    };
    let version = version.map_or(0, |seen: &Seen| seen.version);
    let at = record.failed(now, chance, least, LONGEST_REFUSED);
    let refused = Refusable::of(step).zip(wants);
    if let Some((write, wants)) = refused {
        record.memory.refuse(Refused { write, wants, version, verdict: failed.verdict() });
    }
    index.queue.push_at(job.id, home, at);
    // Once more, so that the condition says what is remembered; what is not would be sent again at once.
    if refused.is_some() { Flow::Again } else { Flow::Stop }
}
