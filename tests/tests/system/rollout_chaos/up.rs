//! Replicas of `flotilla up` are hit.

use flotilla_tests::{Up, UpOptions, eventually, kill, pause, resume, write_flow};
use serde_json::Value;

use super::stages::{ENDS, STAGES, loop_over, moving};
use crate::rollout_flow::flow;

/// Whom it hits.
#[derive(Clone, Copy, Debug)]
enum Victim {
    /// The replica that moves, or the first.
    Moving,
    /// Any replica that does not move.
    Other,
}

/// What happens to it.
#[derive(Clone, Copy, Debug)]
enum Blow {
    Kill,
    /// SIGSTOP past its lease, then SIGCONT.
    Stall,
}

fn strike(up: &Up, rollout: &Value, victim: Victim, blow: Blow) {
    let on = moving(rollout);
    let replicas = up.replicas();
    let is_moving = |id: &str| on == Some(id);
    let hit = match victim {
        Victim::Moving => replicas.iter().find(|replica| is_moving(&replica.id)).or(replicas.first()),
        Victim::Other => replicas.iter().find(|replica| !is_moving(&replica.id)),
    };
    let Some(hit) = hit else { return };
    match blow {
        Blow::Kill => drop(kill(hit.pid)),
        Blow::Stall => {
            if pause(hit.pid).is_ok() {
                let id = hit.id.clone();
                let gone = || up.replicas().iter().all(|replica| replica.id != id).then_some(());
                let lapsed = eventually("the lease of the paused replica to end", ENDS, gone);
                resume(hit.pid).unwrap();
                lapsed.unwrap();
            }
        }
    }
}

fn rounds(victim: Victim, blow: Blow, rounds: usize) {
    let folder = tempfile::TempDir::new().unwrap();
    let file = write_flow(folder.path(), &flow("v0", "")).unwrap();
    let up = Up::start(&file, UpOptions { replicas: 3, args: vec!["--lease".into(), "1.5".into()] }).unwrap();
    let stages = (1..=rounds).map(|round| round % STAGES);
    let what = format!("{victim:?} {blow:?}");
    loop_over(
        up.api(),
        &what,
        stages,
        |document| up.point(document),
        |state| {
            strike(&up, &state["rollout"], victim, blow);
        },
    );
}

#[test]
fn the_moving_replica_is_killed_at_every_stage() {
    rounds(Victim::Moving, Blow::Kill, 14);
}

#[test]
fn another_replica_is_killed_at_every_stage() {
    rounds(Victim::Other, Blow::Kill, 13);
}

#[test]
fn the_moving_replica_stalls_past_its_lease_at_every_stage() {
    rounds(Victim::Moving, Blow::Stall, 13);
}

#[test]
fn another_replica_stalls_past_its_lease_at_every_stage() {
    rounds(Victim::Other, Blow::Stall, 12);
}
