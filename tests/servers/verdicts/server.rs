//! The server's verdicts: on a CRD as it is created, and on one that carrier applies. Nothing is kept.

use std::path::Path;
use std::sync::Arc;

use carrier::clusters::{ApiRequest, Cluster, FileSource, Limits, from_files};
use carrier::names::{Resource, Target};
use kube::Client;
use serde_json::Value;

use super::hand::sent;

const CRDS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

/// A server, by two clients: one that sends anything, and the one of `carrier apply`.
#[derive(Clone)]
pub(super) struct Server {
    client: Client,
    cluster: Arc<Cluster>,
}

impl Server {
    pub(super) async fn new(client: Client, kubeconfig: &Path) -> Self {
        let source = FileSource { paths: vec![kubeconfig.to_owned()], ..FileSource::default() };
        let way = from_files(&source).await.expect("the harness writes good kubeconfigs");
        let cluster = Cluster::new(Target::Management, way, Limits::default()).expect("and good certificates");
        Self { client, cluster: Arc::new(cluster) }
    }
}

/// The verdict: what the server would store, or what it says against it.
pub(super) type Answer = Result<Value, String>;

/// Creates a CRD as a dry run, as tools do: unknown fields are dropped.
pub(super) async fn create(server: &Server, crd: &Value) -> Answer {
    let path = format!("{CRDS}?dryRun=All&fieldValidation=Ignore");
    send(server, "POST", &path, sent(crd), "application/json").await
}

/// Creates a CRD, and keeps it.
pub(super) async fn keep(server: &Server, crd: &Value) -> Answer {
    send(server, "POST", &format!("{CRDS}?fieldValidation=Ignore"), sent(crd), "application/json").await
}

/// A CRD that is kept.
pub(super) async fn get(server: &Server, name: &str) -> Answer {
    send(server, "GET", &format!("{CRDS}/{name}"), String::new(), "application/json").await
}

/// Deletes a CRD.
pub(super) async fn delete(server: &Server, name: &str) {
    drop(send(server, "DELETE", &format!("{CRDS}/{name}"), String::new(), "application/json").await);
}

/// Applies a CRD as a dry run, by the request of `carrier apply`: unknown fields are refused.
pub(super) async fn apply(server: &Server, crd: &Value) -> Answer {
    let name = crd.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
    let resource =
        Resource::new("apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions", false);
    let request = ApiRequest::apply(&resource, None, name, crd).dry_run(true);
    let answer = server.cluster.call(&request).await;
    answer.map_err(|error| {
        let causes = error.status.as_ref().map_or(&[][..], |status| &status.causes);
        match causes.first() {
            Some(cause) => format!("{}: {}", cause.field, cause.message),
            None => error.message.to_string(),
        }
    })
}

/// How often a request is sent whose connection broke.
const TRIES: usize = 5;

async fn send(server: &Server, method: &str, path: &str, body: String, form: &str) -> Answer {
    let mut broken = String::new();
    for _ in 0..TRIES {
        let request = http::Request::builder().method(method).uri(path).header("content-type", form);
        let request = request.body(body.clone().into_bytes()).expect("a request");
        match server.client.request::<Value>(request).await {
            Ok(answer) => return Ok(answer),
            Err(kube::Error::Api(status)) => return Err(status.message.clone()),
            Err(error) => broken = error.to_string(),
        }
    }
    // The server panics at some CRDs, and so does not take them.
    Err(format!("no answer: {broken}"))
}
