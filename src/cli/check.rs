//! `carrier check`: everything that is wrong with a repository, at once.

use clap::Args;

use super::diagnostics::Format;
use super::env::Env;
use super::error::CliError;
use super::exit::Exit;
use super::pipeline;
use super::ui::Ui;

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
    let compiled = pipeline::run(env, ui)?;
    compiled.report(args.output, env, ui)?;
    let failed = compiled.compilation.has_errors() && !args.exit_zero;
    Ok(if failed { Exit::Errors } else { Exit::Fine })
}
