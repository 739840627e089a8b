//! Following the objects of a kind: a list, then a watch from where the list ended, for as long as wanted.
//!
//! Whoever wants to say that an object is absent needs a complete list on a watch that is live, and gets it
//! here alone: [`Phase`] is `Unknown` until a list is complete, and again as soon as anything fails. What is
//! decided is in `machine.rs`, which is pure; this file asks, listens and pauses.

mod machine;

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use futures::stream::{BoxStream, StreamExt as _, TryStreamExt as _};
use http_body_util::BodyExt as _;
use kube::client::Body;
use serde_json::Value;
use tokio::time::{Instant, sleep_until, timeout_at};
use tokio_util::codec::{FramedRead, LinesCodec, LinesCodecError};
use tokio_util::io::StreamReader;

use super::client::Cluster;
use super::client::pager::{Page, Pages};
use super::client::retry::Backoff;
use super::error::{ClusterError, ErrorKind};
use super::request::{ApiRequest, Selection};
use machine::{At, Input, Output, State};

/// The longest first pause after a failure; it doubles.
const PAUSE: Duration = Duration::from_millis(800);
/// The longest pause.
const MAX_PAUSE: Duration = Duration::from_secs(30);
/// How much longer than it may live a watch may be silent: then its connection is dead.
const GRACE: Duration = Duration::from_secs(10);

/// What happens to the objects of a selection.
#[derive(Debug, Clone, PartialEq)]
pub enum WatchEvent {
    /// A list begins: what is not told from here on until [`Self::Listed`] is not there.
    Restarted,
    /// An object as it is now.
    Object(Value),
    /// The list is complete.
    Listed {
        /// The resource version of the list.
        resource_version: String,
    },
    /// The watch is open, and tells what happens from where it stood last.
    Live,
    /// An object is gone, or no longer belongs to the selection; this is its last state.
    Deleted(Value),
    /// The list or the watch failed. Until [`Self::Live`] or [`Self::Listed`] nothing can be said of what is
    /// not there. Where the watch ends for good, this is the last event.
    Lost(ClusterError),
}

/// What can be said of an object that was not told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// Nothing.
    Unknown,
    /// It was absent when the list was made; the watch is not open yet.
    Listed,
    /// It is absent.
    Live,
}

impl Phase {
    /// The phase after an event.
    #[must_use]
    pub fn after(self, event: &WatchEvent) -> Self {
        match event {
            WatchEvent::Restarted | WatchEvent::Lost(_) => Self::Unknown,
            WatchEvent::Listed { .. } => Self::Listed,
            WatchEvent::Live => Self::Live,
            WatchEvent::Object(_) | WatchEvent::Deleted(_) => self,
        }
    }
}

/// How to watch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchOptions {
    /// A resource version to go on from, instead of a list: such a watch is never `Live`.
    pub from: Option<String>,
    /// The time after which the server ends a watch, in whole seconds; it is opened again. A connection that
    /// is silent for 10 s longer is dead.
    pub lifetime: Duration,
    /// Whether a kind that is not served yet is waited for; else that ends the watch.
    pub await_kind: bool,
}

impl Default for WatchOptions {
    fn default() -> Self {
        Self { from: None, lifetime: Duration::from_secs(290), await_kind: false }
    }
}

type Lines = FramedRead<StreamReader<BoxStream<'static, std::io::Result<Bytes>>, Bytes>, LinesCodec>;

/// A list and watch under way. Dropping the future of [`Self::next`] loses nothing.
pub struct Watcher {
    cluster: Cluster,
    selection: Selection,
    lifetime: Duration,
    state: State,
    pages: Option<Pages>,
    lines: Option<Lines>,
    events: VecDeque<WatchEvent>,
    backoff: Backoff,
    pause_until: Option<Instant>,
    retry_after: Option<Duration>,
    heard: Option<Instant>,
    opened: Option<Instant>,
}

impl Watcher {
    /// A watch over a selection. Nothing is sent yet.
    #[must_use]
    pub fn new(cluster: &Cluster, selection: Selection, options: &WatchOptions) -> Self {
        Self {
            cluster: cluster.clone(),
            selection,
            lifetime: options.lifetime,
            state: State::new(options.from.as_deref(), options.await_kind),
            pages: None,
            lines: None,
            events: VecDeque::new(),
            backoff: Backoff::new(PAUSE, MAX_PAUSE),
            pause_until: None,
            retry_after: None,
            heard: None,
            opened: None,
        }
    }

    /// What can be said of objects that were not told, once all events up to here are taken in.
    #[must_use]
    pub fn phase(&self) -> Phase {
        // Events that nobody has taken yet may say otherwise.
        if self.events.is_empty() { self.state.phase } else { Phase::Unknown }
    }

    /// When the server last said something, be it a bookmark.
    #[must_use]
    pub fn heard(&self) -> Option<Instant> {
        self.heard
    }

    /// The next event; `None` after the watch has ended for good, with [`WatchEvent::Lost`].
    pub async fn next(&mut self) -> Option<WatchEvent> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Some(event);
            }
            if self.state.at == At::Ended {
                return None;
            }
            if let Some(until) = self.pause_until {
                sleep_until(until).await;
                self.pause_until = None;
            }
            let input = self.act().await;
            self.take(input);
        }
    }

    /// Does what is next. Whatever is dropped while it waits is done again.
    async fn act(&mut self) -> Input {
        match self.state.at.clone() {
            At::List { .. } => {
                let pages = self.pages.get_or_insert_with(|| Pages::new(self.selection.clone()));
                let page = pages.next(&self.cluster).await;
                match page {
                    Ok(Some(Page::Objects(objects))) => Input::Page(objects),
                    Ok(Some(Page::Restarted)) => Input::ListRestarted,
                    Ok(None) => Input::ListDone(pages.version().unwrap_or_default().to_owned()),
                    Err(error) => Input::Failed(error),
                }
            }
            At::Open { version } => {
                let seconds = u32::try_from(self.lifetime.as_secs()).unwrap_or(u32::MAX);
                match self.cluster.open(&ApiRequest::watch(&self.selection, &version, seconds)).await {
                    Ok(body) => {
                        self.lines = Some(lines(body, self.cluster.limits().event));
                        self.opened = Some(Instant::now());
                        Input::Opened
                    }
                    Err(error) => Input::Failed(error),
                }
            }
            At::Watch { .. } => {
                let Some(lines) = &mut self.lines else { return Input::Closed };
                let silence = self.lifetime + GRACE;
                // Measured from the last line, so that a caller that drops this future and calls again does not
                // extend it.
                let since = self.heard.unwrap_or_else(Instant::now);
                match timeout_at(since + silence, lines.next()).await {
                    Ok(Some(Ok(line))) => machine::parse(&line),
                    Ok(None) => Input::Closed,
                    Ok(Some(Err(error))) => Input::Failed(broken(&error)),
                    Err(_) => {
                        let message = format!("the watch was silent for {} s", silence.as_secs());
                        Input::Failed(ClusterError::new(ErrorKind::Unreachable, message))
                    }
                }
            }
            At::Ended => Input::Closed,
        }
    }

    fn take(&mut self, input: Input) {
        let failed = matches!(input, Input::Failed(_));
        match &input {
            Input::Failed(error) => self.retry_after = error.retry_after(),
            _ => self.heard = Some(Instant::now()),
        }
        let at = self.state.at.clone();
        let (state, outputs) = std::mem::replace(&mut self.state, State::ended()).step(input);
        self.state = state;
        if !matches!(self.state.at, At::Watch { .. }) {
            self.lines = None;
        }
        // A list that restarted by itself goes on; one that failed for good does not.
        if !matches!(self.state.at, At::List { .. }) || (self.state.at == At::List { begun: false } && failed) {
            self.pages = None;
        }
        // A watch that lived for a while is no sign of a server that ends each at once.
        if matches!(at, At::Watch { .. }) && self.opened.is_some_and(|opened| opened.elapsed() > MAX_PAUSE) {
            self.backoff.reset();
        }
        for output in outputs {
            match output {
                Output::Event(event) => self.events.push_back(event),
                Output::Reset => self.backoff.reset(),
                Output::Pause => {
                    let pause = self.backoff.pause(fastrand::f64(), self.retry_after.take());
                    self.pause_until = Some(Instant::now() + pause);
                }
            }
        }
    }
}

fn lines(body: Body, longest: usize) -> Lines {
    let stream = body.into_data_stream().map_err(std::io::Error::other).boxed();
    // Not `kube::Client::request_events`: its lines have no limit.
    FramedRead::new(StreamReader::new(stream), LinesCodec::new_with_max_length(longest))
}

fn broken(error: &LinesCodecError) -> ClusterError {
    match error {
        LinesCodecError::MaxLineLengthExceeded => {
            ClusterError::new(ErrorKind::TooLarge, "an event of the watch does not end")
        }
        LinesCodecError::Io(error) if error.kind() == std::io::ErrorKind::InvalidData => {
            ClusterError::new(ErrorKind::BadAnswer, "an event of the watch is no text")
        }
        LinesCodecError::Io(_) => ClusterError::new(ErrorKind::Unreachable, "the connection of the watch broke"),
    }
}
