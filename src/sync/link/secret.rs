//! Follows the Secret with the kubeconfig of a ServiceCluster: by a watch of this one object, or by reading it once a
//! minute where it may not be watched.

use std::time::Duration;

use secrecy::SecretString;
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::time::sleep;

use super::verdict::{Fault, KubeconfigDigest, SECRET_FORBIDDEN, SECRET_NOT_FOUND, server_text};
use crate::cluster::secret::{kubeconfig_text, resource};
use crate::cluster::watch::{WatchEvent, WatchOptions, Watcher};
use crate::cluster::{ApiRequest, Cluster, ClusterError, ErrorKind, Selection};

/// How often a Secret is read that may not be watched.
const READ_EVERY: Duration = Duration::from_mins(1);
/// What a condition says of a Secret that is read and not watched.
pub(super) const NOT_WATCHED: &str =
    "a change is noticed within a minute: to notice it at once, the right to list and watch the Secret is needed";

/// What is known of the Secret.
pub(super) struct News {
    /// The kubeconfig in it, or why there is none.
    pub kubeconfig: Result<(KubeconfigDigest, SecretString), Fault>,
    /// Whether it is watched; else it is read once in a while.
    pub watched: bool,
}

/// Follows a Secret until nobody listens any more.
pub(super) async fn follow(management: Cluster, namespace: String, name: String, news: mpsc::Sender<News>) {
    let named = format!("the Secret `{namespace}/{name}`");
    let of = |secret: &Value| match kubeconfig_text(secret, &named) {
        Ok(text) => Ok((KubeconfigDigest::of(&text), SecretString::from(text))),
        Err(error) => Err(Fault::of_kubeconfig("InvalidKubeconfig", error.message)),
    };
    let absent = || Err(Fault::of_kubeconfig(SECRET_NOT_FOUND, format!("{named} does not exist")));
    let selection = Selection::named(&resource(), &name).within(Some(&namespace));
    loop {
        let mut watcher = Watcher::new(&management, selection.clone(), &WatchOptions::default());
        let mut found = false;
        while let Some(event) = watcher.next().await {
            let kubeconfig = match event {
                WatchEvent::Restarted => {
                    found = false;
                    continue;
                }
                WatchEvent::Object(secret) => {
                    found = true;
                    of(&secret)
                }
                WatchEvent::Listed { .. } if !found => absent(),
                WatchEvent::Deleted(_) => absent(),
                // What was known stays: a management cluster that is away has changed no Secret.
                WatchEvent::Listed { .. } | WatchEvent::Live | WatchEvent::Lost(_) => continue,
            };
            if news.send(News { kubeconfig, watched: true }).await.is_err() {
                return;
            }
        }
        let read = management.call(&ApiRequest::object(&resource(), Some(&namespace), &name)).await;
        let kubeconfig = match read {
            Ok(secret) => Some(of(&secret)),
            Err(error) if error.is_absent() => Some(absent()),
            Err(error) => unreadable(&named, &error).map(Err),
        };
        if let Some(kubeconfig) = kubeconfig
            && news.send(News { kubeconfig, watched: false }).await.is_err()
        {
            return;
        }
        sleep(READ_EVERY).await;
    }
}

/// The fault where a Secret may not be read; none where the management cluster is away.
fn unreadable(named: &str, error: &ClusterError) -> Option<Fault> {
    let (reason, why) = match error.kind {
        ErrorKind::Forbidden => (SECRET_FORBIDDEN, "the right to get, list and watch it is needed".to_owned()),
        ErrorKind::InvalidRequest => (SECRET_NOT_FOUND, server_text(&error.message)),
        _ => return None,
    };
    Some(Fault::of_kubeconfig(reason, format!("{named} cannot be read: {why}")))
}
