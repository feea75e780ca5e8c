//! Rollouts: what they refuse, how they halt, how they are seen and steered.

use std::time::Duration;

use flotilla_tests::{Up, UpOptions, eventually, get, write_flow};
use serde_json::{Value, json};

use crate::rollout_flow::flow;

const ENDS: Duration = Duration::from_secs(120);

fn up(replicas: usize, args: &[&str]) -> Up {
    let folder = tempfile::TempDir::new().unwrap();
    let file = write_flow(folder.path(), &flow("one", "")).unwrap();
    let args = args.iter().map(|arg| (*arg).to_owned()).collect();
    Up::start(&file, UpOptions { replicas, args }).unwrap()
}

fn version(up: &Up) -> String {
    get(up.http, "/version").unwrap().body
}

fn actions(up: &Up) -> Vec<String> {
    up.audit().iter().map(|entry| entry["action"].as_str().unwrap().to_owned()).collect()
}

/// Halts with a reason, after one replica moved at most, and the group runs what it ran.
fn halts(up: &Up, flows: &Value, rules: &Value, reason: &str) {
    let before = up.desired()["revision"].clone();
    up.deploy(flows, rules).unwrap();
    let rollout = up.rollout_ended(ENDS).unwrap();
    assert_eq!(rollout["phase"], "returned", "{rollout:#}");
    assert!(rollout["reason"].as_str().unwrap().contains(reason), "{rollout:#}");
    let moves = rollout["log"].as_array().unwrap().iter().filter(|entry| entry["action"] == "replica-moves");
    assert_eq!(moves.count(), 1, "halted at the first");
    assert_eq!(up.desired()["revision"], before);
    eventually("every replica on the old revision", ENDS, || {
        let replicas = up.replicas();
        let back = |replica: &flotilla_tests::ReplicaRecord| {
            replica.state == flotilla_tests::ReplicaState::Ready && before == replica.revision.as_str()
        };
        (replicas.len() == 3 && replicas.iter().all(back)).then_some(())
    })
    .unwrap();
    assert_eq!(version(up), "one");
}

#[test]
fn deploy_shows_the_rollout_and_its_exit_code_says_how_it_ended() {
    let up = up(3, &[]);
    let folder = tempfile::TempDir::new().unwrap();
    let mut document = flow("two", "");
    up.point(&mut document);
    let file = write_flow(folder.path(), &document).unwrap();
    let path = file.to_str().unwrap();
    let done = up.run(&["deploy", path, "--wait", "--probation", "0.5", "--message", "why not"]).unwrap();
    let text = String::from_utf8_lossy(&done.stdout);
    assert!(done.status.success(), "{text}{}", String::from_utf8_lossy(&done.stderr));
    assert_eq!(text.matches("replica-moved").count(), 3, "{text}");
    assert_eq!(version(&up), "two");
    let list = up.run(&["revision", "list", "--json"]).unwrap();
    let list: Value = serde_json::from_slice(&list.stdout).unwrap();
    assert_eq!(list.as_array().unwrap().len(), 2);
    assert_eq!(list[1]["message"], "why not");
    let again = up.run(&["deploy", path, "--wait"]).unwrap();
    assert_eq!(again.status.code(), Some(6), "the group runs it already");
    let back = up.run(&["rollback", "--wait", "--probation", "0.5"]).unwrap();
    assert!(back.status.success());
    assert_eq!(version(&up), "one");
    let audit = up.run(&["audit", "--json"]).unwrap();
    let audit = String::from_utf8(audit.stdout).unwrap();
    let entries = audit.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let done = entries.filter(|entry| entry["action"] == "rollout-done").count();
    assert_eq!(done, 3, "the first start, the deploy and the rollback");
}

#[test]
fn a_document_that_cannot_run_is_refused_with_all_its_problems_and_nothing_changes() {
    let up = up(1, &[]);
    let before = up.desired();
    let mut document = flow("two", "");
    document.as_array_mut().unwrap().extend([
        json!({"id": "u1", "type": "modbus-read", "z": "t1", "name": "first", "wires": [[]]}),
        json!({"id": "u2", "type": "no-such-node", "z": "t1", "name": "second", "wires": [[]]}),
    ]);
    let body = json!({"flows": document}).to_string();
    let path = "/api/v1/groups/default/deploy";
    let answer = up.api().request("POST", path, "Content-Type: application/json\r\n", &body).unwrap();
    assert_eq!(answer.status, 422);
    assert!(answer.head.contains("application/problem+json"), "{}", answer.head);
    let problem: Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!((&problem["code"], &problem["field"]), (&json!("cannot_run"), &json!("flows")));
    let names: Vec<_> = problem["problems"].as_array().unwrap().iter().map(|one| one["name"].clone()).collect();
    assert_eq!(names, ["first", "second"]);
    assert_eq!(up.desired(), before);
    for (body, code) in [(json!({"flows": 5}), "not_a_flow_document"), (json!({"flow": []}), "bad_body")] {
        let answer = up.api().request("POST", path, "Content-Type: application/json\r\n", &body.to_string()).unwrap();
        let problem: Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!(problem["code"], code);
    }
    let foreign = up.api().request("POST", path, "Content-Type: text/plain\r\n", &body).unwrap();
    assert_eq!(foreign.status, 415);
}

#[test]
fn a_function_that_throws_halts_at_the_first_replica() {
    let up = up(3, &[]);
    let mut document = flow("two", "throw new Error('broken');");
    up.point(&mut document);
    let mut publisher = crate::rollout_load::publish_slowly(up.mqtt, 1500);
    halts(&up, &document, &json!({"probation_ms": 3000}), "deliveries failed in probation");
    let _ = publisher.kill();
    let _ = publisher.wait();
}

#[test]
fn a_revision_that_a_replica_refuses_halts_at_the_first_replica() {
    let up = up(3, &["--deny", "file"]);
    let mut document = flow("two", "");
    up.point(&mut document);
    document.as_array_mut().unwrap().push(json!({
        "id": "e1", "type": "file", "z": "t1", "name": "", "filename": "never-written", "filenameType": "str",
        "appendNewline": true, "createDir": false, "overwriteFile": "false", "encoding": "none", "wires": [[]]
    }));
    halts(&up, &document, &json!({}), "switched it off");
}

#[test]
fn a_replica_that_crashes_in_probation_halts_the_rollout() {
    let up = up(3, &[]);
    let mut document = flow("two", "");
    up.point(&mut document);
    let watcher = std::thread::scope(|scope| {
        let killer = scope.spawn(|| {
            eventually("a replica in probation", ENDS, || {
                let members = up.desired()["rollout"]["members"].take();
                let on = members.as_array()?.iter().find(|member| member["step"] == "probation")?;
                let id = on["id"].as_str()?;
                up.replicas().into_iter().find(|replica| replica.id == id)
            })
            .and_then(|replica| flotilla_tests::kill(replica.pid))
        });
        halts(&up, &document, &json!({"probation_ms": 4000}), "died");
        killer.join().unwrap()
    });
    watcher.unwrap();
}

#[test]
fn pause_holds_resume_goes_on_and_cancel_returns() {
    let up = up(3, &[]);
    let mut document = flow("two", "");
    up.point(&mut document);
    up.deploy(&document, &json!({"probation_ms": 500})).unwrap();
    assert!(up.run(&["rollout", "pause"]).unwrap().status.success());
    let moved = || {
        let log = up.desired()["rollout"]["log"].take();
        let count = |what: &str| log.as_array().unwrap().iter().filter(|entry| entry["action"] == what).count();
        (count("replica-moves"), count("replica-moved"))
    };
    eventually("the replica on its way to arrive", ENDS, || {
        let (begun, arrived) = moved();
        (begun == arrived).then_some(())
    })
    .unwrap();
    let held = moved();
    assert!(held.0 < 3);
    let status = up.run(&["rollout", "status"]).unwrap();
    assert!(String::from_utf8_lossy(&status.stdout).contains("paused"));
    let second = up.run(&["rollout", "pause"]).unwrap();
    assert!(!second.status.success(), "it is paused already");
    assert!(up.run(&["rollout", "resume"]).unwrap().status.success());
    eventually("another replica to move", ENDS, || (moved().0 > held.0).then_some(())).unwrap();
    assert!(up.run(&["rollout", "cancel"]).unwrap().status.success());
    let rollout = up.rollout_ended(ENDS).unwrap();
    assert_eq!(rollout["phase"], "returned");
    assert!(rollout["reason"].as_str().unwrap().contains("cancelled"));
    eventually("all on the old revision", ENDS, || {
        up.revisions().iter().all(|revision| rollout["from"] == revision.as_str()).then_some(())
    })
    .unwrap();
    assert!(actions(&up).contains(&"rollout-pauses".to_owned()));
}

#[test]
fn a_group_scales_up_and_down_while_it_answers() {
    let up = up(1, &[]);
    let stop = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        let asker = scope.spawn(|| {
            let mut asked = 0;
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                assert_eq!(get(up.http, "/version").unwrap().status, 200);
                asked += 1;
            }
            asked
        });
        for size in [4, 1, 2] {
            let scaled = up.run(&["scale", "--replicas", &size.to_string()]).unwrap();
            assert!(scaled.status.success());
            eventually("the new size", ENDS, || (up.ready() == size && up.replicas().len() == size).then_some(()))
                .unwrap();
        }
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
        assert!(asker.join().unwrap() > 0);
    });
    assert!(!up.run(&["scale", "--replicas", "0"]).unwrap().status.success());
}
