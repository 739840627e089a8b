//! What is left of instances that do not exist: one entry for each, with the copies that are there. Pure.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::Service;
use crate::model::cluster::ClusterId;
use crate::ops::copies::{Left, Level};

/// Whether copies without their instance are to stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LeftState {
    /// The tenant object is gone without a seen deletion. Sync keeps the copies until their deletion is approved.
    Orphan,
    /// The tenant object was deleted with the deletion policy `Orphan`, so the copy is to stay.
    Released,
}

/// The level of a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LeftLevel {
    /// An internal object, in the management cluster.
    Internal,
    /// A service object, in the service cluster.
    Service,
}

/// A copy without its tenant object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct LeftCopy {
    /// Its level.
    pub level: LeftLevel,
    /// Its CRD.
    pub crd: String,
    /// Its namespace.
    pub namespace: String,
    /// Whether its deletion was approved.
    pub approved: bool,
    /// Whether it is being deleted.
    pub deleting: bool,
}

/// What is left of an instance whose tenant object does not exist.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct LeftOver {
    /// The account that the instance belonged to.
    pub tenant: String,
    /// The service: the plural of its CRD.
    pub service: String,
    /// The name of the instance.
    pub name: String,
    /// The service cluster.
    pub cluster: String,
    /// The CRD of the tenant object.
    pub crd: String,
    /// Whether the copies are to stay.
    pub state: LeftState,
    /// The namespace of the instance in the service cluster.
    pub service_namespace: String,
    /// Whether there is a copy in the service cluster; null where that could not be asked.
    pub in_service_cluster: Option<bool>,
    /// The copies.
    pub copies: Vec<LeftCopy>,
    /// Whether the repository offers the service; null where that is not known, because the repository has errors.
    pub offered: Option<bool>,
}

impl LeftOver {
    /// Whether a copy of it waits for an approval.
    #[must_use]
    pub(crate) fn waits(&self) -> bool {
        self.state == LeftState::Orphan && self.copies.iter().any(|copy| !copy.approved && !copy.deleting)
    }
}

/// A service of which not all copies without a tenant object could be found.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Unchecked {
    /// The service cluster.
    pub cluster: String,
    /// The CRD of the tenant objects.
    pub crd: String,
    /// Why, one sentence without a trailing dot.
    pub reason: String,
}

impl Unchecked {
    pub(super) fn new(service: &Service, reason: &str) -> Self {
        Self::of(&service.cluster, &service.crd.name, reason.to_owned())
    }

    pub(super) fn of(cluster: &ClusterId, crd: &str, reason: String) -> Self {
        Self { cluster: cluster.to_string(), crd: crd.to_owned(), reason }
    }
}

/// One entry for each instance. `asked` is whether the service cluster could be asked for its copies; `namespace` tells
/// that of a tenant there.
pub(super) fn left_over(
    service: &Service,
    left: Vec<Left>,
    asked: bool,
    namespace: impl Fn(&str) -> String,
) -> Vec<LeftOver> {
    let mut entries: BTreeMap<(String, String), LeftOver> = BTreeMap::new();
    for Left { copy, level, resource, released } in left {
        let entry = entries.entry((copy.tenant.clone(), copy.name.clone())).or_insert_with(|| LeftOver {
            service: service.crd.plural.clone(),
            cluster: service.cluster.to_string(),
            crd: service.crd.name.clone(),
            state: LeftState::Released,
            service_namespace: namespace(&copy.tenant),
            in_service_cluster: asked.then_some(false),
            copies: Vec::new(),
            offered: service.offered,
            tenant: copy.tenant,
            name: copy.name,
        });
        if !released {
            entry.state = LeftState::Orphan;
        }
        let level = match level {
            Level::Internal => LeftLevel::Internal,
            Level::Service => LeftLevel::Service,
        };
        if level == LeftLevel::Service {
            entry.in_service_cluster = Some(true);
            entry.service_namespace.clone_from(&copy.namespace);
        }
        entry.copies.push(LeftCopy {
            level,
            crd: resource.full_name(),
            namespace: copy.namespace,
            approved: copy.approved,
            deleting: copy.deleting,
        });
    }
    entries.into_values().collect()
}

#[cfg(test)]
pub(super) mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::compile::build::OfferedCrd;
    use crate::model::keys::APPROVED_DELETION;
    use crate::model::resource::Resource;
    use crate::ops::copies::left;
    use crate::ops::copies::tests::{KIND, copies, copy, on_purpose, resource};
    use serde_json::json;

    /// The service of [`KIND`], with this internal kind.
    pub(crate) fn service(internal: Option<Resource>) -> Service {
        let crd = OfferedCrd {
            name: KIND.into(),
            group: "eu-west-1.team-a".into(),
            kind: "Redis".into(),
            plural: "redis".into(),
            versions: Vec::new(),
        };
        let base = Resource::new("example.com", "v1", "Redis", "redis", true);
        let cluster = ClusterId::new("team-a", "eu-west-1");
        Service { cluster, crd, resource: resource(), internal, base, offered: Some(true) }
    }

    #[test]
    fn what_is_left_of_an_instance_is_one_entry() {
        let approved = |name: &str| {
            copy("team-b-y", name, |o| o["metadata"]["annotations"][APPROVED_DELETION] = o["metadata"]["uid"].clone())
        };
        let internal = copies(Level::Internal, [copy("team-b", "both", |_| {}), copy("team-b", "above", |_| {})]);
        let below = copies(
            Level::Service,
            [copy("team-b-y", "both", |_| {}), approved("approved"), copy("team-b-y", "released", on_purpose)],
        );
        let left = left(&BTreeSet::new(), &[&internal, &below]);
        let entries = left_over(&service(None), left.clone(), true, |tenant| format!("{tenant}-x"));
        let text = |entry: &LeftOver| {
            let levels: Vec<LeftLevel> = entry.copies.iter().map(|copy| copy.level).collect();
            json!([entry.name, entry.state, levels, entry.service_namespace, entry.in_service_cluster, entry.waits()])
        };
        let wanted = [
            json!(["above", "orphan", ["internal"], "team-b-x", false, true]),
            json!(["approved", "orphan", ["service"], "team-b-y", true, false]),
            json!(["both", "orphan", ["internal", "service"], "team-b-y", true, true]),
            json!(["released", "released", ["service"], "team-b-y", true, false]),
        ];
        assert_eq!(entries.iter().map(text).collect::<Vec<_>>(), wanted);
        let unasked = left_over(&service(None), left, false, |tenant| format!("{tenant}-x"));
        assert_eq!(unasked[0].in_service_cluster, None);
    }
}
