//! What befalls the way to a service cluster: it stops, breaks, leads elsewhere, or lets sync in no more.

use std::time::Duration;

use serde_json::{Value, json};

use super::basics::shows;
use super::bed::Bed;
use super::objects::{condition, holds, said, uid, wait};
use crate::support::{Case, TestResult, cases};

pub(crate) fn cases() -> Vec<Case> {
    cases![
        a_service_api_server_that_stops_for_a_minute,
        connections_that_are_cut_in_the_middle,
        a_cluster_that_is_down_does_not_delay_another,
        a_new_kubeconfig_is_used_without_a_restart,
        a_broken_kubeconfig_is_said_and_the_old_connection_goes_on,
        a_kubeconfig_that_leads_to_another_cluster_stops_everything,
        a_token_that_has_ended_is_said_and_a_new_one_is_used,
        a_cluster_without_a_kubeconfig_is_said,
    ]
}

async fn a_service_api_server_that_stops_for_a_minute() -> TestResult {
    let bed = Bed::new(&["eu-west-1"]).await?;
    let _operator = bed.operator("eu-west-1");
    let _sync = bed.sync().await?;
    let redis = bed.service("eu-west-1").await;
    for name in ["kept", "edited", "deleted"] {
        redis.create(name).await?;
    }
    for name in ["kept", "edited", "deleted"] {
        redis.in_step(name).await;
    }
    let since = tokio::time::Instant::now();
    bed.planes["eu-west-1"].pause();
    bed.cluster_says("eu-west-1", "ServiceClusterReachable", "False/ClusterUnreachable").await;
    // What happens meanwhile waits; nothing is taken for absent.
    redis.member.merge("edited", &json!({"spec": {"size": 8}})).await?;
    redis.member.delete("deleted").await?;
    redis.create("new").await?;
    redis.says("edited", "Unknown/ClusterUnreachable").await;
    redis.says("new", "Unknown/ClusterUnreachable").await;
    tokio::time::sleep_until(since + Duration::from_mins(1)).await;
    assert!(redis.internal.get("deleted").await.is_some(), "the copy is not seen to be gone");
    assert!(redis.tenant.get("deleted").await.is_some());
    bed.planes["eu-west-1"].resume();
    bed.cluster_says("eu-west-1", "ServiceClusterReachable", "True/ServiceClusterReachable").await;
    redis.gone("deleted").await;
    assert_eq!(redis.in_step("edited").await.copy["spec"]["size"], 8);
    redis.in_step("new").await;
    redis.in_step("kept").await;
    Ok(())
}

async fn connections_that_are_cut_in_the_middle() -> TestResult {
    let bed = Bed::new(&["eu-west-1"]).await?;
    let _operator = bed.operator("eu-west-1");
    let sync = bed.sync().await?;
    let redis = bed.service("eu-west-1").await;
    for round in 0..10 {
        let name = format!("cut-{round}");
        redis.create(&name).await?;
        for cluster in ["management", "eu-west-1"] {
            bed.proxy(cluster).cut();
        }
        if round > 0 {
            redis.member.merge("cut-0", &json!({"spec": {"size": round + 1}})).await?;
        }
    }
    for round in 0..10 {
        let levels = redis.in_step(&format!("cut-{round}")).await;
        shows(&redis.tenant, &format!("cut-{round}"), "/status/phase", json!("Running")).await;
        assert_eq!(uid(&levels.tenant), levels.copy["metadata"]["annotations"]["carrier.kubecarrier.io/source-uid"]);
    }
    assert_eq!(redis.in_step("cut-0").await.copy["spec"]["size"], 10);
    assert_eq!(sync.stop().await, Some(0), "it ends in good order");
    Ok(())
}

async fn a_cluster_that_is_down_does_not_delay_another() -> TestResult {
    let bed = Bed::new(&["eu-west-1", "eu-west-2"]).await?;
    let _operator = bed.operator("eu-west-2");
    // It is down from the beginning: ready all the same.
    bed.proxy("eu-west-1").stall();
    let sync = bed.sync().await?;
    let (down, up) = (bed.service("eu-west-1").await, bed.service("eu-west-2").await);
    bed.cluster_says("eu-west-1", "ServiceClusterReachable", "False/ClusterUnreachable").await;
    for number in 0..30 {
        down.create(&format!("waits-{number}")).await?;
        up.create(&format!("goes-{number}")).await?;
    }
    for number in 0..30 {
        up.in_step(&format!("goes-{number}")).await;
    }
    let waiting = down.says("waits-29", "Unknown/ClusterUnreachable").await;
    assert!(waiting["message"].as_str().is_some_and(|text| !text.is_empty()));
    let metrics = sync.metrics().await;
    assert!(metrics.sum("carrier_cluster_reachable", &["cluster=\"team-a/eu-west-1\""]) < 0.5);
    assert!(metrics.sum("carrier_cluster_reachable", &["cluster=\"team-a/eu-west-2\""]) > 0.5);
    bed.proxy("eu-west-1").pass();
    for number in 0..30 {
        down.in_step(&format!("waits-{number}")).await;
    }
    Ok(())
}

async fn a_new_kubeconfig_is_used_without_a_restart() -> TestResult {
    let bed = Bed::new(&["eu-west-1"]).await?;
    let sync = bed.sync().await?;
    let redis = bed.service("eu-west-1").await;
    for name in ["before", "more", "most"] {
        redis.later(name).await?;
    }
    let counted = sync.metrics().await;
    let token = bed.token_kubeconfig_for("eu-west-1").await?;
    bed.put_secret("eu-west-1", &token).await?;
    // The old way in ends: only the new one is left.
    wait("the connections of the certificate are given up", async || {
        redis.member.annotate("before", "example.com/round", Some("x")).await.map_err(|error| error.to_string())?;
        let cluster = bed.clusters().get("eu-west-1").await.ok_or("gone")?;
        holds(said(condition(&cluster, "KubeconfigReady")).starts_with("True/"), || cluster["status"].to_string())
    })
    .await;
    redis.create("after").await?;
    redis.in_step("after").await;
    redis.in_step("before").await;
    // Counters go on through the change, and while there is no connection at all.
    let now = sync.metrics().await;
    assert_eq!(now.fallen(&counted, "carrier_requests_total"), Vec::<String>::new());
    bed.proxy("eu-west-1").refuse();
    bed.cluster_says("eu-west-1", "ServiceClusterReachable", "False/ClusterUnreachable").await;
    assert_eq!(sync.metrics().await.fallen(&now, "carrier_requests_total"), Vec::<String>::new());
    Ok(())
}

async fn a_broken_kubeconfig_is_said_and_the_old_connection_goes_on() -> TestResult {
    let bed = Bed::new(&["eu-west-1"]).await?;
    let _sync = bed.sync().await?;
    let redis = bed.service("eu-west-1").await;
    redis.create("before").await?;
    redis.in_step("before").await;
    bed.put_secret("eu-west-1", "this is: [no kubeconfig").await?;
    let refused = wait("the Secret is refused", async || {
        let cluster = bed.clusters().get("eu-west-1").await.ok_or("gone")?;
        let ready = condition(&cluster, "KubeconfigReady");
        holds(ready["status"] == "False", || cluster["status"].to_string())?;
        Ok(ready.clone())
    })
    .await;
    assert!(!refused["message"].as_str().unwrap_or_default().contains("this is: ["), "the Secret is shown: {refused}");
    // The old connection is good, and used.
    redis.create("after").await?;
    redis.in_step("after").await;
    // One that would run a program is refused as well.
    let config: Value = serde_saphyr::from_str(&bed.kubeconfig_for("eu-west-1").await?)?;
    let mut runs = config.clone();
    runs["users"][0]["user"] = json!({"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "touch",
                                               "args": [bed.path("it-ran").display().to_string()]}});
    bed.put_secret("eu-west-1", &runs.to_string()).await?;
    redis.create("still").await?;
    redis.in_step("still").await;
    assert!(!bed.path("it-ran").exists());
    bed.put_secret("eu-west-1", &config.to_string()).await?;
    wait("the good one is taken again", async || {
        let cluster = bed.clusters().get("eu-west-1").await.ok_or("gone")?;
        holds(condition(&cluster, "KubeconfigReady")["status"] == "True", || cluster["status"].to_string())
    })
    .await;
    Ok(())
}

async fn a_kubeconfig_that_leads_to_another_cluster_stops_everything() -> TestResult {
    let bed = Bed::builder(&["eu-west-1", "eu-west-2"]).start().await?;
    let _sync = bed.sync().await?;
    let redis = bed.service("eu-west-1").await;
    for name in ["kept", "deleted"] {
        redis.create(name).await?;
        redis.in_step(name).await;
    }
    let pinned = bed.clusters().get("eu-west-1").await.ok_or("gone")?["status"]["clusterUID"].clone();
    let of = async |region: &str| {
        bed.planes[region].kubectl(&["get", "ns", "kube-system", "-o", "jsonpath={.metadata.uid}"]).await
    };
    assert_eq!(pinned, of("eu-west-1").await?.as_str());
    // The Secret of eu-west-1 leads to eu-west-2, with an account that may do all: every 404 there is a lie.
    let admin = std::fs::read_to_string(bed.planes["eu-west-2"].kubeconfig_path())?;
    bed.put_secret("eu-west-1", &admin).await?;
    let said = bed.cluster_says("eu-west-1", "ServiceClusterReachable", "False/IdentityChanged").await;
    let found = of("eu-west-2").await?;
    let message = said["message"].as_str().unwrap_or_default();
    assert!(message.contains("kubectl annotate") && message.contains(&found), "{message}");
    redis.says("kept", "Unknown/IdentityChanged").await;
    redis.member.delete("deleted").await?;
    redis.member.merge("kept", &json!({"spec": {"size": 7}})).await?;
    redis.says("kept", "Unknown/IdentityChanged").await;
    assert!(redis.internal.get("deleted").await.is_some(), "a 404 of the wrong cluster was believed");
    let there =
        bed.planes["eu-west-2"].kubectl(&["get", "redis.redis.redis.opstreelabs.in", "-A", "-o", "name"]).await?;
    assert_eq!(there, "", "something was written in the wrong cluster");
    // Back to where it was.
    bed.connect("eu-west-1").await?;
    redis.gone("deleted").await;
    assert_eq!(redis.in_step("kept").await.copy["spec"]["size"], 7);
    // And on purpose to the other one: everything is made there.
    bed.put_secret("eu-west-1", &admin).await?;
    bed.cluster_says("eu-west-1", "ServiceClusterReachable", "False/IdentityChanged").await;
    let namespace = &redis.namespace;
    bed.planes["eu-west-2"].kubectl(&["create", "namespace", namespace]).await?;
    let labels =
        ["kubecarrier.io/provider=team-a", "kubecarrier.io/tenant=team-b", "kubecarrier.io/service-cluster=eu-west-1"];
    bed.planes["eu-west-2"].kubectl(&[&["label", "namespace", namespace], &labels[..]].concat()).await?;
    bed.clusters().annotate("eu-west-1", "carrier.kubecarrier.io/accept-identity", Some(&found)).await?;
    bed.cluster_says("eu-west-1", "ServiceClusterReachable", "True/ServiceClusterReachable").await;
    redis.says("kept", "True/InStep").await;
    let get = ["get", "redis.redis.redis.opstreelabs.in", "-n", namespace, "-o", "name"];
    assert!(bed.planes["eu-west-2"].kubectl(&get).await?.contains("kept"));
    Ok(())
}

async fn a_token_that_has_ended_is_said_and_a_new_one_is_used() -> TestResult {
    let bed = Bed::new(&["eu-west-1"]).await?;
    let token = bed.token_kubeconfig_for("eu-west-1").await?;
    bed.put_secret("eu-west-1", &token).await?;
    let _sync = bed.sync().await?;
    let redis = bed.service("eu-west-1").await;
    redis.create("before").await?;
    redis.in_step("before").await;
    // A token ends with its account.
    let account = ["serviceaccount", "-n", "kubecarrier-system", "carrier-eu-west-1.team-a"];
    bed.planes["eu-west-1"].kubectl(&[&["delete"], &account[..]].concat()).await?;
    redis.create("meanwhile").await?;
    wait("it is said", async || {
        let tenant = redis.tenant.get("meanwhile").await.ok_or("gone")?;
        let cluster = bed.clusters().get("eu-west-1").await.ok_or("gone")?;
        let unknown = condition(&tenant, "Synced")["status"] == "Unknown";
        let reachable = said(condition(&cluster, "ServiceClusterReachable"));
        holds(unknown && reachable.starts_with("False/"), || format!("{} {}", cluster["status"], tenant["status"]))
    })
    .await;
    bed.planes["eu-west-1"].kubectl(&["create", "serviceaccount", "-n", account[2], account[3]]).await?;
    let token = bed.token_kubeconfig_for("eu-west-1").await?;
    bed.put_secret("eu-west-1", &token).await?;
    redis.in_step("meanwhile").await;
    redis.in_step("before").await;
    Ok(())
}

async fn a_cluster_without_a_kubeconfig_is_said() -> TestResult {
    let bed = Bed::new(&["eu-west-1"]).await?;
    bed.management().kubectl(&["delete", "secret", "-n", "team-a", "eu-west-1-kubeconfig"]).await?;
    // It does not count for readiness.
    let sync = bed.sync().await?;
    let redis = bed.service("eu-west-1").await;
    redis.create("waits").await?;
    let waiting = redis.says("waits", "Unknown/ClusterUnreachable").await;
    assert!(waiting["message"].as_str().is_some_and(|text| !text.is_empty()));
    assert_eq!(sync.get("/readyz").await?.0, 200);
    bed.connect("eu-west-1").await?;
    redis.in_step("waits").await;
    bed.cluster_says("eu-west-1", "Ready", "True/ComponentsReady").await;
    let version = bed.clusters().get("eu-west-1").await.ok_or("gone")?["status"]["kubernetesVersion"].clone();
    assert!(version.to_string().contains("1."), "{version}");
    Ok(())
}
