//! What an instance waits for, in one sentence, from the rest of its report. Pure.

use super::report::{Explanation, Level, MarksState, Presence, Synced};
use crate::sync::verdict::Reason;

/// The sentence; `None` where nothing is waited for.
#[must_use]
pub(super) fn waits_for(report: &Explanation) -> Option<String> {
    match report.tenant_object.presence {
        Presence::Unknown => Some("not known, since the tenant object cannot be read".to_owned()),
        Presence::Absent => without_tenant(report),
        Presence::Present => match &report.synced {
            None => Some(undecided(report, "sync has not said anything about it yet")),
            Some(synced) => decided(report, synced),
        },
    }
}

fn decided(report: &Explanation, synced: &Synced) -> Option<String> {
    let generation = report.tenant_object.object.as_ref().and_then(|object| object.generation);
    if let (Some(now), Some(of)) = (generation, synced.observed_generation)
        && now != of
    {
        let text = format!("sync has not decided about generation {now} yet: its last decision is of generation {of}");
        return Some(undecided(report, &text));
    }
    let Some(reason) = Reason::named(&synced.reason) else {
        return Some("this version of carrier does not know the reason of the condition".to_owned());
    };
    let (meaning, action) = reason.runbook();
    match (reason, action) {
        (Reason::InStep, _) => None,
        (_, "") => Some(meaning.to_owned()),
        (_, action) => Some(format!("{meaning}: {action}")),
    }
}

/// Why sync says nothing, where that shows.
fn undecided(report: &Explanation, text: &str) -> String {
    if let Some(problem) = &report.service_problem {
        return format!("{text}; it does not follow the service: {problem}");
    }
    match (report.lease.presence, &report.lease.holder) {
        (Presence::Absent, _) | (Presence::Present, None) => {
            format!("{text}; no replica of `carrier sync` works on {}", report.cluster)
        }
        _ => text.to_owned(),
    }
}

fn without_tenant(report: &Explanation) -> Option<String> {
    let is_ours = |level: &&Level| {
        let marks = level.object.as_ref().and_then(|object| object.marks.as_ref());
        marks.is_some_and(|marks| marks.state == MarksState::Ours)
    };
    let internal = report.internal_object.as_ref().filter(is_ours);
    let copy = Some(&report.copy).filter(is_ours);
    let is = |level: Option<&Level>, what: fn(&super::report::Object) -> bool| {
        level.and_then(|level| level.object.as_ref()).is_some_and(what)
    };
    if internal.is_none() && copy.is_none() {
        return None;
    }
    if internal.is_none() && is(copy, |object| object.orphaned) {
        let text = "nothing: its tenant object was deleted with the policy Orphan, and the copy stays; a later object of \
                    this name takes it up again";
        return Some(text.to_owned());
    }
    if is(copy, |object| object.deletion_approved) || is(internal, |object| object.deletion_approved) {
        return Some("its deletion is approved, and sync goes on with it".to_owned());
    }
    let service = report.catalog_entry.as_deref().unwrap_or(&report.resource);
    Some(format!(
        "it is an orphan: its tenant object is gone without a deletion that sync has seen, and it stays until `carrier \
         approve {}/{service} -n {}`",
        report.cluster, report.namespace
    ))
}
