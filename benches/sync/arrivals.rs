//! When a watch of the benchmark's own saw what it waits for.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures::StreamExt;
use kube::api::DynamicObject;
use kube::runtime::{WatchStreamExt, watcher};

use crate::objects::Objects;

/// A bound against hanging, not an expectation.
const LIMIT: Duration = Duration::from_mins(10);

/// What an event of a watch shows of its object, each in a few words.
type Shows = fn(&DynamicObject) -> Vec<String>;
type Seen = Arc<Mutex<HashMap<String, Instant>>>;

/// A watch that notes when it saw something first. It ends when the value goes.
pub(crate) struct Arrivals {
    seen: Seen,
    task: tokio::task::AbortHandle,
}

impl Arrivals {
    /// Watches these objects.
    pub(crate) fn start(objects: &Objects, shows: Shows) -> Self {
        let seen = Seen::default();
        let task = tokio::spawn(note(objects.clone(), shows, Arc::clone(&seen))).abort_handle();
        Self { seen, task }
    }

    /// When this was seen, which may be yet to come.
    pub(crate) async fn of(&self, what: &str) -> Instant {
        self.last(&[what.to_owned()]).await
    }

    /// When the last of these was seen, which may be yet to come.
    ///
    /// # Panics
    /// If that does not happen.
    pub(crate) async fn last(&self, what: &[String]) -> Instant {
        let deadline = Instant::now() + LIMIT;
        let mut missing: Vec<&String> = what.iter().collect();
        let mut last: Option<Instant> = None;
        loop {
            {
                let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
                missing.retain(|one| match seen.get(*one) {
                    Some(&at) => {
                        last = last.max(Some(at));
                        false
                    }
                    None => true,
                });
            }
            if let (Some(last), true) = (last, missing.is_empty()) {
                return last;
            }
            let few: Vec<_> = missing.iter().take(5).collect();
            assert!(Instant::now() < deadline, "{} of {} never seen: {few:?}", missing.len(), what.len());
            // The watch notes the time; how often it is asked for does not matter.
            tokio::time::sleep(Duration::from_millis(if what.len() > 1 { 20 } else { 2 })).await;
        }
    }
}

impl Drop for Arrivals {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn note(objects: Objects, shows: Shows, seen: Seen) {
    let events = watcher(objects.api().clone(), watcher::Config::default()).default_backoff().applied_objects();
    let mut events = Box::pin(events);
    while let Some(event) = events.next().await {
        let now = Instant::now();
        // The watcher lists again by itself after an error.
        let Ok(object) = event else { continue };
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        for what in shows(&object) {
            seen.entry(what).or_insert(now);
        }
    }
}

/// What is waited for in a service cluster: that a copy has a size.
pub(crate) fn of_copy(object: &DynamicObject) -> Vec<String> {
    vec![sized(object.metadata.name.as_deref().unwrap_or_default(), object.data["spec"]["size"].as_i64().unwrap_or(-1))]
}

/// What is waited for in the management cluster: that a tenant object shows a status, and that it is in step.
pub(crate) fn of_tenant(object: &DynamicObject) -> Vec<String> {
    let name = object.metadata.name.as_deref().unwrap_or_default();
    let status = &object.data["status"];
    let mut shown = Vec::new();
    if let Some(phase) = status["phase"].as_str() {
        shown.push(phased(name, phase));
    }
    let mut conditions = status["conditions"].as_array().into_iter().flatten();
    let synced = conditions.any(|condition| {
        condition["type"] == "Synced"
            && condition["status"] == "True"
            && condition["observedGeneration"].as_i64() == object.metadata.generation
    });
    if synced {
        shown.push(in_step(name, object.metadata.generation.unwrap_or_default()));
    }
    shown
}

/// A copy has this size.
pub(crate) fn sized(name: &str, size: i64) -> String {
    format!("{name} has size {size}")
}

/// A tenant object shows this phase.
pub(crate) fn phased(name: &str, phase: &str) -> String {
    format!("{name} shows {phase}")
}

/// A tenant object says that it is in step at this generation.
pub(crate) fn in_step(name: &str, generation: i64) -> String {
    format!("{name} is in step at {generation}")
}
