//! `carrier sync`: keeps the instances in step, as a service or once.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::{ArgAction, Args, ValueEnum};
use schemars::JsonSchema;
use serde::Serialize;

use super::clusters::duration;
use super::env::Env;
use super::error::CliError;
use super::exit::Exit;
use super::ui::{Ui, Verbosity};
use crate::cluster::connect::{ConnectOptions, Connector};
use crate::cluster::{ClusterError, runtime};
use crate::model::cluster::ClusterId;
use crate::model::config::Config;
use crate::sync::listen::{Listen, Listener, Pages};
use crate::sync::logs::{self, LogFormat};
use crate::sync::pages::ProcessPages;
use crate::sync::preflight::{self, NotBegun};
use crate::sync::run::{Once, Report, Running, Standing, SyncOptions, start_patiently};

/// Arguments of `carrier sync`.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
#[command(after_help = "Example: carrier sync --once --dry-run --detailed-exitcode")]
pub(crate) struct SyncArgs {
    /// The kubeconfig of the management cluster; without it, `$KUBECONFIG`, `~/.kube/config`, or the service account of the Pod
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub kubeconfig: Option<PathBuf>,
    /// The context in it
    #[arg(long, value_name = "NAME")]
    pub context: Option<String>,
    /// Work on this service cluster only; may be repeated
    #[arg(long, value_name = "PROVIDER/CLUSTER", action = ArgAction::Append)]
    pub only: Vec<ClusterId>,
    /// Where to answer /healthz, /readyz and /metrics, or `off`; without it, 127.0.0.1:9440, in a Pod 0.0.0.0:9440, and with `--once` off
    #[arg(long, value_name = "ADDR:PORT")]
    pub listen: Option<Listen>,
    /// The name of this replica, which holds its Leases; without it, the name of the host
    #[arg(long, value_name = "NAME")]
    pub replica: Option<String>,
    /// Allow kubeconfigs from Secrets to point at this machine
    #[arg(long)]
    pub allow_loopback: bool,
    /// Work until nothing is left to do, and end
    #[arg(long)]
    pub once: bool,
    /// How long `--once` works at most, such as 10m
    #[arg(long, value_name = "DURATION", default_value = "10m", value_parser = duration, requires = "once")]
    pub timeout: Duration,
    /// Write nothing, and show what would be written
    #[arg(long, requires = "once")]
    pub dry_run: bool,
    /// Output format of `--once`
    #[arg(short, long, value_name = "FORMAT", default_value = "text", requires = "once")]
    pub output: Output,
    /// The form of the log on stderr; `CARRIER_LOG` sets its level
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub log_format: Form,
    /// With `--dry-run`, end with status 2 if something would be written
    #[arg(long, requires = "dry_run")]
    pub detailed_exitcode: bool,
}

/// An output format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// Lines for people.
    Text,
    /// A JSON document.
    Json,
}

/// The form of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Form {
    /// Lines for people.
    Text,
    /// A JSON object a line.
    Json,
}

/// The JSON document of a single run.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Document {
    /// The version of this form; the first number changes when a reader has to.
    pub format_version: &'static str,
    /// How many instances are in step.
    pub in_step: usize,
    /// The instances that are paused.
    pub paused: Vec<SyncInstance>,
    /// The instances that are not in step.
    pub not_in_step: Vec<SyncInstance>,
    /// The clusters that did not answer.
    pub unreachable: Vec<Problem>,
    /// The clusters that another replica works on.
    pub elsewhere: Vec<Problem>,
    /// What would be written.
    pub changes: Vec<Change>,
    /// Whether the time was over before everything was done.
    pub timed_out: bool,
}

/// An instance and how it stands.
#[derive(Debug, Serialize, JsonSchema)]
pub struct SyncInstance {
    /// The service cluster, `<provider>/<cluster>`.
    pub cluster: String,
    /// The kind, `<plural>.<group>`.
    pub kind: String,
    /// The namespace.
    pub namespace: String,
    /// The name.
    pub name: String,
    /// The reason, as in the condition `Synced`.
    pub reason: String,
    /// The sentence.
    pub message: String,
}

/// A cluster and what is the matter.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Problem {
    /// The service cluster, `<provider>/<cluster>`.
    pub cluster: String,
    /// What is the matter; of a cluster elsewhere, the replica.
    pub message: String,
}

/// Something that would be written.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Change {
    /// The service cluster, `<provider>/<cluster>`.
    pub cluster: String,
    /// The kind, `<plural>.<group>`.
    pub kind: String,
    /// The namespace.
    pub namespace: String,
    /// The name.
    pub name: String,
    /// What would be done first.
    pub steps: Vec<String>,
    /// How it would stand then, reason and sentence, where the servers say that it would not be in step.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub then: Option<String>,
}

/// Runs sync.
///
/// # Errors
/// When there is no kubeconfig, or `--once` cannot reach the management cluster.
pub(crate) fn run(args: &SyncArgs, env: &Env, ui: &mut Ui<'_>) -> Result<Exit, CliError> {
    let format = match args.log_format {
        Form::Text => LogFormat::Text,
        Form::Json => LogFormat::Json,
    };
    let variable = env.variables.get("CARRIER_LOG").map(|level| level.to_string_lossy().into_owned());
    let (quiet, verbose) = (ui.verbosity == Verbosity::Quiet, ui.verbosity == Verbosity::Verbose);
    let level = logs::level(variable.as_deref(), quiet, verbose);
    logs::install(format, level.map_err(|error| CliError::usage(format!("CARRIER_LOG: {error}")))?);
    let connect = ConnectOptions {
        kubeconfig: args.kubeconfig.clone(),
        context: args.context.clone(),
        request_timeout: crate::sync::run::REQUEST_DEADLINE,
        allow_loopback: args.allow_loopback,
        directory: env.directory.clone(),
        variables: env.variables.clone(),
        ..ConnectOptions::default()
    };
    let options = SyncOptions {
        only: args.only.iter().cloned().collect::<BTreeSet<_>>(),
        replica: replica(args, env)?,
        loopback: connect.loopback(),
        once: args.once.then_some(Once { timeout: args.timeout, dry_run: args.dry_run }),
    };
    let config = Config::default();
    let connector = Connector { options: &connect, config: &config, root: Path::new("") };
    match options.once {
        Some(once) => {
            let listen = args.listen.clone().unwrap_or(Listen::Off);
            let report = runtime::block_on(work_once(&connector, &options, &once, &listen))?;
            let Some(report) = report else { return Ok(Exit::Interrupted) };
            let report = report?;
            show(args, &report, ui)
        }
        None => {
            let in_pod = env.variables.get("KUBERNETES_SERVICE_HOST").is_some();
            let listen = args.listen.clone().unwrap_or_else(|| Listen::usual(in_pod));
            runtime::block_on_to_the_end(serve(&connector, &options, &listen))??;
            Ok(Exit::Fine)
        }
    }
}

fn management(error: &ClusterError) -> CliError {
    CliError::new(Exit::Cluster, format!("the management cluster: {}", error.message))
}

fn not_begun(why: &NotBegun) -> CliError {
    match why {
        NotBegun::Failed(error) => management(error),
        NotBegun::NoKind(kind) => CliError::new(Exit::Errors, format!("the management cluster does not serve `{kind}`"))
            .hint("check `--kubeconfig` and `--context`; in the management cluster, `carrier apply` makes the kinds of KubeCarrier"),
        NotBegun::NoCluster { wanted, known } => {
            let names: Vec<String> = known.iter().map(ToString::to_string).collect();
            CliError::usage(format!("the management cluster has no ServiceCluster `{wanted}`"))
                .among(&wanted.to_string(), &names)
        }
    }
}

fn replica(args: &SyncArgs, env: &Env) -> Result<String, CliError> {
    let named = args.replica.clone().or_else(|| {
        let host = env.variables.get("HOSTNAME").and_then(|name| name.to_str()).map(str::to_owned);
        host.or_else(|| std::fs::read_to_string("/proc/sys/kernel/hostname").ok())
    });
    let name = named.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
    name.ok_or_else(|| CliError::usage("this machine has no name; name the replica with --replica"))
}

async fn work_once(
    connector: &Connector<'_>,
    options: &SyncOptions,
    once: &Once,
    listen: &Listen,
) -> Result<Report, CliError> {
    let pages = Arc::new(ProcessPages::default());
    let listener = listen_at(listen, &pages, std::future::pending()).await?;
    let begin = async {
        let management = connector.management().await?;
        preflight::check(&management, &options.only).await?;
        Ok(Running::start(management, options).await?)
    };
    let running = begin.await.map_err(|why: NotBegun| not_begun(&why))?;
    pages.begin(running.shared());
    let report = running.settle(once).await;
    running.stop().await;
    if let Some(listener) = listener {
        listener.abort();
    }
    Ok(report)
}

/// Answers at an address until `end`.
async fn listen_at(
    listen: &Listen,
    pages: &Arc<ProcessPages>,
    end: impl Future<Output = ()> + Send + 'static,
) -> Result<Option<tokio::task::JoinHandle<()>>, CliError> {
    let Listen::At(address) = listen else { return Ok(None) };
    let bound = Listener::bind(*address).await;
    let bound = bound.map_err(|error| CliError::new(Exit::Errors, format!("cannot listen at {address}: {error}")))?;
    if let Ok(address) = bound.address() {
        tracing::info!(%address, "listening");
    }
    Ok(Some(tokio::spawn(bound.serve(Arc::clone(pages) as Arc<dyn Pages>, end))))
}

async fn serve(connector: &Connector<'_>, options: &SyncOptions, listen: &Listen) -> Result<(), CliError> {
    // Signals are listened to from here on.
    let (stopping, stopped) = tokio::sync::watch::channel(false);
    let signal = tokio::spawn(async move {
        runtime::interrupted().await;
        stopping.send_replace(true);
        // The channel stays open until nobody listens.
        stopping.closed().await;
    });
    let until = || {
        let mut stopped = stopped.clone();
        async move {
            let _ = stopped.wait_for(|stop| *stop).await;
        }
    };
    let pages = Arc::new(ProcessPages::default());
    let listener = listen_at(listen, &pages, until()).await?;
    let management = connector.management().await.map_err(|error| management(&error))?;
    let failed = |error: &ClusterError| {
        tracing::warn!(kind = ?error.kind, message = %error.message, "the management cluster does not answer");
    };
    if let Some(running) = start_patiently(&management, options, until(), failed).await {
        tracing::info!(replica = %options.replica, "working");
        pages.begin(running.shared());
        until().await;
        tracing::info!("stopping");
        running.stop().await;
    }
    if let Some(listener) = listener {
        let _ = listener.await;
    }
    signal.abort();
    Ok(())
}

/// Shows what came of a single run. What did not answer goes before what is not in step, and another replica before
/// both: nothing was done there.
fn show(args: &SyncArgs, report: &Report, ui: &mut Ui<'_>) -> Result<Exit, CliError> {
    match args.output {
        Output::Json => {
            serde_json::to_writer_pretty(&mut *ui.out(), &document(report)).map_err(std::io::Error::from)?;
            writeln!(ui.out())?;
        }
        Output::Text => text(args, report, ui)?,
    }
    Ok(if !report.elsewhere.is_empty() {
        Exit::Refused
    } else if !report.unreachable.is_empty() {
        Exit::Cluster
    } else if args.dry_run && !report.timed_out {
        if args.detailed_exitcode && !report.would.is_empty() { Exit::Changes } else { Exit::Fine }
    } else if !report.others.is_empty() || report.timed_out {
        Exit::Partial
    } else {
        Exit::Fine
    })
}

fn text(args: &SyncArgs, report: &Report, ui: &mut Ui<'_>) -> Result<(), CliError> {
    let line = |s: &Standing| format!("{} {} -n {}: {}: {}", s.kind, s.name, s.namespace, s.reason, s.message);
    for would in &report.would {
        let then = would.then.as_ref().map_or(String::new(), |then| format!("; then {then}"));
        let (words, namespace) = (would.words.join(", "), &would.namespace);
        ui.put(format_args!("{} {} -n {namespace}: would {words}{then}", would.kind, would.name))?;
    }
    // What only waits for a write that a dry run shows is told by that.
    let would: BTreeSet<_> = report.would.iter().map(|one| (&one.kind, &one.namespace, &one.name)).collect();
    let told = |one: &&Standing| {
        args.dry_run && one.reason == "Pending" && would.contains(&(&one.kind, &one.namespace, &one.name))
    };
    for standing in report.paused.iter().chain(&report.others).filter(|one| !told(one)) {
        ui.put(line(standing))?;
    }
    for (cluster, why) in &report.unreachable {
        ui.put(format_args!("{cluster}: {why}"))?;
    }
    for (cluster, replica) in &report.elsewhere {
        ui.put(format_args!("{cluster}: the replica {replica} works on it"))?;
    }
    let summary = match args.dry_run {
        true => {
            let stuck = report.would.iter().filter(|one| one.then.is_some()).count();
            let others = report.others.iter().filter(|one| !told(one)).count() + stuck;
            let rest = if others > 0 { format!(", {others} would not be in step") } else { String::new() };
            format!("{} in step, {} would be written{rest}", report.in_step, report.would.len())
        }
        false => {
            format!("{} in step, {} paused, {} not in step", report.in_step, report.paused.len(), report.others.len())
        }
    };
    ui.put(format_args!("{summary}{}", if report.timed_out { "; the time was over" } else { "" }))?;
    Ok(())
}

fn document(report: &Report) -> Document {
    let instance = |s: &Standing| SyncInstance {
        cluster: s.cluster.to_string(),
        kind: s.kind.clone(),
        namespace: s.namespace.clone(),
        name: s.name.clone(),
        reason: s.reason.clone(),
        message: s.message.clone(),
    };
    let problem =
        |(cluster, message): (&ClusterId, &String)| Problem { cluster: cluster.to_string(), message: message.clone() };
    Document {
        format_version: "1.0",
        in_step: report.in_step,
        paused: report.paused.iter().map(instance).collect(),
        not_in_step: report.others.iter().map(instance).collect(),
        unreachable: report.unreachable.iter().map(problem).collect(),
        elsewhere: report.elsewhere.iter().map(problem).collect(),
        changes: report
            .would
            .iter()
            .map(|would| Change {
                cluster: would.cluster.to_string(),
                kind: would.kind.clone(),
                namespace: would.namespace.clone(),
                name: would.name.clone(),
                steps: would.steps.clone(),
                then: would.then.clone(),
            })
            .collect(),
        timed_out: report.timed_out,
    }
}
