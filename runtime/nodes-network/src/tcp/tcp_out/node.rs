//! The node's configuration.

use std::rc::Rc;

use bytes::Bytes;
use flotilla_flows::NodeConfig;

use crate::link::Link;
use crate::tcp::payload;
use flotilla_engine::message::Msg;
use flotilla_engine::props;
use flotilla_engine::{Node, NodeCx, NodeError, Stateless};
use flotilla_value::Value;

use super::client::Client;
use super::reply::Reply;
use super::server::Server;

/// The row in the table of node types.
pub const TYPE: Stateless = Stateless::node("tcp out", build).denied_when("tcp-listen", listens);

/// Whether the node listens: everything but `client`, `reply` and nothing does.
fn listens(config: &NodeConfig) -> bool {
    let mode = props::value(config, "beserver");
    mode.truthy() && !matches!(mode.as_str(), Some("client" | "reply"))
}

/// What all three kinds have in common.
pub(super) struct Writer {
    pub(super) cx: NodeCx,
    base64: bool,
    /// The connection is closed after each message.
    pub(super) close_after: bool,
}

fn build(cx: NodeCx) -> Result<Rc<dyn Node>, NodeError> {
    let config = cx.config();
    let writer =
        Writer { base64: props::flag(config, "base64"), close_after: props::flag(config, "end"), cx: cx.clone() };
    if listens(config) {
        return Server::build(writer);
    }
    if config.str("beserver") == "reply" {
        return Ok(Rc::new(Reply::new(writer)));
    }
    Client::build(writer)
}

impl Writer {
    /// What is sent for a message.
    pub(super) fn bytes(&self, msg: &Msg) -> Bytes {
        payload::bytes(msg.get_ref("payload").unwrap_or(&Value::Undefined), self.base64)
    }

    /// Writes to these connections and is done with the message; a peer that does not read is an error.
    pub(super) fn write(&self, links: &[Link<Bytes>], msg: &Msg) {
        let bytes = self.bytes(msg);
        for link in links {
            if let Err(full) = link.write(bytes.clone(), bytes.len(), msg) {
                self.cx.report().error(self.cx.text("tcpin.errors.error", &[("error", &full.to_string())]), Some(msg));
            }
        }
    }
}
