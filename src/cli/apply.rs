//! `carrier apply`: makes the clusters what the repository says.
//!
//! Planned, guarded, confirmed, then done. Until the first write nothing has
//! happened, and it is said so; from then on every object has its end in the
//! report. What is applied is talk, so all of it goes to stderr but the plan.

mod report;

use std::io;
use std::path::{Path, PathBuf};
use std::pin::{Pin, pin};
use std::time::Duration;

use clap::{Args, ValueEnum};
use futures::future::join_all;
use tokio::sync::{mpsc, oneshot, watch};

use super::clusters::{ClusterFlags, duration};
use super::env::Env;
use super::error::CliError;
use super::exit::Exit;
use super::input;
use super::planning::{PlanOptions, Planned, Reached, plan_live};
use super::progress::Progress;
use super::ui::Ui;
use super::wishes::PlanFlags;
use crate::cluster::apply::{self as executor, ClusterWork, Event, How, Outcome, parent_of};
use crate::cluster::diagnose::diagnose;
use crate::cluster::runtime::{block_on_to_the_end, interrupted};
use crate::model::cluster::Target;
use crate::ops::Repository;
use crate::plan::guard::{FORCE_CONFLICTS, is_allowed};
use crate::plan::saved;
use crate::plan::types::{Action, Plan, Refusal};
use crate::plan::words::count;

/// After so long without a word, what is waited for is said.
const SILENCE: Duration = Duration::from_secs(5);

/// Arguments of `carrier apply`.
#[derive(Debug, Args)]
#[command(
    after_help = "Without a saved plan, and not on a terminal, it needs `--yes`. What would break or destroy something is refused\nwith status 3 and the flag that allows it. Interrupted at any point, the next run ends in the same state."
)]
pub struct ApplyArgs {
    /// A plan that `carrier plan --out` wrote: exactly it is applied, or nothing
    #[arg(value_name = "PLAN_FILE", value_hint = clap::ValueHint::FilePath)]
    pub plan: Option<PathBuf>,
    /// Apply without asking
    #[arg(long, short = 'y')]
    pub yes: bool,
    /// Have the servers try everything, and write nothing
    #[arg(long, value_name = "BY")]
    pub dry_run: Option<DryRun>,
    /// How long new CRDs may take until they are served
    #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = duration)]
    pub timeout: Duration,
    /// Wait for no CRD that nothing else in this run needs
    #[arg(long)]
    pub no_wait: bool,
    /// What is wanted of the plan.
    #[command(flatten)]
    pub wishes: PlanFlags,
    /// How to reach the clusters.
    #[command(flatten)]
    pub clusters: ClusterFlags,
}

/// Who does a dry run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DryRun {
    /// The API servers, with their admission.
    Server,
}

/// Applies the repository to its clusters.
///
/// # Errors
/// When there is no repository, the saved plan cannot be read, or nobody can be asked.
pub fn run(args: &ApplyArgs, env: &Env, ui: &mut Ui<'_>) -> Result<Exit, CliError> {
    let saved = args.plan.as_deref().map(|path| read_plan(path, args, env)).transpose()?;
    if !env.person && !args.yes && saved.is_none() && args.dry_run.is_none() {
        let here = ui.program_here();
        return Err(CliError::usage("this is no terminal, so nobody can be asked whether to apply")
            .hint(format!("`{here} apply --yes` applies without asking"))
            .hint(format!("`{here} plan --out FILE` saves a plan to look at, and `{here} apply FILE` applies it")));
    }
    let repository = input::open(env, ui)?;
    let wishes = match &saved {
        // How many objects may go was decided when the plan was made, and the list is compared.
        Some(plan) => PlanOptions {
            prune: plan.prune,
            allowed: plan.allowed.clone(),
            max_prune: Some(usize::MAX),
            allow_empty: true,
            ..args.wishes.wishes()
        },
        None => args.wishes.wishes(),
    };
    let job = Job { args, env, repository: &repository, saved: saved.as_ref() };
    let done = block_on_to_the_end(job.run(&wishes, ui));
    done.map_err(|error| CliError::new(Exit::Bug, format!("cannot wait for the network: {error}")))?
}

/// Reads the saved plan, which says by itself what is allowed.
fn read_plan(path: &Path, args: &ApplyArgs, env: &Env) -> Result<Plan, CliError> {
    let flags = PlanFlags { no_trial: false, locked: false, ..args.wishes.clone() };
    if flags != PlanFlags::default() {
        return Err(CliError::usage("a saved plan is applied as it is: it holds what was allowed when it was made")
            .hint("leave the flags out, or make a plan with them"));
    }
    let text = std::fs::read_to_string(env.path(path)).map_err(|error| CliError::file("read", path, &error))?;
    let plan =
        saved::read(&text).map_err(|error| CliError::usage(format!("cannot use {}: {error}", path.display())))?;
    if plan.refusals.is_empty() { Ok(plan) } else { Err(refused(&plan.refusals)) }
}

/// What ends a command that a guard refuses.
fn refused(refusals: &[Refusal]) -> CliError {
    let mut error = match refusals {
        [one] => CliError::refused(format!("refused: {}", one.message)),
        many => {
            let lines: Vec<String> = many.iter().map(|r| format!("- {}", r.message)).collect();
            CliError::refused(format!("refused, for {} reasons:\n{}", many.len(), lines.join("\n")))
        }
    };
    let mut flags: Vec<&str> = refusals.iter().filter_map(|refusal| refusal.flag.as_deref()).collect();
    flags.dedup();
    if !flags.is_empty() {
        error = error.hint(format!("if that is what you want: {}", flags.join(" ")));
    }
    error.hint("nothing was written")
}

type Interrupt = Pin<Box<dyn Future<Output = ()>>>;

/// Resolves at the next Ctrl-C or SIGTERM, from when it was polled first.
fn interrupt() -> Interrupt {
    Box::pin(interrupted())
}

/// One run of the command.
struct Job<'a> {
    args: &'a ApplyArgs,
    env: &'a Env,
    repository: &'a Repository,
    saved: Option<&'a Plan>,
}

impl Job<'_> {
    async fn run(&self, wishes: &PlanOptions, ui: &mut Ui<'_>) -> Result<Exit, CliError> {
        let progress = Progress::default();
        let planning = plan_live(self.repository, &self.args.clusters, self.env, wishes, &progress);
        let planned = tokio::select! {
            planned = progress.show(ui, planning) => Some(planned),
            () = interrupt() => None,
        };
        let Some(planned) = planned else { return interrupted_early(ui) };
        let repository = self.repository;
        input::report_if_any(repository, &planned.found, self.env, ui)?;
        let Some(plan) = &planned.plan else {
            ui.say("nothing was applied")?;
            return Ok(planned.exit.unwrap_or(Exit::Errors));
        };
        if let Some(saved) = self.saved {
            let moved = saved::differences(saved, plan);
            if !moved.is_empty() {
                return Err(stale(&moved, ui));
            }
        }
        if self.args.dry_run.is_none() && (self.env.person && self.saved.is_none() && !self.args.yes) {
            report::plan(plan, ui)?;
        }
        if !plan.refusals.is_empty() {
            return Err(refused(&plan.refusals));
        }
        if let Some(uid) = planned.unpinned.as_ref().filter(|_| !self.env.person && self.saved.is_none()) {
            return Err(CliError::refused(format!(
                "refused: nothing says that the management cluster with the UID {uid} is the one that is meant"
            ))
            .hint(format!(
                "`{} lock` records it, or write `management: {{uid: {uid}}}` in carrier.yaml",
                ui.program_here()
            ))
            .hint("nothing was written"));
        }
        planned.warn(ui)?;
        if !plan.kept.is_empty() {
            let what = count(plan.kept.len(), "object");
            ui.say(format_args!("{what} that the repository no longer has stay; `--prune` deletes them"))?;
        }
        let Some(works) = self.works(&planned, plan, ui).await? else { return interrupted_early(ui) };
        if works.iter().all(ClusterWork::is_nothing) {
            report::nothing(plan, ui)?;
            return Ok(planned.exit.map_or(Exit::Fine, |_| Exit::Partial));
        }
        announce(&planned, plan, ui)?;
        if self.args.dry_run.is_none() && !self.args.yes && self.saved.is_none() {
            match ask(ui).await? {
                Some(true) => {}
                Some(false) => {
                    ui.say("nothing was applied")?;
                    return Ok(Exit::Fine);
                }
                None => return interrupted_early(ui),
            }
        }
        let how = How {
            dry_run: self.args.dry_run.is_some(),
            timeout: self.args.timeout,
            wait: !self.args.no_wait,
            no_deletions: (!plan.complete).then(|| "nothing is deleted while a cluster does not answer".to_owned()),
        };
        let Some(outcome) = execute(&works, &how, ui).await? else { return Ok(Exit::Interrupted) };
        report::outcome(&outcome, plan, &how, ui)?;
        planned.count(ui)?;
        Ok(exit(&outcome, &planned))
    }

    /// What is to be done to each cluster that answered; `None` where the user interrupts.
    async fn works<'p>(
        &self,
        planned: &'p Planned,
        plan: &Plan,
        ui: &mut Ui<'_>,
    ) -> Result<Option<Vec<ClusterWork<'p>>>, CliError> {
        let parents = planned.reached.iter().map(|r| parent_of(&r.cluster, &r.inventory));
        let parents = tokio::select! {
            parents = join_all(parents) => parents,
            () = interrupt() => return Ok(None),
        };
        let mut works = Vec::new();
        for (Reached { cluster, inventory, .. }, parent) in planned.reached.iter().zip(parents) {
            let parent = match parent {
                Ok(parent) => parent,
                Err(error) => {
                    input::report_if_any(self.repository, &[diagnose(&cluster.target, &error, None)], self.env, ui)?;
                    return Err(CliError::new(Exit::Cluster, "the inventory cannot be read; nothing was written"));
                }
            };
            let wanted = planned.wanted(&cluster.target);
            let force = |change: &crate::plan::Change| {
                !change.conflicts.is_empty() && is_allowed(&plan.allowed, FORCE_CONFLICTS, &change.object)
            };
            let work = ClusterWork::of(plan, cluster, inventory, wanted, parent.as_ref(), force);
            works.push(work.map_err(|misfit| CliError::new(Exit::Bug, misfit.to_string()))?);
        }
        Ok(Some(works))
    }
}

fn interrupted_early(ui: &mut Ui<'_>) -> Result<Exit, CliError> {
    ui.warn("interrupted; nothing was written")?;
    Ok(Exit::Interrupted)
}

/// The refusal of a saved plan that does not fit any more.
fn stale(moved: &[String], ui: &Ui<'_>) -> CliError {
    let lines: Vec<String> = moved.iter().map(|line| format!("- {line}")).collect();
    CliError::refused(format!("refused: the world is not the one that the plan was made for:\n{}", lines.join("\n")))
        .hint(format!("make a new one: `{} plan --out FILE`", ui.program_here()))
        .hint("nothing was written")
}

/// Names each cluster that something is done to, and where it is.
fn announce(planned: &Planned, plan: &Plan, ui: &mut Ui<'_>) -> io::Result<()> {
    for Reached { cluster, .. } in &planned.reached {
        let name = cluster.target.to_string();
        let of = |action| plan.changes.iter().filter(|c| c.object.cluster == name && c.action == action).count();
        let parts: Vec<String> =
            [(Action::Create, "to create"), (Action::Update, "to change"), (Action::Delete, "to delete")]
                .into_iter()
                .filter(|(action, _)| of(*action) > 0)
                .map(|(action, what)| format!("{} {what}", of(action)))
                .collect();
        if !parts.is_empty() {
            let context = cluster.context.as_ref().map(|name| format!(", context {name}")).unwrap_or_default();
            ui.say(format_args!("{name} at {}{context}: {}", cluster.server, parts.join(", ")))?;
        }
    }
    Ok(())
}

/// Asks the person at the terminal; `None` where that ends in an interruption.
async fn ask(ui: &mut Ui<'_>) -> io::Result<Option<bool>> {
    ui.flush()?;
    write!(ui.err(), "Apply this? Only `yes` does: ")?;
    ui.flush()?;
    let (tell, told) = oneshot::channel();
    // A thread of its own, which the process does not wait for: nothing ends a read of a terminal.
    std::thread::spawn(move || {
        let mut line = String::new();
        let read = io::stdin().read_line(&mut line);
        let _ = tell.send(read.is_ok() && line.trim() == "yes");
    });
    let answer = tokio::select! {
        answer = told => Some(answer.unwrap_or(false)),
        () = interrupt() => None,
    };
    if answer.is_none() {
        writeln!(ui.err())?;
    }
    Ok(answer)
}

/// Applies, and tells what happens. `None` where the user would not wait for the writes under way.
async fn execute(works: &[ClusterWork<'_>], how: &How, ui: &mut Ui<'_>) -> io::Result<Option<Outcome>> {
    let (tell, mut told) = mpsc::unbounded_channel::<Event>();
    let (stop, stopped) = watch::channel(false);
    let mut work = pin!(executor::apply(works, how, &stopped, &tell));
    let mut ended = interrupt();
    let mut waiting: Option<String> = None;
    let outcome = loop {
        tokio::select! {
            biased;
            () = &mut ended => {
                if stop.send_replace(true) {
                    ui.warn("ended in the midst of writes; what they came to is not known. The next `apply` takes up there")?;
                    return Ok(None);
                }
                ended = interrupt();
                ui.warn("interrupted: the writes under way are finished, and no more begun; once more ends at once")?;
            }
            Some(event) = told.recv() => {
                waiting = match &event {
                    Event::Waiting { cluster, crds } => Some(format!("{} of {cluster} to be established", count(*crds, "CRD"))),
                    Event::Stage { .. } => None,
                    _ => waiting,
                };
                report::event(&event, how, ui)?;
            }
            outcome = &mut work => break outcome,
            () = tokio::time::sleep(SILENCE) => {
                match &waiting {
                    Some(what) => ui.say(format_args!("waiting for {what}"))?,
                    None => ui.say("waiting for the clusters to answer")?,
                }
            }
        }
    };
    while let Ok(event) = told.try_recv() {
        report::event(&event, how, ui)?;
    }
    Ok(Some(outcome))
}

/// How it ends: the whole, a part, or nothing because the management cluster does not answer.
fn exit(outcome: &Outcome, planned: &Planned) -> Exit {
    if outcome.interrupted {
        return Exit::Interrupted;
    }
    let management = Target::Management.to_string();
    let lost = outcome.failed.iter().any(|f| f.cluster && f.object.cluster == management);
    match () {
        () if lost && !outcome.changed_anything() => Exit::Cluster,
        () if !outcome.is_whole() || planned.exit.is_some() => Exit::Partial,
        () => Exit::Fine,
    }
}
