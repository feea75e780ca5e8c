//! Larger flows, and more replicas.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use flotilla_load::run::{Options, run as run_load};
use flotilla_load::scenario::{Broker, Expect, Pace, Publish, Rate, Scenario, Span};
use serde_json::json;

use super::group::Group;
use super::table::{Measure, Plan, Section, by_turns, cost, rate, variants};
use crate::peer::{NODE_REDS, NodeRed, Process, free_port};

const MQTT: &str = include_str!("../../flows/mqtt-path.json");
/// Nodes of a tab.
const TAB: usize = 50;

/// A flow of so many nodes: tabs in which an http in is followed by change, function, switch and template nodes.
fn flow(nodes: usize) -> String {
    let mut all = Vec::new();
    for tab in 0..nodes.div_ceil(TAB) {
        let z = format!("tab{tab}");
        all.push(json!({"id": z, "type": "tab", "label": z, "disabled": false, "info": ""}));
        let count = TAB.min(nodes - tab * TAB);
        for at in 0..count {
            let (id, next) = (format!("n{tab}x{at}"), format!("n{tab}x{}", at + 1));
            // As the editor writes them: what has no place in the workspace is a config node.
            let x = 100 * at;
            let wires = if at + 1 < count { json!([[next]]) } else { json!([]) };
            let url = if tab == 0 { "/hello/world".to_owned() } else { format!("/tab/{tab}") };
            all.push(match at {
                0 => json!({"id": id, "z": z, "x": x, "y": 40, "type": "http in", "name": "", "url": url, "method": "get", "upload": false, "swaggerDoc": "", "wires": wires}),
                _ if at + 1 == count => json!({"id": id, "z": z, "x": x, "y": 40, "type": "http response", "name": "", "statusCode": "", "headers": {}, "wires": []}),
                _ => match at % 4 {
                    0 => json!({"id": id, "z": z, "x": x, "y": 40, "type": "change", "name": "", "rules": [{"t": "set", "p": "payload", "pt": "msg", "to": "hello", "tot": "str"}], "action": "", "property": "", "from": "", "to": "", "reg": false, "wires": wires}),
                    1 => json!({"id": id, "z": z, "x": x, "y": 40, "type": "function", "name": "", "func": format!("msg.step = {at};\nreturn msg;"), "outputs": 1, "timeout": 0, "noerr": 0, "initialize": "", "finalize": "", "libs": [], "wires": wires}),
                    2 => json!({"id": id, "z": z, "x": x, "y": 40, "type": "switch", "name": "", "property": "payload", "propertyType": "msg", "rules": [{"t": "else"}], "checkall": "true", "repair": false, "outputs": 1, "wires": wires}),
                    _ => json!({"id": id, "z": z, "x": x, "y": 40, "type": "template", "name": "", "field": "payload", "fieldType": "msg", "format": "handlebars", "syntax": "mustache", "template": "hello", "output": "str", "wires": wires}),
                },
            });
        }
    }
    serde_json::Value::Array(all).to_string()
}

/// Milliseconds to the first answer, and MiB then.
fn first_answer(mut process: Process, http: std::net::SocketAddr, begun: Instant) -> anyhow::Result<Vec<f64>> {
    loop {
        if crate::load::http::run(http, "/hello/world", "hello", 1, 1).is_ok() {
            let took = begun.elapsed().as_secs_f64() * 1000.0;
            return Ok(vec![took, process.memory()? as f64 / f64::from(1 << 20)]);
        }
        process.check()?;
        ensure!(begun.elapsed() < Duration::from_mins(1), "no answer within a minute");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Start to first answer, and memory.
pub fn start(plan: Plan<'_>, dir: &Path, section: &mut Section) -> anyhow::Result<()> {
    section.about = format!(
        "One process (a replica, a Node-RED) from its start to its first answer to a request through {TAB} nodes, and its resident \
         memory then. Tabs of {TAB} nodes: http in, change, function, switch, template, http response."
    );
    for nodes in [10, 1000, 10_000] {
        let flows = flow(nodes);
        let file = dir.join(format!("flows{nodes}.json"));
        std::fs::write(&file, &flows)?;
        let mut sides: Vec<(String, Measure<'_>)> = Vec::new();
        for (name, binary) in plan.builds {
            let file = &file;
            let ours = move || {
                let home = tempfile::tempdir_in(dir)?;
                let http = free_port()?;
                let mut command = Command::new(binary);
                let store = format!("sqlite:{}", home.path().join("store.db").display());
                command.arg("replica").arg(file).args(["--http", &http.to_string(), "--store", &store]);
                let begun = Instant::now();
                first_answer(Process::start(command, home.path().join("replica.log"))?, http, begun)
            };
            sides.push((name.clone(), Box::new(ours)));
        }
        for version in NODE_REDS {
            let flows = flows.clone();
            let theirs = move || {
                let home = tempfile::tempdir_in(dir)?;
                let prepared = NodeRed::prepare(home.path(), &flows, version)?;
                let begun = Instant::now();
                let peer = prepared.spawn()?;
                first_answer(peer.process, peer.http, begun)
            };
            sides.push((format!("Node-RED {}", version.version), Box::new(theirs)));
        }
        let metrics = [cost("ms to the first answer"), cost("MiB resident")];
        section.cases.extend(by_turns(plan, &format!("{nodes} nodes"), &metrics, sides));
    }
    Ok(())
}

/// Messages a second through groups of 1, 2, 4 and 8.
pub fn replicas(plan: Plan<'_>, dir: &Path, section: &mut Section) -> anyhow::Result<()> {
    let messages = plan.messages(100_000) as u64;
    section.about = format!(
        "{messages} messages a round through `mqtt in` -> `change` -> `function` -> `mqtt out` of a `flotilla up` (QoS 1, embedded broker, 50 topics, \
         delivery by key), as fast as they come; generator, broker and replicas share the machine's cores, so more replicas than cores \
         cannot give more."
    );
    let flow = MQTT.replace("\"INPUT\"", "\"in/+\"").replace("OUTPUT", "out").replace("PROTOCOL", "5");
    let groups = [1, 2, 4, 8].map(|count| (count, dir.join(count.to_string())));
    let mut sides: Vec<(String, Measure<'_>)> = Vec::new();
    for (count, dir) in &groups {
        let flow = &flow;
        let measure = move || {
            let home = tempfile::tempdir_in(dir.parent().context("a folder in a folder")?)?;
            let group = Group::start(home.path(), flow, *count, &[])?;
            let scenario = Scenario {
                duration: Some(Span(Duration::from_mins(2))),
                mqtt: Some(Broker { url: group.mqtt.to_string(), ..Broker::default() }),
                publish: vec![Publish {
                    topic: "in/{1..50}".into(),
                    window: Some(500),
                    pace: Pace { rate: Some(Rate::Text("max".into())), count: Some(messages), ..Pace::default() },
                    ..Publish::default()
                }],
                expect: vec![Expect { topic: "out".into(), ..Expect::default() }],
                ..Scenario::default()
            };
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            let results = runtime.block_on(run_load(scenario.check(String::new())?, Options::default()))?;
            ensure!(results.totals.lost + results.totals.out_of_order == 0, "{:?}", results.totals);
            Ok(vec![results.rate])
        };
        sides.push((format!("{count} replica(s)"), Box::new(measure)));
    }
    section.cases = variants(plan, "replicas", &[rate("messages/s")], sides);
    Ok(())
}
