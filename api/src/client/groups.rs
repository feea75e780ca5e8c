//! Groups, their replicas and their audit log.

use super::error::ClientError;
use super::transport::{Client, Versioned};
use crate::audit::{AuditChain, AuditEntry, AuditFilter};
use crate::group::{GroupRemoved, GroupSpec, GroupStatus, PauseChange, Scale};
use crate::path::{of_group, part};
use crate::replica::ReplicaRecord;

impl Client {
    /// The replicas of the gateway's own group, by id.
    pub async fn status(&self) -> Result<Vec<ReplicaRecord>, ClientError> {
        self.get("/api/v1/status").await
    }

    /// All groups, by name.
    pub async fn groups(&self) -> Result<Vec<GroupStatus>, ClientError> {
        self.get("/api/v1/groups").await
    }

    /// A group.
    pub async fn group(&self, group: &str) -> Result<GroupStatus, ClientError> {
        self.get(&of_group(group, "")).await
    }

    /// Adds a group.
    pub async fn add_group(&self, spec: &GroupSpec) -> Result<GroupStatus, ClientError> {
        self.post("/api/v1/groups", spec).await
    }

    /// A group and its version.
    pub async fn group_version(&self, group: &str) -> Result<Versioned<GroupStatus>, ClientError> {
        self.get_versioned(&of_group(group, "")).await
    }

    /// Replaces what users say of a group.
    pub async fn edit_group(&self, spec: &GroupSpec) -> Result<GroupStatus, ClientError> {
        self.edit_group_of(spec, None).await
    }

    /// Replaces what users say of a group of the version with this ETag: refused with 412 when it was changed since.
    pub async fn edit_group_of(&self, spec: &GroupSpec, tag: Option<&str>) -> Result<GroupStatus, ClientError> {
        self.put_version(&of_group(&spec.name, ""), spec, tag).await
    }

    /// Pauses a group (`paused`), or lets it go on.
    pub async fn pause(&self, group: &str, paused: bool, change: &PauseChange) -> Result<GroupStatus, ClientError> {
        self.post(&of_group(group, if paused { "pause" } else { "resume" }), change).await
    }

    /// Removes a group without replicas, and ends the MQTT sessions that they left at brokers. Asked again, it ends those
    /// that could not be ended before.
    pub async fn remove_group(&self, group: &str) -> Result<GroupRemoved, ClientError> {
        self.delete_for(&of_group(group, "")).await
    }

    /// Sets how many replicas the supervisor of a group keeps running.
    pub async fn scale(&self, group: &str, scale: &Scale) -> Result<GroupStatus, ClientError> {
        self.put(&of_group(group, "scale"), scale).await
    }

    /// The replicas of a group, by id.
    pub async fn replicas(&self, group: &str) -> Result<Vec<ReplicaRecord>, ClientError> {
        self.get(&of_group(group, "replicas")).await
    }

    /// The replicas of all groups; those in none first.
    pub async fn all_replicas(&self) -> Result<Vec<ReplicaRecord>, ClientError> {
        self.get("/api/v1/replicas").await
    }

    /// Puts a replica into a group.
    pub async fn add_member(&self, group: &str, replica: &str) -> Result<(), ClientError> {
        self.put(&member(group, replica), &()).await
    }

    /// Takes a replica out of a group.
    pub async fn remove_member(&self, group: &str, replica: &str) -> Result<(), ClientError> {
        self.delete(&member(group, replica)).await
    }

    /// The entries of an audit log that are meant, oldest first; without a group of what concerns none.
    pub async fn audit_log(&self, group: Option<&str>, filter: &AuditFilter) -> Result<Vec<AuditEntry>, ClientError> {
        let number = |name: &str, value: Option<u64>| value.map(|value| format!("{name}={value}"));
        let text = |name: &str, value: &Option<String>| value.as_ref().map(|value| format!("{name}={}", part(value)));
        let query = [
            text("user", &filter.user),
            text("event", &filter.event),
            number("since_ms", filter.since_ms),
            number("until_ms", filter.until_ms),
            number("after", filter.after),
            number("limit", filter.limit.map(|limit| limit as u64)),
        ];
        let query = query.into_iter().flatten().collect::<Vec<_>>().join("&");
        self.get(&audit(group, &format!("?{query}"))).await
    }

    /// The audit log of a group, oldest first.
    pub async fn audit(&self, group: &str) -> Result<Vec<AuditEntry>, ClientError> {
        self.audit_log(Some(group), &AuditFilter::default()).await
    }

    /// All that is needed to check an audit log; without a group that of what concerns none.
    pub async fn audit_chain(&self, group: Option<&str>) -> Result<AuditChain, ClientError> {
        self.get(&audit(group, "/chain")).await
    }
}

fn audit(group: Option<&str>, rest: &str) -> String {
    match group {
        Some(group) => of_group(group, &format!("audit{rest}")),
        None => format!("/api/v1/audit{rest}"),
    }
}

fn member(group: &str, replica: &str) -> String {
    of_group(group, &format!("members/{}", part(replica)))
}
