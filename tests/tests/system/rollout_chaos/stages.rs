//! A loop over the stages of a rollout, and what must hold after each.

use std::collections::HashSet;
use std::time::Duration;

use flotilla_tests::{Admin, eventually};
use serde_json::{Value, json};

use crate::rollout_flow::flow;

pub const ENDS: Duration = Duration::from_secs(120);
/// At which points of a rollout something happens: after so many entries in its log.
pub const STAGES: usize = 11;

/// The replica that is on its way.
pub fn moving(rollout: &Value) -> Option<&str> {
    let members = rollout["members"].as_array()?;
    let on =
        members.iter().find(|member| matches!(member["step"].as_str(), Some("moving" | "probation" | "returning")))?;
    on["id"].as_str()
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

/// For each stage, rolls a group of three replicas out and calls `strike` with the group's desired state when it is there. However
/// the rollout ends, the whole group is on one revision then.
pub fn loop_over(
    admin: Admin,
    what: &str,
    stages: impl IntoIterator<Item = usize>,
    point: impl Fn(&mut Value),
    mut strike: impl FnMut(&Value),
) {
    for (round, stage) in stages.into_iter().enumerate() {
        admin.wait_for_ready(3).unwrap();
        let mut document = flow(&format!("v{}", round + 1), "");
        point(&mut document);
        let rules = json!({"probation_ms": 200, "ready_ms": 8000, "drain_ms": 2000});
        let begun = eventually("the deploy to be taken", ENDS, || admin.deploy(&document, &rules).ok()).unwrap();
        let number = begun["rollout"]["number"].as_u64().unwrap();
        let at = eventually("the stage", ENDS, || {
            let state = admin.desired();
            let rollout = &state["rollout"];
            let log = rollout["log"].as_array()?.len();
            (log > stage || rollout["phase"] != "forward").then_some(state)
        })
        .unwrap();
        strike(&at);
        let rollout = admin.rollout_ended(ENDS).unwrap();
        let goal = if rollout["phase"] == "done" { &rollout["to"] } else { &rollout["from"] };
        eventually("the whole group on one revision", ENDS, || {
            let replicas = admin.replicas();
            let fits = replicas.iter().all(|replica| {
                *goal == replica.revision.as_str() && replica.state == flotilla_tests::ReplicaState::Ready
            });
            (replicas.len() == 3 && fits).then_some(())
        })
        .unwrap_or_else(|error| panic!("{error}: {what} at stage {stage}: {rollout:#} {:#?}", admin.replicas()));
        let audit = eventually("the audit log to have the whole rollout", ENDS, || {
            let audit = admin.audit();
            let ended = |entry: &Value| {
                entry["rollout"] == number
                    && matches!(entry["action"].as_str(), Some("rollout-done" | "rollout-returned"))
            };
            audit.iter().any(ended).then_some(audit)
        })
        .unwrap();
        never_two_at_once(&audit, number);
        eprintln!("stage {stage}, {what}: {} {}", rollout["phase"], rollout["reason"]);
    }
}
