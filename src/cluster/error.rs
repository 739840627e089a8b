//! What can go wrong between carrier and a cluster, sorted by what a person does
//! about it. Messages never hold a credential: what a kubeconfig says is not
//! quoted, and of a server's refusal of an instance only fields are (see
//! [`ClusterError::fields`]).

use std::error::Error as _;
use std::time::Duration;

use serde_json::Value;

use crate::plan::types::Conflict;

/// What the server says of a conflict.
const CONFLICT: &str = "FieldManagerConflict";

/// A call to a cluster that failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ClusterError {
    /// What kind of trouble it is.
    pub kind: ErrorKind,
    /// What happened, one sentence without a trailing dot; the server's own words where it said any.
    pub message: String,
    /// What the server says of single fields.
    pub causes: Vec<Cause>,
}

/// What a server says of one field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// A word such as `FieldValueInvalid` or `FieldManagerConflict`.
    pub reason: String,
    /// The field, as the server writes it.
    pub field: String,
    /// Its words. They may quote the value.
    pub message: String,
}

/// The kinds of trouble.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ErrorKind {
    /// There is no kubeconfig, or it cannot be read or understood.
    Kubeconfig,
    /// The kubeconfig wants what is not allowed to it.
    UnsafeKubeconfig,
    /// Nobody answers at the address, or the name is unknown.
    Unreachable,
    /// No answer in time.
    TimedOut,
    /// The certificate is not to be trusted.
    Certificate,
    /// The server does not know who we are (401).
    Unauthorized,
    /// We may not do that (403).
    Forbidden,
    /// There is no such object or kind (404).
    NotFound,
    /// Somebody else's field, or the object has moved (409).
    Conflict,
    /// The object is not valid (400, 413, 415, 422).
    Invalid,
    /// The version that was asked for has expired (410).
    Expired,
    /// Anything else that the server says.
    Server,
    /// An answer that makes no sense, or is too long.
    BadAnswer,
}

impl ClusterError {
    /// An error of this kind.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), causes: Vec::new() }
    }

    /// Nothing came back in time.
    #[must_use]
    pub fn timed_out(after: Duration) -> Self {
        let limit = match after.subsec_millis() {
            0 => format!("{} s", after.as_secs()),
            _ => format!("{} ms", after.as_millis()),
        };
        Self::new(ErrorKind::TimedOut, format!("no answer within {limit}"))
    }

    /// What an HTTP answer with an error status says; the body is a `Status` of the API, or anything.
    #[must_use]
    pub fn of_status(code: u16, body: &[u8]) -> Self {
        let status: Value = serde_json::from_slice(body).unwrap_or_default();
        let text = |pointer: &str| status.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        let reason = text("/reason");
        let kind = match code {
            401 => ErrorKind::Unauthorized,
            403 => ErrorKind::Forbidden,
            404 => ErrorKind::NotFound,
            409 => ErrorKind::Conflict,
            410 => ErrorKind::Expired,
            400 | 413 | 415 | 422 => ErrorKind::Invalid,
            _ => ErrorKind::Server,
        };
        let causes = status.pointer("/details/causes").and_then(Value::as_array);
        let causes = causes
            .into_iter()
            .flatten()
            .map(|cause| {
                let text = |key: &str| cause.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
                Cause { reason: text("reason"), field: text("field"), message: text("message") }
            })
            .collect();
        let message = match (cut(&text("/message")), reason) {
            (message, _) if !message.is_empty() => message,
            (_, reason) if !reason.is_empty() => format!("the server answers {code} {}", cut(&reason)),
            _ => format!("the server answers {code}"),
        };
        Self { kind, message, causes }
    }

    /// Whether trying again may help.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        matches!(self.kind, ErrorKind::Unreachable)
    }

    /// Whether it is the connection that failed, so that no other question would fare better. The words of
    /// such an error are ours.
    #[must_use]
    pub fn is_of_connection(&self) -> bool {
        use ErrorKind as K;
        let of_connection =
            [K::Kubeconfig, K::UnsafeKubeconfig, K::Unreachable, K::TimedOut, K::Certificate, K::Unauthorized];
        of_connection.contains(&self.kind)
    }

    /// The fields of others that an apply ran into. The server names the manager in a sentence only.
    #[must_use]
    pub fn conflicts(&self) -> Vec<Conflict> {
        let causes = self.causes.iter().filter(|cause| cause.reason == CONFLICT);
        let mut list: Vec<Conflict> =
            causes.map(|cause| Conflict { manager: manager(&cause.message), field: cause.field.clone() }).collect();
        list.sort();
        list.dedup();
        list
    }

    /// The fields that the server complains of and its reasons, without its words, which may quote a
    /// value: an instance may hold a password.
    #[must_use]
    pub fn fields(&self) -> Vec<(String, String)> {
        self.causes.iter().map(|c| (c.field.clone(), c.reason.clone())).collect()
    }
}

/// A server's complaint without the values that it complains of: `Invalid value: "hunter2": must be …` may
/// quote a preset that is a password.
#[must_use]
pub fn discreet(message: &str) -> String {
    const BEFORE: &str = " value: ";
    let mut out = String::with_capacity(message.len());
    let mut rest = message;
    while let Some(at) = rest.find(BEFORE) {
        let (head, tail) = rest.split_at(at + BEFORE.len());
        out.push_str(head);
        out.push('…');
        rest = &tail[end_of_value(tail)..];
    }
    out.push_str(rest);
    out
}

/// Where a value ends that a server quotes: at `: ` outside of quotes and brackets.
fn end_of_value(text: &str) -> usize {
    let (mut quoted, mut escaped, mut depth) = (false, false, 0_usize);
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '{' | '[' if !quoted => depth += 1,
            '}' | ']' if !quoted => depth = depth.saturating_sub(1),
            ':' if !quoted && depth == 0 && text[at..].starts_with(": ") => return at,
            _ => {}
        }
    }
    text.len()
}

/// The manager in `conflict with "kubectl" using v1`.
fn manager(message: &str) -> String {
    let quoted = message.split_once('"').and_then(|(_, rest)| rest.split_once('"'));
    quoted.map_or(message, |(name, _)| name).to_owned()
}

/// Sorts what kube says by what is at its bottom.
impl From<kube::Error> for ClusterError {
    fn from(error: kube::Error) -> Self {
        if let kube::Error::Api(status) = &error {
            return Self::of_status(status.code, &serde_json::to_vec(status).unwrap_or_default());
        }
        let auth = matches!(error, kube::Error::Auth(_));
        let mut chain: Vec<String> = Vec::new();
        let mut kind = None;
        let mut next = error.source();
        while let Some(error) = next {
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
        // hyper-rustls hides what rustls says in an io::Error, so there is only its text to go by.
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

/// A server's words, of which nobody reads more: a service cluster's server is not trusted to be brief.
fn cut(text: &str) -> String {
    const MOST: usize = 2_000;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_manager_is_named_as_the_server_names_it() {
        assert_eq!(manager("conflict with \"kubectl\" using v1"), "kubectl");
        assert_eq!(manager("conflict with \"a b\" with subresource \"status\" using v1"), "a b");
        assert_eq!(manager("?"), "?");
    }

    #[test]
    fn a_refusal_keeps_the_servers_words_and_fields() {
        let body = json!({"kind": "Status", "message": "nope", "reason": "Conflict", "details": {"causes": [
            {"reason": "FieldManagerConflict", "message": "conflict with \"kubectl\"", "field": ".spec.x"}
        ]}});
        let error = ClusterError::of_status(409, body.to_string().as_bytes());
        assert_eq!((error.kind, error.message.as_str()), (ErrorKind::Conflict, "nope"));
        assert_eq!(error.fields(), [(".spec.x".to_owned(), "FieldManagerConflict".to_owned())]);
    }

    #[test]
    fn values_are_left_out_of_complaints() {
        for (said, shown) in [
            (
                r#"X "a" is invalid: spec.b: Invalid value: "hunter: 2\"3": no"#,
                r#"X "a" is invalid: spec.b: Invalid value: …: no"#,
            ),
            (
                r#"spec: Invalid value: {"p": "x: y", "q": [1]}: no, c: Duplicate value: 7"#,
                "spec: Invalid value: …: no, c: Duplicate value: …",
            ),
            (r#"unknown field "spec.x""#, r#"unknown field "spec.x""#),
            (
                r#"a: Unsupported value: "z": supported values: "b""#,
                r#"a: Unsupported value: …: supported values: "b""#,
            ),
        ] {
            assert_eq!(discreet(said), shown);
        }
    }

    #[test]
    fn what_may_not_be_asked_is_not_what_is_not_there() {
        assert_eq!(ClusterError::of_status(404, b"").kind, ErrorKind::NotFound);
        assert_eq!(ClusterError::of_status(405, b"").kind, ErrorKind::Server, "a kind that cannot be listed");
    }

    #[test]
    fn an_answer_that_is_no_status_is_a_number() {
        assert_eq!(ClusterError::of_status(502, b"<html>").message, "the server answers 502");
    }
}
