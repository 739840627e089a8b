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
    /// The tenants that the cluster does not serve any more, and whose namespace is still there, with its name.
    pub tenants: BTreeMap<String, String>,
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

impl StayingIn {
    /// The former tenants of which sync may still have to delete copies, and their namespaces.
    pub(super) fn former_tenants(&self) -> impl Iterator<Item = (&str, &str)> {
        let tenants = self.tenants.iter().filter(|(tenant, _)| self.offered.contains_key(*tenant));
        tenants.map(|(tenant, namespace)| (tenant.as_str(), namespace.as_str()))
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
#[must_use]
pub(crate) fn crd_name((group, plural): &GroupPlural) -> String {
    format!("{plural}.{group}")
}

#[cfg(test)]
mod tests {
    use super::super::render;
    use super::*;
    use crate::compile::discovered::Discovered;
    use crate::compile::load::load;
    use crate::compile::render::Manifest;
    use crate::compile::resolve::resolve;
    use crate::model::source::{SourceFile, Sources};

    const REPOSITORY: &str = "
apiVersion: catalog.kubecarrier.io/v1alpha1
kind: Account
metadata: {name: team-a}
spec: {metadata: {displayName: A}, roles: [Provider], subjects: [{kind: User, name: a}]}
---
apiVersion: kubecarrier.io/v1alpha1
kind: ServiceCluster
metadata: {name: eu, namespace: team-a}
spec: {kubeconfigSecret: {name: k}}
";

    #[test]
    fn a_tenant_without_any_offer_in_the_cluster_is_followed() {
        let sources = Sources::new(vec![SourceFile { path: "all.yaml".into(), text: REPOSITORY.into() }]);
        let (loaded, _) = load(&sources);
        let (resolved, _) = resolve(&loaded);
        let one = |group: &str| BTreeSet::from([(group.to_owned(), "redis".to_owned())]);
        let kinds = StayingKinds { tenant: one("t.io"), internal: one("i.io"), base: one("b.io") };
        let roles_for = |tenants: &[(&str, &str)]| {
            let here = StayingIn {
                kinds: kinds.clone(),
                offered: [("team-b".to_owned(), kinds.clone())].into(),
                namespaces: BTreeSet::new(),
                tenants: tenants.iter().map(|(tenant, name)| ((*tenant).to_owned(), (*name).to_owned())).collect(),
            };
            let id = ClusterId::new("team-a", "eu");
            let staying = Staying { clusters: [(id.clone(), here)].into() };
            let set = render(&resolved, &[], &Discovered::default(), &staying);
            let of_team_b = |manifest: &&Manifest| {
                let place = manifest.id.namespace.as_ref().unwrap_or(&manifest.id.name);
                place.starts_with("team-b") || place.starts_with("team-c")
            };
            let here = set.management.iter().chain(&set.clusters[&id]).filter(of_team_b);
            here.map(|manifest| {
                let Some(rules) = manifest.body["rules"].as_array() else { return manifest.id.kind.clone() };
                let rules = rules.iter().map(|rule| format!("{}:{}", rule["apiGroups"][0], rule["verbs"]));
                rules.collect::<Vec<_>>().join(" ").replace('"', "")
            })
            .collect::<Vec<_>>()
        };
        let mut found = roles_for(&[("team-b", "team-b-x"), ("team-c", "team-c-y")]);
        found.sort();
        let roles =
            [":[get] b.io:[create,delete,patch]", "RoleBinding", "RoleBinding", "i.io:[create] :[create,patch]"];
        assert_eq!(found, roles, "no namespace is rendered, and nothing for what nobody has");
        assert_eq!(roles_for(&[]), [""; 0], "its namespace is not there");
    }
}
