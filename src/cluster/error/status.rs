//! What an API server says in an answer with an error status, and the kind of error that it is. Pure.
//!
//! Sentences of servers differ between versions and are meant for people, so nothing is decided by them.
//! Two things exist in sentences alone and are read from there: the manager in a conflict of fields
//! ([`Cause::manager`]), and the fields that strict decoding does not know ([`ServerStatus::unknown_fields`]).

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value;

use super::{ClusterError, ErrorKind};
use crate::cluster::request::ApiRequest;
use crate::model::plain::{self, Line};

/// The reason of a cause that names a field of another manager.
const FIELD_MANAGER_CONFLICT: &str = "FieldManagerConflict";
/// The longest message that is kept, in characters: a service cluster's server is not trusted to be brief.
const MAX_MESSAGE: usize = 2_000;
/// The largest number of causes that are kept.
const MAX_CAUSES: usize = 1_000;

/// The machine-readable part of an answer with an error status.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServerStatus {
    /// The HTTP status code.
    pub code: u16,
    /// The reason, such as `AlreadyExists`; empty where the answer is no `Status` or gives none.
    pub reason: Line,
    /// The API group that the error is about.
    pub group: Line,
    /// The resource (plural) or kind that the error is about.
    pub kind: Line,
    /// The name of the object that the error is about.
    pub name: Line,
    /// The time after which the server wants to be asked again.
    pub retry_after: Option<Duration>,
    /// What the server says of single fields.
    pub causes: Vec<Cause>,
    /// The server's sentence.
    pub(super) words: Words,
}

/// The sentence of a server as it came. It cannot be printed: only [`ClusterError::edited`] reads it.
#[derive(Clone, Default, PartialEq, Eq)]
pub(super) struct Words(Box<str>);

impl std::fmt::Debug for Words {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("…")
    }
}

/// What a server says of one field.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cause {
    /// A word such as `FieldValueInvalid` or `FieldManagerConflict`.
    pub reason: Line,
    /// The field, as the server writes it.
    pub field: Line,
    /// The server's sentence. It may quote the value.
    pub message: Line,
}

impl Cause {
    /// Whether another manager owns the field.
    #[must_use]
    pub fn is_field_conflict(&self) -> bool {
        self.reason == FIELD_MANAGER_CONFLICT
    }

    /// The manager of a conflict of fields. The server names it in a sentence alone: `conflict with
    /// "kubectl" using v1`.
    #[must_use]
    pub fn manager(&self) -> &str {
        let quoted = self.message.split_once('"').and_then(|(_, rest)| rest.split_once('"'));
        quoted.map_or(self.message.as_str(), |(name, _)| name)
    }
}

impl ClusterError {
    /// The error in an answer with an error status; the body is a `Status` of the API, or anything.
    #[must_use]
    pub fn from_response(code: u16, body: &[u8]) -> Self {
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let raw = |pointer: &str| body.pointer(pointer).and_then(Value::as_str).map(cut).unwrap_or_default();
        let text = |pointer: &str| Line::from(raw(pointer));
        let causes = body.pointer("/details/causes").and_then(Value::as_array);
        let causes = causes.into_iter().flatten().take(MAX_CAUSES).map(|cause| {
            let text = |key: &str| Line::from(cause.get(key).and_then(Value::as_str).map(cut).unwrap_or_default());
            Cause { reason: text("reason"), field: text("field"), message: text("message") }
        });
        let retry_after = body.pointer("/details/retryAfterSeconds").and_then(Value::as_u64);
        let status = ServerStatus {
            code,
            reason: text("/reason"),
            group: text("/details/group"),
            kind: text("/details/kind"),
            name: text("/details/name"),
            retry_after: retry_after.filter(|seconds| *seconds > 0).map(Duration::from_secs),
            causes: causes.collect(),
            words: Words(raw("/message").into_boxed_str()),
        };
        let message = match (&*status.words.0, status.reason.as_str()) {
            (words, _) if !words.is_empty() => plain::quoted(words),
            (_, "") => format!("the server answers {code}"),
            (_, reason) => format!("the server answers {code} {reason}"),
        };
        Self { kind: status.error_kind(), message: message.into(), status: Some(Box::new(status)), help: None }
    }

    /// The error in an answer with an error status whose body was not read. The code alone does not tell an
    /// absent object from a kind that is not served.
    #[must_use]
    pub(in crate::cluster) fn from_code(code: u16) -> Self {
        let error = Self::from_response(code, b"");
        match error.kind {
            ErrorKind::KindNotFound => Self { kind: ErrorKind::BadAnswer, ..error },
            _ => error,
        }
    }

    /// The same error as an answer to this request: a namespace that is absent is the object itself only
    /// where a namespace was asked for.
    #[must_use]
    pub(in crate::cluster) fn in_answer_to(mut self, request: &ApiRequest) -> Self {
        if let Some(status) = &self.status
            && self.kind == ErrorKind::NotFound
            && status.kind == "namespaces"
            && status.group.is_empty()
            && request.is_in_namespace(&status.name)
        {
            self.kind = ErrorKind::NamespaceNotFound;
        }
        self
    }

    /// The same error with the time that the header `Retry-After` names, where the body names none.
    #[must_use]
    pub(in crate::cluster) fn retry_after_header(mut self, header: Option<Duration>) -> Self {
        if let Some(status) = &mut self.status {
            status.retry_after = status.retry_after.or(header);
        }
        self
    }

    /// Whether the server could not carry out a JSON patch: a test in it failed, or a path is not there.
    ///
    /// Kubernetes 1.33 and 1.37, `apiserver/pkg/endpoints/handlers/patch.go`: all of that is a bare 422, about no object and no
    /// field, and in the same sentence. What the validation refuses has an object and causes.
    #[must_use]
    pub(in crate::cluster) fn is_failed_patch(&self) -> bool {
        self.status.as_deref().is_some_and(|status| {
            let is_bare = status.name.is_empty() && status.kind.is_empty() && status.causes.is_empty();
            status.code == 422 && status.reason == "Invalid" && is_bare
        })
    }

    /// The message after `edit` was made in what it says; the server's words get their quotes afterwards. For whoever has to
    /// find values in it: in the message they may be written in another way.
    #[must_use]
    pub(crate) fn edited(&self, edit: impl Fn(&str) -> String) -> Line {
        match self.status.as_deref().map(|status| &*status.words.0) {
            Some(words) if !words.is_empty() => plain::quoted(&edit(words)).into(),
            _ => edit(&self.message).into(),
        }
    }

    /// The fields that strict decoding does not know. The server lists them in a sentence alone, which holds
    /// names of fields and no values.
    #[must_use]
    pub fn unknown_fields(&self) -> BTreeSet<String> {
        let is_bad_request = self.status.as_ref().is_some_and(|status| status.code == 400);
        let list = self.message.split_once("strict decoding error: ").filter(|_| is_bad_request);
        let parts = list.map(|(_, list)| list.split("unknown field \"").skip(1)).into_iter().flatten();
        // The last quote before the next error ends the path; a key in it may have quotes of its own.
        parts.filter_map(|part| part.rfind('"').and_then(|end| part.get(..end))).map(str::to_owned).collect()
    }
}

impl ServerStatus {
    fn error_kind(&self) -> ErrorKind {
        match (self.code, self.reason.as_str()) {
            // Of reason `ServerTimeout` is also a 500: the server did not get the answer from etcd in time.
            (_, "TooManyRequests" | "ServiceUnavailable" | "ServerTimeout" | "Timeout") => ErrorKind::Busy,
            (401, _) => ErrorKind::Unauthorized,
            (403, _) => ErrorKind::Forbidden,
            // A path that nobody serves is answered with a text, or with a `Status` that names no object.
            (404, _) if self.name.is_empty() => ErrorKind::KindNotFound,
            (404, _) => ErrorKind::NotFound,
            (409, "AlreadyExists") => ErrorKind::AlreadyExists,
            (409, _) if self.causes.iter().any(Cause::is_field_conflict) => ErrorKind::FieldConflict,
            (409, _) => ErrorKind::VersionConflict,
            (410, _) => ErrorKind::Expired,
            (400 | 413 | 415 | 422, _) => ErrorKind::Invalid,
            (429 | 502 | 503 | 504, _) => ErrorKind::Busy,
            _ => ErrorKind::Server,
        }
    }
}

fn cut(text: &str) -> String {
    super::cut(text, MAX_MESSAGE, "...")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::resource::Resource;
    use serde_json::json;

    fn kind(code: u16, body: &Value) -> ErrorKind {
        ClusterError::from_response(code, body.to_string().as_bytes()).kind
    }

    #[test]
    fn the_manager_is_named_as_the_server_names_it() {
        let manager = |message: &str| Cause { message: message.into(), ..Cause::default() }.manager().to_owned();
        assert_eq!(manager("conflict with \"kubectl\" using v1"), "kubectl");
        assert_eq!(manager("conflict with \"a b\" with subresource \"status\" using v1"), "a b");
        assert_eq!(manager("?"), "?");
    }

    #[test]
    fn a_refusal_keeps_the_servers_words_and_fields() {
        let body = json!({"kind": "Status", "message": "nope", "reason": "Conflict", "details": {
            "group": "g.io", "kind": "dbs", "name": "a", "causes": [
                {"reason": "FieldManagerConflict", "message": "conflict with \"kubectl\"", "field": ".spec.x"}
        ]}});
        let error = ClusterError::from_response(409, body.to_string().as_bytes());
        assert_eq!((error.kind, error.message.as_str()), (ErrorKind::FieldConflict, "“nope”"));
        assert_eq!(error.fields(), [(".spec.x".to_owned(), "FieldManagerConflict".to_owned())]);
        let status = error.status.expect("the server answered");
        assert_eq!((status.group.as_str(), status.kind.as_str(), status.name.as_str()), ("g.io", "dbs", "a"));
    }

    #[test]
    fn a_server_cannot_forge_a_line() {
        let hostile = "no\n::set-output name=a::b\r\u{1b}[2J\u{202e}”; carrier: all is well ##[error]x";
        let body = json!({"message": hostile, "reason": hostile, "details": {
            "group": hostile, "kind": hostile, "name": hostile, "causes": [
                {"reason": "FieldManagerConflict", "message": format!("conflict with \"{hostile}\""), "field": hostile}
        ]}});
        let error = ClusterError::from_response(409, body.to_string().as_bytes());
        assert_eq!(error.message, "“no␊::set-output name=a::b␍␛[2J\u{fffd}\"; carrier: all is well #＃[error]x”");
        let bare = format!("{error:?} {:?} {:?}", error.conflicts(), error.fields());
        assert!(!bare.contains("\\n") && !bare.contains("\\r") && !bare.contains("u{"), "{bare}");
        let conflict = &error.conflicts()[0];
        assert!(conflict.manager.starts_with('“') && conflict.field.ends_with('”'), "they are no names: {conflict:?}");
    }

    #[test]
    fn kinds_are_told_by_code_reason_and_details() {
        let object = json!({"details": {"name": "a", "kind": "dbs"}});
        assert_eq!(kind(404, &object), ErrorKind::NotFound);
        assert_eq!(ClusterError::from_response(404, b"404 page not found\n").kind, ErrorKind::KindNotFound);
        assert_eq!(kind(404, &json!({"reason": "NotFound", "details": {}})), ErrorKind::KindNotFound);
        assert_eq!(kind(405, &json!({})), ErrorKind::Server, "a kind that cannot be listed");
        assert_eq!(kind(409, &json!({"reason": "AlreadyExists"})), ErrorKind::AlreadyExists);
        assert_eq!(kind(409, &json!({"reason": "Conflict"})), ErrorKind::VersionConflict);
        for code in [429, 502, 503, 504] {
            assert_eq!(kind(code, &json!({})), ErrorKind::Busy, "{code}");
        }
        assert_eq!(kind(500, &json!({"reason": "ServerTimeout"})), ErrorKind::Busy);
        assert_eq!(kind(500, &json!({"reason": "InternalError"})), ErrorKind::Server);
    }

    #[test]
    fn a_failed_test_of_a_patch_is_told_from_a_refused_object() {
        let is_failed =
            |code, body: Value| ClusterError::from_response(code, body.to_string().as_bytes()).is_failed_patch();
        let words = "the server rejected our request due to an error in our request";
        assert!(is_failed(422, json!({"reason": "Invalid", "message": words, "details": {}, "code": 422})));
        let cause = json!([{"reason": "FieldValueInvalid", "message": "no", "field": "patch"}]);
        assert!(!is_failed(422, json!({"reason": "Invalid", "details": {"causes": cause}})));
        assert!(!is_failed(422, json!({"reason": "Invalid", "details": {"kind": "Account", "name": "a"}})));
        assert!(!is_failed(422, json!({"message": "admission webhook \"x\" denied the request: no"})));
        assert!(!is_failed(400, json!({"reason": "BadRequest"})));
        assert!(!is_failed(409, json!({"reason": "Conflict"})));
    }

    #[test]
    fn an_absent_namespace_is_told_from_an_absent_object() {
        let body = json!({"details": {"name": "a", "kind": "namespaces"}}).to_string();
        let error = ClusterError::from_response(404, body.as_bytes());
        let role = Resource::new("rbac.authorization.k8s.io", "v1", "Role", "roles", true);
        let (body, spaces) = (json!({}), Resource::namespaces());
        let of = |request: &ApiRequest| error.clone().in_answer_to(request).kind;
        assert_eq!(of(&ApiRequest::create(&role, Some("a"), &body)), ErrorKind::NamespaceNotFound);
        assert_eq!(of(&ApiRequest::object(spaces, None, "a")), ErrorKind::NotFound);
    }

    #[test]
    fn the_body_names_the_time_to_wait_before_the_header_does() {
        let header = Some(Duration::from_secs(3));
        let after = |body: &Value| {
            let error = ClusterError::from_response(429, body.to_string().as_bytes());
            error.retry_after_header(header).retry_after()
        };
        assert_eq!(after(&json!({"details": {"retryAfterSeconds": 7}})), Some(Duration::from_secs(7)));
        assert_eq!(after(&json!({})), header);
    }

    #[test]
    fn an_answer_that_is_no_status_is_a_number() {
        assert_eq!(ClusterError::from_response(502, b"<html>").message, "the server answers 502");
    }

    #[test]
    fn unknown_fields_are_those_of_strict_decoding() {
        let message = "strict decoding error: unknown field \"spec.x\", unknown field \"spec.a\"b.c\"";
        let error = |code| ClusterError::from_response(code, json!({ "message": message }).to_string().as_bytes());
        let expected: BTreeSet<String> = ["spec.a\"b.c", "spec.x"].map(str::to_owned).into();
        assert_eq!(error(400).unknown_fields(), expected);
        assert!(error(422).unknown_fields().is_empty());
    }
}
