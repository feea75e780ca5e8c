//! What all workers of a replica share.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arc_swap::{ArcSwap, Guard};
use dashmap::DashMap;
use parking_lot::RwLock;
use rustc_hash::FxBuildHasher;

use crate::clock::now_ms;
use crate::context::Contexts;
use crate::health::Health;
use crate::message::{Deliveries, Msg};
use crate::observe::{Level, LogEntry, NodeView, Observer};
use crate::settings::{Measure, Settings};
use flotilla_value::{Str, Value};

use super::config_node::ConfigNode;
use super::extensions::Extensions;
use super::handle::WorkerHandle;
use super::schedule::Schedule;

/// What all workers of a replica share. Everything in it is `Send + Sync`.
pub struct Shared {
    settings: ArcSwap<Settings>,
    contexts: Arc<Contexts>,
    deliveries: Arc<Deliveries>,
    observer: ArcSwap<Box<dyn Observer>>,
    schedule: Arc<dyn Schedule>,
    health: Arc<Health>,
    extensions: Extensions,
    /// Which worker a live node is on, and what is seen of it.
    directory: DashMap<Str, (usize, Arc<NodeView>), FxBuildHasher>,
    config_nodes: DashMap<Str, Arc<dyn ConfigNode>, FxBuildHasher>,
    config_order: ArcSwap<Vec<Str>>,
    workers: RwLock<Vec<WorkerHandle>>,
    /// The group is paused: timers fire nothing.
    paused: AtomicBool,
}

/// What [`Shared`] is made from.
pub(crate) struct SharedParts {
    pub(crate) settings: Settings,
    pub(crate) contexts: Arc<Contexts>,
    pub(crate) observer: Box<dyn Observer>,
    pub(crate) schedule: Arc<dyn Schedule>,
    pub(crate) health: Arc<Health>,
    pub(crate) workers: Vec<WorkerHandle>,
}

impl Shared {
    /// Says whether the group is paused.
    pub fn set_paused(&self, paused: bool) {
        self.paused.store(paused, Ordering::Release);
    }

    /// True while the group is paused: what comes by time begins nothing.
    pub fn is_paused(&self) -> bool {
        self.paused.load(Ordering::Acquire)
    }

    pub(crate) fn new(parts: SharedParts) -> Shared {
        let measures = parts.settings.measure >= Measure::Deliveries;
        Shared {
            paused: AtomicBool::new(false),
            settings: ArcSwap::from_pointee(parts.settings),
            contexts: parts.contexts,
            deliveries: Arc::new(Deliveries::new(parts.health.cutting(), measures)),
            observer: ArcSwap::from_pointee(parts.observer),
            schedule: parts.schedule,
            health: parts.health,
            extensions: Extensions::default(),
            directory: DashMap::default(),
            config_nodes: DashMap::default(),
            config_order: ArcSwap::default(),
            workers: RwLock::new(parts.workers),
        }
    }

    /// The settings in force.
    pub fn settings(&self) -> Arc<Settings> {
        self.settings.load_full()
    }

    /// The same for one look, without a count of references that all workers would change with each message or request. Who holds it
    /// for long makes changes of settings dearer.
    pub fn settings_now(&self) -> Guard<Arc<Settings>> {
        self.settings.load()
    }

    /// Puts other settings in force. Nodes that run go on with what they read when they started.
    pub fn set_settings(&self, settings: Settings) {
        self.settings.store(Arc::new(settings));
    }

    /// Context stores.
    pub fn contexts(&self) -> &Arc<Contexts> {
        &self.contexts
    }

    /// Open deliveries.
    pub fn deliveries(&self) -> &Arc<Deliveries> {
        &self.deliveries
    }

    /// Who hears of logs and statuses.
    pub fn observer(&self) -> Guard<Arc<Box<dyn Observer>>> {
        self.observer.load()
    }

    /// Who fires timer ticks.
    pub fn schedule(&self) -> &Arc<dyn Schedule> {
        &self.schedule
    }

    /// What works and what does not.
    pub fn health(&self) -> &Arc<Health> {
        &self.health
    }

    /// Services by type.
    pub fn extensions(&self) -> &Extensions {
        &self.extensions
    }

    /// The workers, by number; empty once the engine has stopped.
    pub fn workers(&self) -> Vec<WorkerHandle> {
        self.workers.read().clone()
    }

    /// A worker by its number; `None` once the engine has stopped.
    pub fn worker(&self, index: usize) -> Option<WorkerHandle> {
        self.workers.read().get(index).cloned()
    }

    /// The worker that a live node is on.
    pub fn worker_of(&self, node: &str) -> Option<WorkerHandle> {
        let index = self.directory.get(node)?.0;
        self.worker(index)
    }

    /// What is seen of a live node.
    pub fn node(&self, id: &str) -> Option<Arc<NodeView>> {
        self.directory.get(id).map(|found| found.1.clone())
    }

    /// What is seen of all live nodes, in the document's order.
    pub fn nodes(&self) -> Vec<Arc<NodeView>> {
        let mut nodes: Vec<_> = self.directory.iter().map(|found| found.1.clone()).collect();
        nodes.sort_by(|a, b| (a.order, &a.path).cmp(&(b.order, &b.path)));
        nodes
    }

    /// Lets go of the workers: their threads end when nobody else has a handle.
    pub(crate) fn forget_workers(&self) {
        self.workers.write().clear();
    }

    /// Hands a message to a node on whatever worker it is, in order per sender. False when the node is not live.
    pub fn deliver(&self, node: &str, msg: Msg) -> bool {
        let Some(worker) = self.worker_of(node) else { return false };
        worker.deliver(Str::new(node), msg)
    }

    /// A node is live on a worker.
    pub(crate) fn enter(&self, node: Str, worker: usize, view: Arc<NodeView>) {
        self.directory.insert(node, (worker, view));
    }

    /// A node is live no more.
    pub(crate) fn leave(&self, node: &str) {
        self.directory.remove(node);
        self.config_nodes.remove(node);
    }

    /// A config node is live.
    pub(crate) fn add_config_node(&self, id: Str, node: Arc<dyn ConfigNode>) {
        self.config_nodes.insert(id, node);
    }

    /// A live config node of this type.
    pub fn config_node<T: ConfigNode>(&self, id: &str) -> Option<Arc<T>> {
        let node: Arc<dyn std::any::Any + Send + Sync> = self.any_config_node(id)?;
        node.downcast().ok()
    }

    /// A live config node of any type.
    pub fn any_config_node(&self, id: &str) -> Option<Arc<dyn ConfigNode>> {
        self.config_nodes.get(id).map(|node| node.clone())
    }

    /// The ids of config nodes in the document's order: the same in every replica of a revision.
    pub fn config_order(&self) -> Arc<Vec<Str>> {
        self.config_order.load_full()
    }

    pub(crate) fn set_config_order(&self, order: Vec<Str>) {
        self.config_order.store(Arc::new(order));
    }

    /// A text of the catalogue.
    pub fn text(&self, key: &str, args: &[(&str, &str)]) -> String {
        crate::catalog::text(self.settings.load().catalogue_keys, key, args)
    }

    /// Logs for the runtime itself.
    pub fn log(&self, level: Level, text: impl Into<Value>) {
        self.observer.load().log(&LogEntry {
            level,
            id: Str::default(),
            kind: Str::default(),
            name: Str::default(),
            z: Str::default(),
            path: Str::default(),
            tab: String::new(),
            msg: text.into(),
            timestamp: now_ms(),
        });
    }
}
