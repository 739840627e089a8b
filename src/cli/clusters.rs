//! The flags that say how to reach clusters, named as kubectl's. `cluster::connect` says what follows from them.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::env::Env;
use crate::cluster::connect::ConnectOptions;

/// How to reach clusters.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Clusters")]
pub struct ClusterFlags {
    /// The kubeconfig of the management cluster; without it, `management` of carrier.yaml, `$KUBECONFIG`, `~/.kube/config`
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub kubeconfig: Option<PathBuf>,
    /// The context in it
    #[arg(long, value_name = "NAME")]
    pub context: Option<String>,
    /// Act as this user in the management cluster
    #[arg(long = "as", value_name = "USER")]
    pub act_as: Option<String>,
    /// Act as a member of this group; may be repeated
    #[arg(long, value_name = "GROUP", requires = "act_as")]
    pub as_group: Vec<String>,
    /// The time limit of one request, including retries, such as 30s or 2m
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = duration)]
    pub request_timeout: Duration,
    /// Allow kubeconfigs from Secrets to point at this machine
    #[arg(long)]
    pub allow_loopback: bool,
}

impl ClusterFlags {
    /// The options of connections: the flags and the environment.
    #[must_use]
    pub fn options(&self, env: &Env) -> ConnectOptions {
        ConnectOptions {
            kubeconfig: self.kubeconfig.clone(),
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

/// Reads `30s`, `2m`, `1h`, `500ms`, or seconds without a unit, as kubectl does.
pub fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().map_err(|_| "write a number and a unit, such as 30s".to_owned())?;
    let millis = match unit {
        "ms" => Some(number),
        "s" | "" => number.checked_mul(1_000),
        "m" => number.checked_mul(60_000),
        "h" => number.checked_mul(3_600_000),
        _ => return Err(format!("there is no unit `{unit}`; write ms, s, m or h")),
    };
    match millis {
        Some(millis @ 1..=86_400_000) => Ok(Duration::from_millis(millis)),
        _ => Err("write more than nothing, and at most 24h".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_those_of_kubectl() {
        assert_eq!(duration("30s"), Ok(Duration::from_secs(30)));
        assert_eq!(duration("7"), Ok(Duration::from_secs(7)));
        assert_eq!(duration("2m"), Ok(Duration::from_mins(2)));
        for wrong in ["", "s", "0", "5d", "-1s", "99999999999999999999", "25h"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }
}
