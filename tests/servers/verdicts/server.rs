//! The server's verdicts: on a CRD as it is created, and on one that carrier applies. Nothing is kept.

use kube::Client;
use serde_json::Value;

use super::hand::sent;

const CRDS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

/// The verdict: what the server would store, or what it says against it.
pub(super) type Answer = Result<Value, String>;

/// Creates a CRD as a dry run, as tools do: unknown fields are dropped.
pub(super) async fn create(client: &Client, crd: &Value) -> Answer {
    let path = format!("{CRDS}?dryRun=All&fieldValidation=Ignore");
    send(client, "POST", &path, sent(crd), "application/json").await
}

/// Creates a CRD, and keeps it.
pub(super) async fn keep(client: &Client, crd: &Value) -> Answer {
    send(client, "POST", &format!("{CRDS}?fieldValidation=Ignore"), sent(crd), "application/json").await
}

/// A CRD that is kept.
pub(super) async fn get(client: &Client, name: &str) -> Answer {
    send(client, "GET", &format!("{CRDS}/{name}"), String::new(), "application/json").await
}

/// Deletes a CRD.
pub(super) async fn delete(client: &Client, name: &str) {
    drop(send(client, "DELETE", &format!("{CRDS}/{name}"), String::new(), "application/json").await);
}

/// Applies a CRD as a dry run, as carrier does: unknown fields are refused.
pub(super) async fn apply(client: &Client, crd: &Value) -> Answer {
    let name = crd.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
    let path = format!("{CRDS}/{name}?fieldManager=carrier&dryRun=All&fieldValidation=Strict");
    send(client, "PATCH", &path, crd.to_string(), "application/apply-patch+yaml").await
}

/// How often a request is sent whose connection broke.
const TRIES: usize = 5;

async fn send(client: &Client, method: &str, path: &str, body: String, form: &str) -> Answer {
    let mut broken = String::new();
    for _ in 0..TRIES {
        let request = http::Request::builder().method(method).uri(path).header("content-type", form);
        let request = request.body(body.clone().into_bytes()).expect("a request");
        match client.request::<Value>(request).await {
            Ok(answer) => return Ok(answer),
            Err(kube::Error::Api(status)) => return Err(status.message.clone()),
            Err(error) => broken = error.to_string(),
        }
    }
    // The server panics at some CRDs, and so does not take them.
    Err(format!("no answer: {broken}"))
}
