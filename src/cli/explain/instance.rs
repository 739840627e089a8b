//! `carrier explain RESOURCE.GROUP/NAME -n NAMESPACE`: why an instance is as it is.

use std::path::Path;

use super::super::env::Env;
use super::super::error::CliError;
use super::super::exit::Exit;
use super::super::progress;
use super::super::ui::Ui;
use super::{ExplainArgs, Output, view};
use crate::cluster::connect::Connector;
use crate::model::config::Config;
use crate::model::nearest::nearest;
use crate::model::{names, plain};
use crate::ops::Events;
use crate::ops::error::ClusterFailure;
use crate::ops::explain::report::Presence;
use crate::ops::explain::{ExplainError, ExplainOptions, Explained, explain};

/// Explains the instance that `subject` names.
///
/// # Errors
/// When the arguments name no instance of one service, or the management cluster cannot be asked.
pub(super) fn run(subject: &str, args: &ExplainArgs, env: &Env, ui: &mut Ui<'_>) -> Result<Exit, CliError> {
    let options = read(subject, args.namespace.as_deref())?;
    let connect = args.flags.options(env);
    // No repository is read: what counts stands in the management cluster.
    let config = Config::default();
    let connector = Connector { options: &connect, config: &config, root: Path::new("") };
    let (events, mut receiver) = Events::channel();
    let Some(explained) = progress::run(ui, &mut receiver, explain(&connector, &options, &events))? else {
        return Ok(Exit::Interrupted);
    };
    let explained = explained.map_err(|error| error_of(error, &options))?;
    match args.output.unwrap_or(Output::Text) {
        Output::Text => ui.out().write_all(view::text(&explained.report).as_bytes())?,
        Output::Json => {
            serde_json::to_writer_pretty(&mut *ui.out(), &explained.report).map_err(std::io::Error::from)?;
            writeln!(ui.out())?;
        }
    }
    ui.flush()?;
    end(&explained, ui)
}

/// Reads `RESOURCE.GROUP/NAME`.
fn read(subject: &str, namespace: Option<&str>) -> Result<ExplainOptions, CliError> {
    let form = "an instance is written RESOURCE.GROUP/NAME, such as redis.eu-west-1.team-a/example";
    let (resource, name) = subject.split_once('/').unwrap_or((subject, ""));
    if resource.is_empty() || name.is_empty() {
        return Err(CliError::usage(format!("`{subject}` names no instance")).hint(form));
    }
    names::dns_subdomain(name)
        .map_err(|why| CliError::usage(format!("`{name}` is no name of an instance: {why}")).hint(form))?;
    let Some(namespace) = namespace else {
        return Err(CliError::usage("`-n` is missing: the namespace of the instance")
            .hint(format!("carrier explain {subject} -n TENANT")));
    };
    names::dns_label(namespace)
        .map_err(|why| CliError::usage(format!("`{namespace}` is no name of a namespace: {why}")))?;
    Ok(ExplainOptions { resource: resource.to_owned(), name: name.to_owned(), namespace: namespace.to_owned() })
}

fn error_of(error: ExplainError, options: &ExplainOptions) -> CliError {
    let ExplainOptions { resource, name, .. } = options;
    match error {
        ExplainError::Management(error) => {
            CliError::new(Exit::Cluster, format!("the management cluster: {}", error.message))
        }
        ExplainError::Ambiguous(services) => {
            let error = CliError::usage(format!("`{resource}` fits several services; write one of"));
            services.iter().fold(error, |error, crd| error.line(format!("{crd}/{name}")))
        }
        ExplainError::Unknown(known) => {
            let error = CliError::usage(format!("no service in the management cluster has the resource `{resource}`"));
            let full = || known.iter().filter(|one| one.contains('.')).map(|one| plain::line(one)).collect::<Vec<_>>();
            match nearest(resource, known.iter().map(String::as_str)) {
                Some(near) => error.hint(format!("did you mean `{}/{name}`?", plain::line(near))),
                None if known.is_empty() => error.hint("it has no service at all"),
                None => error.hint(format!("it has {}", full().join(", "))),
            }
        }
    }
}

/// Says what is missing. Another cluster behind a name is graver than one that does not answer, and that is graver than
/// an object that is not there.
fn end(explained: &Explained, ui: &mut Ui<'_>) -> Result<Exit, CliError> {
    let Explained { report, failure } = explained;
    match failure {
        Some(ClusterFailure::OtherCluster) => {
            ui.warn(format_args!("{} is another cluster than sync has recorded", report.cluster))?;
        }
        Some(ClusterFailure::Unreachable) => ui.warn("not everything could be read")?,
        None => {}
    }
    let is_absent = report.tenant_object.presence == Presence::Absent;
    if is_absent {
        ui.warn(format_args!("there is no {}/{} in {}", report.resource, report.name, report.namespace))?;
    }
    Ok(match failure {
        Some(failure) => (*failure).into(),
        None if is_absent => Exit::Errors,
        None => Exit::Fine,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instance_has_a_resource_a_name_and_a_namespace() {
        let options = read("redis.eu-west-1.team-a/a.b", Some("team-b")).unwrap();
        assert_eq!((options.resource.as_str(), options.name.as_str()), ("redis.eu-west-1.team-a", "a.b"));
        for (subject, namespace) in [
            ("/a", Some("b")),
            ("redis/", Some("b")),
            ("/", Some("b")),
            ("redis/a/b", Some("c")),
            ("redis/A", Some("b")),
        ] {
            assert_eq!(read(subject, namespace).unwrap_err().exit, Exit::Usage, "{subject}");
        }
        assert!(read("redis/a", None).unwrap_err().message.contains("`-n`"));
        assert!(read("redis/a", Some("a.b")).is_err());
    }

    #[test]
    fn what_fits_several_services_is_listed_one_a_line() {
        let options = read("rd/example", Some("team-b")).unwrap();
        let several = vec!["redis.eu-west-1.team-a".to_owned(), "redis.eu-west-2.team-a".to_owned()];
        let error = error_of(ExplainError::Ambiguous(several), &options);
        assert_eq!(error.exit, Exit::Usage);
        assert_eq!(error.lines, ["redis.eu-west-1.team-a/example", "redis.eu-west-2.team-a/example"]);
        let known = vec!["redis.eu-west-1.team-a".to_owned(), "redis".to_owned()];
        let near = read("redsi/example", Some("team-b")).unwrap();
        assert_eq!(error_of(ExplainError::Unknown(known.clone()), &near).hints, ["did you mean `redis/example`?"]);
        let far = read("kafkas/example", Some("team-b")).unwrap();
        assert_eq!(error_of(ExplainError::Unknown(known), &far).hints, ["it has redis.eu-west-1.team-a"]);
    }
}
