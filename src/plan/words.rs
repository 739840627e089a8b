//! Phrases that all output formats of a plan share.

use super::types::{ClusterPlan, Contents, Impact, InvalidInstance, ObjectRef, Plan, Untried};

/// The number of names that are listed if there are many.
const FIRST: usize = 3;

/// A count with its noun: `1 instance`, `2 instances`.
#[must_use]
pub(crate) fn count(n: usize, what: &str) -> String {
    match n {
        1 => format!("1 {what}"),
        _ => format!("{n} {what}s"),
    }
}

/// The name of an object in flags: `crd/redis.eu-west-1.team-a`, `namespace/team-b`. An object in a namespace is
/// `kind/namespace/name`, and one in a service cluster `provider/cluster:kind/name`, because a flag names exactly one
/// object.
#[must_use]
pub(crate) fn flag_name(object: &ObjectRef) -> String {
    let kind = match object.kind.as_str() {
        "CustomResourceDefinition" => "crd".to_owned(),
        kind => kind.to_lowercase(),
    };
    let name = format!("{kind}/{}", full_name(object.namespace.as_deref(), &object.name));
    match object.cluster.as_str() {
        "management" => name,
        cluster => format!("{cluster}:{name}"),
    }
}

/// The name of an object in messages: `CRD redis.eu-west-1.team-a`, `Role team-b/kubecarrier:tenant`.
#[must_use]
pub(crate) fn object(object: &ObjectRef) -> String {
    let kind = match object.kind.as_str() {
        "CustomResourceDefinition" => "CRD",
        kind => kind,
    };
    match &object.namespace {
        Some(namespace) => format!("{kind} {namespace}/{}", object.name),
        None => format!("{kind} {}", object.name),
    }
}

/// The name of an object and of its cluster, unless that is the management cluster.
#[must_use]
pub(crate) fn placed(about: &ObjectRef) -> String {
    match about.cluster.as_str() {
        "management" => object(about),
        cluster => format!("{} in {cluster}", object(about)),
    }
}

/// At most `most` names, and the number of the others among `all`: `a, b and 3 more`. Empty if there are no names.
#[must_use]
pub(crate) fn first(names: impl IntoIterator<Item = String>, all: usize, most: usize) -> String {
    let names: Vec<String> = names.into_iter().take(most).collect();
    let more = all.saturating_sub(names.len());
    match (names.is_empty(), more) {
        (true, _) => String::new(),
        (false, 0) => names.join(", "),
        (false, more) => format!("{} and {more} more", names.join(", ")),
    }
}

/// `namespace/name`, or only the name without a namespace.
#[must_use]
pub(crate) fn full_name(namespace: Option<&str>, name: &str) -> String {
    namespace.map_or_else(|| name.to_owned(), |namespace| format!("{namespace}/{name}"))
}

/// The value of [`Impact::unchecked`] in a plan without clusters. Text and Markdown report it once for all changes.
pub(crate) const NOT_ASKED: &str = "no cluster was contacted";

/// The effect on instances, in one line each; indented lines list names. `all` lists all names instead of three.
#[must_use]
pub(crate) fn impact(impact: &Impact, all: bool) -> Vec<String> {
    let most = if all { usize::MAX } else { FIRST };
    let mut lines = Vec::new();
    if impact.destroyed_count > 0 {
        let names = impact.destroyed.iter().map(|o| {
            let kind = if o.kind.is_empty() { String::new() } else { format!("{} ", o.kind) };
            format!("{kind}{}", full_name(o.namespace.as_deref(), &o.name))
        });
        let names = first(names, impact.destroyed_count, most);
        let names = if names.is_empty() { names } else { format!(": {names}") };
        lines.push(format!("destroys {}{names}", count(impact.destroyed_count, "instance")));
    }
    for (instances, all, what) in [
        (&impact.invalid, impact.invalid_count, "would be invalid or lose fields"),
        (&impact.changed, impact.changed_count, "would read other values at once"),
    ] {
        lines.extend(affected(instances, all, impact.instances, what, most));
    }
    if !impact.left.is_empty() {
        let names = impact.left.iter().map(|o| format!("{} {}", o.kind, full_name(o.namespace.as_deref(), &o.name)));
        lines.push(format!("leaves {}: {}", count(impact.instances, "instance"), first(names, impact.instances, most)));
    }
    let told =
        !impact.left.is_empty() || impact.destroyed_count > 0 || impact.invalid_count > 0 || impact.changed_count > 0;
    match impact.instances {
        0 if !told && impact.unchecked.is_none() => lines.push("there are no instances".to_owned()),
        n if n > 0 && !told => {
            lines.push(format!("{} in {}", count(n, "instance"), count(impact.accounts, "namespace")));
        }
        _ => {}
    }
    if let Some(why) = impact.unchecked.as_ref().filter(|why| *why != NOT_ASKED) {
        lines.push(format!("the instances were not fully checked: {why}"));
    }
    lines.extend(impact.contents.as_ref().and_then(|contents| self::contents(contents, all)));
    lines
}

/// What becomes of `affected` of `all` instances, and the names of the first of them.
fn affected(names: &[InvalidInstance], affected: usize, all: usize, what: &str, most: usize) -> Vec<String> {
    if affected == 0 {
        return Vec::new();
    }
    let mut lines = vec![format!("{affected} of {} {what}", count(all.max(affected), "instance"))];
    for one in names.iter().take(most) {
        let name = full_name(one.namespace.as_deref(), &one.name);
        let fields = first(one.fields.iter().cloned(), one.fields.len(), most);
        lines.push(if fields.is_empty() { format!("  {name}") } else { format!("  {name}: {fields}") });
    }
    let more = affected.saturating_sub(names.len().min(most));
    if more > 0 {
        lines.push(format!("  and {more} more"));
    }
    lines
}

/// The number of kinds that are listed of what else is in a namespace.
const KINDS: usize = 8;

/// What else is in a namespace that is deleted; `None` if there is nothing.
fn contents(contents: &Contents, all: bool) -> Option<String> {
    let kinds = contents.kinds.iter().map(|kind| format!("{} {}", kind.count, kind.kind));
    let kinds = first(kinds, contents.kinds.len(), if all { usize::MAX } else { KINDS });
    match (kinds.is_empty(), &contents.uncounted) {
        (true, None) => None,
        (true, Some(why)) => Some(format!("what else is in it was not fully counted: {why}")),
        (false, None) => Some(format!("also in it: {kinds}")),
        (false, Some(why)) => Some(format!("also in it: {kinds}; not all of it was counted: {why}")),
    }
}

/// A note for a plan without clusters; `None` if no change of the plan can affect instances.
#[must_use]
pub(crate) fn not_asked(plan: &Plan) -> Option<&'static str> {
    let unknown = |impact: &Impact| impact.unchecked.as_deref() == Some(NOT_ASKED);
    let matters = plan.changes.iter().filter_map(|change| change.impact.as_ref()).any(unknown);
    matters.then_some("No cluster was contacted, so the effect on existing instances is unknown.")
}

/// What could not be tried in a cluster, because the account lacks permissions, and which: `all` of them, or three.
#[must_use]
pub(crate) fn untried(untried: &Untried, all: bool) -> String {
    let Untried { objects, of, missing, missing_for_trial } = untried;
    let no_trial = !missing_for_trial.is_empty();
    let what = match (*objects, no_trial) {
        (0, _) => "instances could not be tried under the new schemas".to_owned(),
        (some, _) if some == *of => "nothing could be tried in this cluster".to_owned(),
        (some, false) => format!("{some} of {} could not be tried", count(*of, "object")),
        (some, true) => {
            format!("{some} of {} could not be tried, and no instances under the new schemas", count(*of, "object"))
        }
    };
    let rights: Vec<&String> =
        missing.iter().chain(missing_for_trial.iter().filter(|right| !missing.contains(right))).collect();
    let rights = first(rights.iter().copied().cloned(), rights.len(), if all { usize::MAX } else { FIRST });
    format!("{what}: the account may not {rights}")
}

/// What the account lacks to apply the changes in a cluster; `None` if all of them could be tried.
#[must_use]
pub(crate) fn not_permitted(cluster: &ClusterPlan) -> Option<String> {
    let untried = cluster.untried.as_ref().filter(|untried| untried.objects > 0)?;
    let rights = first(untried.missing.iter().cloned(), untried.missing.len(), FIRST);
    Some(format!("{}: the account may not {rights}", cluster.name))
}

/// The command that shows which permissions are missing for what could not be tried; `None` if all was tried.
#[must_use]
pub(crate) fn doctor(plan: &Plan) -> Option<String> {
    let untried = || plan.clusters.iter().filter_map(|cluster| cluster.untried.as_ref());
    let plan = untried().any(|untried| untried.objects > 0).then_some(" --for plan");
    let trial = untried().any(|untried| !untried.missing_for_trial.is_empty()).then_some(" --for trial");
    let tasks: String = plan.into_iter().chain(trial).collect();
    (!tasks.is_empty()).then(|| format!("doctor{tasks}"))
}

/// What becomes of objects that the repository no longer has and that stay, as the end of a sentence.
#[must_use]
pub(crate) fn staying(plan: &Plan) -> &'static str {
    match plan.prune {
        false => "`--prune` deletes them",
        // The namespace is listed among what is being deleted.
        true => "nothing is deleted while the record of an inventory cannot be written",
    }
}

/// The heading of the refusals.
#[must_use]
pub(crate) fn refusals_head(plan: &Plan) -> &'static str {
    match plan.against.as_str() {
        "clusters" => "`carrier apply` would refuse this:",
        // A comparison with files plans deletions, which `apply` makes only with `--prune`.
        _ => "`carrier apply --prune` would refuse this:",
    }
}
