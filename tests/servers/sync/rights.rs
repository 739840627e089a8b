//! Rights that are withdrawn from sync, and returned: nothing is taken for absent, and what is missing is named.

use serde_json::{Value, json};

use super::bed::Bed;
use super::objects::{condition, holds, said, uid, wait};
use crate::support::{Case, ControlPlane, KubectlError, TestResult, cases};

pub(crate) fn cases() -> Vec<Case> {
    cases![
        rights_in_the_service_cluster_withdrawn_and_returned,
        rights_in_the_management_cluster_withdrawn_and_returned
    ]
}

const REGION: &str = "eu-west-1";

/// Takes all bindings of sync's account away, and returns them as they were.
async fn withdraw(plane: &ControlPlane, account: &str) -> Result<Value, KubectlError> {
    let bindings = plane.kubectl(&["get", "clusterrolebindings,rolebindings", "-A", "-o", "json"]).await?;
    let bindings: Value = serde_json::from_str(&bindings).unwrap_or_default();
    let full = format!("system:serviceaccount:kubecarrier-system:{account}");
    let of_account = |binding: &&Value| {
        let mut subjects = binding["subjects"].as_array().into_iter().flatten();
        subjects.any(|subject| subject["name"] == account || subject["name"] == full.as_str())
    };
    let mut found: Vec<Value> =
        bindings["items"].as_array().into_iter().flatten().filter(of_account).cloned().collect();
    for binding in &mut found {
        let text = |key: &str| binding["metadata"][key].as_str().unwrap_or_default().to_owned();
        let (kind, name, namespace) =
            (binding["kind"].as_str().unwrap_or_default().to_lowercase(), text("name"), text("namespace"));
        let mut delete = vec!["delete", &kind, &name];
        if !namespace.is_empty() {
            delete.extend(["-n", &namespace]);
        }
        plane.kubectl(&delete).await?;
        for key in ["uid", "resourceVersion", "creationTimestamp", "managedFields"] {
            binding["metadata"].as_object_mut().map(|metadata| metadata.remove(key));
        }
    }
    assert!(!found.is_empty(), "{account} has no rights");
    Ok(json!({"apiVersion": "v1", "kind": "List", "items": found}))
}

async fn withdrawn_and_returned(of_service: bool) -> TestResult {
    let bed = Bed::new(&[REGION]).await?;
    let sync = bed.sync().await?;
    let redis = bed.service(REGION).await;
    for name in ["kept", "deleted"] {
        redis.create(name).await?;
        redis.in_step(name).await;
    }
    let before = redis.copy.get("kept").await.ok_or("gone")?;
    let (plane, account) = match of_service {
        true => (&bed.planes[REGION], format!("carrier-{REGION}.team-a")),
        false => (bed.management(), "carrier-sync".to_owned()),
    };
    let bindings = withdraw(plane, &account).await?;
    redis.member.merge("kept", &json!({"spec": {"size": 7}})).await?;
    redis.member.delete("deleted").await?;
    if of_service {
        // It is said, with the right that is missing.
        wait("the missing right is named", async || {
            let tenant = redis.tenant.get("kept").await.ok_or("gone")?;
            let synced = condition(&tenant, "Synced");
            let named = synced["message"].as_str().is_some_and(|text| text.contains("right"));
            holds(synced["status"] != "True" && named, || synced.to_string())
        })
        .await;
        assert!(redis.internal.get("deleted").await.is_some(), "a 403 was taken for the end of the copy");
    } else {
        // Its watches are cut, so that it must ask again, and is refused.
        bed.proxy("management").cut();
        wait("it is not ready", async || {
            let (code, body) = sync.get("/healthz").await?;
            holds(code == 200, || body.clone())
        })
        .await;
        assert!(redis.tenant.get("deleted").await.is_some());
    }
    assert_eq!(redis.copy.get("kept").await.as_ref().map(uid), Some(uid(&before)));
    plane.kubectl_with(&["create", "-f", "-"], &bindings.to_string()).await?;
    assert_eq!(redis.in_step("kept").await.copy["spec"]["size"], 7);
    redis.gone("deleted").await;
    redis.later("later").await?;
    assert_eq!(said(condition(&redis.in_step("later").await.tenant, "Synced")), "True/InStep");
    Ok(())
}

async fn rights_in_the_service_cluster_withdrawn_and_returned() -> TestResult {
    withdrawn_and_returned(true).await
}

async fn rights_in_the_management_cluster_withdrawn_and_returned() -> TestResult {
    withdrawn_and_returned(false).await
}
