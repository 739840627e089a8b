//! Diagnostics as annotations of GitHub Actions.
//!
//! A step shows at most ten annotations of each kind, silently. So nine are
//! written, the tenth says how many more there are, and all of them go to the
//! step's summary, worst first.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::path::Path;

use super::Summary;
use super::place::Places;
use crate::model::diagnostic::{Diagnostic, Severity};
use crate::model::markdown::{cell, code, sentence};
use crate::model::plain;
use crate::model::source::Sources;

/// Annotations of a kind before the one that says how many more there are.
const SHOWN: usize = 9;
/// GitHub refuses a summary above 1 MiB; a step may have written some of it already.
const SUMMARY_BYTES: usize = 900_000;
/// From worst to mildest, with GitHub's word for it.
const KINDS: [(Severity, &str); 3] =
    [(Severity::Error, "error"), (Severity::Warning, "warning"), (Severity::Info, "notice")];

/// Writes the annotations; `prefix` goes before every path.
///
/// # Errors
/// When `out` cannot be written.
pub fn write(out: &mut dyn Write, list: &[Diagnostic], sources: &Sources, prefix: &str) -> io::Result<()> {
    let places = Places::new(sources);
    for (severity, kind) in KINDS {
        let of_kind: Vec<_> = list.iter().filter(|d| d.severity == severity).collect();
        // Ten fit; the tenth says how many more there are, if there are more.
        let shown = if of_kind.len() <= SHOWN + 1 { of_kind.len() } else { SHOWN };
        for diagnostic in &of_kind[..shown] {
            writeln!(
                out,
                "::{kind} {}::{}",
                properties(diagnostic, &places, prefix),
                data(&message(diagnostic, &places))
            )?;
        }
        let rest = of_kind.len() - shown;
        if rest > 0 {
            writeln!(out, "::{kind} title=carrier::{rest} more of this kind; the summary of the step lists them all")?;
        }
    }
    Ok(())
}

/// Appends the whole list to the step's summary, as Markdown.
///
/// # Errors
/// When the file cannot be written.
pub fn append_summary(path: &Path, list: &[Diagnostic], sources: &Sources) -> io::Result<()> {
    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(path)?;
    file.write_all(markdown(list, sources).as_bytes())
}

/// The list as Markdown, worst first.
#[must_use]
pub fn markdown(list: &[Diagnostic], sources: &Sources) -> String {
    let places = Places::new(sources);
    let mut text = format!("### carrier: {}\n\n", Summary::of(list, sources).sentence());
    if list.is_empty() {
        return text;
    }
    text.push_str("| | Code | Place | What is wrong | How to fix it |\n|---|---|---|---|---|\n");
    let mut left = list.len();
    for (severity, kind) in KINDS {
        for diagnostic in list.iter().filter(|d| d.severity == severity) {
            let place =
                diagnostic.primary.as_ref().map_or_else(String::new, |label| match places.in_object(label.span) {
                    Some((object, pointer)) => cell(&code(format!("{object} {pointer}").trim_end())),
                    None => cell(&code(&format!("{}:{}", places.sources().path(label.span), places.start(label.span)))),
                });
            let mut row = String::new();
            // Writing to a String cannot fail.
            let _ = writeln!(
                row,
                "| {kind} | {} | {place} | {} | {} |",
                diagnostic.code.id,
                cell(&sentence(&diagnostic.message)),
                cell(&diagnostic.help.iter().map(|help| sentence(help)).collect::<Vec<_>>().join(" "))
            );
            if text.len() + row.len() > SUMMARY_BYTES {
                let _ = writeln!(text, "\n{left} more do not fit here.");
                return text;
            }
            text.push_str(&row);
            left -= 1;
        }
    }
    text.push('\n');
    text
}

fn properties(diagnostic: &Diagnostic, places: &Places<'_>, prefix: &str) -> String {
    let mut text = String::new();
    if let Some(label) = diagnostic.primary.as_ref().filter(|label| places.in_object(label.span).is_none()) {
        let (start, end) = (places.start(label.span), places.end(label.span));
        let file = property(&format!("{prefix}{}", places.sources().path(label.span)));
        let _ = write!(text, "file={file},line={},endLine={},col={}", start.line, end.line, start.column);
        // GitHub takes columns for spans within one line only.
        if start.line == end.line && end.column > start.column {
            let _ = write!(text, ",endColumn={}", end.column);
        }
        text.push(',');
    }
    let _ = write!(text, "title={}", property(&format!("{}: {}", diagnostic.code.id, diagnostic.code.title)));
    text
}

fn message(diagnostic: &Diagnostic, places: &Places<'_>) -> String {
    let mut text = plain::line(&diagnostic.message).into_owned();
    if let Some((object, pointer)) = diagnostic.primary.as_ref().and_then(|label| places.in_object(label.span)) {
        let _ = write!(text, "\nat: {}", plain::line(format!("{object} {pointer}").trim_end()));
    }
    for (name, lines) in [("note", &diagnostic.notes), ("help", &diagnostic.help)] {
        for line in lines {
            let _ = write!(text, "\n{name}: {}", plain::lines(line));
        }
    }
    text
}

/// Escapes the message of a workflow command.
fn data(text: &str) -> String {
    plain::lines(text).replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Escapes a property of a workflow command, where `:` and `,` have a meaning too.
fn property(text: &str) -> String {
    data(&plain::line(text)).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_cannot_end_the_command() {
        assert_eq!(data("50%\n::error::x"), "50%25%0A::error::x");
        assert_eq!(property("a:b,c%\nd"), "a%3Ab%2Cc%25␊d");
    }
}
