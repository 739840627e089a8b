//! What is rendered of the redis example: API servers take it, and the people and service accounts it
//! is for may do what they must and no more.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use carrier::program::Env;
use carrier::program::Exit;
use carrier::program::Ui;
use carrier::routing::{RouteError, ServiceRoute};
use serde_json::{Value, json};

use crate::support::{Case, ControlPlane, ControlPlanes, TestResult, cases, eventually};

/// The tests of this file.
pub(crate) fn cases() -> Vec<Case> {
    cases![the_redis_example_works_and_gives_nobody_too_much]
}

fn example() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("catalog-examples/redis")
}

fn carrier(args: &[&str]) -> String {
    let args: Vec<OsString> = ["carrier"].iter().chain(args).map(OsString::from).collect();
    let env = Env { directory: example(), ..Env::default() };
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let exit = carrier::program::run(&args, &env, &mut Ui::new(&mut out, &mut err));
    assert_eq!(exit, Exit::Fine, "{}", String::from_utf8_lossy(&err));
    String::from_utf8(out).expect("output is UTF-8")
}

/// One test, since the objects are of the whole server.
async fn the_redis_example_works_and_gives_nobody_too_much() -> TestResult {
    let planes = ControlPlanes::start(&["management", "eu-west-1"]).await?;
    management(&planes["management"]).await?;
    service_cluster(&planes["eu-west-1"]).await
}

async fn management(plane: &ControlPlane) -> TestResult {
    let stream = carrier(&["render", "--stdout"]);
    let apply = ["apply", "--server-side", "-f", "-"];
    // The first run ends at the first object whose kind is not served yet.
    let _ = plane.kubectl_with(&apply, &stream).await;
    plane.established(&[]).await;
    eventually("everything is applied", async || plane.kubectl_with(&apply, &stream).await.is_ok()).await;
    let said = plane.kubectl_with(&apply, &stream).await?;
    assert_eq!(said.lines().count(), stream.matches("\napiVersion: ").count() + 1, "{said}");

    routes(plane, &stream).await?;

    // The folder is the same, and what the server adds by itself is no difference.
    let out = tempfile::tempdir()?;
    let folder = out.path().join("rendered");
    carrier(&["render", "--out", &folder.to_string_lossy()]);
    let folder = folder.join("management");
    plane.kubectl(&["diff", "--server-side", "-k", &folder.to_string_lossy()]).await?;

    // The instance that the example has, made by whom it is for.
    let tenant = plane.user("team-b-member", &[]).await?;
    let provider = plane.user("team-a-member", &[]).await?;
    let stranger = plane.user("mallory", &[]).await?;
    let instance = example().join("instances/redis.yaml");
    let create = ["create", "-f", &instance.to_string_lossy()];
    assert!(provider.kubectl(&create).await.is_err(), "the derived kind is for tenants");
    eventually("the tenant creates an instance", async || tenant.kubectl(&create).await.is_ok()).await;
    let offered = tenant.kubectl(&["get", "offerings", "-n", "team-b", "-o", "name"]).await?;
    assert_eq!(offered, "offering.catalog.kubecarrier.io/redis.eu-west-1.team-a\n");

    let derived = "redis.eu-west-1.team-a";
    let internal = "redis.internal.eu-west-1.team-a";
    let may: &[(&str, &[&str])] = &[
        ("team-b", &["get", "secrets"]),
        ("team-a", &["get", "secrets"]),
        ("team-a", &["create", "secrets"]),
        ("team-a", &["create", "catalogentrysets"]),
        ("team-a", &["create", "serviceclusters"]),
        ("team-a", &["create", "serviceclusterassignments"]),
        ("team-a", &["get", "serviceclusterassignments"]),
        ("team-a", &["patch", "tenants"]),
        ("team-a", &["create", "tenants"]),
        ("team-a", &["create", "rolebindings"]),
        ("team-b", &["get", "offerings"]),
        ("team-b", &["create", "offerings"]),
        ("team-b", &["delete", derived]),
        ("team-b", &["get", "--subresource=status", derived]),
        ("team-b", &["update", "--subresource=status", derived]),
        ("team-b", &["get", internal]),
        ("team-b", &["update", internal]),
        ("team-a", &["get", internal]),
    ];
    let mut table = String::new();
    for (namespace, what) in may {
        let mut row = Vec::new();
        for (name, person) in [("tenant", &tenant), ("provider", &provider), ("stranger", &stranger)] {
            let arguments = [&["auth", "can-i", "-q", "-n", namespace], *what].concat();
            if person.kubectl(&arguments).await.is_ok() {
                row.push(name);
            }
        }
        writeln!(table, "{} in {namespace}: {}", what.join(" "), row.join(", "))?;
    }
    assert_eq!(
        table,
        "get secrets in team-b: \n\
         get secrets in team-a: provider\n\
         create secrets in team-a: provider\n\
         create catalogentrysets in team-a: provider\n\
         create serviceclusters in team-a: provider\n\
         create serviceclusterassignments in team-a: \n\
         get serviceclusterassignments in team-a: provider\n\
         patch tenants in team-a: provider\n\
         create tenants in team-a: \n\
         create rolebindings in team-a: \n\
         get offerings in team-b: tenant\n\
         create offerings in team-b: \n\
         delete redis.eu-west-1.team-a in team-b: tenant\n\
         get --subresource=status redis.eu-west-1.team-a in team-b: tenant\n\
         update --subresource=status redis.eu-west-1.team-a in team-b: \n\
         get redis.internal.eu-west-1.team-a in team-b: provider\n\
         update redis.internal.eu-west-1.team-a in team-b: provider\n\
         get redis.internal.eu-west-1.team-a in team-a: \n"
    );
    sync_in_the_management_cluster(plane).await
}

/// The account of sync may do what it must, and nothing else, in the management cluster.
async fn sync_in_the_management_cluster(plane: &ControlPlane) -> TestResult {
    let (derived, internal) = ("redis.eu-west-1.team-a", "redis.internal.eu-west-1.team-a");
    let sync = plane.impersonate("system:serviceaccount:kubecarrier-system:carrier-sync", &[]).await?;
    let may = async |arguments: &[&str]| {
        let arguments = [&["auth", "can-i", "-q"], arguments].concat();
        sync.kubectl(&arguments).await.is_ok()
    };
    for arguments in [
        &["watch", "serviceclusters.kubecarrier.io", "-A"][..],
        &["watch", "serviceclusterassignments.kubecarrier.io", "-A"],
        &["watch", "catalogentries.catalog.kubecarrier.io", "-A"],
        &["patch", "serviceclusters.kubecarrier.io/eu-west-1", "--subresource=status", "-n", "team-a"],
        &["patch", "serviceclusterassignments.kubecarrier.io", "--subresource=status", "-n", "team-a"],
        &["patch", "catalogentries.catalog.kubecarrier.io", "--subresource=status", "-n", "team-a"],
        &["watch", "customresourcedefinitions"],
        &["watch", "namespaces"],
        &["get", "namespaces/kube-system"],
        &["get", "secrets/eu-west-1-kubeconfig", "-n", "team-a"],
        &["watch", "secrets/eu-west-1-kubeconfig", "-n", "team-a"],
        &["watch", derived, "-A"],
        &["patch", derived, "-n", "team-b"],
        &["patch", derived, "--subresource=status", "-n", "team-b"],
        &["watch", internal, "-A"],
        &["create", internal, "-n", "team-b"],
        &["patch", internal, "-n", "team-b"],
        &["delete", internal, "-n", "team-b"],
        &["patch", internal, "--subresource=status", "-n", "team-b"],
        // By a ClusterRole: the Roles of a namespace in deletion go before the finalizers.
        &["patch", derived, "-n", "default"],
        &["delete", internal, "-n", "default"],
        &["create", "events", "-n", "team-b"],
        &["patch", "events", "-n", "team-a"],
        &["create", "leases", "-n", "kubecarrier-system"],
        &["delete", "leases", "-n", "kubecarrier-system"],
    ] {
        assert!(may(arguments).await, "sync may not {arguments:?}");
    }
    for arguments in [
        &["patch", "serviceclusters.kubecarrier.io/eu-west-1", "-n", "team-a"][..],
        &["patch", "serviceclusters.kubecarrier.io/another", "--subresource=status", "-n", "team-a"],
        &["create", "serviceclusterassignments.kubecarrier.io", "-n", "team-a"],
        // It only watches these.
        &["get", "serviceclusters.kubecarrier.io/eu-west-1", "-n", "team-a"],
        &["get", &format!("customresourcedefinitions/{derived}")],
        &["patch", "catalogentries.catalog.kubecarrier.io", "-n", "team-a"],
        &["patch", &format!("customresourcedefinitions/{derived}")],
        &["get", "secrets/another", "-n", "team-a"],
        &["list", "secrets", "-n", "team-a"],
        &["get", "secrets/eu-west-1-kubeconfig", "-n", "team-b"],
        &["patch", "secrets/eu-west-1-kubeconfig", "-n", "team-a"],
        &["create", derived, "-n", "team-b"],
        &["delete", derived, "-n", "team-b"],
        &["create", derived, "-n", "team-a"],
        &["create", internal, "-n", "default"],
        &["deletecollection", internal, "-n", "team-b"],
        &["create", "namespaces"],
        &["delete", "namespaces/team-b"],
        &["get", "configmaps", "-n", "kubecarrier-system"],
        &["get", "leases", "-n", "team-b"],
        &["create", "events", "-n", "default"],
        &["create", "rolebindings", "-n", "team-b"],
    ] {
        assert!(!may(arguments).await, "sync may {arguments:?}");
    }
    // A list of one Secret is authorized by its name, as the watch of sync needs it.
    plane.kubectl(&["create", "secret", "generic", "eu-west-1-kubeconfig", "-n", "team-a"]).await?;
    let one = ["get", "secrets", "-n", "team-a", "--field-selector=metadata.name=eu-west-1-kubeconfig", "-o", "name"];
    assert_eq!(sync.kubectl(&one).await?, "secret/eu-west-1-kubeconfig\n");
    // The writes themselves: a finalizer, an internal object and their statuses, by server-side apply.
    let apply = async |manager: &str, subresource: Option<&str>, object: Value| {
        let manager = format!("--field-manager={manager}");
        let part = subresource.map(|name| format!("--subresource={name}"));
        let mut arguments = vec!["apply", "--server-side", &manager, "-f", "-"];
        arguments.extend(part.as_deref());
        sync.kubectl_with(&arguments, &object.to_string()).await
    };
    let name = "redisinstance";
    let object = |group: &str, more: Value| {
        let mut object = json!({
            "apiVersion": format!("{group}/v1beta1"), "kind": "Redis", "metadata": {"name": name, "namespace": "team-b"},
        });
        for (key, value) in more.as_object().into_iter().flatten() {
            match key.as_str() {
                "finalizers" => object["metadata"][key] = value.clone(),
                _ => object[key] = value.clone(),
            }
        }
        object
    };
    let finalizer = json!({"finalizers": ["carrier.kubecarrier.io/sync"]});
    apply("carrier-sync-finalizer", None, object("eu-west-1.team-a", finalizer)).await?;
    let instance = plane.kubectl(&["get", derived, name, "-n", "team-b", "-o", "json"]).await?;
    let spec = serde_json::from_str::<Value>(&instance)?["spec"].clone();
    apply("carrier-sync-internal", None, object("internal.eu-west-1.team-a", json!({"spec": spec}))).await?;
    let condition = json!({"status": {"conditions": [{
        "type": "Synced", "status": "True", "reason": "InStep", "message": "", "lastTransitionTime": "2026-01-01T00:00:00Z",
    }]}});
    apply("carrier-sync-status", Some("status"), object("eu-west-1.team-a", condition)).await?;
    apply("carrier-sync-finalizer", None, object("eu-west-1.team-a", json!({}))).await?;
    sync.kubectl(&["delete", internal, name, "-n", "team-b"]).await?;
    Ok(())
}

/// The objects as the server gives them back make the same routes as those that were rendered.
async fn routes(plane: &ControlPlane, stream: &str) -> TestResult {
    let mut found = carrier::diagnostic::Diagnostics::default();
    let documents = carrier::text::read(carrier::source::FileId(0), stream, &mut found);
    let rendered: Vec<Value> = documents.iter().map(|document| document.root.to_json()).collect();
    let mut live = Vec::new();
    for kind in ["customresourcedefinitions", "catalogentries"] {
        let list: Value = serde_json::from_str(&plane.kubectl(&["get", kind, "-A", "-o", "json"]).await?)?;
        live.extend(list["items"].as_array().into_iter().flatten().cloned());
    }
    let expected = routes_of(&rendered);
    assert!(expected.len() == 1 && expected.iter().all(Result::is_ok), "{expected:?}");
    assert_eq!(routes_of(&live), expected);
    Ok(())
}

fn routes_of(objects: &[Value]) -> Vec<Result<ServiceRoute, RouteError>> {
    let find =
        |name: &str| objects.iter().find(|o| o["kind"] == "CustomResourceDefinition" && o["metadata"]["name"] == name);
    let entries = objects.iter().filter(|o| o["kind"] == "CatalogEntry");
    let route = |entry: &Value| {
        let spec = serde_json::from_value(entry["spec"].clone()).expect("the spec of a CatalogEntry");
        ServiceRoute::new(entry["metadata"]["namespace"].as_str().unwrap_or_default(), &spec, find)
    };
    entries.map(route).collect()
}

async fn service_cluster(plane: &ControlPlane) -> TestResult {
    let base = "redis.redis.redis.opstreelabs.in";
    let snapshot = example().join(format!("snapshots/team-a/eu-west-1/{base}.yaml"));
    plane.kubectl(&["apply", "--server-side", "-f", &snapshot.to_string_lossy()]).await?;
    plane.established(&[base]).await;
    let stream = carrier(&["render", "--stdout", "--cluster", "team-a/eu-west-1"]);
    plane.kubectl_with(&["apply", "--server-side", "-f", "-"], &stream).await?;
    let mine = plane
        .kubectl(&[
            "get",
            "namespaces",
            "-o",
            "jsonpath={.items[*].metadata.name}",
            "-l",
            "kubecarrier.io/tenant=team-b",
        ])
        .await?;
    plane.kubectl(&["create", "namespace", "theirs"]).await?;

    let sync = plane.impersonate("system:serviceaccount:kubecarrier-system:carrier-eu-west-1.team-a", &[]).await?;
    let may = async |arguments: &[&str]| {
        let arguments = [&["auth", "can-i", "-q"], arguments].concat();
        sync.kubectl(&arguments).await.is_ok()
    };
    for arguments in [
        &["watch", base, "-A"][..],
        &["patch", base, "-n", &mine],
        &["delete", base, "-n", &mine],
        &["get", &format!("customresourcedefinitions/{base}")],
        &["get", "namespaces/kube-system"],
        &["create", base, "-n", &mine],
        &["get", base, "-n", &mine],
        &["get", &format!("namespaces/{mine}"), "-n", &mine],
    ] {
        assert!(may(arguments).await, "sync may not {arguments:?}");
    }
    for arguments in [
        &["patch", base, "-n", "theirs"][..],
        &["deletecollection", base, "-n", &mine],
        &["update", base, "-n", &mine],
        &["patch", base, "--subresource=status", "-n", &mine],
        &["create", "events", "-n", &mine],
        &["list", "customresourcedefinitions"],
        &["update", &format!("customresourcedefinitions/{base}")],
        &["get", "secrets", "-n", &mine],
        &["list", "namespaces"],
        &["delete", &format!("namespaces/{mine}"), "-n", &mine],
        &["create", "rolebindings", "-n", &mine],
    ] {
        assert!(!may(arguments).await, "sync may {arguments:?}");
    }
    Ok(())
}
