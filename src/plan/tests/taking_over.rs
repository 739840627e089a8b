//! What is not of this repository: objects that exist without a mark of carrier's, and inventories of other repositories.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{CRD, LiveObject, ROLE, World, changes, crd, queries, refused, rules, world};
use crate::model::cluster::{ClusterId, Target};
use crate::plan::adoption::ADOPT;
use crate::plan::build::DryRunResult;
use crate::plan::holder::{Holder, Record};
use crate::plan::inventory;
use crate::plan::live::{Other, PART_OF};
use crate::plan::markdown::markdown;
use crate::plan::take_over::TAKE_OVER_FROM;
use crate::plan::text::{TextOptions, text};
use crate::plan::types::Change;

#[test]
fn what_exists_without_a_mark_is_adopted_only_by_its_flag() {
    let mut world = world();
    world.want("v1 Namespace", "argocd", json!({}));
    world.have("v1 Namespace", "argocd", json!({}), "nobody's");
    world.want(CRD, "a.b", crd(json!({"type": "integer", "maximum": 3})));
    world.have(CRD, "a.b", crd(json!({"type": "integer"})), "nobody's");
    let plan = world.plan();
    // The graver effect hides the adoption from the column, and not from the guard.
    assert_eq!(changes(&plan), ["update namespace argocd adopting", "update crd a.b tightening"]);
    assert!(plan.changes.iter().all(Change::adopts));
    assert_eq!(refused(&plan), ["adoption --adopt crd/a.b", "adoption --adopt namespace/argocd"]);
    assert!(plan.changes[0].reasons[0].text.contains("`--prune` can delete it with all of that"));
    let shown = text(&plan, TextOptions { summary: true, ..TextOptions::default() });
    assert!(shown.contains("Namespace argocd") && shown.contains("1 adopting"), "{shown}");
    let world = world.allow(ADOPT, "namespace/argocd");
    assert_eq!(refused(&world.plan()), ["adoption --adopt crd/a.b"]);
    assert_eq!(refused(&world.allow(ADOPT, "all").plan()), Vec::<String>::new());
}

#[test]
fn an_object_with_a_mark_of_carriers_is_no_adoption() {
    let mut world = world();
    let key = world.want(ROLE, "a/r", rules("list"));
    world.have(ROLE, "a/r", rules("get"), "ours");
    // A backup tool has restored it: the label is there, and the tool owns it.
    let restored = |world: &mut World, manager: &str, operation: &str, labels: Value| {
        let body = &mut world.live.objects.get_mut(&key).expect("it is there").body;
        body["metadata"]["labels"] = labels;
        let fields = json!({"f:rules": {}});
        body["metadata"]["managedFields"] = json!([{"manager": manager, "operation": operation, "fieldsV1": fields}]);
        let plan = world.plan();
        (plan.changes[0].adopts(), plan.refusals.len())
    };
    let label = json!({PART_OF: world.inventory.id});
    assert_eq!(restored(&mut world, "velero-server", "Update", label), (false, 0));
    // An earlier run has applied it, and somebody has removed the label.
    assert_eq!(restored(&mut world, "carrier", "Apply", json!({})), (false, 0));
    assert_eq!(restored(&mut world, "kustomize-controller", "Apply", json!({})), (true, 1));
    // What all repositories share belongs to no inventory.
    let mut world = super::world();
    world.want("v1 ServiceAccount", "kubecarrier-system/carrier-sync", json!({}));
    world.have("v1 ServiceAccount", "kubecarrier-system/carrier-sync", json!({"secrets": []}), "nobody's");
    world.want(CRD, "accounts.catalog.kubecarrier.io", json!({"spec": {"group": "catalog.kubecarrier.io"}}));
    world.have(
        CRD,
        "accounts.catalog.kubecarrier.io",
        json!({"spec": {"group": "catalog.kubecarrier.io"}}),
        "nobody's",
    );
    assert!(world.plan().changes.iter().all(|change| !change.adopts()));
    assert_eq!(refused(&world.plan()), Vec::<String>::new());
}

#[test]
fn the_namespace_that_sync_made_for_a_tenant_is_no_adoption() {
    use crate::model::keys::{MANAGEMENT_CLUSTER, PROVIDER, SERVICE_CLUSTER, TENANT};
    let mut world = world();
    world.target = Target::Service(ClusterId::new("team-a", "eu"));
    let labels =
        |uid: &str| json!({PROVIDER: "team-a", SERVICE_CLUSTER: "eu", TENANT: "team-b", MANAGEMENT_CLUSTER: uid});
    world.want("v1 Namespace", "team-b-x", json!({"metadata": {"name": "team-b-x", "labels": labels("u")}}));
    let made_by = |world: &mut World, uid: &str| {
        let more = json!({"metadata": {"name": "team-b-x", "labels": labels(uid), "uid": "u1"}});
        let key = world.have("v1 Namespace", "team-b-x", json!({}), "nobody's");
        world.live.objects.get_mut(&key).expect("it is there").body["metadata"] = more["metadata"].clone();
        refused(&world.plan())
    };
    assert_eq!(made_by(&mut world, "u"), Vec::<String>::new());
    assert_eq!(made_by(&mut world, "other"), ["adoption --adopt team-a/eu:namespace/team-b-x"]);
}

#[test]
fn many_adoptions_are_one_line() {
    let mut world = world();
    for n in 0..56 {
        let key = world.want(ROLE, &format!("a/r{n:02}"), rules("get"));
        world.have(ROLE, &format!("a/r{n:02}"), rules("get"), "nobody's");
        let adopted = world.inventory.label(&world.live.objects[&key].body);
        world.answers.insert(key, DryRunResult::Accepted(adopted));
    }
    world.want("v1 Namespace", "argocd", json!({}));
    world.have("v1 Namespace", "argocd", json!({}), "nobody's");
    let plan = world.plan();
    let mut flags = refused(&plan);
    flags.sort();
    assert_eq!(flags, ["adoption --adopt all", "adoption --adopt namespace/argocd"]);
    let what = "56 objects of the kind Role (a/r00, a/r01, a/r02 and 53 more)";
    assert!(plan.refusals.iter().any(|refusal| refusal.message.starts_with(what)), "{:?}", plan.refusals);
    let shown = text(&plan, TextOptions::default());
    assert!(shown.contains(&format!("~ {what}")) && !shown.contains("a/r07"), "{shown}");
    assert!(shown.contains("~ Namespace argocd") && shown.contains("57 adopting"), "{shown}");
    let whole = text(&plan, TextOptions { all: true, ..TextOptions::default() });
    assert!(whole.contains("Role a/r07"), "{whole}");
    let comment = markdown(&plan);
    assert!(comment.contains(what) && !comment.contains("a/r07"), "{comment}");
    // Of several kinds, the kinds are named.
    let key = world.want("rbac.authorization.k8s.io/v1 RoleBinding", "a/b", json!({}));
    world.have("rbac.authorization.k8s.io/v1 RoleBinding", "a/b", json!({}), "nobody's");
    let adopted = world.inventory.label(&world.live.objects[&key].body);
    world.answers.insert(key, DryRunResult::Accepted(adopted));
    let shown = text(&world.plan(), TextOptions::default());
    assert_eq!(shown.matches("57 objects (56 Role, 1 RoleBinding)").count(), 2, "{shown}");
    // A role that changes besides is shown by itself.
    world.answers.clear();
    let key = world.want(ROLE, "a/r56", rules("list"));
    world.have(ROLE, "a/r56", rules("get"), "nobody's");
    let mut answer = world.inventory.label(&world.live.objects[&key].body);
    answer["rules"] = rules("list")["rules"].clone();
    world.answers.insert(key, DryRunResult::Accepted(answer));
    let shown = text(&world.plan(), TextOptions::default());
    assert!(shown.contains("~ Role a/r56") && shown.contains("/rules/0/verbs/0"), "{shown}");
}

#[test]
fn an_inventory_of_another_repository_is_refused_and_one_of_none_is_taken_up() {
    let mut world = world();
    let other = "fedcba9876543210fedcba9876543210";
    world.record.holder = Holder::Other(Some(other.into()));
    let plan = world.plan();
    assert_eq!(refused(&plan), ["foreign-repository no flag"]);
    assert!(plan.refusals[0].message.contains(other), "{:?}", plan.refusals);

    world.record.holder = Holder::Nobody;
    let plan = world.plan();
    assert!(plan.refusals.is_empty() && plan.changes.is_empty() && plan.changes_anything());
    let shown = text(&plan, TextOptions::default());
    assert!(shown.contains("gets the identity of this one"), "{shown}");
    assert!(shown.ends_with("; 1 inventory gets the identity of this repository.\n"), "{shown}");
    assert!(markdown(&plan).contains("gets the identity of this one"));

    // What nobody says to be this repository's is not deleted in the same run, as after the loss of the record.
    let old = world.have(ROLE, "a/old", rules("get"), "ours");
    for holder in [Holder::Nobody, Holder::Absent] {
        world.record.holder = holder;
        world.prune = false;
        assert_eq!(refused(&world.plan()), Vec::<String>::new());
        world.prune = true;
        let plan = world.plan();
        assert!(
            plan.refusals.iter().any(|refusal| refusal.message.contains("apply once without `--prune`")),
            "{:?}",
            plan.refusals
        );
    }
    world.prune = false;
    world.live.objects.remove(&old);

    // Nor what somebody else than carrier says to be this repository's.
    let old = world.have(ROLE, "a/old", rules("get"), "ours");
    world.record = Record { named_by: Some("kubectl-annotate".into()), ..Record::default() };
    assert_eq!(refused(&world.plan()), Vec::<String>::new());
    world.prune = true;
    let refusals = world.plan().refusals;
    assert!(refusals.iter().any(|one| one.message.contains("kubectl-annotate and not carrier")), "{refusals:?}");
    world.prune = false;
    world.live.objects.remove(&old);

    world.record.holder = Holder::Unknown("forbidden".into());
    let plan = world.plan();
    assert!(!plan.changes_anything() && plan.refusals.is_empty());
    assert!(text(&plan, TextOptions::default()).contains("could not be read") && markdown(&plan).contains("forbidden"));
}

#[test]
fn a_record_that_somebody_has_changed_is_repaired_in_the_plan() {
    let mut world = world();
    let key = world.want(ROLE, "a/same", rules("get"));
    world.have(ROLE, "a/same", rules("get"), "ours");
    let kinds = [(key.group, key.kind)].into();
    let mut record = world.inventory.parent(&kinds, &[].into(), Some("r"));
    record["metadata"]["managedFields"] = json!([{"manager": "carrier", "operation": "Apply", "fieldsV1": {"f:metadata": {
        "f:labels": {"f:applyset.kubernetes.io/id": {}},
        "f:annotations": {"f:applyset.kubernetes.io/tooling": {}, "f:applyset.kubernetes.io/contains-group-kinds": {}}}}}]);
    let plan_of = |world: &mut World, record: &Value| {
        world.record = Record::of(&world.inventory, Ok(Some(record)));
        world.plan()
    };
    assert!(!plan_of(&mut world, &record).changes_anything());
    record["metadata"]["annotations"]["applyset.kubernetes.io/contains-group-kinds"] = json!("foo,,Bar.!!");
    record["metadata"]["annotations"]["carrier.kubecarrier.io/taken-inventories"] = json!("{broken");
    let plan = plan_of(&mut world, &record);
    assert!(plan.changes_anything() && plan.changes.is_empty() && plan.refusals.is_empty());
    let shown = text(&plan, TextOptions::default());
    let expected = "management: no changes, 1 object
  ~ the record of the inventory, ConfigMap kubecarrier-system/carrier-carrier, is repaired
      ~ /metadata/annotations/applyset.kubernetes.io~1contains-group-kinds: \"foo,,Bar.!!\" -> \"Role.rbac.authorization.k8s.io\"
      - /metadata/annotations/carrier.kubecarrier.io~1taken-inventories: \"{broken\"
      “{broken” names no inventory: ";
    assert!(shown.starts_with(expected), "{shown}");
    assert!(shown.ends_with("; the record of 1 inventory is repaired.\n"), "{shown}");
    let comment = markdown(&plan);
    assert!(comment.contains("ConfigMap kubecarrier-system/carrier-carrier, is repaired"), "{comment}");
    assert!(comment.contains("`\"foo,,Bar.!!\"` → `\"Role.rbac.authorization.k8s.io\"`"), "{comment}");
    // What does not fit into a comment is counted.
    let mut long = plan.clone();
    let repair = long.clusters[0].inventory_repair.as_mut().expect("a repair");
    repair.notes = (0..50).map(|n| format!("{n} {}", "x".repeat(2_000))).collect();
    let comment = markdown(&long);
    assert!(comment.contains("is repaired") && comment.contains(" more lines\n"), "{}", comment.len());
    let json = serde_json::to_value(&plan).expect("plain data");
    assert_eq!(json["clusters"][0]["inventory_repair"]["fields"][1]["before"], "{broken");
    assert!(jsonschema::draft7::is_valid(&crate::plan::json::schema(), &json));
    // The record of another repository is not touched, and nobody's is repaired and claimed.
    let ours = "0123456789abcdef0123456789abcdef";
    world.inventory = world.inventory.clone().held_by(Some(ours));
    assert!(plan_of(&mut world, &record).clusters[0].inventory_repair.is_some());
    record["metadata"]["annotations"]["carrier.kubecarrier.io/repository"] = json!("fedcba9876543210fedcba9876543210");
    assert_eq!(plan_of(&mut world, &record).clusters[0].inventory_repair, None);
}

#[test]
fn another_inventory_is_taken_over_by_its_name() {
    let mut world = world();
    let key = world.want(ROLE, "a/moved", rules("list"));
    world.have(ROLE, "a/moved", rules("list"), "theirs");
    world.have(ROLE, "a/left", rules("list"), "theirs");
    let flag = "inventory/carrier-other";
    let take = |world: World| {
        let world = world.allow(ADOPT, flag);
        let names = super::super::others::allowed(&world.allowed, "management");
        let inventory = world.inventory.clone().taking_over(names);
        World { inventory, ..world }
    };
    assert_eq!(refused(&world.plan()).len(), 1);
    // `all` stands for what was shown without a word about whose it is.
    let world = world.allow(ADOPT, "all");
    assert_eq!(refused(&world.plan()).len(), 1);

    let mut world = take(world);
    assert_eq!(super::queries(&world.wanted, &world.inventory, &world.live, true, &[]).dry_run, [key]);
    let plan = world.plan();
    assert_eq!((changes(&plan), refused(&plan)), (vec!["update role a/moved adopting".to_owned()], vec![]));
    assert_eq!(plan.changes[0].taken_from.as_deref(), Some("carrier-other"));
    assert_eq!(plan.changes[0].reasons[0].text, "it is taken over from the inventory carrier-other");
    assert_eq!(plan.kept.len(), 1, "what that inventory has besides stays, and is listed");
    assert_eq!(plan.clusters[0].inherited, [super::super::inventory::id_of("carrier-other")]);
    // The record of that run: what it kept is still a member without the flag, and what is wanted is refused again.
    let mut later = super::world();
    later.want(ROLE, "a/moved", rules("list"));
    later.have(ROLE, "a/moved", rules("list"), "theirs");
    later.have(ROLE, "a/left", rules("list"), "theirs");
    let taken = plan.clusters[0].inherited.iter().cloned().collect();
    let mut record = later.inventory.parent(&BTreeSet::new(), &taken, None);
    // Somebody else has written the same: nothing of that inventory becomes this one's, also with `--prune`.
    let annotations = json!({"f:carrier.kubecarrier.io/taken-inventories": {}});
    record["metadata"]["managedFields"] = json!([{"manager": "kubectl-annotate", "operation": "Update",
        "fieldsV1": {"f:metadata": {"f:annotations": annotations}}}]);
    later.inventory.inherit(Some(&record));
    later.prune = true;
    let plan = later.plan();
    assert_eq!((changes(&plan), plan.kept.len(), refused(&plan).len()), (vec![], 0, 1));
    later.prune = false;
    record["metadata"]["managedFields"][0]["manager"] = json!("carrier");
    record["metadata"]["managedFields"][0]["operation"] = json!("Apply");
    later.inventory.inherit(Some(&record));
    let plan = later.plan();
    assert_eq!((plan.kept.len(), refused(&plan).len()), (1, 1));
    // Nothing is deleted by what is seen for the first time.
    world.prune = true;
    let plan = world.plan();
    assert_eq!(refused(&plan), ["foreign-repository no flag"]);
    assert!(plan.refusals[0].message.contains("apply once without `--prune`"), "{:?}", plan.refusals);
    // Also if the repository has none of its objects; once carrier has recorded it, they are deleted.
    world.wanted.clear();
    world.live.objects.retain(|key, _| key.name == "left");
    world.want(ROLE, "a/same", rules("get"));
    world.have(ROLE, "a/same", rules("get"), "ours");
    let plan = world.plan();
    assert_eq!((changes(&plan).len(), refused(&plan)), (1, vec!["foreign-repository no flag".to_owned()]));
    world.inventory.inherit(Some(&record));
    assert!(refused(&world.plan()).iter().all(|refusal| !refusal.starts_with("foreign-repository")));

    // A copy that somebody has made of a member is not a member of that inventory either.
    let mut copied = take(super::world());
    copied.want(ROLE, "a/copy", rules("list"));
    let key = copied.have(ROLE, "a/copy", rules("list"), "theirs");
    let copy = &mut copied.live.objects.get_mut(&key).expect("it is there").body;
    copy["metadata"]["managedFields"][0]["manager"] = json!("kubectl");
    assert_eq!(refused(&copied.plan()), ["adoption --adopt role/a/copy"]);
}

#[test]
fn an_update_in_which_no_value_changes_says_why_it_is_there() {
    let mut world = world();
    let of_sync = "rbac.authorization.k8s.io/v1 ClusterRole";
    let key = world.want(of_sync, "kubecarrier:sync", rules("get"));
    world.have(of_sync, "kubecarrier:sync", rules("get"), "nobody's");
    let mut owned = world.live.objects[&key].body.clone();
    let entry = |fields: Value| json!([{"manager": "carrier", "operation": "Apply", "fieldsV1": fields}]);
    owned["metadata"]["managedFields"] = entry(json!({"f:rules": {}}));
    world.answers.insert(key.clone(), DryRunResult::Accepted(owned));
    let reason = |world: &World| {
        let plan = world.plan();
        let reasons: Vec<&str> = plan.changes[0].reasons.iter().map(|reason| reason.text.as_str()).collect();
        let shown = text(&plan, TextOptions::default());
        assert!(
            shown.contains(&format!("~ ClusterRole kubecarrier:sync  a.yaml:2:2\n      {}\n", reasons[0])),
            "{shown}"
        );
        assert!(markdown(&plan).contains(reasons[0]));
        reasons.join("; ")
    };
    let becomes = "no value changes; carrier becomes a manager of the fields that the repository sets";
    assert_eq!(reason(&world), becomes);
    let fields = entry(json!({"f:rules": {}, "f:aggregationRule": {}}));
    world.live.objects.get_mut(&key).expect("it is there").body["metadata"]["managedFields"] = fields;
    assert_eq!(reason(&world), "no value changes, only which of its fields carrier manages");
    world.answers.insert(key, DryRunResult::NotPermitted(Vec::new()));
    let unknown = reason(&world);
    assert!(unknown.starts_with("no value that the repository sets differs; "), "{unknown}");
}

/// The objects that kubectl has applied from the output of `carrier render`, and carrier after it.
#[test]
fn the_fields_of_another_manager_are_listed_and_taken_over() {
    let mut world = world();
    let account = "catalog.kubecarrier.io/v1alpha1 Account";
    let wanted = json!({"spec": {"metadata": {"displayName": "B"}}});
    let key = world.want(account, "team-b", wanted.clone());
    world.have(account, "team-b", json!({"spec": {"metadata": {"displayName": "B", "shortDescription": "x"}}}), "ours");
    let own = json!({"f:metadata": {"f:labels": {format!("f:{PART_OF}"): {}}},
        "f:spec": {"f:metadata": {"f:displayName": {}}}});
    let theirs = json!({"f:spec": {"f:metadata": {"f:displayName": {}, "f:shortDescription": {}}}});
    let entry = |manager: &str, fields: &Value| json!({"manager": manager, "operation": "Apply", "apiVersion": "catalog.kubecarrier.io/v1alpha1", "fieldsV1": fields});
    let live = &mut world.live.objects.get_mut(&key).expect("it is there").body;
    live["metadata"]["managedFields"] = json!([entry("carrier", &own), entry("kubectl", &theirs)]);
    let live = live.clone();

    let plan = world.plan();
    assert!(plan.changes.is_empty(), "{:?}", plan.changes);
    let shown = text(&plan, TextOptions::default());
    let head =
        "1 field that the repository does not set stays; `--take-over-from MANAGER` removes what a manager holds:\n";
    let listed = "  Account team-b: .spec.metadata.shortDescription is held by kubectl\n";
    assert!(shown.contains(&format!("{head}{listed}")), "{shown}");
    assert!(
        shown.ends_with("1 object matches the repository; 1 field that the repository does not set stays.\n"),
        "{shown}"
    );
    assert!(markdown(&plan).contains("`.spec.metadata.shortDescription` is held by `kubectl`"), "{}", markdown(&plan));

    let mut world = world.allow(TAKE_OVER_FROM, "kubectl");
    let from = ["kubectl".to_owned()];
    assert_eq!(queries(&world.wanted, &world.inventory, &world.live, false, &from).dry_run, std::slice::from_ref(&key));
    let body = world.inventory.labelled(&world.wanted[0].body);
    let after = crate::plan::take_over::after(live.clone(), &body, &LiveObject { body: live }, &from);
    world.answers.insert(key.clone(), DryRunResult::Accepted(after));
    let plan = world.plan();
    assert_eq!(changes(&plan), ["update account team-b safe"]);
    assert_eq!((plan.changes[0].takes_over.as_slice(), plan.extra.len()), (&from[..], 0));
    let shown = text(&plan, TextOptions::default());
    let taken =
        "~ the fields of kubectl in 1 object become carrier's, and what the repository does not set of them is removed";
    assert!(shown.contains(taken), "{shown}");
    assert!(shown.contains("- /spec/metadata/shortDescription: \"x\""), "{shown}");

    // Where no value changes, one line says it for all objects.
    let same = world.live.objects[&key].body.clone();
    world.answers.insert(key, DryRunResult::Accepted(same));
    let plan = world.plan();
    assert_eq!(plan.summary.update, 1);
    let shown = text(&plan, TextOptions::default());
    assert!(shown.contains(taken) && !shown.contains("Account team-b"), "{shown}");
    let whole = text(&plan, TextOptions { all: true, ..TextOptions::default() });
    assert!(whole.contains("Account team-b") && whole.contains("the fields of kubectl become carrier's"), "{whole}");
}

#[test]
fn objects_of_another_inventory_are_not_changed() {
    let mut world = world();
    world.want(ROLE, "a/theirs", rules("list"));
    world.have(ROLE, "a/theirs", rules("get"), "theirs");
    assert_eq!(queries(&world.wanted, &world.inventory, &world.live, true, &[]).dry_run, []);
    let theirs = Other { name: "carrier-other".into(), repository: None };
    world.live.others.insert(inventory::of(&Target::Management, "other", None).id, theirs);
    let plan = world.plan();
    let takes = "foreign-inventory --adopt inventory/carrier-other".to_owned();
    assert_eq!((changes(&plan), refused(&plan)), (vec![], vec![takes]));
    world.wanted.clear();
    world.prune = true;
    assert_eq!(changes(&world.plan()), Vec::<String>::new(), "nor deleted");
}
