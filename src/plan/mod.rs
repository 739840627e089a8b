//! Plans: what would change if the repository were applied, and what the changes
//! mean for the users of the services (`DESIGN.md` §6). Pure: live objects come in
//! as data, and a plan comes out.
//!
//! ```text
//! rendered ─┐                          ┌─ dry runs, instances (requested from the servers)
//! live ─────┴─ compare ─► candidates ──┴─ build ─► Plan ─► guard ─► text, JSON, Markdown
//! ```

pub(crate) mod access_change;
pub(crate) mod adoption;
pub(crate) mod build;
pub(crate) mod cause;
pub(crate) mod compare;
pub(crate) mod consequence;
pub(crate) mod crd;
pub(crate) mod extra;
pub(crate) mod fields;
pub(crate) mod going;
pub(crate) mod guard;
pub(crate) mod holder;
pub mod inventory;
pub mod json;
pub(crate) mod live;
pub(crate) mod losing;
pub(crate) mod managers;
pub(crate) mod markdown;
mod offered;
pub(crate) mod others;
pub(crate) mod parent;
pub(crate) mod permissions;
pub(crate) mod repair;
pub(crate) mod saved;
pub(crate) mod schema;
pub(crate) mod staying;
pub(crate) mod steps;
pub(crate) mod storage;
pub(crate) mod take_over;
pub(crate) mod text;
pub(crate) mod types;
pub(crate) mod words;

pub(crate) use live::{LiveCluster, LiveObject};

#[cfg(test)]
mod tests;
