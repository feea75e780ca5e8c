//! `flotilla group pause`: nothing is taken and nothing is lost.

use std::time::Duration;

use flotilla_tests::mqtt::{Client, Connect};
use flotilla_tests::{Collector, Up, UpOptions, eventually, get, request, write_flow};
use serde_json::{Value, json};

/// `in/#` goes to `out` with the number; `GET /ping` answers; a tick each 200 ms goes to `tick`.
fn flow() -> Value {
    json!([
        {"id": "t", "type": "tab", "label": "Plant"},
        {"id": "b", "type": "mqtt-broker", "broker": "127.0.0.1", "port": "1883", "protocolVersion": "5", "clientid": "",
         "cleansession": true, "keepalive": "60"},
        {"id": "i", "type": "mqtt in", "z": "t", "topic": "in/#", "qos": "1", "datatype": "json", "broker": "b", "x": 1, "y": 1,
         "wires": [["o"]]},
        {"id": "o", "type": "mqtt out", "z": "t", "topic": "out", "qos": "1", "retain": "", "broker": "b", "x": 2, "y": 1, "wires": []},
        {"id": "n", "type": "inject", "z": "t", "repeat": "0.2", "crontab": "", "once": false, "topic": "", "payload": "1",
         "payloadType": "num", "props": [{"p": "payload"}], "x": 1, "y": 3, "wires": [["p"]]},
        {"id": "p", "type": "mqtt out", "z": "t", "topic": "tick", "qos": "0", "retain": "", "broker": "b", "x": 2, "y": 3, "wires": []},
        {"id": "h", "type": "http in", "z": "t", "url": "/ping", "method": "get", "x": 1, "y": 2, "wires": [["r"]]},
        {"id": "r", "type": "http response", "z": "t", "headers": {}, "x": 2, "y": 2, "wires": []}
    ])
}

const BEFORE: usize = 200;
const MEANWHILE: usize = 300;

fn publish(client: &mut Client, numbers: std::ops::Range<usize>) {
    for number in numbers {
        let payload = json!({"seq": number}).to_string();
        let id = client.publish(&format!("in/{}", number % 7), payload.as_bytes(), 1, false).unwrap();
        client.confirmed(id, 1).unwrap();
    }
}

#[test]
fn a_paused_group_takes_nothing_and_loses_nothing() {
    let folder = tempfile::TempDir::new().unwrap();
    let file = write_flow(folder.path(), &flow()).unwrap();
    let up = Up::start(&file, UpOptions { replicas: 2, args: Vec::new() }).unwrap();
    let run = |args: &[&str]| {
        let done = up.run(args).unwrap();
        (done.status.code(), String::from_utf8([done.stdout, done.stderr].concat()).unwrap())
    };
    let out = Collector::start(up.mqtt, "out", 1).unwrap();
    let ticks = Collector::start(up.mqtt, "tick", 0).unwrap();
    let ticked = || ticks.counts().values().sum::<usize>();
    let mut client = Client::connect(up.mqtt, &Connect::new(5, "publisher")).unwrap();
    publish(&mut client, 0..BEFORE);
    eventually("a tick", Duration::from_secs(20), || (ticked() > 0).then_some(())).unwrap();
    let (code, text) = run(&["group", "pause", "--why", "new press", "--drain"]);
    assert_eq!(code, Some(0), "{text}");
    let (at_pause, ticks_at_pause) = (out.distinct(), ticked());
    assert_eq!(at_pause, BEFORE, "what was in flight is finished");

    let answer = request(up.http, "GET", "/ping", "", "").unwrap();
    assert_eq!(answer.status, 503, "{}", answer.body);
    assert!(answer.head.to_lowercase().contains("retry-after: 10"), "{}", answer.head);
    publish(&mut client, BEFORE..BEFORE + MEANWHILE);
    let (_, status) = run(&["status"]);
    assert!(status.contains("paused by") && status.contains("new press"), "{status}");
    let (code, text) = run(&["deploy", "--env", "A=1"]);
    assert!(code == Some(3) && text.contains("flotilla group resume"), "{text}");
    assert_eq!((out.distinct(), ticked()), (at_pause, ticks_at_pause), "nothing was taken");

    assert_eq!(run(&["group", "resume"]).0, Some(0));
    let counts = out.wait_for_numbers(BEFORE + MEANWHILE, Duration::from_secs(60)).unwrap();
    assert!(counts.values().all(|count| *count == 1), "each came once: {counts:?}");
    let answers = || get(up.http, "/ping").ok().filter(|answer| answer.status == 200).map(drop);
    eventually("requests to be answered again", Duration::from_secs(20), answers).unwrap();
    eventually("ticks again", Duration::from_secs(20), || (ticked() > ticks_at_pause).then_some(())).unwrap();
    eventually("both replicas", Duration::from_secs(20), || (up.ready() == 2).then_some(())).unwrap();
    let (_, audit) = run(&["audit"]);
    assert!(audit.contains("group-pause") && audit.contains("group-resume"), "{audit}");
}
