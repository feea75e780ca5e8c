//! Who takes the steps: every gateway runs a driver, and the lease on a pipeline says which one acts.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use flotilla_group::pipeline::Pipelines;
use flotilla_group::{Changes, GroupError};
use flotilla_store::Lease;
use flotilla_tasks::{Handle, Task};
use tokio_util::sync::CancellationToken;

use super::remote_away::Asked;
use super::turn::{Progress, turn};
use crate::admin::Api;

/// How long the lease outlives a gateway that dies while it takes a step.
const LEASE: Duration = Duration::from_secs(6);
/// How often a run that waits is looked at, whatever changes: windows open, and rollouts go on, without a change here.
const TICK: Duration = Duration::from_millis(500);
/// How often it is looked for runs that were claimed and did not begin.
const CLAIMS: Duration = Duration::from_secs(60);

/// Takes the steps of the runs of all pipelines.
#[derive(Clone)]
pub struct PipelineDriver {
    pub(super) api: Api,
    /// Unique per process.
    holder: String,
    /// The program whose `test` subcommand runs flow tests.
    pub(super) program: PathBuf,
    /// When other installations were asked.
    pub(super) asked: Arc<Asked>,
}

impl PipelineDriver {
    /// A driver. `holder` is unique per process, `program` is this program's file.
    pub fn new(api: Api, holder: &str, program: PathBuf) -> PipelineDriver {
        PipelineDriver { api, holder: holder.to_owned(), program, asked: Arc::default() }
    }

    /// Runs until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        let mut changes = Changes::new(self.api.store.clone(), Pipelines::prefixes());
        let mut claims = None;
        let mut at_work: HashMap<String, Handle<()>> = HashMap::new();
        loop {
            tokio::select! {
                _ = changes.next() => {}
                () = stop.cancelled() => break,
            }
            at_work.retain(|_, work| !work.is_finished());
            if claims.is_none_or(|at: Instant| at.elapsed() >= CLAIMS) {
                match self.finish_claims().await {
                    Ok(()) => claims = Some(Instant::now()),
                    Err(error) => tracing::debug!(%error, "cannot look for runs that were claimed and did not begin"),
                }
            }
            match self.active().await {
                Ok(names) => {
                    for name in names {
                        at_work.entry(name.clone()).or_insert_with(|| self.begin(name, stop.clone()));
                    }
                }
                Err(error) => {
                    tracing::debug!(%error, "cannot read the pipelines");
                    changes.look_again();
                }
            }
        }
        for (_, work) in at_work {
            let _ = work.await;
        }
    }

    /// Begins runs whose gateway died between the claim and the run.
    async fn finish_claims(&self) -> Result<(), GroupError> {
        for spec in self.api.pipelines().list().await? {
            flotilla_group::pipeline::Runs::new(self.api.store.clone(), &spec.name)?.finish_claims().await?;
        }
        Ok(())
    }

    /// The pipelines with an active run.
    async fn active(&self) -> Result<Vec<String>, GroupError> {
        let mut names = Vec::new();
        for spec in self.api.pipelines().list().await? {
            let runs = flotilla_group::pipeline::Runs::new(self.api.store.clone(), &spec.name)?;
            if runs.list().await?.iter().any(flotilla_group::pipeline::Run::is_active) {
                names.push(spec.name);
            }
        }
        Ok(names)
    }

    fn begin(&self, pipeline: String, stop: CancellationToken) -> Handle<()> {
        let task = Task {
            name: "pipeline",
            owner: pipeline.as_str().into(),
            ends: "no run of it is active, or the gateway stops",
            failure: "its runs wait until a gateway begins again",
        };
        let driver = self.clone();
        task.spawn(async move {
            let work = driver.work(&pipeline);
            tokio::select! {
                () = work => {}
                () = stop.cancelled() => {}
            }
        })
    }

    /// Takes steps while a run is active.
    async fn work(&self, pipeline: &str) {
        let Ok(runs) = self.api.runs(pipeline) else { return };
        let mut lease: Option<Lease> = None;
        loop {
            let held = match lease.take().filter(Lease::is_live) {
                Some(held) => runs.renew(&held).await.map(Some),
                None => self.take_up(&runs).await,
            };
            match held {
                Ok(Some(held)) => {
                    lease = Some(held.clone());
                    let ended = self.step(&runs, &held).await;
                    if ended {
                        break;
                    }
                }
                Ok(None) => {}
                Err(error) => tracing::debug!(%error, pipeline, "the pipeline waits"),
            }
            tokio::time::sleep(TICK).await;
        }
        if let Some(lease) = lease {
            let _ = runs.release(&lease).await;
        }
    }

    /// Asks for the lease. Who had it before may have died between a step and its copies in the audit logs.
    async fn take_up(&self, runs: &flotilla_group::pipeline::Runs) -> Result<Option<Lease>, GroupError> {
        let Some(lease) = runs.hold(&self.holder, LEASE).await? else { return Ok(None) };
        for run in runs.list().await?.iter().rev().take(3) {
            runs.mend(run).await?;
        }
        Ok(Some(lease))
    }

    /// Takes steps until it waits; true when no run is active any more. The lease is renewed meanwhile.
    async fn step(&self, runs: &flotilla_group::pipeline::Runs, lease: &Lease) -> bool {
        let steps = async {
            loop {
                match turn(self, runs, lease).await {
                    Ok(Progress::Went) => {}
                    Ok(Progress::Waits) => return false,
                    Ok(Progress::Nothing) => return true,
                    Err(why) => {
                        tracing::warn!(why, "a run of a pipeline waits");
                        return false;
                    }
                }
            }
        };
        let renewals = async {
            let mut held = lease.clone();
            loop {
                tokio::time::sleep(LEASE / 3).await;
                match runs.renew(&held).await {
                    Ok(renewed) => held = renewed,
                    Err(_) if !held.is_live() => return,
                    Err(_) => {}
                }
            }
        };
        tokio::select! {
            ended = steps => ended,
            () = renewals => false,
        }
    }
}
