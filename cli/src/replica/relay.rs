//! What WebSocket nodes of this replica and of the others tell each other.

use std::sync::Arc;

use bytes::Bytes;
use flotilla_engine::Shared;
use flotilla_group::GroupError;
use flotilla_group::relay::{Relay, Relaying};
use flotilla_nodes_network::websocket::{self, Others, hear};
use flotilla_store::Store;
use tokio::sync::Notify;

/// The other replicas, by the group's store.
pub struct GroupRelay {
    relay: Relay,
    begin: Arc<Notify>,
}

impl GroupRelay {
    /// Has the WebSocket nodes of this replica use it. What is given back is to be run; it costs nothing before a flow listens to
    /// WebSockets.
    ///
    /// # Errors
    /// [`GroupError::BadName`].
    pub fn install(
        store: Arc<dyn Store>,
        group: &str,
        process: &str,
        shared: &Arc<Shared>,
    ) -> Result<impl Future<Output = ()> + Send + use<>, GroupError> {
        let (relay, relaying) = Relay::new(store, group, process)?;
        let begin = Arc::new(Notify::new());
        let own = GroupRelay { relay, begin: begin.clone() };
        shared.extensions().insert(Arc::new(Others(Arc::new(own))));
        Ok(follow(relaying, begin, shared.clone()))
    }
}

async fn follow(relaying: Relaying, begin: Arc<Notify>, shared: Arc<Shared>) {
    begin.notified().await;
    relaying.run(move |message| hear(&shared, &message)).await;
}

impl websocket::Relay for GroupRelay {
    fn listen(&self) {
        self.begin.notify_one();
    }

    fn say(&self, message: Bytes) -> Result<(), String> {
        self.relay.say(message).map_err(|why| why.to_string())
    }
}
