//! A replica that has joined: it runs what the group's desired state tells it, moves when it is told to, and leaves.

use std::collections::BTreeMap;
use std::time::Duration;

use flotilla_engine::{DeployReport, Engine};
use flotilla_flows::DeployType;
use flotilla_group::GroupError;
use flotilla_group::desired::DesiredStates;
use flotilla_group::member::{Gateways, Registration, ReplicaRecord, ReplicaState};
use flotilla_group::revision::{Recorded, Revision, Revisions};
use flotilla_group::sealing::KeyRing;
use flotilla_group::secret::Secrets;
use flotilla_group::session::Consumers;
use flotilla_nodes_network::mqtt::Parting;

use super::engine;
use super::sessions::GroupKeeper;
use crate::exit::Exit;
use crate::logging;
use crate::process::Readiness;

/// A worker that has been busy with one message for this long hangs, when somebody waits for it.
const HANGS: Duration = Duration::from_secs(2);
/// How long a replica that goes back to the old revision finishes what it has.
const BACK: Duration = Duration::from_secs(2);
/// How long it takes at most to stop what a worker is busy with.
const CUT: Duration = Duration::from_secs(2);
/// Before it says for the first time that it is ready, its sources have so long to connect: who publishes as soon as the group is
/// ready finds it subscribed. One that does not connect keeps nobody from HTTP for longer than this.
const CONNECT: Duration = Duration::from_secs(2);
/// How often a replica that deploys for long looks whether it was called back.
const CALLED_BACK: Duration = Duration::from_millis(500);

/// What a replica is to run.
struct Assigned {
    revision: String,
    deploy_type: DeployType,
    /// The revision is on probation here.
    trial: bool,
    /// It ran before, and what is left for it does not work.
    back: bool,
    /// Who paused the group, and why.
    paused: Option<String>,
}
/// The reason in the record of a replica that has finished what it had when its group was paused begins so.
pub(crate) const PAUSED: &str = "paused";

/// A replica that has joined.
pub(super) struct Replica {
    pub(super) id: String,
    /// When users put it into its group, on the store's clock; 0 when it was started there.
    pub(super) added_ms: u64,
    pub(super) engine: Engine,
    pub(super) registration: Registration,
    pub(super) revisions: Revisions,
    /// What this process was started with and has recorded, until it first reads a revision.
    pub(super) recorded: Option<Recorded>,
    pub(super) secrets: Secrets,
    pub(super) desired: DesiredStates,
    pub(super) gateways: Gateways,
    pub(super) keeper: GroupKeeper,
    pub(super) consumers: Consumers,
    /// For how long brokers keep the session of the last replica that stops.
    pub(super) keep_session: Duration,
    pub(super) readiness: Readiness,
    /// The group's keys.
    pub(super) keys: KeyRing,
    pub(super) drain: Duration,
    /// The revision that runs, or that was tried last.
    pub(super) running: String,
    /// The group is paused, and this replica has stopped to take work.
    pub(super) resting: bool,
    /// Its record says that it does not take work, or will with the next renewal of its lease.
    pub(super) aside: bool,
}

impl Replica {
    /// Runs the revision that the desired state assigns to this replica, if it is another than the one that runs. False
    /// when that could not be done or found out: it is to be tried again.
    pub(super) async fn follow(&mut self) -> bool {
        let Assigned { revision: assigned, deploy_type, trial, back, paused } = match self.assigned().await {
            Ok(Some(assigned)) => assigned,
            Ok(None) => return true,
            Err(error) => {
                tracing::warn!(%error, "cannot read the group's desired state; this replica continues unchanged");
                return false;
            }
        };
        if let Some(why) = paused {
            return self.resting || self.rest(&why).await;
        }
        self.wake().await;
        if assigned == self.running {
            self.judge(trial);
            self.stay().await;
            return true;
        }
        // What failed on probation goes back to the group, before anything waits for it.
        self.engine.shared().health().canary.end(false);
        let revision = match self.read(&assigned).await {
            Err(GroupError::Store(error)) if error.is_unavailable() => {
                tracing::warn!(%error, "cannot read the revision; this replica continues unchanged");
                return false;
            }
            read => read,
        };
        if !self.running.is_empty() && !self.step_aside(&assigned, back).await {
            self.consume().await;
            self.stay().await;
            return false;
        }
        let deployed = match revision {
            Ok((revision, secrets)) => {
                if trial {
                    self.judge(trial);
                }
                logging::set_who(|who| who.revision.clone_from(&assigned));
                let deployed = self.deploy(&assigned, revision, secrets, deploy_type).await;
                // Until here what fails may have failed with the revision before.
                self.judge(trial);
                deployed
            }
            Err(error) => Err(error.into()),
        };
        self.consume().await;
        let first = self.readiness.missing().iter().any(|(part, _)| part == "revision");
        self.running.clone_from(&assigned);
        self.aside = false;
        match deployed {
            Ok(report) => {
                if first {
                    let _ = tokio::time::timeout(CONNECT, self.engine.shared().health().connected()).await;
                }
                tracing::info!(revision = assigned, started = report.started, kept = report.kept, "flow runs");
                self.readiness.ready("revision");
                let change = move |record: &mut ReplicaRecord| {
                    (record.state, record.revision) = (ReplicaState::Ready, assigned);
                    record.reason.clear();
                };
                self.registration.update(change).await;
            }
            Err(error) => {
                let reason = format!("{error:#}");
                tracing::error!(revision = assigned, "cannot run this revision: {reason}");
                self.readiness.waiting("revision", reason.clone());
                let change = move |record: &mut ReplicaRecord| {
                    (record.state, record.revision, record.reason) = (ReplicaState::Failed, assigned, reason);
                };
                self.registration.update(change).await;
            }
        }
        true
    }

    /// A revision, and the group's secrets of today.
    async fn read(&mut self, revision: &str) -> Result<(Revision, BTreeMap<String, String>), GroupError> {
        let revision = match self.recorded.take() {
            Some(recorded) => self.revisions.load_recorded(revision, recorded).await?,
            None => self.revisions.load(revision).await?,
        };
        Ok((revision, self.secrets.values(self.keys.keys().await?.as_deref()).await?))
    }

    /// Begins or ends a probation, as the rollout says.
    fn judge(&self, trial: bool) {
        let canary = &self.engine.shared().health().canary;
        if trial { canary.begin() } else { canary.end(true) }
    }

    /// Deploys. If the group calls this replica back meanwhile, a worker that hangs in it is cut off.
    async fn deploy(
        &self,
        assigned: &str,
        revision: Revision,
        secrets: BTreeMap<String, String>,
        deploy_type: DeployType,
    ) -> anyhow::Result<DeployReport> {
        let health = self.engine.shared().health();
        // They were looked up when the secrets were read.
        let keys = self.keys.known();
        let deploy = engine::deploy(&self.engine, revision, secrets, keys.as_deref(), deploy_type);
        tokio::pin!(deploy);
        loop {
            tokio::select! {
                deployed = &mut deploy => {
                    health.cut_no_more();
                    return deployed;
                }
                () = tokio::time::sleep(CALLED_BACK) => {}
            }
            if health.silent() < HANGS {
                continue;
            }
            if let Ok(Some(now)) = self.assigned().await
                && now.revision != assigned
            {
                health.cut();
            }
        }
    }

    async fn assigned(&self) -> Result<Option<Assigned>, GroupError> {
        Ok(match self.desired.load().await? {
            Some((state, _)) if self.running.is_empty() && state.is_open_for(&self.id, self.added_ms) => {
                self.readiness.waiting("revision", "a rollout is running whose revision has not passed a probation");
                None
            }
            Some((state, _)) => {
                let revision = state.assigned(&self.id).to_owned();
                let deploy_type = state.deploy_type(&revision);
                let trial = state.is_on_trial(&self.id);
                let back = state.is_way_back(&revision);
                let paused = state.pause.map(|pause| match pause.why.as_str() {
                    "" => format!("by {}", pause.actor),
                    why => format!("by {}: {why}", pause.actor),
                });
                Some(Assigned { revision, deploy_type, trial, back, paused })
            }
            None => {
                self.readiness.waiting("revision", "the group has none yet");
                None
            }
        })
    }

    /// Takes work again, or for the first time.
    async fn consume(&self) {
        if let Err(error) = self.consumers.enter(&self.id).await {
            tracing::debug!(%error, "cannot say that this replica consumes");
        }
        self.keeper.part(Parting::End);
        self.engine.resume().await;
    }

    /// The group is paused: stops to take work and finishes what is in flight. The nodes stay as they are. The last one to
    /// consume keeps its session, so that brokers keep what is published meanwhile. False when it is to be tried again.
    async fn rest(&mut self, why: &str) -> bool {
        tracing::info!("the group is paused {why}: this replica finishes what it has and takes nothing new");
        self.readiness.waiting("pause", format!("the group is paused {why}"));
        let reason = format!("pausing {why}");
        let change = move |record: &mut ReplicaRecord| (record.state, record.reason) = (ReplicaState::Draining, reason);
        self.aside = true;
        if !self.registration.update(change).await {
            return false;
        }
        self.engine.shared().set_paused(true);
        if !self.running.is_empty() {
            self.until_unrouted(self.drain).await;
            self.keeper.part(match (self.is_last().await, self.keep_session.is_zero()) {
                (false, _) => Parting::End,
                (true, true) => Parting::Hold,
                (true, false) => Parting::Pause(self.keep_session),
            });
            let open = self.engine.drain(self.drain).await;
            if open > 0 {
                tracing::warn!(
                    open,
                    "deliveries were not finished within the drain time-out; they continue while it is paused"
                );
            }
        }
        self.resting = true;
        let reason = format!("{PAUSED} {why}");
        self.registration.update(move |record| record.reason = reason).await;
        true
    }

    /// It goes on with what runs. What the store refused of its record is written with the next renewal of the lease: without this
    /// it would be said to move for ever, and get no requests.
    async fn stay(&mut self) {
        if !std::mem::take(&mut self.aside) {
            return;
        }
        let broken = self.readiness.missing().into_iter().find(|(part, _)| part == "revision");
        let (state, reason) =
            broken.map_or((ReplicaState::Ready, String::new()), |(_, why)| (ReplicaState::Failed, why));
        self.registration.update(move |record| (record.state, record.reason) = (state, reason)).await;
    }

    /// The group goes on after a pause.
    async fn wake(&mut self) {
        if !std::mem::take(&mut self.resting) {
            return;
        }
        tracing::info!("the group runs again");
        self.engine.shared().set_paused(false);
        self.readiness.ready("pause");
        if !self.running.is_empty() {
            self.consume().await;
        }
    }

    /// Drains before a swap. The way `back` does not wait for work that hangs: it is cut off, and others do it again. False when
    /// this process may not act any more, or was told otherwise meanwhile: a replica that was paused past its lease must not
    /// begin to move.
    async fn step_aside(&mut self, assigned: &str, back: bool) -> bool {
        let why = format!("moves to revision {assigned}");
        let before = self.engine.shared().deliveries().counts().in_flight;
        tracing::info!(revision = assigned, in_flight = before, "drains to move to another revision");
        self.aside = true;
        let change = move |record: &mut ReplicaRecord| (record.state, record.reason) = (ReplicaState::Draining, why);
        if !self.registration.update(change).await {
            return false;
        }
        let hangs = self.engine.shared().health().silent() > HANGS;
        let limit = if back { self.drain.min(BACK) } else { self.drain };
        self.until_unrouted(limit).await;
        // Nobody else consumes: what is published meanwhile waits in the session.
        self.keeper.part(if self.is_last().await { Parting::Hold } else { Parting::End });
        let open = if back && hangs { self.cut_off().await } else { self.engine.drain(limit).await };
        // A worker that is busy now would have the deploy wait for it.
        let open = if open > 0 && self.engine.shared().health().silent() > HANGS { self.cut_off().await } else { open };
        if open > 0 {
            tracing::warn!(
                open,
                "deliveries were not finished within the drain time-out; what changed nodes hold is abandoned"
            );
        }
        // Once more, right before the swap: only a process that still holds the lease on its id may make it.
        self.registration.update(|record| record.state = ReplicaState::Starting).await
    }

    /// Cuts off what the workers are busy with, and drains what is left. A worker that cannot be stopped ends the process.
    async fn cut_off(&self) -> usize {
        tracing::warn!("a worker hangs: what it is busy with is cut off and goes back to where it came from");
        if !self.engine.cut_off(CUT).await {
            tracing::error!("a worker cannot be stopped: this process ends with exit code {}", Exit::WorkerStuck as u8);
            self.readiness.sick("a worker cannot be stopped");
            self.engine.shared().health().shut();
            let _ = tokio::time::timeout(CUT, self.registration.clone().leave()).await;
            #[allow(clippy::disallowed_methods, reason = "a stuck worker never lets main return")]
            std::process::exit(Exit::WorkerStuck as i32);
        }
        self.engine.drain(BACK).await
    }
}
