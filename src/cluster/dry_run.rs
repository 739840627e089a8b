//! Dry runs: what the server would make of an object, or why it would not take it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};

use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use serde_json::Value;

use super::client::Cluster;
use super::error::{self, ClusterError, ErrorKind, ServerStatus};
use super::request::ApiRequest;
use super::rights::Rights;
use crate::compile::render::Manifest;
use crate::model::object::ObjectKey;
use crate::model::resource::Resource;
use crate::plan::build::DryRunResult;
use crate::plan::compare::{Comparison, compare};
use crate::plan::inventory::Inventory;
use crate::plan::live::{LiveCluster, LiveObject};
use crate::plan::take_over;
use crate::plan::types::Conflict;

const CRD: (&str, &str) = ("apiextensions.k8s.io", "CustomResourceDefinition");
/// After so many objects of a kind that the server was silent about, no more of the kind are asked for: each takes the whole
/// time of a request.
const SILENCES: usize = 4;
const RBAC: &str = "rbac.authorization.k8s.io";

/// Whether the fields of others in an object are taken.
pub(crate) type Forced<'a> = dyn Fn(&ObjectKey) -> bool + Sync + 'a;

/// Asks for the objects in `differing`, and for new ones as far as they can be asked for: an object whose
/// namespace, kind or role is itself about to be made cannot. Of new ones only refusals come back.
/// `forced` are the objects of which the fields of others are taken, `from` the managers that are taken over.
/// The number is that of the dry runs.
///
/// # Errors
/// When the cluster no longer answers.
pub(crate) async fn ask(
    cluster: &Cluster,
    wanted: &[Manifest],
    inventory: &Inventory,
    live: &LiveCluster,
    differing: &[ObjectKey],
    (forced, from): (&Forced<'_>, &[String]),
) -> Result<(BTreeMap<ObjectKey, DryRunResult>, usize), ClusterError> {
    let differing: BTreeSet<&ObjectKey> = differing.iter().collect();
    let world = World::new(wanted, inventory, live);
    let asked: Vec<(ObjectKey, &'static Resource, &Manifest)> = wanted
        .iter()
        .filter_map(|manifest| {
            let key = ObjectKey::from(&manifest.id);
            let is_new = !live.objects.contains_key(&key);
            let may_be_asked = differing.contains(&key) || is_new && world.can_be_made(&key, &manifest.body);
            may_be_asked.then_some((key, Resource::of(&manifest.id)?, manifest))
        })
        .collect();
    let count = asked.len();
    let silences: BTreeMap<&Resource, AtomicUsize> =
        asked.iter().map(|(_, resource, _)| (*resource, AtomicUsize::default())).collect();
    let silences = &silences;
    let rights = &Rights::new(cluster, asked.iter().map(|(key, resource, _)| (*resource, key.namespace.clone())));
    let asks = asked.into_iter().map(|(key, resource, manifest)| {
        let (world, is_new) = (&world, !differing.contains(&key));
        async move {
            let silent = silences.get(resource);
            if silent.is_some_and(|silent| silent.load(Ordering::Relaxed) >= SILENCES) {
                return Ok(Some((key, DryRunResult::Unanswered(NOT_ASKED.to_owned()))));
            }
            let known = rights.known(resource, &key, is_new);
            if !known.is_empty() {
                return Ok(Some((key, DryRunResult::NotPermitted(known))));
            }
            let body = inventory.labelled(&manifest.body);
            let apply = ApiRequest::apply(resource, key.namespace.as_deref(), &key.name, &body).dry_run(true);
            let refused = async |error: ClusterError| match error.kind {
                ErrorKind::Forbidden => match rights.lacking(resource, &key, &manifest.body, is_new).await? {
                    none if none.is_empty() => refusal(error),
                    lacking => Ok(Some(DryRunResult::NotPermitted(lacking))),
                },
                _ => refusal(error),
            };
            let answer = match cluster.call(&apply).await {
                // Where there is nothing, there is nothing to compare with.
                Ok(_) if is_new => None,
                Ok(body) => Some(DryRunResult::Accepted(body)),
                Err(error) => refused(error).await?,
            };
            // Whose fields are taken is said also where that is allowed.
            let answer = match answer {
                Some(DryRunResult::Conflicts(conflicts)) => {
                    // With a manager that is taken over there is none by then.
                    let left: Vec<Conflict> =
                        conflicts.into_iter().filter(|conflict| !take_over::is_from(&conflict.manager, from)).collect();
                    match (left.is_empty(), forced(&key)) {
                        (false, false) => Some(DryRunResult::Conflicts(left)),
                        (is_free, _) => match cluster.call(&apply.force(true)).await {
                            Ok(body) if is_free => Some(DryRunResult::Accepted(body)),
                            Ok(body) => Some(DryRunResult::Forced(body, left)),
                            Err(error) => refused(error).await?,
                        },
                    }
                }
                answer => answer,
            };
            let answer = match (answer, live.objects.get(&key)) {
                (Some(answer), Some(object)) => Some(taken_over(answer, &body, object, from)),
                (answer, _) => answer,
            };
            if let (Some(DryRunResult::Unanswered(_)), Some(silent)) = (&answer, silent) {
                silent.fetch_add(1, Ordering::Relaxed);
            }
            // What an old CRD refuses, the new one may take.
            let is_sure = !matches!(answer, Some(DryRunResult::Refused(_))) || !world.kind_changes(resource);
            Ok::<_, ClusterError>(answer.filter(|_| is_sure).map(|answer| (key, answer)))
        }
    });
    // Collected first: a stream that made them as it goes could not move between threads.
    let asks: Vec<_> = asks.collect();
    let answers: Vec<_> =
        stream::iter(asks).buffer_unordered(cluster.limits().concurrency.max(1)).try_collect().await?;
    Ok((answers.into_iter().flatten().collect(), count))
}

/// What becomes of an object when the managers are taken over.
fn taken_over(answer: DryRunResult, wanted: &Value, live: &LiveObject, from: &[String]) -> DryRunResult {
    let after = |body: Value| take_over::after(body, wanted, live, from);
    match answer {
        DryRunResult::Accepted(body) => DryRunResult::Accepted(after(body)),
        DryRunResult::Forced(body, conflicts) => DryRunResult::Forced(after(body), conflicts),
        other => other,
    }
}

/// What a refusal says; `None` where it says nothing of the object: something else is not there yet, or
/// nobody can be asked.
pub(super) fn refusal(error: ClusterError) -> Result<Option<DryRunResult>, ClusterError> {
    match error.kind {
        ErrorKind::FieldConflict => Ok(Some(DryRunResult::Conflicts(error.conflicts()))),
        _ if error.is_absent() => Ok(None),
        _ if error.is_of_connection() => Err(error),
        // Of one request the server says that it took too long; that there is no room, or no server, is true of all others.
        ErrorKind::Busy if error.is_of_gateway() || !is_timeout(&error) => Err(error),
        ErrorKind::Slow | ErrorKind::Busy | ErrorKind::BadAnswer | ErrorKind::TooLarge => {
            Ok(Some(DryRunResult::Unanswered(error.message.into())))
        }
        // A webhook with side effects is not asked, and then the dry run is off: a bad request that names
        // nothing. Applying may well do. (A webhook that denies gives no reason, or one of its own.)
        ErrorKind::Invalid if is_unsupported(&error) => Ok(None),
        _ => Ok(Some(DryRunResult::Refused(error::refusal(&error.message)))),
    }
}

/// Whether the server answers that it took too long for this request: a webhook may be slow.
fn is_timeout(error: &ClusterError) -> bool {
    error.status.as_ref().is_some_and(|status| status.code == 504)
}

/// Whether the server could not try the object at all.
#[must_use]
pub(crate) fn is_unsupported(error: &ClusterError) -> bool {
    let says_nothing = |status: &ServerStatus| {
        status.code == 400 && status.reason == "BadRequest" && status.causes.is_empty() && status.name.is_empty()
    };
    error.status.as_deref().is_some_and(says_nothing) && error.unknown_fields().is_empty()
}

/// Why an object is not asked for.
const NOT_ASKED: &str = "it was not asked for, since the server did not answer for several others of its kind";

/// What has to be there before an object can be made.
struct World<'a> {
    live: &'a LiveCluster,
    wanted: BTreeSet<ObjectKey>,
    /// The CRDs that are not as they should be, by name.
    changing: BTreeSet<String>,
}

impl<'a> World<'a> {
    fn new(wanted: &[Manifest], inventory: &Inventory, live: &'a LiveCluster) -> Self {
        let crds = wanted.iter().filter(|m| (m.id.group(), m.id.kind.as_str()) == CRD);
        let changing = crds.filter_map(|manifest| {
            let body = inventory.labelled(&manifest.body);
            let is_same = compare(&body, live.objects.get(&ObjectKey::from(&manifest.id))) == Comparison::Same;
            (!is_same).then(|| manifest.id.name.clone())
        });
        Self { live, changing: changing.collect(), wanted: wanted.iter().map(|m| ObjectKey::from(&m.id)).collect() }
    }

    /// Whether the CRD of a kind is not as it should be.
    fn kind_changes(&self, resource: &Resource) -> bool {
        self.changing.contains(&resource.full_name())
    }

    /// Whether what a new object needs is there.
    fn can_be_made(&self, key: &ObjectKey, body: &Value) -> bool {
        let is_there = |key: &ObjectKey| match self.live.objects.get(key) {
            Some(object) => !object.is_terminating(),
            // What is not rendered is not listed: it may be there.
            None => !self.wanted.contains(key),
        };
        let namespace = key.namespace.as_deref().is_none_or(|name| is_there(&ObjectKey::of_namespace(name)));
        let kind = Resource::rendered().iter().find(|r| r.group == key.group && r.kind == key.kind);
        let crd = kind.is_some_and(|resource| {
            let (group, kind) = CRD;
            is_there(&ObjectKey { group: group.into(), kind: kind.into(), namespace: None, name: resource.full_name() })
        });
        // Who may bind a role depends on what the role allows.
        let text = |pointer: &str| body.pointer(pointer).and_then(Value::as_str);
        let role = text("/roleRef/kind").filter(|_| key.group == RBAC).is_none_or(|kind| {
            let namespace = key.namespace.clone().filter(|_| kind == "Role");
            let name = text("/roleRef/name").unwrap_or_default().to_owned();
            is_there(&ObjectKey { group: RBAC.into(), kind: kind.to_owned(), namespace, name })
        });
        namespace && crd && role
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_refusal_is_an_answer_and_a_lost_connection_is_none() {
        let conflict = json!({ "message": "Apply failed", "details": { "causes": [
            { "reason": "FieldManagerConflict", "field": ".spec.x", "message": "conflict with \"kubectl\" using v1" },
        ] } });
        let expected = Conflict { manager: "kubectl".into(), field: ".spec.x".into() };
        let error = ClusterError::from_response(409, conflict.to_string().as_bytes());
        assert_eq!(refusal(error), Ok(Some(DryRunResult::Conflicts(vec![expected]))));
        let error = ClusterError::from_response(403, br#"{"message":"escalation"}"#);
        assert_eq!(refusal(error), Ok(Some(DryRunResult::Refused("“escalation”".into()))));
        assert_eq!(refusal(ClusterError::from_response(404, b"{}")), Ok(None));
        let webhook = br#"{"reason":"BadRequest","message":"admission webhook \"x\" does not support dry run"}"#;
        assert_eq!(refusal(ClusterError::from_response(400, webhook)), Ok(None));
        let denied = br#"{"message":"admission webhook \"x\" denied the request: no"}"#;
        assert!(matches!(refusal(ClusterError::from_response(400, denied)), Ok(Some(DryRunResult::Refused(_)))));
        let strict = br#"{"reason":"BadRequest","message":"strict decoding error: unknown field \"spec.x\""}"#;
        assert!(matches!(refusal(ClusterError::from_response(400, strict)), Ok(Some(DryRunResult::Refused(_)))));
        assert!(refusal(ClusterError::from_response(401, b"{}")).is_err());
        assert!(refusal(ClusterError::new(ErrorKind::TimedOut, "no answer")).is_err());
        // What stands before a server is not the server, and refuses nothing.
        for code in [502, 503, 504] {
            let error = refusal(ClusterError::from_response(code, b"<html>Bad Gateway</html>")).expect_err("no answer");
            assert!(error.is_of_gateway() && error.is_transient(), "{code}");
        }
        let full = br#"{"reason":"TooManyRequests","message":"later"}"#;
        assert!(refusal(ClusterError::from_response(429, full)).is_err());
        let late = br#"{"reason":"Timeout","message":"too late"}"#;
        let late = refusal(ClusterError::from_response(504, late));
        assert_eq!(late, Ok(Some(DryRunResult::Unanswered("“too late”".into()))));
        let nonsense = refusal(ClusterError::new(ErrorKind::BadAnswer, "the answer is no JSON"));
        assert!(matches!(nonsense, Ok(Some(DryRunResult::Unanswered(_)))));
        let slow = refusal(ClusterError::new(ErrorKind::Slow, "no answer"));
        assert_eq!(slow, Ok(Some(DryRunResult::Unanswered("no answer".into()))));
    }
}
