//! Runs tests that need servers, by the harness of `harness.rs`.
//!
//! Each of them needs the server binaries. A test is an async function; a failed one
//! leaves the logs of its servers behind, while a passed one leaves nothing.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::process::ExitCode;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use tokio::runtime::Runtime;

use super::assets::Assets;
use super::control_planes::{running_shared, stop_shared};
use super::harness::{self, Need, TestResult};
use super::watchdog::Watchdog;
use super::{StartError, io};

/// A test hangs if it takes longer.
const LIMIT: Duration = Duration::from_mins(5);

type Body = Pin<Box<dyn Future<Output = TestResult>>>;

/// A test of its own async function, which needs the server binaries.
pub(crate) struct Case {
    name: String,
    needs: Vec<Need>,
    body: fn() -> Body,
    limit: Duration,
}

impl Case {
    /// For [`cases`]. `needs` are those beside the server binaries.
    pub(crate) fn new(name: String, needs: &[Need], body: fn() -> Body) -> Self {
        Self { name, needs: needs.to_vec(), body, limit: LIMIT }
    }

    /// For a test whose length is chosen by who runs it.
    pub(crate) fn within(self, limit: Duration) -> Self {
        Self { limit, ..self }
    }

    /// Its name, `module::function`.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }
}

/// The tests of a module, from the names of its async functions and, in brackets, what each needs
/// beside the server binaries.
macro_rules! cases {
    ($($test:ident $([$($need:path),+])?),* $(,)?) => {
        vec![$($crate::support::Case::new(
            $crate::support::name(module_path!(), stringify!($test)),
            &[$($($need),+)?],
            || Box::pin($test()),
        )),*]
    };
}
pub(crate) use cases;

/// One runtime for all tests, so that what one test made (a client of shared control
/// planes, a proxy) does not die with it.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().expect("the system gives threads"));

/// Waits for `future`, outside of a test.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    RUNTIME.block_on(future)
}

/// Asks again and again until the answer is yes, because what servers promise they often
/// promise for a moment later (RBAC rules, for one, take effect when a watch brings them).
/// Never use it to show that something does *not* happen.
///
/// # Panics
/// If the answer is still no after a minute; the message says `what`.
pub(crate) async fn eventually(what: &str, ask: impl AsyncFn() -> bool) {
    let limit = Duration::from_mins(1);
    let asking = async {
        while !ask().await {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let answer = tokio::time::timeout(limit, asking).await;
    assert!(answer.is_ok(), "still not true after {} s: {what}", limit.as_secs());
}

/// The `main` of a test binary.
pub(crate) fn run(cases: Vec<Case>) -> ExitCode {
    let cases = cases.into_iter().map(|Case { name, needs, body, limit }| {
        let needs = [&[servers_are_built as Need], &*needs].concat();
        harness::Case::new(name.clone(), &needs, move || attempt(&name, body, limit))
    });
    let exit = harness::run(cases.collect());
    stop_shared();
    exit
}

fn servers_are_built() -> Result<(), String> {
    Assets::find().as_ref().map(|_| ()).map_err(Clone::clone)
}

fn attempt(name: &str, body: fn() -> Body, limit: Duration) -> TestResult {
    let run = || block_on(async { tokio::time::timeout(limit, body()).await });
    let result = catch_unwind(AssertUnwindSafe(run));
    let remains = REMAINS.take();
    // Those of an earlier failure are of no use any more.
    let logs = Path::new(option_env!("CARGO_TARGET_TMPDIR").unwrap_or("target/tmp"))
        .join("logs")
        .join(name.replace("::", "."));
    let _ = std::fs::remove_dir_all(&logs);
    if !matches!(result, Ok(Ok(Ok(())))) {
        keep_logs(name, &remains, &logs);
    }
    drop(remains);
    match result {
        Ok(Ok(result)) => result,
        Ok(Err(_)) => Err(format!("still not done after {} s", limit.as_secs()).into()),
        Err(panic) => resume_unwind(panic),
    }
}

thread_local! {
    /// What control planes left behind while this thread ran a test.
    static REMAINS: RefCell<Vec<Remains>> = const { RefCell::new(Vec::new()) };
}

/// Takes the folder of stopped control planes until it is known whether the test passed.
/// Outside of a test it is removed at once.
pub(super) fn bequeath(remains: Remains) {
    // Without the thread's own storage (it is ending) the folder goes now.
    let _ = REMAINS.try_with(|all| all.borrow_mut().push(remains));
}

/// The folder of control planes, which goes with this value or, at the latest, with the process.
pub(super) struct Remains {
    folder: PathBuf,
    watchdog: Arc<Watchdog>,
}

impl Remains {
    /// Makes the folder.
    pub(super) fn new(folder: Option<&Path>) -> Result<Self, StartError> {
        let folder = match folder {
            Some(folder) => std::fs::create_dir(folder).map(|()| folder.to_owned()),
            None => tempfile::Builder::new().prefix("carrier-envtest-").tempdir().map(tempfile::TempDir::keep),
        };
        let folder = folder.map_err(io("the folder of the control planes"))?;
        match Watchdog::start(&folder) {
            Ok(watchdog) => Ok(Self { folder, watchdog: Arc::new(watchdog) }),
            Err(error) => {
                let _ = std::fs::remove_dir_all(&folder);
                Err(StartError::Io("sh".to_owned(), error))
            }
        }
    }

    /// The folder.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Who removes it if we cannot.
    pub(super) fn watchdog(&self) -> &Arc<Watchdog> {
        &self.watchdog
    }
}

impl Drop for Remains {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.folder) {
            say(&format!("cannot remove {}: {error}", self.folder.display()));
        }
    }
}

/// Copies the logs to a folder of the test's own under `target/`.
fn keep_logs(test: &str, remains: &[Remains], kept: &Path) {
    let shared = running_shared();
    let folders = remains.iter().map(Remains::folder).chain(shared.as_ref().map(|planes| planes.folder()));
    let copied: std::io::Result<()> =
        folders.enumerate().try_for_each(|(index, folder)| copy_logs(folder, &kept.join(index.to_string())));
    match copied {
        Ok(()) if kept.exists() => say(&format!("{test} failed; the logs of its servers: {}", kept.display())),
        Ok(()) => {}
        Err(error) => say(&format!("{test} failed, and the logs of its servers cannot be kept: {error}")),
    }
}

fn copy_logs(from: &Path, to: &Path) -> std::io::Result<()> {
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let path = entry.path();
        if entry.file_type()?.is_dir() {
            // etcd's own files are no logs, whatever their names.
            if entry.file_name() != "etcd" {
                copy_logs(&path, &to.join(entry.file_name()))?;
            }
        } else if path.extension().is_some_and(|extension| extension == "log") {
            std::fs::create_dir_all(to)?;
            std::fs::copy(&path, to.join(entry.file_name()))?;
        }
    }
    Ok(())
}

#[expect(clippy::print_stderr, reason = "a test binary talks to the person who runs it")]
fn say(text: &str) {
    eprintln!("{text}");
}
