//! Moving the entries of another manager in the managed fields to carrier, before the object is applied.
//!
//! One JSON patch, which tests that the object is the one that the plan was made for, moves the entries, and removes what
//! of it the repository does not set. If the run is killed after it, the next one applies the object.

use serde_json::{Value, json};

use super::Run;
use super::object::{RACES, Unapplied};
use super::tested::Tested;
use crate::cluster::error::{ClusterError, ErrorKind};
use crate::cluster::request::{ApiRequest, JsonPatch};
use crate::plan::compare::content;
use crate::plan::live::LiveObject;
use crate::plan::steps::{Operation, Step};
use crate::plan::take_over::{moved, removals, without_empty};
use crate::plan::types::LiveVersion;

impl Run<'_> {
    /// Moves the entries; the version of the object afterwards.
    pub(super) async fn take_over(&self, step: &Step) -> Result<LiveVersion, Unapplied> {
        let namespace = step.key.namespace.as_deref();
        let get = ApiRequest::object(&step.resource, namespace, &step.key.name);
        let Operation::Apply { body: wanted, .. } = &step.operation else {
            return Err(Unapplied::Refused(ClusterError::new(ErrorKind::InvalidRequest, "it is not applied")));
        };
        let (mut races, mut tested) = (RACES, Tested::default());
        // What the object says after the patch: if the answer is lost, it is found so.
        let mut expected: Option<String> = None;
        loop {
            let body = self.work.cluster.call(&get).await.map_err(Unapplied::Refused)?;
            let live = LiveObject { body };
            let is_done = expected.as_ref().is_some_and(|expected| *expected == content(&live.body));
            let has_changed = || Unapplied::Refused(ClusterError::new(ErrorKind::VersionConflict, ""));
            let is_it = |seen: &&LiveVersion| seen.is_still(&live) || is_done && seen.uid == live.uid();
            step.seen.as_ref().filter(is_it).ok_or_else(has_changed)?;
            tested.look(live.resource_version()).map_err(Unapplied::Refused)?;
            let Some(entries) = moved(&live.body, &step.takes_over) else {
                return LiveVersion::of(&live).ok_or_else(has_changed);
            };
            let mut after = live.body.clone();
            let removed = removals(&mut after, wanted, &live, &step.takes_over);
            expected = Some(content(&without_empty(after)));
            let patch = patch(&live, entries, removed);
            match self
                .work
                .cluster
                .call(&ApiRequest::json_patch(&step.resource, namespace, &step.key.name, &patch))
                .await
            {
                Ok(answer) => return LiveVersion::of(&LiveObject { body: answer }).ok_or_else(has_changed),
                // Somebody has written it between the look and the patch, or the answer was lost.
                Err(error) if races > 0 => {
                    tested.refuse(live.resource_version(), error).map_err(Unapplied::Refused)?;
                    races -= 1;
                }
                Err(error) => return Err(Unapplied::Refused(error)),
            }
        }
    }
}

fn patch(live: &LiveObject, entries: Vec<Value>, removed: Vec<String>) -> Vec<JsonPatch> {
    let test = |path: &str, value: &str| JsonPatch::Test { path: path.to_owned(), value: json!(value) };
    let moving = JsonPatch::Replace { path: "/metadata/managedFields".to_owned(), value: Value::Array(entries) };
    [test("/metadata/uid", live.uid()), test("/metadata/resourceVersion", live.resource_version()), moving]
        .into_iter()
        .chain(removed.into_iter().map(|path| JsonPatch::Remove { path }))
        .collect()
}
