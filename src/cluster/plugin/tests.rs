//! Plugins that are shell scripts. What ends a plugin in time is a test's own limit, never how fast a machine is.

use std::path::Path;
use std::time::Duration;

use futures::future::join_all;
use kube::config::ExecInteractiveMode;
use secrecy::ExposeSecret;

use super::*;
use crate::cluster::error::ErrorKind;

const V1: &str = "client.authentication.k8s.io/v1";
/// Long enough for a script to say what it has to say, on any machine.
const SHORT: Duration = Duration::from_secs(5);
/// A run that is never ended.
const LONG: PluginLimits =
    PluginLimits { alone: Duration::from_mins(10), with_terminal: Duration::from_mins(10), again: None };

fn described(script: &str) -> ExecConfig {
    ExecConfig {
        api_version: Some(V1.to_owned()),
        command: Some("sh".to_owned()),
        args: Some(vec!["-c".to_owned(), script.to_owned()]),
        install_hint: Some("install it\nfrom there".to_owned()),
        interactive_mode: Some(ExecInteractiveMode::Never),
        ..ExecConfig::default()
    }
}

async fn asked(script: &str, limits: &PluginLimits) -> Outcome {
    Plugin::of(&described(script)).credential(None, limits).await
}

async fn refused(script: &str, limits: &PluginLimits) -> ClusterError {
    let error = asked(script, limits).await.err().expect("no credentials");
    assert_eq!(error.kind, ErrorKind::Kubeconfig);
    error
}

fn credential(token: &str, expires: &str) -> String {
    format!(
        "echo '{{\"apiVersion\": \"{V1}\", \"kind\": \"ExecCredential\", \"status\": {{\"token\": \"{token}\", \
         \"expirationTimestamp\": \"{expires}\"}}}}'"
    )
}

/// A log that scripts write to, one line a run.
struct Log(tempfile::TempDir);

impl Log {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    fn path(&self) -> String {
        self.0.path().join("log").display().to_string()
    }

    fn lines(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.path()).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }
}

/// Waits until the process with this number is gone.
async fn gone(id: &str) {
    // A process that has ended and is not waited for yet counts: in a container its new parent may never wait.
    let is_there = || {
        let status = std::fs::read_to_string(Path::new("/proc").join(id).join("stat")).unwrap_or_default();
        status.rsplit(')').next().is_some_and(|rest| !rest.trim().is_empty() && !rest.trim().starts_with('Z'))
    };
    while is_there() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_plugin_runs_once_for_all_who_ask() {
    let log = Log::new();
    let script = format!("echo ran >> {}; sleep 0.1; {}", log.path(), credential("a", "2999-01-01T00:00:00Z"));
    let all = join_all((0..20).map(|_| asked(&script, &LONG))).await;
    let tokens: Vec<_> = all.iter().flatten().filter_map(|c| c.token()).map(ExposeSecret::expose_secret).collect();
    assert_eq!(tokens, ["a"; 20]);
    assert_eq!(log.lines().len(), 1);
    // A server did not take them.
    let refused = all.into_iter().next().and_then(Result::ok);
    let plugin = Plugin::of(&described(&script));
    assert!(plugin.credential(refused.as_ref(), &LONG).await.is_ok());
    assert_eq!(log.lines().len(), 2);
    // Others who were refused the same use what came then.
    assert!(plugin.credential(refused.as_ref(), &LONG).await.is_ok());
    assert_eq!(log.lines().len(), 2);
}

#[tokio::test]
async fn credentials_that_expire_are_asked_for_anew() {
    let log = Log::new();
    let script = format!("echo ran >> {}; {}", log.path(), credential("a", "2001-01-01T00:00:00Z"));
    for _ in 0..2 {
        assert!(asked(&script, &LONG).await.is_ok());
    }
    assert_eq!(log.lines().len(), 2);
}

#[tokio::test]
async fn a_failure_is_shared_by_all_who_ask_at_once_or_later() {
    let log = Log::new();
    let script = format!("echo ran >> {}; echo hunter2; printf 'log \\033[1min\\nfirst\\n' >&2; exit 3", log.path());
    let mut errors = join_all((0..5).map(|_| refused(&script, &LONG))).await;
    errors.push(refused(&script, &LONG).await);
    for error in errors {
        assert_eq!(error.message, "the credential plugin `sh` failed (exit status: 3): log ␛[1min; first");
        let help = error.help.unwrap_or_default();
        assert!(help.contains("`sh`") && help.contains("log in again"), "{help}");
        assert!(help.ends_with("; its `installHint`: install it; from there"), "{help}");
    }
    assert_eq!(log.lines().len(), 1);
    // What runs for long may try it again after a pause.
    let again = PluginLimits { again: Some(Duration::ZERO), ..LONG };
    refused(&script, &again).await;
    assert_eq!(log.lines().len(), 2);
    refused(&script, &PluginLimits { again: Some(Duration::from_hours(1)), ..LONG }).await;
    assert_eq!(log.lines().len(), 2);
}

#[tokio::test]
async fn a_plugin_that_hangs_is_named_ended_with_its_children_and_not_started_again() {
    let log = Log::new();
    let script = format!("echo 'open https://sso' >&2; sleep 6000 & echo $! >> {}; wait", log.path());
    let limits = PluginLimits { alone: SHORT, ..LONG };
    let mut errors = join_all((0..5).map(|_| refused(&script, &limits))).await;
    errors.push(refused(&script, &limits).await);
    for error in errors {
        assert_eq!(error.message, "the credential plugin `sh` did not end within 5 s: open https://sso");
        assert!(error.help.is_some_and(|help| help.contains("--request-timeout")));
    }
    let children = log.lines();
    assert_eq!(children.len(), 1);
    gone(&children[0]).await;
}

#[tokio::test]
async fn a_child_that_holds_the_output_is_said_and_ended() {
    let log = Log::new();
    let script = format!("sleep 6000 & echo $! >> {}; {}", log.path(), credential("hunter2", "2999-01-01T00:00:00Z"));
    let error = refused(&script, &PluginLimits { alone: SHORT, ..LONG }).await;
    let expected =
        "the credential plugin `sh` ended, but a process that it started still has its standard output after 5 s";
    assert_eq!(error.message, expected);
    gone(&log.lines()[0]).await;
}

#[tokio::test]
async fn a_child_that_holds_only_standard_error_keeps_nobody_waiting() {
    let log = Log::new();
    let token = credential("a", "2999-01-01T00:00:00Z");
    let script = format!("sleep 6000 > /dev/null & echo $! >> {}; {token}", log.path());
    assert!(asked(&script, &LONG).await.is_ok());
    // It is there on purpose: an agent, for example.
    let agent = &log.lines()[0];
    assert!(Path::new("/proc").join(agent).exists());
    std::process::Command::new("kill").arg(agent).status().expect("kill");
}

#[tokio::test]
async fn a_plugin_ends_when_nobody_waits_for_it() {
    let log = Log::new();
    let script = format!("sleep 6000 & echo $! >> {}; wait", log.path());
    let begun = async {
        while log.lines().is_empty() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let one = asked(&script, &LONG);
    tokio::select! {
        _ = one => unreachable!("it does not end"),
        () = begun => {}
    }
    gone(&log.lines()[0]).await;
}

#[tokio::test]
async fn a_plugin_that_is_not_there_is_told_with_its_hint() {
    let exec = ExecConfig { command: Some("carrier-no-such-plugin".to_owned()), ..described("") };
    let error = Plugin::of(&exec).credential(None, &LONG).await.err().expect("it is not there");
    let expected =
        "the credential plugin `carrier-no-such-plugin` of the kubeconfig is not installed; install it; from there";
    assert_eq!(error.message, expected);
    assert!(error.help.is_some_and(|help| help.starts_with("install `carrier-no-such-plugin`")));
}

#[tokio::test]
async fn a_description_without_command_or_version_is_said() {
    for (exec, said) in [
        (ExecConfig { command: Some(String::new()), ..described("") }, "`command` is empty"),
        (ExecConfig { command: None, ..described("") }, "`command` is empty"),
        (ExecConfig { api_version: None, ..described("") }, "has no `apiVersion` there"),
    ] {
        let error = Plugin::of(&exec).credential(None, &LONG).await.err().expect(said);
        assert!(error.message.ends_with(said), "{error}");
    }
}

#[tokio::test]
async fn what_is_no_credential_is_not_quoted() {
    for answer in ["hunter2", "{\\\"status\\\": {}}", "{\\\"status\\\": {\\\"token\\\": 7}}"] {
        let error = refused(&format!("echo \"{answer}\""), &LONG).await;
        let said = "the credential plugin `sh` answers with something else than credentials: it";
        assert!(error.message.starts_with(said) && !error.message.contains("hunter2"), "{error}");
    }
}

#[tokio::test]
async fn a_plugin_is_told_what_kubectl_tells_it() {
    let expected =
        r#"{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","spec":{"interactive":false}}"#;
    let script = format!(
        "[ \"$KUBERNETES_EXEC_INFO\" = '{expected}' ] && [ \"$A\" = b ] && {}",
        credential("a", "2999-01-01T00:00:00Z")
    );
    let exec = ExecConfig {
        env: Some(vec![[("name", "A"), ("value", "b")].map(|(k, v)| (k.to_owned(), v.to_owned())).into()]),
        ..described(&script)
    };
    assert!(Plugin::of(&exec).credential(None, &LONG).await.is_ok());
}
