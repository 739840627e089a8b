//! From what was seen to the report. Pure.

use serde_json::Value;

use super::facts::{Facts, Sight, said};
use super::fields::of_others;
use super::report::{
    Deletion, Explanation, Lease, Level, MarksSeen, MarksState, Object, Pause, Presence, ServiceNamespace, Synced,
};
use super::waits::waits_for;
use crate::model::keys::{APPROVED_DELETION, DELETION_POLICY, ORPHANED, PAUSED, SOURCE_UID, annotation};
use crate::model::resource::Resource;
use crate::ops::error::ClusterFailure;
use crate::sync::catalog::Entry;
use crate::sync::facts::finalizers;
use crate::sync::lease::names::of_cluster;
use crate::sync::lease::record::Record;
use crate::sync::link::namespace::{NamespaceState, Owner};
use crate::sync::marks::Marks;
use crate::sync::service::{INTERNAL_MANAGER, SERVICE_MANAGER};

/// The report.
#[must_use]
pub(super) fn build(facts: &Facts) -> Explanation {
    let service = &facts.service;
    let cluster = said(&service.cluster.to_string());
    let at = |cluster: &str, resource: Option<&Resource>, namespace: Option<&str>| Level {
        cluster: cluster.to_owned(),
        api_version: resource.map(|resource| said(&resource.api_version())),
        kind: resource.map(|resource| said(&resource.kind)),
        namespace: namespace.map(said),
        name: said(&facts.name),
        presence: Presence::Unknown,
        problem: None,
        object: None,
    };
    let namespace = Some(facts.namespace.as_str());
    let tenant_object = fill(at("management", service.tenant.as_ref(), namespace), &facts.tenant, facts, None);
    let internal_object = facts.internal.as_ref().map(|sight| {
        let resource = service.internal.as_ref().and_then(|internal| internal.resource.as_ref());
        fill(at("management", resource, namespace), sight, facts, Some(INTERNAL_MANAGER))
    });
    // An orphan may be in a namespace that nothing assigns any more.
    let found = facts.copy.object().and_then(|copy| copy.pointer("/metadata/namespace")?.as_str());
    let place = found.or(facts.place.as_deref().ok());
    let copy = fill(at(&cluster, service.base.as_ref(), place), &facts.copy, facts, Some(SERVICE_MANAGER));
    let mut report = Explanation {
        format_version: "1.0",
        resource: said(&service.crd),
        namespace: said(&facts.namespace),
        name: said(&facts.name),
        cluster,
        catalog_entry: service.entry.as_deref().map(said),
        service_problem: facts.unfit.as_deref().map(said),
        synced: facts.tenant.object().and_then(synced),
        waits_for: None,
        tenant_object,
        internal_object,
        copy,
        service_namespace: service_namespace(facts),
        pauses: pauses(facts),
        deletion: deletion(facts),
        lease: lease(facts),
    };
    report.waits_for = waits_for(&report);
    report
}

/// What kept the report from being whole. The Lease does not count: not everyone may read it.
#[must_use]
pub(super) fn failure(facts: &Facts) -> Option<ClusterFailure> {
    let sights = [&facts.entry, &facts.assignment, &facts.cluster, &facts.tenant, &facts.place_seen, &facts.copy];
    let unread = sights.into_iter().chain(&facts.internal).any(|sight| sight.unread().is_some());
    match &facts.unreached {
        Some(unreached) if unreached.is_other_cluster => Some(ClusterFailure::OtherCluster),
        Some(_) => Some(ClusterFailure::Unreachable),
        None => (unread || facts.management.is_err()).then_some(ClusterFailure::Unreachable),
    }
}

/// What a sight says of whether something is there.
fn presence(sight: &Sight) -> (Presence, Option<String>) {
    match sight {
        Sight::Present(_) => (Presence::Present, None),
        Sight::Absent(why) => (Presence::Absent, why.as_deref().map(said)),
        Sight::Unread(why) | Sight::Unsought(why) => (Presence::Unknown, Some(said(why))),
    }
}

fn fill(level: Level, sight: &Sight, facts: &Facts, manager: Option<&str>) -> Level {
    let (presence, problem) = presence(sight);
    let object = sight.object().map(|object| {
        let text = |key: &str| object.get("metadata").and_then(|m| m.get(key)?.as_str()).unwrap_or_default();
        let (fields_of_others, more_fields_of_others) = manager.map(|_| of_others(object)).unwrap_or_default();
        Object {
            uid: said(text("uid")),
            resource_version: said(text("resourceVersion")),
            generation: object.pointer("/metadata/generation").and_then(Value::as_i64),
            deleted_since: Some(text("deletionTimestamp")).filter(|time| !time.is_empty()).map(said),
            finalizers: finalizers(object).take(20).map(said).collect(),
            marks: manager.map(|manager| marks(object, manager, facts)),
            orphaned: annotation(object, ORPHANED) == Some("true"),
            deletion_approved: annotation(object, APPROVED_DELETION).is_some_and(|uid| uid == text("uid")),
            fields_of_others,
            more_fields_of_others,
        }
    });
    Level { presence, problem, object, ..level }
}

fn marks(object: &Value, manager: &str, facts: &Facts) -> MarksSeen {
    let seen = |state, message: &str| MarksSeen { state, message: said(message) };
    let management = match &facts.management {
        Ok(uid) => uid,
        Err(why) => {
            let message = format!("unknown, since the identity of the management cluster cannot be read: {why}");
            return seen(MarksState::Unknown, &message);
        }
    };
    let source = format!("{}/{}/{}", facts.namespace, facts.service.crd, facts.name);
    let of_now = facts.tenant.object().and_then(|tenant| tenant.pointer("/metadata/uid")?.as_str());
    match Marks::of(object, manager, management, &source) {
        Marks::Ours { uid } => match of_now {
            Some(now) if uid == *now => seen(MarksState::Ours, "ours"),
            Some(_) => {
                let message =
                    format!("ours, of an earlier object of this name with the UID {uid}; sync takes it up again");
                seen(MarksState::Ours, &message)
            }
            None => seen(MarksState::Ours, &format!("ours, of the object with the UID {uid}")),
        },
        Marks::OtherSource(source) => seen(MarksState::OtherSource, &format!("not ours: it is the copy of {source}")),
        Marks::OtherManagement(uid) => {
            let message = format!("not ours: it belongs to the management cluster {uid}");
            seen(MarksState::OtherManagementCluster, &message)
        }
        Marks::Missing { proven: true, .. } => {
            seen(MarksState::Stripped, "removed by somebody; sync has applied the object, and writes them again")
        }
        Marks::Missing { adopt: true, .. } => {
            seen(MarksState::Missing, "none; its owner lets sync take it over with the annotation `adopt`")
        }
        Marks::Missing { .. } => {
            let half = annotation(object, SOURCE_UID).is_some();
            let message = if half { "not complete: sync has not made it" } else { "none: sync has not made it" };
            seen(MarksState::Missing, message)
        }
    }
}

fn synced(tenant: &Value) -> Option<Synced> {
    let condition = tenant.pointer("/status/conditions/0")?;
    let text = |key: &str| said(condition.get(key).and_then(Value::as_str).unwrap_or_default());
    Some(Synced {
        status: text("status"),
        reason: text("reason"),
        message: text("message"),
        observed_generation: condition.get("observedGeneration").and_then(Value::as_i64),
        last_transition_time: Some(text("lastTransitionTime")).filter(|time| !time.is_empty()),
    })
}

fn service_namespace(facts: &Facts) -> ServiceNamespace {
    let (mut seen, mut problem) = presence(&facts.place_seen);
    if let Err(why) = &facts.place {
        (seen, problem) = (Presence::Unknown, Some(said(why)));
    } else if let (Some(live), Ok(management)) = (facts.place_seen.object(), &facts.management) {
        let owner = Owner {
            cluster: facts.service.cluster.clone(),
            tenant: facts.namespace.clone(),
            management_uid: management.clone(),
        };
        problem = match NamespaceState::of(Some(live), &owner) {
            NamespaceState::NotOurs { reason } => Some(said(&reason)),
            NamespaceState::Terminating => Some("it is being deleted".to_owned()),
            _ => None,
        };
    }
    ServiceNamespace { name: facts.place.as_deref().ok().map(said), presence: seen, problem }
}

fn pauses(facts: &Facts) -> Vec<Pause> {
    let all = [
        ("tenant object", &facts.tenant),
        ("ServiceClusterAssignment", &facts.assignment),
        ("CatalogEntry", &facts.entry),
        ("ServiceCluster", &facts.cluster),
    ];
    let pause = |(what, sight): (&'static str, &Sight)| {
        let (presence, problem) = presence(sight);
        let is_paused = || sight.object().is_some_and(|object| annotation(object, PAUSED) == Some("true"));
        Pause { what, paused: (presence != Presence::Unknown).then(is_paused), problem }
    };
    all.into_iter().map(pause).collect()
}

fn deletion(facts: &Facts) -> Deletion {
    let tenant = facts.tenant.object();
    let asked = tenant.and_then(|tenant| annotation(tenant, DELETION_POLICY));
    let uid = tenant.and_then(|tenant| tenant.pointer("/metadata/uid")?.as_str());
    let approved = uid.is_some() && tenant.and_then(|tenant| annotation(tenant, APPROVED_DELETION)) == uid;
    let unknown = |problem: String| Deletion { policy: None, refused_policy: None, approved, problem: Some(problem) };
    match &facts.entry {
        Sight::Unread(why) | Sight::Unsought(why) => unknown(format!("the CatalogEntry cannot be read: {}", said(why))),
        Sight::Absent(_) => unknown("there is no CatalogEntry, so deletions are held until it is back".to_owned()),
        Sight::Present(entry) => match Entry::of(entry).spec {
            Err(why) => unknown(format!("the CatalogEntry cannot be read: {}", said(&why))),
            Ok(spec) => {
                let (policy, in_vain) = spec.deletion_policy.unwrap_or_default().in_effect(asked);
                let refused_policy = asked.filter(|_| in_vain).map(said);
                Deletion { policy: Some(policy.name().to_owned()), refused_policy, approved, problem: None }
            }
        },
    }
}

fn lease(facts: &Facts) -> Lease {
    let (presence, problem) = presence(&facts.lease);
    let record = facts.lease.object().map(|lease| Record::of(lease).1);
    let holder = record.map(|record| said(&record.holder)).filter(|holder| !holder.is_empty());
    let renewed = facts.lease.object().and_then(|lease| lease.pointer("/spec/renewTime")?.as_str());
    let renewed = renewed.filter(|_| holder.is_some()).map(said);
    Lease { name: said(&of_cluster(&facts.service.cluster)), presence, holder, renewed, problem }
}

#[cfg(test)]
mod tests;
