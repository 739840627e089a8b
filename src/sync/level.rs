//! The three levels on which an instance exists. Pure.

/// A level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Level {
    /// What the tenant writes, in the management cluster.
    Tenant,
    /// The full copy beside it.
    Internal,
    /// The copy in the service cluster.
    Service,
}

impl Level {
    /// The word for it in metrics and logs.
    #[must_use]
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Tenant => "tenant",
            Self::Internal => "internal",
            Self::Service => "service",
        }
    }
}
