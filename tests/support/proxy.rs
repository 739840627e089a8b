//! A TCP proxy on loopback, to hurt the network between a client and an API server.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// What becomes of bytes and of new connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Pass,
    Stall,
    Refuse,
}

/// A proxy in front of one port. It is gone, with its connections, when the value goes.
#[derive(Debug)]
pub(crate) struct Proxy {
    address: SocketAddr,
    mode: watch::Sender<Mode>,
    connections: Connections,
    listening: tokio::task::AbortHandle,
}

type Connections = Arc<Mutex<JoinSet<()>>>;

impl Proxy {
    /// Starts a proxy to `port` on loopback.
    pub(crate) async fn start(port: u16) -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (mode, seen) = watch::channel(Mode::Pass);
        let connections = Connections::default();
        let listening = tokio::spawn(listen(listener, port, seen, Arc::clone(&connections))).abort_handle();
        Ok(Self { address, mode, connections, listening })
    }

    /// Where it listens.
    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    /// Breaks every connection there is. New ones pass, unless [`Self::refuse`] says otherwise.
    pub(crate) fn cut(&self) {
        lock(&self.connections).abort_all();
    }

    /// Breaks every connection there is, and every new one.
    pub(crate) fn refuse(&self) {
        self.mode.send_replace(Mode::Refuse);
        self.cut();
    }

    /// Holds every byte back: connections stay open, and new ones are taken, but nothing
    /// comes through. This is what a network that drops packets looks like.
    pub(crate) fn stall(&self) {
        self.mode.send_replace(Mode::Stall);
    }

    /// Lets everything pass again, what was held back too.
    pub(crate) fn pass(&self) {
        self.mode.send_replace(Mode::Pass);
    }

    /// How many connections are open.
    pub(crate) fn connections(&self) -> usize {
        let mut connections = lock(&self.connections);
        while connections.try_join_next().is_some() {}
        connections.len()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.listening.abort();
        self.cut();
    }
}

async fn listen(listener: TcpListener, port: u16, mode: watch::Receiver<Mode>, connections: Connections) {
    while let Ok((client, _)) = listener.accept().await {
        if *mode.borrow() == Mode::Refuse {
            // A reset rather than an orderly end, as of a host that is gone.
            let _ = client.set_zero_linger();
            continue;
        }
        lock(&connections).spawn(connect(client, port, mode.clone()));
    }
}

async fn connect(client: TcpStream, port: u16, mode: watch::Receiver<Mode>) {
    let Ok(server) = TcpStream::connect(("127.0.0.1", port)).await else { return };
    // Whoever breaks the connection breaks it hard, on both sides.
    let _ = client.set_zero_linger();
    let _ = server.set_zero_linger();
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    tokio::join!(forward(from_client, to_server, mode.clone()), forward(from_server, to_client, mode));
}

/// Copies until one side ends, and tells the other that it has.
async fn forward(
    mut from: impl AsyncReadExt + Unpin,
    mut to: impl AsyncWriteExt + Unpin,
    mut mode: watch::Receiver<Mode>,
) {
    let mut buffer = vec![0; 16 * 1024];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        if mode.wait_for(|mode| *mode != Mode::Stall).await.is_err() || to.write_all(&buffer[..read]).await.is_err() {
            break;
        }
    }
    let _ = to.shutdown().await;
}

fn lock(connections: &Connections) -> std::sync::MutexGuard<'_, JoinSet<()>> {
    connections.lock().unwrap_or_else(PoisonError::into_inner)
}
