//! A test harness in which a test can be ignored for want of something that it needs.
//!
//! libtest knows from compile time which tests are ignored; a binary that runs where the server
//! binaries, kubectl or the real CRDs are missing can only let such a test pass, which reports
//! as tested what was not. A build script that writes `#[ignore]` would find out at the wrong
//! time: the binary is kept while folders and programs come and go. So a test lists its needs
//! beside its name, and the harness (`libtest-mimic`, with the flags and the output of libtest)
//! asks for them when the test starts. Where one is missing the test is ignored, with the
//! reason; where `CI` is set it fails.
//!
//! Tests are plain functions, listed by name in the `cases` of their file. A function that is
//! not listed is dead code, and the compiler says so.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

use libtest_mimic::{Arguments, Completion, Failed, Trial};

/// How a test ends. Every error with a text can be returned with `?`.
pub(crate) type TestResult = Result<(), Failed>;

/// Looks for something that a test needs of the machine. The error says what is missing and, where
/// there is one, the command that provides it.
pub(crate) type Need = fn() -> Result<(), String>;

/// A test with its name and its needs.
pub(crate) struct Case {
    name: String,
    needs: Vec<Need>,
    body: Box<dyn FnOnce() -> TestResult + Send>,
}

impl Case {
    /// A test that runs `body` if all of `needs` are there. See [`name`] for the name.
    pub(crate) fn new(name: String, needs: &[Need], body: impl FnOnce() -> TestResult + Send + 'static) -> Self {
        Self { name, needs: needs.to_vec(), body: Box::new(body) }
    }
}

/// The name of a test as libtest would have it: the path of the function without the binary's name.
pub(crate) fn name(module: &str, function: &str) -> String {
    module.split_once("::").map_or_else(|| function.to_owned(), |(_, module)| format!("{module}::{function}"))
}

/// Runs the tests that the arguments of the process choose.
pub(crate) fn run(cases: Vec<Case>) -> ExitCode {
    // How many tests were ignored, by reason.
    let ignored: Arc<Mutex<BTreeMap<String, usize>>> = Arc::default();
    let trials = cases.into_iter().map(|Case { name, needs, body }| {
        let ignored = Arc::clone(&ignored);
        Trial::ignorable_test(name, move || match needs.iter().find_map(|need| need().err()) {
            Some(reason) if in_ci() => Err(reason.into()),
            Some(reason) => {
                *ignored.lock().unwrap_or_else(PoisonError::into_inner).entry(reason.clone()).or_default() += 1;
                Ok(Completion::ignored_with(reason))
            }
            None => body().map(|()| Completion::Completed),
        })
    });
    let conclusion = libtest_mimic::run(&Arguments::from_args(), trials.collect());
    for (reason, count) in &*ignored.lock().unwrap_or_else(PoisonError::into_inner) {
        say(&format!("ignored {count} tests: {reason}"));
    }
    conclusion.exit_code()
}

/// Where nothing may be missing.
fn in_ci() -> bool {
    std::env::var_os("CI").is_some_and(|value| !value.is_empty())
}

#[expect(clippy::print_stderr, reason = "a test binary talks to the person who runs it")]
fn say(text: &str) {
    eprintln!("{text}");
}
