//! Waiting for CRDs to be established, by one watch over all that carrier applied to a cluster.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures::future::join_all;
use serde_json::Value;
use tokio::time::{Instant, timeout_at};

use super::client::Cluster;
use super::error::ErrorKind;
use super::request::Selection;
use super::watch::{WatchEvent, WatchOptions, Watcher};
use crate::model::plain;
use crate::model::resource::Resource;

/// The lifetime of a watch: shorter than usual, because a user waits and a dead connection has to be found.
const LIFETIME: Duration = Duration::from_secs(40);

/// What became of a CRD that was waited for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is established.
    Ready,
    /// It is not, and why.
    NotReady(String),
}

/// Says of a CRD whether the server serves it; `None` while that may still come.
#[must_use]
pub(crate) fn verdict(crd: &Value) -> Option<Verdict> {
    if crd.pointer("/metadata/deletionTimestamp").is_some() {
        return Some(Verdict::NotReady("it is being deleted".to_owned()));
    }
    let condition = |kind: &str| {
        let all = crd.pointer("/status/conditions").and_then(Value::as_array);
        all.into_iter().flatten().find(|c| c.get("type").and_then(Value::as_str) == Some(kind))
    };
    let status = |kind: &str| condition(kind).and_then(|c| c.get("status")).and_then(Value::as_str);
    if status("NamesAccepted") == Some("False") {
        let message = condition("NamesAccepted").and_then(|c| c.get("message")).and_then(Value::as_str);
        let why = message.map_or_else(|| "the server says no more".to_owned(), plain::quoted);
        return Some(Verdict::NotReady(format!("its names are taken: {why}")));
    }
    (status("Established") == Some("True")).then_some(Verdict::Ready)
}

/// Which CRDs are waited for.
#[derive(Debug, Clone)]
pub struct Wait {
    /// CRDs, those that are waited for among them.
    pub selection: Selection,
    /// The names of those that are waited for.
    pub names: BTreeSet<String>,
    /// A resource version from before they were applied; without it the watch begins with a list.
    pub since: Option<String>,
    /// When to give up.
    pub until: Instant,
}

/// Waits until each of the CRDs is established, or cannot be, or it is too late.
pub async fn established(cluster: &Cluster, wait: Wait) -> BTreeMap<String, Verdict> {
    let Wait { selection, mut names, since, until } = wait;
    let options = WatchOptions { from: since, lifetime: LIFETIME, await_kind: false };
    let mut watcher = Watcher::new(cluster, selection, &options);
    let mut found = BTreeMap::new();
    let mut trouble = None;
    let mut reason = None;
    while !names.is_empty() {
        match timeout_at(until, watcher.next()).await {
            Err(_) => break,
            Ok(None) => {
                reason = trouble.take().map(|error| format!("it cannot be waited for: {error}"));
                break;
            }
            Ok(Some(WatchEvent::Lost(error))) => trouble = Some(error),
            Ok(Some(event)) => {
                trouble = None;
                take(&event, &mut names, &mut found);
            }
        }
    }
    // Some proxies hold back what a watch tells until it ends: the last word is that of a request of its own.
    for (name, verdict) in look(cluster, &names).await {
        names.remove(&name);
        found.insert(name, verdict);
    }
    let reason = reason.unwrap_or_else(|| match trouble {
        // An expired version is part of watching, and not an error.
        Some(error) if error.kind != ErrorKind::Expired => {
            format!("it was not established in time (and the watch broke: {error})")
        }
        _ => "it was not established in time".to_owned(),
    });
    found.extend(names.into_iter().map(|name| (name, Verdict::NotReady(reason.clone()))));
    found
}

/// What can be said now of those that the watch said nothing of. By a list of one object each: who waits may watch and
/// list CRDs, and need not be allowed to get them.
async fn look(cluster: &Cluster, names: &BTreeSet<String>) -> Vec<(String, Verdict)> {
    let looks = names.iter().map(|name| async move {
        let (crd, _) = cluster.first(&Selection::named(Resource::crds(), name)).await.ok()?;
        Some((name.clone(), verdict(&crd?)?))
    });
    join_all(looks).await.into_iter().flatten().collect()
}

/// Takes in one event.
fn take(event: &WatchEvent, names: &mut BTreeSet<String>, found: &mut BTreeMap<String, Verdict>) {
    let (object, verdict) = match event {
        WatchEvent::Object(crd) => (crd, verdict(crd)),
        WatchEvent::Deleted(crd) => (crd, Some(Verdict::NotReady("it was deleted".to_owned()))),
        _ => return,
    };
    let name = object.pointer("/metadata/name").and_then(Value::as_str);
    if let Some(name) = name.filter(|name| names.contains(*name))
        && let Some(verdict) = verdict
    {
        names.remove(name);
        found.insert(name.to_owned(), verdict);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn crd(conditions: &[(&str, &str)]) -> Value {
        let conditions: Vec<Value> =
            conditions.iter().map(|(kind, status)| json!({"type": kind, "status": status, "message": "why"})).collect();
        json!({"metadata": {"name": "a", "resourceVersion": "9"}, "status": {"conditions": conditions}})
    }

    #[test]
    fn a_crd_is_ready_refused_or_not_yet() {
        assert_eq!(verdict(&json!({})), None);
        assert_eq!(verdict(&crd(&[("NamesAccepted", "True"), ("Established", "False")])), None);
        assert_eq!(verdict(&crd(&[("NamesAccepted", "True"), ("Established", "True")])), Some(Verdict::Ready));
        let taken = Verdict::NotReady("its names are taken: “why”".to_owned());
        assert_eq!(verdict(&crd(&[("NamesAccepted", "False"), ("Established", "False")])), Some(taken));
    }

    #[test]
    fn events_of_what_is_waited_for_are_taken_in() {
        let mut found = BTreeMap::new();
        let mut names = BTreeSet::from(["a".to_owned(), "b".to_owned()]);
        let mut hear = |event: WatchEvent| {
            take(&event, &mut names, &mut found);
            names.len()
        };
        assert_eq!(hear(WatchEvent::Object(crd(&[]))), 2);
        assert_eq!(hear(WatchEvent::Object(json!({"metadata": {"name": "c"}}))), 2);
        assert_eq!(hear(WatchEvent::Deleted(json!({"metadata": {"name": "b"}}))), 1);
        assert_eq!(hear(WatchEvent::Object(crd(&[("Established", "True")]))), 0);
        assert_eq!(found["a"], Verdict::Ready);
        assert_eq!(found["b"], Verdict::NotReady("it was deleted".to_owned()));
    }
}
