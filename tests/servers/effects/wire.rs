//! Requests to an API server, as they are written on the wire.

use std::time::Duration;

use kube::Client;
use serde_json::{Value, json};

pub(super) const CRDS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

/// What a server says against a request.
#[derive(Debug, Clone)]
pub(super) struct Refused {
    pub code: u16,
    pub message: String,
    /// The fields that it is about, and what it says of each.
    pub fields: Vec<String>,
    pub texts: Vec<String>,
}

/// Sends a request; the object that comes back, or what the server says against it.
pub(super) async fn ask(client: &Client, method: &str, path: &str, object: &Value) -> Result<Value, Refused> {
    send(client, method, path, object, "application/json").await
}

async fn send(client: &Client, method: &str, path: &str, object: &Value, form: &str) -> Result<Value, Refused> {
    let body = if object.is_null() { Vec::new() } else { object.to_string().into_bytes() };
    let request = http::Request::builder().method(method).uri(path).header("content-type", form);
    let request = request.body(body).expect("a request");
    match client.request::<Value>(request).await {
        Ok(answer) => Ok(answer),
        Err(kube::Error::Api(status)) => {
            let causes = status.details.as_ref().map(|details| details.causes.as_slice()).unwrap_or_default();
            Err(Refused {
                code: status.code,
                message: status.message.clone(),
                fields: causes.iter().map(|cause| cause.field.clone()).collect(),
                texts: causes.iter().map(|cause| cause.message.clone()).collect(),
            })
        }
        Err(error) => panic!("{method} {path}: {error}"),
    }
}

/// Server-side apply by the manager with this number, without force.
pub(super) async fn apply(
    client: &Client,
    path: &str,
    name: &str,
    object: &Value,
    manager: usize,
    dry_run: bool,
) -> Result<Value, Refused> {
    let dry_run = if dry_run { "&dryRun=All" } else { "" };
    let path = format!("{path}/{name}?fieldManager=manager-{manager}{dry_run}");
    send(client, "PATCH", &path, object, "application/apply-patch+yaml").await
}

pub(super) async fn delete(client: &Client, path: &str) {
    drop(ask(client, "DELETE", path, &Value::Null).await);
}

/// A bound against hanging, not an expectation.
const LIMIT: Duration = Duration::from_mins(2);
const PAUSE: Duration = Duration::from_millis(30);

/// Creates an object of a kind that may not be served yet.
pub(super) async fn until_taken(client: &Client, path: &str, object: &Value) {
    let taken = async {
        loop {
            match ask(client, "POST", path, object).await {
                Ok(_) => return,
                Err(refused) if refused.code == 404 => tokio::time::sleep(PAUSE).await,
                Err(refused) => panic!("{path}: {refused:?}"),
            }
        }
    };
    tokio::time::timeout(LIMIT, taken).await.unwrap_or_else(|_| panic!("{path} is not served"));
}

/// Reads an object until it is as wanted.
pub(super) async fn until_read(client: &Client, path: &str, wanted: impl Fn(&Value) -> bool) {
    let read = async {
        loop {
            match ask(client, "GET", path, &Value::Null).await {
                Ok(object) if wanted(&object) => return,
                _ => tokio::time::sleep(PAUSE).await,
            }
        }
    };
    tokio::time::timeout(LIMIT, read).await.unwrap_or_else(|_| panic!("{path} is not read as wanted"));
}

/// Replaces a CRD, whatever version of it is there.
pub(super) async fn try_replace(client: &Client, crd: &Value) -> Result<Value, Refused> {
    let path = format!("{CRDS}/{}", crd["metadata"]["name"].as_str().unwrap_or_default());
    loop {
        let live = ask(client, "GET", &path, &Value::Null).await?;
        let mut new = crd.clone();
        new["metadata"]["resourceVersion"] = json!(live["metadata"]["resourceVersion"]);
        match ask(client, "PUT", &path, &new).await {
            // A controller has written its status meanwhile.
            Err(refused) if refused.code == 409 => {}
            answer => return answer,
        }
    }
}

pub(super) async fn replace(client: &Client, crd: &Value) {
    try_replace(client, crd).await.expect("the dry run of a creation was taken");
}
