//! The engine of a replica: starts workers, deploys flow documents, drains and stops.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use flotilla_flows::{ALLOW_UNKNOWN, DeployType, Document, Graph, expand, unknown_types};
use flotilla_tasks::{Task, Thread};
use futures::future::join_all;
use tokio::sync::Mutex;

use crate::context::{Contexts, ScopeKey};
use crate::health::{self, Health, NodeProblem};
use crate::node::NodeTypes;
use crate::observe::{Level, Observer};
use crate::replica::{Schedule, Shared, SharedParts, WorkerHandle};
use crate::settings::Settings;
use flotilla_value::Str;

use super::place::{self, Places};
use super::plan::{Plan, Running};
use super::report::{DeployError, DeployReport};
use super::start::{self, Batch, Credentials, Step};

/// What an engine is made from.
pub struct EngineParts {
    /// The settings to begin with.
    pub settings: Settings,
    /// Context stores.
    pub contexts: Arc<Contexts>,
    /// Who hears of logs and statuses.
    pub observer: Box<dyn Observer>,
    /// Who fires timer ticks.
    pub schedule: Arc<dyn Schedule>,
    /// The node types that flows may use.
    pub types: NodeTypes,
}

/// The engine of a replica. Worker threads live until [`Engine::shutdown`].
pub struct Engine {
    shared: Arc<Shared>,
    types: NodeTypes,
    threads: parking_lot::Mutex<Vec<Thread<()>>>,
    running: Mutex<Running>,
}

/// Has every worker take a step of a deploy.
async fn all(
    workers: &[WorkerHandle],
    batch: &Arc<Batch>,
    step: Step,
    report: &mut DeployReport,
) -> Result<(), DeployError> {
    let done = join_all(workers.iter().map(|worker| {
        let batch = batch.clone();
        worker.call(move |worker| step(worker, batch))
    }));
    for part in done.await {
        report.absorb(part)?;
    }
    Ok(())
}

impl Engine {
    /// Starts the worker threads.
    ///
    /// # Errors
    /// When a thread or its runtime cannot be made.
    pub fn start(parts: EngineParts) -> std::io::Result<Engine> {
        let cell = Arc::new(OnceLock::new());
        let (mut handles, mut threads, mut beats) = (Vec::new(), Vec::new(), Vec::new());
        let watched = Arc::new(Health::default());
        for index in 0..parts.settings.workers.max(1) {
            let (handle, thread) = WorkerHandle::spawn(index, &cell)?;
            beats.push(handle.beat().clone());
            handles.push(handle);
            threads.push(thread);
        }
        watched.watch(beats);
        health::start(&watched)?;
        let shared = Arc::new(Shared::new(SharedParts {
            settings: parts.settings,
            contexts: parts.contexts,
            observer: parts.observer,
            schedule: parts.schedule,
            health: watched,
            workers: handles,
        }));
        let _ = cell.set(shared.clone());
        Ok(Engine { shared, types: parts.types, threads: parking_lot::Mutex::new(threads), running: Mutex::default() })
    }

    /// What all workers share.
    pub fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Replaces what runs. A document that cannot run is refused whole, and what runs goes on; a node that cannot start
    /// is reported, and the rest starts.
    pub async fn deploy(
        &self,
        document: &Document,
        credentials: Credentials,
        mode: DeployType,
    ) -> Result<DeployReport, DeployError> {
        let expanded = expand(document);
        let errors: Vec<_> = expanded.problems.into_iter().filter(flotilla_flows::Problem::is_error).collect();
        if !errors.is_empty() {
            return Err(DeployError::Invalid(errors));
        }
        let graph = expanded.graph;
        self.refuse_types(&graph)?;
        let mut running = self.running.lock().await;
        let workers = self.shared.workers();
        if workers.is_empty() {
            return Err(DeployError::Stopped);
        }
        let users = place::users(&graph);
        let places = Places::plan(&graph, &users, workers.len(), &running.places);
        let environment = self.shared.settings().env.clone().into_iter().collect();
        let plan = Plan::new(&running, &graph, places, &users, &credentials, &environment, mode);
        let mut report = DeployReport {
            kept: plan.next.prints.len() - plan.start.len(),
            removed: plan.stop.iter().filter(|(.., removed)| *removed).count(),
            ..DeployReport::default()
        };
        self.stop_nodes(&plan.stop).await;
        self.shared.health().begin_deploy();
        let configs = graph.nodes.iter().filter(|node| node.is_config);
        self.shared.set_config_order(configs.map(|node| Str::new(&node.config.id)).collect());
        let batch = Arc::new(Batch {
            types: self.types.clone(),
            graph,
            credentials,
            users,
            start: plan.start,
            workers: plan.next.workers.clone(),
        });
        *running = plan.next;
        all(&workers, &batch, start::enter_scopes, &mut report).await?;
        // Config nodes first, one after the other: they may refer to each other and live on different workers.
        for (worker, configs) in start::config_runs(&batch) {
            let batch = batch.clone();
            let worker = &workers[worker];
            let built = worker.call(move |worker| Box::pin(async move { start::build(&worker, &batch, &configs) }));
            report.absorb(built.await)?;
        }
        for step in [start::build_nodes, start::wire, start::start_nodes] {
            all(&workers, &batch, step, &mut report).await?;
        }
        let live = |scope: &ScopeKey| {
            let id = scope.0.split(':').next().unwrap_or_default();
            id == "global" || batch.graph.scopes.iter().any(|known| known.id == id) || running.prints.contains_key(id)
        };
        if let Err(error) = self.shared.contexts().store(Some("memory")).clean(&live) {
            self.shared.log(Level::Warn, error.to_string());
        }
        Ok(report)
    }

    fn refuse_types(&self, graph: &Graph) -> Result<(), DeployError> {
        let settings = self.shared.settings();
        // A revision may say so itself, so that every replica of its group runs it.
        let allowed = settings.allow_unknown || settings.node_red.get(ALLOW_UNKNOWN).is_some_and(|flag| flag == true);
        let unknown =
            if allowed { Vec::new() } else { unknown_types(graph, |kind| start::type_of(&self.types, kind).is_some()) };
        let unknown: Vec<NodeProblem> = unknown
            .into_iter()
            .map(|node| NodeProblem {
                message: node.origin(),
                id: node.node,
                kind: node.kind,
                name: node.name,
                tab: node.tab,
            })
            .collect();
        let denied = graph.nodes.iter().filter_map(|node| {
            let found = start::type_of(&self.types, &node.config.kind)?;
            let word = found.deny()?;
            let is_denied = settings.deny.iter().any(|denied| denied == word) && found.is_denied(&node.config);
            is_denied.then(|| NodeProblem {
                id: node.config.id.clone(),
                kind: node.config.kind.clone(),
                name: node.config.name.clone(),
                tab: graph.tab_name(node.scope),
                message: format!("the operator switched it off with --deny {word}"),
            })
        });
        let denied: Vec<NodeProblem> = denied.collect();
        match (unknown.is_empty(), denied.is_empty()) {
            (false, _) => Err(DeployError::UnknownTypes(unknown)),
            (_, false) => Err(DeployError::Denied(denied)),
            _ => Ok(()),
        }
    }

    async fn stop_nodes(&self, stop: &[(Str, usize, bool)]) {
        let workers = self.shared.workers();
        join_all(workers.iter().enumerate().map(|(index, worker)| {
            let own: Vec<_> =
                stop.iter().filter(|(_, at, _)| *at == index).map(|(id, _, removed)| (id.clone(), *removed)).collect();
            worker.call(move |worker| Box::pin(worker.close_nodes(own)))
        }))
        .await;
    }

    /// Stops taking work and waits until what is in flight is finished, or the deadline. Returns how many deliveries are
    /// still open then; [`Engine::stop`] abandons those.
    pub async fn drain(&self, deadline: Duration) -> usize {
        let workers = self.shared.workers();
        let drained = async {
            join_all(workers.iter().map(|worker| {
                worker.call(|worker| {
                    Box::pin(async move {
                        for node in worker.slots().iter().filter_map(|slot| slot.node()) {
                            node.drain();
                        }
                    })
                })
            }))
            .await;
            self.shared.deliveries().idle().await;
        };
        // A worker that is stuck hears nothing: the deadline is for all of it.
        let _ = tokio::time::timeout(deadline, drained).await;
        self.shared.deliveries().counts().in_flight
    }

    /// Cuts off what the workers are busy with: a script that runs is stopped, and its delivery and those of what waits
    /// behind it are abandoned. So is what still comes until the sources have stopped: it would hang as well. False when a
    /// worker did not come back within the limit all the same.
    pub async fn cut_off(&self, limit: Duration) -> bool {
        self.shared.health().cut();
        let workers = self.shared.workers();
        let back = join_all(workers.iter().map(|worker| worker.call(|_| Box::pin(std::future::ready(())))));
        let back = tokio::time::timeout(limit, back).await.is_ok();
        if back {
            self.drain(limit).await;
        }
        self.shared.health().cut_no_more();
        back
    }

    /// Takes work again after [`Engine::drain`]: nodes that a deploy since then kept go on with their state.
    pub async fn resume(&self) {
        let workers = self.shared.workers();
        join_all(workers.iter().map(|worker| {
            worker.call(|worker| {
                Box::pin(async move {
                    let nodes: Vec<_> = worker.slots().iter().filter_map(|slot| slot.node()).collect();
                    join_all(nodes.iter().map(|node| node.resume())).await;
                })
            })
        }))
        .await;
    }

    /// Closes every node and forgets the flow document; the workers stay.
    pub async fn stop(&self) {
        let mut running = self.running.lock().await;
        let stop: Vec<_> = running.workers.iter().map(|(id, worker)| (id.clone(), *worker, false)).collect();
        self.stop_nodes(&stop).await;
        *running = Running::default();
    }

    /// Stops everything and ends the worker threads.
    pub async fn shutdown(self) {
        self.stop().await;
        self.shared.forget_workers();
        let threads = std::mem::take(&mut *self.threads.lock());
        let task = Task {
            name: "engine shutdown",
            owner: "engine".into(),
            ends: "every worker thread has ended",
            failure: "worker threads are left behind",
        };
        let joined = task.spawn_blocking(move || threads.into_iter().for_each(|thread| drop(thread.join())));
        let _ = joined.await;
    }
}
