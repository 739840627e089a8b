//! `carrier approve` against a management cluster and a service cluster: what is shown is what is approved, on all three
//! levels, by UID. Sync does not run here: its finalizer and marks are written by the test.

use serde_json::{Value, json};

use super::platform::Platform;
use crate::support::{Case, ControlPlane, Failed, TestResult, cases, eventually};

pub(crate) fn cases() -> Vec<Case> {
    cases![held_deletions_and_orphans_are_approved_and_nothing_else, what_cannot_be_asked_is_said_and_the_rest_is_done]
}

const SERVICE: &str = "team-a/eu-west-1/redis";
const DERIVED: &str = "redis.eu-west-1.team-a";
const INTERNAL: &str = "redis.internal.eu-west-1.team-a";
const BASE: &str = super::platform::BASE;
const FINALIZER: &str = "carrier.kubecarrier.io/sync";
const SPEC: &str = "{mode: standalone, size: 3, global: {image: 'opstree/redis:v2.0', password: hunter2}, redisConfig: {}, service: {type: ClusterIP}}";

struct Scene {
    platform: Platform,
    /// The tenant's namespace in the service cluster.
    below: String,
    /// The UID of the management cluster.
    uid: String,
}

impl Scene {
    async fn new() -> Result<Self, Failed> {
        let platform = Platform::new(&["eu-west-1"]).await?;
        platform.applied().await;
        let management = platform.management();
        let get = ["get", "serviceclusterassignments", "-n", "team-a", "-o", "json"];
        let assignments: Value = serde_json::from_str(&management.kubectl(&get).await?)?;
        let name = &assignments["items"][0]["metadata"]["annotations"]["kubecarrier.io/service-cluster-namespace"];
        let below = name.as_str().expect("it is assigned").to_owned();
        let uid = management.kubectl(&["get", "ns", "kube-system", "-o", "jsonpath={.metadata.uid}"]).await?;
        Ok(Self { platform, below, uid })
    }

    fn management(&self) -> &ControlPlane {
        self.platform.management()
    }

    fn service(&self) -> &ControlPlane {
        &self.platform.planes["eu-west-1"]
    }

    async fn approve(&self, args: &[&str]) -> super::platform::Run {
        let usual = ["approve", "--allow-loopback"];
        self.platform.carrier(&usual.iter().chain(args).copied().collect::<Vec<_>>()).await
    }

    /// An instance with the finalizer of sync.
    async fn instance(&self, name: &str) -> TestResult {
        self.platform.instance("eu-west-1", name, SPEC).await?;
        let patch = json!({"metadata": {"finalizers": [FINALIZER]}}).to_string();
        self.management().kubectl(&["patch", DERIVED, name, "-n", "team-b", "--type=merge", "-p", &patch]).await?;
        Ok(())
    }

    async fn held(&self, name: &str) -> TestResult {
        self.instance(name).await?;
        self.management().kubectl(&["delete", DERIVED, name, "-n", "team-b", "--wait=false"]).await?;
        Ok(())
    }

    /// A copy with the marks of sync.
    async fn copy(&self, plane: &ControlPlane, group: &str, namespace: &str, name: &str) -> TestResult {
        let metadata = json!({
            "name": name, "namespace": namespace,
            "labels": {"kubecarrier.io/management-cluster": self.uid},
            "annotations": {
                "carrier.kubecarrier.io/source": format!("team-b/{DERIVED}/{name}"),
                "carrier.kubecarrier.io/source-uid": "of-the-one-that-is-gone",
            },
        });
        let body = format!("apiVersion: {group}/v1beta1\nkind: Redis\nmetadata: {metadata}\nspec: {SPEC}\n");
        // A kind is found a moment after its CRD is established.
        eventually("the kind is served", async || {
            plane.kubectl_with(&["create", "--validate=false", "-f", "-"], &body).await.is_ok()
        })
        .await;
        Ok(())
    }

    async fn internal(&self, name: &str) -> TestResult {
        self.copy(self.management(), "internal.eu-west-1.team-a", "team-b", name).await
    }

    async fn below(&self, name: &str) -> TestResult {
        self.copy(self.service(), "redis.redis.opstreelabs.in", &self.below, name).await
    }

    async fn get(&self, kind: &str, name: &str) -> Result<Value, Failed> {
        let (plane, namespace) =
            if kind == BASE { (self.service(), self.below.as_str()) } else { (self.management(), "team-b") };
        let get = ["get", kind, name, "-n", namespace, "-o", "json", "--show-managed-fields"];
        Ok(serde_json::from_str(&plane.kubectl(&get).await?)?)
    }

    /// Whether an object is approved, by its own UID and by nothing else of the manager.
    async fn is_approved(&self, kind: &str, name: &str) -> Result<bool, Failed> {
        let object = self.get(kind, name).await?;
        let managers = object["metadata"]["managedFields"].as_array().cloned().unwrap_or_default();
        let ours: Vec<&Value> = managers.iter().filter(|one| one["manager"] == "carrier-approve").collect();
        let approval = &object["metadata"]["annotations"]["carrier.kubecarrier.io/approved-deletion"];
        if approval.is_null() {
            assert!(ours.is_empty(), "{ours:?}");
            return Ok(false);
        }
        assert_eq!(approval, &object["metadata"]["uid"]);
        assert_eq!(ours.len(), 1, "{managers:?}");
        assert_eq!(ours[0]["operation"], "Apply");
        let only = json!({"f:metadata": {"f:annotations": {"f:carrier.kubecarrier.io/approved-deletion": {}}}});
        assert_eq!(ours[0]["fieldsV1"], only);
        Ok(true)
    }
}

async fn held_deletions_and_orphans_are_approved_and_nothing_else() -> TestResult {
    let scene = Scene::new().await?;
    let nothing = scene.approve(&[SERVICE]).await.ends(0);
    assert_eq!((nothing.out.as_str(), nothing.err.as_str()), ("", "there is nothing to approve\n"));
    let unknown = scene.approve(&["team-a/eu-west-1/redsi"]).await.ends(64);
    assert!(unknown.err.contains("did you mean `team-a/eu-west-1/redis`?"), "{}", unknown.err);

    scene.instance("alive").await?;
    scene.internal("alive").await?;
    scene.below("alive").await?;
    scene.held("held").await?;
    scene.internal("lost").await?;
    scene.below("lost").await?;
    scene.below("alone").await?;
    let objects = [(DERIVED, "held"), (INTERNAL, "lost"), (BASE, "lost"), (BASE, "alone")];

    // Nobody is there to confirm.
    let shown = scene.approve(&[SERVICE]).await.ends(3);
    let since = scene.get(DERIVED, "held").await?["metadata"]["deletionTimestamp"].as_str().expect("set").to_owned();
    let copy = format!("orphan: the copy in {} is there, the tenant object is gone", scene.below);
    let rows = [
        ["TENANT", "NAME", "IN DELETION SINCE", "SYNCED"],
        ["team-b", "alone", "-", &copy],
        ["team-b", "held", &since, "-"],
        ["team-b", "lost", "-", "orphan: the internal object is there, the tenant object is gone"],
        ["team-b", "lost", "-", &copy],
    ];
    let lines: Vec<Vec<&str>> = shown
        .out
        .lines()
        .map(|line| line.split("   ").map(str::trim).filter(|cell| !cell.is_empty()).collect())
        .collect();
    assert_eq!(lines, rows);
    assert!(shown.err.contains("nothing was approved") && shown.err.contains("--yes"), "{}", shown.err);
    assert!(!shown.text().contains("hunter2"));
    for (kind, name) in objects {
        assert!(!scene.is_approved(kind, name).await?, "{kind} {name}");
    }

    // Another tenant's deletions are not these.
    scene.approve(&[SERVICE, "--yes", "-n", "team-a"]).await.ends(0);
    assert!(!scene.is_approved(DERIVED, "held").await?);

    let done = scene.approve(&[SERVICE, "--yes", "-n", "team-b"]).await.ends(0);
    assert_eq!(done.out, shown.out, "what is approved is shown");
    assert!(done.err.contains("approved 4 deletions"), "{}", done.err);
    for (kind, name) in objects {
        assert!(scene.is_approved(kind, name).await?, "{kind} {name}");
    }
    for kind in [DERIVED, INTERNAL, BASE] {
        assert!(!scene.is_approved(kind, "alive").await?, "{kind}");
    }
    let again = scene.approve(&[SERVICE, "--yes"]).await.ends(0);
    assert_eq!((again.out.as_str(), again.err.as_str()), ("", "there is nothing to approve\n"));
    Ok(())
}

async fn what_cannot_be_asked_is_said_and_the_rest_is_done() -> TestResult {
    let scene = Scene::new().await?;
    let management = scene.management();

    // Without its CatalogEntry a service is known by its CRD.
    management.kubectl(&["delete", "catalogentries", "-n", "team-a", "--all"]).await?;
    scene.held("first").await?;
    scene.internal("lost").await?;
    let done = scene.approve(&["team-a/eu-west-1/redis.eu-west-1.team-a", "--yes"]).await.ends(0);
    assert!(done.err.contains("approved 2 deletions"), "{}", done.err);
    assert!(scene.is_approved(DERIVED, "first").await? && scene.is_approved(INTERNAL, "lost").await?);

    // Another cluster than sync has recorded is not asked.
    scene.held("second").await?;
    scene.below("alone").await?;
    let status = |uid: &str| json!({"status": {"clusterUID": uid}}).to_string();
    let patch = ["patch", "servicecluster", "eu-west-1", "-n", "team-a", "--subresource=status", "--type=merge", "-p"];
    let patched = async |uid: &str| {
        let status = status(uid);
        management.kubectl(&patch.iter().copied().chain([status.as_str()]).collect::<Vec<_>>()).await
    };
    patched("another").await?;
    let other = scene.approve(&[SERVICE, "--yes"]).await.ends(3);
    assert!(other.err.contains("it is another cluster"), "{}", other.err);
    assert!(scene.is_approved(DERIVED, "second").await? && !scene.is_approved(BASE, "alone").await?);

    // Nor one that nothing leads to.
    let uid = scene.service().kubectl(&["get", "ns", "kube-system", "-o", "jsonpath={.metadata.uid}"]).await?;
    patched(&uid).await?;
    scene.held("third").await?;
    let secret = management.kubectl(&["get", "secret", "-n", "team-a", "eu-west-1-kubeconfig", "-o", "json"]).await?;
    management.kubectl(&["delete", "secret", "-n", "team-a", "eu-west-1-kubeconfig"]).await?;
    let away = scene.approve(&[SERVICE, "--yes"]).await.ends(4);
    assert!(away.err.contains("team-a/eu-west-1 cannot be asked"), "{}", away.err);
    assert!(scene.is_approved(DERIVED, "third").await? && !scene.is_approved(BASE, "alone").await?);

    let mut secret: Value = serde_json::from_str(&secret)?;
    for key in ["resourceVersion", "uid", "creationTimestamp"] {
        secret["metadata"].as_object_mut().expect("metadata").remove(key);
    }
    management.kubectl_with(&["create", "-f", "-"], &secret.to_string()).await?;
    scene.approve(&[SERVICE, "--yes"]).await.ends(0);
    assert!(scene.is_approved(BASE, "alone").await?);
    Ok(())
}
