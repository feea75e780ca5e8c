//! What stands in the place of a node whose type is not here (`--allow-unknown`): it swallows messages, visibly.

use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

use flotilla_engine::message::Msg;
use flotilla_engine::{Node, NodeCx, NodeError, Stateless};
use flotilla_value::Str;

/// The row in the table of node types.
pub const TYPE: Stateless = Stateless::node("unknown", build);

/// The messages that unknown nodes have swallowed, for metrics. In the engine's extensions.
#[derive(Default)]
pub struct Swallowed {
    nodes: Mutex<Vec<Arc<Count>>>,
}

/// One node's count.
struct Count {
    id: Str,
    kind: Str,
    messages: AtomicU64,
}

struct Unknown {
    cx: NodeCx,
    count: Option<Arc<Count>>,
}

impl Swallowed {
    /// Id, type and messages of every unknown node that ever ran here.
    pub fn counts(&self) -> Vec<(Str, Str, u64)> {
        let nodes = self.nodes.lock();
        nodes.iter().map(|node| (node.id.clone(), node.kind.clone(), node.messages.load(Ordering::Relaxed))).collect()
    }

    /// The count of a node; one that was restarted goes on counting.
    fn of(&self, id: &Str, kind: &str) -> Arc<Count> {
        let mut nodes = self.nodes.lock();
        if let Some(known) = nodes.iter().find(|node| node.id == *id && node.kind == kind) {
            return known.clone();
        }
        let count = Arc::new(Count { id: id.clone(), kind: Str::new(kind), messages: AtomicU64::new(0) });
        nodes.push(count.clone());
        count
    }
}

fn build(cx: NodeCx) -> Result<Rc<dyn Node>, NodeError> {
    // Node-RED's own type `unknown` stands for a node that was not there when it was imported: it says nothing.
    let is_own = cx.kind() == "unknown";
    let count = (!is_own).then(|| cx.shared().extensions().get_or_init(Swallowed::default).of(cx.id(), cx.kind()));
    Ok(Rc::new(Unknown { cx, count }))
}

impl Node for Unknown {
    fn start(&self) {
        if self.count.is_some() {
            let text = format!("unknown type {}: swallows messages", self.cx.kind());
            self.cx.report().show("red", "ring", text);
        }
    }

    fn receive(&self, msg: Msg) {
        let Some(count) = &self.count else { return };
        let before = count.messages.fetch_add(1, Ordering::Relaxed);
        if before == 0 {
            self.cx.report().warn(format!(
                "the node type \"{}\" is not known here: this node swallows messages (--allow-unknown); further ones are \
                 counted in flotilla_unknown_node_messages_total",
                self.cx.kind()
            ));
        }
        drop(msg);
    }
}
