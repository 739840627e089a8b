//! Whole plans: from the objects of the repository and live objects to changes, refusals and texts.
#![allow(clippy::needless_pass_by_value, reason = "`json!` is written where it is used")]

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::adoption::ADOPT;
use super::build::{ClusterInput, DryRunResult, Inputs, build, queries};
use super::going::Instances;
use super::guard::{ALLOW_BREAKING, ALLOW_DELETE, FORCE_CONFLICTS};
use super::holder::Record;
use super::inventory::{self, Inventory};
use super::markdown::{MAX_BYTES, markdown};
use super::permissions::Permission;
use super::text::{TextOptions, text};
use super::types::{Action, Change, Effect};
use super::types::{Allowed, Conflict, Counted, CountedKind, Impact, InvalidInstance, ObjectRef, Plan};
use super::{LiveCluster, LiveObject};
use crate::compile::render::{Cause, Manifest};
use crate::model::cluster::{ClusterId, Target};
use crate::model::object::ObjectKey;
use crate::model::object::{ManifestId, Stage};
use crate::model::resource::Resource;
use crate::model::source::{FileId, SourceFile, Sources, Span};

mod causes;
mod going;
mod losing;
mod not_permitted;
mod taking_over;

const CRD: &str = "apiextensions.k8s.io/v1 CustomResourceDefinition";
const ROLE: &str = "rbac.authorization.k8s.io/v1 Role";

/// The repository and the live state of one cluster, which a test builds up.
struct World {
    inventory: Inventory,
    record: Record,
    target: Target,
    wanted: Vec<Manifest>,
    live: LiveCluster,
    answers: BTreeMap<ObjectKey, DryRunResult>,
    impacts: BTreeMap<ObjectKey, Impact>,
    instances: BTreeMap<ObjectKey, Instances>,
    no_trial: Vec<Permission>,
    inventory_refused: Option<String>,
    allowed: Vec<Allowed>,
    prune: bool,
    reached: bool,
    max_prune: Option<usize>,
    allow_empty: bool,
}

fn world() -> World {
    World {
        inventory: inventory::of(&Target::Management, "carrier", None),
        record: Record::default(),
        target: Target::Management,
        wanted: Vec::new(),
        live: LiveCluster { uid: Some("u".into()), ..LiveCluster::default() },
        answers: BTreeMap::new(),
        impacts: BTreeMap::new(),
        instances: BTreeMap::new(),
        no_trial: Vec::new(),
        inventory_refused: None,
        allowed: Vec::new(),
        prune: false,
        reached: true,
        max_prune: None,
        allow_empty: false,
    }
}

fn id(kind: &str, name: &str) -> ManifestId {
    let (api_version, kind) = kind.split_once(' ').expect("group/version and kind");
    let (namespace, name) = match name.split_once('/') {
        Some((namespace, name)) => (Some(namespace.to_owned()), name),
        None => (None, name),
    };
    ManifestId { api_version: api_version.into(), kind: kind.into(), namespace, name: name.into() }
}

fn body(id: &ManifestId, more: Value) -> Value {
    let mut body = json!({"apiVersion": id.api_version, "kind": id.kind, "metadata": {"name": id.name}});
    if let Some(namespace) = &id.namespace {
        body["metadata"]["namespace"] = json!(namespace);
    }
    body.as_object_mut().expect("an object").extend(more.as_object().cloned().unwrap_or_default());
    body
}

impl World {
    fn want(&mut self, kind: &str, name: &str, more: Value) -> ObjectKey {
        let id = id(kind, name);
        let stage = match id.kind.as_str() {
            "CustomResourceDefinition" => Stage::Crds,
            "Namespace" => Stage::Namespaces,
            "Role" => Stage::Rbac,
            _ => Stage::Catalog,
        };
        let body = Arc::new(body(&id, more));
        let key = ObjectKey::from(&id);
        self.wanted.push(Manifest { id, stage, body, cause: Cause::Product(Span::new(FileId(0), 3, 4)) });
        key
    }

    /// Adds a live object: of this inventory (`ours`), of another (`theirs`), or of none (`nobody's`).
    fn have(&mut self, kind: &str, name: &str, more: Value, whose: &str) -> ObjectKey {
        let id = id(kind, name);
        let mut body = body(&id, more);
        body["metadata"]["uid"] = json!("u1");
        body["metadata"]["resourceVersion"] = json!("7");
        let mut fields = json!({"f:metadata": {"f:labels": {format!("f:{}", super::live::PART_OF): {}}}});
        for field in ["rules", "spec"] {
            if body.get(field).is_some() {
                fields[format!("f:{field}")] = json!({});
            }
        }
        match whose {
            "ours" => body = self.inventory.label(&body),
            "theirs" => body = inventory::of(&Target::Management, "other", None).label(&body),
            _ => {}
        }
        if whose != "nobody's" {
            body["metadata"]["managedFields"] = json!([
                {"manager": "carrier", "operation": "Apply", "apiVersion": id.api_version, "fieldsV1": fields},
            ]);
        }
        let key = ObjectKey::from(&id);
        self.live.objects.insert(key.clone(), LiveObject { body });
        key
    }

    fn allow(mut self, flag: &str, name: &str) -> Self {
        self.allowed.push(Allowed { flag: flag.into(), name: name.into() });
        self
    }

    fn plan(&self) -> Plan {
        let sources = Sources::new(vec![SourceFile { path: "a.yaml".into(), text: "x\n  y".into() }]);
        let asked = queries(&self.wanted, &self.inventory, &self.live, self.prune, &[]);
        build(&Inputs {
            clusters: vec![ClusterInput {
                target: &self.target,
                wanted: &self.wanted,
                inventory: &self.inventory,
                record: &self.record,
                live: self.reached.then_some(&self.live),
                answers: &self.answers,
                impacts: &self.impacts,
                lost: &asked.lost,
                instances: &self.instances,
                dry_runs: self.answers.len(),
                no_trial: &self.no_trial,
                inventory_refused: self.inventory_refused.as_deref(),
            }],
            sources: &sources,
            against: "clusters".into(),
            hermetic: false,
            prune: self.prune,
            allowed: self.allowed.clone(),
            max_prune: self.max_prune,
            allow_empty: self.allow_empty,
            drift: Vec::new(),
        })
    }
}

/// Each change as `create crd a safe`.
fn changes(plan: &Plan) -> Vec<String> {
    let line = |c: &Change| format!("{:?} {} {:?}", c.action, super::words::object(&c.object), c.effect).to_lowercase();
    plan.changes.iter().map(line).collect()
}

/// Each refusal as `guard flag`.
fn refused(plan: &Plan) -> Vec<String> {
    let line = |r: &super::types::Refusal| format!("{} {}", r.guard, r.flag.as_deref().unwrap_or("no flag"));
    plan.refusals.iter().map(line).collect()
}

fn rules(verb: &str) -> Value {
    json!({"rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": [verb]}]})
}

#[test]
fn objects_are_created_changed_deleted_kept_and_left_alone() {
    let mut world = world();
    world.want(ROLE, "a/new", rules("get"));
    world.want(ROLE, "a/same", rules("get"));
    world.have(ROLE, "a/same", rules("get"), "ours");
    let other = world.want(ROLE, "a/other", rules("list"));
    world.have(ROLE, "a/other", rules("get"), "ours");
    let equal = world.want(ROLE, "a/equal", rules("list"));
    world.have(ROLE, "a/equal", rules("list"), "nobody's");
    world.have(ROLE, "a/gone", rules("get"), "ours");
    world.have(ROLE, "a/copied", rules("get"), "nobody's");
    let asks = queries(&world.wanted, &world.inventory, &world.live, false, &[]);
    assert_eq!(asks.dry_run, [other.clone(), equal.clone()]);
    let labelled = |world: &World, key: &ObjectKey, more: Value| {
        let mut body = world.live.objects[key].body.clone();
        body.as_object_mut().expect("an object").extend(more.as_object().cloned().unwrap_or_default());
        DryRunResult::Accepted(world.inventory.label(&body))
    };
    world.answers.insert(other.clone(), labelled(&world, &other, rules("list")));
    world.answers.insert(equal.clone(), labelled(&world, &equal, json!({})));

    let plan = world.plan();
    assert_eq!(changes(&plan), ["create role a/new safe", "update role a/other safe", "update role a/equal adopting"]);
    assert_eq!(plan.changes[1].fields[0].path, "/rules/0/verbs/0");
    assert_eq!(plan.changes[1].live.as_ref().map(|l| l.resource_version.as_str()), Some("7"));
    assert_eq!(plan.changes[1].source.as_ref().map(|p| (p.line, p.column)), Some((2, 2)));
    assert!(plan.changes[2].reasons[0].text.starts_with("it exists and is not carrier's"), "{:?}", plan.changes[2]);
    assert_eq!(plan.kept.iter().map(|k| k.name.as_str()).collect::<Vec<_>>(), ["gone"]);
    assert_eq!((plan.summary.unchanged, plan.summary.kept, plan.clusters[0].inventory), (1, 1, 3));
    assert_eq!(refused(&plan), ["adoption --adopt role/a/equal"]);

    world.prune = true;
    let plan = world.plan();
    assert_eq!(changes(&plan)[3..], ["delete role a/gone safe"], "a copied object is not deleted");
    assert_eq!(plan.kept, []);
    // If the dry run changes nothing, neither does the plan.
    let same = DryRunResult::Accepted(world.live.objects[&other].body.clone());
    world.answers.insert(other, same);
    assert_eq!(world.plan().summary.update, 1);
}

#[test]
fn the_digest_depends_only_on_the_rendered_objects() {
    let mut one = world();
    one.want(ROLE, "a/b", rules("get"));
    let digest = one.plan().input_digest;
    one.have(ROLE, "a/c", rules("get"), "ours");
    assert_eq!(one.plan().input_digest, digest);
    one.want(ROLE, "a/c", rules("get"));
    assert_ne!(one.plan().input_digest, digest);
    assert!(digest.starts_with("sha256:") && digest.len() == 71);
}

#[test]
fn deletions_come_last_in_reverse_order() {
    let mut world = world();
    world.prune = true;
    world.have(CRD, "a.b", json!({}), "ours");
    world.have("v1 Namespace", "n", json!({}), "ours");
    world.have(ROLE, "n/r", rules("get"), "ours");
    world.want(ROLE, "m/new", rules("get"));
    let plan = world.plan();
    assert_eq!(
        changes(&plan),
        [
            "create role m/new safe",
            "delete role n/r safe",
            "delete namespace n destructive",
            "delete crd a.b destructive"
        ]
    );
}

#[test]
fn a_destructive_change_needs_its_flag() {
    let mut world = world();
    world.prune = true;
    world.want(ROLE, "m/r", rules("get"));
    let crd = world.have(CRD, "redis.eu.a", json!({}), "ours");
    let instance = ObjectRef {
        cluster: "management".into(),
        api_version: "eu.a/v1".into(),
        kind: "Redis".into(),
        namespace: Some("team-b".into()),
        name: "cache".into(),
    };
    let impact =
        Impact { instances: 1, accounts: 1, destroyed: vec![instance], destroyed_count: 1, ..Impact::default() };
    world.impacts.insert(crd.clone(), impact);
    let plan = world.plan();
    assert_eq!(refused(&plan), ["destructive --allow-delete crd/redis.eu.a"]);
    let message = &plan.refusals[0].message;
    assert!(message.contains("Redis team-b/cache") && message.contains("1 instance"), "{message}");
    let world = world.allow(ALLOW_DELETE, "crd/other");
    assert_eq!(refused(&world.plan()).len(), 1, "the flag of another object");
    let world = world.allow(ALLOW_BREAKING, "crd/redis.eu.a");
    assert_eq!(refused(&world.plan()).len(), 1, "another flag");
    let mut world = world.allow(ALLOW_DELETE, "customresourcedefinition/redis.eu.a");
    assert_eq!(refused(&world.plan()), Vec::<String>::new());
    // Without instances, the deletion of a CRD is breaking.
    world.allowed.clear();
    world.impacts.insert(crd, Impact::default());
    assert_eq!(refused(&world.plan()), ["breaking --allow-breaking crd/redis.eu.a"]);
    let world = world.allow(ALLOW_BREAKING, "all");
    assert_eq!(refused(&world.plan()), Vec::<String>::new());
}

#[test]
fn what_could_not_be_counted_is_allowed_by_its_name_alone() {
    let mut world = world();
    world.prune = true;
    world.want(ROLE, "m/r", rules("get"));
    let crd = world.have(CRD, "redis.eu.a", json!({}), "ours");
    let namespace = world.have("v1 Namespace", "n", json!({}), "ours");
    let uncounted = Impact { unchecked: Some("forbidden".into()), ..Impact::default() };
    for key in [&crd, &namespace] {
        world.impacts.insert(key.clone(), uncounted.clone());
    }
    let both = ["destructive --allow-delete namespace/n", "destructive --allow-delete crd/redis.eu.a"];
    assert_eq!(refused(&world.plan()), both);
    let world = world.allow(ALLOW_DELETE, "all");
    let plan = world.plan();
    assert_eq!(refused(&plan), both);
    for refusal in &plan.refusals {
        let message = &refusal.message;
        assert!(message.contains("could not be counted") && message.contains("forbidden"), "{message}");
        assert!(message.contains("`--allow-delete all` does not allow"), "{message}");
    }
    let mut world = world.allow(ALLOW_DELETE, "crd/redis.eu.a").allow(ALLOW_DELETE, "namespace/n");
    assert_eq!(refused(&world.plan()), Vec::<String>::new());
    // It is planned until nothing can be in it, also while it is being deleted.
    world.live.objects.get_mut(&crd).expect("it is there").body["metadata"]["deletionTimestamp"] = json!("now");
    assert_eq!(changes(&world.plan()).len(), 3);
    world.impacts.insert(crd, Impact::default());
    assert_eq!(changes(&world.plan()).len(), 2);
}

#[test]
fn an_assignment_whose_instances_could_not_be_counted_is_allowed_by_its_name_alone() {
    let mut world = world();
    world.prune = true;
    world.want(ROLE, "m/r", rules("get"));
    let assignment = world.have("kubecarrier.io/v1alpha1 ServiceClusterAssignment", "a/b.eu", json!({}), "ours");
    let uncounted = Impact { unchecked: Some("forbidden".into()), ..Impact::default() };
    world.impacts.insert(assignment.clone(), uncounted);
    let world = world.allow(ALLOW_BREAKING, "all");
    let plan = world.plan();
    assert_eq!(refused(&plan), ["breaking --allow-breaking serviceclusterassignment/a/b.eu"]);
    let message = &plan.refusals[0].message;
    assert!(message.contains("`--allow-breaking all` does not allow"), "{message}");
    let mut world = world.allow(ALLOW_BREAKING, "serviceclusterassignment/a/b.eu");
    assert_eq!(refused(&world.plan()), Vec::<String>::new());
    world.allowed.pop();
    world.impacts.insert(assignment, Impact { instances: 1, ..Impact::default() });
    assert_eq!(refused(&world.plan()), Vec::<String>::new());
}

#[test]
fn no_flag_allows_to_delete_an_instance_whose_policy_is_block() {
    let mut world = world();
    world.prune = true;
    world.want(ROLE, "m/r", rules("get"));
    let crd = world.have(CRD, "redis.eu.a", json!({}), "ours");
    let instance = |name: &str| ObjectRef {
        cluster: "management".into(),
        api_version: "eu.a/v1".into(),
        kind: "Redis".into(),
        namespace: Some("team-b".into()),
        name: name.into(),
    };
    let blocked = vec![instance("one"), instance("two")];
    let impact = Impact { instances: 3, destroyed_count: 3, blocked, blocked_count: 2, ..Impact::default() };
    world.impacts.insert(crd, impact);
    let plan = world.allow(ALLOW_DELETE, "all").plan();
    assert_eq!(refused(&plan), ["blocked no flag"]);
    let message = &plan.refusals[0].message;
    assert!(message.contains("2 instances is Block (Redis team-b/one, Redis team-b/two)"), "{message}");
    assert!(message.ends_with("; change `carrier.kubecarrier.io/deletion-policy` of each, or keep it"), "{message}");
}

#[test]
fn an_instance_cannot_ask_for_a_policy_that_its_service_does_not_allow() {
    let mut world = world();
    world.prune = true;
    world.want(ROLE, "m/r", rules("get"));
    let crd = world.have(CRD, "redis.eu.a", json!({}), "ours");
    let resource = |kind: &str| Resource {
        group: "eu.a".into(),
        version: "v1".into(),
        kind: kind.into(),
        plural: kind.to_lowercase(),
        namespaced: true,
    };
    let instance = |kind: &str| ObjectRef {
        cluster: "management".into(),
        api_version: "eu.a/v1".into(),
        kind: kind.into(),
        namespace: Some("team-b".into()),
        name: "one".into(),
    };
    let mut message = |kinds: &[(&str, Value)]| {
        let blocked: Vec<ObjectRef> = kinds.iter().map(|(kind, _)| instance(kind)).collect();
        let counted = kinds.iter().map(|(kind, policy)| CountedKind {
            resource: resource(kind),
            uids: None,
            policy: serde_json::from_value(policy.clone()).expect("a policy"),
        });
        let counted = Some(Counted { kinds: counted.collect(), namespace: None });
        let blocked_count = blocked.len();
        world.impacts.insert(crd.clone(), Impact { blocked, blocked_count, counted, ..Impact::default() });
        world.plan().refusals[0].message.clone()
    };
    let fixed = json!({"default": "Block", "allowed": ["Block"]});
    let only = message(&[("Redis", fixed.clone())]);
    assert!(only.contains("allows only Block: first change `deletionPolicy` of the CatalogEntry"), "{only}");
    assert!(!only.contains("kubecarrier.io/deletion-policy"), "{only}");
    let some = message(&[("Redis", fixed), ("Cache", json!({}))]);
    assert!(some.contains("kubecarrier.io/deletion-policy` of each, and where the service allows only"), "{some}");
    let free = message(&[("Redis", json!({"default": "Block"}))]);
    assert!(!free.contains("CatalogEntry"), "{free}");
}

fn crd(size: Value) -> Value {
    json!({"spec": {"scope": "Namespaced", "names": {"kind": "Redis"}, "versions": [{"name": "v1", "served": true,
        "schema": {"openAPIV3Schema": {"type": "object", "properties": {"size": size}}}}]}})
}

#[test]
fn a_tightening_change_needs_a_flag_only_if_instances_become_invalid() {
    let mut world = world();
    let key = world.want(CRD, "redis.eu.a", crd(json!({"type": "integer", "maximum": 3})));
    world.have(CRD, "redis.eu.a", crd(json!({"type": "integer"})), "ours");
    let asks = queries(&world.wanted, &world.inventory, &world.live, false, &[]);
    assert_eq!(asks.changed_crds.iter().map(|c| &c.key).collect::<Vec<_>>(), [&key]);
    world.answers.insert(key.clone(), DryRunResult::Accepted(world.inventory.label(&world.wanted[0].body)));
    world.impacts.insert(key.clone(), Impact { instances: 2, accounts: 1, ..Impact::default() });
    let plan = world.plan();
    assert_eq!(changes(&plan), ["update crd redis.eu.a tightening"]);
    assert_eq!(plan.changes[0].reasons[0].text, "v1 .size has a new maximum: 3");
    assert_eq!(refused(&plan), Vec::<String>::new());
    let invalid = InvalidInstance {
        namespace: Some("team-b".into()),
        name: "big".into(),
        fields: vec![".size: must be at most 3".into()],
    };
    let impact = Impact { instances: 2, accounts: 1, invalid: vec![invalid], invalid_count: 1, ..Impact::default() };
    world.impacts.insert(key, impact);
    let plan = world.plan();
    assert_eq!(refused(&plan), ["breaking --allow-breaking crd/redis.eu.a"]);
    assert!(plan.refusals[0].message.contains("team-b/big"), "{}", plan.refusals[0].message);
    let shown = text(&plan, TextOptions::default());
    assert!(shown.contains("team-b/big: .size: must be at most 3"), "{shown}");
}

#[test]
fn conflicting_fields_need_their_flag() {
    let mut world = world();
    let key = world.want(ROLE, "a/r", rules("list"));
    world.have(ROLE, "a/r", rules("get"), "nobody's");
    let conflict = Conflict { manager: "kubectl".into(), field: ".rules".into() };
    world.answers.insert(key, DryRunResult::Conflicts(vec![conflict]));
    let plan = world.plan();
    assert_eq!(refused(&plan), ["adoption --adopt role/a/r", "conflict --force-conflicts role/a/r"]);
    let world = world.allow(ADOPT, "role/a/r");
    let plan = world.plan();
    assert_eq!(refused(&plan), ["conflict --force-conflicts role/a/r"]);
    assert!(plan.changes[0].fields.iter().any(|f| f.path.starts_with("/rules")), "{:?}", plan.changes[0].fields);
    assert_eq!(refused(&world.allow(FORCE_CONFLICTS, "role/a/r").plan()), Vec::<String>::new());
}

#[test]
fn what_the_server_refuses_is_refused_and_what_it_deletes_is_left_out() {
    let mut world = world();
    let key = world.want(ROLE, "a/r", rules("list"));
    world.have(ROLE, "a/r", rules("get"), "ours");
    world.answers.insert(key, DryRunResult::Refused("roleRef is immutable".into()));
    world.want("v1 Namespace", "n", json!({}));
    let going = world.have("v1 Namespace", "n", json!({}), "ours");
    world.live.objects.get_mut(&going).expect("it is there").body["metadata"]["deletionTimestamp"] = json!("now");
    let plan = world.plan();
    assert_eq!(refused(&plan), ["server no flag"]);
    assert_eq!(changes(&plan), ["update role a/r safe"]);
    assert_eq!(plan.going.len(), 1);
}

#[test]
fn what_is_being_deleted_is_planned_until_no_instance_is_in_it() {
    let mut world = world();
    (world.prune, world.allow_empty) = (true, true);
    let going = world.have("v1 Namespace", "n", json!({}), "ours");
    world.live.objects.get_mut(&going).expect("it is there").body["metadata"]["deletionTimestamp"] = json!("now");
    assert_eq!(changes(&world.plan()), Vec::<String>::new());
    let impact = Impact { instances: 1, destroyed_count: 1, ..Impact::default() };
    world.impacts.insert(going, impact);
    assert_eq!(changes(&world.plan()), ["delete namespace n destructive"]);
}

#[test]
fn many_deletions_and_an_empty_repository_need_their_flags() {
    let mut world = world();
    world.prune = true;
    for i in 0..12 {
        world.have(ROLE, &format!("a/r{i}"), rules("get"), "ours");
    }
    assert_eq!(refused(&world.plan()), ["empty-input --allow-empty", "mass-deletion --max-prune 12"]);
    world.want(ROLE, "a/other", rules("get"));
    assert_eq!(refused(&world.plan()), ["mass-deletion --max-prune 12"]);
    world.max_prune = Some(12);
    assert_eq!(refused(&world.plan()), Vec::<String>::new());
    world.max_prune = None;
    // A tenth of a large inventory may be deleted.
    for i in 0..120 {
        world.want(ROLE, &format!("a/s{i}"), rules("get"));
        world.have(ROLE, &format!("a/s{i}"), rules("get"), "ours");
    }
    assert_eq!(world.plan().summary.delete, 12);
    assert_eq!(refused(&world.plan()), Vec::<String>::new());
    world.prune = false;
    world.wanted.clear();
    assert_eq!(refused(&world.plan()), Vec::<String>::new(), "nothing is deleted without --prune");
    (world.prune, world.allow_empty, world.max_prune) = (true, true, Some(1000));
    assert_eq!(refused(&world.plan()), Vec::<String>::new());
}

#[test]
fn nothing_is_planned_for_a_cluster_that_did_not_answer() {
    let mut world = world();
    world.target = Target::Service(ClusterId::new("a", "eu"));
    world.reached = false;
    world.prune = true;
    world.want(ROLE, "a/r", rules("get"));
    let plan = world.plan();
    assert!(!plan.complete && !plan.clusters[0].reached);
    assert_eq!((changes(&plan), refused(&plan)), (vec![], vec![]));
    let shown = text(&plan, TextOptions::default());
    let away = "a/eu: was not compared; its state is unknown, so the plan has no changes for it\n";
    assert!(shown.contains(away) && shown.contains("1 cluster was not compared"), "{shown}");
}

#[test]
fn an_inventory_that_the_server_does_not_take_is_said_before_apply_fails_with_it() {
    let mut world = world();
    world.want(ROLE, "a/r", rules("get"));
    world.inventory_refused = Some("“no labels: hunter”".to_owned());
    let plan = world.plan();
    assert_eq!(refused(&plan), ["server no flag"]);
    let said = "the API server refuses the ConfigMap of the inventory";
    assert!(text(&plan, TextOptions::default()).contains(said) && markdown(&plan).contains("refuses the ConfigMap"));
    assert!(plan.refusals[0].message.starts_with(&format!("{said} in management: “no labels")));
}

#[test]
fn nothing_is_pruned_while_a_cluster_does_not_answer() {
    let (mut near, mut far) = (world(), world());
    near.want(ROLE, "a/r", rules("get"));
    near.have(ROLE, "a/gone", rules("get"), "ours");
    far.target = Target::Service(ClusterId::new("a", "eu"));
    let sources = Sources::default();
    let input = |world: &'_ World, reached: bool| ClusterInput {
        target: Box::leak(Box::new(world.target.clone())),
        wanted: Box::leak(world.wanted.clone().into_boxed_slice()),
        inventory: Box::leak(Box::new(world.inventory.clone())),
        record: Box::leak(Box::default()),
        live: reached.then_some(&*Box::leak(Box::new(world.live.clone()))),
        answers: Box::leak(Box::default()),
        impacts: Box::leak(Box::default()),
        lost: &[],
        instances: Box::leak(Box::default()),
        dry_runs: 0,
        no_trial: &[],
        inventory_refused: None,
    };
    let of = |reached, prune| {
        build(&Inputs {
            clusters: vec![input(&near, true), input(&far, reached)],
            sources: &sources,
            against: "clusters".into(),
            hermetic: false,
            prune,
            allowed: Vec::new(),
            max_prune: None,
            allow_empty: false,
            drift: Vec::new(),
        })
    };
    assert_eq!(refused(&of(false, true)), ["incomplete no flag"]);
    assert_eq!(refused(&of(true, true)), Vec::<String>::new());
    assert_eq!(refused(&of(false, false)), Vec::<String>::new());
}

#[test]
fn the_most_severe_change_is_first_and_the_summary_last() {
    let mut world = world();
    world.prune = true;
    world.want(ROLE, "a/new", rules("get"));
    world.have("v1 Namespace", "team-b", json!({}), "ours");
    let plan = world.plan();
    let shown = text(&plan, TextOptions::default());
    let lines: Vec<&str> = shown.lines().collect();
    assert!(lines[1].trim_start().starts_with("- Namespace team-b") && lines[1].contains("destructive"), "{shown}");
    assert!(lines.last().is_some_and(|l| l.starts_with("Plan: 1 to create, 0 to change, 1 to delete")), "{shown}");
    assert!(shown.contains("allowed by --allow-delete namespace/team-b"), "{shown}");
    assert!(!shown.contains('\u{1b}') && !shown.contains("\n\n\n"), "{shown}");
    let colored = text(&plan, TextOptions { color: true, ..TextOptions::default() });
    assert!(colored.contains("\u{1b}[1m\u{1b}[31mdestructive") && colored.contains("\u{1b}[32m+"), "{colored:?}");
    let short = text(&plan, TextOptions { summary: true, ..TextOptions::default() });
    assert!(short.lines().count() < shown.lines().count() && !short.contains("Role a/new"), "{short}");
    assert_eq!(text(&Plan::default(), TextOptions::default()), "No changes: 0 objects match the repository.\n");
}

#[test]
fn a_long_comment_is_cut_and_counts_the_rest() {
    let mut world = world();
    for i in 0..3000 {
        world.want(ROLE, &format!("a/role-{i:04}"), rules("get"));
    }
    let comment = markdown(&world.plan());
    assert!(comment.len() <= MAX_BYTES, "{}", comment.len());
    assert!(comment.contains("3000 to create"), "the summary is shown");
    let shown = comment.lines().filter(|l| l.starts_with("- ➕")).count();
    let left = format!("… and {} more changes", 3000 - shown);
    assert!(comment.contains(&left), "{left}: {}", &comment[comment.len() - 300..]);
    assert_eq!(comment.matches("<details").count(), comment.matches("</details>").count());
}

#[test]
fn markup_and_escape_sequences_are_neutralized() {
    let mut world = world();
    world.want(ROLE, "a/`x` <img src=y> @all \u{1b}[2J", rules("get"));
    world.want(ROLE, "a/<script>", rules("get"));
    let plan = world.plan();
    let comment = markdown(&plan);
    assert!(comment.contains("``Role a/`x` <img src=y> @all ␛[2J``"), "{comment}");
    assert!(comment.contains("`Role a/<script>`"), "{comment}");
    assert!(!text(&plan, TextOptions::default()).contains('\u{1b}'));
}

#[test]
fn a_plan_is_valid_under_its_schema() {
    let schema = super::json::schema();
    let mut world = world();
    world.prune = true;
    world.want(ROLE, "a/new", rules("get"));
    world.have(CRD, "a.b", crd(json!({"type": "string"})), "ours");
    let key = world.want(ROLE, "a/r", rules("list"));
    world.have(ROLE, "a/r", rules("get"), "nobody's");
    world.answers.insert(key, DryRunResult::Conflicts(vec![Conflict { manager: "m".into(), field: "f".into() }]));
    let plan = world.plan();
    let json = serde_json::to_value(&plan).expect("plain data");
    if let Err(error) = jsonschema::draft7::validate(&schema, &json) {
        panic!("{error}\n{json:#}");
    }
    assert_eq!(serde_json::from_value::<Plan>(json.clone()).expect("the same"), plan);
    // Fields of a later minor version are ignored.
    let mut later = json;
    later["changes"][0]["new"] = json!(1);
    assert!(jsonschema::draft7::is_valid(&schema, &later) && serde_json::from_value::<Plan>(later).is_ok());
    assert_eq!((plan.changes[0].action, plan.changes[0].effect), (Action::Create, Effect::Safe));
}
