//! Deleting one object: the one that was seen, as it was seen, or none.

use serde_json::Value;

use super::object::RACES;
use super::{Event, Run};
use crate::cluster::error::{ClusterError, ErrorKind};
use crate::cluster::impacts::listable;
use crate::cluster::request::{ApiRequest, Selection};
use crate::model::resource::Resource;
use crate::plan::steps::{Operation, Step};

/// What came of sending a deletion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sent {
    /// The object is gone.
    Gone,
    /// The server has taken the deletion, and keeps the object: something holds it, or is in it.
    Begun,
    /// It was not taken; the reason is noted.
    Refused,
}

impl Sent {
    /// What an answer of the server says. It answers with the object as long as it keeps it.
    fn of(answer: &Value) -> Self {
        match answer.pointer("/metadata/deletionTimestamp") {
            Some(_) => Self::Begun,
            None => Self::Gone,
        }
    }
}

impl Run<'_> {
    /// Deletes one object; whether it went well.
    pub(super) async fn delete(&self, step: &Step) -> bool {
        if let Some(reason) = self.obstacle(step) {
            self.skip(step, &reason);
            return false;
        }
        // A stage of deletions may take minutes, and what a newer run has confirmed has the version that it had.
        if step.destroys
            && let Some(reason) = self.lost_claim().await
        {
            self.skip(step, reason);
            return false;
        }
        if step.is_crd() && !step.destroys {
            if let Err(reason) = self.has_no_instances(step).await {
                let error = ClusterError::new(ErrorKind::VersionConflict, "");
                self.fail_step(step, &error, reason);
                return false;
            }
        } else if let Err(refusal) = self.count_again(step).await {
            self.refuse(step, refusal);
            return false;
        }
        match self.send_deletion(step, self.how.dry_run).await {
            Sent::Refused => false,
            Sent::Begun if !self.how.dry_run => self.leaves(step),
            Sent::Begun | Sent::Gone => self.deleted(step),
        }
    }

    /// Sends the deletion.
    pub(super) async fn send_deletion(&self, step: &Step, dry_run: bool) -> Sent {
        let Operation::Delete(seen) = &step.operation else { return Sent::Refused };
        let namespace = step.key.namespace.as_deref();
        let (mut version, mut races) = (seen.resource_version.clone(), RACES);
        let error = loop {
            let call = ApiRequest::delete(&step.resource, namespace, &step.key.name, &seen.uid, &version);
            let error = match self.work.cluster.call(&call.dry_run(dry_run)).await {
                Ok(answer) => return Sent::of(&answer),
                Err(error) => error,
            };
            if error.kind != ErrorKind::VersionConflict || races == 0 {
                break error;
            }
            match self.same_in_another_version(step, seen).await {
                Some(now) => version = now,
                None => break error,
            }
            races -= 1;
        };
        let gone = |is_gone: bool| is_gone.then_some(Sent::Gone);
        let sent = match error.kind {
            ErrorKind::NotFound => Ok(Some(Sent::Gone)),
            ErrorKind::KindNotFound => self.has_no_crd(&step.resource).await.map(gone),
            ErrorKind::VersionConflict => self.is_going(step, &seen.uid).await,
            _ => Err(error.clone()),
        };
        let (error, reason) = match sent {
            Ok(Some(sent)) => return sent,
            Ok(None) if error.kind == ErrorKind::KindNotFound => {
                (error, "its kind is not served, so it may still exist; plan again".to_owned())
            }
            Ok(None) => (error, "it has changed since it was looked at, so it stays; plan again".to_owned()),
            Err(error) => {
                let message = error.message.to_string();
                (error, message)
            }
        };
        self.fail_step(step, &error, reason);
        Sent::Refused
    }

    /// Whether the CRD of a kind does not exist: then no object of the kind does. That a kind is not served at the
    /// moment says nothing of the objects that are stored.
    pub(super) async fn has_no_crd(&self, resource: &Resource) -> Result<bool, ClusterError> {
        let crd = ApiRequest::object(Resource::crds(), None, &resource.full_name()).metadata_only();
        match self.work.cluster.call(&crd).await {
            Err(error) if error.kind == ErrorKind::NotFound => Ok(true),
            answer => answer.map(|_| false),
        }
    }

    /// Whether a CRD that was planned to take no instance with it has none: somebody may have made one since.
    async fn has_no_instances(&self, step: &Step) -> Result<(), String> {
        let unknown = |error: ClusterError| format!("it is not known whether it has instances now: {}", error.message);
        let crd = match self.work.cluster.call(&ApiRequest::object(&step.resource, None, &step.key.name)).await {
            Err(error) if error.kind == ErrorKind::NotFound => return Ok(()),
            crd => crd.map_err(unknown)?,
        };
        let Some(resource) = listable(&crd) else {
            return Err("it is not known whether it has instances now: none of its versions is served".to_owned());
        };
        match self.work.cluster.first(&Selection::all(&resource).metadata_only()).await {
            // Also if the kind is not served: what is stored of it may be served again.
            Err(error) => Err(unknown(error)),
            Ok((None, _)) => Ok(()),
            Ok((Some(_), _)) => {
                Err("it has instances now, and had none when it was planned, so it stays; plan again".to_owned())
            }
        }
    }

    pub(super) fn deleted(&self, step: &Step) -> bool {
        {
            let mut state = self.state();
            state.told.insert(step.key.clone());
            state.outcome.deleted.push(step.object.clone());
        }
        self.tell(Event::Deleted(step.object.clone()));
        true
    }

    /// Whether the object of this UID is gone or going, `None` if it is neither: a deletion whose answer was lost is sent
    /// again, and finds an object with finalizers in another version.
    async fn is_going(&self, step: &Step, uid: &str) -> Result<Option<Sent>, ClusterError> {
        let gone = |is_gone: bool| is_gone.then_some(Sent::Gone);
        let call = ApiRequest::object(&step.resource, step.key.namespace.as_deref(), &step.key.name).metadata_only();
        match self.work.cluster.call(&call).await {
            Ok(object) => {
                let is_it = object.pointer("/metadata/uid").and_then(Value::as_str) == Some(uid);
                Ok(Some(Sent::Begun).filter(|sent| is_it && Sent::of(&object) == *sent))
            }
            Err(error) if error.kind == ErrorKind::KindNotFound => self.has_no_crd(&step.resource).await.map(gone),
            Err(error) if error.is_absent() => Ok(Some(Sent::Gone)),
            Err(error) => Err(error),
        }
    }
}
