//! What all workers of a replica share.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use arc_swap::ArcSwap;
use dashmap::DashMap;
use rustc_hash::FxBuildHasher;

use crate::context::Contexts;
use crate::message::{Deliveries, Msg};
use crate::observe::{Level, LogEntry, Observer};
use crate::settings::Settings;
use flotilla_value::{Str, Value};

use super::extensions::Extensions;
use super::health::Health;
use super::node::{ConfigNode, NodeTypes};
use super::schedule::Schedule;
use super::worker::WorkerHandle;

/// What all workers of a replica share. Everything in it is `Send + Sync`.
pub struct Shared {
    /// The settings in force.
    pub settings: ArcSwap<Settings>,
    /// Context stores.
    pub contexts: Arc<Contexts>,
    /// Open deliveries.
    pub deliveries: Arc<Deliveries>,
    /// Who hears of logs and statuses.
    pub observer: ArcSwap<Box<dyn Observer>>,
    /// Who fires timer ticks.
    pub schedule: Arc<dyn Schedule>,
    /// What works and what does not.
    pub health: Arc<Health>,
    /// Services by type.
    pub extensions: Extensions,
    /// The node types that flows may use.
    pub types: NodeTypes,
    /// Which worker a live node is on.
    pub directory: DashMap<Str, usize, FxBuildHasher>,
    /// Live config nodes.
    pub config_nodes: DashMap<Str, Arc<dyn ConfigNode>, FxBuildHasher>,
    /// The ids of config nodes in the document's order: the same in every replica of a revision.
    pub config_order: ArcSwap<Vec<Str>>,
    pub(crate) workers: parking_lot::RwLock<Vec<WorkerHandle>>,
}

/// Milliseconds since the epoch, as `Date.now()`.
pub fn now_ms() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_millis() as f64)
}

impl Shared {
    /// The workers; empty once the engine has stopped.
    pub fn workers(&self) -> Vec<WorkerHandle> {
        self.workers.read().clone()
    }

    /// The worker that a live node is on.
    pub fn worker_of(&self, node: &str) -> Option<WorkerHandle> {
        let index = *self.directory.get(node)?;
        self.workers.read().get(index).cloned()
    }

    /// Hands a message to a node on whatever worker it is, in order per sender. False when the node is not live.
    pub fn deliver(&self, node: &str, msg: Msg) -> bool {
        let Some(worker) = self.worker_of(node) else { return false };
        worker.deliver(Str::new(node), msg)
    }

    /// A live config node of this type.
    pub fn config_node<T: ConfigNode>(&self, id: &str) -> Option<Arc<T>> {
        let node = self.config_nodes.get(id)?.clone();
        let node: Arc<dyn std::any::Any + Send + Sync> = node;
        node.downcast().ok()
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
            msg: text.into(),
            timestamp: now_ms(),
        });
    }
}
