//! Closing nodes.

use std::rc::Rc;

use futures::future::join_all;

use crate::message::Abandoning;
use crate::observe::Level;
use flotilla_value::Str;

use super::worker::Worker;

/// Closes nodes of this worker, all at once; each is given the close time-out. What they still held is abandoned.
pub(super) async fn close_nodes(worker: Rc<Worker>, nodes: Vec<(Str, bool)>) {
    let limit = worker.shared.settings.load().node_close_timeout;
    let closing = nodes.into_iter().filter_map(|(id, removed)| {
        let slot = worker.remove(&id)?;
        worker.shared.config_nodes.remove(&id);
        worker.shared.health.forget(&id);
        Some(async move {
            if let Some(node) = slot.node() {
                node.drain();
                if tokio::time::timeout(limit, node.close(removed)).await.is_err() {
                    let text = slot.cx.text("nodes.flows.stopping-error", &[("message", "Close timed out")]);
                    slot.cx.log_at(Level::Error, text.into());
                }
            }
            let _abandoning = Abandoning::begin();
            slot.cx.closed().cancel();
            slot.cx.set_wires(Vec::new());
            drop(slot.take());
        })
    });
    join_all(closing).await;
}
