//! Errors between carrier and a cluster, sorted by what a person or a caller does about them.
//!
//! The kind is decided by the status code, the reason and the details of the server's `Status`, never by
//! its sentences. What it says is a [`Line`] from here on, and its sentence is in quotes, so that nobody can print it
//! raw or take it for words of carrier. Messages hold no credential: what a kubeconfig says is not quoted, and callers show of a
//! refused instance only its fields (see [`ClusterError::fields`]).

mod discreet;
mod status;

use std::error::Error as _;
use std::time::Duration;

pub(crate) use discreet::{cut, discreet, discreet_line, end_of_value, refusal};
pub(crate) use status::{Cause, ServerStatus};

use super::fence::Refused;
use super::request::RequestError;
use crate::model::plain::{self, Line};
use crate::plan::types::Conflict;

/// A request to a cluster that failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ClusterError {
    /// The kind of the error.
    pub kind: ErrorKind,
    /// What happened, one sentence without a trailing dot; the server's own words, in quotes, where it said any.
    pub message: Line,
    /// What the server answered; absent where it did not.
    pub status: Option<Box<ServerStatus>>,
    /// What to do about it, a sentence without a trailing dot; absent where the kind of the error says all.
    pub help: Option<Line>,
}

/// The kinds of errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ErrorKind {
    /// There is no kubeconfig, it cannot be read or understood, or its credential plugin fails.
    Kubeconfig,
    /// The kubeconfig wants what is not allowed to it.
    UnsafeKubeconfig,
    /// The request cannot be built: a name in it is no name. Nothing was sent.
    InvalidRequest,
    /// Nobody answers at the address, or the name is unknown.
    Unreachable,
    /// No answer before the deadline.
    TimedOut,
    /// No answer to this request before the deadline, from a server that answers others.
    Slow,
    /// The server's certificate is not trusted.
    Certificate,
    /// The server does not know who we are (401).
    Unauthorized,
    /// RBAC, admission or a namespace in deletion forbids it (403).
    Forbidden,
    /// The kind is served, and there is no such object (404).
    NotFound,
    /// The group, version or resource is not served (404).
    KindNotFound,
    /// The namespace that an object was to be created in does not exist (404).
    NamespaceNotFound,
    /// An object of this name exists (409, `AlreadyExists`).
    AlreadyExists,
    /// The object has another resource version or UID than the request names, or changed meanwhile (409).
    VersionConflict,
    /// Other field managers own fields that an apply sets (409, `FieldManagerConflict`).
    FieldConflict,
    /// The server refuses the object or the request as invalid (400, 413, 415, 422).
    Invalid,
    /// The resource version or the continue token is too old (410).
    Expired,
    /// The server has no room for the request now (429, 502, 503, 504); it may say when to try again.
    Busy,
    /// Any other error status.
    Server,
    /// An answer that makes no sense.
    BadAnswer,
    /// An answer, an event or a list beyond its limit.
    TooLarge,
}

impl ClusterError {
    /// An error that no server told.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into().into(), status: None, help: None }
    }

    /// The same error with what to do about it.
    #[must_use]
    pub fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into().into()), ..self }
    }

    /// The same error in another sentence, without what the server answered.
    #[must_use]
    pub fn said(&self, message: impl Into<String>) -> Self {
        Self { help: self.help.clone(), ..Self::new(self.kind, message) }
    }

    /// The same error with all that the server answered but its sentence.
    #[must_use]
    pub(crate) fn reworded(mut self, message: impl Into<String>) -> Self {
        if let Some(status) = &mut self.status {
            status.words = status::Words::default();
        }
        Self { message: message.into().into(), ..self }
    }

    /// There was no answer before the deadline.
    #[must_use]
    pub fn timed_out(after: Duration) -> Self {
        Self::new(ErrorKind::TimedOut, format!("no answer within {}", in_words(after)))
    }

    /// Whether the server said that the object, its kind or its namespace does not exist.
    #[must_use]
    pub fn is_absent(&self) -> bool {
        matches!(self.kind, ErrorKind::NotFound | ErrorKind::KindNotFound | ErrorKind::NamespaceNotFound)
    }

    /// Whether the same request may succeed a moment later.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(self.kind, ErrorKind::Unreachable | ErrorKind::Busy)
    }

    /// Whether it is the connection that failed, so that no other request would fare better. The words of
    /// such an error are ours.
    #[must_use]
    pub fn is_of_connection(&self) -> bool {
        use ErrorKind as K;
        let of_connection =
            [K::Kubeconfig, K::UnsafeKubeconfig, K::Unreachable, K::TimedOut, K::Certificate, K::Unauthorized];
        of_connection.contains(&self.kind)
    }

    /// Whether something before the server answered in its place, such as a load balancer that cannot reach it (502, 503, 504):
    /// a server gives a reason.
    #[must_use]
    pub fn is_of_gateway(&self) -> bool {
        self.kind == ErrorKind::Busy && self.status.as_ref().is_none_or(|status| status.reason.is_empty())
    }

    /// What the server says of single fields.
    #[must_use]
    pub fn causes(&self) -> &[Cause] {
        self.status.as_ref().map_or(&[], |status| &status.causes)
    }

    /// The time after which the server wants to be asked again, where it names one.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.status.as_ref().and_then(|status| status.retry_after)
    }

    /// The fields of other managers that an apply ran into, sorted.
    #[must_use]
    pub fn conflicts(&self) -> Vec<Conflict> {
        let causes = self.causes().iter().filter(|cause| cause.is_field_conflict());
        let mut list: Vec<Conflict> = causes
            .map(|cause| Conflict {
                manager: plain::name(cause.manager()).into_owned(),
                field: plain::name(&cause.field).into_owned(),
            })
            .collect();
        list.sort();
        list.dedup();
        list
    }

    /// The fields that the server complains of and its reasons, without its sentences, which may quote a
    /// value: an instance may hold a password.
    #[must_use]
    pub fn fields(&self) -> Vec<(String, String)> {
        self.causes().iter().map(|c| (c.field.to_string(), c.reason.to_string())).collect()
    }
}

/// A time limit, for people.
#[must_use]
pub(crate) fn in_words(limit: Duration) -> String {
    match (limit.subsec_millis(), limit.as_secs()) {
        (0, seconds @ 120..) if seconds % 60 == 0 => format!("{} min", seconds / 60),
        (0, seconds) => format!("{seconds} s"),
        _ => format!("{} ms", limit.as_millis()),
    }
}

impl From<RequestError> for ClusterError {
    fn from(error: RequestError) -> Self {
        Self::new(ErrorKind::InvalidRequest, error.to_string())
    }
}

/// Sorts an error of kube by the error at the bottom of its chain.
impl From<kube::Error> for ClusterError {
    fn from(error: kube::Error) -> Self {
        if let kube::Error::Api(status) = &error {
            return Self::from_response(status.code, &serde_json::to_vec(status).unwrap_or_default());
        }
        let auth = matches!(error, kube::Error::Auth(_));
        let mut chain: Vec<String> = Vec::new();
        let mut kind = None;
        let mut next = error.source();
        while let Some(error) = next {
            if let Some(refused) = error.downcast_ref::<Refused>() {
                return Self::new(ErrorKind::UnsafeKubeconfig, refused.to_string());
            }
            if let Some(io) = error.downcast_ref::<std::io::Error>() {
                kind = Some(io.kind());
            }
            chain.push(error.to_string());
            next = error.source();
        }
        let whole = chain.join(": ");
        // Only the innermost says what happened; those around it say `client error (Connect)`.
        let bottom = chain.last().cloned().unwrap_or_else(|| error.to_string());
        let bottom = bottom.split(" (os error").next().unwrap_or(&bottom).to_owned();
        // hyper-rustls hides what rustls says in an io::Error, so there is only its text to go by. These are
        // words of the TLS library on this machine, not of the server.
        if whole.contains("certificate") || whole.contains("received fatal alert") {
            return Self::new(ErrorKind::Certificate, format!("the server's certificate is not trusted: {bottom}"));
        }
        if auth {
            return Self::new(ErrorKind::Kubeconfig, "the credentials of the kubeconfig cannot be used");
        }
        match kind {
            Some(std::io::ErrorKind::TimedOut) => Self::new(ErrorKind::TimedOut, "no answer in time"),
            _ if whole.contains("deadline has elapsed") => Self::new(ErrorKind::TimedOut, "no answer in time"),
            _ => Self::new(ErrorKind::Unreachable, format!("cannot reach the server: {bottom}")),
        }
    }
}
