//! Listening.

use std::cell::RefCell;
use std::rc::{Rc, Weak};
use std::time::Duration;

use bytes::Bytes;
use futures::future::LocalBoxFuture;
use rustc_hash::FxHashMap;
use tokio::sync::Notify;

use crate::dial::NetError;
use crate::link::Link;
use crate::tcp::connection::{self, Event};
use crate::tcp::listener::{Accepted, Listener};
use crate::tcp::payload;
use crate::tcp::sessions::Sessions;
use flotilla_engine::message::{Msg, generate_id};
use flotilla_engine::{Node, NodeError};
use flotilla_value::{Object, Str};

use super::node::{Origin, Source};

/// How long a closing node lets its connections say goodbye.
const GOODBYE: Duration = Duration::from_millis(300);

/// A tcp in node that accepts connections.
pub(super) struct Server {
    me: Weak<Server>,
    source: Source,
    listener: RefCell<Option<Listener>>,
    port: u16,
    links: RefCell<FxHashMap<Str, Link<Bytes>>>,
    /// A connection has gone.
    gone: Notify,
    /// The socket is closed.
    closed: Rc<Notify>,
}

impl Server {
    pub(super) fn build(source: Source) -> Result<Rc<dyn Node>, NodeError> {
        let listener = Listener::open(&source.cx)?;
        let port = listener.local_addr().map_err(|error| NodeError::new(error.to_string()))?.port();
        Ok(Rc::new_cyclic(|me| Server {
            me: me.clone(),
            source,
            listener: RefCell::new(Some(listener)),
            port,
            links: RefCell::default(),
            gone: Notify::new(),
            closed: Rc::default(),
        }))
    }

    fn text(&self, key: &str) -> String {
        self.source.cx.text(key, &[("port", &self.port.to_string())])
    }

    fn show(&self, event: &str, origin: &Origin) {
        let count = self.links.borrow().len().to_string();
        let mut status = Object::with_capacity(5);
        status.insert("text", self.source.cx.text("tcpin.status.connections", &[("count", &count)]));
        status.insert("event", event);
        if let Some(peer) = origin.peer {
            status.insert("ip", payload::ip(peer));
            status.insert("port", f64::from(peer.port()));
        }
        status.insert("_session", payload::session(&origin.session));
        self.source.cx.report().status(status);
    }

    async fn serve(self: Rc<Server>, accepted: Accepted) {
        let cx = &self.source.cx;
        let origin = Origin { session: generate_id(), peer: Some(accepted.peer) };
        let (link, orders) = Link::new();
        let _entry = Sessions::of(cx).enter(&origin.session, &link);
        self.links.borrow_mut().insert(origin.session.clone(), link.clone());
        self.show("connect", &origin);
        let mut gather = self.source.gather();
        connection::run(accepted.stream, orders, payload::idle_time(cx), async |event| match event {
            Event::Data(data) => {
                if let Err(error) = self.source.data(&mut gather, &data, &origin).await {
                    cx.report().error(cx.text("tcpin.errors.error", &[("error", &error.to_string())]), None);
                    link.destroy();
                }
            }
            Event::End => drop(self.source.end(&mut gather, &origin).await),
            Event::Idle => {
                cx.report().log(self.text("tcpin.errors.timeout"));
                link.end();
            }
            Event::Failed(error) => cx.report().log(NetError::io("read", &error, "").value()),
        })
        .await;
        self.links.borrow_mut().remove(&origin.session);
        self.show("disconnect", &origin);
        self.gone.notify_one();
    }
}

impl Node for Server {
    fn receive(&self, _msg: Msg) {}

    fn start(&self) {
        let (Some(listener), Some(node)) = (self.listener.borrow_mut().take(), self.me.upgrade()) else { return };
        let (stop, closed) = (self.source.intake.draining(), self.closed.clone());
        self.source.cx.work().spawn(async move {
            let cx = node.source.cx.clone();
            cx.report().log(node.text("tcpin.status.listening-port"));
            listener.accept(stop, move |accepted| node.source.cx.work().spawn(node.clone().serve(accepted))).await;
            closed.notify_one();
        });
    }

    fn drain(&self) {
        self.source.intake.drain();
    }

    fn close(&self, _removed: bool) -> LocalBoxFuture<'static, ()> {
        self.source.intake.drain();
        let (started, closed) = (self.listener.borrow_mut().take().is_none(), self.closed.clone());
        self.source.cx.report().log(self.text("tcpin.status.stopped-listening"));
        for link in self.links.borrow().values() {
            link.end();
        }
        let node = self.me.upgrade();
        Box::pin(async move {
            if started {
                closed.notified().await;
            }
            let Some(node) = node else { return };
            let all_gone = async {
                while !node.links.borrow().is_empty() {
                    node.gone.notified().await;
                }
            };
            // Peers that keep their side open are cut off, as are those that the flow was still writing to.
            let _ = tokio::time::timeout(GOODBYE, all_gone).await;
        })
    }
}
