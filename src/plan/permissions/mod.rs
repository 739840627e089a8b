//! The permissions that carrier needs in each cluster, by command: behind
//! `carrier doctor` and `docs/permissions.md`. Pure: no API server is asked here.
//!
//! ```text
//! permission ─► table ─► needs (of a repository) ─► [asked of the server] ─► grant
//! ```

pub mod grant;
pub mod needs;
pub mod permission;
pub mod table;

pub use needs::{Need, needs};
pub use permission::{Permission, Task};
