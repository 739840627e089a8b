//! Carrier judges CRDs as an API server does: mutated CRDs and values, sound ones and unsound ones, and three verdicts on each.
//!
//! 1. the server's on the source: a creation, as a dry run, with unknown fields ignored, as many tools send it;
//! 2. carrier's: `lock --from`, `check` and `render`;
//! 3. the server's on what carrier rendered: server-side apply, as a dry run, as `apply` does it.
//!
//! Carrier must not accept what the server refuses, nor refuse what it takes (but for reasons of its own, which `judge` lists),
//! every error has a file and a line, nothing panics, and a CRD is locked as the same bytes from a file and from a cluster.
//!
//! `CARRIER_VERDICTS` says how many are tried (300), `CARRIER_SEED` which ones (1). A failure is made smaller and written to
//! `target/tmp/verdicts`.

mod bases;
mod hand;
mod judge;
mod kinds;
mod offers;
mod report;
mod server;
mod shop;
mod trial;
mod values;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use self::judge::Outcome;
use self::report::{Failure, Report};
use self::server::Server;
use self::shop::Shop;
use self::trial::Trial;
use crate::corpus;
use crate::support::{Case, ControlPlanes, TestResult, cases};

/// The tests of this file.
pub(crate) fn cases() -> Vec<Case> {
    let long = |case: Case| case.within(Duration::from_hours(8));
    cases![carrier_judges_as_the_server_does[corpus::is_here]].into_iter().map(long).collect()
}

/// How many trials are under way at once.
const AT_ONCE: usize = 3;
/// A share of the sound ones is really created: one in this many.
const KEPT: u64 = 10;
/// How many failures are made smaller.
const SMALLER: usize = 60;

async fn carrier_judges_as_the_server_does() -> TestResult {
    let (seed, count) = (corpus::number("CARRIER_SEED", 1), corpus::number("CARRIER_VERDICTS", 300));
    let planes = ControlPlanes::builder().priority_and_fairness(false).start(&["management"]).await?;
    let kubeconfig = planes["management"].kubeconfig_path().to_owned();
    let server = Server::new(planes["management"].client(), &kubeconfig).await;
    let bases = Arc::new(bases::bases(&server, seed, count > 2000).await);
    let wanted = std::env::var("CARRIER_KINDS").unwrap_or_default();
    let mut kinds = kinds::all();
    let names: BTreeSet<&str> = kinds.iter().map(|kind| kind.name).collect();
    assert_eq!(names.len(), kinds.len(), "each kind has a name of its own");
    kinds.retain(|kind| wanted.is_empty() || wanted.split(',').any(|part| kind.name.contains(part)));
    let kinds = Arc::new(kinds);
    let (report, next) = (Arc::new(Mutex::new(Report::default())), Arc::new(AtomicU64::new(0)));
    let started = Instant::now();
    let workers = (0..AT_ONCE).map(|_| {
        let (server, bases, kinds, report, next) =
            (server.clone(), bases.clone(), kinds.clone(), report.clone(), next.clone());
        let kubeconfig = kubeconfig.clone();
        async move {
            let shop = Shop::new().expect("a temporary folder");
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= count {
                    return;
                }
                let mut trial = trial::trial(&bases, &kinds, seed, number);
                let mut outcome = trial::run(&server, &shop, &mut trial).await;
                if outcome == Outcome::Sound
                    && trial.valued.is_none()
                    && number.is_multiple_of(KEPT)
                    && let Some(drift) = stored(&server, &kubeconfig, &shop, &trial).await
                {
                    outcome = drift;
                }
                let mut report = report.lock().unwrap_or_else(PoisonError::into_inner);
                report.add(&trial, &outcome);
                if report.tried.is_multiple_of(500) {
                    eprintln!(
                        "… {} in {:.0} s, {} sorts of failure",
                        report.tried,
                        started.elapsed().as_secs_f64(),
                        report.failures.len()
                    );
                }
            }
        }
    });
    let workers: Vec<_> = workers.map(tokio::spawn).collect();
    for worker in workers {
        worker.await?;
    }
    let mut report = std::mem::take(&mut *report.lock().unwrap_or_else(PoisonError::into_inner));
    eprintln!("{}", report.table());
    eprintln!(
        "{count} trials (seed {seed}, {} bases, {} kinds) in {:.0} s",
        bases.len(),
        kinds.len(),
        started.elapsed().as_secs_f64()
    );
    let mut failures: Vec<Failure> = std::mem::take(&mut report.failures).into_values().collect();
    failures.sort_by_key(|failure| std::cmp::Reverse(failure.count));
    report::write_all(seed, &failures)?;
    let shop = Shop::new()?;
    for failure in failures.iter_mut().take(SMALLER) {
        failure.trial = trial::smallest(&server, &shop, &failure.trial, &failure.outcome).await;
        failure.outcome = trial::run(&server, &shop, &mut failure.trial.clone()).await;
        report::write(seed, &failure.trial, &failure.outcome)?;
    }
    let failures: Vec<String> = failures.iter().map(|failure| report::describe(seed, failure)).collect();
    drop(planes);
    let folder = report::folder();
    assert!(
        failures.is_empty(),
        "{} sorts of failure, written to {}:\n{}",
        failures.len(),
        folder.display(),
        failures.join("\n")
    );
    Ok(())
}

/// Creates a CRD under a name of its own, and holds what is locked of the cluster against what is locked of the file.
async fn stored(server: &Server, kubeconfig: &Path, shop: &Shop, trial: &Trial) -> Option<Outcome> {
    let mut crd = trial.crd.clone();
    let group = format!("n{}.stored.example.com", trial.number);
    let name = format!("{}.{group}", crd.pointer("/spec/names/plural").and_then(Value::as_str)?);
    crd["spec"]["group"] = json!(group);
    crd["metadata"]["name"] = json!(name);
    let judged = shop.judge(&crd, &trial.offer).await;
    // Names that are too long for this, and groups that need an approval.
    server::keep(server, &crd).await.ok()?;
    let read = server::get(server, &name).await;
    let locked = shop.lock_cluster(kubeconfig, &name).await;
    server::delete(server, &name).await;
    let same = locked.as_ref().is_ok_and(|locked| judged.locked.as_ref() == Some(locked));
    let other = || {
        Outcome::Drift(format!("lock from the cluster: {}", locked.err().unwrap_or_else(|| "other bytes".to_owned())))
    };
    judge::drift(&judged, &read.ok()?).or_else(|| (!same).then(other))
}
