//! The repository that a command works on: found, read and compiled.

use std::path::PathBuf;

use super::diagnostics::{self, Destination, Format, Summary};
use super::env::Env;
use super::error::CliError;
use super::exit::Exit;
use super::ui::Ui;
use crate::compile::compiled::{Compiled, compile, shown};
use crate::compile::load::{Loaded, load};
use crate::files::walk::{ReadOptions, read_repository};
use crate::model::diagnostic::{Diagnostic, Diagnostics, Severity};
use crate::model::source::Sources;

/// A repository, read and loaded.
#[derive(Debug)]
pub struct Repository {
    /// Its root.
    pub root: PathBuf,
    /// Its files.
    pub sources: Sources,
    /// Its objects.
    pub loaded: Loaded,
    found: Diagnostics,
}

impl Repository {
    /// Finds the repository of the folder to run in, reads and loads it.
    ///
    /// # Errors
    /// When there is none, or it cannot be read as a whole.
    pub fn open(env: &Env, ui: &mut Ui<'_>) -> Result<Self, CliError> {
        let root = env.root()?;
        let (sources, mut found) = read_repository(&root, &ReadOptions::default())?;
        ui.detail(format_args!("read {} files below {}", sources.len(), root.display()))?;
        let (loaded, diagnostics) = load(&sources);
        found.append(diagnostics);
        Ok(Self { root, sources, loaded, found })
    }

    /// Compiles it. The second is all that is to be said about it, in order.
    #[must_use]
    pub fn compile(&self) -> (Compiled<'_>, Vec<Diagnostic>) {
        let (compiled, diagnostics) = compile(&self.loaded, &self.sources);
        let list = self.and(diagnostics);
        (compiled, list)
    }

    /// What was found when it was read and loaded, and what a later stage found: all that is to be
    /// said, in order.
    #[must_use]
    pub fn and(&self, more: Diagnostics) -> Vec<Diagnostic> {
        let mut found = self.found.clone();
        found.append(more);
        shown(found, &self.loaded)
    }

    /// Whether it could be read and loaded without an error.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        !self.found.has_errors()
    }

    /// Shows diagnostics in a format; whether the input can be compiled.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn report(&self, list: &[Diagnostic], format: Format, env: &Env, ui: &mut Ui<'_>) -> Result<Exit, CliError> {
        let destination = Destination { prefix: Env::prefix(&self.root), step_summary: env.step_summary.clone() };
        let exit = if Summary::of(list, &self.sources).error > 0 { Exit::Errors } else { Exit::Fine };
        match diagnostics::report(ui, format, list, &self.sources, &destination) {
            // A reader that has enough of the errors does not mend them.
            Err(error) if error.exit == Exit::Fine => Ok(exit),
            shown => shown.map(|()| exit),
        }
    }

    /// Shows what keeps the repository from being compiled, for commands that go
    /// on to do something else: nothing at all where nothing is wrong.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn report_if_any(&self, list: &[Diagnostic], env: &Env, ui: &mut Ui<'_>) -> Result<Exit, CliError> {
        if list.iter().all(|d| d.severity == Severity::Info) {
            return Ok(Exit::Fine);
        }
        self.report(list, Format::Text, env, ui)
    }
}
