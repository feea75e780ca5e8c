//! Which message of a dead replica's session whoever finished it died with. Written under the lease on the replica's id, so that
//! one process at a time does.

use super::kept::{Kept, Suspect};
use super::sessions::{ATTEMPTS, Sessions};
use crate::error::GroupError;

impl Sessions {
    /// A process begins to finish a session; how many began before and did not end that in order.
    ///
    /// # Errors
    /// While the store is away.
    pub async fn begin(&self, client_id: &str) -> Result<u32, GroupError> {
        self.change(client_id, |kept| {
            kept.begun += 1;
            kept.begun - 1
        })
        .await
    }

    /// This process finishes it no more, and lives: that convicts nothing.
    ///
    /// # Errors
    /// While the store is away.
    pub async fn calm(&self, client_id: &str, process: &str) -> Result<(), GroupError> {
        self.change(client_id, |kept| {
            kept.begun = kept.begun.saturating_sub(1);
            // The deaths before this one stay.
            if let Some(suspect) = kept.suspect.as_mut().filter(|suspect| suspect.process == process) {
                suspect.process.clear();
            }
            0
        })
        .await
        .map(drop)
    }

    /// A message of it runs now, in this process; how many processes have died with it.
    ///
    /// # Errors
    /// While the store is away.
    pub async fn note(&self, client_id: &str, process: &str, digest: &str) -> Result<u32, GroupError> {
        self.change(client_id, |kept| {
            let before = kept.suspect.take().filter(|suspect| suspect.digest == digest);
            let deaths = before.map_or(0, |before| {
                let died = !before.process.is_empty() && before.process != process;
                before.deaths + u32::from(died)
            });
            kept.suspect = Some(Suspect { digest: digest.to_owned(), process: process.to_owned(), deaths });
            deaths
        })
        .await
    }

    /// Nothing is there any more when the session has ended meanwhile. One that was given up is left to its end.
    async fn change(&self, client_id: &str, change: impl Fn(&mut Kept) -> u32) -> Result<u32, GroupError> {
        for _ in 0..ATTEMPTS {
            let Some((mut kept, version)) = self.get(client_id).await? else { return Ok(0) };
            let answer = change(&mut kept);
            if self.swap(&kept, version).await? {
                return Ok(answer);
            }
        }
        Err(GroupError::Busy { group: self.group.clone() })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::session::Recorded;

    #[tokio::test]
    async fn a_message_is_blamed_for_deaths_alone() {
        let folder = tempfile::tempdir().unwrap();
        let sessions = Sessions::new(crate::test_store::open(&folder).await, "g").unwrap();
        let kept = Kept { client_id: "c".into(), replica: "r1".into(), session: json!({}), begun: 0, suspect: None };
        sessions.leave_behind(&kept, "p1").await.unwrap();
        assert_eq!(sessions.begin("c").await.unwrap(), 0);
        assert_eq!(sessions.begin("c").await.unwrap(), 1, "the first one did not end it");
        assert_eq!(sessions.note("c", "p2", "m").await.unwrap(), 0);
        assert_eq!(sessions.note("c", "p2", "m").await.unwrap(), 0, "the same process runs it again");
        assert_eq!(sessions.note("c", "p3", "m").await.unwrap(), 1, "p2 died with it");
        sessions.calm("c", "p3").await.unwrap();
        assert_eq!(sessions.begin("c").await.unwrap(), 1, "p3 does not count any more");
        assert_eq!(sessions.note("c", "p4", "m").await.unwrap(), 1, "p3 stopped in order");
        assert_eq!(sessions.note("c", "p5", "m").await.unwrap(), 2);
        assert_eq!(sessions.note("c", "p5", "n").await.unwrap(), 0, "the other one was done");
        sessions.give_up(&kept).await.unwrap();
        sessions.begin("c").await.unwrap();
        let entry = sessions.store.get(&crate::keys::session("g", "c")).await.unwrap().unwrap();
        assert!(entry.expires.is_some(), "one that was given up is forgotten in time");
        sessions.forget("c").await.unwrap();
        assert_eq!(sessions.begin("c").await.unwrap(), 0, "nothing is made anew");
        assert!(sessions.of("r1").await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn what_is_noted_of_a_session_that_was_taken_over_is_not_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let store = crate::test_store::open(&folder).await;
        let sessions = Sessions::new(store.clone(), "g").unwrap();
        let kept = Kept { client_id: "c".into(), replica: "r1".into(), session: json!({}), begun: 0, suspect: None };
        let (lease, ttl) = (crate::keys::member_lease("r1"), std::time::Duration::from_secs(60));
        let own = store.acquire(&lease, "p1", ttl).await.unwrap().granted().unwrap();
        assert_eq!(sessions.record(&kept, "p1").await.unwrap(), Recorded::Done);
        store.release(&own).await.unwrap();
        store.acquire(&lease, "adopter", ttl).await.unwrap().granted().unwrap();
        sessions.begin("c").await.unwrap();
        sessions.note("c", "p2", "m").await.unwrap();
        assert_eq!(sessions.record(&kept, "p1").await.unwrap(), Recorded::Lost);
        assert_eq!(sessions.leave_behind(&kept, "p1").await.unwrap(), Recorded::Lost);
        sessions.give_up(&kept).await.unwrap();
        let [now] = sessions.list().await.unwrap().try_into().unwrap();
        assert_eq!((now.replica.as_str(), now.begun), ("r1", 1));
        assert_eq!(now.suspect.map(|suspect| suspect.process), Some("p2".to_owned()));
    }
}
