//! A cluster whose answers a test gives: requests are built and answers judged as always, and nothing is connected.

use std::sync::Arc;

use bytes::Bytes;
use futures::future::BoxFuture;
use serde_json::Value;

use crate::cluster::error::{ClusterError, ErrorKind};
use crate::cluster::request::ApiRequest;

/// What a server answers: a status code and a body, or why there is no answer.
pub(crate) type Answer = Result<(u16, Value), ErrorKind>;

/// Who answers.
pub(crate) trait Answers: Send + Sync {
    /// The answer, once there is one.
    fn answer(&self, request: http::Request<Bytes>) -> BoxFuture<'static, Answer>;
}

/// The answer to a request, with the number of its bytes.
pub(super) async fn call(
    answers: &Arc<dyn Answers>,
    request: &ApiRequest,
    http: http::Request<Bytes>,
) -> Result<(Value, usize), ClusterError> {
    match answers.answer(http).await {
        Ok((code, body)) if code < 400 => Ok((body, 0)),
        Ok((code, body)) => Err(ClusterError::from_response(code, body.to_string().as_bytes()).in_answer_to(request)),
        Err(kind) => Err(ClusterError::new(kind, "there is no answer")),
    }
}
