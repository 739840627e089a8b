//! The colours, one for each meaning.

use anstyle::{AnsiColor, Style};

/// Errors: bold red.
pub(crate) const ERROR: Style = AnsiColor::Red.on_default().bold();
/// Warnings: bold yellow.
pub(crate) const WARNING: Style = AnsiColor::Yellow.on_default().bold();
/// What is as it should be: green.
pub(crate) const OK: Style = AnsiColor::Green.on_default();
/// Advice: cyan.
pub(crate) const ADVICE: Style = AnsiColor::Cyan.on_default();

/// The style of a line that shows a change, by its first character: what comes, goes, becomes another, and where.
#[must_use]
pub(crate) fn change_style(line: &str) -> Style {
    match line.as_bytes().first() {
        Some(b'+') => AnsiColor::Green.on_default(),
        Some(b'-') => AnsiColor::Red.on_default(),
        Some(b'~') => AnsiColor::Yellow.on_default(),
        Some(b'@') => Style::new().dimmed(),
        _ => Style::new(),
    }
}
