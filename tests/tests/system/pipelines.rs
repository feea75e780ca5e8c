//! `flotilla pipeline`: development -> test -> production, each step by somebody, with gateways that are killed.

use std::collections::HashMap;
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use flotilla_tests::{Part, Sshd, eventually, flotilla, free_ports, get, request, write_flow};
use serde_json::{Value, json};
use tempfile::TempDir;

const ENDS: Duration = Duration::from_secs(60);
const KEY: (&str, &str) = ("FLOTILLA_GROUP_KEY", "a key of this test");
/// The gateway's own token: `ops` has it.
const OPS: &str = "token-of-the-gateway-of-this-test";
/// Everybody else has their own rights only.
const PEOPLE: [(&str, &[&str]); 6] = [
    ("ada", &["deployer:dev", "deployer:test", "deployer:prod"]),
    ("bob", &["viewer:dev", "deployer:prod", "deployer:test"]),
    ("eve", &["deployer:prod"]),
    ("mallory", &["deployer:prod"]),
    ("owner", &["owner:prod"]),
    ("viewer", &["viewer:prod"]),
];

/// `GET /show` answers `HOST MARK`; `setup` runs when the function starts.
fn flow(mark: &str, setup: &str) -> Value {
    json!([
        {"id": "t1", "type": "tab", "label": "Show"},
        {"id": "h1", "type": "http in", "z": "t1", "url": "/show", "method": "get", "x": 1, "y": 1, "wires": [["f1"]]},
        {"id": "f1", "type": "function", "z": "t1", "name": "show", "func": format!("msg.payload = env.get('HOST') + ' {mark}';\nreturn msg;"),
         "initialize": setup, "outputs": 1, "x": 2, "y": 1, "wires": [["r1"]]},
        {"id": "r1", "type": "http response", "z": "t1", "headers": {}, "x": 3, "y": 1, "wires": []}
    ])
}

/// A store with three groups, a gateway, and their replicas.
struct World {
    folder: TempDir,
    store: String,
    http: SocketAddr,
    admin: SocketAddr,
    gateway: Option<Part>,
    tokens: HashMap<String, String>,
    replicas: Vec<Part>,
    /// The gateway's `GIT_SSH_COMMAND`.
    ssh: String,
}

impl World {
    fn start() -> World {
        World::start_with("ssh")
    }

    fn start_with(ssh: &str) -> World {
        let folder = TempDir::new().unwrap();
        let store = format!("sqlite:{}", folder.path().join("store.db").display());
        let [http, admin] = free_ports().unwrap();
        let mut world = World {
            folder,
            store,
            http,
            admin,
            gateway: None,
            tokens: HashMap::new(),
            replicas: Vec::new(),
            ssh: ssh.to_owned(),
        };
        world.start_gateway();
        for group in ["dev", "test", "prod"] {
            let spec = world.file("group.json", &json!({"name": group, "rollout": {"probation_ms": 300}}));
            world.ok("ops", &["group", "add", "-f", spec.to_str().unwrap()]);
        }
        world.tokens.insert("ops".to_owned(), OPS.to_owned());
        for (who, roles) in PEOPLE {
            let roles = roles.iter().flat_map(|role| ["--role", *role]);
            let args: Vec<&str> = ["user", "add", who, "--no-password"].into_iter().chain(roles).collect();
            world.ok("ops", &args);
            let token = world.ok("ops", &["token", "new", "test", "--user", who]);
            let token = token.lines().find(|line| !line.contains(' ')).unwrap().to_owned();
            world.tokens.insert(who.to_owned(), token);
        }
        for (group, id) in [("dev", "d1"), ("test", "t1"), ("prod", "p1"), ("prod", "p2")] {
            let args = ["replica", "--group", group, "--id", id, "--store", &world.store, "--http", "127.0.0.1:0"];
            world.replicas.push(Part::start(&args, &[KEY]).unwrap());
        }
        let zero = write_flow(world.folder.path(), &flow("zero", "")).unwrap();
        for group in ["dev", "test", "prod"] {
            world.ok("ops", &["deploy", zero.to_str().unwrap(), "--group", group, "--wait"]);
        }
        eventually("all replicas", ENDS, || (world.shown().len() == 4).then_some(())).unwrap();
        world
    }

    fn start_gateway(&mut self) {
        let (http, admin) = (self.http.to_string(), self.admin.to_string());
        let args = ["gateway", "--group", "prod", "--http", &http, "--admin", &admin, "--store", &self.store];
        self.gateway = Some(
            Part::start(
                &args,
                &[
                    KEY,
                    ("PLANT_SECRET", "a secret of this test"),
                    ("FLOTILLA_ADMIN_TOKEN", OPS),
                    ("GIT_SSH_COMMAND", &self.ssh),
                ],
            )
            .unwrap(),
        );
        eventually("the admin API", ENDS, || get(self.admin, "/livez").ok().filter(|answer| answer.status == 200))
            .unwrap();
    }

    fn kill_gateway(&mut self) {
        self.gateway.take().unwrap().kill().unwrap();
        self.start_gateway();
    }

    fn file(&self, name: &str, content: &Value) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, content.to_string()).unwrap();
        path
    }

    /// Exit code and output of a command that somebody runs.
    fn run(&self, who: &str, args: &[&str]) -> (Option<i32>, String) {
        let admin = self.admin.to_string();
        let mut command = Command::new(flotilla().unwrap());
        let token = self.tokens.get(who).map_or(OPS, String::as_str);
        command.args(args).args(["--admin", &admin, "--data", "/nowhere"]).env("FLOTILLA_ADMIN_TOKEN", token);
        let done = command.output().unwrap();
        (done.status.code(), String::from_utf8([done.stdout, done.stderr].concat()).unwrap())
    }

    fn ok(&self, who: &str, args: &[&str]) -> String {
        let (code, text) = self.run(who, args);
        assert_eq!(code, Some(0), "{who} {args:?}: {text}");
        text
    }

    fn json(&self, args: &[&str]) -> Value {
        let text = self.ok("ops", &[args, &["--json"]].concat());
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{args:?}: {error}: {text}"))
    }

    /// The audit log of a group, which is an entry a line.
    fn audit(&self, group: &str) -> Value {
        let text = self.ok("ops", &["audit", "--group", group, "--json"]);
        text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()).collect()
    }

    fn deploy(&self, flow: &Value, tests: &Value) {
        let flow = write_flow(self.folder.path(), flow).unwrap();
        let tests = self.file("tests.json", tests);
        let args = ["deploy", flow.to_str().unwrap(), "--group", "dev", "--tests", tests.to_str().unwrap(), "--wait"];
        self.ok("ada", &args);
    }

    fn history(&self, number: u64) -> Value {
        self.json(&["pipeline", "history", "p", "--run", &number.to_string()])
    }

    /// Waits until the run waits for something with this text in it.
    fn waits(&self, number: u64, what: &str) {
        let found = eventually(&format!("run {number} to wait for {what}"), ENDS, || {
            let run = self.history(number);
            run["waits_for"].as_str().unwrap().contains(what).then_some(())
        });
        assert!(found.is_ok(), "{:#}", self.history(number));
    }

    fn ends(&self, number: u64) -> Value {
        eventually(&format!("run {number} to end"), ENDS, || {
            Some(self.history(number)).filter(|run| run["phase"] != "active")
        })
        .unwrap_or_else(|_| panic!("{:#}", self.history(number)))
    }

    /// What each ready replica answers.
    fn shown(&self) -> Vec<(String, String)> {
        let list: Value = serde_json::from_str(
            &request(self.admin, "GET", "/api/v1/replicas", &format!("Authorization: Bearer {OPS}\r\n"), "")
                .unwrap()
                .body,
        )
        .unwrap();
        let ready = list.as_array().unwrap().iter().filter(|replica| replica["state"] == "ready");
        ready
            .filter_map(|replica| {
                let address: SocketAddr = replica["http"].as_str()?.parse().ok()?;
                Some((replica["id"].as_str()?.to_owned(), get(address, "/show").ok()?.body))
            })
            .collect()
    }

    fn shows(&self, group: char, what: &str) {
        let all = || self.shown().into_iter().filter(|(id, _)| id.starts_with(group)).collect::<Vec<_>>();
        let size = if group == 'p' { 2 } else { 1 };
        eventually(&format!("group {group} to answer {what}"), ENDS, || {
            let all = all();
            (all.len() == size && all.iter().all(|(_, body)| body == what)).then_some(())
        })
        .unwrap_or_else(|_| panic!("{:?}", all()));
    }
}

fn tests(expected: &str) -> Value {
    json!({"tests": [{"name": "it shows where it is", "inject": [{"request": {"url": "/show"}}],
        "expect": [{"response": {"status": 200, "body": {"$match": expected}}}]}]})
}

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
    assert!(code == Some(3) && text.contains("somebody else"), "the author does not approve: {text}");
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
    let world = World::start();
    let bare = world.folder.path().join("flows.git");
    git(world.folder.path(), &["init", "--quiet", "--bare", bare.to_str().unwrap()]);
    through_git(&world, &bare, bare.to_str().unwrap());
}

#[test]
fn a_repository_is_reached_over_ssh() {
    if !Sshd::is_here() {
        return eprintln!(
            "SKIPPED pipelines::a_repository_is_reached_over_ssh: sshd is not here (package openssh-server)"
        );
    }
    let sshd = Sshd::start().unwrap();
    let world = World::start_with(&sshd.command());
    let bare = world.folder.path().join("flows.git");
    git(world.folder.path(), &["init", "--quiet", "--bare", bare.to_str().unwrap()]);
    through_git(&world, &bare, &sshd.url(&bare));
}

/// What an HMAC with SHA-256 of a text is, by OpenSSL.
fn hmac(secret: &str, text: &str) -> String {
    let mut child = Command::new("openssl")
        .args(["dgst", "-sha256", "-hmac", secret, "-r"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let told = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
    told.split_whitespace().next().unwrap().to_owned()
}

#[test]
fn a_signed_webhook_starts_a_run_and_a_wrong_signature_does_not() {
    let world = World::start();
    let pipeline = json!({"name": "p", "stages": [{"name": "dev", "group": "dev"}, {"name": "prod", "group": "prod"}]});
    let file = world.file("pipeline.json", &pipeline);
    world.ok("ops", &["pipeline", "add", "-f", file.to_str().unwrap()]);
    let [hook] = free_ports().unwrap();
    let secret = "a secret of both";
    let (admin, listen) = (world.admin.to_string(), hook.to_string());
    let args = ["pipeline", "hook", "p", "--admin", &admin, "--listen", &listen, "--branch", "main"];
    let _hook = Part::start(&args, &[("FLOTILLA_HOOK_SECRET", secret), ("FLOTILLA_ADMIN_TOKEN", &world.tokens["ada"])])
        .unwrap();
    let push = |branch: &str| {
        json!({"ref": format!("refs/heads/{branch}"), "after": "c0ffee", "pusher": {"name": "pusher"}}).to_string()
    };
    let send = |headers: &str, body: &str| request(hook, "POST", "/", headers, body).map(|answer| answer.status);
    eventually("the hook", ENDS, || send("", "x").ok()).unwrap();
    let github = |signature: &str| format!("X-GitHub-Event: push\r\nX-Hub-Signature-256: sha256={signature}\r\n");
    let body = push("main");
    assert_eq!(send("X-GitHub-Event: push\r\n", &body).unwrap(), 401);
    assert_eq!(send(&github(&hmac("another secret", &body)), &body).unwrap(), 401);
    assert_eq!(send(&github(&hmac(secret, &push("dev"))), &body).unwrap(), 401, "signed, but another body");
    assert_eq!(send("X-Gitlab-Event: Push Hook\r\nX-Gitlab-Token: wrong\r\n", &body).unwrap(), 401);
    let other = push("dev");
    assert_eq!(send(&github(&hmac(secret, &other)), &other).unwrap(), 202, "another branch");
    assert_eq!(world.json(&["pipeline", "history", "p"]), json!([]));
    assert_eq!(send(&github(&hmac(secret, &body)), &body).unwrap(), 202);
    let repeated = format!("{}X-GitHub-Delivery: another\r\n", github(&hmac(secret, &body)));
    assert_eq!(send(&repeated, &body).unwrap(), 202);
    assert_eq!(world.json(&["pipeline", "history", "p"]).as_array().unwrap().len(), 1, "a repeated one starts nothing");
    let next = body.replace("c0ffee", "c0ffee2");
    assert_eq!(send(&format!("X-Gitlab-Event: Push Hook\r\nX-Gitlab-Token: {secret}\r\n"), &next).unwrap(), 202);
    for (number, commit) in [(1, "c0ffee"), (2, "c0ffee2")] {
        let run = world.ends(number);
        assert_eq!(
            (&run["phase"], &run["actor"], &run["message"]),
            (&json!("done"), &json!("ada"), &json!(format!("push of {commit} to main by pusher")))
        );
    }
}
