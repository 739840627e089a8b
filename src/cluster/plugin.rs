//! Credential plugins of kubeconfigs (`users[].user.exec`).
//!
//! A plugin runs once for all clusters whose kubeconfigs describe the same user, and again when its
//! credentials expire or a server refuses them; off the thread, and as long as somebody waits for it: whoever
//! has a deadline drops the future, which ends the process. What a plugin prints on standard output is never
//! shown, since it holds the token; what it prints on standard error is shown when it fails.

use std::collections::HashMap;
use std::io::IsTerminal as _;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Duration;

use k8s_openapi::jiff::Timestamp;
use kube::config::{ExecConfig, ExecInteractiveMode};
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::Command;
use tokio::time::Instant;

use super::error::{ClusterError, ErrorKind};
use crate::model::diagnostic::Diagnostics;
use crate::model::source::FileId;
use crate::yaml;

/// Credentials that expire sooner are asked for anew: a request takes its time too.
const MARGIN: Duration = Duration::from_mins(1);
/// The longest output that is read: a token, or a certificate and its key.
const MAX_OUTPUT: u64 = 1024 * 1024;
/// The longest part of its standard error that is shown, in characters.
const MAX_SHOWN: usize = 1_000;

/// The plugins of this process, by what is asked of them. Clusters that are connected to one after the
/// other share a user too, so there is no smaller scope that holds them all.
static PLUGINS: LazyLock<Mutex<HashMap<String, Arc<Plugin>>>> = LazyLock::new(Mutex::default);

/// The plugin of one user.
pub(super) struct Plugin {
    exec: ExecConfig,
    last: tokio::sync::Mutex<Option<Run>>,
}

/// A run of the plugin that has ended.
struct Run {
    ended: Instant,
    outcome: Result<Arc<Credential>, ClusterError>,
}

/// What a plugin says.
pub(super) struct Credential {
    token: Option<SecretString>,
    identity: Option<(String, SecretString)>,
    expires: Option<Timestamp>,
}

impl Credential {
    /// A bearer token.
    pub(super) fn token(&self) -> Option<&SecretString> {
        self.token.as_ref()
    }

    /// A client certificate and its key, both PEM.
    pub(super) fn identity(&self) -> Option<(&str, &SecretString)> {
        self.identity.as_ref().map(|(certificate, key)| (certificate.as_str(), key))
    }

    /// Whether it has expired, or is about to.
    pub(super) fn is_expiring(&self) -> bool {
        self.expires.is_some_and(|expires| Timestamp::now() + MARGIN >= expires)
    }
}

impl Plugin {
    /// The plugin that a kubeconfig describes: the same one for the same description.
    pub(super) fn of(exec: &ExecConfig) -> Arc<Self> {
        // What is not described the same is another user: arguments and environment name it, and the
        // cluster where the plugin is told of it.
        let description = json!({ "exec": exec, "cluster": exec.cluster }).to_string();
        let mut plugins = PLUGINS.lock().unwrap_or_else(PoisonError::into_inner);
        let plugin = plugins
            .entry(description)
            .or_insert_with(|| Arc::new(Self { exec: exec.clone(), last: tokio::sync::Mutex::default() }));
        Arc::clone(plugin)
    }

    /// Credentials that have not expired, and are not those in `used_up`. All who wait at once get what one
    /// run says, its failure too.
    ///
    /// # Errors
    /// When the plugin is not there, fails, or says something else.
    pub(super) async fn credential(&self, used_up: Option<&Arc<Credential>>) -> Result<Arc<Credential>, ClusterError> {
        let asked = Instant::now();
        let mut last = self.last.lock().await;
        match &*last {
            Some(Run { ended, outcome: Err(error) }) if *ended >= asked => return Err(error.clone()),
            Some(Run { outcome: Ok(credential), .. })
                if !credential.is_expiring() && used_up.is_none_or(|used_up| !Arc::ptr_eq(used_up, credential)) =>
            {
                return Ok(Arc::clone(credential));
            }
            _ => {}
        }
        let outcome = self.run().await.map(Arc::new);
        *last = Some(Run { ended: Instant::now(), outcome: outcome.clone() });
        outcome
    }

    async fn run(&self) -> Result<Credential, ClusterError> {
        let Some(program) = &self.exec.command else {
            return Err(ClusterError::new(ErrorKind::Kubeconfig, "the kubeconfig names no credential plugin to run"));
        };
        let failed = |what: String| {
            ClusterError::new(ErrorKind::Kubeconfig, format!("the credential plugin `{program}` {what}"))
        };
        let mode = self.exec.interactive_mode.as_ref();
        let has_terminal = std::io::stdin().is_terminal();
        if mode == Some(&ExecInteractiveMode::Always) && !has_terminal {
            return Err(failed("asks for input, and standard input is not a terminal".to_owned()));
        }
        let interactive = has_terminal && mode != Some(&ExecInteractiveMode::Never);
        let mut command = self.command(program, interactive);
        let mut child = command.spawn().map_err(|error| {
            let hint =
                self.exec.install_hint.as_deref().map(|hint| format!("; {}", one_line(hint))).unwrap_or_default();
            match error.kind() {
                std::io::ErrorKind::NotFound => failed(format!("of the kubeconfig is not installed{hint}")),
                _ => failed(format!("cannot be run: {error}{hint}")),
            }
        })?;
        let (out, err) = (child.stdout.take(), child.stderr.take());
        let (out, err, status) = tokio::join!(read(out), read(err), child.wait());
        let status = status.map_err(|error| failed(format!("cannot be waited for: {error}")))?;
        if !status.success() {
            return Err(failed(failure(status, &err)));
        }
        said(&out).ok_or_else(|| failed("answers with something else than credentials".to_owned()))
    }

    fn command(&self, program: &str, interactive: bool) -> Command {
        let mut spec = json!({ "interactive": interactive });
        if self.exec.provide_cluster_info {
            spec["cluster"] = json!(self.exec.cluster);
        }
        let info: Value = json!({ "apiVersion": self.exec.api_version, "kind": "ExecCredential", "spec": spec });
        let environment = self.exec.env.iter().flatten();
        let environment = environment.filter_map(|entry| Some((entry.get("name")?, entry.get("value")?)));
        let mut command = Command::new(program);
        command
            .args(self.exec.args.iter().flatten())
            .envs(environment)
            .env("KUBERNETES_EXEC_INFO", info.to_string())
            // Whoever it asks has to see the question; else its words are for when it fails.
            .stdin(if interactive { Stdio::inherit() } else { Stdio::null() })
            .stderr(if interactive { Stdio::inherit() } else { Stdio::piped() })
            .stdout(Stdio::piped())
            .kill_on_drop(true);
        command
    }
}

/// All that a process writes to a pipe, of which so much is kept; more is read, so that it can end.
async fn read(pipe: Option<impl AsyncRead + Unpin>) -> Vec<u8> {
    let mut kept = Vec::new();
    if let Some(mut pipe) = pipe {
        // What cannot be read counts as not written.
        let _ = (&mut pipe).take(MAX_OUTPUT).read_to_end(&mut kept).await;
        let _ = tokio::io::copy(&mut pipe, &mut tokio::io::sink()).await;
    }
    kept
}

/// What went wrong, in the plugin's own words from standard error.
fn failure(status: ExitStatus, err: &[u8]) -> String {
    match one_line(&String::from_utf8_lossy(err)) {
        words if words.is_empty() => format!("failed ({status})"),
        words => format!("failed ({status}): {words}"),
    }
}

/// Text of several lines on one, without control characters; the end of a long one, where the error is.
fn one_line(text: &str) -> String {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("; ");
    let plain: Vec<char> = lines.chars().filter(|c| !c.is_control()).collect();
    plain[plain.len().saturating_sub(MAX_SHOWN)..].iter().collect()
}

#[derive(Deserialize)]
struct ExecCredential {
    status: Status,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    expiration_timestamp: Option<String>,
    token: Option<String>,
    client_certificate_data: Option<String>,
    client_key_data: Option<String>,
}

/// The credentials in a plugin's output: JSON, or the YAML that kubectl takes too.
fn said(out: &[u8]) -> Option<Credential> {
    // JSON is YAML too.
    let document =
        yaml::read(FileId(0), std::str::from_utf8(out).ok()?, &mut Diagnostics::default()).into_iter().next()?;
    let ExecCredential { status } = serde_json::from_value(document.root.to_json()).ok()?;
    let expires = match status.expiration_timestamp {
        Some(text) => Some(text.parse().ok()?),
        None => None,
    };
    let token = status.token.filter(|token| !token.is_empty()).map(SecretString::from);
    let identity = status.client_certificate_data.zip(status.client_key_data.map(SecretString::from));
    (token.is_some() || identity.is_some()).then_some(Credential { token, identity, expires })
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;

    fn plugin(script: &str) -> Arc<Plugin> {
        Plugin::of(&ExecConfig {
            command: Some("sh".to_owned()),
            args: Some(vec!["-c".to_owned(), script.to_owned()]),
            install_hint: Some("install it\nfrom there".to_owned()),
            ..ExecConfig::default()
        })
    }

    fn credential(token: &str, expires: &str) -> String {
        format!(
            "echo '{{\"kind\": \"ExecCredential\", \"status\": {{\"token\": \"{token}\", \"expirationTimestamp\": \"{expires}\"}}}}'"
        )
    }

    #[tokio::test]
    async fn a_plugin_runs_once_for_all_who_ask() {
        let folder = tempfile::tempdir().expect("a folder");
        let log = folder.path().join("log").display().to_string();
        let script = format!("echo ran >> {log}; sleep 0.1; {}", credential("a", "2999-01-01T00:00:00Z"));
        let asked = futures::future::join_all((0..20).map(|_| async { plugin(&script).credential(None).await })).await;
        let tokens: Vec<_> =
            asked.iter().flatten().filter_map(|c| c.token()).map(ExposeSecret::expose_secret).collect();
        assert_eq!(tokens, ["a"; 20]);
        let runs = || std::fs::read_to_string(&log).expect("the log").lines().count();
        assert_eq!(runs(), 1);
        // A server did not take them.
        let refused = asked.into_iter().next().and_then(Result::ok);
        assert!(plugin(&script).credential(refused.as_ref()).await.is_ok());
        assert_eq!(runs(), 2);
        // Others who were refused the same use what came then.
        assert!(plugin(&script).credential(refused.as_ref()).await.is_ok());
        assert_eq!(runs(), 2);
    }

    #[tokio::test]
    async fn credentials_that_expire_are_asked_for_anew() {
        let folder = tempfile::tempdir().expect("a folder");
        let log = folder.path().join("log").display().to_string();
        let script = format!("echo ran >> {log}; {}", credential("a", "2001-01-01T00:00:00Z"));
        for _ in 0..2 {
            assert!(plugin(&script).credential(None).await.is_ok());
        }
        assert_eq!(std::fs::read_to_string(&log).expect("the log").lines().count(), 2);
    }

    #[tokio::test]
    async fn a_failure_is_told_once_in_the_plugins_words() {
        let folder = tempfile::tempdir().expect("a folder");
        let log = folder.path().join("log").display().to_string();
        let script = format!("echo ran >> {log}; echo hunter2; sleep 0.1; printf 'log in\\nfirst\\n' >&2; exit 3");
        let asked = futures::future::join_all((0..5).map(|_| async { plugin(&script).credential(None).await })).await;
        for error in asked.into_iter().filter_map(Result::err) {
            assert_eq!(error.kind, ErrorKind::Kubeconfig);
            assert_eq!(error.message, "the credential plugin `sh` failed (exit status: 3): log in; first");
        }
        assert_eq!(std::fs::read_to_string(&log).expect("the log").lines().count(), 1);
    }

    #[tokio::test]
    async fn a_plugin_that_is_not_there_is_told_with_its_hint() {
        let exec = ExecConfig {
            command: Some("carrier-no-such-plugin".to_owned()),
            install_hint: Some("install it\nfrom there".to_owned()),
            ..ExecConfig::default()
        };
        let error = Plugin::of(&exec).credential(None).await.err().expect("it is not there");
        let expected =
            "the credential plugin `carrier-no-such-plugin` of the kubeconfig is not installed; install it; from there";
        assert_eq!(error.message, expected);
    }

    #[tokio::test]
    async fn what_is_no_credential_is_not_quoted() {
        for answer in ["hunter2", "{\\\"status\\\": {}}", "{\\\"status\\\": {\\\"token\\\": 7}}"] {
            let error = plugin(&format!("echo \"{answer}\"")).credential(None).await.err().expect(answer);
            assert_eq!(error.message, "the credential plugin `sh` answers with something else than credentials");
        }
    }

    #[test]
    fn yaml_is_taken_as_kubectl_takes_it() {
        let yaml = b"kind: ExecCredential\nstatus:\n  clientCertificateData: c\n  clientKeyData: k\n";
        let credential = said(yaml).expect("credentials");
        assert_eq!(credential.identity().map(|(certificate, _)| certificate), Some("c"));
        assert!(!credential.is_expiring(), "without a time it does not expire");
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
            api_version: Some("client.authentication.k8s.io/v1".to_owned()),
            command: Some("sh".to_owned()),
            args: Some(vec!["-c".to_owned(), script]),
            env: Some(vec![[("name", "A"), ("value", "b")].map(|(k, v)| (k.to_owned(), v.to_owned())).into()]),
            interactive_mode: Some(ExecInteractiveMode::Never),
            ..ExecConfig::default()
        };
        assert!(Plugin::of(&exec).credential(None).await.is_ok());
    }
}
