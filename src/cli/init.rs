//! `carrier init`: a repository to start from.
//!
//! It writes what a first service needs and nothing that has to be deleted again: the CatalogEntrySet is a
//! comment, because there is no CRD yet that it could offer. The lock has the identity of the new repository and nothing
//! else. Existing files are never changed; of a `.gitattributes` that exists, the missing lines are shown.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use clap::Args;

use super::env::Env;
use super::error::CliError;
use super::exit::Exit;
use super::schema;
use super::ui::Ui;
use crate::compile::locking::lock_file;
use crate::files::FilesError;
use crate::files::line_ends::same;
use crate::files::root::{CONFIG, find_root};
use crate::files::write::no_link;
use crate::model::kinds::editor::json_schemas;
use crate::model::lock::{LOCK_PATH, Lock};
use crate::ops::random;

/// The files, by their path below the repository's root.
const FILES: &[(&str, &str)] = &[
    ("carrier.yaml", include_str!("init/carrier.yaml")),
    ("accounts/team-a.yaml", include_str!("init/team-a.yaml")),
    ("accounts/team-b.yaml", include_str!("init/team-b.yaml")),
    ("clusters/eu-west-1.yaml", include_str!("init/eu-west-1.yaml")),
    ("catalogs/default.yaml", include_str!("init/default.yaml")),
    ("catalogs/example.yaml", include_str!("init/example.yaml")),
];

/// The file that tells Git the line ends of what carrier writes.
const ATTRIBUTES: (&str, &str) = (".gitattributes", include_str!("init/gitattributes"));

/// Arguments of `carrier init`.
#[derive(Debug, Args)]
#[command(after_help = "If a file exists with other content, it is listed and nothing is written.")]
pub(crate) struct InitArgs {
    /// The folder; created if it does not exist
    #[arg(value_name = "DIR", default_value = ".", value_hint = clap::ValueHint::DirPath)]
    pub directory: PathBuf,
}

/// Writes the files, unless one of them exists with other content.
///
/// # Errors
/// When it refuses, or a file cannot be written.
pub(crate) fn run(args: &InitArgs, env: &Env, ui: &mut Ui<'_>) -> Result<Exit, CliError> {
    let root = env.path(&args.directory);
    not_within_another(&root)?;
    let missing = missing(&root)?;
    for (path, text) in &missing {
        write_new(&root.join(path), text)?;
        let shown = args.directory.join(path);
        ui.say(format_args!("wrote {}", shown.strip_prefix(".").unwrap_or(&shown).display()))?;
    }
    if missing.is_empty() {
        ui.say("everything exists already")?;
    }
    let lines = missing_attributes(&root)?;
    if !lines.is_empty() {
        ui.say(format_args!("{} exists and stays as it is; add to it:", ATTRIBUTES.0))?;
        lines.into_iter().try_for_each(|line| ui.say(format_args!("  {line}")))?;
    }
    if args.directory != Path::new(".") {
        ui.suggestions.run_in.push(args.directory.clone());
    }
    let (anywhere, program) = (ui.suggestions.program, ui.suggestions.program_here());
    let steps = format!(
        "\nThe accounts, the cluster and the catalog are examples; make them yours. To offer a service of the cluster:\n\
         \n  1. see what its CRD has to expose, in the operator's release manifest:\n       {anywhere} fields --from PATH\n  \
         2. say what you offer in catalogs/example.yaml\n  \
         3. take the CRD into the repository:\n       {program} lock --from PATH\n  \
         4. for plan, apply and lock without --from, name the contexts of your kubeconfig for the clusters in carrier.yaml:\n       \
         management: {{context: NAME}}\n       serviceClusters: {{example/main: {{context: NAME}}}}\n",
    );
    steps.split('\n').try_for_each(|line| ui.say(line))?;
    ui.next("check", "to see whether everything fits together")?;
    Ok(Exit::Fine)
}

/// All files, including the schemas that the first lines of the others name.
fn files() -> Vec<(String, String)> {
    let mut files: Vec<_> = FILES.iter().map(|&(path, text)| (path.to_owned(), text.to_owned())).collect();
    let schemas = json_schemas();
    for name in [schema::SETTINGS, schema::ANY] {
        let name = format!("{name}.json");
        if let Some(schema) = schemas.get(&name) {
            files.push((format!(".carrier/schemas/{name}"), schema::text(schema)));
        }
    }
    files
}

/// Refuses a folder inside another repository, which would read these files as its own.
fn not_within_another(root: &Path) -> Result<(), CliError> {
    if root.join(CONFIG).is_file() {
        return Ok(());
    }
    let there = root.ancestors().find(|f| f.is_dir()).unwrap_or(root);
    match find_root(there) {
        Ok(outer) => Err(CliError::refused(format!(
            "{} lies in the repository {}, which would read these files as its own",
            root.display(),
            outer.display()
        ))
        .hint("start it outside; or describe more accounts, clusters and services in that repository")),
        Err(FilesError::NoRoot(_)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// The files that do not exist yet.
fn missing(root: &Path) -> Result<Vec<(String, String)>, CliError> {
    let (mut missing, mut in_the_way) = (Vec::new(), Vec::new());
    for (path, text) in files() {
        let file = root.join(&path);
        no_link(root, &path)?;
        match fs::read(&file) {
            Ok(bytes) if same(&bytes, text.as_bytes()) => {}
            Ok(_) => in_the_way.push(path),
            Err(error) if error.kind() == ErrorKind::NotFound => missing.push((path, text)),
            Err(error) => return Err(CliError::file("read", &file, &error)),
        }
    }
    if in_the_way.is_empty() {
        let (path, text) = ATTRIBUTES;
        no_link(root, path)?;
        if !root.join(path).exists() {
            missing.push((path.to_owned(), text.to_owned()));
        }
        missing.extend(identity(root)?);
        return Ok(missing);
    }
    Err(CliError::refused(format!("these files exist already: {}", in_the_way.join(", ")))
        .hint("nothing was written; name another folder: `carrier init DIR`"))
}

/// The lines that an existing `.gitattributes` lacks. It may be anybody's, so it is not changed.
fn missing_attributes(root: &Path) -> Result<Vec<&'static str>, CliError> {
    let (path, text) = ATTRIBUTES;
    let file = root.join(path);
    let there = fs::read(&file).map_err(|error| CliError::file("read", &file, &error))?;
    let there = String::from_utf8_lossy(&there);
    let has = |line: &str| there.lines().any(|other| other.trim() == line);
    Ok(text.lines().filter(|line| !line.starts_with('#') && !has(line)).collect())
}

/// The lock with the identity of the repository, unless there is a lock: a repository keeps the identity that it has.
fn identity(root: &Path) -> Result<Option<(String, String)>, CliError> {
    no_link(root, LOCK_PATH)?;
    if root.join(LOCK_PATH).exists() {
        return Ok(None);
    }
    let lock = Lock { repository: Some(random::id()), ..Lock::default() };
    Ok(Some((LOCK_PATH.to_owned(), lock_file::write(&lock))))
}

/// Writes a file that must not exist; one that appeared meanwhile is not overwritten.
fn write_new(path: &Path, text: &str) -> Result<(), CliError> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(|e| CliError::file("make the folder", folder, &e))?;
    }
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(|e| CliError::file("write", path, &e))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_somebody_else_is_never_touched() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("carrier.yaml");
        fs::write(&file, "mine").unwrap();
        let error = missing(dir.path()).unwrap_err();
        assert_eq!((error.exit, error.message.as_str()), (Exit::Refused, "these files exist already: carrier.yaml"));
        assert_eq!(write_new(&file, "ours").unwrap_err().exit, Exit::Errors);
        assert_eq!(fs::read_to_string(&file).unwrap(), "mine");
    }
}
