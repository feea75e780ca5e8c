//! What a node remembers.

use std::rc::Rc;
use std::sync::Arc;

use crate::context::{ContextRef, Contexts, ScopeKey};

use super::identity::Identity;

/// The contexts that a node sees.
pub struct NodeContexts {
    node: Rc<Identity>,
    stores: Arc<Contexts>,
}

impl NodeContexts {
    pub(super) fn new(node: &Rc<Identity>, stores: &Arc<Contexts>) -> NodeContexts {
        NodeContexts { node: node.clone(), stores: stores.clone() }
    }

    /// The node's own. Inside a subflow instance it goes by the id in the definition, as in Node-RED.
    pub fn own(&self) -> ContextRef {
        let id = self.node.alias().unwrap_or_else(|| self.node.id());
        self.stores.scope(ScopeKey::node(id, &self.node.z()))
    }

    /// That of the node's flow.
    pub fn flow(&self) -> ContextRef {
        self.stores.scope(ScopeKey::flow(&self.node.scope().flow().id))
    }

    /// That of the flow around the node's subflow instance, if it is in one: `$parent.` keys.
    pub fn parent_flow(&self) -> Option<ContextRef> {
        let outer = self.node.scope().outer_flow()?;
        Some(self.stores.scope(ScopeKey::flow(&outer.id)))
    }

    /// The global one.
    pub fn global(&self) -> ContextRef {
        self.stores.scope(ScopeKey::global())
    }
}
