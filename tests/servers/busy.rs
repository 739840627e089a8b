//! Servers that are busy or broken, what stands before them, and what they do not take: nothing of it is said to be the word of
//! an API server about an object, and what would stop `carrier apply` is in the plan.

use std::process::Output;
use std::time::Duration;

use serde_json::{Value, json};

use super::errors::crd;
use super::platform::{BASE, Platform};
use super::policies::Policy;
use crate::support::{Case, Gateway, TestResult, cases, eventually};

/// The tests of this file.
pub(crate) fn cases() -> Vec<Case> {
    cases![
        what_stands_before_a_server_refuses_nothing,
        a_watch_that_is_held_back_is_followed_by_a_look,
        what_a_policy_refuses_of_the_inventory_is_in_the_plan,
        a_crd_has_to_fit_into_a_request_to_etcd,
    ]
    .into_iter()
    .map(|case| case.within(Duration::from_mins(10)))
    .collect()
}

/// Runs a command by way of a gateway; the status, and what it wrote.
async fn by(gateway: &Gateway, platform: &Platform, args: &[&str]) -> Result<(Option<i32>, String), std::io::Error> {
    let mut command = platform.command(&[args, &["--allow-loopback"]].concat());
    let Output { status, stdout, stderr } = command.env("KUBECONFIG", gateway.kubeconfig_path()).output().await?;
    Ok((status.code(), format!("{}{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr))))
}

async fn what_stands_before_a_server_refuses_nothing() -> TestResult {
    let platform = Platform::new(&["eu-west-1"]).await?;
    platform.applied().await;
    platform.edit("accounts/team-b.yaml", "displayName: Team B", "displayName: B");
    let gateway = Gateway::start(platform.management(), &platform.path("")).await?;
    // It comes and goes.
    gateway.fail_patches(2);
    let (status, said) = by(&gateway, &platform, &["plan", "--detailed-exitcode"]).await?;
    assert_eq!((status, gateway.failures()), (Some(2), 2), "{said}");
    assert!(said.contains("1 to change") && !said.contains("502"), "{said}");

    gateway.fail_patches(usize::MAX);
    for (command, last) in [(&["plan"][..], "nothing was planned"), (&["apply", "--yes"], "nothing was applied")] {
        let (status, said) = by(&gateway, &platform, command).await?;
        assert_eq!(status, Some(4), "{command:?}: {said}");
        assert!(said.contains("the management cluster: the server answers 502") && said.contains(last), "{said}");
        assert!(!said.contains("refuse"), "{said}");
    }
    // Planned, and then the server is out of reach.
    gateway.fail_patches(0);
    gateway.fail_writes(usize::MAX);
    let (status, said) = by(&gateway, &platform, &["apply", "--yes"]).await?;
    assert_eq!(status, Some(4), "{said}");
    assert!(said.contains("the server answers 502") && !said.contains("refuse"), "{said}");
    gateway.fail_writes(1);
    let (status, said) = by(&gateway, &platform, &["apply", "--yes"]).await?;
    assert_eq!(status, Some(0), "{said}");
    Ok(())
}

async fn a_watch_that_is_held_back_is_followed_by_a_look() -> TestResult {
    let platform = Platform::new(&["eu-west-1"]).await?;
    platform.carrier(&["lock"]).await.ends(0);
    let gateway = Gateway::start(platform.management(), &platform.path("")).await?;
    // The watch would end after 40 s, and only then tell.
    let (status, said) = by(&gateway, &platform, &["apply", "--yes", "--timeout", "15s"]).await?;
    assert_eq!(status, Some(0), "{said}");
    assert!(
        said.contains("management: CRDs established: 12") && said.contains("applied: 51 objects created, 1 changed"),
        "{said}"
    );
    Ok(())
}

/// A policy that denies creations and updates of these objects of the core group.
fn denying<'a>(resource: &'a str, which: &str) -> Policy<'a> {
    let validation = json!({"expression": format!("!({which})"), "message": "it needs the label team"});
    Policy { name: "labels", objects: ("", resource), validation }
}

async fn what_a_policy_refuses_of_the_inventory_is_in_the_plan() -> TestResult {
    let platform = Platform::new(&["eu-west-1"]).await?;
    platform.carrier(&["lock"]).await.ends(0);
    let service = &platform.planes["eu-west-1"];
    let policy = denying("namespaces", "object.metadata.name == 'kubecarrier-system'");
    policy.enforce(service).await?;
    let space = ["create", "namespace", "kubecarrier-system", "--dry-run=server"];
    eventually("the policy is in force", async || service.kubectl(&space).await.is_err()).await;
    let plan = platform.carrier(&["plan"]).await.ends(0);
    let said = "server: the API server refuses Namespace kubecarrier-system in team-a/eu-west-1: “";
    assert!(plan.out.contains(said) && plan.out.contains("it needs the label team"), "{}", plan.out);
    platform.carrier(&["apply", "--yes"]).await.ends(3);
    policy.lift(service).await?;
    eventually("the policy is gone", async || service.kubectl(&space).await.is_ok()).await;
    platform.carrier(&["apply", "--yes"]).await.ends(0);

    // The namespace is there, and what every run writes first is not taken.
    let management = platform.management();
    let policy = denying("configmaps", "object.metadata.namespace == 'kubecarrier-system'");
    policy.enforce(management).await?;
    let map = ["annotate", "configmap", "-n", "kubecarrier-system", "carrier-carrier", "a=b", "--dry-run=server"];
    eventually("the policy is in force", async || management.kubectl(&map).await.is_err()).await;
    // A run that writes nothing does not need it.
    platform.carrier(&["apply", "--yes"]).await.ends(0);
    platform.edit("accounts/team-b.yaml", "displayName: Team B", "displayName: B");
    let plan = platform.carrier(&["plan"]).await.ends(0);
    let said = "  the API server refuses the ConfigMap of the inventory: “configmaps";
    assert!(plan.out.contains(said), "{}", plan.out);
    let json: Value = platform.carrier(&["plan", "-o", "json"]).await.ends(0).json();
    assert_eq!(json["refusals"][0]["guard"], "server", "{json:#}");
    assert!(json["clusters"][1]["inventory_refused"].is_null(), "{json:#}");
    let page = platform.carrier(&["plan", "-o", "markdown"]).await.ends(0).out;
    assert!(page.contains("The API server refuses the ConfigMap of the inventory in `management`"), "{page}");
    let refused = platform.carrier(&["apply", "--yes"]).await.ends(3);
    let why = "error: refused: the API server refuses the ConfigMap of the inventory in management: “configmaps";
    assert!(refused.err.contains(why) && refused.err.contains("nothing was written"), "{}", refused.err);
    policy.lift(management).await?;
    eventually("the policy is gone", async || management.kubectl(&map).await.is_ok()).await;
    platform.carrier(&["apply", "--yes"]).await.ends(0);
    Ok(())
}

/// `check` warns of a CRD that is longer as JSON than a request to etcd may be; a dry run does not get so far.
async fn a_crd_has_to_fit_into_a_request_to_etcd() -> TestResult {
    let platform = Platform::new(&["eu-west-1"]).await?;
    for (group, length, fits) in [("fits.example.com", 1_568_768, true), ("big.example.com", 1_573_000, false)] {
        let mut crd = crd(group, "bigs", "Big");
        let schema = "/spec/versions/0/schema/openAPIV3Schema";
        crd.pointer_mut(schema).ok_or("a schema")?["description"] = json!("");
        let words = "x".repeat(length - crd.to_string().len());
        crd.pointer_mut(schema).ok_or("a schema")?["description"] = json!(words);
        let made = platform.management().kubectl_with(&["apply", "--server-side", "-f", "-"], &crd.to_string()).await;
        assert_eq!(made.is_ok(), fits, "{length}: {made:?}");
    }

    let base = std::fs::read_to_string(platform.path(&format!("snapshots/team-a/eu-west-1/{BASE}.yaml")))?;
    let words = "x".repeat(1_600_000);
    platform.write("operator.yaml.txt", &base.replace("How many servers there are.", &words));
    platform.carrier(&["lock"]).await.ends(0);
    let from = ["lock", "--from", "operator.yaml.txt"];
    platform.carrier(&from).await.ends(0);
    let check = platform.carrier(&["check"]).await.ends(0);
    let said = "warning[CAR0343]: the CRD `redis.internal.eu-west-1.team-a` has 1";
    assert!(check.err.contains(said) && check.err.contains("KiB as JSON, and etcd accepts 1532 KiB"), "{}", check.err);
    let apply = platform.carrier(&["apply", "--yes"]).await.ends(5);
    assert!(apply.err.contains("etcdserver: request is too large"), "{}", apply.err);
    Ok(())
}
