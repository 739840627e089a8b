//! What is being deleted: listed with what holds it, in the way of nothing but what needs it.

use serde_json::json;

use super::{CRD, ROLE, World, changes, refused, rules, world};
use crate::model::object::ObjectKey;
use crate::plan::going::Instances;
use crate::plan::holder::{Holder, Record};
use crate::plan::markdown::markdown;
use crate::plan::text::{TextOptions, text};

/// Marks a live object as one that is being deleted.
fn delete(world: &mut World, key: &ObjectKey, finalizers: &[&str]) {
    let metadata = &mut world.live.objects.get_mut(key).expect("it is there").body["metadata"];
    metadata["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
    metadata["finalizers"] = json!(finalizers);
}

#[test]
fn a_namespace_in_deletion_holds_up_only_what_is_in_it() {
    let mut world = world();
    let namespace = world.want("v1 Namespace", "team-b", json!({}));
    world.have("v1 Namespace", "team-b", json!({}), "ours");
    delete(&mut world, &namespace, &[]);
    let body = &mut world.live.objects.get_mut(&namespace).expect("it is there").body;
    body["status"] = json!({"conditions": [{"type": "NamespaceFinalizersRemaining", "status": "True",
        "message": "x/y in 1 resource instances"}]});
    world.want(ROLE, "team-b/new", rules("get"));
    world.want(ROLE, "team-b/changed", rules("list"));
    world.have(ROLE, "team-b/changed", rules("get"), "ours");
    world.want(ROLE, "team-c/new", rules("get"));
    let plan = world.plan();
    assert_eq!(changes(&plan), ["create role team-c/new safe"]);
    assert_eq!(refused(&plan), Vec::<String>::new());
    assert!(plan.is_held_up());
    let going = &plan.going[0];
    assert_eq!((plan.going.len(), going.wanted, going.held, going.waiting), (1, true, true, 2));
    let line = "Namespace team-b is being deleted since 2026-01-01T00:00:00Z: the server says “x/y in 1 resource instances”; \
                the repository has it and 2 objects that need it, so apply again when it is gone";
    let shown = text(&plan, TextOptions::default());
    assert!(shown.contains(&format!("1 object is being deleted:\n  {line}\n")), "{shown}");
    assert!(shown.ends_with("0 unchanged; 1 object is being deleted.\n"), "{shown}");
    let summary = text(&plan, TextOptions { summary: true, ..TextOptions::default() });
    assert!(summary.contains(line), "{summary}");
    assert!(markdown(&plan).contains("1 object is being deleted:\n\n- `Namespace team-b`"), "{}", markdown(&plan));
}

#[test]
fn a_crd_in_deletion_is_listed_with_the_instances_that_hold_it() {
    let mut world = world();
    let crd = world.want(
        CRD,
        "as.b.c",
        json!({"spec": {"group": "b.c", "names": {"kind": "A", "plural": "as"},
        "scope": "Namespaced", "versions": [{"name": "v1", "storage": true}]}}),
    );
    world.have(CRD, "as.b.c", json!({}), "ours");
    delete(&mut world, &crd, &["customresourcecleanup.apiextensions.k8s.io"]);
    world.want("b.c/v1 A", "t/a", json!({}));
    let left = Instances {
        count: 1,
        first: vec!["t/cache".into()],
        finalizers: ["carrier.kubecarrier.io/sync".to_owned()].into(),
        unknown: None,
    };
    assert_eq!(
        super::queries(&world.wanted, &world.inventory, &world.live, false, &[]).going_crds,
        std::slice::from_ref(&crd)
    );
    world.instances.insert(crd, left);
    let plan = world.plan();
    assert_eq!(changes(&plan), Vec::<String>::new());
    assert!(plan.is_held_up() && !plan.changes_anything());
    let shown = text(&plan, TextOptions::default());
    let cause = "1 instance is left (t/cache), which the finalizer carrier.kubecarrier.io/sync holds";
    assert!(shown.contains(cause), "{shown}");
    assert!(shown.contains("the repository has it and 1 object that needs it"), "{shown}");
    assert!(shown.ends_with("No changes: 0 objects match the repository; 1 object is being deleted.\n"), "{shown}");
}

#[test]
fn what_the_repository_no_longer_has_is_listed_until_it_is_gone() {
    let mut world = world();
    world.want(ROLE, "a/r", rules("get"));
    world.have(ROLE, "a/r", rules("get"), "ours");
    let account = world.have("catalog.kubecarrier.io/v1alpha1 Account", "old", json!({}), "ours");
    let role = world.have(ROLE, "a/old", rules("get"), "ours");
    delete(&mut world, &account, &["catalog.kubecarrier.io/account"]);
    delete(&mut world, &role, &["foregroundDeletion"]);
    for prune in [false, true] {
        world.prune = prune;
        let plan = world.plan();
        assert_eq!((changes(&plan), plan.kept.len()), (vec![], 0), "it neither stays nor is it deleted again");
        let going: Vec<(&str, bool)> =
            plan.going.iter().map(|going| (going.object.kind.as_str(), going.held)).collect();
        assert_eq!(going, [("Account", true), ("Role", false)]);
        assert!(plan.is_held_up());
    }
    world.live.objects.remove(&account);
    assert!(!world.plan().is_held_up(), "the server finishes the other one by itself");
    // One of somebody else is not ours to tell of.
    world.live.objects.remove(&role);
    let other = world.have(ROLE, "a/theirs", rules("get"), "theirs");
    delete(&mut world, &other, &["x/y"]);
    assert_eq!(world.plan().going, []);
}

#[test]
fn a_namespace_of_records_in_deletion_holds_up_its_cluster_and_all_deletions() {
    let mut world = world();
    let system = world.want("v1 Namespace", "kubecarrier-system", json!({}));
    world.have("v1 Namespace", "kubecarrier-system", json!({}), "nobody's");
    world.want(ROLE, "a/new", rules("get"));
    world.want(ROLE, "a/changed", rules("list"));
    world.have(ROLE, "a/changed", rules("get"), "ours");
    world.have(ROLE, "a/old", rules("get"), "ours");
    world.record.holder = Holder::Absent;
    world.prune = true;
    assert!(world.plan().changes_anything());
    delete(&mut world, &system, &[]);
    let plan = world.plan();
    assert_eq!((changes(&plan), refused(&plan)), (vec![], vec![]));
    assert!(!plan.changes_anything() && plan.is_held_up(), "not even the record");
    let line = "Namespace kubecarrier-system is being deleted since 2026-01-01T00:00:00Z: the API server has not finished \
                yet; the record of the inventory is kept in this namespace (2 objects wait): until it is gone, nothing is \
                applied in this cluster and nothing is deleted in any cluster; then apply again\n";
    let shown = text(&plan, TextOptions::default());
    assert!(shown.contains(line), "{shown}");
    let stays = "1 object that the repository no longer has would stay; nothing is deleted while the record of an inventory \
                 cannot be written:\n  Role a/old\n";
    assert!(shown.contains(stays), "{shown}");
    assert!(markdown(&plan).contains("would stay; nothing is deleted while"), "{}", markdown(&plan));
    // Also where the repository has nothing any more: what it had has to go some day.
    world.wanted.clear();
    let plan = world.plan();
    assert!(plan.is_held_up() && plan.changes.is_empty() && plan.going.len() == 1, "{:?}", plan.going);
}

#[test]
fn the_record_of_an_inventory_in_deletion_is_listed_and_written() {
    let mut world = world();
    world.want(ROLE, "a/r", rules("get"));
    world.have(ROLE, "a/r", rules("get"), "ours");
    let kinds = super::super::parent::kinds(&world.wanted);
    let mut record = world.inventory.parent(&kinds, &[].into(), None);
    record["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
    record["metadata"]["finalizers"] = json!(["x/y"]);
    let settled = Record::of(&world.inventory, Ok(Some(&record)));
    world.record = settled;
    world.want(ROLE, "a/new", rules("get"));
    let plan = world.plan();
    assert_eq!(changes(&plan), ["create role a/new safe"]);
    assert!(plan.is_held_up());
    let line = "ConfigMap kubecarrier-system/carrier-carrier is being deleted since 2026-01-01T00:00:00Z: the finalizer x/y \
                holds it; the repository has it, so apply again when it is gone\n";
    let shown = text(&plan, TextOptions::default());
    assert!(shown.contains(line), "{shown}");
}
