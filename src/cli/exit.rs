//! The exit codes.
//!
//! Scripts depend on these numbers (`DESIGN.md` §10); `tests/it/cli_reference.rs`
//! keeps the table in `docs/cli.md` equal to this one.

use std::process::ExitCode;

/// How a command ended. The number is the process's exit status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Exit {
    /// Success. A reader that closes the pipe early is no failure.
    Fine = 0,
    /// There are diagnostics of severity error, or a file could not be read or written.
    Errors = 1,
    /// There are changes. Only where the user asked for it, as with `--check`.
    Changes = 2,
    /// Refused by a guard: going on would have overwritten or lost something.
    Refused = 3,
    /// A cluster or the network between failed.
    Cluster = 4,
    /// Applied, but not ready in time, or only in part.
    Partial = 5,
    /// The command line is wrong. `clap`'s own 2 would read as [`Exit::Changes`].
    Usage = 64,
    /// A bug of carrier.
    Bug = 70,
    /// Interrupted by the user. Shells make this number from SIGINT (128 + 2).
    Interrupted = 130,
}

impl Exit {
    /// All of them, in order of their number.
    pub const ALL: [Self; 9] = [
        Self::Fine,
        Self::Errors,
        Self::Changes,
        Self::Refused,
        Self::Cluster,
        Self::Partial,
        Self::Usage,
        Self::Bug,
        Self::Interrupted,
    ];

    /// The number.
    #[must_use]
    pub fn number(self) -> u8 {
        self as u8
    }

    /// What the number means, for the reference.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Fine => "fine",
            Self::Errors => "there are diagnostics of severity error, or a file could not be read or written",
            Self::Changes => "there are changes; only where asked for, as with `--check`",
            Self::Refused => "refused by a guard: going on would have overwritten or lost something",
            Self::Cluster => "a cluster or the network failed",
            Self::Partial => "applied, but not ready in time, or only in part",
            Self::Usage => "the command line is wrong",
            Self::Bug => "a bug of carrier",
            Self::Interrupted => "interrupted",
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.number())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_a_promise() {
        let numbers: Vec<u8> = Exit::ALL.iter().map(|e| e.number()).collect();
        assert_eq!(numbers, [0, 1, 2, 3, 4, 5, 64, 70, 130]);
    }
}
