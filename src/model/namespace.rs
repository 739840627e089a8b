//! The names of the tenants' namespaces in service clusters.
//!
//! Render, the lock and sync must agree on the name, so one function computes it. A name
//! in the lock takes precedence: the function gives the name of a new namespace.

use sha2::{Digest, Sha256};

use super::cluster::ClusterId;
use super::keys::SYSTEM_NAMESPACE;
use super::names::LABEL_MAX;

/// The number of characters of the hash, the same as in KubeCarrier's generated names
/// (`kubecarrier.md` §2.1).
const HASH: usize = 5;
/// The maximum length of a tenant's name that its namespaces contain in full, in characters.
pub(crate) const LONGEST_TENANT: usize = LABEL_MAX - HASH - 1;
/// The base 32 alphabet of RFC 4648 in lower case: five bits for each character.
const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// Whether a namespace is reserved for Kubernetes or carrier, so that no account can own it.
#[must_use]
pub(crate) fn is_system(name: &str) -> bool {
    name == "default" || name.starts_with("kube-") || name == SYSTEM_NAMESPACE
}

/// The namespace of `tenant` in `cluster`: `<tenant>-<5 characters>`.
///
/// The characters are a hash of management cluster, provider, cluster and
/// tenant, so that two management clusters, or two providers, that share a
/// service cluster do not share a namespace. `management_uid` is the UID of
/// the management cluster's `kube-system`, or `None` if it is unknown (`DESIGN.md` §5).
/// A tenant's name of more than 57 characters is truncated, so that the result is a
/// DNS label; the hash keeps the result unique.
#[must_use]
pub(crate) fn service_namespace(management_uid: Option<&str>, cluster: &ClusterId, tenant: &str) -> String {
    let mut hasher = Sha256::new();
    // No part can contain NUL, so different parts give different input.
    for part in [management_uid.unwrap_or(""), &cluster.provider, &cluster.cluster, tenant] {
        hasher.update(part.as_bytes());
        hasher.update([0]);
    }
    let digest = hasher.finalize();
    // The top five bits of each of the first bytes; any other bits of the hash would do.
    let hash: String = digest.iter().take(HASH).map(|byte| char::from(ALPHABET[usize::from(byte >> 3)])).collect();
    let stem: String = tenant.chars().take(LONGEST_TENANT).collect();
    format!("{}-{hash}", stem.trim_end_matches('-'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::names::dns_label;

    fn eu() -> ClusterId {
        ClusterId::new("team-a", "eu-west-1")
    }

    #[test]
    fn the_name_never_changes() {
        // A changed name is a new, empty namespace for every tenant: these are fixed for good.
        assert_eq!(service_namespace(None, &eu(), "team-b"), "team-b-id65w");
        let uid = Some("0b7a9d52-6f3c-4a35-9d2e-0d8c1f2a7b11");
        assert_eq!(service_namespace(uid, &eu(), "team-b"), "team-b-v7z5t");
    }

    #[test]
    fn every_part_counts() {
        let names = [
            service_namespace(None, &eu(), "team-b"),
            service_namespace(Some("u"), &eu(), "team-b"),
            service_namespace(None, &ClusterId::new("team-c", "eu-west-1"), "team-b"),
            service_namespace(None, &ClusterId::new("team-a", "eu-west-2"), "team-b"),
            service_namespace(None, &ClusterId::new("team-a-eu", "west-1"), "team-b"),
        ];
        let distinct: std::collections::BTreeSet<_> = names.iter().collect();
        assert_eq!(distinct.len(), names.len(), "{names:?}");
    }

    #[test]
    fn the_name_is_a_dns_label() {
        for tenant in ["a", &"x".repeat(63), &format!("{}-{}", "x".repeat(56), "y".repeat(6))] {
            let name = service_namespace(None, &eu(), tenant);
            assert_eq!(dns_label(&name), Ok(()), "{name}");
        }
        let (one, other) = (format!("{}1", "x".repeat(62)), format!("{}2", "x".repeat(62)));
        assert_ne!(service_namespace(None, &eu(), &one), service_namespace(None, &eu(), &other));
    }
}
