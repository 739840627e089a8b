//! The report of `carrier doctor` for people, and its RBAC for kubectl.

use std::collections::BTreeMap;
use std::io::{self, Write};

use anstyle::Style;

use crate::cli::style::{ERROR, OK, WARNING};
use crate::cli::suggest::Suggestions;
use crate::cli::table;
use crate::model::plain;
use crate::model::shell::kubectl;
use crate::ops::doctor::report::{Health, Missing, Report, Status, Way};
use crate::plan::permissions::grant;

/// Writes the report as text. Commands in it are completed.
///
/// # Errors
/// When `out` cannot be written.
pub(crate) fn text(out: &mut dyn Write, report: &Report, color: bool, suggestions: &Suggestions) -> io::Result<()> {
    for (index, health) in report.clusters.iter().enumerate() {
        if index > 0 {
            writeln!(out)?;
        }
        let user = health.user.as_ref().map(|user| format!(", as {}", plain::name(user))).unwrap_or_default();
        let reached = if health.reached { "" } else { ": not reached" };
        writeln!(out, "{}{}{reached}", plain::line(&title(health)), plain::line(&user))?;
        for check in &health.checks {
            let style = match check.status {
                _ if !color => Style::new(),
                Status::Ok => OK,
                Status::Warning => WARNING,
                Status::Missing => ERROR,
            };
            let message = suggestions.complete(&check.message);
            let message = plain::line(&message);
            writeln!(out, "  {style}{:7}{style:#}  {:11}  {message}", check.status.name(), check.name)?;
            if check.name == "permissions" && !health.missing.is_empty() {
                out.write_all(missing(&health.missing).as_bytes())?;
            }
        }
    }
    let mut is_first = report.clusters.is_empty();
    for one in &report.not_asked {
        let codes = if one.errors.is_empty() { String::new() } else { format!(" ({})", one.errors.join(", ")) };
        if !std::mem::take(&mut is_first) {
            writeln!(out)?;
        }
        let name = plain::line(&one.cluster);
        writeln!(out, "the service cluster {name}: not asked, because the repository has errors about it{codes}")?;
    }
    // The RBAC of one cluster has names that may be somebody else's in another, so it never stands beside it.
    let lacking: Vec<&Health> = report.lacking().collect();
    if let [one] = lacking.as_slice() {
        writeln!(out)?;
        rbac(out, one)?;
    }
    Ok(())
}

/// Writes the RBAC of one cluster alone, as `kubectl apply -f -` takes it.
///
/// # Errors
/// When `out` cannot be written.
pub(crate) fn rbac(out: &mut dyn Write, health: &Health) -> io::Result<()> {
    let title = title(health);
    writeln!(out, "# The permissions that are missing in {title}, to be granted by an administrator.")?;
    let mut command = kubectl(None, None);
    if let Some(Way { server, kubeconfig, context }) = &health.way {
        writeln!(out, "# server: {}", plain::line(server))?;
        if let Some(context) = context {
            writeln!(out, "# context: {}", plain::line(context))?;
        }
        command = kubectl(kubeconfig.as_deref(), context.as_deref());
    }
    let user = health.user.as_deref().unwrap_or_default();
    writeln!(
        out,
        "# account: {}, the name of the account in this cluster; in another cluster this name may belong to somebody else",
        plain::line(user)
    )?;
    writeln!(out, "# Apply it in this cluster only: `{command} apply -f FILE`")?;
    out.write_all(grant::stream(&health.grant).as_bytes())
}

/// Writes a JSON document.
///
/// # Errors
/// When `out` cannot be written.
pub(crate) fn json(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, report)?;
    writeln!(out)
}

fn title(health: &Health) -> String {
    match health.cluster.as_str() {
        "management" => "the management cluster".to_owned(),
        name => format!("the service cluster {name}"),
    }
}

/// What is missing, a line for each resource and use.
fn missing(list: &[Missing]) -> String {
    let mut verbs: BTreeMap<(String, String, String), Vec<&str>> = BTreeMap::new();
    for one in list {
        let access = &one.access;
        let name = access.name.as_ref().map(|name| format!(" {name}")).unwrap_or_default();
        let what = format!("{}{name}", access.full_resource());
        let place = access.namespace.as_ref().map(|n| format!("in {n}")).unwrap_or_default();
        let tasks: Vec<&str> = one.tasks.iter().map(|task| task.name()).collect();
        verbs.entry((what, place, format!("for {}", tasks.join(", ")))).or_default().push(&access.verb);
    }
    let rows: Vec<Vec<String>> =
        verbs.into_iter().map(|((what, place, tasks), verbs)| vec![verbs.join(", "), what, place, tasks]).collect();
    table::aligned(&rows, 11)
}
