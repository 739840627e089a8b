//! `carrier get`: the instances of all services in all clusters, as a table or a JSON document.

use clap::{Args, ValueEnum};
use schemars::JsonSchema;
use serde::Serialize;

use super::clusters::ClusterFlags;
use super::diagnostics::Format;
use super::env::Env;
use super::error::CliError;
use super::exit::Exit;
use super::table::aligned;
use super::ui::Ui;
use super::{input, progress};
use crate::model::cluster::ClusterId;
use crate::model::diagnostic::Severity;
use crate::ops::Events;
use crate::ops::get::{GetOptions, Instance, get, select};

/// Arguments of `carrier get`.
#[derive(Debug, Args)]
#[command(after_help = "Example: carrier get redis -n team-b -o wide")]
pub(crate) struct GetArgs {
    /// Only instances of this service: a plural such as redis, or a CRD such as redis.eu-west-1.team-a
    #[arg(value_name = "SERVICE")]
    pub service: Option<String>,
    /// Only those of this account; lists no other namespace, so its members can use it
    #[arg(short, long, value_name = "TENANT")]
    pub namespace: Option<String>,
    /// Only those in this service cluster
    #[arg(long, value_name = "PROVIDER/CLUSTER")]
    pub cluster: Option<ClusterId>,
    /// Output format
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    pub output: Output,
    /// How to reach the clusters.
    #[command(flatten)]
    pub flags: ClusterFlags,
}

/// An output format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// A table.
    Text,
    /// A table that also shows whether each exists in its service cluster.
    Wide,
    /// A JSON document with the same information as `wide`.
    Json,
}

/// The JSON document.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Document {
    /// The version of this form; the first number changes when a reader has to.
    pub format_version: &'static str,
    /// The instances, sorted.
    pub instances: Vec<Instance>,
}

/// Shows the instances.
///
/// # Errors
/// When there is no repository, it has no such service, or the output cannot be written.
pub(crate) fn run(args: &GetArgs, env: &Env, ui: &mut Ui<'_>) -> Result<Exit, CliError> {
    let repository = input::open(env, ui)?;
    let (compiled, list) = repository.compile();
    let query = GetOptions {
        service: args.service.clone(),
        account: args.namespace.clone(),
        cluster: args.cluster.clone(),
        look_up: args.output != Output::Text,
    };
    let services = select(&compiled, &query)?;
    input::report_if_any(&repository, &list, env, ui)?;
    let options = args.flags.options(env);
    let connector = repository.connector(&options);
    let (events, mut receiver) = Events::channel();
    let getting = get(&connector, &compiled, &services, &query, &events);
    let Some(got) = progress::run(ui, &mut receiver, getting)? else {
        return Ok(Exit::Interrupted);
    };
    match args.output {
        Output::Json => {
            let document = Document { format_version: "1.0", instances: got.list.clone() };
            serde_json::to_writer_pretty(&mut *ui.out(), &document).map_err(std::io::Error::from)?;
            writeln!(ui.out())?;
        }
        _ if got.list.is_empty() => {}
        output => {
            let rows = rows(&got.list, output == Output::Wide);
            ui.out().write_all(aligned(&rows, 0).as_bytes())?;
        }
    }
    ui.flush()?;
    if !got.absent.is_empty() {
        ui.say(format_args!("not installed yet: {}", got.absent.join(", ")))?;
        ui.next("apply", "to install what the repository offers")?;
    }
    let found = got.found.into_sorted();
    if !found.is_empty() {
        input::report(&repository, &found, Format::Text, env, ui)?;
        return Ok(Exit::Cluster);
    }
    // Services that cannot be compiled may have instances, too.
    if list.iter().any(|d| d.severity == Severity::Error) {
        return Ok(Exit::Errors);
    }
    if got.list.is_empty() {
        ui.say("there are no instances")?;
    }
    Ok(Exit::Fine)
}

fn rows(instances: &[Instance], wide: bool) -> Vec<Vec<String>> {
    let mut head = vec!["TENANT", "SERVICE", "NAME", "CLUSTER", "READY"];
    if wide {
        head.extend(["VERSION", "SERVICE NAMESPACE", "THERE"]);
    }
    let mut rows = vec![head.into_iter().map(str::to_owned).collect()];
    for instance in instances {
        let ready = instance.ready.clone().unwrap_or_else(|| "-".to_owned());
        let mut row = vec![
            instance.tenant.clone(),
            instance.service.clone(),
            instance.name.clone(),
            instance.cluster.clone(),
            ready,
        ];
        if wide {
            let there = match instance.in_service_cluster {
                Some(true) => "yes",
                Some(false) => "no",
                None => "unknown",
            };
            row.extend([instance.version.clone(), instance.service_namespace.clone(), there.to_owned()]);
        }
        rows.push(row);
    }
    rows
}
