//! Values, patterns and formats, with the verdicts of Kubernetes v1.37 in `testdata/values`.
//!
//! carrier may say that it cannot judge; it may not say otherwise than the server. How often it cannot is bounded, so
//! that nobody judges less unnoticed.

use std::fs;

use carrier::derivation::values::formats::Verdict;
use carrier::derivation::values::{self, Judgement, Pattern, PatternError, formats};
use serde_json::Value;

use crate::common::package;
use crate::harness::Case;

/// The tests of this file.
pub(crate) fn cases() -> Vec<Case> {
    cases![
        values_are_judged_as_the_server_judges_them,
        patterns_are_read_as_go_reads_them,
        formats_are_judged_as_the_server_judges_them,
    ]
}

/// `Some(true)` for a value that is taken, `None` where carrier does not know.
fn verdict(judgement: &Judgement) -> Option<bool> {
    match (judgement.violations.is_empty(), judgement.unjudged.is_empty()) {
        (false, _) => Some(false),
        (true, true) => Some(true),
        (true, false) => None,
    }
}

fn values_are_judged_as_the_server_judges_them() {
    agree("values.jsonl", 5, |line| {
        let [as_default, in_instances, schema, value] = line else { panic!("four things: {line:?}") };
        vec![
            (as_default.as_bool(), verdict(&values::default(schema, value))),
            (in_instances.as_bool(), verdict(&values::instance(schema, value))),
        ]
    });
}

fn patterns_are_read_as_go_reads_them() {
    agree("patterns.jsonl", 60, |line| {
        let [found, pattern, text] = line else { panic!("three things: {line:?}") };
        let compiled = Pattern::compile(pattern.as_str().unwrap());
        if matches!(compiled, Err(PatternError::Unjudged(_))) {
            return vec![(found.as_bool(), None)];
        }
        let ours = compiled.map(|pattern| pattern.matches(text.as_str().unwrap())).ok();
        // Not to compile is a verdict as well.
        vec![(Some(true), Some(found.as_bool() == ours))]
    });
}

fn formats_are_judged_as_the_server_judges_them() {
    agree("formats.jsonl", 10, |line| {
        let [fits, format, text] = line else { panic!("three things: {line:?}") };
        let ours = match formats::judge(format.as_str().unwrap(), text.as_str().unwrap()) {
            Verdict::Fits => Some(true),
            Verdict::Refused => Some(false),
            Verdict::Unjudged => None,
        };
        vec![(fits.as_bool(), ours)]
    });
}

/// Compares the server's verdicts with carrier's, line by line; at most `unknown` may be missing.
fn agree(file: &str, unknown: usize, verdicts: impl Fn(&[Value]) -> Vec<(Option<bool>, Option<bool>)>) {
    let text = fs::read_to_string(package("testdata/values").join(file)).unwrap();
    let mut wrong = Vec::new();
    let mut missing = 0;
    for line in text.lines() {
        let parts: Vec<Value> = serde_json::from_str(line).unwrap();
        for (theirs, ours) in verdicts(&parts) {
            match ours {
                None => missing += 1,
                ours if ours != theirs => wrong.push(line),
                _ => {}
            }
        }
    }
    assert!(text.lines().count() > 500, "{file} has its lines");
    assert!(wrong.is_empty(), "{file}: carrier says otherwise than the server:\n{}", wrong.join("\n"));
    assert!(missing <= unknown, "{file}: {missing} verdicts are missing, {unknown} may be");
}
