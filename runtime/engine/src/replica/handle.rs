//! A worker as other threads see it.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use tokio::sync::mpsc;

use crate::health::Beat;
use crate::message::Msg;
use flotilla_value::Str;

/// A worker as other threads see it.
#[derive(Clone)]
pub struct WorkerHandle {
    index: usize,
    jobs: mpsc::UnboundedSender<Job>,
    beat: Arc<Beat>,
}

/// What other threads have for a worker.
pub(crate) enum Job {
    /// A message for a node there.
    Deliver(Str, Msg),
    /// Something to run on its thread.
    Run(Box<dyn FnOnce() + Send>),
}

/// The worker of this thread, for messages that need not cross threads.
pub(crate) trait Local {
    /// Puts a message for a node at the end of the run queue. False when the node is not live.
    fn deliver(&self, node: &str, msg: Msg) -> bool;
}

thread_local! {
    static LOCAL: RefCell<Option<(usize, Rc<dyn Local>)>> = const { RefCell::new(None) };
}

/// Says which worker this thread is.
pub(crate) fn set_local(local: Option<(usize, Rc<dyn Local>)>) {
    LOCAL.with(|here| *here.borrow_mut() = local);
}

impl WorkerHandle {
    pub(crate) fn new(index: usize, beat: Arc<Beat>) -> (WorkerHandle, mpsc::UnboundedReceiver<Job>) {
        // Unbounded on purpose: what waits here belongs to open deliveries, and those are bounded by max_in_flight.
        #[allow(clippy::disallowed_methods, reason = "bounded by max_in_flight deliveries")]
        let (jobs, receiver) = mpsc::unbounded_channel();
        (WorkerHandle { index, jobs, beat }, receiver)
    }

    /// Its number.
    pub fn index(&self) -> usize {
        self.index
    }

    /// Its sign of life.
    pub fn beat(&self) -> &Arc<Beat> {
        &self.beat
    }

    /// Hands a message to a node there; on this very worker it goes straight to the run queue.
    pub fn deliver(&self, node: Str, msg: Msg) -> bool {
        let local =
            LOCAL.with(|here| here.borrow().as_ref().filter(|(at, _)| *at == self.index).map(|(_, own)| own.clone()));
        match local {
            Some(worker) => worker.deliver(&node, msg),
            None => self.jobs.send(Job::Deliver(node, msg)).is_ok(),
        }
    }

    /// Runs a closure on the worker's thread, soon.
    pub(crate) fn post(&self, work: impl FnOnce() + Send + 'static) {
        let _ = self.jobs.send(Job::Run(Box::new(work)));
    }
}
