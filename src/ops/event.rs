//! What happens while an operation runs, told to whoever wants to show or count it.

use std::future::Future;

use tokio::sync::mpsc;

use crate::cluster::apply;
use crate::model::cluster::Target;

/// Something that happened.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Event {
    /// The operation began to wait for a cluster.
    Asked(Query),
    /// It waits for that no longer: the cluster answered, or failed.
    Answered(Query),
    /// An apply made progress.
    Apply(apply::Event),
}

/// What a cluster is asked about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Query {
    /// The cluster.
    pub cluster: Target,
    /// The subject of the requests.
    pub subject: Subject,
}

/// The subject of the requests to a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Subject {
    /// Its identity, and the CRDs that the repository names.
    Identity,
    /// The objects that a plan is compared with.
    Objects,
    /// The instances of services.
    Instances,
    /// Its version and what we may do there.
    Health,
}

/// Where an operation sends its events. A clone sends to the same receiver; without a receiver they are
/// dropped.
#[derive(Debug, Clone)]
pub(crate) struct Events(mpsc::UnboundedSender<Event>);

/// The receiving end of [`Events`].
pub(crate) type EventReceiver = mpsc::UnboundedReceiver<Event>;

impl Events {
    /// A sender and its receiver.
    #[must_use]
    pub(crate) fn channel() -> (Self, EventReceiver) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (Self(sender), receiver)
    }

    /// Sends an event.
    pub(crate) fn send(&self, event: Event) {
        // An operation does the same whether or not anybody listens.
        let _ = self.0.send(event);
    }

    /// Does `work`, which asks a cluster about a subject, between its two events.
    pub(crate) async fn during<T>(&self, cluster: Target, subject: Subject, work: impl Future<Output = T>) -> T {
        let query = Query { cluster, subject };
        self.send(Event::Asked(query.clone()));
        let done = work.await;
        self.send(Event::Answered(query));
        done
    }
}
