//! A stand-in for the operator of a service cluster: it watches the base kind and acts as an operator would.
//! Objects whose names begin with `manual` it leaves to the test.

use std::sync::Arc;

use futures::StreamExt;
use kube::runtime::{WatchStreamExt, watcher};
use serde_json::{Value, json};
use tokio::sync::watch;

use super::objects::{Objects, annotation};

/// The finalizer that it may add.
pub(crate) const FINALIZER: &str = "redis.opstreelabs.in/operator";
/// Annotation of a copy: how often it was acted on, which only the operator writes.
const SEEN: &str = "redis.opstreelabs.in/seen";

/// What it does.
#[derive(Debug, Clone)]
pub(crate) struct Behaviour {
    /// Puts its finalizer on what it sees.
    pub finalizer: bool,
    /// Removes its finalizer from what is being deleted. A stuck operator does not.
    pub releases: bool,
    /// The phase that it reports.
    pub phase: &'static str,
}

/// It runs as long as the value lives.
pub(crate) struct Operator {
    behaviour: watch::Sender<Behaviour>,
    task: tokio::task::AbortHandle,
}

impl Operator {
    /// Starts it for these objects, which are those of all namespaces.
    pub(crate) fn start(all: &Objects, within: impl Fn(&str) -> Objects + Send + Sync + 'static) -> Self {
        let usual = Behaviour { finalizer: true, releases: true, phase: "Running" };
        let (behaviour, seen) = watch::channel(usual);
        let task = tokio::spawn(run(all.clone(), Arc::new(within), seen)).abort_handle();
        Self { behaviour, task }
    }

    /// From now on it behaves so, also towards what it has seen already.
    pub(crate) fn behave(&self, change: impl FnOnce(&mut Behaviour)) {
        self.behaviour.send_modify(change);
    }
}

impl Drop for Operator {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn run(
    all: Objects,
    within: Arc<dyn Fn(&str) -> Objects + Send + Sync>,
    mut behaviour: watch::Receiver<Behaviour>,
) {
    let mut events =
        Box::pin(watcher(all.api().clone(), watcher::Config::default()).default_backoff().applied_objects());
    loop {
        let objects: Vec<Value> = tokio::select! {
            next = events.next() => match next {
                Some(Ok(object)) => serde_json::to_value(object).into_iter().collect(),
                // The watcher lists again by itself.
                Some(Err(_)) => continue,
                None => return,
            },
            changed = behaviour.changed() => match changed {
                Ok(()) => all.list().await.unwrap_or_default(),
                Err(_) => return,
            },
        };
        let now = behaviour.borrow().clone();
        for object in objects {
            let namespace = object["metadata"]["namespace"].as_str().unwrap_or_default();
            let objects = within(namespace);
            if act(&objects, &object, &now).await.is_err() {
                tokio::spawn(again(objects, object, behaviour.clone()));
            }
        }
    }
}

/// Acts on an object until that succeeds, as every operator does.
async fn again(objects: Objects, mut object: Value, behaviour: watch::Receiver<Behaviour>) {
    let name = object["metadata"]["name"].as_str().unwrap_or_default().to_owned();
    loop {
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        object = match objects.try_get(&name).await {
            Ok(Some(object)) => object,
            Ok(None) => return,
            Err(_) => continue,
        };
        let now = behaviour.borrow().clone();
        // The sender goes with the operator.
        if act(&objects, &object, &now).await.is_ok() || behaviour.has_changed().is_err() {
            return;
        }
    }
}

async fn act(objects: &Objects, object: &Value, behaviour: &Behaviour) -> Result<(), kube::Error> {
    let metadata = &object["metadata"];
    let name = metadata["name"].as_str().unwrap_or_default();
    if name.starts_with("manual") {
        return Ok(());
    }
    let finalizers: Vec<&str> =
        metadata["finalizers"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let ours = finalizers.contains(&FINALIZER);
    if metadata["deletionTimestamp"].is_string() {
        if ours && behaviour.releases {
            let rest: Vec<&str> = finalizers.into_iter().filter(|&each| each != FINALIZER).collect();
            objects.merge(name, &json!({"metadata": {"finalizers": rest}})).await?;
        }
        return Ok(());
    }
    if behaviour.finalizer && !ours {
        let all: Vec<&str> = finalizers.into_iter().chain([FINALIZER]).collect();
        let patch = json!({"metadata": {
            "resourceVersion": metadata["resourceVersion"], "finalizers": all,
            // An operator writes metadata of its own, which is nobody else's business.
            "annotations": {SEEN: format!("{}+", annotation(object, SEEN))},
        }});
        objects.merge(name, &patch).await?;
    }
    let generation = &metadata["generation"];
    let since = &metadata["creationTimestamp"];
    let status = json!({
        "phase": behaviour.phase,
        "endpoint": format!("{name}.example.internal:6379"),
        "readyReplicas": object["spec"]["size"].as_i64().unwrap_or(1),
        "observedGeneration": generation,
        "conditions": [{"type": "Ready", "status": "True", "reason": "Serving", "message": "all servers answer",
                        "lastTransitionTime": since, "observedGeneration": generation}],
    });
    if object["status"] != status {
        objects.set_status(name, &status).await?;
    }
    Ok(())
}
