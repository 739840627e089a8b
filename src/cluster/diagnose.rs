//! From trouble with a cluster to a diagnostic at the line that names the cluster.

use super::error::{ClusterError, Trouble};
use crate::model::cluster::Target;
use crate::model::codes::{Code, cluster as codes};
use crate::model::diagnostic::Diagnostic;
use crate::model::source::Span;

/// The diagnostic of a call that failed. `place` is where the repository speaks of the cluster.
#[must_use]
pub fn diagnose(target: &Target, error: &ClusterError, place: Option<Span>) -> Diagnostic {
    let code = code(error.trouble);
    let message = format!("{}: {}", who(target), error.message);
    let diagnostic = match place {
        Some(place) => Diagnostic::new(code, place, message),
        None => Diagnostic::unplaced(code, message),
    };
    diagnostic.help(code.mend())
}

/// The diagnostic of a cluster that is not the one that was meant.
#[must_use]
pub fn other_cluster(target: &Target, expected: &str, found: &str, place: Option<Span>) -> Diagnostic {
    let message = format!("{} is another cluster: its UID is {found}, and should be {expected}", who(target));
    let diagnostic = match place {
        Some(place) => Diagnostic::new(&codes::OTHER_CLUSTER, place, message),
        None => Diagnostic::unplaced(&codes::OTHER_CLUSTER, message),
    };
    diagnostic.help(codes::OTHER_CLUSTER.mend())
}

/// What a cluster is called in a sentence.
fn who(target: &Target) -> String {
    match target {
        Target::Management => "the management cluster".to_owned(),
        Target::Service(id) => format!("the service cluster `{id}`"),
    }
}

fn code(trouble: Trouble) -> &'static Code {
    match trouble {
        Trouble::Kubeconfig => &codes::NO_KUBECONFIG,
        Trouble::UnsafeKubeconfig => &codes::UNSAFE_KUBECONFIG,
        Trouble::Unreachable => &codes::UNREACHABLE,
        Trouble::TimedOut => &codes::TIMED_OUT,
        Trouble::Certificate => &codes::CERTIFICATE,
        Trouble::Unauthorized => &codes::UNAUTHORIZED,
        Trouble::Forbidden => &codes::FORBIDDEN,
        Trouble::NotFound | Trouble::Conflict | Trouble::Invalid | Trouble::Expired => &codes::SERVER_TROUBLE,
        Trouble::Server | Trouble::BadAnswer => &codes::SERVER_TROUBLE,
    }
}
