//! The effects of an update of a CRD on its instances and on those who write them.
//!
//! This file compares versions, scope and conversion; [`super::schema`] compares schemas.

use std::collections::BTreeMap;

use serde_json::Value;

use super::schema as nodes;
use super::types::{Effect, Reason};
use crate::compile::schema;
use crate::model::crd::{Version, in_words, keeps_unknown_fields, names as list};
use crate::model::path::FieldPath;

/// The effects of an update from `live` to `new`; a single safe reason if the specs differ without an effect, and
/// empty if they are equal but for what an API server fills in.
///
/// Versions that are not served have no users, but instances may be stored in them, and a server reads those by the schema
/// of the version that they are stored in.
#[must_use]
pub fn reasons(live: &Value, new: &Value) -> Vec<Reason> {
    let mut reasons = names(live, new);
    let (before, after) = (versions(live), versions(new));
    reasons.extend(of_versions(&before, &after));
    for (name, was) in &before {
        let Some(version) = after.get(name) else { continue };
        let is_served = |version: &Value| schema::flag(version, "served");
        if is_served(was) && is_served(version) {
            nodes::compare(name, root(was), root(version), &mut FieldPath::default(), &mut reasons);
        } else if is_stored_in(live, name, was) {
            let mut found = Vec::new();
            let name = format!("{name} (stored)");
            nodes::compare(&name, root(was), root(version), &mut FieldPath::default(), &mut found);
            reasons.extend(found.into_iter().filter(|reason| reason.effect > Effect::Safe));
        }
    }
    storage_change(&before, &after, &mut reasons);
    reasons.extend(conversion_change(live, new));
    if reasons.is_empty() && !super::compare::equal(&served_spec(live, new), &served_spec(new, live)) {
        let text = "only descriptions, printer columns and the like change";
        reasons.push(about_all(Effect::Safe, text));
    }
    reasons
}

fn about_all(effect: Effect, text: impl Into<String>) -> Reason {
    Reason { effect, text: text.into(), path: String::new() }
}

/// What changes for all versions.
fn names(live: &Value, new: &Value) -> Vec<Reason> {
    let mut reasons = Vec::new();
    for (what, pointer) in [("scope", "/spec/scope"), ("kind", "/spec/names/kind")] {
        let text = |crd: &Value| crd.pointer(pointer).and_then(Value::as_str).unwrap_or("none").to_owned();
        if text(live) != text(new) {
            let text = format!("the {what} changes from {} to {}", text(live), text(new));
            reasons.push(about_all(Effect::Breaking, text));
        }
    }
    for (what, key) in [("short names", "shortNames"), ("categories", "categories")] {
        let (was, is) = (list(live, key), list(new, key));
        if was != is {
            let text = format!("the {what} change from {} to {}", in_words(&was), in_words(&is));
            reasons.push(about_all(Effect::Safe, text));
        }
    }
    // From the time of `v1beta1`, when a schema could keep everything.
    if keeps_unknown_fields(live) && !keeps_unknown_fields(new) {
        reasons.push(about_all(Effect::Breaking, "fields that are not in the schemas are no longer kept"));
    }
    reasons
}

/// What changes around the schemas of versions.
fn of_versions(before: &BTreeMap<&str, &Value>, after: &BTreeMap<&str, &Value>) -> Vec<Reason> {
    let mut reasons = Vec::new();
    let mut add = |effect, text: String| reasons.push(about_all(effect, text));
    for (name, version) in after {
        match before.get(name) {
            None => add(Effect::Safe, format!("version {name} is new")),
            Some(was) => {
                if schema::flag(version, "deprecated") && !schema::flag(was, "deprecated") {
                    add(Effect::Safe, format!("version {name} is deprecated"));
                }
                if schema::flag(version, "served") && !schema::flag(was, "served") {
                    add(Effect::Safe, format!("version {name} becomes served"));
                }
                if schema::flag(version, "storage") && !schema::flag(was, "storage") {
                    add(Effect::Safe, format!("version {name} becomes the storage version"));
                }
            }
        }
    }
    for (name, was) in before {
        match after.get(name) {
            None if !schema::flag(was, "served") => {
                add(Effect::Safe, format!("version {name}, which is not served, is removed"));
            }
            _ if !schema::flag(was, "served") => {}
            None => add(Effect::Breaking, format!("version {name} is removed")),
            Some(version) if !schema::flag(version, "served") => {
                add(Effect::Breaking, format!("version {name} is no longer served"));
            }
            Some(version) => {
                subresources(name, was, version, &mut add);
                selectable_fields(name, was, version, &mut add);
            }
        }
    }
    reasons
}

fn subresources(name: &str, was: &Value, is: &Value, add: &mut impl FnMut(Effect, String)) {
    let of = |version: &Value| version.get("subresources").and_then(Value::as_object).cloned().unwrap_or_default();
    let (was, is) = (of(was), of(is));
    for (subresource, before) in &was {
        match is.get(subresource) {
            None => add(Effect::Breaking, format!("{name} no longer has the subresource `/{subresource}`")),
            Some(after) if !super::compare::equal(before, after) => {
                add(Effect::Tightening, format!("{name} has another subresource `/{subresource}`"));
            }
            Some(_) => {}
        }
    }
    for subresource in is.keys().filter(|subresource| !was.contains_key(*subresource)) {
        match subresource.as_str() {
            "status" => add(
                Effect::Tightening,
                format!(
                    "{name} has a new subresource `/status`, and a write of the object no longer writes its status"
                ),
            ),
            _ => add(Effect::Safe, format!("{name} has a new subresource `/{subresource}`")),
        }
    }
}

/// A request that selects instances by a field that nobody can select by any more is refused.
fn selectable_fields(name: &str, was: &Value, is: &Value, add: &mut impl FnMut(Effect, String)) {
    let of = |body| Version { body }.selectable_fields();
    let (was, is) = (of(was), of(is));
    for path in was.difference(&is) {
        add(Effect::Breaking, format!("instances of {name} can no longer be selected by {path}"));
    }
    for path in is.difference(&was) {
        add(Effect::Safe, format!("instances of {name} can be selected by {path}"));
    }
}

/// Whether instances may be stored in a version.
fn is_stored_in(live: &Value, name: &str, version: &Value) -> bool {
    let stored = live.pointer("/status/storedVersions").and_then(Value::as_array);
    // A CRD from a file has no status, and then nobody knows.
    stored.is_none_or(|stored| stored.iter().any(|version| version == name)) || schema::flag(version, "storage")
}

fn conversion_change(live: &Value, new: &Value) -> Option<Reason> {
    let (was, is) = (conversion(live, new), conversion(new, live));
    if super::compare::equal(&was, &is) {
        return None;
    }
    let strategy = |of: &Value| of.get("strategy").and_then(Value::as_str).unwrap_or("None").to_owned();
    let text = match (strategy(&was), strategy(&is)) {
        (was, is) if was == is => "the conversion webhook changes".to_owned(),
        (was, is) => format!("the conversion strategy changes from {was} to {is}"),
    };
    Some(about_all(Effect::Tightening, text))
}

/// What instances lose if another version becomes the storage version: objects are then stored in it, and fields
/// that its schema does not have are pruned.
fn storage_change(before: &BTreeMap<&str, &Value>, after: &BTreeMap<&str, &Value>, reasons: &mut Vec<Reason>) {
    let stored = |versions: &BTreeMap<&str, &Value>| {
        versions.iter().find(|(_, version)| schema::flag(version, "storage")).map(|(name, _)| (*name).to_owned())
    };
    let (Some(was), Some(is)) = (stored(before), stored(after)) else { return };
    let (Some(old), Some(new)) = (before.get(was.as_str()), after.get(is.as_str())) else { return };
    if was == is {
        return;
    }
    let mut found = Vec::new();
    let name = format!("{is} (storage version instead of {was})");
    nodes::compare(&name, root(old), root(new), &mut FieldPath::default(), &mut found);
    // Fields that only the new storage version has are no loss.
    reasons.extend(found.into_iter().filter(|reason| reason.effect > Effect::Safe));
}

/// `spec.conversion` with the defaults of the API server. A CA bundle that only one side has is left out: other
/// programs, such as cert-manager, inject it.
fn conversion(crd: &Value, other: &Value) -> Value {
    const CERTIFICATE: &str = "/spec/conversion/webhook/clientConfig/caBundle";
    let mut of = crd.pointer("/spec/conversion").cloned().unwrap_or_else(|| serde_json::json!({ "strategy": "None" }));
    if let Some(Value::Object(config)) = of.pointer_mut("/webhook/clientConfig") {
        if other.pointer(CERTIFICATE).is_none() {
            config.remove("caBundle");
        }
        if let Some(Value::Object(service)) = config.get_mut("service") {
            service.entry("port").or_insert_with(|| 443.into());
        }
    }
    of
}

/// `spec` with the defaults of the API server (Kubernetes 1.37, `apiextensions/v1/defaults.go`), which a CRD that was never
/// applied does not have. `other` as in [`conversion`].
fn served_spec(crd: &Value, other: &Value) -> Value {
    let mut spec = crd.get("spec").cloned().unwrap_or_default();
    if let Some(fields) = spec.as_object_mut() {
        fields.insert("conversion".to_owned(), conversion(crd, other));
        // It is not returned if it is false.
        fields.retain(|key, value| key != "preserveUnknownFields" || *value != Value::Bool(false));
    }
    if let Some(names) = spec.get_mut("names").and_then(Value::as_object_mut) {
        let kind = names.get("kind").and_then(Value::as_str).unwrap_or_default().to_owned();
        names.entry("singular").or_insert_with(|| kind.to_lowercase().into());
        names.entry("listKind").or_insert_with(|| format!("{kind}List").into());
    }
    spec
}

/// `spec.versions` by name.
pub(super) fn versions(crd: &Value) -> BTreeMap<&str, &Value> {
    crate::model::crd::versions(crd).map(|version| (version.name(), version.body)).collect()
}

/// The root of a version's schema; `Null` if it has none.
pub(super) fn root(version: &Value) -> &Value {
    version.pointer("/schema/openAPIV3Schema").unwrap_or(&Value::Null)
}

#[cfg(test)]
#[allow(clippy::needless_pass_by_value, reason = "`json!` is written where it is used")]
mod tests {
    use super::*;
    use serde_json::json;

    fn crd(versions: Value) -> Value {
        json!({"spec": {"scope": "Namespaced", "names": {"kind": "A"}, "versions": versions}})
    }

    fn version(name: &str) -> Value {
        json!({"name": name, "served": true, "storage": name == "v1", "subresources": {"status": {}, "scale": {}},
            "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": {"type": "object"}}}}})
    }

    fn effects(live: &Value, new: &Value) -> Vec<(Effect, String)> {
        reasons(live, new).into_iter().map(|r| (r.effect, r.text)).collect()
    }

    #[test]
    fn new_and_removed_versions_are_reported() {
        let live = crd(json!([version("v1"), version("v2"), version("v3")]));
        let mut unserved = version("v2");
        unserved["served"] = json!(false);
        let mut kept = version("v1");
        kept["deprecated"] = json!(true);
        kept["subresources"] = json!({"status": {}});
        let new = crd(json!([kept, unserved, version("v4")]));
        assert_eq!(
            effects(&live, &new),
            [
                (Effect::Safe, "version v1 is deprecated".to_owned()),
                (Effect::Safe, "version v4 is new".to_owned()),
                (Effect::Breaking, "v1 no longer has the subresource `/scale`".to_owned()),
                (Effect::Breaking, "version v2 is no longer served".to_owned()),
                (Effect::Breaking, "version v3 is removed".to_owned()),
            ]
        );
        assert_eq!(effects(&live, &live), []);
    }

    #[test]
    fn what_the_server_fills_in_is_no_change() {
        let mut new = crd(json!([version("v1")]));
        new["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["minProperties"] = json!(1.0);
        let mut live = new.clone();
        live["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["minProperties"] = json!(1);
        live["spec"]["conversion"] = json!({"strategy": "None"});
        live["spec"]["names"] = json!({"kind": "A", "listKind": "AList", "singular": "a"});
        assert_eq!((effects(&live, &new), effects(&new, &live)), (Vec::new(), Vec::new()));
        new["spec"]["names"]["listKind"] = json!("As");
        new["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["description"] = json!("of an A");
        let text = "only descriptions, printer columns and the like change".to_owned();
        assert_eq!(effects(&live, &new), [(Effect::Safe, text)]);
    }

    #[test]
    fn the_removal_of_a_version_that_is_not_served_is_safe() {
        let mut unserved = version("v0");
        unserved["served"] = json!(false);
        let live = crd(json!([version("v1"), unserved]));
        assert_eq!(
            effects(&live, &crd(json!([version("v1")]))),
            [(Effect::Safe, "version v0, which is not served, is removed".to_owned())]
        );
    }

    #[test]
    fn fields_missing_in_the_new_storage_version_are_lost() {
        let with = |name: &str, stored: bool, properties: Value| {
            json!({"name": name, "served": true, "storage": stored,
                "schema": {"openAPIV3Schema": {"type": "object", "properties": properties}}})
        };
        let (a, b) = (json!({"a": {"type": "string"}}), json!({"b": {"type": "string"}}));
        let live = crd(json!([with("v1", true, a.clone()), with("v2", false, b.clone())]));
        let new = crd(json!([with("v1", false, a), with("v2", true, b)]));
        assert_eq!(
            effects(&live, &new),
            [
                (Effect::Safe, "version v2 becomes the storage version".to_owned()),
                (Effect::Breaking, "v2 (storage version instead of v1) .a (string) is removed".to_owned()),
            ]
        );
        assert_eq!(effects(&live, &live), []);
    }

    #[test]
    fn a_change_of_conversion_is_tightening() {
        let with = |conversion: Value| {
            let mut crd = crd(json!([version("v1")]));
            crd["spec"]["conversion"] = conversion;
            crd
        };
        let hook = |service: Value, bundle: Value| {
            with(json!({"strategy": "Webhook", "webhook": {"conversionReviewVersions": ["v1"],
                "clientConfig": {"service": service, "caBundle": bundle}}}))
        };
        let bare = crd(json!([version("v1")]));
        assert_eq!(
            effects(&with(json!({"strategy": "None"})), &bare),
            effects(&bare, &with(json!({"strategy": "None"})))
        );
        let live = hook(json!({"name": "a", "namespace": "b", "port": 443}), json!("x"));
        let mut same = hook(json!({"name": "a", "namespace": "b"}), json!("x"));
        same["spec"]["conversion"]["webhook"]["clientConfig"].as_object_mut().unwrap().remove("caBundle");
        assert!(effects(&live, &same).iter().all(|(effect, _)| *effect == Effect::Safe));
        let text = "the conversion strategy changes from None to Webhook".to_owned();
        assert_eq!(effects(&bare, &live), [(Effect::Tightening, text)]);
        let other = hook(json!({"name": "c", "namespace": "b"}), json!("x"));
        let text = "the conversion webhook changes".to_owned();
        assert_eq!(effects(&live, &other), [(Effect::Tightening, text)]);
    }

    #[test]
    fn other_short_names_are_no_detail() {
        let live = crd(json!([version("v1")]));
        let mut new = live.clone();
        new["spec"]["names"]["shortNames"] = json!(["b", "a"]);
        let text = "the short names change from none to a, b".to_owned();
        assert_eq!(effects(&live, &new), [(Effect::Safe, text)]);
    }

    #[test]
    fn a_change_of_scope_is_breaking() {
        let mut new = crd(json!([version("v1")]));
        new["spec"]["scope"] = json!("Cluster");
        let text = "the scope changes from Namespaced to Cluster".to_owned();
        assert_eq!(effects(&crd(json!([version("v1")])), &new), [(Effect::Breaking, text)]);
    }
}
