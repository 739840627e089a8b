//! Requests to an API server, as plain descriptions. Nothing is sent here.
//!
//! A description becomes HTTP by kube's own builders ([`kube::core::Request`]). They check that a name is
//! not empty, since an empty one turns a DELETE of an object into one of the whole collection. They do not
//! check that a name, namespace, group, version or plural stays within its segment of the path, so that is
//! done here.

use bytes::Bytes;
use http::header::{ACCEPT_ENCODING, CONTENT_TYPE};
use http::{HeaderValue, Request};
use kube::api::{
    DeleteParams, GetParams, ListParams, Patch, PatchParams, PostParams, Preconditions, ValidationDirective,
    WatchParams,
};
use kube::core::{ApiResource, DynamicObject, Resource as _};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use serde_json::Value;

pub use crate::model::managed_fields::FIELD_MANAGER;
use crate::model::names::{self, NameError};
use crate::model::resource::Resource;

/// What may stand in a segment of a path as it is. Names of Roles may hold anything but `/` and `%`.
const SEGMENT: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b':').remove(b'@');
const JSON_PATCH: HeaderValue = HeaderValue::from_static("application/json-patch+json");

/// Why a request cannot be built.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// A part of the path is not what it should be.
    #[error("no request can be made for the {part} {value:?}: {why}")]
    Name {
        /// The part: `name`, `namespace`, `group`, `version`, `plural` or `subresource`.
        part: &'static str,
        /// What was given, shortened.
        value: String,
        /// Why it is none.
        why: NameError,
    },
    /// An object of a namespaced kind without a namespace.
    #[error("no request can be made for one of the {plural}: they are in namespaces, and none is given")]
    NoNamespace {
        /// The plural of the kind.
        plural: String,
    },
    /// A path that is no path.
    #[error("no request can be made: {0}")]
    Http(String),
}

/// Objects of one kind: all of them, or those that selectors choose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    /// The kind.
    pub resource: Resource,
    /// The namespace; absent, all of them.
    pub namespace: Option<String>,
    /// A label selector.
    pub labels: Option<String>,
    /// A field selector.
    pub fields: Option<String>,
    /// Whether the objects come without all but their metadata.
    pub metadata_only: bool,
    /// The largest number of objects on a page of the list; absent, what fits the kind.
    pub page: Option<u32>,
}

impl Selection {
    /// All objects of a kind.
    #[must_use]
    pub fn all(resource: &Resource) -> Self {
        let resource = resource.clone();
        Self { resource, namespace: None, labels: None, fields: None, metadata_only: false, page: None }
    }

    /// The object of this name.
    #[must_use]
    pub fn named(resource: &Resource, name: &str) -> Self {
        Self { fields: Some(format!("metadata.name={name}")), ..Self::all(resource) }
    }

    /// Only those of a namespace; of all where it is `None`.
    #[must_use]
    pub fn within(self, namespace: Option<&str>) -> Self {
        Self { namespace: namespace.map(str::to_owned), ..self }
    }

    /// Only those that a label selector chooses.
    #[must_use]
    pub fn labels(self, selector: &str) -> Self {
        Self { labels: Some(selector.to_owned()), ..self }
    }

    /// Their metadata alone.
    #[must_use]
    pub fn metadata_only(self) -> Self {
        Self { metadata_only: true, ..self }
    }

    /// In pages of so many objects.
    #[must_use]
    pub fn paged(self, page: u32) -> Self {
        Self { page: Some(page), ..self }
    }
}

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
    /// A path of the server's own, outside of the resources.
    Path(&'static str),
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

/// An operation of a JSON patch (RFC 6902).
///
/// Ours and not the `json-patch` crate's behind a feature of kube: only the writing of it is needed.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "op", rename_all = "lowercase")]
pub enum JsonPatch {
    /// The patch as a whole is refused unless the value is this one.
    Test {
        /// JSON pointer.
        path: String,
        /// The value that has to be there.
        value: Value,
    },
    /// Adds a field, or an item of a list.
    Add {
        /// JSON pointer.
        path: String,
        /// The new value.
        value: Value,
    },
    /// Replaces a value.
    Replace {
        /// JSON pointer.
        path: String,
        /// The new value.
        value: Value,
    },
    /// Removes a value; it is an error if there is none.
    Remove {
        /// JSON pointer.
        path: String,
    },
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
        Self::new(Target::Path("/version"), Operation::Get)
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
        Self::of(resource, namespace, None, Operation::Create(bytes(body)))
    }

    /// Server-side apply of an object, with strict validation.
    #[must_use]
    pub fn apply(resource: &Resource, namespace: Option<&str>, name: &str, body: &Value) -> Self {
        let operation = Operation::Apply { body: bytes(body), force: false };
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

    /// Deletion of exactly this object in exactly this state, and in the background of what it owns.
    #[must_use]
    pub fn delete(resource: &Resource, namespace: Option<&str>, name: &str, uid: &str, version: &str) -> Self {
        let preconditions = Preconditions { uid: Some(uid.to_owned()), resource_version: Some(version.to_owned()) };
        Self::of(resource, namespace, Some(name), Operation::Delete(preconditions))
    }

    /// Deletion of exactly this object, in whatever state. For what nobody but us can want.
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
        matches!(self.verb(), Verb::Create | Verb::Patch | Verb::Delete) && !self.dry_run
    }

    /// Whether it is about objects in this namespace.
    pub(super) fn is_in_namespace(&self, wanted: &str) -> bool {
        matches!(&self.target, Target::Objects { namespace: Some(namespace), .. } if namespace == wanted)
    }

    /// The request as HTTP.
    ///
    /// # Errors
    /// When a part of the path is not what it should be.
    pub fn to_http(&self) -> Result<Request<Bytes>, RequestError> {
        let (resource, namespace, name, subresource) = match &self.target {
            Target::Path(path) => {
                let request = Request::get(*path).body(Bytes::new());
                return request.map_err(|error| RequestError::Http(error.to_string()));
            }
            Target::Objects { resource, namespace, name, subresource } => (resource, namespace, name, subresource),
        };
        let path = collection(resource, namespace.as_deref())?;
        let on_one = !matches!(self.operation, Operation::List { .. } | Operation::Watch { .. });
        if on_one && resource.namespaced && namespace.is_none() {
            return Err(RequestError::NoNamespace { plural: resource.plural.clone() });
        }
        if let Some(subresource) = subresource {
            part("subresource", subresource, names::dns_1035_label(subresource))?;
        }
        let name = match name {
            Some(name) => {
                part("name", name, names::path_segment(name))?;
                utf8_percent_encode(name, SEGMENT).to_string()
            }
            None => String::new(),
        };
        self.built(&kube::core::Request::new(path), &name, *subresource)
    }

    fn built(
        &self,
        kube: &kube::core::Request,
        name: &str,
        subresource: Option<&str>,
    ) -> Result<Request<Bytes>, RequestError> {
        let empty = |request: Request<Vec<u8>>| request.map(Bytes::from);
        let request = match (&self.operation, subresource) {
            (Operation::Get, None) if self.metadata_only => kube.get_metadata(name, &GetParams::default()).map(empty),
            (Operation::Get, None) => kube.get(name, &GetParams::default()).map(empty),
            (Operation::Get, Some(sub)) => kube.get_subresource(sub, name).map(empty),
            (Operation::List { labels, fields, limit, token }, _) => {
                let list = ListParams {
                    label_selector: labels.clone(),
                    field_selector: fields.clone(),
                    limit: Some(*limit),
                    continue_token: token.clone(),
                    ..ListParams::default()
                };
                if self.metadata_only { kube.list_metadata(&list) } else { kube.list(&list) }.map(empty)
            }
            (Operation::Watch { labels, fields, from, seconds }, _) => {
                let watch = WatchParams {
                    label_selector: labels.clone(),
                    field_selector: fields.clone(),
                    timeout: Some(*seconds),
                    ..WatchParams::default()
                };
                let request =
                    if self.metadata_only { kube.watch_metadata(&watch, from) } else { kube.watch(&watch, from) };
                request.map(|mut request| {
                    // Servers from 1.37 compress each event by itself, and the decoder reads only the first.
                    request.headers_mut().insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
                    empty(request)
                })
            }
            (Operation::Create(body), sub) => {
                let post = PostParams { dry_run: self.dry_run, field_manager: Some(self.field_manager.clone()) };
                let request = match sub {
                    None => kube.create(&post, Vec::new()),
                    Some(sub) => kube.create_subresource(sub, name, &post, Vec::new()),
                };
                request.map(|request| request.map(|_| body.clone()))
            }
            (Operation::Apply { body, force }, sub) => {
                let patch = PatchParams { force: *force, ..self.patch_params() };
                self.patched(kube, name, sub, &patch, &Patch::Apply(())).map(|request| request.map(|_| body.clone()))
            }
            (Operation::JsonPatch(body), sub) => {
                // kube writes JSON patches only with the crate of that name; as a merge patch the request
                // differs in its content type.
                self.patched(kube, name, sub, &self.patch_params(), &Patch::Merge(())).map(|mut request| {
                    request.headers_mut().insert(CONTENT_TYPE, JSON_PATCH);
                    request.map(|_| body.clone())
                })
            }
            (Operation::Delete(preconditions), _) => {
                let delete = DeleteParams { dry_run: self.dry_run, ..DeleteParams::background() };
                kube.delete(name, &delete.preconditions(preconditions.clone())).map(empty)
            }
        };
        let request = request.map_err(|error| RequestError::Http(error.to_string()))?;
        // kube has this parameter for patches alone.
        match (&self.operation, self.validation) {
            (Operation::Create(_), Some(validation)) => with_query(request, "fieldValidation", validation.word()),
            _ => Ok(request),
        }
    }

    fn patch_params(&self) -> PatchParams {
        let field_validation = self.validation.map(|validation| match validation {
            FieldValidation::Strict => ValidationDirective::Strict,
            FieldValidation::Ignore => ValidationDirective::Ignore,
        });
        let field_manager = Some(self.field_manager.clone());
        PatchParams { dry_run: self.dry_run, force: false, field_manager, field_validation }
    }

    /// A patch with an empty body: ours is bytes already, so that it is written once for all tries.
    fn patched(
        &self,
        kube: &kube::core::Request,
        name: &str,
        subresource: Option<&str>,
        params: &PatchParams,
        patch: &Patch<()>,
    ) -> Result<Request<Vec<u8>>, kube::core::request::Error> {
        match subresource {
            None if self.metadata_only => kube.patch_metadata(name, params, patch),
            None => kube.patch(name, params, patch),
            Some(sub) => kube.patch_subresource(sub, name, params, patch),
        }
    }
}

/// Says what is asked, without the body: it may hold a password.
impl std::fmt::Debug for ApiRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let uri = self.to_http().map(|request| request.uri().to_string());
        f.debug_struct("ApiRequest").field("verb", &self.verb()).field("uri", &uri).finish_non_exhaustive()
    }
}

impl FieldValidation {
    fn word(self) -> &'static str {
        match self {
            Self::Strict => "Strict",
            Self::Ignore => "Ignore",
        }
    }
}

/// The path of the objects of a resource: of one namespace, or of all.
fn collection(resource: &Resource, namespace: Option<&str>) -> Result<String, RequestError> {
    if !resource.group.is_empty() {
        part("group", &resource.group, names::dns_subdomain(&resource.group))?;
    }
    part("version", &resource.version, names::dns_1035_label(&resource.version))?;
    part("plural", &resource.plural, names::dns_1035_label(&resource.plural))?;
    if let Some(namespace) = namespace {
        part("namespace", namespace, names::dns_label(namespace))?;
    }
    let api = ApiResource {
        group: resource.group.clone(),
        version: resource.version.clone(),
        api_version: resource.api_version(),
        kind: resource.kind.clone(),
        plural: resource.plural.clone(),
    };
    Ok(DynamicObject::url_path(&api, namespace))
}

fn part(part: &'static str, value: &str, checked: Result<(), NameError>) -> Result<(), RequestError> {
    checked.map_err(|why| RequestError::Name { part, value: value.chars().take(300).collect(), why })
}

fn with_query(request: Request<Bytes>, key: &str, word: &str) -> Result<Request<Bytes>, RequestError> {
    let (mut parts, body) = request.into_parts();
    let before = parts.uri.to_string();
    let joint = if before.ends_with(['?', '&']) { "" } else { "&" };
    parts.uri = format!("{before}{joint}{key}={word}").parse().map_err(|_| RequestError::Http(before))?;
    Ok(Request::from_parts(parts, body))
}

fn bytes(body: &Value) -> Bytes {
    body.to_string().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn role() -> Resource {
        Resource::new("rbac.authorization.k8s.io", "v1", "Role", "roles", true)
    }

    fn uri(request: &ApiRequest) -> String {
        request.to_http().expect("it can be built").uri().to_string()
    }

    #[test]
    fn paths_are_those_of_the_api() {
        let spaces = Resource::namespaces();
        assert_eq!(uri(&ApiRequest::object(spaces, None, "a")), "/api/v1/namespaces/a");
        assert_eq!(uri(&ApiRequest::object(spaces, Some("ignored"), "a")), "/api/v1/namespaces/a");
        let page = Selection::all(spaces).labels("a=b").metadata_only();
        let list = ApiRequest::list(&page, 500, Some("x y")).to_http().expect("a list");
        assert_eq!(list.uri(), "/api/v1/namespaces?&labelSelector=a%3Db&limit=500&continue=x+y");
        assert!(list.headers()["accept"].to_str().is_ok_and(|accept| accept.contains("PartialObjectMetadataList")));
        let roles = Selection::named(&role(), "a").within(Some("b"));
        let expected = "/apis/rbac.authorization.k8s.io/v1/namespaces/b/roles?&watch=true&timeoutSeconds=40\
                        &fieldSelector=metadata.name%3Da&allowWatchBookmarks=true&resourceVersion=7";
        assert_eq!(uri(&ApiRequest::watch(&roles, "7", 40)), expected);
    }

    #[test]
    fn writes_carry_their_parameters() {
        let body = json!({"a": 1});
        let apply = ApiRequest::apply(&role(), Some("b"), "kubecarrier:a", &body);
        let apply = apply.force(true).dry_run(true).field_manager("sync").subresource("status");
        let http = apply.to_http().expect("an apply");
        let expected = "/apis/rbac.authorization.k8s.io/v1/namespaces/b/roles/kubecarrier:a/status\
                        ?&dryRun=All&force=true&fieldManager=sync&fieldValidation=Strict";
        assert_eq!(http.uri(), expected);
        assert_eq!(http.headers()["content-type"], "application/apply-patch+yaml");
        assert_eq!((http.body().as_ref(), apply.is_write()), (br#"{"a":1}"#.as_slice(), false));

        let create = ApiRequest::create(&role(), Some("b"), &body).validation(FieldValidation::Strict);
        let expected =
            "/apis/rbac.authorization.k8s.io/v1/namespaces/b/roles?&fieldManager=carrier&fieldValidation=Strict";
        assert_eq!((uri(&create).as_str(), create.is_write()), (expected, true));

        let patch = [
            JsonPatch::Test { path: "/metadata/resourceVersion".into(), value: json!("7") },
            JsonPatch::Remove { path: "/spec/x".into() },
        ];
        let http = ApiRequest::json_patch(&role(), Some("b"), "a", &patch).to_http().expect("a patch");
        assert_eq!(http.headers()["content-type"], "application/json-patch+json");
        let expected =
            r#"[{"op":"test","path":"/metadata/resourceVersion","value":"7"},{"op":"remove","path":"/spec/x"}]"#;
        assert_eq!(http.body().as_ref(), expected.as_bytes());
    }

    #[test]
    fn a_deletion_names_what_it_deletes() {
        let http = ApiRequest::delete(Resource::namespaces(), None, "a", "u", "7").dry_run(true).to_http();
        let http = http.expect("a deletion");
        let options: Value = serde_json::from_slice(http.body()).expect("JSON");
        // The server goes by the body alone where there is one.
        let expected = json!({
            "dryRun": ["All"], "propagationPolicy": "Background", "preconditions": {"uid": "u", "resourceVersion": "7"},
        });
        assert_eq!((http.uri().path(), options), ("/api/v1/namespaces/a", expected));
    }

    #[test]
    fn what_is_no_name_makes_no_request() {
        let (body, role) = (json!({}), role());
        for name in ["", ".", "..", "a/b", "a%2fb"] {
            for request in [
                ApiRequest::object(&role, Some("b"), name),
                ApiRequest::object(&role, Some("b"), name).metadata_only(),
                ApiRequest::apply(&role, Some("b"), name, &body),
                ApiRequest::json_patch(&role, Some("b"), name, &[]),
                ApiRequest::delete(&role, Some("b"), name, "u", "7"),
                ApiRequest::delete_in_any_state(&role, Some("b"), name, "u"),
            ] {
                let error = request.to_http().expect_err(name);
                assert!(matches!(error, RequestError::Name { part: "name", .. }), "{error}");
            }
        }
        for namespace in ["", "..", "a/b", "A", "a?b"] {
            let error = ApiRequest::object(&role, Some(namespace), "a").to_http().expect_err(namespace);
            assert!(matches!(error, RequestError::Name { part: "namespace", .. }), "{error}");
        }
        for (group, version, plural, expected) in [
            ("a/b", "v1", "as", "group"),
            ("a.b", "", "as", "version"),
            ("a.b", "v1?x", "as", "version"),
            ("a.b", "v1", "", "plural"),
            ("a.b", "v1", "as/status", "plural"),
        ] {
            let kind = Resource::new(group, version, "A", plural, false);
            let error = ApiRequest::list(&Selection::all(&kind), 1, None).to_http().expect_err(expected);
            assert!(matches!(error, RequestError::Name { part, .. } if part == expected), "{error}");
        }
        let error = ApiRequest::object(&role, None, "a").to_http();
        assert_eq!(error.err(), Some(RequestError::NoNamespace { plural: "roles".into() }));
    }

    #[test]
    fn a_name_stays_within_its_segment() {
        for (name, segment) in [("a?x=y", "a%3Fx%3Dy"), ("a#b", "a%23b"), ("ü b", "%C3%BC%20b"), ("a:b@c", "a:b@c")] {
            let http = ApiRequest::object(&role(), Some("b"), name).to_http().expect(name);
            assert_eq!(http.uri().path(), format!("/apis/rbac.authorization.k8s.io/v1/namespaces/b/roles/{segment}"));
            assert_eq!(http.uri().query(), None);
        }
    }
}
