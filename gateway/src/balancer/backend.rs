//! A replica as the balancer sees it: its address, its load, its idle connections.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use tokio::net::TcpStream;

/// Idle connections kept to one replica.
const IDLE: usize = 64;
/// Idle for longer, a connection is not used again. A replica closes them after 30 s without a request: one that is sent in
/// that moment would be lost, as nobody can tell whether it was read.
const FRESH: Duration = Duration::from_secs(20);

/// A replica that takes requests.
pub struct Backend {
    /// The replica's id.
    pub id: String,
    /// Where its flows' HTTP server listens.
    pub address: SocketAddr,
    in_flight: AtomicUsize,
    /// False from the first refused or reset connection until the registry shows the replica again.
    up: AtomicBool,
    /// With the time of their last use, which only grows towards the end.
    idle: Mutex<Vec<(SendRequest<Incoming>, Instant)>>,
}

/// Counts a request while it is in flight.
pub(super) struct InFlight(Arc<Backend>);

impl Backend {
    /// A backend without connections yet.
    pub fn new(id: String, address: SocketAddr) -> Arc<Backend> {
        Arc::new(Backend {
            id,
            address,
            in_flight: AtomicUsize::new(0),
            up: AtomicBool::new(true),
            idle: Mutex::default(),
        })
    }

    /// Requests in flight to it.
    pub fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Relaxed)
    }

    /// False after a connection to it was refused or reset.
    pub fn is_up(&self) -> bool {
        self.up.load(Ordering::Relaxed)
    }

    /// Stops routing to it: a connection was refused or reset. Its idle connections are dropped.
    pub(super) fn mark_down(&self) {
        self.up.store(false, Ordering::Relaxed);
        self.idle.lock().clear();
    }

    /// Routes to it again.
    pub(super) fn mark_up(&self) {
        self.up.store(true, Ordering::Relaxed);
    }

    pub(super) fn enter(self: &Arc<Self>) -> InFlight {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        InFlight(self.clone())
    }

    /// An idle connection that still lives, else a new one. True with a connection that was used before.
    pub(super) async fn connection(&self) -> std::io::Result<(SendRequest<Incoming>, bool)> {
        while let Some(mut sender) = self.take_idle() {
            if !sender.is_closed() && sender.ready().await.is_ok() {
                return Ok((sender, true));
            }
        }
        let stream = TcpStream::connect(self.address).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await.map_err(std::io::Error::other)?;
        // Ends with the connection: when the replica closes it or the last sender is dropped.
        tokio::spawn(async move {
            if let Err(error) = connection.with_upgrades().await {
                tracing::debug!(%error, "connection to a replica ended");
            }
        });
        Ok((sender, false))
    }

    fn take_idle(&self) -> Option<SendRequest<Incoming>> {
        let mut idle = self.idle.lock();
        let (sender, since) = idle.pop()?;
        if since.elapsed() >= FRESH {
            // Those before it are older.
            idle.clear();
            return None;
        }
        Some(sender)
    }

    pub(super) fn keep(&self, sender: SendRequest<Incoming>) {
        let mut idle = self.idle.lock();
        if self.is_up() && idle.len() < IDLE && !sender.is_closed() {
            idle.push((sender, Instant::now()));
        }
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}
