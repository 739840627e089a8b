//! Who we are in a cluster at the moment: a kube client with credentials that still count.
//!
//! kube runs a credential plugin by itself, three times for each client, on the thread that builds it and
//! without a deadline. So a plugin's credentials are had here ([`Plugin`]), and kube gets what came out.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use kube::Config;
use secrecy::ExposeSecret as _;
use tokio::sync::Mutex;

use crate::cluster::error::{ClusterError, ErrorKind};
use crate::cluster::plugin::{Credential, Plugin};

/// A client, and the credentials of a plugin where there is one.
pub(super) struct Session {
    client: kube::Client,
    authorization: Option<HeaderValue>,
    credential: Option<Arc<Credential>>,
}

impl Session {
    /// The client.
    pub(super) fn client(&self) -> &kube::Client {
        &self.client
    }

    /// The header with the token of a plugin.
    pub(super) fn authorization(&self) -> Option<&HeaderValue> {
        self.authorization.as_ref()
    }

    /// Whether there may be other credentials than those that the server refused.
    pub(super) fn is_renewable(&self) -> bool {
        self.credential.is_some()
    }
}

/// The sessions of one cluster, one after the other.
pub(super) struct Sessions {
    config: Config,
    plugin: Option<Arc<Plugin>>,
    current: Mutex<Option<Arc<Session>>>,
}

impl Sessions {
    /// Nothing is sent or run yet.
    ///
    /// # Errors
    /// When certificates or keys cannot be used.
    pub(super) fn new(mut config: Config) -> Result<Self, ClusterError> {
        let auth = &mut config.auth_info;
        // As kube and kubectl do: what stands in the kubeconfig goes before what a plugin says.
        let has_own = auth.auth_provider.is_some()
            || (auth.username.is_some() && auth.password.is_some())
            || auth.token.is_some()
            || auth.token_file.is_some();
        let plugin = auth.exec.take().filter(|_| !has_own).map(|exec| Plugin::of(&exec));
        Self::ready(config, plugin)
    }

    /// Sessions of a cluster that is never asked.
    #[cfg(test)]
    pub(super) fn unconnected() -> Self {
        let config = Config::new(http::Uri::from_static("https://192.0.2.1"));
        Self { config, plugin: None, current: Mutex::new(None) }
    }

    /// The same sessions with clients of their own.
    ///
    /// # Errors
    /// When certificates or keys cannot be used.
    pub(super) fn afresh(&self) -> Result<Self, ClusterError> {
        Self::ready(self.config.clone(), self.plugin.clone())
    }

    fn ready(config: Config, plugin: Option<Arc<Plugin>>) -> Result<Self, ClusterError> {
        // An auth-provider may run a program too: its client is built when it is needed, off this thread.
        let auth = &config.auth_info;
        let ready = match plugin.is_none() && auth.auth_provider.is_none() {
            true => Some(Arc::new(Session { client: build(config.clone())?, authorization: None, credential: None })),
            false => None,
        };
        Ok(Self { config, plugin, current: Mutex::new(ready) })
    }

    /// A session whose credentials have not expired.
    ///
    /// # Errors
    /// When the plugin fails, or says what cannot be used.
    pub(super) async fn current(&self) -> Result<Arc<Session>, ClusterError> {
        let mut current = self.current.lock().await;
        let expired = match current.as_ref().map(|session| (session, &session.credential)) {
            Some((session, None)) => return Ok(Arc::clone(session)),
            Some((session, Some(credential))) if !credential.is_expiring() => return Ok(Arc::clone(session)),
            Some((_, Some(credential))) => Some(Arc::clone(credential)),
            None => None,
        };
        let session = self.begin(current.as_ref(), expired.as_ref()).await?;
        Ok(Arc::clone(current.insert(session)))
    }

    /// A session with other credentials than `refused`, which the server does not accept.
    ///
    /// # Errors
    /// When the plugin fails, or says what cannot be used.
    pub(super) async fn renew(&self, refused: &Arc<Session>) -> Result<Arc<Session>, ClusterError> {
        let mut current = self.current.lock().await;
        if let Some(session) = current.as_ref().filter(|session| !Arc::ptr_eq(session, refused)) {
            return Ok(Arc::clone(session));
        }
        let session = self.begin(current.as_ref(), refused.credential.as_ref()).await?;
        Ok(Arc::clone(current.insert(session)))
    }

    /// A session after `last`, with other credentials than `used_up`.
    async fn begin(
        &self,
        last: Option<&Arc<Session>>,
        used_up: Option<&Arc<Credential>>,
    ) -> Result<Arc<Session>, ClusterError> {
        let Some(plugin) = &self.plugin else {
            let config = self.config.clone();
            let client = tokio::task::spawn_blocking(move || build(config)).await;
            let client = client.unwrap_or_else(|_| Err(unusable()))?;
            return Ok(Arc::new(Session { client, authorization: None, credential: None }));
        };
        let credential = plugin.credential(used_up).await?;
        let authorization = credential.token().map(|token| {
            let mut value =
                HeaderValue::try_from(format!("Bearer {}", token.expose_secret())).map_err(|_| unusable())?;
            value.set_sensitive(true);
            Ok::<_, ClusterError>(value)
        });
        let client = match (credential.identity(), last) {
            // Connections outlive a token.
            (None, Some(last)) => last.client.clone(),
            (None, None) => build(self.config.clone())?,
            (Some((certificate, key)), _) => {
                let mut config = self.config.clone();
                config.auth_info.client_certificate_data = Some(STANDARD.encode(certificate));
                config.auth_info.client_key_data = Some(STANDARD.encode(key.expose_secret()).into());
                build(config)?
            }
        };
        Ok(Arc::new(Session { client, authorization: authorization.transpose()?, credential: Some(credential) }))
    }
}

fn build(config: Config) -> Result<kube::Client, ClusterError> {
    kube::Client::try_from(config).map_err(|error| match ClusterError::from(error) {
        error if error.kind == ErrorKind::Unreachable => unusable(),
        error => error,
    })
}

fn unusable() -> ClusterError {
    ClusterError::new(ErrorKind::Kubeconfig, "the certificates or keys of the kubeconfig cannot be used")
}
