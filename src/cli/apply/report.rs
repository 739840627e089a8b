//! The output of `carrier apply`: the plan before, a line per stage during, and the outcome after.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::ui::Ui;
use crate::cluster::apply::{Event, Failure, Leaving, Outcome, Task};
use crate::plan::going::sentence;
use crate::plan::text;
use crate::plan::types::{Action, ClusterPlan, ObjectRef, Plan};
use crate::plan::words::{count, flag_name, object};

/// The number of failures that are shown one by one.
const FAILURES: usize = 20;
/// The number of names that are shown of the objects skipped for one reason.
const NAMES: usize = 3;

/// Shows a plan on stdout.
pub(super) fn plan(plan: &Plan, ui: &mut Ui<'_>) -> io::Result<()> {
    let how = text::TextOptions { color: ui.out_color, ..text::TextOptions::default() };
    // The refusals are in the error that follows.
    let plan = Plan { refusals: Vec::new(), ..plan.clone() };
    ui.out().write_all(text::text(&plan, how).as_bytes())
}

/// Shows that there is nothing to do.
pub(super) fn nothing(plan: &Plan, ui: &mut Ui<'_>) -> io::Result<()> {
    ui.say(text::summary(plan))
}

/// Warns of what is being deleted and cannot be applied, or deleted again.
pub(super) fn going(plan: &Plan, ui: &mut Ui<'_>) -> io::Result<()> {
    for one in plan.going.iter().take(FAILURES) {
        ui.warn(format_args!("{}: {} {}", one.object.cluster, object(&one.object), sentence(one)))?;
    }
    if plan.going.len() > FAILURES {
        ui.warn(format_args!("{} more are being deleted", plan.going.len() - FAILURES))?;
    }
    Ok(())
}

/// Shows an event.
pub(super) fn event(event: &Event, dry_run: bool, ui: &mut Ui<'_>) -> io::Result<()> {
    let dry = if dry_run { " (dry run)" } else { "" };
    match event {
        Event::Applied(about) => ui.detail(format_args!("{}: {} applied{dry}", about.cluster, object(about))),
        Event::Unchanged(about) => ui.detail(format_args!("{}: {} unchanged", about.cluster, object(about))),
        Event::Deleted(about) => ui.detail(format_args!("{}: {} deleted{dry}", about.cluster, object(about))),
        Event::Leaving(about) => ui.detail(format_args!("{}: {} is being deleted", about.cluster, object(about))),
        Event::Failed(Failure { object: about, .. }) => {
            ui.detail(format_args!("{}: {} failed", about.cluster, object(about)))
        }
        Event::Waiting { cluster, crds } => {
            ui.detail(format_args!("{cluster}: waiting for {} to be established", count(*crds, "CRD")))
        }
        Event::Rewritten { crd, version, instances: 0 } => {
            ui.detail(format_args!("{}: {} has no instances to rewrite in {version}", crd.cluster, object(crd)))
        }
        Event::Rewritten { crd, version, instances } => ui.say(format_args!(
            "{}: {} of {} rewritten in {version}",
            crd.cluster,
            count(*instances, "instance"),
            object(crd)
        )),
        Event::Releasing { cluster, instances } => ui.say(format_args!(
            "{cluster}: approved the deletion of {}; waiting for `carrier sync` to delete the copies",
            count(*instances, "instance")
        )),
        Event::Settling { cluster, objects } => {
            ui.detail(format_args!("{cluster}: waiting for {} to be gone", count(*objects, "object")))
        }
        Event::Stage { cluster, what, done, of, going } => {
            let gone = done.saturating_sub(*going);
            let part = if gone == *of { String::new() } else { format!(" of {of}") };
            let going = if *going > 0 { format!("; {going} in deletion") } else { String::new() };
            ui.say(format_args!("{cluster}: {what}: {gone}{part}{going}{dry}"))
        }
    }
}

/// Shows the outcome. `again` and `why` are the next command where it is not whole; what is whole needs another run if
/// versions of CRDs are left for which instances were rewritten.
pub(super) fn outcome(
    outcome: &Outcome,
    plan: &Plan,
    dry_run: bool,
    (again, why): (&str, &str),
    ui: &mut Ui<'_>,
) -> io::Result<()> {
    for failure in outcome.failed.iter().take(FAILURES) {
        ui.error(&error(failure, dry_run))?;
    }
    if outcome.failed.len() > FAILURES {
        ui.warn(format_args!("{} more failed", outcome.failed.len() - FAILURES))?;
    }
    for (about, reason) in &outcome.not_ready {
        let error =
            CliError::new(Exit::Partial, format!("{}: {} is not served: {reason}", about.cluster, object(about)));
        ui.error(&error.hint(format!("`kubectl describe crd {}` in that cluster shows its conditions", about.name)))?;
    }
    for message in &outcome.superseded {
        ui.error(&CliError::new(Exit::Refused, message.clone()))?;
    }
    for Leaving { object: about, reason, .. } in outcome.going.iter().take(FAILURES) {
        ui.warn(format_args!("{}: {} is being deleted: {reason}", about.cluster, object(about)))?;
    }
    if outcome.going.len() > FAILURES {
        ui.warn(format_args!("{} more are being deleted", outcome.going.len() - FAILURES))?;
    }
    let undone = if dry_run { "not tried" } else { "not done" };
    for (reason, skipped) in by_reason(&outcome.skipped) {
        ui.warn(format_args!("{undone}: {}: {reason}", named(&skipped)))?;
    }
    for (reason, untried) in by_reason(&outcome.untried) {
        ui.say(format_args!("not tried: {}: {reason}", named(&untried)))?;
    }
    ui.say(sum(outcome, plan, dry_run))?;
    if dry_run {
        return ui.say("nothing was written");
    }
    if !outcome.is_whole() || !plan.complete {
        return ui.next(again, why);
    }
    let versions: BTreeSet<&str> = plan
        .changes
        .iter()
        .filter_map(|change| change.migration.as_ref())
        .flat_map(|m| &m.from)
        .map(String::as_str)
        .collect();
    if !versions.is_empty() {
        let versions = versions.into_iter().collect::<Vec<_>>().join(", ");
        return ui.next("apply", &format!("to end the upgrade: it removes {versions}, in which nothing is stored now"));
    }
    Ok(())
}

/// A failure, with the managers of conflicting fields, the source of the object, and the flag that allows it.
fn error(failure: &Failure, dry_run: bool) -> CliError {
    let about = &failure.object;
    let what = match (failure.task, dry_run) {
        (Task::Apply, true) => "would not be applied:",
        (Task::Apply, false) => "was not applied:",
        (Task::Delete, true) => "would not be deleted:",
        (Task::Delete, false) => "was not deleted:",
        (Task::Rewrite, _) => "was applied, but",
    };
    let mut error =
        CliError::new(Exit::Partial, format!("{}: {} {what} {}", about.cluster, object(about), failure.reason));
    for conflict in &failure.conflicts {
        error = error.hint(format!("`{}` owns {}", conflict.manager, conflict.field));
    }
    if let Some(place) = &failure.source {
        error = error.hint(format!("it comes from {}:{}:{}", place.file, place.line, place.column));
    }
    if !failure.conflicts.is_empty() {
        error = error.hint(format!("`--force-conflicts {}` takes the fields over", flag_name(about)));
    }
    error
}

fn named(objects: &[&ObjectRef]) -> String {
    let names: Vec<String> = objects.iter().take(NAMES).map(|about| object(about)).collect();
    let more = objects.len().saturating_sub(NAMES);
    let tail = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{tail}", names.join(", "))
}

fn by_reason(skipped: &[(ObjectRef, String)]) -> BTreeMap<&str, Vec<&ObjectRef>> {
    let mut reasons: BTreeMap<&str, Vec<&ObjectRef>> = BTreeMap::new();
    for (about, reason) in skipped {
        reasons.entry(reason).or_default().push(about);
    }
    reasons
}

/// The totals of all clusters in one line: `applied: 38 objects created, 2 changed, 1 deleted; 1 failed, 2 not done`.
fn sum(outcome: &Outcome, plan: &Plan, dry_run: bool) -> String {
    let creations = plan.changes.iter().filter(|change| change.action == Action::Create);
    let creations: BTreeSet<&ObjectRef> = creations.map(|change| &change.object).collect();
    let created = outcome.applied.iter().filter(|about| creations.contains(about)).count();
    let is_repaired =
        |cluster: &&ClusterPlan| cluster.inventory_repair.is_some() && outcome.records.contains(&cluster.name);
    let records = plan.clusters.iter().filter(is_repaired).count();
    let numbers = |list: &[(usize, &str)], unit: bool| {
        let there = list.iter().filter(|(n, _)| *n > 0).enumerate();
        let parts: Vec<String> = there
            .map(|(index, (n, what))| match unit && index == 0 {
                true => format!("{} {what}", count(*n, "object")),
                false => format!("{n} {what}"),
            })
            .collect();
        parts.join(", ")
    };
    let done = [
        (created, "created"),
        (outcome.applied.len() - created, "changed"),
        (outcome.deleted.len(), "deleted"),
        (outcome.unchanged.len(), "unchanged"),
    ];
    let mut done = numbers(&done, true);
    if records > 0 {
        let separator = if done.is_empty() { "" } else { ", " };
        done = format!("{done}{separator}{} repaired", count(records, "inventory record"));
    }
    let away = plan.clusters.iter().filter(|cluster| !cluster.reached).count();
    let undone = [
        (away, if away == 1 { "cluster not reached" } else { "clusters not reached" }),
        (outcome.failed.len(), "failed"),
        (outcome.not_ready.len(), "not served"),
        (outcome.going.len(), "in deletion"),
        (outcome.skipped.len() + outcome.untried.len(), if dry_run { "not tried" } else { "not done" }),
    ];
    let undone = numbers(&undone, false);
    let word = match (dry_run, outcome.interrupted) {
        (true, _) => "dry run",
        (false, true) => "interrupted",
        (false, false) if !outcome.superseded.is_empty() => "ended early",
        (false, false) => "applied",
    };
    let done = if done.is_empty() { "nothing".to_owned() } else { done };
    if undone.is_empty() { format!("{word}: {done}") } else { format!("{word}: {done}; {undone}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn about(name: &str) -> ObjectRef {
        ObjectRef {
            cluster: "management".into(),
            api_version: "v1".into(),
            kind: "Namespace".into(),
            namespace: None,
            name: name.into(),
        }
    }

    #[test]
    fn a_failure_says_what_was_to_be_done() {
        let said = |task: Task, dry_run: bool| {
            let failure = Failure {
                object: about("a"),
                task,
                reason: "why".into(),
                conflicts: Vec::new(),
                source: None,
                cluster: false,
            };
            error(&failure, dry_run).message
        };
        assert_eq!(said(Task::Apply, false), "management: Namespace a was not applied: why");
        assert_eq!(said(Task::Delete, false), "management: Namespace a was not deleted: why");
        assert_eq!(said(Task::Delete, true), "management: Namespace a would not be deleted: why");
        assert_eq!(said(Task::Rewrite, false), "management: Namespace a was applied, but why");
    }

    #[test]
    fn a_record_is_repaired_where_it_was_written_as_it_is_to_remain() {
        let cluster = |name: &str, repair: bool| ClusterPlan {
            name: name.to_owned(),
            reached: true,
            inventory_repair: repair.then(crate::plan::types::Repair::default),
            ..ClusterPlan::default()
        };
        let clusters = vec![cluster("management", true), cluster("a/b", true), cluster("a/c", false)];
        let plan = Plan { clusters, complete: true, ..Plan::default() };
        let written = |names: &[&str]| {
            let records = names.iter().map(|name| (*name).to_owned()).collect();
            sum(&Outcome { records, ..Outcome::default() }, &plan, false)
        };
        assert_eq!(written(&["management", "a/b", "a/c"]), "applied: 2 inventory records repaired");
        // One of the two has its first write only: something else failed, or is in deletion.
        assert_eq!(written(&["a/b"]), "applied: 1 inventory record repaired");
        assert_eq!(written(&[]), "applied: nothing");
    }

    #[test]
    fn the_sum_counts_everything_once() {
        let away =
            Plan { clusters: vec![crate::plan::types::ClusterPlan::default()], complete: false, ..Plan::default() };
        let mut outcome = Outcome { applied: vec![about("a")], ..Outcome::default() };
        assert_eq!(sum(&outcome, &Plan::default(), false), "applied: 1 object changed");
        outcome.skipped = vec![(about("b"), "interrupted".into()), (about("c"), "interrupted".into())];
        outcome.interrupted = true;
        assert_eq!(sum(&outcome, &Plan::default(), false), "interrupted: 1 object changed; 2 not done");
        outcome.going = vec![Leaving { object: about("d"), reason: "sync".into(), held: true }];
        assert_eq!(sum(&outcome, &Plan::default(), false), "interrupted: 1 object changed; 1 in deletion, 2 not done");
        assert_eq!(sum(&Outcome::default(), &Plan::default(), false), "applied: nothing");
        assert_eq!(sum(&Outcome::default(), &away, false), "applied: nothing; 1 cluster not reached");
        outcome.deleted = vec![about("e"), about("f")];
        outcome.going.clear();
        assert_eq!(sum(&outcome, &Plan::default(), false), "interrupted: 1 object changed, 2 deleted; 2 not done");
        assert_eq!(by_reason(&outcome.skipped)["interrupted"].len(), 2);
    }
}
