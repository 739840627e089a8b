//! The HTTP client of a cluster. With a kubeconfig that is not trusted, the addresses that it connects to are judged by a
//! [`Fence`].
//!
//! kube's own client looks names up in a connector that cannot be replaced, and keeps each connection that a burst needed
//! until the server ends it. So kube's layers are put together here around another connector and pool. A proxy from the environment gets an address that was judged instead of the name: it would look
//! the name up again, and nobody would judge what it finds.

use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use std::vec::IntoIter;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures::future::{BoxFuture, poll_fn};
use http::{HeaderValue, Uri};
use hyper::rt::{Read, Write};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::dns::Name;
use hyper_util::client::legacy::connect::proxy::{SocksV5, Tunnel};
use hyper_util::client::legacy::connect::{Connection, HttpConnector};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use kube::Config;
use kube::client::{Body, ClientBuilder, ConfigExt as _};
use percent_encoding::percent_decode_str;
use tower::{Service, ServiceBuilder};
use tower_http::decompression::DecompressionLayer;

use crate::cluster::fence::Fence;

type BoxError = Box<dyn Error + Send + Sync>;

/// How a client connects.
#[derive(Debug, Clone)]
pub(super) struct Transport {
    /// Where it may connect to, if the kubeconfig is not trusted.
    pub fence: Option<Arc<Fence>>,
    /// How long a connection is kept that nobody uses.
    pub idle: Duration,
}

impl Transport {
    /// The client of a kubeconfig.
    ///
    /// # Errors
    /// When certificates, keys or the proxy cannot be used.
    pub(super) fn client(&self, config: &Config) -> Result<kube::Client, kube::Error> {
        match (config.proxy_url.clone(), &self.fence) {
            (None, None) => over(timed(HttpConnector::new(), config), config, self.idle),
            (None, Some(fence)) => {
                let connector = HttpConnector::new_with_resolver(Resolver(Arc::clone(fence)));
                over(timed(connector, config), config, self.idle)
            }
            (Some(_), None) => kube::Client::try_from(config.clone()),
            (Some(proxy), Some(fence)) => by_proxy(proxy, fence, config, self.idle),
        }
    }
}

/// A client that has a proxy connect to addresses that were judged.
fn by_proxy(proxy: Uri, fence: &Arc<Fence>, config: &Config, idle: Duration) -> Result<kube::Client, kube::Error> {
    // Whoever runs this process has chosen the proxy.
    let to_proxy = timed(HttpConnector::new(), config);
    let fence = Arc::clone(fence);
    match proxy.scheme_str() {
        Some("http") => over(Addressed { inner: tunnel(proxy, to_proxy), fence }, config, idle),
        Some("https") => {
            let to_proxy = config.rustls_https_connector_with_connector(to_proxy)?;
            over(Addressed { inner: tunnel(proxy, to_proxy), fence }, config, idle)
        }
        Some("socks5") => over(Addressed { inner: SocksV5::new(proxy, to_proxy), fence }, config, idle),
        _ => Err(kube::Error::ProxyProtocolUnsupported { proxy_url: Box::new(proxy) }),
    }
}

/// A connector that TLS may be put around, and that does not wait for ever.
fn timed<R>(mut connector: HttpConnector<R>, config: &Config) -> HttpConnector<R> {
    connector.enforce_http(false);
    connector.set_connect_timeout(config.connect_timeout);
    connector
}

/// kube's client over another connector. Its own retries are left out, as everywhere.
fn over<C>(connector: C, config: &Config, idle: Duration) -> Result<kube::Client, kube::Error>
where
    C: Service<Uri> + Clone + Send + Sync + 'static,
    C::Response: Connection + Read + Write + Send + Unpin + 'static,
    C::Future: Send + 'static,
    C::Error: Into<BoxError>,
{
    let https = config.rustls_https_connector_with_connector(connector)?;
    let mut pool = Client::builder(TokioExecutor::new());
    // Without a timer a connection is found to be old only when it is wanted again.
    pool.pool_timer(TokioTimer::new()).pool_idle_timeout(idle);
    let service = ServiceBuilder::new()
        .layer(config.base_uri_layer())
        .layer(DecompressionLayer::new().gzip(!config.disable_compression))
        .option_layer(config.auth_layer()?)
        .layer(config.extra_headers_layer()?)
        .map_err(BoxError::from)
        .service(pool.build::<_, Body>(https));
    Ok(ClientBuilder::new(service, config.default_namespace.clone()).build())
}

/// The tunnel through a proxy, with the user and password in its address.
fn tunnel<C>(proxy: Uri, to_proxy: C) -> Tunnel<C> {
    let user = proxy.authority().and_then(|authority| authority.as_str().rsplit_once('@'));
    let header = user.and_then(|(user, _)| {
        let user: Vec<u8> = percent_decode_str(user).collect();
        HeaderValue::try_from(format!("Basic {}", STANDARD.encode(user))).ok()
    });
    let tunnel = Tunnel::new(proxy, to_proxy);
    match header {
        Some(header) => tunnel.with_auth(header),
        None => tunnel,
    }
}

/// Looks names up for a connector, which then connects to one of the addresses.
#[derive(Clone)]
struct Resolver(Arc<Fence>);

impl Service<Name> for Resolver {
    type Response = IntoIter<SocketAddr>;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let fence = Arc::clone(&self.0);
        // The connector replaces the port.
        Box::pin(async move { Ok(fence.addresses(name.as_str(), 0).await?.into_iter()) })
    }
}

/// A connector by a proxy that is told addresses instead of names.
#[derive(Clone)]
struct Addressed<C> {
    inner: C,
    fence: Arc<Fence>,
}

impl<C> Service<Uri> for Addressed<C>
where
    C: Service<Uri> + Clone + Send + 'static,
    C::Response: Send,
    C::Future: Send,
    C::Error: Into<BoxError> + Send,
{
    type Response = C::Response;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let (mut inner, fence) = (self.inner.clone(), Arc::clone(&self.fence));
        Box::pin(async move {
            let mut failed = BoxError::from("the host has no address");
            for address in fence.addresses(uri.host().unwrap_or_default(), uri.port_u16().unwrap_or(443)).await? {
                poll_fn(|context| inner.poll_ready(context)).await.map_err(Into::into)?;
                match inner.call(at(&uri, address)?).await {
                    Ok(connected) => return Ok(connected),
                    Err(error) => failed = error.into(),
                }
            }
            Err(failed)
        })
    }
}

/// The same place by its address.
fn at(uri: &Uri, address: SocketAddr) -> Result<Uri, http::Error> {
    let scheme = uri.scheme_str().unwrap_or("https");
    Uri::builder().scheme(scheme).authority(address.to_string()).path_and_query("/").build()
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener as StdListener;

    use tokio::io::AsyncReadExt as _;
    use tokio::net::TcpListener;

    use crate::cluster::kubeconfig::{ClientConfig, Loopback, from_secret};
    use crate::cluster::{ApiRequest, Cluster, ClusterError, ErrorKind, Limits};
    use crate::model::cluster::Target;

    /// A kubeconfig of a Secret that leads to this host.
    async fn leading_to(host: &str) -> ClientConfig {
        let text = format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: a\ncontexts: [{{name: a, context: {{cluster: a, user: a}}}}]\n\
             clusters: [{{name: a, cluster: {{server: 'https://{host}', tls-server-name: a.example.com}}}}]\nusers: [{{name: a, user: {{token: t}}}}]\n"
        );
        let loopback = Loopback::Refused { own_api: None };
        let mut config = from_secret(&text, loopback, "the Secret").await.expect("nothing is known yet");
        config.config.proxy_url = None;
        config
    }

    async fn asked(config: ClientConfig) -> ClusterError {
        let cluster = Cluster::new(Target::Management, config, Limits::default()).expect("a client");
        cluster.call(&ApiRequest::version()).await.expect_err("nothing answers")
    }

    const REFUSED: &str = "the kubeconfig in the Secret points at this machine or its link";

    /// The name is known to every resolver, as 127.0.0.1, and is no address for whoever does not ask one.
    #[tokio::test]
    async fn a_name_that_leads_to_this_machine_is_not_connected_to() {
        let listener = StdListener::bind("127.0.0.1:0").expect("a port");
        listener.set_nonblocking(true).expect("it can");
        let port = listener.local_addr().expect("an address").port();
        let error = asked(leading_to(&format!("0x7f.1:{port}")).await).await;
        assert_eq!((error.kind, error.message.as_str()), (ErrorKind::UnsafeKubeconfig, REFUSED));
        assert!(listener.accept().is_err(), "nobody has connected");
    }

    /// What a proxy is asked for by a kubeconfig that leads to this host.
    async fn asked_of_proxy(host: &str) -> Result<String, ClusterError> {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let mut config = leading_to(host).await;
        config.config.proxy_url = Some(format!("http://me:pass%40word@127.0.0.1:{port}").parse().expect("an address"));
        let request = async {
            let (mut stream, _) = listener.accept().await.expect("a connection");
            let mut buffer = [0; 1024];
            let length = stream.read(&mut buffer).await.expect("a request");
            String::from_utf8(buffer[..length].to_vec()).expect("text")
        };
        tokio::select! {
            biased;
            error = asked(config) => Err(error),
            request = request => Ok(request),
        }
    }

    #[tokio::test]
    async fn a_proxy_is_told_addresses_that_were_judged() {
        let request = asked_of_proxy("0x0a000001:6443").await.expect("an address that may be connected to");
        assert!(request.starts_with("CONNECT 10.0.0.1:6443 HTTP/1.1\r\n"), "{request}");
        // me:pass@word
        assert!(request.contains("Basic bWU6cGFzc0B3b3Jk\r\n"), "{request}");
        let error = asked_of_proxy("0x7f.1:6443").await.expect_err("it is not asked");
        assert_eq!((error.kind, error.message.as_str()), (ErrorKind::UnsafeKubeconfig, REFUSED));
    }
}
