//! Who we are in a cluster at the moment: a kube client with credentials that still count.
//!
//! kube runs a credential plugin by itself, three times for each client, on the thread that builds it and
//! without a deadline. So a plugin's credentials are had here ([`Plugin`]), and kube gets what came out.
//! That does not count against the deadline of a request: a plugin has limits of its own. A file with a token is read
//! here too, since kube takes the line break at its end for a part of the token.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use k8s_openapi::jiff::Timestamp;
use kube::Config;
use secrecy::ExposeSecret as _;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

use super::transport::Transport;
use crate::cluster::error::{ClusterError, ErrorKind, in_words};
use crate::cluster::plugin::{Credential, Plugin, PluginLimits};
use crate::model::plain;

/// How long the token of a file is used before the file is read again.
const READ_AGAIN: Duration = Duration::from_mins(1);

/// A client, and the credentials of a plugin where there is one.
pub(super) struct Session {
    client: kube::Client,
    authorization: Option<HeaderValue>,
    credential: Option<Arc<Credential>>,
    /// When the file with the token is read again; absent where there is none.
    read_again: Option<Instant>,
}

impl Session {
    /// One whose client knows its credentials.
    fn fixed(client: kube::Client) -> Self {
        Self { client, authorization: None, credential: None, read_again: None }
    }

    /// The client.
    pub(super) fn client(&self) -> &kube::Client {
        &self.client
    }

    /// The header with the token of a plugin or a file.
    pub(super) fn authorization(&self) -> Option<&HeaderValue> {
        self.authorization.as_ref()
    }

    fn is_expiring(&self) -> bool {
        self.credential.as_ref().is_some_and(|credential| credential.is_expiring(Timestamp::now()))
            || self.read_again.is_some_and(|at| Instant::now() >= at)
    }

    /// Whether there may be other credentials than those that the server refused.
    pub(super) fn is_renewable(&self) -> bool {
        self.credential.is_some()
    }
}

/// The sessions of one cluster, one after the other.
pub(super) struct Sessions {
    config: Config,
    /// Where it may lead; absent where the kubeconfig is trusted.
    transport: Transport,
    plugin: Option<Arc<Plugin>>,
    /// A file with a token.
    token_file: Option<PathBuf>,
    current: Mutex<Option<Arc<Session>>>,
}

impl Sessions {
    /// Nothing is sent or run yet.
    ///
    /// # Errors
    /// When certificates or keys cannot be used.
    pub(super) fn new(mut config: Config, transport: Transport) -> Result<Self, ClusterError> {
        let auth = &mut config.auth_info;
        // As kube and kubectl do: what stands in the kubeconfig goes before what a plugin says.
        let before_a_file = auth.auth_provider.is_some()
            || auth.token.is_some()
            || (auth.username.is_some() && auth.password.is_some());
        let has_own = before_a_file || auth.token_file.is_some();
        let plugin = auth.exec.take().filter(|_| !has_own).map(|exec| Plugin::of(&exec));
        let token_file = auth.token_file.take().filter(|_| !before_a_file).map(PathBuf::from);
        Self::ready(config, transport, plugin, token_file)
    }

    /// Sessions of a cluster that is never asked.
    #[cfg(test)]
    pub(super) fn unconnected() -> Self {
        let config = Config::new(http::Uri::from_static("https://192.0.2.1"));
        let transport = Transport { fence: None, idle: Duration::ZERO };
        Self { config, transport, plugin: None, token_file: None, current: Mutex::new(None) }
    }

    /// The same sessions with clients of their own.
    ///
    /// # Errors
    /// When certificates or keys cannot be used.
    pub(super) fn afresh(&self) -> Result<Self, ClusterError> {
        Self::ready(self.config.clone(), self.transport.clone(), self.plugin.clone(), self.token_file.clone())
    }

    fn ready(
        config: Config,
        transport: Transport,
        plugin: Option<Arc<Plugin>>,
        token_file: Option<PathBuf>,
    ) -> Result<Self, ClusterError> {
        // An auth-provider may run a program too: its client is built when it is needed, off this thread.
        let ready = match plugin.is_none() && token_file.is_none() && config.auth_info.auth_provider.is_none() {
            true => Some(Arc::new(Session::fixed(build(&config, &transport)?))),
            false => None,
        };
        Ok(Self { config, transport, plugin, token_file, current: Mutex::new(ready) })
    }

    /// A session whose credentials have not expired.
    ///
    /// # Errors
    /// When the plugin fails, or says what cannot be used.
    pub(super) async fn current(&self, limits: &PluginLimits) -> Result<Arc<Session>, ClusterError> {
        let mut current = self.current.lock().await;
        let used_up = match (&*current, &self.plugin, &self.token_file) {
            (Some(session), ..) if !session.is_expiring() => return Ok(Arc::clone(session)),
            (session, Some(_), _) => session.as_ref().and_then(|session| session.credential.clone()),
            (session, None, Some(path)) => {
                let session = Arc::new(self.with_token_in(path, session.as_deref())?);
                return Ok(Arc::clone(current.insert(session)));
            }
            (_, None, None) => {
                let session = Arc::new(self.of_auth_provider(limits).await?);
                return Ok(Arc::clone(current.insert(session)));
            }
        };
        drop(current);
        self.begin(used_up.as_ref(), limits).await
    }

    /// A session with other credentials than `refused`, which the server does not accept.
    ///
    /// # Errors
    /// When the plugin fails, or says what cannot be used.
    pub(super) async fn renew(
        &self,
        refused: &Arc<Session>,
        limits: &PluginLimits,
    ) -> Result<Arc<Session>, ClusterError> {
        let current = self.current.lock().await;
        if let Some(session) = current.as_ref().filter(|session| !Arc::ptr_eq(session, refused)) {
            return Ok(Arc::clone(session));
        }
        drop(current);
        self.begin(refused.credential.as_ref(), limits).await
    }

    /// The program of the plugin whose credentials are used, for people.
    pub(super) fn plugin(&self) -> Option<Cow<'_, str>> {
        self.plugin.as_ref().map(|plugin| plain::line(plugin.program()))
    }

    /// A session with the token in a file. As kubectl does: a line break at its end is no part of it, it is read again
    /// after a minute, and while it cannot be read the last token goes on to be used.
    fn with_token_in(&self, path: &Path, last: Option<&Session>) -> Result<Session, ClusterError> {
        let unusable = |what: String| {
            let help = "correct `tokenFile` of the user in the kubeconfig, or the file that it names";
            let message = format!("the token file that the kubeconfig names {what}");
            ClusterError::new(ErrorKind::Kubeconfig, message).help(help)
        };
        let authorization = match (std::fs::read_to_string(path), last) {
            (Ok(token), _) => Some(bearer(token.trim()).ok_or_else(|| unusable("has no token in it".to_owned()))?),
            (Err(_), Some(last)) => last.authorization.clone(),
            (Err(error), None) => return Err(unusable(format!("cannot be read: {error}"))),
        };
        let client = last.map_or_else(|| build(&self.config, &self.transport), |last| Ok(last.client.clone()))?;
        Ok(Session { client, authorization, credential: None, read_again: Some(Instant::now() + READ_AGAIN) })
    }

    /// The session of an auth-provider. Its program cannot be ended, so it is only no longer waited for.
    async fn of_auth_provider(&self, limits: &PluginLimits) -> Result<Session, ClusterError> {
        let (config, transport) = (self.config.clone(), self.transport.clone());
        let client = timeout(limits.alone, tokio::task::spawn_blocking(move || build(&config, &transport))).await;
        let late = |_| {
            let message = format!("the auth-provider of the kubeconfig did not end within {}", in_words(limits.alone));
            ClusterError::new(ErrorKind::Kubeconfig, message)
        };
        let client = client.map_err(late)?.unwrap_or_else(|_| Err(unusable()))?;
        Ok(Session::fixed(client))
    }

    /// A session with other credentials of the plugin than `used_up`. Nobody is kept waiting by a lock while it runs:
    /// who has a deadline may drop this future, and the others still wait for the same run.
    async fn begin(
        &self,
        used_up: Option<&Arc<Credential>>,
        limits: &PluginLimits,
    ) -> Result<Arc<Session>, ClusterError> {
        let plugin = self.plugin.as_ref().ok_or_else(unusable)?;
        let credential = plugin.credential(used_up, limits).await?;
        let mut current = self.current.lock().await;
        let same = |session: &&Arc<Session>| session.credential.as_ref().is_some_and(|c| Arc::ptr_eq(c, &credential));
        if let Some(session) = current.as_ref().filter(same) {
            return Ok(Arc::clone(session));
        }
        let authorization = credential.token().map(|token| {
            let value = bearer(token.expose_secret());
            value.ok_or_else(|| plugin.unusable("its `status.token` does not fit into a header"))
        });
        let client = match (credential.identity(), &*current) {
            // Connections outlive a token.
            (None, Some(last)) => last.client.clone(),
            (None, None) => build(&self.config, &self.transport)?,
            (Some((certificate, key)), _) => {
                let mut config = self.config.clone();
                config.auth_info.client_certificate_data = Some(STANDARD.encode(certificate));
                config.auth_info.client_key_data = Some(STANDARD.encode(key.expose_secret()).into());
                build(&config, &self.transport)
                    .map_err(|_| plugin.unusable("its client certificate or key cannot be used"))?
            }
        };
        let (authorization, credential) = (authorization.transpose()?, Some(credential));
        let session = Session { client, authorization, credential, read_again: None };
        Ok(Arc::clone(current.insert(Arc::new(session))))
    }
}

/// The header with a token; `None` where there is none, or it does not fit into one.
fn bearer(token: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::try_from(format!("Bearer {token}")).ok().filter(|_| !token.is_empty())?;
    value.set_sensitive(true);
    Some(value)
}

fn build(config: &Config, transport: &Transport) -> Result<kube::Client, ClusterError> {
    transport.client(config).map_err(|error| match ClusterError::from(error) {
        error if error.kind == ErrorKind::Unreachable => unusable(),
        error => error,
    })
}

fn unusable() -> ClusterError {
    ClusterError::new(ErrorKind::Kubeconfig, "the certificates or keys of the kubeconfig cannot be used")
}
