//! Changes that follow from one object of the repository are allowed by its name.

use serde_json::json;

use super::{CRD, ROLE, World, crd, refused, rules, world};
use crate::plan::guard::{ALLOW_BREAKING, ALLOW_DELETE};
use crate::plan::types::{Impact, ObjectRef};

/// A retired service of three tenants, with instances of two of them.
fn retired() -> World {
    let mut world = world();
    world.prune = true;
    world.max_prune = Some(99);
    world.want(ROLE, "m/r", rules("get"));
    let catalog = "catalog.kubecarrier.io/v1alpha1";
    world.have(&format!("{catalog} CatalogEntrySet"), "a/cache", json!({}), "ours");
    let derive = json!({"expose": [{"versions": ["v1"], "fields": [{"jsonPath": ".spec.size"}]}]});
    let base = json!({"name": "caches.internal.eu.a"});
    let spec = json!({"metadata": {"displayName": "X"}, "baseCRD": base, "derive": derive});
    let entry = world.have(&format!("{catalog} CatalogEntry"), "a/cache.eu", json!({"spec": spec}), "ours");
    let labels = &mut world.live.objects.get_mut(&entry).expect("it is there").body["metadata"]["labels"];
    labels["catalogentries.kubecarrier.io/controlled-by"] = json!("cache");
    world.have(CRD, "caches.internal.eu.a", json!({}), "ours");
    let crd = world.have(CRD, "caches.eu.a", json!({}), "ours");
    for tenant in ["b", "c", "d"] {
        let spec = json!({"spec": {"crd": {"name": "caches.eu.a"}}});
        world.have(&format!("{catalog} Offering"), &format!("{tenant}/caches.eu.a"), spec, "ours");
    }
    let instance = |namespace: &str| ObjectRef {
        cluster: "management".into(),
        api_version: "eu.a/v1".into(),
        kind: "Cache".into(),
        namespace: Some(namespace.into()),
        name: "one".into(),
    };
    let (destroyed, destroyed_uids) = (vec![instance("b"), instance("c")], vec!["u".to_owned(), "v".to_owned()]);
    let impact =
        Impact { instances: 2, accounts: 2, destroyed, destroyed_count: 2, destroyed_uids, ..Impact::default() };
    world.impacts.insert(crd, impact);
    world
}

#[test]
fn deletions_are_allowed_by_the_object_that_they_follow_from() {
    let plan = retired().plan();
    assert_eq!(refused(&plan), ["destructive --allow-delete catalogentryset/a/cache"]);
    let message = &plan.refusals[0].message;
    let said = "CatalogEntrySet a/cache is no longer in the repository, and 7 objects would be deleted with it, among them CRD ";
    assert!(message.starts_with(said), "{message}");
    assert!(message.ends_with(" (destroys 2 instances: Cache b/one, Cache c/one)"), "{message}");
    for (flag, name, left) in [
        (ALLOW_DELETE, "catalogentryset/a/cache", vec![]),
        // The entry is one of those that follow from the set; the set itself has no effect.
        (ALLOW_DELETE, "catalogentry/a/cache.eu", vec![]),
        (
            ALLOW_BREAKING,
            "catalogentryset/a/cache",
            vec!["destructive --allow-delete crd/caches.eu.a", "destructive --allow-delete crd/caches.internal.eu.a"],
        ),
        (ALLOW_DELETE, "catalogentryset/a/other", vec!["destructive --allow-delete catalogentryset/a/cache"]),
        (ALLOW_DELETE, "account/a", vec!["destructive --allow-delete catalogentryset/a/cache"]),
    ] {
        assert_eq!(refused(&retired().allow(flag, name).plan()), left, "{flag} {name}");
    }
}

#[test]
fn what_could_not_be_counted_is_not_allowed_by_its_cause() {
    let mut world = retired();
    let impact = world.impacts.values_mut().next().expect("of the CRD");
    impact.unchecked = Some("forbidden".into());
    let plan = world.allow(ALLOW_DELETE, "catalogentryset/a/cache").plan();
    assert_eq!(refused(&plan), ["destructive --allow-delete crd/caches.eu.a"]);
}

#[test]
fn breaking_changes_of_crds_are_allowed_by_what_they_are_made_from() {
    let mut world = world();
    let key = world.want(CRD, "caches.eu.a", crd(json!({"type": "integer"})));
    world.have(CRD, "caches.eu.a", crd(json!({"type": "string"})), "ours");
    let catalog = "catalog.kubecarrier.io/v1alpha1";
    let labels = json!({"catalogentries.kubecarrier.io/controlled-by": "cache"});
    let derive = json!({"expose": [{"versions": ["v1"], "fields": [{"jsonPath": ".size"}]}]});
    let spec = json!({"metadata": {"displayName": "X"}, "baseCRD": {"name": "caches.internal.eu.a"}, "derive": derive});
    let metadata = json!({"name": "cache.eu", "namespace": "a", "labels": labels});
    world.want(&format!("{catalog} CatalogEntry"), "a/cache.eu", json!({"spec": spec, "metadata": metadata}));
    world.want(&format!("{catalog} CatalogEntrySet"), "a/cache", json!({}));
    world.impacts.insert(key, Impact::default());
    let plan = world.plan();
    assert_eq!(refused(&plan), ["breaking --allow-breaking crd/caches.eu.a"]);
    let causes: Vec<&str> = plan.changes[0].causes.iter().map(|cause| cause.kind.as_str()).collect();
    assert_eq!(causes, ["CatalogEntrySet", "CatalogEntry"]);
    assert_eq!(refused(&world.allow(ALLOW_BREAKING, "catalogentryset/a/cache").plan()), Vec::<String>::new());
}

/// A Catalog that is gone, of two; all offers stay in the repository but its own.
fn without_catalog() -> World {
    let mut world = world();
    world.prune = true;
    world.max_prune = Some(99);
    world.want(ROLE, "m/r", rules("get"));
    let catalog = "catalog.kubecarrier.io/v1alpha1";
    let labels = |key: &str, value: &str, name: &str| json!({"name": name, "namespace": "a", "labels": {key: value}});
    for (name, tier) in [("main", "gold"), ("trial", "free")] {
        let tenants = json!({"matchLabels": {"tier": tier}});
        let spec = json!({"catalogEntrySelector": {}, "tenantSelector": tenants});
        let key = world.have(&format!("{catalog} Catalog"), &format!("a/{name}"), json!({"spec": spec}), "ours");
        if name == "trial" {
            let body = world.live.objects[&key].body.clone();
            world.want(&format!("{catalog} Catalog"), "a/trial", json!({"spec": body["spec"]}));
        }
    }
    let spec = json!({"metadata": {"displayName": "X"}, "baseCRD": {"name": "caches.internal.eu.a"}});
    world.have(&format!("{catalog} CatalogEntry"), "a/cache.eu", json!({"spec": spec}), "ours");
    world.want(&format!("{catalog} CatalogEntry"), "a/cache.eu", json!({"spec": spec}));
    for (tenant, tier) in [("b", "gold"), ("c", "gold"), ("d", "gold"), ("e", "gold"), ("f", "free")] {
        let kind = format!("{catalog} Tenant");
        let name = format!("a/{tenant}");
        let key = world.have(&kind, &name, json!({}), "ours");
        let body = &mut world.live.objects.get_mut(&key).expect("it is there").body;
        body["metadata"]["labels"]["tier"] = json!(tier);
        world.want(&kind, &name, json!({"metadata": labels("tier", tier, tenant)}));
        let spec = json!({"spec": {"crd": {"name": "caches.internal.eu.a"}}});
        world.have(&format!("{catalog} Offering"), &format!("{tenant}/caches.internal.eu.a"), spec, "ours");
    }
    world
}

#[test]
fn offerings_follow_from_the_catalog_that_selects_them() {
    let own = "breaking --allow-breaking offering/f/caches.internal.eu.a";
    let plan = without_catalog().plan();
    assert_eq!(refused(&plan), [own, "breaking --allow-breaking catalog/a/main"]);
    let message = &plan.refusals[1].message;
    let said =
        "Catalog a/main is no longer in the repository, and 5 objects would be deleted with it, among them Offering ";
    assert!(message.starts_with(said), "{message}");
    for (flag, name, left) in [
        (ALLOW_DELETE, "catalog/a/main", vec![own]),
        (ALLOW_BREAKING, "catalog/a/main", vec![own]),
        // The repository still has it.
        (ALLOW_DELETE, "catalog/a/trial", vec![own, "breaking --allow-breaking catalog/a/main"]),
    ] {
        assert_eq!(refused(&without_catalog().allow(flag, name).plan()), left, "{flag} {name}");
    }
}
