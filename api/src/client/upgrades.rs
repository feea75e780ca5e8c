//! Rolling upgrades of the binary.

use super::error::ClientError;
use super::transport::Client;
use crate::path::part;
use crate::placement::{Binary, BinaryChunk, NewBinary, NewUpgrade, Upgrade, UpgradeStatus};

impl Client {
    /// Announces a binary; answers what of it the store has.
    pub async fn announce_binary(&self, binary: &NewBinary) -> Result<Binary, ClientError> {
        self.post("/api/v1/binaries", binary).await
    }

    /// Sends a chunk of a binary.
    pub async fn send_chunk(&self, sha256: &str, index: u32, chunk: &BinaryChunk) -> Result<(), ClientError> {
        self.put(&format!("/api/v1/binaries/{}/chunks/{index}", part(sha256)), chunk).await
    }

    /// Says that all chunks are sent; answers when they fit the hash.
    pub async fn finish_binary(&self, sha256: &str) -> Result<Binary, ClientError> {
        self.post(&format!("/api/v1/binaries/{}/finish", part(sha256)), &()).await
    }

    /// Begins an upgrade.
    pub async fn begin_upgrade(&self, upgrade: &NewUpgrade) -> Result<Upgrade, ClientError> {
        self.post("/api/v1/upgrade", upgrade).await
    }

    /// Which binary runs, and the last upgrade.
    pub async fn upgrade(&self) -> Result<UpgradeStatus, ClientError> {
        self.get("/api/v1/upgrade").await
    }

    /// Halts the upgrade that runs: what moved goes back.
    pub async fn cancel_upgrade(&self) -> Result<Upgrade, ClientError> {
        self.post("/api/v1/upgrade/cancel", &()).await
    }
}
