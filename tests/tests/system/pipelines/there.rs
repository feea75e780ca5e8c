//! Another installation: a store, a key, users and a gateway of its own, over TLS. It has one group, `plant`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;

use flotilla_tests::{Part, eventually, flotilla, free_ports, get, write_flow};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::world::{ENDS, flow};

const KEY: (&str, &str) = ("FLOTILLA_GROUP_KEY", "the key of another installation");
const OPS: &str = "token-of-the-gateway-of-the-other-one";

/// Another installation.
pub struct There {
    pub folder: TempDir,
    store: String,
    http: SocketAddr,
    admin: SocketAddr,
    gateway: Option<Part>,
    replicas: Vec<Part>,
}

impl There {
    pub fn start() -> There {
        let folder = TempDir::new().unwrap();
        let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        std::fs::write(folder.path().join("ca.pem"), cert.pem()).unwrap();
        std::fs::write(folder.path().join("key.pem"), signing_key.serialize_pem()).unwrap();
        let store = format!("sqlite:{}", folder.path().join("store.db").display());
        let [http, admin] = free_ports().unwrap();
        let mut there = There { folder, store, http, admin, gateway: None, replicas: Vec::new() };
        there.start_gateway();
        for (who, role) in [("robot", "deployer:plant"), ("reader", "viewer:plant"), ("stranger", "deployer:other")] {
            there.ok(&["user", "add", who, "--no-password", "--role", role]);
        }
        let group = there.folder.path().join("group.json");
        std::fs::write(&group, json!({"name": "plant", "rollout": {"probation_ms": 300}}).to_string()).unwrap();
        there.ok(&["group", "add", "-f", group.to_str().unwrap()]);
        for id in ["b1", "b2"] {
            let args = ["replica", "--group", "plant", "--id", id, "--store", &there.store, "--http", "127.0.0.1:0"];
            there.replicas.push(Part::start(&args, &[KEY]).unwrap());
        }
        let zero = write_flow(there.folder.path(), &flow("zero", "")).unwrap();
        there.ok(&["deploy", zero.to_str().unwrap(), "--group", "plant", "--wait"]);
        there.shows("undefined zero");
        there
    }

    pub fn ca(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    pub fn url(&self) -> String {
        format!("https://localhost:{}", self.admin.port())
    }

    pub fn start_gateway(&mut self) {
        let (http, admin) = (self.http.to_string(), self.admin.to_string());
        let (cert, key) = (self.ca().display().to_string(), self.folder.path().join("key.pem").display().to_string());
        let args = [
            "gateway",
            "--group",
            "plant",
            "--http",
            &http,
            "--admin",
            &admin,
            "--store",
            &self.store,
            "--tls-cert",
            &cert,
            "--tls-key",
            &key,
        ];
        self.gateway = Some(Part::start(&args, &[KEY, ("FLOTILLA_ADMIN_TOKEN", OPS)]).unwrap());
        eventually("the other admin API", ENDS, || (self.run(&["user", "list"]).0 == Some(0)).then_some(())).unwrap();
    }

    pub fn stop_gateway(&mut self) {
        self.gateway.take().unwrap().kill().unwrap();
    }

    /// Exit code and output of a command that an administrator runs there.
    pub fn run(&self, args: &[&str]) -> (Option<i32>, String) {
        let mut command = Command::new(flotilla().unwrap());
        command.args(args).args(["--admin", &self.url(), "--data", "/nowhere"]).arg("--admin-ca").arg(self.ca());
        let done = command.env("FLOTILLA_ADMIN_TOKEN", OPS).output().unwrap();
        (done.status.code(), String::from_utf8([done.stdout, done.stderr].concat()).unwrap())
    }

    pub fn ok(&self, args: &[&str]) -> String {
        let (code, text) = self.run(args);
        assert_eq!(code, Some(0), "{args:?}: {text}");
        text
    }

    /// A new token of a user: its text and its id.
    pub fn token(&self, who: &str) -> (String, String) {
        let made: Value =
            serde_json::from_str(&self.ok(&["token", "new", "pipeline", "--user", who, "--json"])).unwrap();
        (made["secret"].as_str().unwrap().to_owned(), made["id"].as_str().unwrap().to_owned())
    }

    pub fn audit(&self) -> Vec<Value> {
        let text = self.ok(&["audit", "--group", "plant", "--json"]);
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The rollouts that transfers of a run began.
    pub fn deploys_of(&self, run: &str) -> Vec<Value> {
        let is_it = |entry: &Value| {
            entry["action"] == "deploy" && entry["why"].as_str().unwrap_or_default().starts_with(&format!("{run} "))
        };
        self.audit().into_iter().filter(is_it).collect()
    }

    /// Waits until every replica answers this.
    pub fn shows(&self, what: &str) {
        let told = || {
            let list: Value = serde_json::from_str(&self.ok(&["status", "--group", "plant", "--json"])).ok()?;
            let list = list["replicas"].as_array().or_else(|| list.as_array())?.clone();
            let address = |replica: &Value| replica["http"].as_str().and_then(|text| text.parse::<SocketAddr>().ok());
            list.iter().map(|replica| Some(get(address(replica)?, "/show").ok()?.body)).collect::<Option<Vec<_>>>()
        };
        let all = || told().filter(|all| all.len() == 2 && all.iter().all(|body| body == what)).map(drop);
        eventually(&format!("the other installation to answer {what}"), ENDS, all)
            .unwrap_or_else(|_| panic!("{:?}", told()));
    }
}
