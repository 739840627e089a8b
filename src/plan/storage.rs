//! The versions in which instances are stored, when a CRD changes its versions.
//!
//! An API server does not let go of a version in which instances may be stored (`status.storedVersions`). So a version that
//! the repository no longer has stays in the CRD for a while, and is not served: `carrier apply` rewrites the instances in
//! the new storage version and then takes the old one out of `storedVersions`; the next run removes it. Each of these
//! follows from what the cluster has, so that a run may end anywhere.

use std::sync::Arc;

use serde_json::{Value, json};

use super::types::{Effect, Migration, Reason};
use crate::model::crd;

/// A CRD to apply, with the versions that it no longer has and in which instances may be stored: not served, as they are in
/// the live CRD. The same CRD if there are none.
#[must_use]
pub(crate) fn bridged(wanted: &Arc<Value>, live: &Value) -> Arc<Value> {
    let is_kept = |version: &crd::Version<'_>| !crd::versions(wanted).any(|other| other.name() == version.name());
    let kept = crd::versions(live).filter(is_kept).filter(|version| is_stored(live, version.name()));
    let kept: Vec<Value> = kept.map(|version| unserved(version.body)).collect();
    if kept.is_empty() {
        return Arc::clone(wanted);
    }
    let mut body = Value::clone(wanted);
    if let Some(Value::Array(versions)) = body.pointer_mut("/spec/versions") {
        versions.extend(kept);
    }
    Arc::new(body)
}

/// A version that is kept for what is stored in it.
fn unserved(version: &Value) -> Value {
    let mut version = version.clone();
    version["served"] = json!(false);
    version["storage"] = json!(false);
    version
}

/// What has to be rewritten once this CRD is applied; `None` if no instance can be stored in a version that is not served.
#[must_use]
pub(crate) fn migration(body: &Value, live: &Value) -> Option<Migration> {
    let to = crd::stored(body)?.name().to_owned();
    let is_left = |version: &crd::Version<'_>| !version.is_served() && version.name() != to;
    let left = crd::versions(body).filter(is_left).map(|version| version.name().to_owned());
    let from: Vec<String> = left.filter(|name| is_stored(live, name)).collect();
    (!from.is_empty()).then_some(Migration { from, to })
}

/// What the plan says of it.
#[must_use]
pub(crate) fn reason(migration: &Migration) -> Reason {
    let (from, to) = (migration.from.join(", "), &migration.to);
    let text = format!("instances that are stored in {from} are rewritten in {to}; the next apply removes {from}");
    Reason { effect: Effect::Safe, text, path: String::new() }
}

/// `status.storedVersions` once no instance is stored in the versions that are left: what is there, without them.
#[must_use]
pub(crate) fn without(stored: &Value, migration: &Migration) -> Vec<String> {
    let stored = stored.pointer("/status/storedVersions").and_then(Value::as_array).into_iter().flatten();
    let names = stored.filter_map(Value::as_str).map(str::to_owned);
    names.filter(|name| !migration.from.contains(name)).collect()
}

fn is_stored(live: &Value, name: &str) -> bool {
    let stored = live.pointer("/status/storedVersions").and_then(Value::as_array);
    stored.is_some_and(|stored| stored.iter().any(|version| version == name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(name: &str, served: bool, storage: bool) -> Value {
        json!({"name": name, "served": served, "storage": storage, "schema": {"openAPIV3Schema": {"title": name}}})
    }

    fn crd_of(versions: &[Value], stored: &[&str]) -> Value {
        json!({"spec": {"versions": versions}, "status": {"storedVersions": stored}})
    }

    #[test]
    fn an_upgrade_goes_by_what_is_stored() {
        let (old, new) = (version("v1beta1", true, true), version("v1", true, true));
        let wanted = Arc::new(crd_of(std::slice::from_ref(&new), &[]));
        // Before the first run.
        let live = crd_of(std::slice::from_ref(&old), &["v1beta1"]);
        let body = bridged(&wanted, &live);
        assert_eq!(body["spec"]["versions"], json!([new, version("v1beta1", false, false)]));
        let expected = Migration { from: vec!["v1beta1".into()], to: "v1".into() };
        assert_eq!(migration(&body, &live).as_ref(), Some(&expected));
        // The run ended after it had applied the CRD.
        let live = crd_of(&[new.clone(), version("v1beta1", false, false)], &["v1beta1", "v1"]);
        assert_eq!(bridged(&wanted, &live), body);
        assert_eq!(migration(&body, &live).as_ref(), Some(&expected));
        assert_eq!(without(&live, &expected), ["v1"]);
        // All is rewritten.
        let live = crd_of(&[new.clone(), version("v1beta1", false, false)], &["v1"]);
        assert!(Arc::ptr_eq(&bridged(&wanted, &live), &wanted));
        assert_eq!(migration(&wanted, &live), None);
    }

    #[test]
    fn what_is_served_is_left_alone() {
        let both = crd_of(&[version("v1", true, true), version("v1beta1", true, false)], &["v1beta1", "v1"]);
        let wanted = Arc::new(both.clone());
        assert!(Arc::ptr_eq(&bridged(&wanted, &both), &wanted));
        assert_eq!(migration(&wanted, &both), None);
        // Nobody knows what is stored: the CRD is that of a file.
        let file = json!({"spec": {"versions": [version("v1alpha1", true, true)]}});
        assert!(Arc::ptr_eq(&bridged(&wanted, &file), &wanted));
    }
}
