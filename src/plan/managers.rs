//! Updates in which no value changes: why they are in a plan all the same.
//!
//! Server-side apply records who has applied a field. An object that kubectl has applied with the values of the repository is
//! written once, so that carrier manages its fields: without that, carrier could not remove one of them later.

use super::live::LiveObject;
use super::types::{Change, Effect, Reason};

/// The reason of an update of which nothing else is said; `None` if the plan shows what changes. `is_tried` is whether the
/// server has said what the object would be.
#[must_use]
pub(crate) fn reason(change: &Change, live: &LiveObject, is_tried: bool) -> Option<Reason> {
    let says = !change.reasons.is_empty()
        || !change.fields.is_empty()
        || !change.conflicts.is_empty()
        || !change.takes_over.is_empty()
        || change.refused.is_some();
    if says {
        return None;
    }
    let text = match is_tried {
        true if live.managers().any(|manager| manager.is_carrier()) => {
            "no value changes, only which of its fields carrier manages"
        }
        true => "no value changes; carrier becomes a manager of the fields that the repository sets",
        false => {
            "no value that the repository sets differs; whether the API server would change another one, or only who manages the fields, is not known"
        }
    };
    Some(Reason { effect: Effect::Safe, text: text.to_owned(), path: String::new() })
}
