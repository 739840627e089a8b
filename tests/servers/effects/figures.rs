//! What was tried and what came of it, counted by keyword and change.

use std::collections::BTreeMap;
use std::time::Duration;

use carrier::planning::Effect;
use serde_json::json;

use super::batch::{Harm, Outcome};
use super::pairs::Pair;

#[derive(Default)]
pub(super) struct Figures {
    rows: BTreeMap<String, Row>,
    wrong: Vec<String>,
    /// Changes that did no harm and are not called safe, by name.
    careful: BTreeMap<String, (usize, String)>,
    refused: BTreeMap<String, (usize, String)>,
}

#[derive(Default, Clone, Copy)]
struct Row {
    pairs: usize,
    refused: usize,
    empty: usize,
    instances: usize,
    safe: usize,
    reads: usize,
    invalid: usize,
    ratcheted: usize,
    applies: usize,
    false_safe: usize,
    harmless: usize,
}

impl Figures {
    pub(super) fn add(&mut self, pair: &Pair, verdict: Effect, outcome: &Outcome) {
        let row = self.rows.entry(pair.name.clone()).or_default();
        row.pairs += 1;
        if let Some(why) = &outcome.refused {
            row.refused += 1;
            self.refused.entry(pair.name.clone()).or_insert((0, why.clone())).0 += 1;
            return;
        }
        row.empty += usize::from(outcome.instances == 0);
        row.instances += outcome.instances;
        row.safe += usize::from(verdict == Effect::Safe);
        row.ratcheted += outcome.ratcheted;
        let count = |harm: Harm| outcome.harms.get(&harm).map_or(0, |(count, _)| *count);
        row.reads += count(Harm::Reads);
        row.invalid += count(Harm::Invalid);
        row.applies += count(Harm::Applies);
        match (verdict == Effect::Safe, super::hurts(outcome)) {
            (true, true) => {
                row.false_safe += 1;
                let examples: Vec<String> =
                    outcome.harms.iter().map(|(harm, (_, text))| format!("{harm:?}: {text:.300}")).collect();
                let (earlier, old, new) = (&pair.earlier, &pair.old, &pair.new);
                let earlier = if earlier == old { String::new() } else { format!("\n    earlier {earlier}") };
                self.wrong.push(format!(
                    "{} {:?}\n    {}{earlier}\n    old     {old}\n    new     {new}",
                    pair.name,
                    pair.depth,
                    examples.join("\n    ")
                ));
            }
            (false, false) if outcome.instances > 0 => {
                row.harmless += 1;
                let example = json!({ "old": pair.old, "new": pair.new }).to_string();
                self.careful.entry(pair.name.clone()).or_insert((0, example)).0 += 1;
            }
            _ => {}
        }
    }

    /// The changes that are called safe, and are not.
    pub(super) fn false_safe(&self) -> Vec<String> {
        self.wrong.clone()
    }

    pub(super) fn print(&self, seed: u64, took: Duration) {
        let head = [
            "change",
            "pairs",
            "refused",
            "empty",
            "instances",
            "called safe",
            "read",
            "invalid",
            "ratcheted",
            "apply",
            "FALSE SAFE",
            "harmless",
        ];
        eprintln!("| {} |", head.join(" | "));
        let line = |name: &str, row: &Row| {
            let cells = [
                row.pairs,
                row.refused,
                row.empty,
                row.instances,
                row.safe,
                row.reads,
                row.invalid,
                row.ratcheted,
                row.applies,
                row.false_safe,
                row.harmless,
            ];
            let cells: Vec<String> = cells.iter().map(ToString::to_string).collect();
            eprintln!("| {name} | {} |", cells.join(" | "));
        };
        let mut all = Row::default();
        for (name, row) in &self.rows {
            line(name, row);
            for (sum, add) in [
                (&mut all.pairs, row.pairs),
                (&mut all.refused, row.refused),
                (&mut all.empty, row.empty),
                (&mut all.instances, row.instances),
                (&mut all.safe, row.safe),
                (&mut all.reads, row.reads),
                (&mut all.invalid, row.invalid),
                (&mut all.ratcheted, row.ratcheted),
                (&mut all.applies, row.applies),
                (&mut all.false_safe, row.false_safe),
                (&mut all.harmless, row.harmless),
            ] {
                *sum += add;
            }
        }
        line("all", &all);
        for (what, list) in [("harmless, and not called safe", &self.careful), ("refused by the server", &self.refused)]
        {
            for (name, (count, example)) in list {
                eprintln!("{what}: {name} ({count}): {example:.400}");
            }
        }
        eprintln!("seed {seed}, {:.0} s", took.as_secs_f64());
    }
}
