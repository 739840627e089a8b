//! The two streams of a command: stdout is data, stderr is talk.
//!
//! Commands never print; they write to the [`Ui`] they are given, so that a
//! test reads what a user would see. Whether to colour is decided once, here,
//! for each stream on its own.

use std::fmt;
use std::io::{self, Write};

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};

/// How much a command says on stderr.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verbosity {
    /// `-q`: errors and diagnostics alone.
    Quiet,
    /// Also what was done and what comes next.
    #[default]
    Normal,
    /// `-v`: also how.
    Verbose,
}

/// Bold red, of errors.
pub const ERROR: Style = AnsiColor::Red.on_default().bold();
/// Bold yellow, of warnings.
pub const WARNING: Style = AnsiColor::Yellow.on_default().bold();
/// Cyan, of advice.
pub const ADVICE: Style = AnsiColor::Cyan.on_default();

/// The same on every terminal and in CI, so that output can be compared and quoted.
const WIDTH: usize = 100;

/// Where a command writes, and how.
pub struct Ui<'a> {
    out: Box<dyn Write + 'a>,
    err: Box<dyn Write + 'a>,
    /// Whether data on stdout may be coloured.
    pub out_color: bool,
    /// Whether talk on stderr may be coloured.
    pub err_color: bool,
    /// Columns that a line of source may take before it is cut.
    pub width: usize,
    /// How much is said.
    pub verbosity: Verbosity,
    /// What the user types to run this program, for commands that are proposed.
    pub program: &'static str,
}

impl fmt::Debug for Ui<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ui").field("width", &self.width).field("verbosity", &self.verbosity).finish_non_exhaustive()
    }
}

impl<'a> Ui<'a> {
    /// A user interface over two writers: no colour, 100 columns. What tests use.
    pub fn new(out: impl Write + 'a, err: impl Write + 'a) -> Self {
        Self {
            out: Box::new(out),
            err: Box::new(err),
            out_color: false,
            err_color: false,
            width: WIDTH,
            verbosity: Verbosity::default(),
            program: "carrier",
        }
    }

    /// The process's own streams. Colour follows `choice`, which for `Auto`
    /// means: on a terminal that is not dumb, unless `NO_COLOR` is set, or
    /// anywhere if `CLICOLOR_FORCE` is.
    #[must_use]
    pub fn of_process(choice: ColorChoice) -> Ui<'static> {
        let colored = |auto: ColorChoice| match choice {
            ColorChoice::Auto => auto != ColorChoice::Never,
            fixed => fixed != ColorChoice::Never,
        };
        Ui {
            out_color: colored(AutoStream::choice(&io::stdout())),
            err_color: colored(AutoStream::choice(&io::stderr())),
            // Rust's stdout flushes at every newline, which is slow for megabytes of manifests.
            out: Box::new(io::BufWriter::with_capacity(64 * 1024, io::stdout())),
            err: Box::new(io::LineWriter::new(io::stderr())),
            width: WIDTH,
            verbosity: Verbosity::default(),
            program: "carrier",
        }
    }

    /// Where data goes.
    pub fn out(&mut self) -> &mut dyn Write {
        &mut self.out
    }

    /// Where diagnostics and errors go, whatever the verbosity.
    pub fn err(&mut self) -> &mut dyn Write {
        &mut self.err
    }

    /// Says a line on stderr; not with `-q`.
    pub fn say(&mut self, text: impl fmt::Display) -> io::Result<()> {
        if self.verbosity >= Verbosity::Normal { writeln!(self.err, "{text}") } else { Ok(()) }
    }

    /// Says a line on stderr that only `-v` shows.
    pub fn detail(&mut self, text: impl fmt::Display) -> io::Result<()> {
        if self.verbosity >= Verbosity::Verbose { writeln!(self.err, "{text}") } else { Ok(()) }
    }

    /// Names the next useful command, without the program's name; not with `-q`.
    pub fn next(&mut self, command: &str, why: &str) -> io::Result<()> {
        let (style, program) = (self.style(ADVICE), self.program);
        self.say(format_args!("{style}next:{style:#} run `{program} {command}` {why}"))
    }

    /// Warns, whatever the verbosity.
    pub fn warn(&mut self, text: impl fmt::Display) -> io::Result<()> {
        let style = self.style(WARNING);
        writeln!(self.err, "{style}warning:{style:#} {text}")
    }

    /// Shows an error with its hints, whatever the verbosity.
    pub fn error(&mut self, error: &super::error::CliError) -> io::Result<()> {
        let (red, cyan) = (self.style(ERROR), self.style(ADVICE));
        writeln!(self.err, "{red}error:{red:#} {}", error.message)?;
        for hint in &error.hints {
            writeln!(self.err, "{cyan}  help:{cyan:#} {hint}")?;
        }
        Ok(())
    }

    /// Hands everything written so far to the streams.
    pub fn flush(&mut self) -> io::Result<()> {
        self.out.flush()?;
        self.err.flush()
    }

    fn style(&self, style: Style) -> Style {
        if self.err_color { style } else { Style::new() }
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
    fn quiet_keeps_errors_only() {
        assert_eq!(talk(Verbosity::Quiet), "error: no\n  help: yes\n");
        assert_eq!(talk(Verbosity::Normal), "did it\nnext: run `carrier check` to look\nerror: no\n  help: yes\n");
        assert!(talk(Verbosity::Verbose).contains("like so"));
    }
}
