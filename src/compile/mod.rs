//! The compiler: load → resolve → build → render, each a pure function of the
//! one before it. Every stage reports all problems it finds and continues with the rest.
//!
//! [`compile`] takes objects and facts. Where they come from is the caller's business:
//! [`load`](mod@load) makes objects of text or of what an API server answered, [`locking`] makes
//! facts of snapshots, of the lock and of what clusters were seen to have.

pub mod build;
pub mod compiled;
pub mod derive;
pub mod discovered;
pub mod fields;
pub mod load;
pub mod locking;
mod parallel;
pub mod render;
pub mod resolve;
pub mod route;

pub use compiled::Compiled;
pub use discovered::{Discovered, DiscoveredCluster, DiscoveredCrd};

use load::Loaded;

/// Compiles the loaded objects with what is known of the clusters. Errors in one object
/// do not prevent others from compiling; they are in [`Compiled::diagnostics`].
#[must_use]
pub fn compile<'a>(loaded: &'a Loaded, discovered: &'a Discovered) -> Compiled<'a> {
    let (resolved, mut diagnostics) = resolve::resolve(loaded);
    let (built, found) = build::build(&resolved, discovered);
    diagnostics.append(found);
    Compiled { resolved, discovered, built, diagnostics }
}
