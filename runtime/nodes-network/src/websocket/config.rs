//! The config nodes. Node-RED's two types are one: the path says whether it listens or connects.

use std::sync::Arc;

use flotilla_flows::NodeConfig;
use futures::future::BoxFuture;

use flotilla_engine::{ConfigNode, NodeCx, NodeError, Stateless};

use super::client::Client;
use super::hub::Hub;
use super::listener::Listener;

/// The row of websocket-listener in the table of node types.
pub const LISTENER: Stateless = Stateless::config("websocket-listener", build).denied_when("websocket-listen", listens);

/// The row of websocket-client in the table of node types.
pub const CLIENT: Stateless = Stateless::config("websocket-client", build).denied_when("websocket-listen", listens);

/// A websocket-listener or websocket-client.
pub struct WebSocketConfig {
    pub(super) hub: Arc<Hub>,
    side: Side,
}

enum Side {
    Listener(Listener),
    Client(Client),
}

/// A path that is no URL of a server is listened on.
fn listens(config: &NodeConfig) -> bool {
    let path = config.str("path").to_ascii_lowercase();
    !(path.starts_with("ws://") || path.starts_with("wss://"))
}

fn build(cx: NodeCx) -> Result<Arc<dyn ConfigNode>, NodeError> {
    // The editor writes text; only "true" counts.
    let hub = Hub::new(&cx, cx.config().str("wholemsg") == "true");
    let side = if listens(cx.config()) {
        Side::Listener(Listener::open(&cx, &hub)?)
    } else {
        Side::Client(Client::open(&cx, &hub)?)
    };
    Ok(Arc::new(WebSocketConfig { hub, side }))
}

impl WebSocketConfig {
    /// True when it accepts connections.
    pub(super) fn is_server(&self) -> bool {
        matches!(self.side, Side::Listener(_))
    }
}

impl ConfigNode for WebSocketConfig {
    fn start(&self) {
        if let Side::Client(client) = &self.side {
            client.start();
        }
    }

    fn drain(&self) {
        self.hub.intake.drain();
    }

    fn close(&self, _removed: bool) -> BoxFuture<'static, ()> {
        match &self.side {
            Side::Listener(listener) => Box::pin(listener.close(self.hub.clone())),
            Side::Client(client) => Box::pin(client.close(self.hub.clone())),
        }
    }
}
