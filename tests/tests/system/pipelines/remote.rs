//! A stage that is a group of another installation: two stores, two gateways, two keys.

use std::time::Duration;

use flotilla_tests::eventually;
use serde_json::{Value, json};

use super::there::There;
use super::world::{World, flow, tests};

impl World {
    /// Adds pipeline `p`: development to the other installation, with these gates.
    fn add_far(&self, there: &There, gates: &Value) {
        let stage = json!({"name": "far", "remote": {"url": there.url(), "group": "plant"}, "gates": gates});
        let spec = json!({"name": "p", "stages": [{"name": "dev", "group": "dev"}, stage]});
        let file = self.file("pipeline.json", &spec);
        let authority = format!("far={}", there.ca().display());
        self.ok("ops", &["pipeline", "add", "-f", file.to_str().unwrap(), "--ca-file", &authority]);
    }

    /// Exit code and output of giving the stage a token.
    fn give(&self, token: &str) -> (Option<i32>, String) {
        let file = self.folder.path().join("token");
        std::fs::write(&file, format!("{token}\n")).unwrap();
        self.run("ops", &["pipeline", "token", "p", "far", "--token-file", file.to_str().unwrap()])
    }
}

#[test]
fn a_change_goes_to_a_group_of_another_installation_and_back() {
    let (mut world, there) = (World::start(), There::start());
    world.add_far(&there, &json!({"tests": true, "approvals": 1}));

    // A token that is wrong, or lacks the right, is told before a run needs it.
    let (code, text) = world.give("flo_wrong");
    assert!(code == Some(3) && text.contains(&format!("{} answered 401", there.url())), "{text}");
    for who in ["reader", "stranger"] {
        let (code, text) = world.give(&there.token(who).0);
        let named = [&*there.url(), "answered 403", "lacks the right \"deploy\"", "plant"];
        assert!(code == Some(3) && named.iter().all(|part| text.contains(part)), "{who}: {text}");
    }

    // Without a token a run waits; a key that is new stays empty and blocks until somebody sets it there.
    world.ok("ada", &["deploy", "--group", "dev", "--env", "HOST=dev-host", "--wait"]);
    world.deploy(&flow("one", ""), &tests("^dev-host one$"));
    world.ok("ada", &["pipeline", "run", "p", "--message", "the new press"]);
    world.waits(1, "pipeline token p far");
    let (token, id) = there.token("robot");
    assert_eq!(world.give(&token), (Some(0), String::new()));
    world.waits(1, "env HOST");
    there.ok(&["env", "set", "--secret", "HOST=far-host", "--group", "plant", "--wait"]);
    world.waits(1, "1 more approvals for stage far");
    there.shows("far-host zero");
    world.ok("ops", &["pipeline", "approve", "p"]);
    let run = world.ends(1);
    assert_eq!(run["phase"], "done", "{run:#}");
    there.shows("far-host one");
    let members = run["hops"][0]["members"].as_array().unwrap();
    assert!(members.len() == 2 && members.iter().all(|member| member["step"] == "moved"), "{run:#}");

    // Both ends know of it; nobody is shown the token, and no file of the store has it.
    let deploys = there.deploys_of("run 1 of pipeline p");
    assert_eq!(deploys.len(), 1, "{deploys:#?}");
    let why = deploys[0]["why"].as_str().unwrap();
    assert!(deploys[0]["actor"] == "robot" && why.contains("begun by ada"), "{why}");
    let here = world.audit("dev").to_string();
    for action in ["pipeline-token", "pipeline-deploy", "pipeline-approve", "pipeline-done"] {
        assert!(here.contains(action), "{action}: {here}");
    }
    let shown = world.json(&["pipeline", "show", "p"]).to_string() + &here + &run.to_string();
    assert!(!shown.contains(&token), "{shown}");
    for file in std::fs::read_dir(world.folder.path()).unwrap().flatten() {
        if file.file_name().to_string_lossy().starts_with("store.db") {
            let bytes = std::fs::read(file.path()).unwrap();
            assert!(!bytes.windows(token.len()).any(|part| part == token.as_bytes()), "{:?}", file.path());
        }
    }

    // A revision that breaks there only: it goes back there, and the run here says so.
    world.deploy(
        &flow("two", "if (env.get('HOST') === 'far-host') { throw new Error('no press there') }"),
        &tests("two"),
    );
    world.ok("ada", &["pipeline", "run", "p"]);
    world.waits(2, "1 more approvals");
    world.ok("ops", &["pipeline", "approve", "p"]);
    let run = world.ends(2);
    assert!(run["phase"] == "failed" && run["reason"].as_str().unwrap().contains("as before"), "{run:#}");
    let steps: Vec<_> = run["hops"][0]["members"].as_array().unwrap().iter().map(|member| &member["step"]).collect();
    assert!(steps.contains(&&json!("returned")), "{steps:?}");
    there.shows("far-host one");

    // What is protected there takes flows from whom it names alone.
    let protect = |by: Option<&str>| {
        let spec = json!({"name": "plant", "rollout": {"probation_ms": 300}, "protected_by": by});
        let file = there.folder.path().join("group.json");
        std::fs::write(&file, spec.to_string()).unwrap();
        there.ok(&["group", "edit", "plant", "-f", file.to_str().unwrap()]);
    };
    protect(Some("another"));
    world.deploy(&flow("three", ""), &tests("^dev-host three$"));
    let (code, text) = world.run("ada", &["pipeline", "run", "p", "--wait"]);
    assert!(code == Some(3) && text.contains("answered 403 (protected)"), "{text}");
    protect(Some(&format!("token:{id}")));
    world.ok("ada", &["pipeline", "run", "p"]);
    world.waits(4, "1 more approvals");
    world.ok("ops", &["pipeline", "approve", "p"]);
    let run = world.ends(4);
    assert_eq!(run["phase"], "done", "{run:#}");
    there.shows("far-host three");

    // A token that was revoked there is named with the URL and the status.
    there.ok(&["token", "revoke", &id]);
    let (code, text) = world.run("ada", &["pipeline", "run", "p", "--wait"]);
    let named = [&*there.url(), "answered 401", "pipeline token p far"];
    assert!(code == Some(3) && named.iter().all(|part| text.contains(part)), "{text}");
    world.ok("ops", &["pipeline", "remove", "p"]);

    // The other way round: what runs there comes to a group here.
    protect(None);
    let back = json!({"name": "p", "stages": [
        {"name": "far", "remote": {"url": there.url(), "group": "plant"}},
        {"name": "prod", "group": "prod"}
    ]});
    let file = world.file("pipeline.json", &back);
    let (authority, given) = (format!("far={}", there.ca().display()), "far=FAR_TOKEN");
    let args = ["pipeline", "add", "-f", file.to_str().unwrap(), "--ca-file", &authority, "--token-env", given];
    world.env.push(("FAR_TOKEN".to_owned(), there.token("robot").0));
    world.ok("ops", &args);
    // HOST is a secret of the group there, and no part of its revisions: it does not travel, not even its name.
    world.ok("ops", &["env", "set", "--secret", "HOST=prod-host", "--group", "prod", "--wait"]);
    world.ok("ada", &["pipeline", "run", "p"]);
    let number = world.json(&["pipeline", "history", "p"])[0]["number"].as_u64().unwrap();
    let run = world.ends(number);
    assert_eq!(run["phase"], "done", "{run:#}");
    world.shows('p', "prod-host three");
    let snapshots: Value =
        serde_json::from_str(&there.ok(&["snapshot", "list", "--group", "plant", "--json"])).unwrap();
    let snapshots = snapshots.as_array().unwrap();
    assert!(
        snapshots.len() == 1 && snapshots[0]["name"] == format!("p run {number}") && snapshots[0]["actor"] == "robot"
    );
}

#[test]
fn a_run_goes_on_when_the_other_installation_was_away_and_gateways_are_killed() {
    let (mut world, mut there) = (World::start(), There::start());
    world.add_far(&there, &json!({}));
    assert_eq!(world.give(&there.token("robot").0).0, Some(0));

    // It is away: the run waits and says for how long, and goes on.
    there.stop_gateway();
    world.deploy(&flow("one", ""), &tests("one"));
    world.ok("ada", &["pipeline", "run", "p"]);
    world.waits(1, "it is tried again until");
    let waits = world.history(1)["waits_for"].as_str().unwrap().to_owned();
    assert!(waits.contains(&there.url()) && waits.contains("nothing answers"), "{waits}");
    let (code, text) = world.give("flo_any");
    assert!(code == Some(3) && text.contains("cannot be tried"), "{text}");
    there.start_gateway();
    let run = world.ends(1);
    assert_eq!(run["phase"], "done", "{run:#}");
    assert!(run["hops"][0]["away_since_ms"].is_null());
    there.shows("undefined one");

    // A run that waits for what is away may be cancelled.
    there.stop_gateway();
    world.deploy(&flow("two", ""), &tests("two"));
    world.ok("ada", &["pipeline", "run", "p"]);
    world.waits(2, "it is tried again until");
    world.ok("ada", &["pipeline", "cancel", "p"]);
    assert_eq!(world.ends(2)["phase"], "cancelled");
    there.start_gateway();
    there.shows("undefined one");

    // Both gateways are killed at each step, in turn: nothing is done twice.
    world.ok("ada", &["pipeline", "run", "p"]);
    let mut steps = 0;
    let run = eventually("the run to end", Duration::from_secs(120), || {
        let run = world.history(3);
        if run["phase"] != "active" {
            return Some(run);
        }
        let now = run["log"].as_array().unwrap().len();
        if now > steps {
            steps = now;
            world.kill_gateway();
            there.stop_gateway();
            there.start_gateway();
        }
        None
    })
    .unwrap();
    assert_eq!(run["phase"], "done", "{run:#}");
    assert!(steps >= 4, "{steps} steps");
    there.shows("undefined two");
    let deploys = there.deploys_of("run 3 of pipeline p");
    assert_eq!(deploys.len(), 1, "{deploys:#?}");
    assert_eq!(deploys[0]["rollout"], run["hops"][0]["rollout"]);
}
