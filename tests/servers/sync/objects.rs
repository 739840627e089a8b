//! Objects of one kind in one namespace, as JSON, and what tests ask of them.

use std::time::Duration;

use kube::api::{Api, DeleteParams, DynamicObject, ListParams, Patch, PatchParams, PostParams, Preconditions};
use kube::core::{ApiResource, GroupVersionKind};
use serde_json::{Value, json};

use super::repository::VERSION;

/// The field manager of what tests write by hand.
pub(crate) const HAND: &str = "by-hand";

/// Objects of one kind in one namespace.
#[derive(Clone)]
pub(crate) struct Objects {
    api: Api<DynamicObject>,
    resource: ApiResource,
}

impl Objects {
    /// The kind Redis of a group.
    pub(crate) fn redis(client: kube::Client, group: &str, namespace: &str) -> Self {
        Self::new(client, (group, VERSION, "Redis", "redis"), namespace)
    }

    /// A kind by group, version, kind and plural. An empty namespace is all namespaces, or none.
    pub(crate) fn new(
        client: kube::Client,
        (group, version, kind, plural): (&str, &str, &str, &str),
        namespace: &str,
    ) -> Self {
        let resource = ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk(group, version, kind), plural);
        let api = match namespace {
            "" => Api::all_with(client, &resource),
            namespace => Api::namespaced_with(client, namespace, &resource),
        };
        Self { api, resource }
    }

    /// The API of kube itself, for watches.
    pub(crate) fn api(&self) -> &Api<DynamicObject> {
        &self.api
    }

    /// An object, if it is there.
    ///
    /// # Panics
    /// If the server cannot say.
    pub(crate) async fn get(&self, name: &str) -> Option<Value> {
        self.try_get(name).await.unwrap_or_else(|error| panic!("get {name}: {error}"))
    }

    /// An object, if it is there, or the server's refusal.
    pub(crate) async fn try_get(&self, name: &str) -> Result<Option<Value>, kube::Error> {
        Ok(self.api.get_opt(name).await?.map(value))
    }

    /// All of them.
    pub(crate) async fn list(&self) -> Result<Vec<Value>, kube::Error> {
        Ok(self.api.list(&ListParams::default()).await?.items.into_iter().map(value).collect())
    }

    /// Creates one with this spec; more of the metadata may be given.
    pub(crate) async fn create(&self, name: &str, spec: &Value, metadata: &Value) -> Result<Value, kube::Error> {
        let mut metadata = metadata.clone();
        metadata["name"] = json!(name);
        let body = json!({"apiVersion": self.resource.api_version, "kind": self.resource.kind,
                          "metadata": metadata, "spec": spec});
        let object: DynamicObject = serde_json::from_value(body).map_err(kube::Error::SerdeError)?;
        self.api
            .create(&PostParams { field_manager: Some(HAND.to_owned()), ..PostParams::default() }, &object)
            .await
            .map(value)
    }

    /// Applies a spec (server-side apply, not forced) as this manager.
    pub(crate) async fn apply(&self, name: &str, manager: &str, spec: &Value) -> Result<Value, kube::Error> {
        let body = json!({"apiVersion": self.resource.api_version, "kind": self.resource.kind,
                          "metadata": {"name": name}, "spec": spec});
        self.api.patch(name, &PatchParams::apply(manager), &Patch::Apply(body)).await.map(value)
    }

    /// A JSON merge patch.
    pub(crate) async fn merge(&self, name: &str, patch: &Value) -> Result<Value, kube::Error> {
        let how = PatchParams { field_manager: Some(HAND.to_owned()), ..PatchParams::default() };
        self.api.patch(name, &how, &Patch::Merge(patch)).await.map(value)
    }

    /// Sets an annotation, or removes it.
    pub(crate) async fn annotate(&self, name: &str, key: &str, to: Option<&str>) -> Result<Value, kube::Error> {
        self.merge(name, &json!({"metadata": {"annotations": {key: to}}})).await
    }

    /// Makes this the whole status.
    pub(crate) async fn set_status(&self, name: &str, status: &Value) -> Result<Value, kube::Error> {
        loop {
            let mut object = self.api.get(name).await?;
            object.data["status"] = status.clone();
            match self.api.replace_status(name, &PostParams::default(), &object).await {
                Err(kube::Error::Api(refusal)) if refusal.code == 409 => {}
                result => return result.map(value),
            }
        }
    }

    /// Deletes one; false if there was none.
    pub(crate) async fn delete(&self, name: &str) -> Result<bool, kube::Error> {
        match self.api.delete(name, &DeleteParams::default()).await {
            Ok(_) => Ok(true),
            Err(kube::Error::Api(refusal)) if refusal.code == 404 => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Removes one at once, whatever finalizers it has: what is left if someone strips them, or if etcd is restored
    /// from a backup without it.
    pub(crate) async fn vanish(&self, name: &str) -> Result<(), kube::Error> {
        let uid = uid(&value(self.api.get(name).await?)).to_owned();
        let only = DeleteParams {
            preconditions: Some(Preconditions { uid: Some(uid), resource_version: None }),
            ..DeleteParams::default()
        };
        self.merge(name, &json!({"metadata": {"finalizers": null}})).await?;
        // Its finalizer may be back before it is deleted; then it is taken off again.
        let _ = self.api.delete(name, &only).await?;
        match self.merge(name, &json!({"metadata": {"finalizers": null}})).await {
            Err(kube::Error::Api(refusal)) if refusal.code != 404 => Err(kube::Error::Api(refusal)),
            _ => Ok(()),
        }
    }
}

fn value(object: DynamicObject) -> Value {
    serde_json::to_value(object).expect("an object is JSON")
}

/// Its UID.
pub(crate) fn uid(object: &Value) -> &str {
    object["metadata"]["uid"].as_str().unwrap_or_default()
}

/// Its resource version.
pub(crate) fn version(object: &Value) -> &str {
    object["metadata"]["resourceVersion"].as_str().unwrap_or_default()
}

/// One of its annotations.
pub(crate) fn annotation<'a>(object: &'a Value, key: &str) -> &'a str {
    object["metadata"]["annotations"][key].as_str().unwrap_or_default()
}

/// Whether it has this finalizer.
pub(crate) fn has_finalizer(object: &Value, name: &str) -> bool {
    object["metadata"]["finalizers"].as_array().is_some_and(|all| all.iter().any(|each| each == name))
}

/// A condition of its status.
pub(crate) fn condition<'a>(object: &'a Value, of: &str) -> &'a Value {
    let mut all = object["status"]["conditions"].as_array().into_iter().flatten();
    all.find(|condition| condition["type"] == of).unwrap_or(&Value::Null)
}

/// The condition in one word: `True/InStep`, or `none`.
pub(crate) fn said(condition: &Value) -> String {
    match (condition["status"].as_str(), condition["reason"].as_str()) {
        (Some(status), Some(reason)) => format!("{status}/{reason}"),
        _ => "none".to_owned(),
    }
}

/// Asks again and again until there is an answer; the last refusal is in the panic.
///
/// # Panics
/// If there is still none after two minutes: a bound against hanging, not an expectation.
pub(crate) async fn wait<T>(what: &str, ask: impl AsyncFn() -> Result<T, String>) -> T {
    wait_within(Duration::from_mins(2), what, ask).await
}

/// The same with another bound.
pub(crate) async fn wait_within<T>(limit: Duration, what: &str, ask: impl AsyncFn() -> Result<T, String>) -> T {
    let deadline = tokio::time::Instant::now() + limit;
    loop {
        let last = match ask().await {
            Ok(answer) => return answer,
            Err(last) => last,
        };
        assert!(tokio::time::Instant::now() < deadline, "still not true: {what}\nthe last answer: {last}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Yes, or the reason why not.
pub(crate) fn holds(yes: bool, why_not: impl FnOnce() -> String) -> Result<(), String> {
    if yes { Ok(()) } else { Err(why_not()) }
}
