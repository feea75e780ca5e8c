//! Deploys, rollbacks and rollouts.

use super::error::ClientError;
use super::transport::Client;
use crate::deploy::{Begun, Deploy, DryRun, Rollback};
use crate::env::{EnvVar, SecretChange, SecretsChanged};
use crate::member::By;
use crate::path::of_group;
use crate::rollout::{Rollout, RolloutChange, RolloutStatus};

impl Client {
    /// Checks a flow document, records it as a revision and begins the rollout to it.
    pub async fn deploy(&self, group: &str, deploy: &Deploy) -> Result<Begun, ClientError> {
        self.post(&of_group(group, "deploy"), deploy).await
    }

    /// What a deploy would do.
    pub async fn dry_run(&self, group: &str, deploy: &Deploy) -> Result<DryRun, ClientError> {
        self.post(&of_group(group, "deploy/dry-run"), deploy).await
    }

    /// The environment variables of a group, by name.
    pub async fn env(&self, group: &str) -> Result<Vec<EnvVar>, ClientError> {
        self.get(&of_group(group, "env")).await
    }

    /// Sets and removes secrets of a group.
    pub async fn change_secrets(&self, group: &str, change: &SecretChange) -> Result<SecretsChanged, ClientError> {
        self.put(&of_group(group, "env/secrets"), change).await
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
    pub async fn change_rollout(&self, group: &str, change: RolloutChange) -> Result<Rollout, ClientError> {
        self.post(&of_group(group, &format!("rollout/{}", change.word())), &By::default()).await
    }
}
