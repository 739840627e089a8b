//! `carrier.lock`: the recorded state of the clusters, which makes compiling reproducible.
//!
//! It contains identities, versions and hashes, and nothing that differs between users or
//! machines: no times, addresses or credentials. The identity of the repository is random. It is made once, and everybody
//! who has the repository has it with the lock.

use std::collections::BTreeMap;

use super::cluster::ClusterId;
use super::config::Config;

/// The path of the file, relative to the repository's root.
pub(crate) const LOCK_PATH: &str = "carrier.lock";

/// The content of `carrier.lock`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lock {
    /// The identity of the repository, `None` in a lock that was written before repositories had one.
    pub repository: Option<String>,
    /// UID of the namespace `kube-system` of the management cluster, `None` until it is known.
    pub management_uid: Option<String>,
    /// The service clusters that were locked.
    pub clusters: BTreeMap<ClusterId, LockedCluster>,
}

impl Lock {
    /// Whether a text can be the identity of a repository: 32 lower-case hexadecimal digits.
    #[must_use]
    pub fn is_identity(text: &str) -> bool {
        text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
    }

    /// Whether it records nothing of any cluster.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        self.management_uid.is_none() && self.clusters.is_empty()
    }

    /// The UID of the management cluster: the one in the settings, or else the recorded one; `None` if
    /// it is unknown. `lock` and `render` must use the same one, because the names of the tenants'
    /// namespaces depend on it.
    #[must_use]
    pub fn management_uid<'a>(&'a self, config: &'a Config) -> Option<&'a str> {
        config.management.uid.as_deref().or(self.management_uid.as_deref())
    }
}

/// The recorded state of one service cluster.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LockedCluster {
    /// UID of its namespace `kube-system`, `None` until the cluster has been read.
    pub uid: Option<String>,
    /// Its minor version, such as `1.37`, `None` until the cluster has been read.
    pub server: Option<String>,
    /// The locked CRDs, by name.
    pub crds: BTreeMap<String, LockedCrd>,
    /// The namespace of each tenant, by the tenant's name. A recorded name never changes.
    pub namespaces: BTreeMap<String, String>,
}

/// The lock entry of one CRD.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockedCrd {
    /// SHA-256 of the snapshot in canonical JSON, in hex.
    pub sha256: String,
    /// The origin of the snapshot.
    pub origin: CrdOrigin,
}

/// The origin of a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CrdOrigin {
    /// A file, such as an operator's release manifest (`carrier lock --from`).
    File,
    /// The service cluster.
    Cluster,
}
