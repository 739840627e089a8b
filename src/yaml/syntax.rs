//! What the parser finds wrong with a text, in words that say how to mend it.
//!
//! The parser speaks of its grammar; whoever wrote the text thinks of quotes,
//! brackets and indentation. No word of the text is repeated here, since it may
//! be a secret: the renderer shows the line, or does not.

use granit_parser::{ErrorKind, ScanError};

use crate::model::codes::yaml as codes;
use crate::model::diagnostic::Diagnostic;
use crate::model::source::{FileId, Span};

/// The complaint about an error at byte `at` of `text`. `open` is the place of
/// the innermost bracket that is open there.
pub(super) fn complaint(file: FileId, text: &str, at: usize, error: &ScanError, open: Option<usize>) -> Diagnostic {
    // The parser may stand behind the end of the text, or, after what it could not read, inside a character.
    let at = floor(text, at);
    let open = open.map(|open| one_character(text, floor(text, open)));
    let line = Line::of(text, at);
    let one = one_character(text, at);
    let say = |(start, end): (usize, usize), message: &str, help: &str| {
        Diagnostic::new(&codes::SYNTAX, Span::new(file, start, end), message).help(help)
    };
    match error.kind() {
        ErrorKind::DirectiveDisallowed => say(line.words(), "kubectl reads no `%` directives", "remove the line"),
        ErrorKind::TabNotAllowed
        | ErrorKind::TabInBlockIndentation
        | ErrorKind::TabInIndentation
        | ErrorKind::TabAtBlockScalarStart => say(line.indent(one), "a tab indents this line", "indent with spaces"),
        ErrorKind::MappingValueNotAllowed | ErrorKind::SimpleKeyExpected | ErrorKind::InvalidSimpleKey => {
            if open.is_some() {
                return unclosed(file, one, open);
            }
            if line.has_value_before(at) {
                let help = "put the value in quotes: between them `: ` is text";
                return say(one, "a second `: ` on this line: a value cannot have a value", help);
            }
            say(line.words(), INDENTATION, INDENT)
        }
        ErrorKind::ExpectedBlockMappingKey
        | ErrorKind::ExpectedBlockSequenceEntry
        | ErrorKind::InvalidIndentation
        | ErrorKind::BlockSequenceEntryNotAllowed
        | ErrorKind::ExpectedDocumentStart
        | ErrorKind::InvalidFlowScalarIndent
        | ErrorKind::InvalidQuotedScalarIndent
        | ErrorKind::InvalidBlockScalarIndent => say(line.words(), INDENTATION, INDENT),
        ErrorKind::UnclosedQuotedScalar => {
            let quote =
                text.get(at..).and_then(|t| t.chars().next()).filter(|c| matches!(c, '"' | '\'')).unwrap_or('"');
            say(one, "this quote is never closed", &format!("add `{quote}` at the end of the value"))
        }
        ErrorKind::InvalidTrailingDoubleQuotedScalar | ErrorKind::InvalidTrailingSingleQuotedScalar => {
            say(one, "text behind the closing quote", "put the whole value in one pair of quotes")
        }
        ErrorKind::UnknownQuotedScalarEscape => say(
            one,
            "between double quotes `\\` begins an escape, and this is none",
            "write `\\\\` for a backslash, or use single quotes",
        ),
        ErrorKind::UnclosedFlowCollection { .. }
        | ErrorKind::ExpectedFlowMappingSeparator
        | ErrorKind::ExpectedFlowSequenceSeparator
        | ErrorKind::UnexpectedEofFlowMapping
        | ErrorKind::UnexpectedEofFlowSequence
        | ErrorKind::UnexpectedEofImplicitFlowMapping => unclosed(file, one, open),
        ErrorKind::MismatchedFlowCollectionEnd { open, close } => {
            let help = format!("close it with `{}`", closing(*open));
            say(one, &format!("`{open}` is closed with `{close}`"), &help)
        }
        ErrorKind::MisplacedFlowCollectionEnd => {
            say(one, "a closing bracket, and none is open", "remove it, or put the value in quotes")
        }
        ErrorKind::UnexpectedCharacter { character } if character.is_control() => {
            let message = format!("the character U+{:04X} cannot stand in YAML", u32::from(*character));
            say(one, &message, "remove it, or write it as an escape between double quotes")
        }
        ErrorKind::UnexpectedCharacter { character } => {
            say(one, &format!("no value can begin with `{character}`"), "put the value in quotes")
        }
        _ => say(one, &format!("not YAML: {}", error.info()), "put the value in quotes if it is a text"),
    }
}

const INDENTATION: &str = "this line is indented differently from the lines that it belongs to";
const INDENT: &str = "indent it like its neighbours, or put quotes around a text of several lines";

fn unclosed(file: FileId, here: (usize, usize), open: Option<(usize, usize)>) -> Diagnostic {
    let help = "close the bracket, or put `,` between its items";
    let here = Span::new(file, here.0, here.1);
    match open {
        Some((open, end)) if open != here.start as usize => {
            Diagnostic::new(&codes::SYNTAX, here, "a bracket is not closed before this")
                .label(Span::new(file, open, end), "opened here")
                .help(help)
        }
        _ => Diagnostic::new(&codes::SYNTAX, here, "this bracket is never closed").help(help),
    }
}

/// The nearest beginning of a character at or before `at`, at most the end of the text.
fn floor(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

fn closing(open: char) -> char {
    if open == '{' { '}' } else { ']' }
}

/// The character at `at`, or nothing at the end of a line.
fn one_character(text: &str, at: usize) -> (usize, usize) {
    let length = text.get(at..).and_then(|t| t.chars().next()).filter(|c| *c != '\n' && *c != '\r');
    (at, at + length.map_or(0, char::len_utf8))
}

/// The line that an error is on.
struct Line<'t> {
    start: usize,
    text: &'t str,
}

impl<'t> Line<'t> {
    fn of(text: &'t str, at: usize) -> Self {
        let before = text.get(..at).unwrap_or("");
        let start = before.rfind('\n').map_or(0, |i| i + 1);
        let rest = text.get(start..).unwrap_or("");
        Self { start, text: rest.lines().next().unwrap_or("") }
    }

    /// From the first to the last word, or to a `:` if one ends the first.
    fn words(&self) -> (usize, usize) {
        let words = self.text.trim();
        let begin = self.start + (self.text.len() - self.text.trim_start().len());
        let end = words.find(": ").or_else(|| words.strip_suffix(':').map(str::len)).unwrap_or(words.len());
        (begin, begin + end)
    }

    /// The tabs and spaces before the first word; `otherwise` where there are none.
    fn indent(&self, otherwise: (usize, usize)) -> (usize, usize) {
        match self.text.len() - self.text.trim_start().len() {
            0 => otherwise,
            width => (self.start, self.start + width),
        }
    }

    /// Whether a `: ` stands on the line before `at`.
    fn has_value_before(&self, at: usize) -> bool {
        self.text.get(..at.saturating_sub(self.start)).is_some_and(|before| before.contains(": "))
    }
}
