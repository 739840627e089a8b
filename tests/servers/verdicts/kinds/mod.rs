//! The mutations, a function each: sound ones and unsound ones, since the server decides which are which.

mod any;
mod cel;
mod columns;
mod defaults;
mod junctors;
mod lists;
mod names;
mod numbers;
mod odd;
mod root;
mod rules;
mod sound;
mod texts;
mod types;
mod versions;

use super::hand::Kind;

/// All mutations.
pub(super) fn all() -> Vec<Kind> {
    let files = [
        types::KINDS,
        numbers::KINDS,
        texts::KINDS,
        lists::KINDS,
        odd::KINDS,
        root::KINDS,
        junctors::KINDS,
        defaults::KINDS,
        cel::KINDS,
        rules::KINDS,
        columns::KINDS,
        names::KINDS,
        versions::KINDS,
        any::KINDS,
        sound::KINDS,
    ];
    files.concat()
}
