//! Accepting WebSockets on a path of the replica's HTTP server.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures::future::LocalBoxFuture;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

use crate::link::Link;
use flotilla_engine::message::generate_id;
use flotilla_engine::{NodeCx, NodeError};
use flotilla_http::{Routes, UpgradeHandler, Upgraded, node_root};

use super::hub::{Event, Hub};
use super::relay::Others;
use super::socket;

/// How long a closing listener lets its connections say goodbye.
const GOODBYE: Duration = Duration::from_millis(300);

/// A path that is listened on.
pub(super) struct Listener {
    path: String,
    routes: Arc<Routes>,
}

struct Door(Arc<Hub>);

/// The path below `httpNodeRoot`.
fn full_path(cx: &NodeCx) -> String {
    let root = node_root(&cx.settings().node_red).unwrap_or_default();
    let path = cx.config().str("path");
    format!("{root}/{}", path.strip_prefix('/').unwrap_or(path))
}

impl Listener {
    /// Listens; an error when another node has the path.
    pub(super) fn open(cx: &NodeCx, hub: &Arc<Hub>) -> Result<Listener, NodeError> {
        let routes = cx.shared().extensions().get_or_init(Routes::default);
        let path = full_path(cx);
        if !routes.add_upgrade(&path, Arc::new(Door(hub.clone()))) {
            let args = [("path", cx.config().str("path"))];
            return Err(NodeError::new(cx.text("websocket.errors.duplicate-path", &args)));
        }
        if let Some(others) = cx.shared().extensions().get::<Others>() {
            others.0.listen();
        }
        Ok(Listener { path, routes })
    }

    /// Listens no more and closes the connections.
    pub(super) fn close(&self, hub: Arc<Hub>) -> impl Future<Output = ()> + Send + 'static {
        self.routes.remove_upgrade(&self.path);
        async move {
            if tokio::time::timeout(GOODBYE, hub.close_all()).await.is_err() {
                hub.links().iter().for_each(Link::destroy);
            }
        }
    }
}

impl UpgradeHandler for Door {
    fn limits(&self) -> WebSocketConfig {
        socket::limits()
    }

    fn serve(&self, stream: Upgraded, _peer: SocketAddr) -> LocalBoxFuture<'static, ()> {
        let hub = self.0.clone();
        let session = generate_id();
        let (link, orders) = Link::new();
        Box::pin(async move {
            let count = hub.enter(&session, link);
            hub.show(Event::Opened, &session, Some(count));
            let ended = socket::run(stream, orders, None, async |data| hub.receive(data, &session).await).await;
            if ended.is_err() {
                hub.show(Event::Failed, &session, None);
            }
            let count = hub.remove(&session);
            hub.show(Event::Closed, &session, Some(count));
        })
    }
}
