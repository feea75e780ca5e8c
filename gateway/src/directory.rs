//! Follows the registry: which replicas take requests.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use flotilla_group::member::{Gateways, Registry, ReplicaState};
use tokio_util::sync::CancellationToken;

use crate::balancer::Pool;

/// How often the registry is read. A replica that dies is noticed earlier, by its first refused connection.
const PERIOD: Duration = Duration::from_millis(200);

/// Keeps the pool as the registry says, until the returned token is cancelled, and tells the group to whom this gateway
/// (`id`, unique per process) routes: a replica that drains waits for that. `on_ready` hears how many are ready. While the
/// store is away the pool stays as it was: the replicas go on without the store.
pub fn follow(
    registry: Registry,
    gateways: Gateways,
    id: String,
    pool: Arc<Pool>,
    on_ready: impl Fn(usize) + Send + 'static,
) -> CancellationToken {
    let stop = CancellationToken::new();
    let stopped = stop.clone();
    tokio::spawn(async move {
        let mut told: Option<(Vec<String>, Instant)> = None;
        let mut beats: HashMap<String, u64> = HashMap::new();
        let mut timer = tokio::time::interval(PERIOD);
        timer.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = timer.tick() => {}
                () = stopped.cancelled() => return,
            }
            let replicas = match registry.list().await {
                Ok(replicas) => replicas,
                Err(error) => {
                    tracing::warn!(%error, "cannot read the registry; routing stays as it was");
                    continue;
                }
            };
            let ready: Vec<_> = replicas
                .iter()
                .filter(|replica| replica.state == ReplicaState::Ready)
                .filter_map(|replica| Some((replica.id.clone(), replica.http?)))
                .collect();
            pool.set_ready(&ready);
            on_ready(ready.len());
            let routes: Vec<String> = ready.into_iter().map(|(replica, _)| replica).collect();
            let due = told.as_ref().is_none_or(|(last, at)| *last != routes || at.elapsed() >= Gateways::PERIOD);
            if due {
                match gateways.tell(&id, routes.clone()).await {
                    Ok(()) => told = Some((routes, Instant::now())),
                    Err(error) => tracing::warn!(%error, "cannot tell the group to whom this gateway routes"),
                }
            }
            for replica in &replicas {
                let before = beats.insert(replica.id.clone(), replica.beat);
                if before.is_some_and(|before| replica.beat > before) {
                    pool.mark_up(&replica.id);
                }
            }
            beats.retain(|id, _| replicas.iter().any(|replica| replica.id == *id));
        }
    });
    stop
}
