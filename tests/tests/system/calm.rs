//! What fails over and over is one line, then counts, at every level: of nodes, and of replicas and the gateway themselves.

use std::collections::BTreeMap;
use std::time::Duration;

use flotilla_tests::{Cluster, ClusterOptions, Mosquitto, Up, UpOptions, eventually, free_ports, write_flow};
use serde_json::{Value, json};

const SOON: Duration = Duration::from_secs(60);
/// In this time each connection is tried again five times and more.
const AWAY: Duration = Duration::from_secs(20);
/// What goes wrong is told by so many lines of one kind at most, in one process.
const FEW: usize = 3;

/// Two connections to a broker, and a server that is not there.
fn flow(port: u16) -> Value {
    json!([
        {"id": "t", "type": "tab", "label": "Plant"},
        {"id": "b", "type": "mqtt-broker", "broker": "127.0.0.1", "port": "1883", "protocolVersion": "5", "clientid": "",
         "cleansession": true, "keepalive": "60"},
        {"id": "i", "type": "mqtt in", "z": "t", "topic": "in", "qos": "1", "datatype": "utf8", "broker": "b", "x": 1, "y": 1,
         "wires": [["o"]]},
        {"id": "o", "type": "mqtt out", "z": "t", "topic": "out", "qos": "1", "broker": "b", "x": 2, "y": 1, "wires": []},
        {"id": "c", "type": "tcp in", "z": "t", "server": "client", "host": "127.0.0.1", "port": port.to_string(),
         "datamode": "stream", "datatype": "buffer", "newline": "", "topic": "", "x": 1, "y": 2, "wires": [[]]}
    ])
}

/// Lines without their times, numbers in them aside: how often each process wrote each.
fn kinds<'a>(lines: impl Iterator<Item = &'a str>) -> BTreeMap<(String, String), usize> {
    let mut kinds = BTreeMap::new();
    for line in lines {
        // TIME LEVEL REPLICA said
        let mut words = line.split_whitespace();
        let (_, level, replica) = (words.next(), words.next(), words.next().unwrap_or_default());
        let said = words.collect::<Vec<_>>().join(" ");
        let plain: String = said.chars().filter(|one| !one.is_ascii_digit()).collect();
        let said = format!("{} {plain}", level.unwrap_or_default());
        *kinds.entry((replica.to_owned(), said)).or_default() += 1;
    }
    kinds
}

fn check(kinds: &BTreeMap<(String, String), usize>, most: usize) {
    let often: Vec<_> = kinds.iter().filter(|(_, count)| **count > most).collect();
    assert!(often.is_empty(), "lines that come again and again: {often:#?}");
}

#[test]
fn a_broker_that_is_away_is_one_line_of_each_replica_and_one_when_it_is_back() {
    let folder = tempfile::TempDir::new().unwrap();
    let mut mosquitto = Mosquitto::start().unwrap();
    let [dead] = free_ports().unwrap();
    let file = write_flow(folder.path(), &flow(dead.port())).unwrap();
    let up = Up::start_beside(&file, UpOptions { replicas: 3, args: Vec::new() }, mosquitto.address).unwrap();
    let connected = || {
        let replicas = up.replicas();
        let all = replicas.iter().all(|one| !one.health.sources.is_empty() && one.health.lost().next().is_none());
        (replicas.len() == 3 && all).then_some(())
    };
    eventually("all connections", SOON, connected).unwrap();
    let before = up.log().len();
    mosquitto.kill().unwrap();
    let away = AWAY.as_millis() as u64;
    eventually("the broker to be away for long enough", SOON, || {
        let replicas = up.replicas();
        let all = replicas.iter().all(|one| one.health.lost().any(|source| source.away_ms >= away));
        (replicas.len() == 3 && all).then_some(())
    })
    .unwrap();
    let log = up.log();
    let meanwhile = &log[before..];
    check(&kinds(meanwhile.lines()), 1);
    assert_eq!(meanwhile.matches("Disconnected from broker").count(), 3, "once a replica: {meanwhile}");
    // A server that was never there.
    assert_eq!(log.matches(" is lost\n").count(), 3, "once a replica: {log}");
    mosquitto.restart().unwrap();
    let back = || up.log()[before..].lines().filter(|line| line.contains("Connected to broker")).count();
    eventually("all connections to be back", SOON, connected).unwrap();
    eventually("a line of each", SOON, || (back() >= 3).then_some(())).unwrap();
    let log = up.log();
    let lines: Vec<_> = log[before..].lines().filter(|line| line.contains("Connected to broker")).collect();
    let says = |line: &&str| line.contains("(after ") && line.contains(" failures)");
    assert!(lines.len() == 3 && lines.iter().all(says), "how long and how often: {lines:#?}");
}

#[test]
fn a_store_that_is_away_is_few_lines_of_each_process() {
    let document = json!([
        {"id": "t", "type": "tab", "label": "Ticks"},
        {"id": "n", "type": "inject", "z": "t", "repeat": "1", "crontab": "", "once": false, "topic": "", "payload": "1",
         "payloadType": "num", "props": [{"p": "payload"}], "x": 1, "y": 1, "wires": [["d"]]},
        {"id": "d", "type": "debug", "z": "t", "active": false, "tosidebar": false, "x": 2, "y": 1, "wires": []}
    ]);
    let replicas = vec![Vec::new(); 2];
    let mut cluster = Cluster::start(&document, ClusterOptions { replicas, args: Vec::new() }).unwrap();
    cluster.admin.wait_for_ready(2).unwrap();
    let parts = ["r0", "r1", "gateway"];
    let text = |cluster: &Cluster, part: &str| std::fs::read_to_string(cluster.log_file(part)).unwrap_or_default();
    let before = parts.map(|part| text(&cluster, part).len());
    cluster.redis.kill().unwrap();
    // A length of time is the fault itself here.
    std::thread::sleep(AWAY);
    let logs = parts.map(|part| text(&cluster, part));
    for (log, before) in logs.iter().zip(before) {
        let meanwhile = &log[before..];
        assert!(!meanwhile.is_empty(), "nobody says that the store is away");
        check(&kinds(meanwhile.lines()), FEW);
    }
    cluster.redis.restart().unwrap();
    eventually("both replicas", SOON, || (cluster.admin.replicas().len() == 2).then_some(())).unwrap();
}
