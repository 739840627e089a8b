//! `carrier version`: the version of this carrier.

use clap::{Args, ValueEnum};

use super::error::CliError;
use super::exit::Exit;
use super::ui::Ui;

/// Arguments of `carrier version`.
#[derive(Debug, Args)]
pub(crate) struct VersionArgs {
    /// Output format
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    pub output: Output,
}

/// An output format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// A line.
    Text,
    /// A JSON object.
    Json,
}

/// Prints the version.
///
/// # Errors
/// When stdout cannot be written.
pub(crate) fn run(args: &VersionArgs, ui: &mut Ui<'_>) -> Result<Exit, CliError> {
    let version = env!("CARGO_PKG_VERSION");
    match args.output {
        Output::Text => writeln!(ui.out(), "carrier {version}")?,
        Output::Json => writeln!(ui.out(), "{}", serde_json::json!({ "name": "carrier", "version": version }))?,
    }
    Ok(Exit::Fine)
}
