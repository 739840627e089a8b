//! One run of a credential plugin: a process, its time limit, and what its end means.
//!
//! What a plugin prints on standard output is never shown, since it holds the token; what it prints on standard
//! error is shown when it fails. A run that is dropped ends the process.

use std::io::IsTerminal as _;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use futures::future::maybe_done;
use kube::config::{ExecConfig, ExecInteractiveMode};
use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::{Child, Command};
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout, timeout_at};

use super::answer::{self, Credential};
use super::limits::PluginLimits;
use crate::cluster::error::{ClusterError, ErrorKind, in_words};
use crate::model::plain;

/// The longest output that is kept: a token, or a certificate and its key.
const MAX_OUTPUT: usize = 1024 * 1024;
/// The longest part of its standard error that is shown, in characters.
const MAX_SHOWN: usize = 1_000;
/// How long the end of a killed process is waited for: only one that hangs in the kernel takes longer.
const REAPED: Duration = Duration::from_secs(1);

/// Held by the plugin that has the terminal: two that ask at once would get each other's passwords.
static TERMINAL: Mutex<()> = Mutex::const_new(());

/// Runs the plugin that a kubeconfig describes.
///
/// # Errors
/// When it is not there, fails, does not end in time, or says something else than credentials.
pub(super) async fn run(exec: &ExecConfig, limits: &PluginLimits) -> Result<Credential, ClusterError> {
    let Some(program) = exec.command.as_deref().filter(|program| !program.is_empty()) else {
        let help = "set `command` of the credential plugin (`exec`) of the user in the kubeconfig";
        let message = "the kubeconfig names no credential plugin to run: `command` is empty";
        return Err(ClusterError::new(ErrorKind::Kubeconfig, message).help(help));
    };
    let plugin = Described { exec, program, name: plain::line(program).into_owned() };
    let Some(version) = exec.api_version.as_deref().filter(|version| !version.is_empty()) else {
        let help = "set `apiVersion` of the plugin (`exec`) in the kubeconfig: client.authentication.k8s.io/v1";
        return Err(plugin.failed("of the kubeconfig has no `apiVersion` there", help));
    };
    let mode = exec.interactive_mode.as_ref();
    let has_terminal = std::io::stdin().is_terminal();
    if mode == Some(&ExecInteractiveMode::Always) && !has_terminal {
        let help = "run the command in a terminal, or use credentials that need no input";
        return Err(plugin.failed("asks for input, and standard input is not a terminal", help));
    }
    let interactive = has_terminal && mode != Some(&ExecInteractiveMode::Never);
    let _turn = match interactive {
        true => Some(TERMINAL.lock().await),
        false => None,
    };
    let limit = if interactive { limits.with_terminal } else { limits.alone };
    let out = plugin.output(interactive, limit).await?;
    answer::read(&out, version).map_err(|wrong| plugin.answers_wrongly(wrong))
}

/// The error of an answer that cannot be used.
pub(super) fn unusable_answer(exec: &ExecConfig, wrong: &str) -> ClusterError {
    let program = exec.command.as_deref().unwrap_or_default();
    Described { exec, program, name: plain::line(program).into_owned() }.answers_wrongly(wrong)
}

/// A plugin as the kubeconfig describes it.
struct Described<'a> {
    exec: &'a ExecConfig,
    program: &'a str,
    /// The program, for people.
    name: String,
}

impl Described<'_> {
    /// What it prints on standard output until it ends.
    async fn output(&self, interactive: bool, limit: Duration) -> Result<Vec<u8>, ClusterError> {
        let deadline = Instant::now() + limit;
        let mut process = Process::start(self.command(interactive), !interactive).map_err(|e| self.not_run(&e))?;
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let (out_pipe, err_pipe) = (process.child.stdout.take(), process.child.stderr.take());
        let mut words = Box::pin(maybe_done(read(err_pipe, &mut err)));
        // Its end is waited for after its output: while a process that it started holds that, its group is there.
        let work = async {
            read(out_pipe, &mut out).await;
            process.end().await
        };
        let ended = timeout_at(deadline, async {
            tokio::pin!(work);
            tokio::select! {
                ended = &mut work => ended,
                () = &mut words => work.await,
            }
        });
        let ended = ended.await;
        if let Ok(Ok(status)) = &ended
            && !status.success()
        {
            // The rest of what it said.
            let _ = timeout_at(deadline, &mut words).await;
        }
        drop(words);
        let said = match one_line(&String::from_utf8_lossy(&err)) {
            said if said.is_empty() => said,
            said => format!(": {said}"),
        };
        match ended {
            Ok(Ok(status)) if status.success() => Ok(out),
            Ok(Ok(status)) => {
                let name = &self.name;
                // It may be the wrong version that fails.
                let hint = self.hint().map(|hint| format!("; its `installHint`: {hint}")).unwrap_or_default();
                let help = format!(
                    "log in again with the tool that `{name}` belongs to, and check whether `kubectl` works with the \
                     same kubeconfig and context{hint}"
                );
                Err(self.failed(&format!("failed ({status}){said}"), help))
            }
            Ok(Err(error)) => Err(self.failed(&format!("cannot be waited for: {error}"), "run the command again")),
            Err(_) => Err(self.too_late(interactive, limit, process.kill().await, &said)),
        }
    }

    /// The error of a run that was ended; `status` is that of a process that had ended by itself.
    fn too_late(&self, interactive: bool, limit: Duration, status: Option<ExitStatus>, said: &str) -> ClusterError {
        let (name, limit) = (&self.name, in_words(limit));
        let what = match status {
            Some(_) => {
                format!("ended, but a process that it started still has its standard output after {limit}{said}")
            }
            None => format!("did not end within {limit}{said}"),
        };
        let help = match (status, interactive) {
            (Some(_), _) => format!("correct `{name}`: what it leaves running must not inherit its standard output"),
            (None, true) => format!("run the command again and answer `{name}` in time"),
            (None, false) => format!(
                "`{name}` may wait for a login that it cannot ask for here: log in with its own tool first, or give it \
                 more time with `--request-timeout`"
            ),
        };
        self.failed(&what, help)
    }

    /// What the kubeconfig says about its installation.
    fn hint(&self) -> Option<String> {
        self.exec.install_hint.as_deref().map(one_line).filter(|hint| !hint.is_empty())
    }

    fn not_run(&self, error: &std::io::Error) -> ClusterError {
        let name = &self.name;
        let hint = self.hint().map(|hint| format!("; {hint}")).unwrap_or_default();
        match error.kind() {
            std::io::ErrorKind::NotFound => self.failed(
                &format!("of the kubeconfig is not installed{hint}"),
                format!("install `{name}` where `PATH` finds it, or correct `command` of the user in the kubeconfig"),
            ),
            _ => self.failed(
                &format!("cannot be run: {error}{hint}"),
                format!("check that `{name}` is a program for this machine and may be executed"),
            ),
        }
    }

    fn answers_wrongly(&self, wrong: &str) -> ClusterError {
        let help = format!(
            "check `{}` and the `apiVersion` that the kubeconfig has for it: the plugin has to print an ExecCredential \
             of that version, and nothing else",
            self.name
        );
        self.failed(&format!("answers with something else than credentials: {wrong}"), help)
    }

    fn failed(&self, what: &str, help: impl Into<String>) -> ClusterError {
        ClusterError::new(ErrorKind::Kubeconfig, format!("the credential plugin `{}` {what}", self.name)).help(help)
    }

    fn command(&self, interactive: bool) -> Command {
        let exec = self.exec;
        let mut spec = json!({ "interactive": interactive });
        if exec.provide_cluster_info {
            spec["cluster"] = json!(exec.cluster);
        }
        let info: Value = json!({ "apiVersion": exec.api_version, "kind": "ExecCredential", "spec": spec });
        let environment = exec.env.iter().flatten();
        let environment = environment.filter_map(|entry| Some((entry.get("name")?, entry.get("value")?)));
        let mut command = Command::new(self.program);
        command
            .args(exec.args.iter().flatten())
            .envs(environment)
            .env("KUBERNETES_EXEC_INFO", info.to_string())
            // Whoever it asks has to see the question; else its words are for when it fails.
            .stdin(if interactive { Stdio::inherit() } else { Stdio::null() })
            .stderr(if interactive { Stdio::inherit() } else { Stdio::piped() })
            .stdout(Stdio::piped());
        command
    }
}

/// A process that does not outlive this value, unless it ended by itself.
struct Process {
    child: Child,
    /// The group that it leads, until it is waited for: then the number may be given to another.
    group: Option<Pid>,
}

impl Process {
    /// Starts it, in a group of its own or in ours. A process that reads from the terminal has to be in the group
    /// that has the terminal, or it is stopped.
    fn start(mut command: Command, in_own_group: bool) -> std::io::Result<Self> {
        if in_own_group {
            command.process_group(0);
        }
        let child = command.kill_on_drop(true).spawn()?;
        let leader = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        Ok(Self { child, group: leader.filter(|_| in_own_group) })
    }

    async fn end(&mut self) -> std::io::Result<ExitStatus> {
        let status = self.child.wait().await;
        self.group = None;
        status
    }

    /// Ends it, and what it started where that is in its group. The status is that of a process that ended by itself.
    async fn kill(mut self) -> Option<ExitStatus> {
        use std::os::unix::process::ExitStatusExt as _;
        self.send_kill();
        let status = timeout(REAPED, self.end()).await;
        status.ok().and_then(Result::ok).filter(|status| status.signal() != Some(Signal::KILL.as_raw()))
    }

    fn send_kill(&mut self) {
        // Neither fails but for a process that is gone.
        if let Some(group) = self.group {
            let _ = kill_process_group(group, Signal::KILL);
        }
        let _ = self.child.start_kill();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.send_kill();
    }
}

/// All that a process writes to a pipe, of which so much is kept; more is read, so that it can end. What was read
/// is kept if the future is dropped.
async fn read(pipe: Option<impl AsyncRead + Unpin>, kept: &mut Vec<u8>) {
    let Some(mut pipe) = pipe else { return };
    let mut chunk = vec![0; 8 * 1024];
    // What cannot be read counts as not written.
    while let Ok(count @ 1..) = pipe.read(&mut chunk).await {
        let room = MAX_OUTPUT - kept.len();
        kept.extend_from_slice(&chunk[..count.min(room)]);
    }
}

/// Text of several lines on one, its control characters visible; the end of a long one, where the error is.
fn one_line(text: &str) -> String {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("; ");
    let length = lines.chars().count();
    let shown: String = lines.chars().skip(length.saturating_sub(MAX_SHOWN)).collect();
    plain::line(&shown).into_owned()
}
