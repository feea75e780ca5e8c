//! The key that seals credentials, secrets and dead letters.

use super::error::ClientError;
use super::transport::Client;
use crate::key::{KeyFinished, KeyRotated, KeyState, RotateKey};

impl Client {
    /// Which key is in use, and who has it.
    pub async fn key(&self) -> Result<KeyState, ClientError> {
        self.get("/api/v1/key").await
    }

    /// Seals everything with another key.
    pub async fn rotate_key(&self, rotate: &RotateKey) -> Result<KeyRotated, ClientError> {
        self.post("/api/v1/key/rotate", rotate).await
    }

    /// Takes the old key out of use.
    pub async fn finish_key(&self) -> Result<KeyFinished, ClientError> {
        self.post("/api/v1/key/finish", &serde_json::Value::Null).await
    }
}
