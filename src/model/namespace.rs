//! The namespaces of tenants in service clusters: how each is called.
//!
//! One function, since several stages must agree on the name: what is rendered,
//! what the lock keeps and what sync looks for. A name that the lock holds comes
//! first; this is the name of a namespace that does not exist yet.

use sha2::{Digest, Sha256};

use super::cluster::ClusterId;
use super::keys::SYSTEM_NAMESPACE;
use super::names::LABEL_MAX;

/// How many characters the hash has. As many as the original's generated names
/// have (`kubecarrier.md` §2.1), so that people see what they know.
const HASH: usize = 5;
/// The longest name of a tenant that its namespaces hold as a whole.
pub const LONGEST_TENANT: usize = LABEL_MAX - HASH - 1;
/// RFC 4648's base 32 in lower case: five bits make a character.
const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// Whether a namespace belongs to the cluster, Kubernetes' own or ours, and so to nobody else.
#[must_use]
pub fn is_system(name: &str) -> bool {
    name == "default" || name.starts_with("kube-") || name == SYSTEM_NAMESPACE
}

/// The namespace of `tenant` in `cluster`: `<tenant>-<5 characters>`.
///
/// The characters are a hash of management cluster, provider, cluster and
/// tenant, so that two management clusters, or two providers, that share a
/// service cluster do not meet in one namespace. `management_uid` is the UID of
/// the management cluster's `kube-system`, where it is known (`DESIGN.md` §5).
/// A tenant's name of more than 57 characters is cut, so that the result is a
/// DNS label; the hash still tells such tenants apart.
#[must_use]
pub fn service_namespace(management_uid: Option<&str>, cluster: &ClusterId, tenant: &str) -> String {
    let mut hasher = Sha256::new();
    // None of the parts can hold a NUL, so different parts give different texts.
    for part in [management_uid.unwrap_or(""), &cluster.provider, &cluster.cluster, tenant] {
        hasher.update(part.as_bytes());
        hasher.update([0]);
    }
    let digest = hasher.finalize();
    // The top five bits of each of the first bytes: as good as any others of a hash.
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
