//! `carrier plan`: what applying the repository would change, and for whom.
//!
//! The plan is data and goes to stdout, in any format; stderr has the diagnostics and the next command. A plan
//! that `apply` would refuse is still a plan: the exit status says only whether there is one and, with
//! `--detailed-exitcode`, whether anything would change.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::against::Against;
use super::clusters::ClusterFlags;
use super::diagnostics::{self, Destination, Format};
use super::env::Env;
use super::error::CliError;
use super::exit::Exit;
use super::input;
use super::plan_flags::PlanFlags;
use super::progress;
use super::ui::{Ui, Verbosity};
use crate::cluster::Cluster;
use crate::cluster::connect::ConnectOptions;
use crate::model::plain;
use crate::model::shell::shell_word;
use crate::ops::plan::{
    BaseError, HermeticError, HermeticPlan, LivePlan, PlanOptions, Reached, hermetic::plan_hermetic, plan_live,
};
use crate::ops::{Events, Repository};
use crate::plan::guard::is_allowed;
use crate::plan::markdown::markdown;
use crate::plan::others::{self, is_of_inventory};
use crate::plan::take_over::TAKE_OVER_FROM;
use crate::plan::text::{TextOptions, text};
use crate::plan::types::{Allowed, Change, ObjectRef, Plan};
use crate::plan::words::{doctor, first, flag_name};

/// So many field managers are named.
const MANAGERS: usize = 8;

/// Arguments of `carrier plan`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  carrier plan                                      what applying would change\n  carrier plan --prune --out plan.json              keep the plan, for `carrier apply plan.json`\n  carrier plan --against git:origin/main -o markdown  a comment for a pull request; asks no cluster\n\nNone of your objects is changed. For a schema that becomes stricter or loses fields, a temporary CRD is created to validate the instances against, and deleted again; with `--no-trial` nothing is written at all.\n\nNothing is planned if the repository has errors. Changes that `carrier apply` would refuse are listed last, with the flags that allow them."
)]
pub(crate) struct PlanArgs {
    /// Compare with the output of `carrier render`, another repository, or this one at a revision, and ask no cluster
    #[arg(long, value_name = "DIR|git:REV", value_hint = clap::ValueHint::AnyPath, conflicts_with_all = ["out_file", "refresh", "locked", "no_trial", "kubeconfig", "context"])]
    pub against: Option<Against>,
    /// Output format
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    pub output: Output,
    /// In text, show only totals and dangerous changes
    #[arg(long)]
    pub summary: bool,
    /// Also write the plan to this file, for `carrier apply FILE`
    #[arg(long = "out", id = "out_file", value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub out: Option<PathBuf>,
    /// Exit with status 2 if something would change, or would be refused
    #[arg(long)]
    pub detailed_exitcode: bool,
    /// Plan with the CRDs that the clusters have now instead of the locked ones
    #[arg(long, conflicts_with = "locked")]
    pub refresh: bool,
    /// What the plan may contain.
    #[command(flatten)]
    pub flags: PlanFlags,
    /// How to reach the clusters.
    #[command(flatten)]
    pub clusters: ClusterFlags,
}

/// An output format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// For people.
    Text,
    /// A JSON document of `schemas/plan.json`.
    Json,
    /// A comment for a pull request, at most 60,000 bytes.
    Markdown,
}

/// Makes a plan and shows it.
///
/// # Errors
/// When there is no repository, nothing to compare with, or the output cannot be written.
pub(crate) fn run(args: &PlanArgs, env: &Env, ui: &mut Ui<'_>) -> Result<Exit, CliError> {
    let repository = input::open(env, ui)?;
    let options = PlanOptions { refresh: args.refresh, ..args.flags.options() };
    let (plan, managers, exit) = match &args.against {
        Some(against) => match hermetic(&repository, against, &options, env, ui)? {
            Some(plan) => (plan, BTreeSet::new(), None),
            None => return Ok(Exit::Errors),
        },
        None => match live(&repository, &args.clusters.options(env), &options, env, ui)? {
            (Some((plan, managers)), exit) => (plan, managers, exit),
            (None, exit) => {
                ui.say("nothing was planned")?;
                return Ok(exit.unwrap_or(Exit::Errors));
            }
        },
    };
    show(&plan, args.output, args.summary, ui)?;
    // On a terminal both streams are one text: the plan, then the next command.
    ui.flush()?;
    unused(&plan, &managers, ui)?;
    if let Some(file) = &args.out {
        let path = env.path(file);
        fs::write(&path, json(&plan)).map_err(|error| CliError::file("write", &path, &error))?;
        ui.say(format_args!("wrote {}", file.display()))?;
    }
    let doctor = doctor(&plan);
    if let Some(command) = &doctor {
        ui.next(command, "to see which permissions are missing")?;
    }
    // What could not be tried, this account cannot apply; another one can apply the saved plan.
    let may_apply = doctor.is_none() || args.out.is_some();
    if args.against.is_none() && plan.changes_anything() && plan.refusals.is_empty() && may_apply {
        match &args.out {
            // Whoever applies it has another account, and perhaps another kubeconfig.
            Some(file) if doctor.is_some() => {
                let apply = format!("{} apply {}", ui.suggestions.program_here(), shell_word(file));
                ui.say(format_args!("an account with these permissions makes exactly these changes with `{apply}`"))?;
            }
            Some(file) => {
                ui.next(&format!("apply {}", shell_word(file)), "to make exactly these changes")?;
            }
            // `apply` uses the locked CRDs.
            None if args.refresh => {
                ui.next("lock", "to record what the clusters have before applying it")?;
            }
            None => ui.next(&args.flags.with("apply"), "to make these changes")?,
        }
    }
    Ok(match exit {
        Some(exit) => exit,
        None if args.detailed_exitcode && differs(&plan) => Exit::Changes,
        None => Exit::Fine,
    })
}

/// Whether the clusters are not as the repository has them, also where nothing can be done about it yet.
fn differs(plan: &Plan) -> bool {
    plan.changes_anything() || plan.is_held_up() || !plan.refusals.is_empty()
}

/// A plan, and the other field managers of the objects that it is about.
type Managed = (Plan, BTreeSet<String>);

/// Plans against the clusters. Without a plan, the reason has been shown.
fn live(
    repository: &Repository,
    connect: &ConnectOptions,
    options: &PlanOptions,
    env: &Env,
    ui: &mut Ui<'_>,
) -> Result<(Option<Managed>, Option<Exit>), CliError> {
    let (events, mut receiver) = Events::channel();
    let planning = plan_live(repository, connect, options, &events);
    let Some(planned) = progress::run(ui, &mut receiver, planning)? else {
        return Ok((None, Some(Exit::Interrupted)));
    };
    input::report_if_any(repository, &planned.found, env, ui)?;
    warn_of_gone(&planned, ui)?;
    if planned.plan.is_some() {
        for Reached { cluster, .. } in &planned.reached {
            ui.say(format_args!("compared with {}", place(cluster)))?;
        }
    }
    count_requests(&planned, ui)?;
    let managers = planned.managers();
    Ok((planned.plan.map(|plan| (plan, managers)), planned.failure.map(Exit::from)))
}

/// Plans against files. `None` where the repository or what it is compared with has errors, which are shown.
fn hermetic(
    repository: &Repository,
    against: &Against,
    options: &PlanOptions,
    env: &Env,
    ui: &mut Ui<'_>,
) -> Result<Option<Plan>, CliError> {
    let against = against.resolved(env);
    let HermeticPlan { diagnostics, plan } = plan_hermetic(repository, &against, options);
    input::report_if_any(repository, &diagnostics, env, ui)?;
    match plan {
        Ok(plan) => return Ok(Some(plan)),
        Err(HermeticError::Invalid) => {}
        Err(HermeticError::Base(BaseError::Invalid { sources, diagnostics })) => {
            ui.say(format_args!("nothing can be compared with {}, which has errors:", against.name))?;
            diagnostics::report(ui, Format::Text, &diagnostics, &sources, &Destination::default())?;
        }
        Err(HermeticError::Base(BaseError::Files(error))) => return Err(error.into()),
        Err(HermeticError::Base(BaseError::NeitherRenderedNorRepository)) => {
            let message = format!("{} is neither a folder that carrier rendered nor a repository", against.name);
            let hint = "name the output of `carrier render`, a folder with a carrier.yaml, or git:REVISION";
            return Err(CliError::usage(message).hint(hint));
        }
    }
    ui.say("nothing was planned")?;
    Ok(None)
}

/// Warns of service clusters that were removed from the repository: nothing looks at them any more, and what
/// is in them stays.
///
/// # Errors
/// When it cannot be written.
pub(crate) fn warn_of_gone(planned: &LivePlan, ui: &mut Ui<'_>) -> io::Result<()> {
    for name in &planned.gone {
        ui.warn(format_args!(
            "the service cluster `{name}` is no longer in the repository and was not asked: the objects that carrier created there stay, and so do the tenants' namespaces"
        ))?;
    }
    Ok(())
}

/// A cluster with its address and context: which one is meant by a name depends on the kubeconfig.
pub(crate) fn place(cluster: &Cluster) -> String {
    let context = cluster.context.as_ref().map(|name| format!(", context {name}")).unwrap_or_default();
    format!("{} at {}{context}", cluster.target, cluster.server)
}

/// Shows how many requests each cluster got; only with `-v`.
///
/// # Errors
/// When it cannot be written.
pub(crate) fn count_requests(planned: &LivePlan, ui: &mut Ui<'_>) -> io::Result<()> {
    for Reached { cluster, .. } in &planned.reached {
        let (calls, writes) = (cluster.calls(), cluster.writes());
        ui.detail(format_args!("{}: {calls} requests, {writes} of them writes", cluster.target))?;
    }
    Ok(())
}

/// Shows a plan on stdout.
///
/// # Errors
/// When it cannot be written.
pub(crate) fn show(plan: &Plan, output: Output, summary: bool, ui: &mut Ui<'_>) -> Result<(), CliError> {
    let how = TextOptions { color: ui.out_color, summary, all: ui.verbosity == Verbosity::Verbose };
    let shown = match output {
        Output::Text => text(plan, how),
        Output::Json => json(plan),
        Output::Markdown => markdown(plan),
    };
    Ok(ui.out().write_all(shown.as_bytes())?)
}

/// The plan as JSON.
fn json(plan: &Plan) -> String {
    // Serializing plain data with text keys cannot fail.
    serde_json::to_string_pretty(plan).unwrap_or_default() + "\n"
}

/// Warns of flags that name nothing in the plan: they may be misspelled. `managers` are the field managers that there are.
///
/// # Errors
/// When it cannot be written.
pub(crate) fn unused(plan: &Plan, managers: &BTreeSet<String>, ui: &mut Ui<'_>) -> io::Result<()> {
    for given in plan.allowed.iter().filter(|allowed| allowed.name != "all" || allowed.flag == TAKE_OVER_FROM) {
        let Allowed { flag, name } = given;
        if is_of_inventory(name) {
            if !others::is_used(given, plan) {
                ui.warn(format_args!("`{flag} {name}` names an inventory that no object has the label of"))?;
            }
            continue;
        }
        if flag == TAKE_OVER_FROM {
            if !plan.changes.iter().any(|change| change.takes_over.contains(name)) {
                let there = first(managers.iter().map(|name| plain::name(name).into_owned()), managers.len(), MANAGERS);
                let there =
                    if there.is_empty() { there } else { format!("; the field managers that have are {there}") };
                ui.warn(format_args!("`{flag} {name}`: no object has fields of it that would be taken over{there}"))?;
            }
            continue;
        }
        let names = |change: &Change| {
            let about = std::iter::once(&change.object).chain(&change.causes);
            about.into_iter().any(|about| is_allowed(std::slice::from_ref(given), flag, about))
        };
        if plan.changes.iter().any(names) {
            continue;
        }
        // Without a namespace, or without its cluster, it may be any of several objects.
        let meant = |without: fn(&mut ObjectRef)| {
            let mut changes = plan.changes.iter();
            let whole = changes.find(|change| {
                let mut short = change.object.clone();
                without(&mut short);
                is_allowed(std::slice::from_ref(given), flag, &short)
            });
            whole.map(|change| flag_name(&change.object))
        };
        let no_namespace = meant(|object| object.namespace = None);
        let no_cluster = || meant(|object| "management".clone_into(&mut object.cluster));
        let problem = match (&no_namespace, no_namespace.is_none().then(no_cluster).flatten()) {
            (Some(whole), _) => format!("names no namespace: write `{whole}`"),
            (None, Some(whole)) => format!("names no service cluster: write `{whole}`"),
            (None, None) => "names nothing that would change".to_owned(),
        };
        ui.warn(format_args!("`{flag} {name}` {problem}"))?;
    }
    Ok(())
}
