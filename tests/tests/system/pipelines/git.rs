//! Stages that are git repositories: local, and over SSH.

use std::path::Path;
use std::process::Command;

use flotilla_tests::{Sshd, eventually, is_on_path, write_flow};
use serde_json::{Value, json};

use super::world::{ENDS, World};

/// Two tabs with a function each.
fn two_tabs(first: &str, second: &str) -> Value {
    json!([
        {"id": "t1", "type": "tab", "label": "Presses"},
        {"id": "t2", "type": "tab", "label": "Ovens"},
        {"id": "b1", "type": "mqtt-broker", "name": "hall", "broker": "127.0.0.1", "port": "1", "autoConnect": false},
        {"id": "f1", "type": "function", "z": "t1", "name": "calc", "func": format!("// calc\n{first}\nreturn msg;"), "outputs": 1, "x": 1, "y": 1, "wires": [[]]},
        {"id": "f2", "type": "function", "z": "t2", "name": "heat", "func": format!("// heat\n{second}\nreturn msg;"), "outputs": 1, "x": 1, "y": 1, "wires": [[]]}
    ])
}

fn git(folder: &Path, args: &[&str]) -> String {
    let who = ["-c", "user.name=Bob", "-c", "user.email=bob@example.com", "-c", "init.defaultBranch=main"];
    let done = Command::new("git").current_dir(folder).args(who).args(args).output().unwrap();
    let text = String::from_utf8([done.stdout, done.stderr].concat()).unwrap();
    assert!(done.status.success(), "git {args:?}: {text}");
    text
}

/// False without the program, and says so.
fn is_here(test: &str) -> bool {
    let found = is_on_path("git");
    if !found {
        eprintln!("SKIPPED pipelines::git::{test}: git is not here (package git)");
    }
    found
}

/// Development pushes to a repository, production pulls from it. `url` is how the gateway reaches what is at `bare`.
fn through_git(world: &World, bare: &Path, url: &str) {
    let stage = |direction: &str| json!({"url": url, direction: "main", "path": "plant", "layout": "tabs", "credential_secret_env": "PLANT_SECRET"});
    let out =
        json!({"name": "out", "stages": [{"name": "dev", "group": "dev"}, {"name": "repo", "git": stage("push")}]});
    let back = json!({"name": "back", "stages": [
        {"name": "repo", "git": stage("pull")},
        {"name": "prod", "group": "prod", "gates": {"review": "off"}}
    ]});
    for spec in [&out, &back] {
        let file = world.file("pipeline.json", spec);
        world.ok("ops", &["pipeline", "add", "-f", file.to_str().unwrap()]);
    }
    let deploy = |first: &str, second: &str, more: &[&str]| {
        let flow = write_flow(world.folder.path(), &two_tabs(first, second)).unwrap();
        world.ok("ada", &[&["deploy", flow.to_str().unwrap(), "--group", "dev", "--wait"], more].concat());
    };
    let run = |pipeline: &str, message: &str| {
        world.run("ada", &["pipeline", "run", pipeline, "--message", message, "--wait"])
    };
    deploy("let a = 1;", "let b = 1;", &["--credential", "b1.user=u", "--credential", "b1.password=hush"]);
    let (code, text) = run("out", "begin");
    assert_eq!(code, Some(0), "{text}");
    let log = git(bare, &["log", "-1", "--format=%an|%s|%b", "main"]);
    assert!(log.starts_with("ada|begin|") && log.contains("run 1 of pipeline out"), "{log}");
    let listed = git(bare, &["ls-tree", "-r", "--name-only", "main"]);
    for file in ["plant/tabs/presses.t1.json", "plant/tabs/ovens.t2.json", "plant/global.json", "plant/flows_cred.json"]
    {
        assert!(listed.contains(file), "{file}: {listed}");
    }
    assert!(!git(bare, &["show", "main:plant/flows_cred.json"]).contains("hush"));
    let (code, text) = run("out", "again");
    assert_eq!(code, Some(0), "{text}");
    assert_eq!(git(bare, &["rev-list", "--count", "main"]).trim(), "1", "nothing changed, nothing is committed");

    // Bob changes the other tab in a clone, Ada hers in the editor.
    let clone = world.folder.path().join("clone");
    git(world.folder.path(), &["clone", "--quiet", bare.to_str().unwrap(), clone.to_str().unwrap()]);
    let ovens = clone.join("plant/tabs/ovens.t2.json");
    let change = |file: &Path, from: &str, to: &str| {
        let text = std::fs::read_to_string(file).unwrap();
        assert!(text.contains(from), "{text}");
        std::fs::write(file, text.replace(from, to)).unwrap();
        git(&clone, &["commit", "--quiet", "-am", "by hand"]);
        git(&clone, &["push", "--quiet"]);
    };
    change(&ovens, "let b = 1;", "let b = 2;");
    deploy("let a = 2;", "let b = 1;", &[]);
    let (code, text) = run("out", "both");
    assert_eq!(code, Some(0), "{text}");
    let shown = |path: &str| git(bare, &["show", &format!("main:plant/tabs/{path}")]);
    assert!(shown("presses.t1.json").contains("let a = 2;") && shown("ovens.t2.json").contains("let b = 2;"));
    assert_eq!(git(bare, &["rev-list", "--count", "main"]).trim(), "3");

    // What Bob changed stays, although Ada's group does not have it.
    deploy("let a = 3;", "let b = 1;", &[]);
    assert_eq!(run("out", "more").0, Some(0));
    assert!(shown("presses.t1.json").contains("let a = 3;") && shown("ovens.t2.json").contains("let b = 2;"));

    // A conflict on one node is shown and refused.
    git(&clone, &["pull", "--quiet"]);
    change(&clone.join("plant/tabs/presses.t1.json"), "let a = 3;", "let a = 30;");
    deploy("let a = 4;", "let b = 1;", &[]);
    let tip = git(bare, &["rev-parse", "main"]);
    let (code, text) = run("out", "conflict");
    assert!(code == Some(3) && text.contains("function \"calc\" (f1) on tab \"Presses\", func"), "{text}");
    assert_eq!(git(bare, &["rev-parse", "main"]), tip, "nothing is overwritten");

    // The repository's state goes to production; its credentials block until production has its own.
    world.ok("ops", &["pipeline", "run", "back"]);
    let waiting = || {
        Some(world.json(&["pipeline", "history", "back"])[0]["waits_for"].to_string())
            .filter(|why| why.contains("credentials b1.password"))
    };
    eventually("the run to wait for credentials", ENDS, waiting).unwrap();
    world.ok(
        "ops",
        &["deploy", "--group", "prod", "--credential", "b1.user=p", "--credential", "b1.password=p", "--wait"],
    );
    let ended = || Some(world.json(&["pipeline", "history", "back"])[0].clone()).filter(|run| run["phase"] != "active");
    let run = eventually("the run to end", ENDS, ended).unwrap();
    assert_eq!(run["phase"], "done", "{run:#}");
    let revision = run["hops"][0]["revision"].as_str().unwrap().to_owned();
    let content = world.json(&["revision", "show", &revision, "--group", "prod"]);
    assert_eq!(content["flows"], two_tabs("let a = 30;", "let b = 2;"), "flow for flow, as it is in the repository");
}

#[test]
fn a_repository_is_a_stage_and_two_peoples_changes_meet_there() {
    if !is_here("a_repository_is_a_stage_and_two_peoples_changes_meet_there") {
        return;
    }
    let world = World::start();
    let bare = world.folder.path().join("flows.git");
    git(world.folder.path(), &["init", "--quiet", "--bare", bare.to_str().unwrap()]);
    through_git(&world, &bare, bare.to_str().unwrap());
}

#[test]
fn a_repository_is_reached_over_ssh() {
    if !is_here("a_repository_is_reached_over_ssh") {
        return;
    }
    if !Sshd::is_here() {
        return eprintln!(
            "SKIPPED pipelines::git::a_repository_is_reached_over_ssh: sshd is not here (package openssh-server)"
        );
    }
    let sshd = Sshd::start().unwrap();
    let world = World::start_with(&sshd.command());
    let bare = world.folder.path().join("flows.git");
    git(world.folder.path(), &["init", "--quiet", "--bare", bare.to_str().unwrap()]);
    through_git(&world, &bare, &sshd.url(&bare));
}
