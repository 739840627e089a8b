//! `carrier explain`: what a diagnostic means, offline, or why an instance is as it is, from the clusters.

use std::fmt::Write as _;

use clap::{Args, ValueEnum};

use super::clusters::ManagementFlags;
use super::diagnostics::severity_name;
use super::env::Env;
use super::error::CliError;
use super::exit::Exit;
use super::ui::Ui;
use crate::model::codes::{self, Code};

mod instance;
mod view;

/// Arguments of `carrier explain`.
#[derive(Debug, Args)]
#[command(
    after_help = "RESOURCE is a plural, a kind or a short name. An instance is explained from the clusters, without a repository.\n\nExamples:\n  carrier explain CAR0101\n  carrier explain redis.eu-west-1.team-a/example -n team-b"
)]
pub struct ExplainArgs {
    /// A code, such as CAR0101 or 101, or an instance
    #[arg(value_name = "CODE|RESOURCE.GROUP/NAME", required_unless_present = "list")]
    pub subject: Option<String>,
    /// List all codes, one per line
    #[arg(long, conflicts_with_all = ["subject", "namespace", "output"])]
    pub list: bool,
    /// The namespace of the instance: the account of its tenant
    #[arg(short, long, value_name = "TENANT")]
    pub namespace: Option<String>,
    /// Output format for an instance
    #[arg(short, long, value_name = "FORMAT")]
    pub output: Option<Output>,
    /// How to reach the clusters.
    #[command(flatten)]
    pub(crate) flags: ManagementFlags,
}

/// An output format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// Lines for people.
    Text,
    /// A JSON document.
    Json,
}

/// Prints the explanation, or the list of all codes.
///
/// # Errors
/// When there is no such code or resource, the management cluster cannot be asked, or stdout cannot be written.
pub fn run(args: &ExplainArgs, env: &Env, ui: &mut Ui<'_>) -> Result<Exit, CliError> {
    match &args.subject {
        // No code has a slash, and every instance has one.
        Some(subject) if subject.contains('/') => return instance::run(subject, args, env, ui),
        Some(id) => {
            let code = find(id)?;
            if args.namespace.is_some() || args.output.is_some() {
                return Err(CliError::usage(format!(
                    "`--namespace` and `--output` are for instances, and {} is none",
                    code.id
                )));
            }
            write!(ui.out(), "{}", text(code))?;
        }
        None => {
            for code in codes::all() {
                writeln!(ui.out(), "{}  {:<7}  {}", code.id, severity_name(code.severity), code.title)?;
            }
        }
    }
    Ok(Exit::Fine)
}

/// All codes as a page, the text of `docs/diagnostics.md`.
#[must_use]
pub fn page() -> String {
    let mut text = String::from(
        "# Diagnostics\n\n\
         <!-- Made by `CARRIER_UPDATE=1 cargo test --test it`; the source is src/model/codes. -->\n\n\
         Everything carrier says about a repository has a code. The code of a diagnostic never changes and is never\n\
         used again for something else. `carrier explain CODE` prints a section of this page.\n\n\
         | Code | Severity | What is wrong |\n|---|---|---|\n",
    );
    for code in codes::all() {
        let (id, anchor) = (code.id, code.id.to_lowercase());
        // Writing to a String cannot fail, here and below.
        let _ = writeln!(text, "| [{id}](#{anchor}) | {} | {} |", severity_name(code.severity), code.title);
    }
    for code in codes::all() {
        let _ = write!(text, "\n## {}\n\n**{}** ({})\n\n", code.id, code.title, severity_name(code.severity));
        let _ = writeln!(text, "{}", code.explanation.trim());
    }
    text
}

fn text(code: &Code) -> String {
    format!("{}: {} ({})\n\n{}\n", code.id, code.title, severity_name(code.severity), code.explanation.trim())
}

/// Finds a code: in any letter case, with or without `CAR` and leading zeros.
fn find(id: &str) -> Result<&'static Code, CliError> {
    let digits = id.trim().trim_start_matches(|c: char| c.is_ascii_alphabetic());
    let full = digits.parse::<u16>().map_or_else(|_| id.to_owned(), |number| format!("CAR{number:04}"));
    codes::find(&full).ok_or_else(|| {
        CliError::usage(format!("there is no diagnostic `{id}`"))
            .hint("`carrier explain --list` lists the codes of this version")
            .hint("an instance is written RESOURCE.GROUP/NAME, such as redis.eu-west-1.team-a/example")
    })
}
