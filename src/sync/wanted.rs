//! What each object shall be, made of the object beside it: the bodies that are applied. Pure.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::level::Level;
use super::marks;
use super::owned::owned_by_anybody;
use super::service::Service;
use super::shape::Shape;
use super::words::Values;
use crate::compile::derive::projection::{Generations, Projection};
use crate::compile::route::Synced;
use crate::model::path::Exposed;

/// The name of the condition.
pub(crate) const SYNCED: &str = "Synced";

/// The fields that are applied to an object, without its name and kind, and what could not be among them.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Wanted {
    /// The fields.
    pub fields: Value,
    /// The fields that the target's schema does not have, as dotted paths.
    pub dropped: Vec<String>,
}

/// The condition `Synced` as it shall be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SyncedCondition {
    /// `True`, `False` or `Unknown`.
    pub status: &'static str,
    /// The reason.
    pub reason: &'static str,
    /// The sentence.
    pub message: String,
    /// The generation of the tenant object that it speaks of.
    pub observed_generation: i64,
    /// When `status` last changed, as RFC 3339.
    pub last_transition: String,
}

/// The internal object of a tenant object: its exposed fields, the presets, the marks.
#[must_use]
pub(crate) fn internal(service: &Service, tenant: &Value) -> Wanted {
    let fields = service.route.projection.project_down(&set(service, tenant));
    let (source, uid) = (source_of(service, tenant), text(tenant, "uid"));
    complete(fields, &service.internal, marks::metadata(service, tenant, &source, uid))
}

/// The service object of an internal object, or of a tenant object where nothing is derived: what somebody set.
#[must_use]
pub(crate) fn service(service: &Service, above: &Value) -> Wanted {
    let owned = owned_by_anybody(above, &service.internal);
    let fields = Projection::everything().project_down(&owned);
    let metadata = if service.derives() {
        let mark = |key: &str| above.pointer("/metadata/annotations").and_then(|all| all.get(key)?.as_str());
        let source = mark(crate::model::keys::SOURCE).unwrap_or_default();
        let uid = mark(crate::model::keys::SOURCE_UID).unwrap_or_default();
        marks::metadata(service, above, source, uid)
    } else {
        marks::metadata(service, above, &source_of(service, above), text(above, "uid"))
    };
    let anything = Shape::default();
    complete(fields, service.base.as_ref().unwrap_or(&anything), metadata)
}

/// The part of a tenant object that somebody set, and the defaults that the exposure adds: the internal kind does not
/// have those. What the service's own defaults filled in is left to the service cluster.
fn set(service: &Service, tenant: &Value) -> Value {
    let mut owned = owned_by_anybody(tenant, &service.tenant);
    if !service.defaulted.is_nothing() {
        merge(&mut owned, service.defaulted.project(tenant));
    }
    owned
}

/// Adds to `into` what only `from` has. Both are parts of one object.
fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                match into.get_mut(&key) {
                    Some(there) => merge(there, value),
                    None => drop(into.insert(key, value)),
                }
            }
        }
        // Of lists that are owned item by item the owned part may be shorter; then positions say nothing.
        (Value::Array(into), Value::Array(from)) if into.len() == from.len() => {
            into.iter_mut().zip(from).for_each(|(into, from)| merge(into, from));
        }
        _ => {}
    }
}

fn complete(fields: Value, target: &Shape, metadata: Value) -> Wanted {
    let (mut fields, dropped) = target.cut(fields);
    if let Value::Object(fields) = &mut fields {
        fields.insert("metadata".to_owned(), metadata);
    }
    Wanted { fields, dropped }
}

/// The exposed part of a tenant or internal object, as far as somebody set it and without empty objects: whether a
/// tenant writes `spec: {}` or nothing makes no difference below.
#[must_use]
pub(crate) fn exposed(service: &Service, level: Level, object: &Value) -> Value {
    let (owned, shape) = match level {
        Level::Tenant => (set(service, object), &service.tenant),
        Level::Internal | Level::Service => (owned_by_anybody(object, &service.internal), &service.internal),
    };
    shape.canonical(without_empty(service.exposed.project_down(&owned)).unwrap_or_else(|| json!({})))
}

fn without_empty(value: Value) -> Option<Value> {
    match value {
        Value::Object(map) => {
            let kept: Map<String, Value> =
                map.into_iter().filter_map(|(key, inner)| Some((key, without_empty(inner)?))).collect();
            (!kept.is_empty()).then_some(Value::Object(kept))
        }
        value => Some(value),
    }
}

/// The JSON pointers of exposed fields of an internal object that somebody set and the tenant object does not have,
/// in an order in which they can be removed one after the other.
#[must_use]
pub(crate) fn excess(service: &Service, internal: &Value, tenant: &Value) -> Vec<String> {
    let owned = service.exposed.project_down(&owned_by_anybody(internal, &service.internal));
    let wanted = service.exposed.project_down(&set(service, tenant));
    let mut found = Vec::new();
    walk(&owned, internal, Some(&wanted), &mut String::new(), &mut found);
    found
}

/// `owned` is a part of `live`, whose lists it is a subset of.
fn walk(owned: &Value, live: &Value, wanted: Option<&Value>, at: &mut String, found: &mut Vec<String>) {
    let length = at.len();
    match (owned, live) {
        (Value::Object(owned), Value::Object(live)) => {
            for (key, inner) in owned {
                let Some(below) = live.get(key) else { continue };
                at.push('/');
                at.push_str(&key.replace('~', "~0").replace('/', "~1"));
                match wanted.and_then(|wanted| wanted.get(key)) {
                    Some(wanted) => walk(inner, below, Some(wanted), at, found),
                    // An object whose fields are hidden in part keeps those.
                    None if without_empty(inner.clone()).is_none() => {}
                    None if inner.is_object() && inner != below => walk(inner, below, None, at, found),
                    None => found.push(at.clone()),
                }
                at.truncate(length);
            }
        }
        (Value::Array(owned), Value::Array(live)) if wanted.is_some_and(Value::is_array) => {
            let wanted: Vec<&Value> = wanted.and_then(Value::as_array).into_iter().flatten().collect();
            // Applying has put every wanted item there, so an item that no wanted one is a part of is somebody else's.
            let extra = |item: &Value| !wanted.iter().any(|wanted| contains(item, wanted));
            let positions = live
                .iter()
                .enumerate()
                .filter(|(_, item)| extra(item) && owned.iter().any(|owned| contains(item, owned)));
            let positions: Vec<usize> = positions.map(|(position, _)| position).collect();
            found.extend(positions.into_iter().rev().map(|position| format!("{at}/{position}")));
        }
        _ => {}
    }
}

/// Whether `part` is a part of `whole`.
fn contains(whole: &Value, part: &Value) -> bool {
    match (whole, part) {
        (Value::Object(whole), Value::Object(part)) => {
            part.iter().all(|(key, part)| whole.get(key).is_some_and(|whole| contains(whole, part)))
        }
        (Value::Array(whole), Value::Array(part)) => {
            part.iter().all(|part| whole.iter().any(|whole| contains(whole, part)))
        }
        (whole, part) => whole == part,
    }
}

/// The status of an internal object, before its generations are translated: all that can be stored of the service's.
#[must_use]
pub(crate) fn internal_status(service: &Service, status: Option<&Value>) -> Value {
    stored(status.filter(|status| status.is_object()).cloned(), &service.internal)
}

/// The status of a tenant object without the condition `Synced`, before its generations are translated.
#[must_use]
pub(crate) fn tenant_status(service: &Service, status: Option<&Value>) -> Value {
    let up: Exposed<'_> = service.route.projection.up.property("status");
    let shown = status.filter(|status| status.is_object()).and_then(|status| up.project(status));
    let mut shown = stored(shown, &service.tenant);
    if let Ok(held) = service.route.synced()
        && let Some(Value::Array(conditions)) = shown.get_mut("conditions")
    {
        let (Synced::Alone(list) | Synced::Merged(list)) = held;
        // The name is ours; a service that has a condition of that name shows it in the internal object.
        conditions.retain(|condition| condition.get("type").and_then(Value::as_str) != Some(SYNCED));
        if let Some(most) = list.max_items {
            conditions.truncate(usize::try_from(most.saturating_sub(1)).unwrap_or(usize::MAX));
        }
        if conditions.is_empty()
            && let Value::Object(shown) = &mut shown
        {
            shown.remove("conditions");
        }
    }
    shown
}

fn stored(status: Option<Value>, shape: &Shape) -> Value {
    let status = status.unwrap_or_else(|| json!({}));
    match shape.field("status") {
        Some(shape) => shape.cut(status).0,
        None => json!({}),
    }
}

/// A status with its generations translated.
#[must_use]
pub(crate) fn translated(status: &Value, generations: &Generations) -> Value {
    Projection::everything().project_up(Some(status), generations)
}

/// A tenant object's status with the condition, where it can hold it.
#[must_use]
pub(crate) fn with_synced(service: &Service, mut status: Value, synced: Option<&SyncedCondition>) -> Value {
    let (Ok(Synced::Alone(list) | Synced::Merged(list)), Some(synced)) = (service.route.synced(), synced) else {
        return status;
    };
    let all = json!({
        "type": SYNCED, "status": synced.status, "reason": synced.reason, "message": synced.message,
        "lastTransitionTime": synced.last_transition, "observedGeneration": synced.observed_generation,
    });
    let condition: Map<String, Value> = all
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(key, _)| list.fields.contains(key.as_str()))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    if let Value::Object(status) = &mut status {
        let conditions = status.entry("conditions").or_insert_with(|| json!([]));
        if let Value::Array(conditions) = conditions {
            conditions.push(Value::Object(condition));
        }
    }
    status
}

/// A tenant object's status without the condition.
#[must_use]
pub(crate) fn without_synced(status: Option<Value>) -> Value {
    let mut status = status.filter(Value::is_object).unwrap_or_else(|| json!({}));
    if let Some(Value::Array(conditions)) = status.get_mut("conditions") {
        conditions.retain(|condition| condition.get("type").and_then(Value::as_str) != Some(SYNCED));
        if conditions.is_empty()
            && let Value::Object(status) = &mut status
        {
            status.remove("conditions");
        }
    }
    status
}

/// The values of an instance, from its internal object and its copy as far as these are known. Those in hidden fields
/// nobody but the provider may read.
#[must_use]
pub(crate) fn values(service: &Service, bodies: &[&Value]) -> Values {
    let (mut hidden, mut shown) = (BTreeSet::new(), BTreeSet::new());
    for body in bodies {
        leaves(&Projection::everything().project_down(body), &mut hidden);
        leaves(&service.exposed.project_down(body), &mut shown);
    }
    hidden.retain(|text| !shown.contains(text));
    Values { hidden, shown: service.derives().then_some(shown) }
}

fn leaves(value: &Value, into: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => map.values().for_each(|inner| leaves(inner, into)),
        Value::Array(items) => items.iter().for_each(|inner| leaves(inner, into)),
        Value::String(text) if !text.is_empty() => drop(into.insert(text.clone())),
        Value::Number(number) => drop(into.insert(number.to_string())),
        _ => {}
    }
}

fn source_of(service: &Service, tenant: &Value) -> String {
    service.source(text(tenant, "namespace"), text(tenant, "name"))
}

fn text<'o>(object: &'o Value, key: &str) -> &'o str {
    object.get("metadata").and_then(|metadata| metadata.get(key)?.as_str()).unwrap_or_default()
}
