//! From the description of a request to HTTP, by kube's own builders ([`kube::core::Request`]).
//!
//! They check that a name is not empty, since an empty one turns a DELETE of an object into one of the whole
//! collection. They do not check that a name, namespace, group, version or plural stays within its segment of
//! the path, so that is done here.

use bytes::Bytes;
use http::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE};
use http::{HeaderValue, Request};
use kube::api::{
    DeleteParams, GetParams, ListParams, Patch, PatchParams, PostParams, ValidationDirective, WatchParams,
};
use kube::core::{ApiResource, DynamicObject, Resource as _};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::{ApiRequest, FieldValidation, Operation, Target, Verb};
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
    /// An operation that a subresource does not have.
    #[error("no request can be made: {} applies to objects, and not to the subresource `{subresource}`", format!("{verb:?}").to_lowercase())]
    NoSubresource {
        /// The operation.
        verb: Verb,
        /// The subresource.
        subresource: &'static str,
    },
    /// A path that is no path.
    #[error("no request can be made: {0}")]
    Http(String),
}

impl ApiRequest {
    /// The request as HTTP.
    ///
    /// # Errors
    /// When a part of the path is not what it should be.
    pub fn to_http(&self) -> Result<Request<Bytes>, RequestError> {
        let (resource, namespace, name, subresource) = match &self.target {
            Target::Path(path, accept) => {
                let request = Request::get(*path).header(ACCEPT, *accept).body(Bytes::new());
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
            // As a request for the object itself it would do more than was asked for.
            let verb = self.verb();
            if matches!(verb, Verb::Delete | Verb::List | Verb::Watch) {
                return Err(RequestError::NoSubresource { verb, subresource });
            }
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
