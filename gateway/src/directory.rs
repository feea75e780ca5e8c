//! Follows the registry: which replicas take requests.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use flotilla_api::replica::{ReplicaRecord, ReplicaState};
use flotilla_group::member::{Gateways, Roster, View};
use flotilla_store::Moment;
use flotilla_tasks::Task;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use flotilla_balancer::Pool;

/// How often it is looked whose time is over, when nothing changes.
const PERIOD: Duration = Duration::from_millis(200);
/// How long the store may take to answer.
const ANSWER: Duration = Duration::from_secs(2);

/// Keeps the pool as the registry says, until the returned token is cancelled, and tells the group to whom this gateway
/// (`id`, unique per process) routes: a replica that drains waits for that. `on_ready` hears how many are ready. While the
/// store is away the pool stays as it was: the replicas go on without the store. A replica that dies is noticed earlier, by
/// its first refused connection.
pub fn follow(
    roster: Roster,
    gateways: Gateways,
    id: String,
    pool: Arc<Pool>,
    on_ready: impl Fn(usize) + Send + 'static,
) -> CancellationToken {
    let stop = CancellationToken::new();
    let (said, mut listed) = watch::channel(None);
    let (routes, told) = watch::channel(Vec::new());
    // Three tasks, so that a store that hangs in one of them does not hold up the others. All end with the token.
    let failure = "the pool stays as it is; restart the gateway";
    task("registry reader", &id, failure).spawn(read(roster, said, stop.clone()));
    let failure = "replicas that drain wait for this gateway until their time-out";
    task("routes report", &id, failure).spawn(tell(gateways, id.clone(), told, stop.clone()));
    let stopped = stop.clone();
    let failure = "the pool stays as it is; restart the gateway";
    task("pool update", &id, failure).spawn(async move {
        let mut seen = View::default();
        let mut timer = tokio::time::interval(PERIOD);
        timer.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = timer.tick() => {}
                changed = listed.changed() => if changed.is_err() { return },
                () = stopped.cancelled() => return,
            }
            let list = listed.borrow_and_update().clone();
            match list {
                Some(Ok(replicas)) => seen.take(replicas, Moment::now()),
                Some(Err(error)) => seen.failed(&error, Moment::now()),
                None => continue,
            }
            let ready: Vec<_> = seen
                .replicas()
                .iter()
                .filter(|replica| replica.state == ReplicaState::Ready)
                .filter_map(|replica| Some((replica.id.clone(), replica.http?)))
                .collect();
            let living: HashSet<&str> = seen.replicas().iter().map(|replica| replica.id.as_str()).collect();
            pool.set_ready(&ready, &living);
            for replica in seen.beating() {
                pool.mark_up(&replica);
            }
            on_ready(pool.backends().iter().filter(|backend| backend.is_up()).count());
            let ids = ready.into_iter().map(|(replica, _)| replica).collect();
            routes.send_if_modified(|told| {
                let changed = *told != ids;
                *told = ids;
                changed
            });
        }
    });
    stop
}

fn task(name: &'static str, gateway: &str, failure: &'static str) -> Task {
    Task { name, owner: gateway.into(), ends: "the gateway stops", failure }
}

/// What the registry says; an error while it cannot be read.
type Listed = Option<Result<Vec<ReplicaRecord>, String>>;

async fn read(mut roster: Roster, said: watch::Sender<Listed>, stop: CancellationToken) {
    loop {
        let next = tokio::select! {
            next = roster.next() => next,
            () = stop.cancelled() => return,
        };
        let listed = match next {
            Ok(replicas) => Ok(replicas.cloned().collect()),
            Err(error) => Err(error.to_string()),
        };
        let _ = said.send(Some(listed));
    }
}

async fn tell(gateways: Gateways, id: String, mut routes: watch::Receiver<Vec<String>>, stop: CancellationToken) {
    let mut failing = false;
    loop {
        let now = routes.borrow_and_update().clone();
        let told = tokio::time::timeout(ANSWER, gateways.tell(&id, now)).await;
        let told =
            told.map_or(Err("the store does not answer".to_owned()), |told| told.map_err(|error| error.to_string()));
        match told {
            Ok(()) => failing = false,
            Err(error) if !std::mem::replace(&mut failing, true) => {
                tracing::warn!(error, "cannot report to the group where this gateway routes; tries again");
            }
            Err(_) => {}
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(if failing { PERIOD } else { Gateways::PERIOD }) => {}
            changed = routes.changed() => if changed.is_err() { return },
        }
    }
}
