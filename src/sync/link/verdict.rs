//! What may be believed of a service cluster, and the words for why not. Pure.
//!
//! Words of servers are bounded, on one line and without the values that they quote: a service cluster is not
//! trusted, and what it says ends in conditions.

use std::fmt;

use crate::cluster::error::discreet_line;
use crate::cluster::{ClusterError, ErrorKind};
use crate::model::digest;

/// The longest text of a server in a condition, in characters.
const LONGEST: usize = 300;

/// Reason: nobody answers, or the answer makes no sense.
pub(crate) const CLUSTER_UNREACHABLE: &str = "ClusterUnreachable";
/// Reason: another cluster answers than the one that was seen first.
pub(crate) const IDENTITY_CHANGED: &str = "IdentityChanged";
/// Reason: the Secret with the kubeconfig does not exist.
pub(crate) const SECRET_NOT_FOUND: &str = "SecretNotFound";
/// Reason: the Secret with the kubeconfig may not be read.
pub(crate) const SECRET_FORBIDDEN: &str = "SecretForbidden";

/// What may be believed of a service cluster, and so whether anything may be written there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trust {
    /// Nothing is known yet, since this process has not asked. Conditions stay as they are.
    Pending,
    /// It answers, and it is the cluster that was seen first.
    Trusted {
        /// The UID of its namespace `kube-system`.
        uid: String,
    },
    /// There is a kubeconfig, and nobody answers.
    Unreachable {
        /// The reason for conditions, in CamelCase.
        reason: &'static str,
        /// One sentence.
        message: String,
    },
    /// Another cluster answers than the one that was seen first: no read is believed, and nothing is written.
    IdentityChanged {
        /// The UID that was seen first.
        pinned: String,
        /// The UID that answers now.
        found: String,
    },
    /// There is no kubeconfig that can be used.
    NoKubeconfig {
        /// The reason for conditions, in CamelCase.
        reason: &'static str,
        /// One sentence.
        message: String,
    },
}

impl Trust {
    /// Whether what the cluster says may be believed, and something may be written there.
    #[must_use]
    pub fn is_trusted(&self) -> bool {
        matches!(self, Self::Trusted { .. })
    }
}

/// The hash of a kubeconfig's text: tells two apart, and says nothing of what is in them.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct KubeconfigDigest(String);

impl KubeconfigDigest {
    /// The hash of this text.
    #[must_use]
    pub(crate) fn of(text: &str) -> Self {
        Self(digest::sha256(text.as_bytes()))
    }
}

impl fmt::Debug for KubeconfigDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.get(..8).unwrap_or_default())
    }
}

/// What is wrong, as a condition says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    /// Whether a new kubeconfig or new rights are needed; else the cluster may come back by itself.
    pub of_kubeconfig: bool,
    /// The reason, in CamelCase.
    pub reason: &'static str,
    /// One sentence.
    pub message: String,
}

impl Fault {
    /// A fault of the kubeconfig or of the Secret that holds it.
    pub(crate) fn of_kubeconfig(reason: &'static str, message: impl Into<String>) -> Self {
        Self { of_kubeconfig: true, reason, message: message.into() }
    }

    /// The fault behind an error of a request to the service cluster, or of what makes its connection.
    #[must_use]
    pub(crate) fn of(error: &ClusterError) -> Self {
        let (of_kubeconfig, reason, said) = match error.kind {
            ErrorKind::Kubeconfig => (true, "InvalidKubeconfig", None),
            ErrorKind::UnsafeKubeconfig => (true, "UnsafeKubeconfig", None),
            ErrorKind::Unauthorized => {
                let said = "the server does not accept the credentials of the kubeconfig; they may have expired";
                (true, "Unauthorized", Some(said))
            }
            ErrorKind::Forbidden => {
                let said = "the account of the kubeconfig needs the right to get the namespace `kube-system`, whose UID \
                            identifies the cluster";
                (true, "Forbidden", Some(said))
            }
            ErrorKind::NotFound | ErrorKind::NamespaceNotFound => {
                (false, CLUSTER_UNREACHABLE, Some("the cluster has no namespace `kube-system`"))
            }
            _ => (false, CLUSTER_UNREACHABLE, None),
        };
        Self { of_kubeconfig, reason, message: said.map_or_else(|| server_text(&error.message), str::to_owned) }
    }
}

/// The words of a server, for a condition: one line, bounded, no control characters, no quoted values.
#[must_use]
pub(crate) fn server_text(text: &str) -> String {
    discreet_line(text, LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_cannot_write_what_it_wants_into_a_condition() {
        let text =
            server_text(&format!("a\n::set-output x\u{1b}[2J spec: Invalid value: \"hunter2\": {}", "é".repeat(999)));
        assert!(text.starts_with("a␊::set-output x␛[2J spec: Invalid value: …: é") && text.ends_with("é…"), "{text}");
        assert_eq!(text.chars().count(), LONGEST + 1);
    }

    #[test]
    fn errors_are_sorted_by_what_has_to_change() {
        for (kind, of_kubeconfig, reason) in [
            (ErrorKind::Kubeconfig, true, "InvalidKubeconfig"),
            (ErrorKind::UnsafeKubeconfig, true, "UnsafeKubeconfig"),
            (ErrorKind::Unauthorized, true, "Unauthorized"),
            (ErrorKind::Forbidden, true, "Forbidden"),
            (ErrorKind::NotFound, false, CLUSTER_UNREACHABLE),
            (ErrorKind::Unreachable, false, CLUSTER_UNREACHABLE),
            (ErrorKind::TimedOut, false, CLUSTER_UNREACHABLE),
            (ErrorKind::Certificate, false, CLUSTER_UNREACHABLE),
            (ErrorKind::BadAnswer, false, CLUSTER_UNREACHABLE),
            (ErrorKind::Server, false, CLUSTER_UNREACHABLE),
        ] {
            let fault = Fault::of(&ClusterError::new(kind, "why"));
            assert_eq!((fault.of_kubeconfig, fault.reason), (of_kubeconfig, reason), "{kind:?}");
            assert!(!fault.message.is_empty());
        }
    }

    #[test]
    fn a_digest_shows_no_kubeconfig() {
        let digest = KubeconfigDigest::of("hunter2");
        assert_eq!(format!("{digest:?}").len(), 8);
        assert_ne!(digest, KubeconfigDigest::of("hunter3"));
    }
}
