//! Connecting, and connecting again.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};
use std::time::Duration;

use bytes::Bytes;

use crate::dial::{NetError, Stream};
use crate::link::Link;
use crate::tcp::connection::{self, Event};
use crate::tcp::payload;
use crate::tcp::target::Target;
use crate::tcp::upkeep::Upkeep;
use flotilla_engine::message::Msg;
use flotilla_engine::{Node, NodeError};
use flotilla_value::{Object, Value};

use super::node::Writer;

/// After a message that closes the connection, the next one is made at once.
const AT_ONCE: Duration = Duration::from_millis(20);

/// A tcp out node that connects to a server. Messages that come while there is no connection are dropped, as in Node-RED.
pub(super) struct Client {
    me: Weak<Client>,
    writer: Writer,
    target: Target,
    link: RefCell<Option<Link<Bytes>>>,
    /// A message has closed the connection.
    closed_here: Cell<bool>,
}

impl Client {
    pub(super) fn build(writer: Writer) -> Result<Rc<dyn Node>, NodeError> {
        let target = Target::of(&writer.cx)?;
        Ok(Rc::new_cyclic(|me| Client {
            me: me.clone(),
            writer,
            target,
            link: RefCell::default(),
            closed_here: Cell::default(),
        }))
    }

    async fn keep_connected(self: Rc<Client>) {
        let (cx, target) = (&self.writer.cx, &self.target);
        let mut upkeep = Upkeep::new(cx, target);
        loop {
            upkeep.connecting();
            cx.report().show("grey", "dot", cx.text("common.status.connecting", &[]));
            let (closed_here, broke) = match target.open().await {
                Ok(stream) => {
                    upkeep.connected();
                    self.run(stream).await
                }
                Err(error) => (false, Some(error)),
            };
            cx.report().show("red", "ring", cx.text("common.status.disconnected", &[]));
            if closed_here {
                upkeep.ended();
                tokio::time::sleep(AT_ONCE).await;
            } else {
                let line = |error: &NetError| cx.text("tcpin.errors.error", &[("error", &format!("Error: {error}"))]);
                upkeep.lost(broke.map(|error| (error.to_string(), line(&error).into())));
                tokio::time::sleep(payload::reconnect_time(cx)).await;
            }
        }
    }

    /// One connection: whether a message closed it, and why it broke, if it did.
    async fn run(&self, stream: Box<dyn Stream>) -> (bool, Option<NetError>) {
        let cx = &self.writer.cx;
        cx.report().show("green", "dot", cx.text("common.status.connected", &[]));
        let (link, orders) = Link::new();
        *self.link.borrow_mut() = Some(link);
        let mut broke = None;
        connection::run(stream, orders, None, async |event| match event {
            Event::Data(_) | Event::Idle => {}
            Event::End => {
                self.link.borrow_mut().take();
                cx.report().status(Object::new());
            }
            Event::Failed(error) => {
                broke = Some(NetError::io("read", &error, ""));
                self.link.borrow_mut().take();
            }
        })
        .await;
        self.link.borrow_mut().take();
        (self.closed_here.take(), broke)
    }
}

impl Node for Client {
    fn receive(&self, msg: Msg) {
        let link = self.link.borrow().clone();
        if let Some(link) = link
            && !msg.get_ref("payload").is_none_or(Value::is_nullish)
        {
            self.writer.write(std::slice::from_ref(&link), &msg);
            if self.writer.close_after {
                self.writer.cx.report().status(Object::new());
                self.closed_here.set(true);
                link.close();
                // Node-RED drops what comes before the next connection.
                self.link.borrow_mut().take();
            }
        }
        self.writer.cx.report().done(&msg);
    }

    fn start(&self) {
        if let Some(node) = self.me.upgrade() {
            self.writer.cx.work().spawn(node.keep_connected());
        }
    }
}
