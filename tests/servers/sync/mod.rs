//! `carrier sync` from outside: the process, real clusters, and a stand-in for the operator.
//!
//! [`bed`] is the test bed; the other files are subjects. Nothing here knows how sync works inside:
//! what it holds it to is in `docs/sync.md`.

mod bed;
mod objects;
mod operator;
mod process;
mod repository;

mod basics;
mod chaos;
mod clusters;
mod copies;
mod deletions;
mod explain;
mod extremes;
mod get;
mod leaving;
mod management;
mod namespaces;
mod ownership;
mod replicas;
mod rights;
mod scenarios;
mod used_rights;

use crate::support::Case;

pub(crate) fn cases() -> Vec<Case> {
    [
        basics::cases(),
        chaos::cases(),
        clusters::cases(),
        copies::cases(),
        deletions::cases(),
        explain::cases(),
        extremes::cases(),
        get::cases(),
        leaving::cases(),
        management::cases(),
        namespaces::cases(),
        ownership::cases(),
        replicas::cases(),
        rights::cases(),
        scenarios::cases(),
        used_rights::cases(),
    ]
    .into_iter()
    .flatten()
    .collect()
}
