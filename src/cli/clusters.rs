//! The flags that say how to reach clusters, named as kubectl's. `cluster::connect` says what follows from them.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use jiff::fmt::friendly::SpanParser;

use super::env::Env;
use crate::cluster::connect::ConnectOptions;
use crate::model::shell::shell_word;

/// How to reach the clusters of a repository.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Clusters")]
pub(crate) struct ClusterFlags {
    /// The kubeconfig of the management cluster; without it, `management` of carrier.yaml, `$KUBECONFIG`, `~/.kube/config`
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub kubeconfig: Option<PathBuf>,
    /// What does not depend on the repository.
    #[command(flatten)]
    pub request: RequestFlags,
}

/// How to reach clusters without a repository: what counts stands in the management cluster.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Clusters")]
pub(crate) struct ManagementFlags {
    /// The kubeconfig of the management cluster; without it, `$KUBECONFIG`, `~/.kube/config`
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub kubeconfig: Option<PathBuf>,
    /// What does not depend on the repository.
    #[command(flatten)]
    pub request: RequestFlags,
}

/// The flags of every command that sends requests.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Clusters")]
pub(crate) struct RequestFlags {
    /// The context in it
    #[arg(long, value_name = "NAME")]
    pub context: Option<String>,
    /// Act as this user in the management cluster
    #[arg(long = "as", value_name = "USER", value_parser = identity)]
    pub act_as: Option<String>,
    /// Act as a member of this group; may be repeated
    #[arg(long, value_name = "GROUP", requires = "act_as", value_parser = identity)]
    pub as_group: Vec<String>,
    /// The time limit of one request, including retries, such as 30s or 2m
    #[arg(long, value_name = "DURATION", default_value = USUAL_TIMEOUT, value_parser = duration)]
    pub request_timeout: Duration,
    /// Allow kubeconfigs from Secrets to point at this machine
    #[arg(long)]
    pub allow_loopback: bool,
}

/// The time limit of one request without a flag.
const USUAL_TIMEOUT: &str = "30s";

impl ClusterFlags {
    /// The flags that were given, as a user types them: suggested commands are for the same clusters.
    #[must_use]
    pub(crate) fn given(&self) -> String {
        self.request.given(self.kubeconfig.as_ref())
    }

    /// The options of connections: the flags and the environment.
    #[must_use]
    pub(crate) fn options(&self, env: &Env) -> ConnectOptions {
        self.request.options(self.kubeconfig.as_ref(), env)
    }
}

impl ManagementFlags {
    /// The flags that were given, as a user types them: suggested commands are for the same clusters.
    #[must_use]
    pub(crate) fn given(&self) -> String {
        self.request.given(self.kubeconfig.as_ref())
    }

    /// The options of connections: the flags and the environment.
    #[must_use]
    pub(crate) fn options(&self, env: &Env) -> ConnectOptions {
        self.request.options(self.kubeconfig.as_ref(), env)
    }
}

impl RequestFlags {
    /// Each flag that was given, with a space before it.
    fn given(&self, kubeconfig: Option<&PathBuf>) -> String {
        let mut text = String::new();
        let mut flag = |name: &str, value: &Path| {
            // Writing to a String cannot fail.
            let _ = write!(text, " {name} {}", shell_word(value));
        };
        if let Some(path) = kubeconfig {
            flag("--kubeconfig", path);
        }
        if let Some(context) = &self.context {
            flag("--context", context.as_ref());
        }
        if let Some(user) = &self.act_as {
            flag("--as", user.as_ref());
        }
        for group in &self.as_group {
            flag("--as-group", group.as_ref());
        }
        if Ok(self.request_timeout) != duration(USUAL_TIMEOUT) {
            flag("--request-timeout", written(self.request_timeout).as_ref());
        }
        if self.allow_loopback {
            text.push_str(" --allow-loopback");
        }
        text
    }

    fn options(&self, kubeconfig: Option<&PathBuf>, env: &Env) -> ConnectOptions {
        ConnectOptions {
            kubeconfig: kubeconfig.cloned(),
            context: self.context.clone(),
            impersonate_user: self.act_as.clone(),
            impersonate_groups: self.as_group.clone(),
            request_timeout: self.request_timeout,
            allow_loopback: self.allow_loopback,
            directory: env.directory.clone(),
            variables: env.variables.clone(),
        }
    }
}

/// Reads the name of a user or a group. The API server is told it in a header.
fn identity(text: &str) -> Result<String, String> {
    match text {
        "" => Err("write a name".to_owned()),
        _ if text.chars().any(char::is_control) => Err("a name has no control characters".to_owned()),
        _ => Ok(text.to_owned()),
    }
}

/// Reads a duration as kubectl does: `30s`, `500ms`, `1h30m`, `1.5h`, or seconds without a unit; from 1ms to 24h.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    static FORMAT: SpanParser = SpanParser::new();
    let read = match text.parse() {
        Ok(seconds) => Ok(Duration::from_secs(seconds)),
        Err(_) => FORMAT.parse_unsigned_duration(text),
    };
    let duration = read.map_err(|_| "write a number and a unit (ms, s, m or h), such as 30s or 1h30m".to_owned())?;
    match (Duration::from_millis(1)..=Duration::from_hours(24)).contains(&duration) {
        true => Ok(duration),
        false => Err("write at least 1ms and at most 24h".to_owned()),
    }
}

/// A duration as [`duration`] reads it, in the largest unit that has no fraction.
pub(crate) fn written(duration: Duration) -> String {
    let millis = duration.as_millis();
    let units = [(3_600_000, "h"), (60_000, "m"), (1_000, "s")];
    match units.into_iter().find(|(unit, _)| millis.is_multiple_of(*unit)) {
        Some((unit, name)) => format!("{}{name}", millis / unit),
        None => format!("{millis}ms"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_command_is_for_the_same_clusters() {
        let usual = RequestFlags { request_timeout: Duration::from_secs(30), ..RequestFlags::default() };
        assert_eq!(ClusterFlags { kubeconfig: None, request: usual.clone() }.given(), "");
        let request = RequestFlags {
            context: Some("a b".into()),
            act_as: Some("me".into()),
            as_group: vec!["g".into(), "h".into()],
            request_timeout: Duration::from_millis(1500),
            allow_loopback: true,
        };
        assert_eq!(
            ClusterFlags { kubeconfig: Some("../k".into()), request }.given(),
            " --kubeconfig ../k --context 'a b' --as me --as-group g --as-group h --request-timeout 1500ms --allow-loopback"
        );
    }

    #[test]
    fn a_duration_is_written_as_it_is_read() {
        for text in ["30s", "2m", "1h", "500ms", "90m", "1500ms", "24h"] {
            assert_eq!(duration(text).map(written).as_deref(), Ok(text));
        }
    }

    #[test]
    fn an_identity_is_one_line() {
        assert_eq!(identity("system:serviceaccount:a:b c"), Ok("system:serviceaccount:a:b c".to_owned()));
        assert!(identity("").is_err() && identity("a\nb").is_err());
    }

    #[test]
    fn durations_are_those_of_kubectl() {
        assert_eq!(duration("30s"), Ok(Duration::from_secs(30)));
        assert_eq!(duration("7"), Ok(Duration::from_secs(7)));
        assert_eq!(duration("2m"), Ok(Duration::from_mins(2)));
        assert_eq!(duration("1h"), Ok(Duration::from_hours(1)));
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("1h30m"), Ok(Duration::from_mins(90)));
        assert_eq!(duration("1.5h"), Ok(Duration::from_mins(90)));
        for wrong in ["0", "0s", "10us", "25h", "18446744073709551615"] {
            assert_eq!(duration(wrong), Err("write at least 1ms and at most 24h".to_owned()), "{wrong}");
        }
        for wrong in ["", "s", "5d", "1M", "-1s", "1s ago", "PT30S", "99999999999999999999", "30S", " 30s"] {
            assert!(duration(wrong).unwrap_err().starts_with("write a number and a unit"), "{wrong}");
        }
    }
}
