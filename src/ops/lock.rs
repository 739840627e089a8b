//! Locking: the CRDs of the service clusters, recorded in the repository.
//!
//! They come from the clusters, or from files; a third way takes none and records namespaces only. A cluster that
//! cannot be asked keeps what is locked of it, and the others go on. Errors of the lock or of the given files
//! prevent everything from being written. Other errors of the repository do not prevent CRDs from being taken,
//! but then nothing is removed.
//!
//! Two steps: [`prepare`] works out what changes, [`LockChanges::write`] writes it.

use std::collections::BTreeSet;
use std::io;
use std::path::PathBuf;

use super::error::{ClusterFailure, UnknownName, known_cluster};
use super::event::Events;
use super::random;
use super::repository::Repository;
use super::schema_words;
use super::survey::{Scope, Survey, survey};
use crate::cluster::connect::ConnectOptions;
use crate::compile::Discovered;
use crate::compile::locking::plan::Inputs;
use crate::compile::locking::{FileCrds, LockPlan, crds_in_files, drift, lock_file, plan, snapshots, unused};
use crate::compile::resolve::{Resolved, resolve};
use crate::files::FilesError;
use crate::files::update::update;
use crate::files::walk::read_paths;
use crate::model::cluster::ClusterId;
use crate::model::codes::{cluster, object, yaml};
use crate::model::diagnostic::{Diagnostic, Diagnostics, Severity};
use crate::model::source::{SourceFile, Sources};
use crate::yaml::locate;

/// What to lock.
#[derive(Debug, Clone)]
pub(crate) struct LockOptions {
    /// Where the CRDs come from.
    pub from: LockSource,
    /// The only service cluster to lock; absent, all.
    pub cluster: Option<ClusterId>,
    /// Whether snapshots that nothing uses are removed.
    pub prune: bool,
    /// Whether the caller wants to know what has changed, and will write nothing.
    pub check: bool,
}

/// Where CRDs come from.
#[derive(Debug, Clone)]
pub(crate) enum LockSource {
    /// From the clusters.
    Clusters,
    /// From files, and no cluster is asked.
    Files(GivenFiles),
    /// No CRDs are taken, and no cluster is asked.
    Nothing,
}

/// Files that the caller names.
#[derive(Debug, Clone)]
pub(crate) struct GivenFiles {
    /// The folder that relative paths start from.
    pub directory: PathBuf,
    /// Files and folders.
    pub paths: Vec<PathBuf>,
    /// Text that is in no file, such as the standard input.
    pub text: Option<SourceFile>,
}

/// What locking would change.
#[derive(Debug)]
pub(crate) struct LockChanges {
    /// The diagnostics of the repository and of the clusters, sorted.
    pub diagnostics: Vec<Diagnostic>,
    /// The given files.
    pub files: Sources,
    /// The diagnostics of the given files, sorted.
    pub in_files: Vec<Diagnostic>,
    /// The changes.
    pub plan: LockPlan,
    /// What came of asking the clusters; `None` where none was asked.
    pub asked: Option<AskedClusters>,
    /// Whether the repository has objects that offer a CRD.
    pub has_services: bool,
    /// Whether it is uncertain that what seems unused is unused: there are errors, or files that are nearly
    /// objects of ours.
    pub in_doubt: bool,
}

/// How many service clusters were asked, and how it went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AskedClusters {
    /// The number that answered.
    pub answered: usize,
    /// The number that did not.
    pub unknown: usize,
    /// The gravest failure.
    pub failure: Option<ClusterFailure>,
}

/// Why nothing can be locked.
#[derive(Debug)]
pub(crate) enum LockError {
    /// The repository has no such service cluster.
    UnknownCluster(UnknownName),
    /// The lock has errors, and what it holds must not be lost.
    BrokenLock(Vec<Diagnostic>),
    /// carrier.yaml or objects have errors, and say how the clusters are reached.
    InvalidFiles(Vec<Diagnostic>),
    /// A file that the caller names cannot be read.
    Unreadable {
        /// Its path, as the caller named it.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// The files that the caller names cannot be read.
    Files(FilesError),
}

impl From<FilesError> for LockError {
    fn from(error: FilesError) -> Self {
        Self::Files(error)
    }
}

/// Works out what locking would change. Writes nothing.
///
/// # Errors
/// When nothing can be locked.
pub(crate) async fn prepare(
    repository: &Repository,
    connect: &ConnectOptions,
    options: &LockOptions,
    events: &Events,
) -> Result<LockChanges, LockError> {
    let (resolved, mut found) = resolve(&repository.loaded);
    if let Some(id) = &options.cluster {
        known_cluster(id, &resolved).map_err(LockError::UnknownCluster)?;
    }
    check_lock(repository, &mut found)?;
    let (files, given) = match &options.from {
        LockSource::Files(files) => read_given(files).map(|(files, given)| (files, Some(given)))?,
        LockSource::Clusters | LockSource::Nothing => (Sources::default(), None),
    };
    let asked = match &options.from {
        LockSource::Clusters if repository.has_invalid_files() => {
            return Err(LockError::InvalidFiles(repository.and(found)));
        }
        LockSource::Clusters => {
            let scope = Scope {
                sources: &repository.sources,
                resolved: &resolved,
                locked: &repository.locked,
                only: options.cluster.as_ref(),
            };
            Some(survey(&repository.connector(connect), scope, events).await)
        }
        LockSource::Files(_) | LockSource::Nothing => None,
    };
    Ok(changes(repository, &resolved, found, options, (files, given), asked))
}

/// Ends where the lock has errors, or is that of another management cluster.
fn check_lock(repository: &Repository, found: &mut Diagnostics) -> Result<(), LockError> {
    let mut broken = Diagnostics::default();
    let file = lock_file::read(&repository.sources, &mut broken);
    if let Some(foreign) = snapshots::foreign(&repository.loaded.config, &file) {
        broken.push(foreign);
    }
    if !broken.has_errors() {
        return Ok(());
    }
    let mut all = std::mem::take(found);
    all.append(broken);
    Err(LockError::BrokenLock(repository.and(all)))
}

fn changes(
    repository: &Repository,
    resolved: &Resolved<'_>,
    mut found: Diagnostics,
    options: &LockOptions,
    (files, given): (Sources, Option<FileCrds>),
    asked: Option<Survey>,
) -> LockChanges {
    let identity = random::id();
    let inputs = Inputs {
        sources: &repository.sources,
        config: &repository.loaded.config,
        resolved,
        locked: &repository.locked,
        given: given.as_ref(),
        seen: asked.as_ref().map(|asked| &asked.seen),
        cluster: options.cluster.as_ref(),
        identity: Some(&identity),
        prune: options.prune,
    };
    let mut plan = plan(inputs);
    schema_words::explain(&mut plan, &repository.locked.discovered);
    let mut stale = repository.stale.clone();
    stale.retain(|complaint| !plan.fixes(complaint, inputs));
    found.append(stale);
    found.append(std::mem::take(&mut plan.in_repository));
    if !options.prune {
        found.append(unused(resolved, &repository.locked));
    }
    locate(&mut plan.in_given, &files);
    let in_files = std::mem::take(&mut plan.in_given).into_sorted();
    if let Some(asked) = &asked {
        found.append(asked.found.clone());
        if options.check {
            found.append(drifted(resolved, &repository.locked.discovered, &asked.seen));
        }
    }
    let mut diagnostics = repository.and(found);
    // Comments may hide what only later stages find.
    diagnostics.retain(|d| d.code != &yaml::UNUSED_SUPPRESSION);
    let is_error = |d: &&Diagnostic| d.severity == Severity::Error;
    // Errors of a cluster say nothing about what the repository wants.
    let of_repository = |d: &&Diagnostic| is_error(d) && !cluster::ALL.contains(&d.code);
    let has_errors = diagnostics.iter().any(|d| of_repository(&d)) || in_files.iter().any(|d| is_error(&d));
    let in_doubt = has_errors || diagnostics.iter().any(|d| d.code == &object::SIMILAR_GROUP);
    let asked = asked.map(|asked| AskedClusters {
        answered: asked.clusters.len(),
        unknown: asked.unknown.len(),
        failure: asked.failure,
    });
    LockChanges { diagnostics, files, in_files, plan, asked, has_services: !resolved.services.is_empty(), in_doubt }
}

impl LockChanges {
    /// Whether a diagnostic is an error.
    #[must_use]
    pub(crate) fn has_errors(&self) -> bool {
        self.diagnostics.iter().chain(&self.in_files).any(|d| d.severity == Severity::Error)
    }

    /// Writes the changes, the lock last.
    ///
    /// # Errors
    /// When a file cannot be written or removed; the next run finds the same to do.
    pub(crate) fn write(&self, repository: &Repository) -> Result<(), FilesError> {
        update(&repository.root, &self.plan.files)
    }
}

/// The diagnostics of CRDs that differ from what is locked, without the differences: those are in the plan.
fn drifted(resolved: &Resolved<'_>, discovered: &Discovered, seen: &Discovered) -> Diagnostics {
    let (_, complaints) = drift(resolved, discovered, seen, false, schema_words::lines);
    let mut drifted = Diagnostics::default();
    for mut complaint in complaints.into_iter().filter(|d| d.code == &cluster::DRIFT) {
        complaint.notes.clear();
        drifted.push(complaint);
    }
    drifted
}

/// Reads files, and finds the CRDs in them.
fn read_given(files: &GivenFiles) -> Result<(Sources, FileCrds), LockError> {
    let GivenFiles { directory, paths, text } = files;
    // Those that are named one by one, and not found in a folder, have to be whole.
    let mut named: BTreeSet<String> = text.iter().map(|text| text.path.clone()).collect();
    for path in paths {
        let metadata = directory.join(path).metadata();
        let metadata = metadata.map_err(|error| LockError::Unreadable { path: path.clone(), error })?;
        if !metadata.is_dir() {
            named.insert(path.to_string_lossy().into_owned());
        }
    }
    let (sources, unread) = read_paths(directory, paths, text.clone().into_iter().collect())?;
    let mut given = crds_in_files(&sources, &named);
    given.errors.extend(unread.into_sorted());
    Ok((sources, given))
}
