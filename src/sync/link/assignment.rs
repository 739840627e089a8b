//! The status of a ServiceClusterAssignment, as it should be and as the write that makes it so. Pure.

use serde_json::{Map, Value, json};

use super::namespace::{self, NamespaceState};
use super::status::{Verdict, object};
use super::verdict::{CLUSTER_UNREACHABLE, IDENTITY_CHANGED, Trust};
use crate::model::cluster::ClusterId;
use crate::model::keys;
use crate::sync::truth::Truth;

/// What an Assignment says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Facts {
    /// The tenant's namespace in the management cluster.
    pub tenant: String,
    /// The tenant's namespace in the service cluster: as rendered, or as KubeCarrier has recorded it in the status.
    ///
    /// # Errors
    /// Why there is none that can be used.
    pub namespace: Result<String, String>,
    /// Whether the annotation `paused` is set.
    pub paused: bool,
    /// Whether the Assignment is in deletion.
    pub deleting: bool,
}

impl Facts {
    /// What an Assignment says; `None` where it is not one of this cluster, or has another name than
    /// `<tenant>.<cluster>`, so that a tenant has one at most.
    #[must_use]
    pub(crate) fn of(assignment: &Value, cluster: &ClusterId) -> Option<Self> {
        let text = |pointer: &str| assignment.pointer(pointer).and_then(Value::as_str);
        let tenant = text("/spec/managementNamespace/name")?.to_owned();
        let is_here = text("/metadata/namespace")? == cluster.provider
            && text("/spec/serviceCluster/name")? == cluster.cluster
            && text("/metadata/name")? == format!("{tenant}.{}", cluster.cluster);
        if !is_here {
            return None;
        }
        let annotation = |key: &str| assignment.pointer("/metadata/annotations")?.get(key)?.as_str();
        let name = annotation(keys::SERVICE_NAMESPACE).or_else(|| text("/status/serviceClusterNamespace/name"));
        let namespace = match name {
            Some(name) => namespace::unusable(name).map_or_else(|| Ok(name.to_owned()), Err),
            None => Err(format!("it has no annotation `{}`; render and apply again", keys::SERVICE_NAMESPACE)),
        };
        let paused = annotation(keys::PAUSED) == Some("true");
        let deleting = assignment.pointer("/metadata/deletionTimestamp").is_some_and(|time| !time.is_null());
        Some(Self { tenant, namespace, paused, deleting })
    }
}

/// The condition `Ready`; `None` as long as nothing is known.
#[must_use]
pub(crate) fn ready(facts: &Facts, trust: &Trust, state: &NamespaceState) -> Option<Verdict> {
    let verdict = |status, reason, message: String| Some(Verdict::new("Ready", status, reason, message));
    if facts.deleting {
        return verdict(Truth::False, "Deleting", "the assignment is in deletion".into());
    }
    if facts.paused {
        return verdict(Truth::Unknown, "Paused", format!("the annotation `{}` is set", keys::PAUSED));
    }
    let name = match &facts.namespace {
        Ok(name) => name,
        Err(why) => return verdict(Truth::False, "CreatingNamespace", why.clone()),
    };
    match trust {
        Trust::Pending => return None,
        Trust::IdentityChanged { .. } => {
            return verdict(Truth::Unknown, IDENTITY_CHANGED, "another cluster answers".into());
        }
        Trust::Unreachable { .. } | Trust::NoKubeconfig { .. } => {
            return verdict(Truth::Unknown, CLUSTER_UNREACHABLE, "the cluster cannot be reached".into());
        }
        Trust::Trusted { .. } => {}
    }
    let why = |why: &Option<String>| why.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
    match state {
        NamespaceState::Unknown(None) => None,
        NamespaceState::Unknown(reason) => {
            verdict(Truth::False, "CreatingNamespace", format!("the namespace `{name}` cannot be read{}", why(reason)))
        }
        NamespaceState::Missing(reason) => {
            let message = format!("the namespace `{name}` does not exist in the service cluster{}", why(reason));
            verdict(Truth::False, "CreatingNamespace", message)
        }
        NamespaceState::Terminating => {
            let message = format!("the namespace `{name}` is in deletion; it is created again once it is gone");
            verdict(Truth::False, "CreatingNamespace", message)
        }
        NamespaceState::NotOurs { reason } => {
            let message = format!("the namespace `{name}` in the service cluster is not that of the tenant: {reason}");
            verdict(Truth::False, "NamespaceNotOurs", message)
        }
        NamespaceState::Ours => verdict(Truth::True, "SetupComplete", format!("the namespace `{name}` is ready")),
        NamespaceState::OursUnmarked => {
            let message = format!(
                "the namespace `{name}` is ready; it has no label `{}`, so that another management cluster could use \
                 it too: render and apply again",
                keys::MANAGEMENT_CLUSTER
            );
            verdict(Truth::True, "SetupComplete", message)
        }
    }
}

/// The object to apply to the subresource `status` of `live`, the Assignment as it is; `None` where nothing but a time
/// would change.
#[must_use]
pub(crate) fn patch(ready: &Verdict, facts: &Facts, live: &Value, now: &str) -> Option<Value> {
    let (condition, mut differs) = ready.stored(live, now);
    let mut wanted = Map::new();
    // The name is shown once the namespace is ready, and stays where that is not known for the moment.
    let before = live.pointer("/status/serviceClusterNamespace/name").and_then(Value::as_str);
    let name = facts.namespace.as_deref().ok();
    let name = name.filter(|name| match ready.status {
        Truth::True => true,
        Truth::Unknown => before == Some(*name),
        Truth::False => before == Some(*name) && ready.reason != "NamespaceNotOurs",
    });
    differs |= name != before;
    if let Some(name) = name {
        wanted.insert("serviceClusterNamespace".to_owned(), json!({"name": name}));
    }
    for (key, value) in [
        ("observedGeneration", live.pointer("/metadata/generation").cloned()),
        ("phase", Some(ready.status.phase().into())),
    ] {
        if let Some(value) = value {
            differs |= live.pointer("/status").and_then(|status| status.get(key)) != Some(&value);
            wanted.insert(key.to_owned(), value);
        }
    }
    wanted.insert("conditions".to_owned(), json!([condition]));
    differs.then(|| object(live, wanted.into(), false))
}

#[cfg(test)]
mod tests;
