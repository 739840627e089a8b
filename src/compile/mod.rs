//! The compiler: load → resolve → build → render, each a pure function of the
//! one before it. Every stage reports all it finds wrong and goes on with the rest.

pub mod build;
pub mod derive;
pub mod discovered;
pub mod fields;
pub mod load;
pub mod render;
pub mod resolve;

use crate::model::diagnostic::{Diagnostic, Diagnostics, Severity};
use crate::model::source::Sources;
use build::Built;
use discovered::Discovered;
use load::suppress::apply_suppressions;
use load::{Loaded, snapshots};
use render::ManifestSet;
use resolve::Resolved;

/// A repository, compiled.
#[derive(Debug)]
pub struct Compilation {
    /// Its objects.
    pub loaded: Loaded,
    /// What is known of its service clusters.
    pub discovered: Discovered,
    /// Its services that have CRDs; the indices are those of [`Compilation::resolved`].
    pub built: Vec<Built>,
    /// All that is wrong with it, in the order it is shown, without what comments hide.
    pub diagnostics: Vec<Diagnostic>,
}

/// Compiles a repository. `found` is what was wrong with its files before anybody looked into them.
#[must_use]
pub fn compile(sources: &Sources, mut found: Diagnostics) -> Compilation {
    let (loaded, diagnostics) = load::load(sources);
    found.append(diagnostics);
    let (discovered, diagnostics) = load::discovered(sources, &loaded.config);
    found.append(diagnostics);
    let (resolved, diagnostics) = resolve::resolve(&loaded);
    found.append(diagnostics);
    let (built, diagnostics) = build::build(&resolved, &discovered);
    found.append(diagnostics);
    found.append(snapshots::unused(&resolved, &discovered));
    let diagnostics = apply_suppressions(found, &loaded.suppressions).into_sorted();
    Compilation { loaded, discovered, built, diagnostics }
}

impl Compilation {
    /// What the repository means. It borrows the objects, so it is worked out again; that is little work.
    #[must_use]
    pub fn resolved(&self) -> Resolved<'_> {
        resolve::resolve(&self.loaded).0
    }

    /// Whether something is wrong that keeps manifests from being right.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(|d| d.severity == Severity::Error)
    }

    /// Every object of every cluster. Not for use where there are errors: what is wrong is left out.
    #[must_use]
    pub fn render(&self) -> ManifestSet {
        render::render(&self.resolved(), &self.built, &self.discovered)
    }
}
