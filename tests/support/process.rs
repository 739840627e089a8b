//! One server process: started, paused, killed, started again, and never left behind.

use std::fs::File;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::watchdog::Watchdog;
use super::{START_LIMIT, StartError, io};

/// How often a server that starts is asked whether it is ready.
const ASK_AGAIN: Duration = Duration::from_millis(25);

/// A server, running or not.
#[derive(Debug)]
pub(crate) struct Process {
    name: String,
    program: PathBuf,
    arguments: Vec<String>,
    log: PathBuf,
    watchdog: Arc<Watchdog>,
    child: Mutex<Option<Child>>,
}

impl Process {
    /// Starts `program`; what it writes goes to `<folder>/<name>.log`.
    pub(crate) fn start(
        name: &str,
        program: PathBuf,
        arguments: Vec<String>,
        folder: &Path,
        watchdog: &Arc<Watchdog>,
    ) -> Result<Self, StartError> {
        let process = Self {
            name: name.to_owned(),
            program,
            arguments,
            log: folder.join(format!("{name}.log")),
            watchdog: Arc::clone(watchdog),
            child: Mutex::new(None),
        };
        process.spawn()?;
        Ok(process)
    }

    /// Starts it again, with the same arguments, after [`Self::kill`].
    ///
    /// The program is started through a shell that first waits for a line. It gets
    /// that line only once the watchdog knows of it, so that there is no moment in
    /// which our death would leave it running.
    pub(crate) fn spawn(&self) -> Result<(), StartError> {
        let mut child = self.lock();
        assert!(child.is_none(), "{} runs already", self.name);
        let log = File::options().create(true).append(true).open(&self.log).map_err(io(self.log.display()))?;
        let errors = log.try_clone().map_err(io(self.log.display()))?;
        let mut started = Command::new("sh")
            .args(["-c", r#"read -r go && exec "$@""#, "sh"])
            .arg(&self.program)
            .args(&self.arguments)
            .current_dir("/")
            .env_remove("KUBECONFIG")
            // A server that starts makes much garbage and little else: a quarter of its work is collecting.
            .env("GOGC", "200")
            .stdin(Stdio::piped())
            .stdout(log)
            .stderr(errors)
            // Ctrl-C on the terminal is for the test process; the watchdog hears of its end.
            .process_group(0)
            .spawn()
            .map_err(io(self.program.display()))?;
        let mut gate = started.stdin.take().expect("stdin is piped");
        let opened = self.watchdog.add(started.id()).and_then(|()| gate.write_all(b"go\n"));
        *child = Some(started);
        opened.map_err(io(&self.name))
    }

    /// The process number, while it runs.
    pub(crate) fn pid(&self) -> Option<u32> {
        self.lock().as_ref().map(Child::id)
    }

    /// Stops it in its tracks (SIGSTOP): connections stay open, nobody answers.
    pub(crate) fn pause(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets a paused process go on (SIGCONT).
    pub(crate) fn resume(&self) {
        self.signal(Signal::CONT);
    }

    /// Asks it to end (SIGTERM); see [`Self::end`].
    pub(crate) fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    /// Waits until it has ended by itself, and how.
    ///
    /// # Panics
    /// If it still runs after `limit`.
    pub(crate) async fn end(&self, limit: Duration) -> ExitStatus {
        let deadline = Instant::now() + limit;
        loop {
            if let Some(status) = self.ended() {
                // Only takes note of it: the process is gone.
                self.kill();
                return status;
            }
            assert!(Instant::now() < deadline, "{} still runs after {} s", self.name, limit.as_secs());
            tokio::time::sleep(ASK_AGAIN).await;
        }
    }

    /// What it has written.
    pub(crate) fn log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// Ends it at once (SIGKILL) and waits until it is gone. Fine if it is gone already.
    pub(crate) fn kill(&self) {
        let Some(mut child) = self.lock().take() else { return };
        // Both fail only if the process is gone, which is what is wanted.
        let _ = child.kill();
        let _ = child.wait();
        let _ = self.watchdog.forget(child.id());
    }

    /// Waits until `ready` says so; an error if the process ends before, or never gets there.
    pub(crate) async fn ready<Answer>(&self, ready: impl Fn() -> Answer) -> Result<(), StartError>
    where
        Answer: Future<Output = Result<(), String>>,
    {
        let deadline = Instant::now() + START_LIMIT;
        loop {
            let answer = tokio::time::timeout(Duration::from_secs(5), ready()).await;
            let last = match answer {
                Ok(Ok(())) => return Ok(()),
                Ok(Err(reason)) => reason,
                Err(_) => "no answer within 5 s".to_owned(),
            };
            if let Some(status) = self.ended() {
                let (name, log) = (self.name.clone(), self.end_of_log());
                return Err(StartError::Ended { name, status: status.to_string(), log });
            }
            if Instant::now() > deadline {
                return Err(StartError::NotReady { name: self.name.clone(), last, log: self.end_of_log() });
            }
            tokio::time::sleep(ASK_AGAIN).await;
        }
    }

    fn ended(&self) -> Option<ExitStatus> {
        self.lock().as_mut().and_then(|child| child.try_wait().ok().flatten())
    }

    fn end_of_log(&self) -> String {
        let text = self.log();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }

    fn signal(&self, signal: Signal) {
        let pid = self.pid().unwrap_or_else(|| panic!("{} does not run", self.name));
        let pid = i32::try_from(pid).ok().and_then(Pid::from_raw).expect("a process number is positive");
        kill_process(pid, signal).unwrap_or_else(|error| panic!("cannot signal {}: {error}", self.name));
    }

    fn lock(&self) -> MutexGuard<'_, Option<Child>> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Whether no process has this number, or one that has ended and that nobody has asked after yet.
pub(crate) fn has_ended(pid: u32) -> bool {
    if Path::new("/proc/self/stat").exists() {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        // The state follows the name, which is in parentheses and may hold some.
        return stat.rsplit_once(") ").is_none_or(|(_, rest)| rest.starts_with(['Z', 'X']));
    }
    let state = Command::new("ps").args(["-o", "stat=", "-p", &pid.to_string()]).output();
    let state = state.expect("ps is there").stdout;
    state.is_empty() || state.starts_with(b"Z")
}
