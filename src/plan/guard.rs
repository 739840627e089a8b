//! Why a plan is not applied as it is, and the flag that allows it.
//!
//! A guard looks at the plan alone, so that the same plan is refused wherever it
//! is applied. What a flag allows by name, it allows for nothing else.

use super::live::PART_OF;
use super::types::{Action, Allowed, Change, Effect, Impact, ObjectRef, Plan, Refusal};
use super::words::{NOT_ASKED, count, first, flag_name, impact, object};

/// Allows a breaking change by name.
pub const ALLOW_BREAKING: &str = "--allow-breaking";
/// Allows a destructive change by name.
pub const ALLOW_DELETE: &str = "--allow-delete";
/// Takes over fields of other managers, by the object's name.
pub const FORCE_CONFLICTS: &str = "--force-conflicts";
/// How many objects may be deleted at most.
pub const MAX_PRUNE: &str = "--max-prune";
/// Whether a repository without objects may delete all there is.
pub const ALLOW_EMPTY: &str = "--allow-empty";
/// As many deletions are usual, however small the inventory is.
const USUAL: usize = 10;

/// What the guards have to know besides the plan.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct GuardInput {
    /// Objects that are wanted and belong to another inventory, with its id.
    pub foreign: Vec<(ObjectRef, String)>,
    /// Objects that are wanted and are being deleted.
    pub terminating: Vec<ObjectRef>,
    /// Whether the repository has no object of its own.
    pub empty: bool,
    /// How many objects may be deleted at most; `None` for the usual.
    pub max_prune: Option<usize>,
    /// Whether an empty repository may delete all there is.
    pub allow_empty: bool,
}

/// Whether a flag allows something about an object. One that is in a namespace is named with it: the
/// same name in another tenant's namespace is another object.
#[must_use]
pub fn is_allowed(allowed: &[Allowed], flag: &str, about: &ObjectRef) -> bool {
    let name = flag_name(about);
    // `customresourcedefinition/…` says the same.
    let long = name.strip_prefix("crd/").map(|name| format!("customresourcedefinition/{name}"));
    allowed.iter().any(|a| a.flag == flag && (a.name == "all" || a.name == name || Some(&a.name) == long.as_ref()))
}

/// All refusals of a plan, the gravest first.
#[must_use]
pub fn refusals(plan: &Plan, input: &GuardInput) -> Vec<Refusal> {
    let mut found = Vec::new();
    for (object, id) in &input.foreign {
        let message = format!(
            "{} belongs to another inventory, {id}; if that one is no more, remove the label {PART_OF} from it",
            placed(object)
        );
        found.push(Refusal { guard: "foreign-inventory".to_owned(), message, flag: None });
    }
    for change in &plan.changes {
        found.extend(change.refused.iter().map(|why| Refusal {
            guard: "server".to_owned(),
            message: format!("{} is refused by the API server: {why}", placed(&change.object)),
            flag: None,
        }));
    }
    for object in &input.terminating {
        let message = format!("{} is being deleted; wait until it is gone, and plan again", placed(object));
        found.push(Refusal { guard: "server".to_owned(), message, flag: None });
    }
    found.extend(incomplete(plan));
    found.extend(empty(plan, input));
    found.extend(mass_deletion(plan, input));
    for effect in [Effect::Destructive, Effect::Breaking] {
        found.extend(plan.changes.iter().filter_map(|change| by_effect(plan, change, effect)));
    }
    found.extend(plan.changes.iter().filter_map(|change| conflicts(plan, change)));
    found
}

/// An object with its cluster, unless that is the usual one.
fn placed(about: &ObjectRef) -> String {
    match about.cluster.as_str() {
        "management" => object(about),
        cluster => format!("{} in {cluster}", object(about)),
    }
}

/// What is deleted here may be needed there.
fn incomplete(plan: &Plan) -> Option<Refusal> {
    let unreached: Vec<String> = plan.clusters.iter().filter(|c| !c.reached).map(|c| c.name.clone()).collect();
    if !plan.prune || unreached.is_empty() || deletions(plan) == 0 {
        return None;
    }
    let names = first(unreached.iter().cloned(), unreached.len(), 3);
    let message = format!(
        "{} would be deleted while {names} did not answer, so nobody can tell what is still used; plan without `--prune`, or when all clusters answer",
        count(deletions(plan), "object"),
    );
    Some(Refusal { guard: "incomplete".to_owned(), message, flag: None })
}

fn empty(plan: &Plan, input: &GuardInput) -> Option<Refusal> {
    if !plan.prune || !input.empty || input.allow_empty || deletions(plan) == 0 {
        return None;
    }
    let message = format!(
        "the repository has no objects at all, and {} would be deleted; is it the right folder?",
        count(deletions(plan), "object")
    );
    Some(Refusal { guard: "empty-input".to_owned(), message, flag: Some(ALLOW_EMPTY.to_owned()) })
}

/// A share of the inventory, but at least a few.
fn mass_deletion(plan: &Plan, input: &GuardInput) -> Option<Refusal> {
    if !plan.prune {
        return None;
    }
    let inventory: usize = plan.clusters.iter().map(|c| c.inventory).sum();
    let most = input.max_prune.unwrap_or_else(|| USUAL.max(inventory / 10));
    let deletions = deletions(plan);
    if deletions <= most {
        return None;
    }
    let message = format!("{} of {inventory} would be deleted, and {most} is the most", count(deletions, "object"));
    Some(Refusal { guard: "mass-deletion".to_owned(), message, flag: Some(format!("{MAX_PRUNE} {deletions}")) })
}

fn deletions(plan: &Plan) -> usize {
    plan.changes.iter().filter(|change| change.action == Action::Delete).count()
}

fn by_effect(plan: &Plan, change: &Change, effect: Effect) -> Option<Refusal> {
    // Instances that get invalid break for those who have them; not to know is no proof that none does.
    let hurts =
        |impact: &Impact| impact.invalid_count > 0 || impact.unchecked.as_deref().is_some_and(|why| why != NOT_ASKED);
    let hurts = change.impact.as_ref().is_some_and(hurts);
    let grave = if change.effect == Effect::Tightening && hurts { Effect::Breaking } else { change.effect };
    let (guard, flag) = match effect {
        Effect::Destructive => ("destructive", ALLOW_DELETE),
        _ => ("breaking", ALLOW_BREAKING),
    };
    if grave != effect || is_allowed(&plan.allowed, flag, &change.object) {
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
    Some(Refusal { guard: guard.to_owned(), message, flag: Some(format!("{flag} {}", flag_name(&change.object))) })
}

fn conflicts(plan: &Plan, change: &Change) -> Option<Refusal> {
    if change.conflicts.is_empty() || is_allowed(&plan.allowed, FORCE_CONFLICTS, &change.object) {
        return None;
    }
    let fields = change.conflicts.iter().map(|c| format!("{} of {}", c.field, c.manager));
    let fields = first(fields, change.conflicts.len(), 3);
    let message = format!("{} has fields that others manage: {fields}", placed(&change.object));
    let flag = Some(format!("{FORCE_CONFLICTS} {}", flag_name(&change.object)));
    Some(Refusal { guard: "conflict".to_owned(), message, flag })
}

#[cfg(test)]
mod tests {
    use super::*;

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
    }
}
