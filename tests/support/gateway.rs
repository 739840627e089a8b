//! A gateway in front of an API server, as companies have them: it speaks plain HTTP, answers in the place of a server that it
//! cannot reach, and hands on an answer, that of a watch too, only when it is whole.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use http::Request;
use http_body_util::BodyExt as _;
use kube::Client;
use kube::client::Body;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;

use super::ControlPlane;

/// A gateway. It is gone when the value goes.
#[derive(Debug)]
pub(crate) struct Gateway {
    kubeconfig: PathBuf,
    failures: Arc<Failures>,
    listening: AbortHandle,
}

/// How many requests it answers itself, of which kind.
#[derive(Debug, Default)]
struct Failures {
    /// Of all that begin with `PATCH`.
    patches: AtomicUsize,
    /// Of those that write.
    writes: AtomicUsize,
    /// So many answers it has given.
    given: AtomicUsize,
}

impl Gateway {
    /// A gateway to a control plane, where everybody is its admin.
    pub(crate) async fn start(plane: &ControlPlane, folder: &Path) -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let port = listener.local_addr()?.port();
        let kubeconfig = folder.join("gateway.kubeconfig");
        let text = format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: gateway\n\
             clusters: [{{name: gateway, cluster: {{server: 'http://127.0.0.1:{port}'}}}}]\n\
             contexts: [{{name: gateway, context: {{cluster: gateway, user: me}}}}]\nusers: [{{name: me, user: {{token: t}}}}]\n"
        );
        std::fs::write(&kubeconfig, text)?;
        let failures = Arc::<Failures>::default();
        let (client, shared) = (plane.client(), Arc::clone(&failures));
        let listening = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, client.clone(), Arc::clone(&shared)));
            }
        });
        Ok(Self { kubeconfig, failures, listening: listening.abort_handle() })
    }

    /// The kubeconfig that leads to it.
    pub(crate) fn kubeconfig_path(&self) -> &Path {
        &self.kubeconfig
    }

    /// From now on it cannot reach the server for so many patches, dry runs among them.
    pub(crate) fn fail_patches(&self, count: usize) {
        self.failures.patches.store(count, Ordering::Relaxed);
    }

    /// From now on it cannot reach the server for so many patches that write.
    pub(crate) fn fail_writes(&self, count: usize) {
        self.failures.writes.store(count, Ordering::Relaxed);
    }

    /// How often it has answered in the place of the server.
    pub(crate) fn failures(&self) -> usize {
        self.failures.given.load(Ordering::Relaxed)
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

impl Failures {
    /// Whether it answers a request itself.
    fn take(&self, method: &str, path: &str) -> bool {
        let one = |left: &AtomicUsize| {
            left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok()
        };
        let is_write = method == "PATCH" && !path.contains("dryRun");
        let fails = method == "PATCH" && one(&self.patches) || is_write && one(&self.writes);
        self.given.fetch_add(usize::from(fails), Ordering::Relaxed);
        fails
    }
}

/// Answers one request, and closes the connection.
async fn serve(stream: TcpStream, client: Client, failures: Arc<Failures>) {
    let mut stream = BufReader::new(stream);
    let Some((method, path, headers, body)) = read(&mut stream).await else { return };
    let (code, kind, answer) = if failures.take(&method, &path) {
        (502, "text/html".to_owned(), b"<html><title>502 Bad Gateway</title></html>".to_vec())
    } else {
        let mut request = Request::builder().method(method.as_str()).uri(&path);
        for (name, value) in headers.iter().filter(|(name, _)| matches!(&**name, "content-type" | "accept")) {
            request = request.header(name, value);
        }
        let Ok(request) = request.body(Body::from(body)) else { return };
        let Ok(response) = client.send(request).await else { return };
        let (parts, body) = response.into_parts();
        let Ok(body) = body.collect().await else { return };
        let kind = parts.headers.get("content-type").and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        (parts.status.as_u16(), kind.to_owned(), body.to_bytes().to_vec())
    };
    let head = format!(
        "HTTP/1.1 {code} X\r\ncontent-type: {kind}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        answer.len()
    );
    // Whoever does not wait for the answer has seen enough.
    let _ = stream.write_all(&[head.as_bytes(), &answer].concat()).await;
    let _ = stream.flush().await;
}

type Read = (String, String, Vec<(String, String)>, Vec<u8>);

/// A request: method, path, headers with names in lower case, and body.
async fn read(stream: &mut BufReader<TcpStream>) -> Option<Read> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).ok()?;
    let mut lines = head.lines();
    let mut words = lines.next()?.split(' ');
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
        .collect();
    let length = headers.iter().find(|(name, _)| name == "content-length").and_then(|(_, length)| length.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).await.ok()?;
    Some((method, path, headers, body))
}
