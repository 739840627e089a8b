//! What the supervisor is told, by those who look on its behalf.

use std::time::Duration;

use serde_json::Value;
use tokio::sync::mpsc;

use super::base::{BaseError, ask};
use super::catalog::EntryKey;
use super::lease::keeper::Holdings;
use super::service::Service;
use super::shape::Shape;
use super::source::Source;
use crate::cluster::Cluster;
use crate::cluster::watch::WatchEvent;

/// What the supervisor is told.
#[derive(Debug)]
pub(crate) enum News {
    /// A watch of the management cluster tells something.
    Seen(Source, WatchEvent),
    /// A link, or a namespace, has changed.
    Changed,
    /// What the CRD in the service cluster is like: `Ok(None)` where the version is not served.
    Base(EntryKey, u64, Result<Option<Box<Shape>>, BaseError>),
    /// What the leases say.
    Held(Box<Holdings>),
    /// The write of a CatalogEntry's status has ended, and this is the status.
    Entry(EntryKey, Option<Value>),
}

/// Looks at the CRD of a service in its cluster, after a pause.
pub(crate) fn look(
    cluster: Cluster,
    service: &Service,
    (key, epoch): (EntryKey, u64),
    news: mpsc::Sender<News>,
    after: Duration,
) {
    let base = service.route.base.clone();
    tokio::spawn(async move {
        tokio::time::sleep(after).await;
        let found = ask(&cluster, &base).await;
        let _ = news.send(News::Base(key, epoch, found)).await;
    });
}
