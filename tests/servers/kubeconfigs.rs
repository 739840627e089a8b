//! Kubeconfigs as kubectl reads them: token files and exec plugins, whose tokens a real server takes or refuses.

use serde_json::{Value, json};

use super::platform::{Platform, Run};
use crate::support::{Case, Failed, TestResult, cases};

pub(crate) fn cases() -> Vec<Case> {
    cases![a_token_comes_from_a_file_or_a_plugin]
}

/// Writes a kubeconfig of the management cluster with this user; its path.
async fn kubeconfig(platform: &Platform, user: Value) -> Result<String, Failed> {
    let view = ["config", "view", "--raw", "--flatten", "--minify", "-o", "json"];
    let mut config: Value = serde_json::from_str(&platform.management().kubectl(&view).await?)?;
    config["users"][0]["user"] = user;
    platform.write("me.kubeconfig", &config.to_string());
    Ok(platform.path("me.kubeconfig").display().to_string())
}

/// A plugin that writes a line to `started` each time, and then does this.
fn plugin(platform: &Platform, then: &str) -> Value {
    let script = format!("echo once >> {}; {then}", platform.path("started").display());
    json!({"exec": {
        "apiVersion": "client.authentication.k8s.io/v1", "command": "sh", "args": ["-c", script],
        "interactiveMode": "Never", "installHint": "install the login tool from the intranet",
    }})
}

fn starts(platform: &Platform) -> usize {
    std::fs::read_to_string(platform.path("started")).unwrap_or_default().lines().count()
}

async fn a_token_comes_from_a_file_or_a_plugin() -> TestResult {
    let platform = Platform::new(&["eu-west-1"]).await?;
    platform.applied().await;
    let management = platform.management();
    management.kubectl(&["create", "serviceaccount", "bot", "-n", "team-a"]).await?;
    let bind = ["create", "clusterrolebinding", "bot", "--clusterrole=cluster-admin", "--serviceaccount=team-a:bot"];
    management.kubectl(&bind).await?;
    let token = management.kubectl(&["create", "token", "bot", "-n", "team-a"]).await?;
    let token = token.trim();
    let run = async |command: &str, path: &str| -> Run { platform.carrier(&[command, "--kubeconfig", path]).await };

    // An editor ends the file with a line break, which is no part of the token.
    platform.write("token", &format!("{token}\n"));
    let path = kubeconfig(&platform, json!({"tokenFile": platform.path("token")})).await?;
    let plan = run("plan", &path).await.ends(0);
    assert!(plan.out.contains("No changes: "), "{}", plan.text());
    platform.write("token", "of-nobody\n");
    let refused = run("plan", &path).await.ends(4);
    assert!(refused.err.contains("error[CAR06") && !refused.text().contains("of-nobody"), "{}", refused.text());

    // A plugin may ask a person for a second factor: all requests of a command have the token of one start.
    let answer = json!({
        "apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {"token": token},
    });
    platform.write("answer", &answer.to_string());
    let path = kubeconfig(&platform, plugin(&platform, &format!("cat {}", platform.path("answer").display()))).await?;
    let plan = run("plan", &path).await.ends(0);
    assert!(plan.out.contains("No changes: ") && !plan.text().contains(token), "{}", plan.text());
    assert_eq!(starts(&platform), 1);
    run("doctor", &path).await.ends(0);
    assert_eq!(starts(&platform), 2);

    // What it says before it fails is what its user has to know.
    let path = kubeconfig(&platform, plugin(&platform, "echo 'the session has expired' >&2; exit 7")).await?;
    let failed = run("plan", &path).await.ends(4);
    for said in ["the credential plugin `sh` failed (exit status: 7)", "the session has expired", "intranet"] {
        assert!(failed.err.contains(said), "{said}: {}", failed.err);
    }
    assert_eq!(starts(&platform), 3);
    let mut absent = plugin(&platform, "");
    absent["exec"]["command"] = json!("no-such-login-tool");
    let path = kubeconfig(&platform, absent).await?;
    let failed = run("plan", &path).await.ends(4);
    for said in ["no-such-login-tool", "install the login tool from the intranet"] {
        assert!(failed.err.contains(said), "{said}: {}", failed.err);
    }
    Ok(())
}
