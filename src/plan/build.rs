//! Builds a plan from the rendered and the live objects: the changes, their effects,
//! and the reasons to refuse them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

use super::cause::Causes;
use super::compare::{Comparison, compare, equal, same_after_dry_run, without_server_fields};
use super::going::{self, Waiting};
use super::guard::{self, GuardInput};
use super::holder::{Holder, Record};
use super::inventory::{Inventory, Ownership, is_shared};
use super::live::{LiveCluster, LiveObject};
use super::losing::{self, Lost};
use super::others::Foreign;
use super::permissions::Permission;
use super::types::{
    Action, Allowed, Change, ClusterPlan, Conflict, Drift, Effect, ExtraField, FORMAT_VERSION, Going, Impact,
    LiveVersion, ObjectRef, Place, Plan, Reason, Repair, Summary, Untried,
};
use super::words::NOT_ASKED;
use super::{
    access_change, adoption, consequence, crd, extra, fields, holder, managers, parent, repair, storage, take_over,
};
use crate::compile::render::{Cause, Manifest};
use crate::model::cluster::Target;
use crate::model::digest::sha256;
use crate::model::object::ObjectKey;
use crate::model::redact::without_values;
use crate::model::source::{Sources, Span};

/// The response of the API server to a dry run of an object.
#[derive(Debug, Clone, PartialEq)]
pub enum DryRunResult {
    /// It accepted the object, and returned it as it would be.
    Accepted(Value),
    /// Other managers own fields that the object sets.
    Conflicts(Vec<Conflict>),
    /// Other managers own fields that the object sets, and the user allowed to take them over: the object as it
    /// would be then, and the conflicts.
    Forced(Value, Vec<Conflict>),
    /// It refused the object: the message of the server.
    Refused(String),
    /// It did not answer for this object, though it answers for others: why.
    Unanswered(String),
    /// The account lacks these permissions, so that the server could not be asked. Of the object it says nothing.
    NotPermitted(Vec<Permission>),
}

/// The input for one cluster.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ClusterInput<'a> {
    /// The cluster.
    pub target: &'a Target,
    /// The rendered objects of the cluster.
    pub wanted: &'a [Manifest],
    /// The inventory of the repository in the cluster.
    pub inventory: &'a Inventory,
    /// What the parent of the inventory says of it.
    pub record: &'a Record,
    /// The live objects; `None` if the cluster did not answer.
    pub live: Option<&'a LiveCluster>,
    /// The results of the dry runs of [`Queries::dry_run`], as far as they could be made.
    pub answers: &'a BTreeMap<ObjectKey, DryRunResult>,
    /// The effects on instances, by the CRD that changes or the object that is deleted.
    pub impacts: &'a BTreeMap<ObjectKey, Impact>,
    /// [`Queries::lost`].
    pub lost: &'a [Lost],
    /// The instances of [`Queries::going_crds`].
    pub instances: &'a BTreeMap<ObjectKey, going::Instances>,
    /// How many objects were to be tried.
    pub dry_runs: usize,
    /// What the account lacks to try instances under new schemas.
    pub no_trial: &'a [Permission],
    /// Why the server would not take the parent of the inventory.
    pub inventory_refused: Option<&'a str>,
}

/// The input of [`build`].
#[derive(Debug, Clone)]
pub(crate) struct Inputs<'a> {
    /// The clusters, the management cluster first.
    pub clusters: Vec<ClusterInput<'a>>,
    /// The files of the repository, for the places that cause a change.
    pub sources: &'a Sources,
    /// What the repository is compared with: `clusters`, a folder or a Git revision.
    pub against: String,
    /// Whether files stand for the clusters. Then there are no dry runs, every object in the files is a member of
    /// the inventory, and every difference is a change.
    pub hermetic: bool,
    /// Whether objects that the repository no longer has are deleted.
    pub prune: bool,
    /// The flags with which the user allowed changes by name.
    pub allowed: Vec<Allowed>,
    /// The value of `--max-prune`; `None` for the default limit.
    pub max_prune: Option<usize>,
    /// Whether `--allow-empty` is given.
    pub allow_empty: bool,
    /// CRDs of service clusters that differ from the lock.
    pub drift: Vec<Drift>,
}

impl Inputs<'_> {
    /// The managers that are taken over.
    fn taken(&self) -> Vec<String> {
        if self.hermetic { Vec::new() } else { take_over::managers(&self.allowed) }
    }

    /// Whether anything is deleted. Where nothing can be applied to a cluster, what it still has may need what would go.
    fn deletes(&self) -> bool {
        let are_held_up = || self.clusters.iter().any(|cluster| cluster.live.is_some_and(going::are_records_held_up));
        self.hermetic || self.prune && !are_held_up()
    }
}

/// The requests to a cluster that a plan needs before it can be built.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Queries {
    /// Objects that may change: their dry runs.
    pub dry_run: Vec<ObjectKey>,
    /// CRDs whose instances may become invalid: which of them do.
    pub changed_crds: Vec<ChangedCrd>,
    /// CRDs that would be deleted: their instances.
    pub deleted_crds: Vec<ObjectKey>,
    /// Namespaces that would be deleted: the instances in them.
    pub deleted_namespaces: Vec<ObjectKey>,
    /// Offerings, CatalogEntries and ServiceClusterAssignments that would be deleted: the instances that depend on them.
    pub deleted_others: Vec<ObjectKey>,
    /// Roles that lose the access to kinds of services: the instances in their namespaces.
    pub lost: Vec<Lost>,
    /// CRDs that are being deleted: the instances that hold them.
    pub going_crds: Vec<ObjectKey>,
    /// Whether anything may be written, and with it the inventory.
    pub writes: bool,
}

/// A CRD that changes so that instances may become invalid.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ChangedCrd {
    /// The CRD.
    pub key: ObjectKey,
    /// The live CRD.
    pub live: Value,
    /// The CRD to apply, with the label of the inventory.
    pub new: Arc<Value>,
}

/// The requests that a plan for a cluster needs. `prune` as in [`Inputs`]; `from` are the managers that are taken over.
#[must_use]
pub(crate) fn queries(
    wanted: &[Manifest],
    inventory: &Inventory,
    live: &LiveCluster,
    prune: bool,
    from: &[String],
) -> Queries {
    let mut queries = Queries::default();
    let mut keys = BTreeSet::new();
    for manifest in wanted {
        let key = ObjectKey::from(&manifest.id);
        let body = inventory.labelled(&manifest.body);
        let existing = live.objects.get(&key);
        let is_taken = existing.is_some_and(|live| !take_over::taken_managers(live, from).is_empty());
        let comparison = compare(&body, existing);
        let differs = is_taken || comparison == Comparison::Differs;
        queries.writes |= is_taken || comparison != Comparison::Same;
        let foreign = existing.is_some_and(|live| inventory.is_foreign(live));
        // What is being deleted is not applied.
        let is_going = existing.is_some_and(LiveObject::is_terminating);
        if differs && !foreign && !is_going {
            queries.dry_run.push(key.clone());
            if let Some(existing) = existing.filter(|_| key.is_crd())
                && crd::reasons(&existing.body, &body).iter().any(|reason| reason.effect >= Effect::Tightening)
            {
                queries.changed_crds.push(ChangedCrd { key: key.clone(), live: existing.body.clone(), new: body });
            }
        }
        keys.insert(key);
    }
    let is_meant = |key: &ObjectKey, object: &LiveObject| keys.contains(key) || inventory.is_member(object);
    let going = live.objects.iter().filter(|(key, object)| key.is_crd() && object.is_terminating());
    queries.lost = losing::lost(wanted, inventory, live, prune);
    queries.going_crds = going.filter(|(key, object)| is_meant(key, object)).map(|(key, _)| key.clone()).collect();
    if prune {
        for (key, object) in &live.objects {
            let ours = !is_shared(&object.body) && inventory.is_member(object);
            if keys.contains(key) || !ours {
                continue;
            }
            queries.writes = true;
            match key.kind.as_str() {
                "CustomResourceDefinition" => queries.deleted_crds.push(key.clone()),
                "Namespace" => queries.deleted_namespaces.push(key.clone()),
                "Offering" | "CatalogEntry" | "ServiceClusterAssignment" => queries.deleted_others.push(key.clone()),
                _ => {}
            }
        }
    }
    queries
}

/// Builds the plan.
#[must_use]
pub(crate) fn build(inputs: &Inputs<'_>) -> Plan {
    let mut parts: Vec<ClusterChanges> = inputs.clusters.iter().map(|cluster| plan_cluster(inputs, cluster)).collect();
    let mut plan = Plan {
        format_version: FORMAT_VERSION.to_owned(),
        carrier_version: env!("CARGO_PKG_VERSION").to_owned(),
        input_digest: input_digest(&inputs.clusters),
        against: inputs.against.clone(),
        complete: parts.iter().all(|part| part.cluster.reached),
        prune: inputs.prune,
        allowed: inputs.allowed.clone(),
        drift: inputs.drift.clone(),
        ..Plan::default()
    };
    let mut wanted = inputs.clusters.iter().flat_map(|cluster| cluster.wanted);
    let mut guards = GuardInput {
        empty: wanted.all(|manifest| manifest.cause == Cause::Always),
        max_prune: inputs.max_prune,
        allow_empty: inputs.allow_empty,
        ..GuardInput::default()
    };
    add_causes(inputs, &mut parts);
    for part in &mut parts {
        plan.changes.append(&mut part.applied);
    }
    // Deletions come last, those in the service clusters after those in the management cluster, which may depend on
    // them.
    for part in &mut parts {
        plan.changes.append(&mut part.deleted);
    }
    let none = BTreeMap::new();
    for (part, input) in parts.into_iter().zip(&inputs.clusters) {
        let known = input.live.map_or(&none, |live| &live.others);
        guards.foreign.extend(Foreign::of(&part.cluster.name, part.foreign, known, input.inventory));
        let record = input.record.parent.as_ref().filter(|_| is_record_ours(input));
        guards
            .unconfirmed
            .extend(record.and_then(|record| repair::unconfirmed(&part.cluster.name, input.inventory, record)));
        plan.clusters.push(part.cluster);
        plan.kept.extend(part.kept);
        guards.held.extend(part.held);
        plan.going.extend(part.going);
        plan.extra.extend(part.extra);
    }
    plan.allowed.sort();
    plan.allowed.dedup();
    plan.summary = summary(&plan);
    plan.refusals = guard::refusals(&plan, &guards);
    plan
}

/// Whether the record in a cluster may be written by this repository: what is in another's is not this one's to mend.
fn is_record_ours(input: &ClusterInput<'_>) -> bool {
    !matches!(input.record.holder, Holder::Other(_) | Holder::Unknown(_))
}

/// Adds to deletions, and to changes of CRDs, what they follow from.
fn add_causes(inputs: &Inputs<'_>, parts: &mut [ClusterChanges]) {
    let Some(management) = inputs.clusters.iter().find(|cluster| *cluster.target == Target::Management) else { return };
    let live: BTreeMap<String, &LiveCluster> =
        inputs.clusters.iter().filter_map(|cluster| Some((cluster.target.to_string(), cluster.live?))).collect();
    let body = |about: &ObjectRef| live.get(&about.cluster)?.objects.get(&about.into()).map(|object| &object.body);
    let deleted: Vec<ObjectRef> =
        parts.iter().flat_map(|part| &part.deleted).map(|change| change.object.clone()).collect();
    let name = management.target.to_string();
    let here = deleted.iter().filter(|about| about.cluster == name);
    let there = live.get(&name).into_iter().flat_map(|live| &live.objects);
    let gone = Causes::among(here.filter_map(|about| Some((about, body(about)?))))
        .with_catalogs(there.map(|(key, object)| (key, &object.body)));
    for change in parts.iter_mut().flat_map(|part| &mut part.deleted) {
        if let Some(body) = body(&change.object) {
            change.causes = gone.of(&change.object, body);
        }
    }
    let is_crd = |change: &&mut Change| change.action == Action::Update && ObjectKey::from(&change.object).is_crd();
    let updated: Vec<&mut Change> = parts.iter_mut().flat_map(|part| &mut part.applied).filter(is_crd).collect();
    if updated.is_empty() {
        return;
    }
    let is_maker = |manifest: &&Manifest| matches!(manifest.id.kind.as_str(), "CatalogEntrySet" | "CatalogEntry");
    let makers: Vec<(ObjectRef, &Value)> = management
        .wanted
        .iter()
        .filter(is_maker)
        .map(|manifest| (reference(management.target, &ObjectKey::from(&manifest.id), &manifest.body), &*manifest.body))
        .collect();
    let makers = Causes::among(makers.iter().map(|(about, body)| (about, *body)));
    for change in updated {
        if let Some(body) = body(&change.object) {
            change.causes = makers.of(&change.object, body);
        }
    }
}

fn summary(plan: &Plan) -> Summary {
    let count = |action| plan.changes.iter().filter(|change| change.action == action).count();
    Summary {
        create: count(Action::Create),
        update: count(Action::Update),
        delete: count(Action::Delete),
        unchanged: plan.clusters.iter().map(|cluster| cluster.unchanged).sum(),
        kept: plan.kept.len(),
    }
}

/// See [`Plan::input_digest`].
fn input_digest(clusters: &[ClusterInput<'_>]) -> String {
    let mut lines = Vec::new();
    for cluster in clusters {
        lines.push(cluster.target.to_string());
        // A digest of each object, so that different objects cannot be concatenated to the same text.
        lines.extend(cluster.wanted.iter().map(|manifest| sha256(manifest.body.to_string().as_bytes())));
    }
    format!("sha256:{}", sha256(lines.join("\n").as_bytes()))
}

/// The part of the plan for one cluster.
#[derive(Default)]
struct ClusterChanges {
    cluster: ClusterPlan,
    applied: Vec<Change>,
    deleted: Vec<Change>,
    kept: Vec<ObjectRef>,
    held: Option<String>,
    foreign: Vec<(ObjectRef, String)>,
    going: Vec<Going>,
    extra: Vec<ExtraField>,
}

fn plan_cluster(inputs: &Inputs<'_>, input: &ClusterInput<'_>) -> ClusterChanges {
    let mut part = ClusterChanges::default();
    part.cluster.name = input.target.to_string();
    part.cluster.objects = input.wanted.len();
    let Some(live) = input.live else { return part };
    part.cluster.reached = true;
    part.cluster.uid.clone_from(&live.uid);
    part.cluster.run.clone_from(&input.record.run);
    part.cluster.inventory_refused = input.inventory_refused.map(without_values);
    let is_writable = inputs.hermetic || !going::are_records_held_up(live);
    match &input.record.holder {
        Holder::This | Holder::Absent => {}
        Holder::Nobody => part.cluster.claims_inventory = is_writable,
        Holder::Other(theirs) => {
            let (theirs, by) = (theirs.as_deref(), input.record.named_by.as_deref());
            part.held = Some(holder::refusal(input.inventory, &part.cluster.name, theirs, by));
        }
        Holder::Unknown(why) => part.cluster.inventory_unread = Some(why.clone()),
    }
    let ours = |object: &LiveObject| inputs.hermetic || !is_shared(&object.body) && input.inventory.is_member(object);
    part.cluster.inventory = live.objects.values().filter(|object| ours(object)).count();

    let keys: BTreeSet<ObjectKey> = input.wanted.iter().map(|manifest| ObjectKey::from(&manifest.id)).collect();
    let mut waiting = Waiting::new(live, input.wanted);
    let from = inputs.taken();
    for manifest in input.wanted {
        plan_object(inputs, input, (live, &mut waiting, &from), manifest, &mut part);
    }
    let system = ObjectKey::of_namespace(&input.inventory.namespace);
    if let Some(object) = live.objects.get(&system).filter(|_| !is_writable && !keys.contains(&system)) {
        let reference = reference(input.target, &system, &object.body);
        part.going.push(going::of(reference, &object.body, part.cluster.inventory > 0, None));
    }
    let mut gone: Vec<(&ObjectKey, &LiveObject)> =
        live.objects.iter().filter(|(key, object)| !keys.contains(*key) && ours(object)).collect();
    gone.sort_by_key(|(key, _)| (key.stage(), *key));
    let mut inherited = BTreeSet::new();
    let mut is_first_seen = false;
    for (key, object) in gone.into_iter().rev() {
        let reference = reference(input.target, key, &object.body);
        let is_going = !inputs.hermetic && object.is_terminating();
        match inputs.deletes() {
            true if !is_going || has_instances(input, key) => {
                is_first_seen |= input.inventory.is_first_seen(object);
                part.deleted.push(deletion(input, key, object, reference));
            }
            _ if is_going => part.going.push(going::of(reference, &object.body, false, input.instances.get(key))),
            _ => {
                let is_inherited = |id: &&str| *id != input.inventory.id;
                inherited.extend(object.part_of().filter(is_inherited).map(str::to_owned));
                part.kept.push(reference);
            }
        }
    }
    for going in &mut part.going {
        going.waiting = waiting.on(&ObjectKey::from(&going.object));
    }
    // Objects without the record of the inventory: somebody has deleted it, and they may be another repository's.
    if input.record.holder == Holder::Absent && part.cluster.inventory > 0 {
        part.cluster.claims_inventory = is_writable;
    }
    if part.cluster.claims_inventory && !part.deleted.is_empty() && part.held.is_none() {
        part.held = Some(holder::unnamed(input.inventory, &part.cluster.name, part.deleted.len()));
    }
    part.cluster.inherited = inherited.into_iter().collect();
    if let Some(by) = &input.record.named_by
        && !part.deleted.is_empty()
        && part.held.is_none()
    {
        part.held = Some(holder::unproven(input.inventory, &part.cluster.name, by, part.deleted.len()));
    }
    let takes = is_first_seen || part.applied.iter().any(|change| change.taken_from.is_some());
    if takes && !part.deleted.is_empty() && part.held.is_none() {
        part.held = Some(holder::taking(input.inventory, &part.cluster.name, part.deleted.len()));
    }
    part.kept.sort();
    part.cluster.inventory_repair = repair(input, live, &part).filter(|_| is_writable);
    let record = input.record.parent.as_ref();
    part.going.extend(record.and_then(|record| going::of_record(&part.cluster.name, input.inventory, record)));
    part.going.sort();
    part.cluster.untried = untried(input, &part.applied);
    add_access_changes(input, live, &mut part);
    if !inputs.hermetic {
        let mut changes: Vec<&mut Change> = part.applied.iter_mut().chain(&mut part.deleted).collect();
        losing::add(&mut changes, input.lost, input.impacts);
    }
    part
}

/// What the next run repairs in the record of the inventory.
fn repair(input: &ClusterInput<'_>, live: &LiveCluster, part: &ClusterChanges) -> Option<Repair> {
    let record = input.record.parent.as_ref()?;
    let is_member =
        |object: &LiveObject| !is_shared(&object.body) && input.inventory.ownership(object) == Ownership::Ours;
    let members = live.objects.iter().filter(|(_, object)| is_member(object));
    let members = members.map(|(key, _)| (key.group.clone(), key.kind.clone())).collect();
    let stay = part.kept.iter().chain(part.going.iter().map(|going| &going.object)).map(ObjectKey::from);
    let left = parent::kinds(input.wanted).into_iter().chain(stay.map(|key| (key.group, key.kind))).collect();
    let inherited = part.cluster.inherited.iter().cloned().collect();
    repair::of(
        &part.cluster.name,
        input.inventory,
        record,
        repair::Kinds { members: &members, left: &left },
        &inherited,
    )
}

/// What the server could not be asked, and which permissions are missing for that. Of many namespaces a permission is
/// named once.
fn untried(input: &ClusterInput<'_>, applied: &[Change]) -> Option<Untried> {
    let names = |permissions: &mut dyn Iterator<Item = &Permission>| {
        let names: BTreeSet<String> = permissions.map(|p| format!("{} {}", p.verb, p.full_resource())).collect();
        names.into_iter().collect()
    };
    let mut lacking = input.answers.values().flat_map(|answer| match answer {
        DryRunResult::NotPermitted(lacking) => lacking.as_slice(),
        _ => &[],
    });
    let untried = Untried {
        objects: applied.iter().filter(|change| change.untried).count(),
        of: input.dry_runs,
        missing: names(&mut lacking),
        missing_for_trial: names(&mut input.no_trial.iter()),
    };
    (untried.objects > 0 || !untried.missing_for_trial.is_empty()).then_some(untried)
}

/// Whether instances are, or may be, still in what is being deleted: then the deletion is not done, and what sync needs
/// for it must not be deleted before.
fn has_instances(input: &ClusterInput<'_>, key: &ObjectKey) -> bool {
    input.impacts.get(key).is_some_and(Impact::may_destroy)
}

/// Plans an object of the repository.
fn plan_object(
    inputs: &Inputs<'_>,
    input: &ClusterInput<'_>,
    (live, waiting, from): (&LiveCluster, &mut Waiting<'_>, &[String]),
    manifest: &Manifest,
    part: &mut ClusterChanges,
) {
    let key = ObjectKey::from(&manifest.id);
    let existing = live.objects.get(&key);
    let body = match inputs.hermetic {
        // Objects in files have no label of an inventory.
        true => Arc::clone(&manifest.body),
        false => input.inventory.labelled(&manifest.body),
    };
    let takes_over = existing.map(|existing| take_over::taken_managers(existing, from)).unwrap_or_default();
    let comparison = match existing {
        // What a server has written into a file is no difference.
        Some(existing) if inputs.hermetic && is_equal(&existing.body, &body) => Comparison::Same,
        Some(_) if !takes_over.is_empty() => Comparison::Differs,
        existing => compare(&body, existing),
    };
    let reference = reference(input.target, &key, &body);
    if let Some(existing) = existing.filter(|existing| is_of_others(inputs, input, existing)) {
        part.extra.extend(extra::fields(&reference, existing, &body, from));
    }
    let mut change = Change {
        object: reference.clone(),
        action: Action::Create,
        effect: Effect::Safe,
        reasons: Vec::new(),
        stage: manifest.stage.name().to_owned(),
        source: manifest.cause.place().and_then(|span| place(inputs.sources, span)),
        causes: Vec::new(),
        fields: Vec::new(),
        access: Vec::new(),
        impact: input.impacts.get(&key).cloned(),
        conflicts: Vec::new(),
        takes_over,
        refused: None,
        untried: false,
        live: None,
        migration: None,
        taken_from: None,
        digest: None,
    };
    let is_live_crd = key.is_crd() && !inputs.hermetic;
    change.migration = existing.filter(|_| is_live_crd).and_then(|live| storage::migration(&body, &live.body));
    match (comparison, existing) {
        (Comparison::Same, _) if change.migration.is_none() => {
            part.cluster.unchanged += 1;
            return;
        }
        (Comparison::Absent, _) | (_, None) => match input.answers.get(&key) {
            Some(DryRunResult::Refused(why)) => change.refused = Some(without_values(why)),
            Some(DryRunResult::Unanswered(why)) => change.reasons.push(unanswered(why)),
            Some(DryRunResult::NotPermitted(_)) => change.untried = true,
            _ => {}
        },
        (Comparison::Same | Comparison::Differs, Some(existing)) => {
            let answer = input.answers.get(&key);
            if !inputs.hermetic {
                let ownership = input.inventory.ownership(existing);
                if let Ownership::Foreign(id) | Ownership::Inherited(id) = ownership {
                    part.foreign.push((reference, id));
                    return;
                }
                if let Ownership::Taken(name) = &ownership {
                    let other = existing.part_of().and_then(|id| live.others.get(id));
                    change.reasons.push(adoption::taken(name, other, input.inventory));
                    change.taken_from = Some(name.clone());
                }
                if existing.is_terminating() {
                    part.going.push(going::of(reference, &existing.body, true, input.instances.get(&key)));
                    return;
                }
                let is_same =
                    matches!(answer, Some(DryRunResult::Accepted(would)) if same_after_dry_run(&existing.body, would));
                if is_same && change.takes_over.is_empty() && change.migration.is_none() {
                    part.cluster.unchanged += 1;
                    return;
                }
                if ownership == Ownership::Unmarked {
                    change.reasons.extend(adoption::reason(input.inventory, existing, &body));
                }
            }
            update(&mut change, inputs.hermetic, (&key, existing, &body), answer);
        }
    }
    // Nothing is made in a namespace in deletion, or of a kind whose CRD is.
    if !inputs.hermetic && waiting.takes(&key) {
        return;
    }
    change.effect = worst(&change.reasons);
    if inputs.hermetic && change.effect >= Effect::Tightening && change.impact.is_none() {
        change.impact = Some(unchecked_impact());
    }
    change.digest = Some(format!("sha256:{}", sha256(body.to_string().as_bytes())));
    part.applied.push(change);
}

/// Makes an update of a change: what changes in the live object, and what that means.
fn update(
    change: &mut Change,
    hermetic: bool,
    (key, existing, body): (&ObjectKey, &LiveObject, &Value),
    answer: Option<&DryRunResult>,
) {
    change.action = Action::Update;
    change.live = LiveVersion::of(existing);
    change.fields = match answer {
        Some(DryRunResult::Accepted(would) | DryRunResult::Forced(would, _)) => fields::changes(&existing.body, would),
        _ if hermetic => fields::changes(&existing.body, body),
        _ => fields::wanted(&existing.body, body),
    };
    match answer {
        Some(DryRunResult::Conflicts(list) | DryRunResult::Forced(_, list)) => {
            change.conflicts.clone_from(list);
        }
        Some(DryRunResult::Refused(why)) => change.refused = Some(without_values(why)),
        Some(DryRunResult::Unanswered(why)) => change.reasons.push(unanswered(why)),
        Some(DryRunResult::NotPermitted(_)) => change.untried = true,
        Some(DryRunResult::Accepted(_)) | None => {}
    }
    change.reasons.extend(consequence::of_update(key, &existing.body, body));
    change.reasons.extend(change.migration.as_ref().map(storage::reason));
    let is_tried = matches!(answer, Some(DryRunResult::Accepted(_) | DryRunResult::Forced(..)));
    change.reasons.extend(managers::reason(change, existing, is_tried).filter(|_| !hermetic));
    // A stable sort: reasons with the same effect stay in the order of the fields.
    change.reasons.sort_by_key(|reason| std::cmp::Reverse(reason.effect));
}

/// Whether fields of others in a live object matter: it is not one that is left alone.
fn is_of_others(inputs: &Inputs<'_>, input: &ClusterInput<'_>, live: &LiveObject) -> bool {
    !inputs.hermetic && !live.is_terminating() && !input.inventory.is_foreign(live)
}

/// The reason of a change of which the server did not say whether it takes it. It hides no effect: those are judged without
/// the server.
fn unanswered(why: &str) -> Reason {
    let text = format!("it is not known whether the API server takes it: {why}");
    Reason { effect: Effect::Safe, text, path: String::new() }
}

/// Plans the deletion of an object.
fn deletion(input: &ClusterInput<'_>, key: &ObjectKey, object: &LiveObject, reference: ObjectRef) -> Change {
    let impact = input.impacts.get(key).cloned();
    let mut reasons = consequence::of_deletion(key, impact.as_ref());
    if object.is_terminating() {
        let going = going::of(reference.clone(), &object.body, false, input.instances.get(key));
        let text = format!("its deletion has begun already: {}", going::cause(&going));
        reasons.push(Reason { effect: Effect::Safe, text, path: String::new() });
    }
    let effect = worst(&reasons);
    Change {
        object: reference,
        action: Action::Delete,
        effect,
        reasons,
        stage: key.stage().name().to_owned(),
        source: None,
        causes: Vec::new(),
        fields: Vec::new(),
        access: Vec::new(),
        impact: impact.or_else(|| (effect == Effect::Destructive).then(unchecked_impact)),
        conflicts: Vec::new(),
        takes_over: Vec::new(),
        refused: None,
        untried: false,
        live: LiveVersion::of(object),
        migration: None,
        taken_from: match input.inventory.ownership(object) {
            Ownership::Taken(name) => Some(name),
            _ => None,
        },
        digest: None,
    }
}

/// Whether an object in a file is the one of the repository.
fn is_equal(base: &Value, body: &Value) -> bool {
    equal(base, body) || equal(&without_server_fields(base), &without_server_fields(body))
}

fn unchecked_impact() -> Impact {
    Impact { unchecked: Some(NOT_ASKED.to_owned()), ..Impact::default() }
}

fn worst(reasons: &[Reason]) -> Effect {
    reasons.iter().map(|reason| reason.effect).max().unwrap_or_default()
}

/// Adds to each change of RBAC the permissions that subjects gain and lose by it.
fn add_access_changes(input: &ClusterInput<'_>, live: &LiveCluster, part: &mut ClusterChanges) {
    let key_of = |change: &Change| ObjectKey::from(&change.object);
    let applied: BTreeSet<ObjectKey> = part.applied.iter().map(key_of).filter(access_change::concerns).collect();
    let deleted: BTreeSet<ObjectKey> = part.deleted.iter().map(key_of).filter(access_change::concerns).collect();
    if applied.is_empty() && deleted.is_empty() {
        return;
    }
    let before: access_change::Objects<'_> = live
        .objects
        .iter()
        .filter(|(key, _)| access_change::concerns(key))
        .map(|(key, object)| (key, &object.body))
        .collect();
    let wanted: Vec<(ObjectKey, &Value)> =
        input.wanted.iter().map(|manifest| (ObjectKey::from(&manifest.id), &*manifest.body)).collect();
    let mut after: access_change::Objects<'_> = before.clone();
    after.retain(|key, _| !deleted.contains(*key));
    after.extend(wanted.iter().filter(|(key, _)| access_change::concerns(key)).map(|(key, body)| (key, *body)));
    let mut found = access_change::changes(&before, &after, &applied.iter().chain(&deleted).collect());
    for change in part.applied.iter_mut().chain(&mut part.deleted) {
        change.access = found.remove(&key_of(change)).unwrap_or_default();
    }
}

fn reference(target: &Target, key: &ObjectKey, body: &Value) -> ObjectRef {
    ObjectRef {
        cluster: target.to_string(),
        api_version: body.get("apiVersion").and_then(Value::as_str).unwrap_or_default().to_owned(),
        kind: key.kind.clone(),
        namespace: key.namespace.clone(),
        name: key.name.clone(),
    }
}

/// A place in a file; `None` for one in an API object, which has no lines.
fn place(sources: &Sources, span: Span) -> Option<Place> {
    sources.get(span.file)?;
    let position = sources.position(span);
    Some(Place { file: sources.path(span).to_owned(), line: position.line, column: position.column })
}
