//! Where a node sends.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use crate::message::{Msg, generate_id};
use crate::observe::NodeView;
use flotilla_value::Value;

use super::host::{Host, Receive};

/// A node's outputs and what is wired to them. What is sent goes to the end of the worker's run queue.
pub struct Outputs {
    host: Rc<dyn Host>,
    view: Arc<NodeView>,
    wires: RefCell<Vec<Vec<Rc<dyn Receive>>>>,
}

impl Outputs {
    pub(super) fn new(host: Rc<dyn Host>, view: Arc<NodeView>) -> Outputs {
        Outputs { host, view, wires: RefCell::default() }
    }

    /// The number of outputs.
    pub fn count(&self) -> usize {
        self.wires.borrow().len()
    }

    /// True when something is wired to this output.
    pub fn is_wired(&self, port: usize) -> bool {
        self.wires.borrow().get(port).is_some_and(|wires| !wires.is_empty())
    }

    /// Sends a message out of the first output.
    pub fn send(&self, msg: Msg) {
        self.send_to(0, msg);
    }

    /// Sends a message out of an output, to every wire. Without a wire it ends here.
    pub fn send_to(&self, port: usize, mut msg: Msg) {
        self.view.sends(1);
        let wires = self.wires.borrow();
        let Some((last, others)) = wires.get(port).and_then(|targets| targets.split_last()) else { return };
        msg.ensure_id();
        for target in others {
            self.host.enqueue(target.clone(), msg.clone());
        }
        self.host.enqueue(last.clone(), msg);
    }

    /// Sends several messages: the list for output 0, for output 1, ... Messages without an id get one in common.
    pub fn send_all(&self, outputs: Vec<Vec<Msg>>) {
        self.view.sends(outputs.iter().map(Vec::len).sum());
        let sent = outputs.iter().flatten().map(Msg::id).find(|id| !id.is_empty());
        let id = sent.unwrap_or_else(generate_id);
        let wires = self.wires.borrow();
        for (mut msgs, targets) in outputs.into_iter().zip(wires.iter()) {
            for msg in &mut msgs {
                if !msg.get_ref("_msgid").is_some_and(Value::truthy) {
                    msg.set("_msgid", id.clone());
                }
            }
            // Node-RED: every message to the first wire, then every message to the next.
            for target in targets {
                for msg in &msgs {
                    self.host.enqueue(target.clone(), msg.clone());
                }
            }
        }
    }

    pub(crate) fn set_wires(&self, wires: Vec<Vec<Rc<dyn Receive>>>) {
        *self.wires.borrow_mut() = wires;
    }
}
