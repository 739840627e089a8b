//! What is still in the clusters of services and offers that the repository no longer has. Its instances are there too,
//! so `carrier sync` keeps the permissions that it needs for them; nothing else is rendered for it.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::cluster::ClusterId;

/// A kind as rules name it: API group and plural.
pub(crate) type GroupPlural = (String, String);

/// What stays, by service cluster.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Staying {
    /// The service clusters in which something stays.
    pub clusters: BTreeMap<ClusterId, StayingIn>,
}

/// What stays in one service cluster, and of it in the management cluster.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct StayingIn {
    /// The kinds of services.
    pub kinds: StayingKinds,
    /// The kinds of services that tenants were offered.
    pub offered: BTreeMap<String, StayingKinds>,
    /// The namespaces of tenants in the service cluster.
    pub namespaces: BTreeSet<String>,
}

/// The kinds of services, by what sync does with them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct StayingKinds {
    /// Those that tenants use.
    pub tenant: BTreeSet<GroupPlural>,
    /// Those of the copies in the management cluster.
    pub internal: BTreeSet<GroupPlural>,
    /// Those in the service cluster.
    pub base: BTreeSet<GroupPlural>,
}

impl StayingKinds {
    /// Adds those of another service.
    pub(crate) fn extend(&mut self, other: &Self) {
        self.tenant.extend(other.tenant.iter().cloned());
        self.internal.extend(other.internal.iter().cloned());
        self.base.extend(other.base.iter().cloned());
    }
}

impl Staying {
    /// Whether nothing stays.
    #[must_use]
    pub(crate) fn is_empty(&self) -> bool {
        self.clusters.is_empty()
    }

    /// What stays of a cluster.
    pub(super) fn of(&self, id: &ClusterId) -> Option<&StayingIn> {
        self.clusters.get(id)
    }
}

/// `plural.group`, the name of the CRD.
pub(super) fn crd_name((group, plural): &GroupPlural) -> String {
    format!("{plural}.{group}")
}
