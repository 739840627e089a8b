//! Messages for the syntax errors of the parser, with a way to fix each.
//!
//! The parser's own messages use terms of its grammar; these use quotes, brackets and
//! indentation. No message quotes the text, which may be a secret: the renderer
//! decides whether to show the line.

use granit_parser::{ErrorKind, ScanError};

use crate::model::codes::yaml as codes;
use crate::model::diagnostic::Diagnostic;
use crate::model::source::{FileId, Span};

/// The diagnostic for a syntax error at byte `at` of `text`. `open` is the offset of the
/// innermost open bracket there.
pub(super) fn diagnostic(file: FileId, text: &str, at: usize, error: &ScanError, open: Option<usize>) -> Diagnostic {
    // The parser's offset can be after the end of the text or inside a character.
    let at = floor(text, at);
    let open = open.map(|open| one_character(text, floor(text, open)));
    let line = Line::of(text, at);
    let one = one_character(text, at);
    let report = |(start, end): (usize, usize), message: &str, help: &str| {
        Diagnostic::new(&codes::SYNTAX, Span::new(file, start, end), message).help(help)
    };
    match error.kind() {
        ErrorKind::DirectiveDisallowed => {
            report(line.words(), "kubectl does not support `%` directives", "remove the line")
        }
        ErrorKind::TabNotAllowed
        | ErrorKind::TabInBlockIndentation
        | ErrorKind::TabInIndentation
        | ErrorKind::TabAtBlockScalarStart => {
            report(line.indent(one), "this line is indented with a tab", "indent with spaces")
        }
        ErrorKind::MappingValueNotAllowed | ErrorKind::SimpleKeyExpected | ErrorKind::InvalidSimpleKey => {
            if open.is_some() {
                return unclosed(file, one, open);
            }
            if line.has_value_before(at) {
                let help = "quote the value";
                return report(one, "a second `: ` on this line", help);
            }
            report(line.words(), INDENTATION, INDENT)
        }
        ErrorKind::ExpectedBlockMappingKey
        | ErrorKind::ExpectedBlockSequenceEntry
        | ErrorKind::InvalidIndentation
        | ErrorKind::BlockSequenceEntryNotAllowed
        | ErrorKind::ExpectedDocumentStart
        | ErrorKind::InvalidFlowScalarIndent
        | ErrorKind::InvalidQuotedScalarIndent
        | ErrorKind::InvalidBlockScalarIndent => report(line.words(), INDENTATION, INDENT),
        ErrorKind::UnclosedQuotedScalar => {
            let quote =
                text.get(at..).and_then(|t| t.chars().next()).filter(|c| matches!(c, '"' | '\'')).unwrap_or('"');
            report(one, "this quote is not closed", &format!("add `{quote}` at the end of the value"))
        }
        ErrorKind::InvalidTrailingDoubleQuotedScalar | ErrorKind::InvalidTrailingSingleQuotedScalar => {
            report(one, "text after the closing quote", "quote the whole value")
        }
        ErrorKind::UnknownQuotedScalarEscape => {
            report(one, "not a valid escape sequence", "write `\\\\` for a backslash, or use single quotes")
        }
        ErrorKind::UnclosedFlowCollection { .. }
        | ErrorKind::ExpectedFlowMappingSeparator
        | ErrorKind::ExpectedFlowSequenceSeparator
        | ErrorKind::UnexpectedEofFlowMapping
        | ErrorKind::UnexpectedEofFlowSequence
        | ErrorKind::UnexpectedEofImplicitFlowMapping => unclosed(file, one, open),
        ErrorKind::MismatchedFlowCollectionEnd { open, close } => {
            let help = format!("close it with `{}`", closing(*open));
            report(one, &format!("`{open}` is closed with `{close}`"), &help)
        }
        ErrorKind::MisplacedFlowCollectionEnd => {
            report(one, "a closing bracket without an opening bracket", "remove it, or quote the value")
        }
        ErrorKind::UnexpectedCharacter { character } if character.is_control() => {
            let message = format!("the character U+{:04X} is not allowed in YAML", u32::from(*character));
            report(one, &message, "remove it, or write it as an escape sequence in double quotes")
        }
        ErrorKind::UnexpectedCharacter { character } => {
            report(one, &format!("no value can begin with `{character}`"), "quote the value")
        }
        _ => report(one, &format!("not YAML: {}", error.info()), "quote the value if it is text"),
    }
}

const INDENTATION: &str = "the indentation of this line does not match the lines before it";
const INDENT: &str = "indent it like its neighbors, or quote a text of several lines";

fn unclosed(file: FileId, here: (usize, usize), open: Option<(usize, usize)>) -> Diagnostic {
    let help = "close the bracket, or separate its items with `,`";
    let here = Span::new(file, here.0, here.1);
    match open {
        Some((open, end)) if open != here.start as usize => {
            Diagnostic::new(&codes::SYNTAX, here, "a bracket is not closed before this")
                .label(Span::new(file, open, end), "opened here")
                .help(help)
        }
        _ => Diagnostic::new(&codes::SYNTAX, here, "this bracket is not closed").help(help),
    }
}

/// The start of the character at `at`; the end of the text if `at` is after it.
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

/// The range of the character at `at`; empty at the end of a line.
fn one_character(text: &str, at: usize) -> (usize, usize) {
    let length = text.get(at..).and_then(|t| t.chars().next()).filter(|c| *c != '\n' && *c != '\r');
    (at, at + length.map_or(0, char::len_utf8))
}

/// The line of an error.
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

    /// The range of the key of the line, or of all its words if it has no key.
    fn words(&self) -> (usize, usize) {
        let words = self.text.trim();
        let begin = self.start + (self.text.len() - self.text.trim_start().len());
        let end = words.find(": ").or_else(|| words.strip_suffix(':').map(str::len)).unwrap_or(words.len());
        (begin, begin + end)
    }

    /// The range of the indentation; `otherwise` if there is none.
    fn indent(&self, otherwise: (usize, usize)) -> (usize, usize) {
        match self.text.len() - self.text.trim_start().len() {
            0 => otherwise,
            width => (self.start, self.start + width),
        }
    }

    /// Whether the line has a `: ` before `at`.
    fn has_value_before(&self, at: usize) -> bool {
        self.text.get(..at.saturating_sub(self.start)).is_some_and(|before| before.contains(": "))
    }
}
