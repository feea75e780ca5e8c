//! Sessions at brokers that do not redispatch: this replica's own are recorded, and how they are left is decided here.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use flotilla_engine::Shared;
use flotilla_group::member::Standing;
use flotilla_group::session::{Kept, Recorded, Sessions};
use flotilla_nodes_network::mqtt::{Guard, Keeper, KeptSession, Parting, SessionKeeper};
use futures::future::BoxFuture;
use parking_lot::Mutex;

/// How long messages wait after a pause for the look at the lease; a store that is slower does not stop the flows.
const PATIENCE: Duration = Duration::from_secs(3);
/// How often it is asked whose a ClientID is.
const ASK: Duration = Duration::from_millis(500);

/// Records sessions in the group's store.
#[derive(Clone)]
pub struct GroupKeeper {
    sessions: Sessions,
    standing: Standing,
    replica: String,
    /// `started_ms/random`, as in this replica's lease.
    process: String,
    parting: Arc<Mutex<Parting>>,
    /// No other replica goes on when this one stops.
    last: Arc<AtomicBool>,
}

impl GroupKeeper {
    /// The keeper of this replica's sessions.
    pub fn new(sessions: Sessions, standing: Standing, replica: &str, process: &str) -> GroupKeeper {
        GroupKeeper {
            sessions,
            standing,
            replica: replica.to_owned(),
            process: process.to_owned(),
            parting: Arc::default(),
            last: Arc::default(),
        }
    }

    /// Has the MQTT nodes of this replica record their sessions.
    pub fn install(&self, shared: &Arc<Shared>) {
        shared.extensions().insert(Arc::new(Keeper(Arc::new(self.clone()))));
    }

    /// This replica stops for good; `last`: no other goes on.
    pub fn stop(&self, last: bool) {
        self.last.store(last, Ordering::Release);
    }

    /// True when this replica stops and no other goes on.
    pub fn is_last(&self) -> bool {
        self.last.load(Ordering::Acquire)
    }

    /// How sessions are left from now on.
    pub fn part(&self, parting: Parting) {
        *self.parting.lock() = parting;
    }
}

impl std::fmt::Debug for GroupKeeper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GroupKeeper").field("replica", &self.replica).finish_non_exhaustive()
    }
}

fn kept(session: &KeptSession) -> Kept {
    let value = serde_json::to_value(session).unwrap_or_default();
    let (client_id, replica) = (session.client_id.clone(), session.replica.clone());
    Kept { client_id, replica, session: value, begun: 0, suspect: None }
}

impl SessionKeeper for GroupKeeper {
    fn record(&self, session: KeptSession) -> BoxFuture<'static, bool> {
        let (sessions, process) = (self.sessions.clone(), self.process.clone());
        Box::pin(async move {
            match sessions.record(&kept(&session), &process).await {
                Ok(Recorded::Done) => true,
                Ok(Recorded::Lost) => {
                    tracing::warn!(client = session.client_id, "this replica's id is lost; it does not consume");
                    false
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot record an MQTT session; it is lost if this replica dies");
                    true
                }
            }
        })
    }

    fn leave_behind(&self, session: KeptSession) -> BoxFuture<'static, ()> {
        let (sessions, process) = (self.sessions.clone(), self.process.clone());
        Box::pin(async move {
            if let Err(error) = sessions.leave_behind(&kept(&session), &process).await {
                tracing::warn!(
                    %error,
                    client = session.client_id,
                    "cannot record that an MQTT session was left; another replica takes it over when this replica's lease has ended"
                );
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

    fn guard(&self) -> Arc<dyn Guard> {
        Arc::new(self.clone())
    }

    fn parting(&self) -> Parting {
        *self.parting.lock()
    }
}

impl Guard for GroupKeeper {
    fn is_current(&self) -> bool {
        self.standing.is_current()
    }

    fn until_current(&self) -> BoxFuture<'static, bool> {
        let standing = self.standing.clone();
        Box::pin(async move { standing.until_current(PATIENCE).await })
    }

    fn may_connect(&self, taken: bool) -> BoxFuture<'static, bool> {
        let (sessions, standing) = (self.sessions.clone(), self.standing.clone());
        let (replica, process) = (self.replica.clone(), self.process.clone());
        Box::pin(async move {
            loop {
                if standing.is_lost() {
                    return false;
                }
                if !taken && standing.holds() {
                    return true;
                }
                match sessions.is_ours(&replica, &process).await {
                    Ok(ours) => return ours,
                    Err(_) if !taken => return true,
                    // Somebody has taken the ClientID up, and only the store knows whether rightly.
                    Err(_) => tokio::time::sleep(ASK).await,
                }
            }
        })
    }
}
