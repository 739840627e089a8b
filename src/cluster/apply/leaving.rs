//! What is being deleted and not gone yet: waited for a moment, and then told with what holds it.
//!
//! The server takes a deletion at once. An object without finalizers is gone then; a namespace or a CRD goes when nothing is
//! left in it, which takes seconds, and an object with a finalizer when somebody removes that, which may be never.

use std::collections::BTreeSet;
use std::time::Duration;

use futures::future::join_all;
use tokio::time::Instant;

use super::outcome::Leaving;
use super::victims::is_same;
use super::{Event, Run, deleted};
use crate::cluster::error::ErrorKind;
use crate::cluster::going;
use crate::cluster::request::ApiRequest;
use crate::model::object::Stage;
use crate::plan;
use crate::plan::steps::Step;
use crate::plan::types::ObjectRef;

/// How long a run waits for what is being deleted.
const WITHIN: Duration = Duration::from_secs(10);
/// How long it waits for what something holds: who holds it may be quick.
const HELD_WITHIN: Duration = Duration::from_secs(1);
/// The first pause between two looks; it doubles.
const PAUSE: Duration = Duration::from_millis(200);
/// The longest such pause.
const MAX_PAUSE: Duration = Duration::from_secs(2);

impl Run<'_> {
    /// Takes note of an object whose deletion the server has taken, and that it keeps; `true`, since that went well.
    pub(super) fn leaves(&self, step: &Step) -> bool {
        {
            let mut state = self.state();
            state.told.insert(step.key.clone());
            state.leaving.insert(step.key.clone());
        }
        self.tell(Event::Leaving(step.object.clone()));
        true
    }

    /// Tells how many of the deletions of a stage are done, in all and whenever they were sent: the numbers of the stages
    /// are together those of the outcome. Nothing is told of a stage without any, nor the same twice.
    pub(super) fn tell_deleted(&self, stage: Stage) {
        let of_stage = |step: &&Step| step.is_deletion() && step.stage == stage;
        let deletions: Vec<&Step> = self.work.steps.iter().filter(of_stage).collect();
        let (gone, going) = {
            let known = self.state();
            let objects: BTreeSet<&ObjectRef> = known.outcome.deleted.iter().collect();
            let left: BTreeSet<&ObjectRef> = known.outcome.going.iter().map(|leaving| &leaving.object).collect();
            let is_going = |step: &&&Step| known.leaving.contains(&step.key) || left.contains(&step.object);
            let gone = deletions.iter().filter(|step| objects.contains(&step.object)).count();
            (gone, deletions.iter().filter(is_going).count())
        };
        let told = self.state().told_deleted.insert(stage, (gone, going));
        if gone + going > 0 && told != Some((gone, going)) {
            let (what, done, of) = (deleted(stage), gone + going, deletions.len());
            self.tell(Event::Stage { cluster: self.name(), what, done, of, going });
        }
    }

    /// Waits until what is being deleted is gone, unless something holds it, and takes note of what is left.
    pub(super) async fn settle(&self) {
        let stages: BTreeSet<Stage> = {
            let state = self.state();
            let is_leaving = |step: &&Step| step.is_deletion() && state.leaving.contains(&step.key);
            self.work.steps.iter().filter(is_leaving).map(|step| step.stage).collect()
        };
        self.wait_for_leaving().await;
        // In the order of the deletions.
        stages.into_iter().rev().for_each(|stage| self.tell_deleted(stage));
    }

    async fn wait_for_leaving(&self) {
        let leaving = std::mem::take(&mut self.state().leaving);
        if leaving.is_empty() {
            return;
        }
        let is_leaving = |step: &&Step| step.is_deletion() && leaving.contains(&step.key);
        let mut left: Vec<&Step> = self.work.steps.iter().filter(is_leaving).collect();
        self.tell(Event::Settling { cluster: self.name(), objects: left.len() });
        let (begun, mut pause) = (Instant::now(), PAUSE);
        let limit = if self.how.wait { WITHIN.min(self.how.timeout) } else { Duration::ZERO };
        loop {
            let looks = join_all(left.iter().map(|step| self.look_at_leaving(step))).await;
            let looked: Vec<(&Step, Option<Leaving>)> = left.into_iter().zip(looks).collect();
            for (step, _) in looked.iter().filter(|(_, leaving)| leaving.is_none()) {
                self.deleted(step);
            }
            let still: Vec<(&Step, Leaving)> =
                looked.into_iter().filter_map(|(step, leaving)| Some((step, leaving?))).collect();
            let limit = if still.iter().all(|(_, leaving)| leaving.held) { limit.min(HELD_WITHIN) } else { limit };
            let is_over = still.is_empty() || begun.elapsed() >= limit;
            if is_over || self.unless_stopped(tokio::time::sleep(pause)).await.is_none() {
                let mut state = self.state();
                state.outcome.interrupted |= !is_over;
                state.outcome.going.extend(still.into_iter().map(|(_, leaving)| leaving));
                return;
            }
            left = still.into_iter().map(|(step, _)| step).collect();
            pause = (pause * 2).min(MAX_PAUSE);
        }
    }

    /// What holds an object in deletion; `None` if it is gone.
    async fn look_at_leaving(&self, step: &Step) -> Option<Leaving> {
        let call = ApiRequest::object(&step.resource, step.key.namespace.as_deref(), &step.key.name);
        // What is left of a namespace is in its status, and the versions of a CRD are in its spec.
        let call = if step.is_crd() || step.key.kind == "Namespace" { call } else { call.metadata_only() };
        let error = match self.work.cluster.call(&call).await {
            Ok(live) if is_same(step, &live) => {
                let instances = if step.is_crd() { Some(going::of_crd(self.work.cluster, &live).await) } else { None };
                let going = plan::going::of(step.object.clone(), &live, false, instances.as_ref());
                let reason = plan::going::cause(&going);
                return Some(Leaving { object: going.object, reason, held: going.held });
            }
            // There is another one in its place.
            Ok(_) => return None,
            Err(error) => error,
        };
        let is_gone = match error.kind {
            ErrorKind::KindNotFound => self.has_no_crd(&step.resource).await.unwrap_or(false),
            _ => error.is_absent(),
        };
        let reason = || format!("it is not known what holds it: {}", error.message);
        (!is_gone).then(|| Leaving { object: step.object.clone(), reason: reason(), held: true })
    }
}
