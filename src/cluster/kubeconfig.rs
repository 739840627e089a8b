//! From a kubeconfig to a connection's configuration.
//!
//! A kubeconfig that the user named is trusted as kubectl trusts it. One that
//! comes out of a Secret is a provider's (`DESIGN.md` §9): it may not run programs,
//! read files or act as somebody else, and may not point at this machine.
//! What a kubeconfig says is never quoted in an error.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use kube::config::{KubeConfigOptions, Kubeconfig};

use super::error::{ClusterError, ErrorKind};

/// The largest kubeconfig in bytes: it holds some certificates.
const MAX_BYTES: usize = 1024 * 1024;

/// The configuration of a client: the address of a cluster, and who we are there.
#[derive(Debug, Clone)]
pub struct ClientConfig {
    pub(super) config: kube::Config,
    /// The name of the context; `None` where there is no kubeconfig, or the user did not write it.
    pub(super) context: Option<String>,
}

/// Where a trusted kubeconfig comes from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileSource {
    /// The files, of which the first that sets a value wins. Empty means the service account of this Pod.
    pub paths: Vec<PathBuf>,
    /// The context; absent, the current one.
    pub context: Option<String>,
    /// Act as this user.
    pub act_as: Option<String>,
    /// And as a member of these groups.
    pub groups: Vec<String>,
}

/// Whether a kubeconfig that is not trusted may point at this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Loopback {
    /// It may not: that would be the management cluster's own network.
    Refused,
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
        let read = Kubeconfig::read_from(path).map_err(|error| unreadable(path, &error))?;
        merged = merged.merge(read).map_err(|_| {
            ClusterError::new(
                ErrorKind::Kubeconfig,
                format!("{} does not fit the kubeconfigs before it", path.display()),
            )
        })?;
    }
    let context = source.context.clone().or_else(|| merged.current_context.clone());
    let mut config = if source.paths.is_empty() {
        kube::Config::incluster()
            .map_err(|_| ClusterError::new(ErrorKind::Kubeconfig, "there is no kubeconfig, and this is no Pod"))?
    } else {
        configuration(merged, source.context.clone()).await?
    };
    if source.act_as.is_some() {
        config.auth_info.impersonate.clone_from(&source.act_as);
        config.auth_info.impersonate_groups = Some(source.groups.clone()).filter(|groups| !groups.is_empty());
    }
    Ok(ClientConfig { config, context: context.filter(|name| !name.is_empty()) })
}

/// Takes a kubeconfig that the user put in an environment variable.
///
/// # Errors
/// When it is no kubeconfig.
pub(crate) async fn from_text(text: &str) -> Result<ClientConfig, ClusterError> {
    configuration(parsed(text)?, None).await.map(|config| ClientConfig { config, context: None })
}

/// Takes a kubeconfig that a provider put in a Secret.
///
/// # Errors
/// When it is no kubeconfig, or wants what it may not have.
pub(crate) async fn from_secret(text: &str, loopback: Loopback) -> Result<ClientConfig, ClusterError> {
    let kubeconfig = parsed(text)?;
    restrict(&kubeconfig)?;
    let config = configuration(kubeconfig, None).await?;
    if loopback == Loopback::Refused {
        refuse_loopback(&config.cluster_url).await?;
    }
    Ok(ClientConfig { config, context: None })
}

/// The text of a value of a Secret, which is in base64; `None` where it is neither that nor text.
#[must_use]
pub(crate) fn decoded(value: &str) -> Option<String> {
    use base64::Engine as _;
    let bytes = base64::engine::general_purpose::STANDARD.decode(value).ok()?;
    String::from_utf8(bytes).ok()
}

async fn configuration(kubeconfig: Kubeconfig, context: Option<String>) -> Result<kube::Config, ClusterError> {
    let named = context.clone();
    let options = KubeConfigOptions { context, ..KubeConfigOptions::default() };
    kube::Config::from_custom_kubeconfig(kubeconfig, &options).await.map_err(|error| {
        use kube::config::KubeconfigError as E;
        let message = match (&error, named) {
            (E::LoadContext(_), Some(context)) => format!("the kubeconfig has no context `{context}`"),
            (E::CurrentContextNotSet | E::LoadContext(_), _) => "the kubeconfig has no current context".to_owned(),
            (E::LoadClusterOfContext(_), _) => "the kubeconfig has no cluster for its context".to_owned(),
            (E::MissingClusterUrl | E::ParseClusterUrl(_), _) => "the kubeconfig has no address to go to".to_owned(),
            (E::LoadCertificateAuthority(_) | E::ParseCertificates(_), _) => {
                "the kubeconfig's certificate of the authority cannot be read".to_owned()
            }
            _ => "the kubeconfig cannot be used".to_owned(),
        };
        ClusterError::new(ErrorKind::Kubeconfig, message)
    })
}

fn parsed(text: &str) -> Result<Kubeconfig, ClusterError> {
    let no = |what: &str| ClusterError::new(ErrorKind::Kubeconfig, what);
    if text.len() > MAX_BYTES {
        return Err(no("this is too long for a kubeconfig"));
    }
    // The parser's words may quote a key.
    let kubeconfig = Kubeconfig::from_yaml(text).map_err(|_| no("this is no kubeconfig"))?;
    if kubeconfig.clusters.is_empty() { Err(no("this is no kubeconfig: it has no clusters")) } else { Ok(kubeconfig) }
}

fn unreadable(path: &Path, error: &kube::config::KubeconfigError) -> ClusterError {
    let what = match error {
        kube::config::KubeconfigError::ReadConfig(io, _) if io.kind() == std::io::ErrorKind::NotFound => {
            "does not exist"
        }
        kube::config::KubeconfigError::ReadConfig(..) => "cannot be read",
        _ => "is no kubeconfig",
    };
    ClusterError::new(ErrorKind::Kubeconfig, format!("the kubeconfig {} {what}", path.display()))
}

/// Refuses what makes the machine that reads a kubeconfig do something for its writer.
fn restrict(kubeconfig: &Kubeconfig) -> Result<(), ClusterError> {
    let mut wants: Vec<&str> = Vec::new();
    for user in kubeconfig.auth_infos.iter().filter_map(|u| u.auth_info.as_ref()) {
        for (is_there, what) in [
            (user.exec.is_some(), "to run a program (`exec`)"),
            (user.auth_provider.is_some(), "an `auth-provider`"),
            (user.token_file.is_some(), "to read a file (`tokenFile`)"),
            (user.client_certificate.is_some(), "to read a file (`client-certificate`)"),
            (user.client_key.is_some(), "to read a file (`client-key`)"),
            (user.impersonate.is_some() || user.impersonate_groups.is_some(), "to act as somebody else (`as`)"),
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
            let message = format!("the kubeconfig in the Secret wants {}", wants.join(", "));
            Err(ClusterError::new(ErrorKind::UnsafeKubeconfig, message))
        }
    }
}

/// Refuses an address that leads to this machine or its network's own services.
async fn refuse_loopback(url: &http::Uri) -> Result<(), ClusterError> {
    let host = url.host().unwrap_or_default().trim_matches(['[', ']']).trim_end_matches('.').to_ascii_lowercase();
    let refused = |what: &str| {
        Err(ClusterError::new(ErrorKind::UnsafeKubeconfig, format!("the kubeconfig in the Secret points at {what}")))
    };
    if host == "localhost" || host.ends_with(".localhost") {
        return refused("this machine");
    }
    if host == "kubernetes" || host.starts_with("kubernetes.default") {
        return refused("the cluster it is read in");
    }
    let addresses: Vec<IpAddr> = match host.parse() {
        Ok(address) => vec![address],
        // A name that is unknown now is an error of the connection, not of this check.
        Err(_) => tokio::net::lookup_host((host.as_str(), 443))
            .await
            .map_or_else(|_| Vec::new(), |found| found.map(|a| a.ip()).collect()),
    };
    match addresses.iter().any(|address| is_local(*address)) {
        true => refused("this machine or its link"),
        false => Ok(()),
    }
}

fn is_local(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.is_loopback() || v4.is_unspecified() || v4.is_link_local() || v4.is_broadcast(),
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unspecified() || v6.is_unicast_link_local(),
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
        let kubeconfig = parsed(&kubeconfig(cluster, user)).expect("a kubeconfig");
        restrict(&kubeconfig).err().map(|error| error.message)
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
        let error = parsed("token: hunter2\n  bad: [").expect_err("no YAML");
        assert_eq!(error.message, "this is no kubeconfig");
        assert!(parsed("a: hunter2").expect_err("no clusters").message.contains("no clusters"));
    }

    #[test]
    fn local_addresses_are_known_in_every_spelling() {
        for local in ["127.0.0.1", "127.8.8.8", "0.0.0.0", "::1", "::ffff:127.0.0.1", "169.254.169.254", "fe80::1"] {
            assert!(is_local(local.parse().expect("an address")), "{local}");
        }
        assert!(!is_local("10.0.0.1".parse().expect("an address")), "private networks are where clusters are");
    }
}
