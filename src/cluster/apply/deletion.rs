//! Deleting one object: the one that was seen, as it was seen, or none.

use serde_json::Value;

use super::object::RACES;
use super::{Event, Run};
use crate::cluster::error::{ClusterError, ErrorKind};
use crate::cluster::impacts::listable;
use crate::cluster::request::{ApiRequest, Selection};
use crate::model::resource::Resource;
use crate::plan::steps::{Operation, Step};

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
        self.send_deletion(step, self.how.dry_run).await && self.deleted(step)
    }

    /// Sends the deletion; whether the object is gone, or going.
    pub(super) async fn send_deletion(&self, step: &Step, dry_run: bool) -> bool {
        let Operation::Delete(seen) = &step.operation else { return false };
        let namespace = step.key.namespace.as_deref();
        let (mut version, mut races) = (seen.resource_version.clone(), RACES);
        let error = loop {
            let call = ApiRequest::delete(&step.resource, namespace, &step.key.name, &seen.uid, &version);
            let Err(error) = self.work.cluster.call(&call.dry_run(dry_run)).await else { return true };
            if error.kind != ErrorKind::VersionConflict || races == 0 {
                break error;
            }
            match self.same_in_another_version(step).await {
                Some(now) => version = now,
                None => break error,
            }
            races -= 1;
        };
        let is_gone = match error.kind {
            ErrorKind::NotFound => Ok(true),
            ErrorKind::KindNotFound => self.has_no_crd(&step.resource).await,
            ErrorKind::VersionConflict => self.is_going(step, &seen.uid).await,
            _ => Err(error.clone()),
        };
        let (error, reason) = match is_gone {
            Ok(true) => return true,
            Ok(false) if error.kind == ErrorKind::KindNotFound => {
                (error, "its kind is not served, so it may still exist; plan again".to_owned())
            }
            Ok(false) => (error, "it has changed since it was looked at, so it stays; plan again".to_owned()),
            Err(error) => {
                let message = error.message.to_string();
                (error, message)
            }
        };
        self.fail_step(step, &error, reason);
        false
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

    /// Whether the object of this UID is gone or going: a deletion whose answer was lost is sent
    /// again, and finds an object with finalizers in another version.
    async fn is_going(&self, step: &Step, uid: &str) -> Result<bool, ClusterError> {
        let call = ApiRequest::object(&step.resource, step.key.namespace.as_deref(), &step.key.name).metadata_only();
        match self.work.cluster.call(&call).await {
            Ok(object) => {
                let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str);
                Ok(text("/metadata/uid") == Some(uid) && text("/metadata/deletionTimestamp").is_some())
            }
            Err(error) if error.kind == ErrorKind::KindNotFound => self.has_no_crd(&step.resource).await,
            Err(error) if error.is_absent() => Ok(true),
            Err(error) => Err(error),
        }
    }
}
