//! Requests as they go to the server, and what is never sent.

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
    let expected = "/apis/rbac.authorization.k8s.io/v1/namespaces/b/roles?&fieldManager=carrier&fieldValidation=Strict";
    assert_eq!((uri(&create).as_str(), create.is_write()), (expected, true));

    let patch = [
        JsonPatch::Test { path: "/metadata/resourceVersion".into(), value: json!("7") },
        JsonPatch::Remove { path: "/spec/x".into() },
    ];
    let http = ApiRequest::json_patch(&role(), Some("b"), "a", &patch).to_http().expect("a patch");
    assert_eq!(http.headers()["content-type"], "application/json-patch+json");
    let expected = r#"[{"op":"test","path":"/metadata/resourceVersion","value":"7"},{"op":"remove","path":"/spec/x"}]"#;
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
