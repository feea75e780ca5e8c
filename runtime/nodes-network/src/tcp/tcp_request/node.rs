//! The node: which server a message is for, and what waits for it.

use std::cell::RefCell;
use std::rc::{Rc, Weak};

use futures::future::LocalBoxFuture;
use indexmap::IndexMap;

use crate::intake::Intake;
use crate::link::Link;
use crate::tcp::gather::Gather;
use crate::tcp::target::Target;
use flotilla_engine::message::Msg;
use flotilla_engine::{Node, NodeCx, NodeError, Stateless};
use flotilla_value::{Object, Value};

use super::config::{Config, Until};
use super::peer::Peer;

/// The row in the table of node types.
pub const TYPE: Stateless = Stateless::node("tcp request", build);

/// Messages that may wait for one connection; setting `tcpMsgQueueSize`.
const QUEUE: usize = 1000;

pub(super) struct TcpRequest {
    me: Weak<TcpRequest>,
    pub(super) cx: NodeCx,
    pub(super) config: Config,
    pub(super) intake: Intake,
    /// By `host:port`.
    pub(super) peers: RefCell<IndexMap<String, Rc<Peer>>>,
    last_key: RefCell<String>,
}

fn build(cx: NodeCx) -> Result<Rc<dyn Node>, NodeError> {
    let config = Config::of(&cx)?;
    let intake = Intake::new(cx.shared(), cx.id());
    Ok(Rc::new_cyclic(|me| TcpRequest {
        me: me.clone(),
        cx,
        config,
        intake,
        peers: RefCell::default(),
        last_key: RefCell::default(),
    }))
}

impl TcpRequest {
    /// The server of a message: host and port as Node-RED prints them.
    fn address(&self, msg: &Msg) -> (Value, Value) {
        let (server, port) = (self.config.server.as_str(), self.config.port);
        let host = if server.is_empty() { msg.get("host") } else { Value::from(server) };
        let port = if port == 0.0 || port.is_nan() { msg.get("port") } else { Value::from(port) };
        (host, port)
    }

    /// `msg.reset` closes connections that stay: all, or one by its `host:port`.
    fn reset(&self, which: &Value) {
        let closed: Vec<Rc<Peer>> = match which {
            Value::Bool(true) => self.peers.borrow_mut().drain(..).map(|(_, peer)| peer).collect(),
            Value::String(key) => self.peers.borrow_mut().shift_remove(key.as_str()).into_iter().collect(),
            _ => Vec::new(),
        };
        for peer in closed {
            peer.link.destroy();
        }
        let shape = if self.peers.borrow().is_empty() { "ring" } else { "dot" };
        self.cx.report().show("green", shape, self.connections());
    }

    /// How many connections there are, as a status shows it.
    pub(super) fn connections(&self) -> String {
        self.cx.text("tcpin.status.connections", &[("count", &self.peers.borrow().len().to_string())])
    }

    /// Forgets a connection; false when another has its place already.
    pub(super) fn forget(&self, peer: &Rc<Peer>) -> bool {
        let mut peers = self.peers.borrow_mut();
        let own = peers.get(&peer.key).is_some_and(|known| Rc::ptr_eq(known, peer));
        if own {
            peers.shift_remove(&peer.key);
        }
        own
    }

    /// Sends a message on an open connection.
    pub(super) fn write(&self, peer: &Peer, msg: &Msg) {
        let bytes = match msg.get_ref("payload") {
            None | Some(Value::Undefined) => None,
            Some(Value::Buffer(bytes)) => Some(bytes.clone()),
            Some(other) => Some(bytes::Bytes::copy_from_slice(other.to_text().as_bytes())),
        };
        if let Some(bytes) = bytes
            && let Err(full) = peer.link.write(bytes.clone(), bytes.len(), msg)
        {
            self.cx.report().error(self.cx.text("tcpin.errors.error", &[("error", &full.to_string())]), Some(msg));
            return;
        }
        self.cx.report().done(msg);
    }

    fn enqueue(&self, peer: &Peer, msg: Msg) {
        let size = self.cx.settings().number("tcpMsgQueueSize").map_or(QUEUE, |size| size as usize).max(1);
        let dropped = {
            let mut queue = peer.queue.borrow_mut();
            let dropped = if queue.len() >= size { queue.pop_front() } else { None };
            queue.push_back(msg);
            dropped
        };
        if let Some(dropped) = dropped {
            self.cx.report().error(self.cx.text("tcpin.errors.queue-full", &[("host", &peer.key)]), Some(&dropped));
        }
    }
}

impl Node for TcpRequest {
    fn receive(&self, mut msg: Msg) {
        let cx = &self.cx;
        match msg.get("payload") {
            Value::Undefined | Value::Buffer(_) | Value::String(_) => {}
            Value::Null => return cx.report().error("the payload is null: there is nothing to send", Some(&msg)),
            other => msg.set("payload", other.to_text()),
        }
        let (host, port) = self.address(&msg);
        let reset = msg.get("reset");
        if self.config.until == Until::Forever && reset.truthy() {
            self.reset(&reset);
            if !msg.has("payload") {
                return;
            }
        }
        let key = format!("{}:{}", host.to_text(), port.to_text());
        if *self.last_key.borrow() != key {
            cx.report().status(Object::new());
            self.last_key.borrow_mut().clone_from(&key);
        }
        let known = self.peers.borrow().get(&key).cloned();
        let last = if self.config.until == Until::Forever { msg.clone().in_delivery(None) } else { msg.clone() };
        if let Some(peer) = known {
            *peer.last.borrow_mut() = last;
            if peer.connected.get() {
                self.write(&peer, &msg);
            } else {
                self.enqueue(&peer, msg);
            }
            return;
        }
        if !host.truthy() || !port.truthy() {
            cx.report().warn(cx.text("tcpin.errors.no-host", &[]));
            return cx.report().done(&msg);
        }
        let number = port.to_number();
        if number.fract() != 0.0 || !(1.0..=65535.0).contains(&number) {
            let text = format!("port \"{}\" is no port: it must be from 1 to 65535", port.to_text());
            return cx.report().error(text, Some(&msg));
        }
        let (link, orders) = Link::new();
        let peer = Rc::new(Peer::new(key.clone(), link, Gather::new(self.config.cut.clone())));
        *peer.last.borrow_mut() = last.clone();
        self.enqueue(&peer, msg);
        self.peers.borrow_mut().insert(key, peer.clone());
        let target = Target::new(host.to_text().to_string(), number as u16, self.config.secure.clone());
        if let Some(node) = self.me.upgrade() {
            cx.work().spawn(node.exchange(peer, target, last, orders));
        }
    }

    fn drain(&self) {
        self.intake.drain();
    }

    fn close(&self, _removed: bool) -> LocalBoxFuture<'static, ()> {
        for peer in self.peers.borrow().values() {
            peer.link.destroy();
        }
        self.cx.report().status(Object::new());
        Box::pin(std::future::ready(()))
    }
}
