//! Nodes that do nothing with messages: comment; and the config node global-config.

use std::rc::Rc;
use std::sync::Arc;

use flotilla_engine::message::Msg;
use flotilla_engine::{ConfigNode, Node, NodeCx, NodeError, Stateless};

/// A note on the workspace.
pub const COMMENT: Stateless = Stateless::node("comment", build_comment);
/// Environment variables of the whole document; the engine reads them.
pub const GLOBAL_CONFIG: Stateless = Stateless::config("global-config", build_global_config);

struct Comment;

struct GlobalConfig;

fn build_comment(_cx: NodeCx) -> Result<Rc<dyn Node>, NodeError> {
    Ok(Rc::new(Comment))
}

fn build_global_config(_cx: NodeCx) -> Result<Arc<dyn ConfigNode>, NodeError> {
    Ok(Arc::new(GlobalConfig))
}

impl Node for Comment {
    fn receive(&self, _msg: Msg) {}
}

impl ConfigNode for GlobalConfig {}
