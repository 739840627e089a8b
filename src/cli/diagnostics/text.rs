//! Diagnostics for people: the code, the message, the offending text
//! underlined, and how to fix it.
//!
//! miette draws the excerpts; what stands above and below them is laid out
//! here, in one line each, so that it can be searched and copied. The output
//! depends on the input alone: no terminal width, no hyperlinks.

use std::fmt::{self, Write as _};
use std::io::{self, Write};

use anstyle::Style;
use miette::{GraphicalReportHandler, GraphicalTheme};

use super::place::Places;
use super::snippet::Snippet;
use super::{Summary, hides_source};
use crate::cli::style::{ADVICE, ERROR, WARNING};
use crate::cli::suggest::Suggestions;
use crate::model::diagnostic::{Diagnostic, Severity};
use crate::model::plain;
use crate::model::source::Sources;

/// The look of the text.
#[derive(Debug, Clone, Copy)]
pub struct Options<'a> {
    /// Columns at which a line of source is cut.
    pub width: usize,
    /// Whether to colour.
    pub color: bool,
    /// What suggested commands have in common.
    pub suggestions: &'a Suggestions,
}

/// Writes all of them, each followed by an empty line.
///
/// # Errors
/// When `out` cannot be written.
pub fn write(out: &mut dyn Write, list: &[Diagnostic], sources: &Sources, options: Options<'_>) -> io::Result<()> {
    let places = Places::new(sources);
    for diagnostic in list {
        out.write_all(one(diagnostic, &places, options).as_bytes())?;
        writeln!(out)?;
    }
    Ok(())
}

/// Writes the line with the totals, and where to read more.
///
/// # Errors
/// When `out` cannot be written.
pub fn write_summary(
    out: &mut dyn Write,
    list: &[Diagnostic],
    sources: &Sources,
    options: Options<'_>,
) -> io::Result<()> {
    let summary = Summary::of(list, sources);
    write!(out, "{}", summary.sentence())?;
    if let Some(worst) = list.iter().min_by_key(|d| d.severity) {
        let style = paint(ADVICE, options.color);
        write!(out, "; to read more, run {style}{} explain {}{style:#}", options.suggestions.program, worst.code.id)?;
    }
    writeln!(out)
}

/// One diagnostic, with a final line break.
fn one(diagnostic: &Diagnostic, places: &Places<'_>, options: Options<'_>) -> String {
    let labels = || diagnostic.primary.iter().chain(&diagnostic.labels);
    // An API object has no lines to show.
    let in_files = labels().filter(|label| places.in_object(label.span).is_none());
    let snippet = Snippet::new(places, in_files, options.width, hides_source(diagnostic));
    let has_place = snippet.has_lines();
    let shown = Shown { message: plain::line(&diagnostic.message).into_owned(), snippet: has_place.then_some(snippet) };
    let mut text = String::new();
    // miette fails only where a `SourceCode` refuses a label, and then says so in the text.
    let _ = handler(diagnostic, options).render_report(&mut text, &shown);
    let mut text = text.strip_prefix("  ").map_or(text.clone(), str::to_owned);
    if !text.ends_with('\n') {
        text.push('\n');
    }
    let style = paint(ADVICE, options.color);
    let mut footer = |name: &str, body: &str| {
        for (i, line) in plain::lines(body).lines().enumerate() {
            let head = if i == 0 { format!("{style}{name}:{style:#}") } else { " ".repeat(name.len() + 1) };
            // Writing to a String cannot fail.
            let _ = writeln!(text, "  {head} {line}");
        }
    };
    for label in labels() {
        let Some((object, pointer)) = places.in_object(label.span) else { continue };
        let at = format!("{} {}", plain::line(object), plain::line(&pointer));
        let words = if label.text.is_empty() { String::new() } else { format!(": {}", plain::line(&label.text)) };
        footer("at", &format!("{}{words}", at.trim_end()));
    }
    for note in &diagnostic.notes {
        footer("note", note);
    }
    for help in &diagnostic.help {
        footer("help", &options.suggestions.complete(help));
    }
    let is_placed = diagnostic.primary.as_ref().is_some_and(|label| places.in_object(label.span).is_some());
    if let Some(object) = diagnostic.object.as_ref().filter(|_| !is_placed) {
        let path = diagnostic.path.as_deref().filter(|p| !p.is_empty());
        let at = path.map(|p| format!(" at {}", plain::line(p))).unwrap_or_default();
        footer("object", &format!("{}{at}", plain::line(object)));
    }
    text
}

/// miette, configured to be the same everywhere, with `error[CAR0203]:` for its icon.
fn handler(diagnostic: &Diagnostic, options: Options<'_>) -> GraphicalReportHandler {
    let mut theme = if options.color { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
    let (name, style) = match diagnostic.severity {
        Severity::Error => ("error", ERROR),
        Severity::Warning => ("warning", WARNING),
        Severity::Info => ("note", ADVICE),
    };
    let style = paint(style, options.color);
    // The icon is printed as it is given, also with line breaks or colour in it.
    let icon = format!("{style}{name}[{}]:{style:#}", diagnostic.code.id);
    theme.characters.error.clone_from(&icon);
    GraphicalReportHandler::new_themed(theme)
        .with_width(options.width)
        .with_links(false)
        .with_wrap_lines(false)
        .with_context_lines(1)
        .without_cause_chain()
        .without_syntax_highlighting()
}

fn paint(style: Style, color: bool) -> Style {
    if color { style } else { Style::new() }
}

/// A diagnostic as miette takes it: the sentence and the excerpts.
#[derive(Debug)]
struct Shown {
    message: String,
    snippet: Option<Snippet>,
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Shown {}

impl miette::Diagnostic for Shown {
    fn source_code(&self) -> Option<&dyn miette::SourceCode> {
        self.snippet.as_ref().map(|s| s as &dyn miette::SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = miette::LabeledSpan> + '_>> {
        self.snippet.as_ref().map(|s| Box::new(s.labels()) as Box<dyn Iterator<Item = _>>)
    }
}
