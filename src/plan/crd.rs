//! What a change of a CRD means for the instances of it and for those who write them.
//!
//! The versions are compared here, the schemas in [`super::schema`].

use std::collections::BTreeMap;

use serde_json::Value;

use super::schema as nodes;
use super::types::{Effect, Reason};
use crate::compile::derive::schema;
use crate::model::path::FieldPath;

/// Why a CRD's update matters, each with its effect; one safe reason where it matters to nobody.
///
/// Only what users can use counts, since a version that is not served has no users; and what is stored,
/// since that is pruned to the schema of the version that is stored.
#[must_use]
pub fn reasons(live: &Value, new: &Value) -> Vec<Reason> {
    let mut reasons = Vec::new();
    let mut say = |effect, text: String| reasons.push(Reason { effect, text, path: String::new() });
    for (what, pointer) in [("scope", "/spec/scope"), ("kind", "/spec/names/kind")] {
        let text = |crd: &Value| crd.pointer(pointer).and_then(Value::as_str).unwrap_or("none").to_owned();
        if text(live) != text(new) {
            say(Effect::Breaking, format!("the {what} is {} and was {}", text(new), text(live)));
        }
    }
    let (before, after) = (versions(live), versions(new));
    for (name, version) in &after {
        match before.get(name) {
            None => say(Effect::Safe, format!("version {name} is new")),
            Some(was) => {
                if schema::flag(version, "deprecated") && !schema::flag(was, "deprecated") {
                    say(Effect::Safe, format!("version {name} is deprecated"));
                }
                if schema::flag(version, "storage") && !schema::flag(was, "storage") {
                    say(Effect::Safe, format!("version {name} is the stored one"));
                }
            }
        }
    }
    for (name, was) in before.iter().filter(|(_, was)| schema::flag(was, "served")) {
        match after.get(name) {
            None => say(Effect::Breaking, format!("version {name} is gone")),
            Some(version) if !schema::flag(version, "served") => {
                say(Effect::Breaking, format!("version {name} is no longer served"));
            }
            Some(version) => {
                for (subresource, _) in was.get("subresources").and_then(Value::as_object).into_iter().flatten() {
                    if version.pointer(&format!("/subresources/{subresource}")).is_none() {
                        say(Effect::Breaking, format!("{name} has no `/{subresource}` any more"));
                    }
                }
            }
        }
    }
    for (name, was) in before.iter().filter(|(_, was)| schema::flag(was, "served")) {
        if let Some(version) = after.get(name).filter(|version| schema::flag(version, "served")) {
            nodes::compare(name, root(was), root(version), &mut FieldPath::default(), &mut reasons);
        }
    }
    restored(&before, &after, &mut reasons);
    let (was, is) = (conversion(live, new), conversion(new, live));
    if !super::compare::equal(&was, &is) {
        let strategy = |of: &Value| of.get("strategy").and_then(Value::as_str).unwrap_or("None").to_owned();
        let text = match (strategy(&was), strategy(&is)) {
            (was, is) if was == is => "instances are converted between versions by another webhook".to_owned(),
            (was, is) => format!("instances are converted between versions by {is}, and were by {was}"),
        };
        reasons.push(Reason { effect: Effect::Tightening, text, path: String::new() });
    }
    if reasons.is_empty() && live.get("spec") != new.get("spec") {
        let text = "only descriptions, columns or the like".to_owned();
        reasons.push(Reason { effect: Effect::Safe, text, path: String::new() });
    }
    reasons
}

/// What instances lose when another version is stored: they are written in it from then on, and what it
/// does not describe is pruned, whatever their users send.
fn restored(before: &BTreeMap<&str, &Value>, after: &BTreeMap<&str, &Value>, reasons: &mut Vec<Reason>) {
    let stored = |versions: &BTreeMap<&str, &Value>| {
        versions.iter().find(|(_, version)| schema::flag(version, "storage")).map(|(name, _)| (*name).to_owned())
    };
    let (Some(was), Some(is)) = (stored(before), stored(after)) else { return };
    let (Some(old), Some(new)) = (before.get(was.as_str()), after.get(is.as_str())) else { return };
    if was == is {
        return;
    }
    let mut found = Vec::new();
    let name = format!("{is}, stored instead of {was},");
    nodes::compare(&name, root(old), root(new), &mut FieldPath::default(), &mut found);
    // What the other version has besides takes nothing away.
    reasons.extend(found.into_iter().filter(|reason| reason.effect > Effect::Safe));
}

/// How a CRD converts, with the server's defaults. A certificate that only one side has is put there by
/// others.
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

/// The versions by name.
pub(super) fn versions(crd: &Value) -> BTreeMap<&str, &Value> {
    let list = crd.pointer("/spec/versions").and_then(Value::as_array).into_iter().flatten();
    list.filter_map(|v| Some((v.get("name")?.as_str()?, v))).collect()
}

/// A version's schema.
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

    fn said(live: &Value, new: &Value) -> Vec<(Effect, String)> {
        reasons(live, new).into_iter().map(|r| (r.effect, r.text)).collect()
    }

    #[test]
    fn versions_come_and_go() {
        let live = crd(json!([version("v1"), version("v2"), version("v3")]));
        let mut unserved = version("v2");
        unserved["served"] = json!(false);
        let mut kept = version("v1");
        kept["deprecated"] = json!(true);
        kept["subresources"] = json!({"status": {}});
        let new = crd(json!([kept, unserved, version("v4")]));
        assert_eq!(
            said(&live, &new),
            [
                (Effect::Safe, "version v1 is deprecated".to_owned()),
                (Effect::Safe, "version v4 is new".to_owned()),
                (Effect::Breaking, "v1 has no `/scale` any more".to_owned()),
                (Effect::Breaking, "version v2 is no longer served".to_owned()),
                (Effect::Breaking, "version v3 is gone".to_owned()),
            ]
        );
        assert_eq!(said(&live, &live), []);
    }

    #[test]
    fn a_version_without_users_is_nobodys_loss() {
        let mut unserved = version("v0");
        unserved["served"] = json!(false);
        let live = crd(json!([version("v1"), unserved]));
        assert_eq!(
            said(&live, &crd(json!([version("v1")]))),
            [(Effect::Safe, "only descriptions, columns or the like".to_owned())]
        );
    }

    #[test]
    fn what_the_version_that_is_stored_does_not_have_is_lost() {
        let with = |name: &str, stored: bool, properties: Value| {
            json!({"name": name, "served": true, "storage": stored,
                "schema": {"openAPIV3Schema": {"type": "object", "properties": properties}}})
        };
        let (a, b) = (json!({"a": {"type": "string"}}), json!({"b": {"type": "string"}}));
        let live = crd(json!([with("v1", true, a.clone()), with("v2", false, b.clone())]));
        let new = crd(json!([with("v1", false, a), with("v2", true, b)]));
        assert_eq!(
            said(&live, &new),
            [
                (Effect::Safe, "version v2 is the stored one".to_owned()),
                (Effect::Breaking, "v2, stored instead of v1, .a (string) is gone".to_owned()),
            ]
        );
        assert_eq!(said(&live, &live), []);
    }

    #[test]
    fn another_conversion_tightens() {
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
        assert_eq!(said(&with(json!({"strategy": "None"})), &bare), said(&bare, &with(json!({"strategy": "None"}))));
        let live = hook(json!({"name": "a", "namespace": "b", "port": 443}), json!("x"));
        let mut same = hook(json!({"name": "a", "namespace": "b"}), json!("x"));
        same["spec"]["conversion"]["webhook"]["clientConfig"].as_object_mut().unwrap().remove("caBundle");
        assert!(said(&live, &same).iter().all(|(effect, _)| *effect == Effect::Safe));
        let text = "instances are converted between versions by Webhook, and were by None".to_owned();
        assert_eq!(said(&bare, &live), [(Effect::Tightening, text)]);
        let other = hook(json!({"name": "c", "namespace": "b"}), json!("x"));
        let text = "instances are converted between versions by another webhook".to_owned();
        assert_eq!(said(&live, &other), [(Effect::Tightening, text)]);
    }

    #[test]
    fn another_scope_is_another_service() {
        let mut new = crd(json!([version("v1")]));
        new["spec"]["scope"] = json!("Cluster");
        let text = "the scope is Cluster and was Namespaced".to_owned();
        assert_eq!(said(&crd(json!([version("v1")])), &new), [(Effect::Breaking, text)]);
    }
}
