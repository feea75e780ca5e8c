//! A seeded schedule of faults beside a run.

use std::path::PathBuf;
use std::time::Duration;

use rand::rngs::SmallRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};

use super::group::{Group, GroupError};
use crate::run::{Beside, Handle};
use crate::scenario::Faults;

/// From one fault to the next, on average.
const EVERY: Duration = Duration::from_secs(10);
/// Before the first.
const AFTER: Duration = Duration::from_secs(5);
/// The longest stop or cut.
const PAUSE: Duration = Duration::from_secs(8);
/// How often ready replicas are counted.
const COUNT: Duration = Duration::from_millis(500);

/// A kind of fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// SIGKILL to a replica.
    Kill,
    /// SIGSTOP to a replica, and SIGCONT after a while.
    Stop,
    /// SIGSTOP to all processes of the group, and SIGCONT after a while.
    StopAll,
    /// A replica off the network for a while.
    Cut,
    /// The broker again.
    RestartBroker,
    /// A rollout of another flow document.
    Deploy,
    /// More or fewer replicas.
    Scale,
}

/// Names in scenarios.
const NAMES: [(&str, Kind); 7] = [
    ("kill", Kind::Kill),
    ("stop", Kind::Stop),
    ("stop-all", Kind::StopAll),
    ("cut", Kind::Cut),
    ("restart-broker", Kind::RestartBroker),
    ("deploy", Kind::Deploy),
    ("scale", Kind::Scale),
];

/// What is decided before the run begins.
struct Schedule {
    kinds: Vec<Kind>,
    every: Duration,
    after: Duration,
    pause: Duration,
    flows: Vec<PathBuf>,
    replicas: Vec<u16>,
    random: SmallRng,
    deploys: usize,
}

/// Faults on a group, for [`crate::run::Options::beside`]. `group`: `up:DIR`, `compose:FILE` or a data folder.
///
/// # Errors
/// When the group is not there, or cannot have one of the faults.
pub fn schedule<'a>(group: &str, faults: &Faults, seed: u64) -> Result<Beside<'a>, GroupError> {
    let group = Group::find(group)?;
    let mut kinds = Vec::new();
    for name in &faults.kinds {
        let kind = NAMES.into_iter().find(|(known, _)| known == name).map(|(_, kind)| kind);
        kinds.push(
            kind.ok_or_else(|| GroupError::Kind { name: name.clone(), known: NAMES.map(|(name, _)| name).join(", ") })?,
        );
    }
    if kinds.is_empty() {
        kinds = vec![Kind::Kill, Kind::Stop];
    }
    for kind in &kinds {
        group.can(*kind)?;
    }
    if kinds.contains(&Kind::Deploy) && faults.flows.is_empty() {
        return Err(GroupError::NoFlows);
    }
    let schedule = Schedule {
        kinds,
        every: faults.every.map_or(EVERY, |span| span.0),
        after: faults.after.map_or(AFTER, |span| span.0),
        pause: faults.pause.map_or(PAUSE, |span| span.0),
        flows: faults.flows.clone(),
        replicas: if faults.replicas.is_empty() { vec![2, 3, 4] } else { faults.replicas.clone() },
        random: SmallRng::seed_from_u64(faults.seed.unwrap_or(seed)),
        deploys: 0,
    };
    Ok(Box::new(move |handle| Box::pin(run(group, schedule, handle))))
}

async fn run(group: Group, schedule: Schedule, handle: Handle) {
    let count = async {
        loop {
            handle.replicas(group.running().await);
            tokio::time::sleep(COUNT).await;
        }
    };
    tokio::select! {
        () = act(&group, schedule, &handle) => {}
        () = count => {}
    }
}

async fn act(group: &Group, mut schedule: Schedule, handle: &Handle) {
    tokio::time::sleep(schedule.after).await;
    // What is under way when the streams end has the drain to recover in.
    while handle.now() < handle.ends() {
        let Some(kind) = schedule.kinds.choose(&mut schedule.random).copied() else { return };
        let pause = schedule.pause.mul_f64(schedule.random.random_range(0.1..=1.0));
        let pick = schedule.random.random::<u32>() as usize;
        let done = match kind {
            Kind::Kill => group.kill(pick).await,
            Kind::Stop => group.stop(pick, pause, handle).await,
            Kind::StopAll => group.stop_all(pause, handle).await,
            Kind::Cut => group.cut(pick, pause, handle).await,
            Kind::RestartBroker => group.restart_broker().await,
            Kind::Deploy => {
                schedule.deploys += 1;
                group.deploy(&schedule.flows[schedule.deploys % schedule.flows.len()]).await
            }
            Kind::Scale => group.scale(schedule.replicas[pick % schedule.replicas.len()]).await,
        };
        match done {
            Ok(what) => handle.event("fault", &what),
            Err(error) => handle.event("note", &format!("a fault could not be done: {error}")),
        }
        tokio::time::sleep(schedule.every.mul_f64(schedule.random.random_range(0.5..=1.5))).await;
    }
    std::future::pending::<()>().await;
}
