//! Credential plugins as a user of the binary meets them: at a terminal, when they hang, when carrier is interrupted.
//!
//! No server is needed: the plugin runs before the first connection, and nobody listens at the address.
#![allow(clippy::format_push_string, reason = "a kubeconfig is built for reading, not for speed")]

use std::fs::{self, File};
use std::io::Write as _;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use crate::common::example;
use crate::harness::Case;

/// The tests of this file.
pub(crate) fn cases() -> Vec<Case> {
    cases![
        plugins_at_a_terminal_ask_one_after_another,
        a_plugin_that_hangs_is_named_and_started_once_for_all_clusters,
        a_plugin_ends_with_what_it_started_when_carrier_is_interrupted,
        flags_that_name_no_kubeconfig_are_named,
    ]
}

const TOKEN: &str =
    r#"echo '{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {"token": "t"}}'"#;

/// A repository of four service clusters, and a kubeconfig with a context and a user for each.
struct Scene(tempfile::TempDir);

impl Scene {
    /// Every user runs `script` in the interactive mode; if it is not `shared`, with its name as `$1`.
    fn new(script: &str, mode: &str, shared: bool) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("repo");
        let init = Command::new(env!("CARGO_BIN_EXE_carrier")).args(["-q", "init"]).arg(&root).status().unwrap();
        assert!(init.success());
        example::offer(&root, &[".spec.size"]);
        let cluster = fs::read_to_string(root.join("clusters/eu-west-1.yaml")).unwrap();
        let mut settings = "management: {context: management}\nserviceClusters:\n".to_owned();
        let (mut users, mut contexts) = (String::new(), String::new());
        let program = dir.path().join("login");
        fs::write(&program, format!("#!/bin/sh\nlog={}\n{script}\n", dir.path().join("log").display())).unwrap();
        for name in ["management", "eu-west-1", "eu-west-2", "eu-west-3", "eu-west-4"] {
            let argument = if shared { "all" } else { name };
            users += &format!(
                "- {{name: {name}, user: {{exec: {{apiVersion: client.authentication.k8s.io/v1, command: sh, \
                 args: ['{}', {argument}], interactiveMode: {mode}}}}}}}\n",
                program.display()
            );
            contexts += &format!("- {{name: {name}, context: {{cluster: nobody, user: {name}}}}}\n");
            if name != "management" {
                let text = cluster.replace("eu-west-1", name);
                fs::write(root.join(format!("clusters/{name}.yaml")), text).unwrap();
                settings += &format!("  team-a/{name}: {{context: {name}}}\n");
            }
        }
        fs::write(root.join("carrier.yaml"), settings).unwrap();
        let kubeconfig = format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: management\n\
             clusters: [{{name: nobody, cluster: {{server: 'https://127.0.0.1:1'}}}}]\n\
             users:\n{users}contexts:\n{contexts}"
        );
        fs::write(dir.path().join("kubeconfig"), kubeconfig).unwrap();
        Self(dir)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn lock(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_carrier"));
        command.arg("lock").args(arguments).current_dir(self.path("repo")).stdin(Stdio::null());
        command.env("KUBECONFIG", self.path("kubeconfig")).env("COLUMNS", "1000");
        command
    }

    fn log(&self) -> Vec<String> {
        let text = fs::read_to_string(self.path("log")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }
}

/// The two ends of a terminal.
fn terminal() -> (File, File) {
    let ours: OwnedFd = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&ours).unwrap();
    unlockpt(&ours).unwrap();
    let name = ptsname(&ours, Vec::new()).unwrap().into_string().unwrap();
    // Unlike the other end it does not become the terminal of this process: that needs a new session.
    let theirs = File::options().read(true).write(true).open(name).unwrap();
    (File::from(ours), theirs)
}

fn plugins_at_a_terminal_ask_one_after_another() {
    // What one reads says who it is for. Each gives the others time to begin, if they can.
    let ask = format!("echo begin $1 >> $log; sleep 0.3; read line; echo end $1 $line >> $log; {TOKEN}");
    let scene = Scene::new(&ask, "IfAvailable", false);
    let (mut ours, theirs) = terminal();
    ours.write_all(b"1\n2\n3\n4\n5\n").unwrap();
    // The wait for the terminal takes longer than a request may, and none is started again.
    let ran = scene.lock(&["--request-timeout", "1s"]).stdin(Stdio::from(theirs)).output().unwrap();
    let err = String::from_utf8(ran.stderr).unwrap();
    let log = scene.log();
    assert!(!err.contains("CAR0609"), "{err}");
    assert_eq!(log.len(), 10, "{log:?}\n{err}");
    for (number, pair) in log.chunks(2).enumerate() {
        let who = pair[0].strip_prefix("begin ").unwrap();
        assert_eq!(pair[1], format!("end {who} {}", number + 1), "{log:?}");
    }
}

fn a_plugin_that_hangs_is_named_and_started_once_for_all_clusters() {
    let scene = Scene::new("echo run >> $log; echo 'open https://sso' >&2; exec sleep 6000", "Never", true);
    let ran = scene.lock(&["--request-timeout", "5s"]).output().unwrap();
    let err = String::from_utf8(ran.stderr).unwrap();
    assert_eq!(ran.status.code(), Some(4), "{err}");
    assert!(err.contains("the credential plugin `sh` did not end within 5 s: open https://sso"), "{err}");
    assert!(err.contains("CAR0609") && !err.contains("CAR0602") && !err.contains("correct `management`"), "{err}");
    assert_eq!(scene.log(), ["run"], "{err}");
}

fn a_plugin_ends_with_what_it_started_when_carrier_is_interrupted() {
    let scene = Scene::new("sleep 6000 & echo $! >> $log; wait", "Never", true);
    let mut child = scene.lock(&["--request-timeout", "1h"]).stderr(Stdio::null()).spawn().unwrap();
    until(|| !scene.log().is_empty());
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    assert!(!child.wait().unwrap().success());
    let started = scene.log()[0].parse().ok().and_then(Pid::from_raw).unwrap();
    until(|| test_kill_process(started).is_err() || is_zombie(started));
}

fn flags_that_name_no_kubeconfig_are_named() {
    let scene = Scene::new(TOKEN, "Never", true);
    for (arguments, message, help) in [
        (["--kubeconfig", "nope"], "/nope does not exist", "help: correct `--kubeconfig`, or the file that it names"),
        (["--context", "nope"], "has no context `nope`", "help: correct `--context`: `kubectl config get-contexts`"),
    ] {
        let ran = scene.lock(&arguments).output().unwrap();
        let err = String::from_utf8(ran.stderr).unwrap();
        assert_eq!(ran.status.code(), Some(4), "{err}");
        assert!(err.contains(message) && err.contains(help), "{err}");
    }
}

fn until(is_so: impl Fn() -> bool) {
    while !is_so() {
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Whether a process has ended and nobody waits for it: in a container its new parent may not.
fn is_zombie(process: Pid) -> bool {
    let stat = Path::new("/proc").join(process.as_raw_nonzero().to_string()).join("stat");
    let stat = fs::read_to_string(stat).unwrap_or_default();
    stat.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with('Z'))
}
