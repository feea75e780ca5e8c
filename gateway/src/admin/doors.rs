//! A listener whose handshakes do not wait for each other.

use std::future::pending;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use flotilla_balancer::tls::Tls;
use flotilla_sockets::{Patient, show_progress};
use flotilla_tasks::Task;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio_rustls::server::TlsStream;
use tokio_util::either::Either;
use tokio_util::sync::CancellationToken;

/// So many handshakes go on at once; connections beyond wait in the system's queue.
const HANDSHAKES: usize = 256;

/// A connection, with or without TLS.
type Stream = Either<TcpStream, TlsStream<TcpStream>>;

/// Connections of an address, those with TLS after their handshake.
pub(super) struct Doors {
    address: SocketAddr,
    accepted: mpsc::Receiver<(Stream, SocketAddr)>,
}

/// Where a request came from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer(pub(super) SocketAddr);

impl Doors {
    /// Accepts connections until the token is cancelled.
    pub(super) fn open(
        listener: TcpListener,
        tls: Option<Arc<Tls>>,
        stop: CancellationToken,
    ) -> std::io::Result<Doors> {
        let address = listener.local_addr()?;
        let (send, accepted) = mpsc::channel(HANDSHAKES);
        let task = Task {
            name: "admin listener",
            owner: address.to_string().into(),
            ends: "the admin API is dropped",
            failure: "the admin API takes no new connections; restart the gateway",
        };
        drop(task.spawn(async move {
            tokio::select! {
                () = accept(listener, tls, send) => {}
                () = stop.cancelled() => {}
            }
        }));
        Ok(Doors { address, accepted })
    }
}

async fn accept(listener: TcpListener, tls: Option<Arc<Tls>>, send: mpsc::Sender<(Stream, SocketAddr)>) {
    let turns = Arc::new(Semaphore::new(HANDSHAKES));
    loop {
        let (stream, peer) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of file descriptors, mostly: others will be closed soon.
                tracing::warn!(%error, "cannot accept a connection to the admin API");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        show_progress(&stream);
        let Some(tls) = &tls else {
            if send.send((Either::Left(stream), peer)).await.is_err() {
                return;
            }
            continue;
        };
        let Ok(turn) = turns.clone().acquire_owned().await else { return };
        let (tls, send) = (tls.clone(), send.clone());
        let task = Task {
            name: "TLS handshake",
            owner: peer.to_string().into(),
            ends: "it is done or its time is over",
            failure: "the connection is cut",
        };
        drop(task.spawn(async move {
            let _turn = turn;
            match tls.accept(stream).await {
                Ok(stream) => drop(send.send((Either::Right(stream), peer)).await),
                Err(error) => tracing::debug!(%peer, "no TLS: {error}"),
            }
        }));
    }
}

impl Listener for Doors {
    type Io = Patient<Stream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Patient<Stream>, SocketAddr) {
        match self.accepted.recv().await {
            Some((stream, peer)) => (Patient::new(stream), peer),
            // It is closed: the server that asks is about to stop.
            None => pending().await,
        }
    }

    fn local_addr(&self) -> std::io::Result<SocketAddr> {
        Ok(self.address)
    }
}

impl Connected<IncomingStream<'_, Doors>> for Peer {
    fn connect_info(stream: IncomingStream<'_, Doors>) -> Peer {
        Peer(*stream.remote_addr())
    }
}
