//! Follows the registry: which replicas take requests.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use flotilla_group::member::{Registry, ReplicaState};
use tokio_util::sync::CancellationToken;

use crate::balancer::Pool;

/// How often the registry is read. A replica that dies is noticed earlier, by its first refused connection.
const PERIOD: Duration = Duration::from_millis(200);

/// Keeps the pool as the registry says, until the returned token is cancelled. `on_ready` hears how many are ready.
/// While the store is away the pool stays as it was: the replicas go on without the store.
pub fn follow(registry: Registry, pool: Arc<Pool>, on_ready: impl Fn(usize) + Send + 'static) -> CancellationToken {
    let stop = CancellationToken::new();
    let stopped = stop.clone();
    tokio::spawn(async move {
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
