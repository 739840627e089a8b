//! The permissions that carrier needs in each cluster, by command: behind
//! `carrier doctor` and `docs/permissions.md`. Pure: no API server is asked here.
//!
//! ```text
//! permission ─► table ─► needs (of a repository) ─► [asked of the server] ─► grant
//! ```

pub(crate) mod grant;
pub(crate) mod needs;
pub(crate) mod permission;
pub(crate) mod table;

pub(crate) use needs::{Need, needs, trial as trial_needs};
pub(crate) use permission::{Permission, Task};
