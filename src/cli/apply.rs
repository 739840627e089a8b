//! `carrier apply`: applies a repository to its clusters.
//!
//! Plan, guards, confirmation, execution. A command that ends before the first write says that nothing was
//! written; after it, the report has every object. The plan goes to stdout, everything else to stderr.

mod report;

use std::io;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::time::Duration;

use clap::{Args, ValueEnum};
use tokio::sync::watch;

use super::ask::{ask, interrupt};
use super::clusters::{ClusterFlags, duration, written};
use super::env::Env;
use super::error::CliError;
use super::exit::Exit;
use super::input;
use super::plan::{count_requests, place, unused, warn_of_gone};
use super::plan_flags::PlanFlags;
use super::progress;
use super::ui::Ui;
use crate::cluster::apply;
use crate::cluster::diagnose::diagnose;
use crate::cluster::runtime::block_on_to_the_end;
use crate::model::cluster::Target;
use crate::ops::apply::{Applied, ApplyError, ApplyOptions, SavedPlanError, check, execute, prepare};
use crate::ops::plan::{LivePlan, PlanOptions, Reached, plan_live};
use crate::ops::{self, Event, EventReceiver, Events, Repository};
use crate::plan::types::{Action, Plan, Refusal};
use crate::plan::words::{count, staying};

/// The longest time without output: then what is waited for is shown.
const SILENCE: Duration = Duration::from_secs(5);

/// The time limit of waiting without a flag.
const USUAL_WAIT: &str = "5m";

/// Arguments of `carrier apply`.
#[derive(Debug, Args)]
#[command(
    after_help = "Without a saved plan and without a terminal, `--yes` is required. Changes that would break or destroy something are refused with status 3 and the flags that allow them. If a run is interrupted, the next one ends in the same state."
)]
pub(crate) struct ApplyArgs {
    /// A plan written by `carrier plan --out`; it is applied exactly, or not at all
    #[arg(value_name = "PLAN_FILE", value_hint = clap::ValueHint::FilePath)]
    pub plan: Option<PathBuf>,
    /// Apply without asking
    #[arg(long, short = 'y')]
    pub yes: bool,
    /// Send everything as a dry run; nothing is written
    #[arg(long, value_name = "BY")]
    pub dry_run: Option<DryRun>,
    /// The time limit for new CRDs to be served, and for deletions that `carrier sync` carries out
    #[arg(long, value_name = "DURATION", default_value = USUAL_WAIT, value_parser = duration)]
    pub timeout: Duration,
    /// Do not wait for CRDs that no other object of this run needs
    #[arg(long)]
    pub no_wait: bool,
    /// What the plan may contain.
    #[command(flatten)]
    pub flags: PlanFlags,
    /// How to reach the clusters.
    #[command(flatten)]
    pub clusters: ClusterFlags,
}

/// Where a dry run is evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum DryRun {
    /// In the API servers, including admission.
    Server,
}

/// Applies the repository to its clusters.
///
/// # Errors
/// When there is no repository, the saved plan cannot be read, or there is no terminal to ask for confirmation on.
pub(crate) fn run(args: &ApplyArgs, env: &Env, ui: &mut Ui<'_>) -> Result<Exit, CliError> {
    let saved = args.plan.as_deref().map(|path| read_plan(path, args, env)).transpose()?;
    if !env.person && !args.yes && saved.is_none() && args.dry_run.is_none() {
        return Err(CliError::usage("this is not a terminal, so nobody can confirm")
            .hint(format!("`carrier {}` applies without asking", args.again("apply --yes")))
            .hint(format!(
                "`carrier {}` saves a plan to look at, and `carrier {}` applies it",
                args.flags.with("plan --out FILE"),
                args.waits("apply FILE")
            )));
    }
    let repository = input::open(env, ui)?;
    let flags = args.flags.options();
    let options = match &saved {
        Some(plan) => flags.for_saved(plan),
        None => flags,
    };
    let job = Job { args, env, repository: &repository, saved: saved.as_ref() };
    let done = block_on_to_the_end(job.run(&options, ui));
    done.map_err(|error| CliError::new(Exit::Bug, format!("cannot wait for the network: {error}")))?
}

/// Reads the saved plan. The flags that say what a plan may contain do not go with it: that was decided when the
/// plan was saved.
fn read_plan(path: &Path, args: &ApplyArgs, env: &Env) -> Result<Plan, CliError> {
    let flags = PlanFlags { no_trial: false, locked: false, ..args.flags.clone() };
    if flags != PlanFlags::default() {
        return Err(CliError::usage("a saved plan is applied as it is: it records what was allowed when it was made")
            .hint("leave the flags out, or make a plan with them"));
    }
    ops::apply::read_saved(&env.path(path)).map_err(|error| match error {
        SavedPlanError::Read(error) => CliError::file("read", path, &error),
        SavedPlanError::Invalid(error) => CliError::usage(format!("cannot use {}: {error}", path.display())),
        SavedPlanError::Refused(plan) => {
            let flags = PlanFlags::of(&plan).with("plan --out FILE");
            let again = format!("{flags} {}", allowing(&plan.refusals).join(" "));
            refused(&plan.refusals, &format!("make a plan that allows this: `carrier {}`", again.trim_end()))
        }
    })
}

/// The flags that allow what guards refuse. If all objects have to be adopted at once, none is named beside.
fn allowing(refusals: &[Refusal]) -> Vec<&str> {
    const ALL: &str = "--adopt all";
    let is_all = |refusal: &Refusal| refusal.flag.as_deref() == Some(ALL);
    let all = refusals.iter().find(|refusal| is_all(refusal));
    let others = refusals.iter().filter(|refusal| all.is_none_or(|all| refusal.guard != all.guard));
    let mut flags: Vec<&str> = others.filter_map(|refusal| refusal.flag.as_deref()).collect();
    flags.extend(all.map(|_| ALL));
    flags.dedup();
    flags
}

/// The error of changes that guards refuse, and how to allow them if a flag does.
fn refused(refusals: &[Refusal], way_out: &str) -> CliError {
    let mut error = match refusals {
        [one] => CliError::refused(format!("refused: {}", one.message)),
        many => {
            let error = CliError::refused(format!("refused, for {} reasons:", many.len()));
            many.iter().fold(error, |error, refusal| error.line(&refusal.message))
        }
    };
    if !allowing(refusals).is_empty() {
        error = error.hint(way_out);
    }
    error.hint("nothing was written")
}

/// One run of the command.
struct Job<'a> {
    args: &'a ApplyArgs,
    env: &'a Env,
    repository: &'a Repository,
    saved: Option<&'a Plan>,
}

impl Job<'_> {
    async fn run(&self, options: &PlanOptions, ui: &mut Ui<'_>) -> Result<Exit, CliError> {
        let (events, mut receiver) = Events::channel();
        let connect = self.args.clusters.options(self.env);
        let planning = plan_live(self.repository, &connect, options, &events);
        let planned = tokio::select! {
            planned = progress::show(ui, &mut receiver, planning) => Some(planned),
            () = interrupt() => None,
        };
        let Some(planned) = planned else { return interrupted_early(ui) };
        input::report_if_any(self.repository, &planned.found, self.env, ui)?;
        let Some(plan) = &planned.plan else {
            ui.say("nothing was applied")?;
            return Ok(planned.failure.map_or(Exit::Errors, Exit::from));
        };
        self.check(&planned, plan, ui)?;
        unused(plan, &planned.managers(), ui)?;
        warn_of_gone(&planned, ui)?;
        if !plan.kept.is_empty() {
            let what = count(plan.kept.len(), "object");
            ui.say(format_args!("{what} that the repository no longer has stay; {}", staying(plan)))?;
        }
        report::going(plan, ui)?;
        let prepared = match prepare(&planned, plan) {
            Err(ApplyError::Inventory { cluster, error }) => {
                input::report_if_any(self.repository, &[diagnose(&cluster, &error, None)], self.env, ui)?;
                return Err(CliError::new(Exit::Cluster, "the inventory cannot be read; nothing was written"));
            }
            prepared => prepared.map_err(|error| self.error_of(error))?,
        };
        if prepared.is_empty() {
            report::nothing(plan, ui)?;
            return Ok(if prepared.is_whole() { Exit::Fine } else { Exit::Partial });
        }
        announce(&planned, plan, ui)?;
        if self.needs_consent() {
            match ask(ui, "Apply this? Only `yes` does: ").await? {
                Some(true) => {}
                Some(false) => {
                    ui.say("nothing was applied")?;
                    return Ok(Exit::Fine);
                }
                None => return interrupted_early(ui),
            }
        }
        let options =
            ApplyOptions { dry_run: self.args.dry_run.is_some(), timeout: self.args.timeout, wait: !self.args.no_wait };
        let (stop, stopped) = watch::channel(false);
        let work = execute(&prepared, &options, &stopped, &events);
        let Some(applied) = follow(work, &stop, &mut receiver, options.dry_run, ui).await? else {
            return Ok(Exit::Interrupted);
        };
        let again = match self.saved {
            // What is left is another plan than the saved one.
            Some(_) => (self.again("plan --out FILE"), "to plan what is left, and apply that"),
            // Another run may be newer, and what was not deleted has a reason: somebody looks first.
            None if applied.outcome.needs_a_look(plan) => (self.again("plan"), "to see what is left to do"),
            None => (self.again("apply"), "again: it continues where this run ended"),
        };
        report::outcome(&applied.outcome, plan, options.dry_run, (&again.0, again.1), ui)?;
        count_requests(&planned, ui)?;
        Ok(applied.completion.into())
    }

    /// Whether a person has to confirm the plan.
    fn needs_consent(&self) -> bool {
        self.args.dry_run.is_none() && !self.args.yes && self.saved.is_none()
    }

    /// Ends the command if the plan may not be applied. A person who has to confirm it sees it first.
    fn check(&self, planned: &LivePlan, plan: &Plan, ui: &mut Ui<'_>) -> Result<(), CliError> {
        // With `--yes` nobody is asked, on a terminal either. A dry run writes nothing.
        let attended = self.env.person && (self.needs_consent() || self.args.dry_run.is_some());
        let checked = check(planned, plan, self.saved, attended);
        if self.env.person && self.needs_consent() && !matches!(checked, Err(ApplyError::Stale(_))) {
            report::plan(plan, ui)?;
        }
        checked.map_err(|error| self.error_of(error))
    }

    /// The error of a plan that is not applied.
    fn error_of(&self, error: ApplyError) -> CliError {
        match error {
            ApplyError::Refused(refusals) => {
                let flags = allowing(&refusals).join(" ");
                refused(&refusals, &format!("to allow this: {flags}"))
            }
            ApplyError::NotPermitted(lacking) => {
                let error = CliError::refused("refused: the account lacks permissions to apply this:");
                let error = lacking.iter().fold(error, CliError::line);
                error.hint("`carrier doctor --for apply` lists them all").hint("nothing was written")
            }
            ApplyError::Stale(differences) => {
                let error = CliError::refused("refused: something has changed since the plan was made:");
                let error = differences.iter().fold(error, CliError::line);
                let again = self.again("plan --out FILE");
                error.hint(format!("make a new one: `carrier {again}`")).hint("nothing was written")
            }
            ApplyError::UnknownClusters(clusters) => unknown(&clusters),
            ApplyError::Inventory { error, .. } => CliError::new(Exit::Cluster, error.to_string()),
            ApplyError::Mismatch(mismatch) => CliError::new(Exit::Bug, mismatch.to_string()),
        }
    }

    /// A command with the flags of this run: those of the saved plan if there is one.
    fn again(&self, command: &str) -> String {
        match self.saved {
            Some(plan) => PlanFlags::of(plan).with(command),
            None => self.args.again(command),
        }
    }
}

impl ApplyArgs {
    /// A command with the flags of this one that it has, but for those of clusters.
    fn again(&self, command: &str) -> String {
        let text = self.flags.with(command);
        if !command.starts_with("apply") {
            return text;
        }
        let yes = if self.yes { " --yes" } else { "" };
        self.waits(&text) + yes
    }

    /// A command that applies and waits as this one does.
    fn waits(&self, command: &str) -> String {
        let mut text = command.to_owned();
        if Ok(self.timeout) != duration(USUAL_WAIT) {
            text = format!("{text} --timeout {}", written(self.timeout));
        }
        if self.no_wait {
            text.push_str(" --no-wait");
        }
        text
    }
}

/// The error of clusters that nobody has named or seen.
fn unknown(clusters: &[(Target, String)]) -> CliError {
    let named: Vec<String> = clusters
        .iter()
        .map(|(target, uid)| match target {
            Target::Management => format!("the management cluster with the UID {uid}"),
            Target::Service(id) => format!("the service cluster `{id}` with the UID {uid}"),
        })
        .collect();
    let error = match named.as_slice() {
        [one] => CliError::refused(format!("refused: nothing says that {one} is the one that is meant")),
        several => {
            let error = CliError::refused("refused: nothing says that these clusters are the ones that are meant:");
            several.iter().fold(error, CliError::line)
        }
    };
    let error = match clusters {
        [(Target::Management, uid)] => {
            error.hint(format!("`carrier lock` records it, or write `management: {{uid: {uid}}}` in carrier.yaml"))
        }
        _ => error.hint("`carrier lock` records them in carrier.lock"),
    };
    error.hint("nothing was written")
}

fn interrupted_early(ui: &mut Ui<'_>) -> Result<Exit, CliError> {
    ui.warn("interrupted; nothing was written")?;
    Ok(Exit::Interrupted)
}

/// Names each cluster with changes, with its address and the number of changes.
fn announce(planned: &LivePlan, plan: &Plan, ui: &mut Ui<'_>) -> io::Result<()> {
    for Reached { cluster, .. } in &planned.reached {
        let name = cluster.target.to_string();
        let of = |action| plan.changes.iter().filter(|c| c.object.cluster == name && c.action == action).count();
        let is_repaired = |name: &str| plan.clusters.iter().any(|c| c.name == name && c.inventory_repair.is_some());
        let parts: Vec<String> =
            [(Action::Create, "to create"), (Action::Update, "to change"), (Action::Delete, "to delete")]
                .into_iter()
                .filter(|(action, _)| of(*action) > 0)
                .map(|(action, what)| format!("{} {what}", of(action)))
                .chain(is_repaired(&name).then(|| "the record of the inventory to repair".to_owned()))
                .collect();
        if !parts.is_empty() {
            ui.say(format_args!("{}: {}", place(cluster), parts.join(", ")))?;
        }
    }
    Ok(())
}

/// Shows the events of an apply until it ends. `None` if the user does not wait for the writes in progress.
async fn follow(
    work: impl Future<Output = Applied>,
    stop: &watch::Sender<bool>,
    events: &mut EventReceiver,
    dry_run: bool,
    ui: &mut Ui<'_>,
) -> io::Result<Option<Applied>> {
    let mut work = pin!(work);
    let mut ended = interrupt();
    let mut waiting: Option<String> = None;
    let applied = loop {
        tokio::select! {
            biased;
            () = &mut ended => {
                if stop.send_replace(true) {
                    ui.warn("stopped during writes, whose results are not known. The next `apply` continues from there")?;
                    return Ok(None);
                }
                ended = interrupt();
                ui.warn("interrupted: writes in progress are finished, and no new ones begin; interrupt again to stop at once")?;
            }
            // A pattern that only some events match would switch the branch off at the first other one.
            Some(event) = events.recv() => {
                let Event::Apply(event) = event else { continue };
                waiting = match &event {
                    apply::Event::Waiting { cluster, crds } => {
                        Some(format!("{} of {cluster} to be established", count(*crds, "CRD")))
                    }
                    apply::Event::Releasing { instances, .. } => {
                        Some(format!("`carrier sync` to delete the copies of {}", count(*instances, "instance")))
                    }
                    apply::Event::Settling { objects, .. } => Some(format!("{} to be gone", count(*objects, "object"))),
                    apply::Event::Stage { .. } => None,
                    _ => waiting,
                };
                report::event(&event, dry_run, ui)?;
            }
            applied = &mut work => break applied,
            () = tokio::time::sleep(SILENCE) => {
                match &waiting {
                    Some(what) => ui.say(format_args!("waiting for {what}"))?,
                    None => ui.say("waiting for the clusters to answer")?,
                }
            }
        }
    };
    while let Ok(event) = events.try_recv() {
        if let Event::Apply(event) = event {
            report::event(&event, dry_run, ui)?;
        }
    }
    Ok(Some(applied))
}
