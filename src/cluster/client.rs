//! One cluster: a client with a deadline on every call, bounded retries, a bound
//! on how much comes back, and a count of what was asked.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::stream::{self, StreamExt as _};
use http_body_util::{BodyExt as _, Limited};
use serde_json::Value;

use super::error::{ClusterError, ErrorKind};
use super::kubeconfig::ClientConfig;
use super::rest::{ApiRequest, Page};
use crate::model::cluster::Target;
use crate::model::resource::Resource;

/// No answer is longer: a page of 100 CRDs of a megabyte each is less. What a
/// service cluster sends is not trusted to end.
const MAX_ANSWER: usize = 256 * 1024 * 1024;
/// How often a call is tried that the server asks to try again.
const TRIES: u32 = 4;
/// The pause before the second try; it doubles.
const PAUSE: Duration = Duration::from_millis(200);
/// The longest pause, whatever the server asks for.
const MAX_PAUSE: Duration = Duration::from_secs(5);
/// CRDs may be a megabyte each.
const PAGE_OF_CRDS: u32 = 100;
/// Other objects are small: all but the largest installations are one page a kind.
const PAGE: u32 = 5_000;

/// How long and how much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The longest that one call may take, its retries included.
    pub call: Duration,
    /// How many calls may be under way at once in one cluster.
    pub at_once: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { call: Duration::from_secs(30), at_once: 16 }
    }
}

/// A cluster that can be asked. A clone is the same connection, and is counted with it.
#[derive(Clone)]
pub struct Cluster {
    /// Which one.
    pub target: Target,
    client: kube::Client,
    limits: Limits,
    /// The address, for people.
    pub server: String,
    /// The context that leads there, where it is one of the user's own.
    pub context: Option<String>,
    calls: Arc<AtomicUsize>,
    writes: Arc<AtomicUsize>,
}

impl std::fmt::Debug for Cluster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cluster").field("target", &self.target).field("server", &self.server).finish_non_exhaustive()
    }
}

impl Cluster {
    /// A cluster behind a way into it. Nothing is sent yet.
    ///
    /// # Errors
    /// When the kubeconfig's certificates or keys cannot be used.
    pub fn new(target: Target, way: ClientConfig, limits: Limits) -> Result<Self, ClusterError> {
        let ClientConfig { mut config, context } = way;
        // kube's own retries go on for minutes in silence (`rust.md` C3); ours are in `call`.
        config.default_retry = false;
        config.connect_timeout = Some(limits.call);
        config.write_timeout = Some(limits.call);
        let server = config.cluster_url.to_string();
        let client = kube::Client::try_from(config).map_err(|error| match ClusterError::from(error) {
            error if error.kind == ErrorKind::Unreachable => {
                ClusterError::new(ErrorKind::Kubeconfig, "the certificates or keys of the kubeconfig cannot be used")
            }
            error => error,
        })?;
        Ok(Self { target, client, limits, server, context, calls: Arc::default(), writes: Arc::default() })
    }

    /// How many requests were sent.
    pub fn calls(&self) -> usize {
        self.calls.load(Ordering::Relaxed)
    }

    /// How many of them could have changed something.
    pub fn writes(&self) -> usize {
        self.writes.load(Ordering::Relaxed)
    }

    /// How many calls may be under way at once.
    pub fn at_once(&self) -> usize {
        self.limits.at_once
    }

    /// How long a call may take.
    pub fn deadline(&self) -> Duration {
        self.limits.call
    }

    /// Asks, and asks again where the server is busy, until the deadline.
    ///
    /// Every call may be tried again, since each is safe to repeat: reads, dry
    /// runs, server-side apply, and deletions that name UID and version.
    ///
    /// # Errors
    /// What the last try came to.
    pub async fn call(&self, call: &ApiRequest) -> Result<Value, ClusterError> {
        self.call_within(call, MAX_ANSWER).await
    }

    /// The same, for an answer of so many bytes at most.
    ///
    /// # Errors
    /// What the last try came to.
    pub async fn call_within(&self, call: &ApiRequest, most: usize) -> Result<Value, ClusterError> {
        let work = async {
            let mut pause = PAUSE;
            for _ in 1..TRIES {
                match self.try_once(call, most).await {
                    Err((error, Some(after))) => {
                        let wait = after.max(pause).min(MAX_PAUSE);
                        pause = (pause * 2).min(MAX_PAUSE);
                        drop(error);
                        tokio::time::sleep(wait).await;
                    }
                    Err((error, None)) => return Err(error),
                    Ok(answer) => return Ok(answer),
                }
            }
            self.try_once(call, most).await.map_err(|(error, _)| error)
        };
        match tokio::time::timeout(self.limits.call, work).await {
            // A connection that is not made in time ends by the same deadline, a moment before or after.
            Ok(Err(error)) if error.kind == ErrorKind::TimedOut => Err(ClusterError::timed_out(self.limits.call)),
            Ok(answer) => answer,
            Err(_) => Err(ClusterError::timed_out(self.limits.call)),
        }
    }

    /// One try; with the error, how long to wait before another makes sense.
    async fn try_once(&self, call: &ApiRequest, most: usize) -> Result<Value, (ClusterError, Option<Duration>)> {
        let response = self.send(call).await.map_err(|error| {
            let again = error.is_passing().then_some(PAUSE);
            (error, again)
        })?;
        let status = response.status();
        let after = response.headers().get("retry-after").and_then(|v| v.to_str().ok()).and_then(|v| v.parse().ok());
        let body = Limited::new(response.into_body(), most).collect().await;
        let bytes = match body {
            Ok(body) => body.to_bytes(),
            Err(error) if error.downcast_ref::<http_body_util::LengthLimitError>().is_some() => {
                let message = format!("the answer is longer than {} MiB", most / 1024 / 1024);
                return Err((ClusterError::new(ErrorKind::BadAnswer, message), None));
            }
            Err(_) => {
                let message = "the connection broke before the answer was whole";
                return Err((ClusterError::new(ErrorKind::Unreachable, message), Some(PAUSE)));
            }
        };
        if status.is_success() {
            return serde_json::from_slice(&bytes)
                .map_err(|_| (ClusterError::new(ErrorKind::BadAnswer, "the answer is no JSON"), None));
        }
        let busy = matches!(status.as_u16(), 429 | 503 | 504);
        let again = busy.then(|| Duration::from_secs(after.unwrap_or(0)));
        Err((ClusterError::of_status(status.as_u16(), &bytes), again))
    }

    /// Sends a request, and gives the answer as it begins. For streams; everything else is a [`Self::call`].
    ///
    /// # Errors
    /// When nobody answers.
    pub async fn send(&self, call: &ApiRequest) -> Result<http::Response<kube::client::Body>, ClusterError> {
        let request = call
            .request()
            .map_err(|e| ClusterError::new(ErrorKind::BadAnswer, format!("no request can be made: {e}")))?;
        self.calls.fetch_add(1, Ordering::Relaxed);
        if call.method != http::Method::GET && !call.path.contains("dryRun=All") {
            self.writes.fetch_add(1, Ordering::Relaxed);
        }
        Ok(self.client.send(request.map(kube::client::Body::from)).await?)
    }

    /// Asks many things, so many at once as the limits allow; the answers in the order of the questions.
    pub async fn call_all(&self, calls: Vec<ApiRequest>) -> Vec<Result<Value, ClusterError>> {
        stream::iter(calls)
            .map(|call| async move { self.call(&call).await })
            .buffered(self.limits.at_once)
            .collect()
            .await
    }

    /// All objects of a kind, page by page: each is handed to `sink` and then forgotten. The list's
    /// resource version comes back.
    ///
    /// A list that expires between two pages is begun anew, with [`Taken::restart`] called first.
    ///
    /// # Errors
    /// When a page cannot be had.
    pub async fn list(
        &self,
        resource: &Resource,
        labels: Option<&str>,
        metadata_only: bool,
        sink: &mut impl Taken,
    ) -> Result<String, ClusterError> {
        self.list_in(resource, None, labels, metadata_only, sink).await
    }

    /// The same, of one namespace, or of all where there is none.
    ///
    /// # Errors
    /// When a page cannot be had.
    pub async fn list_in(
        &self,
        resource: &Resource,
        namespace: Option<&str>,
        labels: Option<&str>,
        metadata_only: bool,
        sink: &mut impl Taken,
    ) -> Result<String, ClusterError> {
        let limit = if resource.plural == "customresourcedefinitions" { PAGE_OF_CRDS } else { PAGE };
        let mut token: Option<String> = None;
        let mut restarted = false;
        loop {
            let page = Page { limit, labels, token: token.as_deref(), metadata_only };
            let mut answer = match self.call(&ApiRequest::list(resource, namespace, &page)).await {
                Err(error) if error.kind == ErrorKind::Expired && token.is_some() && !restarted => {
                    (token, restarted) = (None, true);
                    sink.restart();
                    continue;
                }
                answer => answer?,
            };
            for item in items(&mut answer)? {
                sink.take(item);
            }
            let text = |pointer: &str| answer.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
            match text("/metadata/continue") {
                next if next.is_empty() => return Ok(text("/metadata/resourceVersion")),
                next => token = Some(next),
            }
        }
    }

    /// All objects of a kind at once. For kinds of which there are few.
    ///
    /// # Errors
    /// When a page cannot be had.
    pub async fn list_all(
        &self,
        resource: &Resource,
        labels: Option<&str>,
        metadata_only: bool,
    ) -> Result<Vec<Value>, ClusterError> {
        let mut all = Vec::new();
        self.list(resource, labels, metadata_only, &mut all).await?;
        Ok(all)
    }
}

/// The objects of a page, taken out of it. What is no list is not an empty one: whoever takes it for one
/// deletes or creates for nothing.
///
/// # Errors
/// When it is no list.
pub(super) fn items(answer: &mut Value) -> Result<Vec<Value>, ClusterError> {
    let is_list = answer.get("kind").and_then(Value::as_str).is_some_and(|kind| kind.ends_with("List"));
    match answer.get_mut("items").map(Value::take) {
        Some(Value::Array(items)) => Ok(items),
        // A list of Go without items may be written as null.
        None | Some(Value::Null) if is_list => Ok(Vec::new()),
        _ => Err(ClusterError::new(ErrorKind::BadAnswer, "asked for a list, the server answers with something else")),
    }
}

/// What takes the objects of a list.
pub trait Taken {
    /// Takes one.
    fn take(&mut self, object: Value);
    /// The list begins anew: forget what was taken.
    fn restart(&mut self);
}

impl Taken for Vec<Value> {
    fn take(&mut self, object: Value) {
        self.push(object);
    }

    fn restart(&mut self) {
        self.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_no_list_is_not_an_empty_one() {
        for (mut answer, count) in [
            (json!({"kind": "RoleList", "items": [{}, {}]}), 2),
            (json!({"items": []}), 0),
            (json!({"kind": "RoleList", "items": null}), 0),
            (json!({"kind": "RoleList", "metadata": {}}), 0),
        ] {
            assert_eq!(items(&mut answer).map(|items| items.len()), Ok(count));
        }
        for mut answer in [
            json!({}),
            json!(null),
            json!([]),
            json!({"kind": "Status", "status": "Success"}),
            json!({"items": null}),
            json!({"kind": "RoleList", "items": {"a": 1}}),
            json!({"kind": "RoleList", "items": "x"}),
        ] {
            let shown = answer.to_string();
            assert_eq!(items(&mut answer).map_err(|error| error.kind), Err(ErrorKind::BadAnswer), "{shown}");
        }
    }
}
