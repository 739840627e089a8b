//! `carrier lock`: the CRDs of the service clusters, recorded in the repository.
//!
//! What changes is data and goes to stdout; stderr has the diagnostics and what was done.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use anstyle::Style;
use clap::Args;

use super::clusters::ClusterFlags;
use super::diagnostics::{self, Destination, Format};
use super::env::{Env, read_stdin};
use super::error::CliError;
use super::exit::Exit;
use super::style::change_style;
use super::ui::{Ui, Verbosity};
use super::{input, progress};
use crate::compile::locking::{ChangeKind, ClusterChanges, LockPlan};
use crate::files::walk::MAX_FILE_BYTES;
use crate::model::cluster::ClusterId;
use crate::model::lock::LOCK_PATH;
use crate::model::plain;
use crate::ops::lock::{AskedClusters, GivenFiles, LockChanges, LockError, LockOptions, LockSource, prepare};
use crate::ops::{Events, Repository};
use crate::plan::words::count;

/// The number of lines that are shown of a changed CRD; with `-v`, all.
const LINES: usize = 20;

/// Arguments of `carrier lock`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  carrier lock                             what the clusters have\n  carrier lock --from redis-operator.yaml  what a release of the operator has\n  carrier lock --check                     whether the clusters still have what is locked\n\nThose CRDs are taken that a CatalogEntrySet names. What is locked stays where the cluster, or the files, do not have it.\ndocs/configuration.md says how the clusters are reached."
)]
pub(crate) struct LockArgs {
    /// Take CRDs from these files and folders, such as the release manifest of an operator, and ask no cluster; `-` for
    /// the standard input
    #[arg(long, value_name = "PATH", num_args = 1.., value_hint = clap::ValueHint::AnyPath)]
    pub from: Vec<PathBuf>,
    /// Only this service cluster; without it, all
    #[arg(long, value_name = "PROVIDER/CLUSTER")]
    pub cluster: Option<ClusterId>,
    /// Remove the snapshots that nothing uses; refused while the repository has errors
    #[arg(long)]
    pub prune: bool,
    /// Write nothing; exit with status 2 if something would change
    #[arg(long)]
    pub check: bool,
    /// Ask no cluster: record namespaces of tenants that have none yet, and with `--prune` remove unused snapshots
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
pub(crate) fn run(args: &LockArgs, env: &Env, ui: &mut Ui<'_>) -> Result<Exit, CliError> {
    let repository = input::open(env, ui)?;
    let options = args.options(env)?;
    let connect = args.clusters.options(env);
    let (events, mut receiver) = Events::channel();
    let preparing = prepare(&repository, &connect, &options, &events);
    let Some(prepared) = progress::run(ui, &mut receiver, preparing)? else {
        ui.say("interrupted; nothing was written")?;
        return Ok(Exit::Interrupted);
    };
    let changes = match prepared {
        Ok(changes) => changes,
        Err(error) => return not_locked(error, &repository, env, ui),
    };
    report(&changes, &repository, env, ui)?;
    let plan = &changes.plan;
    // The failure of a cluster takes precedence.
    let exit = match changes.asked.and_then(|asked| asked.failure) {
        Some(failure) => failure.into(),
        None if changes.has_errors() => Exit::Errors,
        None => Exit::Fine,
    };
    if args.prune && changes.in_doubt {
        ui.say("nothing was written: until this is fixed, snapshots that seem unused may be in use")?;
        return Ok(Exit::Refused);
    }
    if plan.refused {
        ui.say("nothing was locked: fix the given files first")?;
        return Ok(exit);
    }
    print(plan, changes.asked.is_some(), ui)?;
    // On a terminal both streams are one text: the changes, then what was done.
    ui.flush()?;
    if args.check {
        if plan.files.is_empty() {
            let is_whole = changes.asked.is_none_or(|asked| asked.unknown == 0);
            ui.say(match is_whole {
                true => "nothing would change",
                false => "nothing would change in the clusters that answered",
            })?;
            return Ok(exit);
        }
        let files = count(plan.files.len(), "file");
        ui.say(format_args!("{files} would change; without `--check` this is written"))?;
        return Ok(if exit == Exit::Fine { Exit::Changes } else { exit });
    }
    changes.write(&repository)?;
    match &changes.asked {
        Some(asked) => done_online(plan, asked, exit, ui)?,
        None => done(&changes, args, exit, ui)?,
    }
    Ok(exit)
}

impl LockArgs {
    /// The options of locking. Reads the standard input if the arguments name it.
    fn options(&self, env: &Env) -> Result<LockOptions, CliError> {
        let (stdin, paths): (Vec<PathBuf>, Vec<PathBuf>) = self.from.iter().cloned().partition(|p| p == Path::new("-"));
        let text = match stdin.is_empty() {
            true => None,
            false => Some(read_stdin(MAX_FILE_BYTES)?),
        };
        let from = match () {
            () if !self.from.is_empty() => {
                LockSource::Files(GivenFiles { directory: env.directory.clone(), paths, text })
            }
            () if self.offline => LockSource::Nothing,
            () => LockSource::Clusters,
        };
        Ok(LockOptions { from, cluster: self.cluster.clone(), prune: self.prune, check: self.check })
    }
}

/// Ends the command if nothing can be locked.
fn not_locked(error: LockError, repository: &Repository, env: &Env, ui: &mut Ui<'_>) -> Result<Exit, CliError> {
    let (diagnostics, why) = match error {
        LockError::BrokenLock(list) => (list, "fix the lock first, or what it records would be lost"),
        LockError::InvalidFiles(list) => (list, "fix these errors first: the files say how to reach the clusters"),
        LockError::UnknownCluster(unknown) => return Err(unknown.into()),
        LockError::Unreadable { path, error } => return Err(CliError::file("read", &path, &error)),
        LockError::Files(error) => return Err(error.into()),
    };
    input::report(repository, &diagnostics, Format::Text, env, ui)?;
    ui.say(format_args!("nothing was locked: {why}"))?;
    Ok(Exit::Errors)
}

/// Shows the diagnostics of the given files and of the repository, which are two sets of files.
fn report(changes: &LockChanges, repository: &Repository, env: &Env, ui: &mut Ui<'_>) -> Result<(), CliError> {
    if !changes.in_files.is_empty() {
        let verbosity = ui.verbosity;
        // The totals of both come at the end.
        if !changes.diagnostics.is_empty() {
            ui.verbosity = Verbosity::Quiet;
        }
        let nowhere = Destination::default();
        let shown = diagnostics::report(ui, Format::Text, &changes.in_files, &changes.files, &nowhere);
        ui.verbosity = verbosity;
        shown?;
    }
    input::report_if_any(repository, &changes.diagnostics, env, ui)?;
    Ok(())
}

/// Prints the changes, a block per cluster.
fn print(plan: &LockPlan, online: bool, ui: &mut Ui<'_>) -> io::Result<()> {
    let (all, color) = (ui.verbosity == Verbosity::Verbose, ui.out_color);
    let out = ui.out();
    // Many clusters get the same CRD: its changes are shown once.
    let mut said: BTreeMap<(&str, &[String]), &ClusterId> = BTreeMap::new();
    let kept = if online { "the cluster did not say" } else { "not in the files" };
    if let Some(identity) = &plan.repository {
        writeln!(out, "repository\n  identity   {identity}")?;
    }
    if let Some(uid) = &plan.management_uid {
        writeln!(out, "management\n  cluster    UID {}", plain::name(uid))?;
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
                        let style = if color { change_style(line) } else { Style::new() };
                        writeln!(out, "    {style}{}{style:#}", plain::line(line))?;
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
            writeln!(out, "  namespace  {} for {}", plain::name(namespace), plain::name(tenant))?;
        }
    }
    Ok(())
}

fn has_lines(changes: &ClusterChanges) -> bool {
    let silent = |kind| matches!(kind, ChangeKind::Unchanged | ChangeKind::Kept);
    changes.crds.values().any(|c| !silent(c.kind)) || !changes.namespaces.is_empty() || !changes.facts.is_empty()
}

/// The number of CRDs of each kind. `kept` says why CRDs stay that were not taken.
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

/// Shows what was done with the answers of the clusters, and the next command.
fn done_online(plan: &LockPlan, asked: &AskedClusters, exit: Exit, ui: &mut Ui<'_>) -> io::Result<()> {
    let AskedClusters { answered, unknown, .. } = *asked;
    if unknown > 0 {
        let all = count(answered + unknown, "service cluster");
        ui.say(format_args!("{unknown} of {all} could not be asked; what is locked of them stays"))?;
    }
    match plan.files.is_empty() {
        true => ui.say(format_args!("nothing to change; CRDs: {}", counts(plan, "kept")))?,
        false => ui.say(format_args!("wrote {LOCK_PATH}; CRDs: {}", counts(plan, "kept")))?,
    }
    match exit {
        Exit::Fine if !plan.files.is_empty() => ui.next("check", "to see whether what you offer fits the CRDs"),
        Exit::Cluster if answered == 0 => {
            ui.next("lock --from FILE", "to take CRDs from the release manifest of an operator, without a cluster")
        }
        _ => Ok(()),
    }
}

/// Shows what was done, and the next command.
fn done(changes: &LockChanges, args: &LockArgs, exit: Exit, ui: &mut Ui<'_>) -> io::Result<()> {
    let plan = &changes.plan;
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
    if !changes.has_services {
        ui.say("no CatalogEntrySet offers a CRD of a service cluster, so there is nothing to take")?;
        return ui.next("fields --from PATH", "to see which fields a CRD has");
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
