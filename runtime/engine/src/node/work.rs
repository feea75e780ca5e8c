//! What a node waits for: deliveries that it begins, tasks beside the run queue.

use std::cell::OnceCell;
use std::future::Future;
use std::rc::Rc;
use std::sync::Arc;

use flotilla_tasks::Task;
use tokio_util::sync::CancellationToken;

use crate::message::{Abandoning, Deliveries, Delivery, Outcome};

use super::identity::Identity;
use super::reporter::Reporter;

/// A node's work beside [`Node::receive`](super::Node::receive).
pub struct Work {
    node: Rc<Identity>,
    deliveries: Arc<Deliveries>,
    report: Reporter,
    /// Made when it is first asked for: most nodes of a large flow have nothing that waits for it.
    closed: OnceCell<CancellationToken>,
}

impl Work {
    pub(super) fn new(node: &Rc<Identity>, deliveries: &Arc<Deliveries>, report: &Reporter) -> Work {
        Work { node: node.clone(), deliveries: deliveries.clone(), report: report.clone(), closed: OnceCell::new() }
    }

    /// Begins a delivery: work from outside comes in through this node. See [`Delivery::begin`].
    pub fn begin(&self, on_end: impl FnOnce(Outcome) + Send + 'static) -> Arc<Delivery> {
        Delivery::begin(&self.deliveries, self.node.id().clone(), on_end)
    }

    /// Runs a task on this worker until it ends or the node is closed. What it holds when the node is closed is
    /// abandoned. When it panics, what it holds fails, and the panic is an error of the node.
    pub fn spawn(&self, task: impl Future<Output = ()> + 'static) {
        let (closed, report, node) = (self.closed(), self.report.clone(), self.node.clone());
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
            report.error(format!("internal error in {} node: {}", node.kind(), panicked.text), None);
        });
        self.supervised("report of a node").spawn_local(supervised);
    }

    fn supervised(&self, name: &'static str) -> Task {
        Task {
            name,
            owner: self.node.id().clone(),
            ends: "it is through, or its node is closed",
            failure: "the deliveries that it held fail; the node goes on",
        }
    }

    /// Fires when the node is closed.
    pub fn closed(&self) -> CancellationToken {
        self.closed.get_or_init(CancellationToken::new).clone()
    }
}
