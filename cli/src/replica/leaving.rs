//! A replica stops to take work: who else goes on, whether gateways still send requests, and its end.

use std::time::{Duration, Instant};

use flotilla_group::member::{ReplicaRecord, ReplicaState};
use flotilla_nodes_network::mqtt::Parting;

use super::replica::Replica;

/// How often a draining replica asks whether a gateway still routes to it.
const ASK: Duration = Duration::from_millis(50);
/// A store that does not answer for so long does not hold up a drain: gateways notice a connection that is refused.
const BLIND: Duration = Duration::from_secs(2);

impl Replica {
    /// Before it stops to take work: whether somebody else goes on. With the store away it is taken to be the last one.
    pub(super) async fn is_last(&self) -> bool {
        self.consumers.leave(&self.id).await.unwrap_or(true)
    }

    /// Waits until no gateway sends requests here, for as long as that may take.
    pub(super) async fn until_unrouted(&self, limit: Duration) {
        let deadline = Instant::now() + limit;
        let mut blind = Instant::now();
        while Instant::now() < deadline && blind.elapsed() < BLIND {
            match self.gateways.route_to(&self.id).await {
                Ok(false) => return,
                Ok(true) => blind = Instant::now(),
                Err(error) => tracing::debug!(%error, "cannot ask whether a gateway routes here"),
            }
            tokio::time::sleep(ASK).await;
        }
    }

    /// Tells the gateways, finishes what is in flight until the deadline, says what was abandoned, leaves.
    /// With the lease `lost`, the sessions are another's by now and are let go of at once.
    pub(super) async fn leave(self, lost: bool) {
        self.readiness.waiting("drain", "this replica stops");
        self.engine.shared().health().canary.end(false);
        let until = Instant::now() + self.drain;
        let change = |record: &mut ReplicaRecord| record.state = ReplicaState::Draining;
        if self.registration.update(change).await {
            self.until_unrouted(self.drain).await;
        }
        let last = !lost && self.is_last().await;
        self.keeper.stop(last);
        let parting = match lost {
            true => Parting::Yield,
            false if !last => Parting::End,
            false if self.keep_session.is_zero() => Parting::End,
            false => Parting::Keep(self.keep_session),
        };
        self.keeper.part(parting);
        if let Parting::Keep(time) = parting
            && flotilla_nodes_network::mqtt::sessions(self.engine.shared()) > 0
        {
            tracing::info!(
                "this is the last replica of its group: its MQTT session stays at the broker for {} h, with what is published \
                 meanwhile, and the next start goes on with it (--keep-session); the broker's own bounds may be lower: \
                 see its longest session expiry and how many messages it queues for a client; one that keeps nothing on disk, \
                 as that of `flotilla up` without --mqtt-persist, forgets the session when it ends",
                time.as_secs() / 3600
            );
        }
        let open = self.engine.drain(until.saturating_duration_since(Instant::now())).await;
        if open > 0 {
            tracing::warn!(open, "deliveries were not finished within the drain time-out and are abandoned");
        }
        let shared = self.engine.shared().clone();
        self.engine.shutdown().await;
        let counts = shared.deliveries().counts();
        self.registration.leave().await;
        tracing::info!(
            completed = counts.completed,
            failed = counts.failed,
            abandoned = counts.abandoned,
            "replica left"
        );
    }
}
