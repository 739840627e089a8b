//! Requests to an API server, as plain descriptions. Nothing is sent here, and [`http`] makes HTTP of them.

mod body;
mod http;
pub(crate) mod patch;
pub(crate) mod selection;

use bytes::Bytes;
use kube::api::Preconditions;
use serde_json::Value;

pub(crate) use self::http::RequestError;
pub(crate) use self::patch::JsonPatch;
pub(crate) use self::selection::Selection;
pub(crate) use crate::model::managed_fields::FIELD_MANAGER;
use crate::model::resource::Resource;

/// A request, as a description.
#[derive(Clone, PartialEq)]
pub struct ApiRequest {
    target: Target,
    operation: Operation,
    field_manager: String,
    validation: Option<FieldValidation>,
    dry_run: bool,
    metadata_only: bool,
    max_answer: Option<usize>,
}

#[derive(Clone, PartialEq)]
enum Target {
    /// A path of the server's own, outside of the resources, with what the answer shall be.
    Path(&'static str, &'static str),
    /// Objects of a kind, or one of them.
    Objects { resource: Resource, namespace: Option<String>, name: Option<String>, subresource: Option<&'static str> },
}

#[derive(Clone, PartialEq)]
enum Operation {
    Get,
    List { labels: Option<String>, fields: Option<String>, limit: u32, token: Option<String> },
    Watch { labels: Option<String>, fields: Option<String>, from: String, seconds: u32 },
    Create(Bytes),
    Apply { body: Bytes, force: bool },
    JsonPatch(Bytes),
    Delete(Preconditions),
}

/// What the server does with fields that the schema does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldValidation {
    /// It refuses the object.
    Strict,
    /// It drops them in silence.
    Ignore,
}

/// The verbs of requests, as RBAC and the counters name them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verb {
    /// One object, or a path of the server's own.
    Get,
    /// A page of a list.
    List,
    /// A watch.
    Watch,
    /// POST.
    Create,
    /// PATCH, server-side apply among them.
    Patch,
    /// DELETE.
    Delete,
}

impl ApiRequest {
    fn new(target: Target, operation: Operation) -> Self {
        Self {
            target,
            operation,
            field_manager: FIELD_MANAGER.to_owned(),
            validation: None,
            dry_run: false,
            metadata_only: false,
            max_answer: None,
        }
    }

    fn of(resource: &Resource, namespace: Option<&str>, name: Option<&str>, operation: Operation) -> Self {
        let namespace = namespace.filter(|_| resource.namespaced).map(str::to_owned);
        let (resource, name) = (resource.clone(), name.map(str::to_owned));
        Self::new(Target::Objects { resource, namespace, name, subresource: None }, operation)
    }

    /// The version of the server.
    #[must_use]
    pub fn version() -> Self {
        Self::new(Target::Path("/version", "application/json"), Operation::Get)
    }

    /// The groups with their kinds: `/api` is that of the core group, `/apis` has the others. A server before 1.30 answers
    /// with something else.
    #[must_use]
    pub(crate) fn discovery(path: &'static str) -> Self {
        let accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json";
        Self::new(Target::Path(path, accept), Operation::Get)
    }

    /// One object.
    #[must_use]
    pub fn object(resource: &Resource, namespace: Option<&str>, name: &str) -> Self {
        Self::of(resource, namespace, Some(name), Operation::Get)
    }

    /// A page of a list of at most `limit` objects; `token` is where the page before ended.
    #[must_use]
    pub fn list(selection: &Selection, limit: u32, token: Option<&str>) -> Self {
        let (labels, fields) = (selection.labels.clone(), selection.fields.clone());
        let operation = Operation::List { labels, fields, limit, token: token.map(str::to_owned) };
        let list = Self::of(&selection.resource, selection.namespace.as_deref(), None, operation);
        Self { metadata_only: selection.metadata_only, ..list }
    }

    /// A watch from a resource version, which the server ends after `seconds`.
    #[must_use]
    pub fn watch(selection: &Selection, from: &str, seconds: u32) -> Self {
        let (labels, fields) = (selection.labels.clone(), selection.fields.clone());
        let operation = Operation::Watch { labels, fields, from: from.to_owned(), seconds };
        let watch = Self::of(&selection.resource, selection.namespace.as_deref(), None, operation);
        Self { metadata_only: selection.metadata_only, ..watch }
    }

    /// Creation of an object.
    #[must_use]
    pub fn create(resource: &Resource, namespace: Option<&str>, body: &Value) -> Self {
        Self::of(resource, namespace, None, Operation::Create(body::json(body)))
    }

    /// Server-side apply of an object, with strict validation.
    #[must_use]
    pub fn apply(resource: &Resource, namespace: Option<&str>, name: &str, body: &Value) -> Self {
        let operation = Operation::Apply { body: body::yaml(body), force: false };
        Self::of(resource, namespace, Some(name), operation).validation(FieldValidation::Strict)
    }

    /// A JSON patch of an object. It may be sent twice only where one of its tests fails the second time. A test
    /// that fails is [`Invalid`](super::ErrorKind::Invalid) (422) without causes.
    #[must_use]
    pub fn json_patch(resource: &Resource, namespace: Option<&str>, name: &str, patch: &[JsonPatch]) -> Self {
        // A list of plain data with string keys is always JSON.
        let body = serde_json::to_vec(patch).unwrap_or_default();
        Self::of(resource, namespace, Some(name), Operation::JsonPatch(body.into()))
    }

    /// Whether it is a JSON patch, which may begin with tests.
    #[must_use]
    pub fn is_json_patch(&self) -> bool {
        matches!(self.operation, Operation::JsonPatch(_))
    }

    /// Deletion of exactly this object in exactly this state, and in the background of what it owns.
    #[must_use]
    pub fn delete(resource: &Resource, namespace: Option<&str>, name: &str, uid: &str, version: &str) -> Self {
        let preconditions = Preconditions { uid: Some(uid.to_owned()), resource_version: Some(version.to_owned()) };
        Self::of(resource, namespace, Some(name), Operation::Delete(preconditions))
    }

    /// Deletion of exactly this object, in whatever state. For objects that only carrier creates, such as the CRD of a trial.
    #[must_use]
    pub fn delete_in_any_state(resource: &Resource, namespace: Option<&str>, name: &str, uid: &str) -> Self {
        let preconditions = Preconditions { uid: Some(uid.to_owned()), resource_version: None };
        Self::of(resource, namespace, Some(name), Operation::Delete(preconditions))
    }

    /// The same request to a subresource, such as `status`.
    #[must_use]
    pub fn subresource(mut self, sub: &'static str) -> Self {
        if let Target::Objects { subresource, .. } = &mut self.target {
            *subresource = Some(sub);
        }
        self
    }

    /// The same write by another field manager than [`FIELD_MANAGER`].
    #[must_use]
    pub fn field_manager(self, manager: &str) -> Self {
        Self { field_manager: manager.to_owned(), ..self }
    }

    /// The same write, with this validation of fields.
    #[must_use]
    pub fn validation(self, validation: FieldValidation) -> Self {
        Self { validation: Some(validation), ..self }
    }

    /// The same write; with `true` the server only says what would be.
    #[must_use]
    pub fn dry_run(self, dry_run: bool) -> Self {
        Self { dry_run, ..self }
    }

    /// The same apply; with `true` it takes over the fields of other managers.
    #[must_use]
    pub fn force(mut self, wanted: bool) -> Self {
        if let Operation::Apply { force, .. } = &mut self.operation {
            *force = wanted;
        }
        self
    }

    /// The same request, for metadata alone.
    #[must_use]
    pub fn metadata_only(self) -> Self {
        Self { metadata_only: true, ..self }
    }

    /// The same request, with an answer of at most so many bytes.
    #[must_use]
    pub fn at_most(self, bytes: usize) -> Self {
        Self { max_answer: Some(bytes), ..self }
    }

    /// The limit of [`Self::at_most`].
    #[must_use]
    pub fn max_answer(&self) -> Option<usize> {
        self.max_answer
    }

    /// The verb.
    #[must_use]
    pub fn verb(&self) -> Verb {
        match self.operation {
            Operation::Get => Verb::Get,
            Operation::List { .. } => Verb::List,
            Operation::Watch { .. } => Verb::Watch,
            Operation::Create(_) => Verb::Create,
            Operation::Apply { .. } | Operation::JsonPatch(_) => Verb::Patch,
            Operation::Delete(_) => Verb::Delete,
        }
    }

    /// Whether it could change something.
    #[must_use]
    pub fn is_write(&self) -> bool {
        matches!(self.verb(), Verb::Create | Verb::Patch | Verb::Delete) && !self.dry_run && !self.is_review()
    }

    /// Whether it only asks who we are, or what we may do: such a question is a creation, and nothing of it is stored.
    fn is_review(&self) -> bool {
        let is_of = |resource: &Resource| matches!(&*resource.group, "authentication.k8s.io" | "authorization.k8s.io");
        matches!(&self.target, Target::Objects { resource, .. } if is_of(resource))
    }

    /// Whether it is about objects in this namespace.
    pub(super) fn is_in_namespace(&self, wanted: &str) -> bool {
        matches!(&self.target, Target::Objects { namespace: Some(namespace), .. } if namespace == wanted)
    }
}

/// Says what is asked, without the body: it may hold a password.
impl std::fmt::Debug for ApiRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let uri = self.to_http().map(|request| request.uri().to_string());
        f.debug_struct("ApiRequest").field("verb", &self.verb()).field("uri", &uri).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
