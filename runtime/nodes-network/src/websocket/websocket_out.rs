//! websocket out: sends to the connections of a config node.

use std::rc::Rc;
use std::sync::Arc;

use futures::future::LocalBoxFuture;

use flotilla_engine::message::Msg;
use flotilla_engine::{Node, NodeCx, NodeError, Stateless};
use flotilla_value::{Object, Value};

use super::config::WebSocketConfig;
use super::message;
use super::relay;
use super::websocket_in::config_of;

/// The row in the table of node types.
pub const TYPE: Stateless = Stateless::node("websocket out", build);

struct WebSocketOut {
    cx: NodeCx,
    config: Option<Arc<WebSocketConfig>>,
}

fn build(cx: NodeCx) -> Result<Rc<dyn Node>, NodeError> {
    let config = cx.config_node::<WebSocketConfig>(config_of(cx.config()));
    match &config {
        Some(config) => config.hub.join(cx.id(), false),
        None => cx.report().error(cx.text("websocket.errors.missing-conf", &[]), None),
    }
    Ok(Rc::new(WebSocketOut { cx, config }))
}

impl WebSocketOut {
    /// To the session that the message names, or to all; clients of other replicas too. A client has no sessions to answer on,
    /// as in Node-RED: flows delete `msg._session` to send on it what came on it.
    fn send(&self, config: &WebSocketConfig, frame: &tokio_tungstenite::tungstenite::Message, msg: &Msg) {
        let session = msg.get("_session");
        let named = (session.get("type") == Value::from("websocket")).then(|| session.get("id").to_text());
        let links = match &named {
            Some(id) if config.is_server() => config.hub.link(id).into_iter().collect(),
            Some(_) => Vec::new(),
            None => config.hub.links(),
        };
        if links.is_empty() && named.is_none() && !config.is_server() {
            let text = self.cx.text("websocket.errors.send-error", &[]);
            self.cx.report().warn(format!("{text} WebSocket is not open"));
        }
        // The client of a session that is not here may be at another replica.
        if config.is_server() && (named.is_none() || links.is_empty()) {
            let told = relay::say(self.cx.shared(), config_of(self.cx.config()), named.as_deref(), frame);
            if let Err(why) = told {
                self.cx.report().warn(format!("the clients of other replicas do not get a message: {why}"));
            }
        }
        for link in links {
            if let Err(full) = link.write(frame.clone(), frame.len(), msg) {
                let text = self.cx.text("websocket.errors.send-error", &[]);
                self.cx.report().error(format!("{text} {full}"), Some(msg));
            }
        }
    }
}

impl Node for WebSocketOut {
    fn receive(&self, msg: Msg) {
        let Some(config) = &self.config else { return self.cx.report().refuse(&msg) };
        match message::outgoing(&msg, config.hub.whole) {
            Ok(Some(frame)) => self.send(config, &frame, &msg),
            Ok(None) => {}
            Err(error) => return self.cx.report().error(error.to_string(), Some(&msg)),
        }
        self.cx.report().done(&msg);
    }

    fn close(&self, _removed: bool) -> LocalBoxFuture<'static, ()> {
        if let Some(config) = &self.config {
            config.hub.leave(self.cx.id());
        }
        self.cx.report().status(Object::new());
        Box::pin(std::future::ready(()))
    }
}
