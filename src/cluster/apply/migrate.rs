//! Rewriting the instances of a CRD in its new storage version, so that the old one can go (`plan::storage`).
//!
//! A patch that changes nothing makes an API server store an object anew, in the version that it stores now. It may be
//! repeated as often as one likes.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::stream::{self, StreamExt as _};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::object::SERVED_WITHIN;
use super::tested::Tested;
use super::{BEGUN, Event, Failure, INTERRUPTED, Run, Task, failure};
use crate::cluster::error::{ClusterError, ErrorKind, discreet};
use crate::cluster::request::{ApiRequest, JsonPatch, Selection};
use crate::model::resource::Resource;
use crate::plan::steps::{Operation, Step};
use crate::plan::storage::without;
use crate::plan::types::Migration;

/// The pause between two looks.
const PAUSE: Duration = Duration::from_secs(1);
/// How often the instances are rewritten that did not change: of several servers one may go by the old CRD for a moment.
const PASSES: usize = 5;

/// An instance, by its namespace and name.
type Key = (Option<String>, String);

/// Why instances were not rewritten.
enum Unfinished {
    /// The server says no.
    Refused(ClusterError),
    /// Why else.
    Because(String),
}

impl From<ClusterError> for Unfinished {
    fn from(error: ClusterError) -> Self {
        Self::Refused(error)
    }
}

impl Run<'_> {
    /// Rewrites the instances of the CRDs that were applied.
    pub(super) async fn migrate(&self, steps: &[&Step]) {
        for step in steps {
            let (Some(migration), Operation::Apply { body, .. }) = (&step.migration, &step.operation) else { continue };
            if self.how.dry_run || self.state().missing.contains_key(&step.key) {
                continue;
            }
            let Some(resource) = Resource::defined_by(body) else { continue };
            let done = self.migrate_one(step, &resource, migration).await;
            let (error, reason) = match done {
                Ok(instances) => {
                    let (crd, version) = (step.object.clone(), migration.to.clone());
                    self.tell(Event::Rewritten { crd, version, instances });
                    continue;
                }
                Err(Unfinished::Refused(error)) => {
                    let reason = discreet(&error.message);
                    (error, reason)
                }
                Err(Unfinished::Because(reason)) => (ClusterError::new(ErrorKind::VersionConflict, ""), reason),
            };
            let interrupted = reason == INTERRUPTED;
            self.state().outcome.interrupted |= interrupted;
            let from = migration.from.join(", ");
            let to = &migration.to;
            let reason = format!("instances that are stored in {from} were not all rewritten in {to}: {reason}");
            let failure = failure(step, &error, reason);
            self.fail(Failure { task: Task::Rewrite, ..failure });
        }
    }

    async fn migrate_one(&self, step: &Step, resource: &Resource, migration: &Migration) -> Result<usize, Unfinished> {
        let mut left = self.instances(resource).await?;
        let all = left.len();
        for pass in 0..PASSES {
            if pass > 0 {
                self.pause().await?;
            }
            left = self.rewrite(resource, left).await?;
            if left.is_empty() {
                break;
            }
        }
        // What did not change was stored in the new version before.
        self.forget(&step.key.name, migration).await?;
        Ok(all)
    }

    /// All instances with their versions, as soon as the server serves the kind.
    async fn instances(&self, resource: &Resource) -> Result<BTreeMap<Key, String>, Unfinished> {
        let until = Instant::now() + SERVED_WITHIN.min(self.how.timeout);
        let mut found: Vec<Value> = Vec::new();
        let selection = Selection::all(resource).metadata_only();
        loop {
            match self.work.cluster.list(&selection, &mut found).await {
                Ok(_) => break,
                Err(error) if error.kind == ErrorKind::KindNotFound && Instant::now() < until => self.pause().await?,
                Err(error) => return Err(error.into()),
            }
        }
        let entry = |object: &Value| {
            let text = |key: &str| object.pointer(&format!("/metadata/{key}")).and_then(Value::as_str);
            let key = (text("namespace").map(str::to_owned), text("name")?.to_owned());
            Some((key, text("resourceVersion")?.to_owned()))
        };
        Ok(found.iter().filter_map(entry).collect())
    }

    /// Rewrites instances; those that the server had just so.
    async fn rewrite(
        &self,
        resource: &Resource,
        left: BTreeMap<Key, String>,
    ) -> Result<BTreeMap<Key, String>, Unfinished> {
        let works: Vec<_> = left
            .into_iter()
            .map(|(key, version)| async move {
                if self.stopped() {
                    return Err(Unfinished::Because(INTERRUPTED.to_owned()));
                }
                let call = ApiRequest::json_patch(resource, key.0.as_deref(), &key.1, &[]).metadata_only();
                match self.work.cluster.call(&call).await {
                    Ok(now) => {
                        let is_same =
                            now.pointer("/metadata/resourceVersion").and_then(Value::as_str) == Some(&version);
                        Ok(is_same.then_some((key, version)))
                    }
                    // It is gone, and with it what was stored.
                    Err(error) if error.is_absent() => Ok(None),
                    Err(error) => Err(Unfinished::Refused(error)),
                }
            })
            .collect();
        let done: Vec<_> = stream::iter(works).buffer_unordered(BEGUN).collect().await;
        let mut same = BTreeMap::new();
        for one in done {
            same.extend(one?);
        }
        Ok(same)
    }

    /// Takes the old versions out of `status.storedVersions`.
    async fn forget(&self, crd: &str, migration: &Migration) -> Result<(), Unfinished> {
        let get = ApiRequest::object(Resource::crds(), None, crd);
        let (mut tested, mut races) = (Tested::default(), PASSES - 1);
        loop {
            let live = self.work.cluster.call(&get).await?;
            let stored = without(&live, migration);
            let is_current = crate::model::crd::stored(&live).is_some_and(|version| version.name() == migration.to);
            if !is_current {
                return Err(Unfinished::Because("somebody has changed its storage version meanwhile".to_owned()));
            }
            let version = live.pointer("/metadata/resourceVersion").and_then(Value::as_str).unwrap_or_default();
            tested.look(version)?;
            let patch = [
                JsonPatch::Test { path: "/metadata/resourceVersion".to_owned(), value: json!(version) },
                JsonPatch::Replace { path: "/status/storedVersions".to_owned(), value: json!(stored) },
            ];
            let call = ApiRequest::json_patch(Resource::crds(), None, crd, &patch).subresource("status");
            match self.work.cluster.call(&call).await {
                Ok(_) => return Ok(()),
                // Its status may have been written meanwhile.
                Err(error) if races > 0 => {
                    tested.refuse(version, error)?;
                    self.pause().await?;
                    races -= 1;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    async fn pause(&self) -> Result<(), Unfinished> {
        let paused = self.unless_stopped(tokio::time::sleep(PAUSE)).await;
        paused.ok_or_else(|| Unfinished::Because(INTERRUPTED.to_owned()))
    }
}
