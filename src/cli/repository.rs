//! The repository that a command works on: found, read and compiled.

use std::path::PathBuf;

use super::clusters::{ClusterFlags, Connector};
use super::diagnostics::{self, Destination, Format, Summary};
use super::env::Env;
use super::error::CliError;
use super::exit::Exit;
use super::ui::Ui;
use crate::compile::compiled::{Compiled, compile, shown};
use crate::compile::load::{Loaded, load};
use crate::files::walk::{ReadOptions, read_repository};
use crate::model::config::CONFIG_PATH;
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
    /// What was found when the files were read.
    read: Diagnostics,
    /// And when they were loaded.
    found: Diagnostics,
}

impl Repository {
    /// Finds the repository of the folder to run in, reads and loads it.
    ///
    /// # Errors
    /// When there is none, or it cannot be read as a whole.
    pub fn open(env: &Env, ui: &mut Ui<'_>) -> Result<Self, CliError> {
        let root = env.root()?;
        let (sources, read) = read_repository(&root, &ReadOptions::default())?;
        ui.detail(format_args!("read {} files below {}", sources.len(), root.display()))?;
        let (loaded, found) = load(&sources);
        Ok(Self { root, sources, loaded, read, found })
    }

    /// The same repository with other files over its own, `None` for one that is not there. Nothing is written.
    #[must_use]
    pub fn overlaid(&self, files: &[(String, Option<String>)]) -> Self {
        let sources = self.sources.overlaid(files);
        let mut read = self.read.clone();
        read.move_to(|file| sources.by_path(&self.sources.get(file)?.path).map(|(id, _)| id));
        let (loaded, found) = load(&sources);
        Self { root: self.root.clone(), sources, loaded, read, found }
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
        let mut found = self.read.clone();
        found.append(self.found.clone());
        found.append(more);
        shown(found, &self.loaded)
    }

    /// Whether carrier.yaml has errors: then nobody knows which clusters are meant.
    #[must_use]
    pub fn settings_are_broken(&self) -> bool {
        let is_error = |d: &&Diagnostic| d.severity == Severity::Error;
        let mut errors = self.read.iter().chain(self.found.iter()).filter(is_error);
        errors.any(|d| d.primary.as_ref().is_some_and(|l| self.sources.path(l.span) == CONFIG_PATH))
    }

    /// The ways into its clusters.
    #[must_use]
    pub fn connector<'a>(&'a self, flags: &'a ClusterFlags, env: &'a Env) -> Connector<'a> {
        Connector { flags, env, config: &self.loaded.config, root: &self.root }
    }

    /// Whether it could be read and loaded without an error.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        !self.read.has_errors() && !self.found.has_errors()
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
