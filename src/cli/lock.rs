//! `carrier lock`: the CRDs of the service clusters, written down in the repository.
//!
//! What changes is data and goes to stdout; stderr has the complaints and what
//! was done. What is wrong elsewhere in the repository does not keep a CRD out:
//! it is shown, and ends in status 1.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use clap::Args;

use super::diagnostics::{self, Format, Summary, count, plain};
use super::env::{Env, read_stdin};
use super::error::CliError;
use super::exit::Exit;
use super::repository::Repository;
use super::ui::{Ui, Verbosity};
use crate::compile::load::lock::{self, LockFile};
use crate::compile::load::snapshots;
use crate::compile::locking::plan::Inputs;
use crate::compile::locking::{ChangeKind, ClusterChanges, LockPlan, given, plan};
use crate::compile::resolve::{Resolved, resolve};
use crate::files::update::update;
use crate::files::walk::{MAX_FILE_BYTES, read_paths};
use crate::model::cluster::ClusterId;
use crate::model::codes::yaml;
use crate::model::diagnostic::{Diagnostic, Diagnostics};
use crate::model::lock::LOCK_PATH;
use crate::model::nearest::nearest;
use crate::model::source::{SourceFile, Sources};

/// Of a changed CRD this many lines are shown; all with `-v`.
const LINES: usize = 20;
/// What the standard input is called in diagnostics.
const STDIN: &str = "<stdin>";

/// Arguments of `carrier lock`.
#[derive(Debug, Args)]
#[command(
    after_help = "Example: carrier lock --from redis-operator.yaml\n\nOf the CRDs in the files those are taken that a CatalogEntrySet names. What is locked and not in the files stays."
)]
pub struct LockArgs {
    /// Take CRDs out of these files and folders, such as an operator's release manifest; `-` for the standard input
    #[arg(long, value_name = "PATH", num_args = 1.., value_hint = clap::ValueHint::AnyPath)]
    pub from: Vec<PathBuf>,
    /// Only for this service cluster; without it, for every one of which a CatalogEntrySet wants a CRD
    #[arg(long, value_name = "PROVIDER/CLUSTER")]
    pub cluster: Option<ClusterId>,
    /// Write nothing; end with status 2 if something would change
    #[arg(long)]
    pub check: bool,
}

/// Takes CRDs into the repository.
///
/// # Errors
/// When there is no repository, the files cannot be read, or nothing can be written.
pub fn run(args: &LockArgs, env: &Env, ui: &mut Ui<'_>) -> Result<Exit, CliError> {
    if args.from.is_empty() {
        return Err(CliError::usage("carrier cannot take CRDs from live clusters yet")
            .hint("name the operator's release manifest: `carrier lock --from FILE`")
            .hint("or ask the cluster: `kubectl get crds -o yaml | carrier lock --from -`"));
    }
    let repository = Repository::open(env, ui)?;
    let (resolved, mut found) = resolve(&repository.loaded);
    known_cluster(args.cluster.as_ref(), &repository, &resolved)?;
    let sound = repository.is_sound() && !found.has_errors();

    let mut unlocked = Diagnostics::default();
    let locked = lock::read(&repository.sources, &mut unlocked);
    if !locked.sound {
        found.append(unlocked);
        repository.report(&repository.and(found), Format::Text, env, ui)?;
        ui.say("nothing was locked: what the lock holds must not be lost")?;
        return Ok(Exit::Errors);
    }
    let (discovered, mut stale) = snapshots::discovered(&repository.sources, &repository.loaded.config);
    let (files, unread) = read_given(&args.from, env)?;
    let given = given(&files);
    let mut plan = plan(Inputs {
        sources: &repository.sources,
        config: &repository.loaded.config,
        resolved: &resolved,
        discovered: &discovered,
        given: &given,
        cluster: args.cluster.as_ref(),
        sound,
    });
    stale.retain(|complaint| !is_mended(complaint, &plan, &repository, &locked));
    found.append(stale);
    found.append(std::mem::take(&mut plan.in_repository));
    let mut in_given = std::mem::take(&mut plan.in_given);
    in_given.append(unread);

    let exit = report(&repository, found, in_given, &files, env, ui)?;
    print(&plan, ui)?;
    // On a terminal both streams are one text: what changes, then what was done.
    ui.flush()?;
    if args.check {
        if plan.files.is_empty() {
            ui.say("nothing would change")?;
            return Ok(exit);
        }
        let files = count(plan.files.len(), "file");
        ui.say(format_args!("{files} would change; without `--check` this is written"))?;
        return Ok(if exit == Exit::Fine { Exit::Changes } else { exit });
    }
    update(&repository.root, &plan.files)?;
    done(&plan, &resolved, exit, ui)?;
    Ok(exit)
}

/// Reads what `--from` names.
fn read_given(paths: &[PathBuf], env: &Env) -> Result<(Sources, Diagnostics), CliError> {
    let (stdin, paths): (Vec<PathBuf>, Vec<PathBuf>) = paths.iter().cloned().partition(|p| p == Path::new("-"));
    for path in &paths {
        env.path(path).metadata().map_err(|error| CliError::file("read", path, &error))?;
    }
    let mut more = Vec::new();
    if !stdin.is_empty() {
        let text = read_stdin(MAX_FILE_BYTES).map_err(|error| CliError::file("read", Path::new(STDIN), &error))?;
        more.push(SourceFile { path: STDIN.to_owned(), text: text.into() });
    }
    Ok(read_paths(&env.directory, &paths, more)?)
}

fn known_cluster(
    cluster: Option<&ClusterId>,
    repository: &Repository,
    resolved: &Resolved<'_>,
) -> Result<(), CliError> {
    let Some(id) = cluster.filter(|id| !resolved.clusters.contains_key(id)) else { return Ok(()) };
    let error = CliError::usage(format!("the repository has no service cluster `{id}`"));
    let broken = repository.loaded.broken.iter().any(|key| key.kind == "ServiceCluster" && key.name == id.cluster);
    if broken {
        return Err(error.hint("its ServiceCluster is there but has errors: `carrier check` shows them"));
    }
    let names: Vec<String> = resolved.clusters.keys().map(ToString::to_string).collect();
    Err(match nearest(&id.to_string(), names.iter().map(String::as_str)) {
        Some(meant) => error.hint(format!("did you mean `{meant}`?")),
        None if names.is_empty() => error.hint("add a ServiceCluster first"),
        None => error.hint(format!("there are: {}", names.join(", "))),
    })
}

/// Whether a complaint is about a snapshot, or a line of the lock, that the plan
/// writes anew or removes: then it is no longer so.
fn is_mended(complaint: &Diagnostic, plan: &LockPlan, repository: &Repository, locked: &LockFile) -> bool {
    let Some(span) = complaint.primary.as_ref().map(|l| l.span) else { return false };
    let path = repository.sources.path(span);
    let touched = path != LOCK_PATH && plan.files.iter().any(|(touched, _)| touched == path);
    let mut taken =
        plan.clusters.iter().flat_map(|(id, c)| c.crds.keys().filter(|name| c.takes(name)).map(move |name| (id, name)));
    touched
        || taken.any(|(id, name)| {
            path == snapshots::path_of(&repository.loaded.config, id, name)
                || locked.places.get(&(id.clone(), name.clone())) == Some(&span)
        })
}

/// Shows the complaints of the repository and of the given files, which are two sets of files.
fn report(
    repository: &Repository,
    found: Diagnostics,
    in_given: Diagnostics,
    files: &Sources,
    env: &Env,
    ui: &mut Ui<'_>,
) -> Result<Exit, CliError> {
    let in_given = in_given.into_sorted();
    let mut list = repository.and(found);
    // Comments may hide what only later stages find.
    list.retain(|d| d.code != &yaml::UNUSED_SUPPRESSION);
    let errors = Summary::of(&list, &repository.sources).error + Summary::of(&in_given, files).error;
    let (verbosity, both) = (ui.verbosity, !in_given.is_empty() && !list.is_empty());
    if !in_given.is_empty() {
        // One sum for both is at the end.
        ui.verbosity = if both { Verbosity::Quiet } else { verbosity };
        let shown = diagnostics::report(ui, Format::Text, &in_given, files, &diagnostics::Destination::default());
        ui.verbosity = verbosity;
        shown?;
    }
    repository.report_if_any(&list, env, ui)?;
    Ok(if errors > 0 { Exit::Errors } else { Exit::Fine })
}

/// Prints what changes, a block a cluster.
fn print(plan: &LockPlan, ui: &mut Ui<'_>) -> io::Result<()> {
    let all = ui.verbosity == Verbosity::Verbose;
    let out = ui.out();
    // Many clusters get the same CRD: what has changed is said once.
    let mut said: BTreeMap<(&str, &[String]), &ClusterId> = BTreeMap::new();
    for (id, changes) in &plan.clusters {
        if !has_lines(changes) && !all {
            continue;
        }
        writeln!(out, "{id}")?;
        let width = changes.crds.keys().map(String::len).max().unwrap_or(0);
        for (name, change) in &changes.crds {
            let first = *said.entry((name, &change.lines)).or_insert(id);
            let name = plain::line(name);
            match change.kind {
                ChangeKind::Added => {
                    let versions = change.lines.join(", ");
                    writeln!(out, "  added      {name:width$}  {}", plain::line(&versions))?;
                }
                ChangeKind::Changed if first != id => writeln!(out, "  changed    {name:width$}  as in {first}")?,
                ChangeKind::Changed => {
                    writeln!(out, "  changed    {name}")?;
                    let shown = if all { change.lines.len() } else { LINES };
                    for line in change.lines.iter().take(shown) {
                        writeln!(out, "    {}", plain::line(line))?;
                    }
                    if change.lines.len() > shown {
                        writeln!(out, "    and {} more; -v shows all", change.lines.len() - shown)?;
                    }
                }
                ChangeKind::Removed => writeln!(out, "  removed    {name}")?,
                ChangeKind::Unchanged if all => writeln!(out, "  unchanged  {name}")?,
                ChangeKind::Kept if all => writeln!(out, "  kept       {name:width$}  not in the files")?,
                ChangeKind::Unchanged | ChangeKind::Kept => {}
            }
        }
        for (tenant, namespace) in &changes.namespaces {
            writeln!(out, "  namespace  {namespace} for {tenant}")?;
        }
        for (tenant, namespace) in &changes.forgotten {
            writeln!(out, "  forgotten  {namespace} of {tenant}")?;
        }
    }
    Ok(())
}

fn has_lines(changes: &ClusterChanges) -> bool {
    let silent = |kind| matches!(kind, ChangeKind::Unchanged | ChangeKind::Kept);
    changes.crds.values().any(|c| !silent(c.kind)) || !changes.namespaces.is_empty() || !changes.forgotten.is_empty()
}

/// Says what was done, and what comes next.
fn done(plan: &LockPlan, resolved: &Resolved<'_>, exit: Exit, ui: &mut Ui<'_>) -> io::Result<()> {
    let kinds = || plan.clusters.values().flat_map(|c| c.crds.values().map(|change| change.kind));
    let counted = |kind| kinds().filter(|k| *k == kind).count();
    if resolved.services.is_empty() {
        ui.say("no CatalogEntrySet offers a CRD of a service cluster, so there is nothing to take")?;
        return ui.next("fields --from PATH", "to see what a CRD has to expose");
    }
    if plan.files.is_empty() {
        let same = counted(ChangeKind::Unchanged);
        if exit == Exit::Fine || same > 0 {
            ui.say(format_args!("nothing to change: {} as locked", count(same, "CRD")))?;
        }
        return Ok(());
    }
    let mut parts: Vec<String> = Vec::new();
    for (kind, word) in [
        (ChangeKind::Added, "added"),
        (ChangeKind::Changed, "changed"),
        (ChangeKind::Removed, "removed"),
        (ChangeKind::Unchanged, "unchanged"),
        (ChangeKind::Kept, "not in the files and kept"),
    ] {
        let n = counted(kind);
        if n > 0 {
            parts.push(format!("{n} {word}"));
        }
    }
    let what = if parts.is_empty() { "none".to_owned() } else { parts.join(", ") };
    ui.say(format_args!("wrote {LOCK_PATH}; CRDs: {what}"))?;
    if exit == Exit::Fine {
        ui.next("check", "to see whether what you offer fits the CRDs")?;
    }
    Ok(())
}
