//! The one etcd behind all control planes of a test, each with a key prefix of its own.

use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::assets::Assets;
use super::process::Process;
use super::watchdog::Watchdog;
use super::{StartError, free_port};

/// A running etcd.
#[derive(Debug)]
pub(crate) struct Etcd {
    process: Process,
    port: u16,
}

impl Etcd {
    /// Starts it and waits until it is ready.
    pub(crate) async fn start(assets: &Assets, folder: &Path, watchdog: &Arc<Watchdog>) -> Result<Self, StartError> {
        loop {
            match Self::try_start(assets, folder, watchdog).await {
                Err(error) if error.is_port_taken() => {}
                result => return result,
            }
        }
    }

    async fn try_start(assets: &Assets, folder: &Path, watchdog: &Arc<Watchdog>) -> Result<Self, StartError> {
        let (port, peers) = (free_port(), free_port());
        let (url, peer_url) = (format!("http://127.0.0.1:{port}"), format!("http://127.0.0.1:{peers}"));
        let arguments = vec![
            "--name=etcd".to_owned(),
            format!("--data-dir={}", folder.join("etcd").display()),
            format!("--listen-client-urls={url}"),
            format!("--advertise-client-urls={url}"),
            format!("--listen-peer-urls={peer_url}"),
            format!("--initial-advertise-peer-urls={peer_url}"),
            format!("--initial-cluster=etcd={peer_url}"),
            // Loses data when the machine fails, not when the process is killed.
            "--unsafe-no-fsync".to_owned(),
            "--log-level=warn".to_owned(),
        ];
        let process = Process::start("etcd", assets.tool("etcd"), arguments, folder, watchdog)?;
        let etcd = Self { process, port };
        etcd.ready().await?;
        Ok(etcd)
    }

    /// Where it listens.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Its process, to be hurt.
    pub(crate) fn process(&self) -> &Process {
        &self.process
    }

    /// Starts it again after `process().kill()`, with its data.
    pub(crate) async fn restart(&self) -> Result<(), StartError> {
        self.process.kill();
        self.process.spawn()?;
        self.ready().await
    }

    /// Forgets every revision but the newest, of all control planes.
    ///
    /// A watch from an older revision now gets 410 Gone, except from an API server
    /// whose watch cache still remembers it: see [`super::Builder::watch_cache`].
    pub(crate) async fn compact(&self) -> Result<(), String> {
        let newest = self.call("/v3/kv/range", &json!({ "key": "AA==" })).await?;
        let revision = newest["header"]["revision"].as_str().ok_or_else(|| format!("no revision in {newest}"))?;
        self.call("/v3/kv/compaction", &json!({ "revision": revision, "physical": true })).await?;
        Ok(())
    }

    async fn ready(&self) -> Result<(), StartError> {
        self.process.ready(async || self.call("/v3/maintenance/status", &json!({})).await.map(drop)).await
    }

    /// One request to etcd's JSON gateway. HTTP/1.0, so that the answer ends where the
    /// connection does.
    async fn call(&self, path: &str, body: &Value) -> Result<Value, String> {
        let text = body.to_string();
        let request = format!("POST {path} HTTP/1.0\r\nContent-Length: {}\r\n\r\n{text}", text.len());
        let mut answer = Vec::new();
        let asked = async {
            let mut stream = TcpStream::connect(("127.0.0.1", self.port)).await?;
            stream.write_all(request.as_bytes()).await?;
            stream.read_to_end(&mut answer).await
        };
        asked.await.map_err(|error| error.to_string())?;
        let answer = String::from_utf8_lossy(&answer);
        let (head, body) = answer.split_once("\r\n\r\n").ok_or("no answer")?;
        if head.split(' ').nth(1) != Some("200") {
            return Err(format!("etcd answers {answer}"));
        }
        serde_json::from_str(body).map_err(|error| format!("{error} in {body}"))
    }
}
