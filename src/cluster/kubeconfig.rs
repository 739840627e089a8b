//! From a kubeconfig to a connection's configuration.
//!
//! A kubeconfig that the user named is trusted as kubectl trusts it. One that
//! comes out of a Secret is a provider's (`DESIGN.md` §9): it may not run programs,
//! read files or act as somebody else, and its client connects only within a [`Fence`].
//! What a kubeconfig says is never quoted in an error.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use kube::config::{KubeConfigOptions, Kubeconfig};

use super::error::{ClusterError, ErrorKind};
use super::fence::{Fence, Refused};
use crate::model::diagnostic::Diagnostics;
use crate::model::plain;
use crate::model::shell::kubectl;
use crate::model::source::FileId;
use crate::yaml;

/// The largest kubeconfig in bytes: it holds some certificates.
const MAX_BYTES: usize = 1024 * 1024;

/// The configuration of a client: the address of a cluster, and who we are there.
#[derive(Debug, Clone)]
pub struct ClientConfig {
    pub(super) config: kube::Config,
    /// The name of the context; `None` where there is no kubeconfig, or the user did not write it.
    pub(super) context: Option<String>,
    /// What tells whether kubectl gets there, as the end of a sentence that begins with “check whether”; `None` where kubectl
    /// has no way there.
    pub(super) check: Option<String>,
    /// Where it may lead; `None` where the kubeconfig is trusted.
    pub(super) fence: Option<Arc<Fence>>,
}

/// Where a trusted kubeconfig comes from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileSource {
    /// The files, of which the first that sets a value wins.
    pub paths: Vec<PathBuf>,
    /// Whether the service account of this Pod is meant where there are no files and no context.
    pub in_cluster: bool,
    /// The context; absent, the current one.
    pub context: Option<String>,
    /// Act as this user.
    pub act_as: Option<String>,
    /// And as a member of these groups.
    pub groups: Vec<String>,
    /// The flag, setting or variable that names the files, for help; empty where none does.
    pub files_by: &'static str,
    /// The flag or setting that names the context, or can name one; empty where none can.
    pub context_by: &'static str,
}

impl FileSource {
    /// What the files are called in a sentence.
    fn subject(&self) -> String {
        let paths: Vec<String> =
            self.paths.iter().map(|path| plain::line(&path.display().to_string()).into_owned()).collect();
        match paths.as_slice() {
            [one] => format!("the kubeconfig {one}"),
            several => format!("the kubeconfig ({})", several.join(", ")),
        }
    }

    /// What to do about files that cannot be used.
    fn help(&self) -> String {
        match self.files_by {
            "" => "correct the file".to_owned(),
            by => format!("correct {by}, or the file that it names"),
        }
    }

    /// What to do about a context that is not there.
    fn help_for_context(&self) -> String {
        let list = "`kubectl config get-contexts` lists those of the file";
        match (self.context_by, self.context.is_some()) {
            ("", _) => format!("name a context that the file has: {list}"),
            (by, true) => format!("correct {by}: {list}"),
            (by, false) => format!("name a context with {by}, or set `current-context` in the file: {list}"),
        }
    }
}

/// Whether a kubeconfig that is not trusted may point at this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Loopback {
    /// It may not, nor at the cluster that this process runs in.
    Refused {
        /// The host of that cluster's API, from `$KUBERNETES_SERVICE_HOST`; `None` outside of a Pod.
        own_api: Option<String>,
    },
    /// The user said that it may.
    Allowed,
}

/// Reads kubeconfig files that the user named.
///
/// # Errors
/// When one cannot be read, is no kubeconfig, or has no such context.
pub async fn from_files(source: &FileSource) -> Result<ClientConfig, ClusterError> {
    let mut merged = Kubeconfig::default();
    for path in &source.paths {
        readable(path).map_err(|error| error.help(source.help()))?;
        let read = Kubeconfig::read_from(path).map_err(|error| unreadable(path, &error).help(source.help()))?;
        merged = merged.merge(read).map_err(|_| {
            let message = format!("{} does not fit the kubeconfigs before it", path.display());
            ClusterError::new(ErrorKind::Kubeconfig, message).help(source.help())
        })?;
    }
    let context = source.context.clone().or_else(|| merged.current_context.clone());
    let mut config = if source.paths.is_empty() {
        of_pod(source)?
    } else if is_empty(&merged) {
        return Err(
            ClusterError::new(ErrorKind::Kubeconfig, format!("{} is empty", source.subject())).help(source.help())
        );
    } else {
        Box::pin(configuration(merged, source.context.clone(), &source.subject())).await.map_err(
            |wrong| match wrong {
                Wrong::Context(error) => error.help(source.help_for_context()),
                Wrong::Content(error) => error.help(source.help()),
            },
        )?
    };
    if source.act_as.is_some() {
        config.auth_info.impersonate.clone_from(&source.act_as);
        config.auth_info.impersonate_groups = Some(source.groups.clone()).filter(|groups| !groups.is_empty());
    }
    let context = context.filter(|name| !name.is_empty());
    let check = (!source.paths.is_empty()).then(|| by_kubectl(&source.paths, context.as_deref()));
    Ok(ClientConfig { config, context, check, fence: None })
}

/// Whether kubectl gets there by the same files. It reads several, and those that it would find, as carrier does.
fn by_kubectl(paths: &[PathBuf], context: Option<&str>) -> String {
    let path = if let [path] = paths { Some(path.as_path()) } else { None };
    format!("`{} version` works", kubectl(path, context))
}

/// The service account of this Pod, if it is what is meant. A context is never its name: whoever names one means a
/// cluster, and the Pod may run in another.
fn of_pod(source: &FileSource) -> Result<kube::Config, ClusterError> {
    let help = "name a kubeconfig with `--kubeconfig`, `$KUBECONFIG` or carrier.yaml";
    let no = |message: String| ClusterError::new(ErrorKind::Kubeconfig, message).help(help);
    match &source.context {
        Some(name) => Err(no(format!("there is no kubeconfig that could have the context `{}`", plain::line(name)))),
        None if source.in_cluster => {
            kube::Config::incluster().map_err(|_| no("there is no kubeconfig, and this is no Pod".to_owned()))
        }
        None => Err(no("there is no kubeconfig".to_owned())),
    }
}

/// Takes a kubeconfig that the user put in the environment variable `name`.
///
/// # Errors
/// When it is no kubeconfig.
pub(crate) async fn from_text(text: &str, name: &str) -> Result<ClientConfig, ClusterError> {
    let subject = format!("the kubeconfig in the environment variable {name}");
    let help = || format!("correct the environment variable {name}");
    let kubeconfig = parsed(text, &subject).map_err(|error| error.help(help()))?;
    let config =
        Box::pin(configuration(kubeconfig, None, &subject)).await.map_err(|wrong| wrong.error().help(help()))?;
    let check = Some(format!("`kubectl version` works with {subject}"));
    Ok(ClientConfig { config, context: None, check, fence: None })
}

/// Takes a kubeconfig that a provider put in a Secret; `named` is what errors call the Secret.
///
/// # Errors
/// When it is no kubeconfig, or wants what it may not have.
pub(crate) async fn from_secret(text: &str, loopback: Loopback, named: &str) -> Result<ClientConfig, ClusterError> {
    let subject = format!("the kubeconfig in {named}");
    let help = || format!("correct {named}");
    let kubeconfig = parsed(text, &subject).map_err(|error| error.help(help()))?;
    restrict(&kubeconfig, &subject)?;
    let config =
        Box::pin(configuration(kubeconfig, None, &subject)).await.map_err(|wrong| wrong.error().help(help()))?;
    let fence = match loopback {
        Loopback::Allowed => None,
        Loopback::Refused { own_api } => {
            let fence = Fence::new(subject.as_str(), own_api);
            judge(&fence, &config.cluster_url, &subject).await?;
            Some(Arc::new(fence))
        }
    };
    let check = Some(format!("`kubectl version` works with {subject}"));
    Ok(ClientConfig { config, context: None, check, fence })
}

/// Judges the address in a kubeconfig. A name is judged when a connection is made, by what it leads to then.
async fn judge(fence: &Fence, url: &http::Uri, subject: &str) -> Result<(), ClusterError> {
    let host = url.host().unwrap_or_default();
    fence.host(host).map_err(|refused| ClusterError::new(ErrorKind::UnsafeKubeconfig, refused.to_string()))?;
    if host.trim_matches(['[', ']']).parse::<IpAddr>().is_err() {
        return Ok(());
    }
    match fence.addresses(host, 443).await {
        Ok(_) => Ok(()),
        Err(error) => Err(match error.downcast_ref::<Refused>() {
            Some(refused) => ClusterError::new(ErrorKind::UnsafeKubeconfig, refused.to_string()),
            None => ClusterError::new(
                ErrorKind::Unreachable,
                format!("{subject} cannot be checked: the address of the cluster it is read in is not known"),
            ),
        }),
    }
}

/// The text of a value of a Secret, which is in base64; `None` where it is neither that nor text.
#[must_use]
pub(crate) fn decoded(value: &str) -> Option<String> {
    use base64::Engine as _;
    let bytes = base64::engine::general_purpose::STANDARD.decode(value).ok()?;
    String::from_utf8(bytes).ok()
}

/// What is wrong with a kubeconfig that can be read.
enum Wrong {
    /// The context.
    Context(ClusterError),
    /// Something else.
    Content(ClusterError),
}

impl Wrong {
    fn error(self) -> ClusterError {
        let (Self::Context(error) | Self::Content(error)) = self;
        error
    }
}

async fn configuration(kubeconfig: Kubeconfig, context: Option<String>, subject: &str) -> Result<kube::Config, Wrong> {
    let named = context.clone();
    let options = KubeConfigOptions { context, ..KubeConfigOptions::default() };
    kube::Config::from_custom_kubeconfig(kubeconfig, &options).await.map_err(|error| {
        use kube::config::KubeconfigError as E;
        let message = match (&error, named) {
            (E::LoadContext(_), Some(context)) => format!("{subject} has no context `{}`", plain::line(&context)),
            (E::LoadContext(_), None) => format!("{subject} has no context of the name in its `current-context`"),
            (E::CurrentContextNotSet, _) => format!("{subject} has no current context"),
            (E::LoadClusterOfContext(_), _) => format!("{subject} has no cluster for its context"),
            (E::MissingClusterUrl | E::ParseClusterUrl(_), _) => format!("{subject} has no address to go to"),
            (E::LoadCertificateAuthority(_) | E::ParseCertificates(_), _) => {
                format!("the certificate of the authority in {subject} cannot be read")
            }
            (E::LoadClientCertificate(_) | E::LoadClientKey(_), _) => {
                format!("the client certificate or key in {subject} cannot be read")
            }
            _ => format!("{subject} cannot be used"),
        };
        let said = ClusterError::new(ErrorKind::Kubeconfig, message);
        match error {
            E::LoadContext(_) | E::CurrentContextNotSet => Wrong::Context(said),
            _ => Wrong::Content(said),
        }
    })
}

fn is_empty(kubeconfig: &Kubeconfig) -> bool {
    kubeconfig.clusters.is_empty() && kubeconfig.contexts.is_empty() && kubeconfig.auth_infos.is_empty()
}

fn parsed(text: &str, subject: &str) -> Result<Kubeconfig, ClusterError> {
    let no = |what: &str| ClusterError::new(ErrorKind::Kubeconfig, format!("{subject} {what}"));
    if text.len() > MAX_BYTES {
        return Err(no("is too long for a kubeconfig"));
    }
    if text.trim().is_empty() {
        return Err(no("is empty"));
    }
    let kubeconfig = Kubeconfig::from_yaml(text).map_err(|error| no(&not_parsed(text, &error)))?;
    match kubeconfig.clusters.is_empty() {
        true => Err(no("is no kubeconfig: it has no clusters")),
        false => Ok(kubeconfig),
    }
}

/// The largest kubeconfig.
const LARGEST: u64 = 16 * 1024 * 1024;

/// Refuses what does not end, or keeps the reader waiting: devices, pipes with a name, and files that are no kubeconfig by
/// their size. A path in carrier.yaml may be anybody's. The pipe of a shell (`--kubeconfig <(…)`) is the caller's own.
fn readable(path: &Path) -> Result<(), ClusterError> {
    // What cannot be looked at is told of by whoever reads it.
    let Ok(metadata) = std::fs::metadata(path) else { return Ok(()) };
    let of_shell = path.starts_with("/dev/fd") || path.starts_with("/proc/self/fd");
    let problem = match metadata.is_file() {
        true if metadata.len() > LARGEST => "is longer than 16 MiB",
        false if !metadata.is_dir() && !of_shell => "is a device or a pipe, and not a file",
        _ => return Ok(()),
    };
    let name = plain::name(&path.to_string_lossy()).into_owned();
    Err(ClusterError::new(ErrorKind::Kubeconfig, format!("the kubeconfig {name} {problem}")))
}

fn unreadable(path: &Path, error: &kube::config::KubeconfigError) -> ClusterError {
    let what = match error {
        kube::config::KubeconfigError::ReadConfig(io, _) if io.kind() == std::io::ErrorKind::NotFound => {
            "does not exist".to_owned()
        }
        kube::config::KubeconfigError::ReadConfig(..) => "cannot be read".to_owned(),
        error => not_parsed(&std::fs::read_to_string(path).unwrap_or_default(), error),
    };
    let path = path.display().to_string();
    ClusterError::new(ErrorKind::Kubeconfig, format!("the kubeconfig {} {what}", plain::line(&path)))
}

/// Why a text is no kubeconfig, as the rest of a sentence. The parser's own words may quote a key, so they are not
/// shown, but its line is.
fn not_parsed(text: &str, error: &kube::config::KubeconfigError) -> String {
    if let Some(line) = wrong_mode(text) {
        return format!(
            "is no kubeconfig: `interactiveMode` of a credential plugin at line {line} is not `Never`, `IfAvailable` or \
             `Always`"
        );
    }
    let location = match error {
        kube::config::KubeconfigError::Parse(error) => error.location(),
        _ => None,
    };
    match location.map(|location| location.line()).filter(|line| *line > 0) {
        Some(line) => format!("is no kubeconfig: it cannot be understood at line {line}"),
        None => "is no kubeconfig".to_owned(),
    }
}

/// The line of the first `interactiveMode` that does not exist. The parser only says that the user is wrong.
fn wrong_mode(text: &str) -> Option<usize> {
    let documents = yaml::read(FileId(0), text, &mut Diagnostics::default());
    documents.iter().find_map(|document| {
        (0..).map_while(|n| document.root.pointer(&format!("/users/{n}"))).find_map(|user| {
            let mode = user.pointer("/user/exec/interactiveMode")?;
            let is_known = mode.as_str().is_some_and(|mode| matches!(mode, "Never" | "IfAvailable" | "Always"));
            let before = text.get(..mode.span.start as usize)?;
            (!is_known).then(|| before.matches('\n').count() + 1)
        })
    })
}

/// Refuses what makes the machine that reads a kubeconfig do something for its writer.
fn restrict(kubeconfig: &Kubeconfig, subject: &str) -> Result<(), ClusterError> {
    let mut wants: Vec<&str> = Vec::new();
    for user in kubeconfig.auth_infos.iter().filter_map(|u| u.auth_info.as_ref()) {
        for (is_there, what) in [
            (user.exec.is_some(), "to run a program (`exec`)"),
            (user.auth_provider.is_some(), "an `auth-provider`"),
            (user.token_file.is_some(), "to read a file (`tokenFile`)"),
            (user.client_certificate.is_some(), "to read a file (`client-certificate`)"),
            (user.client_key.is_some(), "to read a file (`client-key`)"),
            (user.impersonate.is_some(), "to act as somebody else (`as`)"),
            (user.impersonate_uid.is_some(), "to act as somebody else (`as-uid`)"),
            (user.impersonate_groups.is_some(), "to act as a member of a group (`as-groups`)"),
            (user.impersonate_user_extra.is_some(), "to act as somebody else (`as-user-extra`)"),
        ] {
            if is_there {
                wants.push(what);
            }
        }
    }
    for cluster in kubeconfig.clusters.iter().filter_map(|c| c.cluster.as_ref()) {
        if cluster.certificate_authority.is_some() {
            wants.push("to read a file (`certificate-authority`)");
        }
        if cluster.proxy_url.is_some() {
            wants.push("to go by a proxy (`proxy-url`)");
        }
        if cluster.insecure_skip_tls_verify == Some(true) {
            wants.push("to trust any server (`insecure-skip-tls-verify`)");
        }
        if cluster.server.as_ref().is_some_and(|s| !s.starts_with("https://")) {
            wants.push("to go without TLS");
        }
    }
    wants.dedup();
    match wants.is_empty() {
        true => Ok(()),
        false => {
            let message = format!("{subject} wants {}", wants.join(", "));
            Err(ClusterError::new(ErrorKind::UnsafeKubeconfig, message))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kubeconfig(cluster: &str, user: &str) -> String {
        format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: a\ncontexts:\n- name: a\n  context: {{cluster: a, user: a}}\n\
             clusters:\n- name: a\n  cluster: {{{cluster}}}\nusers:\n- name: a\n  user: {{{user}}}\n"
        )
    }

    fn wants(cluster: &str, user: &str) -> Option<String> {
        let kubeconfig = parsed(&kubeconfig(cluster, user), "it").expect("a kubeconfig");
        restrict(&kubeconfig, "it").err().map(|error| error.message.into_string())
    }

    #[test]
    fn a_providers_kubeconfig_may_not_reach_into_this_machine() {
        let server = "server: 'https://a.example.com'";
        assert_eq!(wants(server, "token: secret"), None);
        for (cluster, user, word) in [
            ("", "exec: {command: sh, apiVersion: v1}", "exec"),
            ("", "auth-provider: {name: gcp}", "auth-provider"),
            ("", "tokenFile: /var/run/secrets/token", "tokenFile"),
            ("", "client-certificate: a.crt", "client-certificate"),
            ("", "client-key: a.key", "client-key"),
            ("", "as: admin", "`as`"),
            ("", "as-uid: '0'", "`as-uid`"),
            ("", "as-groups: ['system:masters']", "`as-groups`"),
            ("", "as-user-extra: {scopes: [all]}", "`as-user-extra`"),
            (", certificate-authority: /etc/passwd", "", "certificate-authority"),
            (", proxy-url: 'http://proxy'", "", "proxy-url"),
            (", insecure-skip-tls-verify: true", "", "insecure-skip-tls-verify"),
        ] {
            let said = wants(&format!("{server}{cluster}"), user).expect(word);
            assert!(said.contains(word), "{said}");
        }
        assert!(wants("server: 'http://a.example.com'", "").is_some_and(|s| s.contains("without TLS")));
    }

    #[test]
    fn what_is_in_it_is_not_quoted() {
        let said = |text: &str| parsed(text, "it").expect_err("no kubeconfig").message;
        assert_eq!(said("token: hunter2\n  bad: ["), "it is no kubeconfig: it cannot be understood at line 2");
        assert_eq!(said("a: hunter2"), "it is no kubeconfig: it has no clusters");
        assert_eq!(said(" \n"), "it is empty");
    }

    #[test]
    fn a_mode_that_does_not_exist_is_named_with_its_line() {
        let text = kubeconfig("server: 'https://a'", "exec: {command: sh, apiVersion: v1, interactiveMode: Foo}");
        let said = parsed(&text, "it").expect_err("no mode").message;
        let expected = "it is no kubeconfig: `interactiveMode` of a credential plugin at line 12 is not `Never`, \
                        `IfAvailable` or `Always`";
        assert_eq!(said, expected);
    }

    #[tokio::test]
    async fn errors_name_the_kubeconfig_and_what_names_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("config");
        let (files_by, context_by) = ("`--kubeconfig`", "`--context`");
        let source = FileSource { paths: vec![path.clone()], files_by, context_by, ..FileSource::default() };
        let failed = async |text: Option<&str>, source: &FileSource| {
            text.inspect(|text| std::fs::write(&path, text).expect("written"));
            let error = from_files(source).await.expect_err("unusable");
            let message = error.message.replace(&path.display().to_string(), "PATH");
            (message, error.help.expect("help").into_string())
        };
        let good = kubeconfig("server: 'https://a'", "token: hunter2");
        let (said, help) = failed(None, &source).await;
        assert_eq!(said, "the kubeconfig PATH does not exist");
        assert_eq!(help, "correct `--kubeconfig`, or the file that it names");
        assert_eq!(failed(Some(""), &source).await.0, "the kubeconfig PATH is empty");
        let (said, help) = failed(Some(&good.replace("current-context: a\n", "")), &source).await;
        assert_eq!(said, "the kubeconfig PATH has no current context");
        assert!(help.starts_with("name a context with `--context`, or set `current-context`"), "{help}");
        let (said, _) = failed(Some("clusters:\n- 7\n"), &source).await;
        assert_eq!(said, "the kubeconfig PATH is no kubeconfig: it cannot be understood at line 2");
        let nope = FileSource { context: Some("nope".to_owned()), ..source };
        let (said, help) = failed(Some(&good), &nope).await;
        assert_eq!(said, "the kubeconfig PATH has no context `nope`");
        assert!(help.starts_with("correct `--context`: "), "{help}");

        let error = from_text("a: hunter2", "EUW").await.expect_err("no kubeconfig");
        assert_eq!(
            error.message,
            "the kubeconfig in the environment variable EUW is no kubeconfig: it has no clusters"
        );
        assert_eq!(error.help.as_deref(), Some("correct the environment variable EUW"));
        let error =
            from_secret("", Loopback::Refused { own_api: None }, "the Secret `a/b`").await.expect_err("no kubeconfig");
        assert_eq!(error.message, "the kubeconfig in the Secret `a/b` is empty");
        assert_eq!(error.help.as_deref(), Some("correct the Secret `a/b`"));
    }

    #[tokio::test]
    async fn a_context_is_never_the_pod_itself() {
        let said = async |source: FileSource| from_files(&source).await.expect_err("no kubeconfig");
        let prod = || Some("prod".to_owned());
        for in_cluster in [true, false] {
            let error = said(FileSource { context: prod(), in_cluster, ..FileSource::default() }).await;
            assert_eq!(error.message, "there is no kubeconfig that could have the context `prod`");
        }
        let error = said(FileSource::default()).await;
        assert_eq!(error.message, "there is no kubeconfig", "the Pod's own account is for the management cluster only");
        let error = said(FileSource { in_cluster: true, ..FileSource::default() }).await;
        assert_eq!(error.message, "there is no kubeconfig, and this is no Pod");
    }

    /// It does not end: reading it would take all memory of the machine.
    #[tokio::test]
    async fn a_device_is_no_kubeconfig() {
        let source = FileSource { paths: vec!["/dev/zero".into()], ..FileSource::default() };
        let error = from_files(&source).await.expect_err("it is no file");
        assert_eq!(error.message, "the kubeconfig /dev/zero is a device or a pipe, and not a file");
    }

    #[tokio::test]
    async fn what_a_kubeconfig_of_a_secret_points_at_is_judged_where_it_can_be_without_a_connection() {
        let said = async |host: &str, own_api: Option<&str>| {
            let text = kubeconfig(&format!("server: 'https://{host}'"), "token: hunter2");
            let loopback = Loopback::Refused { own_api: own_api.map(str::to_owned) };
            from_secret(&text, loopback, "it").await.err().map(|error| (error.kind, error.message.into_string()))
        };
        let refused = |place: &str| {
            let message = format!("the kubeconfig in it points at {place}");
            Some((ErrorKind::UnsafeKubeconfig, message))
        };
        assert_eq!(said("127.0.0.1:6443", None).await, refused("this machine or its link"));
        assert_eq!(said("[::ffff:127.0.0.1]", None).await, refused("this machine or its link"));
        assert_eq!(said("localhost:6443", None).await, refused("this machine"));
        assert_eq!(said("kubernetes.default.svc", None).await, refused("the cluster it is read in"));
        assert_eq!(said("10.96.0.1", Some("10.96.0.1")).await, refused("the cluster it is read in"));
        assert_eq!(said("10.96.0.2", Some("10.96.0.1")).await, None);
        assert_eq!(
            said("10.96.0.2", Some("unknown.invalid")).await.map(|(kind, _)| kind),
            Some(ErrorKind::Unreachable)
        );
        assert_eq!(said("unknown.invalid", None).await, None, "a name is judged by what a connection finds");
    }
}
