//! The compiler: load → resolve → build → render, each a pure function of the
//! one before it. Every stage reports all problems it finds and continues with the rest.
//!
//! [`compile`] takes objects and facts. Where they come from is the caller's business:
//! [`load`](mod@load) makes objects of text or of what an API server answered, [`locking`] makes
//! facts of snapshots, of the lock and of what clusters were seen to have.

pub(crate) mod build;
pub(crate) mod cel;
pub(crate) mod compiled;
pub(crate) mod derive;
pub(crate) mod discovered;
pub(crate) mod fields;
pub(crate) mod load;
pub(crate) mod locking;
mod parallel;
pub(crate) mod render;
pub(crate) mod resolve;
pub(crate) mod route;
pub mod schema;
pub(crate) mod validity;
pub mod values;

pub(crate) use compiled::Compiled;
pub(crate) use discovered::{Discovered, DiscoveredCluster, DiscoveredCrd};

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
