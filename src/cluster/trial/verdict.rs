//! What a server's answer to one instance means, in fields and reasons. Pure.
//!
//! Nothing that a server says of an instance gets out of here but names of fields:
//! its messages quote values.

use std::collections::BTreeSet;

use crate::cluster::error::{Cause, ClusterError, ErrorKind};

/// So many fields of an instance are named.
const FIELDS: usize = 20;
/// No field's path is longer.
const PATH: usize = 200;

/// The field of a fault of the object as a whole.
const WHOLE: &str = "<nil>";

/// What became of an instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is taken whole.
    Fits,
    /// Fields of it are refused or would be lost.
    Fails(Vec<String>),
    /// Something else stood in the way.
    Untried(&'static str),
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
    fn a_missing_status_is_no_fault() {
        assert_eq!(of(&refusal(422, "", &[("FieldValueRequired", "status")]), true), Verdict::Fits);
    }

    #[test]
    fn what_is_no_fault_of_the_instance_is_not_held_against_it() {
        assert!(matches!(of(&refusal(403, "quota: hunter2", &[]), true), Verdict::Untried(_)));
        assert!(matches!(of(&refusal(400, "webhook: hunter2", &[]), true), Verdict::Untried(_)));
    }
}
