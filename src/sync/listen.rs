//! What `carrier sync` tells over HTTP: whether it lives, whether it is ready, and its metrics.
//!
//! Whoever reaches the port may be anybody: connections are few, none lives for long, and only three paths are read.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::pin;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ALLOW, CONTENT_TYPE, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::metrics;
use crate::model::plain;

/// What connections may take.
#[derive(Debug, Clone, Copy)]
struct Bounds {
    /// The most at once; others wait.
    connections: usize,
    /// The headers of a request come within this time, after the connection or the last answer.
    headers: Duration,
    /// A connection lives no longer, however slowly its other end reads.
    lifetime: Duration,
}

const BOUNDS: Bounds = Bounds { connections: 32, headers: Duration::from_secs(5), lifetime: Duration::from_mins(1) };
/// The largest headers in bytes.
const LARGEST: usize = 16 * 1024;
/// How long requests under way may go on at the end.
const LAST_ANSWERS: Duration = Duration::from_secs(2);
/// The pause after a connection could not be taken, as without a file descriptor for it.
const PAUSE: Duration = Duration::from_millis(100);

/// What is told. Called for each request, so it has to be quick.
pub trait Pages: Send + Sync + 'static {
    /// What is wrong with the process, so that it should be started again; nothing if it lives.
    fn unhealthy(&self) -> Vec<String>;
    /// What is missing until it is ready.
    fn missing(&self) -> Vec<String>;
    /// What it is ready without.
    fn not_counted(&self) -> Vec<String>;
    /// The metrics in Prometheus' text format.
    fn metrics(&self) -> String;
}

/// The value of `--listen`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listen {
    /// Nothing is told.
    Off,
    /// At this address and port.
    At(SocketAddr),
}

/// A text is neither an address with a port nor `off`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is neither `off` nor an IP address and a port, such as 127.0.0.1:9440")]
pub struct NotAnAddress(String);

impl Listen {
    /// Where it listens if nothing is said: in a Pod the kubelet and Prometheus come from elsewhere.
    #[must_use]
    pub fn usual(in_pod: bool) -> Self {
        let address = if in_pod { [0, 0, 0, 0] } else { [127, 0, 0, 1] };
        Self::At((address, 9440).into())
    }
}

impl FromStr for Listen {
    type Err = NotAnAddress;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "off" => Ok(Self::Off),
            _ => text.parse().map(Self::At).map_err(|_| NotAnAddress(text.to_owned())),
        }
    }
}

/// A port that is bound, and not served yet.
#[derive(Debug)]
pub struct Listener {
    socket: TcpListener,
}

impl Listener {
    /// Binds a port.
    ///
    /// # Errors
    /// When it is taken, or may not be bound.
    pub async fn bind(address: SocketAddr) -> std::io::Result<Self> {
        Ok(Self { socket: TcpListener::bind(address).await? })
    }

    /// Where it listens: with port 0, the system has chosen one.
    ///
    /// # Errors
    /// When the system does not say.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Answers requests until `end` is there; those under way are then answered, for 2 s at most.
    pub async fn serve(self, pages: Arc<dyn Pages>, end: impl Future<Output = ()>) {
        self.serve_within(BOUNDS, pages, end).await;
    }

    async fn serve_within(self, bounds: Bounds, pages: Arc<dyn Pages>, end: impl Future<Output = ()>) {
        let places = Arc::new(Semaphore::new(bounds.connections));
        let (ended, ending) = watch::channel(());
        let mut connections = JoinSet::new();
        let mut end = pin!(end);
        loop {
            while connections.try_join_next().is_some() {}
            let place = tokio::select! {
                () = &mut end => break,
                place = Arc::clone(&places).acquire_owned() => place,
            };
            let taken = tokio::select! {
                () = &mut end => break,
                taken = self.socket.accept() => taken,
            };
            match (place, taken) {
                (Ok(place), Ok((stream, _))) => {
                    let (pages, ending) = (Arc::clone(&pages), ending.clone());
                    connections.spawn(async move {
                        // It is no matter of ours how a connection ends.
                        let _ = timeout(bounds.lifetime, connection(stream, bounds.headers, pages, ending)).await;
                        drop(place);
                    });
                }
                // Trying again at once would only take the processor from those who could free something.
                _ => sleep(PAUSE).await,
            }
        }
        drop(self.socket);
        drop(ended);
        let all = async { while connections.join_next().await.is_some() {} };
        // Those that are left then are cut when the set is dropped.
        let _ = timeout(LAST_ANSWERS, all).await;
    }
}

async fn connection(stream: TcpStream, headers: Duration, pages: Arc<dyn Pages>, mut ending: watch::Receiver<()>) {
    let service = service_fn(move |request: Request<hyper::body::Incoming>| {
        let response = answer(request.method(), request.uri().path(), &*pages);
        async move { Ok::<_, Infallible>(response) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(headers)
        .max_buf_size(LARGEST)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    tokio::select! {
        _ = &mut connection => return,
        // Nothing is ever sent: the sender goes.
        _ = ending.changed() => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = connection.await;
}

fn answer(method: &Method, path: &str, pages: &dyn Pages) -> Response<Full<Bytes>> {
    if !matches!(*method, Method::GET | Method::HEAD) {
        let mut response = page(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD\n".to_owned());
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return response;
    }
    match path {
        "/healthz" => verdict(&pages.unhealthy(), &[]),
        "/readyz" => verdict(&pages.missing(), &pages.not_counted()),
        "/metrics" => {
            let mut response = page(StatusCode::OK, pages.metrics());
            response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(metrics::CONTENT_TYPE));
            response
        }
        _ => page(StatusCode::NOT_FOUND, "there are /healthz, /readyz and /metrics\n".to_owned()),
    }
}

/// Fine, or what is not, a line each; and what else there is to know.
fn verdict(complaints: &[String], remarks: &[String]) -> Response<Full<Bytes>> {
    let lines = |all: &[String]| all.iter().flat_map(|line| [plain::line(line), "\n".into()]).collect::<String>();
    match complaints {
        [] => page(StatusCode::OK, format!("ok\n{}", lines(remarks))),
        complaints => page(StatusCode::SERVICE_UNAVAILABLE, lines(complaints) + &lines(remarks)),
    }
}

fn page(status: StatusCode, text: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(text));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::sync::oneshot;

    #[derive(Default)]
    struct State {
        missing: Mutex<Vec<String>>,
    }

    impl Pages for State {
        fn unhealthy(&self) -> Vec<String> {
            Vec::new()
        }

        fn missing(&self) -> Vec<String> {
            self.missing.lock().unwrap().clone()
        }

        fn not_counted(&self) -> Vec<String> {
            vec!["team-a/eu-west-2: not counted: away".to_owned()]
        }

        fn metrics(&self) -> String {
            "carrier_conflicts 0\n".to_owned()
        }
    }

    struct Server {
        address: SocketAddr,
        state: Arc<State>,
        end: oneshot::Sender<()>,
        task: tokio::task::JoinHandle<()>,
    }

    async fn server() -> Server {
        server_within(BOUNDS).await
    }

    async fn server_within(bounds: Bounds) -> Server {
        let listener = Listener::bind(([127, 0, 0, 1], 0).into()).await.unwrap();
        let (address, state) = (listener.address().unwrap(), Arc::new(State::default()));
        let (end, ended) = oneshot::channel();
        let pages: Arc<dyn Pages> = Arc::clone(&state) as _;
        let task = tokio::spawn(listener.serve_within(bounds, pages, async move { ended.await.unwrap_or(()) }));
        Server { address, state, end, task }
    }

    /// Sends bytes, and reads until the other side ends.
    async fn say(address: SocketAddr, text: &str) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(text.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        // A reset is an end, too.
        let _ = stream.read_to_end(&mut answer).await;
        String::from_utf8(answer).unwrap()
    }

    async fn ask(address: SocketAddr, method: &str, path: &str) -> String {
        say(address, &format!("{method} {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")).await
    }

    #[tokio::test]
    async fn the_pages_say_what_is_so() {
        let server = server().await;
        let ready = ask(server.address, "GET", "/readyz").await;
        assert!(
            ready.starts_with("HTTP/1.1 200 OK\r\n")
                && ready.ends_with("\r\n\r\nok\nteam-a/eu-west-2: not counted: away\n"),
            "{ready}"
        );
        *server.state.missing.lock().unwrap() = vec!["team-a/eu-west-1: no\nlist".to_owned(), "b".to_owned()];
        let ready = ask(server.address, "GET", "/readyz?verbose").await;
        assert!(
            ready.starts_with("HTTP/1.1 503 ")
                && ready.contains("\r\n\r\nteam-a/eu-west-1: no␊list\nb\nteam-a/eu-west-2: not counted"),
            "{ready}"
        );
        assert!(ask(server.address, "GET", "/healthz").await.starts_with("HTTP/1.1 200 "));
        let metrics = ask(server.address, "GET", "/metrics").await;
        let expected = "\r\n\r\ncarrier_conflicts 0\n";
        assert!(
            metrics.contains("content-type: text/plain; version=0.0.4") && metrics.ends_with(expected),
            "{metrics}"
        );
        let head = ask(server.address, "HEAD", "/metrics").await;
        assert!(head.starts_with("HTTP/1.1 200 ") && head.ends_with("\r\n\r\n"), "{head}");
    }

    #[tokio::test]
    async fn nothing_else_is_read() {
        let server = server().await;
        assert!(ask(server.address, "GET", "/").await.starts_with("HTTP/1.1 404 "));
        assert!(ask(server.address, "GET", "/metrics/../x").await.starts_with("HTTP/1.1 404 "));
        let post = ask(server.address, "POST", "/metrics").await;
        assert!(post.starts_with("HTTP/1.1 405 ") && post.contains("allow: GET, HEAD"), "{post}");
        let long = format!("GET / HTTP/1.1\r\na: {}\r\n\r\n", "x".repeat(2 * LARGEST));
        let answer = say(server.address, &long).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
        assert!(ask(server.address, "GET", "/healthz").await.starts_with("HTTP/1.1 200 "));
    }

    #[tokio::test]
    async fn who_says_nothing_is_cut_off_and_more_than_the_bound_wait() {
        let bounds = Bounds { connections: 2, headers: Duration::from_millis(300), ..BOUNDS };
        let server = server_within(bounds).await;
        let mut silent = Vec::new();
        for _ in 0..bounds.connections {
            let mut stream = TcpStream::connect(server.address).await.unwrap();
            stream.write_all(b"GET /heal").await.unwrap();
            silent.push(stream);
        }
        // There is a place only once one of the others has been cut off.
        let answer = ask(server.address, "GET", "/healthz").await;
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        for mut stream in silent {
            let mut rest = Vec::new();
            let _ = stream.read_to_end(&mut rest).await;
            assert!(!String::from_utf8_lossy(&rest).contains("200"), "it was cut off");
        }
    }

    #[tokio::test]
    async fn it_ends_when_it_is_told_to() {
        let server = server().await;
        let mut idle = TcpStream::connect(server.address).await.unwrap();
        idle.write_all(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
        let mut first = [0; 12];
        idle.read_exact(&mut first).await.unwrap();
        assert_eq!(&first, b"HTTP/1.1 200");
        server.end.send(()).unwrap();
        server.task.await.unwrap();
        let mut rest = Vec::new();
        let _ = idle.read_to_end(&mut rest).await;
        assert!(TcpStream::connect(server.address).await.is_err(), "the port is free");
    }

    #[test]
    fn an_address_is_read() {
        assert_eq!("off".parse(), Ok(Listen::Off));
        assert_eq!("127.0.0.1:9440".parse(), Ok(Listen::usual(false)));
        assert_eq!("0.0.0.0:9440".parse(), Ok(Listen::usual(true)));
        assert!("[::1]:80".parse::<Listen>().is_ok());
        for wrong in ["", "on", "9440", "localhost", "a:1"] {
            assert_eq!(wrong.parse::<Listen>(), Err(NotAnAddress(wrong.to_owned())));
        }
    }
}
