//! How long a credential plugin may take, and when one that failed may run again. Pure.

use std::time::Duration;

/// The limits of credential plugins. They are apart from the deadline of a request: a plugin may wait for a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PluginLimits {
    /// The time limit of a run without a terminal.
    pub alone: Duration,
    /// The time limit of a run that has the terminal, from when it has it: somebody logs in.
    pub with_terminal: Duration,
    /// The pause after which a plugin that failed may run again; absent, it does not run again in this process.
    pub again: Option<Duration>,
}

impl Default for PluginLimits {
    fn default() -> Self {
        Self { alone: Duration::from_secs(30), with_terminal: Duration::from_mins(5), again: None }
    }
}
