//! Listening: every message goes to all that are connected.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::{Rc, Weak};
use std::time::Duration;

use bytes::Bytes;
use futures::future::LocalBoxFuture;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::link::Link;
use crate::tcp::connection::{self, Event};
use crate::tcp::listener::{Accepted, Listener};
use crate::tcp::payload;
use flotilla_engine::message::Msg;
use flotilla_engine::{Node, NodeError};
use flotilla_value::{Object, Value};

use super::node::Writer;

/// How long a closing node lets what is written go out.
const GOODBYE: Duration = Duration::from_millis(300);

/// A tcp out node that accepts connections.
pub(super) struct Server {
    me: Weak<Server>,
    writer: Writer,
    listener: RefCell<Option<Listener>>,
    port: u16,
    /// In the order in which they came.
    links: RefCell<BTreeMap<u64, Link<Bytes>>>,
    next: Cell<u64>,
    stop: CancellationToken,
    /// A connection has gone.
    gone: Notify,
    /// The socket is closed.
    closed: Rc<Notify>,
}

impl Server {
    pub(super) fn build(writer: Writer) -> Result<Rc<dyn Node>, NodeError> {
        let listener = Listener::open(&writer.cx)?;
        let port = listener.local_addr().map_err(|error| NodeError::new(error.to_string()))?.port();
        Ok(Rc::new_cyclic(|me| Server {
            me: me.clone(),
            writer,
            listener: RefCell::new(Some(listener)),
            port,
            links: RefCell::default(),
            next: Cell::new(0),
            stop: CancellationToken::new(),
            gone: Notify::new(),
            closed: Rc::default(),
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
        self.gone.notify_one();
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
        let (Some(listener), Some(node)) = (self.listener.borrow_mut().take(), self.me.upgrade()) else { return };
        self.show();
        let (stop, closed) = (self.stop.clone(), self.closed.clone());
        self.writer.cx.work().spawn(async move {
            node.writer.cx.report().log(node.text("tcpin.status.listening-port"));
            listener.accept(stop, move |accepted| node.writer.cx.work().spawn(node.clone().serve(accepted))).await;
            closed.notify_one();
        });
    }

    fn close(&self, _removed: bool) -> LocalBoxFuture<'static, ()> {
        self.stop.cancel();
        let (started, closed) = (self.listener.borrow_mut().take().is_none(), self.closed.clone());
        self.writer.cx.report().log(self.text("tcpin.status.stopped-listening"));
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
            let _ = tokio::time::timeout(GOODBYE, all_gone).await;
        })
    }
}
