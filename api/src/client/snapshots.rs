//! Snapshots.

use super::error::ClientError;
use super::transport::Client;
use crate::deploy::{Begun, Rollback};
use crate::path::{of_group, part};
use crate::snapshot::{Export, Exported, NewSnapshot, Snapshot};

impl Client {
    /// The snapshots of a group, oldest first.
    pub async fn snapshots(&self, group: &str) -> Result<Vec<Snapshot>, ClientError> {
        self.get(&of_group(group, "snapshots")).await
    }

    /// A snapshot, by its number, or the last one of a name.
    pub async fn snapshot(&self, group: &str, id: &str) -> Result<Snapshot, ClientError> {
        self.get(&of_group(group, &format!("snapshots/{}", part(id)))).await
    }

    /// Gives a revision a name.
    pub async fn add_snapshot(&self, group: &str, new: &NewSnapshot) -> Result<Snapshot, ClientError> {
        self.post(&of_group(group, "snapshots"), new).await
    }

    /// Begins a rollout to a snapshot's revision.
    pub async fn restore_snapshot(&self, group: &str, id: &str, how: &Rollback) -> Result<Begun, ClientError> {
        self.post(&of_group(group, &format!("snapshots/{}/restore", part(id))), how).await
    }

    /// The files of a snapshot.
    pub async fn export_snapshot(&self, group: &str, id: &str, export: &Export) -> Result<Exported, ClientError> {
        self.post(&of_group(group, &format!("snapshots/{}/export", part(id))), export).await
    }

    /// Removes a snapshot. Its revision stays.
    pub async fn remove_snapshot(&self, group: &str, id: &str) -> Result<(), ClientError> {
        self.delete(&of_group(group, &format!("snapshots/{}", part(id)))).await
    }
}
