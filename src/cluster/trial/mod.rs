//! The trial of a schema: which instances would a CRD no longer take, or take only
//! in part, and which would read other values?
//!
//! A server cannot be asked that: a dry run of a CRD changes nothing that its
//! instances are checked by. So the new schema is put in a CRD of its own, in a group
//! that nobody uses, every instance is created there as a dry run, and the CRD is
//! deleted. These are the only two writes of a plan.
//!
//! Of what the server says of an instance only fields and reasons are kept: its
//! words quote values, and an instance may hold a password.

pub(crate) mod scratch;
mod verdict;

use std::collections::BTreeSet;
use std::time::Duration;

use futures::future::join_all;
use serde_json::Value;

use super::client::Cluster;
use super::client::pager::{Page, Pages};
use super::client::retry::Backoff;
use super::error::{ClusterError, ErrorKind};
use super::instances::{NAMED, why_not_listed};
use super::request::{ApiRequest, FieldValidation, Selection};
use crate::model::crd::{Version, versions};
use crate::model::resource::Resource;
use crate::plan::types::{Impact, InvalidInstance};
use scratch::Scratch;
pub(crate) use scratch::{Leftover, sweep};
use verdict::Verdict;

/// Instances come in pages of so many, since their bodies are needed.
const PAGE: u32 = 200;
/// How often an instance is tried where the kind is not known yet to the server that answers.
const TRIES: u32 = 10;
/// The longest pause before the second such try; it doubles.
const PAUSE: Duration = Duration::from_millis(100);
/// The longest pause.
const MAX_PAUSE: Duration = Duration::from_millis(500);

/// Tries the instances of `live`, a CRD, under the schema of `new`.
///
/// What cannot be found out is said in [`Impact::unchecked`]: it does not stop a plan.
pub(crate) async fn try_schema(cluster: &Cluster, live: &Value, new: &Value) -> Impact {
    let Some((readable, version)) = readable(live, new) else {
        let why = "the CRD no longer has a version in which its instances can be read".to_owned();
        return Impact { unchecked: Some(why), ..Impact::default() };
    };
    let scratch = match Scratch::create(cluster, new, &version).await {
        Ok(scratch) => scratch,
        Err(error) => return Impact { unchecked: Some(why_no_trial(&error)), ..Impact::default() },
    };
    let impact = match all(cluster, &readable, &scratch).await {
        Ok(impact) => impact,
        Err(error) => {
            let why = format!("the instances could not be read: {}", why_not_listed(&error));
            Impact { unchecked: Some(why), ..Impact::default() }
        }
    };
    scratch.remove().await;
    impact
}

/// Why there is no trial. A refusal of the schema is told where the CRD itself is; it is long.
fn why_no_trial(error: &ClusterError) -> String {
    match error.kind {
        ErrorKind::Forbidden => format!("no CRD may be made to try the new schema in: {}", error.message),
        ErrorKind::Invalid => "the server does not take the new schema".to_owned(),
        _ => format!("the new schema could not be tried: {}", error.message),
    }
}

/// In which version the instances can be read from the live CRD and tried under the new one: the one
/// that will be stored, else the one that is, else any.
fn readable(live: &Value, new: &Value) -> Option<(Resource, String)> {
    let served: Vec<&str> = versions(live).filter(|v| v.is_served()).map(Version::name).collect();
    let mut candidates: Vec<Version<'_>> = versions(new).filter(|v| served.contains(&v.name())).collect();
    candidates.sort_by_key(|candidate| {
        let is_stored = versions(live).any(|v| v.name() == candidate.name() && v.is_stored());
        (!candidate.is_stored(), !is_stored)
    });
    let version = candidates.first()?.name().to_owned();
    let resource = Resource::defined_by(live)?;
    Some((Resource { version: version.clone(), ..resource }, version))
}

/// All instances, page by page; their bodies are dropped as soon as each is tried.
async fn all(cluster: &Cluster, readable: &Resource, scratch: &Scratch) -> Result<Impact, ClusterError> {
    let mut tally = Tally::default();
    let mut pages = Pages::new(Selection::all(readable).paged(PAGE));
    while let Some(page) = pages.next(cluster).await? {
        match page {
            Page::Restarted => tally = Tally::default(),
            Page::Objects(instances) => {
                let tried = join_all(instances.into_iter().map(|instance| one(cluster, scratch, instance))).await;
                for (namespace, name, verdict) in tried {
                    tally.add(namespace, name, verdict);
                }
            }
        }
    }
    Ok(tally.into_impact())
}

/// Tries one instance.
async fn one(cluster: &Cluster, scratch: &Scratch, instance: Value) -> (Option<String>, String, Verdict) {
    let text = |pointer: &str| instance.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    let (namespace, name) = (text("/metadata/namespace"), text("/metadata/name").unwrap_or_default());
    let body = scratch.candidate(&instance, namespace.as_deref(), &name);
    drop(instance);
    let create = ApiRequest::create(&scratch.resource, namespace.as_deref(), &body).dry_run(true);
    let verdict = match offer(cluster, &create.clone().validation(FieldValidation::Strict)).await {
        Ok(made) => Verdict::of_taken(&body, &made),
        Err(strict) => match verdict::lost(&strict) {
            // What is unknown hides what is invalid, so that is asked for separately.
            Some(lost) => {
                let lenient = offer(cluster, &create.validation(FieldValidation::Ignore)).await;
                verdict::with_lost(lost, lenient.map(drop), scratch.has_status)
            }
            None => verdict::of(&strict, scratch.has_status),
        },
    };
    (namespace, name, verdict)
}

/// Sends a creation and returns what would be created. It is sent again where the server that answers does not know the new kind: with several API
/// servers, one may not have heard of it.
async fn offer(cluster: &Cluster, create: &ApiRequest) -> Result<Value, ClusterError> {
    let mut backoff = Backoff::new(PAUSE, MAX_PAUSE);
    loop {
        match cluster.call(create).await {
            Err(error) if error.kind == ErrorKind::KindNotFound && backoff.failures() < TRIES => {
                tokio::time::sleep(backoff.pause(fastrand::f64(), None)).await;
            }
            answer => return answer,
        }
    }
}

/// What was found.
#[derive(Debug, Default)]
struct Tally {
    impact: Impact,
    namespaces: BTreeSet<String>,
    untried: usize,
    why: Option<&'static str>,
}

impl Tally {
    fn add(&mut self, namespace: Option<String>, name: String, verdict: Verdict) {
        self.impact.instances += 1;
        self.namespaces.extend(namespace.clone());
        match verdict {
            Verdict::Fits => {}
            Verdict::Changes(fields) => {
                self.impact.changed_count += 1;
                if self.impact.changed.len() < NAMED {
                    self.impact.changed.push(InvalidInstance { namespace, name, fields });
                }
            }
            Verdict::Untried(why) => {
                self.untried += 1;
                self.why = Some(why);
            }
            Verdict::Fails(fields) => {
                self.impact.invalid_count += 1;
                if self.impact.invalid.len() < NAMED {
                    self.impact.invalid.push(InvalidInstance { namespace, name, fields });
                }
            }
        }
    }

    fn into_impact(self) -> Impact {
        let unchecked =
            self.why.map(|why| format!("{} of {} could not be tried: {why}", self.untried, self.impact.instances));
        Impact { accounts: self.namespaces.len(), unchecked, ..self.impact }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn crd(versions: &[(&str, bool, bool)]) -> Value {
        let versions: Vec<Value> = versions
            .iter()
            .map(|(name, served, storage)| json!({ "name": name, "served": served, "storage": storage }))
            .collect();
        json!({ "spec": {
            "group": "eu.a", "names": { "kind": "Db", "plural": "dbs" }, "scope": "Namespaced", "versions": versions,
        } })
    }

    fn chosen(live: &[(&str, bool, bool)], new: &[(&str, bool, bool)]) -> Option<String> {
        readable(&crd(live), &crd(new)).map(|(_, version)| version)
    }

    #[test]
    fn instances_are_tried_in_the_version_that_will_be_stored_if_they_can_be_read_in_it() {
        let (old, both) = ([("v1", true, true)], [("v1", true, false), ("v2", true, true)]);
        assert_eq!(chosen(&both, &both).as_deref(), Some("v2"));
        assert_eq!(chosen(&old, &both).as_deref(), Some("v1"));
        assert_eq!(chosen(&[("v1", false, true), ("v2", true, false)], &both).as_deref(), Some("v2"));
        assert_eq!(chosen(&old, &[("v2", true, true)]), None);
    }
}
