//! Nodes that do nothing with messages: comment, unknown; and the config node global-config.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

use crate::engine::{ConfigNode, Node, NodeCx, NodeError, NodeType};
use crate::message::Msg;

/// A note on the workspace.
pub const COMMENT: NodeType = NodeType::node("comment", build_comment);
/// Stands for a type that is not here: swallows messages, visibly.
pub const UNKNOWN: NodeType = NodeType::node("unknown", build_unknown);
/// Environment variables of the whole document; the engine reads them.
pub const GLOBAL_CONFIG: NodeType = NodeType::config("global-config", build_global_config);

struct Comment;

struct Unknown {
    cx: NodeCx,
    told: Cell<bool>,
}

struct GlobalConfig;

fn build_comment(_cx: NodeCx) -> Result<Rc<dyn Node>, NodeError> {
    Ok(Rc::new(Comment))
}

fn build_unknown(cx: NodeCx) -> Result<Rc<dyn Node>, NodeError> {
    if cx.kind() != "unknown" {
        cx.show("red", "ring", cx.text("unknown.status.swallows", &[("type", cx.kind())]));
    }
    Ok(Rc::new(Unknown { cx, told: Cell::new(false) }))
}

fn build_global_config(_cx: NodeCx) -> Result<Arc<dyn ConfigNode>, NodeError> {
    Ok(Arc::new(GlobalConfig))
}

impl Node for Comment {
    fn receive(&self, _msg: Msg) {}
}

impl Node for Unknown {
    fn receive(&self, _msg: Msg) {
        if self.cx.kind() != "unknown" && !self.told.replace(true) {
            self.cx.warn(self.cx.text("unknown.warn.swallows", &[("type", self.cx.kind())]));
        }
    }
}

impl ConfigNode for GlobalConfig {}
