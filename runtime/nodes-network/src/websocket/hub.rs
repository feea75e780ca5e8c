//! What a config node and the nodes that use it have in common: who receives, who is shown what, who is connected.

use std::sync::Arc;

use indexmap::IndexMap;
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio_tungstenite::tungstenite::Message;
use tokio_util::sync::CancellationToken;

use crate::intake::Intake;
use crate::link::Link;
use flotilla_engine::message::Msg;
use flotilla_engine::{NodeCx, Shared};
use flotilla_value::{Object, Str, Value};

use super::message;

/// The nodes and connections of a config node; its nodes may be on other workers.
pub(super) struct Hub {
    shared: Arc<Shared>,
    pub(super) intake: Intake,
    /// Messages are whole messages in JSON, not payloads.
    pub(super) whole: bool,
    nodes: Mutex<Vec<User>>,
    links: Mutex<IndexMap<Str, Link<Message>>>,
    /// A connection has gone.
    gone: Notify,
    /// Some node has used it.
    pub(super) used: CancellationToken,
}

/// A node that uses the config node.
struct User {
    id: Str,
    receives: bool,
}

/// What happens to a connection, as statuses show it.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Event {
    Opened,
    Failed,
    Closed,
}

impl Hub {
    pub(super) fn new(cx: &NodeCx, whole: bool) -> Arc<Hub> {
        Arc::new(Hub {
            shared: cx.shared().clone(),
            intake: Intake::new(cx.shared(), cx.id()),
            whole,
            nodes: Mutex::default(),
            links: Mutex::default(),
            gone: Notify::new(),
            used: CancellationToken::new(),
        })
    }

    /// A node begins to use it.
    pub(super) fn join(&self, id: &Str, receives: bool) {
        let mut nodes = self.nodes.lock();
        nodes.retain(|user| user.id != *id);
        nodes.push(User { id: id.clone(), receives });
        self.used.cancel();
    }

    /// A node uses it no more.
    pub(super) fn leave(&self, id: &Str) {
        self.nodes.lock().retain(|user| user.id != *id);
    }

    /// A connection is there. Returns how many there are.
    pub(super) fn enter(&self, session: &Str, link: Link<Message>) -> usize {
        let mut links = self.links.lock();
        links.insert(session.clone(), link);
        links.len()
    }

    /// A connection is gone. Returns how many are left.
    pub(super) fn remove(&self, session: &Str) -> usize {
        let mut links = self.links.lock();
        links.shift_remove(session);
        self.gone.notify_waiters();
        links.len()
    }

    /// The connection of a session.
    pub(super) fn link(&self, session: &str) -> Option<Link<Message>> {
        self.links.lock().get(session).cloned()
    }

    /// All connections.
    pub(super) fn links(&self) -> Vec<Link<Message>> {
        self.links.lock().values().cloned().collect()
    }

    /// Closes all connections and waits until they are gone.
    pub(super) async fn close_all(&self) {
        loop {
            let gone = self.gone.notified();
            let links = self.links();
            if links.is_empty() {
                return;
            }
            links.iter().for_each(Link::close);
            gone.await;
        }
    }

    /// Hands what came on a connection to the nodes that receive, as fast as the flow takes it.
    pub(super) async fn receive(&self, data: Value, session: &Str) {
        let ids: Vec<Str> = {
            let nodes = self.nodes.lock();
            nodes.iter().filter(|user| user.receives).map(|user| user.id.clone()).collect()
        };
        if ids.is_empty() {
            return;
        }
        for object in message::incoming(data, self.whole, session) {
            let msg = Msg::new(object).in_delivery(Some(self.intake.admit().await));
            for id in &ids {
                self.shared.deliver(id, msg.clone());
            }
        }
    }

    /// Shows what happened to a connection at all nodes. `count`: the connections of a listener.
    pub(super) fn show(&self, event: Event, session: &Str, count: Option<usize>) {
        let connected = || {
            let count = count.map(|count| count.to_string()).unwrap_or_default();
            self.shared.text("websocket.status.connected", &[("count", &count)])
        };
        let (fill, shape, text, name) = match event {
            Event::Opened => ("green", "dot", connected(), "connect"),
            Event::Failed => ("red", "ring", self.shared.text("common.status.error", &[]), "error"),
            Event::Closed if count.is_some_and(|count| count > 0) => ("green", "dot", connected(), "disconnect"),
            Event::Closed => ("red", "ring", self.shared.text("common.status.disconnected", &[]), "disconnect"),
        };
        let mut status = Object::with_capacity(5);
        status.insert("fill", fill);
        status.insert("shape", shape);
        status.insert("text", text);
        status.insert("event", name);
        status.insert("_session", message::session(session));
        let ids: Vec<Str> = self.nodes.lock().iter().map(|user| user.id.clone()).collect();
        for id in ids {
            let status = status.clone();
            if let Some(worker) = self.shared.worker_of(&id) {
                worker.run(move |worker| {
                    if let Some(slot) = worker.slot(&id) {
                        slot.cx.report().status(status);
                    }
                });
            }
        }
    }
}
