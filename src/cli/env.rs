//! The surroundings of the process: its folder and its environment. Read once; no other file reads them.

use std::io::{self, IsTerminal as _, Read as _};
use std::path::{Path, PathBuf};

use super::error::CliError;
use crate::cluster::connect::Variables;
use crate::files::FilesError;
use crate::files::encoding::{self, NotText};
use crate::files::root::find_root;
use crate::files::walk::UTF_16;
use crate::model::source::SourceFile;

/// The surroundings of a command.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Env {
    /// The folder that relative paths of the command line start from.
    pub directory: PathBuf,
    /// Whether that folder was named with `-C`.
    pub named: bool,
    /// The file of GitHub Actions' step summary (`GITHUB_STEP_SUMMARY`).
    pub step_summary: Option<PathBuf>,
    /// Whether a person can be asked: standard input and standard error are terminals.
    pub person: bool,
    /// The environment variables.
    pub variables: Variables,
}

impl Env {
    /// The surroundings of this process.
    ///
    /// # Errors
    /// When the current folder was removed or cannot be read.
    pub fn of_process() -> Result<Self, CliError> {
        let directory =
            std::env::current_dir().map_err(|e| CliError::file("use the current folder", Path::new("."), &e))?;
        let step_summary = std::env::var_os("GITHUB_STEP_SUMMARY").filter(|v| !v.is_empty()).map(PathBuf::from);
        let variables = std::env::vars_os().collect();
        let person = io::stdin().is_terminal() && io::stderr().is_terminal();
        Ok(Self { directory, named: false, step_summary, person, variables })
    }

    /// The same surroundings in another folder: `folders`, each relative to the one before, as git's `-C`.
    ///
    /// # Errors
    /// When there is no such folder.
    pub fn at(&self, folders: &[PathBuf]) -> Result<Self, CliError> {
        let mut env = self.clone();
        env.directory.extend(folders);
        env.named |= !folders.is_empty();
        if !folders.is_empty() && !env.directory.is_dir() {
            return Err(CliError::usage(format!("there is no folder {}", env.directory.display()))
                .hint("`-C` takes the folder to run in"));
        }
        Ok(env)
    }

    /// Resolves a path of the command line.
    #[must_use]
    pub fn path(&self, path: &Path) -> PathBuf {
        self.directory.join(path)
    }

    /// The root of the repository: the nearest folder upwards with a
    /// `carrier.yaml`, not beyond the Git work tree. A folder that was named with
    /// `-C` may lack one, since everything in it has a default. The current folder may not: a command started
    /// in the wrong place would read a whole home directory.
    ///
    /// # Errors
    /// When there is none.
    pub fn root(&self) -> Result<PathBuf, CliError> {
        match find_root(&self.directory) {
            Err(FilesError::NoRoot(folder)) if self.named => Ok(folder),
            found => Ok(found?),
        }
    }

    /// The root's path below its Git work tree, `/` between its parts and at
    /// its end; empty outside of one. Code scanning names files from there.
    #[must_use]
    pub fn prefix(root: &Path) -> String {
        let Some(top) = root.ancestors().find(|f| f.join(".git").exists()) else { return String::new() };
        let below = root.strip_prefix(top).unwrap_or(Path::new(""));
        below.components().fold(String::new(), |text, part| text + &part.as_os_str().to_string_lossy() + "/")
    }
}

/// Whether `CLICOLOR_FORCE` is `0`: colour is not forced.
#[must_use]
pub(crate) fn clicolor_force_is_off() -> bool {
    std::env::var_os("CLICOLOR_FORCE").is_some_and(|value| value == "0")
}

/// The name of the standard input in diagnostics.
pub(crate) const STDIN: &str = "<stdin>";

/// Reads the standard input, at most `limit` bytes.
///
/// # Errors
/// When it cannot be read, is longer, or is not UTF-8.
pub(crate) fn read_stdin(limit: usize) -> Result<SourceFile, CliError> {
    let cannot = |error: &io::Error| CliError::file("read", Path::new(STDIN), error);
    let invalid = |message: String| io::Error::new(io::ErrorKind::InvalidData, message);
    let mut bytes = Vec::new();
    io::stdin().lock().take(limit as u64 + 1).read_to_end(&mut bytes).map_err(|error| cannot(&error))?;
    if bytes.len() > limit {
        return Err(cannot(&invalid(format!("more than {limit} bytes"))));
    }
    match encoding::text(bytes) {
        Ok(text) => Ok(SourceFile { path: STDIN.to_owned(), text: text.into() }),
        Err(NotText::NotUtf8(at)) => Err(cannot(&invalid(format!("it is not valid UTF-8 at byte {at}")))),
        Err(NotText::Utf16) => Err(cannot(&invalid(format!("it {UTF_16}")))
            .hint("if it comes from a file, convert it: `iconv -f UTF-16 -t UTF-8 FILE | …`")
            .hint("in PowerShell write a file, `kubectl … -o yaml | Out-File -Encoding utf8 FILE`, and name it instead of `-`")),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::cli::exit::Exit;

    #[test]
    fn a_named_folder_needs_no_settings() {
        let dir = tempfile::tempdir().unwrap();
        let top = dir.path().canonicalize().unwrap();
        fs::create_dir_all(top.join("repo/.git")).unwrap();
        fs::create_dir_all(top.join("repo/sub/deep")).unwrap();
        let env = Env { directory: top.clone(), ..Env::default() };
        assert_eq!(env.root().unwrap_err().exit, Exit::Usage);
        let env = env.at(&["repo/sub/deep".into()]).unwrap();
        assert_eq!(env.root().unwrap(), top.join("repo/sub/deep"));
        fs::write(top.join("repo/sub/carrier.yaml"), "").unwrap();
        assert_eq!(env.root().unwrap(), top.join("repo/sub"));
        assert_eq!(Env::prefix(&top.join("repo/sub")), "sub/");
        assert_eq!(Env::prefix(&top.join("repo")), "");
    }

    #[test]
    fn each_folder_is_taken_from_the_one_before() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("a/b")).unwrap();
        let env = Env { directory: dir.path().to_owned(), ..Env::default() };
        assert_eq!(env.at(&["a".into(), "b".into()]).unwrap().directory, dir.path().join("a/b"));
        assert_eq!(env.at(&["x".into()]).unwrap_err().exit, Exit::Usage);
    }
}
