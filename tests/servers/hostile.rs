//! What a real API server can be made to say and to do to carrier: a webhook that takes longer than anybody waits, and the
//! words of a policy and the name of a field manager that try to be somebody else's.
//!
//! What no API server says is in tests/it/hostile_server.rs.

use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::platform::Platform;
use super::policies::Policy;
use crate::support::{Case, ControlPlanes, TestResult, cases, eventually};

/// The tests of this file.
pub(crate) fn cases() -> Vec<Case> {
    cases![a_server_that_is_slow_or_says_what_it_likes]
}

/// The words of a policy: API servers leave out only those with line breaks.
pub(crate) const WORDS: &str = "forged” ##[error]forged \u{202e} @forged ``|<img src=forged>";

async fn a_server_that_is_slow_or_says_what_it_likes() -> TestResult {
    let planes = ControlPlanes::start(&["management", "eu-west-1"]).await?;
    let platform = Platform::over(planes, &["eu-west-1"]).await?;
    platform.applied().await;
    one_slow_object_is_reported_alone(&platform).await?;
    the_words_of_a_policy_are_quoted(&platform).await?;
    the_name_of_a_manager_is_quoted(&platform).await
}

/// Whether the server takes a change of the account now.
async fn is_taken(platform: &Platform) -> bool {
    let args = ["annotate", "account", "team-b", "tried=yes", "--dry-run=server", "--request-timeout=2s"];
    platform.management().kubectl(&args).await.is_ok()
}

async fn one_slow_object_is_reported_alone(platform: &Platform) -> TestResult {
    let management = platform.management();
    // It takes connections, and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").await?;
    let webhook = json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": "slow"},
        "webhooks": [{
            "name": "slow.example.com", "timeoutSeconds": 30, "failurePolicy": "Fail", "sideEffects": "None",
            "admissionReviewVersions": ["v1"],
            "clientConfig": {"url": format!("https://127.0.0.1:{}/", silent.local_addr()?.port())},
            "rules": [{
                "apiGroups": ["catalog.kubecarrier.io"], "apiVersions": ["*"], "resources": ["accounts"],
                "operations": ["UPDATE"],
            }],
            "matchConditions": [{"name": "one", "expression": "object.metadata.name == 'team-b'"}],
        }],
    });
    management.kubectl_with(&["create", "-f", "-"], &webhook.to_string()).await?;
    eventually("the webhook is in force", async || !is_taken(platform).await).await;
    platform.edit("accounts/team-a.yaml", "displayName: Team A", "displayName: A");
    platform.edit("accounts/team-b.yaml", "displayName: Team B", "displayName: B");

    let silence = "no answer within 5 s, while the server answers other requests";
    let plan = platform.carrier(&["plan", "--request-timeout", "5s", "-o", "json"]).await.ends(0).json();
    // The Provider of team-a has its name, too.
    assert_eq!((&plan["complete"], &plan["summary"]["update"]), (&json!(true), &json!(3)), "{plan}");
    assert_eq!(plan["refusals"], json!([]), "{plan}");
    let reasons = |name: &str| {
        let changes = plan["changes"].as_array().expect("a list");
        let change = changes.iter().find(|change| change["name"] == name && change["kind"] == "Account");
        change.map(|change| change["reasons"].clone()).unwrap_or_default()
    };
    assert_eq!(reasons("team-a"), json!([]));
    assert_eq!(reasons("team-b")[0]["text"], format!("it is not known whether the API server takes it: {silence}"));

    let run = platform.carrier(&["apply", "--yes", "--request-timeout", "5s"]).await.ends(5);
    let failed =
        format!("management: Account team-b was not applied: {silence}; it may have been written all the same");
    assert!(run.err.contains(&failed) && run.err.contains("applied: 2 objects changed; 1 failed"), "{}", run.err);
    let name = ["get", "account", "team-a", "-o", "jsonpath={.spec.metadata.displayName}"];
    assert_eq!(management.kubectl(&name).await?, "A");

    management.kubectl(&["delete", "validatingwebhookconfiguration", "slow"]).await?;
    eventually("the webhook is gone", async || is_taken(platform).await).await;
    platform.carrier(&["apply", "--yes"]).await.ends(0);
    Ok(())
}

async fn the_words_of_a_policy_are_quoted(platform: &Platform) -> TestResult {
    let management = platform.management();
    let validation =
        json!({"expression": "object.metadata.name != 'team-b'", "messageExpression": format!("'{WORDS}'")});
    let policy = Policy { name: "forger", objects: ("catalog.kubecarrier.io", "accounts"), validation };
    policy.enforce(management).await?;
    eventually("the policy is in force", async || !is_taken(platform).await).await;
    platform.edit("accounts/team-b.yaml", "displayName: B", "displayName: C");
    let shown = "forged\" #＃[error]forged \u{fffd} @forged ``|<img src=forged>”";
    let text = platform.carrier(&["plan"]).await.ends(0);
    assert!(text.out.contains("the API server refuses it: “accounts") && text.out.contains(shown), "{}", text.out);
    let markdown = platform.carrier(&["plan", "-o", "markdown"]).await.ends(0);
    // A longer fence than any in the words: the span is closed by carrier alone.
    let span = format!("{shown}```");
    assert!(markdown.out.contains("the API server refuses it: ```“accounts"), "{}", markdown.out);
    assert!(markdown.out.contains(&span), "{}", markdown.out);
    let refused = platform.carrier(&["apply", "--yes"]).await.ends(3);
    assert!(refused.err.contains(shown), "{}", refused.err);
    for run in [text, markdown, refused] {
        assert!(!run.text().contains("##[") && !run.text().contains('\u{202e}'), "{}", run.text());
    }
    policy.lift(management).await?;
    eventually("the policy is gone", async || is_taken(platform).await).await;
    platform.carrier(&["apply", "--yes"]).await.ends(0);
    Ok(())
}

async fn the_name_of_a_manager_is_quoted(platform: &Platform) -> TestResult {
    let manager = "me; carrier: nothing to do, all is well";
    let account = json!({
        "apiVersion": "catalog.kubecarrier.io/v1alpha1", "kind": "Account", "metadata": {"name": "team-a"},
        "spec": {"metadata": {"displayName": "Mine"}},
    });
    let take = ["apply", "--server-side", "--force-conflicts", "--field-manager", manager, "-f", "-"];
    platform.management().kubectl_with(&take, &account.to_string()).await?;
    let plan = platform.carrier(&["plan"]).await.ends(0);
    let expected = format!(".spec.metadata.displayName is managed by “{manager}”");
    assert!(plan.out.contains(&expected), "{}", plan.out);
    let plan: Value = platform.carrier(&["plan", "-o", "json"]).await.ends(0).json();
    assert!(plan.to_string().contains(&format!("“{manager}”")), "{plan}");
    Ok(())
}
