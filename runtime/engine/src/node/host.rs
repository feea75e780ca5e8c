//! What a node may ask of its host.

use std::rc::Rc;
use std::sync::Arc;

use crate::message::Msg;
use crate::replica::Shared;
use flotilla_value::Value;

use super::identity::Identity;

/// Where a message can be handed to: the place of a live node.
pub trait Receive {
    /// The node handles a message, now.
    fn receive(&self, msg: Msg);
}

/// What became of an error that was passed to catch nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caught {
    /// At least one catch node has it.
    Yes,
    /// None listens to the node.
    No,
    /// The message was caught from this node so often that it goes round in a loop; none has it.
    Loops,
}

/// What a node may ask of its host, the worker that it lives on.
pub trait Host {
    /// The worker's number, from 0.
    fn index(&self) -> usize;

    /// What all workers share.
    fn shared(&self) -> &Arc<Shared>;

    /// Puts a message at the end of the run queue.
    fn enqueue(&self, target: Rc<dyn Receive>, msg: Msg);

    /// A live node of this worker handles a message, now. When it is not live the message ends here.
    fn hand(&self, node: &str, msg: Msg);

    /// Passes an error of a node to the catch nodes that listen to it.
    fn catch(&self, node: &Rc<Identity>, error: &Value, msg: &Msg) -> Caught;

    /// Passes a node's status to the status nodes that listen to it.
    fn status(&self, node: &Rc<Identity>, status: &Value);

    /// True when a complete node waits for this node.
    fn has_complete(&self, node: &Identity) -> bool;

    /// Tells the complete nodes that wait for it that the node is through with a message.
    fn complete(&self, node: &Identity, msg: &Msg);
}
