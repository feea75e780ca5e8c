//! Replicas that change their group while they run.

use std::time::Duration;

use flotilla_tests::{Part, Up, UpOptions, eventually, get, write_flow};
use serde_json::{Value, json};

use crate::rollout_flow::flow;

const ENDS: Duration = Duration::from_secs(60);

fn up(replicas: usize) -> Up {
    let folder = tempfile::TempDir::new().unwrap();
    let file = write_flow(folder.path(), &flow("one", "")).unwrap();
    Up::start(&file, UpOptions { replicas, args: Vec::new() }).unwrap()
}

/// A replica that joins no group, at the store of a group that runs.
fn spare(up: &Up, id: &str) -> Part {
    let store = format!("sqlite:{}", up.data().join("store.db").display());
    Part::start(&["replica", "--spare", "--id", id, "--store", &store], &[]).unwrap()
}

/// A replica as `flotilla group member list` shows it.
fn find(up: &Up, id: &str) -> Option<Value> {
    let answer = up.api().get("/api/v1/replicas").ok()?;
    let list: Value = serde_json::from_str(&answer.body).ok()?;
    list.as_array()?.iter().find(|replica| replica["id"] == id).cloned()
}

fn is_in(up: &Up, id: &str, group: &str, state: &str) {
    eventually(&format!("{id} to be {state} in \"{group}\""), ENDS, || {
        find(up, id).filter(|replica| replica["group"] == group && replica["state"] == state)
    })
    .unwrap();
}

fn member(up: &Up, what: &str, group: &str, id: &str) -> (bool, String) {
    let output = up.run(&["group", "member", what, group, "--replica", id]).unwrap();
    (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn a_replica_is_in_one_group_at_a_time_and_changes_it_while_it_runs() {
    let up = up(2);
    let folder = tempfile::TempDir::new().unwrap();
    let mut document = flow("second", "");
    up.point(&mut document);
    let file = write_flow(folder.path(), &document).unwrap();
    let spec = folder.path().join("group.json");
    std::fs::write(&spec, json!({"name": "b"}).to_string()).unwrap();
    assert!(up.run(&["group", "add", "-f", spec.to_str().unwrap()]).unwrap().status.success());
    let first = up.run(&["deploy", file.to_str().unwrap(), "--group", "b", "--wait"]).unwrap();
    assert!(first.status.success(), "{}", String::from_utf8_lossy(&first.stderr));

    let part = spare(&up, "extra");
    is_in(&up, "extra", "", "starting");
    assert!(!member(&up, "add", "no-such-group", "extra").0);
    assert!(!member(&up, "add", "default", "no-such-replica").0);
    assert!(member(&up, "add", "default", "extra").0);
    is_in(&up, "extra", "default", "ready");
    let pid = find(&up, "extra").unwrap()["pid"].clone();
    let (added, why) = member(&up, "add", "b", "extra");
    assert!(!added && why.contains("is in group \"default\""), "{why}");
    assert!(!member(&up, "remove", "b", "extra").0, "it is not there");
    assert!(member(&up, "remove", "default", "extra").0);
    assert!(member(&up, "add", "b", "extra").0);
    is_in(&up, "extra", "b", "ready");
    let now = find(&up, "extra").unwrap();
    assert_eq!(now["pid"], pid, "it is the same process");
    let address = now["http"].as_str().unwrap().parse().unwrap();
    assert_eq!(get(address, "/version").unwrap().body, "second", "it runs the other group's revision");
    assert!(member(&up, "remove", "b", "extra").0);
    is_in(&up, "extra", "", "starting");
    assert_eq!(up.ready(), 2);
    let audit = up.run(&["audit", "--group", "b", "--json"]).unwrap();
    let audit = String::from_utf8(audit.stdout).unwrap();
    let entries: Vec<Value> = audit.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for action in ["member-add", "member-remove"] {
        assert!(entries.iter().any(|entry| entry["action"] == action && entry["replica"] == "extra"), "{audit}");
    }
    assert!(part.stop().unwrap().success());
}

#[test]
fn a_replica_added_in_the_middle_of_a_rollout_joins_at_the_revision_that_it_ends_with() {
    let up = up(2);
    let extra = spare(&up, "extra");
    is_in(&up, "extra", "", "starting");
    let mut document = flow("two", "");
    up.point(&mut document);
    let begun = up.deploy(&document, &json!({"probation_ms": 3000})).unwrap();
    let to = begun["rollout"]["to"].as_str().unwrap().to_owned();
    eventually("a replica on its way", ENDS, || (up.phase() == "forward" && !up.audit().is_empty()).then_some(()))
        .unwrap();
    assert!(member(&up, "add", "default", "extra").0);
    let joined = eventually("it to join", ENDS, || {
        find(&up, "extra").filter(|replica| replica["revision"] != "" && replica["group"] == "default")
    })
    .unwrap();
    assert_eq!(joined["revision"], to.as_str(), "its first revision is the one that the rollout ends with");
    let rollout = up.rollout_ended(ENDS).unwrap();
    assert_eq!(rollout["phase"], "done", "{rollout:#}");
    eventually("three replicas on the new revision", ENDS, || {
        (up.revisions() == [to.as_str(), &to, &to]).then_some(())
    })
    .unwrap();

    // One that is taken out in the middle is no failure, and nobody waits for it.
    let mut document = flow("three", "");
    up.point(&mut document);
    up.deploy(&document, &json!({"probation_ms": 2000})).unwrap();
    eventually("it to be on its way", ENDS, || {
        let members = up.desired()["rollout"]["members"].take();
        let on = |member: &Value| member["id"] == "extra" && member["step"] == "probation";
        members.as_array()?.iter().any(on).then_some(())
    })
    .unwrap();
    assert!(member(&up, "remove", "default", "extra").0);
    let rollout = up.rollout_ended(ENDS).unwrap();
    assert_eq!(rollout["phase"], "done", "{rollout:#}");
    is_in(&up, "extra", "", "starting");
    drop(extra);
}
