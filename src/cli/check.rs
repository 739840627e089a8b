//! `carrier check`: everything that is wrong with a repository, at once.

use clap::Args;

use super::diagnostics::Format;
use super::env::Env;
use super::error::CliError;
use super::exit::Exit;
use super::repository::Repository;
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

/// Compiles the repository and shows all that is wrong with it. Writes nothing.
///
/// # Errors
/// When there is no repository, or it cannot be read as a whole.
pub fn run(args: &CheckArgs, env: &Env, ui: &mut Ui<'_>) -> Result<Exit, CliError> {
    let repository = Repository::open(env, ui)?;
    let (_, list) = repository.compile();
    let exit = repository.report(&list, args.output, env, ui)?;
    Ok(if args.exit_zero { Exit::Fine } else { exit })
}
