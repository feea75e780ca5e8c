//! A replica of a group with the name of one that was removed: it takes no work while the sessions of that one are being ended.

use std::sync::Arc;

use flotilla_group::Changes;
use flotilla_group::member::Registration;
use flotilla_group::session::{ENDING, Sessions};
use flotilla_store::Store;

use crate::process::Readiness;

/// Returns when nobody ends sessions of the group, which may take [`ENDING`]: the group's own have the same ClientIDs as before.
/// The replica has registered, so that whoever begins from now on sees it and ends nothing. While the store is away it waits.
pub(super) async fn until_ended(
    store: Arc<dyn Store>,
    sessions: &Sessions,
    registration: &Registration,
    readiness: &Readiness,
) {
    const PART: &str = "sessions";
    let begin = || Changes::new(store.clone(), vec![sessions.endings_key()]);
    // Most replicas need none.
    let mut changes = None;
    let (mut told, mut away) = (false, false);
    loop {
        match sessions.are_ending().await {
            Ok(false) => break,
            Ok(true) if told => {}
            Ok(true) => {
                told = true;
                let why = format!(
                    "the MQTT sessions of a removed group with this name are being ended: {} s at most",
                    ENDING.as_secs()
                );
                tracing::info!("this replica waits: {why}");
                readiness.waiting(PART, why.clone());
                registration.update(move |record| record.reason = why).await;
            }
            Err(error) => {
                if !std::mem::replace(&mut away, true) {
                    tracing::warn!(%error, "cannot ask whether sessions of this group are being ended; this replica waits");
                }
                changes.get_or_insert_with(begin).look_again();
            }
        }
        changes.get_or_insert_with(begin).next().await;
    }
    if told {
        readiness.ready(PART);
        registration.update(|record| record.reason.clear()).await;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use flotilla_group::member::ReplicaRecord;

    use super::*;

    #[tokio::test]
    async fn a_replica_waits_until_the_sessions_of_the_removed_group_have_ended() {
        let folder = tempfile::TempDir::new().unwrap();
        let url = format!("sqlite:{}", folder.path().join("s.db").display());
        let store = flotilla_store::open(&url).await.unwrap();
        let sessions = Sessions::new(store.clone(), "g").unwrap();
        let ending = sessions.begin_ending("a").await.unwrap();
        let record = ReplicaRecord { id: "r".to_owned(), group: "g".to_owned(), ..ReplicaRecord::default() };
        let lease = Duration::from_secs(60);
        let registration = Registration::join(store.clone(), record, "p", lease, |_| {}).await.unwrap();
        let readiness = Readiness::new("revision", "not loaded yet");
        readiness.ready("revision");
        let waits = until_ended(store.clone(), &sessions, &registration, &readiness);
        tokio::pin!(waits);
        let is_told = async {
            while readiness.missing().is_empty() {
                tokio::task::yield_now().await;
            }
        };
        let limit = Duration::from_secs(20);
        tokio::select! {
            () = &mut waits => panic!("sessions of its group are being ended"),
            told = tokio::time::timeout(limit, is_told) => told.expect("it says why it is not ready"),
        }
        assert_eq!(readiness.missing()[0].0, "sessions");
        sessions.end_of(ending).await.unwrap();
        tokio::time::timeout(limit, waits).await.expect("it goes on when they have ended");
        assert!(readiness.missing().is_empty());
        // From now on the sessions are the replica's.
        assert!(sessions.begin_ending("b").await.is_err());
    }
}
