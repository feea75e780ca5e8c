//! A replica as the balancer sees it: its address, its load, its health, its idle connections.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use flotilla_framing::Shortened;
use flotilla_tasks::Task;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use super::sender::Sender;
use super::sockets;

/// Idle connections that each thread keeps to one replica.
const IDLE: usize = 64;
/// Idle for longer, a connection is not used again. A replica closes them after 30 s without a request: one that is sent in
/// that moment would be lost, as nobody can tell whether it was read.
const FRESH: Duration = Duration::from_secs(20);
/// So many time-outs in a row eject a replica.
const TIMEOUTS: u32 = 3;
/// The first ejection; each further one is twice as long.
const EJECTED: Duration = Duration::from_secs(5);
/// The longest ejection.
const LONGEST: Duration = Duration::from_secs(60);

/// A replica that takes requests.
pub struct Backend {
    /// The replica's id.
    pub id: String,
    /// Where its flows' HTTP server listens.
    pub address: SocketAddr,
    in_flight: AtomicUsize,
    answered: AtomicU64,
    /// False from the first refused or reset connection until the registry shows the replica again.
    up: AtomicBool,
    timeouts: AtomicU32,
    ejection: Mutex<Ejection>,
    /// Read first, so that the lock is taken only while there is an ejection.
    is_ejected: AtomicBool,
    /// The registry does not have it any more: what is open at it ends.
    gone: CancellationToken,
    /// The same for each thread, whose requests all wait for it.
    gone_on: Box<[CancellationToken]>,
    /// One list a thread: a connection stays on the thread that opened it. With the time of their last use, which only
    /// grows towards the end.
    #[allow(clippy::type_complexity, reason = "said above, used in two functions")]
    idle: Box<[Mutex<Vec<(Sender, Instant)>>]>,
}

#[derive(Default)]
struct Ejection {
    until: Option<Instant>,
    in_a_row: u32,
}

/// Counts a request while it is in flight.
pub(super) struct InFlight(Arc<Backend>);

impl Backend {
    /// A backend without connections yet, for so many threads.
    pub(super) fn new(id: String, address: SocketAddr, threads: usize) -> Arc<Backend> {
        let (gone, threads) = (CancellationToken::new(), 0..threads.max(1));
        Arc::new(Backend {
            id,
            address,
            in_flight: AtomicUsize::new(0),
            answered: AtomicU64::new(0),
            up: AtomicBool::new(true),
            timeouts: AtomicU32::new(0),
            ejection: Mutex::default(),
            is_ejected: AtomicBool::new(false),
            gone_on: threads.clone().map(|_| gone.child_token()).collect(),
            gone,
            idle: threads.map(|_| Mutex::default()).collect(),
        })
    }

    /// Requests in flight to it.
    pub fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Relaxed)
    }

    /// Requests that it has answered.
    pub fn answered(&self) -> u64 {
        self.answered.load(Ordering::Relaxed)
    }

    /// False after a connection to it was refused or reset.
    pub fn is_up(&self) -> bool {
        self.up.load(Ordering::Relaxed)
    }

    /// True while it is left out after time-outs, as long as there are others.
    pub fn is_ejected(&self) -> bool {
        if !self.is_ejected.load(Ordering::Relaxed) {
            return false;
        }
        let over = self.ejection.lock().until.is_none_or(|until| until <= Instant::now());
        if over {
            self.is_ejected.store(false, Ordering::Relaxed);
        }
        !over
    }

    /// Fires when the registry does not have it any more.
    pub(super) fn gone(&self) -> &CancellationToken {
        &self.gone
    }

    /// As [`Backend::gone`], for requests of a thread.
    pub(super) fn gone_on(&self, thread: usize) -> &CancellationToken {
        &self.gone_on[thread]
    }

    /// Stops routing to it: a connection was refused or reset. Its idle connections are dropped.
    pub(super) fn mark_down(&self) {
        self.up.store(false, Ordering::Relaxed);
        self.idle.iter().for_each(|idle| idle.lock().clear());
    }

    /// Routes to it again.
    pub(super) fn mark_up(&self) {
        self.up.store(true, Ordering::Relaxed);
    }

    /// A request was answered: it is not sick.
    pub(super) fn was_answered(&self) {
        self.answered.fetch_add(1, Ordering::Relaxed);
        if self.timeouts.load(Ordering::Relaxed) > 0 {
            self.timeouts.store(0, Ordering::Relaxed);
            self.ejection.lock().in_a_row = 0;
        }
    }

    /// A request was not answered in time. True when this ejects the replica.
    pub(super) fn timed_out(&self) -> bool {
        if self.timeouts.fetch_add(1, Ordering::Relaxed) + 1 < TIMEOUTS {
            return false;
        }
        let mut ejection = self.ejection.lock();
        if ejection.until.is_some_and(|until| until > Instant::now()) {
            return false;
        }
        let wait = (EJECTED * 2u32.saturating_pow(ejection.in_a_row)).min(LONGEST);
        ejection.in_a_row += 1;
        ejection.until = Some(Instant::now() + wait);
        // One more time-out after the ejection is the next one.
        self.timeouts.store(TIMEOUTS - 1, Ordering::Relaxed);
        self.is_ejected.store(true, Ordering::Relaxed);
        tracing::warn!(
            replica = self.id,
            seconds = wait.as_secs(),
            "does not answer in time; gets no requests for a while"
        );
        true
    }

    pub(super) fn enter(self: &Arc<Self>) -> InFlight {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        InFlight(self.clone())
    }

    /// An idle connection of a thread that still lives.
    pub(super) async fn reuse(&self, thread: usize) -> Option<Sender> {
        while let Some(mut sender) = self.take_idle(thread) {
            if !sender.is_closed() && sender.is_ready().await {
                return Some(sender);
            }
        }
        None
    }

    /// A new connection, within a deadline.
    pub(super) async fn connect(&self, deadline: Duration) -> std::io::Result<Sender> {
        let connecting = tokio::time::timeout(deadline, TcpStream::connect(self.address));
        let stream = connecting.await.map_err(|_| std::io::ErrorKind::TimedOut)??;
        sockets::prepare(&stream, sockets::REPLICA)?;
        let (stream, answers) = Shortened::new(stream);
        let handshake = http1::handshake(TokioIo::new(stream));
        let (requests, connection) = handshake.await.map_err(std::io::Error::other)?;
        let task = Task {
            name: "replica connection",
            owner: self.id.as_str().into(),
            ends: "the replica closes it or the last sender is dropped",
            failure: "the request on it is sent again or answered 502",
        };
        task.spawn(async move {
            if let Err(error) = connection.with_upgrades().await {
                tracing::debug!(%error, "connection to a replica ended");
            }
        });
        Ok(Sender::new(requests, answers))
    }

    fn take_idle(&self, thread: usize) -> Option<Sender> {
        let mut idle = self.idle[thread].lock();
        let (sender, since) = idle.pop()?;
        if since.elapsed() >= FRESH {
            // Those before it are older.
            idle.clear();
            return None;
        }
        Some(sender)
    }

    pub(super) fn keep(&self, thread: usize, sender: Sender) {
        let mut idle = self.idle[thread].lock();
        if self.is_up() && idle.len() < IDLE && !sender.is_closed() && !self.gone_on[thread].is_cancelled() {
            idle.push((sender, Instant::now()));
        }
    }
}

impl InFlight {
    /// Where the request is.
    pub(super) fn backend(&self) -> &Backend {
        &self.0
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_outs_in_a_row_eject() {
        let backend = Backend::new("a".into(), ([127, 0, 0, 1], 1).into(), 1);
        assert!(!backend.timed_out() && !backend.timed_out());
        backend.was_answered();
        assert!(!backend.timed_out() && !backend.timed_out() && !backend.is_ejected());
        assert!(backend.timed_out() && backend.is_ejected());
        assert!(!backend.timed_out(), "it is ejected already");
    }
}
