//! The effects of schema changes that `plan` says, against an API server with stored
//! instances: never *safe* where an instance reads another value, or where all of it
//! could not be created or applied again.
//!
//! `CARRIER_EFFECTS` says how many pairs of schemas are tried (400), `CARRIER_SEED` which
//! ones (1). The first are those of the catalogue as plain fields, then come the catalogue
//! at other depths and random pairs by turns. The figures are printed as a table.

mod batch;
mod catalogue;
mod catalogue_of_objects;
mod catalogue_of_values;
mod figures;
mod pairs;
mod versions;
mod wire;

use std::time::{Duration, Instant};

use carrier::planning::{Effect, crd_reasons};
use futures::StreamExt as _;

use self::batch::{Outcome, Stage};
use self::figures::Figures;
use self::pairs::Pair;
use crate::corpus;
use crate::support::{Case, ControlPlanes, TestResult, cases};

pub(crate) fn cases() -> Vec<Case> {
    let long = |case: Case| case.within(Duration::from_hours(4));
    cases![a_change_that_plan_calls_safe_leaves_every_instance_as_it_is].into_iter().map(long).collect()
}

/// How many pairs share a CRD.
const IN_ONE: usize = 40;
/// How many CRDs are tried at once.
const AT_ONCE: usize = 4;

async fn a_change_that_plan_calls_safe_leaves_every_instance_as_it_is() -> TestResult {
    let (seed, count) = (corpus::number("CARRIER_SEED", 1), corpus::number("CARRIER_EFFECTS", 400));
    let planes = ControlPlanes::builder().priority_and_fairness(false).start(&["management"]).await?;
    let client = planes["management"].client();
    let started = Instant::now();
    let pairs = chosen(seed, usize::try_from(count)?);
    let batches: Vec<(usize, &[Pair])> = pairs.chunks(IN_ONE).enumerate().collect();
    let tried = batches.into_iter().map(|(number, batch)| {
        let client = client.clone();
        async move { (number, batch, batch::try_all(&client, number, batch).await) }
    });
    let tried: Vec<_> = tried.collect();
    let tried: Vec<_> = futures::stream::iter(tried).buffered(AT_ONCE).collect().await;
    let mut figures = Figures::default();
    for (number, batch, outcomes) in tried {
        for (index, (pair, outcome)) in batch.iter().zip(&outcomes).enumerate() {
            figures.add(pair, verdict(number, index, pair), outcome);
        }
    }
    let of_versions = versions::try_all(&client).await;
    figures.print(seed, started.elapsed());
    let mut wrong = figures.false_safe();
    wrong.extend(of_versions);
    drop(planes);
    assert!(wrong.is_empty(), "{} changes are not safe:\n{}", wrong.len(), wrong.join("\n"));
    Ok(())
}

/// The pairs to try, those with a schema from before the old one last, so that they share CRDs.
fn chosen(seed: u64, count: usize) -> Vec<Pair> {
    let mut catalogue = pairs::of_catalogue(seed).into_iter();
    let mut found: Vec<Pair> = catalogue.by_ref().take_while(|pair| pair.depth == Some(pairs::Depth::Field)).collect();
    let mut number = 0;
    while found.len() < count {
        found.extend(catalogue.next());
        found.push(pairs::random(seed, number));
        number += 1;
    }
    found.truncate(count);
    found.sort_by_key(|pair| pair.earlier != pair.old);
    found
}

/// What `plan` says of a pair.
fn verdict(number: usize, index: usize, pair: &Pair) -> Effect {
    let [old, new] = [Stage::Old, Stage::New].map(|stage| batch::crd(number, &[(index, pair)], stage));
    let here = format!(".spec.p{index}");
    let about = |path: &str| path == here || path.strip_prefix(&here).is_some_and(|rest| rest.starts_with(['.', '[']));
    let reasons = crd_reasons(&old, &new);
    reasons.iter().filter(|reason| about(&reason.path)).map(|reason| reason.effect).max().unwrap_or(Effect::Safe)
}

/// Whether a change did something to an instance.
fn hurts(outcome: &Outcome) -> bool {
    !outcome.harms.is_empty()
}
