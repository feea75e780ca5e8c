//! What the threads of the balancer share, and what each connection of a client knows.

use std::net::SocketAddr;
use std::sync::Arc;

use flotilla_framing::Alarm;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::access::Callers;
use super::deadlines::Deadlines;
use super::headers::Address;
use super::meters::Meters;
use super::misses::Misses;
use super::pool::Pool;
use super::trust::Network;
use crate::tls::Tls;

/// How the balancer listens.
#[derive(Clone, Debug)]
pub struct BalancerConfig {
    /// Where clients connect.
    pub listen: SocketAddr,
    /// How long each hop of a request may take.
    pub deadlines: Deadlines,
    /// Proxies that may say who the client is.
    pub trusted: Vec<Network>,
    /// Connections of clients at once; those beyond are answered 503 and closed.
    pub max_connections: usize,
    /// TLS of the address; `None`: none.
    pub tls: Option<Arc<Tls>>,
    /// Who may call which paths; `None`: everybody all.
    pub callers: Option<Arc<Callers>>,
    /// Where requests are kept that no replica answered.
    pub misses: Arc<Misses>,
}

/// What the threads of the balancer share.
pub(super) struct Door {
    pub(super) address: SocketAddr,
    pub(super) config: BalancerConfig,
    pub(super) pool: Arc<Pool>,
    pub(super) meters: Arc<Meters>,
    /// No new connections; open ones finish the request that they are at.
    pub(super) stop: CancellationToken,
    /// The threads end.
    pub(super) end: CancellationToken,
    pub(super) connections: TaskTracker,
}

/// Where a client's request came in.
#[derive(Clone, Copy)]
pub(super) struct From {
    pub(super) peer: SocketAddr,
    /// The thread whose connections to replicas it uses.
    pub(super) thread: usize,
}

/// What a client's connection keeps for its requests.
pub(super) struct Client {
    pub(super) from: From,
    pub(super) address: Address,
    /// Its timer.
    pub(super) alarm: Alarm,
}

impl Client {
    pub(super) fn new(from: From) -> Client {
        Client { from, address: Address::new(from.peer.ip()), alarm: Alarm::default() }
    }
}

impl From {
    /// Clients on this machine are told more of what went wrong.
    pub(super) fn is_local(&self) -> bool {
        self.peer.ip().to_canonical().is_loopback()
    }
}
