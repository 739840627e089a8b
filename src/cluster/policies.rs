//! The deletion policies of the services, as their CatalogEntries in the management cluster have them: what `carrier sync`
//! goes by, whatever the repository says. Nothing is requested here.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::compile::route::RouteCrds;
use crate::model::cluster::Target;
use crate::model::kinds::DeletionPolicyConfig;
use crate::model::kinds::table::CATALOG_GROUP;
use crate::model::resource::Resource;
use crate::plan::live::LiveCluster;

/// The policies of the kinds that tenants use. The objects in a service cluster are copies, which have none.
#[derive(Debug, Clone, Default)]
pub(crate) struct Policies {
    /// By the full name of the CRD.
    services: BTreeMap<String, DeletionPolicyConfig>,
    /// That of a service whose CatalogEntry is not known.
    other: Option<DeletionPolicyConfig>,
}

impl Policies {
    /// No instance has one.
    pub(crate) fn none() -> Self {
        Self::default()
    }

    /// Those of a cluster.
    pub(crate) fn of_cluster(target: &Target, live: &LiveCluster) -> Self {
        if *target != Target::Management {
            return Self::none();
        }
        let entries = live.objects.iter().filter(|(key, _)| key.is(CATALOG_GROUP, "CatalogEntry"));
        let services = entries.filter_map(|(key, entry)| of_entry(key.namespace.as_deref()?, &entry.body));
        Self { services: services.collect(), other: Some(DeletionPolicyConfig::default()) }
    }

    /// Those of a kind; `None` where its objects are copies.
    pub(crate) fn of(&self, resource: &Resource) -> Option<&DeletionPolicyConfig> {
        let known = self.services.get(&resource.full_name());
        known.or_else(|| self.other.as_ref().filter(|_| !resource.group.starts_with("internal.")))
    }
}

/// The CRD that the tenants of an entry use, and the policies.
fn of_entry(provider: &str, entry: &Value) -> Option<(String, DeletionPolicyConfig)> {
    let (crds, spec) = RouteCrds::read(provider, entry)?;
    Some((crds.tenant().to_owned(), spec.deletion_policy.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::kinds::deletion::DeletionPolicy;
    use crate::model::object::ObjectKey;
    use crate::plan::live::LiveObject;
    use serde_json::json;

    #[test]
    fn a_service_has_the_policies_of_its_entry() {
        let entry = |derive: Option<Value>, plural: &str| {
            let mut spec = json!({
                "metadata": { "displayName": "x" }, "baseCRD": { "name": format!("{plural}.internal.eu.team-a") },
                "deletionPolicy": { "default": "Block" },
            });
            if let Some(derive) = derive {
                spec["derive"] = derive;
            }
            let key = ObjectKey {
                group: CATALOG_GROUP.into(),
                kind: "CatalogEntry".into(),
                namespace: Some("team-a".into()),
                name: plural.into(),
            };
            (key, LiveObject { body: json!({ "spec": spec }) })
        };
        let objects = [entry(Some(json!({ "expose": [] })), "redis"), entry(None, "kafkas")].into_iter().collect();
        let live = LiveCluster { objects, ..LiveCluster::default() };
        let kind = |group: &str, plural: &str| Resource::new(group, "v1", "X", plural, true);
        let policies = Policies::of_cluster(&Target::Management, &live);
        let default =
            |group: &str, plural: &str| policies.of(&kind(group, plural)).map(DeletionPolicyConfig::default_policy);
        assert_eq!(default("eu.team-a", "redis"), Some(DeletionPolicy::Block));
        assert_eq!(default("internal.eu.team-a", "redis"), None, "these are copies");
        assert_eq!(default("internal.eu.team-a", "kafkas"), Some(DeletionPolicy::Block), "tenants use it");
        assert_eq!(default("eu.team-a", "others"), Some(DeletionPolicy::Delete));
        let id = "team-a/eu".parse().expect("a cluster");
        assert!(Policies::of_cluster(&Target::Service(id), &live).of(&kind("eu.team-a", "redis")).is_none());
    }
}
