//! The node's configuration.

use std::net::SocketAddr;
use std::rc::Rc;

use flotilla_flows::NodeConfig;

use crate::intake::Intake;
use crate::tcp::gather::{Cut, Datatype, Gather, TooMuch};
use crate::tcp::payload;
use flotilla_engine::message::Msg;
use flotilla_engine::props;
use flotilla_engine::{Node, NodeCx, NodeError, Stateless};
use flotilla_value::{Object, Str, Value};

use super::client::Client;
use super::server::Server;

/// The row in the table of node types.
pub const TYPE: Stateless = Stateless::node("tcp in", build).denied_when("tcp-listen", listens);

/// Whether the node listens; a value that only the environment knows may turn out to.
fn listens(config: &NodeConfig) -> bool {
    match props::value(config, "server") {
        Value::Bool(server) => server,
        Value::String(server) => server == "server" || server.contains("${"),
        _ => false,
    }
}

/// What makes messages of what comes, for both kinds of connection.
pub(super) struct Source {
    pub(super) cx: NodeCx,
    pub(super) intake: Intake,
    cut: Cut,
    topic: Option<Value>,
}

/// The connection that bytes came on.
pub(super) struct Origin {
    pub(super) session: Str,
    /// Connections that were made, not accepted, have none.
    pub(super) peer: Option<SocketAddr>,
}

fn build(cx: NodeCx) -> Result<Rc<dyn Node>, NodeError> {
    let config = cx.config();
    let server = listens(config);
    let stream = matches!(config.str("datamode"), "" | "stream");
    let named = config.str("datatype");
    let datatype = Datatype::named(named)
        .ok_or_else(|| NodeError::new(format!("datatype \"{named}\" is not known: it is buffer, utf8 or base64")))?;
    let separator = config.str("newline").replace("\\n", "\n").replace("\\r", "\r").replace("\\t", "\t");
    // Node-RED: only servers look for separators in base64 digits.
    let separates = datatype == Datatype::Utf8 || (server && datatype == Datatype::Base64);
    let cut = Cut {
        stream,
        datatype,
        separator: if separates { separator.into_bytes() } else { Vec::new() },
        keep_separator: props::flag(config, "trim"),
    };
    let topic = Some(props::value(config, "topic")).filter(|topic| !topic.is_undefined());
    let source = Source { intake: Intake::new(cx.shared(), cx.id()), cut, topic, cx };
    Ok(if server { Server::build(source)? } else { Client::build(source)? })
}

impl Source {
    /// For a new connection.
    pub(super) fn gather(&self) -> Gather {
        Gather::new(self.cut.clone())
    }

    /// Bytes came: sends what is complete, as fast as the flow takes it.
    pub(super) async fn data(&self, gather: &mut Gather, data: &[u8], origin: &Origin) -> Result<(), TooMuch> {
        for payload in gather.push(data)? {
            self.send(payload, origin).await;
        }
        Ok(())
    }

    /// The peer ended: sends what is left. True when there was something.
    pub(super) async fn end(&self, gather: &mut Gather, origin: &Origin) -> bool {
        let Some(payload) = gather.end() else { return false };
        self.send(payload, origin).await;
        true
    }

    async fn send(&self, payload: Value, origin: &Origin) {
        let delivery = self.intake.admit().await;
        let mut msg = Object::with_capacity(6);
        if let Some(topic) = &self.topic {
            msg.insert("topic", topic.clone());
        }
        msg.insert("payload", payload);
        if let Some(peer) = origin.peer {
            msg.insert("ip", payload::ip(peer));
            msg.insert("port", f64::from(peer.port()));
        }
        msg.insert("_session", payload::session(&origin.session));
        self.cx.out().send(Msg::new(msg).in_delivery(Some(delivery)));
    }
}
