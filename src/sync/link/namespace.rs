//! A tenant's namespace in a service cluster: whose it is, how it is made, and when it is looked at again. Pure.
//!
//! It is the tenant's if its labels name provider, tenant and ServiceCluster, and this management cluster or none.
//! Whatever else stands there belongs to somebody else and is left alone.

use std::time::Duration;

use serde_json::{Value, json};

use super::verdict::server_text;
use crate::model::cluster::ClusterId;
use crate::model::{keys, names, namespace};

/// How often a namespace that is as it should be is looked at.
pub(crate) const LOOK_EVERY: Duration = Duration::from_mins(10);
/// The first pause before a namespace is looked at again that is not as it should be; it doubles.
const FIRST: Duration = Duration::from_secs(1);
/// The longest such pause.
const LONGEST: Duration = Duration::from_secs(30);

/// Whose a namespace has to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// The service cluster, and so the provider.
    pub cluster: ClusterId,
    /// The tenant's account, which is the namespace in the management cluster.
    pub tenant: String,
    /// The UID of the management cluster's `kube-system`.
    pub management_uid: String,
}

/// A namespace as it was when it was looked at last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NamespaceState {
    /// It was not looked at since the cluster was connected to, or could not be; in the latter case this is why.
    Unknown(Option<String>),
    /// It is absent, and could not be made for this reason, or was not tried.
    Missing(Option<String>),
    /// It is the tenant's.
    Ours,
    /// It is the tenant's, and does not name the management cluster: another one could claim it too.
    OursUnmarked,
    /// It is somebody else's.
    NotOurs {
        /// Why, one sentence.
        reason: String,
    },
    /// It is the tenant's, and is in deletion.
    Terminating,
}

impl NamespaceState {
    /// The state of a namespace; `None` is one that is absent.
    #[must_use]
    pub fn of(live: Option<&Value>, owner: &Owner) -> Self {
        let Some(live) = live else { return Self::Missing(None) };
        let label = |key: &str| live.pointer("/metadata/labels")?.get(key)?.as_str();
        for (key, wanted) in [
            (keys::PROVIDER, &owner.cluster.provider),
            (keys::TENANT, &owner.tenant),
            (keys::SERVICE_CLUSTER, &owner.cluster.cluster),
        ] {
            let reason = match label(key) {
                Some(found) if found == wanted => continue,
                Some(found) => format!("its label `{key}` is `{}`, and not `{wanted}`", server_text(found)),
                None => format!("it exists without the label `{key}: {wanted}`"),
            };
            return Self::NotOurs { reason };
        }
        let marked = match label(keys::MANAGEMENT_CLUSTER) {
            None => false,
            Some(found) if found == owner.management_uid => true,
            Some(_) => {
                let reason = format!("its label `{}` names another management cluster", keys::MANAGEMENT_CLUSTER);
                return Self::NotOurs { reason };
            }
        };
        let phase = live.pointer("/status/phase").and_then(Value::as_str);
        let going = live.pointer("/metadata/deletionTimestamp").is_some_and(|time| !time.is_null());
        match (going || phase == Some("Terminating"), marked) {
            (true, _) => Self::Terminating,
            (false, true) => Self::Ours,
            (false, false) => Self::OursUnmarked,
        }
    }

    /// Whether objects may be created and changed in it. Deletions of copies that bear our marks go on in any state.
    #[must_use]
    pub fn may_write(&self) -> bool {
        matches!(self, Self::Ours | Self::OursUnmarked)
    }

    /// The pause before it is looked at again, after `looks` looks in a row that found it other than it should be.
    #[must_use]
    pub fn pause(&self, looks: u32) -> Duration {
        match self {
            Self::Ours | Self::OursUnmarked => LOOK_EVERY,
            _ => (FIRST * (1 << looks.min(10))).min(LONGEST),
        }
    }
}

/// Why a name cannot be that of a tenant's namespace.
#[must_use]
pub(crate) fn unusable(name: &str) -> Option<String> {
    if let Err(error) = names::dns_label(name) {
        return Some(format!("`{}` is no name of a namespace: {error}", server_text(name)));
    }
    namespace::is_system(name).then(|| format!("`{name}` is a namespace of Kubernetes or of carrier"))
}

/// The body of the apply that makes a namespace: it creates it, or fails (409) where it exists, so that nothing of
/// somebody else's is adopted in a race.
#[must_use]
pub(crate) fn creation(name: &str, owner: &Owner) -> Value {
    let mut labels = json!({
        keys::PROVIDER: owner.cluster.provider,
        keys::TENANT: owner.tenant,
        keys::SERVICE_CLUSTER: owner.cluster.cluster,
    });
    if names::label_value(&owner.management_uid).is_ok() {
        labels[keys::MANAGEMENT_CLUSTER] = owner.management_uid.as_str().into();
    }
    json!({
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": name, "labels": labels, "resourceVersion": "1"},
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner() -> Owner {
        Owner { cluster: ClusterId::new("team-a", "eu-west-1"), tenant: "team-b".into(), management_uid: "uid".into() }
    }

    #[test]
    fn a_namespace_is_whose_its_labels_say() {
        let full = [("provider", "team-a"), ("tenant", "team-b"), ("service-cluster", "eu-west-1")];
        let state = |labels: &[(&str, &str)], rest: Value| {
            let labels: serde_json::Map<String, Value> =
                labels.iter().map(|(key, value)| (format!("kubecarrier.io/{key}"), (*value).into())).collect();
            let mut live = json!({"metadata": {"name": "n", "labels": labels}});
            for (key, value) in rest.as_object().into_iter().flatten() {
                match key.as_str() {
                    "status" => live["status"] = value.clone(),
                    key => live["metadata"][key] = value.clone(),
                }
            }
            NamespaceState::of(Some(&live), &owner())
        };
        let with = |more: (&'static str, &'static str)| [&full[..], &[more]].concat();
        assert_eq!(NamespaceState::of(None, &owner()), NamespaceState::Missing(None));
        assert_eq!(state(&full, json!({})), NamespaceState::OursUnmarked);
        assert_eq!(state(&with(("management-cluster", "uid")), json!({})), NamespaceState::Ours);
        for going in [json!({"deletionTimestamp": "2026-01-01T00:00:00Z"}), json!({"status": {"phase": "Terminating"}})]
        {
            assert_eq!(state(&full, going), NamespaceState::Terminating);
        }
        for (labels, word) in [
            (vec![], "without the label `kubecarrier.io/provider: team-a`"),
            (with(("provider", "team-c")), "is `team-c`, and not `team-a`"),
            (with(("tenant", "a\nb")), "is `a␊b`, and not `team-b`"),
            (with(("service-cluster", "eu-west-2")), "is `eu-west-2`"),
            (with(("management-cluster", "other")), "another management cluster"),
        ] {
            // Somebody else's is somebody else's in deletion too.
            let NamespaceState::NotOurs { reason } = state(&labels, json!({"deletionTimestamp": "now"})) else {
                panic!("{labels:?} are not ours");
            };
            assert!(reason.contains(word), "{reason}");
        }
    }

    #[test]
    fn what_is_made_is_ours() {
        let made = creation("n", &owner());
        assert_eq!(NamespaceState::of(Some(&made), &owner()), NamespaceState::Ours);
        assert_eq!(made["metadata"]["resourceVersion"], "1");
    }

    #[test]
    fn names_of_others_are_no_tenants() {
        assert_eq!(unusable("team-b-x7k2p"), None);
        for name in ["kube-system", "default", "kubecarrier-system", "a/b", "", "A"] {
            assert!(unusable(name).is_some(), "{name}");
        }
    }

    #[test]
    fn what_is_not_as_it_should_be_is_looked_at_soon() {
        let pauses = [0, 1, 4, 5, 40].map(|looks| NamespaceState::Terminating.pause(looks).as_secs());
        assert_eq!(pauses, [1, 2, 16, 30, 30]);
        assert_eq!(NamespaceState::Ours.pause(0), LOOK_EVERY);
    }
}
