//! The explanation of an instance as text.

use std::fmt::Write as _;

use super::super::table::aligned;
use crate::model::plain;
use crate::ops::explain::report::{Explanation, Level, Object, Presence};
use crate::plan::words::count;

/// The text. What servers say is one line each in it.
#[must_use]
pub(super) fn text(report: &Explanation) -> String {
    let [resource, name, namespace] = [&report.resource, &report.name, &report.namespace].map(|text| plain::name(text));
    let mut out = format!("{resource}/{name} in {namespace}\n");
    out.push_str(&aligned(&summary(report), 2));
    level(&mut out, "tenant object", &report.tenant_object, &[]);
    if let Some(internal) = &report.internal_object {
        level(&mut out, "internal object", internal, &[]);
    }
    let place = &report.service_namespace;
    let place = match (place.presence, &place.problem) {
        (Presence::Present, None) => "ours".to_owned(),
        (Presence::Absent, None) => "it does not exist".to_owned(),
        (_, why) => why.clone().unwrap_or_else(|| "not known".to_owned()),
    };
    let shown = report.copy.presence != Presence::Unknown || report.service_namespace.presence != Presence::Unknown;
    let place: &[Vec<String>] = if shown { &[row("namespace", place)] } else { &[] };
    level(&mut out, "copy", &report.copy, place);
    out
}

fn row(key: &str, value: impl Into<String>) -> Vec<String> {
    vec![key.to_owned(), value.into()]
}

fn summary(report: &Explanation) -> Vec<Vec<String>> {
    let entry = report.catalog_entry.as_deref().unwrap_or("no CatalogEntry");
    let mut rows = vec![row("service", format!("{entry} in {}", report.cluster))];
    if let Some(problem) = &report.service_problem {
        rows.push(row("", format!("sync does not follow it: {problem}")));
    }
    match &report.synced {
        None => rows.push(row("synced", "-")),
        Some(synced) => {
            let head = format!("{}/{}", synced.status, synced.reason);
            let now = report.tenant_object.object.as_ref().and_then(|object| object.generation);
            let of = match (synced.observed_generation, now) {
                (Some(of), Some(now)) if of != now => format!(" of generation {of}; the object has generation {now}"),
                (Some(of), _) => format!(" of generation {of}"),
                (None, _) => String::new(),
            };
            rows.push(row("synced", head + &of));
            if !synced.message.is_empty() {
                rows.push(row("", plain::quoted(&synced.message)));
            }
        }
    }
    rows.push(row("waits for", report.waits_for.as_deref().unwrap_or("nothing")));
    for pause in &report.pauses {
        match (pause.paused, &pause.problem) {
            (Some(true), _) => rows.push(row("paused", format!("by the annotation on the {}", pause.what))),
            (None, why) => {
                let why = why.as_deref().unwrap_or("it cannot be read");
                rows.push(row("paused", format!("not known of the {}: {why}", pause.what)));
            }
            (Some(false), _) => {}
        }
    }
    if report.pauses.iter().all(|pause| pause.paused == Some(false)) {
        rows.push(row("paused", "no"));
    }
    rows.push(row("deletion", deletion(report)));
    rows.push(row("lease", lease(report)));
    rows.retain(|row| row.iter().any(|cell| !cell.is_empty()));
    rows
}

fn deletion(report: &Explanation) -> String {
    let deletion = &report.deletion;
    let mut text = match (&deletion.policy, &deletion.problem) {
        (Some(policy), _) => format!("policy {policy}"),
        (None, why) => format!("policy not known: {}", why.as_deref().unwrap_or("it cannot be read")),
    };
    if let Some(asked) = &deletion.refused_policy {
        // Writing to a String cannot fail, here and below.
        let _ = write!(text, "; the service does not allow {}, which the tenant object asks for", plain::name(asked));
    }
    text + if deletion.approved { "; approved" } else { "; not approved" }
}

fn lease(report: &Explanation) -> String {
    let lease = &report.lease;
    match (lease.presence, lease.holder.as_deref().map(plain::name)) {
        (Presence::Present, Some(holder)) => match &lease.renewed {
            Some(renewed) => format!("held by {holder}, renewed {}", plain::name(renewed)),
            None => format!("held by {holder}"),
        },
        (Presence::Present, None) => "held by nobody".to_owned(),
        (Presence::Absent, _) => format!("there is no Lease {}: sync has not run for the cluster", lease.name),
        (Presence::Unknown, _) => {
            let why = lease.problem.as_deref().unwrap_or("it cannot be read");
            format!("the Lease {} cannot be read: {why}", lease.name)
        }
    }
}

fn level(out: &mut String, what: &str, level: &Level, more: &[Vec<String>]) {
    let kind = match (&level.api_version, &level.kind) {
        (Some(version), Some(kind)) => format!("{} {} ", plain::name(version), plain::name(kind)),
        _ => String::new(),
    };
    let place = level.namespace.as_ref().map(|namespace| format!("{}/", plain::name(namespace))).unwrap_or_default();
    let cluster = if level.cluster == "management" { "the management cluster" } else { &plain::name(&level.cluster) };
    let _ = writeln!(out, "\n{what}: {kind}{place}{} in {cluster}", plain::name(&level.name));
    let mut rows = more.to_vec();
    match (level.presence, &level.object) {
        (Presence::Present, Some(object)) => rows.extend(object_rows(object)),
        (Presence::Unknown, _) => {
            rows.push(row("not known", level.problem.as_deref().unwrap_or("it cannot be read")));
        }
        _ => rows.push(row("absent", level.problem.as_deref().unwrap_or("it does not exist"))),
    }
    out.push_str(&aligned(&rows, 2));
    let Some(object) = level.object.as_ref().filter(|object| !object.fields_of_others.is_empty()) else { return };
    out.push_str("  fields of others:\n");
    let fields = object.fields_of_others.iter().map(|field| {
        let shared = if field.shared { "and sync" } else { "" };
        let [path, manager] = [&field.path, &field.manager].map(|text| plain::name(text).into_owned());
        vec![path, manager, shared.to_owned()]
    });
    out.push_str(&aligned(&fields.collect::<Vec<_>>(), 4));
    if object.more_fields_of_others > 0 {
        let _ = writeln!(out, "    and {} more", count(object.more_fields_of_others, "field"));
    }
}

fn object_rows(object: &Object) -> Vec<Vec<String>> {
    let generation = object.generation.map(|generation| format!(", generation {generation}")).unwrap_or_default();
    let mut rows = vec![
        row("uid", plain::name(&object.uid)),
        row("version", format!("resourceVersion {}{generation}", plain::name(&object.resource_version))),
    ];
    let finalizers = object.finalizers.iter().map(|one| plain::name(one)).collect::<Vec<_>>().join(", ");
    match &object.deleted_since {
        Some(since) if finalizers.is_empty() => rows.push(row("deleted", format!("since {}", plain::name(since)))),
        Some(since) => {
            rows.push(row("deleted", format!("since {}, held by the finalizers {finalizers}", plain::name(since))));
        }
        None if finalizers.is_empty() => {}
        None => rows.push(row("finalizers", finalizers)),
    }
    if let Some(marks) = &object.marks {
        rows.push(row("marks", marks.message.clone()));
    }
    if object.orphaned {
        rows.push(row("orphaned", "its tenant object was deleted with the policy Orphan"));
    }
    if object.marks.is_some() && object.deletion_approved {
        rows.push(row("approved", "its deletion is approved"));
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::explain::report::{
        Deletion, Lease, MarksSeen, MarksState, OwnedField, Pause, ServiceNamespace, Synced,
    };

    fn level(namespace: &str, object: Option<Object>) -> Level {
        let presence = if object.is_some() { Presence::Present } else { Presence::Absent };
        let (version, kind) = (Some("eu-west-1.team-a/v1".to_owned()), Some("Redis".to_owned()));
        let (cluster, namespace) = ("management".to_owned(), Some(namespace.to_owned()));
        Level {
            cluster,
            api_version: version,
            kind,
            namespace,
            name: "example".into(),
            presence,
            problem: None,
            object,
        }
    }

    fn object() -> Object {
        Object {
            uid: "u".into(),
            resource_version: "7".into(),
            generation: Some(3),
            deleted_since: None,
            finalizers: vec!["example.com/a".into()],
            marks: None,
            orphaned: false,
            deletion_approved: false,
            fields_of_others: Vec::new(),
            more_fields_of_others: 0,
        }
    }

    #[test]
    fn the_text_shows_each_level_and_what_is_waited_for() {
        let field = |path: &str, shared| OwnedField { path: path.into(), manager: "by-hand".into(), shared };
        let copy = Object {
            deleted_since: Some("2026-01-02T03:04:05Z".into()),
            marks: Some(MarksSeen { state: MarksState::Ours, message: "ours".into() }),
            fields_of_others: vec![field(".spec.a", false), field(".spec.b", true)],
            more_fields_of_others: 2,
            ..object()
        };
        let pause = |what, paused| Pause { what, paused, problem: None };
        let report = Explanation {
            format_version: "1.0",
            resource: "redis.eu-west-1.team-a".into(),
            namespace: "team-b".into(),
            name: "example".into(),
            cluster: "team-a/eu-west-1".into(),
            catalog_entry: Some("redis.eu-west-1".into()),
            service_problem: None,
            synced: Some(Synced {
                status: "False".into(),
                reason: "Conflict".into(),
                message: "why".into(),
                observed_generation: Some(2),
                last_transition_time: None,
            }),
            waits_for: Some("something".into()),
            tenant_object: level("team-b", Some(object())),
            internal_object: Some(level("team-b", None)),
            copy: Level { cluster: "team-a/eu-west-1".into(), ..level("team-b-x", Some(copy)) },
            service_namespace: ServiceNamespace {
                name: Some("team-b-x".into()),
                presence: Presence::Present,
                problem: None,
            },
            pauses: vec![pause("tenant object", Some(true)), pause("CatalogEntry", None)],
            deletion: Deletion { policy: Some("Block".into()), refused_policy: None, approved: false, problem: None },
            lease: Lease {
                name: "carrier-sync-eu-west-1.team-a".into(),
                presence: Presence::Present,
                holder: Some("one".into()),
                renewed: None,
                problem: None,
            },
        };
        let wanted = "\
redis.eu-west-1.team-a/example in team-b
  service     redis.eu-west-1 in team-a/eu-west-1
  synced      False/Conflict of generation 2; the object has generation 3
              “why”
  waits for   something
  paused      by the annotation on the tenant object
  paused      not known of the CatalogEntry: it cannot be read
  deletion    policy Block; not approved
  lease       held by one

tenant object: eu-west-1.team-a/v1 Redis team-b/example in the management cluster
  uid          u
  version      resourceVersion 7, generation 3
  finalizers   example.com/a

internal object: eu-west-1.team-a/v1 Redis team-b/example in the management cluster
  absent   it does not exist

copy: eu-west-1.team-a/v1 Redis team-b-x/example in team-a/eu-west-1
  namespace   ours
  uid         u
  version     resourceVersion 7, generation 3
  deleted     since 2026-01-02T03:04:05Z, held by the finalizers example.com/a
  marks       ours
  fields of others:
    .spec.a   by-hand
    .spec.b   by-hand   and sync
    and 2 fields more
";
        assert_eq!(text(&report), wanted);
    }
}
