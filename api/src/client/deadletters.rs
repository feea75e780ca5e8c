//! Dead letters of a group.

use super::error::ClientError;
use super::transport::{Client, Versioned};
use crate::deadletter::{DeadLetter, DeadLetterContent, NewPayload, ReplayLetter};
use crate::path::of_group;

impl Client {
    /// The dead letters of a group, the oldest first.
    pub async fn dead_letters(&self, group: &str) -> Result<Vec<DeadLetter>, ClientError> {
        self.get(&of_group(group, "deadletters")).await
    }

    /// One dead letter with its content.
    pub async fn dead_letter(&self, group: &str, id: u64) -> Result<DeadLetterContent, ClientError> {
        self.get(&of_group(group, &format!("deadletters/{id}"))).await
    }

    /// One dead letter with its content, and its version.
    pub async fn dead_letter_version(&self, group: &str, id: u64) -> Result<Versioned<DeadLetterContent>, ClientError> {
        self.get_versioned(&of_group(group, &format!("deadletters/{id}"))).await
    }

    /// Has a replica run a dead letter again.
    pub async fn replay_dead_letter(&self, group: &str, id: u64, how: &ReplayLetter) -> Result<(), ClientError> {
        self.post(&of_group(group, &format!("deadletters/{id}/replay")), how).await
    }

    /// Puts another payload, or another message where it failed, into a dead letter of the version with this ETag; without one
    /// of whatever is there.
    pub async fn edit_dead_letter(
        &self,
        group: &str,
        id: u64,
        new: &NewPayload,
        tag: Option<&str>,
    ) -> Result<(), ClientError> {
        self.put_version(&of_group(group, &format!("deadletters/{id}/payload")), new, tag).await
    }

    /// Discards a dead letter.
    pub async fn discard_dead_letter(&self, group: &str, id: u64) -> Result<(), ClientError> {
        self.delete(&of_group(group, &format!("deadletters/{id}"))).await
    }
}
