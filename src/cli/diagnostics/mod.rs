//! Output of diagnostics: four renderers of one model.
//!
//! Text goes to stderr beside the data; JSON, SARIF and annotations are the
//! data and go to stdout. A renderer neither sorts nor drops: it shows what it
//! is given, as `Diagnostics::into_sorted` left it.

pub mod github;
pub mod json;
pub(crate) mod place;
pub mod sarif;
pub(crate) mod snippet;
pub mod text;

use std::path::PathBuf;

use crate::model::diagnostic::{Diagnostic, Severity};
use crate::model::redact::redact;
use crate::model::source::Sources;
use crate::plan::words::count;

use super::error::CliError;
use super::ui::{Ui, Verbosity};

/// How diagnostics are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// For people, on stderr.
    #[default]
    Text,
    /// A JSON document on stdout.
    Json,
    /// SARIF 2.1.0 on stdout, for code scanning.
    Sarif,
    /// Annotations of GitHub Actions on stdout.
    Github,
}

/// Outputs besides the two streams, and the names of files there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Destination {
    /// The repository's folder below the Git work tree, with a final `/`, or
    /// empty. SARIF and annotations name files from the work tree's root.
    pub prefix: String,
    /// The file that GitHub Actions shows as the summary of a step.
    pub step_summary: Option<PathBuf>,
}

/// The number of diagnostics of each severity, and of files.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Summary {
    /// Diagnostics of severity error.
    pub error: usize,
    /// Diagnostics of severity warning.
    pub warning: usize,
    /// Diagnostics of severity info.
    pub info: usize,
    /// Files that were read, with or without a diagnostic.
    pub files: usize,
}

impl Summary {
    /// Counts.
    #[must_use]
    pub fn of(list: &[Diagnostic], sources: &Sources) -> Self {
        let number = |severity| list.iter().filter(|d| d.severity == severity).count();
        Self {
            error: number(Severity::Error),
            warning: number(Severity::Warning),
            info: number(Severity::Info),
            files: sources.len(),
        }
    }

    /// "2 errors, 1 warning in 14 files".
    #[must_use]
    pub fn sentence(&self) -> String {
        let mut parts = Vec::new();
        for (n, one) in [(self.error, "error"), (self.warning, "warning"), (self.info, "note")] {
            if n > 0 {
                parts.push(count(n, one));
            }
        }
        let what = if parts.is_empty() { "no problems".to_owned() } else { parts.join(", ") };
        format!("{what} in {}", count(self.files, "file"))
    }
}

/// Writes `list` to the stream that its format belongs to.
///
/// # Errors
/// When a stream or the step summary cannot be written.
pub(crate) fn report(
    ui: &mut Ui<'_>,
    format: Format,
    list: &[Diagnostic],
    sources: &Sources,
    destination: &Destination,
) -> Result<(), CliError> {
    // All diagnostics leave the program here, so credentials are redacted here.
    let list = &redact(list, sources)[..];
    match format {
        Format::Text => {
            let suggestions = ui.suggestions.clone();
            let options = text::Options { width: ui.width, color: ui.err_color, suggestions: &suggestions };
            let quiet = ui.verbosity == Verbosity::Quiet;
            let shown: Vec<_> = list.iter().filter(|d| !quiet || d.severity != Severity::Info).cloned().collect();
            text::write(ui.err(), &shown, sources, options)?;
            if ui.verbosity > Verbosity::Quiet {
                text::write_summary(ui.err(), list, sources, options)?;
            }
        }
        Format::Json => json::write(ui.out(), list, sources)?,
        Format::Sarif => sarif::write(ui.out(), list, sources, &destination.prefix)?,
        Format::Github => {
            github::write(ui.out(), list, sources, &destination.prefix)?;
            if let Some(path) = &destination.step_summary {
                github::append_summary(path, list, sources).map_err(|e| CliError::file("write", path, &e))?;
            }
        }
    }
    Ok(())
}

/// The name of a severity in machine-readable output.
pub(super) fn severity_name(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "info",
    }
}

/// Whether the source text must not be shown: every code about secrets points
/// at one. Other diagnostics may have single sensitive places, which the snippet hides.
fn hides_source(diagnostic: &Diagnostic) -> bool {
    diagnostic.code.id.starts_with("CAR08")
}
