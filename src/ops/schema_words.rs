//! What a change of a CRD means to instances and to those who write them, beside what the lock says of its fields: the lock
//! compares their names and types, and a plan knows every keyword.

use std::collections::HashSet;

use serde_json::Value;

use crate::compile::Discovered;
use crate::compile::locking::difference::difference;
use crate::compile::locking::{LockPlan, ONLY_DETAILS};
use crate::plan::crd::reasons;
use crate::plan::types::{Effect, Reason};

/// Adds to the changed CRDs of a lock what their schemas no longer accept, newly require, or fill in.
pub(crate) fn explain(plan: &mut LockPlan, before: &Discovered) {
    let LockPlan { clusters, after, .. } = plan;
    for (id, changes) in clusters {
        for (name, change) in &mut changes.crds {
            if let (Some(old), Some(new)) = (before.crd(id, name), after.discovered.crd(id, name))
                && !change.lines.is_empty()
                && old.body != new.body
            {
                add(&mut change.lines, &old.body, &new.body);
            }
        }
    }
}

/// How two forms of a CRD differ, one line each: its fields, and what its schema no longer accepts, newly requires, or
/// fills in.
#[must_use]
pub(crate) fn lines(old: &Value, new: &Value) -> Vec<String> {
    let mut lines = difference(old, new);
    add(&mut lines, old, new);
    lines
}

fn add(lines: &mut Vec<String>, old: &Value, new: &Value) {
    let only_details = lines.first().is_some_and(|line| line == ONLY_DETAILS);
    let said = Said::of(lines);
    let reasons = reasons(old, new).into_iter().filter(|reason| match reason.path.is_empty() {
        // What is not about a field has a line already, if there are lines.
        true => only_details && reason.effect > Effect::Safe,
        false => only_details || !said.has(reason),
    });
    let words: Vec<String> = reasons.map(|reason| format!("~ {}", reason.text)).collect();
    if words.is_empty() {
        return;
    }
    match only_details {
        // What follows is the difference of the texts, which shows the rest.
        true => drop(lines.splice(..1, words)),
        false => lines.extend(words),
    }
}

/// What the lines say of fields: that one is there or gone, has another type, or must be set. Other keywords of the same field
/// have no line.
struct Said<'a> {
    /// Versions and paths of fields that are new or gone.
    fields: HashSet<&'a str>,
    /// Those of fields that have another type.
    types: HashSet<&'a str>,
    /// Whole sentences.
    texts: HashSet<&'a str>,
}

impl<'a> Said<'a> {
    fn of(lines: &'a [String]) -> Self {
        let mut said = Self { fields: HashSet::new(), types: HashSet::new(), texts: HashSet::new() };
        for line in lines {
            match line.split_once(' ') {
                Some(("+" | "-", rest)) => said.fields.extend(rest.split_once(" (").map(|(field, _)| field)),
                Some(("~", rest)) => {
                    said.types.extend(rest.split_once(": ").map(|(field, _)| field));
                    said.texts.insert(rest);
                }
                _ => {}
            }
        }
        said
    }

    fn has(&self, reason: &Reason) -> bool {
        // Of a version that is stored and not served, the lines say no more than its name.
        let text = reason.text.replacen(" (stored)", "", 1);
        let Some((version, _)) = text.split_once(' ') else { return false };
        let field = format!("{version} {}", reason.path);
        let is_type = text.contains(" changes type from ") || text.contains(" accepts only ");
        self.fields.contains(field.as_str())
            || self.texts.contains(text.as_str())
            || is_type && self.types.contains(field.as_str())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn crd(spec: &Value) -> Value {
        json!({"spec": {"scope": "Namespaced", "versions": [{"name": "v1", "served": true, "storage": true, "schema": {
            "openAPIV3Schema": {"type": "object", "properties": {"spec": {"type": "object", "properties": spec}}},
        }}]}})
    }

    fn after(mut lines: Vec<&str>, old: &Value, new: &Value) -> Vec<String> {
        let mut lines: Vec<String> = lines.drain(..).map(str::to_owned).collect();
        add(&mut lines, &crd(old), &crd(new));
        lines
    }

    #[test]
    fn a_narrowed_enum_is_no_detail() {
        let mode = |values: &[&str]| json!({"mode": {"type": "string", "enum": values}});
        let said = after(vec![ONLY_DETAILS, "@@ -1 +1 @@"], &mode(&["a", "b"]), &mode(&["a"]));
        assert!(said[0].starts_with("~ v1 .spec.mode ") && said[0].contains('b'), "{said:?}");
        assert_eq!(said[1..], ["@@ -1 +1 @@"]);
        let described = |text: &str| json!({"mode": {"type": "string", "description": text}});
        assert_eq!(after(vec![ONLY_DETAILS], &described("x"), &described("y")), [ONLY_DETAILS]);
    }

    /// What the lock says of a changed CRD, and what a plan says of one that has drifted, are the same.
    #[test]
    fn drift_is_told_in_the_same_words() {
        let (old, new) = (json!({"size": {"type": "integer"}}), json!({"size": {"type": "integer", "maximum": 9}}));
        let said = lines(&crd(&old), &crd(&new));
        assert!(said[0].starts_with("~ v1 .spec.size ") && said[0].contains('9'), "{said:?}");
        assert!(!said.iter().any(|line| line == ONLY_DETAILS), "{said:?}");
    }

    /// A field that becomes required, and a bound that it gets with it, are two changes.
    #[test]
    fn a_bound_is_said_beside_another_change_of_its_field() {
        let size = |keywords: Value, required: &[&str]| {
            let mut crd = crd(&json!({"size": keywords}));
            crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["required"] = json!(required);
            crd
        };
        let (free, bound) = (json!({"type": "integer"}), json!({"type": "integer", "maximum": 9}));
        assert_eq!(
            lines(&size(free.clone(), &[]), &size(bound.clone(), &["size"])),
            ["~ v1 .spec.size becomes required", "~ v1 .spec.size has a new maximum: 9"]
        );
        assert_eq!(
            lines(&size(bound, &["size"]), &size(free.clone(), &[])),
            ["~ v1 .spec.size is no longer required", "~ v1 .spec.size no longer has a maximum"]
        );
        let number = json!({"type": "number", "maximum": 9});
        assert_eq!(
            lines(&size(free, &[]), &size(number, &[])),
            ["~ v1 .spec.size: integer -> number", "~ v1 .spec.size has a new maximum: 9"]
        );
    }

    #[test]
    fn what_has_a_line_gets_no_other() {
        let old = json!({"mode": {"type": "string", "enum": ["a", "b"]}, "gone": {"type": "string"}});
        let new = json!({"mode": {"type": "string", "enum": ["a"]}});
        let said = after(vec!["- v1 .spec.gone (string)"], &old, &new);
        assert_eq!(said.len(), 2, "{said:?}");
        assert!(said[1].starts_with("~ v1 .spec.mode "), "{said:?}");
    }
}
