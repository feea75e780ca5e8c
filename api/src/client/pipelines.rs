//! Pipelines.

use super::error::ClientError;
use super::transport::Client;
use crate::path::part;
use crate::pipeline::{NewRun, PipelineSpec, Run, StageToken, Verdict};

fn path(name: &str, rest: &str) -> String {
    let slash = if rest.is_empty() { "" } else { "/" };
    format!("/api/v1/pipelines/{}{slash}{rest}", part(name))
}

impl Client {
    /// All pipelines, by name.
    pub async fn pipelines(&self) -> Result<Vec<PipelineSpec>, ClientError> {
        self.get("/api/v1/pipelines").await
    }

    /// A pipeline.
    pub async fn pipeline(&self, name: &str) -> Result<PipelineSpec, ClientError> {
        self.get(&path(name, "")).await
    }

    /// Adds a pipeline.
    pub async fn add_pipeline(&self, spec: &PipelineSpec) -> Result<PipelineSpec, ClientError> {
        self.post("/api/v1/pipelines", spec).await
    }

    /// Gives a stage that is a group of another installation its token.
    pub async fn set_stage_token(&self, name: &str, stage: &str, token: &StageToken) -> Result<(), ClientError> {
        self.put(&path(name, &format!("stages/{}/token", part(stage))), token).await
    }

    /// Removes a pipeline without an active run; its runs stay in the audit logs of its groups.
    pub async fn remove_pipeline(&self, name: &str) -> Result<(), ClientError> {
        self.delete(&path(name, "")).await
    }

    /// The runs of a pipeline, oldest first.
    pub async fn runs(&self, name: &str) -> Result<Vec<Run>, ClientError> {
        self.get(&path(name, "runs")).await
    }

    /// One run.
    pub async fn run(&self, name: &str, number: u64) -> Result<Run, ClientError> {
        self.get(&path(name, &format!("runs/{number}"))).await
    }

    /// Begins a run.
    pub async fn begin_run(&self, name: &str, new: &NewRun) -> Result<Run, ClientError> {
        self.post(&path(name, "runs"), new).await
    }

    /// Approves, rejects or cancels a run: `approve`, `reject`, `cancel`.
    pub async fn judge_run(&self, name: &str, number: u64, what: &str, by: &Verdict) -> Result<Run, ClientError> {
        self.post(&path(name, &format!("runs/{number}/{}", part(what))), by).await
    }
}
