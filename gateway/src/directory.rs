//! Follows the registry: which replicas take requests.

use std::collections::HashMap;
use std::sync::Arc;

use flotilla_api::replica::{ReplicaRecord, ReplicaState};
use flotilla_group::member::{Gateways, Roster};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::balancer::Pool;

/// Keeps the pool as the registry says, until the returned token is cancelled, and tells the group to whom this gateway
/// (`id`, unique per process) routes: a replica that drains waits for that. `on_ready` hears how many are ready. While the
/// store is away the pool stays as it was: the replicas go on without the store. A replica that dies is noticed earlier, by
/// its first refused connection.
pub fn follow(
    mut roster: Roster,
    gateways: Gateways,
    id: String,
    pool: Arc<Pool>,
    on_ready: impl Fn(usize) + Send + 'static,
) -> CancellationToken {
    let stop = CancellationToken::new();
    let stopped = stop.clone();
    tokio::spawn(async move {
        let mut told: Option<Vec<String>> = None;
        let mut tell_at = Instant::now();
        let mut routes: Vec<String> = Vec::new();
        let mut beats: HashMap<String, u64> = HashMap::new();
        loop {
            tokio::select! {
                replicas = roster.next() => match replicas {
                    Ok(replicas) => routes = route(&pool, &mut beats, replicas.collect()),
                    Err(error) => {
                        tracing::warn!(%error, "cannot read the registry; routing stays as it was");
                        continue;
                    }
                },
                () = tokio::time::sleep_until(tell_at) => {}
                () = stopped.cancelled() => return,
            }
            on_ready(routes.len());
            if told.as_ref() != Some(&routes) || Instant::now() >= tell_at {
                tell_at = Instant::now() + Gateways::PERIOD;
                match gateways.tell(&id, routes.clone()).await {
                    Ok(()) => told = Some(routes.clone()),
                    Err(error) => {
                        told = None;
                        tracing::warn!(%error, "cannot tell the group to whom this gateway routes");
                    }
                }
            }
        }
    });
    stop
}

/// Has the pool route to the replicas that are ready; answers their ids.
fn route(pool: &Pool, beats: &mut HashMap<String, u64>, replicas: Vec<&ReplicaRecord>) -> Vec<String> {
    let ready: Vec<_> = replicas
        .iter()
        .filter(|replica| replica.state == ReplicaState::Ready)
        .filter_map(|replica| Some((replica.id.clone(), replica.http?)))
        .collect();
    pool.set_ready(&ready);
    for replica in &replicas {
        let before = beats.insert(replica.id.clone(), replica.beat);
        if before.is_some_and(|before| replica.beat > before) {
            pool.mark_up(&replica.id);
        }
    }
    beats.retain(|id, _| replicas.iter().any(|replica| replica.id == *id));
    ready.into_iter().map(|(replica, _)| replica).collect()
}
