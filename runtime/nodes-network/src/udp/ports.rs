//! The ports of a replica's UDP nodes. Nodes with the same port share one socket: each udp in node gets every datagram, and
//! a udp out node sends from the port that a udp in node listens on.

use std::net::SocketAddr;
use std::sync::{Arc, Weak};

use bytes::Bytes;
use flotilla_tasks::Task;
use parking_lot::Mutex;
use rustc_hash::FxHashMap;
use tokio::net::UdpSocket;
use tokio_util::sync::CancellationToken;

use crate::intake::Intake;
use flotilla_engine::message::Msg;
use flotilla_engine::{NodeCx, Shared};
use flotilla_value::{Object, Str, Value};

/// No datagram is larger.
const MAX_DATAGRAM: usize = 65_536;

/// Ports that are in use; kept in the replica's extensions, because the nodes may be on different workers.
#[derive(Default)]
pub(super) struct Ports(Mutex<FxHashMap<u16, Weak<Port>>>);

/// A socket and who listens on it. It is closed when the last node lets go of it.
pub(super) struct Port {
    pub(super) socket: Arc<UdpSocket>,
    listeners: Arc<Mutex<Vec<Listener>>>,
    reading: Mutex<bool>,
    closed: CancellationToken,
}

/// A udp in node.
#[derive(Clone)]
pub(super) struct Listener {
    pub(super) node: Str,
    pub(super) intake: Intake,
    pub(super) payload: fn(&Bytes) -> Value,
}

impl Ports {
    /// The replica's table.
    pub(super) fn of(cx: &NodeCx) -> Arc<Ports> {
        cx.shared().extensions().get_or_init(Ports::default)
    }

    /// The socket of a port, if a node has it.
    pub(super) fn get(&self, number: u16) -> Option<Arc<Port>> {
        self.0.lock().get(&number)?.upgrade()
    }

    /// Enters a socket that is bound to a port.
    pub(super) fn enter(&self, number: u16, socket: UdpSocket) -> Arc<Port> {
        let port = Arc::new(Port::of(socket));
        let mut ports = self.0.lock();
        ports.retain(|_, port| port.strong_count() > 0);
        ports.insert(number, Arc::downgrade(&port));
        port
    }
}

impl Port {
    /// A socket that nobody else uses.
    pub(super) fn of(socket: UdpSocket) -> Port {
        Port {
            socket: Arc::new(socket),
            listeners: Arc::default(),
            reading: Mutex::new(false),
            closed: CancellationToken::new(),
        }
    }

    /// Hands each datagram to a node, too. The socket is read on the worker of the first that listens.
    pub(super) fn listen(&self, shared: &Arc<Shared>, listener: Listener) {
        self.listeners.lock().push(listener);
        if !std::mem::replace(&mut *self.reading.lock(), true) {
            let (socket, listeners) = (self.socket.clone(), self.listeners.clone());
            let (shared, closed) = (shared.clone(), self.closed.clone());
            let task = Task {
                name: "udp reader",
                owner: format!("{:?}", socket.local_addr().ok()).into(),
                ends: "the last node leaves the socket",
                failure: "the nodes on this socket get no more datagrams until they are deployed again",
            };
            task.spawn_local(async move {
                tokio::select! {
                    biased;
                    () = closed.cancelled() => {}
                    () = read(socket, listeners, shared) => {}
                }
            });
        }
    }

    /// A node listens no more.
    pub(super) fn leave(&self, node: &str) {
        self.listeners.lock().retain(|listener| listener.node != node);
    }
}

impl Drop for Port {
    fn drop(&mut self) {
        self.closed.cancel();
    }
}

async fn read(socket: Arc<UdpSocket>, listeners: Arc<Mutex<Vec<Listener>>>, shared: Arc<Shared>) {
    let mut buffer = vec![0; MAX_DATAGRAM];
    loop {
        let Ok((size, from)) = socket.recv_from(&mut buffer).await else {
            // The answer to an earlier send, such as "port unreachable": nothing about what comes next.
            tokio::task::yield_now().await;
            continue;
        };
        let bytes = Bytes::copy_from_slice(&buffer[..size]);
        let now = listeners.lock().clone();
        for listener in now {
            // A draining node takes nothing more, and must not keep the others waiting.
            let delivery = tokio::select! {
                biased;
                () = listener.intake.draining().cancelled_owned() => continue,
                delivery = listener.intake.admit() => delivery,
            };
            let msg = Msg::new(message((listener.payload)(&bytes), from)).in_delivery(Some(delivery));
            shared.deliver(&listener.node, msg);
        }
    }
}

fn message(payload: Value, from: SocketAddr) -> Object {
    let ip = from.ip().to_string();
    let mut msg = Object::with_capacity(5);
    msg.insert("payload", payload);
    msg.insert("fromip", format!("{ip}:{}", from.port()));
    msg.insert("ip", ip);
    msg.insert("port", f64::from(from.port()));
    msg
}
