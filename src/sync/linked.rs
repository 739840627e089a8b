//! What the supervisor keeps of one service cluster: its link, the tenants' namespaces in it, and what both were told.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;
use tokio::sync::{mpsc, watch};
use tokio::task::AbortHandle;

use super::link::keeper::{self, Link, LinkHandle, LinkOptions};
use super::link::namespaces::{self, Namespaces};
use super::link::write::MayWrite;
use super::news::News;
use super::settings::Settings;
use super::shared::Shared;
use crate::model::cluster::ClusterId;

/// One service cluster. Its link ends with the value.
pub(crate) struct Linked {
    /// The link.
    pub handle: LinkHandle,
    /// The namespaces.
    pub namespaces: Namespaces,
    /// The link as the supervisor saw it last.
    pub link: Link,
    changes: [AbortHandle; 2],
    /// The versions of the Assignments that the keepers were told, by name; that of the ServiceCluster by none.
    fed: BTreeMap<String, String>,
}

impl Linked {
    /// Begins to keep the link of a ServiceCluster, which is `live` now. `news` is told of changes.
    pub(crate) fn start(
        shared: &Shared,
        settings: &Settings,
        id: &ClusterId,
        live: &Value,
        news: &mpsc::Sender<News>,
    ) -> Self {
        let (of, permits) = (id.clone(), settings.permits.clone());
        let may_write: MayWrite = Arc::new(move || permits.as_ref().is_some_and(|permits| permits.may_write(&of)));
        let (to_link, counters) = (Arc::clone(&may_write), shared.counters(id));
        let options = LinkOptions { may_write: to_link, counters, ..settings.link.clone() };
        let handle = keeper::keep(&shared.management, id, live.clone(), options);
        let namespaces = namespaces::keep(&shared.management, id, &handle, &settings.management, may_write);
        let changes = [tell(handle.subscribe(), news.clone()), tell(namespaces.subscribe(), news.clone())];
        let link = handle.link();
        let fed = BTreeMap::from([(String::new(), version(live))]);
        Self { handle, namespaces, link, changes, fed }
    }

    /// The ServiceCluster as it is. Each state is told once: what is told causes news.
    pub(crate) fn object(&mut self, live: &Value) {
        if self.is_new("", live) {
            self.handle.object(live.clone());
        }
    }

    /// An Assignment of the provider as it is.
    pub(crate) fn assignment(&mut self, name: &str, live: &Value, id: &ClusterId) {
        if self.is_new(name, live) {
            self.namespaces.assignment(live.clone(), id);
        }
    }

    /// The Assignment of a tenant is gone.
    pub(crate) fn removed(&mut self, name: &str, tenant: &str) {
        self.fed.remove(name);
        self.namespaces.removed(tenant);
    }

    /// Writing has become allowed.
    pub(crate) fn allowed(&self) {
        self.handle.poke();
        self.namespaces.poke();
    }

    fn is_new(&mut self, name: &str, live: &Value) -> bool {
        let version = version(live);
        let is_new = self.fed.get(name).is_none_or(|fed| *fed != version);
        if is_new {
            self.fed.insert(name.to_owned(), version);
        }
        is_new
    }
}

impl Drop for Linked {
    fn drop(&mut self) {
        self.changes.iter().for_each(AbortHandle::abort);
    }
}

/// Tells of each change, until the handle aborts it.
fn tell<T: Send + Sync + 'static>(mut changes: watch::Receiver<T>, news: mpsc::Sender<News>) -> AbortHandle {
    let telling = async move { while changes.changed().await.is_ok() && news.send(News::Changed).await.is_ok() {} };
    tokio::spawn(telling).abort_handle()
}

fn version(object: &Value) -> String {
    object.pointer("/metadata/resourceVersion").and_then(Value::as_str).unwrap_or_default().to_owned()
}
