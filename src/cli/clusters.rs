//! How a command reaches clusters: flags as kubectl's, the settings of the
//! repository, and the environment, in this order (`cli.md` §5.17).

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use serde_json::Value;

use super::env::Env;
use crate::cluster::kubeconfig::{self, ClientConfig, FileSource, Loopback};
use crate::cluster::{ApiRequest, Cluster, ClusterError, ErrorKind, Limits};
use crate::compile::resolve::Resolved;
use crate::model::cluster::{ClusterId, Target};
use crate::model::config::{ClusterAccess, Config, KubeconfigSource};
use crate::model::resource::Resource;

/// The keys of a Secret that hold a kubeconfig: KubeCarrier's, then those of Cluster API and Flux.
const SECRET_KEYS: [&str; 3] = ["kubeconfig", "value", "value.yaml"];

/// How to reach clusters.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Clusters")]
pub struct ClusterFlags {
    /// The kubeconfig of the management cluster; else `management` of carrier.yaml, `$KUBECONFIG`, `~/.kube/config`
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub kubeconfig: Option<PathBuf>,
    /// The context in it
    #[arg(long, value_name = "NAME")]
    pub context: Option<String>,
    /// Act as this user in the management cluster
    #[arg(long = "as", value_name = "USER")]
    pub act_as: Option<String>,
    /// And as a member of this group
    #[arg(long, value_name = "GROUP", requires = "act_as")]
    pub as_group: Vec<String>,
    /// How long one request may take, retries included, such as 30s or 2m
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = duration)]
    pub request_timeout: Duration,
    /// Let kubeconfigs from Secrets point at this machine
    #[arg(long)]
    pub allow_loopback: bool,
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

/// The ways into the clusters of a repository.
#[derive(Debug, Clone, Copy)]
pub struct Connector<'a> {
    /// What the user said.
    pub flags: &'a ClusterFlags,
    /// The process' surroundings.
    pub env: &'a Env,
    /// The repository's settings.
    pub config: &'a Config,
    /// The repository's root, which paths in its settings start from.
    pub root: &'a Path,
}

impl Connector<'_> {
    fn limits(&self) -> Limits {
        Limits { call: self.flags.request_timeout, ..Limits::default() }
    }

    /// The way into the management cluster. Nothing is asked yet.
    ///
    /// # Errors
    /// When there is no usable kubeconfig.
    pub async fn management(&self) -> Result<Cluster, ClusterError> {
        let settings = &self.config.management;
        let flag = self.flags.kubeconfig.as_ref().map(|path| self.env.path(path));
        // A context of the settings is one of the file in the settings.
        let context = match (&self.flags.context, &flag) {
            (Some(context), _) => Some(context.clone()),
            (None, Some(_)) => None,
            (None, None) => settings.context.clone(),
        };
        let paths = match (flag, &settings.kubeconfig) {
            (Some(path), _) => vec![path],
            (None, Some(path)) => vec![self.settings_path(path)],
            (None, None) => self.usual_paths(),
        };
        let (act_as, groups) = (self.flags.act_as.clone(), self.flags.as_group.clone());
        let way = kubeconfig::from_files(&FileSource { paths, context, act_as, groups }).await?;
        Cluster::new(Target::Management, way, self.limits())
    }

    /// Whether the way into a service cluster leads through the management cluster: its kubeconfig is
    /// in a Secret there.
    #[must_use]
    pub fn needs_management(&self, id: &ClusterId) -> bool {
        let access = self.config.service_clusters.get(&id.to_string());
        access.is_none_or(|access| access.source() == Some(KubeconfigSource::Secret))
    }

    /// The way into a service cluster. Where the repository names none, it is the Secret that the
    /// ServiceCluster names, read from the management cluster.
    ///
    /// # Errors
    /// When there is no usable kubeconfig, or the Secret cannot be read.
    pub async fn service(
        &self,
        id: &ClusterId,
        resolved: &Resolved<'_>,
        management: Result<&Cluster, &ClusterError>,
    ) -> Result<Cluster, ClusterError> {
        let access = self.config.service_clusters.get(&id.to_string());
        let source = access.map_or(Some(KubeconfigSource::Secret), ClusterAccess::source);
        let way = match source {
            Some(KubeconfigSource::File { path, context }) => {
                let paths = path.map_or_else(|| self.usual_paths(), |path| vec![self.settings_path(&path)]);
                kubeconfig::from_files(&FileSource { paths, context, ..FileSource::default() }).await?
            }
            Some(KubeconfigSource::Env(name)) => match self.env.variables.get(&name).map(OsString::into_string) {
                Some(Ok(text)) => kubeconfig::from_text(&text).await?,
                Some(Err(_)) => return Err(no_way(format!("the environment variable {name} is not text"))),
                None => return Err(no_way(format!("the environment variable {name} is not set"))),
            },
            Some(KubeconfigSource::Secret) => self.way_of_secret(id, resolved, management).await?,
            // `check` says so at its line.
            None => return Err(no_way("carrier.yaml does not say how to reach it")),
        };
        Cluster::new(Target::Service(id.clone()), way, self.limits())
    }

    async fn way_of_secret(
        &self,
        id: &ClusterId,
        resolved: &Resolved<'_>,
        management: Result<&Cluster, &ClusterError>,
    ) -> Result<ClientConfig, ClusterError> {
        let management = management.map_err(|error| {
            let message =
                format!("its kubeconfig is in the management cluster, which cannot be asked: {}", error.message);
            ClusterError::new(error.kind, message)
        })?;
        let name = resolved.clusters.get(id).map(|c| c.spec.kubeconfig_secret.name.clone());
        let Some(name) = name else { return Err(no_way("the repository does not have it")) };
        let named = format!("the Secret `{}/{name}` of the management cluster", id.provider);
        let secrets = Resource::new("", "v1", "Secret", "secrets", true);
        let secret = management.call(&ApiRequest::object(&secrets, Some(&id.provider), &name)).await;
        let secret = secret.map_err(|error| match error.kind {
            ErrorKind::NotFound => no_way(format!("{named} is not there")),
            trouble => ClusterError::new(trouble, format!("{named} cannot be read: {}", error.message)),
        })?;
        let found = SECRET_KEYS.iter().find_map(|key| secret.pointer("/data")?.get(*key).and_then(Value::as_str));
        let Some(encoded) = found else {
            return Err(no_way(format!("{named} has none of the keys {}", SECRET_KEYS.join(", "))));
        };
        let text = kubeconfig::decoded(encoded).ok_or_else(|| no_way(format!("{named} holds no text")))?;
        let loopback = if self.flags.allow_loopback { Loopback::Allowed } else { Loopback::Refused };
        kubeconfig::from_secret(&text, loopback).await
    }

    /// A path of carrier.yaml: from the root, `~/` from the home folder.
    fn settings_path(&self, path: &str) -> PathBuf {
        match (path.strip_prefix("~/"), self.env.variables.get("HOME")) {
            (Some(rest), Some(home)) => PathBuf::from(home).join(rest),
            _ => self.root.join(path),
        }
    }

    /// The files that kubectl would read.
    fn usual_paths(&self) -> Vec<PathBuf> {
        if let Some(list) = self.env.variables.get("KUBECONFIG") {
            let paths: Vec<PathBuf> = Env::split(&list).into_iter().map(|path| self.env.path(&path)).collect();
            // kubectl passes over files that are not there, unless there is no other.
            let there: Vec<PathBuf> = paths.iter().filter(|p| p.exists()).cloned().collect();
            return if there.is_empty() { paths } else { there };
        }
        let home = self.env.variables.get("HOME").map(|home| PathBuf::from(home).join(".kube/config"));
        home.filter(|path| path.exists()).into_iter().collect()
    }
}

fn no_way(message: impl Into<String>) -> ClusterError {
    ClusterError::new(ErrorKind::Kubeconfig, message)
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
