//! Keeps the replicas of a machine running: starts them, starts them again, stops them.

use std::time::Duration;

use flotilla_tasks::Task;
use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::crew::{Living, Printer, ReplicaCommand, Slot, keep_running};

/// Keeps replicas running until it is stopped.
pub struct Supervisor {
    command: ReplicaCommand,
    living: Living,
    printer: Printer,
    places: Mutex<Places>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

/// The places that are kept filled.
#[derive(Default)]
struct Places {
    /// How each is stopped, the oldest first.
    stops: Vec<CancellationToken>,
    /// Places so far: a number is never used twice, as its last replica may still drain.
    numbered: u64,
}

impl Supervisor {
    /// A supervisor without replicas yet.
    pub fn new(command: ReplicaCommand, living: Living, printer: Printer) -> Supervisor {
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        Supervisor { command, living, printer, places: Mutex::default(), stop, tasks }
    }

    /// Keeps this many replicas running: more are started, the newest drain and leave.
    pub fn scale(&self, replicas: usize) {
        let mut places = self.places.lock();
        let kept = replicas.min(places.stops.len());
        places.stops.drain(kept..).for_each(|stop| stop.cancel());
        while places.stops.len() < replicas {
            places.numbered += 1;
            let stop = self.stop.child_token();
            places.stops.push(stop.clone());
            let task = Task {
                name: "replica place",
                owner: format!("place {}", places.numbered).into(),
                ends: "`up` stops or scales down",
                failure: "its replica is killed and not started again; restart `flotilla up`",
            };
            self.tasks.spawn(task.supervise(keep_running(
                self.command.clone(),
                self.living.clone(),
                self.printer,
                places.numbered,
                Slot::default(),
                stop,
            )));
        }
    }

    /// How many replicas are kept running.
    pub fn replicas(&self) -> usize {
        self.places.lock().stops.len()
    }

    /// Asks every replica to drain and waits for all of them; what still runs at the deadline is killed.
    pub async fn shutdown(&self, deadline: Duration) {
        self.stop.cancel();
        self.tasks.close();
        if tokio::time::timeout(deadline, self.tasks.wait()).await.is_err() {
            tracing::warn!("some replicas did not drain within {} s and were killed", deadline.as_secs());
        }
    }
}
