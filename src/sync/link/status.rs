//! The status of a ServiceCluster, as it should be and as the write that makes it so. Pure.
//!
//! Nothing is written to refresh a time: [`ClusterStatus::patch`] compares with what is there and ignores
//! `lastTransitionTime` and `lastHeartbeatTime`. The first only moves with the condition's status; the second is the
//! time of the last write, a documented difference from KubeCarrier.

use serde_json::{Map, Value, json};

use super::verdict::{CLUSTER_UNREACHABLE, Fault, IDENTITY_CHANGED, Trust, server_text};
use crate::model::cluster::ClusterId;
use crate::model::keys;
use crate::model::plain::Line;
use crate::sync::truth::Truth;

/// The fields of the version of a server, as `/version` has them and the status shows them.
const VERSION: [&str; 9] =
    ["major", "minor", "gitVersion", "gitCommit", "gitTreeState", "buildDate", "goVersion", "compiler", "platform"];

/// A condition without its times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// The type, such as `Ready`.
    pub type_: &'static str,
    /// The status.
    pub status: Truth,
    /// The reason, in CamelCase.
    pub reason: &'static str,
    /// One sentence.
    pub message: String,
}

impl Verdict {
    /// A condition.
    pub(crate) fn new(type_: &'static str, status: Truth, reason: &'static str, message: impl Into<String>) -> Self {
        Self { type_, status, reason, message: Line::from(message.into()).into() }
    }

    /// The condition as it is to be stored, and whether `live` differs from it. The time of the last transition stays
    /// where the status does.
    pub(crate) fn stored(&self, live: &Value, now: &str) -> (Map<String, Value>, bool) {
        let conditions = live.pointer("/status/conditions").and_then(Value::as_array);
        let text = |condition: &Value, key: &str| condition.get(key).and_then(Value::as_str).map(str::to_owned);
        let mut all = conditions.into_iter().flatten();
        let before = all.find(|condition| text(condition, "type").as_deref() == Some(self.type_));
        let of = |key: &str| before.and_then(|condition| text(condition, key));
        let stays = of("status").as_deref() == Some(self.status.word());
        let since = of("lastTransitionTime").filter(|_| stays).unwrap_or_else(|| now.to_owned());
        let mut stored = Map::new();
        for (key, value) in [("type", self.type_), ("status", self.status.word()), ("reason", self.reason)] {
            stored.insert(key.to_owned(), value.into());
        }
        stored.insert("message".to_owned(), self.message.as_str().into());
        stored.insert("lastTransitionTime".to_owned(), since.into());
        let differs =
            !stays || of("reason").as_deref() != Some(self.reason) || of("message") != Some(self.message.clone());
        (stored, differs)
    }
}

/// What is known of a service cluster and its ServiceCluster.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Seen<'a> {
    /// The name.
    pub id: &'a ClusterId,
    /// What may be believed.
    pub trust: Trust,
    /// Whether the kubeconfig in the Secret is the one in use; `Ok(false)` where that is not known yet.
    pub kubeconfig: Result<bool, Fault>,
    /// Something about the kubeconfig that is no fault, such as a Secret that cannot be watched.
    pub remark: Option<&'static str>,
    /// The answer of the server to `/version`.
    pub version: Option<&'a Value>,
    /// The identity to be recorded; absent, the recorded one stays.
    pub to_pin: Option<&'a str>,
    /// Whether the annotation `paused` is set.
    pub paused: bool,
    /// Whether the ServiceCluster is in deletion.
    pub deleting: bool,
}

/// The status of a ServiceCluster as it should be.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ClusterStatus {
    /// The conditions.
    pub conditions: Vec<Verdict>,
    /// The summary.
    pub phase: &'static str,
    version: Option<Value>,
    to_pin: Option<String>,
}

impl ClusterStatus {
    /// The status for what is known; `None` as long as that is too little to say anything, so that a process that
    /// starts changes no condition to `Unknown` and back.
    #[must_use]
    pub(crate) fn of(seen: &Seen<'_>) -> Option<Self> {
        let to_pin = seen.to_pin.map(str::to_owned);
        let reachable = match (&seen.trust, &to_pin) {
            // It answers, and waits for this very write.
            (Trust::Pending, Some(_)) | (Trust::Trusted { .. }, _) => Verdict::new(
                "ServiceClusterReachable",
                Truth::True,
                "ServiceClusterReachable",
                "the API server of the cluster answers",
            ),
            (Trust::Pending, None) => return None,
            (Trust::Unreachable { reason, message }, _) => {
                Verdict::new("ServiceClusterReachable", Truth::False, reason, message.as_str())
            }
            (Trust::NoKubeconfig { reason, message }, _) => {
                // What the server itself refuses keeps the server's reason.
                let reason = if matches!(*reason, "Unauthorized" | "Forbidden") { reason } else { CLUSTER_UNREACHABLE };
                let message = format!("there is no usable kubeconfig: {message}");
                Verdict::new("ServiceClusterReachable", Truth::False, reason, message)
            }
            (Trust::IdentityChanged { pinned, found }, _) => {
                let message = identity_message(seen.id, pinned, found);
                Verdict::new("ServiceClusterReachable", Truth::False, IDENTITY_CHANGED, message)
            }
        };
        let (status, reason, message) = match &seen.kubeconfig {
            Ok(true) => (Truth::True, "KubeconfigReady", "the kubeconfig of the Secret is in use".to_owned()),
            Ok(false) => (Truth::Unknown, "Pending", "the kubeconfig of the Secret is being tried".to_owned()),
            Err(fault) if seen.trust.is_trusted() => {
                let message = format!("{}; the connection of the kubeconfig before it stays in use", fault.message);
                (Truth::False, fault.reason, message)
            }
            Err(fault) => (Truth::False, fault.reason, fault.message.clone()),
        };
        let message = seen.remark.map_or(message.clone(), |remark| format!("{message}; {remark}"));
        let kubeconfig = Verdict::new("KubeconfigReady", status, reason, message);
        let ready = match reachable.reason {
            _ if seen.deleting => Verdict::new("Ready", Truth::False, "Deleting", "the ServiceCluster is in deletion"),
            _ if seen.paused => {
                Verdict::new("Ready", Truth::Unknown, "Paused", format!("the annotation `{}` is set", keys::PAUSED))
            }
            IDENTITY_CHANGED => Verdict::new("Ready", Truth::False, IDENTITY_CHANGED, "another cluster answers"),
            _ if reachable.status == Truth::True => {
                Verdict::new("Ready", Truth::True, "ComponentsReady", "instances are synchronised")
            }
            _ => Verdict::new("Ready", Truth::False, "ServiceClusterUnreachable", "the cluster cannot be reached"),
        };
        let phase = if seen.deleting { "Terminating" } else { ready.status.phase() };
        let version = seen.version.map(|version| {
            let field = |key: &str| server_text(version.get(key).and_then(Value::as_str).unwrap_or_default());
            VERSION.iter().map(|key| ((*key).to_owned(), Value::from(field(key)))).collect::<Map<_, _>>().into()
        });
        Some(Self { conditions: vec![ready, kubeconfig, reachable], phase, version, to_pin })
    }

    /// The object to apply to the subresource `status` of `live`, the ServiceCluster as it is; `None` where nothing
    /// but times would change. A new identity is recorded only in the version of the ServiceCluster that was read:
    /// somebody else may record one at the same time.
    #[must_use]
    pub(crate) fn patch(&self, live: &Value, now: &str) -> Option<Value> {
        let status = |key: &str| live.pointer("/status").and_then(|status| status.get(key)).cloned();
        let generation = live.pointer("/metadata/generation").cloned();
        let mut wanted = Map::new();
        let mut set = |key: &str, value: Option<Value>| {
            if let Some(value) = value {
                wanted.insert(key.to_owned(), value);
            }
        };
        set("kubernetesVersion", self.version.clone().or_else(|| status("kubernetesVersion")));
        set("clusterUID", self.to_pin.clone().map(Value::from).or_else(|| status("clusterUID")));
        set("observedGeneration", generation);
        set("phase", Some(self.phase.into()));
        let mut differs = wanted.iter().any(|(key, value)| status(key).as_ref() != Some(value));
        let conditions: Vec<Value> = self
            .conditions
            .iter()
            .map(|condition| {
                let (mut stored, is_new) = condition.stored(live, now);
                differs |= is_new;
                stored.insert("lastHeartbeatTime".to_owned(), now.into());
                stored.into()
            })
            .collect();
        wanted.insert("conditions".to_owned(), conditions.into());
        differs.then(|| object(live, wanted.into(), self.to_pin.is_some()))
    }
}

/// The object to apply for a status: of the kind and name of `live`, and with `at_version` only where nobody has
/// changed it meanwhile.
pub(crate) fn object(live: &Value, status: Value, at_version: bool) -> Value {
    let mut metadata = Map::new();
    for key in ["name", "namespace", "uid", "resourceVersion"] {
        if let Some(value) = live.pointer("/metadata").and_then(|metadata| metadata.get(key))
            && (key != "resourceVersion" || at_version)
        {
            metadata.insert(key.to_owned(), value.clone());
        }
    }
    let mut object = json!({"apiVersion": live.get("apiVersion"), "kind": live.get("kind"), "metadata": metadata});
    object["status"] = status;
    object
}

/// What an administrator does about another identity.
fn identity_message(id: &ClusterId, pinned: &str, found: &str) -> String {
    let (pinned, found) = (server_text(pinned), server_text(found));
    format!(
        "the kubeconfig leads to the cluster {found}, and not to {pinned}, so nothing is read or written; if this is \
         intended: kubectl annotate --overwrite -n {} servicecluster {} {}={found}",
        id.provider,
        id.cluster,
        keys::ACCEPT_IDENTITY,
    )
}

#[cfg(test)]
mod tests;
