//! Shared context.

use serde_json::{Map, Value};

use super::error::ClientError;
use super::transport::Client;
use crate::path::{of_group, part};

impl Client {
    /// The shared context of a group: `SCOPE/KEY` to value, of the keys that begin with `prefix`.
    pub async fn context(&self, group: &str, prefix: &str) -> Result<Map<String, Value>, ClientError> {
        self.get(&of_group(group, &format!("context?prefix={}", part(prefix)))).await
    }

    /// Sets each `SCOPE/KEY`; `null` removes a key.
    pub async fn set_context(&self, group: &str, values: &Map<String, Value>) -> Result<(), ClientError> {
        self.put(&of_group(group, "context"), values).await
    }
}
