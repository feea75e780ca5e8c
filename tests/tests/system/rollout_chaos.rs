//! Rollouts while those who drive them die or stall, at every stage: the group always ends on one revision.

use std::collections::HashSet;
use std::time::Duration;

use flotilla_tests::{Up, UpOptions, eventually, kill, pause, resume, write_flow};
use serde_json::{Value, json};

use crate::rollout_flow::flow;

const ENDS: Duration = Duration::from_secs(120);
/// At which points of a rollout something happens: after so many entries in its log.
const STAGES: usize = 11;

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

fn moving(rollout: &Value) -> Option<String> {
    let members = rollout["members"].as_array()?;
    let on =
        members.iter().find(|member| matches!(member["step"].as_str(), Some("moving" | "probation" | "returning")))?;
    Some(on["id"].as_str()?.to_owned())
}

fn strike(up: &Up, rollout: &Value, victim: Victim, blow: Blow) {
    let on = moving(rollout);
    let replicas = up.replicas();
    let is_moving = |id: &str| on.as_deref() == Some(id);
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

/// From the audit log alone: at no time were two replicas on the way.
fn never_two_at_once(audit: &[Value], rollout: u64) {
    let mut on_the_way: HashSet<String> = HashSet::new();
    for entry in audit.iter().filter(|entry| entry["rollout"] == rollout) {
        let replica = entry["replica"].as_str().unwrap_or_default().to_owned();
        match entry["action"].as_str().unwrap() {
            "replica-moves" | "replica-returns" => {
                on_the_way.insert(replica);
            }
            "replica-moved" | "replica-returned" | "replica-stuck" | "replica-gone" => {
                on_the_way.remove(&replica);
            }
            // The one that failed stays as it is until it goes back.
            "rollout-halts" => on_the_way.clear(),
            _ => {}
        }
        assert!(on_the_way.len() <= 1, "{on_the_way:?} at once: {audit:#?}");
    }
}

fn loop_over_the_stages(victim: Victim, blow: Blow, rounds: usize) {
    let folder = tempfile::TempDir::new().unwrap();
    let file = write_flow(folder.path(), &flow("v0", "")).unwrap();
    let up = Up::start(&file, UpOptions { replicas: 3, args: vec!["--lease".into(), "1.5".into()] }).unwrap();
    for round in 1..=rounds {
        let stage = round % STAGES;
        up.wait_for_ready(3).unwrap();
        let mut document = flow(&format!("v{round}"), "");
        up.point(&mut document);
        let rules = json!({"probation_ms": 200, "ready_ms": 8000, "drain_ms": 2000});
        let begun = eventually("the deploy to be taken", ENDS, || up.deploy(&document, &rules).ok()).unwrap();
        let number = begun["rollout"]["number"].as_u64().unwrap();
        let at = eventually("the stage", ENDS, || {
            let rollout = up.course()["rollout"].take();
            let log = rollout["log"].as_array()?.len();
            (log > stage || rollout["phase"] != "forward").then_some(rollout)
        })
        .unwrap();
        strike(&up, &at, victim, blow);
        let rollout = up.rollout_ended(ENDS).unwrap();
        let goal = if rollout["phase"] == "done" { &rollout["to"] } else { &rollout["from"] };
        eventually("the whole group on one revision", ENDS, || {
            let replicas = up.replicas();
            let fits = replicas.iter().all(|replica| *goal == replica.revision.as_str() && replica.state == "ready");
            (replicas.len() == 3 && fits).then_some(())
        })
        .unwrap_or_else(|error| {
            panic!("{error}: {victim:?} {blow:?} at stage {stage}: {rollout:#} {:#?}", up.replicas())
        });
        let audit = eventually("the audit log to have the whole rollout", ENDS, || {
            let audit = up.audit();
            let ended = |entry: &Value| {
                entry["rollout"] == number
                    && matches!(entry["action"].as_str(), Some("rollout-done" | "rollout-returned"))
            };
            audit.iter().any(ended).then_some(audit)
        })
        .unwrap();
        never_two_at_once(&audit, number);
        eprintln!("round {round} stage {stage} {victim:?} {blow:?}: {}", rollout["phase"]);
    }
}

#[test]
fn the_moving_replica_is_killed_at_every_stage() {
    loop_over_the_stages(Victim::Moving, Blow::Kill, 14);
}

#[test]
fn another_replica_is_killed_at_every_stage() {
    loop_over_the_stages(Victim::Other, Blow::Kill, 13);
}

#[test]
fn the_moving_replica_stalls_past_its_lease_at_every_stage() {
    loop_over_the_stages(Victim::Moving, Blow::Stall, 13);
}

#[test]
fn another_replica_stalls_past_its_lease_at_every_stage() {
    loop_over_the_stages(Victim::Other, Blow::Stall, 12);
}
