//! What pipelines of other installations send, and ask.

use super::error::ClientError;
use super::transport::Client;
use crate::deploy::DryRun;
use crate::path::{of_group, part};
use crate::transfer::{Transfer, TransferContent, TransferState, Transferred};

impl Client {
    /// What of a revision goes to another group.
    pub async fn transfer_content(&self, group: &str, revision: &str) -> Result<TransferContent, ClientError> {
        self.get(&of_group(group, &format!("revisions/{}/transfer", part(revision)))).await
    }

    /// What a transfer comes to, and how the one of this id went.
    pub async fn transfer_state(&self, group: &str, id: &str) -> Result<TransferState, ClientError> {
        self.get(&of_group(group, &format!("transfer?id={}", part(id)))).await
    }

    /// What a transfer would do.
    pub async fn transfer_dry_run(&self, group: &str, transfer: &Transfer) -> Result<DryRun, ClientError> {
        self.post(&of_group(group, "transfer/dry-run"), transfer).await
    }

    /// Brings a revision of another installation.
    pub async fn transfer(&self, group: &str, transfer: &Transfer) -> Result<Transferred, ClientError> {
        self.post(&of_group(group, "transfer"), transfer).await
    }
}
