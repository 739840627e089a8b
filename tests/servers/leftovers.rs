//! However a run ends, no process, port or folder is left. This binary runs itself
//! again, with one test that ends as told, and looks at what remains.

use std::net::TcpListener;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::support::{Case, ControlPlanes, Failed, TestResult, cases, has_ended};

/// How the scene ends.
const SCENE: &str = "CARRIER_ENVTEST_SCENE";
/// The file into which the scene writes what it has started.
const REPORT: &str = "CARRIER_ENVTEST_REPORT";
/// Servers that are killed are gone at once; this is for a machine that is very busy.
const LIMIT: Duration = Duration::from_secs(30);

/// The tests of this file.
pub(crate) fn cases() -> Vec<Case> {
    cases![
        nothing_is_left_after_a_passed_test,
        nothing_but_logs_is_left_after_a_failed_test,
        nothing_but_logs_is_left_after_a_panic,
        nothing_is_left_after_an_interrupt,
        nothing_is_left_after_a_kill,
        without_binaries_tests_are_ignored_but_fail_in_ci,
    ]
}

/// Whether this process is the one that is looked at.
pub(crate) fn scene_wanted() -> bool {
    std::env::var_os(SCENE).is_some()
}

/// The one test of the process that is looked at.
pub(crate) fn scene() -> Vec<Case> {
    let wanted = std::env::var(SCENE).unwrap_or_default();
    let mut scenes = cases![pass, fail, panic, hang];
    scenes.retain(|scene| scene.name().ends_with(&wanted));
    scenes
}

async fn pass() -> TestResult {
    open().await.map(drop)
}

async fn fail() -> TestResult {
    let _planes = open().await?;
    Err("as told".into())
}

async fn panic() -> TestResult {
    let _planes = open().await?;
    panic!("as told")
}

async fn hang() -> TestResult {
    // A job that a script starts in the background ignores interrupts, and so do its children. Not this one.
    let always = Arc::new(AtomicBool::new(true));
    signal_hook::flag::register_conditional_default(signal_hook::consts::SIGINT, always)?;
    let _planes = open().await?;
    std::future::pending().await
}

async fn open() -> Result<ControlPlanes, Failed> {
    let planes = ControlPlanes::builder().controllers().start(&["eu-west-1"]).await?;
    // One that is stopped in its tracks must go too.
    planes["eu-west-1"].pause();
    let report = json!({ "pids": planes.pids(), "ports": planes.ports(), "folder": planes.folder() });
    let path = PathBuf::from(std::env::var_os(REPORT).ok_or("no place for the report")?);
    // Moved into place, so that it is never read half written.
    std::fs::write(path.with_extension("new"), report.to_string())?;
    std::fs::rename(path.with_extension("new"), path)?;
    Ok(planes)
}

async fn nothing_is_left_after_a_passed_test() -> TestResult {
    let scene = Scene::start("pass").await?;
    let output = scene.end()?;
    assert!(output.status.success(), "{output:?}");
    scene.assert_nothing_left(Duration::ZERO);
    Ok(())
}

async fn nothing_but_logs_is_left_after_a_failed_test() -> TestResult {
    logs_are_left_after("fail").await
}

async fn nothing_but_logs_is_left_after_a_panic() -> TestResult {
    logs_are_left_after("panic").await
}

async fn logs_are_left_after(end: &str) -> TestResult {
    let scene = Scene::start(end).await?;
    let output = scene.end()?;
    assert_eq!(output.status.code(), Some(101), "{output:?}");
    scene.assert_nothing_left(Duration::ZERO);
    let told = String::from_utf8(output.stderr)?;
    let (_, kept) = told.split_once("the logs of its servers: ").ok_or("nothing said of logs")?;
    let kept = Path::new(kept.lines().next().unwrap_or_default());
    assert!(kept.join("0/eu-west-1/kube-apiserver.log").is_file(), "in {}", kept.display());
    assert!(kept.join("0/etcd.log").is_file(), "in {}", kept.display());
    // Nobody will want the logs of a failure that was asked for.
    std::fs::remove_dir_all(kept)?;
    Ok(())
}

async fn nothing_is_left_after_an_interrupt() -> TestResult {
    nothing_is_left_after_signal(Signal::INT).await
}

async fn nothing_is_left_after_a_kill() -> TestResult {
    nothing_is_left_after_signal(Signal::KILL).await
}

async fn nothing_is_left_after_signal(signal: Signal) -> TestResult {
    let scene = Scene::start("hang").await?;
    // That it finds them while they are there makes it worth something that it does not later.
    assert_eq!(scene.left().len(), 4 + 2 + 1, "processes, ports and the folder: {:?}", scene.left());
    scene.signal(signal)?;
    assert_eq!(scene.end()?.status.signal(), Some(signal.as_raw()), "the signal ended it");
    scene.assert_nothing_left(LIMIT);
    Ok(())
}

async fn without_binaries_tests_are_ignored_but_fail_in_ci() -> TestResult {
    let empty = tempfile::tempdir()?;
    let run = |ci: &str| {
        let mut run = Command::new(std::env::current_exe()?);
        run.env(SCENE, "pass").env("KUBEBUILDER_ASSETS", empty.path()).env("CI", ci).output()
    };
    let output = run("")?;
    let (said, told) = (String::from_utf8(output.stdout)?, String::from_utf8(output.stderr)?);
    assert!(output.status.success(), "{said}{told}");
    assert!(said.contains("0 passed; 0 failed; 1 ignored"), "{said}");
    assert!(told.contains("hack/envtest.sh assets"), "{told}");

    let output = run("true")?;
    let said = String::from_utf8(output.stdout)?;
    assert!(!output.status.success(), "{said}");
    assert!(said.contains("0 passed; 1 failed; 0 ignored"), "{said}");
    assert!(said.contains("hack/envtest.sh assets"), "{said}");
    Ok(())
}

/// A run of this binary that is looked at.
struct Scene {
    child: std::cell::RefCell<Option<Child>>,
    pid: u32,
    started: Value,
}

impl Scene {
    /// Starts it and waits until its servers run.
    async fn start(end: &str) -> Result<Self, Box<dyn std::error::Error>> {
        let folder = tempfile::tempdir()?;
        let report = folder.path().join("report.json");
        let mut child = Command::new(std::env::current_exe()?)
            .env(SCENE, end)
            .env(REPORT, &report)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        while !report.exists() {
            if let Some(status) = child.try_wait()? {
                return Err(format!("ended before its servers ran: {status}").into());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let started = serde_json::from_slice(&std::fs::read(report)?)?;
        Ok(Self { pid: child.id(), child: Some(child).into(), started })
    }

    fn signal(&self, signal: Signal) -> TestResult {
        let pid = i32::try_from(self.pid).ok().and_then(Pid::from_raw).ok_or("no process number")?;
        Ok(kill_process(pid, signal)?)
    }

    fn end(&self) -> Result<Output, Box<dyn std::error::Error>> {
        Ok(self.child.borrow_mut().take().ok_or("it has ended")?.wait_with_output()?)
    }

    /// Nothing of what it started is left, at the latest after `patience`.
    fn assert_nothing_left(&self, patience: Duration) {
        let deadline = Instant::now() + patience;
        loop {
            let left = self.left();
            if left.is_empty() {
                return;
            }
            assert!(Instant::now() < deadline, "left: {}", left.join(", "));
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn left(&self) -> Vec<String> {
        let numbers = |key: &str| self.started[key].as_array().into_iter().flatten().filter_map(Value::as_u64);
        let pids = numbers("pids").filter_map(|pid| u32::try_from(pid).ok());
        let ports = numbers("ports").filter_map(|port| u16::try_from(port).ok());
        let folder = self.started["folder"].as_str().unwrap_or_default();
        let mut left: Vec<String> = pids.filter(|&pid| !has_ended(pid)).map(|pid| format!("process {pid}")).collect();
        let taken = |port: &u16| TcpListener::bind(("127.0.0.1", *port)).is_err();
        left.extend(ports.filter(taken).map(|port| format!("port {port}")));
        left.extend(Path::new(folder).exists().then(|| folder.to_owned()));
        // An empty report would prove nothing: etcd, the API server, the controllers and the watchdog.
        assert_eq!(numbers("pids").count(), 4, "{}", self.started);
        left
    }
}

impl Drop for Scene {
    /// If the test fails while the scene hangs.
    fn drop(&mut self) {
        if let Some(mut child) = self.child.get_mut().take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
