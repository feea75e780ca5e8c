//! What this replica's nodes report: to the log, and to whoever looks.

use std::sync::Arc;

use flotilla_api::debug::DebugMessage;
use flotilla_engine::observe::{DebugFeed, LogEntry, NodeView, Observer, TracingObserver};
use flotilla_value::Value;

use crate::logging::DEBUG_NODES;

/// Log lines go to the log; what debug nodes show is kept for a while, and printed if that is wanted.
pub(super) struct ReplicaObserver {
    log: TracingObserver,
    debug: Arc<DebugFeed>,
    prints: bool,
}

impl ReplicaObserver {
    pub(super) fn new(debug: Arc<DebugFeed>, prints: bool) -> ReplicaObserver {
        ReplicaObserver { log: TracingObserver, debug, prints }
    }
}

impl Observer for ReplicaObserver {
    fn log(&self, entry: &LogEntry) {
        self.log.log(entry);
    }

    fn admits_debug(&self) -> bool {
        self.debug.admits()
    }

    fn debug(&self, node: &NodeView, message: &Value) {
        let shown = self.debug.push(message);
        if !self.prints {
            return;
        }
        let text =
            |name: &str| Some(message.get(name)).filter(|value| !value.is_nullish()).map(|value| value.to_text());
        let text = |name: &str| text(name).map(|text| text.to_string()).unwrap_or_default();
        if shown.left_out > 0 {
            tracing::info!(target: DEBUG_NODES, left_out = shown.left_out, "debug messages came too fast and were left out");
        }
        let line = DebugMessage {
            topic: text("topic").into(),
            property: text("property"),
            format: text("format"),
            msg: text("msg").into(),
            ..DebugMessage::default()
        };
        let (id, kind, name) = (node.id.as_str(), node.kind.as_str(), node.name.as_str());
        let (tab, tab_id) = (node.tab_label.as_str(), node.tab.as_str());
        tracing::info!(target: DEBUG_NODES, node = id, kind, name, tab, tab_id, "{}", line.value());
    }
}
