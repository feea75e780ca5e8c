//! Listening: every message goes to all that are connected.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::{Rc, Weak};

use bytes::Bytes;
use futures::future::LocalBoxFuture;
use tokio_util::sync::CancellationToken;

use crate::link::Link;
use crate::tcp::closing::Closing;
use crate::tcp::connection::{self, Event};
use crate::tcp::listener::{Accepted, Listener};
use crate::tcp::payload;
use flotilla_engine::message::Msg;
use flotilla_engine::{Node, NodeError};
use flotilla_value::{Object, Value};

use super::node::Writer;

/// A tcp out node that accepts connections.
pub(super) struct Server {
    me: Weak<Server>,
    writer: Writer,
    closing: Closing,
    port: u16,
    /// In the order in which they came.
    links: RefCell<BTreeMap<u64, Link<Bytes>>>,
    next: Cell<u64>,
    stop: CancellationToken,
}

impl Server {
    pub(super) fn build(writer: Writer) -> Result<Rc<dyn Node>, NodeError> {
        let listener = Listener::open(&writer.cx)?;
        let port = listener.local_addr().map_err(|error| NodeError::new(error.to_string()))?.port();
        Ok(Rc::new_cyclic(|me| Server {
            me: me.clone(),
            writer,
            closing: Closing::new(listener),
            port,
            links: RefCell::default(),
            next: Cell::new(0),
            stop: CancellationToken::new(),
        }))
    }

    fn text(&self, key: &str) -> String {
        self.writer.cx.text(key, &[("port", &self.port.to_string())])
    }

    fn show(&self) {
        let count = self.links.borrow().len().to_string();
        let text = self.writer.cx.text("tcpin.status.connections", &[("count", &count)]);
        let status: Object = [("text", text)].into_iter().collect();
        self.writer.cx.report().status(status);
    }

    async fn serve(self: Rc<Server>, accepted: Accepted) {
        let cx = &self.writer.cx;
        let (host, port) = (accepted.peer.ip().to_string(), accepted.peer.port().to_string());
        let args = [("host", host.as_str()), ("port", port.as_str())];
        let (link, orders) = Link::new();
        let number = self.next.replace(self.next.get() + 1);
        cx.report().log(cx.text("tcpin.status.connection-from", &args));
        self.links.borrow_mut().insert(number, link.clone());
        self.show();
        connection::run(accepted.stream, orders, payload::idle_time(cx), async |event| match event {
            // What peers send is read, so that their end is seen, and means nothing.
            Event::Data(_) | Event::End => {}
            Event::Idle => {
                cx.report().log(self.text("tcpin.errors.timeout"));
                link.end();
            }
            Event::Failed(_) => cx.report().log(cx.text("tcpin.errors.socket-error", &args)),
        })
        .await;
        cx.report().log(cx.text("tcpin.status.connection-closed", &args));
        self.links.borrow_mut().remove(&number);
        self.show();
        self.closing.connection_has_gone();
    }
}

impl Node for Server {
    fn receive(&self, msg: Msg) {
        if !msg.get_ref("payload").is_none_or(Value::is_nullish) {
            let links: Vec<Link<Bytes>> = self.links.borrow().values().cloned().collect();
            self.writer.write(&links, &msg);
            if self.writer.close_after {
                links.iter().for_each(Link::end);
            }
        }
        self.writer.cx.report().done(&msg);
    }

    fn start(&self) {
        let (Some(listener), Some(node)) = (self.closing.take(), self.me.upgrade()) else { return };
        self.show();
        let (stop, server) = (self.stop.clone(), node.clone());
        self.writer.cx.work().spawn(async move {
            node.writer.cx.report().log(node.text("tcpin.status.listening-port"));
            listener.accept(stop, move |accepted| server.writer.cx.work().spawn(server.clone().serve(accepted))).await;
            node.closing.socket_has_closed();
        });
    }

    fn close(&self, _removed: bool) -> LocalBoxFuture<'static, ()> {
        self.stop.cancel();
        let started = self.closing.take().is_none();
        self.writer.cx.report().log(self.text("tcpin.status.stopped-listening"));
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
