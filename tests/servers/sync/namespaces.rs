//! The namespace of a tenant in a service cluster: missing, someone else's, on its way out.

use serde_json::json;

use super::bed::Bed;
use super::objects::{condition, holds, said, uid, wait};
use crate::support::{Case, TestResult, cases};

pub(crate) fn cases() -> Vec<Case> {
    cases![
        the_namespace_is_reported_in_the_assignment,
        a_namespace_that_someone_else_owns_is_left_alone,
        a_service_namespace_that_is_terminating,
    ]
}

const REGION: &str = "eu-west-1";

async fn the_namespace_is_reported_in_the_assignment() -> TestResult {
    let bed = Bed::new(&[REGION]).await?;
    let _sync = bed.sync().await?;
    let redis = bed.service(REGION).await;
    wait("the Assignment is ready", async || {
        let assignment = bed.assignments().get("team-b.eu-west-1").await.ok_or("gone")?;
        let named = assignment["status"]["serviceClusterNamespace"]["name"] == redis.namespace.as_str();
        holds(named && said(condition(&assignment, "Ready")) == "True/SetupComplete", || {
            assignment["status"].to_string()
        })
    })
    .await;
    Ok(())
}

async fn a_namespace_that_someone_else_owns_is_left_alone() -> TestResult {
    let bed = Bed::new(&[REGION]).await?;
    let sync = bed.sync().await?;
    let (redis, other) = (bed.service(REGION).await, bed.service_of("team-c", REGION).await);
    for name in ["kept", "deleted"] {
        redis.create(name).await?;
        redis.in_step(name).await;
    }
    sync.stop().await;
    let plane = &bed.planes[REGION];
    let before = redis.copy.get("kept").await.ok_or("gone")?;
    plane.kubectl(&["label", "--overwrite", "namespace", &redis.namespace, "kubecarrier.io/provider=team-z"]).await?;
    sync.again()?;
    sync.ready().await?;
    redis.member.merge("kept", &json!({"spec": {"size": 7}})).await?;
    redis.says("kept", "False/NamespaceNotOurs").await;
    redis.create("new").await?;
    redis.says("new", "False/NamespaceNotOurs").await;
    wait("the Assignment says so", async || {
        let assignment = bed.assignments().get("team-b.eu-west-1").await.ok_or("gone")?;
        holds(said(condition(&assignment, "Ready")) == "False/NamespaceNotOurs", || assignment["status"].to_string())
    })
    .await;
    other.create("other").await?;
    other.in_step("other").await;
    assert_eq!(redis.copy.get("kept").await.as_ref(), Some(&before), "it was written there");
    assert!(redis.copy.get("new").await.is_none());
    // Copies with our marks may still go.
    redis.member.delete("deleted").await?;
    redis.gone("deleted").await;
    plane.kubectl(&["label", "--overwrite", "namespace", &redis.namespace, "kubecarrier.io/provider=team-a"]).await?;
    sync.stop().await;
    sync.again()?;
    redis.in_step("new").await;
    assert_eq!(redis.in_step("kept").await.copy["spec"]["size"], 7);
    Ok(())
}

async fn a_service_namespace_that_is_terminating() -> TestResult {
    let bed = Bed::new(&[REGION]).await?;
    let _sync = bed.sync().await?;
    let redis = bed.service(REGION).await;
    redis.create("first").await?;
    let before = redis.in_step("first").await;
    let plane = &bed.planes[REGION];
    // Something holds the namespace for a while.
    let hold = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "hold", "finalizers": ["example.com/hold"]}});
    plane.kubectl_with(&["create", "-n", &redis.namespace, "-f", "-"], &hold.to_string()).await?;
    plane.kubectl(&["delete", "namespace", &redis.namespace, "--wait=false"]).await?;
    wait("the copy went with it", async || holds(redis.copy.get("first").await.is_none(), || "it is there".to_owned()))
        .await;
    redis.create("second").await?;
    wait("it is said", async || {
        let tenant = redis.tenant.get("second").await.ok_or("gone")?;
        let synced = condition(&tenant, "Synced");
        let named = synced["message"].as_str().is_some_and(|text| text.contains(&redis.namespace));
        holds(synced["status"] != "True" && named, || synced.to_string())
    })
    .await;
    assert!(redis.tenant.get("first").await.is_some(), "the tenant's object went with someone else's namespace");
    // An instance whose copy is gone with the namespace can be deleted: the copy is seen to be gone.
    redis.member.delete("second").await?;
    redis.gone("second").await;
    let released = json!([{"op": "remove", "path": "/metadata/finalizers"}]).to_string();
    plane.kubectl(&["patch", "configmap", "hold", "-n", &redis.namespace, "--type=json", "-p", &released]).await?;
    plane.kubectl(&["wait", "--for=delete", &format!("namespace/{}", redis.namespace), "--timeout=120s"]).await?;
    // Sync may not make namespaces there; whoever may brings it back.
    bed.carrier(&["apply", "--yes"]).await.ends(0);
    let after = redis.in_step("first").await;
    assert_ne!(uid(&after.copy), uid(&before.copy));
    assert_eq!(after.copy["spec"], before.copy["spec"]);
    Ok(())
}
