//! Binding the server and accepting connections on every worker.

use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;

use flotilla_framing::{Alarm, Checked};
use flotilla_sockets::show_progress;
use flotilla_tasks::Task;
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use flotilla_engine::{Shared, Worker};

use super::auth::Auth;
use super::connection::Connection;
use super::gate::Gate;
use super::routes::Routes;

/// Bytes on their way in a connection that stays in memory.
const IN_MEMORY: usize = 64 * 1024;
/// Connections of a replica at once; those beyond are closed.
const CONNECTIONS: usize = 16 * 1024;

/// The HTTP server of a replica. Each worker accepts from a clone of one listener, so there is no thread of its own and a
/// request whose node lives on the accepting worker never leaves it.
pub struct HttpServer {
    address: SocketAddr,
    stop: CancellationToken,
}

impl HttpServer {
    /// Listens on an address (port 0: any free one) and serves the nodes' routes until [`HttpServer::stop`]. The server is
    /// kept in the replica's extensions.
    ///
    /// # Errors
    /// When the address cannot be bound; the caller names the port and the flag.
    pub fn bind(shared: &Arc<Shared>, address: SocketAddr) -> std::io::Result<Arc<HttpServer>> {
        let listener = std::net::TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let server = Arc::new(HttpServer { address: listener.local_addr()?, stop: CancellationToken::new() });
        let gate = Arc::new(Gate::new(shared.settings().max_in_flight));
        let auth = Arc::<Auth>::default();
        let open = Arc::new(Semaphore::new(CONNECTIONS));
        let routes = shared.extensions().get_or_init(Routes::default);
        for worker in shared.workers() {
            let (listener, stop) = (listener.try_clone()?, server.stop.clone());
            let address = server.address;
            let (gate, auth, routes, shared) = (gate.clone(), auth.clone(), routes.clone(), shared.clone());
            let open = open.clone();
            worker.run(move |worker| {
                let worker = worker.clone();
                listening(address).spawn_local(async move {
                    let Ok(listener) = TcpListener::from_std(listener) else { return };
                    let connection = Rc::new(Connection::new(shared, routes, gate, auth, worker));
                    accept(listener, connection, stop, open).await;
                });
            });
        }
        shared.extensions().insert(server.clone());
        Ok(server)
    }

    /// The address that was bound.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Stops accepting; open connections finish the request that they are at.
    pub fn stop(&self) {
        self.stop.cancel();
    }
}

/// A connection to the nodes' routes that stays in memory: for flow tests, which open no socket. `None` when the engine is
/// stopping. The server's end closes when the other end is dropped.
pub fn connect(shared: &Arc<Shared>) -> Option<DuplexStream> {
    let worker = shared.workers().into_iter().next()?;
    let (ours, theirs) = tokio::io::duplex(IN_MEMORY);
    let gate = Arc::new(Gate::new(shared.settings().max_in_flight));
    let auth = Arc::<Auth>::default();
    let (routes, shared) = (shared.extensions().get_or_init(Routes::default), shared.clone());
    worker.run(move |worker| {
        let connection = Rc::new(Connection::new(shared, routes, gate, auth, worker.clone()));
        let peer = SocketAddr::from(([127, 0, 0, 1], 0));
        serving(peer).spawn_local(serve(theirs, peer, connection, CancellationToken::new()));
    });
    Some(ours)
}

impl Drop for HttpServer {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

fn listening(address: SocketAddr) -> Task {
    Task {
        name: "http listener",
        owner: format!("{address}").into(),
        ends: "the server is stopped",
        failure: "this worker takes no more connections; the others do",
    }
}

fn serving(peer: SocketAddr) -> Task {
    Task {
        name: "http connection",
        owner: format!("{peer}").into(),
        ends: "either side closes it, or the server is stopped",
        failure: "the connection is closed and the request on it fails",
    }
}

async fn accept(listener: TcpListener, connection: Rc<Connection>, stop: CancellationToken, open: Arc<Semaphore>) {
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                let Ok(place) = open.clone().try_acquire_owned() else { continue };
                // Answers are written whole: waiting for more only costs time.
                let _ = stream.set_nodelay(true);
                show_progress(&stream);
                let connection = serve(stream, peer, connection.clone(), stop.clone());
                serving(peer).spawn_local(async move {
                    connection.await;
                    drop(place);
                });
            }
            // Out of file descriptors: the next one may be free soon.
            Err(_) => tokio::time::sleep(std::time::Duration::from_millis(20)).await,
        }
    }
}

async fn serve<S>(stream: S, peer: SocketAddr, connection: Rc<Connection>, stop: CancellationToken)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (stream, switch) = Checked::new(stream);
    let alarm = Alarm::default();
    // A token of the connection's own: all workers would lock that of all connections with each request.
    let stop = stop.child_token();
    let shared = Rc::new((connection, switch, alarm.clone()));
    let service = hyper::service::service_fn(move |mut request: http::Request<Incoming>| {
        let shared = shared.clone();
        async move {
            let (connection, switch, alarm) = &*shared;
            switch.complete(request.headers_mut());
            let answer = connection.answer(request, peer, alarm).await;
            switch.answered(answer.status());
            Ok::<_, std::convert::Infallible>(answer)
        }
    });
    let serving = hyper::server::conn::http1::Builder::new()
        .timer(alarm)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut serving = std::pin::pin!(serving);
    tokio::select! {
        _ = serving.as_mut() => return,
        () = stop.cancelled() => serving.as_mut().graceful_shutdown(),
    }
    let _ = serving.await;
}

/// The worker of this thread, kept alive by its connections.
pub(super) type Here = Rc<Worker>;
