//! Sessions at brokers that do not redispatch: this replica's own are recorded, those of dead ones are finished.

use std::sync::Arc;
use std::time::Duration;

use flotilla_engine::Shared;
use flotilla_group::session::{Kept, Sessions};
use flotilla_nodes_network::mqtt::{Keeper, KeptSession, SessionKeeper, adopt};
use futures::future::BoxFuture;

/// How often orphans are looked for.
const LOOK: Duration = Duration::from_millis(500);
/// How long one session may take to be finished before another replica may try.
const LIMIT: Duration = Duration::from_secs(120);

/// Records sessions in the group's store.
struct GroupKeeper {
    sessions: Sessions,
    /// `pid/started_ms`, as in this replica's lease.
    process: String,
}

impl SessionKeeper for GroupKeeper {
    fn record(&self, session: KeptSession) -> BoxFuture<'static, ()> {
        let (sessions, process) = (self.sessions.clone(), self.process.clone());
        Box::pin(async move {
            let Ok(value) = serde_json::to_value(&session) else { return };
            let kept = Kept { client_id: session.client_id, replica: session.replica, session: value };
            match sessions.record(&kept, &process).await {
                Ok(true) => {}
                Ok(false) => {
                    // Paused past its lease: another finishes this session. This process ends soon and must not consume.
                    tracing::warn!(client = kept.client_id, "this replica's id is lost; it does not consume");
                    std::future::pending::<()>().await;
                }
                Err(error) => tracing::warn!(%error, "cannot record an MQTT session; it is lost if this replica dies"),
            }
        })
    }

    fn forget(&self, client_id: String) -> BoxFuture<'static, ()> {
        let sessions = self.sessions.clone();
        Box::pin(async move {
            if let Err(error) = sessions.forget(&client_id).await {
                tracing::warn!(%error, client = client_id, "cannot forget an MQTT session that has ended");
            }
        })
    }
}

/// Has the MQTT nodes of this replica record their sessions.
pub fn keep(shared: &Arc<Shared>, sessions: &Sessions, process: &str) {
    let keeper = GroupKeeper { sessions: sessions.clone(), process: process.to_owned() };
    shared.extensions.insert(Arc::new(Keeper(Arc::new(keeper))));
}

/// Finishes what the sessions of dead replicas hold, one after the other. Does not end; whoever drops it leaves the rest
/// to other replicas, as the taken id's lease runs out.
pub async fn finish_orphans(shared: Arc<Shared>, sessions: Sessions, process: String, ttl: Duration) {
    let mut timer = tokio::time::interval(LOOK);
    timer.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        timer.tick().await;
        match sessions.orphans().await {
            Ok(orphans) => {
                for kept in orphans {
                    if let Err(error) = finish(&shared, &sessions, &kept, &process, ttl).await {
                        tracing::warn!(%error, client = kept.client_id, "the session of a dead replica waits");
                    }
                }
            }
            Err(error) => tracing::debug!(%error, "cannot look for sessions of dead replicas"),
        }
    }
}

async fn finish(
    shared: &Arc<Shared>,
    sessions: &Sessions,
    kept: &Kept,
    process: &str,
    ttl: Duration,
) -> anyhow::Result<()> {
    let session: KeptSession = serde_json::from_value(kept.session.clone())?;
    let Some(mut lease) = sessions.take_over(&kept.replica, process, ttl).await? else { return Ok(()) };
    tracing::info!(replica = kept.replica, client = kept.client_id, "finishes the MQTT session of a dead replica");
    let adopting = tokio::time::timeout(LIMIT, adopt(shared, &session));
    tokio::pin!(adopting);
    let adopted = loop {
        tokio::select! {
            adopted = &mut adopting => break adopted,
            () = tokio::time::sleep(ttl / 3) => lease = sessions.keep(&lease).await?,
        }
    };
    match adopted {
        Ok(Ok(adopted)) => {
            tracing::info!(
                client = kept.client_id,
                messages = adopted.messages,
                finished = adopted.finished,
                "session finished"
            );
        }
        Ok(Err(why)) => {
            tracing::warn!(client = kept.client_id, "{why}");
            sessions.give_up(kept).await?;
        }
        Err(_) => {
            tracing::warn!(client = kept.client_id, "the session was not finished in time; another replica may try");
        }
    }
    sessions.release(&lease).await?;
    Ok(())
}
