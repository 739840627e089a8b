//! From an error of a cluster to a diagnostic at the line that names the cluster.

use std::collections::BTreeMap;

use super::error::{ClusterError, ErrorKind};
use crate::model::cluster::{ClusterId, Target};
use crate::model::codes::{Code, cluster as codes};
use crate::model::config::Config;
use crate::model::diagnostic::Diagnostic;
use crate::model::plain;
use crate::model::source::Span;

/// The diagnostic of a request that failed. `place` is where the repository speaks of the cluster.
#[must_use]
pub(crate) fn diagnose(target: &Target, error: &ClusterError, place: Option<Span>) -> Diagnostic {
    let code = code(error.kind);
    let message = format!("{}: {}", who(target), error.message);
    let diagnostic = match place {
        Some(place) => Diagnostic::new(code, place, message),
        None => Diagnostic::unplaced(code, message),
    };
    diagnostic.help(error.help.as_deref().map_or_else(|| code.fix(), str::to_owned))
}

/// The diagnostic of a cluster that is not the one that was meant. `config` has the UID that is expected, or the lock.
#[must_use]
pub(crate) fn other_cluster(
    target: &Target,
    (expected, found): (&str, &str),
    config: &Config,
    place: Option<Span>,
) -> Diagnostic {
    let found = plain::name(found);
    let message = format!("{} is another cluster: its UID is {found}, and should be {expected}", who(target));
    let diagnostic = match place {
        Some(place) => Diagnostic::new(&codes::OTHER_CLUSTER, place, message),
        None => Diagnostic::unplaced(&codes::OTHER_CLUSTER, message),
    };
    match target {
        Target::Management if config.management.uid.is_some() => diagnostic.help(
            "correct the kubeconfig or context; if the cluster was recreated, write its UID to `management.uid` of carrier.yaml",
        ),
        _ => diagnostic.help(codes::OTHER_CLUSTER.fix()),
    }
}

/// The diagnostics of service clusters that are one cluster, each at the later of two. `uids` are the identities of those
/// that answered, and `place` is where the repository speaks of one.
pub(crate) fn same_clusters<'a>(
    uids: impl Iterator<Item = (&'a ClusterId, &'a str)>,
    place: impl Fn(&ClusterId) -> Option<Span>,
) -> Vec<Diagnostic> {
    let mut first: BTreeMap<&str, &ClusterId> = BTreeMap::new();
    let mut found = Vec::new();
    for (id, uid) in uids {
        let Some(other) = first.get(uid) else {
            first.insert(uid, id);
            continue;
        };
        let message =
            format!("the service clusters `{other}` and `{id}` are one cluster, with the UID {}", plain::name(uid));
        let diagnostic = match place(id) {
            Some(place) => Diagnostic::new(&codes::SAME_CLUSTER, place, message),
            None => Diagnostic::unplaced(&codes::SAME_CLUSTER, message),
        };
        found.push(diagnostic.help("remove one of the two, or correct its kubeconfig"));
    }
    found
}

/// The diagnostics of service clusters that are locked under another name, which the repository no longer has. `former` are
/// the identities of those that it no longer has.
pub(crate) fn renamed_clusters<'a>(
    uids: impl Iterator<Item = (&'a ClusterId, &'a str)>,
    former: impl Iterator<Item = (&'a ClusterId, &'a str)>,
    place: impl Fn(&ClusterId) -> Option<Span>,
) -> Vec<Diagnostic> {
    let former: BTreeMap<&str, &ClusterId> = former.map(|(id, uid)| (uid, id)).collect();
    let renamed = uids.filter_map(|(id, uid)| Some((id, uid, *former.get(uid)?)));
    let say = |(id, uid, before): (&ClusterId, &str, &ClusterId)| {
        let message = format!(
            "the service cluster `{id}` is the one that is locked as `{before}`, which the repository no longer has: the UID of both is {}",
            plain::name(uid)
        );
        let diagnostic = match place(id) {
            Some(place) => Diagnostic::new(&codes::SAME_CLUSTER, place, message),
            None => Diagnostic::unplaced(&codes::SAME_CLUSTER, message),
        };
        diagnostic.help(format!(
            "a new name makes new API groups and services, and the instances stay in the old ones: give it the name `{}` again, or keep both until the instances were moved",
            before.cluster
        ))
    };
    renamed.map(say).collect()
}

/// What a cluster is called in a sentence.
fn who(target: &Target) -> String {
    match target {
        Target::Management => "the management cluster".to_owned(),
        Target::Service(id) => format!("the service cluster `{id}`"),
    }
}

fn code(kind: ErrorKind) -> &'static Code {
    match kind {
        ErrorKind::Kubeconfig => &codes::NO_KUBECONFIG,
        ErrorKind::UnsafeKubeconfig => &codes::UNSAFE_KUBECONFIG,
        ErrorKind::Unreachable => &codes::UNREACHABLE,
        ErrorKind::TimedOut | ErrorKind::Slow => &codes::TIMED_OUT,
        ErrorKind::Certificate => &codes::CERTIFICATE,
        ErrorKind::Unauthorized => &codes::UNAUTHORIZED,
        ErrorKind::Forbidden => &codes::FORBIDDEN,
        ErrorKind::NotFound | ErrorKind::KindNotFound | ErrorKind::NamespaceNotFound => &codes::SERVER_ERROR,
        ErrorKind::AlreadyExists | ErrorKind::VersionConflict | ErrorKind::FieldConflict => &codes::SERVER_ERROR,
        ErrorKind::Invalid | ErrorKind::InvalidRequest | ErrorKind::Expired => &codes::SERVER_ERROR,
        ErrorKind::Busy | ErrorKind::Server | ErrorKind::BadAnswer | ErrorKind::TooLarge => &codes::SERVER_ERROR,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_that_was_renamed_is_named() {
        let id = |name: &str| ClusterId::new("t", name);
        let (new, other, old, gone) = (id("new"), id("other"), id("old"), id("gone"));
        let found =
            renamed_clusters([(&new, "1"), (&other, "2")].into_iter(), [(&old, "1"), (&gone, "3")].into_iter(), |_| {
                None
            });
        let messages: Vec<&str> = found.iter().map(|one| one.message.as_str()).collect();
        assert_eq!(
            messages,
            [
                "the service cluster `t/new` is the one that is locked as `t/old`, which the repository no longer has: the UID of both is 1"
            ]
        );
    }

    #[test]
    fn clusters_with_one_identity_are_named() {
        let ids: Vec<ClusterId> = ["a", "b", "c"].into_iter().map(|name| ClusterId::new("t", name)).collect();
        let uids = ids.iter().zip(["1", "2", "1"]);
        let found = same_clusters(uids, |_| None);
        let messages: Vec<&str> = found.iter().map(|one| one.message.as_str()).collect();
        assert_eq!(messages, ["the service clusters `t/a` and `t/c` are one cluster, with the UID 1"]);
    }
}
