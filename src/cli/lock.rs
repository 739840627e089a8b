//! `carrier lock`: the CRDs of the service clusters, written down in the repository.
//!
//! They come from the clusters, or out of files (`--from`); `--offline` takes none.
//! A cluster that cannot be asked keeps what is locked of it, and the others go on.
//!
//! What changes is data and goes to stdout; stderr has the complaints and what
//! was done. What is wrong with the lock or with the given files keeps everything
//! from being written. What is wrong elsewhere in the repository does not keep a
//! CRD out: it is shown, and ends in status 1; but nothing is removed then.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use clap::Args;

use super::clusters::ClusterFlags;
use super::diagnostics::{self, Format, Summary};
use super::env::{Env, read_stdin};
use super::error::CliError;
use super::exit::Exit;
use super::input;
use super::progress;
use super::ui::{Ui, Verbosity};
use crate::compile::Discovered;
use crate::compile::locking::plan::Inputs;
use crate::compile::locking::{
    ChangeKind, ClusterChanges, Given, LockPlan, drift, given, lock_file, plan, snapshots, unused,
};
use crate::compile::resolve::{Resolved, resolve};
use crate::files::update::update;
use crate::files::walk::{MAX_FILE_BYTES, read_paths};
use crate::model::cluster::ClusterId;
use crate::model::codes::{cluster, object, yaml};
use crate::model::diagnostic::{Diagnostics, Severity};
use crate::model::lock::LOCK_PATH;
use crate::model::nearest::nearest;
use crate::model::plain;
use crate::model::source::{SourceFile, Sources};
use crate::ops::survey::{Scope, Survey, survey};
use crate::ops::{Events, Repository};
use crate::plan::words::count;

/// Of a changed CRD this many lines are shown; all with `-v`.
const LINES: usize = 20;
/// What the standard input is called in diagnostics.
const STDIN: &str = "<stdin>";

/// Arguments of `carrier lock`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  carrier lock                             what the clusters have\n  carrier lock --from redis-operator.yaml  what a release of the operator has\n  carrier lock --check                     whether the clusters still have what is locked\n\nThose CRDs are taken that a CatalogEntrySet names. What is locked stays where the cluster, or the files, do not have it.\ndocs/configuration.md says how the clusters are reached."
)]
pub struct LockArgs {
    /// Take CRDs out of these files and folders, such as an operator's release manifest, and ask no cluster; `-` for
    /// the standard input
    #[arg(long, value_name = "PATH", num_args = 1.., value_hint = clap::ValueHint::AnyPath)]
    pub from: Vec<PathBuf>,
    /// Only this service cluster; without it, all
    #[arg(long, value_name = "PROVIDER/CLUSTER")]
    pub cluster: Option<ClusterId>,
    /// Remove the snapshots that nothing uses; refused while the repository has errors
    #[arg(long)]
    pub prune: bool,
    /// Write nothing; end with status 2 if something would change
    #[arg(long)]
    pub check: bool,
    /// Ask no cluster: record namespaces of tenants that have none yet, and with `--prune` remove what is unused
    #[arg(long)]
    pub offline: bool,
    /// How to reach the clusters.
    #[command(flatten)]
    pub clusters: ClusterFlags,
}

/// Takes CRDs into the repository.
///
/// # Errors
/// When there is no repository, the files cannot be read, or nothing can be written.
pub fn run(args: &LockArgs, env: &Env, ui: &mut Ui<'_>) -> Result<Exit, CliError> {
    let repository = input::open(env, ui)?;
    let (resolved, mut found) = resolve(&repository.loaded);
    known_cluster(args.cluster.as_ref(), &repository, &resolved)?;
    let mut unlocked = Diagnostics::default();
    let file = lock_file::read(&repository.sources, &mut unlocked);
    if let Some(foreign) = snapshots::foreign(&repository.loaded.config, &file) {
        unlocked.push(foreign);
    }
    if unlocked.has_errors() {
        found.append(unlocked);
        input::report(&repository, &repository.and(found), Format::Text, env, ui)?;
        ui.say("nothing was locked: what the lock holds must not be lost")?;
        return Ok(Exit::Errors);
    }
    let (files, given) = match args.from.is_empty() {
        true => (Sources::default(), None),
        false => read_given(&args.from, env).map(|(files, given)| (files, Some(given)))?,
    };
    let asked = match args.from.is_empty() && !args.offline {
        false => None,
        true => {
            if repository.settings_are_broken() {
                input::report(&repository, &repository.and(found), Format::Text, env, ui)?;
                ui.say("nothing was locked: carrier.yaml says how to reach the clusters")?;
                return Ok(Exit::Errors);
            }
            let options = args.clusters.options(env);
            let connector = repository.connector(&options);
            let scope = Scope {
                sources: &repository.sources,
                resolved: &resolved,
                locked: &repository.locked,
                only: args.cluster.as_ref(),
            };
            let (events, mut receiver) = Events::channel();
            let Some(asked) = progress::run(ui, &mut receiver, survey(&connector, scope, &events))? else {
                ui.say("interrupted; nothing was written")?;
                return Ok(Exit::Interrupted);
            };
            Some(asked)
        }
    };
    let inputs = Inputs {
        sources: &repository.sources,
        config: &repository.loaded.config,
        resolved: &resolved,
        locked: &repository.locked,
        given: given.as_ref(),
        seen: asked.as_ref().map(|asked| &asked.seen),
        cluster: args.cluster.as_ref(),
        prune: args.prune,
    };
    let mut plan = plan(inputs);
    let mut stale = repository.stale.clone();
    stale.retain(|complaint| !plan.mends(complaint, inputs));
    found.append(stale);
    found.append(std::mem::take(&mut plan.in_repository));
    if !args.prune {
        found.append(unused(&resolved, &repository.locked));
    }
    let in_given = std::mem::take(&mut plan.in_given);
    if let Some(asked) = &asked {
        found.append(asked.found.clone());
        if args.check {
            found.append(drifted(&resolved, &repository.locked.discovered, &asked.seen));
        }
    }

    let (exit, guarded) = report(&repository, found, in_given, &files, env, ui)?;
    // What a cluster said, or did not, is the most that there is to say.
    let exit = asked.as_ref().and_then(|asked| asked.failure.map(Exit::from)).unwrap_or(exit);
    if args.prune && guarded {
        ui.say("nothing was written: while this is so, what seems unused may be in use; mend it, then prune")?;
        return Ok(Exit::Refused);
    }
    if plan.refused {
        ui.say("nothing was locked: mend what is wrong with the given files first")?;
        return Ok(exit);
    }
    print(&plan, asked.is_some(), ui)?;
    // On a terminal both streams are one text: what changes, then what was done.
    ui.flush()?;
    if args.check {
        if plan.files.is_empty() {
            let unknown = asked.is_some_and(|asked| !asked.unknown.is_empty());
            ui.say(match unknown {
                false => "nothing would change",
                true => "nothing would change in the clusters that answered",
            })?;
            return Ok(exit);
        }
        let files = count(plan.files.len(), "file");
        ui.say(format_args!("{files} would change; without `--check` this is written"))?;
        return Ok(if exit == Exit::Fine { Exit::Changes } else { exit });
    }
    update(&repository.root, &plan.files)?;
    match asked {
        Some(asked) => done_online(&plan, &asked, exit, ui)?,
        None => done(&plan, args, &resolved, exit, ui)?,
    }
    Ok(exit)
}

/// The complaints about CRDs that are not what was locked. What is different is printed below them.
fn drifted(resolved: &Resolved<'_>, discovered: &Discovered, seen: &Discovered) -> Diagnostics {
    let (_, complaints) = drift(resolved, discovered, seen, false);
    let mut drifted = Diagnostics::default();
    for mut complaint in complaints.into_iter().filter(|d| d.code == &cluster::DRIFT) {
        complaint.notes.clear();
        drifted.push(complaint);
    }
    drifted
}

/// Reads what `--from` names, and finds the CRDs in it.
fn read_given(paths: &[PathBuf], env: &Env) -> Result<(Sources, Given), CliError> {
    let (stdin, paths): (Vec<PathBuf>, Vec<PathBuf>) = paths.iter().cloned().partition(|p| p == Path::new("-"));
    let mut named = BTreeSet::from([STDIN.to_owned()]);
    for path in &paths {
        if !env.path(path).metadata().map_err(|error| CliError::file("read", path, &error))?.is_dir() {
            named.insert(path.to_string_lossy().into_owned());
        }
    }
    let mut more = Vec::new();
    if !stdin.is_empty() {
        let text = read_stdin(MAX_FILE_BYTES).map_err(|error| CliError::file("read", Path::new(STDIN), &error))?;
        more.push(SourceFile { path: STDIN.to_owned(), text: text.into() });
    }
    let (files, unread) = read_paths(&env.directory, &paths, more)?;
    let mut given = given(&files, &named);
    given.errors.extend(unread.into_sorted());
    Ok((files, given))
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

/// Shows the complaints of the repository and of the given files, which are two sets of files.
/// With the status, whether anything keeps unused snapshots from being removed: an error, or what
/// is nearly an object of ours, and would then be one that uses them.
fn report(
    repository: &Repository,
    found: Diagnostics,
    in_given: Diagnostics,
    files: &Sources,
    env: &Env,
    ui: &mut Ui<'_>,
) -> Result<(Exit, bool), CliError> {
    let in_given = in_given.into_sorted();
    let mut list = repository.and(found);
    // Comments may hide what only later stages find.
    list.retain(|d| d.code != &yaml::UNUSED_SUPPRESSION);
    let errors = Summary::of(&list, &repository.sources).error + Summary::of(&in_given, files).error;
    // What is wrong with a cluster says nothing of what the repository wants.
    let of_clusters = list.iter().filter(|d| d.severity == Severity::Error && cluster::ALL.contains(&d.code)).count();
    let (verbosity, both) = (ui.verbosity, !in_given.is_empty() && !list.is_empty());
    if !in_given.is_empty() {
        // One sum for both is at the end.
        ui.verbosity = if both { Verbosity::Quiet } else { verbosity };
        let shown = diagnostics::report(ui, Format::Text, &in_given, files, &diagnostics::Destination::default());
        ui.verbosity = verbosity;
        shown?;
    }
    input::report_if_any(repository, &list, env, ui)?;
    let near = list.iter().any(|d| d.code == &object::NEARLY_OURS);
    Ok((if errors > 0 { Exit::Errors } else { Exit::Fine }, near || errors > of_clusters))
}

/// Prints what changes, a block a cluster.
fn print(plan: &LockPlan, online: bool, ui: &mut Ui<'_>) -> io::Result<()> {
    let all = ui.verbosity == Verbosity::Verbose;
    let out = ui.out();
    // Many clusters get the same CRD: what has changed is said once.
    let mut said: BTreeMap<(&str, &[String]), &ClusterId> = BTreeMap::new();
    let kept = if online { "the cluster did not say" } else { "not in the files" };
    if let Some(uid) = &plan.management_uid {
        writeln!(out, "management\n  cluster    UID {}", plain::line(uid))?;
    }
    for (id, changes) in &plan.clusters {
        if !has_lines(changes) && !all {
            continue;
        }
        writeln!(out, "{id}")?;
        if !changes.facts.is_empty() {
            writeln!(out, "  cluster    {}", plain::line(&changes.facts.join(", ")))?;
        }
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
                ChangeKind::Kept if all => writeln!(out, "  kept       {name:width$}  {kept}")?,
                ChangeKind::Unchanged | ChangeKind::Kept => {}
            }
        }
        for (tenant, namespace) in &changes.namespaces {
            writeln!(out, "  namespace  {namespace} for {tenant}")?;
        }
    }
    Ok(())
}

fn has_lines(changes: &ClusterChanges) -> bool {
    let silent = |kind| matches!(kind, ChangeKind::Unchanged | ChangeKind::Kept);
    changes.crds.values().any(|c| !silent(c.kind)) || !changes.namespaces.is_empty() || !changes.facts.is_empty()
}

/// How many CRDs of what kind. `kept` says why those stay that were not taken.
fn counts(plan: &LockPlan, kept: &str) -> String {
    let mut parts: Vec<String> = Vec::new();
    for (kind, word) in [
        (ChangeKind::Added, "added"),
        (ChangeKind::Changed, "changed"),
        (ChangeKind::Removed, "removed"),
        (ChangeKind::Unchanged, "unchanged"),
        (ChangeKind::Kept, kept),
    ] {
        let n = plan.clusters.values().flat_map(|c| c.crds.values()).filter(|change| change.kind == kind).count();
        if n > 0 {
            parts.push(format!("{n} {word}"));
        }
    }
    if parts.is_empty() { "none".to_owned() } else { parts.join(", ") }
}

/// Says what was done with what the clusters said, and what comes next.
fn done_online(plan: &LockPlan, asked: &Survey, exit: Exit, ui: &mut Ui<'_>) -> io::Result<()> {
    let (answered, unknown) = (asked.clusters.len(), asked.unknown.len());
    if unknown > 0 {
        let all = count(answered + unknown, "service cluster");
        ui.say(format_args!("{unknown} of {all} could not be asked; what is locked of it stays"))?;
    }
    match plan.files.is_empty() {
        true => ui.say(format_args!("nothing to change; CRDs: {}", counts(plan, "kept")))?,
        false => ui.say(format_args!("wrote {LOCK_PATH}; CRDs: {}", counts(plan, "kept")))?,
    }
    match exit {
        Exit::Fine if !plan.files.is_empty() => ui.next("check", "to see whether what you offer fits the CRDs"),
        Exit::Cluster if answered == 0 => {
            ui.next("lock --from FILE", "to take CRDs out of an operator's release, without any cluster")
        }
        _ => Ok(()),
    }
}

/// Says what was done, and what comes next.
fn done(plan: &LockPlan, args: &LockArgs, resolved: &Resolved<'_>, exit: Exit, ui: &mut Ui<'_>) -> io::Result<()> {
    let kinds = || plan.clusters.values().flat_map(|c| c.crds.values().map(|change| change.kind));
    let counted = |kind| kinds().filter(|k| *k == kind).count();
    if args.from.is_empty() {
        let added: usize = plan.clusters.values().map(|c| c.namespaces.len()).sum();
        let removed = counted(ChangeKind::Removed);
        match (plan.files.is_empty(), removed) {
            (true, _) => ui.say("nothing to change: every tenant's namespace is recorded")?,
            (false, 0) => ui.say(format_args!("wrote {LOCK_PATH}; namespaces: {added} recorded"))?,
            (false, _) => {
                ui.say(format_args!("wrote {LOCK_PATH}; namespaces: {added} recorded; CRDs: {removed} removed"))?;
            }
        }
        return ui.next("lock", "to take CRDs from the clusters, or with `--from FILE` out of an operator's release");
    }
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
    ui.say(format_args!("wrote {LOCK_PATH}; CRDs: {}", counts(plan, "not in the files and kept")))?;
    if exit == Exit::Fine {
        ui.next("check", "to see whether what you offer fits the CRDs")?;
    }
    Ok(())
}
