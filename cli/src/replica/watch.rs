//! Tells the group how this replica is, and ends a process whose workers do not go on.

use std::sync::Arc;
use std::time::Duration;

use flotilla_engine::{Shared, Verdict};
use flotilla_group::member::{Registration, ReplicaState};

use crate::exit::Exit;
use crate::process::Readiness;

/// Changes of health are told together, when they come close to each other.
const GATHER: Duration = Duration::from_millis(200);
/// How long the other workers may finish what they have, after this process was taken out of its group.
const REST: Duration = Duration::from_secs(10);
/// How long the store may take to let go of the lease.
const RELEASE: Duration = Duration::from_secs(2);

/// Writes the record when something about the health has changed. Does not end.
pub(super) async fn tell(shared: Arc<Shared>, registration: Registration) {
    loop {
        shared.health().changed().await;
        registration.update(|_| {}).await;
        tokio::time::sleep(GATHER).await;
    }
}

/// Waits for a worker that is stuck or dead, takes this process out of the group and ends it. The supervisor starts it anew.
pub(super) async fn end_when_sick(shared: Arc<Shared>, registration: Registration, readiness: Readiness) {
    let mut verdict = shared.health().verdict();
    let Ok(found) = verdict.wait_for(|verdict| *verdict != Verdict::Well).await.map(|verdict| verdict.clone()) else {
        return;
    };
    let (why, exit, rest) = match found {
        Verdict::Stuck { worker, bound } => {
            let bound = bound.as_secs();
            let why = format!("worker {worker} has been busy with one thing for more than {bound} s: it hangs");
            (why, Exit::WorkerStuck, REST)
        }
        Verdict::Dead { worker } => (format!("worker {worker} panicked"), Exit::WorkerDead, Duration::ZERO),
        Verdict::Well => return,
    };
    tracing::error!("{why}; this replica leaves its group and ends with exit code {}", exit as u8);
    readiness.sick(&why);
    // From outside of the worker's thread: the broker gives what these connections hold to others.
    shared.health().shut();
    let reason = why.clone();
    let out = async {
        let change = move |record: &mut flotilla_group::member::ReplicaRecord| {
            (record.state, record.reason) = (ReplicaState::Failed, reason);
        };
        registration.update(change).await;
        registration.leave().await;
    };
    let _ = tokio::time::timeout(RELEASE, out).await;
    // Requests that other workers answer get their answers.
    let others = async {
        while shared.deliveries().counts().in_flight > 0 {
            tokio::time::sleep(GATHER).await;
        }
    };
    let _ = tokio::time::timeout(rest, others).await;
    #[allow(clippy::disallowed_methods, reason = "a stuck worker never lets main return")]
    std::process::exit(exit as i32);
}
