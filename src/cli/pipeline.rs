//! What the commands on a repository begin with: find it, read it, compile it.

use std::path::PathBuf;

use super::diagnostics::{self, Destination, Format};
use super::env::Env;
use super::error::CliError;
use super::ui::Ui;
use crate::compile::{Compilation, compile};
use crate::files::walk::{ReadOptions, read_repository};
use crate::model::source::Sources;

/// A repository, read and compiled.
#[derive(Debug)]
pub struct Compiled {
    /// Its folder.
    pub root: PathBuf,
    /// Its files.
    pub sources: Sources,
    /// What they come to.
    pub compilation: Compilation,
}

/// Finds the repository, reads and compiles it. What is wrong with it is in the result.
///
/// # Errors
/// When there is no repository, or it cannot be read as a whole.
pub fn run(env: &Env, ui: &mut Ui<'_>) -> Result<Compiled, CliError> {
    let root = env.root()?;
    let (sources, found) = read_repository(&root, &ReadOptions::default())?;
    ui.detail(format_args!("read {} files below {}", sources.len(), root.display()))?;
    let compilation = compile(&sources, found);
    Ok(Compiled { root, sources, compilation })
}

impl Compiled {
    /// Shows all that is wrong.
    ///
    /// # Errors
    /// When a stream or the step summary cannot be written.
    pub fn report(&self, format: Format, env: &Env, ui: &mut Ui<'_>) -> Result<(), CliError> {
        let destination = Destination { prefix: Env::prefix(&self.root), step_summary: env.step_summary.clone() };
        diagnostics::report(ui, format, &self.compilation.diagnostics, &self.sources, &destination)
    }
}
