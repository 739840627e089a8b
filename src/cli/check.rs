//! `carrier check`: everything that is wrong with a repository, at once.

use clap::Args;

use super::diagnostics::{self, Destination, Format, Summary};
use super::env::Env;
use super::error::CliError;
use super::exit::Exit;
use super::ui::Ui;
use crate::compile::load::load;
use crate::compile::load::suppress::apply_suppressions;
use crate::compile::resolve::resolve;
use crate::files::walk::{ReadOptions, read_repository};
use crate::model::diagnostic::{Diagnostic, Diagnostics};
use crate::model::source::Sources;

/// Arguments of `carrier check`.
#[derive(Debug, Args)]
#[command(after_help = "Example: carrier check -o sarif > carrier.sarif")]
pub struct CheckArgs {
    /// How to show what is wrong
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    pub output: Format,
    /// End with status 0 whatever is found, for jobs that only report
    #[arg(long)]
    pub exit_zero: bool,
}

/// Reads the repository, compiles it and shows all that is wrong. Writes no manifest.
///
/// # Errors
/// When there is no repository, or it cannot be read as a whole.
pub fn run(args: &CheckArgs, env: &Env, ui: &mut Ui<'_>) -> Result<Exit, CliError> {
    let root = env.root()?;
    let (sources, found) = read_repository(&root, &ReadOptions::default())?;
    ui.detail(format_args!("read {} files below {}", sources.len(), root.display()))?;
    let list = check(&sources, found);
    let destination = Destination { prefix: Env::prefix(&root), step_summary: env.step_summary.clone() };
    diagnostics::report(ui, args.output, &list, &sources, &destination)?;
    let failed = Summary::of(&list, &sources).error > 0 && !args.exit_zero;
    Ok(if failed { Exit::Errors } else { Exit::Fine })
}

/// All that the stages of the compiler find, sorted and with the suppressed left out.
fn check(sources: &Sources, mut found: Diagnostics) -> Vec<Diagnostic> {
    let (loaded, diagnostics) = load(sources);
    found.append(diagnostics);
    let (_resolved, diagnostics) = resolve(&loaded);
    found.append(diagnostics);
    apply_suppressions(found, &loaded.suppressions).into_sorted()
}
