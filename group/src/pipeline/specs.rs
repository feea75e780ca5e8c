//! Pipelines in the store.

use std::sync::Arc;

use flotilla_api::pipeline::PipelineSpec;
use flotilla_store::{Expect, Store, Write};

use super::check::check;
use super::runs::Runs;
use super::tokens::StageTokens;
use crate::error::GroupError;
use crate::keys;

/// Pipelines in the store.
#[derive(Clone)]
pub struct Pipelines {
    store: Arc<dyn Store>,
}

impl Pipelines {
    /// The pipelines of a store.
    pub fn new(store: Arc<dyn Store>) -> Pipelines {
        Pipelines { store }
    }

    /// What [`Changes`](crate::Changes) of pipelines and their runs are to be of.
    pub fn prefixes() -> Vec<String> {
        vec![keys::PIPELINES.to_owned(), keys::PIPELINE_RUNS.to_owned()]
    }

    /// All pipelines, by name.
    pub async fn list(&self) -> Result<Vec<PipelineSpec>, GroupError> {
        let entries = self.store.list(keys::PIPELINES).await?;
        entries.iter().map(|entry| keys::read("a pipeline", entry)).collect()
    }

    /// A pipeline.
    ///
    /// # Errors
    /// [`GroupError::NoSuch`].
    pub async fn get(&self, name: &str) -> Result<PipelineSpec, GroupError> {
        keys::check("pipeline name", name)?;
        let entry = self.store.get(&keys::pipeline(name)).await?.ok_or_else(|| GroupError::NoSuch {
            code: "no_such_pipeline",
            what: "there is no pipeline".to_owned(),
            name: name.to_owned(),
            see: "flotilla pipeline list",
        })?;
        keys::read("a pipeline", &entry)
    }

    /// Adds a pipeline.
    ///
    /// # Errors
    /// [`GroupError::Invalid`], [`GroupError::Conflict`] when there is one of this name.
    pub async fn add(&self, spec: &PipelineSpec) -> Result<(), GroupError> {
        check(spec)?;
        let key = keys::pipeline(&spec.name);
        let added = self.store.cas(&key, Expect::Absent, Some(keys::encode(spec)), Write::default()).await?;
        if added.is_swapped() {
            return Ok(());
        }
        let reason =
            format!("there is a pipeline \"{0}\" already: remove it first, `flotilla pipeline remove {0}`", spec.name);
        Err(GroupError::Conflict { code: "pipeline_exists", reason })
    }

    /// Removes a pipeline without an active run, and its runs; what they did stays in the audit logs of their groups.
    ///
    /// # Errors
    /// [`GroupError::NoSuch`], [`GroupError::Conflict`] while a run is active.
    pub async fn remove(&self, name: &str) -> Result<(), GroupError> {
        self.get(name).await?;
        let runs = Runs::new(self.store.clone(), name)?;
        if let Some(active) = runs.list().await?.iter().find(|run| run.is_active()) {
            let reason =
                format!("run {} of pipeline \"{name}\" is active: `flotilla pipeline cancel {name}`", active.number);
            return Err(GroupError::Conflict { code: "run_active", reason });
        }
        self.store.delete(&keys::pipeline(name), None).await?;
        StageTokens::new(self.store.clone(), name)?.remove().await?;
        runs.remove_all().await
    }
}
