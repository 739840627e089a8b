//! Comments that suppress a diagnostic: `# carrier: ignore[CAR0107] reason`
//! (`cli.md` §4.2 rule 5).
//!
//! Only warnings and infos can be suppressed. A comment that suppresses nothing is a
//! warning, so that obsolete comments are removed.

use std::collections::BTreeMap;

use crate::model::codes::{self, Code, yaml};
use crate::model::diagnostic::{Diagnostic, Diagnostics, Severity};
use crate::model::nearest::nearest;
use crate::model::source::{FileId, Span};

/// A `# carrier: ignore[…]` comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suppression {
    /// The codes that it suppresses.
    pub codes: Vec<&'static Code>,
    /// The text that it applies to: its own line, or, if the comment is alone on its
    /// line, the next line that is neither empty nor a comment.
    pub covers: Span,
    /// The comment itself, from `#`.
    pub span: Span,
    /// The text after the brackets; may be empty.
    pub reason: String,
}

/// Parses a comment; `None` if it does not begin with `carrier:` or is not valid. `text` is the
/// whole file, `span` the comment in it, `comment` its text after `#`.
pub(super) fn comment(text: &str, span: Span, comment: &str, diagnostics: &mut Diagnostics) -> Option<Suppression> {
    let rest = comment.trim_start().strip_prefix("carrier:")?.trim_start();
    let inner = rest.strip_prefix("ignore").map(str::trim_start).and_then(|r| r.strip_prefix('['));
    let Some((list, reason)) = inner.and_then(|r| r.split_once(']')) else {
        let message = "this comment suppresses nothing: it lists no codes";
        let help = "write `# carrier: ignore[CAR0107] reason`, with the code of the diagnostic";
        diagnostics.push(Diagnostic::new(&yaml::MALFORMED_SUPPRESSION, span, message).help(help));
        return None;
    };
    let mut found = Vec::new();
    for id in list.split(',').map(str::trim) {
        match codes::find(id) {
            Some(code) => found.push(code),
            None => {
                let message = format!("there is no diagnostic `{id}`");
                // Codes of the same length differ in a digit, which does not make one similar to another.
                let near = nearest(id, codes::all().map(|code| code.id)).filter(|near| near.len() != id.len());
                let diagnostic = Diagnostic::new(&yaml::MALFORMED_SUPPRESSION, span, message);
                diagnostics.push(match near {
                    Some(near) => diagnostic.did_you_mean(near),
                    None => diagnostic.help("use the code of the diagnostic to suppress"),
                });
                return None;
            }
        }
    }
    let reason = reason.trim().to_owned();
    Some(Suppression { codes: found, covers: covered(text, span), span, reason })
}

fn covered(text: &str, span: Span) -> Span {
    let at = (span.start as usize).min(text.len());
    let line_start = text[..at].rfind('\n').map_or(0, |i| i + 1);
    if !text[line_start..at].trim_matches(['\u{feff}', ' ', '\t']).is_empty() {
        return Span::new(span.file, line_start, span.end as usize);
    }
    let mut start = text[at..].find('\n').map_or(text.len(), |i| at + i + 1);
    loop {
        let end = text[start..].find('\n').map_or(text.len(), |i| start + i);
        let line = text[start..end].trim();
        if end == text.len() || !(line.is_empty() || line.starts_with('#')) {
            return Span::new(span.file, start, end);
        }
        start = end + 1;
    }
}

/// Removes the diagnostics that a comment suppresses, and adds a warning for every code
/// in a comment that suppresses nothing. Call it once, with the diagnostics of all
/// stages: a comment can apply to any of them.
#[must_use]
pub fn apply_suppressions(diagnostics: Diagnostics, suppressions: &[Suppression]) -> Diagnostics {
    let mut used: Vec<Vec<bool>> = suppressions.iter().map(|s| vec![false; s.codes.len()]).collect();
    let mut is_error: Vec<bool> = vec![false; suppressions.len()];
    // Each covers a line from its start, so all that cover a place have the same start.
    let mut by_line: BTreeMap<(FileId, u32), Vec<usize>> = BTreeMap::new();
    for (i, suppression) in suppressions.iter().enumerate() {
        by_line.entry((suppression.covers.file, suppression.covers.start)).or_default().push(i);
    }
    let covering = |span: Span| {
        let line = by_line.range(..=(span.file, span.start)).next_back();
        let of_file = line.filter(|((file, _), _)| *file == span.file).map(|(_, list)| list.as_slice());
        of_file.unwrap_or_default().iter().copied().filter(move |i| span.start <= suppressions[*i].covers.end)
    };
    let mut kept = Diagnostics::default();
    for diagnostic in diagnostics.into_sorted() {
        let mut suppressed = false;
        for i in diagnostic.primary.iter().flat_map(|primary| covering(primary.span)) {
            let Some(code) = suppressions[i].codes.iter().position(|c| c.id == diagnostic.code.id) else { continue };
            if diagnostic.severity == Severity::Error {
                is_error[i] = true;
            } else {
                suppressed = true;
                used[i][code] = true;
            }
        }
        if !suppressed {
            kept.push(diagnostic);
        }
    }
    for ((suppression, used), is_error) in suppressions.iter().zip(used).zip(is_error) {
        for (code, _) in suppression.codes.iter().zip(used).filter(|(_, used)| !used) {
            let message = format!("this comment suppresses no {}", code.id);
            let help = if suppression.codes.len() == 1 { "remove the comment" } else { "remove the code from it" };
            let mut warning = Diagnostic::new(&yaml::UNUSED_SUPPRESSION, suppression.span, message).help(help);
            if is_error {
                warning = warning.note("errors cannot be suppressed");
            }
            kept.push(warning);
        }
    }
    kept
}
