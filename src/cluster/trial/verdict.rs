//! What a server's answer to one instance means, in fields and reasons. Pure.
//!
//! Nothing that a server says of an instance gets out of here but names of fields:
//! its messages quote values.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::cluster::error::{Cause, ClusterError, ErrorKind};
use crate::plan::compare::equal;

/// So many fields of an instance are named.
const FIELDS: usize = 20;
/// No field's path is longer.
const PATH: usize = 200;

/// The field of a fault of the object as a whole.
const WHOLE: &str = "<nil>";

/// What became of an instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is taken as it is.
    Fits,
    /// It is taken, and these fields of it would have other values.
    Changes(Vec<String>),
    /// Fields of it are refused or would be lost.
    Fails(Vec<String>),
    /// Something else stood in the way.
    Untried(&'static str),
}

impl Verdict {
    /// The verdict of an instance that was offered, and of what was made of it. A server fills in defaults of new instances
    /// as it does of those that it reads.
    pub(super) fn of_taken(offered: &Value, made: &Value) -> Self {
        let mut found = BTreeSet::new();
        let none = Map::new();
        let (was, is) = (offered.as_object().unwrap_or(&none), made.as_object().unwrap_or(&none));
        // The server writes the first three itself, and a status that was left out on purpose says nothing.
        let is_other = |name: &str| matches!(name, "apiVersion" | "kind" | "metadata");
        let is_left_out = |name: &str| name == "status" && !was.contains_key(name);
        for (name, value) in is.iter().filter(|(name, _)| !is_other(name) && !is_left_out(name)) {
            differences(name, was.get(name), value, &mut found);
        }
        match found.is_empty() {
            true => Self::Fits,
            false => Self::Changes(found.into_iter().take(FIELDS).collect()),
        }
    }
}

/// The fields that a value has besides those that were offered, and those that have another value.
fn differences(at: &str, offered: Option<&Value>, made: &Value, found: &mut BTreeSet<String>) {
    match (offered, made) {
        (None, _) => {
            found.insert(format!("{} (its default)", shown(at)));
        }
        (Some(Value::Object(was)), Value::Object(is)) => {
            for (name, value) in is {
                differences(&format!("{at}.{name}"), was.get(name), value, found);
            }
            for name in was.keys().filter(|name| !is.contains_key(*name)) {
                found.insert(format!("{} (removed)", shown(&format!("{at}.{name}"))));
            }
        }
        (Some(Value::Array(was)), Value::Array(is)) if was.len() == is.len() => {
            was.iter().zip(is).for_each(|(was, is)| differences(&format!("{at}[0]"), Some(was), is, found));
        }
        (Some(was), is) if equal(was, is) => {}
        _ => {
            found.insert(format!("{} (another value)", shown(at)));
        }
    }
}

/// The fields that the schema does not know, from a refusal by strict decoding; `None` where the
/// refusal is another.
pub(super) fn lost(error: &ClusterError) -> Option<Vec<String>> {
    let unknown = error.unknown_fields();
    let fields: BTreeSet<String> =
        unknown.iter().map(|path| format!("{} (unknown: it would be lost)", shown(path))).collect();
    (!fields.is_empty()).then(|| fields.into_iter().take(FIELDS).collect())
}

/// The verdict where fields are unknown, and the same instance was offered without strictness.
pub(super) fn with_lost(lost: Vec<String>, lenient: Result<(), ClusterError>, has_status: bool) -> Verdict {
    let Err(error) = lenient else { return Verdict::Fails(lost) };
    let mut fields: BTreeSet<String> = lost.into_iter().collect();
    if let Verdict::Fails(more) = of(&error, has_status) {
        fields.extend(more);
    }
    Verdict::Fails(fields.into_iter().take(FIELDS).collect())
}

/// The verdict of a refusal. With `has_status` the status was left out on purpose, and that it is
/// missing says nothing.
pub(super) fn of(error: &ClusterError, has_status: bool) -> Verdict {
    match error.kind {
        ErrorKind::Invalid if error.causes().is_empty() => {
            Verdict::Untried("the server refuses it, and names no field")
        }
        ErrorKind::Invalid => {
            let is_status = |c: &Cause| has_status && (c.field == "status" || c.field.starts_with("status."));
            // To other faults the server adds one of the whole object: that it did not get to all of its rules.
            let is_notice = |c: &Cause| c.field == WHOLE && error.causes().iter().any(|c| c.field != WHOLE);
            let counts = |cause: &&Cause| !is_status(cause) && !is_notice(cause);
            let fields: BTreeSet<String> = error
                .causes()
                .iter()
                .filter(counts)
                .map(|cause| format!("{} ({})", shown(&cause.field), word(&cause.reason)))
                .collect();
            match fields.is_empty() {
                true => Verdict::Fits,
                false => Verdict::Fails(fields.into_iter().take(FIELDS).collect()),
            }
        }
        ErrorKind::Forbidden => Verdict::Untried("the server does not allow to create them as a trial"),
        _ if error.is_absent() => Verdict::Untried("their namespace or the trial's CRD has gone"),
        ErrorKind::TimedOut | ErrorKind::Slow => Verdict::Untried("the server did not answer in time"),
        _ => Verdict::Untried("the server could not be asked"),
    }
}

/// A path as it is shown: without positions in lists, so that many items with the same fault are one.
fn shown(path: &str) -> String {
    if path.is_empty() || path == WHOLE {
        return ".".to_owned();
    }
    let mut out = String::new();
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('[') {
        out.push_str(before);
        match after.split_once(']') {
            Some((index, after)) if !index.is_empty() && index.bytes().all(|b| b.is_ascii_digit()) => {
                out.push_str("[]");
                rest = after;
            }
            _ => {
                out.push('[');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out.chars().filter(|c| !c.is_control()).take(PATH).collect()
}

/// A reason of the API in a word.
fn word(reason: &str) -> &'static str {
    match reason {
        "FieldValueRequired" => "required",
        "FieldValueNotSupported" => "not one of the values allowed",
        "FieldValueTypeInvalid" => "of another type",
        "FieldValueTooLong" => "too long",
        "FieldValueTooMany" => "too many",
        "FieldValueDuplicate" => "not unique",
        "FieldValueForbidden" => "forbidden",
        _ => "invalid",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn refusal(code: u16, message: &str, causes: &[(&str, &str)]) -> ClusterError {
        let causes: Vec<_> = causes
            .iter()
            .map(|(reason, field)| json!({ "reason": reason, "field": field, "message": "Invalid value: \"hunter2\"" }))
            .collect();
        let body = json!({ "message": message, "details": { "causes": causes } });
        ClusterError::from_response(code, body.to_string().as_bytes())
    }

    #[test]
    fn unknown_fields_are_named() {
        let message = "Db in version \"v1\" cannot be handled as a Db: strict decoding error: \
                       unknown field \"spec.list[0].x\", unknown field \"spec.list[12].x\", unknown field \"spec.a\"b.c\"";
        assert_eq!(
            lost(&refusal(400, message, &[])),
            Some(vec![
                "spec.a\"b.c (unknown: it would be lost)".to_owned(),
                "spec.list[].x (unknown: it would be lost)".to_owned()
            ])
        );
        assert_eq!(lost(&refusal(422, "spec.x: Invalid value", &[])), None);
    }

    #[test]
    fn a_refusal_is_fields_and_reasons_without_values() {
        let error = refusal(
            422,
            "Db \"a\" is invalid: spec.size: Invalid value: \"hunter2\"",
            &[("FieldValueInvalid", "spec.size"), ("FieldValueRequired", "status.x"), ("FieldValueInvalid", "<nil>")],
        );
        let expected = vec!["spec.size (invalid)".to_owned()];
        assert_eq!(of(&error, true), Verdict::Fails(expected));
        let whole = refusal(422, "", &[("FieldValueInvalid", "<nil>")]);
        assert_eq!(of(&whole, true), Verdict::Fails(vec![". (invalid)".to_owned()]));
        let all = format!("{:?} {:?}", of(&error, false), with_lost(Vec::new(), Err(error), true));
        assert!(!all.contains("hunter2"), "{all}");
    }

    #[test]
    fn what_an_instance_would_read_is_named_without_values() {
        let offered = json!({ "apiVersion": "a/v1", "metadata": { "name": "x" },
            "spec": { "size": 1, "list": [{ "k": "a" }, { "k": "b" }], "old": null } });
        let mut made = offered.clone();
        made["metadata"]["uid"] = json!("u");
        made["apiVersion"] = json!("b/v1");
        made["status"] = json!({ "phase": "New" });
        assert_eq!(Verdict::of_taken(&offered, &made), Verdict::Fits);
        made["spec"]["size"] = json!(1.0);
        assert_eq!(Verdict::of_taken(&offered, &made), Verdict::Fits);
        made["spec"]["password"] = json!("hunter2");
        made["spec"]["old"] = json!("hunter2");
        for item in 0..2 {
            made["spec"]["list"][item]["v"] = json!("hunter2");
        }
        let fields = ["spec.list[].v (its default)", "spec.old (another value)", "spec.password (its default)"];
        assert_eq!(Verdict::of_taken(&offered, &made), Verdict::Changes(fields.map(str::to_owned).to_vec()));
    }

    #[test]
    fn a_missing_status_is_no_fault() {
        assert_eq!(of(&refusal(422, "", &[("FieldValueRequired", "status")]), true), Verdict::Fits);
    }

    #[test]
    fn what_is_no_fault_of_the_instance_is_not_held_against_it() {
        assert!(matches!(of(&refusal(403, "quota: hunter2", &[]), true), Verdict::Untried(_)));
        assert!(matches!(of(&refusal(400, "webhook: hunter2", &[]), true), Verdict::Untried(_)));
    }
}
