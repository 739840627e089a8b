//! What an account may not even try is neither accepted nor refused.

use serde_json::json;

use super::{CRD, ROLE, World, crd, rules, world};
use crate::model::object::ObjectKey;
use crate::plan::build::DryRunResult;
use crate::plan::markdown::markdown;
use crate::plan::permissions::Permission;
use crate::plan::saved::differences;
use crate::plan::text::{TextOptions, text};
use crate::plan::types::{ClusterPlan, Effect, Impact, Plan};
use crate::plan::words::{doctor, not_permitted, untried};

fn lacking(verb: &str, namespace: &str) -> DryRunResult {
    let roles = Permission::all(verb, "rbac.authorization.k8s.io", "roles");
    DryRunResult::NotPermitted(vec![roles.within(namespace)])
}

fn line(plan: &Plan, cluster: usize) -> String {
    untried(plan.clusters[cluster].untried.as_ref().expect("something could not be tried"), false)
}

#[test]
fn what_may_not_be_tried_is_said_once_and_not_refused() {
    let mut world = world();
    for namespace in ["a", "b"] {
        let key = world.want(ROLE, &format!("{namespace}/r"), rules("get"));
        world.have(ROLE, &format!("{namespace}/r"), rules("list"), "ours");
        world.answers.insert(key, lacking("patch", namespace));
    }
    let plan = world.plan();
    assert_eq!((plan.refusals.len(), plan.summary.update), (0, 2));
    assert!(plan.changes.iter().all(|change| change.untried && change.refused.is_none()));
    let said = "nothing could be tried in this cluster: the account may not patch roles.rbac.authorization.k8s.io";
    assert_eq!(line(&plan, 0), said);
    let shown = text(&plan, TextOptions::default());
    assert_eq!(shown.matches(said).count(), 1, "{shown}");
    assert!(shown.ends_with("2 to change, 0 to delete; 0 unchanged; 2 not tried.\n"), "{shown}");
    assert!(!shown.contains("refuse"), "{shown}");
    let page = markdown(&plan);
    assert!(
        page.contains(said) && page.contains("`carrier doctor --for plan` lists the missing permissions."),
        "{page}"
    );

    let key = world.want(ROLE, "c/r", rules("get"));
    world.have(ROLE, "c/r", rules("list"), "ours");
    world.answers.insert(key, DryRunResult::Refused("no".into()));
    let plan = world.plan();
    assert!(line(&plan, 0).starts_with("2 of 3 objects could not be tried: the account may not patch roles."));
    assert_eq!(plan.refusals.len(), 1, "what the server says of an object that it was asked about is said");
    let lacks = "management: the account may not patch roles.rbac.authorization.k8s.io";
    assert_eq!(not_permitted(&plan.clusters[0]).as_deref(), Some(lacks));
}

/// A CRD with a narrower bound, of which there are instances that nobody has tried.
fn tightened() -> (World, ObjectKey) {
    let mut world = world();
    let key = world.want(CRD, "as.g.io", crd(json!({"type": "integer", "maximum": 3})));
    world.have(CRD, "as.g.io", crd(json!({"type": "integer"})), "ours");
    let unchecked = Some("the account may not".to_owned());
    world.impacts.insert(key.clone(), Impact { instances: 2, unchecked, ..Impact::default() });
    world.no_trial = vec![Permission::all("create", "apiextensions.k8s.io", "customresourcedefinitions")];
    (world, key)
}

#[test]
fn a_schema_that_could_not_be_tried_is_refused_only_to_those_who_could_apply_it() {
    let (mut world, key) = tightened();
    let plan = world.plan();
    assert_eq!((plan.changes[0].effect, plan.changes[0].untried), (Effect::Tightening, false));
    assert_eq!(plan.refusals.len(), 1, "{:?}", plan.refusals);
    assert!(
        line(&plan, 0).starts_with("instances could not be tried under the new schemas: the account may not create ")
    );
    assert_eq!(doctor(&plan).as_deref(), Some("doctor --for trial"));
    assert_eq!(not_permitted(&plan.clusters[0]), None);

    let crds = Permission::all("patch", "apiextensions.k8s.io", "customresourcedefinitions");
    world.answers.insert(key, DryRunResult::NotPermitted(vec![crds]));
    let plan = world.plan();
    assert_eq!(plan.refusals, []);
    assert!(line(&plan, 0).starts_with("nothing could be tried in this cluster: the account may not patch customres"));
    assert_eq!(doctor(&plan).as_deref(), Some("doctor --for plan --for trial"));
    // What is known is refused all the same.
    world.impacts.values_mut().for_each(|impact| impact.invalid_count = 1);
    assert_eq!(world.plan().refusals.len(), 1);
}

#[test]
fn another_account_applies_a_saved_plan_that_could_not_be_tried() {
    let mut world = world();
    let key = world.want(ROLE, "a/r", rules("get"));
    world.have(ROLE, "a/r", rules("list"), "ours");
    world.answers.insert(key, lacking("patch", "a"));
    let saved = world.plan();
    assert_eq!(doctor(&saved).as_deref(), Some("doctor --for plan"));
    world.answers.clear();
    assert_eq!(differences(&saved, &world.plan()), Vec::<String>::new());
    // The server would fill in what was taken for a change.
    let unchanged = Plan {
        changes: Vec::new(),
        clusters: vec![ClusterPlan { unchanged: 1, untried: None, ..saved.clusters[0].clone() }],
        ..saved.clone()
    };
    assert_eq!(differences(&saved, &unchanged), Vec::<String>::new());
    assert_eq!(differences(&unchanged, &saved).len(), 1);
}
