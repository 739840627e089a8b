//! `carrier get`: the instances of all services in all clusters, and what is left of such that do not exist, as a table
//! or a JSON document.

use std::collections::BTreeSet;

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
use crate::model::plain;
use crate::ops::Events;
use crate::ops::get::{GetOptions, Instance, Instances, LeftLevel, LeftOver, LeftState, Unchecked, get, select};
use crate::plan::words::count;

/// The longest message in a table, in characters.
const LONGEST: usize = 160;
/// So many names are listed in a sentence.
const NAMED: usize = 3;
/// What is not known of the services of a repository with errors.
const IN_DOUBT: &str = "the repository has errors, so it is not known of all services whether they are offered";

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
    /// A table that also shows whether each exists in its service cluster, and the message of its condition `Synced`.
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
    /// What is left of instances that do not exist, sorted: copies with the marks of sync whose tenant object is gone.
    pub left: Vec<LeftOver>,
    /// The services of which not all such copies could be found, sorted.
    pub unchecked: Vec<Unchecked>,
    /// What is not known of the instances, sorted: why some may be missing, or why it is not known of all whether they are
    /// offered. The list is complete if it is empty.
    pub incomplete: Vec<String>,
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
        in_doubt: list.iter().any(|d| d.severity == Severity::Error),
    };
    let selected = select(&compiled, &query)?;
    input::report_if_any(&repository, &list, env, ui)?;
    if !input::may_connect(&repository, ui)? {
        return Ok(Exit::Errors);
    }
    let options = args.flags.options(env);
    let connector = repository.connector(&options);
    let (events, mut receiver) = Events::channel();
    let getting = get(&connector, &compiled, &selected, &query, &events);
    let Some(got) = progress::run(ui, &mut receiver, getting)? else {
        return Ok(Exit::Interrupted);
    };
    if let Some(unknown) = got.unknown {
        for reason in &got.incomplete {
            ui.say(reason)?;
        }
        let found = got.found.into_sorted();
        if found.is_empty() {
            return Err(unknown.into());
        }
        // The cluster could not say whether it has a service that is no longer offered.
        ui.error(&unknown.into())?;
        input::report(&repository, &found, Format::Text, env, ui)?;
        return Ok(Exit::Cluster);
    }
    match args.output {
        Output::Json => {
            let document = document(&got, query.in_doubt);
            serde_json::to_writer_pretty(&mut *ui.out(), &document).map_err(std::io::Error::from)?;
            writeln!(ui.out())?;
        }
        _ if got.list.is_empty() && got.left.is_empty() => {}
        output => {
            let rows = rows(&got.list, &got.left, output == Output::Wide);
            ui.out().write_all(aligned(&rows, 0).as_bytes())?;
        }
    }
    ui.flush()?;
    if !got.absent.is_empty() {
        ui.say(format_args!("not installed yet: {}", got.absent.join(", ")))?;
        ui.next("apply", "to install what the repository offers")?;
    }
    say_retired(&got.list, ui)?;
    for reason in &got.incomplete {
        ui.say(format_args!("the list may be incomplete: {reason}"))?;
    }
    say_left(&got.left, args, ui)?;
    say_unchecked(&got.unchecked, ui)?;
    let found = got.found.into_sorted();
    if !found.is_empty() {
        input::report(&repository, &found, Format::Text, env, ui)?;
        return Ok(Exit::Cluster);
    }
    // Services that cannot be compiled may have instances, too.
    if query.in_doubt {
        ui.say(IN_DOUBT)?;
        return Ok(Exit::Errors);
    }
    if got.list.is_empty() && got.left.is_empty() {
        ui.say("there are no instances")?;
    }
    Ok(Exit::Fine)
}

/// The JSON document.
fn document(got: &Instances, in_doubt: bool) -> Document {
    let doubt = in_doubt.then(|| IN_DOUBT.to_owned());
    let mut incomplete: Vec<String> = got.incomplete.iter().chain(&got.missing).cloned().chain(doubt).collect();
    incomplete.sort();
    let (instances, left, unchecked) = (got.list.clone(), got.left.clone(), got.unchecked.clone());
    Document { format_version: "1.3", instances, left, unchecked, incomplete }
}

/// Says which services with instances are no longer offered.
fn say_retired(instances: &[Instance], ui: &mut Ui<'_>) -> std::io::Result<()> {
    let retired: Vec<&Instance> = instances.iter().filter(|one| one.offered == Some(false)).collect();
    let crds: BTreeSet<&str> = retired.iter().map(|one| one.crd.as_str()).collect();
    for crd in crds {
        let of_crd = retired.iter().filter(|one| one.crd == crd).count();
        ui.say(format_args!("{} is no longer offered and has {}", plain::name(crd), count(of_crd, "instance")))?;
    }
    Ok(())
}

/// Says what can be done about copies without their instance.
fn say_left(left: &[LeftOver], args: &GetArgs, ui: &mut Ui<'_>) -> std::io::Result<()> {
    let waiting: Vec<&LeftOver> = left.iter().filter(|one| one.waits()).collect();
    if waiting.is_empty() {
        return Ok(());
    }
    let orphans = count(waiting.len(), "orphan");
    ui.say(format_args!("{orphans}: copies are left, and the tenant object is gone; `carrier sync` keeps them"))?;
    let services: BTreeSet<(&str, &str)> = waiting.iter().map(|one| (one.cluster.as_str(), one.crd.as_str())).collect();
    let tenant = args.namespace.as_ref().map(|tenant| format!(" -n {tenant}")).unwrap_or_default();
    for (cluster, crd) in services.iter().take(NAMED) {
        ui.next(&format!("approve {cluster}/{crd}{tenant}"), "to see them and to approve their deletion")?;
    }
    match services.len().checked_sub(NAMED) {
        Some(more @ 1..) => ui.say(format_args!("and the same for {}", count(more, "other service"))),
        _ => Ok(()),
    }
}

/// Says what is not known of copies without their instance. One line for each reason.
fn say_unchecked(unchecked: &[Unchecked], ui: &mut Ui<'_>) -> std::io::Result<()> {
    let reasons: BTreeSet<&str> = unchecked.iter().map(|one| one.reason.as_str()).collect();
    for reason in reasons {
        let crds: Vec<&str> = unchecked.iter().filter(|one| one.reason == reason).map(|one| one.crd.as_str()).collect();
        let first = crds[..crds.len().min(NAMED)].join(", ");
        let named = match crds.len().checked_sub(NAMED) {
            Some(more @ 1..) => format!("{first} and {more} more"),
            _ => first,
        };
        ui.say(format_args!("orphans of {named} may be missing: {reason}"))?;
    }
    Ok(())
}

fn rows(instances: &[Instance], left: &[LeftOver], wide: bool) -> Vec<Vec<String>> {
    let mut head = vec!["TENANT", "SERVICE", "NAME", "CLUSTER", "READY", "SYNCED"];
    // A table of services that are all offered has no column for that.
    let offered = instances.iter().map(|one| one.offered).chain(left.iter().map(|one| one.offered));
    let marked = offered.into_iter().any(|offered| offered != Some(true));
    if marked {
        head.push("OFFERED");
    }
    if wide {
        head.extend(["VERSION", "SERVICE NAMESPACE", "THERE", "MESSAGE"]);
    }
    let dash = || "-".to_owned();
    let there = |there: Option<bool>| match there {
        Some(true) => "yes".to_owned(),
        Some(false) => "no".to_owned(),
        None => "unknown".to_owned(),
    };
    let named = |name: &str| if name.is_empty() { String::new() } else { plain::name(name).into_owned() };
    let of_instance = |one: &Instance| {
        let synced = one.synced.as_ref().map_or_else(dash, ToString::to_string);
        let ready = one.ready.clone().unwrap_or_else(dash);
        let first =
            [named(&one.tenant), named(&one.service), named(&one.name), named(&one.cluster), named(&ready), synced];
        let message = one.synced.as_ref().map(|synced| short(&synced.message)).unwrap_or_default();
        let more = [named(&one.version), named(&one.service_namespace), there(one.in_service_cluster), message];
        (first, there(one.offered), more)
    };
    let of_left = |one: &LeftOver| {
        let state = match one.state {
            LeftState::Orphan => "orphan".to_owned(),
            LeftState::Released => "released".to_owned(),
        };
        let first = [named(&one.tenant), named(&one.service), named(&one.name), named(&one.cluster), dash(), state];
        let more = [dash(), named(&one.service_namespace), there(one.in_service_cluster), what_is_left(one)];
        (first, there(one.offered), more)
    };
    let mut all: Vec<_> = instances.iter().map(of_instance).chain(left.iter().map(of_left)).collect();
    // What is left of an instance stands among those that are there.
    all.sort();
    let row = |(first, offered, more): ([String; 6], String, [String; 4])| {
        let offered = Some(offered).filter(|_| marked);
        first.into_iter().chain(offered).chain(more.into_iter().filter(|_| wide)).collect::<Vec<String>>()
    };
    std::iter::once(head.into_iter().map(str::to_owned).collect()).chain(all.into_iter().map(row)).collect()
}

/// A message on one line of a table.
fn short(message: &str) -> String {
    match message.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &message[..end]),
        None => message.to_owned(),
    }
}

/// Which copies are left, and what becomes of them.
fn what_is_left(left: &LeftOver) -> String {
    let each = left.copies.iter().map(|copy| match copy.level {
        LeftLevel::Internal => "the internal object".to_owned(),
        LeftLevel::Service => format!("the copy in {}", plain::name(&copy.namespace)),
    });
    let copies = each.collect::<Vec<_>>().join(" and ");
    let are = if left.copies.len() == 1 { "is" } else { "are" };
    if left.state == LeftState::Released {
        return format!("{copies} {are} kept by the deletion policy Orphan");
    }
    let fate = if left.copies.iter().all(|copy| copy.deleting) {
        ", in deletion"
    } else if left.waits() {
        ""
    } else {
        ", and the deletion is approved"
    };
    format!("{copies} {are} left{fate}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::table::aligned;
    use crate::ops::get::LeftCopy;
    use crate::ops::synced::SyncedCondition;
    use serde_json::json;

    fn instance(name: &str, condition: &serde_json::Value) -> Instance {
        let object = json!({"metadata": {"generation": 4}, "status": {"conditions": [condition]}});
        Instance {
            tenant: "team-b".into(),
            service: "redis".into(),
            name: name.into(),
            cluster: "team-a/eu-west-1".into(),
            crd: "redis.eu-west-1.team-a".into(),
            version: "v1".into(),
            ready: None,
            synced: SyncedCondition::of(&object),
            service_namespace: "team-b-x".into(),
            in_service_cluster: Some(true),
            offered: Some(true),
        }
    }

    fn condition(status: &str, reason: &str, generation: u8, message: &str) -> serde_json::Value {
        json!({"type": "Synced", "status": status, "reason": reason, "observedGeneration": generation, "message": message})
    }

    fn left(name: &str, state: LeftState, copies: &[(LeftLevel, bool, bool)]) -> LeftOver {
        let copy = |(level, approved, deleting): &(LeftLevel, bool, bool)| LeftCopy {
            level: *level,
            crd: "redis.example.com".into(),
            namespace: "team-b-x".into(),
            approved: *approved,
            deleting: *deleting,
        };
        LeftOver {
            tenant: "team-b".into(),
            service: "redis".into(),
            name: name.into(),
            cluster: "team-a/eu-west-1".into(),
            crd: "redis.eu-west-1.team-a".into(),
            state,
            service_namespace: "team-b-x".into(),
            in_service_cluster: Some(copies.iter().any(|copy| copy.0 == LeftLevel::Service)),
            copies: copies.iter().map(copy).collect(),
            offered: Some(true),
        }
    }

    fn all() -> (Vec<Instance>, Vec<LeftOver>) {
        use LeftLevel::{Internal, Service};
        let instances = vec![
            instance("in-step", &condition("True", "InStep", 4, "the copy is what it says")),
            instance("new", &json!({})),
            instance("rejected", &condition("False", "Rejected", 4, &format!("a\n\u{1b}[2J{}", "é".repeat(300)))),
            instance("stale", &condition("Unknown", "ClusterUnreachable", 3, "no answer")),
        ];
        let left = vec![
            left("approved", LeftState::Orphan, &[(Service, true, false)]),
            left("going", LeftState::Orphan, &[(Internal, false, true), (Service, true, true)]),
            left("lost", LeftState::Orphan, &[(Internal, false, false), (Service, false, false)]),
            left("released", LeftState::Released, &[(Service, false, false)]),
        ];
        (instances, left)
    }

    #[test]
    fn the_table_shows_how_each_instance_stands_and_what_is_left() {
        let (instances, left) = all();
        let wanted = "\
TENANT   SERVICE   NAME       CLUSTER            READY   SYNCED
team-b   redis     approved   team-a/eu-west-1   -       orphan
team-b   redis     going      team-a/eu-west-1   -       orphan
team-b   redis     in-step    team-a/eu-west-1   -       True/InStep
team-b   redis     lost       team-a/eu-west-1   -       orphan
team-b   redis     new        team-a/eu-west-1   -       -
team-b   redis     rejected   team-a/eu-west-1   -       False/Rejected
team-b   redis     released   team-a/eu-west-1   -       released
team-b   redis     stale      team-a/eu-west-1   -       Unknown/ClusterUnreachable (generation 3 of 4)
";
        assert_eq!(aligned(&rows(&instances, &left, false), 0), wanted);
    }

    #[test]
    fn what_is_no_longer_offered_is_marked_and_said() {
        let retired = |name: &str, offered| Instance { offered, ..instance(name, &json!({})) };
        let instances = [instance("a", &json!({})), retired("b", Some(false)), retired("c", None)];
        let wanted = "\
TENANT   SERVICE   NAME   CLUSTER            READY   SYNCED   OFFERED
team-b   redis     a      team-a/eu-west-1   -       -        yes
team-b   redis     b      team-a/eu-west-1   -       -        no
team-b   redis     c      team-a/eu-west-1   -       -        unknown
";
        assert_eq!(aligned(&rows(&instances, &[], false), 0), wanted);
        let text = said(|ui| say_retired(&instances, ui));
        assert_eq!(text, "redis.eu-west-1.team-a is no longer offered and has 1 instance\n");
        assert_eq!(said(|ui| say_retired(&instances[..1], ui)), "");
    }

    #[test]
    fn the_wide_table_has_the_messages_on_one_line() {
        let (instances, left) = all();
        let table = aligned(&rows(&instances, &left, true), 0);
        let messages: Vec<&str> = table.lines().filter_map(|line| line.split("   ").last()).map(str::trim).collect();
        let long = format!("a␊␛[2J{}…", "é".repeat(LONGEST - 6));
        let wanted = [
            "MESSAGE",
            "the copy in team-b-x is left, and the deletion is approved",
            "the internal object and the copy in team-b-x are left, in deletion",
            "the copy is what it says",
            "the internal object and the copy in team-b-x are left",
            "yes",
            &long,
            "the copy in team-b-x is kept by the deletion policy Orphan",
            "no answer",
        ];
        assert_eq!(messages, wanted);
        assert!(table.contains("SYNCED                                           VERSION   SERVICE NAMESPACE   THERE"));
    }

    fn said(write: impl FnOnce(&mut Ui<'_>) -> std::io::Result<()>) -> String {
        let mut err = Vec::new();
        let mut ui = Ui::new(Vec::new(), &mut err);
        write(&mut ui).unwrap();
        drop(ui);
        String::from_utf8(err).unwrap()
    }

    #[test]
    fn approve_is_named_for_orphans_that_wait() {
        use clap::Parser as _;
        #[derive(clap::Parser)]
        struct Line {
            #[command(flatten)]
            args: GetArgs,
        }
        let (_, left) = all();
        let args = Line::parse_from(["get", "-n", "team-b"]).args;
        let text = "1 orphan: copies are left, and the tenant object is gone; `carrier sync` keeps them\n\
                    next: run `carrier approve team-a/eu-west-1/redis.eu-west-1.team-a -n team-b` to see them and to approve their deletion\n";
        assert_eq!(said(|ui| say_left(&left, &args, ui)), text);
        // What was released, is approved or goes already asks for nothing.
        assert_eq!(said(|ui| say_left(&left[..2], &args, ui)), "");
        assert_eq!(said(|ui| say_left(&left[3..], &args, ui)), "");
    }

    #[test]
    fn what_is_not_known_is_said_once_for_each_reason() {
        let one = |crd: &str, reason: &str| Unchecked { cluster: "a/b".into(), crd: crd.into(), reason: reason.into() };
        let list = [one("a", "why"), one("b", "why"), one("c", "why"), one("d", "why"), one("e", "else")];
        let text = "orphans of e may be missing: else\norphans of a, b, c and 1 more may be missing: why\n";
        assert_eq!(said(|ui| say_unchecked(&list, ui)), text);
        assert_eq!(said(|ui| say_unchecked(&[], ui)), "");
    }
}
