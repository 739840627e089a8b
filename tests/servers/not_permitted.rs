//! `carrier plan` by an account that may only read, as in the CI of a pull request: what could not be tried is said once, and
//! is not taken for a refusal.

use std::time::Duration;

use serde_json::{Value, json};

use super::consequences::FULL;
use super::platform::{BASE, Platform, Run};
use super::policies::Policy;
use crate::support::{Case, TestResult, cases, eventually};

/// The tests of this file.
pub(crate) fn cases() -> Vec<Case> {
    cases![an_account_that_may_only_read_plans_and_claims_nothing]
        .into_iter()
        .map(|case| case.within(Duration::from_mins(10)))
        .collect()
}

const ACCOUNT: &[&str] = &["--as", "ci"];

/// Runs a command as the account.
async fn as_ci(platform: &Platform, args: &[&str]) -> Run {
    platform.carrier(&[args, ACCOUNT].concat()).await
}

async fn an_account_that_may_only_read_plans_and_claims_nothing() -> TestResult {
    let platform = Platform::new(&["eu-west-1"]).await?;
    platform.applied().await;
    platform.instance("eu-west-1", "cache", FULL).await?;
    may_read(&platform).await?;

    platform.edit("accounts/team-b.yaml", "displayName: Team B", "displayName: The B team");
    bound_sizes(&platform, 9).await?;
    nothing_is_tried_and_nothing_claimed(&platform).await?;
    what_it_saved_is_applied_by_another_account(&platform).await?;
    a_policy_refuses_those_who_may_write(&platform).await?;
    without_the_right_to_a_trial_none_is_made(&platform).await
}

/// Everything can be read, the Secrets with the kubeconfigs of the service clusters among it.
async fn may_read(platform: &Platform) -> TestResult {
    let management = platform.management();
    let read = ["create", "clusterrole", "reader", "--verb=get,list,watch", "--resource=*.*"];
    management.kubectl(&read).await?;
    management.kubectl(&["create", "clusterrolebinding", "reader", "--clusterrole=reader", "--user=ci"]).await?;
    let account = management.impersonate("ci", &[]).await?;
    eventually("it may read", async || account.kubectl(&["get", "secrets", "-n", "team-a"]).await.is_ok()).await;
    Ok(())
}

/// The operator gives the size of an instance a bound, and the lock follows.
async fn bound_sizes(platform: &Platform, most: u32) -> TestResult {
    let maximum = "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/size/maximum";
    let patch = json!([{ "op": "add", "path": maximum, "value": most }]).to_string();
    platform.planes["eu-west-1"].kubectl(&["patch", "crd", BASE, "--type=json", "-p", &patch]).await?;
    platform.carrier(&["lock"]).await.ends(0);
    Ok(())
}

async fn nothing_is_tried_and_nothing_claimed(platform: &Platform) -> TestResult {
    let plan = as_ci(platform, &["plan"]).await.ends(0);
    let said = "nothing could be tried in this cluster: the account may not patch accounts.catalog.kubecarrier.io, patch \
                customresourcedefinitions.apiextensions.k8s.io, create *.trial.kubecarrier.io and 2 more\n";
    let lines: Vec<&str> = plan.out.lines().filter(|line| line.contains("may not")).collect();
    assert_eq!(lines.len(), 2, "{}", plan.out);
    assert!(plan.out.contains(said), "{}", plan.out);
    assert!(plan.out.contains("not fully checked: the account may not create the temporary CRD"), "{}", plan.out);
    assert!(plan.out.contains("tightening") && !plan.out.contains("refuse"), "{}", plan.out);
    assert!(plan.out.contains("to change, 0 to delete") && plan.out.contains("not tried."), "{}", plan.out);
    let next = "next: run `carrier doctor --for plan --for trial --as ci --allow-loopback` to see which permissions";
    assert!(plan.err.contains(next) && !plan.err.contains("carrier apply"), "{}", plan.err);
    as_ci(platform, &["plan", "--detailed-exitcode"]).await.ends(2);

    let json = as_ci(platform, &["plan", "-o", "json"]).await.ends(0).json();
    assert_eq!(json["refusals"], json!([]), "{json:#}");
    let cluster = &json["clusters"][0];
    assert_eq!(cluster["untried"]["objects"], cluster["untried"]["of"], "{cluster:#}");
    assert!(json["clusters"][1]["untried"].is_null(), "{json:#}");
    let changes = json["changes"].as_array().ok_or("no changes")?;
    assert!(changes.iter().all(|change| change["untried"] == true && change["refused"].is_null()), "{json:#}");
    let page = as_ci(platform, &["plan", "-o", "markdown"]).await.ends(0).out;
    assert!(page.contains("nothing could be tried in this cluster") && page.contains("`carrier doctor"), "{page}");

    // Whoever may not write is told so before anything is written, and what is missing.
    let refused = as_ci(platform, &["apply", "--yes"]).await.ends(3);
    let what = "error: refused: the account lacks permissions to apply this:\n- management: the account may not patch \
                accounts.catalog.kubecarrier.io, patch customresourcedefinitions.apiextensions.k8s.io\n";
    assert!(refused.err.contains(what), "{}", refused.err);
    assert!(refused.err.contains("doctor --for apply --as ci") && refused.err.contains("nothing was written"));
    assert_eq!(trials(platform).await?, "");
    Ok(())
}

async fn trials(platform: &Platform) -> Result<String, crate::support::Failed> {
    Ok(platform.management().kubectl(&["get", "crds", "-l", "kubecarrier.io/trial", "-o", "name"]).await?)
}

async fn what_it_saved_is_applied_by_another_account(platform: &Platform) -> TestResult {
    let saved = as_ci(platform, &["plan", "--out", "plan.json"]).await.ends(0);
    assert!(saved.err.contains("`carrier apply plan.json"), "{}", saved.err);
    let applied = platform.carrier(&["apply", "plan.json"]).await.ends(0);
    assert!(applied.err.contains("changed"), "{}", applied.err);
    as_ci(platform, &["plan", "--detailed-exitcode"]).await.ends(0);
    Ok(())
}

/// A policy answers as RBAC does.
async fn a_policy_refuses_those_who_may_write(platform: &Platform) -> TestResult {
    let management = platform.management();
    let validation = json!({"expression": "false", "message": "frozen", "reason": "Forbidden"});
    let policy = Policy { name: "frozen", objects: ("catalog.kubecarrier.io", "accounts"), validation };
    policy.enforce(management).await?;
    let tried = ["annotate", "account", "team-b", "a=b", "--dry-run=server"];
    eventually("the policy is in force", async || management.kubectl(&tried).await.is_err()).await;
    platform.edit("accounts/team-b.yaml", "The B team", "B");
    let plan = platform.carrier(&["plan"]).await.ends(0);
    assert!(plan.out.contains("the API server refuses it: “") && plan.out.contains("frozen"), "{}", plan.out);
    assert!(!plan.text().contains("may not"), "{}", plan.text());
    let plan = as_ci(platform, &["plan"]).await.ends(0);
    let said = "nothing could be tried in this cluster: the account may not patch accounts.catalog.kubecarrier.io\n";
    assert!(plan.out.contains(said) && !plan.out.contains("refuse"), "{}", plan.out);
    policy.lift(management).await?;
    eventually("the policy is gone", async || management.kubectl(&tried).await.is_ok()).await;
    platform.carrier(&["apply", "--yes"]).await.ends(0);
    Ok(())
}

/// Of an account that may apply, the trial is missing: nothing is created that could not be deleted again.
async fn without_the_right_to_a_trial_none_is_made(platform: &Platform) -> TestResult {
    let doctor = ["doctor", "--for", "plan", "--for", "apply", "--cluster", "management", "-o", "rbac"];
    let printed = as_ci(platform, &doctor).await.ends(1);
    platform.management().kubectl_with(&["apply", "-f", "-"], &printed.out).await?;
    eventually("it may apply", async || as_ci(platform, &doctor).await.code == 0).await;
    bound_sizes(platform, 8).await?;
    let plan = as_ci(platform, &["plan"]).await.ends(0);
    let said = "instances could not be tried under the new schemas: the account may not create *.trial.kubecarrier.io, \
                delete customresourcedefinitions.apiextensions.k8s.io";
    assert!(plan.out.contains(said), "{}", plan.out);
    assert!(plan.err.contains("`carrier doctor --for trial --as ci"), "{}", plan.err);
    // This account could apply it unseen, so it is held to the flag.
    let json: Value = as_ci(platform, &["plan", "-o", "json"]).await.ends(0).json();
    let guards: Vec<&Value> = json["refusals"].as_array().into_iter().flatten().map(|one| &one["guard"]).collect();
    assert!(!guards.is_empty() && guards.iter().all(|guard| *guard == "breaking"), "{json:#}");
    as_ci(platform, &["apply", "--yes"]).await.ends(3);
    assert_eq!(trials(platform).await?, "");
    platform.carrier(&["apply", "--yes"]).await.ends(0);
    Ok(())
}
