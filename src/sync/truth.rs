//! The status of a condition. Pure.

/// The status of a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Truth {
    /// It is so.
    True,
    /// It is not so.
    False,
    /// It is not known.
    Unknown,
}

impl Truth {
    /// The word of the API.
    #[must_use]
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::True => "True",
            Self::False => "False",
            Self::Unknown => "Unknown",
        }
    }

    /// The status with this word.
    #[must_use]
    pub(crate) fn named(word: &str) -> Option<Self> {
        [Self::True, Self::False, Self::Unknown].into_iter().find(|truth| truth.word() == word)
    }

    /// The summary of an object whose condition `Ready` has this status.
    #[must_use]
    pub(crate) fn phase(self) -> &'static str {
        match self {
            Self::True => "Ready",
            Self::False => "NotReady",
            Self::Unknown => "Unknown",
        }
    }
}
