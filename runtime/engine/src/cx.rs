//! A node's handle to the engine.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::rc::Rc;
use std::sync::Arc;

use flotilla_flows::{NodeConfig, ScopeKind};
use flotilla_tasks::Task;
use tokio_util::sync::CancellationToken;

use crate::context::{ContextRef, ScopeKey};
use crate::message::{Abandoning, Delivery, Msg, Outcome, generate_id};
use crate::observe::{Level, LogEntry};
use crate::settings::Settings;
use flotilla_value::{Str, Value};

use super::deploy::NodeProblem;
use super::node::ConfigNode;
use super::scope::Scope;
use super::shared::{Shared, now_ms};
use super::slot::Slot;
use super::worker::Worker;
use super::{env, report, route};

/// A node's handle to the engine: who it is, where it sends, how it reports. Cheap to clone; stays on its worker.
#[derive(Clone)]
pub struct NodeCx(Rc<Inner>);

struct Inner {
    id: Str,
    kind: Str,
    name: Str,
    alias: Option<Str>,
    path: Str,
    is_config: bool,
    config: NodeConfig,
    scope: Rc<Scope>,
    worker: Rc<Worker>,
    credentials: RefCell<serde_json::Map<String, serde_json::Value>>,
    users: RefCell<Vec<Str>>,
    wires: RefCell<Vec<Vec<Rc<Slot>>>>,
    closed: CancellationToken,
    /// It is being made or started: an error without a message is a reason why it does not work.
    starting: Cell<bool>,
    trouble: RefCell<Option<String>>,
}

/// What a node is made from.
pub(super) struct Origin {
    pub(super) config: NodeConfig,
    pub(super) alias: Option<String>,
    pub(super) path: String,
    pub(super) is_config: bool,
    pub(super) scope: Rc<Scope>,
    pub(super) credentials: serde_json::Map<String, serde_json::Value>,
    pub(super) users: Vec<Str>,
}

impl NodeCx {
    pub(super) fn new(worker: &Rc<Worker>, origin: Origin) -> NodeCx {
        NodeCx(Rc::new(Inner {
            id: Str::new(&origin.config.id),
            kind: Str::new(&origin.config.kind),
            name: Str::new(&origin.config.name),
            alias: origin.alias.map(Str::from),
            path: Str::from(origin.path),
            is_config: origin.is_config,
            config: origin.config,
            scope: origin.scope,
            worker: worker.clone(),
            credentials: RefCell::new(origin.credentials),
            users: RefCell::new(origin.users),
            wires: RefCell::default(),
            closed: CancellationToken::new(),
            starting: Cell::new(true),
            trouble: RefCell::default(),
        }))
    }

    /// The node's id.
    pub fn id(&self) -> &Str {
        &self.0.id
    }

    /// The node's type.
    pub fn kind(&self) -> &str {
        &self.0.kind
    }

    /// The node's name, or empty.
    pub fn name(&self) -> &Str {
        &self.0.name
    }

    /// The id of the tab or subflow instance; empty for global config nodes.
    pub fn z(&self) -> Str {
        let flow = self.0.scope.flow();
        if matches!(flow.kind, ScopeKind::Global) { Str::default() } else { flow.id.clone() }
    }

    /// Inside a subflow instance: the id in the definition.
    pub fn alias(&self) -> Option<&Str> {
        self.0.alias.as_ref()
    }

    /// Node-RED's path: `tab/instance/.../id`.
    pub fn path(&self) -> &Str {
        &self.0.path
    }

    /// The path of the node's flow: `tab/instance/...`, or `global`.
    pub fn flow_path(&self) -> Str {
        self.0.path.rsplit_once('/').map_or(Str::new_static("global"), |(flow, _)| Str::new(flow))
    }

    /// The configuration, with `${ENV}` filled in.
    pub fn config(&self) -> &NodeConfig {
        &self.0.config
    }

    /// The tab, subflow instance or group that the node is in.
    pub fn scope(&self) -> &Rc<Scope> {
        &self.0.scope
    }

    /// True for config nodes.
    pub fn is_config(&self) -> bool {
        self.0.is_config
    }

    /// For a config node: the nodes that refer to it.
    pub fn users(&self) -> Vec<Str> {
        self.0.users.borrow().clone()
    }

    pub(super) fn set_users(&self, users: Vec<Str>) {
        *self.0.users.borrow_mut() = users;
    }

    /// The worker that the node lives on.
    pub fn worker(&self) -> &Rc<Worker> {
        &self.0.worker
    }

    /// What all workers share.
    pub fn shared(&self) -> &Arc<Shared> {
        &self.0.worker.shared
    }

    /// The settings in force.
    pub fn settings(&self) -> Arc<Settings> {
        self.shared().settings.load_full()
    }

    /// A credential of the node, for example `password`.
    pub fn credential(&self, name: &str) -> Option<String> {
        match self.0.credentials.borrow().get(name)? {
            serde_json::Value::String(text) => Some(text.clone()),
            serde_json::Value::Null => None,
            other => Some(other.to_string()),
        }
    }

    /// Replaces the credentials.
    pub fn set_credentials(&self, credentials: serde_json::Map<String, serde_json::Value>) {
        *self.0.credentials.borrow_mut() = credentials;
        let node = self.shared().config_nodes.get(self.id()).map(|node| node.clone());
        if let Some(node) = node {
            node.set_credentials(&|name| self.credential(name));
        }
    }

    /// A config node that this one refers to.
    pub fn config_node<T: ConfigNode>(&self, id: &str) -> Option<Arc<T>> {
        self.shared().config_node(id)
    }

    /// A text of the catalogue.
    pub fn text(&self, key: &str, args: &[(&str, &str)]) -> String {
        self.shared().text(key, args)
    }

    // ---- sending

    /// The number of outputs.
    pub fn outputs(&self) -> usize {
        self.0.wires.borrow().len()
    }

    /// True when something is wired to this output.
    pub fn is_wired(&self, port: usize) -> bool {
        self.0.wires.borrow().get(port).is_some_and(|wires| !wires.is_empty())
    }

    /// Sends a message out of the first output.
    pub fn send(&self, msg: Msg) {
        self.send_to(0, msg);
    }

    /// Sends a message out of an output, to every wire. Without a wire it ends here.
    pub fn send_to(&self, port: usize, mut msg: Msg) {
        let wires = self.0.wires.borrow();
        let Some((last, others)) = wires.get(port).and_then(|targets| targets.split_last()) else { return };
        msg.ensure_id();
        for target in others {
            self.0.worker.enqueue(target.clone(), msg.clone());
        }
        self.0.worker.enqueue(last.clone(), msg);
    }

    /// Sends several messages: the list for output 0, for output 1, ... Messages without an id get one in common.
    pub fn send_outputs(&self, outputs: Vec<Vec<Msg>>) {
        let sent = outputs.iter().flatten().map(Msg::id).find(|id| !id.is_empty());
        let id = sent.unwrap_or_else(generate_id);
        let wires = self.0.wires.borrow();
        for (mut msgs, targets) in outputs.into_iter().zip(wires.iter()) {
            for msg in &mut msgs {
                if !msg.get_ref("_msgid").is_some_and(Value::truthy) {
                    msg.set("_msgid", id.clone());
                }
            }
            // Node-RED: every message to the first wire, then every message to the next.
            for target in targets {
                for msg in &msgs {
                    self.0.worker.enqueue(target.clone(), msg.clone());
                }
            }
        }
    }

    /// The nodes wired to an output.
    pub fn wired(&self, port: usize) -> Vec<Rc<Slot>> {
        self.0.wires.borrow().get(port).cloned().unwrap_or_default()
    }

    pub(super) fn set_wires(&self, wires: Vec<Vec<Rc<Slot>>>) {
        *self.0.wires.borrow_mut() = wires;
    }

    // ---- reporting

    /// The node is through with a message: complete nodes hear of it.
    pub fn done(&self, msg: &Msg) {
        route::complete(self, msg);
    }

    /// True when a complete node waits for this node: else nobody looks at the message that [`NodeCx::done`] gets.
    pub fn has_complete(&self) -> bool {
        route::has_complete(self)
    }

    /// Reports an error. With a message it goes to catch nodes; when none takes it, it is logged and fails the delivery.
    /// Without a message it is only logged.
    pub fn error(&self, error: impl Into<Value>, msg: Option<&Msg>) {
        let error = error.into();
        if self.0.starting.get() && msg.is_none() {
            self.broken(error.to_text().to_string());
        }
        report::call(self, "error", || std::iter::once(error.clone()).chain(msg.map(Msg::value)).collect());
        let caught = msg.is_some_and(|msg| route::error(self, &error, msg));
        if !caught {
            route::uncaught(self, &error, msg);
        }
    }

    /// Logs a warning.
    pub fn warn(&self, text: impl Into<Value>) {
        report::log(self, Level::Warn, "warn", text.into());
    }

    /// Logs for the operator.
    pub fn log(&self, text: impl Into<Value>) {
        report::log(self, Level::Info, "log", text.into());
    }

    /// Logs for the developer.
    pub fn debug(&self, text: impl Into<Value>) {
        report::log(self, Level::Debug, "debug", text.into());
    }

    /// Logs everything.
    pub fn trace(&self, text: impl Into<Value>) {
        report::log(self, Level::Trace, "trace", text.into());
    }

    /// Writes a log line without the node's own call being observed.
    pub(super) fn log_at(&self, level: Level, msg: Value) {
        self.shared().observer.load().log(&LogEntry {
            level,
            id: self.0.id.clone(),
            kind: self.0.kind.clone(),
            name: self.0.name.clone(),
            z: self.z(),
            path: self.flow_path(),
            msg,
            timestamp: now_ms(),
        });
    }

    /// Shows a status: `{fill, shape, text}`, or an empty object to clear it. Texts, numbers and bools become `{text}`.
    pub fn status(&self, status: impl Into<Value>) {
        report::status(self, status.into());
    }

    /// Shows a status of these three parts.
    pub fn show(&self, fill: &str, shape: &str, text: impl Into<Value>) {
        let parts = [("fill", Value::from(fill)), ("shape", Value::from(shape)), ("text", text.into())];
        self.status(parts.into_iter().collect::<flotilla_value::Object>());
    }

    /// Says that this node does not work, and why: `status`, metrics and rollouts see it, until it is closed or says
    /// [`NodeCx::works`].
    pub fn broken(&self, why: impl Into<String>) {
        let message = why.into();
        *self.0.trouble.borrow_mut() = Some(message.clone());
        self.shared().health.problem(NodeProblem {
            id: self.0.id.to_string(),
            kind: self.0.kind.to_string(),
            name: self.0.name.to_string(),
            tab: self.0.scope.tab_name(),
            message,
        });
    }

    /// Takes back what [`NodeCx::broken`] said.
    pub fn works(&self) {
        if self.0.trouble.borrow_mut().take().is_some() {
            self.shared().health.solved(&self.0.id);
        }
    }

    /// A message reached this node, which could not start: that is an error of the node. Node-RED has such a node swallow
    /// its messages, and so it is where its own specs run.
    pub fn refuse(&self, msg: &Msg) {
        if self.settings().catalogue_keys {
            return;
        }
        let why = self.0.trouble.borrow().clone().unwrap_or_default();
        self.error(format!("this {} node could not start: {why}", self.kind()), Some(msg));
    }

    /// It was made and started.
    pub(super) fn has_started(&self) {
        self.0.starting.set(false);
    }

    // ---- work

    /// Begins a delivery: work from outside comes in through this node. See [`Delivery::begin`].
    pub fn begin(&self, on_end: impl FnOnce(Outcome) + Send + 'static) -> Arc<Delivery> {
        Delivery::begin(&self.shared().deliveries, self.0.id.clone(), on_end)
    }

    /// Runs a task on this worker until it ends or the node is closed. What it holds when the node is closed is
    /// abandoned. When it panics, what it holds fails, and the panic is an error of the node.
    pub fn spawn(&self, task: impl Future<Output = ()> + 'static) {
        let (closed, cx) = (self.0.closed.clone(), self.clone());
        let work = async move {
            let mut task = Box::pin(task);
            tokio::select! {
                biased;
                () = closed.cancelled() => {
                    let _closing = Abandoning::begin();
                    drop(task);
                }
                () = &mut task => {}
            }
        };
        let supervised = self.supervised("work of a node").supervise_then(work, move |panicked| {
            cx.error(format!("internal error in {} node: {}", cx.kind(), panicked.text), None);
        });
        self.supervised("report of a node").spawn_local(supervised);
    }

    fn supervised(&self, name: &'static str) -> Task {
        Task {
            name,
            owner: self.0.id.clone(),
            ends: "it is through, or its node is closed",
            failure: "the deliveries that it held fail; the node goes on",
        }
    }

    /// Fires when the node is closed.
    pub fn closed(&self) -> CancellationToken {
        self.0.closed.clone()
    }

    /// The node's own context.
    pub fn context(&self) -> ContextRef {
        let id = self.0.alias.as_ref().unwrap_or(&self.0.id);
        self.shared().contexts.scope(ScopeKey::node(id, &self.z()))
    }

    /// The context of the node's flow.
    pub fn flow_context(&self) -> ContextRef {
        self.shared().contexts.scope(ScopeKey::flow(&self.0.scope.flow().id))
    }

    /// The context of the flow around the node's subflow instance, if it is in one: `$parent.` keys.
    pub fn parent_flow_context(&self) -> Option<ContextRef> {
        let outer = self.0.scope.outer_flow()?;
        Some(self.shared().contexts.scope(ScopeKey::flow(&outer.id)))
    }

    /// The global context.
    pub fn global_context(&self) -> ContextRef {
        self.shared().contexts.scope(ScopeKey::global())
    }

    /// An environment variable as this node sees it; `None` when nothing defines it.
    pub fn env(&self, name: &str) -> Option<Value> {
        match name {
            "NR_NODE_ID" => Some(Value::String(self.0.id.clone())),
            "NR_NODE_NAME" => Some(Value::String(self.0.name.clone())),
            "NR_NODE_PATH" => Some(Value::String(self.0.path.clone())),
            _ => env::lookup(self.shared(), &self.0.scope, name),
        }
    }
}
