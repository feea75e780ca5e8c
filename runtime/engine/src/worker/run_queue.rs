//! A worker thread: a current-thread runtime, a run queue and the nodes that live there.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use flotilla_tasks::{Task, Thread};
use futures::future::LocalBoxFuture;
use rustc_hash::FxHashMap;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::task::LocalSet;

use crate::expression::watch_expressions;
use crate::health::{Alive, Beat};
use crate::message::Msg;
use crate::node::{Receive, Scope};
use crate::replica::{Job, Local, Shared, WorkerHandle, set_local};
use flotilla_value::Str;

use super::listeners::Listeners;
use super::slot::Slot;

/// Messages handled before tasks and sockets get their turn.
const BURST: usize = 256;
/// How often a worker beats that has nothing to do.
const BEAT: Duration = Duration::from_millis(50);

thread_local! {
    static CURRENT: RefCell<Option<Rc<Worker>>> = const { RefCell::new(None) };
}

/// A worker thread's state. Messages between its nodes go through one FIFO queue: Node-RED's order of delivery.
///
/// One thread runs one worker, and all nodes of a tab are on the same one, so that a node needs no locks and a message between
/// two nodes of a tab costs no change of threads. Up to 256 messages are handled in a row; then tasks and sockets get their
/// turn. It promises order between its own nodes; between workers (link nodes across tabs) only each pair keeps its order. It
/// beats every 50 ms; a node that blocks the thread (a script without an end, a shared-context call while the store is slow)
/// stops all tabs on it, and [`Health`](crate::Health) reports that from outside.
pub struct Worker {
    index: usize,
    shared: Arc<Shared>,
    beat: Arc<Beat>,
    queue: RefCell<VecDeque<(Rc<dyn Receive>, Msg)>>,
    wake: Notify,
    slots: RefCell<FxHashMap<Str, Rc<Slot>>>,
    scopes: RefCell<FxHashMap<Str, Rc<Scope>>>,
    /// The same in the order of the graph that was deployed last.
    placed: RefCell<Vec<Rc<Scope>>>,
    pub(super) listeners: Listeners,
}

impl Worker {
    /// The worker of this thread.
    pub fn current() -> Option<Rc<Worker>> {
        CURRENT.with(|current| current.borrow().clone())
    }

    /// Its number, from 0.
    pub fn index(&self) -> usize {
        self.index
    }

    /// What all workers share.
    pub fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Puts a message at the end of the run queue.
    pub fn enqueue(&self, target: Rc<dyn Receive>, msg: Msg) {
        let mut queue = self.queue.borrow_mut();
        queue.push_back((target, msg));
        if queue.len() == 1 {
            self.wake.notify_one();
        }
    }

    /// Its sign of life.
    pub fn beat(&self) -> &Arc<Beat> {
        &self.beat
    }

    /// True when no message waits to be handled.
    pub fn is_idle(&self) -> bool {
        self.queue.borrow().is_empty()
    }

    /// A live node on this worker.
    pub fn slot(&self, id: &str) -> Option<Rc<Slot>> {
        self.slots.borrow().get(id).cloned()
    }

    /// All live nodes on this worker, in no order.
    pub fn slots(&self) -> Vec<Rc<Slot>> {
        self.slots.borrow().values().cloned().collect()
    }

    /// A flow's or group's scope on this worker.
    pub fn scope(&self, id: &str) -> Option<Rc<Scope>> {
        self.scopes.borrow().get(id).cloned()
    }

    /// A scope by its place in the graph that was deployed last.
    pub(crate) fn scope_at(&self, place: usize) -> Option<Rc<Scope>> {
        self.placed.borrow().get(place).cloned()
    }

    /// Those of a graph, in its order.
    pub(crate) fn set_scopes(&self, scopes: Vec<Rc<Scope>>) {
        *self.scopes.borrow_mut() = scopes.iter().map(|scope| (scope.id.clone(), scope.clone())).collect();
        *self.placed.borrow_mut() = scopes;
    }

    pub(crate) fn insert(&self, slot: Rc<Slot>) {
        let id = slot.cx.id().clone();
        self.shared.enter(id.clone(), self.index, slot.cx.view().clone());
        self.slots.borrow_mut().insert(id, slot);
    }

    pub(crate) fn remove(&self, id: &str) -> Option<Rc<Slot>> {
        self.shared.leave(id);
        self.slots.borrow_mut().remove(id)
    }

    /// What the worker does beside its nodes. A panic there ends only the job or message that caused it.
    pub(crate) fn task(&self, name: &'static str) -> Task {
        Task {
            name,
            owner: format!("worker {}", self.index).into(),
            ends: "the engine shuts down",
            failure: "the message or request that caused it fails; the worker goes on",
        }
    }

    /// Handles queued messages until the worker stops: until its local set is dropped.
    async fn run_queue(self: Rc<Self>) {
        loop {
            // Nodes are guarded one by one. What else panics, an observer for example, must not stop the queue.
            let _ = self.task("run queue").supervise(self.handle_queued()).await;
        }
    }

    async fn handle_queued(&self) {
        loop {
            let began = self.shared.health().looks();
            self.beat.set_waiting(self.queue.borrow().len());
            for _ in 0..BURST {
                let Some((target, msg)) = self.queue.borrow_mut().pop_front() else { break };
                target.receive(msg);
                self.beat.beat();
                // Slow messages do not keep sockets and timers waiting for a whole burst.
                if self.shared.health().looks() != began {
                    break;
                }
            }
            if self.queue.borrow().is_empty() {
                self.beat.set_waiting(0);
                self.wake.notified().await;
            } else {
                tokio::task::yield_now().await;
            }
        }
    }

    /// Beats while there is nothing to do.
    async fn keep_beating(self: Rc<Self>) {
        loop {
            self.beat.beat();
            tokio::time::sleep(BEAT).await;
        }
    }

    async fn run_jobs(self: Rc<Self>, mut jobs: mpsc::UnboundedReceiver<Job>) {
        while let Some(job) = jobs.recv().await {
            match job {
                Job::Deliver(node, msg) => match self.slot(&node) {
                    Some(slot) => self.enqueue(slot, msg),
                    None => {
                        // The node went away while the message crossed threads.
                        if let Some(delivery) = msg.delivery() {
                            delivery.abandon();
                        }
                    }
                },
                Job::Run(work) => drop(self.task("job").run(work)),
            }
        }
    }
}

impl Local for Worker {
    fn deliver(&self, node: &str, msg: Msg) -> bool {
        let Some(slot) = self.slot(node) else { return false };
        self.enqueue(slot, msg);
        true
    }
}

impl WorkerHandle {
    /// Starts a worker thread. It ends when every handle to it is gone.
    pub(crate) fn spawn(
        index: usize,
        shared: &Arc<std::sync::OnceLock<Arc<Shared>>>,
    ) -> std::io::Result<(WorkerHandle, Thread<()>)> {
        let beat = Arc::new(Beat::default());
        let (handle, receiver) = WorkerHandle::new(index, beat.clone());
        let shared = shared.clone();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let task = Task {
            name: "worker",
            owner: format!("worker {index}").into(),
            ends: "every handle to it is gone",
            failure: "its nodes are dead: the replica must be restarted",
        };
        let thread = task.thread(move || {
            let shared = shared.wait().clone();
            let _alive = Alive::new(beat.clone());
            watch_expressions(shared.health());
            let worker = Rc::new(Worker {
                index,
                shared,
                beat,
                queue: RefCell::default(),
                wake: Notify::new(),
                slots: RefCell::default(),
                scopes: RefCell::default(),
                placed: RefCell::default(),
                listeners: Listeners::default(),
            });
            set_local(Some((index, worker.clone())));
            CURRENT.with(|current| *current.borrow_mut() = Some(worker.clone()));
            let local = LocalSet::new();
            #[allow(clippy::disallowed_methods, reason = "it supervises itself")]
            local.spawn_local(worker.clone().run_queue());
            #[allow(clippy::disallowed_methods, reason = "it only beats, and cannot panic")]
            local.spawn_local(worker.clone().keep_beating());
            local.block_on(&runtime, worker.run_jobs(receiver));
            CURRENT.with(|current| current.borrow_mut().take());
            set_local(None);
        })?;
        Ok((handle, thread))
    }

    /// Runs a closure on the worker, soon.
    pub fn run(&self, work: impl FnOnce(&Rc<Worker>) + Send + 'static) {
        self.post(move || {
            if let Some(worker) = Worker::current() {
                work(&worker);
            }
        });
    }

    /// Runs a closure on the worker and waits for the future that it gives. `None` when the worker is gone.
    pub async fn call<R: Send + 'static>(
        &self,
        work: impl FnOnce(Rc<Worker>) -> LocalBoxFuture<'static, R> + Send + 'static,
    ) -> Option<R> {
        let (reply, answer) = oneshot::channel();
        self.run(move |worker| {
            let future = work(worker.clone());
            worker.task("call").spawn_local(async move {
                let _ = reply.send(future.await);
            });
        });
        answer.await.ok()
    }
}
