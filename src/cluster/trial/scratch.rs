//! The CRD that a schema is tried in: made, waited for, deleted.
//!
//! It is deleted however the trial ends. What even that does not reach, because the
//! process was killed, is found by its label and deleted by a later run.

use std::hash::{BuildHasher as _, RandomState};
use std::time::Duration;

use k8s_openapi::jiff::Timestamp;
use serde_json::{Map, Value, json};
use tokio::time::{Instant, timeout_at};

use crate::cluster::client::Cluster;
use crate::cluster::error::{ClusterError, ErrorKind};
use crate::cluster::request::{ApiRequest, FieldValidation, Selection};
use crate::cluster::runtime::afterwards;
use crate::cluster::wait::{Verdict, Wait, established};
use crate::cluster::watch::{WatchEvent, WatchOptions, Watcher};
use crate::model::crd::versions;
use crate::model::resource::Resource;
use crate::plan::permissions::needs::TRIALS;

/// Label of a CRD that is there for a trial. Its value is the run's.
pub const LABEL: &str = "kubecarrier.io/trial";
/// How long a CRD may take to be served.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long an established CRD may take at least.
const MOMENT: Duration = Duration::from_secs(5);
/// How often a CRD is looked for that was asked for without an answer.
const LOOKS: usize = 5;
/// The pause between two such looks.
const LOOK_AGAIN: Duration = Duration::from_millis(400);

/// A CRD for a trial, and the kind it defines. It is deleted when this goes.
#[derive(Debug)]
pub(crate) struct Scratch {
    /// The kind to create instances of.
    pub resource: Resource,
    /// Whether the kind has its status apart, so that creating an instance does not set it.
    pub has_status: bool,
    cluster: Cluster,
    name: String,
    uid: Option<String>,
    removed: bool,
}

impl Scratch {
    /// Makes a CRD with the schema that `crd` has for `version`, and waits until it is served.
    pub(crate) async fn create(cluster: &Cluster, crd: &Value, version: &str) -> Result<Self, ClusterError> {
        let run = format!("{:016x}", RandomState::new().hash_one(version));
        let run = run.get(..10).unwrap_or(&run);
        let broken = || ClusterError::new(ErrorKind::BadAnswer, "it is no CRD");
        let body = definition(crd, version, run).ok_or_else(broken)?;
        let resource = Resource::defined_by(&body).ok_or_else(broken)?;
        let mut scratch = Self {
            has_status: body.pointer("/spec/versions/0/subresources/status").is_some(),
            cluster: cluster.clone(),
            name: resource.full_name(),
            resource,
            uid: None,
            removed: false,
        };
        // From here on there may be something to delete, even if no answer comes.
        let crds = Resource::crds();
        let made = match cluster.call(&ApiRequest::create(crds, None, &body).validation(FieldValidation::Strict)).await
        {
            // The name is random: it was made by the try before, whose answer was lost.
            Err(error) if error.kind == ErrorKind::AlreadyExists => {
                cluster.call(&ApiRequest::object(crds, None, &scratch.name).metadata_only()).await
            }
            Err(error) if matches!(error.kind, ErrorKind::Forbidden | ErrorKind::Invalid) => {
                scratch.removed = true;
                Err(error)
            }
            answer => answer,
        }?;
        let text = |pointer: &str| made.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        scratch.uid = text("/metadata/uid");
        scratch.served(text("/metadata/resourceVersion")).await?;
        Ok(scratch)
    }

    /// Waits until instances can be created. `since` is a resource version of the CRD.
    async fn served(&self, since: Option<String>) -> Result<(), ClusterError> {
        let until = Instant::now() + PATIENCE;
        let selection = Selection::named(Resource::crds(), &self.name);
        let wait = Wait { selection, names: [self.name.clone()].into(), since, until };
        if let Some(Verdict::NotReady(reason)) = established(&self.cluster, wait).await.into_values().next() {
            return Err(ClusterError::new(ErrorKind::Server, format!("the trial's CRD: {reason}")));
        }
        // A server that has established a CRD may take a moment to serve it, also where the wait for that took all the time.
        let until = until.max(Instant::now() + MOMENT);
        let instances = Selection::all(&self.resource).metadata_only();
        let options = WatchOptions { await_kind: true, ..WatchOptions::default() };
        let mut watcher = Watcher::new(&self.cluster, instances, &options);
        let mut last = None;
        loop {
            match timeout_at(until, watcher.next()).await {
                Ok(Some(WatchEvent::Listed { .. })) => return Ok(()),
                // Who may not list may still create.
                Ok(Some(WatchEvent::Lost(error))) if error.kind == ErrorKind::Forbidden => return Ok(()),
                Ok(Some(WatchEvent::Lost(error))) => last = Some(error),
                Ok(Some(_)) => {}
                Ok(None) | Err(_) => break,
            }
        }
        let message = format!("the server does not serve a new kind after {} s", PATIENCE.as_secs());
        Err(last
            .filter(|error| error.kind != ErrorKind::KindNotFound)
            .unwrap_or_else(|| ClusterError::new(ErrorKind::TimedOut, message)))
    }

    /// An instance as it would be created: its names, and all that its owner wrote.
    pub(crate) fn candidate(&self, instance: &Value, namespace: Option<&str>, name: &str) -> Value {
        let mut body = instance.as_object().cloned().unwrap_or_default();
        if self.has_status {
            body.remove("status");
        }
        let mut metadata = Map::new();
        metadata.insert("name".to_owned(), json!(name));
        if let Some(namespace) = namespace {
            metadata.insert("namespace".to_owned(), json!(namespace));
        }
        body.insert("metadata".to_owned(), Value::Object(metadata));
        body.insert("apiVersion".to_owned(), json!(self.resource.api_version()));
        body.insert("kind".to_owned(), json!(self.resource.kind));
        Value::Object(body)
    }

    /// Deletes it. What fails here is left to a later run.
    pub(crate) async fn remove(mut self) {
        delete(&self.cluster, &self.name, self.uid.as_deref()).await;
        // Only now: if this is dropped while it waits, `drop` tries again.
        self.removed = true;
    }
}

/// For every way out of a trial that is not its end: errors, interruption.
impl Drop for Scratch {
    fn drop(&mut self) {
        if !self.removed {
            let (cluster, name, uid) = (self.cluster.clone(), self.name.clone(), self.uid.take());
            afterwards(async move { delete(&cluster, &name, uid.as_deref()).await });
        }
    }
}

async fn delete(cluster: &Cluster, name: &str, uid: Option<&str>) {
    let crds = Resource::crds();
    let mut uid = uid.map(str::to_owned);
    // It was asked for, and no answer came: the server may make it after the first look. It bears a name that nobody else
    // would choose.
    for look in 0..LOOKS {
        if uid.is_some() {
            break;
        }
        if look > 0 {
            tokio::time::sleep(LOOK_AGAIN).await;
        }
        let found = cluster.call(&ApiRequest::object(crds, None, name).metadata_only()).await.unwrap_or_default();
        uid = found.pointer("/metadata/uid").and_then(Value::as_str).map(str::to_owned);
    }
    if let Some(uid) = uid {
        drop(cluster.call(&ApiRequest::delete_in_any_state(crds, None, name, &uid)).await);
    }
}

/// The trial's CRD: one version of `crd` under another name, without what only people use.
fn definition(crd: &Value, version: &str, run: &str) -> Option<Value> {
    let version = versions(crd).find(|v| v.name() == version)?;
    let mut tried = json!({ "name": version.name(), "served": true, "storage": true });
    tried["schema"] = version.body.get("schema").cloned().unwrap_or_default();
    if let Some(status) = version.subresource("status") {
        tried["subresources"] = json!({ "status": status });
    }
    // Trials that run at once meet in one group, so that a rule of RBAC can name it: their kinds are their own.
    let plural = format!("t{run}");
    let names = json!({ "kind": format!("T{run}"), "plural": plural });
    Some(json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": { "name": format!("{plural}.{TRIALS}"), "labels": { LABEL: run } },
        "spec": { "group": TRIALS, "names": names, "scope": crd.pointer("/spec/scope")?, "versions": [tried] },
    }))
}

/// A CRD that bears the marks of a trial.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Leftover {
    name: String,
    uid: String,
    created: Timestamp,
}

impl Leftover {
    /// The trial's CRD that this is, if it is one.
    #[must_use]
    pub(crate) fn of(crd: &Value) -> Option<Self> {
        let text = |pointer: &str| crd.pointer(pointer).and_then(Value::as_str);
        crd.pointer("/metadata/labels")?.get(LABEL)?;
        let name =
            text("/metadata/name").filter(|name| name.split_once('.').is_some_and(|(_, group)| group == TRIALS))?;
        Some(Self {
            name: name.to_owned(),
            uid: text("/metadata/uid")?.to_owned(),
            created: text("/metadata/creationTimestamp")?.parse().ok()?,
        })
    }

    fn is_older_than(&self, age: Duration) -> bool {
        let passed = Timestamp::now().as_second() - self.created.as_second();
        u64::try_from(passed).is_ok_and(|passed| passed >= age.as_secs())
    }
}

/// Deletes what is left of trials that were killed: a trial that goes on is younger than `age`. What
/// fails is left to a later run.
pub(crate) async fn sweep(cluster: &Cluster, leftovers: &[Leftover], age: Duration) {
    for leftover in leftovers.iter().filter(|l| l.is_older_than(age)) {
        delete(cluster, &leftover.name, Some(&leftover.uid)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trials_crd_has_one_version_and_nothing_that_people_meet() {
        let crd = json!({ "spec": {
            "group": "eu.a", "scope": "Cluster", "conversion": { "strategy": "Webhook" },
            "names": { "kind": "Db", "plural": "dbs", "shortNames": ["d"], "categories": ["all"] },
            "versions": [
                { "name": "v1", "served": false, "storage": false, "schema": {}, "subresources": { "status": {}, "scale": {} } },
                { "name": "v2", "served": true, "storage": true, "schema": {} },
            ],
        } });
        let made = definition(&crd, "v1", "0123456789").expect("it has v1");
        assert_eq!(
            made,
            json!({
                "apiVersion": "apiextensions.k8s.io/v1",
                "kind": "CustomResourceDefinition",
                "metadata": { "name": "t0123456789.trial.kubecarrier.io", "labels": { LABEL: "0123456789" } },
                "spec": {
                    "group": "trial.kubecarrier.io", "scope": "Cluster",
                    "names": { "kind": "T0123456789", "plural": "t0123456789" },
                    "versions": [{ "name": "v1", "served": true, "storage": true, "schema": {}, "subresources": { "status": {} } }],
                },
            })
        );
        assert_eq!(definition(&crd, "v3", "0123456789"), None);
    }

    #[test]
    fn only_what_bears_both_marks_is_a_leftover() {
        let crd = |name: &str, labels: Value| {
            json!({ "metadata": {
                "name": name, "labels": labels, "uid": "u", "creationTimestamp": "2020-01-01T00:00:00Z",
            } })
        };
        let ours = Leftover::of(&crd("t0.trial.kubecarrier.io", json!({ LABEL: "0" }))).expect("a leftover");
        assert!(ours.is_older_than(Duration::from_mins(10)));
        assert_eq!(Leftover::of(&crd("dbs.example.com", json!({ LABEL: "0" }))), None);
        assert_eq!(Leftover::of(&crd("t0.trial.kubecarrier.io", json!({}))), None);
    }
}
