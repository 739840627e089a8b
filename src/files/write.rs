//! Writes a set of files into an output folder.
//!
//! [`plan_write`] compares and checks everything, then [`WritePlan::apply`] writes.
//! Only files in the ownership manifest of the folder are changed or removed, since
//! carrier wrote them. Line ends do not count: Git may have changed them. Each file is written to a staging folder and renamed. The
//! manifest is written first with the old and the new files, and last with only the
//! new ones, so that after an interrupted run the next one still knows which files
//! carrier owns and reaches the same state. (Files are not synced to the disk: after
//! a power failure, the next run finds incomplete files by their content.)

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use super::FilesError;
use super::line_ends::{lf, same};
use super::manifest::{MANIFEST, Manifest, STAGING, check_path};
use super::regular::{Regular, read_regular};
use super::walk::MAX_FILE_BYTES;
use crate::model::digest::sha256 as digest;

/// How a file in the folder differs from the file to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DifferenceKind {
    /// The file does not exist.
    Missing,
    /// The file is as carrier wrote it, and its content has to change.
    Changed,
    /// The file was edited after carrier wrote it.
    Edited,
    /// The file has to be removed.
    Stale,
    /// The file has to be removed, and was edited after carrier wrote it.
    StaleEdited,
}

/// A file that differs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Difference {
    /// The path of the file, relative to the folder, with `/`.
    pub path: String,
    /// How the file differs.
    pub kind: DifferenceKind,
}

/// The result of [`WritePlan::apply`], in numbers of files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Written {
    /// New files, and files with new content.
    pub written: usize,
    /// Removed files.
    pub removed: usize,
    /// Files that already had the right content.
    pub unchanged: usize,
}

/// The changes to make to a folder. Made by [`plan_write`].
#[derive(Debug)]
pub struct WritePlan<'a> {
    dir: PathBuf,
    files: &'a BTreeMap<String, Vec<u8>>,
    differences: Vec<Difference>,
    before: Option<Manifest>,
    after: Manifest,
}

/// Compares `files`, from path relative to `dir` to content, with the files in `dir`.
/// Writes nothing.
///
/// # Errors
/// If `dir` has files and no ownership manifest, if writing would change or remove a
/// file that carrier does not own, or if a path is invalid or leads through a link.
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
        // If a link or a folder has replaced the file, it is not removed.
        let kind = match path_state(dir, path)? {
            PathState::File(content) if digest(&lf(&content)) == *hash => DifferenceKind::Stale,
            PathState::File(_) | PathState::TooLarge => DifferenceKind::StaleEdited,
            PathState::Absent | PathState::Other | PathState::BelowFile(_) => continue,
        };
        differences.push(Difference { path: path.clone(), kind });
    }
    differences.sort();
    let after = Manifest::new(files.iter().map(|(path, content)| (path.clone(), digest(content))).collect());
    Ok(WritePlan { dir: dir.to_owned(), files, differences, before, after })
}

/// Checks that no part of the path of a folder below `root` is a symbolic link, so that an output folder that
/// `carrier.yaml` names is inside the repository.
///
/// # Errors
/// [`FilesError::Link`] for a link.
pub fn no_link(root: &Path, folder: &str) -> Result<(), FilesError> {
    path_state(root, folder).map(|_| ())
}

/// The differences between `files` and `dir`, including the ownership manifest; empty
/// if a write would change nothing. Writes nothing.
///
/// # Errors
/// As [`plan_write`].
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

/// What is in a file below `dir` now; `None` where there is no regular file.
///
/// # Errors
/// When it cannot be read, or a folder above it or the file itself is a symbolic link.
pub(crate) fn content(dir: &Path, path: &str) -> Result<Option<Vec<u8>>, FilesError> {
    match path_state(dir, path)? {
        PathState::File(content) => Ok(Some(content)),
        PathState::Absent | PathState::Other | PathState::BelowFile(_) | PathState::TooLarge => Ok(None),
    }
}

impl WritePlan<'_> {
    /// The files that will be written or removed, by path.
    #[must_use]
    pub fn differences(&self) -> &[Difference] {
        &self.differences
    }

    /// Writes and removes the files.
    ///
    /// # Errors
    /// If the operating system refuses a write. Another run then completes the changes.
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
        // From here on, the manifest lists all files that this run may leave behind. An
        // existing file keeps its old digest until the end, so that after an interrupted
        // run edited files are still recognized.
        let mut all = self.after.files.clone();
        all.extend(self.before.iter().flat_map(|m| m.files.clone()));
        self.write_manifest(&Manifest::new(all), staging)?;

        let mut written = Written::default();
        // Removes files first whose path becomes a folder, or whose folder becomes a file.
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

    /// Whether a new file is below this path, or this path is below a new file.
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
        // Removes folders that are empty now; `remove_dir` fails at the first that is not.
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
        // With CRLF it has a byte more a line.
        if matches!(read_regular(&target, bytes.len() * 2), Ok(Regular::Content(there)) if same(&there, &bytes)) {
            return Ok(());
        }
        replace(&target, &bytes, staging)
    }
}

/// Writes a file to the staging folder and renames it, so that a reader sees the old or the new file.
pub(super) fn replace(target: &Path, content: &[u8], staging: &Path) -> Result<(), FilesError> {
    let staged = staging.join("file");
    fs::write(&staged, content).map_err(FilesError::io("write", &staged))?;
    fs::rename(&staged, target).map_err(FilesError::io("write", target))
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

/// The folders of a path, the nearest first: `a/b` and `a` for `a/b/c`.
fn parents(path: &str) -> impl Iterator<Item = &str> {
    path.rmatch_indices('/').map(|(at, _)| &path[..at])
}

fn is_empty(dir: &Path) -> Result<bool, FilesError> {
    for entry in WalkDir::new(dir).min_depth(1).max_depth(1) {
        match entry {
            // What a run left behind that was cut short before its first manifest.
            Ok(entry) if entry.file_name() == STAGING => {}
            Ok(_) => return Ok(false),
            Err(error) if error.io_error().is_some_and(|e| e.kind() == ErrorKind::NotFound) => return Ok(true),
            Err(error) => return Err(FilesError::walk(dir, error)),
        }
    }
    Ok(true)
}

/// The state of a path below a folder.
pub(super) enum PathState {
    /// It does not exist.
    Absent,
    /// A regular file, with its content.
    File(Vec<u8>),
    /// A regular file that is larger than any that carrier writes.
    TooLarge,
    /// A folder, or a special file.
    Other,
    /// It cannot exist, because the parent with this path is a file.
    BelowFile(String),
}

/// The state of a path below `dir`. Does not follow symbolic links: they are [`FilesError::Link`].
pub(super) fn path_state(dir: &Path, path: &str) -> Result<PathState, FilesError> {
    let mut folders: Vec<&str> = parents(path).collect();
    folders.reverse();
    for parent in folders {
        let folder = dir.join(parent);
        match folder.symlink_metadata() {
            Ok(metadata) if metadata.is_symlink() => return Err(FilesError::Link(folder)),
            Ok(metadata) if metadata.is_dir() => {}
            Ok(_) => return Ok(PathState::BelowFile(parent.to_owned())),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(PathState::Absent),
            Err(source) => return Err(FilesError::Io { doing: "read", path: folder, source }),
        }
    }
    let target = dir.join(path);
    match read_regular(&target, MAX_FILE_BYTES).map_err(FilesError::io("read", &target))? {
        Regular::Absent => Ok(PathState::Absent),
        Regular::Content(content) => Ok(PathState::File(content)),
        Regular::Link => Err(FilesError::Link(target)),
        Regular::Special => Ok(PathState::Other),
        Regular::TooLarge => Ok(PathState::TooLarge),
    }
}

/// How a file differs from `content`; `None` if it does not. A file that carrier does not own is an error.
fn compare(
    dir: &Path,
    path: &str,
    content: &[u8],
    ours: &BTreeMap<String, String>,
) -> Result<Option<DifferenceKind>, FilesError> {
    let in_the_way = |path: &str| Err(FilesError::InTheWay(dir.join(path)));
    match path_state(dir, path)? {
        PathState::Absent => Ok(Some(DifferenceKind::Missing)),
        // A file with the right content needs no owner. Such files exist after a merge
        // conflict in the manifest was resolved.
        PathState::File(there) if same(&there, content) => Ok(None),
        PathState::File(there) => match ours.get(path) {
            Some(hash) if *hash == digest(&lf(&there)) => Ok(Some(DifferenceKind::Changed)),
            Some(_) => Ok(Some(DifferenceKind::Edited)),
            None => in_the_way(path),
        },
        PathState::TooLarge if ours.contains_key(path) => Ok(Some(DifferenceKind::Edited)),
        PathState::TooLarge => in_the_way(path),
        PathState::BelowFile(file) if ours.contains_key(&file) => Ok(Some(DifferenceKind::Missing)),
        PathState::BelowFile(file) => in_the_way(&file),
        PathState::Other => match foreign(&dir.join(path), path, ours)? {
            Some(file) => in_the_way(&file),
            None => Ok(Some(DifferenceKind::Missing)),
        },
    }
}

/// The first thing in a folder that carrier did not write; `None` where all is ours
/// and will go.
fn foreign(folder: &Path, path: &str, ours: &BTreeMap<String, String>) -> Result<Option<String>, FilesError> {
    // In order of name, so that the same one is named every time; a link is foreign, whatever it leads to.
    for entry in WalkDir::new(folder).follow_root_links(false).sort_by_file_name() {
        let entry = entry.map_err(|error| FilesError::walk(folder, error))?;
        if entry.file_type().is_dir() {
            continue;
        }
        let below = entry.path().strip_prefix(folder).unwrap_or(entry.path());
        let path = below.iter().fold(path.to_owned(), |path, part| format!("{path}/{}", part.to_string_lossy()));
        if !entry.file_type().is_file() || !ours.contains_key(&path) {
            return Ok(Some(path));
        }
    }
    Ok(None)
}

pub(super) fn remove_staging(staging: &Path) -> Result<(), FilesError> {
    // `remove_dir_all` removes a link instead of following it.
    match fs::remove_dir_all(staging) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(FilesError::Io { doing: "remove", path: staging.to_owned(), source: error })
        }
        _ => Ok(()),
    }
}
