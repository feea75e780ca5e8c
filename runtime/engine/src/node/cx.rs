//! A node's handle to the engine.

use std::ops::Deref;
use std::rc::Rc;
use std::sync::Arc;

use crate::context::ContextRef;
use crate::expression::Surroundings;
use crate::message::Msg;
use crate::observe::NodeView;
use crate::replica::{ConfigNode, Shared, WorkerHandle};
use crate::settings::{Measure, Settings};
use flotilla_value::Value;

use super::contexts::NodeContexts;
use super::host::Host;
use super::identity::{Identity, Origin};
use super::outputs::Outputs;
use super::reporter::Reporter;
use super::work::Work;

/// A node's handle to the engine. Who the node is it gives itself, by way of [`Identity`]; where it sends, how it reports,
/// what it waits for and what it remembers are its parts. Cheap to clone; stays on its worker.
#[derive(Clone)]
pub struct NodeCx(Rc<Parts>);

struct Parts {
    node: Rc<Identity>,
    host: Rc<dyn Host>,
    view: Arc<NodeView>,
    out: Outputs,
    report: Reporter,
    work: Work,
    contexts: NodeContexts,
}

impl NodeCx {
    pub(crate) fn new(host: Rc<dyn Host>, origin: Origin) -> NodeCx {
        let order = origin.order;
        let node = Rc::new(Identity::new(origin));
        let measures = host.shared().settings_now().measure >= Measure::Nodes;
        let view = Arc::new(NodeView::new(node.seen(order), measures));
        let report = Reporter::new(&node, &host, &view);
        let work = Work::new(&node, host.shared().deliveries(), &report);
        let contexts = NodeContexts::new(&node, host.shared().contexts());
        let out = Outputs::new(host.clone(), view.clone());
        NodeCx(Rc::new(Parts { node, host, view, out, report, work, contexts }))
    }

    /// Where it sends.
    pub fn out(&self) -> &Outputs {
        &self.0.out
    }

    /// How it reports.
    pub fn report(&self) -> &Reporter {
        &self.0.report
    }

    /// What it waits for.
    pub fn work(&self) -> &Work {
        &self.0.work
    }

    /// What it remembers.
    pub fn contexts(&self) -> &NodeContexts {
        &self.0.contexts
    }

    /// Who it is, for those that keep it.
    pub fn identity(&self) -> &Rc<Identity> {
        &self.0.node
    }

    /// What is seen of it from outside.
    pub fn view(&self) -> &Arc<NodeView> {
        &self.0.view
    }

    /// What all workers share.
    pub fn shared(&self) -> &Arc<Shared> {
        self.0.host.shared()
    }

    /// The settings in force.
    pub fn settings(&self) -> Arc<Settings> {
        self.shared().settings()
    }

    /// A text of the catalogue.
    pub fn text(&self, key: &str, args: &[(&str, &str)]) -> String {
        self.shared().text(key, args)
    }

    /// A config node that this one refers to.
    pub fn config_node<T: ConfigNode>(&self, id: &str) -> Option<Arc<T>> {
        self.shared().config_node(id)
    }

    /// Replaces the credentials. A config node hears of it.
    pub fn set_credentials(&self, credentials: serde_json::Map<String, serde_json::Value>) {
        *self.0.node.credentials.borrow_mut() = credentials;
        if let Some(node) = self.shared().any_config_node(self.id()) {
            node.set_credentials(&|name| self.credential(name));
        }
    }

    /// The node itself handles a message, now: what a node emits to itself in Node-RED.
    pub fn receive(&self, msg: Msg) {
        self.0.host.hand(self.id(), msg);
    }

    /// The worker that the node lives on, for other threads; `None` once the engine stops.
    pub fn worker(&self) -> Option<WorkerHandle> {
        self.shared().worker(self.0.host.index())
    }

    /// An environment variable as this node sees it; `None` when nothing defines it.
    pub fn env(&self, name: &str) -> Option<Value> {
        match name {
            "NR_NODE_ID" => Some(Value::String(self.id().clone())),
            "NR_NODE_NAME" => Some(Value::String(self.name().clone())),
            "NR_NODE_PATH" => Some(Value::String(self.path().clone())),
            _ => self.scope().env_var(self.shared(), name),
        }
    }
}

impl Deref for NodeCx {
    type Target = Identity;

    fn deref(&self) -> &Identity {
        &self.0.node
    }
}

impl Surroundings for NodeCx {
    fn env(&self, name: &str) -> Option<Value> {
        NodeCx::env(self, name)
    }

    fn context(&self, global: bool) -> ContextRef {
        if global { self.contexts().global() } else { self.contexts().flow() }
    }

    fn parent_context(&self) -> Option<ContextRef> {
        self.contexts().parent_flow()
    }

    fn credential(&self, name: &str) -> Option<String> {
        Identity::credential(self, name)
    }
}
