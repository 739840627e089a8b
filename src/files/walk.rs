//! Reads a repository: finds its files and reads their text.
//!
//! The result depends only on the folder, not on the machine: global Git settings,
//! the order of directory entries, and links to other folders have no effect. A file
//! that cannot be read is reported as a diagnostic, and is in the [`Sources`] with an
//! empty text, so that the diagnostic has a path.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::io::Read as _;
use std::ops::Range;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use ignore::{DirEntry, WalkBuilder};
use walkdir::WalkDir;

use super::encoding::{self, NotText};
use super::manifest::Manifest;
use super::patterns::bad_patterns;
use super::root::{CONFIG, LOCK, below_git_root};
use super::{FilesError, MANIFEST};
use crate::model::codes::{Code, io as codes};
use crate::model::diagnostic::{Diagnostic, Diagnostics};
use crate::model::source::{SourceFile, Sources, Span};

/// The maximum size of a file, in bytes; the same as the limit of the YAML reader.
pub(crate) const MAX_FILE_BYTES: usize = crate::yaml::limits::MAX_BYTES;
/// The maximum size of all files together, in bytes.
pub(crate) const MAX_TOTAL_BYTES: usize = 512 * 1024 * 1024;
const MIB: usize = 1024 * 1024;
/// The maximum number of files.
pub(crate) const MAX_FILES: usize = 100_000;

/// Options of [`read_repository`].
#[derive(Debug, Clone, Default)]
pub struct ReadOptions {
    /// Folders to leave out, relative to the root, such as the output folder.
    pub exclude: Vec<PathBuf>,
}

/// Reads `*.yaml` and `*.yml` below `root`, and its `carrier.yaml` and `carrier.lock`.
///
/// It leaves out hidden files and folders, files that `.gitignore` and
/// `.carrierignore` match (also without a `.git`), the excluded folders, and folders
/// with an ownership manifest, which carrier wrote; it reports these folders. It follows
/// symbolic links to files of the repository, and reports other links.
///
/// # Errors
/// If the folder itself cannot be read.
pub fn read_repository(root: &Path, options: &ReadOptions) -> Result<(Sources, Diagnostics), FilesError> {
    let root = root.canonicalize().map_err(FilesError::io("read", root))?;
    let mut reader = Reader::new(root.clone());
    for name in [CONFIG, LOCK] {
        if root.join(name).symlink_metadata().is_ok() {
            reader.file(&root.join(name), name.to_owned());
        }
    }
    reader.folder(&options.exclude)?;
    Ok(reader.finish())
}

/// Reads files and folders that a user names, relative to the folder `base` or
/// anywhere else. A file, pipe or device is read under any name; a folder is read as
/// by [`read_repository`]. Paths in the result begin as the user named them. `more`
/// are files that were read before, such as the standard input.
///
/// # Errors
/// If a named file or folder does not exist or cannot be read.
pub fn read_paths(base: &Path, paths: &[PathBuf], more: Vec<SourceFile>) -> Result<(Sources, Diagnostics), FilesError> {
    let mut all = more;
    let mut reports = Vec::new();
    for named in paths {
        let path = &base.join(named);
        let metadata = path.metadata().map_err(FilesError::io("read", path))?;
        let name = named.to_string_lossy().replace('\\', "/");
        // A pipe or device keeps its path: `/dev/fd/63` cannot be resolved further.
        let stream = !metadata.is_dir() && !metadata.is_file();
        let real = if stream { Ok(path.clone()) } else { path.canonicalize() };
        let mut reader =
            Reader { whole: "the given folder", ..Reader::new(real.map_err(FilesError::io("read", path))?) };
        if metadata.is_dir() {
            let prefix = name.trim_end_matches('/').to_owned();
            reader.folder(&[])?;
            all.extend(reader.files.into_iter().map(|f| SourceFile { path: format!("{prefix}/{}", f.path), ..f }));
            reports.extend(
                reader.reports.into_iter().map(|c| Report { path: c.path.map(|p| format!("{prefix}/{p}")), ..c }),
            );
        } else {
            let real = reader.root.clone();
            reader.named = true;
            reader.take(name, if stream { read_open(&real, 0) } else { read_limited(&real) });
            all.append(&mut reader.files);
            reports.append(&mut reader.reports);
        }
    }
    all.sort_by(|a, b| a.path.cmp(&b.path));
    all.dedup_by(|a, b| a.path == b.path);
    Ok(placed(all, reports))
}

/// A diagnostic whose file has no id yet.
struct Report {
    code: &'static Code,
    path: Option<String>,
    range: Range<usize>,
    message: String,
    help: &'static str,
}

impl Report {
    /// A report without a place.
    fn new(code: &'static Code, message: String, help: &'static str) -> Self {
        Self { code, path: None, range: 0..0, message, help }
    }
}

/// Collects files, and reports those that cannot be read.
pub(super) struct Reader {
    root: PathBuf,
    /// The name of the root in messages.
    whole: &'static str,
    /// Whether the root is a file that the user has named.
    named: bool,
    files: Vec<SourceFile>,
    seen: BTreeSet<String>,
    reports: Vec<Report>,
    bytes: usize,
}

impl Reader {
    pub(super) fn new(root: PathBuf) -> Self {
        Self {
            root,
            whole: "the repository",
            named: false,
            files: Vec::new(),
            seen: BTreeSet::new(),
            reports: Vec::new(),
            bytes: 0,
        }
    }

    /// The number of files so far.
    pub(super) fn len(&self) -> usize {
        self.files.len()
    }

    pub(super) fn finish(self) -> (Sources, Diagnostics) {
        placed(self.files, self.reports)
    }

    fn folder(&mut self, exclude: &[PathBuf]) -> Result<(), FilesError> {
        // A walk of a folder that cannot be read would look like an empty repository.
        fs::read_dir(&self.root).map_err(FilesError::io("read", &self.root))?;
        let exclude: Vec<PathBuf> = exclude.iter().map(|p| self.root.join(p)).collect();
        // The ignore files above the root count up to the root of the Git work tree, at which the
        // walk only stops with `require_git`. Without Git, folders above the root do not count.
        let below_git = below_git_root(&self.root);
        let rendered: Arc<Mutex<Vec<PathBuf>>> = Arc::default();
        let found = Arc::clone(&rendered);
        let walk = WalkBuilder::new(&self.root)
            .standard_filters(false)
            .hidden(true)
            .git_ignore(true)
            .require_git(below_git)
            .parents(below_git)
            .add_custom_ignore_filename(".carrierignore")
            .follow_links(false)
            .sort_by_file_name(Ord::cmp)
            .filter_entry(move |entry| {
                let is_folder = entry.depth() > 0 && entry.file_type().is_some_and(|kind| kind.is_dir());
                if !is_folder || exclude.iter().any(|excluded| excluded == entry.path()) {
                    return !is_folder;
                }
                // A link or a device of this name is no manifest, and that has to be said.
                let is_rendered = entry.path().join(MANIFEST).symlink_metadata().is_ok();
                if is_rendered {
                    found.lock().unwrap_or_else(PoisonError::into_inner).push(entry.path().to_owned());
                }
                !is_rendered
            })
            .build();
        for entry in walk {
            if self.files.len() >= MAX_FILES {
                self.report(&codes::TOO_MANY, None, format!("more than {MAX_FILES} YAML files"), IGNORE);
                break;
            }
            match entry {
                Ok(entry) => self.entry(&entry),
                Err(error) => self.walk_error(&error),
            }
        }
        let rendered = std::mem::take(&mut *rendered.lock().unwrap_or_else(PoisonError::into_inner));
        for folder in &rendered {
            self.rendered(folder);
        }
        Ok(())
    }

    /// Reports a folder that is not read because carrier wrote it, and what is in it all the same.
    fn rendered(&mut self, folder: &Path) {
        let Some(name) = self.portable(folder) else { return };
        let files = match Manifest::read(folder) {
            Ok(Some(manifest)) => manifest.files,
            // It has gone meanwhile.
            Ok(None) => return,
            Err(error) => {
                let why = self.shorten(&error.to_string());
                let message = format!("`{name}` is not read, and it is not known whether carrier wrote it: {why}");
                let help = "restore the file `.carrier-manifest.json` there from Git, or delete it if carrier did not write the folder";
                return self.report(&codes::UNREADABLE, None, message, help);
            }
        };
        let help = "delete the file `.carrier-manifest.json` there if the folder holds sources";
        self.report(&codes::RENDERED, None, is_rendered(&name), help);
        let is_yaml = |path: &Path| path.extension().is_some_and(|e| e == "yaml" || e == "yml");
        let is_hidden = |name: &OsStr| name.to_string_lossy().starts_with('.');
        let mut others = Vec::new();
        let walk = WalkDir::new(folder).sort_by_file_name().into_iter();
        let entries = walk.filter_entry(|entry| entry.depth() == 0 || !is_hidden(entry.file_name()));
        for entry in entries.filter_map(Result::ok).take(MAX_FILES).filter(|entry| !entry.file_type().is_dir()) {
            let below = entry.path().strip_prefix(folder).unwrap_or(entry.path());
            let below: Vec<_> = below.iter().map(|part| part.to_string_lossy()).collect();
            let below = below.join("/");
            if is_yaml(entry.path()) && !files.contains_key(&below) {
                others.push(below);
            }
        }
        let Some(first) = others.first() else { return };
        let first = first.escape_debug();
        let (message, help) = match others.len() {
            1 => (
                format!(
                    "`{name}/{first}` is not read: carrier did not write it, but it is in a folder that carrier wrote"
                ),
                "move it out of the folder, or list the folder in `.carrierignore`",
            ),
            n => (
                format!(
                    "`{name}/{first}` and {} more are not read: carrier did not write them, but they are in a folder that carrier wrote",
                    n - 1
                ),
                "move them out of the folder, or list the folder in `.carrierignore`",
            ),
        };
        self.report(&codes::NOT_READ, None, message, help);
    }

    fn entry(&mut self, entry: &DirEntry) {
        if let Some(error) = entry.error() {
            self.bad_patterns(error);
        }
        let Some(kind) = entry.file_type().filter(|_| entry.depth() > 0) else { return };
        if kind.is_dir() {
            return;
        }
        let yaml = entry.path().extension().is_some_and(|e| e == "yaml" || e == "yml");
        if !yaml && !kind.is_symlink() {
            return;
        }
        let Some(path) = self.portable(entry.path()) else { return };
        if kind.is_symlink() {
            self.link(entry.path(), path, yaml);
        } else {
            self.file(entry.path(), path);
        }
    }

    /// Reports each line of an ignore file that is not a valid pattern.
    fn bad_patterns(&mut self, error: &ignore::Error) {
        for bad in bad_patterns(error) {
            let why = self.shorten(&bad.why);
            let message = match &bad.pattern {
                Some(pattern) => format!("`{pattern}` is not a valid pattern: {why}"),
                None => why,
            };
            let path = bad.file.strip_prefix(&self.root).ok().and_then(|p| p.to_str()).filter(|p| !p.is_empty());
            let path = path.map(|p| p.replace('\\', "/"));
            let mut range = 0..0;
            if let (Some(path), Some((text, line))) = (&path, bad.place) {
                range = line;
                if self.seen.insert(path.clone()) {
                    self.files.push(SourceFile { path: path.clone(), text: text.into() });
                }
            }
            let help = "use the syntax of `.gitignore`; this line has no effect";
            self.reports.push(Report { path, range, ..Report::new(&codes::BAD_IGNORE, message, help) });
        }
    }

    /// The path below the root with `/`. Reports a path that is not valid on every system, and returns `None`.
    pub(super) fn portable(&mut self, path: &Path) -> Option<String> {
        let below = path.strip_prefix(&self.root).unwrap_or(path);
        let mut parts = Vec::new();
        for part in below.components() {
            let Component::Normal(part) = part else { continue };
            let why = match part.to_str() {
                None => "is not UTF-8",
                Some(name) if name.contains('\\') => "contains `\\`, which separates folders on other systems",
                Some(name) if name.chars().any(char::is_control) => "contains a control character",
                Some(name) => {
                    parts.push(name);
                    continue;
                }
            };
            let message = format!("the name of `{}` {why}", below.display().to_string().escape_default());
            self.report(&codes::FILE_NAME, None, message, "rename it");
            return None;
        }
        Some(parts.join("/"))
    }

    /// Reads a link to a file of the repository as that file, and reports other links.
    fn link(&mut self, real: &Path, path: String, yaml: bool) {
        match real.canonicalize() {
            Ok(target) if target.is_dir() => {
                let (code, message) = if target.starts_with(&self.root) {
                    (&codes::LINK_LOOP, format!("`{path}` is a link to a folder of {}", self.whole))
                } else {
                    (&codes::LEAVES_REPOSITORY, format!("`{path}` is a link to a folder outside {}", self.whole))
                };
                self.refuse(code, path, message, "replace the link with the files, or list it in `.carrierignore`");
            }
            // Files in `.git` may hold credentials, which a snippet in a diagnostic would show.
            Ok(target) if yaml && target.strip_prefix(&self.root).is_ok_and(|t| t.iter().any(|p| p == ".git")) => {
                let message = format!("`{path}` is a link to a file in `.git`");
                self.refuse(&codes::LEAVES_REPOSITORY, path, message, "remove the link");
            }
            Ok(target) if yaml && target.starts_with(&self.root) => self.regular(&target, path),
            Ok(_) if yaml => {
                let message = format!("`{path}` is a link to a file outside {}", self.whole);
                self.refuse(
                    &codes::LEAVES_REPOSITORY,
                    path,
                    message,
                    "replace the link with the file, or list it in `.carrierignore`",
                );
            }
            Err(_) if yaml => {
                let message = format!("`{path}` is a link to a file that does not exist");
                self.refuse(&codes::LEAVES_REPOSITORY, path, message, "remove the link, or add the file");
            }
            // Links without a YAML extension are ignored, like other files.
            Ok(_) | Err(_) => {}
        }
    }

    fn file(&mut self, real: &Path, path: String) {
        match real.symlink_metadata() {
            Ok(metadata) if metadata.is_symlink() => self.link(real, path, true),
            _ => self.regular(real, path),
        }
    }

    fn regular(&mut self, real: &Path, path: String) {
        if !self.seen.contains(&path) {
            self.take(path, read_limited(real));
        }
    }

    /// Adds a file, or reports why it could not be read.
    pub(super) fn take(&mut self, path: String, read: Result<String, ReadError>) {
        self.seen.insert(path.clone());
        // These two are read in any case, and so is a file that is named by itself.
        let is_ours = path == LOCK || path == CONFIG;
        let needed = is_ours || self.named;
        let text = match read {
            Ok(text) => text,
            Err(ReadError::TooLarge) => {
                let message = format!("`{path}` is larger than {} MiB", MAX_FILE_BYTES / MIB);
                let help = "split it at a `---`, or list it in `.carrierignore`";
                return self.refuse(&codes::FILE_TOO_LARGE, path, message, help);
            }
            Err(ReadError::NotText(NotText::NotUtf8(at))) => {
                let message = format!("`{path}` is not valid UTF-8 at byte {at}");
                let help = if needed { "save it as UTF-8" } else { "save it as UTF-8, or list it in `.carrierignore`" };
                return self.refuse(&codes::NOT_UTF8, path, message, help);
            }
            Err(ReadError::NotText(NotText::Utf16)) => {
                let message = format!("`{path}` {UTF_16}");
                let help = if needed { SAVE_AS_UTF_8 } else { SAVE_AS_UTF_8_OR_IGNORE };
                return self.refuse(&codes::NOT_UTF8, path, message, help);
            }
            Err(ReadError::NotAFile) => {
                let message = format!("`{path}` is not a regular file");
                let help = if is_ours { "replace it with a regular file" } else { "list it in `.carrierignore`" };
                return self.refuse(&codes::UNREADABLE, path, message, help);
            }
            Err(ReadError::Io(error)) => {
                let message = format!("`{path}` cannot be read: {error}");
                let help = if is_ours { "fix its permissions" } else { FIX };
                return self.refuse(&codes::UNREADABLE, path, message, help);
            }
        };
        self.bytes += text.len();
        if self.bytes > MAX_TOTAL_BYTES {
            self.bytes -= text.len();
            let message = format!("with `{path}` {} has more than {} MiB of YAML", self.whole, MAX_TOTAL_BYTES / MIB);
            return self.refuse(&codes::FILE_TOO_LARGE, path, message, IGNORE);
        }
        self.files.push(SourceFile { path, text: text.into() });
    }

    /// Reports a file, and adds it with an empty text.
    pub(super) fn refuse(&mut self, code: &'static Code, path: String, message: String, help: &'static str) {
        self.seen.insert(path.clone());
        self.files.push(SourceFile { path: path.clone(), text: "".into() });
        self.report(code, Some(path), message, help);
    }

    pub(super) fn report(&mut self, code: &'static Code, path: Option<String>, message: String, help: &'static str) {
        self.reports.push(Report { path, ..Report::new(code, message, help) });
    }

    fn walk_error(&mut self, error: &ignore::Error) {
        let message = self.shorten(&error.to_string());
        if error.is_io() {
            self.report(&codes::UNREADABLE, None, message, FIX);
        } else {
            self.bad_patterns(error);
        }
    }

    /// Removes the root from the absolute paths in a message of the walk.
    fn shorten(&self, message: &str) -> String {
        let prefix = format!("{}{}", self.root.display(), std::path::MAIN_SEPARATOR);
        message.replace(&prefix, "")
    }
}

/// What is said of a text in UTF-16, after its name.
pub(crate) const UTF_16: &str = "is UTF-16, as `>` of Windows PowerShell writes it, and Kubernetes reads UTF-8 only";
/// How to make UTF-8 of it.
const SAVE_AS_UTF_8: &str = "write it in PowerShell with `… | Out-File -Encoding utf8 FILE` instead of `>`, or convert it: `iconv -f UTF-16 -t UTF-8 FILE`";
const SAVE_AS_UTF_8_OR_IGNORE: &str = "write it in PowerShell with `… | Out-File -Encoding utf8 FILE` instead of `>`, or convert it: `iconv -f UTF-16 -t UTF-8 FILE`; if it is not for carrier, list it in `.carrierignore`";
const FIX: &str = "fix its permissions, or list it in `.carrierignore`";
const IGNORE: &str = "list files that carrier should not read in `.carrierignore`";

/// What is said of a folder that is not read because carrier wrote it.
#[must_use]
pub(crate) fn is_rendered(folder: &str) -> String {
    format!("`{folder}` is not read: by its `{MANIFEST}` it was written by `carrier render`")
}

/// Why a file cannot be read.
pub(super) enum ReadError {
    TooLarge,
    NotText(NotText),
    NotAFile,
    Io(std::io::Error),
}

pub(super) fn read_limited(path: &Path) -> Result<String, ReadError> {
    // Opening a pipe may block, and a device may never end.
    let metadata = path.metadata().map_err(ReadError::Io)?;
    if !metadata.is_file() {
        return Err(ReadError::NotAFile);
    }
    let limit = MAX_FILE_BYTES as u64;
    if metadata.len() > limit {
        return Err(ReadError::TooLarge);
    }
    read_open(path, metadata.len())
}

/// Reads a file, pipe or device up to the maximum size. `length` is the expected size in bytes.
fn read_open(path: &Path, length: u64) -> Result<String, ReadError> {
    let limit = MAX_FILE_BYTES as u64;
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or(0));
    let file = fs::File::open(path).map_err(ReadError::Io)?;
    // The file may grow while it is being read.
    file.take(limit + 1).read_to_end(&mut bytes).map_err(ReadError::Io)?;
    if bytes.len() > MAX_FILE_BYTES {
        return Err(ReadError::TooLarge);
    }
    encoding::text(bytes).map_err(ReadError::NotText)
}

/// The sources, and the reports as diagnostics that refer to them.
fn placed(files: Vec<SourceFile>, reports: Vec<Report>) -> (Sources, Diagnostics) {
    let sources = Sources::new(files);
    let mut diagnostics = Diagnostics::default();
    for report in reports {
        let id = report.path.as_deref().and_then(|p| sources.by_path(p)).map(|(id, _)| id);
        let diagnostic = match id {
            Some(id) => {
                Diagnostic::new(report.code, Span::new(id, report.range.start, report.range.end), report.message)
            }
            None => Diagnostic::unplaced(report.code, report.message),
        };
        diagnostics.push(diagnostic.help(report.help));
    }
    (sources, diagnostics)
}
