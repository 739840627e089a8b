//! An operator's new version: the CRDs in the management cluster follow it, with the instances that are there.

use serde_json::{Value, json};

use crate::platform::{BASE, Platform};
use crate::support::{Case, ControlPlane, TestResult, cases, eventually};

/// The tests of this file.
pub(crate) fn cases() -> Vec<Case> {
    cases![stored_instances_follow_a_new_version, an_account_goes_in_the_same_run_as_a_version]
}

/// The CRDs of the service in the management cluster.
const CRDS: [&str; 2] = ["redis.internal.eu-west-1.team-a", "redis.eu-west-1.team-a"];
const SPEC: &str = "{global: {password: change-me, image: \"opstree/redis:v2.0\"}, mode: standalone, size: 3, service: {type: \
                    ClusterIP}, redisConfig: {}, redisExporter: {enabled: false, image: exporter}}";

async fn crd(plane: &ControlPlane, name: &str) -> Result<Value, Box<dyn std::error::Error + Send + Sync>> {
    Ok(serde_json::from_str(&plane.kubectl(&["get", "crd", name, "-o", "json"]).await?)?)
}

/// The versions that a CRD has, those that are served, and those in which instances may be stored.
async fn versions(plane: &ControlPlane, name: &str) -> Result<[String; 3], Box<dyn std::error::Error + Send + Sync>> {
    let crd = crd(plane, name).await?;
    let all = crd["spec"]["versions"].as_array().into_iter().flatten();
    let names = |served: bool| {
        let named = all.clone().filter(|version| !served || version["served"] == true);
        named.filter_map(|version| version["name"].as_str()).collect::<Vec<_>>().join(" ")
    };
    let stored = crd["status"]["storedVersions"].as_array().into_iter().flatten();
    let stored = stored.filter_map(Value::as_str).collect::<Vec<_>>().join(" ");
    Ok([names(false), names(true), stored])
}

/// The operator has a new version, and no other any more.
async fn new_operator(platform: &Platform) -> TestResult {
    let service = &platform.planes["eu-west-1"];
    let mut operators = crd(service, BASE).await?;
    operators["spec"]["versions"][0]["name"] = json!("v1");
    operators["metadata"] = json!({"name": BASE});
    operators["status"] = Value::Null;
    service.kubectl(&["delete", "crd", BASE]).await?;
    eventually("the old CRD is gone", async || crd(service, BASE).await.is_err()).await;
    service.kubectl_with(&["create", "-f", "-"], &operators.to_string()).await?;
    service.established(&[BASE]).await;
    Ok(())
}

async fn stored_instances_follow_a_new_version() -> TestResult {
    let platform = Platform::new(&["eu-west-1"]).await?;
    platform.applied().await;
    let management = platform.management();
    platform.instance("eu-west-1", "one", SPEC).await?;
    platform.instance("eu-west-1", "two", SPEC).await?;
    // Sync does not run here: somebody makes the internal object of one of them.
    let internal = format!(
        "apiVersion: internal.eu-west-1.team-a/v1beta1\nkind: Redis\nmetadata: {{name: one, namespace: team-b}}\nspec: {SPEC}\n"
    );
    management.kubectl_with(&["create", "-f", "-"], &internal).await?;

    new_operator(&platform).await?;
    platform.edit("catalogs/redis.yaml", "      - v1beta1\n", "      - v1\n");
    platform.carrier(&["lock"]).await.ends(0);

    let plan = platform.carrier(&["plan"]).await.ends(0);
    let says = "instances that are stored in v1beta1 are rewritten in v1; the next apply removes v1beta1";
    assert_eq!(plan.out.matches(says).count(), 2, "{}", plan.text());
    assert!(!plan.out.contains("the API server refuses"), "{}", plan.out);
    // Clients of the old version lose it, which is allowed by name.
    let refused = platform.carrier(&["apply", "--yes"]).await.ends(3);
    assert!(
        refused.err.contains("version v1beta1 is no longer served") || refused.err.contains("--allow-breaking"),
        "{}",
        refused.err
    );
    for name in CRDS {
        assert_eq!(versions(management, name).await?, ["v1beta1", "v1beta1", "v1beta1"]);
    }
    let versions_of = async || {
        let list = ["get", "redis.eu-west-1.team-a", "-A", "-o", "jsonpath={.items[*].metadata.resourceVersion}"];
        management.kubectl(&list).await
    };
    let before = versions_of().await?;
    let applied = platform.carrier(&["apply", "--yes", "--allow-breaking", "all"]).await.ends(0);
    let after = versions_of().await?;
    let kept = before.split(' ').filter(|version| after.split(' ').any(|other| other == *version)).count();
    assert_eq!((before.split(' ').count(), kept), (2, 0), "each is stored anew: {before}; {after}");
    let rewritten = "management: 2 instances of CRD redis.eu-west-1.team-a rewritten in v1\n";
    assert!(applied.err.contains(rewritten), "{}", applied.err);
    let next = "to end the upgrade: it removes v1beta1, in which nothing is stored now\n";
    assert!(applied.err.contains(next), "{}", applied.err);
    for name in CRDS {
        assert_eq!(versions(management, name).await?, ["v1 v1beta1", "v1", "v1"]);
    }
    let size = ["get", "redis.v1.eu-west-1.team-a", "one", "-n", "team-b", "-o", "jsonpath={.apiVersion} {.spec.size}"];
    assert_eq!(management.kubectl(&size).await?, "eu-west-1.team-a/v1 3");

    // A run that ended before the instances were rewritten is taken up by the next.
    for name in CRDS {
        let patch = r#"{"status": {"storedVersions": ["v1beta1", "v1"]}}"#;
        management.kubectl(&["patch", "crd", name, "--subresource=status", "--type=merge", "-p", patch]).await?;
    }
    let plan = platform.carrier(&["plan"]).await.ends(0);
    assert_eq!(plan.out.matches(says).count(), 2, "{}", plan.text());
    platform.carrier(&["apply", "--yes"]).await.ends(0);

    // Nothing is stored in the old version any more.
    let plan = platform.carrier(&["plan"]).await.ends(0);
    assert!(plan.out.contains("2 to change") && !plan.out.contains(says), "{}", plan.out);
    assert_eq!(plan.out.matches("version v1beta1, which is not served, is removed").count(), 2, "{}", plan.out);
    let applied = platform.carrier(&["apply", "--yes"]).await.ends(0);
    assert!(!applied.err.contains("next: "), "{}", applied.err);
    for name in CRDS {
        assert_eq!(versions(management, name).await?, ["v1", "v1", "v1"]);
    }
    let plan = platform.carrier(&["plan", "--prune"]).await.ends(0);
    assert!(plan.out.contains("No changes: "), "{}", plan.out);
    assert_eq!(management.kubectl(&size).await?, "eu-west-1.team-a/v1 3");
    Ok(())
}

/// What the run deletes was counted in the version that the same run has stopped serving.
async fn an_account_goes_in_the_same_run_as_a_version() -> TestResult {
    let platform = Platform::new(&["eu-west-1"]).await?;
    let account = std::fs::read_to_string(platform.path("accounts/team-b.yaml"))?;
    platform.write("accounts/team-c.yaml", &account.replace("team-b", "team-c"));
    platform.applied().await;
    let management = platform.management();
    platform.instance("eu-west-1", "kept", SPEC).await?;
    let going = format!(
        "apiVersion: eu-west-1.team-a/v1beta1\nkind: Redis\nmetadata: {{name: going, namespace: team-c}}\nspec: {SPEC}\n"
    );
    management.kubectl_with(&["create", "-f", "-"], &going).await?;
    new_operator(&platform).await?;
    platform.edit("catalogs/redis.yaml", "      - v1beta1\n", "      - v1\n");
    std::fs::remove_file(platform.path("accounts/team-c.yaml"))?;
    platform.carrier(&["lock"]).await.ends(0);

    let allow = ["--allow-breaking", "all", "--allow-delete", "account/team-c"];
    let args = ["apply", "--yes", "--prune", "--max-prune", "30"];
    let run = platform.carrier(&[&args[..], &allow[..]].concat()).await.ends(0);
    assert!(!run.err.contains("cannot be counted again"), "{}", run.err);
    eventually("the namespace is gone", async || management.kubectl(&["get", "namespace", "team-c"]).await.is_err())
        .await;
    let names = ["get", "redis.v1.eu-west-1.team-a", "-A", "-o", "jsonpath={.items[*].metadata.name}"];
    assert_eq!(management.kubectl(&names).await?, "kept");
    Ok(())
}
