//! `carrier render`: the manifests that offer the services of a repository.

use std::path::{Component, Path, PathBuf};

use clap::{Args, ValueEnum};

use super::check::say_stale;
use super::env::Env;
use super::error::CliError;
use super::exit::Exit;
use super::input;
use super::ui::{Ui, shell_word};
use crate::compile::locking::strict;
use crate::compile::render::ManifestSet;
use crate::compile::render::layout::{Files, Options, layout, stream};
use crate::files::folder_lock::FolderLock;
use crate::files::write::{Difference, DifferenceKind, check, no_link, plan_write};
use crate::model::cluster::ClusterId;
use crate::model::config::RenderTarget;

/// Arguments of `carrier render`.
#[derive(Debug, Args)]
#[command(after_help = "Nothing is written where the repository has an error.\n\n\
                  Example: carrier render --stdout | kubectl apply --server-side -f -")]
pub struct RenderArgs {
    /// The folder to write; without it, `output` of carrier.yaml
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    pub out: Option<PathBuf>,
    /// Write nothing; list what differs and end with status 2 if something does
    #[arg(long)]
    pub check: bool,
    /// Who reads the manifests; without it, `render.for` of carrier.yaml
    #[arg(long = "for", value_name = "READER")]
    pub target: Option<Reader>,
    /// Write nothing if the lock is stale: if `carrier lock --offline` would change it, or snapshots are unused or not
    /// locked
    #[arg(long)]
    pub locked: bool,
    /// Print one YAML stream of the management cluster, in the order to apply it
    #[arg(long, conflicts_with_all = ["out", "check"])]
    pub stdout: bool,
    /// Print that of a service cluster instead
    #[arg(long, value_name = "PROVIDER/CLUSTER", requires = "stdout")]
    pub cluster: Option<ClusterId>,
}

/// Who reads the manifests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Reader {
    /// kubectl, or nobody in particular.
    Plain,
    /// Flux: stages that wait for each other.
    Flux,
    /// Argo CD: sync waves.
    Argo,
}

impl From<Reader> for RenderTarget {
    fn from(reader: Reader) -> Self {
        match reader {
            Reader::Plain => Self::Plain,
            Reader::Flux => Self::Flux,
            Reader::Argo => Self::Argo,
        }
    }
}

/// Renders the repository.
///
/// # Errors
/// When there is no repository, or the output cannot be written or is refused.
pub fn run(args: &RenderArgs, env: &Env, ui: &mut Ui<'_>) -> Result<Exit, CliError> {
    let repository = input::open(env, ui)?;
    let (compiled, mut list) = repository.compile();
    let stale = if args.locked { strict(&mut list) } else { None };
    if input::report_if_any(&repository, &list, env, ui)? == Exit::Errors {
        ui.say("nothing was rendered")?;
        say_stale(stale, ui)?;
        return Ok(Exit::Errors);
    }
    let set = compiled.render();
    let mut options = Options::new(&repository.loaded.config, args.target.map(Into::into));
    if args.stdout {
        return print(&set, args.cluster.as_ref(), options.render.target, ui);
    }
    let (folder, shown) = match &args.out {
        Some(out) => {
            let folder = env.path(out);
            if let Some(below) = written_below(&repository.root, &folder) {
                no_link(&repository.root, &below)?;
            }
            (folder, out.clone())
        }
        None => {
            no_link(&repository.root, &options.output)?;
            let folder = repository.root.join(&options.output);
            let shown = folder.strip_prefix(&env.directory).map_or(folder.clone(), Path::to_owned);
            (folder, shown)
        }
    };
    if let Some(below) = args.out.as_ref().and_then(|_| below(&repository.root, &folder)) {
        options.output = below;
    }
    let files = layout(&set, &options);
    if args.check {
        return compare(args, &folder, &shown, &files, ui);
    }
    write(&folder, &shown, &files, &set, ui)?;
    let reader = match options.render.target {
        RenderTarget::Plain => {
            ui.next("render --stdout | kubectl apply --server-side -f -", "to offer the services")?;
            return Ok(Exit::Fine);
        }
        RenderTarget::Flux => "Flux",
        RenderTarget::Argo => "Argo CD",
    };
    ui.say(format_args!("next: commit {} for {reader}", shown.display()))?;
    Ok(Exit::Fine)
}

/// The folder as a path below the root, with `/`; `None` where it lies elsewhere. It need not be
/// there yet: what is there of it is followed, the rest is taken as it is written.
fn below(root: &Path, folder: &Path) -> Option<String> {
    let (there, real) = folder.ancestors().find_map(|f| Some((f, f.canonicalize().ok()?)))?;
    let folder = real.join(folder.strip_prefix(there).ok()?);
    let parts: Vec<_> = folder.strip_prefix(root).ok()?.iter().map(|p| p.to_string_lossy()).collect();
    (!parts.is_empty() && !parts.iter().any(|p| p == "..")).then(|| parts.join("/"))
}

/// The folder as a path below the root, as it is written: no link in it is followed. `None` where it
/// is written as one elsewhere, which is the user's choice.
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

fn print(
    set: &ManifestSet,
    cluster: Option<&ClusterId>,
    target: RenderTarget,
    ui: &mut Ui<'_>,
) -> Result<Exit, CliError> {
    let manifests = match cluster {
        None => &set.management,
        Some(id) => set.clusters.get(id).ok_or_else(|| {
            let names: Vec<String> = set.clusters.keys().map(ToString::to_string).collect();
            CliError::usage(format!("there is no ServiceCluster `{id}`"))
                .hint(format!("the repository has: {}", names.join(", ")))
        })?,
    };
    ui.out().write_all(stream(manifests, target).as_bytes())?;
    Ok(Exit::Fine)
}

fn write(folder: &Path, shown: &Path, files: &Files, set: &ManifestSet, ui: &mut Ui<'_>) -> Result<(), CliError> {
    // Held while it is compared and written: what another run writes between the two would be lost.
    let _lock = FolderLock::acquire(folder)?;
    let plan = plan_write(folder, files)?;
    let edited = plan.differences().iter().filter(|d| is_edited(d.kind));
    let edited: Vec<String> = edited.map(|d| d.path.clone()).collect();
    for path in &edited {
        ui.warn(format_args!("{} was edited by hand; the edit is undone", shown.join(path).display()))?;
    }
    let written = plan.apply()?;
    ui.say(format_args!(
        "{} objects for {} clusters in {}: {} files written, {} removed, {} unchanged",
        set.len(),
        set.clusters.len() + 1,
        shown.display(),
        written.written,
        written.removed,
        written.unchanged,
    ))?;
    Ok(())
}

fn compare(args: &RenderArgs, folder: &Path, shown: &Path, files: &Files, ui: &mut Ui<'_>) -> Result<Exit, CliError> {
    let differences = check(folder, files)?;
    for Difference { path, kind } in &differences {
        let what = match kind {
            DifferenceKind::Missing => "missing",
            DifferenceKind::Changed => "changed",
            DifferenceKind::Edited => "edited",
            DifferenceKind::Stale => "stale",
            DifferenceKind::StaleEdited => "stale, edited",
        };
        writeln!(ui.out(), "{what}: {}", shown.join(path).display())?;
    }
    if differences.is_empty() {
        ui.say(format_args!("{} is up to date", shown.display()))?;
        return Ok(Exit::Fine);
    }
    // The same without `--check`: another reader or folder would be other files.
    let mut command = "render".to_owned();
    if let Some(out) = &args.out {
        command = format!("{command} --out {}", shell_word(out));
    }
    if let Some(target) = args.target.and_then(|t| t.to_possible_value()) {
        command = format!("{command} --for {}", target.get_name());
    }
    ui.next(&command, "to write what differs")?;
    Ok(Exit::Changes)
}

fn is_edited(kind: DifferenceKind) -> bool {
    matches!(kind, DifferenceKind::Edited | DifferenceKind::StaleEdited)
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
