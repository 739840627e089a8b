//! What a change of each keyword of a structural schema does to stored instances, as
//! a table.
//!
//! A change is safe if every stored instance keeps its value when it is read, and if
//! all of it could be created again. `tests/servers/effects` holds the table against an
//! API server, and `docs/decisions/0003-effects-of-schema-changes.md` shows it with what was
//! measured. What is not in the table is not safe.

use super::super::types::Effect;
use Effect::{Breaking, Safe, Tightening};

/// How a keyword of a node changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    /// Only the new node has it.
    Added,
    /// Only the old node has it.
    Removed,
    /// It accepts fewer values.
    Narrowed,
    /// It accepts more values.
    Widened,
    /// It accepts other values, or nobody can tell.
    Moved,
}

/// The effects of the changes of a keyword. `None` for a change that it cannot have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Row {
    /// The keyword, as it is written in a schema.
    pub keyword: &'static str,
    pub added: Option<Effect>,
    pub removed: Option<Effect>,
    pub narrowed: Option<Effect>,
    pub widened: Option<Effect>,
    pub moved: Option<Effect>,
}

const S: Option<Effect> = Some(Safe);
const T: Option<Effect> = Some(Tightening);
const B: Option<Effect> = Some(Breaking);
const N: Option<Effect> = None;

const fn row(keyword: &'static str, effects: [Option<Effect>; 5]) -> Row {
    let [added, removed, narrowed, widened, moved] = effects;
    Row { keyword, added, removed, narrowed, widened, moved }
}

/// The table. `properties`, `additionalProperties` and `items` are compared node by node, and have the effect of what is
/// below them besides.
pub(super) const TABLE: &[Row] = &[
    //                                             added removed narrowed widened moved
    row("type", [T, S, B, S, B]),
    row("nullable", [S, T, N, N, N]),
    // A property in a closed object; of a property that is required or has a default, see there.
    row("properties", [S, B, N, N, N]),
    // Keys of a map. Added to a closed object, or to one that keeps unknown fields, and the reverse.
    row("additionalProperties", [T, B, N, N, N]),
    row("items", [N, N, N, N, N]),
    row("required", [T, S, N, N, N]),
    row("enum", [T, S, T, S, T]),
    row("minimum", [T, S, T, S, N]),
    row("maximum", [T, S, T, S, N]),
    row("exclusiveMinimum", [T, S, N, N, N]),
    row("exclusiveMaximum", [T, S, N, N, N]),
    row("minLength", [T, S, T, S, N]),
    row("maxLength", [T, S, T, S, N]),
    row("minItems", [T, S, T, S, N]),
    row("maxItems", [T, S, T, S, N]),
    row("minProperties", [T, S, T, S, N]),
    row("maxProperties", [T, S, T, S, N]),
    row("pattern", [T, S, N, N, T]),
    row("format", [T, S, N, N, T]),
    row("multipleOf", [T, S, T, S, T]),
    // API servers refuse it.
    row("uniqueItems", [T, S, N, N, N]),
    row("allOf", [T, S, T, S, T]),
    row("anyOf", [T, S, T, S, T]),
    row("oneOf", [T, S, N, N, T]),
    row("not", [T, S, N, N, T]),
    // A server fills it in whenever it reads an instance without the field. It stores what it has filled in only with the
    // next write, so an instance that is older than its default loses it again, or gets the next one.
    row("default", [T, T, N, N, T]),
    row("x-kubernetes-preserve-unknown-fields", [S, B, N, N, N]),
    row("x-kubernetes-int-or-string", [T, B, N, S, N]),
    // It keeps apiVersion, kind and metadata, and requires them.
    row("x-kubernetes-embedded-resource", [T, B, N, N, N]),
    // To server-side apply, an atomic list is one value: what several managers have applied is then a conflict.
    row("x-kubernetes-list-type", [T, T, N, N, T]),
    row("x-kubernetes-list-map-keys", [T, T, N, N, T]),
    row("x-kubernetes-map-type", [T, S, N, N, N]),
    row("x-kubernetes-validations", [T, S, N, N, T]),
];

/// Keywords that only people and editors read.
pub(super) const SILENT: [&str; 6] = ["description", "title", "example", "externalDocs", "id", "$schema"];

/// The effect of a change. A keyword or a change that the table does not have is tightening: a newer API server may know
/// it.
pub(super) fn effect(keyword: &str, change: Change) -> Effect {
    let known = TABLE.iter().find(|row| row.keyword == keyword);
    let cell = known.and_then(|row| match change {
        Change::Added => row.added,
        Change::Removed => row.removed,
        Change::Narrowed => row.narrowed,
        Change::Widened => row.widened,
        Change::Moved => row.moved,
    });
    cell.unwrap_or(Tightening)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_names_each_keyword_once() {
        let mut names: Vec<&str> = TABLE.iter().map(|row| row.keyword).chain(SILENT).collect();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all);
    }

    #[test]
    fn what_the_table_does_not_have_is_not_safe() {
        assert_eq!(effect("x-kubernetes-from-a-newer-server", Change::Removed), Tightening);
        assert_eq!(effect("pattern", Change::Widened), Tightening);
        assert_eq!(effect("pattern", Change::Removed), Safe);
    }

    #[test]
    fn the_documentation_shows_the_table() {
        let page = include_str!("../../../docs/decisions/0003-effects-of-schema-changes.md");
        let word = |effect: Option<Effect>| match effect {
            None => "",
            Some(Safe) => "safe",
            Some(Tightening) => "tightening",
            Some(Breaking | Effect::Destructive) => "breaking",
            Some(Effect::Adopting) => "adopting",
        };
        for row in TABLE {
            let cells = [row.added, row.removed, row.narrowed, row.widened, row.moved].map(word);
            let line = format!("| `{}` | {} |", row.keyword, cells.join(" | "));
            assert!(page.contains(&line), "the page lacks:\n{line}");
        }
    }
}
