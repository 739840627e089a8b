//! The names of Leases. Pure.

use crate::model::cluster::ClusterId;
use crate::model::digest;
use crate::model::names::{SUBDOMAIN_MAX, dns_label};

/// All Leases of `carrier sync` begin with this.
pub(crate) const PREFIX: &str = "carrier-sync-";
/// Those of replicas begin with this, and have no dot: those of clusters have one.
const REPLICA_PREFIX: &str = "carrier-sync-replica-";
/// The longest readable part of the name of a replica's Lease.
const READABLE: usize = 40;

/// The name of a service cluster's Lease: `carrier-sync-<cluster>.<provider>`. One that would be too long ends in a
/// hash instead.
#[must_use]
pub fn of_cluster(id: &ClusterId) -> String {
    let name = format!("{PREFIX}{}.{}", id.cluster, id.provider);
    if name.len() <= SUBDOMAIN_MAX {
        return name;
    }
    // The names of clusters and providers are ASCII; the end that is cut may be a dot or a hyphen.
    let hash = digest::short(name.as_bytes());
    let readable: String = name.chars().take(SUBDOMAIN_MAX - hash.len() - 1).collect();
    format!("{}.{hash}", readable.trim_end_matches(['.', '-']))
}

/// The name of the Lease of a replica itself. Replicas may have any names; one that is no DNS label is made one, and
/// a hash keeps it unique.
#[must_use]
pub fn of_member(replica: &str) -> String {
    if dns_label(replica).is_ok() && replica.len() <= READABLE {
        return format!("{REPLICA_PREFIX}{replica}");
    }
    let readable = replica.chars().map(|c| c.to_ascii_lowercase());
    let readable = readable.map(|c| if c.is_ascii_lowercase() || c.is_ascii_digit() { c } else { '-' });
    let readable: String = readable.take(READABLE).collect();
    format!("{REPLICA_PREFIX}{readable}-{}", digest::short(replica.as_bytes()))
}

/// Whether a Lease is that of a replica.
#[must_use]
pub(crate) fn is_member(lease: &str) -> bool {
    lease.starts_with(REPLICA_PREFIX) && !lease.contains('.')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::names::dns_subdomain;

    #[test]
    fn clusters_have_their_names_in_those_of_their_leases() {
        assert_eq!(of_cluster(&ClusterId::new("team-a", "eu-west-1")), "carrier-sync-eu-west-1.team-a");
    }

    #[test]
    fn names_are_valid_bounded_and_different() {
        let long = "x".repeat(180);
        let of = |provider: &str| of_cluster(&ClusterId::new(provider, long.clone()));
        let (a, b) = (of(&format!("{}a", "y".repeat(62))), of(&format!("{}b", "y".repeat(62))));
        assert_ne!(a, b);
        let replicas = ["a", "Pod.example.com", "pod-example-com", "pod.example.com", "ü/ x", "", &long, "-", "a.b"];
        let members = replicas.map(of_member);
        for (at, name) in members.iter().enumerate() {
            assert!(is_member(name) && !members[..at].contains(name), "{name}");
        }
        for name in members.iter().chain([&a, &b]) {
            assert!(dns_subdomain(name).is_ok(), "{name}: {:?}", dns_subdomain(name));
        }
        assert_eq!(members[0], "carrier-sync-replica-a");
        // A cluster may be called so.
        assert!(!is_member(&of_cluster(&ClusterId::new("b", "replica-a"))));
    }
}
