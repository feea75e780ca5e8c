//! Dead letters of a group.

use super::error::ClientError;
use super::transport::Client;
use crate::deadletter::{DeadLetter, DeadLetterContent, NewPayload};
use crate::member::By;
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

    /// Has a replica run a dead letter again.
    pub async fn replay_dead_letter(&self, group: &str, id: u64) -> Result<(), ClientError> {
        self.post(&of_group(group, &format!("deadletters/{id}/replay")), &By::default()).await
    }

    /// Puts another payload into a dead letter; it is in base64.
    pub async fn edit_dead_letter(&self, group: &str, id: u64, payload: String) -> Result<(), ClientError> {
        self.put(&of_group(group, &format!("deadletters/{id}/payload")), &NewPayload { payload }).await
    }

    /// Discards a dead letter.
    pub async fn discard_dead_letter(&self, group: &str, id: u64) -> Result<(), ClientError> {
        self.delete(&of_group(group, &format!("deadletters/{id}"))).await
    }
}
