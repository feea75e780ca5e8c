//! Deploys, rollbacks and rollouts.

use super::error::ClientError;
use super::path::of_group;
use super::transport::Client;
use crate::deploy::{Begun, Deploy, Rollback};
use crate::member::By;
use crate::rollout::{Rollout, RolloutChange, RolloutStatus};

impl Client {
    /// Checks a flow document, records it as a revision and begins the rollout to it.
    pub async fn deploy(&self, group: &str, deploy: &Deploy) -> Result<Begun, ClientError> {
        self.post(&of_group(group, "deploy"), deploy).await
    }

    /// Begins a rollout back to an earlier revision.
    pub async fn rollback(&self, group: &str, rollback: &Rollback) -> Result<Begun, ClientError> {
        self.post(&of_group(group, "rollback"), rollback).await
    }

    /// What a group is to run, and its rollout.
    pub async fn rollout(&self, group: &str) -> Result<RolloutStatus, ClientError> {
        self.get(&of_group(group, "rollout")).await
    }

    /// Pauses, resumes or cancels the rollout that runs.
    pub async fn change_rollout(
        &self,
        group: &str,
        change: RolloutChange,
        actor: &str,
    ) -> Result<Rollout, ClientError> {
        let by = By { actor: actor.to_owned() };
        self.post(&of_group(group, &format!("rollout/{}", change.word())), &by).await
    }
}
