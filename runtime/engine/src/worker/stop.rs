//! Closing nodes.

use std::rc::Rc;

use futures::future::join_all;

use crate::message::Abandoning;
use crate::observe::Level;
use flotilla_value::Str;

use super::run_queue::Worker;

impl Worker {
    /// Closes one node and forgets it, as a deploy without it would.
    pub async fn close_node(self: Rc<Self>, id: Str, removed: bool) {
        self.close_nodes(vec![(id, removed)]).await;
    }

    /// Closes nodes of this worker, all at once; each is given the close time-out. What they still held is abandoned.
    pub(crate) async fn close_nodes(self: Rc<Self>, nodes: Vec<(Str, bool)>) {
        let limit = self.shared().settings().node_close_timeout;
        let closing = nodes.into_iter().filter_map(|(id, removed)| {
            let slot = self.remove(&id)?;
            self.shared().health().forget(&id);
            Some(async move {
                if let Some(node) = slot.node() {
                    node.drain();
                    if tokio::time::timeout(limit, node.close(removed)).await.is_err() {
                        let text = slot.cx.text("nodes.flows.stopping-error", &[("message", "Close timed out")]);
                        slot.cx.report().log_at(Level::Error, text.into());
                    }
                }
                let _abandoning = Abandoning::begin();
                slot.cx.work().closed().cancel();
                slot.cx.out().set_wires(Vec::new());
                drop(slot.take());
            })
        });
        join_all(closing).await;
    }
}
