//! What stands in the place of a node that would reach out.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

use flotilla_engine::message::Msg;
use flotilla_engine::{ConfigNode, Node, NodeCx};

use super::super::case::Answer;
use super::isolation::Isolation;
use super::role::Role;

/// Keeps messages from leaving. The test sees them as it sees those of any node: before the node does.
struct Isolated {
    cx: NodeCx,
    role: Role,
    isolation: Arc<Isolation>,
    received: Cell<usize>,
}

/// A configuration node that opens nothing.
struct IsolatedConfig;

pub(super) fn node(cx: NodeCx, role: Role, isolation: Arc<Isolation>) -> Rc<dyn Node> {
    Rc::new(Isolated { cx, role, isolation, received: Cell::new(0) })
}

pub(super) fn config() -> Arc<dyn ConfigNode> {
    Arc::new(IsolatedConfig)
}

impl Node for Isolated {
    fn receive(&self, msg: Msg) {
        let number = self.received.replace(self.received.get() + 1);
        match (self.isolation.answer(self.cx.id(), number), self.role) {
            (Some(Answer::Error(text)), _) => return self.cx.report().error(text.as_str(), Some(&msg)),
            (Some(Answer::Send { output, msg: properties }), _) => {
                let mut answer = msg.clone();
                for (key, value) in properties.iter() {
                    answer.set(key.clone(), value.clone());
                }
                self.cx.out().send_to(*output, answer);
            }
            (None, Role::PassOn) => self.cx.out().send(msg.clone()),
            (None, _) => {}
        }
        self.cx.report().done(&msg);
    }
}

impl ConfigNode for IsolatedConfig {}
