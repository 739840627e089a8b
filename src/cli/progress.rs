//! Says on stderr which clusters an operation waits for: not in the first seconds, and not with `-q`.

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::ui::Ui;
use crate::cluster::runtime::block_on;
use crate::model::cluster::Target;
use crate::ops::event::{Event, EventReceiver, Query, Subject};

/// The silence before the first line.
const FIRST: Duration = Duration::from_secs(2);
/// The time between two lines.
const INTERVAL: Duration = Duration::from_secs(5);

/// Runs an operation to its end and shows what it waits for; `None` where the user interrupts.
///
/// # Errors
/// When the system gives no event queue.
pub(crate) fn run<T>(
    ui: &mut Ui<'_>,
    events: &mut EventReceiver,
    operation: impl Future<Output = T>,
) -> std::io::Result<Option<T>> {
    block_on(show(ui, events, operation))
}

/// Does an operation and shows what it waits for.
pub(crate) async fn show<T>(ui: &mut Ui<'_>, events: &mut EventReceiver, operation: impl Future<Output = T>) -> T {
    let mut operation = pin!(operation);
    let mut pending = BTreeSet::new();
    let mut next = Instant::now() + FIRST;
    let mut said = String::new();
    loop {
        tokio::select! {
            done = &mut operation => return done,
            Some(event) = events.recv() => match event {
                Event::Asked(query) => drop(pending.insert(words(&query))),
                Event::Answered(query) => drop(pending.remove(&words(&query))),
                Event::Apply(_) => {}
            },
            () = sleep_until(next) => {
                next = Instant::now() + INTERVAL;
                let list: Vec<&str> = pending.iter().map(String::as_str).collect();
                let line = format!("waiting for {}", list.join(", "));
                if !list.is_empty() && line != said {
                    // The operation goes on when nobody reads stderr.
                    let _ = ui.say(&line);
                    said = line;
                }
            }
        }
    }
}

/// What is waited for, in words.
fn words(query: &Query) -> String {
    match (query.subject, &query.cluster) {
        (Subject::Identity, Target::Management) => "the management cluster".to_owned(),
        (Subject::Identity, Target::Service(id)) => format!("the service cluster {id}"),
        (Subject::Objects, cluster) => format!("the objects of {cluster}"),
        (Subject::Instances | Subject::Health, cluster) => cluster.to_string(),
    }
}
