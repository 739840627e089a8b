//! `carrier.lock`: what was discovered, so that everybody compiles the same.
//!
//! It holds identities, versions and hashes, and nothing that differs between
//! two people or two machines: no time, no address, no credential.

use std::collections::BTreeMap;

use super::cluster::ClusterId;
use super::config::Config;

/// The path of the file below the repository's root.
pub const LOCK_PATH: &str = "carrier.lock";

/// What was discovered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lock {
    /// UID of the namespace `kube-system` of the management cluster, once it is known.
    pub management_uid: Option<String>,
    /// The service clusters.
    pub clusters: BTreeMap<ClusterId, LockedCluster>,
}

impl Lock {
    /// The UID of the management cluster, where it is known: what the settings say, else what was
    /// discovered. `lock` and `render` have to agree on it, since tenants' namespaces are named with it.
    #[must_use]
    pub fn management_uid<'a>(&'a self, config: &'a Config) -> Option<&'a str> {
        config.management.uid.as_deref().or(self.management_uid.as_deref())
    }
}

/// What was discovered of one service cluster.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LockedCluster {
    /// UID of its namespace `kube-system`, once the cluster has been asked.
    pub uid: Option<String>,
    /// Its minor version, such as `1.37`, once the cluster has been asked.
    pub server: Option<String>,
    /// The CRDs by name.
    pub crds: BTreeMap<String, LockedCrd>,
    /// The namespaces of tenants that have one: a name once given is kept.
    pub namespaces: BTreeMap<String, String>,
}

/// One CRD's snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockedCrd {
    /// SHA-256 of the snapshot in canonical JSON, in hex.
    pub sha256: String,
    /// Where it came from.
    pub origin: CrdOrigin,
}

/// Where a snapshot came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CrdOrigin {
    /// From a file, such as an operator's release manifest (`carrier lock --from`).
    File,
    /// From the cluster itself.
    Cluster,
}
