//! The rights that carrier renders for sync, held against those that it uses: what it asked for through the lives of
//! some instances is in the audit logs of the API servers. No right is superfluous, and none is missing, so that
//! without any one of them a request of this test is refused.

use std::fmt;

use serde_json::{Value, json};

use super::basics::shows;
use super::bed::{Bed, MANAGEMENT, Service};
use super::deletions::{POLICY, all_policies};
use super::objects::{condition, holds, said, uid, wait};
use super::process::SyncProcess;
use super::replicas::leases;
use crate::support::{Case, ControlPlane, Failed, TestResult, cases};

pub(crate) fn cases() -> Vec<Case> {
    cases![every_right_of_sync_is_used_and_none_is_missing]
}

const REGION: &str = "eu-west-1";
const PAUSED: &str = "carrier.kubecarrier.io/paused";

/// The rights that this test does not use, and why they are rendered.
const UNUSED: &[(&str, &str)] = &[(
    "management team-a: get secrets. eu-west-1-kubeconfig",
    "whoever does not let Secrets be listed and watched leaves this one, and the Secret is read once a minute",
)];

/// One right: a verb for a resource, in a namespace or everywhere, for objects of these names or all.
struct Right {
    cluster: String,
    namespace: Option<String>,
    group: String,
    resource: String,
    verb: String,
    names: Vec<String>,
}

/// One request, as the API server has recorded it.
struct Asked {
    cluster: String,
    verb: String,
    namespace: String,
    group: String,
    resource: String,
    name: String,
    code: u64,
}

impl fmt::Display for Right {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cluster, namespace, group, resource, verb, names } = self;
        let place = namespace.as_deref().unwrap_or("*");
        write!(f, "{cluster} {place}: {verb} {resource}.{group} {}", names.join(","))
    }
}

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cluster, verb, namespace, group, resource, name, code } = self;
        write!(f, "{cluster} {namespace}: {verb} {resource}.{group} {name} ({code})")
    }
}

impl Right {
    /// Whether a request needs it. A server-side apply that creates an object needs the right to create it as well.
    fn allows(&self, asked: &Asked) -> bool {
        let verb = self.verb == asked.verb || (self.verb == "create" && asked.verb == "patch" && asked.code == 201);
        verb && self.cluster == asked.cluster
            && (&self.group, &self.resource) == (&asked.group, &asked.resource)
            && self.namespace.as_ref().is_none_or(|namespace| *namespace == asked.namespace)
            && (self.names.is_empty() || self.names.contains(&asked.name))
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn texts(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().map(text).collect()
}

/// The rights of a service account of `kubecarrier-system`, from the roles that are bound to it.
async fn rights(plane: &ControlPlane, account: &str) -> Result<Vec<Right>, Failed> {
    let all =
        plane.kubectl(&["get", "clusterroles,clusterrolebindings,roles,rolebindings", "-A", "-o", "json"]).await?;
    let all: Value = serde_json::from_str(&all)?;
    let items = || all["items"].as_array().into_iter().flatten();
    let bound = |binding: &&Value| {
        binding["subjects"].as_array().into_iter().flatten().any(|subject| subject["name"] == account)
    };
    let mut rights = Vec::new();
    for binding in items().filter(bound) {
        let namespace = binding["metadata"]["namespace"].as_str().map(str::to_owned);
        let role = items().find(|role| {
            role["kind"] == binding["roleRef"]["kind"]
                && role["metadata"]["name"] == binding["roleRef"]["name"]
                && role["metadata"]["namespace"] == binding["metadata"]["namespace"]
        });
        for rule in role.ok_or("a role")?["rules"].as_array().into_iter().flatten() {
            for group in texts(&rule["apiGroups"]) {
                for resource in texts(&rule["resources"]) {
                    for verb in texts(&rule["verbs"]) {
                        rights.push(Right {
                            cluster: plane.name().to_owned(),
                            namespace: namespace.clone(),
                            group: group.clone(),
                            resource: resource.clone(),
                            verb,
                            names: texts(&rule["resourceNames"]),
                        });
                    }
                }
            }
        }
    }
    assert!(!rights.is_empty(), "{account} has no rights");
    Ok(rights)
}

fn asked(plane: &ControlPlane) -> Result<Vec<Asked>, Failed> {
    let of_objects = |event: &&Value| event["objectRef"].is_object();
    let asked = |event: &Value| {
        let object = &event["objectRef"];
        let subresource = object["subresource"].as_str().map(|name| format!("/{name}")).unwrap_or_default();
        Asked {
            cluster: plane.name().to_owned(),
            verb: text(&event["verb"]),
            namespace: text(&object["namespace"]),
            group: text(&object["apiGroup"]),
            resource: text(&object["resource"]) + &subresource,
            name: text(&object["name"]),
            code: event["responseStatus"]["code"].as_u64().unwrap_or_default(),
        }
    };
    Ok(plane.asked()?.iter().filter(of_objects).map(asked).collect())
}

/// Instances are made, edited, deleted, adopted and lost.
async fn lives(bed: &Bed, sync: &SyncProcess, redis: &Service) -> TestResult {
    redis.later("whole").await?;
    redis.member.merge("whole", &json!({"spec": {"size": 7}})).await?;
    redis.in_step("whole").await;
    shows(&redis.tenant, "whole", "/status/phase", json!("Running")).await;
    let before = redis.copy.get("whole").await.ok_or("gone")?;
    redis.copy.delete("whole").await?;
    wait("the copy is made again", async || {
        let copy = redis.copy.get("whole").await.ok_or("there is none")?;
        holds(uid(&copy) != uid(&before), || copy["metadata"].to_string())
    })
    .await;
    redis.member.delete("whole").await?;
    redis.gone("whole").await;
    redis.copy.create("adopted", &super::bed::spec(), &json!({})).await?;
    redis.create("adopted").await?;
    redis.says("adopted", "False/Conflict").await;
    redis.copy.annotate("adopted", "carrier.kubecarrier.io/adopt", Some("true")).await?;
    redis.in_step("adopted").await;
    redis.member.annotate("adopted", POLICY, Some("Orphan")).await?;
    redis.member.delete("adopted").await?;
    redis.gone_in_management("adopted").await;
    redis.create("adopted").await?;
    redis.in_step("adopted").await;
    redis.later("lost").await?;
    sync.stop().await;
    redis.tenant.vanish("lost").await?;
    sync.again()?;
    sync.ready().await?;
    wait("an event tells of the orphan", async || {
        let events = bed.management().kubectl(&["get", "events", "-n", "team-a", "-o", "json"]).await;
        let events = events.map_err(|error| error.to_string())?;
        holds(events.contains("lost"), || events.clone())
    })
    .await;
    bed.approved(&format!("team-a/{REGION}/redis"), "team-b").await;
    redis.gone("lost").await;
    Ok(())
}

/// What happens to the objects that say what there is to do, and to the leases.
async fn around(bed: &Bed, redis: &Service) -> TestResult {
    let entry = format!("redis.{REGION}");
    let says = async |wanted: &str| {
        wait(&format!("the CatalogEntry says {wanted}"), async || {
            let entry = bed.entries().get(&entry).await.ok_or("gone")?;
            holds(said(condition(&entry, "Synced")) == wanted, || entry["status"].to_string())
        })
        .await;
    };
    bed.entries().annotate(&entry, PAUSED, Some("true")).await?;
    says("Unknown/Paused").await;
    bed.entries().annotate(&entry, PAUSED, None).await?;
    says("True/InStep").await;
    // Somebody writes to a lease, so that its renewal conflicts sooner or later, and it is read.
    let lease = format!("carrier-sync-{REGION}.team-a");
    wait("a renewal conflicts", async || {
        for round in 0..20 {
            let round = format!("{round}");
            leases(bed).annotate(&lease, "example.com/round", Some(&round)).await.map_err(|error| error.to_string())?;
        }
        let asked = asked(bed.management()).map_err(|error| error.message().unwrap_or("?").to_owned())?;
        let read = asked.iter().any(|asked| asked.resource == "leases" && asked.verb == "get");
        holds(read, || "none yet".to_owned())
    })
    .await;
    let token = bed.token_kubeconfig_for(REGION).await?;
    bed.put_secret(REGION, &token).await?;
    redis.later("last").await?;
    Ok(())
}

async fn every_right_of_sync_is_used_and_none_is_missing() -> TestResult {
    let bed = Bed::builder(&[REGION]).change(all_policies).audited().start().await?;
    let _operator = bed.operator(REGION);
    let sync = bed.sync().await?;
    let redis = bed.service(REGION).await;
    lives(&bed, &sync, &redis).await?;
    around(&bed, &redis).await?;
    sync.stop().await;

    let mut all = rights(&bed.planes[MANAGEMENT], "carrier-sync").await?;
    all.extend(rights(&bed.planes[REGION], &format!("carrier-{REGION}.team-a")).await?);
    let mut requests = asked(&bed.planes[MANAGEMENT])?;
    requests.extend(asked(&bed.planes[REGION])?);
    let refused: Vec<String> = requests.iter().filter(|asked| asked.code == 403).map(ToString::to_string).collect();
    assert_eq!(refused, Vec::<String>::new(), "rights that are missing");
    // Those for other tenants are the same as those for team-b.
    let here = ["kubecarrier-system", "team-a", "team-b", &redis.namespace];
    let here = |right: &&Right| right.namespace.as_ref().is_none_or(|namespace| here.contains(&namespace.as_str()));
    let unused = all.iter().filter(here).filter(|right| !requests.iter().any(|asked| right.allows(asked)));
    let unused: Vec<String> = unused.map(|right| right.to_string().trim().to_owned()).collect();
    let known: Vec<&str> = UNUSED.iter().map(|(right, _)| *right).collect();
    assert_eq!(unused, known, "rights that are not used");
    Ok(())
}
