//! Reading a repository: which files are its, and their text.
//!
//! What is read depends on the folder alone, not on the machine: no global Git
//! settings, no order of directory entries, no links that lead elsewhere. A file
//! that should be read and cannot be is a diagnostic; it then stands in the
//! [`Sources`] with no text, so that the diagnostic has a path.

use std::collections::BTreeSet;
use std::fs;
use std::io::Read as _;
use std::ops::Range;
use std::path::{Component, Path, PathBuf};

use ignore::{DirEntry, WalkBuilder};

use super::patterns::bad_patterns;
use super::root::{CONFIG, LOCK, below_git_root};
use super::{FilesError, MANIFEST};
use crate::model::codes::{Code, io as codes};
use crate::model::diagnostic::{Diagnostic, Diagnostics};
use crate::model::source::{SourceFile, Sources, Span};

/// The largest file that is read, in bytes; the same as the YAML reader's limit.
pub const MAX_FILE_BYTES: usize = crate::yaml::read::MAX_BYTES;
/// The most bytes of all files together.
pub const MAX_TOTAL_BYTES: usize = 512 * 1024 * 1024;
const MIB: usize = 1024 * 1024;
/// The most files.
pub const MAX_FILES: usize = 100_000;

/// What not to read.
#[derive(Debug, Clone, Default)]
pub struct ReadOptions {
    /// Folders left out, relative to the root, such as the output folder.
    pub exclude: Vec<PathBuf>,
}

/// Reads `*.yaml` and `*.yml` below `root`, and its `carrier.yaml` and `carrier.lock`.
///
/// Left out are hidden files and folders, what `.gitignore` and `.carrierignore`
/// name (whether or not there is a `.git`), the excluded folders, and every folder
/// that carrier wrote, which its ownership manifest tells. Links to files of the
/// repository are followed; other links are refused.
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

/// Reads files and folders that a user names from the folder `base`, wherever they
/// lie: a file whatever its name, also a pipe or a device, a folder as [`read_repository`] would. Their paths
/// in the result are as named. `more` are files that were read already, such as the
/// standard input.
pub fn read_paths(base: &Path, paths: &[PathBuf], more: Vec<SourceFile>) -> Result<(Sources, Diagnostics), FilesError> {
    let mut all = more;
    let mut complaints = Vec::new();
    for named in paths {
        let path = &base.join(named);
        let metadata = path.metadata().map_err(FilesError::io("read", path))?;
        let name = named.to_string_lossy().replace('\\', "/");
        // What is no file has no path of its own: `/dev/fd/63` is that of the process.
        let stream = !metadata.is_dir() && !metadata.is_file();
        let real = if stream { Ok(path.clone()) } else { path.canonicalize() };
        let mut reader =
            Reader { whole: "the given folder", ..Reader::new(real.map_err(FilesError::io("read", path))?) };
        if metadata.is_dir() {
            let prefix = name.trim_end_matches('/').to_owned();
            reader.folder(&[])?;
            all.extend(reader.files.into_iter().map(|f| SourceFile { path: format!("{prefix}/{}", f.path), ..f }));
            complaints.extend(
                reader.complaints.into_iter().map(|c| Complaint { path: c.path.map(|p| format!("{prefix}/{p}")), ..c }),
            );
        } else {
            let real = reader.root.clone();
            reader.take(name, if stream { read_open(&real, 0) } else { read_limited(&real) });
            all.append(&mut reader.files);
            complaints.append(&mut reader.complaints);
        }
    }
    all.sort_by(|a, b| a.path.cmp(&b.path));
    all.dedup_by(|a, b| a.path == b.path);
    Ok(placed(all, complaints))
}

/// A diagnostic before its file has an id.
struct Complaint {
    code: &'static Code,
    path: Option<String>,
    range: Range<usize>,
    message: String,
    help: &'static str,
}

/// Takes files in, and complains about those that cannot be.
pub(super) struct Reader {
    root: PathBuf,
    /// What the root is called in messages.
    whole: &'static str,
    files: Vec<SourceFile>,
    seen: BTreeSet<String>,
    complaints: Vec<Complaint>,
    bytes: usize,
}

impl Reader {
    pub(super) fn new(root: PathBuf) -> Self {
        Self {
            root,
            whole: "the repository",
            files: Vec::new(),
            seen: BTreeSet::new(),
            complaints: Vec::new(),
            bytes: 0,
        }
    }

    /// How many files there are.
    pub(super) fn len(&self) -> usize {
        self.files.len()
    }

    pub(super) fn finish(self) -> (Sources, Diagnostics) {
        placed(self.files, self.complaints)
    }

    fn folder(&mut self, exclude: &[PathBuf]) -> Result<(), FilesError> {
        // A walk of nothing would be an empty repository without a word.
        fs::read_dir(&self.root).map_err(FilesError::io("read", &self.root))?;
        let exclude: Vec<PathBuf> = exclude.iter().map(|p| self.root.join(p)).collect();
        // Above the root, Git's own files count up to the Git root (which the walk only
        // watches for when told that it needs one); without Git nothing above is ours.
        let below_git = below_git_root(&self.root);
        let walk = WalkBuilder::new(&self.root)
            .standard_filters(false)
            .hidden(true)
            .git_ignore(true)
            .require_git(below_git)
            .parents(below_git)
            .add_custom_ignore_filename(".carrierignore")
            .follow_links(false)
            .sort_by_file_name(Ord::cmp)
            .filter_entry(move |entry| entry.depth() == 0 || !left_out(entry, &exclude))
            .build();
        for entry in walk {
            if self.files.len() >= MAX_FILES {
                self.complain(&codes::TOO_MANY, None, format!("more than {MAX_FILES} YAML files"), IGNORE);
                break;
            }
            match entry {
                Ok(entry) => self.entry(&entry),
                Err(error) => self.walk_error(&error),
            }
        }
        Ok(())
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

    /// Complains about each line of an ignore file that is no pattern, at the line.
    fn bad_patterns(&mut self, error: &ignore::Error) {
        for bad in bad_patterns(error) {
            let why = self.shorten(&bad.why);
            let message = match &bad.pattern {
                Some(pattern) => format!("`{pattern}` is no pattern: {why}"),
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
            let help = "write it as in git's `.gitignore`; as it is, it has no effect";
            self.complaints.push(Complaint { code: &codes::BAD_IGNORE, path, range, message, help });
        }
    }

    /// The path below the root with `/`; a path that has none is complained about.
    pub(super) fn portable(&mut self, path: &Path) -> Option<String> {
        let below = path.strip_prefix(&self.root).unwrap_or(path);
        let mut parts = Vec::new();
        for part in below.components() {
            let Component::Normal(part) = part else { continue };
            let why = match part.to_str() {
                None => "is not UTF-8",
                Some(name) if name.contains('\\') => "has a `\\` in it, which parts folders on other machines",
                Some(name) if name.chars().any(char::is_control) => "has a control character in it",
                Some(name) => {
                    parts.push(name);
                    continue;
                }
            };
            let message = format!("the name of `{}` {why}", below.display().to_string().escape_default());
            self.complain(&codes::FILE_NAME, None, message, "rename it");
            return None;
        }
        Some(parts.join("/"))
    }

    /// A link to a file of the repository is that file; any other link is refused.
    fn link(&mut self, real: &Path, path: String, yaml: bool) {
        match real.canonicalize() {
            Ok(target) if target.is_dir() => {
                let (code, message) = if target.starts_with(&self.root) {
                    (&codes::LINK_LOOP, format!("`{path}` is a link to a folder of {}", self.whole))
                } else {
                    (&codes::LEAVES_REPOSITORY, format!("`{path}` is a link to a folder outside {}", self.whole))
                };
                self.refuse(code, path, message, "copy the files into its place, or list the link in `.carrierignore`");
            }
            // Git's own files are no source text, and may hold credentials that a snippet would show.
            Ok(target) if yaml && target.strip_prefix(&self.root).is_ok_and(|t| t.iter().any(|p| p == ".git")) => {
                let message = format!("`{path}` is a link to a file of Git's own");
                self.refuse(&codes::LEAVES_REPOSITORY, path, message, "remove the link");
            }
            Ok(target) if yaml && target.starts_with(&self.root) => self.regular(&target, path),
            Ok(_) if yaml => {
                let message = format!("`{path}` is a link to a file outside {}", self.whole);
                self.refuse(
                    &codes::LEAVES_REPOSITORY,
                    path,
                    message,
                    "copy the file into its place, or list the link in `.carrierignore`",
                );
            }
            Err(_) if yaml => {
                let message = format!("`{path}` is a link that leads nowhere");
                self.refuse(
                    &codes::LEAVES_REPOSITORY,
                    path,
                    message,
                    "remove the link, or add the file that it leads to",
                );
            }
            // A link by another name is no file of ours.
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

    /// Takes in what was read.
    pub(super) fn take(&mut self, path: String, read: Result<String, ReadError>) {
        self.seen.insert(path.clone());
        let text = match read {
            Ok(text) => text,
            Err(ReadError::TooLarge) => {
                let message = format!("`{path}` has more than {} MiB", MAX_FILE_BYTES / MIB);
                let help = "split it at a `---`, or list it in `.carrierignore`";
                return self.refuse(&codes::FILE_TOO_LARGE, path, message, help);
            }
            Err(ReadError::NotUtf8(at)) => {
                let message = format!("`{path}` is not UTF-8: byte {at} begins no character");
                return self.refuse(
                    &codes::NOT_UTF8,
                    path,
                    message,
                    "save it as UTF-8, or list it in `.carrierignore`",
                );
            }
            Err(ReadError::NotAFile) => {
                let message = format!("`{path}` is not a regular file");
                return self.refuse(&codes::UNREADABLE, path, message, "list it in `.carrierignore`");
            }
            Err(ReadError::Io(error)) => {
                let message = format!("`{path}` cannot be read: {error}");
                return self.refuse(
                    &codes::UNREADABLE,
                    path,
                    message,
                    "mend its permissions, or list it in `.carrierignore`",
                );
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

    /// Complains about a file, which then has no text.
    pub(super) fn refuse(&mut self, code: &'static Code, path: String, message: String, help: &'static str) {
        self.seen.insert(path.clone());
        self.files.push(SourceFile { path: path.clone(), text: "".into() });
        self.complain(code, Some(path), message, help);
    }

    pub(super) fn complain(&mut self, code: &'static Code, path: Option<String>, message: String, help: &'static str) {
        self.complaints.push(Complaint { code, path, range: 0..0, message, help });
    }

    fn walk_error(&mut self, error: &ignore::Error) {
        let message = self.shorten(&error.to_string());
        if error.is_io() {
            self.complain(&codes::UNREADABLE, None, message, "mend its permissions, or list it in `.carrierignore`");
        } else {
            self.bad_patterns(error);
        }
    }

    /// Messages of the walk name whole paths; the machine's part says nothing to a reader.
    fn shorten(&self, message: &str) -> String {
        let prefix = format!("{}{}", self.root.display(), std::path::MAIN_SEPARATOR);
        message.replace(&prefix, "")
    }
}

const IGNORE: &str = "list what is none of carrier's in `.carrierignore`";

fn left_out(entry: &DirEntry, exclude: &[PathBuf]) -> bool {
    entry.file_type().is_some_and(|t| t.is_dir())
        && (exclude.iter().any(|e| e == entry.path()) || entry.path().join(MANIFEST).is_file())
}

/// Why a file has no text.
pub(super) enum ReadError {
    TooLarge,
    NotUtf8(usize),
    NotAFile,
    Io(std::io::Error),
}

pub(super) fn read_limited(path: &Path) -> Result<String, ReadError> {
    // A pipe or a device would block or never end; ask before opening.
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

/// Reads whatever can be opened, no more of it than a file may have; `length` bytes are expected.
fn read_open(path: &Path, length: u64) -> Result<String, ReadError> {
    let limit = MAX_FILE_BYTES as u64;
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or(0));
    let file = fs::File::open(path).map_err(ReadError::Io)?;
    // The file may grow while it is read.
    file.take(limit + 1).read_to_end(&mut bytes).map_err(ReadError::Io)?;
    if bytes.len() > MAX_FILE_BYTES {
        return Err(ReadError::TooLarge);
    }
    String::from_utf8(bytes).map_err(|e| ReadError::NotUtf8(e.utf8_error().valid_up_to()))
}

/// Gives every complaint its place, now that the files have their order.
fn placed(files: Vec<SourceFile>, complaints: Vec<Complaint>) -> (Sources, Diagnostics) {
    let sources = Sources::new(files);
    let mut diagnostics = Diagnostics::default();
    for complaint in complaints {
        let id = complaint.path.as_deref().and_then(|p| sources.by_path(p)).map(|(id, _)| id);
        let diagnostic = match id {
            Some(id) => Diagnostic::new(
                complaint.code,
                Span::new(id, complaint.range.start, complaint.range.end),
                complaint.message,
            ),
            None => Diagnostic::unplaced(complaint.code, complaint.message),
        };
        diagnostics.push(diagnostic.help(complaint.help));
    }
    (sources, diagnostics)
}
