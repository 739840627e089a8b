//! The guards: rules by which `carrier apply` refuses a plan, and the flags that
//! allow it.
//!
//! A guard depends only on the plan, so that a plan is refused wherever it is
//! applied. A flag allows only the object that it names.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::adoption::ADOPT;
use super::others::Foreign;
use super::take_over::TAKE_OVER_FROM;
use super::types::{Action, Allowed, Change, Effect, Impact, ObjectRef, Plan, Refusal};
use super::words::{NOT_ASKED, count, first, flag_name, full_name, impact, placed};
use super::{adoption, cause, consequence, take_over};
use crate::model::keys::DELETION_POLICY;
use crate::model::kinds::DeletionPolicyConfig;
use crate::model::kinds::deletion::DeletionPolicy;
use crate::model::resource::Resource;
use crate::model::shell::shell_word;

/// Allows a breaking change of the named object.
pub(crate) const ALLOW_BREAKING: &str = "--allow-breaking";
/// Allows a destructive change of the named object.
pub(crate) const ALLOW_DELETE: &str = "--allow-delete";
/// Takes over fields of other managers in the named object.
pub(crate) const FORCE_CONFLICTS: &str = "--force-conflicts";
/// Sets the number of objects that may be deleted.
pub(crate) const MAX_PRUNE: &str = "--max-prune";
/// Allows a repository without objects to delete all objects of its inventory.
pub(crate) const ALLOW_EMPTY: &str = "--allow-empty";
/// The number of deletions that are allowed in a small inventory; in a large one, a tenth of it.
const USUAL: usize = 10;
/// So many instances are named whose policy forbids their deletion.
const NAMED: usize = 10;

/// The input of the guards besides the plan.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct GuardInput {
    /// Objects of the repository that belong to other inventories.
    pub foreign: Vec<Foreign>,
    /// Refusals of runs that would forget inventories which somebody else has written into the record.
    pub unconfirmed: Vec<Refusal>,
    /// Why the inventories of clusters cannot be used: they belong to other repositories.
    pub held: Vec<String>,
    /// Whether no rendered object comes from the repository.
    pub empty: bool,
    /// The value of `--max-prune`; `None` for the default limit.
    pub max_prune: Option<usize>,
    /// Whether `--allow-empty` is given.
    pub allow_empty: bool,
}

/// Whether a flag was given for an object or for `all`. An object in a namespace is named with it, and one in a service
/// cluster with that, because the same name in the namespace of another tenant or in another cluster is a different
/// object.
#[must_use]
pub(crate) fn is_allowed(allowed: &[Allowed], flag: &str, about: &ObjectRef) -> bool {
    are_all(allowed, flag) || is_named(allowed, flag, about)
}

/// Whether a flag was given for `all`.
fn are_all(allowed: &[Allowed], flag: &str) -> bool {
    allowed.iter().any(|a| a.flag == flag && a.name == "all")
}

/// Whether a flag was given for this object by its name. `all` stands for what was shown: it does not allow what nobody
/// could count.
fn is_named(allowed: &[Allowed], flag: &str, about: &ObjectRef) -> bool {
    let name = flag_name(about);
    // The kind may be written out: `customresourcedefinition/…`.
    let long =
        (about.kind == "CustomResourceDefinition").then(|| name.replacen("crd/", "customresourcedefinition/", 1));
    allowed.iter().any(|a| a.flag == flag && (a.name == name || Some(&a.name) == long.as_ref()))
}

/// Whether a flag was given for an object that the change follows from. To allow what is deleted with an object is to allow
/// that it is no longer offered.
fn is_caused(allowed: &[Allowed], flag: &str, change: &Change) -> bool {
    let is_deletion = change.action == Action::Delete;
    change
        .causes
        .iter()
        .any(|cause| is_named(allowed, flag, cause) || is_deletion && is_named(allowed, ALLOW_DELETE, cause))
}

/// All refusals of a plan, the most severe first.
#[must_use]
pub(crate) fn refusals(plan: &Plan, input: &GuardInput) -> Vec<Refusal> {
    let mut found = Vec::new();
    found.extend(input.held.iter().map(|message| Refusal {
        guard: "foreign-repository".to_owned(),
        message: message.clone(),
        flag: None,
    }));
    found.extend(input.foreign.iter().map(Foreign::refusal));
    found.extend(input.unconfirmed.iter().cloned());
    for cluster in &plan.clusters {
        found.extend(cluster.inventory_refused.iter().map(|why| Refusal {
            guard: "server".to_owned(),
            message: format!("the API server refuses the ConfigMap of the inventory in {}: {why}", cluster.name),
            flag: None,
        }));
    }
    for change in &plan.changes {
        found.extend(change.refused.iter().map(|why| Refusal {
            guard: "server".to_owned(),
            message: format!("the API server refuses {}: {why}{}", placed(&change.object), renaming(change)),
            flag: None,
        }));
    }
    found.extend(plan.changes.iter().filter_map(blocked));
    found.extend(incomplete(plan));
    found.extend(empty(plan, input));
    found.extend(mass_deletion(plan, input));
    let of_effect = |effect| {
        let alone = move |change| by_effect(plan, change, effect).map(|refusal| (change, refusal));
        plan.changes.iter().filter_map(alone)
    };
    // Of the same effect, what hurts most instances stands first: a long list is cut.
    let worst_first = |effect| {
        let mut alone: Vec<(&Change, Refusal)> = of_effect(effect).collect();
        alone.sort_by_key(|(change, _)| Reverse(change.impact.as_ref().map_or(0, hurt)));
        alone
    };
    let alone = worst_first(Effect::Destructive).into_iter().chain(worst_first(Effect::Breaking));
    found.extend(by_cause(plan, alone.collect()));
    found.extend(adoptions(plan));
    found.extend(plan.changes.iter().filter_map(|change| conflicts(plan, change)));
    found
}

/// The number of instances that are destroyed, or else suffer otherwise.
fn hurt(impact: &Impact) -> usize {
    let left = if impact.left.is_empty() { 0 } else { impact.instances };
    impact.destroyed_count.max(impact.invalid_count).max(left)
}

/// The way on for a service that has another kind or plural now: neither the server nor carrier moves its instances.
fn renaming(change: &Change) -> &'static str {
    let is_renamed = |field: &super::types::FieldChange| match change.object.kind.as_str() {
        "CatalogEntry" => field.path == "/spec/baseCRD/name",
        "CustomResourceDefinition" => field.path == "/spec/names/kind",
        _ => false,
    };
    if change.fields.iter().any(is_renamed) {
        "; a service keeps its kind and plural: offer it under the new name by a CatalogEntrySet beside this one, until this one has no instances"
    } else {
        ""
    }
}

/// An instance whose owner, or whose service, forbids its deletion: sync would hold it whatever is allowed, and what it is
/// in would stay in deletion.
fn blocked(change: &Change) -> Option<Refusal> {
    let impact = change.impact.as_ref().filter(|impact| impact.blocked_count > 0)?;
    let names =
        impact.blocked.iter().map(|one| format!("{} {}", one.kind, full_name(one.namespace.as_deref(), &one.name)));
    let message = format!(
        "{} would be deleted, and the deletion policy of {} is Block ({}); {}, or keep it",
        placed(&change.object),
        count(impact.blocked_count, "instance"),
        first(names, impact.blocked_count, NAMED),
        unblocking(impact),
    );
    Some(Refusal { guard: "blocked".to_owned(), message, flag: None })
}

/// How instances get another policy than `Block`. An instance cannot ask for one that its service does not allow.
fn unblocking(impact: &Impact) -> String {
    let counted = impact.originals.iter().chain(&impact.counted).flat_map(|counted| &counted.kinds);
    let policies: Vec<_> = counted
        .filter(|kind| impact.blocked.iter().any(|one| is_of(one, &kind.resource)))
        .filter_map(|kind| kind.policy.as_ref())
        .collect();
    let allows_only_block = |policy: &&&DeletionPolicyConfig| policy.allows_only(DeletionPolicy::Block);
    let annotation = format!("change `{DELETION_POLICY}` of each");
    let entry = "first change `deletionPolicy` of the CatalogEntry and apply it";
    match policies.iter().filter(allows_only_block).count() {
        0 => annotation,
        fixed if fixed == policies.len() => format!("the service allows only Block: {entry}"),
        _ => format!("{annotation}, and where the service allows only Block, {entry}"),
    }
}

fn is_of(instance: &ObjectRef, resource: &Resource) -> bool {
    instance.kind == resource.kind && instance.api_version == resource.api_version()
}

/// Nothing is deleted while the state of a cluster is unknown: its objects may need what would be deleted.
fn incomplete(plan: &Plan) -> Option<Refusal> {
    let unreached: Vec<String> = plan.clusters.iter().filter(|c| !c.reached).map(|c| c.name.clone()).collect();
    if !plan.prune || unreached.is_empty() || deletions(plan) == 0 {
        return None;
    }
    let names = first(unreached.iter().cloned(), unreached.len(), 3);
    let message = format!(
        "{} would be deleted while the state of {names} is unknown, and with it whether they are still in use; plan without `--prune`, or again when all clusters can be compared",
        count(deletions(plan), "object"),
    );
    Some(Refusal { guard: "incomplete".to_owned(), message, flag: None })
}

fn empty(plan: &Plan, input: &GuardInput) -> Option<Refusal> {
    if !plan.prune || !input.empty || input.allow_empty || deletions(plan) == 0 {
        return None;
    }
    let message = format!(
        "the repository has no objects, and {} would be deleted; check that this is the right folder",
        count(deletions(plan), "object")
    );
    Some(Refusal { guard: "empty-input".to_owned(), message, flag: Some(ALLOW_EMPTY.to_owned()) })
}

/// Limits deletions to a tenth of the inventory, or to [`USUAL`] if that is more.
fn mass_deletion(plan: &Plan, input: &GuardInput) -> Option<Refusal> {
    if !plan.prune {
        return None;
    }
    let inventory = inventory(plan);
    let most = input.max_prune.unwrap_or_else(|| usual_limit(inventory));
    let deletions = deletions(plan);
    if deletions <= most {
        return None;
    }
    let message = format!("{} of {inventory} would be deleted; the limit is {most}", count(deletions, "object"));
    Some(Refusal { guard: "mass-deletion".to_owned(), message, flag: Some(format!("{MAX_PRUNE} {deletions}")) })
}

/// The number of deletions of a plan that was made with a higher limit than the usual one, which had to be given.
#[must_use]
pub(crate) fn exceeding(plan: &Plan) -> Option<usize> {
    let is_refused = plan.refusals.iter().any(|refusal| refusal.guard == "mass-deletion");
    Some(deletions(plan)).filter(|deletions| !is_refused && *deletions > usual_limit(inventory(plan)))
}

/// The number of objects in the inventories of all clusters.
fn inventory(plan: &Plan) -> usize {
    plan.clusters.iter().map(|cluster| cluster.inventory).sum()
}

/// The largest number of deletions without a flag.
fn usual_limit(inventory: usize) -> usize {
    USUAL.max(inventory / 10)
}

fn deletions(plan: &Plan) -> usize {
    plan.changes.iter().filter(|change| change.action == Action::Delete).count()
}

fn by_effect(plan: &Plan, change: &Change, effect: Effect) -> Option<Refusal> {
    // A tightening change is breaking if instances become invalid, or if they could not be checked. Who may not even try the
    // change cannot apply it: whoever can is told by the plan of their own.
    let is_unchecked =
        |impact: &Impact| !change.untried && impact.unchecked.as_deref().is_some_and(|why| why != NOT_ASKED);
    let hurts = |impact: &Impact| impact.invalid_count > 0 || is_unchecked(impact);
    let hurts = change.impact.as_ref().is_some_and(hurts);
    let grave = if change.effect == Effect::Tightening && hurts { Effect::Breaking } else { change.effect };
    let (guard, flag) = match effect {
        Effect::Destructive => ("destructive", ALLOW_DELETE),
        _ => ("breaking", ALLOW_BREAKING),
    };
    // Nobody knows then whether the policy of one of them is `Block`, and without its assignment its copy goes.
    let is_assignment = change.action == Action::Delete && change.object.kind == "ServiceClusterAssignment";
    let takes_instances = effect == Effect::Destructive || is_assignment;
    let uncounted = takes_instances && consequence::is_uncounted(change.impact.as_ref());
    let is_allowed = match uncounted {
        true => is_named(&plan.allowed, flag, &change.object),
        false => is_allowed(&plan.allowed, flag, &change.object) || is_caused(&plan.allowed, flag, change),
    };
    if grave != effect || is_allowed {
        return None;
    }
    let grave = |text: &&super::types::Reason| text.effect >= Effect::Tightening;
    let mut parts: Vec<String> =
        change.reasons.iter().filter(grave).take(2).map(|reason| reason.text.clone()).collect();
    let more = change.reasons.iter().filter(grave).count().saturating_sub(parts.len());
    if more > 0 {
        parts.push(format!("{more} more"));
    }
    let verb = match change.action {
        Action::Delete => "would be deleted",
        _ => "would change",
    };
    let mut message = format!("{} {verb}: {}", placed(&change.object), parts.join("; "));
    if let Some(known) = &change.impact {
        let lines: Vec<String> = impact(known, false).iter().map(|line| line.trim().to_owned()).collect();
        if !lines.is_empty() {
            message = format!("{message} ({})", lines.join("; "));
        }
    }
    if uncounted && are_all(&plan.allowed, flag) {
        message = format!("{message}; `{flag} all` does not allow to delete what could not be counted");
    }
    Some(Refusal { guard: guard.to_owned(), message, flag: Some(format!("{flag} {}", flag_name(&change.object))) })
}

/// Refusals of changes, with many that follow from one object in one refusal: that of its name allows them. What could not be
/// counted is allowed by its own name alone.
fn by_cause(plan: &Plan, alone: Vec<(&Change, Refusal)>) -> Vec<Refusal> {
    let group = |change: &Change| {
        let is_counted = !consequence::is_uncounted(change.impact.as_ref());
        change.causes.first().filter(|_| is_counted).map(|cause| (cause.clone(), change.action))
    };
    let mut groups: BTreeMap<(ObjectRef, Action), Vec<&Change>> = BTreeMap::new();
    for (change, _) in &alone {
        if let Some(key) = group(change) {
            groups.entry(key).or_default().push(change);
        }
    }
    groups.retain(|_, changes| changes.len() > adoption::FEW);
    let mut said = BTreeSet::new();
    let mut found = Vec::new();
    for (change, refusal) in alone {
        let key = group(change);
        match key.as_ref().and_then(|key| groups.get(key)) {
            None => found.push(refusal),
            // The first one is the gravest.
            Some(changes) if said.insert(key) => {
                let flag = if refusal.guard == "destructive" { ALLOW_DELETE } else { ALLOW_BREAKING };
                found.push(cause::refusal(plan, changes, refusal.guard, flag));
            }
            Some(_) => {}
        }
    }
    found
}

/// The adoptions that nobody has allowed: in each cluster one refusal for all with the same consequences.
fn adoptions(plan: &Plan) -> Vec<Refusal> {
    let mut groups: BTreeMap<(&str, &str), Vec<&Change>> = BTreeMap::new();
    // An inventory is taken over by its name.
    for change in plan.changes.iter().filter(|change| change.adopts() && change.taken_from.is_none()) {
        if !is_allowed(&plan.allowed, ADOPT, &change.object) {
            groups.entry((&change.object.cluster, adoption::why(change))).or_default().push(change);
        }
    }
    let mut groups: Vec<Vec<&Change>> = groups.into_values().collect();
    groups.sort_by_key(|changes| changes.first().map(|first| (&first.object.cluster, &first.object.kind)));
    let refusal = |changes: Vec<&Change>| {
        let flag = match changes.len() {
            0..=adoption::FEW => {
                changes.iter().map(|change| format!("{ADOPT} {}", flag_name(&change.object))).collect()
            }
            _ => vec![format!("{ADOPT} all")],
        };
        let message = match changes.as_slice() {
            [one] => {
                format!(
                    "{} exists and is not carrier's; applying the repository would take it over",
                    placed(&one.object)
                )
            }
            many => {
                let cluster = many.first().map_or("", |first| first.object.cluster.as_str());
                let place = if cluster == "management" { String::new() } else { format!(" in {cluster}") };
                let what = adoption::heading(many);
                format!("{what}{place} exist and are not carrier's; applying the repository would take them over")
            }
        };
        Refusal { guard: "adoption".to_owned(), message, flag: Some(flag.join(" ")) }
    };
    groups.into_iter().map(refusal).collect()
}

fn conflicts(plan: &Plan, change: &Change) -> Option<Refusal> {
    if change.conflicts.is_empty() || is_allowed(&plan.allowed, FORCE_CONFLICTS, &change.object) {
        return None;
    }
    let fields = change.conflicts.iter().map(|c| format!("{} ({})", c.field, c.manager));
    let fields = first(fields, change.conflicts.len(), 3);
    let managers: BTreeSet<&str> = change.conflicts.iter().map(|conflict| conflict.manager.as_str()).collect();
    let flags = managers.iter().map(|manager| format!("{TAKE_OVER_FROM} {}", shell_word(take_over::typed(manager))));
    let flags: Vec<String> = flags.collect();
    let message = format!(
        "{} has fields that other managers own: {fields}; if this repository replaces them, `{}` takes over all that they have in its objects",
        placed(&change.object),
        flags.join(" "),
    );
    let flag = Some(format!("{FORCE_CONFLICTS} {}", flag_name(&change.object)));
    Some(Refusal { guard: "conflict".to_owned(), message, flag })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn deletion(name: &str, effect: &str, causes: &Value, impact: &Value) -> Change {
        serde_json::from_value(json!({
            "cluster": "management", "api_version": "v1", "kind": "Namespace", "name": name, "action": "delete",
            "effect": effect, "reasons": [], "stage": "namespaces", "fields": [], "access": [], "conflicts": [],
            "impact": impact, "causes": causes,
        }))
        .expect("a change")
    }

    /// The list is cut after some lines.
    #[test]
    fn what_hurts_most_is_said_first() {
        let of = |n: usize| json!({"instances": n, "accounts": 1, "destroyed": [], "destroyed_count": n, "invalid": [], "invalid_count": 0});
        let changes = [("a", 1), ("b", 0), ("c", 154), ("d", 2)]
            .map(|(name, n)| deletion(name, "destructive", &json!([]), &of(n)));
        let plan = Plan { changes: changes.into(), ..Plan::default() };
        let flags: Vec<String> =
            refusals(&plan, &GuardInput::default()).into_iter().filter_map(|refusal| refusal.flag).collect();
        assert_eq!(flags, ["c", "d", "a", "b"].map(|name| format!("{ALLOW_DELETE} namespace/{name}")));
    }

    #[test]
    fn instances_that_lose_their_access_are_named_with_the_cause() {
        let instance = |name: &str| json!({"cluster": "management", "api_version": "a/v1", "kind": "Cache", "namespace": "t", "name": name});
        let of = |name: &str| {
            json!({
                "instances": 1, "accounts": 1, "destroyed": [], "destroyed_count": 0, "invalid": [], "invalid_count": 0,
                "left": [instance(name)],
            })
        };
        let catalog = json!([
            {"cluster": "management", "api_version": "v1", "kind": "Catalog", "namespace": "a", "name": "c"},
        ]);
        let changes = ["one", "one", "one", "two"].map(|name| deletion(name, "breaking", &catalog, &of(name)));
        let plan = Plan { changes: changes.to_vec(), ..Plan::default() };
        let refused = refusals(&plan, &GuardInput::default());
        let flags: Vec<_> = refused.iter().filter_map(|refusal| refusal.flag.as_deref()).collect();
        assert_eq!(flags, [format!("{ALLOW_BREAKING} catalog/a/c")]);
        let message = &refused[0].message;
        assert!(message.ends_with("(leaves 2 instances: Cache t/one, Cache t/two)"), "{message}");
        // What is destroyed is not left as well.
        let mut destroyed = of("one");
        destroyed["left"] = json!([]);
        destroyed["destroyed"] = json!([instance("one")]);
        destroyed["destroyed_count"] = json!(1);
        let mut changes = changes.to_vec();
        changes[3] = deletion("crd", "destructive", &catalog, &destroyed);
        let refused = refusals(&Plan { changes, ..Plan::default() }, &GuardInput::default());
        let message = &refused[0].message;
        assert!(message.ends_with("(destroys 1 instance: Cache t/one)"), "{message}");
    }

    #[test]
    fn a_manager_with_a_space_is_named_as_it_is_typed() {
        assert!(take_over::is_from("“my tool”", &["kubectl".into(), "my tool".into()]));
        assert!(take_over::is_from("kubectl", &["kubectl".into()]) && !take_over::is_from("kubectl", &[]));
        let change: Change = serde_json::from_value(json!({
            "cluster": "management", "api_version": "v1", "kind": "Namespace", "name": "a", "action": "update",
            "effect": "safe", "reasons": [], "stage": "namespaces", "fields": [], "access": [],
            "conflicts": [{"manager": "“my tool”", "field": ".spec"}],
        }))
        .expect("a change");
        let message = conflicts(&Plan::default(), &change).expect("a refusal").message;
        assert!(message.contains("`--take-over-from 'my tool'`"), "{message}");
    }

    #[test]
    fn a_flag_names_one_object() {
        let object = |kind: &str, namespace: Option<&str>| ObjectRef {
            cluster: "management".into(),
            api_version: "v1".into(),
            kind: kind.into(),
            namespace: namespace.map(str::to_owned),
            name: "x".into(),
        };
        let allows = |name: &str, about: &ObjectRef| {
            let given = [Allowed { flag: ALLOW_DELETE.into(), name: name.into() }];
            assert!(!is_allowed(&given, ALLOW_BREAKING, about), "{name} for another flag");
            is_allowed(&given, ALLOW_DELETE, about)
        };
        let (crd, namespace) = (object("CustomResourceDefinition", None), object("Namespace", None));
        let offering = object("Offering", Some("team-b"));
        for (name, about) in [
            ("crd/x", &crd),
            ("customresourcedefinition/x", &crd),
            ("namespace/x", &namespace),
            ("offering/team-b/x", &offering),
        ] {
            assert!(allows(name, about) && allows("all", about), "{name}");
            for other in [&crd, &namespace, &offering, &object("Offering", Some("team-c"))] {
                assert_eq!(allows(name, other), other == about, "{name}: {other:?}");
            }
        }
        assert!(!allows("offering/x", &offering));
        assert!(!allows("crd/team-b/x", &crd));
        let there = |cluster: &str| ObjectRef { cluster: cluster.into(), ..namespace.clone() };
        let (eu, us) = (there("team-a/eu"), there("team-a/us"));
        assert!(allows("team-a/eu:namespace/x", &eu) && allows("all", &eu));
        for (name, about) in
            [("namespace/x", &eu), ("team-a/eu:namespace/x", &us), ("team-a/eu:namespace/x", &namespace)]
        {
            assert!(!allows(name, about), "{name}: {about:?}");
        }
    }
}
