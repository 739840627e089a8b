//! Writes Kubernetes Events about tenant objects: on change only, and repeated ones are counted on the same Event.
//!
//! Events are for people. One that cannot be written is lost, and nothing waits for it.

use std::collections::VecDeque;
use std::sync::Arc;

use serde_json::{Value, json};
use tokio::sync::Mutex;

use super::shared::{Happening, clock};
use crate::cluster::{ApiRequest, Cluster, ErrorKind};
use crate::model::digest;
use crate::model::resource::Resource;

/// The component that Events name.
const COMPONENT: &str = "carrier-sync";
/// How many Events are remembered, so that the same one is counted.
const REMEMBERED: usize = 1_000;
/// How many Events wait to be written; more are dropped.
const WAITING: usize = 256;

/// Writes Events, one after the other.
pub(crate) struct Events {
    waiting: tokio::sync::mpsc::Sender<Happening>,
}

struct Known {
    name: String,
    count: u64,
    first: String,
}

impl Events {
    /// A writer, whose task ends with it.
    pub(crate) fn new(management: Cluster) -> Self {
        let (waiting, mut received) = tokio::sync::mpsc::channel::<Happening>(WAITING);
        let known = Arc::new(Mutex::new(VecDeque::<Known>::new()));
        tokio::spawn(async move {
            while let Some(happening) = received.recv().await {
                write(&management, &known, &happening).await;
            }
        });
        Self { waiting }
    }

    /// Has an Event written.
    pub(crate) fn record(&self, happening: Happening) {
        let _ = self.waiting.try_send(happening);
    }
}

fn resource() -> Resource {
    Resource::new("", "v1", "Event", "events", true)
}

/// The name of the Event: the same for the same thing about the same object, also in another process.
#[must_use]
fn name(happening: &Happening) -> String {
    let what = format!("{}\n{}\n{}\n{}", happening.kind, happening.uid, happening.reason, happening.message);
    let mut object: String = happening.name.chars().take(200).collect();
    while object.ends_with(['.', '-']) {
        object.pop();
    }
    format!("{object}.{}", digest::short(what.as_bytes()))
}

fn body(happening: &Happening, name: &str, count: u64, (first, last): (&str, &str)) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Event",
        "metadata": { "name": name, "namespace": happening.namespace },
        "involvedObject": {
            "apiVersion": happening.api_version, "kind": happening.kind, "namespace": happening.namespace,
            "name": happening.name, "uid": happening.uid,
        },
        "type": if happening.warning { "Warning" } else { "Normal" },
        "reason": happening.reason, "message": happening.message,
        "source": { "component": COMPONENT }, "reportingComponent": COMPONENT, "reportingInstance": COMPONENT,
        "count": count, "firstTimestamp": first, "lastTimestamp": last,
    })
}

async fn write(management: &Cluster, known: &Mutex<VecDeque<Known>>, happening: &Happening) {
    let name = name(happening);
    let now = clock();
    let mut known = known.lock().await;
    let (count, first) = match known.iter_mut().find(|event| event.name == name) {
        Some(event) => {
            event.count += 1;
            (event.count, event.first.clone())
        }
        None => {
            if known.len() >= REMEMBERED {
                known.pop_front();
            }
            known.push_back(Known { name: name.clone(), count: 1, first: now.clone() });
            (1, now.clone())
        }
    };
    let object = body(happening, &name, count, (&first, &now));
    let request =
        ApiRequest::apply(&resource(), Some(&happening.namespace), &name, &object).field_manager(COMPONENT).force(true);
    if let Err(error) = management.call(&request).await
        && error.kind != ErrorKind::Forbidden
    {
        tracing::debug!(kind = ?error.kind, "an Event could not be written");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_thing_has_the_same_name() {
        let happening = |message: &str| Happening {
            api_version: "a/v1".to_owned(),
            kind: "A".to_owned(),
            namespace: "n".to_owned(),
            name: format!("{}.", "x".repeat(199)),
            uid: "u".to_owned(),
            warning: false,
            reason: "Synced",
            message: message.to_owned(),
        };
        assert_eq!(name(&happening("a")), name(&happening("a")));
        assert_ne!(name(&happening("a")), name(&happening("b")));
        assert!(name(&happening("a")).len() < 253 && !name(&happening("a")).contains(".."));
    }
}
