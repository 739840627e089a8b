//! Plans: what would change if the repository were applied, and what the changes
//! mean for the users of the services (`DESIGN.md` §6). Pure: live objects come in
//! as data, and a plan comes out.
//!
//! ```text
//! rendered ─┐                          ┌─ dry runs, instances (requested from the servers)
//! live ─────┴─ compare ─► candidates ──┴─ build ─► Plan ─► guard ─► text, JSON, Markdown
//! ```

pub mod access_change;
pub mod build;
pub mod compare;
pub mod consequence;
pub mod crd;
pub mod fields;
pub mod guard;
pub mod inventory;
pub mod json;
pub mod live;
pub mod markdown;
pub mod parent;
pub mod permissions;
pub mod saved;
pub mod schema;
pub mod steps;
pub mod text;
pub mod types;
pub mod words;

pub use inventory::Inventory;
pub use live::{LiveCluster, LiveObject};
pub use types::{Action, Change, Effect, Plan};

#[cfg(test)]
mod tests;
