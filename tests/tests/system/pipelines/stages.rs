//! `flotilla pipeline`: development -> test -> production, each step by somebody, with gateways that are killed.

use std::time::Duration;

use flotilla_tests::{eventually, write_flow};
use serde_json::json;

use super::world::{World, flow, tests};

#[test]
fn a_change_goes_from_development_over_tests_and_approval_to_production() {
    let mut world = World::start();
    let pipeline = json!({"name": "p", "stages": [
        {"name": "dev", "group": "dev"},
        {"name": "test", "group": "test", "gates": {"tests": true}},
        {"name": "prod", "group": "prod", "gates": {"approvals": 1, "window": {"cron": "* * * * *", "minutes": 60}}}
    ]});
    let file = world.file("pipeline.json", &pipeline);
    world.ok("ops", &["pipeline", "add", "-f", file.to_str().unwrap()]);
    let spec = world.file("prod.json", &json!({"name": "prod", "rollout": {"probation_ms": 300}, "protected_by": "p"}));
    world.ok("ops", &["group", "edit", "prod", "-f", spec.to_str().unwrap()]);

    // A new key stays empty and blocks, at each stage, until somebody sets it there.
    world.ok("ada", &["deploy", "--group", "dev", "--env", "HOST=dev-host", "--wait"]);
    world.deploy(&flow("one", ""), &tests("^dev-host one$"));
    world.ok("ada", &["pipeline", "run", "p", "--message", "the new press"]);
    world.waits(1, "env HOST");
    world.ok("bob", &["pipeline", "run", "p"]);
    world.waits(2, "run 1 is to end first");
    world.shows('t', "undefined zero");
    world.ok("ops", &["env", "set", "HOST=test-host", "--group", "test", "--wait"]);
    world.shows('t', "test-host one");
    world.waits(1, "env HOST");
    world.ok("ops", &["env", "set", "--secret", "HOST=prod-host", "--group", "prod", "--wait"]);
    world.waits(1, "1 more approvals for stage prod");
    assert_eq!(world.run("viewer", &["pipeline", "approve", "p"]).0, Some(3), "who may not deploy does not approve");
    let (code, text) = world.run("ada", &["pipeline", "approve", "p"]);
    assert!(code == Some(3) && text.contains("another user has to approve"), "the author does not approve: {text}");
    world.shows('p', "prod-host zero");
    world.ok("bob", &["pipeline", "approve", "p", "--message", "seen on test"]);
    let run = world.ends(1);
    assert_eq!(run["phase"], "done", "{run:#}");
    world.shows('p', "prod-host one");
    let members = run["hops"][1]["members"].as_array().unwrap();
    assert!(members.len() == 2 && members.iter().all(|member| member["step"] == "moved"), "{run:#}");
    let audit = world.audit("prod");
    let thread: Vec<_> = audit
        .as_array()
        .unwrap()
        .iter()
        .filter(|entry| entry["why"].as_str().unwrap_or_default().starts_with("run 1 of pipeline p"))
        .collect();
    for (action, who) in
        [("pipeline-run", "ada"), ("pipeline-approve", "bob"), ("pipeline-deploy", "ada"), ("pipeline-done", "ada")]
    {
        assert!(thread.iter().any(|entry| entry["action"] == action && entry["actor"] == who), "{action}: {thread:#?}");
    }
    assert!(!audit.to_string().contains("prod-host"), "no value travels into a log");

    // Run 2 brings the same: every stage has it.
    world.waits(2, "1 more approvals");
    world.ok("eve", &["pipeline", "reject", "p", "--message", "not today"]);
    let run = world.ends(2);
    assert_eq!((&run["phase"], &run["reason"]), (&json!("rejected"), &json!("rejected by eve: not today")));

    // Protection.
    let two = write_flow(world.folder.path(), &flow("two", "")).unwrap();
    let beside = ["deploy", two.to_str().unwrap(), "--group", "prod", "--wait"];
    let (code, text) = world.run("mallory", &beside);
    assert!(code == Some(3) && text.contains("pipeline run p"), "{text}");
    assert_eq!(world.run("mallory", &["rollback", "--group", "prod"]).0, Some(3));
    assert!(world.ok("ops", &["status", "--group", "prod"]).contains("up to date"));
    let over = [&beside[..], &["--override-protection"]].concat();
    assert_eq!(world.run("mallory", &over).0, Some(3), "only an owner may");
    world.ok("owner", &over);
    assert!(world.audit("prod").to_string().contains("protection-override"));
    assert!(world.ok("ops", &["status", "--group", "prod"]).contains("locally changed"));

    // The tests are a gate.
    world.deploy(&flow("three", ""), &tests("^never$"));
    let (code, text) = world.run("ada", &["pipeline", "run", "p", "--wait"]);
    assert!(code == Some(3) && text.contains("it shows where it is"), "{text}");
    world.shows('t', "test-host one");

    // A gateway that is killed at each step: the run goes on, and nothing is done twice.
    world.deploy(&flow("four", ""), &tests("^dev-host four$"));
    world.ok("ada", &["pipeline", "run", "p"]);
    let (mut steps, mut approved) = (0, false);
    let run = eventually("the run to end", Duration::from_secs(120), || {
        let run = world.history(4);
        let now = run["log"].as_array().unwrap().len();
        if run["phase"] != "active" {
            return Some(run);
        }
        if now > steps {
            steps = now;
            world.kill_gateway();
        }
        if !approved && run["waits_for"].as_str().unwrap().contains("1 more approvals") {
            approved = world.run("bob", &["pipeline", "approve", "p"]).0 == Some(0);
        }
        None
    })
    .unwrap();
    assert_eq!(run["phase"], "done", "{run:#}");
    assert!(steps >= 8, "{steps} steps");
    world.shows('p', "prod-host four");
    let snapshots = world.json(&["snapshot", "list", "--group", "dev"]);
    let made = snapshots
        .as_array()
        .unwrap()
        .iter()
        .filter(|snapshot| snapshot["description"].as_str().unwrap().contains("run 4 of"));
    assert_eq!(made.count(), 1, "{snapshots:#}");
    for group in ["test", "prod"] {
        let audit = world.audit(group);
        let deploys = audit
            .as_array()
            .unwrap()
            .iter()
            .filter(|entry| entry["action"] == "deploy" && entry["why"] == "run 4 of pipeline p");
        assert_eq!(deploys.count(), 1, "{group}: {audit:#}");
    }

    // A revision that breaks in production only: it goes back, and the run says so.
    world.deploy(
        &flow("five", "if (env.get('HOST') === 'prod-host') { throw new Error('no press here') }"),
        &tests("five"),
    );
    world.ok("ada", &["pipeline", "run", "p"]);
    world.waits(5, "1 more approvals");
    world.ok("bob", &["pipeline", "approve", "p"]);
    let run = world.ends(5);
    assert_eq!(run["phase"], "failed");
    assert!(run["reason"].as_str().unwrap().contains("as before"), "{run:#}");
    let steps: Vec<_> = run["hops"][1]["members"].as_array().unwrap().iter().map(|member| &member["step"]).collect();
    assert!(steps.contains(&&json!("returned")), "{steps:?}");
    world.shows('t', "test-host five");
    world.shows('p', "prod-host four");
    assert!(world.ok("ops", &["status", "--group", "prod"]).contains("failed (pipeline p, run 5)"));

    let (code, text) = world.run("ops", &["pipeline", "cancel", "p"]);
    assert!(code == Some(7), "{text}");
    world.ok("ops", &["pipeline", "remove", "p"]);
    assert_eq!(world.run("ops", &["pipeline", "show", "p"]).0, Some(7));
}

#[test]
fn a_closed_window_is_waited_for_and_a_run_may_be_cancelled() {
    let world = World::start();
    let rare = json!({"cron": "0 0 29 2 *", "minutes": 1, "zone": "Europe/Berlin"});
    let pipeline = json!({"name": "p", "stages": [
        {"name": "dev", "group": "dev", "action": "use_latest_snapshot"},
        {"name": "prod", "group": "prod", "gates": {"window": rare}}
    ]});
    let bad = world.file(
        "bad.json",
        &json!({"name": "p", "stages": [{"name": "dev", "group": "dev"}, {"name": "x", "group": "nowhere"}]}),
    );
    let (code, text) = world.run("ops", &["pipeline", "add", "-f", bad.to_str().unwrap()]);
    assert!(code == Some(7) && text.contains("nowhere"), "{text}");
    let file = world.file("pipeline.json", &pipeline);
    world.ok("ops", &["pipeline", "add", "-f", file.to_str().unwrap()]);
    let (code, text) = world.run("ada", &["pipeline", "run", "p", "--wait"]);
    assert!(code == Some(3) && text.contains("no snapshot"), "{text}");
    world.deploy(&flow("one", ""), &tests("one"));
    world.ok("ada", &["snapshot", "create", "first", "--group", "dev"]);
    world.deploy(&flow("two", ""), &tests("two"));
    world.ok("ada", &["pipeline", "run", "p"]);
    world.waits(2, "window of stage prod: it opens 20");
    world.ok("ada", &["pipeline", "cancel", "p"]);
    assert_eq!(world.ends(2)["phase"], "cancelled");
    world.shows('p', "undefined zero");
    world.ok("ops", &["pipeline", "remove", "p"]);
    let open = json!({"name": "p", "stages": [{"name": "dev", "group": "dev", "action": "prompt"}, {"name": "prod", "group": "prod"}]});
    let file = world.file("pipeline.json", &open);
    world.ok("ops", &["pipeline", "add", "-f", file.to_str().unwrap()]);
    let (code, text) = world.run("ada", &["pipeline", "run", "p"]);
    assert!(code == Some(3) && text.contains("--snapshot"), "{text}");
    world.ok("ada", &["pipeline", "run", "p", "--snapshot", "first", "--wait"]);
    world.shows('p', "undefined one");
}

#[test]
fn code_that_does_not_compile_stops_at_the_review() {
    let world = World::start();
    // Nothing runs in this group, so nothing is noticed there.
    let group = world.file("group.json", &json!({"name": "draft", "replicas": 0}));
    world.ok("ops", &["group", "add", "-f", group.to_str().unwrap()]);
    let mut broken = flow("one", "");
    broken[2]["func"] = json!("msg.payload = (;\nreturn msg;");
    let file = write_flow(world.folder.path(), &broken).unwrap();
    world.ok("ops", &["deploy", file.to_str().unwrap(), "--group", "draft"]);
    let pipeline =
        json!({"name": "p", "stages": [{"name": "draft", "group": "draft"}, {"name": "prod", "group": "prod"}]});
    let file = world.file("pipeline.json", &pipeline);
    world.ok("ops", &["pipeline", "add", "-f", file.to_str().unwrap()]);
    let (code, text) = world.run("ops", &["pipeline", "run", "p", "--wait"]);
    assert!(code == Some(3) && text.contains("the review finds: error: function \"show\""), "{text}");
    world.shows('p', "undefined zero");
}
