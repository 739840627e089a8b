//! Writing a set of files into a folder that carrier owns.
//!
//! First everything is compared and checked ([`plan_write`]), then written
//! ([`WritePlan::apply`]). Nothing that carrier did not write is ever changed or
//! removed; what is carrier's is told by the folder's ownership manifest. Every
//! file is written beside and renamed into place. The manifest is written first
//! with the old and the new files, and last with the new ones: wherever a run is
//! cut short, the next one knows all it may touch and ends in the same state.
//! (Nothing is flushed to the disk: after a power cut the next run finds by its
//! bytes what is not whole.)

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::FilesError;
use super::manifest::{MANIFEST, Manifest, check_path};
use crate::model::digest::sha256 as digest;

/// Where files lie until they are renamed into place; below the output folder,
/// so that it is the same file system.
pub(super) const STAGING: &str = ".carrier-staging";

/// How a file in the folder differs from what should be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DifferenceKind {
    /// It is not there.
    Missing,
    /// It is as carrier wrote it once, but should be different now.
    Changed,
    /// Somebody changed it after carrier wrote it.
    Edited,
    /// It should be no more.
    Stale,
    /// It should be no more, and somebody changed it after carrier wrote it.
    StaleEdited,
}

/// A file that differs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Difference {
    /// Its path below the folder, with `/`.
    pub path: String,
    /// How.
    pub kind: DifferenceKind,
}

/// What [`WritePlan::apply`] did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Written {
    /// Files that were new or have new content.
    pub written: usize,
    /// Files that are gone.
    pub removed: usize,
    /// Files that were as they should be, and were not touched.
    pub unchanged: usize,
}

/// What is to be done to a folder.
#[derive(Debug)]
pub struct WritePlan<'a> {
    dir: PathBuf,
    files: &'a BTreeMap<String, Vec<u8>>,
    differences: Vec<Difference>,
    before: Option<Manifest>,
    after: Manifest,
}

/// Compares `files` (path below `dir`, with `/`, to content) with what is in `dir`,
/// and refuses where writing them would touch what is not carrier's. Writes nothing.
pub fn plan_write<'a>(dir: &Path, files: &'a BTreeMap<String, Vec<u8>>) -> Result<WritePlan<'a>, FilesError> {
    check_paths(files)?;
    let before = Manifest::read(dir)?;
    if before.is_none() && !is_empty(dir)? {
        return Err(FilesError::NotOurs(dir.to_owned()));
    }
    let no_files = BTreeMap::new();
    let ours = before.as_ref().map_or(&no_files, |m| &m.files);
    let mut differences = Vec::new();
    for (path, content) in files {
        if let Some(kind) = compare(dir, path, content, ours)? {
            differences.push(Difference { path: path.clone(), kind });
        }
    }
    for (path, hash) in ours.iter().filter(|(path, _)| !files.contains_key(*path)) {
        // A link or folder that took its place is not what carrier wrote.
        if let Found::File(content) = look(dir, path)? {
            let kind = if digest(&content) == *hash { DifferenceKind::Stale } else { DifferenceKind::StaleEdited };
            differences.push(Difference { path: path.clone(), kind });
        }
    }
    differences.sort();
    let after = Manifest::new(files.iter().map(|(path, content)| (path.clone(), digest(content))).collect());
    Ok(WritePlan { dir: dir.to_owned(), files, differences, before, after })
}

/// Refuses a folder below `root` that is a link, or that a link leads to: `carrier.yaml` may name
/// the output, and what it names stays in the repository.
pub fn no_link(root: &Path, folder: &str) -> Result<(), FilesError> {
    look(root, folder).map(|_| ())
}

/// What in `dir` is not as `files` says; empty where a write would change nothing.
/// Reads only. The ownership manifest is one of the files.
pub fn check(dir: &Path, files: &BTreeMap<String, Vec<u8>>) -> Result<Vec<Difference>, FilesError> {
    let plan = plan_write(dir, files)?;
    let mut differences = plan.differences;
    let manifest = match &plan.before {
        Some(before) if *before == plan.after => None,
        Some(_) => Some(DifferenceKind::Changed),
        None => Some(DifferenceKind::Missing),
    };
    if let Some(kind) = manifest {
        differences.push(Difference { path: MANIFEST.to_owned(), kind });
        differences.sort();
    }
    Ok(differences)
}

impl WritePlan<'_> {
    /// The files that will be written or removed, by path.
    #[must_use]
    pub fn differences(&self) -> &[Difference] {
        &self.differences
    }

    /// Does it.
    pub fn apply(self) -> Result<Written, FilesError> {
        let staging = self.dir.join(STAGING);
        remove_staging(&staging)?;
        fs::create_dir_all(&staging).map_err(FilesError::io("write", &staging))?;
        let done = self.write_all(&staging);
        let cleaned = remove_staging(&staging);
        let written = done?;
        cleaned?;
        Ok(written)
    }

    fn write_all(&self, staging: &Path) -> Result<Written, FilesError> {
        // From here on the folder is known to be ours, and so is each file in it
        // whatever becomes of this run. A file's old hash stands until the end:
        // should a run stop here, what was edited by hand is still known as such.
        let mut either = self.after.files.clone();
        either.extend(self.before.iter().flat_map(|m| m.files.clone()));
        self.write_manifest(&Manifest::new(either), staging)?;

        let mut written = Written::default();
        // A path may become a folder, or a folder a path: what blocks goes first.
        for path in self.stale().filter(|path| self.blocks(path)) {
            self.remove(path)?;
            written.removed += 1;
        }
        for difference in self.differences.iter().filter(|d| !is_stale(d.kind)) {
            if let Some(content) = self.files.get(&difference.path) {
                let target = self.dir.join(&difference.path);
                if let Some(parent) = target.parent() {
                    fs::create_dir_all(parent).map_err(FilesError::io("write", parent))?;
                }
                replace(&target, content, staging)?;
                written.written += 1;
            }
        }
        for path in self.stale().filter(|path| !self.blocks(path)) {
            self.remove(path)?;
            written.removed += 1;
        }
        self.write_manifest(&self.after, staging)?;
        written.unchanged = self.files.len() - written.written;
        Ok(written)
    }

    fn stale(&self) -> impl Iterator<Item = &str> {
        self.differences.iter().filter(|d| is_stale(d.kind)).map(|d| d.path.as_str())
    }

    /// Whether a new file lies below this path, or this path below a new file.
    fn blocks(&self, path: &str) -> bool {
        let below = format!("{path}/");
        self.files.range(below.clone()..).next().is_some_and(|(p, _)| p.starts_with(&below))
            || parents(path).any(|p| self.files.contains_key(p))
    }

    fn remove(&self, path: &str) -> Result<(), FilesError> {
        let target = self.dir.join(path);
        match fs::remove_file(&target) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(FilesError::Io { doing: "remove", path: target, source: error });
            }
            _ => {}
        }
        // Folders go when nothing is left in them; the first that stays ends it.
        let mut parent = target.parent();
        while let Some(folder) = parent.filter(|p| *p != self.dir) {
            if fs::remove_dir(folder).is_err() {
                break;
            }
            parent = folder.parent();
        }
        Ok(())
    }

    fn write_manifest(&self, manifest: &Manifest, staging: &Path) -> Result<(), FilesError> {
        let target = self.dir.join(MANIFEST);
        let bytes = manifest.to_bytes();
        if fs::read(&target).is_ok_and(|there| there == bytes) {
            return Ok(());
        }
        replace(&target, &bytes, staging)
    }
}

/// Writes beside and renames: a reader sees the old file or the new one.
pub(super) fn replace(target: &Path, content: &[u8], staging: &Path) -> Result<(), FilesError> {
    let beside = staging.join("file");
    fs::write(&beside, content).map_err(FilesError::io("write", &beside))?;
    fs::rename(&beside, target).map_err(FilesError::io("write", target))
}

fn is_stale(kind: DifferenceKind) -> bool {
    matches!(kind, DifferenceKind::Stale | DifferenceKind::StaleEdited)
}

fn check_paths(files: &BTreeMap<String, Vec<u8>>) -> Result<(), FilesError> {
    let bad = |path: &str, reason| FilesError::BadPath { path: path.to_owned(), reason };
    let mut folded = BTreeSet::new();
    for path in files.keys() {
        check_path(path).map_err(|reason| bad(path, reason))?;
        if !folded.insert(path.to_lowercase()) {
            return Err(bad(path, "another path differs from it in letter case only"));
        }
    }
    match files.keys().find(|path| parents(&path.to_lowercase()).any(|p| folded.contains(p))) {
        Some(path) => Err(bad(path, "another file has the name of its folder")),
        None => Ok(()),
    }
}

/// `a/b` and `a` of `a/b/c`.
fn parents(path: &str) -> impl Iterator<Item = &str> {
    path.rmatch_indices('/').map(|(at, _)| &path[..at])
}

fn is_empty(dir: &Path) -> Result<bool, FilesError> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(true),
        Err(source) => return Err(FilesError::Io { doing: "read", path: dir.to_owned(), source }),
    };
    for entry in entries {
        // What a run left behind that was cut short before its first manifest.
        if entry.map_err(FilesError::io("read", dir))?.file_name() != STAGING {
            return Ok(false);
        }
    }
    Ok(true)
}

pub(super) enum Found {
    Nothing,
    File(Vec<u8>),
    /// A folder, or something else that is no regular file.
    Other,
    /// Where a parent folder should be is a file.
    Below(String),
}

/// What is at a path below `dir`; refuses to look through links.
pub(super) fn look(dir: &Path, path: &str) -> Result<Found, FilesError> {
    let mut upper: Vec<&str> = parents(path).collect();
    upper.reverse();
    for parent in upper {
        let folder = dir.join(parent);
        match folder.symlink_metadata() {
            Ok(metadata) if metadata.is_symlink() => return Err(FilesError::Link(folder)),
            Ok(metadata) if metadata.is_dir() => {}
            Ok(_) => return Ok(Found::Below(parent.to_owned())),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Found::Nothing),
            Err(source) => return Err(FilesError::Io { doing: "read", path: folder, source }),
        }
    }
    let target = dir.join(path);
    match target.symlink_metadata() {
        Ok(metadata) if metadata.is_symlink() => Err(FilesError::Link(target)),
        Ok(metadata) if metadata.is_file() => {
            fs::read(&target).map(Found::File).map_err(FilesError::io("read", &target))
        }
        Ok(_) => Ok(Found::Other),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Found::Nothing),
        Err(source) => Err(FilesError::Io { doing: "read", path: target, source }),
    }
}

/// How the file differs from `content`; refuses what is not ours.
fn compare(
    dir: &Path,
    path: &str,
    content: &[u8],
    ours: &BTreeMap<String, String>,
) -> Result<Option<DifferenceKind>, FilesError> {
    let in_the_way = |path: &str| Err(FilesError::InTheWay(dir.join(path)));
    match look(dir, path)? {
        Found::Nothing => Ok(Some(DifferenceKind::Missing)),
        // The same bytes lose nothing, whoever wrote them; a resolved merge conflict
        // in the manifest leaves such files.
        Found::File(there) if there == content => Ok(None),
        Found::File(there) => match ours.get(path) {
            Some(hash) if *hash == digest(&there) => Ok(Some(DifferenceKind::Changed)),
            Some(_) => Ok(Some(DifferenceKind::Edited)),
            None => in_the_way(path),
        },
        Found::Below(file) if ours.contains_key(&file) => Ok(Some(DifferenceKind::Missing)),
        Found::Below(file) => in_the_way(&file),
        Found::Other => match foreign(&dir.join(path), path, ours)? {
            Some(file) => in_the_way(&file),
            None => Ok(Some(DifferenceKind::Missing)),
        },
    }
}

/// The first thing in a folder that carrier did not write; `None` where all is ours
/// and will go.
fn foreign(folder: &Path, path: &str, ours: &BTreeMap<String, String>) -> Result<Option<String>, FilesError> {
    if !folder.is_dir() {
        return Ok(Some(path.to_owned()));
    }
    for entry in fs::read_dir(folder).map_err(FilesError::io("read", folder))? {
        let entry = entry.map_err(FilesError::io("read", folder))?;
        let below = format!("{path}/{}", entry.file_name().to_string_lossy());
        let kind = entry.file_type().map_err(FilesError::io("read", folder))?;
        let found = if kind.is_dir() {
            foreign(&entry.path(), &below, ours)?
        } else {
            (!kind.is_file() || !ours.contains_key(&below)).then_some(below)
        };
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

pub(super) fn remove_staging(staging: &Path) -> Result<(), FilesError> {
    // A link in its place is removed as a link: `remove_dir_all` does not follow it.
    match fs::remove_dir_all(staging) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(FilesError::Io { doing: "remove", path: staging.to_owned(), source: error })
        }
        _ => Ok(()),
    }
}
