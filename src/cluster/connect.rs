//! Which kubeconfig leads to a cluster of the repository.
//!
//! The management cluster: `--kubeconfig`, then `management` of carrier.yaml, then what kubectl would read
//! (`$KUBECONFIG`, `~/.kube/config`), then the service account of the Pod. A service cluster: its entry in
//! carrier.yaml, otherwise the Secret that its ServiceCluster names, read from the management cluster.
//!
//! Nothing here parses arguments or reads the environment: both come in as data, in [`ConnectOptions`].

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::client::limits::PROBE;
use super::kubeconfig::{self, ClientConfig, FileSource, Loopback};
use super::plugin::PluginLimits;
use super::{ApiRequest, Cluster, ClusterError, ErrorKind, Limits, secret};
use crate::compile::resolve::Resolved;
use crate::model::cluster::{ClusterId, Target};
use crate::model::config::{ClusterAccess, Config, KubeconfigSource, leads_inside};
use crate::model::plain;

/// What the user and the surroundings of the process say about reaching clusters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ConnectOptions {
    /// The kubeconfig file of the management cluster; absent, the settings of the repository decide.
    pub kubeconfig: Option<PathBuf>,
    /// The context of the management cluster; absent, that of the settings or of the kubeconfig.
    pub context: Option<String>,
    /// The user to impersonate in the management cluster.
    pub impersonate_user: Option<String>,
    /// The groups to impersonate with that user.
    pub impersonate_groups: Vec<String>,
    /// The time limit of one request, its retries included.
    pub request_timeout: Duration,
    /// Whether a kubeconfig from a Secret may point at this machine.
    pub allow_loopback: bool,
    /// The folder that relative paths in `kubeconfig` and `$KUBECONFIG` start from.
    pub directory: PathBuf,
    /// The environment variables.
    pub variables: Variables,
}

impl Default for ConnectOptions {
    fn default() -> Self {
        Self {
            kubeconfig: None,
            context: None,
            impersonate_user: None,
            impersonate_groups: Vec::new(),
            request_timeout: Limits::default().deadline,
            allow_loopback: false,
            directory: PathBuf::new(),
            variables: Variables::default(),
        }
    }
}

impl ConnectOptions {
    /// Whether a kubeconfig from a Secret may point at this machine.
    #[must_use]
    pub(crate) fn loopback(&self) -> Loopback {
        let own_api = || self.variables.get("KUBERNETES_SERVICE_HOST").map(|host| host.to_string_lossy().into_owned());
        if self.allow_loopback { Loopback::Allowed } else { Loopback::Refused { own_api: own_api() } }
    }
}

/// Environment variables as data. Their values may be credentials, so `Debug` shows the names only.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Variables(BTreeMap<OsString, OsString>);

impl Variables {
    /// The value of a variable; `None` where it is unset or empty.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&OsString> {
        self.0.get(std::ffi::OsStr::new(name)).filter(|value| !value.is_empty())
    }
}

impl FromIterator<(OsString, OsString)> for Variables {
    fn from_iter<I: IntoIterator<Item = (OsString, OsString)>>(pairs: I) -> Self {
        Self(pairs.into_iter().collect())
    }
}

impl fmt::Debug for Variables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// Makes clients for the clusters of one repository.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Connector<'a> {
    /// What the user asked for.
    pub options: &'a ConnectOptions,
    /// The settings of the repository.
    pub config: &'a Config,
    /// The root of the repository, which relative paths in its settings start from.
    pub root: &'a Path,
}

impl Connector<'_> {
    fn limits(&self) -> Limits {
        let deadline = self.options.request_timeout;
        let plugin = PluginLimits { alone: deadline, ..PluginLimits::default() };
        Limits { deadline, plugin, probe: Some(PROBE), ..Limits::default() }
    }

    /// Makes the client of the management cluster. Sends no request.
    ///
    /// # Errors
    /// When there is no usable kubeconfig.
    pub(crate) async fn management(&self) -> Result<Cluster, ClusterError> {
        let settings = &self.config.management;
        let given = self.options.kubeconfig.as_ref().map(|path| self.options.directory.join(path));
        // A context of the settings is one of the file in the settings.
        let context = match (&self.options.context, &given) {
            (Some(context), _) => Some(context.clone()),
            (None, Some(_)) => None,
            (None, None) => settings.context.clone(),
        };
        let context_by = match (&self.options.context, &context) {
            (None, Some(_)) => "`management.context` of carrier.yaml",
            _ => "`--context`",
        };
        let (paths, files_by) = match (given, &settings.kubeconfig) {
            (Some(path), _) => (vec![path], "`--kubeconfig`"),
            (None, Some(path)) => (vec![self.settings_file(path)?], "`management.kubeconfig` of carrier.yaml"),
            (None, None) => (self.usual_paths(), self.usual_name()),
        };
        let act_as = self.options.impersonate_user.clone();
        let groups = self.options.impersonate_groups.clone();
        let source = FileSource { paths, in_cluster: true, context, act_as, groups, files_by, context_by };
        let config = kubeconfig::from_files(&source).await?;
        Cluster::new(Target::Management, config, self.limits())
    }

    /// Whether the kubeconfig of a service cluster is in a Secret of the management cluster.
    #[must_use]
    pub(crate) fn needs_management(&self, id: &ClusterId) -> bool {
        let access = self.config.service_clusters.get(&id.to_string());
        access.is_none_or(|access| access.source() == Some(KubeconfigSource::Secret))
    }

    /// Makes the client of a service cluster. Sends no request to it, but reads its Secret from the
    /// management cluster where the settings name no other source.
    ///
    /// # Errors
    /// When there is no usable kubeconfig, or the Secret cannot be read.
    pub(crate) async fn service(
        &self,
        id: &ClusterId,
        resolved: &Resolved<'_>,
        management: Result<&Cluster, &ClusterError>,
    ) -> Result<Cluster, ClusterError> {
        let access = self.config.service_clusters.get(&id.to_string());
        let source = access.map_or(Some(KubeconfigSource::Secret), ClusterAccess::source);
        let config = match source {
            Some(KubeconfigSource::File { path, context }) => {
                let (paths, files_by) = match path {
                    Some(path) => (vec![self.settings_file(&path)?], "`kubeconfig` of the cluster in carrier.yaml"),
                    None => (self.usual_paths(), self.usual_name()),
                };
                let context_by = "`context` of the cluster in carrier.yaml";
                let source = FileSource { paths, context, files_by, context_by, ..FileSource::default() };
                kubeconfig::from_files(&source).await?
            }
            Some(KubeconfigSource::Env(name)) => match self.options.variables.get(&name).map(|value| value.to_str()) {
                Some(Some(text)) => kubeconfig::from_text(text, &name).await?,
                Some(None) => return Err(wrong_variable(&name, "is not text")),
                None => return Err(wrong_variable(&name, "is not set")),
            },
            Some(KubeconfigSource::Secret) => self.config_of_secret(id, resolved, management).await?,
            // `check` reports this at its line.
            None => return Err(unusable("carrier.yaml does not say how to reach it")),
        };
        Cluster::new(Target::Service(id.clone()), config, self.limits())
    }

    async fn config_of_secret(
        &self,
        id: &ClusterId,
        resolved: &Resolved<'_>,
        management: Result<&Cluster, &ClusterError>,
    ) -> Result<ClientConfig, ClusterError> {
        let management = management.map_err(|error| {
            let message =
                format!("its kubeconfig is in the management cluster, which cannot be asked: {}", error.message);
            error.said(message)
        })?;
        let name = resolved.clusters.get(id).map(|c| c.spec.kubeconfig_secret.name.clone());
        let Some(name) = name else { return Err(unusable("the repository does not have it")) };
        self.config_in(id, &name, management).await
    }

    /// Makes the client of a service cluster from the Secret `name` in its provider's namespace, whatever the settings
    /// say. Sends no request to it, but reads the Secret.
    ///
    /// # Errors
    /// When the Secret cannot be read, or its kubeconfig is not usable.
    pub(crate) async fn by_secret(
        &self,
        id: &ClusterId,
        name: &str,
        management: &Cluster,
    ) -> Result<Cluster, ClusterError> {
        let config = self.config_in(id, name, management).await?;
        Cluster::new(Target::Service(id.clone()), config, self.limits())
    }

    async fn config_in(&self, id: &ClusterId, name: &str, management: &Cluster) -> Result<ClientConfig, ClusterError> {
        let named = format!("the Secret `{}/{name}` of the management cluster", id.provider);
        let request = ApiRequest::object(&secret::resource(), Some(&id.provider), name);
        let secret = management.call(&request).await.map_err(|error| match error.kind {
            ErrorKind::NotFound => unusable(format!("{named} is not there")),
            _ => error.said(format!("{named} cannot be read: {}", error.message)),
        })?;
        let text = secret::kubeconfig_text(&secret, &named)?;
        kubeconfig::from_secret(&text, self.options.loopback(), &named).await
    }

    /// The kubeconfig that a flag or carrier.yaml names for a cluster; `None` where kubectl would find it, and where it is
    /// no file.
    #[must_use]
    pub(crate) fn named_file(&self, target: &Target) -> Option<PathBuf> {
        let path = match target {
            Target::Management => match &self.options.kubeconfig {
                // kubectl has no `-C`, so the path must not depend on a folder.
                Some(path) => return Some(self.options.directory.join(path)),
                None => self.config.management.kubeconfig.clone(),
            },
            Target::Service(id) => match self.config.service_clusters.get(&id.to_string())?.source() {
                Some(KubeconfigSource::File { path, .. }) => path,
                _ => None,
            },
        };
        path.map(|path| self.settings_path(&path))
    }

    /// A kubeconfig that carrier.yaml names. One in the repository is not accepted: its author could run programs here.
    ///
    /// # Errors
    /// When it is in the repository or its Git work tree, by its path or behind a link.
    fn settings_file(&self, path: &str) -> Result<PathBuf, ClusterError> {
        let file = self.settings_path(path);
        // A file that is not there or cannot be looked at is the error of reading it.
        let real = file.canonicalize().unwrap_or_else(|_| file.clone());
        let root = self.root.canonicalize().unwrap_or_else(|_| self.root.to_owned());
        // The `.git` of a submodule is a file, and the work tree around it has the same author.
        let mut trees = root.ancestors().filter(|folder| folder.join(".git").exists());
        let outermost = trees.clone().last();
        let tree = trees.find(|folder| folder.join(".git").is_dir()).or(outermost);
        let is_inside = match tree {
            Some(tree) => real.starts_with(tree),
            // Where the checkout ends is not known, so what starts from the repository may be in it.
            None => real.starts_with(&root) || !(path.starts_with('/') || path.starts_with("~/")),
        };
        if !(is_inside || leads_inside(path)) {
            return Ok(file);
        }
        let shown = plain::line(&file.display().to_string()).into_owned();
        let message = match tree {
            None if !real.starts_with(&root) => format!(
                "the kubeconfig {shown} is named by its path from the repository, which is in no Git work tree, so it may be a part of the checkout, whose author could run programs with it"
            ),
            _ => format!(
                "the kubeconfig {shown} is in the repository or its Git work tree, whose author could run programs with it"
            ),
        };
        let help = "keep it outside of the work tree and name it by an absolute path or one from `~/`, or with `--kubeconfig` or `$KUBECONFIG` when you run carrier";
        Err(ClusterError::new(ErrorKind::UnsafeKubeconfig, message).help(help))
    }

    /// A path of carrier.yaml: relative to the root of the repository, `~/` to the home folder.
    fn settings_path(&self, path: &str) -> PathBuf {
        match (path.strip_prefix("~/"), self.options.variables.get("HOME")) {
            (Some(rest), Some(home)) => PathBuf::from(home).join(rest),
            _ => self.root.join(path),
        }
    }

    /// What names the files that kubectl would read, for people.
    fn usual_name(&self) -> &'static str {
        if self.options.variables.get("KUBECONFIG").is_some() { "`$KUBECONFIG`" } else { "" }
    }

    /// The files that kubectl would read.
    fn usual_paths(&self) -> Vec<PathBuf> {
        let ConnectOptions { directory, variables, .. } = self.options;
        if let Some(list) = variables.get("KUBECONFIG") {
            let named = std::env::split_paths(list).filter(|path| !path.as_os_str().is_empty());
            let paths: Vec<PathBuf> = named.map(|path| directory.join(path)).collect();
            // kubectl skips files that do not exist, unless none does.
            let existing: Vec<PathBuf> = paths.iter().filter(|p| may_exist(p)).cloned().collect();
            return if existing.is_empty() { paths } else { existing };
        }
        let home = variables.get("HOME").map(|home| PathBuf::from(home).join(".kube/config"));
        home.filter(|path| may_exist(path)).into_iter().collect()
    }
}

/// Whether there may be a file. One that cannot be looked at is an error when it is read, and no reason to go elsewhere.
fn may_exist(path: &Path) -> bool {
    path.try_exists().unwrap_or(true)
}

fn wrong_variable(name: &str, what: &str) -> ClusterError {
    let help =
        format!("set the environment variable {name} to the text of a kubeconfig, or correct `env` in carrier.yaml");
    unusable(format!("the environment variable {name} {what}")).help(help)
}

fn unusable(message: impl Into<String>) -> ClusterError {
    ClusterError::new(ErrorKind::Kubeconfig, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(pairs: &[(&str, &str)]) -> Variables {
        pairs.iter().map(|(name, value)| (OsString::from(name), OsString::from(value))).collect()
    }

    #[test]
    fn the_files_are_those_that_kubectl_reads() {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir(home.path().join(".kube")).unwrap();
        let usual = home.path().join(".kube/config");
        let config = Config::default();
        let paths = |kubeconfig: &str| {
            let home_path = home.path().to_str().unwrap();
            let options = ConnectOptions {
                directory: home.path().to_owned(),
                variables: variables(&[("HOME", home_path), ("KUBECONFIG", kubeconfig)]),
                ..ConnectOptions::default()
            };
            Connector { options: &options, config: &config, root: Path::new("/repository") }.usual_paths()
        };
        assert_eq!(paths(""), Vec::<PathBuf>::new(), "there is no file: then it is a Pod");
        std::fs::write(&usual, "").unwrap();
        assert_eq!(paths(""), std::slice::from_ref(&usual));
        assert_eq!(paths("absent::.kube/config"), [usual], "what does not exist is skipped");
        assert_eq!(paths("absent"), [home.path().join("absent")], "unless nothing exists");
    }

    #[test]
    fn paths_of_the_settings_start_from_the_repository_or_from_home() {
        let options = ConnectOptions { variables: variables(&[("HOME", "/me")]), ..ConnectOptions::default() };
        let config = Config::default();
        let connector = Connector { options: &options, config: &config, root: Path::new("/repository") };
        assert_eq!(connector.settings_path("a/b"), Path::new("/repository/a/b"));
        assert_eq!(connector.settings_path("~/a"), Path::new("/me/a"));
        assert_eq!(connector.settings_path("/a"), Path::new("/a"));
    }

    #[test]
    fn a_kubeconfig_of_the_settings_is_not_in_the_work_tree() {
        let folder = tempfile::tempdir().unwrap();
        let top = folder.path().canonicalize().unwrap();
        let at = |path: &str| top.join(path);
        for path in ["repo/carrier", "repo/hack", "home"] {
            std::fs::create_dir_all(at(path)).unwrap();
        }
        for file in ["repo/carrier/in.conf", "repo/hack/in.conf", "home/out.conf"] {
            std::fs::write(at(file), "").unwrap();
        }
        let link = |from: &str, to: &str| std::os::unix::fs::symlink(at(to), at(from)).unwrap();
        link("home/leads-in", "repo/hack/in.conf");
        link("repo/carrier/leads-out", "home/out.conf");
        link("home/tree", "repo");
        let options = ConnectOptions {
            variables: variables(&[("HOME", at("home").to_str().unwrap())]),
            ..ConnectOptions::default()
        };
        let config = Config::default();
        let root = at("repo/carrier");
        let connector = Connector { options: &options, config: &config, root: &root };
        let absolute = |path: &str| at(path).to_str().unwrap().to_owned();
        let kind = |path: &str| connector.settings_file(path).map(drop).map_err(|error| error.kind);
        let refused = Err(ErrorKind::UnsafeKubeconfig);

        // Without a work tree, its end is not known: what starts from the repository may be a part of the checkout.
        assert_eq!(kind("../hack/in.conf"), refused);
        assert_eq!(kind(&absolute("repo/carrier/in.conf")), refused);
        assert_eq!(kind(&absolute("home/out.conf")), Ok(()));

        std::fs::create_dir(at("repo/.git")).unwrap();
        for inside in ["in.conf", "../hack/in.conf", "leads-out", "absent.conf", "~/leads-in", "~/tree/hack/in.conf"] {
            assert_eq!(kind(inside), refused, "{inside}");
        }
        assert_eq!(kind(&absolute("repo/hack/in.conf")), refused);
        assert_eq!(kind(&absolute("home/tree/carrier/in.conf")), refused);
        // A submodule, and a work tree beside its repository.
        std::fs::write(at("repo/carrier/.git"), "gitdir: ../.git/modules/carrier").unwrap();
        assert_eq!(kind("../hack/in.conf"), refused);
        std::fs::remove_dir(at("repo/.git")).unwrap();
        assert_eq!(kind("../hack/in.conf"), Ok(()), "its author is another one");
        std::fs::create_dir(at("repo/.git")).unwrap();
        std::fs::remove_file(at("repo/carrier/.git")).unwrap();
        for outside in ["../../home/out.conf", "~/out.conf"] {
            assert_eq!(kind(outside), Ok(()), "{outside}");
        }
        assert_eq!(kind("~/absent.conf"), Ok(()), "that it is not there is said when it is read");
    }

    #[test]
    fn values_of_variables_are_not_shown() {
        let variables = variables(&[("TOKEN", "hunter2"), ("EMPTY", "")]);
        assert_eq!(format!("{variables:?}"), r#"{"EMPTY", "TOKEN"}"#);
        assert_eq!(variables.get("EMPTY"), None);
    }
}
