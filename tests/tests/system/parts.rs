//! The parts as processes of their own, as docker-compose runs them.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use flotilla_tests::{Collector, Part, eventually, example, flotilla, free_ports, wait_for};

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
    let broker =
        Part::start(&["broker", "--listen", &mqtt.to_string(), "--ops", &broker_ops.to_string()], &[]).unwrap();
    wait_for(broker_ops, "/readyz", 200).unwrap();
    let at = ops.to_string();
    let variables = [("FLOTILLA_STORE", store.as_str()), ("FLOTILLA_OPS", at.as_str()), ("FLOTILLA_GROUP", "plant")];
    let config = dir.path().join("flotilla.toml");
    std::fs::write(
        &config,
        format!("[gateway]\nhttp = \"{http}\"\nadmin = \"{admin}\"\nstore = \"{store}\"\ngroup = \"plant\"\n"),
    )
    .unwrap();
    let gateway = Part::start(&["gateway", "--config", config.to_str().unwrap()], &[]).unwrap();
    assert_eq!(wait_for(admin, "/readyz", 503).unwrap(), "replicas: none is ready\n");
    let replica = Part::start(&["replica", &flows], &variables).unwrap();
    wait_for(ops, "/readyz", 200).unwrap();
    wait_for(admin, "/readyz", 200).unwrap();
    for address in [broker_ops, ops, admin] {
        assert_eq!(wait_for(address, "/livez", 200).unwrap(), "ok\n");
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
            .unwrap()
            .contains("flotilla_deliveries_ended_total{outcome=\"completed\"} 1")
            .then_some(())
    })
    .unwrap();
    assert!(!wait_for(http, "/nothing-here", 404).unwrap().is_empty());
    drop(reports);
    for part in [replica, gateway, broker] {
        assert!(part.stop().unwrap().success());
    }
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
