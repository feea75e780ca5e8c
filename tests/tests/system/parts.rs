//! The parts as processes of their own, as docker-compose runs them.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use flotilla_tests::{Collector, eventually, example, flotilla, free_ports, get};

/// A part that runs; killed when dropped.
struct Part(Child);

impl Part {
    fn start(args: &[&str], env: &[(&str, String)]) -> Part {
        let mut command = Command::new(flotilla().unwrap());
        command.args(args).envs(env.iter().map(|(name, value)| (name, value))).stdin(Stdio::null());
        Part(command.spawn().unwrap())
    }

    /// SIGTERM; true when it ends well.
    fn stop(mut self) -> bool {
        Command::new("kill").args(["-TERM", &self.0.id().to_string()]).status().unwrap();
        let ended =
            eventually("the process to drain and end", Duration::from_secs(30), || self.0.try_wait().ok().flatten());
        ended.unwrap().success()
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn wait_for(address: SocketAddr, path: &str, status: u16) -> String {
    let asked = || get(address, path).ok().filter(|answer| answer.status == status);
    eventually(&format!("{status} from {address}{path}"), Duration::from_secs(30), asked).unwrap().body
}

/// The plant flow with its broker node at another port.
fn plant(dir: &Path, mqtt: SocketAddr) -> String {
    let text = std::fs::read_to_string(example("plant.json")).unwrap();
    let mut document: serde_json::Value = serde_json::from_str(&text).unwrap();
    for node in document.as_array_mut().unwrap() {
        if node["type"] == "mqtt-broker" {
            node["port"] = mqtt.port().to_string().into();
        }
    }
    let file = dir.join("flows.json");
    std::fs::write(&file, document.to_string()).unwrap();
    file.to_str().unwrap().to_owned()
}

#[test]
fn broker_replicas_and_gateway_run_alone() {
    let dir = tempfile::TempDir::new().unwrap();
    let [mqtt, broker_ops, ops, http, admin] = free_ports().unwrap();
    let flows = plant(dir.path(), mqtt);
    let store = format!("sqlite:{}", dir.path().join("store.db").display());
    // One by flags, one by variables, one by file.
    let broker = Part::start(&["broker", "--listen", &mqtt.to_string(), "--ops", &broker_ops.to_string()], &[]);
    wait_for(broker_ops, "/readyz", 200);
    let variables =
        [("FLOTILLA_STORE", store.clone()), ("FLOTILLA_OPS", ops.to_string()), ("FLOTILLA_GROUP", "plant".to_owned())];
    let config = dir.path().join("flotilla.toml");
    std::fs::write(
        &config,
        format!("[gateway]\nhttp = \"{http}\"\nadmin = \"{admin}\"\nstore = \"{store}\"\ngroup = \"plant\"\n"),
    )
    .unwrap();
    let gateway = Part::start(&["gateway", "--config", config.to_str().unwrap()], &[]);
    assert_eq!(wait_for(admin, "/readyz", 503), "replicas: none is ready\n");
    let replica = Part::start(&["replica", &flows], &variables);
    wait_for(ops, "/readyz", 200);
    wait_for(admin, "/readyz", 200);
    for address in [broker_ops, ops, admin] {
        assert_eq!(wait_for(address, "/livez", 200), "ok\n");
    }

    let reports = Collector::start(mqtt, "plant/+/report", 1).unwrap();
    let sent = Command::new("mosquitto_pub")
        .args(["-h", "127.0.0.1", "-p", &mqtt.port().to_string(), "-q", "1"])
        .args(["-t", "plant/press-1/temperature", "-m", r#"{"value":21.5}"#])
        .status()
        .unwrap();
    assert!(sent.success());
    eventually("the report", Duration::from_secs(10), || (reports.distinct() == 1).then_some(())).unwrap();
    eventually("the delivery in the metrics", Duration::from_secs(10), || {
        wait_for(ops, "/metrics", 200)
            .contains("flotilla_deliveries_ended_total{outcome=\"completed\"} 1")
            .then_some(())
    })
    .unwrap();
    assert!(!wait_for(http, "/nothing-here", 404).is_empty());
    drop(reports);
    assert!(replica.stop() && gateway.stop() && broker.stop());
}

#[test]
fn a_setting_that_does_not_exist_is_named() {
    let dir = tempfile::TempDir::new().unwrap();
    let config = dir.path().join("flotilla.toml");
    std::fs::write(&config, "[gateway]\nhtpp = \"127.0.0.1:0\"\n").unwrap();
    let ended = Command::new(flotilla().unwrap()).args(["gateway", "--config"]).arg(&config).output().unwrap();
    assert!(!ended.status.success());
    let text = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert!(text.contains("[gateway] has no setting \"htpp\""), "{text}");
}
