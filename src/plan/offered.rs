//! Which Offerings come from a Catalog, by its selectors and the labels of what they select. Pure.
//!
//! An Offering does not name its Catalog. What a Catalog offers is found as the compiler finds it
//! (`compile::resolve::catalogs`), of the objects that are in the management cluster: the Tenants, CatalogEntries and
//! ServiceClusters of the provider.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::compile::route::RouteCrds;
use crate::model::kinds::table::{CATALOG_GROUP, CORE_GROUP};
use crate::model::kinds::{CatalogSpec, LabelSelector};
use crate::model::object::ObjectKey;

/// What a Catalog selects.
struct Selectable<'a> {
    name: &'a str,
    labels: BTreeMap<String, String>,
    /// The CRDs of a CatalogEntry.
    crds: Option<RouteCrds>,
}

/// What Catalogs select, by kind and namespace.
type Index<'a> = BTreeMap<(&'a str, &'a str), Vec<Selectable<'a>>>;

/// The Offerings of each of these Catalogs, as the Catalogs by the Offerings. `all` are the objects of the management
/// cluster. Two Catalogs may have the same Offering.
#[must_use]
pub(super) fn offerings<'a>(
    catalogs: impl Iterator<Item = (ObjectKey, &'a Value)>,
    all: impl Iterator<Item = (&'a ObjectKey, &'a Value)>,
) -> BTreeMap<ObjectKey, Vec<ObjectKey>> {
    let mut catalogs = catalogs.peekable();
    let mut found: BTreeMap<ObjectKey, Vec<ObjectKey>> = BTreeMap::new();
    // The usual plan removes no Catalog.
    if catalogs.peek().is_none() {
        return found;
    }
    let index = index(all);
    for (catalog, body) in catalogs {
        let spec = body.get("spec").and_then(|spec| serde_json::from_value::<CatalogSpec>(spec.clone()).ok());
        let (Some(spec), Some(provider)) = (spec, catalog.namespace.as_deref()) else { continue };
        // Absent selects nothing, empty selects everything.
        let selected = |kind: &'static str, selector: Option<&LabelSelector>| -> Vec<&Selectable<'_>> {
            let Some(selector) = selector else { return Vec::new() };
            let of_kind = index.get(&(kind, provider)).into_iter().flatten();
            of_kind.filter(|one| selector.matches(&one.labels)).collect()
        };
        let clusters: Option<BTreeSet<&str>> = spec
            .service_cluster_selector
            .as_ref()
            .map(|selector| selected("ServiceCluster", Some(selector)).into_iter().map(|one| one.name).collect());
        let tenants = selected("Tenant", spec.tenant_selector.as_ref());
        let entries = selected("CatalogEntry", spec.catalog_entry_selector.as_ref());
        for crds in entries.into_iter().filter_map(|entry| entry.crds.as_ref()) {
            if clusters.as_ref().is_some_and(|clusters| !clusters.contains(crds.cluster.cluster.as_str())) {
                continue;
            }
            for tenant in &tenants {
                let offering = ObjectKey {
                    group: CATALOG_GROUP.to_owned(),
                    kind: "Offering".to_owned(),
                    namespace: Some(tenant.name.to_owned()),
                    name: crds.tenant().to_owned(),
                };
                found.entry(offering).or_default().push(catalog.clone());
            }
        }
    }
    found
}

/// Reads what Catalogs select, each object once.
fn index<'a>(all: impl Iterator<Item = (&'a ObjectKey, &'a Value)>) -> Index<'a> {
    const SELECTED: [(&str, &str); 3] =
        [(CATALOG_GROUP, "CatalogEntry"), (CATALOG_GROUP, "Tenant"), (CORE_GROUP, "ServiceCluster")];
    let mut index = Index::new();
    for (key, body) in all {
        let kind = SELECTED.into_iter().find(|(group, kind)| key.is(group, kind));
        if let (Some((_, kind)), Some(namespace)) = (kind, key.namespace.as_deref()) {
            let crds = (kind == "CatalogEntry").then(|| RouteCrds::read(namespace, body)).flatten();
            let one = Selectable { name: &key.name, labels: labels(body), crds: crds.map(|(crds, _)| crds) };
            index.entry((kind, namespace)).or_default().push(one);
        }
    }
    index
}

fn labels(body: &Value) -> BTreeMap<String, String> {
    let labels = body.pointer("/metadata/labels").and_then(Value::as_object).into_iter().flatten();
    labels.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect()
}

#[cfg(test)]
#[allow(clippy::needless_pass_by_value, reason = "`json!` is written where it is used")]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(kind: &str, name: &str, labels: Value, spec: Value) -> (ObjectKey, Value) {
        let group = if kind == "ServiceCluster" { CORE_GROUP } else { CATALOG_GROUP };
        let (namespace, name) = name.split_once('/').expect("a namespace");
        let key =
            ObjectKey { group: group.into(), kind: kind.into(), namespace: Some(namespace.into()), name: name.into() };
        (key, json!({"metadata": {"name": name, "labels": labels}, "spec": spec}))
    }

    fn entry(name: &str, labels: Value, crd: &str) -> (ObjectKey, Value) {
        let spec = json!({"metadata": {"displayName": "X"}, "baseCRD": {"name": crd}});
        object("CatalogEntry", name, labels, spec)
    }

    /// What a Catalog with this spec offers, of two services in two clusters, to two tenants.
    fn offered(spec: Value) -> Vec<String> {
        let all = [
            object("Tenant", "a/gold", json!({"tier": "gold"}), json!({})),
            object("Tenant", "a/free", json!({}), json!({})),
            object("Tenant", "x/other", json!({"tier": "gold"}), json!({})),
            object("ServiceCluster", "a/eu", json!({"zone": "eu"}), json!({})),
            entry("a/cache.eu", json!({"kind": "cache"}), "caches.internal.eu.a"),
            entry("a/db.us", json!({"kind": "db"}), "dbs.internal.us.a"),
            entry("x/db.us", json!({"kind": "db"}), "dbs.internal.us.x"),
        ];
        let catalog = object("Catalog", "a/main", json!({}), spec);
        let found = offerings(std::iter::once((catalog.0.clone(), &catalog.1)), all.iter().map(|(k, b)| (k, b)));
        assert!(found.values().all(|catalogs| *catalogs == [catalog.0.clone()]));
        found.keys().map(|key| format!("{}/{}", key.namespace.as_deref().unwrap_or_default(), key.name)).collect()
    }

    #[test]
    fn a_catalog_offers_what_it_selects_to_those_whom_it_selects() {
        let (cache, db) = ("caches.internal.eu.a", "dbs.internal.us.a");
        let everything = offered(json!({"catalogEntrySelector": {}, "tenantSelector": {}}));
        assert_eq!(
            everything,
            [format!("free/{cache}"), format!("free/{db}"), format!("gold/{cache}"), format!("gold/{db}")]
        );
        let gold = json!({"matchLabels": {"tier": "gold"}});
        let caches = json!({"matchLabels": {"kind": "cache"}});
        assert_eq!(offered(json!({"catalogEntrySelector": caches, "tenantSelector": gold})), [format!("gold/{cache}")]);
        let eu = json!({"matchLabels": {"zone": "eu"}});
        assert_eq!(
            offered(json!({"catalogEntrySelector": {}, "tenantSelector": gold, "serviceClusterSelector": eu})),
            [format!("gold/{cache}")]
        );
        assert!(offered(json!({"catalogEntrySelector": {}})).is_empty());
        assert!(offered(json!({"tenantSelector": {}})).is_empty());
    }
}
