//! The colours, one for each meaning.

use anstyle::{AnsiColor, Style};

/// Errors: bold red.
pub const ERROR: Style = AnsiColor::Red.on_default().bold();
/// Warnings: bold yellow.
pub const WARNING: Style = AnsiColor::Yellow.on_default().bold();
/// What is as it should be: green.
pub const OK: Style = AnsiColor::Green.on_default();
/// Advice: cyan.
pub const ADVICE: Style = AnsiColor::Cyan.on_default();
