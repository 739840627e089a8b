//! The effects of a change on the users of the services, by the kind of the object.

use serde_json::Value;

use super::crd;
use super::types::{Effect, Impact, Reason};
use super::words::{NOT_ASKED, count};
use crate::model::keys::SERVICE_NAMESPACE;
use crate::model::kinds::table::{CATALOG_GROUP, CORE_GROUP};
use crate::model::object::ObjectKey;

fn reason(effect: Effect, text: impl Into<String>) -> Reason {
    Reason { effect, text: text.into(), path: String::new() }
}

/// The effects of an update from `live` to `new`; empty for kinds whose updates have none.
#[must_use]
pub(crate) fn of_update(key: &ObjectKey, live: &Value, new: &Value) -> Vec<Reason> {
    if key.is_crd() {
        return crd::reasons(live, new);
    }
    if key.is(CORE_GROUP, "ServiceClusterAssignment") {
        let namespace =
            |body: &Value| body.pointer("/metadata/annotations")?.get(SERVICE_NAMESPACE)?.as_str().map(str::to_owned);
        if let (Some(was), Some(is)) = (namespace(live), namespace(new))
            && was != is
        {
            let text = format!(
                "the tenant's namespace in the service cluster changes from {was} to {is}; its instances stay in {was}, and are deleted if it is"
            );
            return vec![reason(Effect::Breaking, text)];
        }
    }
    Vec::new()
}

/// The effects of a deletion. If `impact` is `None` or incomplete, the worst case is assumed.
#[must_use]
pub(crate) fn of_deletion(key: &ObjectKey, impact: Option<&Impact>) -> Vec<Reason> {
    let known = impact.filter(|impact| impact.unchecked.is_none());
    let instances = known.map(|impact| impact.instances.max(impact.destroyed_count));
    if key.is_crd() {
        return vec![match (instances, known) {
            (Some(0), _) => reason(Effect::Breaking, "no instances of it can be created any more"),
            (Some(n), Some(impact)) => {
                let places = count(impact.accounts, "namespace");
                let are = if n == 1 { "is" } else { "are" };
                reason(Effect::Destructive, format!("{} in {places} {are} deleted with it", count(n, "instance")))
            }
            _ if is_uncounted(impact) => {
                reason(Effect::Destructive, "its instances are deleted with it, and could not be counted")
            }
            _ => reason(Effect::Destructive, "its instances are deleted with it, if there are any"),
        }];
    }
    if key.is("", "Namespace") {
        let text = match known.map(|impact| impact.destroyed_count) {
            Some(n) if n > 0 => format!("everything in it is deleted with it, including {}", count(n, "instance")),
            _ if is_uncounted(impact) => {
                "everything in it is deleted with it, and its instances could not be counted".to_owned()
            }
            _ => "everything in it is deleted with it".to_owned(),
        };
        return vec![reason(Effect::Destructive, text)];
    }
    let orphans = match instances {
        Some(n) if n > 0 => format!(", and {} would be left without it", count(n, "instance")),
        _ => String::new(),
    };
    if key.is(CATALOG_GROUP, "Offering") {
        let tenant = key.namespace.as_deref().unwrap_or_default();
        return vec![reason(Effect::Breaking, format!("{tenant} is no longer offered the service{orphans}"))];
    }
    if key.is(CORE_GROUP, "ServiceClusterAssignment") && instances != Some(0) {
        let text = format!("the tenant is no longer served by the cluster{orphans}");
        return vec![reason(Effect::Breaking, text)];
    }
    if key.is(CORE_GROUP, "ServiceCluster") {
        return vec![reason(Effect::Breaking, "its services are no longer served")];
    }
    if key.is(CATALOG_GROUP, "CatalogEntry") {
        return vec![reason(Effect::Breaking, format!("its service is no longer served{orphans}"))];
    }
    Vec::new()
}

/// Whether clusters were asked for the instances, and could not name all of them.
#[must_use]
pub(crate) fn is_uncounted(impact: Option<&Impact>) -> bool {
    impact.and_then(|impact| impact.unchecked.as_deref()).is_some_and(|why| why != NOT_ASKED)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn key(group: &str, kind: &str, namespace: Option<&str>) -> ObjectKey {
        ObjectKey { group: group.into(), kind: kind.into(), namespace: namespace.map(str::to_owned), name: "a".into() }
    }

    fn worst(reasons: &[Reason]) -> Effect {
        reasons.iter().map(|r| r.effect).max().unwrap_or_default()
    }

    fn with(instances: usize) -> Impact {
        Impact { instances, accounts: instances.min(2), ..Impact::default() }
    }

    #[test]
    fn the_deletion_of_a_crd_deletes_its_instances() {
        let crd = key("apiextensions.k8s.io", "CustomResourceDefinition", None);
        assert_eq!(worst(&of_deletion(&crd, Some(&with(0)))), Effect::Breaking);
        let reasons = of_deletion(&crd, Some(&with(3)));
        assert_eq!(
            (worst(&reasons), reasons[0].text.as_str()),
            (Effect::Destructive, "3 instances in 2 namespaces are deleted with it")
        );
        // Without an impact there may be instances.
        assert_eq!(worst(&of_deletion(&crd, None)), Effect::Destructive);
        let unchecked = Impact { unchecked: Some("forbidden".into()), ..with(0) };
        let reasons = of_deletion(&crd, Some(&unchecked));
        assert_eq!(
            (worst(&reasons), reasons[0].text.as_str()),
            (Effect::Destructive, "its instances are deleted with it, and could not be counted")
        );
        let not_asked = Impact { unchecked: Some(NOT_ASKED.into()), ..with(0) };
        assert!(of_deletion(&crd, Some(&not_asked))[0].text.contains("if there are any"));
    }

    #[test]
    fn the_deletion_of_a_namespace_is_destructive() {
        let namespace = key("", "Namespace", None);
        assert_eq!(worst(&of_deletion(&namespace, Some(&with(0)))), Effect::Destructive);
        let unchecked = Impact { unchecked: Some("forbidden".into()), ..with(0) };
        let reasons = of_deletion(&namespace, Some(&unchecked));
        assert!(reasons[0].text.ends_with("its instances could not be counted"), "{}", reasons[0].text);
    }

    #[test]
    fn the_deletion_of_an_offering_is_breaking_and_not_destructive() {
        let offering = key(CATALOG_GROUP, "Offering", Some("team-b"));
        let reasons = of_deletion(&offering, Some(&with(2)));
        assert_eq!(worst(&reasons), Effect::Breaking);
        assert_eq!(
            reasons[0].text,
            "team-b is no longer offered the service, and 2 instances would be left without it"
        );
        let assignment = key(CORE_GROUP, "ServiceClusterAssignment", Some("team-a"));
        assert_eq!(worst(&of_deletion(&assignment, Some(&with(2)))), Effect::Breaking);
        assert_eq!(worst(&of_deletion(&assignment, None)), Effect::Breaking);
        assert_eq!(of_deletion(&assignment, Some(&with(0))), []);
        assert_eq!(of_deletion(&key("rbac.authorization.k8s.io", "Role", Some("a")), None), []);
    }

    #[test]
    fn a_tenant_cannot_move_to_another_namespace_of_the_service_cluster() {
        let assignment = key(CORE_GROUP, "ServiceClusterAssignment", Some("team-a"));
        let at = |namespace: &str| json!({"metadata": {"annotations": {SERVICE_NAMESPACE: namespace}}});
        assert_eq!(worst(&of_update(&assignment, &at("x"), &at("y"))), Effect::Breaking);
        assert_eq!(of_update(&assignment, &at("x"), &at("x")), []);
    }
}
