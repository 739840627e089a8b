//! Rendering: the manifests of a repository, as a stream or as a folder.

use std::path::{Component, Path, PathBuf};

use super::error::{UnknownName, unknown_cluster};
use super::repository::Repository;
use crate::compile::locking::strict;
use crate::compile::render::ManifestSet;
use crate::compile::render::layout::{Files, Options, layout, stream};
use crate::files::FilesError;
use crate::files::folder_lock::FolderLock;
use crate::files::write::{Difference, DifferenceKind, WritePlan, Written, check, content, no_link, plan_write};
use crate::model::cluster::ClusterId;
use crate::model::config::RenderTarget;
use crate::model::diagnostic::{Diagnostic, Diagnostics, Severity};
use crate::model::line_diff::{DiffLine, line_diff};
use crate::model::secret_values::{without_defaults, without_secrets};
use crate::model::source::FileId;
use crate::yaml;

/// The result of rendering.
#[derive(Debug)]
pub(crate) struct Rendering {
    /// The diagnostics of the repository, sorted.
    pub diagnostics: Vec<Diagnostic>,
    /// The command that brings the lock up to date, where that was asked for and it is not.
    pub stale: Option<&'static str>,
    /// The manifests; `None` where there are errors.
    pub manifests: Option<ManifestSet>,
}

/// Renders a repository. With `locked`, a lock that is not up to date is an error.
#[must_use]
pub(crate) fn render(repository: &Repository, locked: bool) -> Rendering {
    let (compiled, mut diagnostics) = repository.compile();
    let stale = if locked { strict(&mut diagnostics) } else { None };
    let is_sound = diagnostics.iter().all(|d| d.severity != Severity::Error);
    Rendering { manifests: is_sound.then(|| compiled.render()), diagnostics, stale }
}

/// The manifests of one cluster as a YAML stream, in the order in which they can be applied. Without `cluster`, those
/// of the management cluster.
///
/// # Errors
/// When there is no such cluster.
pub(crate) fn stream_of(
    set: &ManifestSet,
    cluster: Option<&ClusterId>,
    target: RenderTarget,
) -> Result<String, UnknownName> {
    let manifests = match cluster {
        None => &set.management,
        Some(id) => set.clusters.get(id).ok_or_else(|| unknown_cluster(id, set.clusters.keys()))?,
    };
    Ok(stream(manifests, target))
}

/// A folder of manifests, to write or to compare with.
#[derive(Debug)]
pub(crate) struct Output {
    /// The folder; absolute.
    pub folder: PathBuf,
    /// Who reads the manifests.
    pub target: RenderTarget,
    files: Files,
}

impl Output {
    /// Lays out manifests for the folder `out`, an absolute path; absent, for the folder that carrier.yaml
    /// says. `target` is who reads them; absent, what carrier.yaml says.
    ///
    /// # Errors
    /// When the folder lies behind a symbolic link of the repository, which may lead anywhere.
    pub(crate) fn new(
        repository: &Repository,
        set: &ManifestSet,
        out: Option<&Path>,
        target: Option<RenderTarget>,
    ) -> Result<Self, FilesError> {
        let root = &repository.root;
        let mut options = Options::new(&repository.loaded.config, target);
        let folder = match out {
            Some(folder) => {
                if let Some(below) = written_below(root, folder) {
                    no_link(root, &below)?;
                }
                if let Some(below) = below(root, folder) {
                    options.output = below;
                }
                folder.to_owned()
            }
            None => {
                no_link(root, &options.output)?;
                root.join(&options.output)
            }
        };
        let files = layout(set, &options);
        Ok(Self { folder, target: options.render.target, files })
    }

    /// What differs in the folder. Writes nothing.
    ///
    /// # Errors
    /// When the folder cannot be read, or is not one of ours.
    pub(crate) fn differences(&self) -> Result<Vec<Difference>, FilesError> {
        check(&self.folder, &self.files)
    }

    /// The lines by which a file in the folder differs from the rendered one, without values that may be secret: what CI
    /// prints is read by many. `None` where one of the two is not there or is no manifest.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(crate) fn changed_lines(&self, path: &str) -> Result<Option<Vec<DiffLine>>, FilesError> {
        let (Some(rendered), Some(there)) = (self.files.get(path), content(&self.folder, path)?) else {
            return Ok(None);
        };
        Ok(public_text(&there).zip(public_text(rendered)).map(|(there, rendered)| line_diff(&there, &rendered)))
    }

    /// Locks the folder and works out what is to be written.
    ///
    /// # Errors
    /// When the folder cannot be read, is not one of ours, or another run writes to it.
    pub(crate) fn begin(&self) -> Result<PendingWrite<'_>, FilesError> {
        // Held while the folder is compared and written: what another run writes between the two would be lost.
        let lock = FolderLock::acquire(&self.folder)?;
        let plan = plan_write(&self.folder, &self.files)?;
        Ok(PendingWrite { plan, _lock: lock })
    }
}

/// What is about to be written to a folder, which is locked meanwhile.
#[derive(Debug)]
pub(crate) struct PendingWrite<'o> {
    plan: WritePlan<'o>,
    _lock: FolderLock,
}

impl PendingWrite<'_> {
    /// The files that were edited by hand and will be overwritten or removed.
    pub(crate) fn edited(&self) -> impl Iterator<Item = &str> {
        let edited = |kind| matches!(kind, DifferenceKind::Edited | DifferenceKind::StaleEdited);
        self.plan.differences().iter().filter(move |d| edited(d.kind)).map(|d| d.path.as_str())
    }

    /// Writes.
    ///
    /// # Errors
    /// When a file cannot be written or removed.
    pub(crate) fn write(self) -> Result<Written, FilesError> {
        self.plan.apply()
    }
}

/// The manifests of a file as carrier writes them, without values that may be secret; `None` if it is not YAML.
fn public_text(file: &[u8]) -> Option<String> {
    let mut found = Diagnostics::default();
    let documents = yaml::read(FileId(0), std::str::from_utf8(file).ok()?, &mut found);
    let text = |document: &yaml::Document| yaml::to_yaml(&without_defaults(&without_secrets(&document.root.to_json())));
    (!found.has_errors()).then(|| documents.iter().map(text).collect::<Vec<_>>().join("---\n"))
}

/// The folder as a path below the root, with `/`; `None` where it lies elsewhere. It need not exist yet: links in
/// the part that exists are followed, the rest is taken as written.
fn below(root: &Path, folder: &Path) -> Option<String> {
    let (there, real) = folder.ancestors().find_map(|f| Some((f, f.canonicalize().ok()?)))?;
    let folder = real.join(folder.strip_prefix(there).ok()?);
    let parts: Vec<_> = folder.strip_prefix(root).ok()?.iter().map(|p| p.to_string_lossy()).collect();
    (!parts.is_empty() && !parts.iter().any(|p| p == "..")).then(|| parts.join("/"))
}

/// The folder as a path below the root, as it is written: no link in it is followed. `None` where it is written
/// as one elsewhere, which is the user's choice.
fn written_below(root: &Path, folder: &Path) -> Option<String> {
    let mut plain = PathBuf::new();
    for part in folder.components() {
        match part {
            Component::ParentDir => drop(plain.pop()),
            Component::CurDir => {}
            part => plain.push(part),
        }
    }
    // The outermost: a link may lead to the root again.
    let top = plain.ancestors().filter(|f| f.canonicalize().is_ok_and(|f| f == root)).last()?;
    let parts: Vec<_> = plain.strip_prefix(top).ok()?.iter().map(|p| p.to_string_lossy()).collect();
    (!parts.is_empty()).then(|| parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_found_below_the_root_however_it_is_written() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        std::fs::create_dir(root.join("sub")).unwrap();
        let named = |path: &str| below(&root, &root.join(path));
        assert_eq!(named("sub/../out/a").as_deref(), Some("out/a"));
        assert_eq!(named("sub/new").as_deref(), Some("sub/new"));
        assert_eq!(named(".."), None);
        assert_eq!(named(""), None);
    }
}
