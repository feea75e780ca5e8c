//! The threads of the balancer.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use flotilla_tasks::Task;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpListener;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::connection::serve;
use super::door::{BalancerConfig, Door, From};
use super::meters::Meters;
use super::pool::Pool;

/// Connections that wait to be accepted.
const BACKLOG: i32 = 4096;

/// A timer of each thread that always fires soon, for nothing. tokio wakes its own thread, with a write to the system, for each new
/// timer that is earlier than all there were when it went to sleep. That would be one a request: a client's next head has 30 s, and
/// open requests, which may be all that waits, have longer.
const NEAR: Duration = Duration::from_secs(1);

/// Why the balancer cannot start.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address} for flow traffic")]
pub struct StartError {
    /// The address.
    pub address: SocketAddr,
    /// What the system said.
    pub source: std::io::Error,
}

/// The front door for flow traffic: one thread a core, each with a runtime of its own and its own connections to the
/// replicas, so that a request never changes threads. Dropped, it ends at once.
pub struct Balancer {
    door: Arc<Door>,
}

impl Balancer {
    /// How many threads serve: one a core. The pool is made for as many.
    pub fn threads() -> usize {
        std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
    }

    /// Binds and begins to serve.
    pub fn start(config: BalancerConfig, pool: Arc<Pool>, meters: Arc<Meters>) -> Result<Balancer, StartError> {
        let listen = config.listen;
        let failed = |source| StartError { address: listen, source };
        let listener = bind(listen).map_err(failed)?;
        let door = Arc::new(Door {
            address: listener.local_addr().map_err(failed)?,
            config,
            pool,
            meters,
            stop: CancellationToken::new(),
            end: CancellationToken::new(),
            connections: TaskTracker::new(),
        });
        let balancer = Balancer { door: door.clone() };
        for thread in 0..Balancer::threads() {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
            let (listener, door) = (listener.try_clone().map_err(failed)?, door.clone());
            let task = Task {
                name: "gateway",
                owner: format!("thread {thread}").into(),
                ends: "the gateway stops",
                failure: "its connections are cut; the other threads take new ones",
            };
            let spawned = task.thread(move || {
                runtime.block_on(accept(listener, thread, &door));
                runtime.shutdown_background();
            });
            spawned.map_err(failed)?;
        }
        Ok(balancer)
    }

    /// The address that was bound.
    pub fn address(&self) -> SocketAddr {
        self.door.address
    }

    /// Takes no new connections, lets open requests finish until the deadline.
    pub async fn shutdown(self, deadline: Duration) {
        self.door.stop.cancel();
        self.door.connections.close();
        let _ = tokio::time::timeout(deadline, self.door.connections.wait()).await;
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        self.door.stop.cancel();
        self.door.end.cancel();
    }
}

fn bind(address: SocketAddr) -> std::io::Result<std::net::TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

async fn accept(listener: std::net::TcpListener, thread: usize, door: &Arc<Door>) {
    let listener = match TcpListener::from_std(listener) {
        Ok(listener) => listener,
        Err(error) => return tracing::error!(%error, thread, "a thread of the gateway cannot listen"),
    };
    let mut near = tokio::time::interval(NEAR);
    near.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = door.stop.cancelled() => break,
            _ = near.tick() => continue,
        };
        match accepted {
            Ok((stream, peer)) => {
                let task = Task {
                    name: "client connection",
                    owner: peer.to_string().into(),
                    ends: "the client closes it, a deadline passes or the gateway stops",
                    failure: "the connection is cut without an answer",
                };
                door.connections.spawn(task.supervise(serve(stream, From { peer, thread }, door.clone())));
            }
            Err(error) => {
                // Out of file descriptors, mostly: others will be closed soon.
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
    drop(listener);
    door.end.cancelled().await;
}
