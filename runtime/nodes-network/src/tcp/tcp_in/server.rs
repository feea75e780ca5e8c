//! Listening.

use std::cell::RefCell;
use std::rc::{Rc, Weak};

use bytes::Bytes;
use futures::future::LocalBoxFuture;
use rustc_hash::FxHashMap;

use crate::dial::NetError;
use crate::link::Link;
use crate::tcp::closing::Closing;
use crate::tcp::connection::{self, Event};
use crate::tcp::listener::{Accepted, Listener};
use crate::tcp::payload;
use crate::tcp::sessions::Sessions;
use flotilla_engine::message::{Msg, generate_id};
use flotilla_engine::{Node, NodeError};
use flotilla_value::{Object, Str};

use super::node::{Origin, Source};

/// A tcp in node that accepts connections.
pub(super) struct Server {
    me: Weak<Server>,
    source: Source,
    closing: Closing,
    port: u16,
    links: RefCell<FxHashMap<Str, Link<Bytes>>>,
}

impl Server {
    pub(super) fn build(source: Source) -> Result<Rc<dyn Node>, NodeError> {
        let listener = Listener::open(&source.cx)?;
        let port = listener.local_addr().map_err(|error| NodeError::new(error.to_string()))?.port();
        Ok(Rc::new_cyclic(|me| Server {
            me: me.clone(),
            source,
            closing: Closing::new(listener),
            port,
            links: RefCell::default(),
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
        self.closing.connection_has_gone();
    }
}

impl Node for Server {
    fn receive(&self, _msg: Msg) {}

    fn start(&self) {
        let (Some(listener), Some(node)) = (self.closing.take(), self.me.upgrade()) else { return };
        let (stop, server) = (self.source.intake.draining(), node.clone());
        self.source.cx.work().spawn(async move {
            let cx = node.source.cx.clone();
            cx.report().log(node.text("tcpin.status.listening-port"));
            listener.accept(stop, move |accepted| server.source.cx.work().spawn(server.clone().serve(accepted))).await;
            node.closing.socket_has_closed();
        });
    }

    fn drain(&self) {
        self.source.intake.drain();
    }

    fn close(&self, _removed: bool) -> LocalBoxFuture<'static, ()> {
        self.source.intake.drain();
        let started = self.closing.take().is_none();
        self.source.cx.report().log(self.text("tcpin.status.stopped-listening"));
        for link in self.links.borrow().values() {
            link.end();
        }
        let node = self.me.upgrade();
        Box::pin(async move {
            let Some(node) = node else { return };
            node.closing.wait(started, || node.links.borrow().is_empty()).await;
        })
    }
}
