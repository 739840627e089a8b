//! `carrier approve`: approves deletions that sync holds, and the deletion of copies whose tenant object is gone.
//!
//! What is shown is what is approved. The objects go to stdout, everything else to stderr.

use std::path::Path;
use std::str::FromStr;

use clap::Args;

use super::ask::ask;
use super::clusters::ManagementFlags;
use super::env::Env;
use super::error::CliError;
use super::exit::Exit;
use super::progress;
use super::table::aligned;
use super::ui::Ui;
use crate::cluster::connect::Connector;
use crate::model::cluster::ClusterId;
use crate::model::config::Config;
use crate::model::nearest::nearest;
use crate::model::plain;
use crate::ops::Events;
use crate::ops::approve::{Approval, ApproveOptions, FindError, Found, Waiting, What, find};
use crate::plan::words::count;

/// Arguments of `carrier approve`.
#[derive(Debug, Args)]
#[command(
    after_help = "Only what is shown is approved; an object that appears later is not. Without a terminal, `--yes` is required.\n\nExample: carrier approve team-a/eu-west-1/redis -n team-b"
)]
pub(crate) struct ApproveArgs {
    /// The service: its cluster and the name of its CatalogEntrySet or CatalogEntry, or the plural or full name of its CRD
    #[arg(value_name = "PROVIDER/CLUSTER/SERVICE")]
    pub service: ServiceName,
    /// Only deletions of this account's instances
    #[arg(short, long, value_name = "TENANT")]
    pub namespace: Option<String>,
    /// Approve without asking
    #[arg(long, short = 'y')]
    pub yes: bool,
    /// How to reach the clusters.
    #[command(flatten)]
    pub flags: ManagementFlags,
}

/// A service of a cluster, `PROVIDER/CLUSTER/SERVICE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ServiceName {
    /// The service cluster.
    pub cluster: ClusterId,
    /// The service.
    pub service: String,
}

impl FromStr for ServiceName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || "it is not of the form PROVIDER/CLUSTER/SERVICE".to_owned();
        let (cluster, service) = text.rsplit_once('/').ok_or_else(wrong)?;
        let cluster = cluster.parse().map_err(|_| wrong())?;
        if service.is_empty() { Err(wrong()) } else { Ok(Self { cluster, service: service.to_owned() }) }
    }
}

/// Shows what waits for an approval, and approves it.
///
/// # Errors
/// When the management cluster cannot be asked, it has no such service, or there is nobody to ask.
pub(crate) fn run(args: &ApproveArgs, env: &Env, ui: &mut Ui<'_>) -> Result<Exit, CliError> {
    let connect = args.flags.options(env);
    let ServiceName { cluster, service } = args.service.clone();
    let options = ApproveOptions { cluster, service, tenant: args.namespace.clone() };
    // No repository is read: what counts stands in the management cluster.
    let config = Config::default();
    let connector = Connector { options: &connect, config: &config, root: Path::new("") };
    let (events, mut receiver) = Events::channel();
    let Some(found) = progress::run(ui, &mut receiver, find(&connector, &options, &events))? else {
        return Ok(Exit::Interrupted);
    };
    let found = found.map_err(|error| error_of(error, &options))?;
    show(&found, ui)?;
    if found.waiting().next().is_none() {
        ui.say("there is nothing to approve")?;
        return Ok(exit_of(&found, &[]));
    }
    if !args.yes {
        if !env.person {
            return Err(CliError::refused("this is not a terminal, so nobody can confirm; nothing was approved")
                .hint("`--yes` approves what is shown without asking"));
        }
        let question = "Approve these deletions? The data of the instances goes with them. Only `yes` does: ";
        match crate::cluster::runtime::block_on_to_the_end(ask(ui, question))?? {
            Some(true) => {}
            Some(false) => {
                ui.say("nothing was approved")?;
                return Ok(exit_of(&found, &[]));
            }
            None => {
                ui.warn("interrupted; nothing was approved")?;
                return Ok(Exit::Interrupted);
            }
        }
    }
    let Some(approvals) = progress::run(ui, &mut receiver, found.approve())? else {
        ui.warn("interrupted; some of the deletions may be approved. The next `approve` shows the others")?;
        return Ok(Exit::Interrupted);
    };
    report(&found, &approvals, ui)?;
    Ok(exit_of(&found, &approvals))
}

fn error_of(error: FindError, options: &ApproveOptions) -> CliError {
    match error {
        FindError::Management(error) => {
            CliError::new(Exit::Cluster, format!("the management cluster: {}", error.message))
        }
        FindError::Unknown(known) => {
            let ApproveOptions { cluster, service, .. } = options;
            let error = CliError::usage(format!("{cluster} has no service `{service}` in the management cluster"));
            match nearest(service, known.iter().map(String::as_str)) {
                Some(near) => error.hint(format!("did you mean `{cluster}/{near}`?")),
                None if known.is_empty() => {
                    error.hint("it has no service at all: check the names of the provider and of the cluster")
                }
                None => error.hint(format!("it has {}", known.join(", "))),
            }
        }
    }
}

/// Shows what waits, and what could not be asked.
fn show(found: &Found, ui: &mut Ui<'_>) -> std::io::Result<()> {
    if found.waiting().next().is_some() {
        let rows = rows(found.waiting());
        ui.out().write_all(aligned(&rows, 0).as_bytes())?;
        ui.flush()?;
    }
    for crd in &found.absent {
        ui.say(format_args!(
            "the CRD {crd} is not in the management cluster: sync leaves the copies of its instances alone until it is back"
        ))?;
    }
    for problem in &found.problems {
        ui.warn(&problem.message)?;
    }
    Ok(())
}

fn rows<'w>(waiting: impl Iterator<Item = &'w Waiting>) -> Vec<Vec<String>> {
    let mut rows = vec![["TENANT", "NAME", "IN DELETION SINCE", "SYNCED"].map(str::to_owned).to_vec()];
    for one in waiting {
        let dash = || "-".to_owned();
        let synced = match one.what {
            What::Tenant => one.synced.clone().unwrap_or_else(dash),
            What::Internal => "orphan: the internal object is there, the tenant object is gone".to_owned(),
            What::Copy => {
                format!("orphan: the copy in {} is there, the tenant object is gone", plain::name(&one.namespace))
            }
        };
        let [tenant, name] = [&one.tenant, &one.name].map(|name| plain::name(name).into_owned());
        rows.push(vec![tenant, name, one.since.clone().unwrap_or_else(dash), synced]);
    }
    rows
}

/// Says what became of the approvals.
fn report(found: &Found, approvals: &[Approval], ui: &mut Ui<'_>) -> std::io::Result<()> {
    for (one, approval) in found.waiting().zip(approvals) {
        let what = format!("{} -n {}", plain::name(&one.name), plain::name(&one.namespace));
        match approval {
            Approval::Written => {}
            Approval::Gone => ui.say(format_args!("{what} is gone, so there was nothing to approve"))?,
            Approval::Back => ui.warn(format_args!("{what} was not approved: its tenant object is there again"))?,
            Approval::Failed(why) => ui.warn(format_args!("{what} was not approved: {why}"))?,
        }
    }
    let written = approvals.iter().filter(|approval| **approval == Approval::Written).count();
    if written > 0 {
        ui.say(format_args!("approved {}; `carrier sync` goes on with them", count(written, "deletion")))?;
    }
    Ok(())
}

/// Another cluster behind a name is graver than one that does not answer.
fn exit_of(found: &Found, approvals: &[Approval]) -> Exit {
    let failed = approvals.iter().any(|approval| matches!(approval, Approval::Failed(_)));
    if found.problems.iter().any(|problem| problem.is_other_cluster) {
        Exit::Refused
    } else if failed || !found.problems.is_empty() {
        Exit::Cluster
    } else {
        Exit::Fine
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_named_by_three_parts() {
        let read = |text: &str| text.parse::<ServiceName>().map(|name| (name.cluster.to_string(), name.service));
        assert_eq!(read("team-a/eu-west-1/redis"), Ok(("team-a/eu-west-1".to_owned(), "redis".to_owned())));
        for wrong in ["redis", "team-a/redis", "a/b/", "/b/c", "a//c", "a/b/c/d", ""] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
