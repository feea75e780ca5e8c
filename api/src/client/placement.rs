//! Hosts, server groups and where replicas would run.

use super::error::ClientError;
use super::transport::Client;
use crate::path::{of_group, part};
use crate::placement::{
    Host, Joined, PlacementCheck, PlacementSummary, Proposed, ServerGroupJoin, ServerGroupSpec, ServerGroupStatus,
};

impl Client {
    /// All hosts, by name.
    pub async fn hosts(&self) -> Result<Vec<Host>, ClientError> {
        self.get("/api/v1/hosts").await
    }

    /// A host.
    pub async fn host(&self, host: &str) -> Result<Host, ClientError> {
        self.get(&format!("/api/v1/hosts/{}", part(host))).await
    }

    /// Has a host's members placed elsewhere, or takes that back.
    pub async fn drain_host(&self, host: &str, drained: bool) -> Result<Host, ClientError> {
        let what = if drained { "drain" } else { "undrain" };
        self.post(&format!("/api/v1/hosts/{}/{what}", part(host)), &()).await
    }

    /// Forgets a host whose agent has ended.
    pub async fn remove_host(&self, host: &str) -> Result<(), ClientError> {
        self.delete(&format!("/api/v1/hosts/{}", part(host))).await
    }

    /// All server groups, by name.
    pub async fn server_groups(&self) -> Result<Vec<ServerGroupStatus>, ClientError> {
        self.get("/api/v1/server-groups").await
    }

    /// A server group.
    pub async fn server_group(&self, name: &str) -> Result<ServerGroupStatus, ClientError> {
        self.get(&format!("/api/v1/server-groups/{}", part(name))).await
    }

    /// Adds a server group.
    pub async fn add_server_group(&self, spec: &ServerGroupSpec) -> Result<ServerGroupStatus, ClientError> {
        self.post("/api/v1/server-groups", spec).await
    }

    /// Removes a server group; its members run on.
    pub async fn remove_server_group(&self, name: &str) -> Result<(), ClientError> {
        self.delete(&format!("/api/v1/server-groups/{}", part(name))).await
    }

    /// Puts a group that exists into a server group.
    pub async fn join_server_group(&self, name: &str, join: &ServerGroupJoin) -> Result<Joined, ClientError> {
        self.post(&format!("/api/v1/server-groups/{}/groups", part(name)), join).await
    }

    /// Where a group's replicas would be placed.
    pub async fn check_placement(&self, check: &PlacementCheck) -> Result<Proposed, ClientError> {
        self.post("/api/v1/placement/check", check).await
    }

    /// Where a group's members are placed, and what is waited for.
    pub async fn placement(&self, group: &str) -> Result<PlacementSummary, ClientError> {
        self.get(&of_group(group, "placement")).await
    }
}
