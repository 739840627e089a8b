//! What a dry run does with a job. It looks where the job looks, and has the servers try what it would apply, by their own
//! dry run: so it tells of a refusal, or of an object that is in the way, as the run itself would. It writes nothing.

use std::sync::Arc;

use super::decide::conflict;
use super::facts::{CopyFacts, ServiceFacts};
use super::job::Job;
use super::level::Level;
use super::shared::Shared;
use super::step::{Step, WriteReason};
use super::verdict::Verdict;
use super::write::{Outcome, Writer};
use crate::cluster::dry_run::is_unsupported;
use crate::cluster::{ClusterError, ErrorKind};

/// Tries the steps of a job. Returns those that told something to decide by anew; if there are none, the job is what
/// would be done, and is noted as such.
pub(super) async fn rehearse<'j>(shared: &Shared, job: &'j Job) -> Vec<(&'j Step, Outcome)> {
    let writer = Writer::new(shared, job);
    let (mut told, mut internal) = (Vec::new(), None);
    for step in &job.steps {
        if !matches!(step, Step::Confirm | Step::Apply { .. }) {
            continue;
        }
        match writer.execute(step).await {
            Outcome::Would { level: Level::Internal, body } => internal = Some(body),
            Outcome::Would { .. } => {}
            // An admission webhook that has side effects cannot be asked; the write may well succeed.
            Outcome::Failed(failed) if !is_final(&failed.error) && !is_silent(failed.error.kind) => {}
            outcome => told.push((step, outcome)),
        }
    }
    if told.is_empty() {
        let then = match internal {
            Some(body) => below(shared, job, body).await,
            None => None,
        };
        shared.would(job, then.as_ref());
    }
    told
}

/// How the instance would stand after the next hop, if that would not succeed: the service object is tried from the
/// internal object that the server would store.
async fn below(shared: &Shared, job: &Job, internal: serde_json::Value) -> Option<Verdict> {
    let ours = |copy: &CopyFacts| job.tenant.as_ref().is_some_and(|tenant| copy.is_of(&tenant.seen.uid));
    let reason = match &job.copy {
        None => WriteReason::Create,
        Some(copy) if ours(copy) => WriteReason::Edit,
        Some(_) => return None,
    };
    let step = Step::Apply { level: Level::Service, reason, look_first: false };
    let mut next = Job { steps: vec![step.clone()], ..job.clone() };
    next.bodies[Level::Internal as usize] = Some(Arc::new(internal));
    next.service_namespace.as_ref()?;
    match Writer::new(shared, &next).execute(&step).await {
        Outcome::Found { level: Level::Service, body } => {
            let copy = ServiceFacts::of(&job.service, &body, &job.namespace, &job.name)?;
            conflict(&copy.marks, &job.tenant.as_ref()?.seen.uid)
        }
        Outcome::Failed(failed) if is_final(&failed.error) => Some(failed.verdict()),
        _ => None,
    }
}

/// Whether the same would be refused again.
fn is_final(error: &ClusterError) -> bool {
    matches!(error.kind, ErrorKind::Invalid | ErrorKind::Forbidden | ErrorKind::TooLarge) && !is_unsupported(error)
}

fn is_silent(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::Unreachable | ErrorKind::TimedOut | ErrorKind::Slow | ErrorKind::Busy | ErrorKind::Unauthorized
    )
}
