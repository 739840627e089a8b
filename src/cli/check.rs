//! `carrier check`: all diagnostics of a repository at once.

use clap::Args;

use super::diagnostics::Format;
use super::env::Env;
use super::error::CliError;
use super::exit::Exit;
use super::input;
use super::ui::Ui;
use crate::compile::locking::strict;

/// Arguments of `carrier check`.
#[derive(Debug, Args)]
#[command(after_help = "Example: carrier check -o sarif > carrier.sarif")]
pub(crate) struct CheckArgs {
    /// Output format
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    pub output: Format,
    /// Fail if `carrier lock --offline` would change the lock, or snapshots are unused or not locked
    #[arg(long)]
    pub locked: bool,
    /// Exit with status 0 whatever is found, for jobs that only report
    #[arg(long)]
    pub exit_zero: bool,
}

/// Compiles the repository and shows its diagnostics. Writes nothing.
///
/// # Errors
/// When there is no repository, or it cannot be read as a whole.
pub(crate) fn run(args: &CheckArgs, env: &Env, ui: &mut Ui<'_>) -> Result<Exit, CliError> {
    let repository = input::open(env, ui)?;
    let (_, mut list) = repository.compile();
    let stale = if args.locked { strict(&mut list) } else { None };
    let exit = input::report(&repository, &list, args.output, env, ui)?;
    say_stale(stale, ui)?;
    Ok(if args.exit_zero { Exit::Fine } else { exit })
}

/// Suggests the command that updates a lock that `--locked` refused.
///
/// # Errors
/// When it cannot be written.
pub(crate) fn say_stale(command: Option<&str>, ui: &mut Ui<'_>) -> std::io::Result<()> {
    match command {
        Some(command) => ui.next(command, "to bring the lock up to date, and commit what it writes"),
        None => Ok(()),
    }
}
