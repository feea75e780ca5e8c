//! The dashboard and the rules of `deploy/`, in a real Prometheus: every expression gives data.

use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use flotilla_tests::{Up, UpOptions, deploy_file, eventually, free_ports, get, is_on_path, write_flow};
use serde_json::{Value, json};

const SOON: Duration = Duration::from_secs(60);

/// An HTTP endpoint, an MQTT source, and a node that fails now and then.
fn flow() -> Value {
    json!([
        {"id": "tab", "type": "tab", "label": "metrics"},
        {"id": "b", "type": "mqtt-broker", "broker": "127.0.0.1", "port": "1883", "protocolVersion": "5"},
        {"id": "in", "type": "mqtt in", "z": "tab", "topic": "in", "qos": "1", "datatype": "utf8", "broker": "b", "x": 1, "y": 1, "wires": [["f"]]},
        {"id": "f", "type": "function", "z": "tab", "name": "work", "func": "if (Math.random() < 0.1) throw new Error('now and then'); return msg;", "outputs": 1, "x": 2, "y": 1, "wires": [[]]},
        {"id": "h", "type": "http in", "z": "tab", "url": "/x", "method": "get", "x": 1, "y": 2, "wires": [["r"]]},
        {"id": "r", "type": "http response", "z": "tab", "statusCode": "204", "x": 2, "y": 2, "wires": []},
    ])
}

struct Prometheus {
    child: Child,
    address: SocketAddr,
    _folder: tempfile::TempDir,
}

impl Prometheus {
    fn start(target: SocketAddr) -> Prometheus {
        let [address] = free_ports().unwrap();
        let folder = tempfile::TempDir::new().unwrap();
        let config = folder.path().join("prometheus.yml");
        let rules = deploy_file("prometheus/flotilla.rules.yml").canonicalize().unwrap();
        let text = format!(
            "global: {{scrape_interval: 500ms, scrape_timeout: 400ms, evaluation_interval: 500ms}}\n\
             rule_files: ['{}']\n\
             scrape_configs:\n- job_name: flotilla\n  static_configs:\n  - targets: ['{target}']\n",
            rules.display()
        );
        std::fs::write(&config, text).unwrap();
        let child = Command::new("prometheus")
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.tsdb.path={}", folder.path().join("data").display()))
            .arg(format!("--web.listen-address={address}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("prometheus is needed (package prometheus)");
        Prometheus { child, address, _folder: folder }
    }

    fn ask(&self, path: &str) -> Value {
        let answer = get(self.address, path).ok();
        answer.and_then(|answer| serde_json::from_str(&answer.body).ok()).unwrap_or_default()
    }

    fn has_data(&self, expression: &str) -> bool {
        let query: String = expression.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let answer = self.ask(&format!("/api/v1/query?query={query}"));
        answer["data"]["result"].as_array().is_some_and(|result| !result.is_empty())
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The expressions of the dashboard, and those of the rules without their thresholds: nothing is wrong here.
fn expressions() -> Vec<String> {
    let dashboard: Value =
        serde_json::from_str(&std::fs::read_to_string(deploy_file("grafana/flotilla.json")).unwrap()).unwrap();
    let panels = dashboard["panels"].as_array().unwrap().iter();
    let targets = panels.flat_map(|panel| panel["targets"].as_array().unwrap());
    let mut all: Vec<String> =
        targets.map(|target| target["expr"].as_str().unwrap().replace("$__rate_interval", "10s")).collect();
    let rules = std::fs::read_to_string(deploy_file("prometheus/flotilla.rules.yml")).unwrap();
    let of_rules = rules.lines().filter_map(|line| line.trim().strip_prefix("expr: "));
    all.extend(of_rules.map(|rule| {
        let end = rule.rfind([' ']).and_then(|end| rule[..end].rfind(' ')).unwrap();
        rule[..end].replace("[5m]", "[10s]")
    }));
    all
}

#[test]
fn every_expression_of_dashboard_and_rules_gives_data() {
    if !is_on_path("prometheus") {
        return eprintln!(
            "SKIPPED prometheus::every_expression_of_dashboard_and_rules_gives_data: prometheus is not here (package prometheus)"
        );
    }
    let folder = tempfile::TempDir::new().unwrap();
    let file = write_flow(folder.path(), &flow()).unwrap();
    let up = Up::start(&file, UpOptions { replicas: 2, args: Vec::new() }).unwrap();
    let prometheus = Prometheus::start(up.admin);
    let mut missing = expressions();
    assert!(missing.len() > 25, "{missing:?}");
    let publish = |topic: &str| {
        let (host, port) = (up.mqtt.ip().to_string(), up.mqtt.port().to_string());
        let args =
            ["-h", &host, "-p", &port, "-q", "1", "-t", topic, "-m", "x", "--repeat", "20", "--repeat-delay", "0.01"];
        assert!(Command::new("mosquitto_pub").args(args).status().unwrap().success());
    };
    let found = eventually("data for every expression", SOON, || {
        publish("in");
        get(up.http, "/x").unwrap();
        missing.retain(|expression| !prometheus.has_data(expression));
        missing.is_empty().then_some(())
    });
    assert!(found.is_ok(), "without data: {missing:#?}");
    let scripts = || prometheus.has_data("max(flotilla_script_memory_bytes) > 0").then_some(());
    eventually("the memory of scripts", SOON, scripts).unwrap();
    let rules = prometheus.ask("/api/v1/rules");
    let rules = rules["data"]["groups"][0]["rules"].as_array().unwrap();
    let bad: Vec<_> = rules.iter().filter(|rule| rule["health"] == "err").collect();
    assert!(rules.len() >= 10 && bad.is_empty(), "{bad:?}");
}
