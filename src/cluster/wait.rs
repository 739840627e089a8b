//! Waiting for CRDs to be established, by one watch over all that carrier applied
//! to a cluster. Nothing is polled. A watch that breaks or expires is taken up again.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use http_body_util::BodyExt as _;
use serde_json::Value;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::client::Cluster;
use super::error::{ClusterError, ErrorKind};
use super::rest::{ApiRequest, collection, encoded};
use crate::model::resource::Resource;

/// The server ends a watch after this many seconds, so that a dead connection is found.
const WATCH_SECONDS: u64 = 40;
/// A watch that is silent for longer than it may live is dead.
const PATIENCE: Duration = Duration::from_secs(WATCH_SECONDS + 10);
/// The pause before a broken watch is taken up again; it doubles.
const PAUSE: Duration = Duration::from_millis(100);
/// The longest pause.
const MAX_PAUSE: Duration = Duration::from_secs(5);
/// No event is longer: a CRD has to fit into etcd, and then once more as what was applied.
const MAX_LINE: usize = 32 * 1024 * 1024;

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
pub fn verdict(crd: &Value) -> Option<Verdict> {
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
        return Some(Verdict::NotReady(format!(
            "its names are taken: {}",
            message.unwrap_or("the server says no more")
        )));
    }
    (status("Established") == Some("True")).then_some(Verdict::Ready)
}

/// Which CRDs are waited for.
#[derive(Debug, Clone)]
pub struct Wait<'a> {
    /// What they have in common: a query of the list, `labelSelector=…` or `fieldSelector=…`.
    pub selector: &'a str,
    /// Their names.
    pub names: BTreeSet<String>,
    /// A resource version from before they were applied; without it the watch begins with what is there.
    pub since: Option<String>,
    /// When to give up.
    pub until: Instant,
}

/// The selector of a single object as a query.
#[must_use]
pub fn by_name(name: &str) -> String {
    format!("fieldSelector={}", encoded(&format!("metadata.name={name}")))
}

/// Waits until each of the CRDs is established, or cannot be, or it is too late.
pub async fn established(cluster: &Cluster, wait: Wait<'_>) -> BTreeMap<String, Verdict> {
    let Wait { selector, mut names, mut since, until } = wait;
    let mut found = BTreeMap::new();
    let mut pause = PAUSE;
    let mut last = None;
    while !names.is_empty() && Instant::now() < until {
        let heard = timeout_at(until, watch(cluster, selector, &mut since, &mut names, &mut found)).await;
        match heard {
            // Too late, or the watch came to its orderly end.
            Err(_) => break,
            Ok(Ok(())) => (pause, last) = (PAUSE, None),
            Ok(Err(error)) => {
                match error.kind {
                    ErrorKind::Expired => since = None,
                    ErrorKind::Forbidden | ErrorKind::Unauthorized | ErrorKind::NotFound | ErrorKind::Certificate => {
                        let reason = format!("it cannot be waited for: {error}");
                        found.extend(names.into_iter().map(|name| (name, Verdict::NotReady(reason.clone()))));
                        return found;
                    }
                    _ => {}
                }
                // An expired version is nobody's fault and no trouble.
                last = Some(error).filter(|error| error.kind != ErrorKind::Expired);
                sleep(pause.min(until.saturating_duration_since(Instant::now()))).await;
                pause = (pause * 2).min(MAX_PAUSE);
            }
        }
    }
    let reason = match last {
        Some(error) => format!("it was not established in time (and the watch broke: {error})"),
        None => "it was not established in time".to_owned(),
    };
    found.extend(names.into_iter().map(|name| (name, Verdict::NotReady(reason.clone()))));
    found
}

/// One watch, until all is known, it ends or it breaks. `since` moves along with it.
async fn watch(
    cluster: &Cluster,
    selector: &str,
    since: &mut Option<String>,
    names: &mut BTreeSet<String>,
    found: &mut BTreeMap<String, Verdict>,
) -> Result<(), ClusterError> {
    let mut path = format!(
        "{}?watch=true&allowWatchBookmarks=true&timeoutSeconds={WATCH_SECONDS}&{selector}",
        collection(Resource::crds(), None)
    );
    if let Some(version) = since {
        path.push_str("&resourceVersion=");
        path.push_str(&encoded(version));
    }
    let deadline = cluster.deadline();
    let answer = timeout(deadline, cluster.send(&ApiRequest::get(path))).await;
    let answer = answer.map_err(|_| ClusterError::timed_out(deadline))??;
    let (status, mut body) = (answer.status(), answer.into_body());
    if !status.is_success() {
        let text = timeout(deadline, body.collect()).await.ok().and_then(Result::ok);
        let text = text.map(http_body_util::Collected::to_bytes).unwrap_or_default();
        return Err(ClusterError::of_status(status.as_u16(), &text));
    }
    let broken = || ClusterError::new(ErrorKind::Unreachable, "the watch broke");
    let mut buffer: Vec<u8> = Vec::new();
    let mut searched = 0;
    loop {
        let frame = timeout(PATIENCE, body.frame()).await.map_err(|_| broken())?;
        let Some(frame) = frame else { return Ok(()) };
        let Ok(data) = frame.map_err(|_| broken())?.into_data() else { continue };
        buffer.extend_from_slice(&data);
        while let Some(end) = buffer[searched..].iter().position(|b| *b == b'\n') {
            let rest = buffer.split_off(searched + end + 1);
            let line = std::mem::replace(&mut buffer, rest);
            searched = 0;
            take(&line, since, names, found)?;
            if names.is_empty() {
                return Ok(());
            }
        }
        searched = buffer.len();
        if searched > MAX_LINE {
            return Err(ClusterError::new(ErrorKind::BadAnswer, "an event of the watch does not end"));
        }
    }
}

/// Takes in one event.
fn take(
    line: &[u8],
    since: &mut Option<String>,
    names: &mut BTreeSet<String>,
    found: &mut BTreeMap<String, Verdict>,
) -> Result<(), ClusterError> {
    let event: Value = serde_json::from_slice(line)
        .map_err(|_| ClusterError::new(ErrorKind::BadAnswer, "an event of the watch is no JSON"))?;
    let object = event.get("object").unwrap_or(&Value::Null);
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str);
    let kind = event.get("type").and_then(Value::as_str).unwrap_or_default();
    if kind == "ERROR" {
        let code = object.get("code").and_then(Value::as_u64).and_then(|c| u16::try_from(c).ok()).unwrap_or(500);
        return Err(ClusterError::of_status(code, object.to_string().as_bytes()));
    }
    if let Some(version) = text("/metadata/resourceVersion") {
        *since = Some(version.to_owned());
    }
    let Some(name) = text("/metadata/name").filter(|name| names.contains(*name)) else { return Ok(()) };
    let verdict = match kind {
        "DELETED" => Some(Verdict::NotReady("somebody deleted it".to_owned())),
        "ADDED" | "MODIFIED" => verdict(object),
        _ => None,
    };
    if let Some(verdict) = verdict {
        names.remove(name);
        found.insert(name.to_owned(), verdict);
    }
    Ok(())
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
        let taken = Verdict::NotReady("its names are taken: why".to_owned());
        assert_eq!(verdict(&crd(&[("NamesAccepted", "False"), ("Established", "False")])), Some(taken));
    }

    #[test]
    fn events_move_the_watch_along() {
        let (mut since, mut found) = (None, BTreeMap::new());
        let mut names = BTreeSet::from(["a".to_owned()]);
        let mut hear = |kind: &str, object: &Value| {
            let line = json!({"type": kind, "object": object}).to_string();
            take(line.as_bytes(), &mut since, &mut names, &mut found).map(|()| (since.clone(), names.len()))
        };
        let bookmark = json!({"metadata": {"resourceVersion": "5"}});
        assert_eq!(hear("BOOKMARK", &bookmark), Ok((Some("5".into()), 1)));
        assert_eq!(hear("ADDED", &crd(&[])), Ok((Some("9".into()), 1)));
        let gone = json!({"kind": "Status", "code": 410, "message": "too old"});
        assert_eq!(hear("ERROR", &gone).map_err(|e| e.kind), Err(ErrorKind::Expired));
        assert_eq!(hear("MODIFIED", &crd(&[("Established", "True")])), Ok((Some("9".into()), 0)));
    }
}
