//! Requests to an API server, as paths and queries. Nothing is sent here.

use http::{Method, Request};
use serde_json::Value;

use crate::model::resource::Resource;

pub use crate::model::managed_fields::FIELD_MANAGER;

/// A request.
#[derive(Debug, Clone, PartialEq)]
pub struct ApiRequest {
    /// The method.
    pub method: Method,
    /// Path and query.
    pub path: String,
    /// What the body is, where there is one.
    pub content_type: Option<&'static str>,
    /// The body.
    pub body: Vec<u8>,
    /// What is wanted back.
    pub accept: &'static str,
}

const JSON: &str = "application/json";
/// Bodies of objects without all but their metadata.
const METADATA: &str = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";
const METADATA_LIST: &str = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";

/// Where the objects of a resource are: of one namespace, or of all.
#[must_use]
pub fn collection(resource: &Resource, namespace: Option<&str>) -> String {
    let version = &resource.version;
    let root = match resource.group.as_str() {
        "" => format!("/api/{version}"),
        group => format!("/apis/{group}/{version}"),
    };
    match namespace.filter(|_| resource.namespaced) {
        Some(namespace) => format!("{root}/namespaces/{namespace}/{}", resource.plural),
        None => format!("{root}/{}", resource.plural),
    }
}

impl ApiRequest {
    /// GET of a path.
    #[must_use]
    pub fn get(path: impl Into<String>) -> Self {
        Self { method: Method::GET, path: path.into(), content_type: None, body: Vec::new(), accept: JSON }
    }

    /// One object.
    #[must_use]
    pub fn object(resource: &Resource, namespace: Option<&str>, name: &str) -> Self {
        Self::get(format!("{}/{name}", collection(resource, namespace)))
    }

    /// A page of a list, of all namespaces where `namespace` is `None`.
    #[must_use]
    pub fn list(resource: &Resource, namespace: Option<&str>, page: &Page<'_>) -> Self {
        let mut query = vec![format!("limit={}", page.limit)];
        if let Some(selector) = page.labels {
            query.push(format!("labelSelector={}", encoded(selector)));
        }
        if let Some(token) = page.token {
            query.push(format!("continue={}", encoded(token)));
        }
        let mut call = Self::get(format!("{}?{}", collection(resource, namespace), query.join("&")));
        if page.metadata_only {
            call.accept = METADATA_LIST;
        }
        call
    }

    /// Server-side apply of an object. `dry_run` writes nothing; `force` takes fields of others.
    #[must_use]
    pub fn apply(resource: &Resource, namespace: Option<&str>, name: &str, body: &Value, how: Apply) -> Self {
        let mut query = format!("fieldManager={FIELD_MANAGER}&fieldValidation=Strict&force={}", how.force);
        if how.dry_run {
            query.push_str("&dryRun=All");
        }
        Self {
            method: Method::PATCH,
            path: format!("{}/{name}?{query}", collection(resource, namespace)),
            content_type: Some("application/apply-patch+yaml"),
            body: body.to_string().into_bytes(),
            accept: JSON,
        }
    }

    /// Creation of an object. `query` holds further parameters, such as `dryRun=All`.
    #[must_use]
    pub fn create(resource: &Resource, namespace: Option<&str>, body: &Value, query: &str) -> Self {
        Self {
            method: Method::POST,
            path: format!("{}?fieldManager={FIELD_MANAGER}&{query}", collection(resource, namespace)),
            content_type: Some(JSON),
            body: body.to_string().into_bytes(),
            accept: JSON,
        }
    }

    /// Deletion of exactly this object in exactly this state, and in the background of what it owns.
    #[must_use]
    pub fn delete(resource: &Resource, namespace: Option<&str>, name: &str, uid: &str, version: &str) -> Self {
        Self::deletion(resource, namespace, name, &serde_json::json!({ "uid": uid, "resourceVersion": version }))
    }

    /// Deletion of exactly this object, in whatever state. For what nobody but us can want.
    #[must_use]
    pub fn delete_in_any_state(resource: &Resource, namespace: Option<&str>, name: &str, uid: &str) -> Self {
        Self::deletion(resource, namespace, name, &serde_json::json!({ "uid": uid }))
    }

    fn deletion(resource: &Resource, namespace: Option<&str>, name: &str, preconditions: &Value) -> Self {
        let options = serde_json::json!({
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "propagationPolicy": "Background",
            "preconditions": preconditions,
        });
        Self {
            method: Method::DELETE,
            path: format!("{}/{name}", collection(resource, namespace)),
            content_type: Some(JSON),
            body: options.to_string().into_bytes(),
            accept: JSON,
        }
    }

    /// The same call, for metadata alone.
    #[must_use]
    pub fn metadata_only(mut self) -> Self {
        self.accept = METADATA;
        self
    }

    /// As HTTP.
    ///
    /// # Errors
    /// When the path has characters that no path has.
    pub fn request(&self) -> Result<Request<Vec<u8>>, http::Error> {
        let mut request = Request::builder().method(&self.method).uri(&self.path).header("accept", self.accept);
        if let Some(kind) = self.content_type {
            request = request.header("content-type", kind);
        }
        request.body(self.body.clone())
    }
}

/// A page of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page<'a> {
    /// How many objects at most.
    pub limit: u32,
    /// A label selector.
    pub labels: Option<&'a str>,
    /// Where the page before ended.
    pub token: Option<&'a str>,
    /// Whether the objects' metadata will do.
    pub metadata_only: bool,
}

/// How to apply.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Apply {
    /// Ask the server what would be, and write nothing.
    pub dry_run: bool,
    /// Take over fields of other managers.
    pub force: bool,
}

/// Text as the value of a query parameter.
#[must_use]
pub fn encoded(text: &str) -> String {
    use std::fmt::Write as _;
    text.bytes().fold(String::with_capacity(text.len()), |mut out, byte| {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            // Writing to a String cannot fail.
            _ => drop(write!(out, "%{byte:02X}")),
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_those_of_the_api() {
        let role = Resource::new("rbac.authorization.k8s.io", "v1", "Role", "roles", true);
        assert_eq!(collection(&role, Some("a")), "/apis/rbac.authorization.k8s.io/v1/namespaces/a/roles");
        assert_eq!(collection(&role, None), "/apis/rbac.authorization.k8s.io/v1/roles");
        let namespace = Resource::new("", "v1", "Namespace", "namespaces", false);
        assert_eq!(ApiRequest::object(&namespace, None, "a").path, "/api/v1/namespaces/a");
        let page = Page { limit: 500, labels: Some("a=b"), token: None, metadata_only: true };
        assert_eq!(ApiRequest::list(&namespace, None, &page).path, "/api/v1/namespaces?limit=500&labelSelector=a%3Db");
    }
}
