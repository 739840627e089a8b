//! The repository as the input of a command: opening the one that is meant, and showing its diagnostics.

use super::diagnostics::{self, Destination, Format, Summary};
use super::env::Env;
use super::error::CliError;
use super::exit::Exit;
use super::ui::Ui;
use crate::model::diagnostic::{Diagnostic, Severity};
use crate::ops::Repository;

/// Finds the repository of the folder to run in, reads and loads it.
///
/// # Errors
/// When there is none, or it cannot be read as a whole.
pub(crate) fn open(env: &Env, ui: &mut Ui<'_>) -> Result<Repository, CliError> {
    let repository = Repository::open(env.root()?)?;
    ui.detail(format_args!("read {} files below {}", repository.sources.len(), repository.root.display()))?;
    Ok(repository)
}

/// Shows diagnostics of a repository in a format. [`Exit::Errors`] where one is an error.
///
/// # Errors
/// When they cannot be written.
pub(crate) fn report(
    repository: &Repository,
    list: &[Diagnostic],
    format: Format,
    env: &Env,
    ui: &mut Ui<'_>,
) -> Result<Exit, CliError> {
    let destination = Destination { prefix: Env::prefix(&repository.root), step_summary: env.step_summary.clone() };
    let exit = if Summary::of(list, &repository.sources).error > 0 { Exit::Errors } else { Exit::Fine };
    match diagnostics::report(ui, format, list, &repository.sources, &destination) {
        // A reader that closed the pipe has not resolved the errors.
        Err(error) if error.exit == Exit::Fine => Ok(exit),
        shown => shown.map(|()| exit),
    }
}

/// Shows diagnostics for commands that go on to do something else: nothing at all where all are notes.
///
/// # Errors
/// When they cannot be written.
pub(crate) fn report_if_any(
    repository: &Repository,
    list: &[Diagnostic],
    env: &Env,
    ui: &mut Ui<'_>,
) -> Result<Exit, CliError> {
    if list.iter().all(|d| d.severity == Severity::Info) {
        return Ok(Exit::Fine);
    }
    report(repository, list, Format::Text, env, ui)
}

/// Whether clusters may be connected to. If not, says why: the errors have been shown.
///
/// # Errors
/// When that cannot be written.
pub(crate) fn may_connect(repository: &Repository, ui: &mut Ui<'_>) -> Result<bool, CliError> {
    let invalid = repository.has_invalid_files();
    if invalid {
        ui.say("no cluster was asked: fix the errors first, the files say how to reach the clusters")?;
    }
    Ok(!invalid)
}
