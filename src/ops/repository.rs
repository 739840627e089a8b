//! The repository that a command works on: read, loaded, and compiled where the command needs that.
//!
//! Errors of its files are diagnostics, which every result here carries along; it shows none of them.

use std::path::PathBuf;

use crate::cluster::connect::{ConnectOptions, Connector};
use crate::compile::compiled::shown;
use crate::compile::load::{Loaded, load};
use crate::compile::locking::{Locked, review, snapshots};
use crate::compile::{Compiled, compile};
use crate::files::FilesError;
use crate::files::walk::{ReadOptions, is_rendered, read_repository};
use crate::model::codes::io as codes;
use crate::model::diagnostic::{Diagnostic, Diagnostics};
use crate::model::source::Sources;
use crate::yaml::locate;

/// A repository, read and loaded.
#[derive(Debug)]
pub(crate) struct Repository {
    /// The folder that holds `carrier.yaml`; absolute.
    pub root: PathBuf,
    /// The text of its files.
    pub sources: Sources,
    /// The objects in them.
    pub loaded: Loaded,
    /// What its lock and its snapshots hold.
    pub locked: Locked,
    /// Diagnostics of reading the lock and the snapshots.
    pub stale: Diagnostics,
    /// Diagnostics of reading the files.
    read: Diagnostics,
    /// Diagnostics of loading the objects.
    found: Diagnostics,
}

impl Repository {
    /// Reads and loads the repository at `root`.
    ///
    /// # Errors
    /// When it cannot be read as a whole.
    pub(crate) fn open(root: PathBuf) -> Result<Self, FilesError> {
        let (sources, mut read) = read_repository(&root, &ReadOptions::default())?;
        let (loaded, found) = load(&sources);
        // That the output folder is not read is what carrier.yaml says.
        let output = is_rendered(loaded.config.output.trim_matches('/'));
        read.retain(|d| d.code != &codes::RENDERED || d.message != output);
        let (locked, stale) = snapshots::read(&sources, &loaded.config);
        Ok(Self { root, sources, loaded, locked, stale, read, found })
    }

    /// Compiles it with what is locked. The list holds the diagnostics of all stages, sorted.
    #[must_use]
    pub(crate) fn compile(&self) -> (Compiled<'_>, Vec<Diagnostic>) {
        let compiled = compile(&self.loaded, &self.locked.discovered);
        let list = self.and(judge(&compiled, &self.locked, self.stale.clone()));
        (compiled, list)
    }

    /// The diagnostics of reading and loading, together with those of a later stage, sorted.
    #[must_use]
    pub(crate) fn and(&self, more: Diagnostics) -> Vec<Diagnostic> {
        let mut found = self.read.clone();
        found.append(self.found.clone());
        found.append(more);
        locate(&mut found, &self.sources);
        shown(found, &self.loaded)
    }

    /// Whether carrier.yaml or objects have errors, which `carrier check` reports. Then no cluster is connected to: it is
    /// not known which ones are meant, and a setting that `check` refuses would take effect.
    #[must_use]
    pub(crate) fn has_invalid_files(&self) -> bool {
        self.read.has_errors() || self.found.has_errors()
    }

    /// What makes the clients of its clusters.
    #[must_use]
    pub(crate) fn connector<'a>(&'a self, options: &'a ConnectOptions) -> Connector<'a> {
        Connector { options, config: &self.loaded.config, root: &self.root }
    }
}

/// The diagnostics of a compilation and of the lock that its facts come from. `stale` are those of
/// reading that lock and its snapshots.
#[must_use]
pub(crate) fn judge(compiled: &Compiled<'_>, locked: &Locked, stale: Diagnostics) -> Diagnostics {
    let mut found = stale;
    found.append(review(&compiled.resolved, locked));
    found.append(compiled.diagnostics.clone());
    found
}
