//! Reads a repository at a revision from the objects of Git, without the work tree,
//! the index or the network.
//!
//! The same files are read as from a folder ([`super::walk`]): files that match the
//! `.gitignore` or `.carrierignore` of the revision are left out, even if Git tracks
//! them.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};

use super::encoding;
use super::root::{CONFIG, LOCK};
use super::walk::{MAX_FILE_BYTES, MAX_FILES, ReadError, Reader};
use super::{FilesError, MANIFEST};
use crate::model::codes::io as codes;
use crate::model::diagnostic::Diagnostics;
use crate::model::source::Sources;

/// The number of symbolic links that are followed one after the other.
const MAX_LINKS: usize = 8;
/// The files with patterns, by precedence.
const IGNORE_FILES: [&str; 2] = [".carrierignore", ".gitignore"];

/// Reads the YAML files below `root` at a revision: a branch, a tag or a commit.
///
/// # Errors
/// If `root` is not in a Git repository, the revision does not exist, or Git cannot be run.
pub(crate) fn read_revision(root: &Path, revision: &str) -> Result<(Sources, Diagnostics), FilesError> {
    let git = Git { root };
    let commit = git.commit(revision)?;
    let prefix = git.text(&["rev-parse", "--show-prefix"])?;
    let entries = git.entries(&commit)?;
    let mut blobs = git.blobs()?;
    let ignored = Ignored::read(&commit, &prefix, &entries, &mut blobs)?;
    let mut reader = Reader::new(root.to_owned());
    let written: BTreeSet<&str> =
        entries.keys().filter_map(|path| path.strip_suffix(MANIFEST)?.strip_suffix('/')).collect();
    for (path, entry) in &entries {
        let own = path == CONFIG || path == LOCK;
        let yaml = Path::new(path).extension().is_some_and(|e| e == "yaml" || e == "yml");
        let rendered = written.iter().any(|folder| path.starts_with(&format!("{folder}/")));
        if !own && (!yaml || rendered || ignored.is_ignored(path)) {
            continue;
        }
        if reader.len() >= MAX_FILES {
            reader.report(
                &codes::TOO_MANY,
                None,
                format!("more than {MAX_FILES} YAML files"),
                "list files that carrier should not read in `.carrierignore`",
            );
            break;
        }
        let Some(name) = reader.portable(Path::new(path)) else { continue };
        match follow_links(path, entry, &entries, &mut blobs)? {
            Some(blob) => reader.take(name, blobs.text(blob)?),
            None => {
                let message = format!("`{name}` is a link that does not lead to a file of the repository");
                let help = "replace the link with the file, or list it in `.carrierignore`";
                reader.refuse(&codes::LEAVES_REPOSITORY, name, message, help);
            }
        }
    }
    Ok(reader.finish())
}

/// A file or symbolic link of a revision.
#[derive(Debug, Clone, PartialEq)]
struct Entry {
    link: bool,
    blob: Blob,
}

/// The content of an entry in Git's object database; `size` in bytes.
#[derive(Debug, Clone, PartialEq)]
struct Blob {
    id: String,
    size: u64,
}

struct Git<'a> {
    root: &'a Path,
}

impl Git<'_> {
    /// A Git command in the repository of the root, regardless of the environment. It does not prompt or fetch.
    fn command(&self) -> Command {
        let mut command = Command::new("git");
        command.arg("-C").arg(self.root).arg("--no-pager").stdin(Stdio::null()).stderr(Stdio::piped());
        for (name, value) in [
            ("GIT_NO_LAZY_FETCH", "1"),
            ("GIT_OPTIONAL_LOCKS", "0"),
            ("GIT_TERMINAL_PROMPT", "0"),
            ("GIT_NO_REPLACE_OBJECTS", "1"),
            ("LC_ALL", "C"),
        ] {
            command.env(name, value);
        }
        // If a Git hook runs carrier, these may name another repository.
        for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_OBJECT_DIRECTORY"] {
            command.env_remove(name);
        }
        command
    }

    fn run(&self, args: &[&str]) -> Result<Vec<u8>, FilesError> {
        let output = self.command().args(args).output().map_err(|error| no_git(&error))?;
        if output.status.success() {
            return Ok(output.stdout);
        }
        let said = String::from_utf8_lossy(&output.stderr).trim().replace('\n', "; ");
        let said = said.strip_prefix("fatal: ").unwrap_or(&said).to_owned();
        Err(FilesError::Git(if said.is_empty() { format!("`git {}` failed", args[0]) } else { said }))
    }

    fn text(&self, args: &[&str]) -> Result<String, FilesError> {
        let text = String::from_utf8_lossy(&self.run(args)?).into_owned();
        Ok(text.strip_suffix('\n').unwrap_or(&text).to_owned())
    }

    /// The id of the commit that a revision names.
    fn commit(&self, revision: &str) -> Result<String, FilesError> {
        let plain = !revision.is_empty() && !revision.starts_with('-') && !revision.contains(char::is_control);
        let none = || FilesError::Git(format!("there is no revision `{}`", revision.escape_default()));
        if !plain {
            return Err(none());
        }
        // Reports a missing repository with Git's own message, before the revision.
        self.run(&["rev-parse", "--git-dir"])?;
        let commit = self.text(&["rev-parse", "--verify", "--quiet", &format!("{revision}^{{commit}}")]);
        let commit = commit.map_err(|_| none())?;
        let hex = commit.len() >= 40 && commit.bytes().all(|b| b.is_ascii_hexdigit());
        if hex { Ok(commit) } else { Err(none()) }
    }

    /// The files and symbolic links below the root, by path.
    fn entries(&self, commit: &str) -> Result<BTreeMap<String, Entry>, FilesError> {
        let listed = self.run(&["ls-tree", "-r", "-l", "-z", commit])?;
        let mut entries = BTreeMap::new();
        for line in listed.split(|b| *b == 0).filter(|line| !line.is_empty()) {
            // `<mode> <type> <id> <size>\t<path>`
            let Some(tab) = line.iter().position(|b| *b == b'\t') else { continue };
            let head = String::from_utf8_lossy(&line[..tab]).into_owned();
            let mut words = head.split_ascii_whitespace();
            let (Some(mode), Some("blob"), Some(id), Some(size)) =
                (words.next(), words.next(), words.next(), words.next())
            else {
                continue;
            };
            // A path that is not UTF-8 cannot be shown in a diagnostic.
            let Ok(path) = std::str::from_utf8(&line[tab + 1..]) else { continue };
            let blob = Blob { id: id.to_owned(), size: size.parse().unwrap_or(u64::MAX) };
            entries.insert(path.to_owned(), Entry { link: mode == "120000", blob });
        }
        Ok(entries)
    }

    /// Starts one process that returns the content of all blobs.
    fn blobs(&self) -> Result<Blobs, FilesError> {
        let mut command = self.command();
        command.args(["cat-file", "--batch"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().map_err(|error| no_git(&error))?;
        match (child.stdin.take(), child.stdout.take()) {
            (Some(ask), Some(answers)) => Ok(Blobs { child, ask: Some(ask), answers: BufReader::new(answers) }),
            _ => Err(FilesError::Git("git has no input or output".to_owned())),
        }
    }
}

fn no_git(error: &std::io::Error) -> FilesError {
    FilesError::Git(format!("git cannot be run: {error}"))
}

/// A `git cat-file --batch` process.
struct Blobs {
    child: Child,
    ask: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Blobs {
    /// The content of an object, by id or `<commit>:<path>`; `None` if it does not exist.
    fn get(&mut self, name: &str) -> Result<Option<Vec<u8>>, FilesError> {
        let lost = |_| FilesError::Git("git ended unexpectedly".to_owned());
        let Some(ask) = &mut self.ask else { return Ok(None) };
        ask.write_all(format!("{name}\n").as_bytes()).and_then(|()| ask.flush()).map_err(lost)?;
        let mut head = String::new();
        self.answers.read_line(&mut head).map_err(lost)?;
        let size = head.trim_end().rsplit(' ').next().and_then(|size| size.parse::<u64>().ok());
        let Some(size) = size.filter(|_| !head.trim_end().ends_with(" missing")) else {
            return if head.is_empty() { Err(FilesError::Git("git ended unexpectedly".to_owned())) } else { Ok(None) };
        };
        // The object and a line break. The size is bounded, because callers check that of the entry.
        let mut bytes = Vec::new();
        (&mut self.answers).take(size + 1).read_to_end(&mut bytes).map_err(lost)?;
        bytes.pop();
        Ok(Some(bytes))
    }

    /// The text of a file.
    fn text(&mut self, blob: &Blob) -> Result<Result<String, ReadError>, FilesError> {
        if blob.size > MAX_FILE_BYTES as u64 {
            return Ok(Err(ReadError::TooLarge));
        }
        let Some(bytes) = self.get(&blob.id)? else {
            return Err(FilesError::Git(format!("the object {} is not in the repository; fetch it first", blob.id)));
        };
        Ok(encoding::text(bytes).map_err(ReadError::NotText))
    }
}

impl Drop for Blobs {
    fn drop(&mut self) {
        // Closing the input ends the process.
        drop(self.ask.take());
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The file of an entry after following symbolic links; `None` if they do not lead to a file.
fn follow_links<'e>(
    path: &str,
    entry: &'e Entry,
    entries: &'e BTreeMap<String, Entry>,
    blobs: &mut Blobs,
) -> Result<Option<&'e Blob>, FilesError> {
    let (mut path, mut entry) = (path.to_owned(), entry);
    for _ in 0..MAX_LINKS {
        if !entry.link {
            return Ok(Some(&entry.blob));
        }
        let Ok(target) = blobs.text(&entry.blob)? else { return Ok(None) };
        let Some((at, next)) = link_target(&path, &target).and_then(|at| entries.get_key_value(&at)) else {
            return Ok(None);
        };
        path.clone_from(at);
        entry = next;
    }
    Ok(None)
}

/// The target of a link, relative to the root; `None` if it is outside.
fn link_target(path: &str, target: &str) -> Option<String> {
    if target.starts_with('/') {
        return None;
    }
    let mut parts: Vec<&str> = path.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// The patterns of the ignore files, by folder.
struct Ignored {
    /// For each of [`IGNORE_FILES`]: the patterns of the root and of folders below it, by path.
    below: [BTreeMap<String, Gitignore>; 2],
    /// For each of [`IGNORE_FILES`]: the patterns of folders above the root, the nearest first, with the path from
    /// that folder to the root.
    above: [Vec<(String, Gitignore)>; 2],
}

impl Ignored {
    fn read(
        commit: &str,
        prefix: &str,
        entries: &BTreeMap<String, Entry>,
        blobs: &mut Blobs,
    ) -> Result<Self, FilesError> {
        let mut ignored = Self { below: Default::default(), above: Default::default() };
        for (path, entry) in entries.iter().filter(|(_, entry)| !entry.link) {
            let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
            let Some(which) = IGNORE_FILES.iter().position(|file| *file == name) else { continue };
            if let Ok(text) = blobs.text(&entry.blob)? {
                ignored.below[which].insert(folder.to_owned(), patterns(&text));
            }
        }
        let folders: Vec<&str> = prefix.split('/').filter(|part| !part.is_empty()).collect();
        for depth in (0..folders.len()).rev() {
            let (at, rest) = folders.split_at(depth);
            for (which, file) in IGNORE_FILES.iter().enumerate() {
                let path = at.iter().copied().chain([*file]).collect::<Vec<_>>().join("/");
                let named = !path.contains('\n');
                if let Some(bytes) = if named { blobs.get(&format!("{commit}:{path}"))? } else { None } {
                    ignored.above[which].push((rest.join("/"), patterns(&String::from_utf8_lossy(&bytes))));
                }
            }
        }
        Ok(ignored)
    }

    /// Whether a file or one of its folders matches a pattern, or is hidden.
    fn is_ignored(&self, path: &str) -> bool {
        let ends = path.match_indices('/').map(|(i, _)| (&path[..i], true)).chain([(path, false)]);
        for (part, is_folder) in ends {
            let hidden = part.rsplit('/').next().is_some_and(|name| name.starts_with('.'));
            match self.matched(part, is_folder) {
                Some(true) => return true,
                None if hidden => return true,
                Some(false) | None => {}
            }
        }
        false
    }

    /// Whether the nearest matching pattern ignores the path; `None` if no pattern matches.
    fn matched(&self, path: &str, is_folder: bool) -> Option<bool> {
        let verdict = |patterns: &Gitignore, path: &str| match patterns.matched(path, is_folder) {
            Match::Ignore(_) => Some(true),
            Match::Whitelist(_) => Some(false),
            Match::None => None,
        };
        (0..IGNORE_FILES.len()).find_map(|which| {
            let mut folder = path;
            while !folder.is_empty() {
                folder = folder.rsplit_once('/').map_or("", |(up, _)| up);
                let below = if folder.is_empty() { path } else { &path[folder.len() + 1..] };
                let found = self.below[which].get(folder).and_then(|patterns| verdict(patterns, below));
                if found.is_some() {
                    return found;
                }
            }
            self.above[which].iter().find_map(|(rest, patterns)| verdict(patterns, &format!("{rest}/{path}")))
        })
    }
}

fn patterns(text: &str) -> Gitignore {
    let mut builder = GitignoreBuilder::new("");
    for line in text.trim_start_matches('\u{feff}').lines() {
        // An invalid line has no effect. `carrier check` reports it in the current files.
        let _ = builder.add_line(None, line);
    }
    builder.build().unwrap_or_else(|_| Gitignore::empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_relative_to_their_folder_and_stay_in_the_repository() {
        assert_eq!(link_target("a/b/c.yaml", "../d.yaml").as_deref(), Some("a/d.yaml"));
        assert_eq!(link_target("c.yaml", "./x/d.yaml").as_deref(), Some("x/d.yaml"));
        assert_eq!(link_target("a/c.yaml", "../../d.yaml"), None);
        assert_eq!(link_target("c.yaml", "/etc/passwd"), None);
    }

    #[test]
    fn patterns_match_as_in_a_folder() {
        let mut ignored = Ignored { below: Default::default(), above: Default::default() };
        ignored.below[1].insert(String::new(), patterns("/out\n*.gen.yaml\n!keep.gen.yaml\n"));
        ignored.below[0].insert("a".to_owned(), patterns("x.yaml\n!y.gen.yaml\n"));
        ignored.above[1].push(("repo".to_owned(), patterns("repo/above/\n")));
        for (path, expected) in [
            ("a/b.yaml", false),
            ("out/b.yaml", true),
            ("a/out/b.yaml", false),
            ("b.gen.yaml", true),
            ("keep.gen.yaml", false),
            ("a/x.yaml", true),
            ("x.yaml", false),
            ("a/y.gen.yaml", false),
            ("above/c.yaml", true),
            (".hidden/c.yaml", true),
            ("a/.c.yaml", true),
        ] {
            assert_eq!(ignored.is_ignored(path), expected, "{path}");
        }
    }
}
