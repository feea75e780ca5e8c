//! Alerts and timers of a group.

use super::error::ClientError;
use super::transport::Client;
use crate::alert::{AlertTest, Alerts};
use crate::path::of_group;
use crate::timer::GroupTimers;

impl Client {
    /// The alerts of a group.
    pub async fn alerts(&self, group: &str) -> Result<Alerts, ClientError> {
        self.get(&of_group(group, "alerts")).await
    }

    /// Sends a test to the group's webhook.
    pub async fn test_alert(&self, group: &str) -> Result<AlertTest, ClientError> {
        self.post(&of_group(group, "alerts/test"), &()).await
    }

    /// The timers of a group's flow.
    pub async fn timers(&self, group: &str) -> Result<GroupTimers, ClientError> {
        self.get(&of_group(group, "timers")).await
    }
}
