//! websocket in: what comes on the connections of a config node.

use std::rc::Rc;
use std::sync::Arc;

use flotilla_flows::NodeConfig;
use futures::future::LocalBoxFuture;

use flotilla_engine::message::Msg;
use flotilla_engine::{Node, NodeCx, NodeError, Stateless};
use flotilla_value::Object;

use super::config::WebSocketConfig;

/// The row in the table of node types.
pub const TYPE: Stateless = Stateless::node("websocket in", build);

struct WebSocketIn {
    cx: NodeCx,
    config: Option<Arc<WebSocketConfig>>,
}

/// The config node that a node names: its client, else its server.
pub(super) fn config_of(config: &NodeConfig) -> &str {
    match config.str("client") {
        "" => config.str("server"),
        client => client,
    }
}

fn build(cx: NodeCx) -> Result<Rc<dyn Node>, NodeError> {
    let config = cx.config_node::<WebSocketConfig>(config_of(cx.config()));
    match &config {
        Some(config) => config.hub.join(cx.id(), true),
        None => cx.report().error(cx.text("websocket.errors.missing-conf", &[]), None),
    }
    Ok(Rc::new(WebSocketIn { cx, config }))
}

impl Node for WebSocketIn {
    /// The config node hands over what comes as messages.
    fn receive(&self, msg: Msg) {
        self.cx.out().send(msg);
    }

    fn close(&self, _removed: bool) -> LocalBoxFuture<'static, ()> {
        if let Some(config) = &self.config {
            config.hub.leave(self.cx.id());
        }
        self.cx.report().status(Object::new());
        Box::pin(std::future::ready(()))
    }
}
