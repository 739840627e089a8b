//! Applying one object: until the server has it, or will not take it.

use std::borrow::Cow;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::{Event, INTERRUPTED, Run};
use crate::cluster::error::{self, ClusterError, ErrorKind, discreet};
use crate::cluster::request::{ApiRequest, Selection};
use crate::cluster::wait::{self, Verdict, Wait};
use crate::model::keys::SYSTEM_NAMESPACE;
use crate::model::resource::Resource;
use crate::plan::adoption::{ADOPT, is_marked};
use crate::plan::compare::{Comparison, compare};
use crate::plan::inventory::is_shared;
use crate::plan::live::LiveObject;
use crate::plan::steps::{Operation, Step, prerequisites};
use crate::plan::types::LiveVersion;
use crate::plan::words::flag_name;

/// How long a server that has established a CRD may take to serve it.
pub(super) const SERVED_WITHIN: Duration = Duration::from_secs(30);
/// How long a server may go by the old schema of a CRD after it took the new one.
const SCHEMA_WITHIN: Duration = Duration::from_secs(5);
/// How often an apply is repeated that lost a race with another writer.
pub(super) const RACES: usize = 5;
/// The pause before the second try; it doubles.
const PAUSE: Duration = Duration::from_millis(50);
/// The longest pause.
const MAX_PAUSE: Duration = Duration::from_secs(1);

/// The object, to be applied only to what was seen: a plan is for that, and for nothing that came since.
pub(super) fn held_to(body: &Value, uid: &str, version: &str) -> Value {
    let mut body = body.clone();
    body["metadata"]["uid"] = json!(uid);
    body["metadata"]["resourceVersion"] = json!(version);
    body
}

/// The object, to be created only: where it exists, the server refuses it (409), since no object has this version.
pub(super) fn held_to_absent(body: &Value) -> Value {
    let mut body = body.clone();
    body["metadata"]["resourceVersion"] = json!("1");
    body
}

/// Whether the object was written or made meanwhile, and no field is somebody else's.
pub(super) fn is_race(error: &ClusterError) -> bool {
    matches!(error.kind, ErrorKind::VersionConflict | ErrorKind::AlreadyExists)
}

/// Whether all repositories share the object.
fn is_of_all(step: &Step) -> bool {
    matches!(&step.operation, Operation::Apply { body, .. } if is_shared(body))
}

/// Why an object was not applied.
pub(super) enum Unapplied {
    /// The server says no.
    Refused(ClusterError),
    /// What it needs is not there.
    Needs(String),
}

/// An object that was to be created and exists.
enum Appeared {
    /// As it is wanted: by the try before, whose answer was lost.
    Done(Value),
    /// With a mark of carrier's, so that it may be applied to this version.
    Ours(LiveVersion),
    /// It is gone again.
    Gone,
    /// It must not be touched, and why.
    Not(String),
}

impl Run<'_> {
    /// Applies one object; whether it went well.
    pub(super) async fn one(&self, step: &Step) -> bool {
        if let Some(reason) = self.obstacle(step) {
            self.skip(step, &reason);
            return false;
        }
        if let Some(key) = self.untried_need(step) {
            self.leave_untried(step, format!("it cannot be tried before the {key} is there"));
            return false;
        }
        let Operation::Apply { body, force } = &step.operation else { return false };
        if self.state().made_namespace && step.key.kind == "Namespace" && step.key.name == SYSTEM_NAMESPACE {
            return self.applied(step, None);
        }
        let (mut seen, mut races) = (step.seen.clone(), RACES);
        if !step.takes_over.is_empty() && !self.how.dry_run {
            match self.take_over(step).await {
                Ok(version) => seen = Some(version),
                Err(refused) => return self.unapplied(step, refused),
            }
        }
        // What all repositories share may be made by several of them at once.
        let is_own = !is_of_all(step);
        loop {
            let body = match &seen {
                Some(seen) => Cow::Owned(held_to(body, &seen.uid, &seen.resource_version)),
                None if is_own => Cow::Owned(held_to_absent(body)),
                None => Cow::Borrowed(&**body),
            };
            let call = ApiRequest::apply(&step.resource, step.key.namespace.as_deref(), &step.key.name, &body);
            // What is taken over would conflict in a dry run, which moves nothing.
            let force = *force || self.how.dry_run && !step.takes_over.is_empty();
            let call = call.dry_run(self.how.dry_run).force(force);
            let refused = match self.send(step, &call).await {
                Ok(answer) => return self.applied(step, Some(&answer)),
                Err(refused) => refused,
            };
            if let (Unapplied::Refused(error), None, true) = (&refused, &seen, is_own)
                && (is_race(error) || error.kind == ErrorKind::FieldConflict)
            {
                match self.appeared(step).await {
                    Appeared::Done(answer) => return self.applied(step, Some(&answer)),
                    Appeared::Not(reason) => {
                        let error = ClusterError::new(ErrorKind::VersionConflict, "");
                        self.fail_step(step, &error, reason);
                        return false;
                    }
                    Appeared::Ours(version) if races > 0 => seen = Some(version),
                    Appeared::Gone if races > 0 => {}
                    Appeared::Ours(_) | Appeared::Gone => return self.unapplied(step, refused),
                }
                races -= 1;
                continue;
            }
            if let (Unapplied::Refused(error), Some(seen)) = (&refused, &mut seen)
                && is_race(error)
            {
                // It was applied by the try before, whose answer was lost.
                if let Some(answer) = self.is_done(step).await {
                    return self.applied(step, Some(&answer));
                }
                if races > 0
                    && let Some(version) = self.same_in_another_version(step, seen).await
                {
                    races -= 1;
                    seen.resource_version = version;
                    continue;
                }
            }
            return self.unapplied(step, refused);
        }
    }

    /// Looks at an object that was to be created and exists: the plan is for one that is not there, and what appeared since
    /// is not adopted in silence.
    async fn appeared(&self, step: &Step) -> Appeared {
        let Operation::Apply { body, .. } = &step.operation else { return Appeared::Gone };
        let call = ApiRequest::object(&step.resource, step.key.namespace.as_deref(), &step.key.name);
        let live = match self.work.cluster.call(&call).await {
            Ok(body) => LiveObject { body },
            Err(error) if error.is_absent() => return Appeared::Gone,
            Err(error) => return Appeared::Not(discreet(&error.message)),
        };
        if compare(body, Some(&live)) == Comparison::Same {
            return Appeared::Done(live.body);
        }
        if live.managers().any(|manager| manager.is_carrier()) {
            return Appeared::Not(
                "another run of carrier created it after the plan was made; nothing was written; plan again".to_owned(),
            );
        }
        match LiveVersion::of(&live).filter(|_| is_marked(&self.work.inventory, &live, body)) {
            Some(version) => Appeared::Ours(version),
            None => Appeared::Not(format!(
                "it was not there when the plan was made, and what is there now is not carrier's, so nothing of it was written; plan again, `{ADOPT} {}` takes it over",
                flag_name(&step.object)
            )),
        }
    }

    /// Takes note of an object that was not applied.
    fn unapplied(&self, step: &Step, why: Unapplied) -> bool {
        match why {
            Unapplied::Needs(reason) => self.skip(step, &reason),
            // A server that still has the old CRD cannot say what the new one would take: what it refuses may be wrong.
            Unapplied::Refused(error) if self.how.dry_run && self.is_of_changed_crd(step, &error) => {
                match error.is_absent() {
                    true => self.leave_untried(step, "it cannot be tried before its CRD is changed".to_owned()),
                    false => {
                        let words = error::refusal(&error.message);
                        self.skip(
                            step,
                            &format!("its CRD changes, and before that the API server refuses it: {words}"),
                        );
                    }
                }
            }
            Unapplied::Refused(error) if step.seen.is_some() && is_race(&error) => {
                let reason = "it has changed since it was looked at, so nothing of it was written; plan again";
                self.fail_step(step, &error, reason.to_owned());
            }
            Unapplied::Refused(error) => {
                let reason = match error.conflicts().is_empty() {
                    // The request may have been carried out.
                    true if error.kind == ErrorKind::Slow && !self.how.dry_run => {
                        format!("{}; it may have been written all the same", error.message)
                    }
                    true => error::refusal(&error.message),
                    false => "other managers own fields of it".to_owned(),
                };
                self.fail_step(step, &error, reason);
            }
        }
        false
    }

    /// The version of the object of a step, if only its status or what the server writes has changed since it was looked
    /// at: `carrier sync` writes statuses while this goes on.
    pub(super) async fn same_in_another_version(&self, step: &Step, seen: &LiveVersion) -> Option<String> {
        let call = ApiRequest::object(&step.resource, step.key.namespace.as_deref(), &step.key.name);
        let live = LiveObject { body: self.work.cluster.call(&call).await.ok()? };
        seen.is_still(&live).then(|| live.resource_version().to_owned())
    }

    /// The object, if it is as it is wanted.
    async fn is_done(&self, step: &Step) -> Option<Value> {
        let Operation::Apply { body, .. } = &step.operation else { return None };
        let call = ApiRequest::object(&step.resource, step.key.namespace.as_deref(), &step.key.name);
        let live = LiveObject { body: self.work.cluster.call(&call).await.ok()? };
        (compare(body, Some(&live)) == Comparison::Same).then_some(live.body)
    }

    /// Takes note of an object that the server has taken.
    fn applied(&self, step: &Step, answer: Option<&Value>) -> bool {
        let text = |pointer: &str| answer.and_then(|a| a.pointer(pointer)).and_then(Value::as_str);
        if text("/metadata/deletionTimestamp").is_some() && !self.how.dry_run {
            let error = ClusterError::new(ErrorKind::VersionConflict, "");
            let reason = "it is being deleted; apply again when it is gone".to_owned();
            self.fail_step(step, &error, reason);
            return false;
        }
        let same = step.seen.is_some()
            && text("/metadata/resourceVersion") == step.seen.as_ref().map(|seen| seen.resource_version.as_str());
        match same && !self.how.dry_run {
            _ if !self.state().told.insert(step.key.clone()) => {}
            true => {
                self.state().outcome.unchanged.push(step.object.clone());
                self.tell(Event::Unchanged(step.object.clone()));
            }
            false => {
                self.state().outcome.applied.push(step.object.clone());
                self.tell(Event::Applied(step.object.clone()));
            }
        }
        if step.is_crd()
            && !self.how.dry_run
            && let Some(crd) = answer
        {
            self.state().changed.insert(step.key.name.clone(), Instant::now());
            match wait::verdict(crd) {
                Some(Verdict::Ready) => {}
                Some(Verdict::NotReady(reason)) => self.not_ready(&step.key.name, reason),
                None => drop(self.state().pending.insert(step.key.name.clone())),
            }
        }
        true
    }

    /// What a dry run of the object would need, and is only made by the run itself.
    fn untried_need(&self, step: &Step) -> Option<String> {
        if !self.how.dry_run {
            return None;
        }
        let needed = prerequisites(&step.key, &self.work.served_by);
        needed.iter().find(|key| self.made.contains(key)).map(ToString::to_string)
    }

    fn crd_of(&self, step: &Step) -> Option<&String> {
        self.work.served_by.get(&(step.key.group.clone(), step.key.kind.clone()))
    }

    fn is_of_changed_crd(&self, step: &Step, error: &ClusterError) -> bool {
        let crd = self.crd_of(step);
        let changes = |s: &&Step| s.is_crd() && !s.is_deletion() && Some(&s.key.name) == crd;
        (error.kind == ErrorKind::Invalid || error.is_absent()) && self.work.steps.iter().any(|s| changes(&s))
    }

    /// Sends an apply, again where the server is only not there yet.
    async fn send(&self, step: &Step, call: &ApiRequest) -> Result<Value, Unapplied> {
        let (mut pause, mut races) = (PAUSE, RACES);
        let mut served_by = None;
        loop {
            let error = match self.work.cluster.call(call).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            let crd = self.crd_of(step).filter(|_| !self.how.dry_run);
            let again = match (error.kind, crd) {
                (ErrorKind::KindNotFound, Some(crd)) => {
                    let until = match served_by {
                        Some(until) => until,
                        None => {
                            self.gate(crd).await.map_err(Unapplied::Needs)?;
                            *served_by.insert(Instant::now() + SERVED_WITHIN.min(self.how.timeout))
                        }
                    };
                    Instant::now() < until
                }
                (ErrorKind::Invalid, Some(crd)) => {
                    self.state().changed.get(crd).is_some_and(|at| at.elapsed() < SCHEMA_WITHIN)
                }
                _ if is_race(&error) && step.seen.is_none() && is_of_all(step) && races > 0 => {
                    races -= 1;
                    true
                }
                _ => false,
            };
            if !again {
                return Err(Unapplied::Refused(error));
            }
            if self.unless_stopped(tokio::time::sleep(pause)).await.is_none() {
                return Err(Unapplied::Needs(INTERRUPTED.to_owned()));
            }
            pause = (pause * 2).min(MAX_PAUSE);
        }
    }

    /// Waits, once for all that need it, for a CRD that an earlier run applied.
    async fn gate(&self, crd: &str) -> Result<(), String> {
        let gate = self.state().gates.entry(crd.to_owned()).or_default().clone();
        let waiting = gate.get_or_init(async || {
            let selection = Selection::named(Resource::crds(), crd);
            let until = Instant::now() + self.how.timeout;
            let names = [crd.to_owned()].into();
            let wait = Wait { selection, names, since: None, until };
            let verdicts = wait::established(self.work.cluster, wait).await;
            let verdict = verdicts.into_values().next().unwrap_or(Verdict::Ready);
            if let Verdict::NotReady(reason) = &verdict {
                self.not_ready(crd, reason.clone());
            }
            verdict
        });
        match self.unless_stopped(waiting).await {
            None => Err(INTERRUPTED.to_owned()),
            Some(Verdict::Ready) => Ok(()),
            Some(Verdict::NotReady(reason)) => Err(format!("it needs the CustomResourceDefinition {crd}: {reason}")),
        }
    }
}
