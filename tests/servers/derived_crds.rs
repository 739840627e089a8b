//! Real API servers accept what is derived from real CRDs (`DESIGN.md` §4 law 1).
//!
//! Each CRD is created as a dry run, so that everything is validated, CEL and its cost included, and nothing is kept.
//!
//! `CARRIER_EXPOSURES` says how many random exposures are tried (300), `CARRIER_SEED` which ones (1),
//! `CARRIER_CRDS` of which CRDs (all). A failure prints the smallest exposure that shows it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use carrier::derivation::internal;
use carrier::names::ClusterId;
use futures::StreamExt;
use kube::Client;
use serde_json::Value;
use std::sync::LazyLock;

use crate::corpus::exposures::{self, Case as Exposed};
use crate::corpus::{self, Crd};
use crate::support::{Case, ControlPlanes, TestResult, cases};

/// The tests of this file.
pub(crate) fn cases() -> Vec<Case> {
    let long = |case: Case| case.within(Duration::from_hours(4));
    cases![every_small_crd_is_accepted, every_real_crd_is_accepted[corpus::is_here]].into_iter().map(long).collect()
}

/// How many requests are under way at once.
pub(crate) const AT_ONCE: usize = 4;

/// What a server says against a request.
#[derive(Debug, Clone)]
pub(crate) struct Refusal {
    /// All of it.
    pub message: String,
    /// Each single fault: the field and what is wrong with it.
    pub causes: Vec<(String, String)>,
}

/// Sends a request; the object that comes back, or what the server says against it.
pub(crate) async fn send(client: &Client, method: &str, path: &str, object: &Value) -> Result<Value, Refusal> {
    let other = |message: String| Refusal { causes: vec![(String::new(), message.clone())], message };
    let body = if object.is_null() { Vec::new() } else { object.to_string().into_bytes() };
    let request = http::Request::builder().method(method).uri(path).header("content-type", "application/json");
    let request = request.body(body).map_err(|e| other(e.to_string()))?;
    match client.request::<Value>(request).await {
        Ok(answer) => Ok(answer),
        Err(kube::Error::Api(status)) => {
            let details = status.details.as_ref().map(|d| d.causes.as_slice()).unwrap_or_default();
            // The text of a cause lacks its kind, which the message has.
            let causes = details.iter().map(|c| (c.field.clone(), format!("{}: {}", c.reason, c.message)));
            let mut causes: Vec<_> = causes.collect();
            if causes.is_empty() {
                causes.push((String::new(), status.message.clone()));
            }
            Err(Refusal { message: status.message.clone(), causes })
        }
        Err(error) => Err(other(error.to_string())),
    }
}

pub(crate) const CRDS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

async fn try_out(client: &Client, crd: &Value) -> Result<(), String> {
    // A dry run keeps no names, so one group serves for all.
    send(client, "POST", &format!("{CRDS}?dryRun=All"), crd).await.map(drop).map_err(|r| r.message)
}

/// What a refusal is about, without its places and names.
fn cause(message: &str) -> String {
    let causes = [
        "exceeds budget",
        "undefined field",
        "no such key",
        "must not have unknown fields",
        "Required value",
        "compilation failed",
        "Forbidden",
        "Unsupported value",
        "must be",
    ];
    causes.iter().find(|c| message.contains(**c)).map_or_else(|| "other".to_owned(), |c| (*c).to_owned())
}

async fn every_small_crd_is_accepted() -> TestResult {
    every_crd_is_accepted(corpus::small()).await
}

async fn every_real_crd_is_accepted() -> TestResult {
    every_crd_is_accepted(corpus::crds()).await
}

async fn every_crd_is_accepted(crds: Vec<Crd>) -> TestResult {
    let crds: &'static [Crd] = crds.leak();
    let planes = ControlPlanes::builder().priority_and_fairness(false).start(&["management"]).await?;
    let client = planes["management"].client();
    let started = Instant::now();
    let mut refused: Vec<String> = Vec::new();

    // The copies of all served versions.
    let refusal = try_out(&client, &broken(&crds[0])).await;
    assert!(refusal.is_err_and(|m| m.contains("undefined field")), "a dry run validates");
    let copies: Vec<(String, Value)> = crds.iter().flat_map(copies).collect();
    let total = copies.len();
    let answers = futures::stream::iter(copies)
        .map(|(what, crd)| {
            let client = client.clone();
            async move { try_out(&client, &crd).await.map_err(|message| format!("{what}: {message}")) }
        })
        .buffer_unordered(AT_ONCE);
    refused.extend(answers.filter_map(|a| async { a.err() }).collect::<Vec<_>>().await);
    eprintln!("internal: {total} CRDs, {} refused, {:.0} s", refused.len(), started.elapsed().as_secs_f64());

    let (seed, count) = (corpus::number("CARRIER_SEED", 1), corpus::number("CARRIER_EXPOSURES", 300));
    let whole = exposures::whole(crds);
    let (whole_total, started) = (whole.len(), Instant::now());
    let chosen: Vec<_> = whole.into_iter().map(Ok).chain((0..count).map(Err)).collect();
    let mut causes: BTreeMap<String, usize> = BTreeMap::new();
    let mut tried = 0;
    let planes = Arc::new(planes);
    let mut answers = futures::stream::iter(chosen)
        .map(|case| {
            let client = client.clone();
            async move {
                let made = tokio::task::spawn_blocking(move || {
                    let case: Exposed<'static> = match case {
                        Ok(case) => case,
                        Err(n) => exposures::random(crds, seed, n),
                    };
                    let crd = case.derive(&CLUSTER).0.map(|d| d.crd);
                    (case, crd)
                });
                let (case, crd) = made.await.expect("deriving does not panic");
                match crd {
                    None => (case, Err("nothing was derived".to_owned())),
                    Some(crd) => (case, try_out(&client, &crd).await),
                }
            }
        })
        .buffer_unordered(AT_ONCE);
    let mut failures = Vec::new();
    while let Some((case, answer)) = answers.next().await {
        tried += 1;
        if tried % 500 == 0 {
            eprintln!("… {tried} in {:.0} s, {} refused", started.elapsed().as_secs_f64(), failures.len());
        }
        if let Err(message) = answer {
            *causes.entry(cause(&message)).or_default() += 1;
            failures.push((case, message));
        }
    }
    drop(answers);
    eprintln!(
        "derived: {whole_total} whole and {count} random exposures (seed {seed}), {} refused, {:.0} s; causes: {causes:?}",
        failures.len(),
        started.elapsed().as_secs_f64()
    );
    for (case, message) in failures.iter().take(20) {
        let small = smallest(&client, case.clone(), &cause(message)).await;
        let message = match small.derive(&CLUSTER).0 {
            Some(derived) => try_out(&client, &derived.crd).await.err().unwrap_or_default(),
            None => message.clone(),
        };
        let text = format!("{}\n    {}", small.describe(), message.chars().take(900).collect::<String>());
        if !refused.contains(&text) {
            refused.push(text);
        }
    }
    drop(planes);
    assert!(refused.is_empty() && failures.is_empty(), "{} refused:\n{}", failures.len(), refused.join("\n"));
    Ok(())
}

static CLUSTER: LazyLock<ClusterId> = LazyLock::new(|| ClusterId::new("team-a", "eu-west-1"));

/// A CRD that must be refused, so that acceptance means something.
fn broken(crd: &Crd) -> Value {
    let mut copy = copies(crd).remove(0).1;
    let rule = serde_json::json!([{"rule": "has(self.notThere)"}]);
    copy["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["x-kubernetes-validations"] = rule;
    copy
}

fn copies(crd: &Crd) -> Vec<(String, Value)> {
    let served = crd.source.versions.iter().filter(|v| v.served);
    served.map(|v| (format!("{} {}", crd.stem, v.name), internal(&crd.source, &CLUSTER, v))).collect()
}

/// Leaves out paths while the server still refuses for the same cause.
async fn smallest<'c>(client: &Client, mut case: Exposed<'c>, wanted: &str) -> Exposed<'c> {
    let mut at = 0;
    while at < case.paths.len() && case.paths.len() > 1 {
        let mut smaller = case.clone();
        smaller.paths.remove(at);
        let answer = match smaller.derive(&CLUSTER).0 {
            Some(derived) => try_out(client, &derived.crd).await,
            None => Ok(()),
        };
        if answer.is_err_and(|m| cause(&m) == wanted) { case = smaller } else { at += 1 }
    }
    case
}
