//! The table at the end of a run, and the failures in a folder.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::hand::text;
use super::judge::Outcome;
use super::trial::Trial;

/// What came of the trials of a kind.
#[derive(Default)]
struct Row {
    sound: usize,
    refused: usize,
    own: usize,
    said: usize,
    fine: usize,
    refusal: usize,
    drift: usize,
    bug: usize,
}

/// A sort of failure, with one example and how often which kinds showed it.
pub(super) struct Failure {
    pub trial: Trial,
    pub outcome: Outcome,
    pub count: usize,
    pub kinds: BTreeMap<String, usize>,
}

/// The figures of a run.
#[derive(Default)]
pub(super) struct Report {
    rows: BTreeMap<String, Row>,
    own: BTreeMap<String, usize>,
    pub failures: BTreeMap<String, Failure>,
    pub tried: usize,
}

impl Report {
    pub(super) fn add(&mut self, trial: &Trial, outcome: &Outcome) {
        self.tried += 1;
        let row = self.rows.entry(trial.kind.split(" + ").next().unwrap_or_default().to_owned()).or_default();
        match outcome {
            Outcome::Sound => row.sound += 1,
            Outcome::Refused => row.refused += 1,
            Outcome::Own(_) => row.own += 1,
            Outcome::Said(_) => row.said += 1,
            Outcome::FalseFine(..) => row.fine += 1,
            Outcome::FalseRefusal(_) => row.refusal += 1,
            Outcome::Drift(_) => row.drift += 1,
            Outcome::Bug(_) => row.bug += 1,
        }
        if let Outcome::Own(code) | Outcome::Said(code) = outcome {
            *self.own.entry(code.clone()).or_default() += 1;
        }
        if outcome.is_wrong() {
            let kind = trial.kind.clone();
            let failure = self.failures.entry(outcome.signature()).or_insert_with(|| Failure {
                trial: trial.clone(),
                outcome: outcome.clone(),
                count: 0,
                kinds: BTreeMap::new(),
            });
            // The shortest CRD shows it best.
            if text(&trial.crd).len() < text(&failure.trial.crd).len() {
                (failure.trial, failure.outcome) = (trial.clone(), outcome.clone());
            }
            failure.count += 1;
            *failure.kinds.entry(kind).or_default() += 1;
        }
    }

    /// The rows with a disagreement, and the sums of all.
    pub(super) fn table(&self) -> String {
        let mut table = format!(
            "{:44}{:>7}{:>8}{:>6}{:>6}{:>12}{:>15}{:>7}{:>5}\n",
            "kind", "sound", "refused", "own", "said", "false fine", "false refusal", "drift", "bug"
        );
        let mut sum = Row::default();
        for (kind, row) in &self.rows {
            line(&mut table, kind, row);
            sum.sound += row.sound;
            sum.refused += row.refused;
            sum.own += row.own;
            sum.said += row.said;
            sum.fine += row.fine;
            sum.refusal += row.refusal;
            sum.drift += row.drift;
            sum.bug += row.bug;
        }
        line(&mut table, "all", &sum);
        let own: Vec<String> = self.own.iter().map(|(code, count)| format!("{code} {count}")).collect();
        let _ = writeln!(table, "reasons of carrier's own: {}", own.join(", "));
        table
    }
}

fn line(table: &mut String, kind: &str, row: &Row) {
    let Row { sound, refused, own, said, fine, refusal, drift, bug } = row;
    let _ =
        writeln!(table, "{kind:44}{sound:>7}{refused:>8}{own:>6}{said:>6}{fine:>12}{refusal:>15}{drift:>7}{bug:>5}");
}

/// The folder of the failures.
pub(super) fn folder() -> PathBuf {
    Path::new(option_env!("CARGO_TARGET_TMPDIR").unwrap_or("target/tmp")).join("verdicts")
}

/// Writes all failures before any is made smaller, which may take long.
pub(super) fn write_all(seed: u64, failures: &[Failure]) -> std::io::Result<()> {
    fs::create_dir_all(folder())?;
    let all: Vec<String> = failures.iter().map(|failure| describe(seed, failure)).collect();
    fs::write(folder().join("all.txt"), all.join("\n"))
}

/// Writes a failure: the CRD, and beside it what is offered and what is wrong.
pub(super) fn write(seed: u64, trial: &Trial, outcome: &Outcome) -> std::io::Result<PathBuf> {
    let folder = folder();
    fs::create_dir_all(&folder)?;
    let name: String = trial.kind.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let file = folder.join(format!("{name}-{seed}-{}.json", trial.number));
    fs::write(&file, text(&trial.crd))?;
    let offer = json!({"versions": trial.offer.versions, "fields": trial.offer.fields, "defaults": trial.offer.defaults, "presets": trial.offer.presets});
    fs::write(
        file.with_extension("txt"),
        format!("{outcome:?}\nseed {seed}, number {}, base {}\n{}\n", trial.number, trial.base, text(&offer)),
    )?;
    Ok(file)
}

/// A failure in a few lines.
pub(super) fn describe(seed: u64, failure: &Failure) -> String {
    let Failure { trial, outcome, count, kinds } = failure;
    let one_line = |text: &str, most: usize| {
        text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(most).collect::<String>()
    };
    let (offer, base, number) = (&trial.offer, &trial.base, trial.number);
    let mut offered = format!("{} {}", offer.versions.join(" "), offer.fields.join(" "));
    for (what, list) in [("default", &offer.defaults), ("preset", &offer.presets)] {
        for (path, value) in list {
            let _ = write!(offered, " {what} {path}={}", text(value));
        }
    }
    let mut most: Vec<(&String, &usize)> = kinds.iter().collect();
    most.sort_by_key(|(name, count)| (std::cmp::Reverse(**count), *name));
    let kinds: Vec<String> = most.iter().take(8).map(|(name, count)| format!("{name} {count}")).collect();
    format!(
        "{count}x {}\n    kinds: {}\n    {}\n    change: {}\n    seed {seed}, number {number}, base {base}, offer {}\n    {}",
        outcome.signature(),
        kinds.join(", "),
        one_line(&format!("{outcome:?}"), 500),
        one_line(&trial.change, 700),
        one_line(&offered, 400),
        one_line(&text(&trial.crd), 1500)
    )
}
