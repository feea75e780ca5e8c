//! Writing a snapshot.

use serde_json::{Value, json};

use super::env;
use super::snapshot::FlowFuseSnapshot;
use crate::credentials::encrypt_credentials;

impl FlowFuseSnapshot {
    /// The file that FlowFuse's import takes, with credentials and hidden variables encrypted with `secret`.
    pub fn write(&self, secret: &str) -> Value {
        let credentials =
            if self.credentials.is_empty() { json!({}) } else { encrypt_credentials(&self.credentials, secret) };
        json!({
            "id": self.id,
            "name": self.name,
            "description": self.description,
            "createdAt": self.created_at,
            "updatedAt": self.created_at,
            "user": {"username": self.user},
            "exportedBy": {"username": self.user},
            "ownerType": "instance",
            "settings": {
                "settings": self.settings,
                "env": env::write(&self.env, secret),
                "modules": self.modules,
            },
            "flows": {"flows": self.flows, "credentials": credentials},
        })
    }
}
