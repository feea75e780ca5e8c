//! The real nodes in a real Node-RED, and ours, on our broker: both ways, messages, broadcasts and calls.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::Path;

use flotilla_tests::mqtt::TestBroker;
use flotilla_tests::{Collector, NodeRed, eventually, is_on_path, npm};
use serde_json::{Value, json};

use super::kit::{ENDS, client, flow, group, publish};

/// The nodes of one side, `me`, that talks to the other. What it is asked by MQTT it sends to the other side, with values
/// that JSON has no form for; what it hears it says, and answers calls with twice the number.
fn nodes(me: &str, other: &str) -> Value {
    const SENDS: &str = "const n = Number(msg.payload);
        return {topic: 'kept', payload: {n, buffer: Buffer.from([0, 255]), map: new Map([['k', {deep: Buffer.from('x')}]]),
            set: new Set(['a', 2]), big: 12345678901234567890n, none: undefined, date: new Date(0)}};";
    let hears = |what: &str| {
        format!(
            "const p = msg.payload, l = msg.projectLink;
             const seen = [p.n, Buffer.isBuffer(p.buffer) && p.buffer[1], p.map.get('k').deep.toString(), p.set.has('a'), p.set.size,
                 typeof p.big, String(p.big), p.none === null, p.date, msg.topic, l.projectId, l.instanceId, l.topic];
             return {{payload: '{me} {what} ' + seen.join(' ')}};"
        )
    };
    let function = |id: &str, code: &str, to: &str| json!({"id": id, "type": "function", "func": code, "outputs": 1, "wires": [[to]]});
    let asked = |id: &str, what: &str| {
        let topic = format!("{me}/{what}/+");
        json!({"id": id, "type": "mqtt in", "topic": topic, "qos": "2", "datatype": "utf8", "broker": "b", "wires": [[format!("{id}f")]]})
    };
    let link_in = |id: &str, project: &str, broadcast: bool, topic: &str| {
        json!({"id": id, "type": "project link in", "name": "", "project": project, "broadcast": broadcast, "topic": topic,
               "wires": [[format!("{id}f")]]})
    };
    let link_out = |id: &str, mode: &str, broadcast: bool, project: &str, topic: &str| {
        json!({"id": id, "type": "project link out", "name": "", "mode": mode, "broadcast": broadcast, "project": project,
               "topic": topic, "wires": []})
    };
    json!([
        asked("s", "send"), function("sf", SENDS, "so"), link_out("so", "link", false, other, "box/in"),
        asked("n", "news"), function("nf", SENDS, "nb"), link_out("no", "link", true, "", "news"),
        {"id": "nb", "type": "function", "func": "return msg;", "outputs": 1, "wires": [["no", "na"]]},
        link_out("na", "link", true, "", "alerts"),
        asked("c", "ask"), function("cf", SENDS, "cc"),
        {"id": "cc", "type": "project link call", "name": "", "project": other, "topic": "double", "timeout": "30", "wires": [["ca"]]},
        function("ca", &hears("answer"), "out"),
        link_in("i", "", false, "box/in"), function("if", &hears("box"), "out"),
        link_in("l", "all", true, "news"), function("lf", &hears("news"), "out"),
        link_in("p", other, true, "alerts"), function("pf", &hears("theirs"), "out"),
        link_in("d", "", false, "double"),
        function("df", "msg.payload.n *= 2; return msg;", "dr"), link_out("dr", "return", false, "", ""),
        {"id": "out", "type": "mqtt out", "topic": "heard", "qos": "2", "broker": "b", "wires": []}
    ])
}

fn node_red(dir: &Path, broker: SocketAddr) -> anyhow::Result<NodeRed> {
    let package = npm(&["@flowfuse/nr-project-nodes@0.7.8"])?;
    std::os::unix::fs::symlink(package.join("node_modules"), dir.join("node_modules"))?;
    let manifest = json!({"name": "theirs", "dependencies": {"@flowfuse/nr-project-nodes": "0.7.8"}});
    std::fs::write(dir.join("package.json"), manifest.to_string())?;
    let settings = json!({
        "flowFile": "flows.json", "credentialSecret": false,
        "flowforge": {
            // Nobody listens there: whether a project exists is only shown by the nodes.
            "forgeURL": "http://127.0.0.1:9", "teamID": "flotilla", "projectID": "theirs", "applicationID": "app",
            "projectLink": {"token": "none", "broker": {"url": format!("mqtt://{broker}"), "username": "theirs", "password": "none"}}
        }
    });
    std::fs::write(dir.join("settings.js"), format!("module.exports = {settings};"))?;
    let mut flows = flow(&nodes("theirs", "ours"));
    flows[1]["port"] = broker.port().to_string().into();
    std::fs::write(dir.join("flows.json"), flows.to_string())?;
    NodeRed::start(dir)
}

#[test]
fn the_real_project_nodes_and_ours_talk_both_ways() {
    if !is_on_path("npm") || !is_on_path("node") {
        return eprintln!(
            "SKIPPED project_links::interop::the_real_project_nodes_and_ours_talk_both_ways: npm or node is not here"
        );
    }
    let broker = TestBroker::start(|_| {});
    let collector = Collector::start(broker.address(), "heard", 2).unwrap();
    let folder = tempfile::TempDir::new().unwrap();
    let _theirs = node_red(folder.path(), broker.address()).unwrap();
    let _ours = group("ours", &nodes("ours", "theirs"), broker.address());
    // Node-RED's links connect on their own: each side is there when it hears itself.
    let mut sender = client(broker.address(), "sender");
    for side in ["theirs", "ours"] {
        let ready = |counts: HashMap<String, usize>| {
            counts
                .keys()
                .any(|said| said.starts_with(&format!("{side} news 0 ")) && said.contains(&format!(" {side} {side} ")))
        };
        eventually("the links of a side", ENDS, || {
            publish(&mut sender, &format!("{side}/news/0"), "0");
            ready(collector.counts()).then_some(())
        })
        .unwrap();
    }
    for side in ["theirs", "ours"] {
        for number in 1..=5 {
            for what in ["send", "news", "ask"] {
                publish(&mut sender, &format!("{side}/{what}/{number}"), &number.to_string());
            }
        }
    }
    let values = "255 x true 2 bigint 12345678901234567890 true 1970-01-01T00:00:00.000Z kept";
    let mut expected = Vec::new();
    for (side, other) in [("theirs", "ours"), ("ours", "theirs")] {
        for number in 1..=5 {
            expected.push(format!("{side} box {number} {values} {other} {other} box/in"));
            expected.push(format!("{side} news {number} {values} {other} {other} news"));
            expected.push(format!("{side} news {number} {values} {side} {side} news"));
            expected.push(format!("{side} theirs {number} {values} {other} {other} alerts"));
            expected.push(format!("{side} answer {} {values} {other} {other} double", number * 2));
        }
    }
    let all = |counts: &HashMap<String, usize>| expected.iter().all(|said| counts.contains_key(said));
    let _ = eventually("everything that is said", ENDS, || all(&collector.counts()).then_some(()));
    let counts = collector.counts();
    let missing: Vec<_> = expected.iter().filter(|said| !counts.contains_key(*said)).collect();
    assert!(missing.is_empty(), "missing: {missing:#?}\nheard: {:#?}", counts.keys());
    let twice: Vec<_> = expected.iter().filter(|said| counts[*said] != 1).collect();
    assert!(twice.is_empty(), "not once: {twice:?}");
}
