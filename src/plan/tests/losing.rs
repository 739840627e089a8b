//! Access to instances that stay.

use serde_json::json;

use super::{CRD, ROLE, World, changes, refused, world};
use crate::model::object::ObjectKey;
use crate::plan::build::queries;
use crate::plan::guard::ALLOW_BREAKING;
use crate::plan::losing::Lost;
use crate::plan::text::{TextOptions, text};
use crate::plan::types::{Impact, ObjectRef};

const OFFERING: &str = "catalog.kubecarrier.io/v1alpha1 Offering";

/// The role of a tenant allows caches instead of redis; the old CRD is there, and the Offering may be.
fn renamed(is_offered: bool) -> (World, ObjectKey) {
    let mut world = world();
    let rules =
        |plural: &str| json!({"rules": [{"apiGroups": ["eu.a"], "resources": [plural], "verbs": ["get", "list"]}]});
    let role = world.want(ROLE, "t/tenant", rules("caches"));
    world.have(ROLE, "t/tenant", rules("redis"), "ours");
    let binding = json!({"roleRef": {"kind": "Role", "name": "tenant"}, "subjects": [{"kind": "User", "name": "ann"}]});
    world.want("rbac.authorization.k8s.io/v1 RoleBinding", "t/tenant", binding.clone());
    world.have("rbac.authorization.k8s.io/v1 RoleBinding", "t/tenant", binding, "ours");
    world.have(CRD, "redis.eu.a", json!({}), "ours");
    if is_offered {
        world.have(OFFERING, "t/redis.eu.a", json!({"spec": {"crd": {"name": "redis.eu.a"}}}), "ours");
    }
    (world, role)
}

fn instance() -> ObjectRef {
    ObjectRef {
        cluster: "management".into(),
        api_version: "eu.a/v1".into(),
        kind: "Redis".into(),
        namespace: Some("t".into()),
        name: "cache".into(),
    }
}

#[test]
fn whoever_loses_instances_that_stay_is_named_with_them() {
    let (mut world, role) = renamed(false);
    let lost = queries(&world.wanted, &world.inventory, &world.live, false, &[]).lost;
    let crds = vec![super::super::steps::crd_key("redis.eu.a")];
    assert_eq!(lost, [Lost { role: role.clone(), crds }]);
    let impact = Impact { instances: 1, accounts: 1, left: vec![instance()], ..Impact::default() };
    world.impacts.insert(role.clone(), impact);
    let plan = world.plan();
    assert!(changes(&plan).contains(&"update role t/tenant breaking".to_owned()), "{:?}", changes(&plan));
    assert_eq!(refused(&plan), ["breaking --allow-breaking role/t/tenant"]);
    let message = &plan.refusals[0].message;
    assert!(message.contains("User ann can no longer use 1 instance of a service that stays"), "{message}");
    assert!(message.contains("leaves 1 instance: Redis t/cache"), "{message}");
    let shown = text(&plan, TextOptions::default());
    assert!(shown.contains("      leaves 1 instance: Redis t/cache\n"), "{shown}");
    let world = world.allow(ALLOW_BREAKING, "role/t/tenant");
    assert_eq!(refused(&world.plan()), Vec::<String>::new());

    // Nobody loses anything if another role gives the same, or if there are no instances.
    let (mut world, role) = renamed(false);
    world.impacts.insert(role, Impact::default());
    assert_eq!(refused(&world.plan()), Vec::<String>::new());
}

#[test]
fn what_the_plan_deletes_is_said_there() {
    let (mut world, _) = renamed(true);
    let lost =
        |world: &World, prune: bool| queries(&world.wanted, &world.inventory, &world.live, prune, &[]).lost.len();
    assert_eq!(lost(&world, false), 1, "the offer stays");
    assert_eq!(lost(&world, true), 0, "the offer goes, and the plan says what that leaves");
    // A role that goes by itself takes the access with it.
    world.wanted.retain(|manifest| manifest.id.kind != "Role");
    world.live.objects.retain(|key, _| key.kind != "Offering");
    world.want(CRD, "redis.eu.a", json!({}));
    assert_eq!([lost(&world, false), lost(&world, true)], [0, 1]);
}

#[test]
fn only_instances_of_services_count() {
    let mut world = world();
    let rules = json!({"rules": [{"apiGroups": ["catalog.kubecarrier.io"], "resources": ["offerings"], "verbs": ["get"]},
        {"apiGroups": ["kubecarrier.io"], "resources": ["serviceclusters"], "verbs": ["get"]}]});
    world.have(ROLE, "t/tenant", rules, "ours");
    for crd in ["offerings.catalog.kubecarrier.io", "serviceclusters.kubecarrier.io"] {
        world.want(CRD, crd, json!({}));
        world.have(CRD, crd, json!({}), "ours");
    }
    let lost = queries(&world.wanted, &world.inventory, &world.live, true, &[]).lost;
    assert_eq!(lost, [], "the objects of the catalog are carrier's own");
}
