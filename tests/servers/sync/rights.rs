//! Rights that are withdrawn from sync, and returned: nothing is taken for absent, and what is missing is named.

use serde_json::{Value, json};

use super::bed::Bed;
use super::objects::{condition, holds, said, uid, wait};
use super::repository::GROUP;
use crate::support::{Case, ControlPlane, KubectlError, TestResult, cases};

pub(crate) fn cases() -> Vec<Case> {
    cases![
        rights_in_the_service_cluster_withdrawn_and_returned,
        rights_in_the_management_cluster_withdrawn_and_returned,
        a_single_right_that_is_missing_is_named,
    ]
}

const REGION: &str = "eu-west-1";

/// A verb for a resource of a group.
#[derive(Clone, Copy)]
struct Right<'a> {
    group: &'a str,
    resource: &'a str,
    verb: &'a str,
}

impl Right<'_> {
    /// Takes it out of each role of sync that gives it, and returns the roles as they were.
    async fn withdraw(self, plane: &ControlPlane) -> Result<Value, KubectlError> {
        let roles = plane.kubectl(&["get", "clusterroles,roles", "-A", "-o", "json"]).await?;
        let roles: Value = serde_json::from_str(&roles).unwrap_or_default();
        let gives = |rule: &Value| {
            let has = |key: &str, wanted: &str| {
                rule[key].as_array().is_some_and(|all| all.iter().any(|value| value == wanted))
            };
            has("apiGroups", self.group) && has("resources", self.resource) && has("verbs", self.verb)
        };
        let is_of_sync = |role: &Value| {
            let name = role["metadata"]["name"].as_str().unwrap_or_default();
            name.starts_with("kubecarrier:sync") && role["rules"].as_array().into_iter().flatten().any(gives)
        };
        let before: Vec<Value> =
            roles["items"].as_array().into_iter().flatten().filter(|role| is_of_sync(role)).cloned().collect();
        assert!(!before.is_empty(), "no role gives {} {}", self.verb, self.resource);
        let mut after = before.clone();
        for rules in after.iter_mut().filter_map(|role| role["rules"].as_array_mut()) {
            for rule in rules.iter_mut().filter(|rule| gives(rule)) {
                let verbs = rule["verbs"].as_array_mut().into_iter();
                verbs.for_each(|verbs| verbs.retain(|verb| verb != self.verb));
            }
            rules.retain(|rule| rule["verbs"].as_array().is_some_and(|verbs| !verbs.is_empty()));
        }
        replace(plane, after).await?;
        Ok(Value::Array(before))
    }
}

/// Replaces roles, whatever they are now.
async fn replace(plane: &ControlPlane, mut roles: Vec<Value>) -> Result<(), KubectlError> {
    for role in &mut roles {
        role["metadata"].as_object_mut().map(|metadata| metadata.remove("resourceVersion"));
    }
    let list = json!({"apiVersion": "v1", "kind": "List", "items": roles});
    plane.kubectl_with(&["replace", "-f", "-"], &list.to_string()).await?;
    Ok(())
}

/// Each of the rights without which an instance goes no further is named in its condition, in the server's words, and
/// those without which there is no condition are in the log. Returned, it goes on.
async fn a_single_right_that_is_missing_is_named() -> TestResult {
    let bed = Bed::new(&[REGION]).await?;
    bed.clusters().annotate(REGION, "carrier.kubecarrier.io/deletion-breaker", Some("1000,100%,10m")).await?;
    let sync = bed.sync().await?;
    let redis = bed.service(REGION).await;
    let (derived, internal) = (format!("{REGION}.team-a"), format!("internal.{REGION}.team-a"));
    let (management, service) = (bed.management(), &bed.planes[REGION]);
    let right = |group, verb| Right { group, resource: "redis", verb };
    // Where, which right, and whether an instance is made, edited or deleted.
    let cases = [
        (management, right(&derived, "patch"), "make"),
        (management, right(&internal, "create"), "make"),
        (management, right(&internal, "patch"), "edit"),
        (management, right(&internal, "delete"), "delete"),
        (management, right(&derived, "patch"), "delete"),
        (service, right(GROUP, "create"), "make"),
        (service, right(GROUP, "patch"), "edit"),
        (service, right(GROUP, "delete"), "delete"),
    ];
    for (number, (plane, right, act)) in cases.into_iter().enumerate() {
        let (name, Right { group, verb, .. }) = (format!("{act}-{number}"), right);
        if act != "make" {
            redis.later(&name).await?;
        }
        let before = right.withdraw(plane).await?;
        let account = if group == GROUP { format!("carrier-{REGION}.team-a") } else { "carrier-sync".to_owned() };
        let user = plane.impersonate(&format!("system:serviceaccount:kubecarrier-system:{account}"), &[]).await?;
        let namespace = if group == GROUP { redis.namespace.as_str() } else { "team-b" };
        let can = ["auth", "can-i", verb, &format!("redis.{group}"), "-n", namespace];
        wait("the server knows the role", async || {
            let said = user.kubectl(&can).await;
            holds(said.as_ref().is_err(), || format!("{said:?}"))
        })
        .await;
        match act {
            "make" => drop(redis.create(&name).await?),
            "edit" => drop(redis.member.merge(&name, &json!({"spec": {"size": 7}})).await?),
            _ => drop(redis.member.delete(&name).await?),
        }
        let wanted = format!("cannot {verb} resource \"redis\" in API group \"{group}\"");
        let says = redis.says(&name, "False/Rejected").await;
        assert!(says["message"].as_str().is_some_and(|text| text.contains(&wanted)), "{wanted}: {says}");
        replace(plane, before.as_array().cloned().unwrap_or_default()).await?;
        match act {
            "delete" => redis.gone(&name).await,
            _ => drop(redis.in_step(&name).await),
        }
    }
    let status = Right { group: &derived, resource: "redis/status", verb: "patch" };
    let before = status.withdraw(management).await?;
    redis.create("no-status").await?;
    wait("the log says so", async || {
        let log = sync.log();
        holds(log.contains("does not allow this") && log.contains("step=\"tenant-status\""), || {
            "it does not".to_owned()
        })
    })
    .await;
    replace(management, before.as_array().cloned().unwrap_or_default()).await?;
    redis.in_step("no-status").await;
    assert!(!sync.log().contains("1234"), "a value of a spec is in the log");
    Ok(())
}

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
