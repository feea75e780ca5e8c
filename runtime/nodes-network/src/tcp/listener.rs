//! Listening: one socket for IPv4 and IPv6, with or without TLS.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use flotilla_sockets::show_progress;
use flotilla_tasks::Task;
use rustls::ServerConfig;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use crate::dial::{NetError, Stream, keep_alive};
use crate::tls_config::TlsConfig;
use flotilla_engine::{NodeCx, NodeError};

/// Connections that the system keeps until they are accepted; Node.js's default.
const BACKLOG: i32 = 511;
/// A peer that does not finish its TLS handshake is let go; Node.js's default.
const HANDSHAKE: Duration = Duration::from_secs(120);

/// A bound socket.
pub(super) struct Listener {
    socket: TcpListener,
    tls: Option<Arc<ServerConfig>>,
}

/// A connection that was accepted.
pub(super) struct Accepted {
    pub(super) stream: Box<dyn Stream>,
    pub(super) peer: SocketAddr,
}

/// The port of a node; Node.js takes 0 to 65535.
pub(super) fn port(cx: &NodeCx) -> Result<u16, NodeError> {
    let value = flotilla_engine::props::number(cx.config(), "port");
    if value.fract() == 0.0 && (0.0..=65535.0).contains(&value) {
        return Ok(value as u16);
    }
    Err(NodeError::new(format!("port \"{}\" is no port: it must be from 0 to 65535", cx.config().str("port"))))
}

fn bind(address: SocketAddr, shared: bool) -> std::io::Result<TcpListener> {
    let domain = if address.is_ipv6() { Domain::IPV6 } else { Domain::IPV4 };
    let socket = Socket::new(domain, Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(false)?;
    }
    socket.set_reuse_address(true)?;
    #[cfg(unix)]
    socket.set_reuse_port(shared)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

impl Listener {
    /// Listens on a node's port, with its tls-config node if it names one. The replicas of a group on one machine share the
    /// port: the system gives each its part of the connections.
    pub(super) fn open(cx: &NodeCx) -> Result<Listener, NodeError> {
        let port = port(cx)?;
        let tls = match cx.config().str("tls") {
            "" => None,
            id => {
                let node = cx.config_node::<TlsConfig>(id);
                let node = node.ok_or_else(|| NodeError::new(format!("the tls-config node \"{id}\" is missing")))?;
                Some(node.server().map_err(|error| NodeError::new(error.to_string()))?)
            }
        };
        let shared = cx.settings().share_subscriptions;
        let bound = bind((Ipv6Addr::UNSPECIFIED, port).into(), shared).or_else(|error| match error.kind() {
            std::io::ErrorKind::AddrInUse | std::io::ErrorKind::PermissionDenied => Err(error),
            // A machine without IPv6.
            _ => bind((Ipv4Addr::UNSPECIFIED, port).into(), shared),
        });
        match bound {
            Ok(socket) => Ok(Listener { socket, tls }),
            Err(error) => {
                let error = NetError::io("listen", &error, &format!(":::{port}"));
                let (port, error) = (port.to_string(), format!("Error: {error}"));
                let args = [("port", port.as_str()), ("error", error.as_str())];
                Err(NodeError::new(cx.text("tcpin.errors.cannot-listen", &args)))
            }
        }
    }

    /// The address that is bound.
    pub(super) fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Hands connections over as they come, until it is stopped. The socket is closed when this is done.
    pub(super) async fn accept(self, stop: CancellationToken, on: impl Fn(Accepted) + 'static) {
        let Ok(socket) = tokio::net::TcpListener::from_std(self.socket) else { return };
        let (on, tls) = (Rc::new(on), self.tls.map(TlsAcceptor::from));
        loop {
            let accepted = tokio::select! {
                biased;
                () = stop.cancelled() => return,
                accepted = socket.accept() => accepted,
            };
            match (accepted, &tls) {
                (Ok((stream, peer)), None) => {
                    prepare(&stream);
                    on(Accepted { stream: Box::new(stream), peer });
                }
                (Ok((stream, peer)), Some(tls)) => {
                    prepare(&stream);
                    let (tls, on, stop) = (tls.clone(), on.clone(), stop.clone());
                    let task = Task {
                        name: "tls handshake",
                        owner: format!("{peer}").into(),
                        ends: "it is done, refused or late, or the listener is closed",
                        failure: "the connection is closed",
                    };
                    task.spawn_local(async move {
                        let handshake = tokio::time::timeout(HANDSHAKE, tls.accept(stream));
                        let done = tokio::select! {
                            () = stop.cancelled() => return,
                            done = handshake => done,
                        };
                        // As Node-RED: a failed handshake is no connection, and nobody hears of it.
                        if let Ok(Ok(stream)) = done {
                            on(Accepted { stream: Box::new(stream), peer });
                        }
                    });
                }
                // Out of file descriptors: the next one may be free soon.
                (Err(_), _) => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    }
}

fn prepare(stream: &TcpStream) {
    keep_alive(stream);
    let _ = stream.set_nodelay(true);
    show_progress(stream);
}
