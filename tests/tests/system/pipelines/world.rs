//! Three groups, their replicas and a gateway, and people with their own rights.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use flotilla_tests::{Part, eventually, flotilla, free_ports, get, request, write_flow};
use serde_json::{Value, json};
use tempfile::TempDir;

pub const ENDS: Duration = Duration::from_secs(60);
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
pub fn flow(mark: &str, setup: &str) -> Value {
    json!([
        {"id": "t1", "type": "tab", "label": "Show"},
        {"id": "h1", "type": "http in", "z": "t1", "url": "/show", "method": "get", "x": 1, "y": 1, "wires": [["f1"]]},
        {"id": "f1", "type": "function", "z": "t1", "name": "show", "func": format!("msg.payload = env.get('HOST') + ' {mark}';\nreturn msg;"),
         "initialize": setup, "outputs": 1, "x": 2, "y": 1, "wires": [["r1"]]},
        {"id": "r1", "type": "http response", "z": "t1", "headers": {}, "x": 3, "y": 1, "wires": []}
    ])
}

/// A store with three groups, a gateway, and their replicas.
pub struct World {
    pub folder: TempDir,
    pub store: String,
    http: SocketAddr,
    pub admin: SocketAddr,
    gateway: Option<Part>,
    pub tokens: HashMap<String, String>,
    replicas: Vec<Part>,
    /// Variables of the commands that people run.
    pub env: Vec<(String, String)>,
    /// The gateway's `GIT_SSH_COMMAND`.
    ssh: String,
}

impl World {
    pub fn start() -> World {
        World::start_with("ssh")
    }

    pub fn start_with(ssh: &str) -> World {
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
            env: Vec::new(),
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

    pub fn start_gateway(&mut self) {
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

    pub fn kill_gateway(&mut self) {
        self.gateway.take().unwrap().kill().unwrap();
        self.start_gateway();
    }

    pub fn file(&self, name: &str, content: &Value) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, content.to_string()).unwrap();
        path
    }

    /// Exit code and output of a command that somebody runs.
    pub fn run(&self, who: &str, args: &[&str]) -> (Option<i32>, String) {
        let admin = self.admin.to_string();
        let mut command = Command::new(flotilla().unwrap());
        let token = self.tokens.get(who).map_or(OPS, String::as_str);
        command.args(args).args(["--admin", &admin, "--data", "/nowhere"]).env("FLOTILLA_ADMIN_TOKEN", token);
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        let done = command.output().unwrap();
        (done.status.code(), String::from_utf8([done.stdout, done.stderr].concat()).unwrap())
    }

    pub fn ok(&self, who: &str, args: &[&str]) -> String {
        let (code, text) = self.run(who, args);
        assert_eq!(code, Some(0), "{who} {args:?}: {text}");
        text
    }

    pub fn json(&self, args: &[&str]) -> Value {
        let text = self.ok("ops", &[args, &["--json"]].concat());
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{args:?}: {error}: {text}"))
    }

    /// The audit log of a group, which is an entry a line.
    pub fn audit(&self, group: &str) -> Value {
        let text = self.ok("ops", &["audit", "--group", group, "--json"]);
        text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()).collect()
    }

    pub fn deploy(&self, flow: &Value, tests: &Value) {
        let flow = write_flow(self.folder.path(), flow).unwrap();
        let tests = self.file("tests.json", tests);
        let args = ["deploy", flow.to_str().unwrap(), "--group", "dev", "--tests", tests.to_str().unwrap(), "--wait"];
        self.ok("ada", &args);
    }

    pub fn history(&self, number: u64) -> Value {
        self.json(&["pipeline", "history", "p", "--run", &number.to_string()])
    }

    /// Waits until the run waits for something with this text in it.
    pub fn waits(&self, number: u64, what: &str) {
        let found = eventually(&format!("run {number} to wait for {what}"), ENDS, || {
            let run = self.history(number);
            run["waits_for"].as_str().unwrap().contains(what).then_some(())
        });
        assert!(found.is_ok(), "{:#}", self.history(number));
    }

    pub fn ends(&self, number: u64) -> Value {
        eventually(&format!("run {number} to end"), ENDS, || {
            Some(self.history(number)).filter(|run| run["phase"] != "active")
        })
        .unwrap_or_else(|_| panic!("{:#}", self.history(number)))
    }

    /// What each ready replica answers.
    pub fn shown(&self) -> Vec<(String, String)> {
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

    pub fn shows(&self, group: char, what: &str) {
        let all = || self.shown().into_iter().filter(|(id, _)| id.starts_with(group)).collect::<Vec<_>>();
        let size = if group == 'p' { 2 } else { 1 };
        eventually(&format!("group {group} to answer {what}"), ENDS, || {
            let all = all();
            (all.len() == size && all.iter().all(|(_, body)| body == what)).then_some(())
        })
        .unwrap_or_else(|_| panic!("{:?}", all()));
    }
}

pub fn tests(expected: &str) -> Value {
    json!({"tests": [{"name": "it shows where it is", "inject": [{"request": {"url": "/show"}}],
        "expect": [{"response": {"status": 200, "body": {"$match": expected}}}]}]})
}
