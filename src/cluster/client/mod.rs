//! One cluster: a client for short and long work, which holds every request to the [`Limits`] and counts it.

pub(crate) mod counters;
pub(crate) mod limits;
pub(crate) mod pager;
pub(crate) mod retry;
mod session;
#[cfg(test)]
pub(crate) mod simulated;
mod transport;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, RETRY_AFTER};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use kube::client::Body;
use serde_json::Value;
use tokio::sync::{Mutex, Semaphore, SemaphorePermit};
use tokio::time::{Instant, sleep, timeout};

pub(crate) use counters::Counters;
pub(crate) use limits::Limits;
pub(crate) use pager::{ListSink, Page, Pages};

use super::error::{ClusterError, ErrorKind};
use super::kubeconfig::ClientConfig;
use super::request::{ApiRequest, Selection, Verb};
use crate::model::cluster::Target;
use retry::Backoff;
use session::Sessions;
use transport::Transport;

/// How often a request is tried that the server has no room for, or that gets no answer.
const TRIES: u32 = 4;
/// The longest pause before the second try; it doubles.
const PAUSE: Duration = Duration::from_millis(200);
/// The longest pause that is not asked for by the server.
const MAX_PAUSE: Duration = Duration::from_secs(5);

/// A cluster that can be asked. A clone is the same connection, with the same limits and counters.
#[derive(Clone)]
pub struct Cluster {
    /// Which one.
    pub target: Target,
    /// The address, for people.
    pub server: String,
    /// The context that leads there, where it is one of the user's own.
    pub context: Option<String>,
    /// What tells whether kubectl gets there.
    check: Option<String>,
    shared: Arc<Shared>,
}

struct Shared {
    sessions: Arc<Sessions>,
    limits: Limits,
    turns: Semaphore,
    lists: Semaphore,
    counters: Arc<Counters>,
    /// When the server was last asked whether it answers at all, and whether it did.
    probed: Mutex<Option<(Instant, bool)>>,
    #[cfg(test)]
    simulated: Option<Arc<dyn simulated::Answers>>,
}

impl Shared {
    fn new(sessions: Arc<Sessions>, limits: Limits, counters: Arc<Counters>) -> Self {
        let turns = |most: usize| Semaphore::new(most.clamp(1, Semaphore::MAX_PERMITS));
        Self {
            sessions,
            limits,
            turns: turns(limits.concurrency),
            lists: turns(limits.lists),
            counters,
            probed: Mutex::default(),
            #[cfg(test)]
            simulated: None,
        }
    }
}

/// How much of an answer is waited for.
#[derive(Debug, Clone, Copy)]
enum Read {
    /// All of it, if it is not longer than this.
    Whole { most: usize },
    /// Its beginning.
    Begun,
}

enum Answer {
    Whole(Bytes),
    Begun(Body),
}

impl std::fmt::Debug for Cluster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cluster").field("target", &self.target).field("server", &self.server).finish_non_exhaustive()
    }
}

impl Cluster {
    /// A cluster behind a connection's configuration. Nothing is sent or run yet.
    ///
    /// # Errors
    /// When the kubeconfig's certificates or keys cannot be used.
    pub fn new(target: Target, config: ClientConfig, limits: Limits) -> Result<Self, ClusterError> {
        let ClientConfig { mut config, context, check, fence } = config;
        // kube's own retries go on for minutes in silence (`rust.md` C3); ours are in `call`.
        config.default_retry = false;
        config.connect_timeout = Some(limits.deadline);
        config.write_timeout = Some(limits.deadline);
        let server = config.cluster_url.to_string();
        let shared = Shared::new(
            Arc::new(Sessions::new(config, Transport { fence, idle: limits.idle })?),
            limits.within(&target),
            Arc::default(),
        );
        Ok(Self { target, server, context, check, shared: Arc::new(shared) })
    }

    /// A cluster for which `answers` speaks.
    #[cfg(test)]
    pub(crate) fn simulated(target: Target, answers: Arc<dyn simulated::Answers>) -> Self {
        let mut shared = Shared::new(Arc::new(Sessions::unconnected()), Limits::default(), Arc::default());
        shared.simulated = Some(answers);
        let server = "simulated".to_owned();
        Self { target, server, context: None, check: None, shared: Arc::new(shared) }
    }

    /// The same connection and counters with limits of its own: its requests do not wait for the turns of others.
    #[must_use]
    pub(crate) fn with_limits(&self, limits: Limits) -> Self {
        let Shared { sessions, counters, .. } = &*self.shared;
        let shared = Shared::new(Arc::clone(sessions), limits.within(&self.target), Arc::clone(counters));
        Self { shared: Arc::new(shared), ..self.clone() }
    }

    /// The same connection and limits, counting what is sent from now on in these counters: those of a cluster outlive
    /// its connections.
    #[must_use]
    pub(crate) fn counting_in(&self, counters: &Arc<Counters>) -> Self {
        let Shared { sessions, limits, .. } = &*self.shared;
        let shared = Shared::new(Arc::clone(sessions), *limits, Arc::clone(counters));
        Self { shared: Arc::new(shared), ..self.clone() }
    }

    /// The same cluster, limits and counters by new sockets: after an outage those of the connection may be dead
    /// without knowing it.
    ///
    /// # Errors
    /// When the kubeconfig's certificates or keys cannot be used.
    pub(crate) fn afresh(&self) -> Result<Self, ClusterError> {
        let Shared { sessions, counters, limits, .. } = &*self.shared;
        let shared = Shared::new(Arc::new(sessions.afresh()?), *limits, Arc::clone(counters));
        Ok(Self { shared: Arc::new(shared), ..self.clone() })
    }

    /// What was sent so far.
    pub fn counters(&self) -> &Counters {
        &self.shared.counters
    }

    /// How many requests were sent.
    pub fn calls(&self) -> u64 {
        self.shared.counters.requests()
    }

    /// How many of them could have changed something.
    pub fn writes(&self) -> u64 {
        self.shared.counters.writes()
    }

    /// The limits.
    pub fn limits(&self) -> Limits {
        self.shared.limits
    }

    /// Sends a request once it has its turn, and again where the server has no room for it, until the deadline.
    ///
    /// Every request may be sent again, since each is safe to repeat: reads, dry runs, server-side apply,
    /// creations of a name, patches with a test, and deletions that name a UID.
    ///
    /// # Errors
    /// The error of the last try.
    pub async fn call(&self, request: &ApiRequest) -> Result<Value, ClusterError> {
        self.call_counting(request).await.map(|(answer, _)| answer)
    }

    /// The answer and its length in bytes.
    async fn call_counting(&self, request: &ApiRequest) -> Result<(Value, usize), ClusterError> {
        let limits = self.shared.limits;
        let http = request.to_http()?;
        #[cfg(test)]
        if let Some(answers) = &self.shared.simulated {
            return simulated::call(answers, request, http).await;
        }
        let is_list = request.verb() == Verb::List;
        let usual = if is_list { limits.answer } else { limits.object };
        let most = request.max_answer().unwrap_or(usual).min(usual);
        // Held until the answer is parsed: the bytes and what they become are in memory together.
        let list = if is_list { Some(self.turn(&self.shared.lists).await?) } else { None };
        let Answer::Whole(bytes) = self.within_deadline(request, &http, Read::Whole { most }).await? else {
            return Err(ClusterError::new(ErrorKind::BadAnswer, "the answer does not end"));
        };
        let answer = serde_json::from_slice(&bytes)
            .map_err(|_| ClusterError::new(ErrorKind::BadAnswer, "the answer is no JSON"))?;
        drop(list);
        Ok((answer, bytes.len()))
    }

    async fn turn<'s>(&self, turns: &'s Semaphore) -> Result<SemaphorePermit<'s>, ClusterError> {
        let closed = |_| ClusterError::new(ErrorKind::Unreachable, "the client was closed");
        turns.acquire().await.map_err(closed)
    }

    /// The error of a request, once it is known whether a missing answer is that of the whole server, with what tells
    /// whether others get there.
    async fn judged(&self, error: ClusterError) -> ClusterError {
        match self.shared.limits.probe {
            Some(probe) if error.kind == ErrorKind::TimedOut && self.answers_within(probe).await => {
                let message = format!("{}, while the server answers other requests", error.message);
                ClusterError::new(ErrorKind::Slow, message).help(
                    "a webhook of the server may be slow, or what was asked for is too much for it; `--request-timeout` sets \
                     how long carrier waits",
                )
            }
            _ => match &self.check {
                Some(check) if error.kind == ErrorKind::Unreachable && error.help.is_none() => {
                    error.help(format!("check whether {check}, and run the command again"))
                }
                _ => error,
            },
        }
    }

    /// Whether the server says its version in time. All requests without an answer wait for one question together.
    async fn answers_within(&self, probe: Duration) -> bool {
        let asked = Instant::now();
        let mut last = self.shared.probed.lock().await;
        if let Some((at, answered)) = *last
            && at >= asked
        {
            return answered;
        }
        let request = ApiRequest::version();
        let Ok(http) = request.to_http() else { return false };
        let begun = Instant::now();
        // It does not wait for a turn: those who have one may be waiting for the same server.
        let (read, mut time) = (Read::Whole { most: self.shared.limits.object }, TimeLeft::new(probe));
        let answered = self.try_once(&request, &http, read, &mut time).await.is_ok();
        *last = Some((begun, answered));
        answered
    }

    /// Opens a stream: the answer as it begins. The stream itself has no deadline, and does not keep others
    /// from their turn.
    ///
    /// # Errors
    /// When the answer does not begin before the deadline, or has an error status.
    pub(super) async fn open(&self, request: &ApiRequest) -> Result<Body, ClusterError> {
        let http = request.to_http()?;
        match self.within_deadline(request, &http, Read::Begun).await? {
            Answer::Begun(body) => Ok(body),
            Answer::Whole(bytes) => Ok(Body::from(bytes)),
        }
    }

    /// Tries until there is an answer, no more try makes sense, or the deadline is over. A request keeps its
    /// turn while it pauses: a server without room is not asked by others in the meantime.
    async fn within_deadline(
        &self,
        request: &ApiRequest,
        http: &http::Request<Bytes>,
        read: Read,
    ) -> Result<Answer, ClusterError> {
        let limits = self.shared.limits;
        let turn = self.turn(&self.shared.turns).await?;
        let mut time = TimeLeft::new(limits.deadline);
        let mut backoff = Backoff::new(PAUSE, MAX_PAUSE);
        loop {
            let error = match self.try_once(request, http, read, &mut time).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            let pause = backoff.pause(fastrand::f64(), error.retry_after());
            // A server that wants to be asked after the deadline is not asked again.
            if !error.is_transient() || backoff.failures() >= TRIES || pause >= time.left {
                drop(turn);
                return Err(self.judged(error).await);
            }
            sleep(pause).await;
            time.left = time.left.saturating_sub(pause);
        }
    }

    /// One try. Credentials of a plugin that the server does not know (any more) are asked for anew, once. Only the
    /// time that the server takes counts: a plugin may wait for its turn at the terminal, and for a person.
    async fn try_once(
        &self,
        request: &ApiRequest,
        http: &http::Request<Bytes>,
        read: Read,
        time: &mut TimeLeft,
    ) -> Result<Answer, ClusterError> {
        let Shared { sessions, limits, .. } = &*self.shared;
        let session = Box::pin(sessions.current(&limits.plugin)).await?;
        let mut answer = time.spend(Box::pin(self.send(request, http, &session, read))).await;
        if session.is_renewable() && is_unauthorized(&answer) {
            let session = Box::pin(sessions.renew(&session, &limits.plugin)).await?;
            answer = time.spend(Box::pin(self.send(request, http, &session, read))).await;
        }
        match (answer, sessions.plugin()) {
            (Err(error), Some(plugin)) if error.kind == ErrorKind::Unauthorized => Err(error.help(format!(
                "the credentials are those of the credential plugin `{plugin}`: log in again with its tool, and check \
                 the user of the context"
            ))),
            (answer, _) => answer,
        }
    }

    async fn send(
        &self,
        request: &ApiRequest,
        http: &http::Request<Bytes>,
        session: &session::Session,
        read: Read,
    ) -> Result<Answer, ClusterError> {
        let mut http = http.clone();
        if let Some(value) = session.authorization() {
            http.headers_mut().insert(AUTHORIZATION, value.clone());
        }
        let under_way = self.shared.counters.begin(request);
        let answer = async {
            let response = session.client().send(http.map(Body::from)).await?;
            let (parts, body) = response.into_parts();
            if parts.status.is_success() {
                return match read {
                    Read::Whole { most } => whole(body, most).await.map(Answer::Whole),
                    Read::Begun => Ok(Answer::Begun(body)),
                };
            }
            let seconds = parts.headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
            let code = parts.status.as_u16();
            let error = match whole(body, self.shared.limits.error_answer).await {
                Ok(text) => ClusterError::from_response(code, &text).in_answer_to(request),
                Err(error) if error.kind == ErrorKind::TooLarge => ClusterError::from_code(code),
                Err(error) => return Err(error),
            };
            Err(error.retry_after_header(seconds.map(Duration::from_secs)))
        }
        .await;
        under_way.end(&answer);
        answer
    }

    /// All objects of a selection, page by page: each is handed to `sink` and then forgotten. The list's
    /// resource version comes back.
    ///
    /// A list that expires between two pages is begun anew, with [`ListSink::restart`] called first.
    ///
    /// # Errors
    /// When a page cannot be had, or the list does not end within the limits.
    pub async fn list(&self, selection: &Selection, sink: &mut (impl ListSink + Send)) -> Result<String, ClusterError> {
        let mut pages = Pages::new(selection.clone());
        while let Some(page) = pages.next(self).await? {
            match page {
                Page::Objects(objects) => objects.into_iter().for_each(|object| sink.take(object)),
                Page::Restarted => sink.restart(),
            }
        }
        Ok(pages.version().unwrap_or_default().to_owned())
    }

    /// All objects of a selection at once. For kinds of which there are few.
    ///
    /// # Errors
    /// When a page cannot be had, or the list does not end within the limits.
    pub async fn list_all(&self, selection: &Selection) -> Result<Vec<Value>, ClusterError> {
        let mut all = Vec::new();
        self.list(selection, &mut all).await?;
        Ok(all)
    }

    /// The first object of a selection, if there is one, and the resource version of the list.
    ///
    /// # Errors
    /// When it cannot be had.
    pub async fn first(&self, selection: &Selection) -> Result<(Option<Value>, String), ClusterError> {
        let mut answer = self.call(&ApiRequest::list(selection, 1, None)).await?;
        let objects = pager::items(&mut answer)?;
        let version = answer.pointer("/metadata/resourceVersion").and_then(Value::as_str).unwrap_or_default();
        Ok((objects.into_iter().next(), version.to_owned()))
    }
}

fn is_unauthorized<T>(answer: &Result<T, ClusterError>) -> bool {
    answer.as_ref().is_err_and(|error| error.kind == ErrorKind::Unauthorized)
}

/// What is left of the time of a request.
struct TimeLeft {
    whole: Duration,
    left: Duration,
}

impl TimeLeft {
    fn new(whole: Duration) -> Self {
        Self { whole, left: whole }
    }

    /// Does something that counts, if it ends in time.
    async fn spend<T>(&mut self, work: impl Future<Output = Result<T, ClusterError>>) -> Result<T, ClusterError> {
        let began = Instant::now();
        let done = timeout(self.left, work).await;
        self.left = self.left.saturating_sub(began.elapsed());
        match done {
            // A connection that is not made in time ends by the same deadline, a moment before or after.
            Ok(Err(error)) if error.kind == ErrorKind::TimedOut => Err(ClusterError::timed_out(self.whole)),
            Ok(done) => done,
            Err(_) => Err(ClusterError::timed_out(self.whole)),
        }
    }
}

/// The whole body, if it is not longer than `most` bytes.
async fn whole(body: Body, most: usize) -> Result<Bytes, ClusterError> {
    match Limited::new(body, most).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.downcast_ref::<LengthLimitError>().is_some() => {
            let message = format!("the answer is longer than {}", limits::bytes_in_words(most));
            Err(ClusterError::new(ErrorKind::TooLarge, message))
        }
        Err(_) => Err(ClusterError::new(ErrorKind::Unreachable, "the connection broke before the answer was whole")),
    }
}

#[cfg(test)]
mod tests;
