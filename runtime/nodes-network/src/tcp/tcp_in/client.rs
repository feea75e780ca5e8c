//! Connecting, and connecting again.

use std::rc::{Rc, Weak};
use std::time::Duration;

use crate::dial::{NetError, Stream};
use crate::link::Link;
use crate::tcp::connection::{self, Event};
use crate::tcp::payload;
use crate::tcp::sessions::Sessions;
use crate::tcp::target::Target;
use crate::tcp::upkeep::Upkeep;
use flotilla_engine::message::{Msg, generate_id};
use flotilla_engine::{Node, NodeError};
use flotilla_value::Object;

use super::node::{Origin, Source};

/// A server that sent something and then ended is asked again at once.
const AT_ONCE: Duration = Duration::from_millis(20);

/// A tcp in node that connects to a server.
pub(super) struct Client {
    me: Weak<Client>,
    source: Source,
    target: Target,
}

impl Client {
    pub(super) fn build(source: Source) -> Result<Rc<dyn Node>, NodeError> {
        let target = Target::of(&source.cx)?;
        Ok(Rc::new_cyclic(|me| Client { me: me.clone(), source, target }))
    }

    fn show(&self, fill: &str, shape: &str, key: &str, origin: &Origin) {
        let cx = &self.source.cx;
        let mut status = Object::with_capacity(4);
        status.insert("fill", fill);
        status.insert("shape", shape);
        status.insert("text", cx.text(key, &[]));
        status.insert("_session", payload::session(&origin.session));
        cx.report().status(status);
    }

    async fn keep_connected(self: Rc<Client>) {
        let (cx, target) = (&self.source.cx, &self.target);
        let mut upkeep = Upkeep::new(cx, target);
        loop {
            upkeep.connecting();
            cx.report().show("grey", "dot", cx.text("common.status.connecting", &[]));
            let origin = Origin { session: generate_id(), peer: None };
            let (got_something, broke) = match target.open().await {
                Ok(stream) => {
                    upkeep.connected();
                    self.run(stream, &origin).await
                }
                Err(error) => (false, Some(error)),
            };
            self.show("red", "ring", "common.status.disconnected", &origin);
            if got_something {
                upkeep.ended();
                tokio::time::sleep(AT_ONCE).await;
            } else {
                upkeep.lost(broke.map(|error| (error.to_string(), error.value())));
                tokio::time::sleep(payload::reconnect_time(cx)).await;
            }
        }
    }

    /// One connection: whether its end completed a message, and why it broke, if it did.
    async fn run(&self, stream: Box<dyn Stream>, origin: &Origin) -> (bool, Option<NetError>) {
        let cx = &self.source.cx;
        self.show("green", "dot", "common.status.connected", origin);
        let (link, orders) = Link::new();
        let _entry = Sessions::of(cx).enter(&origin.session, &link);
        let (mut gather, mut at_end, mut broke) = (self.source.gather(), false, None);
        connection::run(stream, orders, None, async |event| match event {
            Event::Data(data) => {
                if let Err(error) = self.source.data(&mut gather, &data, origin).await {
                    cx.report().error(cx.text("tcpin.errors.error", &[("error", &error.to_string())]), None);
                    link.destroy();
                }
            }
            Event::End => at_end = self.source.end(&mut gather, origin).await,
            Event::Idle => {}
            Event::Failed(error) => broke = Some(NetError::io("read", &error, "")),
        })
        .await;
        (at_end, broke)
    }
}

impl Node for Client {
    fn receive(&self, _msg: Msg) {}

    fn start(&self) {
        if let Some(node) = self.me.upgrade() {
            self.source.cx.work().spawn(node.keep_connected());
        }
    }

    fn drain(&self) {
        self.source.intake.drain();
    }
}
