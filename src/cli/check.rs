//! `carrier check`: everything that is wrong with a repository, at once.

use clap::Args;

use super::diagnostics::Format;

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
