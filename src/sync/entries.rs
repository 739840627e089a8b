//! The condition `Synced` of a CatalogEntry: whether sync can follow the instances of the service, and if not, why. A
//! service that was always followed has none, so that nothing is written for it.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::catalog::{Entry, EntryKey, Unfit};
use super::lease::permits::Permits;
use super::link::status::{Verdict, object};
use super::link::write;
use super::news::News;
use super::truth::Truth;
use crate::cluster::Cluster;
use crate::compile::route::RouteError;
use crate::model::cluster::ClusterId;
use crate::model::resource::Resource;

/// The type of the condition.
const SYNCED: &str = "Synced";
/// The pause after a status that could not be written.
const AFTER_FAILURE: Duration = Duration::from_secs(5);

/// What the condition is to say; `None` where there need be none.
#[must_use]
pub(crate) fn wanted(problem: Option<&Unfit>, is_followed: bool, entry: &Entry) -> Option<Verdict> {
    let says = |status, reason, message: String| Some(Verdict::new(SYNCED, status, reason, message));
    if entry.paused {
        return says(Truth::Unknown, "Paused", "the CatalogEntry is paused".to_owned());
    }
    match problem {
        // It is on its way, to or from here; and whoever deletes the entry deletes it as it was.
        Some(Unfit::Route(RouteError::NoInternalCrd { .. } | RouteError::NoDerivedCrd { .. })) => None,
        Some(problem) => says(Truth::False, "RenderAgain", problem.to_string()),
        None if is_followed && has_condition(&entry.status) => {
            says(Truth::True, "InStep", "the instances of the service are followed".to_owned())
        }
        None => None,
    }
}

fn has_condition(status: &Value) -> bool {
    let conditions = status.get("conditions").and_then(Value::as_array);
    conditions.into_iter().flatten().any(|condition| condition.get("type").is_some_and(|type_| type_ == SYNCED))
}

/// The object to apply to the subresource `status`; `None` where nothing but a time would change.
#[must_use]
fn patch(key: &EntryKey, entry: &Entry, wanted: &Verdict, now: &str) -> Option<Value> {
    let kind = Resource::rendered_kind("CatalogEntry")?;
    let live = json!({
        "apiVersion": kind.api_version(), "kind": kind.kind, "status": entry.status,
        "metadata": {"namespace": key.0, "name": key.1, "uid": entry.uid},
    });
    let (condition, differs) = wanted.stored(&live, now);
    differs.then(|| object(&live, json!({"conditions": [condition]}), false))
}

/// Writes the conditions.
pub(crate) struct Entries {
    management: Cluster,
    /// Absent where nothing is written.
    permits: Option<Permits>,
    /// Those whose write is under way, or was refused a moment ago.
    busy: BTreeSet<EntryKey>,
}

impl Entries {
    /// Writes to this management cluster, as far as there are permits.
    pub(crate) fn new(management: Cluster, permits: Option<Permits>) -> Self {
        Self { management, permits, busy: BTreeSet::new() }
    }

    /// Brings the condition of one entry into line. `news` is told when the write has ended.
    pub(crate) fn say(
        &mut self,
        (key, entry): (&EntryKey, &Entry),
        cluster: &ClusterId,
        (problem, is_followed): (Option<&Unfit>, bool),
        news: &mpsc::Sender<News>,
    ) {
        let Some(permits) = self.permits.as_ref().filter(|permits| permits.may_write(cluster)) else { return };
        let Some(kind) = Resource::rendered_kind("CatalogEntry").filter(|_| !self.busy.contains(key)) else { return };
        let body = wanted(problem, is_followed, entry).and_then(|wanted| patch(key, entry, &wanted, &write::now()));
        let Some(body) = body else { return };
        self.busy.insert(key.clone());
        let (management, permits, key) = (self.management.clone(), permits.clone(), key.clone());
        let (cluster, news) = (cluster.clone(), news.clone());
        tokio::spawn(async move {
            let written = permits.within(&cluster, write::status(&management, kind, &body)).await;
            let status = match written {
                Ok(Ok(live)) => live.get("status").cloned(),
                Ok(Err(error)) => {
                    tracing::debug!(provider = %key.0, entry = %key.1, kind = ?error.kind, "status not written");
                    tokio::time::sleep(AFTER_FAILURE).await;
                    None
                }
                Err(_) => None,
            };
            let _ = news.send(News::Entry(key, status)).await;
        });
    }

    /// A write has ended.
    pub(crate) fn ended(&mut self, key: &EntryKey) {
        self.busy.remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(annotations: &Value, status: &Value) -> Entry {
        Entry::of(&json!({"metadata": {"uid": "u", "annotations": annotations}, "spec": {}, "status": status}))
    }

    fn key() -> EntryKey {
        ("team-a".to_owned(), "redis.eu-west-1".to_owned())
    }

    #[test]
    fn an_installation_that_was_rendered_before_says_so_once() {
        let problem = Unfit::Route(RouteError::RenderedBefore { crd: "a.b".into(), annotation: "base-crd" });
        let before = entry(&json!({}), &json!({"conditions": [{"type": "Ready", "status": "True"}]}));
        let verdict = wanted(Some(&problem), false, &before).expect("a condition");
        assert_eq!((verdict.status, verdict.reason), (Truth::False, "RenderAgain"));
        assert!(verdict.message.ends_with("render and apply again"), "{}", verdict.message);
        let body = patch(&key(), &before, &verdict, "then").expect("it is written");
        assert_eq!(body["status"]["conditions"].as_array().map(Vec::len), Some(1), "no condition of others");
        let after = entry(&json!({}), &body["status"]);
        assert_eq!(patch(&key(), &after, &verdict, "later"), None);
        // What is followed again says so.
        assert_eq!(wanted(None, true, &after).map(|verdict| verdict.status), Some(Truth::True));
        assert_eq!(wanted(None, false, &after), None, "after a restart nothing is known at first");
        assert_eq!(wanted(None, true, &before), None);
    }

    #[test]
    fn a_crd_that_is_not_there_is_no_news_for_the_entry() {
        let problem = Unfit::Route(RouteError::NoDerivedCrd { crd: "a.b".into() });
        assert_eq!(wanted(Some(&problem), false, &entry(&json!({}), &json!({}))), None);
    }

    #[test]
    fn a_pause_is_said() {
        let paused = entry(&json!({"carrier.kubecarrier.io/paused": "true"}), &json!({}));
        assert_eq!(wanted(None, true, &paused).map(|verdict| verdict.reason), Some("Paused"));
    }
}
