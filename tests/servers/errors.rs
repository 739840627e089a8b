//! What real API servers answer when something is wrong, and what kind of error the client makes of it; and the
//! writes that sync is built of, with their parameters.

use std::time::Duration;

use carrier::clusters::Outcome;
use carrier::clusters::{ApiRequest, Cluster, ClusterError, ErrorKind, Limits, Selection};
use carrier::clusters::{FieldValidation, JsonPatch, Verb};
use carrier::clusters::{FileSource, from_files};
use carrier::names::Resource;
use carrier::names::Target;
use futures::future::join_all;
use serde_json::{Value, json};

use crate::support::{Access, Case, ControlPlane, ControlPlanes, Failed, TestResult, cases, eventually, shared};

pub(crate) fn cases() -> Vec<Case> {
    cases![
        an_object_that_is_absent,
        a_namespace_that_is_absent,
        a_kind_that_is_absent,
        conflicts_of_names_versions_and_fields,
        what_is_not_valid,
        who_may_not,
        a_busy_server_is_told_from_a_broken_one,
        what_is_absent_in_deletion_is_told_apart,
        writes_by_several_managers,
        a_hostile_name_reaches_no_other_object,
    ]
}

pub(crate) async fn client(access: &Access) -> Cluster {
    client_within(access, Duration::from_secs(10)).await
}

async fn client_within(access: &Access, deadline: Duration) -> Cluster {
    let source = FileSource { paths: vec![access.kubeconfig_path().to_owned()], ..FileSource::default() };
    let config = from_files(&source).await.expect("the harness writes good kubeconfigs");
    let limits = Limits { deadline, ..Limits::default() };
    Cluster::new(Target::Management, config, limits).expect("and good certificates")
}

pub(crate) fn config_maps() -> Resource {
    Resource::new("", "v1", "ConfigMap", "configmaps", true)
}

pub(crate) fn config_map(name: &str, data: &Value) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data})
}

/// A CRD of the group `GROUP` with the field `.spec.size`, at least 1, and a status of its own.
pub(crate) fn crd(group: &str, plural: &str, kind: &str) -> Value {
    let size = json!({"type": "integer", "minimum": 1});
    let spec = json!({"type": "object", "properties": {"size": size}, "x-kubernetes-validations": [
        {"rule": "self.size < 100", "message": "too big"},
    ]});
    let status = json!({"type": "object", "properties": {"ready": {"type": "boolean"}}});
    let schema = json!({"type": "object", "properties": {"spec": spec, "status": status}});
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("{plural}.{group}")},
        "spec": {"group": group, "scope": "Namespaced", "names": {"plural": plural, "kind": kind}, "versions": [{
            "name": "v1", "served": true, "storage": true, "subresources": {"status": {}},
            "schema": {"openAPIV3Schema": schema},
        }]},
    })
}

/// Creates a CRD and waits until it is served.
pub(crate) async fn served(plane: &ControlPlane, crd: &Value) -> TestResult {
    let name = crd["metadata"]["name"].as_str().ok_or("a name")?;
    plane.kubectl_with(&["create", "-f", "-"], &crd.to_string()).await?;
    plane.established(&[name]).await;
    eventually("it is served", async || plane.kubectl(&["get", name]).await.is_ok()).await;
    Ok(())
}

fn error<T>(what: &str, result: Result<T, ClusterError>) -> ClusterError {
    let Err(error) = result else { panic!("{what}: it succeeds") };
    eprintln!("{what}: {:?} {:?}: {}", error.kind, error.status, error.message);
    error
}

/// A cluster to ask, a namespace, and a custom kind of a group of the test's own.
struct Scene {
    cluster: Cluster,
    namespace: String,
    dbs: Resource,
}

impl Scene {
    async fn new(plane: &ControlPlane, group: &str) -> Result<Self, Failed> {
        served(plane, &crd(group, "dbs", "Db")).await?;
        let namespace = plane.namespace("errors").await?;
        let dbs = Resource::new(group, "v1", "Db", "dbs", true);
        Ok(Self { cluster: client(plane.admin()).await, namespace, dbs })
    }

    fn db(&self, spec: &Value) -> Value {
        json!({"apiVersion": self.dbs.api_version(), "kind": "Db", "metadata": {"name": "a"}, "spec": spec})
    }

    /// Each of these requests ends in an error of this kind.
    async fn all_end_in(&self, kind: ErrorKind, requests: impl IntoIterator<Item = ApiRequest>) {
        for request in requests {
            assert_eq!(error(&format!("{request:?}"), self.cluster.call(&request).await).kind, kind);
        }
    }
}

async fn an_object_that_is_absent() -> TestResult {
    let planes = shared().await?;
    let scene = Scene::new(&planes["management"], "absent.example.com").await?;
    let (cluster, within, maps, dbs) = (&scene.cluster, Some(scene.namespace.as_str()), config_maps(), &scene.dbs);
    let absent = error("object", cluster.call(&ApiRequest::object(&maps, within, "none")).await);
    let status = absent.status.ok_or("the server answered")?;
    assert_eq!((absent.kind, status.kind.as_str(), status.name.as_str()), (ErrorKind::NotFound, "configmaps", "none"));
    let absent = error("custom object", cluster.call(&ApiRequest::object(dbs, within, "none")).await);
    let group = absent.status.map(|status| status.group);
    assert_eq!((absent.kind, group.as_deref()), (ErrorKind::NotFound, Some("absent.example.com")));
    let requests = [
        ApiRequest::object(Resource::namespaces(), None, "none"),
        ApiRequest::object(&maps, Some("none"), "none"),
        ApiRequest::object(dbs, Some("none"), "none").metadata_only(),
        ApiRequest::delete_in_any_state(dbs, within, "none", "u"),
        ApiRequest::json_patch(&maps, within, "none", &[JsonPatch::Remove { path: "/data".into() }]),
    ];
    scene.all_end_in(ErrorKind::NotFound, requests).await;
    Ok(())
}

async fn a_namespace_that_is_absent() -> TestResult {
    let planes = shared().await?;
    let scene = Scene::new(&planes["management"], "nowhere.example.com").await?;
    let (body, db) = (config_map("a", &json!({})), scene.db(&json!({"size": 1})));
    let (maps, dbs, none) = (config_maps(), &scene.dbs, Some("none"));
    let requests = [
        ApiRequest::create(&maps, none, &body),
        ApiRequest::apply(&maps, none, "a", &body),
        ApiRequest::apply(&maps, none, "a", &body).dry_run(true),
        ApiRequest::create(dbs, none, &db),
        ApiRequest::apply(dbs, none, "a", &db),
    ];
    scene.all_end_in(ErrorKind::NamespaceNotFound, requests).await;
    Ok(())
}

async fn a_kind_that_is_absent() -> TestResult {
    let planes = shared().await?;
    let scene = Scene::new(&planes["management"], "kinds.example.com").await?;
    let (within, body) = (Some(scene.namespace.as_str()), config_map("a", &json!({})));
    for (group, version, plural) in [
        ("none.example.com", "v1", "nones"),
        ("kinds.example.com", "v2", "dbs"),
        ("kinds.example.com", "v1", "nones"),
        ("", "v1", "nones"),
        ("apps", "v1", "nones"),
    ] {
        let kind = Resource::new(group, version, "None", plural, true);
        let requests = [
            ApiRequest::object(&kind, within, "a"),
            ApiRequest::object(&kind, within, "a").metadata_only(),
            ApiRequest::list(&Selection::all(&kind), 1, None),
            ApiRequest::list(&Selection::all(&kind).metadata_only(), 1, None),
            ApiRequest::create(&kind, within, &body),
            ApiRequest::apply(&kind, within, "a", &body),
            ApiRequest::delete_in_any_state(&kind, within, "a", "u"),
        ];
        scene.all_end_in(ErrorKind::KindNotFound, requests).await;
    }
    Ok(())
}

async fn conflicts_of_names_versions_and_fields() -> TestResult {
    let planes = shared().await?;
    let scene = Scene::new(&planes["management"], "conflicts.example.com").await?;
    let (cluster, within, maps) = (&scene.cluster, Some(scene.namespace.as_str()), config_maps());
    let create = ApiRequest::create(&maps, within, &config_map("a", &json!({"x": "1"})));
    let made = cluster.call(&create).await?;
    let uid = made["metadata"]["uid"].as_str().ok_or("a UID")?;
    scene.all_end_in(ErrorKind::AlreadyExists, [create]).await;
    // An apply that creates, or nothing.
    let mut create_only = config_map("a", &json!({"y": "1"}));
    create_only["metadata"]["resourceVersion"] = json!("1");
    let requests = [
        ApiRequest::apply(&maps, within, "a", &create_only),
        ApiRequest::delete(&maps, within, "a", uid, "1"),
        ApiRequest::delete_in_any_state(&maps, within, "a", "another"),
    ];
    scene.all_end_in(ErrorKind::VersionConflict, requests).await;
    let other = ApiRequest::apply(&maps, within, "a", &config_map("a", &json!({"x": "2"}))).field_manager("other");
    let fields = error("fields", cluster.call(&other).await);
    assert_eq!(fields.kind, ErrorKind::FieldConflict);
    let conflicts: Vec<_> = fields.conflicts().into_iter().map(|c| (c.manager, c.field)).collect();
    assert_eq!(conflicts, [("carrier".to_owned(), ".data.x".to_owned())]);
    cluster.call(&other.force(true)).await?;
    Ok(())
}

async fn what_is_not_valid() -> TestResult {
    let planes = shared().await?;
    let scene = Scene::new(&planes["management"], "invalid.example.com").await?;
    let (cluster, within, maps) = (&scene.cluster, Some(scene.namespace.as_str()), config_maps());
    let refused = async |what: &str, spec: Value| {
        let create = ApiRequest::create(&scene.dbs, within, &scene.db(&spec)).validation(FieldValidation::Strict);
        let error = error(what, cluster.call(&create.dry_run(true)).await);
        assert_eq!(error.kind, ErrorKind::Invalid, "{what}");
        error
    };
    let field = |name: &str| vec![(name.to_owned(), "FieldValueInvalid".to_owned())];
    assert_eq!(refused("rule", json!({"size": 100})).await.fields(), field("spec"));
    // The notice that rules were not looked at is of the object as a whole.
    let schema = refused("schema", json!({"size": 0})).await;
    assert_eq!(schema.fields()[..1], field("spec.size"));
    assert!(schema.fields()[1..].iter().all(|(field, _)| field == "<nil>"), "{:?}", schema.fields());
    let unknown = refused("unknown", json!({"size": 1, "other": 1})).await;
    assert_eq!(unknown.unknown_fields().into_iter().collect::<Vec<_>>(), ["spec.other"]);
    cluster.call(&ApiRequest::create(&maps, within, &config_map("a", &json!({"x": "1"})))).await?;
    let test = [JsonPatch::Test { path: "/data/x".into(), value: json!("no") }];
    let requests = [
        ApiRequest::json_patch(&maps, within, "a", &test),
        ApiRequest::list(&Selection::all(&maps), 1, Some("no token")),
    ];
    scene.all_end_in(ErrorKind::Invalid, requests).await;
    Ok(())
}

async fn who_may_not() -> TestResult {
    let planes = shared().await?;
    let plane = &planes["management"];
    let nobody = client(&plane.impersonate("nobody", &[]).await?).await;
    let forbidden = error("object", nobody.call(&ApiRequest::object(&config_maps(), Some("default"), "a")).await);
    assert_eq!(forbidden.kind, ErrorKind::Forbidden);
    let none = Selection::all(&Resource::new("none.example.com", "v1", "None", "nones", true));
    let listed = error("kind", nobody.call(&ApiRequest::list(&none, 1, None)).await);
    assert_eq!(listed.kind, ErrorKind::Forbidden, "who may not ask is not told what there is");
    Ok(())
}

/// A server with room for one request at a time, and sixteen that come at once.
async fn a_busy_server_is_told_from_a_broken_one() -> TestResult {
    let planes = ControlPlanes::builder().max_reads(1).start(&["management"]).await?;
    // Administrators always get an answer.
    let access = planes["management"].user("busy", &[]).await?;
    // The server wants to be asked again after a second, and that is too late: so the first answer comes back.
    let busy = client_within(&access, Duration::from_millis(900)).await;
    let request = ApiRequest::object(Resource::namespaces(), None, "default");
    let found = std::sync::Mutex::new(None);
    let is_busy = async || {
        let answers = join_all((0..100).map(|_| busy.call(&request))).await;
        let error = answers.into_iter().filter_map(Result::err).find(|error| error.kind == ErrorKind::Busy);
        let is_found = error.is_some();
        *found.lock().expect("no panic") = error;
        is_found
    };
    eventually("two requests meet", is_busy).await;
    let error = found.into_inner()?.ok_or("it was found")?;
    assert_eq!(error.status.as_ref().map(|status| status.code), Some(429), "{error:?}");
    assert_eq!(error.retry_after(), Some(Duration::from_secs(1)), "{error:?}");
    assert!(busy.counters().count(Verb::Get, Outcome::Busy) >= 1);
    Ok(())
}

async fn what_is_absent_in_deletion_is_told_apart() -> TestResult {
    let planes = ControlPlanes::start(&["management"]).await?;
    let plane = &planes["management"];
    let cluster = client(plane.admin()).await;
    // Without the controllers, a namespace in deletion stays.
    plane.kubectl(&["create", "namespace", "going"]).await?;
    plane.kubectl(&["delete", "namespace", "going", "--wait=false"]).await?;
    let body = config_map("a", &json!({}));
    let refused =
        error("terminating", cluster.call(&ApiRequest::apply(&config_maps(), Some("going"), "a", &body)).await);
    assert_eq!(refused.kind, ErrorKind::Forbidden);
    assert_eq!(refused.fields(), [("metadata.namespace".to_owned(), "NamespaceTerminating".to_owned())]);
    Ok(())
}

async fn writes_by_several_managers() -> TestResult {
    let planes = shared().await?;
    let plane = &planes["management"];
    let cluster = client(plane.admin()).await;
    let namespace = plane.namespace("managers").await?;
    let within = Some(namespace.as_str());
    served(plane, &crd("managers.example.com", "dbs", "Db")).await?;
    let dbs = Resource::new("managers.example.com", "v1", "Db", "dbs", true);
    let db = |part: &str, value: Value| {
        let mut body = json!({"apiVersion": "managers.example.com/v1", "kind": "Db", "metadata": {"name": "a"}});
        body[part] = value;
        body
    };
    let spec = ApiRequest::apply(&dbs, within, "a", &db("spec", json!({"size": 1}))).field_manager("down");
    assert!(!cluster.call(&spec.clone().dry_run(true)).await?["metadata"]["uid"].is_null());
    assert!(cluster.call(&ApiRequest::object(&dbs, within, "a")).await.is_err(), "a dry run writes nothing");
    cluster.call(&spec).await?;
    let status = ApiRequest::apply(&dbs, within, "a", &db("status", json!({"ready": true})));
    let status = status.field_manager("up").subresource("status");
    let written = cluster.call(&status).await?;
    assert_eq!((&written["spec"]["size"], &written["status"]["ready"]), (&json!(1), &json!(true)));
    let managers = written["metadata"]["managedFields"].as_array().into_iter().flatten();
    let managers: Vec<_> = managers.map(|m| (m["manager"].as_str(), m["subresource"].as_str())).collect();
    assert_eq!(managers, [(Some("down"), None), (Some("up"), Some("status"))]);
    let read = ApiRequest::object(&dbs, within, "a").subresource("status");
    assert_eq!(cluster.call(&read).await?["status"]["ready"], json!(true));

    let version = written["metadata"]["resourceVersion"].clone();
    let patch = |version: Value| {
        let test = JsonPatch::Test { path: "/metadata/resourceVersion".into(), value: version };
        [test, JsonPatch::Replace { path: "/spec/size".into(), value: json!(2) }]
    };
    let at = ApiRequest::json_patch(&dbs, within, "a", &patch(version.clone())).field_manager("patcher");
    let patched = cluster.call(&at).await?;
    assert_eq!(patched["spec"]["size"], json!(2));
    assert_eq!(error("patched twice", cluster.call(&at).await).kind, ErrorKind::Invalid);
    let metadata = cluster.call(&ApiRequest::object(&dbs, within, "a").metadata_only()).await?;
    assert_eq!((&metadata["kind"], &metadata["spec"]), (&json!("PartialObjectMetadata"), &Value::Null));

    let uid = patched["metadata"]["uid"].as_str().ok_or("a UID")?;
    let version = patched["metadata"]["resourceVersion"].as_str().ok_or("a version")?;
    let delete = ApiRequest::delete(&dbs, within, "a", uid, version);
    cluster.call(&delete.clone().dry_run(true)).await?;
    cluster.call(&ApiRequest::object(&dbs, within, "a")).await?;
    cluster.call(&delete).await?;
    assert_eq!(error("deleted", cluster.call(&delete).await).kind, ErrorKind::NotFound);
    plane.kubectl(&["delete", "crd", "dbs.managers.example.com", "--wait=false"]).await?;
    Ok(())
}

async fn a_hostile_name_reaches_no_other_object() -> TestResult {
    let planes = shared().await?;
    let plane = &planes["management"];
    let cluster = client(plane.admin()).await;
    let namespace = plane.namespace("names").await?;
    let within = Some(namespace.as_str());
    let maps = config_maps();
    cluster.call(&ApiRequest::create(&maps, within, &config_map("precious", &json!({})))).await?;
    let writes = cluster.writes();
    for name in ["", ".", "..", "../configmaps/precious", "precious/status", "precious%2f"] {
        for request in [
            ApiRequest::delete_in_any_state(&maps, within, name, "u"),
            ApiRequest::delete(&maps, within, name, "u", "1"),
            ApiRequest::json_patch(&maps, within, name, &[]),
        ] {
            assert_eq!(error(name, cluster.call(&request).await).kind, ErrorKind::InvalidRequest);
        }
    }
    assert_eq!(cluster.writes(), writes, "nothing was sent");
    for name in ["precious?dryRun=All", "precious#x", "precious "] {
        let request = ApiRequest::delete_in_any_state(&maps, within, name, "u");
        assert_eq!(error(name, cluster.call(&request).await).kind, ErrorKind::NotFound);
    }
    cluster.call(&ApiRequest::object(&maps, within, "precious")).await?;
    // Names of Roles may be what no other name may be.
    let roles = Resource::new("rbac.authorization.k8s.io", "v1", "Role", "roles", true);
    let name = "a role?x=y#z: ü";
    let role = json!({"apiVersion": roles.api_version(), "kind": "Role", "metadata": {"name": name}, "rules": []});
    cluster.call(&ApiRequest::apply(&roles, within, name, &role)).await?;
    let read = cluster.call(&ApiRequest::object(&roles, within, name)).await?;
    assert_eq!(read["metadata"]["name"], json!(name));
    Ok(())
}
