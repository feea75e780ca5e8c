//! A replica changes its group: in none it waits, and from one to the next it begins anew.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use flotilla_group::Changes;
use flotilla_group::member::{Memberships, Registration, ReplicaRecord};
use flotilla_store::Store;

use crate::process::Readiness;

/// In which group a replica is now.
pub(super) struct Place {
    /// The group; `None` while it is in none.
    pub(super) group: Option<String>,
    /// When users put it there, on the store's clock; 0 when it was started there.
    pub(super) since_ms: u64,
}

impl Place {
    /// Where users put the replica, or where it was started.
    pub(super) async fn of(memberships: &Memberships, id: &str, started_in: Option<&str>) -> anyhow::Result<Place> {
        Ok(match memberships.get(id).await? {
            Some(membership) => Place { group: membership.group, since_ms: membership.since_ms },
            None => Place { group: started_in.map(str::to_owned), since_ms: 0 },
        })
    }
}

/// How waiting for a group ended.
pub(super) enum Waited {
    /// Users put the replica into a group.
    Placed(Place),
    /// The lease on the id is lost.
    Lost,
    /// The process is to stop.
    Stopped,
}

/// Holds the id and waits for a group, until `stop`. `process` names this process.
pub(super) async fn wait_for_group(
    store: &Arc<dyn Store>,
    record: ReplicaRecord,
    process: &str,
    lease: Duration,
    readiness: &Readiness,
    stop: impl Future<Output = ()>,
) -> anyhow::Result<Waited> {
    let id = record.id.clone();
    let why = format!("in no group: `flotilla group member add NAME --replica {id}` puts it into one");
    tracing::info!(id, "{why}");
    readiness.waiting("revision", why.clone());
    let record = ReplicaRecord { group: String::new(), reason: why, http: None, ..record };
    let memberships = Memberships::new(store.clone());
    let registration = Registration::join(store.clone(), record, process, lease, |_| {}).await?;
    let lost = registration.lost();
    let mut changes = Changes::new(store.clone(), vec![Memberships::key(&id)]);
    tokio::pin!(stop);
    loop {
        tokio::select! {
            _ = changes.next() => {}
            () = lost.cancelled() => return Ok(Waited::Lost),
            () = &mut stop => {
                registration.leave().await;
                return Ok(Waited::Stopped);
            }
        }
        match Place::of(&memberships, &id, None).await {
            Ok(Place { group: None, .. }) => {}
            Ok(place) => {
                registration.leave().await;
                return Ok(Waited::Placed(place));
            }
            Err(error) => {
                tracing::warn!(%error, "cannot ask whether this replica was put into a group");
                changes.look_again();
            }
        }
    }
}

/// True when users took the replica out of its group, or put it into another. While the store is away it stays.
pub(super) async fn is_elsewhere(memberships: &Memberships, id: &str, group: &str) -> bool {
    match memberships.get(id).await {
        Ok(membership) => membership.is_some_and(|membership| membership.group.as_deref() != Some(group)),
        Err(error) => {
            tracing::debug!(%error, "cannot ask in which group this replica is to be");
            false
        }
    }
}

/// Begins anew as the same process, with nothing of the old group left in memory. Returns only when that fails.
pub(super) fn begin_anew(id: &str) -> std::io::Error {
    let own = Path::new("/proc/self/exe");
    let program = match own.exists() {
        true => Ok(own.to_owned()),
        false => std::env::current_exe(),
    };
    match program {
        Ok(program) => Command::new(program).args(std::env::args_os().skip(1)).env("FLOTILLA_ID", id).exec(),
        Err(error) => error,
    }
}
