//! `carrier completions`: a completion script for a shell.

use clap::Args;
use clap_complete::Shell;

use super::error::CliError;
use super::exit::Exit;
use super::ui::Ui;

/// Arguments of `carrier completions`.
#[derive(Debug, Args)]
#[command(after_help = "Example: carrier completions bash > ~/.local/share/bash-completion/completions/carrier")]
pub struct CompletionsArgs {
    /// The shell
    pub shell: Shell,
}

/// Prints the script.
///
/// # Errors
/// When stdout cannot be written.
pub fn run(args: &CompletionsArgs, grammar: clap::Command, ui: &mut Ui<'_>) -> Result<Exit, CliError> {
    ui.out().write_all(script(args.shell, grammar).as_bytes())?;
    Ok(Exit::Fine)
}

/// The script of a grammar for `shell`, as it is kept in `completions/`.
#[must_use]
pub fn script(shell: Shell, mut grammar: clap::Command) -> String {
    // Into memory first: the generator panics if a stream fails, such as a closed pipe.
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut grammar, "carrier", &mut script);
    String::from_utf8_lossy(&script).into_owned()
}
