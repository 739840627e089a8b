//! The links of sync to its service clusters, and the tenants' namespaces there, against real API servers: kubeconfigs
//! that are rotated, broken, lead to another cluster or expire, a server that does not answer, and namespaces of
//! every owner.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use carrier::clusters::{ApiRequest, Cluster, Limits, Loopback, Selection, WatchEvent, WatchOptions, Watcher};
use carrier::kinds::crds;
use carrier::names::{ClusterId, Resource, keys};
use carrier::running::{Link, LinkHandle, LinkOptions, NamespaceState, Namespaces, Trust, keep_link, keep_namespaces};
use serde_json::{Value, json};
use tokio::task::AbortHandle;

use super::errors::client;
use crate::support::{Case, ControlPlane, ControlPlanes, Failed, TestResult, cases, eventually, shared};

pub(crate) fn cases() -> Vec<Case> {
    cases![
        a_cluster_is_connected_and_then_nothing_is_written,
        nothing_is_written_or_trusted_without_the_lease,
        a_rotated_kubeconfig_is_used_without_a_restart,
        the_old_connection_goes_on_beside_a_broken_kubeconfig,
        another_cluster_stops_everything_until_it_is_accepted,
        a_token_that_is_revoked_waits_for_a_new_one,
        a_server_that_does_not_answer_is_shown_and_comes_back,
        a_secret_that_may_not_be_watched_is_read,
        a_status_that_may_not_be_written_is_said,
        a_pause_is_shown,
        a_namespace_is_made_where_that_is_allowed,
        a_namespace_of_somebody_else_is_left_alone,
        a_namespace_in_deletion_is_made_again,
    ]
}

/// A provider's namespace in the management cluster with the ServiceCluster `eu-west-1`, and the link to it.
struct Scene {
    planes: Arc<ControlPlanes>,
    id: ClusterId,
    management: Cluster,
    link: LinkHandle,
    may_write: Arc<AtomicBool>,
    feed: AbortHandle,
}

impl Drop for Scene {
    fn drop(&mut self) {
        self.feed.abort();
    }
}

fn service_clusters() -> &'static Resource {
    Resource::rendered_kind("ServiceCluster").expect("rendered")
}

fn assignments() -> &'static Resource {
    Resource::rendered_kind("ServiceClusterAssignment").expect("rendered")
}

/// The text of a kubeconfig file of the harness.
fn text(plane: &ControlPlane) -> String {
    std::fs::read_to_string(plane.kubeconfig_path()).expect("the harness wrote it")
}

impl Scene {
    /// A link to `eu-west-1` by its admin's kubeconfig, on the shared planes.
    async fn new() -> Result<Self, Failed> {
        let planes = shared().await?;
        let kubeconfig = text(&planes["eu-west-1"]);
        Self::over(planes, &kubeconfig).await
    }

    async fn over(planes: Arc<ControlPlanes>, kubeconfig: &str) -> Result<Self, Failed> {
        let scene = Self::prepared(planes, kubeconfig, true).await?;
        scene.until_trusted().await;
        Ok(scene)
    }

    /// The same, without waiting for anything.
    async fn prepared(planes: Arc<ControlPlanes>, kubeconfig: &str, may_write: bool) -> Result<Self, Failed> {
        let management = client(planes["management"].admin()).await;
        Self::by(planes, management, kubeconfig, may_write).await
    }

    /// The same, where sync is this user of the management cluster.
    async fn by(planes: Arc<ControlPlanes>, user: Cluster, kubeconfig: &str, may_write: bool) -> Result<Self, Failed> {
        let plane = &planes["management"];
        let list = json!({ "apiVersion": "v1", "kind": "List", "items": crds() });
        plane.kubectl_with(&["apply", "--server-side", "-f", "-"], &list.to_string()).await?;
        let names: Vec<String> = carrier::kinds::KINDS.iter().map(|kind| kind.crd_name()).collect();
        plane.established(&names.iter().map(String::as_str).collect::<Vec<_>>()).await;
        let provider = plane.namespace("provider").await?;
        let id = ClusterId::new(provider.as_str(), "eu-west-1");
        put_secret(plane, &provider, kubeconfig).await?;
        let (live, feed_from) = register(plane, &provider, "eu-west-1").await?;
        let may_write = Arc::new(AtomicBool::new(may_write));
        let link = keep_link(&user, &id, live, options(&may_write));
        let feed = feed(feed_from, &provider, link.clone());
        Ok(Self { planes, id, management: user, link, may_write, feed })
    }

    fn plane(&self) -> &ControlPlane {
        &self.planes["management"]
    }

    async fn set_secret(&self, kubeconfig: &str) -> TestResult {
        put_secret(self.plane(), &self.id.provider, kubeconfig).await
    }

    async fn live(&self) -> Value {
        let get = ["get", "servicecluster", "eu-west-1", "-n", &self.id.provider, "-o", "json"];
        let text = self.plane().kubectl(&get).await.expect("it is there");
        serde_json::from_str(&text).expect("JSON")
    }

    async fn until_trusted(&self) {
        self.until("it is trusted", |link| link.trust.is_trusted()).await;
    }

    async fn until(&self, what: &str, reached: impl Fn(&Link) -> bool) {
        eventually(&format!("{what}: {}", self.id), async || reached(&self.link.link())).await;
    }

    /// Waits until a condition of the ServiceCluster is this one, and returns its message.
    async fn until_condition(&self, type_: &str, wanted: &str) -> String {
        let name = ["servicecluster", "eu-west-1", "-n", &self.id.provider];
        until_condition(self.plane(), &name, type_, wanted).await
    }
}

fn options(may_write: &Arc<AtomicBool>) -> LinkOptions {
    let may_write = Arc::clone(may_write);
    LinkOptions {
        limits: Limits::default(),
        loopback: Loopback::Allowed,
        unrecorded: false,
        may_write: Arc::new(move || may_write.load(Ordering::Relaxed)),
        counters: Arc::default(),
    }
}

async fn put_secret(plane: &ControlPlane, namespace: &str, kubeconfig: &str) -> TestResult {
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "kubeconfig", "namespace": namespace},
        "data": {"kubeconfig": BASE64_STANDARD.encode(kubeconfig)},
    });
    plane.kubectl_with(&["apply", "--server-side", "--force-conflicts", "-f", "-"], &secret.to_string()).await?;
    Ok(())
}

/// Registers a service cluster; how it is stored, and an admin's client to follow it.
async fn register(plane: &ControlPlane, provider: &str, name: &str) -> Result<(Value, Cluster), Failed> {
    let body = json!({
        "apiVersion": "kubecarrier.io/v1alpha1", "kind": "ServiceCluster",
        "metadata": {"name": name, "namespace": provider}, "spec": {"kubeconfigSecret": {"name": "kubeconfig"}},
    });
    let admin = client(plane.admin()).await;
    let live = admin.call(&ApiRequest::create(service_clusters(), Some(provider), &body)).await?;
    Ok((live, admin))
}

/// Hands the ServiceCluster `eu-west-1` to its link, as the engine does.
fn feed(admin: Cluster, provider: &str, link: LinkHandle) -> AbortHandle {
    let selection = Selection::named(service_clusters(), "eu-west-1").within(Some(provider));
    let following = async move {
        let mut watcher = Watcher::new(&admin, selection, &WatchOptions::default());
        while let Some(event) = watcher.next().await {
            if let WatchEvent::Object(live) = event {
                link.object(live);
            }
        }
    };
    tokio::spawn(following).abort_handle()
}

/// Waits until a condition of an object is this one, and returns its message.
async fn until_condition(plane: &ControlPlane, object: &[&str], type_: &str, wanted: &str) -> String {
    let message = std::sync::Mutex::new(String::new());
    let args = [&["get"], object, &["-o", "json"]].concat();
    let is_reached = async || {
        let Ok(text) = plane.kubectl(&args).await else { return false };
        let live: Value = serde_json::from_str(&text).expect("JSON");
        let conditions = live["status"]["conditions"].as_array().cloned().unwrap_or_default();
        let found = conditions.into_iter().find(|condition| condition["type"] == type_).unwrap_or_default();
        let text = |key: &str| found[key].as_str().unwrap_or_default().to_owned();
        *message.lock().expect("no panic") = text("message");
        format!("{}/{}", text("status"), text("reason")) == wanted
    };
    eventually(&format!("{object:?} has {type_}={wanted}"), is_reached).await;
    message.into_inner().expect("no panic")
}

async fn uid(plane: &ControlPlane) -> Result<String, Failed> {
    Ok(plane.kubectl(&["get", "namespace", "kube-system", "-o", "jsonpath={.metadata.uid}"]).await?)
}

fn reason(trust: &Trust) -> &str {
    match trust {
        Trust::Pending => "Pending",
        Trust::Trusted { .. } => "Trusted",
        Trust::IdentityChanged { .. } => "IdentityChanged",
        Trust::Unreachable { reason, .. } | Trust::NoKubeconfig { reason, .. } => reason,
    }
}

async fn a_cluster_is_connected_and_then_nothing_is_written() -> TestResult {
    let scene = Scene::new().await?;
    for (type_, wanted) in [
        ("Ready", "True/ComponentsReady"),
        ("KubeconfigReady", "True/KubeconfigReady"),
        ("ServiceClusterReachable", "True/ServiceClusterReachable"),
    ] {
        scene.until_condition(type_, wanted).await;
    }
    let (live, identity) = (scene.live().await, uid(&scene.planes["eu-west-1"]).await?);
    assert_eq!(live["status"]["clusterUID"], json!(identity));
    assert_eq!((&live["status"]["phase"], &live["status"]["observedGeneration"]), (&json!("Ready"), &json!(1)));
    let version = live["status"]["kubernetesVersion"]["gitVersion"].as_str().unwrap_or_default();
    assert!(version.starts_with("v1."), "{version}");

    // From here on it is asked, and nothing is written.
    scene.link.confirm().await;
    let (writes, version) = (scene.management.writes(), scene.live().await["metadata"]["resourceVersion"].clone());
    for _ in 0..5 {
        assert_eq!(scene.link.confirm().await.trust, Trust::Trusted { uid: identity.clone() });
    }
    assert_eq!(scene.management.writes(), writes);
    assert_eq!(scene.live().await["metadata"]["resourceVersion"], version);

    // Another process finds it as it is, and writes nothing either; a second name for the same cluster is allowed.
    let again = keep_link(&scene.management, &scene.id, scene.live().await, options(&scene.may_write));
    eventually("it is trusted again", async || again.link().trust.is_trusted()).await;
    again.confirm().await;
    again.confirm().await;
    assert_eq!(scene.management.writes(), writes);
    let second = ClusterId::new(scene.id.provider.as_str(), "second");
    let (live, _) = register(scene.plane(), &scene.id.provider, "second").await?;
    let second = keep_link(&scene.management, &second, live, options(&scene.may_write));
    eventually("both are trusted", async || second.link().trust.is_trusted()).await;
    assert!(scene.link.confirm().await.trust.is_trusted());
    Ok(())
}

async fn nothing_is_written_or_trusted_without_the_lease() -> TestResult {
    let planes = shared().await?;
    let kubeconfig = text(&planes["eu-west-1"]);
    let scene = Scene::prepared(planes, &kubeconfig, false).await?;
    scene.until("it answers", |link| link.epoch == 1).await;
    assert_eq!(scene.link.confirm().await.trust, Trust::Pending);
    assert_eq!((scene.management.writes(), scene.live().await.get("status").cloned()), (0, None));
    scene.may_write.store(true, Ordering::Relaxed);
    scene.link.poke();
    scene.until_trusted().await;
    Ok(())
}

async fn a_rotated_kubeconfig_is_used_without_a_restart() -> TestResult {
    let scene = Scene::new().await?;
    let before = scene.link.link();
    let rotated = scene.planes["eu-west-1"].user("rotated", &["system:masters"]).await?;
    scene.set_secret(&std::fs::read_to_string(rotated.kubeconfig_path())?).await?;
    scene.until("the new one is used", |link| link.epoch > before.epoch && link.trust.is_trusted()).await;
    let connection = scene.link.link().connection.ok_or("a connection")?;
    let review = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"});
    let reviews = Resource::new("authentication.k8s.io", "v1", "SelfSubjectReview", "selfsubjectreviews", false);
    let who = connection.call(&ApiRequest::create(&reviews, None, &review)).await?;
    assert_eq!(who["status"]["userInfo"]["username"], "rotated");
    Ok(())
}

async fn the_old_connection_goes_on_beside_a_broken_kubeconfig() -> TestResult {
    let scene = Scene::new().await?;
    let good = text(&scene.planes["eu-west-1"]);
    let unsafe_one = good.replace("client-key-data:", "tokenFile: /etc/passwd\n    client-key-data:");
    assert_ne!(unsafe_one, good);
    let port = scene.planes["eu-west-1"].port();
    let nobody = good.replace(&format!("127.0.0.1:{port}"), "127.0.0.1:1");
    let stranger = text(&scene.planes["eu-west-2"])
        .replace(&format!("127.0.0.1:{}", scene.planes["eu-west-2"].port()), &format!("127.0.0.1:{port}"));
    for (kubeconfig, wanted) in [
        ("hunter2: [", "False/InvalidKubeconfig"),
        (unsafe_one.as_str(), "False/UnsafeKubeconfig"),
        (nobody.as_str(), "False/ClusterUnreachable"),
        // The right address with the wrong certificates.
        (stranger.as_str(), "False/ClusterUnreachable"),
    ] {
        scene.set_secret(kubeconfig).await?;
        let message = scene.until_condition("KubeconfigReady", wanted).await;
        assert!(message.contains("stays in use") && !message.contains("hunter2"), "{message}");
        let link = scene.link.confirm().await;
        assert_eq!((link.trust.is_trusted(), link.epoch), (true, 1), "{wanted}");
        scene.set_secret(&good).await?;
        scene.until_condition("KubeconfigReady", "True/KubeconfigReady").await;
    }
    scene.plane().kubectl(&["delete", "secret", "kubeconfig", "-n", &scene.id.provider]).await?;
    scene.until_condition("KubeconfigReady", "False/SecretNotFound").await;
    let link = scene.link.confirm().await;
    assert_eq!((link.trust.is_trusted(), link.epoch), (true, 1));

    // A process that starts now has no connection to go on with.
    let late = keep_link(&scene.management, &scene.id, scene.live().await, options(&scene.may_write));
    eventually("it has none", async || reason(&late.link().trust) == "SecretNotFound").await;
    assert!(late.link().connection.is_none());
    Ok(())
}

async fn another_cluster_stops_everything_until_it_is_accepted() -> TestResult {
    let scene = Scene::new().await?;
    let (one, two) = (uid(&scene.planes["eu-west-1"]).await?, uid(&scene.planes["eu-west-2"]).await?);
    scene.set_secret(&text(&scene.planes["eu-west-2"])).await?;
    let message = scene.until_condition("ServiceClusterReachable", "False/IdentityChanged").await;
    scene.until_condition("KubeconfigReady", "False/IdentityChanged").await;
    scene.until_condition("Ready", "False/IdentityChanged").await;
    let link = scene.link.link();
    assert_eq!(link.trust, Trust::IdentityChanged { pinned: one.clone(), found: two.clone() });
    assert!(link.connection.is_none());
    assert_eq!(scene.live().await["status"]["clusterUID"], json!(one));

    // Back, and there again: the way back needs no consent.
    scene.set_secret(&text(&scene.planes["eu-west-1"])).await?;
    scene.until_trusted().await;
    scene.set_secret(&text(&scene.planes["eu-west-2"])).await?;
    scene.until("it has changed again", |link| reason(&link.trust) == "IdentityChanged").await;
    let (_, command) = message.split_once("kubectl ").ok_or("a command")?;
    scene.plane().kubectl(&command.split(' ').collect::<Vec<_>>()).await?;
    scene.until_trusted().await;
    assert_eq!(scene.link.link().trust, Trust::Trusted { uid: two.clone() });
    scene.until_condition("Ready", "True/ComponentsReady").await;
    assert_eq!(scene.live().await["status"]["clusterUID"], json!(two));
    Ok(())
}

async fn a_token_that_is_revoked_waits_for_a_new_one() -> TestResult {
    let planes = shared().await?;
    let plane = &planes["eu-west-1"];
    let namespace = plane.namespace("tokens").await?;
    let account = format!("--serviceaccount={namespace}:sync");
    plane.kubectl(&["create", "clusterrolebinding", &namespace, "--clusterrole=cluster-admin", &account]).await?;
    let kubeconfig = async || -> Result<String, Failed> {
        plane.kubectl(&["create", "serviceaccount", "sync", "-n", &namespace]).await?;
        let token = plane.kubectl(&["create", "token", "sync", "-n", &namespace]).await?;
        let whole: Value = serde_saphyr::from_str(&text(plane))?;
        let user = json!([{"name": "eu-west-1", "user": {"token": token.trim()}}]);
        let mut whole = whole;
        whole["users"] = user;
        Ok(whole.to_string())
    };
    let first = kubeconfig().await?;
    let scene = Scene::over(Arc::clone(&planes), &first).await?;
    plane.kubectl(&["delete", "serviceaccount", "sync", "-n", &namespace]).await?;
    scene.until("the server refuses", |link| reason(&link.trust) == "Unauthorized").await;
    assert!(matches!(scene.link.link().trust, Trust::NoKubeconfig { .. }));
    for type_ in ["KubeconfigReady", "ServiceClusterReachable"] {
        let message = scene.until_condition(type_, "False/Unauthorized").await;
        assert!(message.contains("expired"), "{message}");
    }
    scene.set_secret(&kubeconfig().await?).await?;
    scene.until_trusted().await;
    scene.until_condition("Ready", "True/ComponentsReady").await;
    Ok(())
}

async fn a_server_that_does_not_answer_is_shown_and_comes_back() -> TestResult {
    let planes = Arc::new(ControlPlanes::start(&["management", "eu-west-1"]).await?);
    let kubeconfig = text(&planes["eu-west-1"]);
    let scene = Scene::over(planes, &kubeconfig).await?;
    let server = &scene.planes["eu-west-1"];
    server.pause();
    scene.until("nobody answers", |link| reason(&link.trust) == "ClusterUnreachable").await;
    let message = scene.until_condition("ServiceClusterReachable", "False/ClusterUnreachable").await;
    assert_eq!(message, "no answer within 4 s");
    scene.until_condition("Ready", "False/ServiceClusterUnreachable").await;
    scene.until_condition("KubeconfigReady", "True/KubeconfigReady").await;
    // It stays so without a write.
    let writes = scene.management.writes();
    scene.link.confirm().await;
    scene.link.confirm().await;
    assert_eq!(scene.management.writes(), writes);
    server.resume();
    scene.until_trusted().await;
    scene.until_condition("Ready", "True/ComponentsReady").await;
    server.kill();
    scene.link.suspect();
    scene.until("nobody listens", |link| reason(&link.trust) == "ClusterUnreachable").await;
    server.restart().await?;
    scene.until_trusted().await;
    assert_eq!(scene.link.link().epoch, 1, "it was the same connection all the time");
    Ok(())
}

async fn a_secret_that_may_not_be_watched_is_read() -> TestResult {
    let planes = Arc::new(ControlPlanes::start(&["management", "eu-west-1"]).await?);
    let plane = &planes["management"];
    let list = json!({ "apiVersion": "v1", "kind": "List", "items": crds() });
    plane.kubectl_with(&["apply", "--server-side", "-f", "-"], &list.to_string()).await?;
    eventually("the kinds are served", async || plane.kubectl(&["get", "serviceclusters", "-A"]).await.is_ok()).await;
    let rules = ["--verb=get,patch", "--resource=serviceclusters.kubecarrier.io/status"];
    plane.kubectl(&[&["create", "clusterrole", "status"][..], &rules].concat()).await?;
    plane.kubectl(&["create", "clusterrolebinding", "status", "--clusterrole=status", "--user=sync"]).await?;
    let user = client(&plane.user("sync", &[]).await?).await;
    let kubeconfig = text(&planes["eu-west-1"]);
    let scene = Scene::by(Arc::clone(&planes), user, &kubeconfig, true).await?;
    let message = scene.until_condition("KubeconfigReady", "False/SecretForbidden").await;
    assert!(message.contains("the right to get, list and watch it is needed"), "{message}");
    assert_eq!(reason(&scene.link.link().trust), "SecretForbidden");

    let provider = scene.id.provider.as_str();
    let rules = ["--verb=get", "--resource=secrets", "--resource-name=kubeconfig"];
    plane.kubectl(&[&["create", "role", "secret", "-n", provider][..], &rules].concat()).await?;
    plane.kubectl(&["create", "rolebinding", "secret", "-n", provider, "--role=secret", "--user=sync"]).await?;
    // A process that starts now reads at once; the lease is its own.
    scene.may_write.store(false, Ordering::Relaxed);
    let late = keep_link(&scene.management, &scene.id, scene.live().await, options(&Arc::new(AtomicBool::new(true))));
    eventually("it is trusted", async || late.link().trust.is_trusted()).await;
    let message = scene.until_condition("KubeconfigReady", "True/KubeconfigReady").await;
    assert!(message.contains("the right to list and watch"), "{message}");
    Ok(())
}

async fn a_status_that_may_not_be_written_is_said() -> TestResult {
    let planes = shared().await?;
    let plane = &planes["management"];
    plane.kubectl(&["create", "clusterrole", "link-secrets", "--verb=get,list,watch", "--resource=secrets"]).await?;
    plane.kubectl(&["create", "clusterrolebinding", "link", "--clusterrole=link-secrets", "--user=link"]).await?;
    let user = client(&plane.user("link", &[]).await?).await;
    let kubeconfig = text(&planes["eu-west-1"]);
    let scene = Scene::by(Arc::clone(&planes), user, &kubeconfig, true).await?;
    scene.until("it cannot be recorded", |link| reason(&link.trust) == "IdentityNotRecorded").await;
    Ok(())
}

async fn a_pause_is_shown() -> TestResult {
    let scene = Scene::new().await?;
    let paused = format!("{}=true", keys::PAUSED);
    let annotate = ["annotate", "servicecluster", "eu-west-1", "-n", &scene.id.provider];
    scene.plane().kubectl(&[&annotate[..], &[&paused]].concat()).await?;
    scene.until_condition("Ready", "Unknown/Paused").await;
    scene.until("it is paused", |link| link.paused && link.trust.is_trusted()).await;
    let removed = format!("{}-", keys::PAUSED);
    scene.plane().kubectl(&[&annotate[..], &[&removed]].concat()).await?;
    scene.until_condition("Ready", "True/ComponentsReady").await;
    scene.until("it goes on", |link| !link.paused).await;
    Ok(())
}

/// The tenant `team-b` with its Assignment, and the namespaces of the link's cluster.
struct Tenants {
    scene: Scene,
    namespaces: Namespaces,
    namespace: String,
}

impl Tenants {
    async fn new(kubeconfig: Option<&str>) -> Result<Self, Failed> {
        let planes = shared().await?;
        let admin = text(&planes["eu-west-1"]);
        let scene = Scene::over(Arc::clone(&planes), kubeconfig.unwrap_or(&admin)).await?;
        let identity = uid(scene.plane()).await?;
        let may_write = Arc::clone(&scene.may_write);
        let may_write = Arc::new(move || may_write.load(Ordering::Relaxed));
        let namespaces = keep_namespaces(&scene.management, &scene.id, &scene.link, &identity, may_write);
        let namespace = format!("team-b-{}", scene.id.provider);
        Ok(Self { scene, namespaces, namespace })
    }

    /// The same with the Assignment.
    async fn assigned(self) -> Result<Self, Failed> {
        let body = json!({
            "apiVersion": "kubecarrier.io/v1alpha1", "kind": "ServiceClusterAssignment",
            "metadata": {
                "name": "team-b.eu-west-1", "namespace": self.scene.id.provider,
                "annotations": {keys::SERVICE_NAMESPACE: self.namespace},
            },
            "spec": {"serviceCluster": {"name": "eu-west-1"}, "managementNamespace": {"name": "team-b"}},
        });
        let admin = client(self.scene.plane().admin()).await;
        let live = admin.call(&ApiRequest::create(assignments(), Some(&self.scene.id.provider), &body)).await?;
        self.namespaces.assignment(live, &self.scene.id);
        Ok(self)
    }

    fn service(&self) -> &ControlPlane {
        &self.scene.planes["eu-west-1"]
    }

    async fn make(&self, labels: &[(&str, &str)]) -> TestResult {
        let labels: serde_json::Map<String, Value> =
            labels.iter().map(|(key, value)| ((*key).to_owned(), json!(value))).collect();
        let body = json!({
            "apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self.namespace, "labels": labels},
        });
        self.service().kubectl_with(&["apply", "--server-side", "-f", "-"], &body.to_string()).await?;
        Ok(())
    }

    async fn until_state(&self, wanted: &NamespaceState) {
        let is_so = async || self.namespaces.of("team-b").is_some_and(|assigned| assigned.state == *wanted);
        eventually(&format!("it is {wanted:?}"), is_so).await;
    }

    async fn until_condition(&self, wanted: &str) -> String {
        let name = ["serviceclusterassignment", "team-b.eu-west-1", "-n", &self.scene.id.provider];
        until_condition(self.scene.plane(), &name, "Ready", wanted).await
    }

    async fn shown(&self) -> Result<String, Failed> {
        let path = "jsonpath={.status.serviceClusterNamespace.name}";
        let name = ["get", "serviceclusterassignment", "team-b.eu-west-1", "-n", &self.scene.id.provider, "-o", path];
        Ok(self.scene.plane().kubectl(&name).await?)
    }
}

async fn a_namespace_is_made_where_that_is_allowed() -> TestResult {
    let tenants = Tenants::new(None).await?.assigned().await?;
    tenants.until_state(&NamespaceState::Ours).await;
    tenants.until_condition("True/SetupComplete").await;
    assert_eq!(tenants.shown().await?, tenants.namespace);

    // A user who may look and not make.
    let planes = shared().await?;
    let plane = &planes["eu-west-1"];
    plane.kubectl(&["create", "clusterrole", "looker", "--verb=get", "--resource=namespaces"]).await?;
    plane.kubectl(&["create", "clusterrolebinding", "looker", "--clusterrole=looker", "--user=looker"]).await?;
    let looker = plane.user("looker", &[]).await?;
    let looker = std::fs::read_to_string(looker.kubeconfig_path())?;
    let tenants = Tenants::new(Some(&looker)).await?.assigned().await?;
    let message = tenants.until_condition("False/CreatingNamespace").await;
    assert!(message.contains("the right to create and patch namespaces"), "{message}");
    assert_eq!(tenants.shown().await?, "");
    // Somebody else makes it, without the name of the management cluster.
    let provider = tenants.scene.id.provider.clone();
    let labels = [(keys::PROVIDER, provider.as_str()), (keys::TENANT, "team-b"), (keys::SERVICE_CLUSTER, "eu-west-1")];
    tenants.make(&labels).await?;
    tenants.until_state(&NamespaceState::OursUnmarked).await;
    let message = tenants.until_condition("True/SetupComplete").await;
    assert!(message.contains(keys::MANAGEMENT_CLUSTER), "{message}");
    Ok(())
}

async fn a_namespace_of_somebody_else_is_left_alone() -> TestResult {
    let tenants = Tenants::new(None).await?;
    tenants.make(&[(keys::TENANT, "team-b")]).await?;
    let tenants = tenants.assigned().await?;
    let message = tenants.until_condition("False/NamespaceNotOurs").await;
    assert!(message.contains(keys::PROVIDER), "{message}");
    let state = tenants.namespaces.of("team-b").map(|assigned| assigned.state);
    assert!(matches!(state, Some(NamespaceState::NotOurs { .. })), "{state:?}");
    assert_eq!(tenants.shown().await?, "");
    let path = "jsonpath={.metadata.labels}";
    let labels = tenants.service().kubectl(&["get", "namespace", &tenants.namespace, "-o", path]).await?;
    assert!(!labels.contains(keys::PROVIDER), "{labels}");

    // A cluster that is lost takes the knowledge with it.
    tenants.scene.set_secret(&text(&tenants.scene.planes["eu-west-2"])).await?;
    tenants.until_condition("Unknown/IdentityChanged").await;
    Ok(())
}

async fn a_namespace_in_deletion_is_made_again() -> TestResult {
    let tenants = Tenants::new(None).await?.assigned().await?;
    tenants.until_state(&NamespaceState::Ours).await;
    let first = async || {
        let path = "jsonpath={.metadata.uid}";
        tenants.service().kubectl(&["get", "namespace", &tenants.namespace, "-o", path]).await.unwrap_or_default()
    };
    let uid = first().await;
    let held = json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "held", "namespace": tenants.namespace, "finalizers": ["example.com/held"]},
    });
    tenants.service().kubectl_with(&["create", "-f", "-"], &held.to_string()).await?;
    tenants.service().kubectl(&["delete", "namespace", &tenants.namespace, "--wait=false"]).await?;
    tenants.namespaces.look_again("team-b");
    tenants.until_state(&NamespaceState::Terminating).await;
    let message = tenants.until_condition("False/CreatingNamespace").await;
    assert!(message.contains("in deletion"), "{message}");
    let patch = r#"{"metadata":{"finalizers":null}}"#;
    let args = ["patch", "configmap", "held", "-n", &tenants.namespace, "--type=merge", "-p", patch];
    tenants.service().kubectl(&args).await?;
    tenants.until_state(&NamespaceState::Ours).await;
    assert_ne!(first().await, uid, "it is another one");
    tenants.until_condition("True/SetupComplete").await;
    // What was known is kept up to date for a reader that waits for changes.
    let mut changes = tenants.namespaces.subscribe();
    tenants.namespaces.removed("team-b");
    tokio::time::timeout(Duration::from_mins(1), changes.changed()).await??;
    assert_eq!(tenants.namespaces.of("team-b"), None);
    Ok(())
}
