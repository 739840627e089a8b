//! One process of `carrier sync`: started, asked, hurt, ended.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::objects::wait;
use crate::support::{ControlPlanes, Failed, Process, free_port};

/// A process, running or not. When the value goes it is killed, and a failing test shows the end of its log.
pub(crate) struct SyncProcess {
    process: Process,
    port: u16,
}

impl SyncProcess {
    /// Starts one with this name as a replica.
    pub(crate) fn start(
        planes: &ControlPlanes,
        kubeconfig: &Path,
        replica: &str,
        more: &[&str],
    ) -> Result<Self, Failed> {
        let port = free_port();
        let listen = format!("127.0.0.1:{port}");
        let kubeconfig = kubeconfig.display().to_string();
        let usual =
            ["sync", "--kubeconfig", &kubeconfig, "--allow-loopback", "--listen", &listen, "--replica", replica];
        let arguments = usual.iter().chain(more).map(|&argument| argument.to_owned()).collect();
        let program = PathBuf::from(env!("CARGO_BIN_EXE_carrier"));
        let process = planes.run(&format!("sync-{replica}"), program, arguments)?;
        Ok(Self { process, port })
    }

    /// Waits until it says that it is ready.
    pub(crate) async fn ready(&self) -> Result<(), Failed> {
        self.process
            .ready(async || match self.get("/readyz").await? {
                (200, _) => Ok(()),
                (code, body) => Err(format!("{code}: {body}")),
            })
            .await?;
        Ok(())
    }

    /// A page that it serves: the status code and the body.
    pub(crate) async fn get(&self, path: &str) -> Result<(u16, String), String> {
        let mut answer = Vec::new();
        // HTTP/1.0, so that the answer ends where the connection does.
        let asked = async {
            let mut stream = TcpStream::connect(("127.0.0.1", self.port)).await?;
            stream.write_all(format!("GET {path} HTTP/1.0\r\nHost: sync\r\n\r\n").as_bytes()).await?;
            stream.read_to_end(&mut answer).await
        };
        asked.await.map_err(|error| error.to_string())?;
        let answer = String::from_utf8_lossy(&answer);
        let (head, body) = answer.split_once("\r\n\r\n").ok_or("no answer")?;
        let code = head.split(' ').nth(1).and_then(|code| code.parse().ok()).ok_or("no status")?;
        Ok((code, body.to_owned()))
    }

    /// Its metrics now.
    pub(crate) async fn metrics(&self) -> Metrics {
        wait("it shows its metrics", async || match self.get("/metrics").await? {
            (200, body) => Ok(Metrics::parse(&body)),
            (code, body) => Err(format!("{code}: {body}")),
        })
        .await
    }

    /// SIGTERM, and the exit code. The contract gives it 10 s; a busy machine gets more, a hang is still seen.
    pub(crate) async fn stop(&self) -> Option<i32> {
        self.process.terminate();
        self.process.end(Duration::from_mins(1)).await.code()
    }

    /// SIGKILL.
    pub(crate) fn kill(&self) {
        self.process.kill();
    }

    /// Starts it again with the same arguments, after [`Self::kill`] or [`Self::stop`].
    pub(crate) fn again(&self) -> Result<(), Failed> {
        Ok(self.process.spawn()?)
    }

    /// SIGSTOP: to the servers and to other replicas it is as if the machine had stopped.
    pub(crate) fn pause(&self) {
        self.process.pause();
    }

    /// SIGCONT.
    pub(crate) fn resume(&self) {
        self.process.resume();
    }

    /// Its process number, while it runs.
    #[allow(dead_code, reason = "the benchmark of sync asks for its memory")]
    pub(crate) fn pid(&self) -> Option<u32> {
        self.process.pid()
    }

    /// What it has written.
    pub(crate) fn log(&self) -> String {
        self.process.log()
    }

    /// The end of that, for the person who reads why a test failed.
    pub(crate) fn show(&self) {
        let log = self.log();
        let lines: Vec<&str> = log.lines().collect();
        eprintln!("the end of sync's log:\n{}", lines[lines.len().saturating_sub(40)..].join("\n"));
    }
}

impl Drop for SyncProcess {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.show();
        }
    }
}

/// Samples by name and labels as they stand in the text format.
#[derive(Debug, Clone, Default)]
pub(crate) struct Metrics(BTreeMap<String, f64>);

impl Metrics {
    fn parse(text: &str) -> Self {
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        let samples = lines.filter_map(|line| {
            let (name, value) = line.rsplit_once(' ')?;
            Some((name.to_owned(), value.parse().ok()?))
        });
        Self(samples.collect())
    }

    /// The sum of the samples of a metric that have all these labels, each as `name="value"`.
    pub(crate) fn sum(&self, metric: &str, labels: &[&str]) -> f64 {
        let of_metric = self.0.iter().filter(|(name, _)| name.split('{').next() == Some(metric));
        let chosen = of_metric.filter(|(name, _)| labels.iter().all(|&label| name.contains(label)));
        chosen.map(|(_, value)| value).sum()
    }

    /// The samples of a metric that have less than they had before, or are gone. A counter has none.
    pub(crate) fn fallen(&self, since: &Self, metric: &str) -> Vec<String> {
        let before = since.0.iter().filter(|(name, _)| name.split('{').next() == Some(metric));
        let fallen = before.filter(|(name, value)| self.0.get(*name).is_none_or(|now| now < value));
        fallen.map(|(name, value)| format!("{name}: {value}, then {:?}", self.0.get(name))).collect()
    }

    /// Whether there is a sample of this metric.
    pub(crate) fn has(&self, metric: &str) -> bool {
        self.0.keys().any(|name| name.split('{').next() == Some(metric))
    }
}
