//! The two output streams: stdout for data, stderr for messages.
//!
//! Commands do not print; they write to the [`Ui`] they are given, so that a test reads what a user would see.
//! Whether to colour is decided here, once for each stream.

use std::fmt;
use std::io::{self, IsTerminal as _, Write};

use anstream::{AutoStream, ColorChoice};
use anstyle::Style;

use super::style::{ADVICE, ERROR, WARNING};
use super::suggest::Suggestions;
use crate::model::plain;

/// How much is shown on stderr.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verbosity {
    /// `-q`: errors and diagnostics only.
    Quiet,
    /// Also what was done and what comes next.
    #[default]
    Normal,
    /// `-v`: also details.
    Verbose,
}

/// Columns. The same on every terminal and in CI, so that output can be compared and quoted.
const WIDTH: usize = 100;

/// The output of a command.
pub struct Ui<'a> {
    out: Box<dyn Write + 'a>,
    err: Box<dyn Write + 'a>,
    /// Whether data on stdout may be coloured.
    pub out_color: bool,
    /// Whether messages on stderr may be coloured.
    pub err_color: bool,
    /// Columns at which a line of source is cut.
    pub width: usize,
    /// How much is shown on stderr.
    pub verbosity: Verbosity,
    /// What suggested commands have in common.
    pub suggestions: Suggestions,
}

impl fmt::Debug for Ui<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ui").field("width", &self.width).field("verbosity", &self.verbosity).finish_non_exhaustive()
    }
}

impl<'a> Ui<'a> {
    /// Output to two writers, without colour. For tests.
    pub fn new(out: impl Write + 'a, err: impl Write + 'a) -> Self {
        Self {
            out: Box::new(out),
            err: Box::new(err),
            out_color: false,
            err_color: false,
            width: WIDTH,
            verbosity: Verbosity::default(),
            suggestions: Suggestions::of("carrier"),
        }
    }

    /// Output to the streams of the process. Colour follows `choice`; `Auto` means: on a terminal that is not
    /// dumb, unless `NO_COLOR` is set, or anywhere if `CLICOLOR_FORCE` is set to something other than `0`.
    #[must_use]
    pub fn of_process(choice: ColorChoice) -> Ui<'static> {
        // anstream takes `CLICOLOR_FORCE=0` for a yes.
        let unforced = super::env::clicolor_force_is_off();
        let colored = |auto: ColorChoice, terminal: bool| match choice {
            ColorChoice::Auto => auto != ColorChoice::Never && (terminal || !unforced),
            fixed => fixed != ColorChoice::Never,
        };
        Ui {
            out_color: colored(AutoStream::choice(&io::stdout()), io::stdout().is_terminal()),
            err_color: colored(AutoStream::choice(&io::stderr()), io::stderr().is_terminal()),
            // Rust's stdout flushes at every newline: slow for megabytes of manifests.
            out: Box::new(io::BufWriter::with_capacity(64 * 1024, io::stdout())),
            err: Box::new(io::LineWriter::new(Talk(io::stderr()))),
            width: WIDTH,
            verbosity: Verbosity::default(),
            suggestions: Suggestions::of("carrier"),
        }
    }

    /// The stream of data.
    pub fn out(&mut self) -> &mut dyn Write {
        &mut self.out
    }

    /// Writes a line of data for people to stdout, and never more than one: names and words of servers in it are escaped.
    pub fn put(&mut self, text: impl fmt::Display) -> io::Result<()> {
        writeln!(self.out, "{}", plain::line(&text.to_string()))
    }

    /// The stream of messages, for diagnostics and errors: they do not depend on the verbosity.
    pub fn err(&mut self) -> &mut dyn Write {
        &mut self.err
    }

    /// Writes a line to stderr; not with `-q`.
    pub fn say(&mut self, text: impl fmt::Display) -> io::Result<()> {
        if self.verbosity >= Verbosity::Normal { self.talk(Style::new(), "", text) } else { Ok(()) }
    }

    /// Writes a line to stderr; only with `-v`.
    pub fn detail(&mut self, text: impl fmt::Display) -> io::Result<()> {
        if self.verbosity >= Verbosity::Verbose { self.talk(Style::new(), "", text) } else { Ok(()) }
    }

    /// Suggests the next command, given without the name of the program and the flags of clusters; not with `-q`.
    pub fn next(&mut self, command: &str, why: &str) -> io::Result<()> {
        if self.verbosity < Verbosity::Normal {
            return Ok(());
        }
        let command = self.suggestions.command(command);
        self.talk(ADVICE, "next: ", format_args!("run `{command}` {why}"))
    }

    /// Writes a warning, whatever the verbosity.
    pub fn warn(&mut self, text: impl fmt::Display) -> io::Result<()> {
        self.talk(WARNING, "warning: ", text)
    }

    /// Writes an error with its hints, whatever the verbosity. Commands in hints are completed.
    pub fn error(&mut self, error: &super::error::CliError) -> io::Result<()> {
        self.talk(ERROR, "error: ", &error.message)?;
        for line in &error.lines {
            self.talk(Style::new(), "- ", line)?;
        }
        for hint in &error.hints {
            self.talk(ADVICE, "  help: ", self.suggestions.complete(hint))?;
        }
        Ok(())
    }

    /// Flushes both streams.
    pub fn flush(&mut self) -> io::Result<()> {
        self.out.flush()?;
        self.err.flush()
    }

    /// Writes a line to stderr with a word in front, and never more than one: the text may quote files and servers, so
    /// line breaks and control characters are shown instead of sent to the terminal.
    fn talk(&mut self, style: Style, word: &str, text: impl fmt::Display) -> io::Result<()> {
        let style = if self.err_color { style } else { Style::new() };
        let (word, space) = word.split_at(word.trim_end().len());
        let text = text.to_string();
        writeln!(self.err, "{style}{word}{style:#}{space}{}", plain::line(&text))
    }
}

/// stderr that ignores a closed pipe: a command whose reader has gone does the same work, with the same exit
/// status.
struct Talk<W>(W);

impl<W: Write> Write for Talk<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.0.write(bytes) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(bytes.len()),
            written => written,
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self.0.flush() {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            flushed => flushed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::error::CliError;

    fn talk(verbosity: Verbosity) -> String {
        let mut err = Vec::new();
        let mut ui = Ui::new(Vec::new(), &mut err);
        ui.verbosity = verbosity;
        ui.say("did it").unwrap();
        ui.detail("like so").unwrap();
        ui.next("check", "to look").unwrap();
        ui.error(&CliError::usage("no").hint("yes")).unwrap();
        drop(ui);
        String::from_utf8(err).unwrap()
    }

    #[test]
    fn nothing_that_is_said_moves_the_terminal() {
        let mut err = Vec::new();
        let mut ui = Ui::new(Vec::new(), &mut err);
        ui.err_color = true;
        ui.warn("a\u{1b}[2Jb was edited").unwrap();
        ui.error(&CliError::usage("no `\u{9b}2J`\n::error::x").line("a\r\nb").hint("\u{202e}yes\n\n")).unwrap();
        ui.say("::set-output name=a::b").unwrap();
        drop(ui);
        let text = String::from_utf8(err).unwrap();
        assert_eq!(text.lines().count(), 5, "each is one line: {text:?}");
        assert!(!text.lines().any(|line| line.trim_start().starts_with("::")), "{text:?}");
        assert!(text.contains("a␛[2Jb was edited") && !text.contains(['\u{9b}', '\u{202e}']), "{text:?}");
        assert!(text.starts_with("\u{1b}["), "its own colours stay");
    }

    #[test]
    fn quiet_keeps_errors_only() {
        assert_eq!(talk(Verbosity::Quiet), "error: no\n  help: yes\n");
        assert_eq!(talk(Verbosity::Normal), "did it\nnext: run `carrier check` to look\nerror: no\n  help: yes\n");
        assert!(talk(Verbosity::Verbose).contains("like so"));
    }
}
