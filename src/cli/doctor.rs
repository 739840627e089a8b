//! `carrier doctor`: what is missing in the clusters, as text, RBAC or JSON.

pub(crate) mod view;

use std::str::FromStr;

use clap::builder::PossibleValue;
use clap::{Args, ValueEnum};

use super::clusters::ClusterFlags;
use super::diagnostics::Format;
use super::env::Env;
use super::error::CliError;
use super::exit::Exit;
use super::ui::Ui;
use super::{input, progress};
use crate::model::cluster::{ClusterId, Target};
use crate::ops::Events;
use crate::ops::doctor::report::{Health, Report};
use crate::ops::doctor::{DoctorOptions, check_clusters, examine, not_asked};
use crate::plan::permissions::Task;

/// Arguments of `carrier doctor`.
#[derive(Debug, Args)]
#[command(
    after_help = "Example: carrier doctor --for plan --cluster management -o rbac | kubectl apply -f -\n\nThe RBAC grants exactly the missing permissions, in one cluster: `--cluster` chooses it. Exit status: 0 fine, 1 something is missing, 4 a cluster could not be reached."
)]
pub(crate) struct DoctorArgs {
    /// Output format
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    pub output: Output,
    /// Check only what this command needs; may be repeated
    #[arg(long = "for", value_name = "COMMAND")]
    pub tasks: Vec<Task>,
    /// Only this cluster: management, or PROVIDER/CLUSTER; may be repeated
    #[arg(long = "cluster", value_name = "CLUSTER", value_parser = target)]
    pub clusters: Vec<Target>,
    /// How to reach the clusters.
    #[command(flatten)]
    pub flags: ClusterFlags,
}

/// An output format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// For people, with the RBAC at the end.
    Text,
    /// The RBAC that grants what is missing, for kubectl.
    Rbac,
    /// A JSON document.
    Json,
}

impl ValueEnum for Task {
    fn value_variants<'a>() -> &'a [Self] {
        &Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.name()))
    }
}

fn target(text: &str) -> Result<Target, String> {
    match text {
        "management" => Ok(Target::Management),
        _ => {
            ClusterId::from_str(text).map(Target::Service).map_err(|_| "write `management` or PROVIDER/CLUSTER".into())
        }
    }
}

/// Examines the clusters.
///
/// # Errors
/// When there is no repository, or the report cannot be written.
pub(crate) fn run(args: &DoctorArgs, env: &Env, ui: &mut Ui<'_>) -> Result<Exit, CliError> {
    let repository = input::open(env, ui)?;
    let (compiled, list) = repository.compile();
    let tasks = if args.tasks.is_empty() { Task::ALL.to_vec() } else { args.tasks.clone() };
    let identity = repository.locked.lock().repository.clone();
    let wanted = DoctorOptions { tasks, clusters: args.clusters.clone(), identity };
    check_clusters(&compiled, &wanted)?;
    let sound = input::report_if_any(&repository, &list, env, ui)?;
    if !input::may_connect(&repository, ui)? {
        return Ok(Exit::Errors);
    }
    let options = args.flags.options(env);
    let (events, mut receiver) = Events::channel();
    let examining = examine(repository.connector(&options), &compiled, &wanted, &events);
    let looked = progress::run(ui, &mut receiver, examining)?;
    let Some((mut report, found)) = looked else { return Ok(Exit::Interrupted) };
    report.not_asked = not_asked(&compiled, &list, &wanted);

    match args.output {
        Output::Text => {
            let color = ui.out_color;
            let suggestions = ui.suggestions.clone();
            view::text(ui.out(), &report, color, &suggestions)?;
        }
        Output::Rbac => one_stream(&report, args, ui)?,
        Output::Json => view::json(ui.out(), &report)?,
    }
    ui.flush()?;
    if args.output == Output::Text && report.lacking().count() > 1 {
        for command in commands(&report, args) {
            ui.next(&command, "for the RBAC of this cluster")?;
        }
    }
    let troubled = report.clusters.iter().any(|health| !health.reached);
    let found = found.into_sorted();
    if !found.is_empty() {
        input::report(&repository, &found, Format::Text, env, ui)?;
    }
    Ok(match (troubled, report.is_missing_something()) {
        (true, _) => Exit::Cluster,
        (false, true) => Exit::Errors,
        (false, false) => sound,
    })
}

/// Writes the RBAC of the only cluster that lacks something.
///
/// # Errors
/// When there are several: one stream goes into one cluster, and a name that one cluster asserts can be an account of
/// somebody else in another.
fn one_stream(report: &Report, args: &DoctorArgs, ui: &mut Ui<'_>) -> Result<(), CliError> {
    let lacking: Vec<&Health> = report.lacking().collect();
    match lacking.as_slice() {
        [] => Ok(()),
        [one] => Ok(view::rbac(ui.out(), one)?),
        several => {
            let message = format!("permissions are missing in {} clusters, and the RBAC is for one", several.len());
            let commands = commands(report, args).into_iter();
            Err(commands.fold(CliError::usage(message), |error, command| error.hint(format!("`carrier {command}`"))))
        }
    }
}

/// The commands that print the RBAC of each cluster that lacks something.
fn commands(report: &Report, args: &DoctorArgs) -> Vec<String> {
    let tasks = args.tasks.iter().fold(String::new(), |text, task| text + " --for " + task.name());
    let command = |health: &Health| format!("doctor --cluster {}{tasks} -o rbac", health.cluster);
    report.lacking().map(command).collect()
}
