//! Saved plans: reading one, and comparing it with a plan that is made now.
//!
//! A saved plan holds no objects. To apply it, carrier plans again and compares the
//! two: objects, actions, effects, live versions and digests must be the same, and
//! no more instances may be affected. Otherwise the differences are reported and
//! nothing is applied.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::types::{Action, Change, Contents, FORMAT_VERSION, Impact, InvalidInstance, ObjectRef, Plan};
use super::words::{count, full_name, object};
use crate::model::plain;

/// Why a text cannot be read as a plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ReadError {
    /// It is not JSON, or does not have the fields of a plan.
    #[error("it is not a plan written by `carrier plan --out`: {0}")]
    NotAPlan(String),
    /// Its format has another major version.
    #[error("its format version is {0}, but this carrier supports {FORMAT_VERSION}")]
    Version(String),
}

/// Reads a saved plan. Fields that a later minor version added are ignored.
///
/// # Errors
/// If the text is not a plan, or its format has another major version.
pub(crate) fn read(text: &str) -> Result<Plan, ReadError> {
    let json: Value = serde_json::from_str(text).map_err(|error| ReadError::NotAPlan(error.to_string()))?;
    let version = json.get("format_version").and_then(Value::as_str);
    let version = version.ok_or_else(|| ReadError::NotAPlan("it has no format_version".to_owned()))?;
    let major = |version: &str| version.split('.').next().unwrap_or_default().to_owned();
    if major(version) != major(FORMAT_VERSION) {
        return Err(ReadError::Version(version.to_owned()));
    }
    serde_json::from_value(json).map_err(|error| ReadError::NotAPlan(error.to_string()))
}

/// The differences between a saved plan and a plan made now with the same flags, in one sentence each; empty if
/// the saved plan may be applied.
///
/// A cluster that does not answer now is not compared, because the changes in the other clusters can be applied
/// without it.
#[must_use]
pub(crate) fn differences(saved: &Plan, now: &Plan) -> Vec<String> {
    let mut lines = Vec::new();
    if saved.against != now.against {
        lines.push(format!("the plan was made against {}, not against the live clusters", saved.against));
    }
    let unreached: BTreeSet<&str> = now.clusters.iter().filter(|c| !c.reached).map(|c| c.name.as_str()).collect();
    for cluster in &saved.clusters {
        match now.clusters.iter().find(|c| c.name == cluster.name) {
            None => lines.push(format!("the repository no longer has the cluster {}", cluster.name)),
            Some(other) => {
                if let (Some(then), Some(now)) = (&cluster.uid, &other.uid)
                    && then != now
                {
                    lines.push(format!("{} is a different cluster: its UID was {then} and is {now}", cluster.name));
                }
                // What a later run has confirmed without a change looks as it did when the plan was made.
                let deletes =
                    |change: &Change| change.action == Action::Delete && change.object.cluster == cluster.name;
                if other.reached && cluster.run != other.run && saved.changes.iter().any(deletes) {
                    lines.push(format!(
                        "{}: `carrier apply` has run since, and the plan deletes objects there",
                        cluster.name
                    ));
                }
            }
        }
    }
    let known = |name: &str| saved.clusters.iter().any(|c| c.name == name);
    lines.extend(now.clusters.iter().filter(|c| !known(&c.name)).map(|c| format!("the cluster {} is new", c.name)));

    let (then, live) = (by_object(saved), by_object(now));
    let objects: BTreeSet<&ObjectRef> = then.keys().chain(live.keys()).copied().collect();
    for about in objects.into_iter().filter(|about| !unreached.contains(about.cluster.as_str())) {
        let what = match (then.get(about), live.get(about)) {
            (Some(_), None) if now.going.iter().any(|going| going.object == *about && going.wanted) => {
                Some("is being deleted".to_owned())
            }
            // Where the server could not be asked, what it would have filled in looked like a change.
            (Some(then), None) if then.untried && then.action == Action::Update => None,
            (Some(then), None) => Some(match then.action {
                Action::Delete => "is already deleted, or is in the repository again".to_owned(),
                _ => "already matches the repository, or is no longer in it".to_owned(),
            }),
            (None, Some(now)) => {
                Some(format!("would now be {}, which the plan does not include", past_tense(now.action)))
            }
            (Some(then), Some(now)) => difference(then, now),
            (None, None) => None,
        };
        lines.extend(what.map(|what| format!("{}: {} {what}", about.cluster, object(about))));
    }
    lines
}

fn by_object(plan: &Plan) -> BTreeMap<&ObjectRef, &Change> {
    plan.changes.iter().map(|change| (&change.object, change)).collect()
}

fn difference(then: &Change, now: &Change) -> Option<String> {
    if then.action != now.action {
        return Some(format!("would now be {} instead of {}", past_tense(now.action), past_tense(then.action)));
    }
    match (&then.live, &now.live) {
        (Some(a), Some(b)) if a.uid != b.uid => return Some("was deleted and recreated since".to_owned()),
        // A controller that writes a status, or the managed fields of others, changes nothing of what is planned.
        (Some(a), Some(b)) if a.content.is_some() && a.content == b.content => {}
        (Some(a), Some(b)) if a.resource_version != b.resource_version => {
            return Some(format!(
                "has changed in the cluster since: its resourceVersion is {} and was {}",
                b.resource_version, a.resource_version
            ));
        }
        _ => {}
    }
    if let Some(manager) = now.takes_over.iter().find(|manager| !then.takes_over.contains(manager)) {
        return Some(format!("has fields of {} now, which the plan does not take over", plain::name(manager)));
    }
    if then.digest != now.digest {
        return Some(
            "differs from the planned object: the repository has changed since, or another version of carrier compiles it".to_owned(),
        );
    }
    if now.adopts() && !then.adopts() {
        return Some("exists now and is not carrier's, which the plan does not include".to_owned());
    }
    if then.effect != now.effect {
        return Some(format!("is now {:?} and was {:?}", now.effect, then.effect).to_lowercase());
    }
    greater_impact(then.impact.as_ref(), now.impact.as_ref())
}

/// The effects of a change on instances that it did not have when the plan was saved. Fewer effects are no
/// difference.
fn greater_impact(then: Option<&Impact>, now: Option<&Impact>) -> Option<String> {
    let now = now?;
    let none = Impact::default();
    let then = then.unwrap_or(&none);
    for (is, was, what) in [
        (now.destroyed_count, then.destroyed_count, "destroys more instances"),
        (now.invalid_count, then.invalid_count, "makes more instances invalid"),
        (now.changed_count, then.changed_count, "changes the values of more instances"),
        (now.instances, then.instances, "affects more instances"),
    ] {
        if is > was {
            return Some(format!("{what}: {was} when planned, {is} now"));
        }
    }
    if let Some(why) = now.unchecked.as_ref().filter(|_| then.unchecked.is_none()) {
        return Some(format!("could be checked when planned, but not now: {why}"));
    }
    let contents = |impact: &Impact| impact.contents.as_ref().map_or(0, Contents::total);
    if contents(now) > contents(then) {
        return Some(format!("deletes more other objects: {} when planned, {} now", contents(then), contents(now)));
    }
    // Earlier versions of carrier saved no UIDs.
    let others = now.destroyed_uids.iter().filter(|uid| then.destroyed_uids.binary_search(uid).is_err()).count();
    if others > 0 && !then.destroyed_uids.is_empty() {
        return Some(format!("destroys {}, which the plan does not include", count(others, "instance")));
    }
    let destroyed = now.destroyed.iter().filter(|one| !then.destroyed.contains(one));
    let destroyed = destroyed.map(|one| (one.namespace.as_deref(), one.name.as_str(), "destroys"));
    let known = |one: &InvalidInstance| {
        then.invalid.iter().any(|other| (&other.namespace, &other.name) == (&one.namespace, &one.name))
    };
    let invalid = now.invalid.iter().filter(|one| !known(one));
    let invalid = invalid.map(|one| (one.namespace.as_deref(), one.name.as_str(), "invalidates"));
    destroyed.chain(invalid).next().map(|(namespace, name, what)| {
        format!("{what} {}, which the plan does not include", full_name(namespace, name))
    })
}

fn past_tense(action: Action) -> &'static str {
    match action {
        Action::Create => "created",
        Action::Update => "changed",
        Action::Delete => "deleted",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::types::{Effect, Reason};
    use serde_json::json;

    fn plan() -> Plan {
        let change = |kind: &str, name: &str, action: &str, version: Option<&str>| {
            json!({
                "cluster": "management", "api_version": "v1", "kind": kind, "name": name, "action": action,
                "effect": "safe", "reasons": [], "stage": "namespaces", "fields": [], "access": [], "conflicts": [],
                "digest": "sha256:a", "live": version.map(|v| json!({"uid": "u", "resource_version": v})),
            })
        };
        let text = json!({
            "format_version": "1.7", "carrier_version": "0", "input_digest": "", "against": "clusters", "complete": true,
            "prune": true, "allowed": [], "kept": [], "drift": [], "refusals": [], "from_the_future": 1,
            "clusters": [{"name": "management", "uid": "m", "reached": true, "objects": 2, "unchanged": 0, "inventory": 1}],
            "changes": [
                change("Namespace", "a", "create", None),
                change("Namespace", "b", "update", Some("7")),
                change("Namespace", "c", "delete", Some("8")),
            ],
            "summary": {"create": 1, "update": 1, "delete": 1, "unchanged": 0, "kept": 0},
        });
        read(&text.to_string()).expect("a plan")
    }

    fn difference_by(change: impl Fn(&mut Plan)) -> Vec<String> {
        let (saved, mut now) = (plan(), plan());
        change(&mut now);
        differences(&saved, &now)
    }

    #[test]
    fn a_text_that_is_not_a_plan_is_an_error() {
        assert!(matches!(read("{}"), Err(ReadError::NotAPlan(_))));
        assert!(matches!(read("a: b"), Err(ReadError::NotAPlan(_))));
        assert_eq!(read(r#"{"format_version":"2.0"}"#), Err(ReadError::Version("2.0".into())));
    }

    #[test]
    fn equal_plans_have_no_differences() {
        assert_eq!(differences(&plan(), &plan()), Vec::<String>::new());
    }

    #[test]
    fn each_difference_is_reported() {
        let version = |plan: &mut Plan| plan.changes[1].live.as_mut().expect("live").resource_version = "9".into();
        let since = "has changed in the cluster since: its resourceVersion is 9 and was 7";
        assert_eq!(difference_by(version), [format!("management: Namespace b {since}")]);
        let content = |text: &str| {
            let (mut saved, mut now) = (plan(), plan());
            version(&mut now);
            saved.changes[1].live.as_mut().expect("live").content = Some("sha256:a".into());
            now.changes[1].live.as_mut().expect("live").content = Some(text.into());
            differences(&saved, &now)
        };
        assert_eq!(content("sha256:a"), Vec::<String>::new(), "only the status has changed");
        assert_eq!(content("sha256:b"), [format!("management: Namespace b {since}")]);
        let uid = |plan: &mut Plan| plan.changes[2].live.as_mut().expect("live").uid = "v".into();
        assert_eq!(difference_by(uid), ["management: Namespace c was deleted and recreated since"]);
        let gone = difference_by(|plan| drop(plan.changes.remove(0)));
        assert_eq!(gone, ["management: Namespace a already matches the repository, or is no longer in it"]);
        let digest = difference_by(|plan| plan.changes[0].digest = Some("sha256:b".into()));
        assert!(digest[0].contains("differs from the planned object"), "{digest:?}");
        let action = difference_by(|plan| plan.changes[0].action = Action::Update);
        assert_eq!(action, ["management: Namespace a would now be changed instead of created"]);
        let more = difference_by(|plan| {
            let mut change = plan.changes[2].clone();
            change.object.name = "d".into();
            plan.changes.push(change);
        });
        assert_eq!(more, ["management: Namespace d would now be deleted, which the plan does not include"]);
        let adopted = difference_by(|plan| {
            let text = "it exists".to_owned();
            plan.changes[1].reasons.push(Reason { effect: Effect::Adopting, text, path: String::new() });
        });
        let since = "management: Namespace b exists now and is not carrier's, which the plan does not include";
        assert_eq!(adopted, [since]);
        let run = difference_by(|plan| plan.clusters[0].run = Some("r".into()));
        assert_eq!(run, ["management: `carrier apply` has run since, and the plan deletes objects there"]);
        let other = difference_by(|plan| plan.clusters[0].uid = Some("n".into()));
        assert_eq!(other, ["management is a different cluster: its UID was m and is n"]);
    }

    #[test]
    fn more_affected_instances_are_a_difference() {
        let impact = |instances, destroyed: &[&str], invalid: &[&str], unchecked: Option<&str>| {
            let destroyed: Vec<_> = destroyed
                .iter()
                .map(|name| {
                    json!({"cluster": "management", "api_version": "a/v1",
                "kind": "A", "namespace": "t", "name": name})
                })
                .collect();
            let invalid: Vec<_> = invalid.iter().map(|name| json!({"name": name, "fields": []})).collect();
            let text = json!({"instances": instances, "accounts": 1, "destroyed_count": destroyed.len(), "destroyed": destroyed,
                "invalid_count": invalid.len(), "invalid": invalid, "unchecked": unchecked});
            Some(serde_json::from_value::<Impact>(text).expect("an impact"))
        };
        let of_impacts = |was: Option<Impact>, is: Option<Impact>| {
            let (mut saved, mut now) = (plan(), plan());
            (saved.changes[2].impact, now.changes[2].impact) = (was, is);
            differences(&saved, &now)
                .into_iter()
                .map(|line| line.replace("management: Namespace c ", ""))
                .collect::<Vec<_>>()
        };
        let two = || impact(2, &["a", "b"], &[], None);
        assert_eq!(of_impacts(two(), two()), Vec::<String>::new());
        assert_eq!(
            of_impacts(two(), impact(1, &["a"], &[], None)),
            Vec::<String>::new(),
            "fewer effects are no difference"
        );
        assert_eq!(of_impacts(two(), None), Vec::<String>::new());
        let mut many = two();
        many.as_mut().expect("one").destroyed_count = 200;
        assert_eq!(of_impacts(two(), many), ["destroys more instances: 2 when planned, 200 now"]);
        assert_eq!(of_impacts(None, impact(1, &[], &[], None)), ["affects more instances: 0 when planned, 1 now"]);
        let invalid = of_impacts(impact(2, &[], &["x"], None), impact(2, &[], &["x", "y"], None));
        assert_eq!(invalid, ["makes more instances invalid: 1 when planned, 2 now"]);
        let unchecked = of_impacts(two(), impact(2, &["a", "b"], &[], Some("no")));
        assert_eq!(unchecked, ["could be checked when planned, but not now: no"]);
        assert_eq!(
            of_impacts(two(), impact(2, &["a", "c"], &[], None)),
            ["destroys t/c, which the plan does not include"]
        );
        // Neither the names nor the numbers of 21 instances say that one of them is another now.
        let with_uids = |uids: &[&str]| {
            let destroyed_uids = uids.iter().map(|&uid| uid.to_owned()).collect();
            Some(Impact { destroyed_uids, ..two().expect("an impact") })
        };
        assert_eq!(of_impacts(with_uids(&["a", "b"]), with_uids(&["b"])), Vec::<String>::new());
        assert_eq!(of_impacts(two(), with_uids(&["b"])), Vec::<String>::new(), "a plan of an earlier version");
        assert_eq!(
            of_impacts(with_uids(&["a", "b"]), with_uids(&["b", "c"])),
            ["destroys 1 instance, which the plan does not include"]
        );
        let other = of_impacts(impact(2, &[], &["x"], None), impact(2, &[], &["y"], None));
        assert_eq!(other, ["invalidates y, which the plan does not include"]);
    }

    #[test]
    fn a_cluster_that_does_not_answer_now_is_not_compared() {
        let lost = difference_by(|plan| {
            plan.clusters[0].reached = false;
            plan.changes.clear();
        });
        assert_eq!(lost, Vec::<String>::new());
    }
}
