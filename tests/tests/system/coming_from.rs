//! Most of the commands of `docs/coming-from.md`, one by one. Not here: `-f -`, `--create`, `--ha-group` with a group that is
//! there, `--domain rack` and `zone`, `flotilla pipeline`, nor `flotilla gateway` other than to set the tests up.

use std::time::Duration;

use flotilla_tests::{Collector, Hosts, Part, eventually, get, write_flow};
use serde_json::{Value, json};

use crate::hosts::publish;
use crate::rollout_flow::flow;

const ENDS: Duration = Duration::from_secs(60);

fn spare(hosts: &Hosts, id: &str) -> Part {
    Part::start(&["replica", "--spare", "--id", id, "--store", &hosts.store], &[]).unwrap()
}

fn group_of(hosts: &Hosts, id: &str) -> Option<String> {
    let answer = hosts.admin.get("/api/v1/replicas").ok()?;
    let list: Value = serde_json::from_str(&answer.body).ok()?;
    let found = list.as_array()?.iter().find(|replica| replica["id"] == id)?;
    found["group"].as_str().map(str::to_owned)
}

#[test]
fn open_horizon() {
    let hosts = Hosts::start().unwrap();
    let _replicas = [spare(&hosts, "n1"), spare(&hosts, "n2"), spare(&hosts, "n3")];
    for id in ["n1", "n2", "n3"] {
        eventually(&format!("{id} to wait"), ENDS, || group_of(&hosts, id).filter(String::is_empty)).unwrap();
    }
    let mut template: Value = serde_json::from_str(&hosts.done(&["hagroup", "new", "plant"]).unwrap()).unwrap();
    assert_eq!((&template["name"], &template["members"]), (&json!("plant"), &json!([])));
    template["members"] = json!(["n1", "typo"]);
    let file = hosts.file("plant.json", &template).unwrap();
    let why = hosts.refused(&["hagroup", "add", "-f", &file]).unwrap();
    assert!(why.contains("not running: typo") && why.contains("could be added: n1"), "{why}");
    assert_eq!(group_of(&hosts, "n1").as_deref(), Some(""), "all or none");
    template["members"] = json!(["n1"]);
    template["description"] = json!("presses");
    let file = hosts.file("plant.json", &template).unwrap();
    hosts.done(&["hagroup", "add", "plant", "-f", &file]).unwrap();
    eventually("n1 to be in it", ENDS, || group_of(&hosts, "n1").filter(|group| group == "plant")).unwrap();
    let long: Value = serde_json::from_str(&hosts.done(&["hagroup", "ls", "-l"]).unwrap()).unwrap();
    assert_eq!((&long["plant"]["description"], &long["plant"]["members"][0]["id"]), (&json!("presses"), &json!("n1")));
    assert!(hosts.done(&["hagroup", "list", "plant"]).unwrap().contains("presses"));
    let other = hosts.file("other.json", &json!({"name": "other", "members": ["n2"]})).unwrap();
    hosts.done(&["group", "add", "-f", &other]).unwrap();
    eventually("n2 to be in it", ENDS, || group_of(&hosts, "n2").filter(|group| group == "other")).unwrap();
    let why = hosts.refused(&["hagroup", "mb", "add", "plant", "-m", "n2", "n3"]).unwrap();
    assert!(why.contains("because they are in different groups: n2 is in group \"other\""), "{why}");
    assert!(why.contains("could be added: n3"), "{why}");
    hosts.done(&["hagroup", "member", "add", "plant", "--node", "n3"]).unwrap();
    eventually("n3 to be in it", ENDS, || group_of(&hosts, "n3").filter(|group| group == "plant")).unwrap();
    let document = tempfile::TempDir::new().unwrap();
    let flows = write_flow(document.path(), &hosts.at_its_broker(&flow("one", ""))).unwrap().display().to_string();
    hosts.done(&["deploy", &flows, "--group", "plant", "--dry-run"]).unwrap();
    hosts.done(&["deploy", &flows, "--group", "plant", "--wait", "--even-if-alone"]).unwrap();
    eventually("each member to fit", ENDS, || hosts.done(&["deploycheck", &flows, "--group", "plant"]).ok()).unwrap();
    hosts.done(&["hagroup", "mb", "rm", "plant", "-m", "n3", "-f"]).unwrap();
    eventually("n3 to be in none", ENDS, || group_of(&hosts, "n3").filter(String::is_empty)).unwrap();
    assert!(hosts.refused(&["hagroup", "rm", "plant", "-f"]).unwrap().contains("still has 1 replica: stop it first"));
    hosts.done(&["hagroup", "mb", "rm", "plant", "-m", "n1"]).unwrap();
    eventually("n1 to be in none", ENDS, || group_of(&hosts, "n1").filter(String::is_empty)).unwrap();
    hosts.done(&["hagroup", "rm", "plant", "-f"]).unwrap();
    let typo = hosts.run(&["replica", "--ha-group", "plnat", "--store", &hosts.store]).unwrap();
    assert_eq!(typo.status.code(), Some(7), "a typo makes no group: {typo:?}");
}

#[test]
fn openstack() {
    let mut hosts = Hosts::start().unwrap();
    hosts.agent("h1", &[]).unwrap();
    hosts.agent("h2", &[]).unwrap();
    hosts
        .done(&["server-group", "create", "--policy", "anti-affinity", "--rule", "max_server_per_host=1", "ha"])
        .unwrap();
    assert!(hosts.done(&["server-group", "list"]).unwrap().contains("anti-affinity, at most 1 in a host"));
    let file = hosts.file("group.json", &json!({"name": "default", "replicas": 2})).unwrap();
    hosts.done(&["group", "add", "-f", &file, "--hint", "group=ha"]).unwrap();
    hosts.deploy(&flow("one", "")).unwrap();
    hosts.wait_for_spread(&[("h1", 1), ("h2", 1)]).unwrap();
    assert!(hosts.done(&["server-group", "show", "ha"]).unwrap().contains("default-2"));
    hosts.done(&["server-group", "delete", "ha"]).unwrap();
    assert_eq!(hosts.admin.ready(), 2, "its members run on");
    // A group that exists: the plan first, then the moves.
    hosts.done(&["host", "drain", "h2"]).unwrap();
    hosts.wait_for_spread(&[("h1", 2)]).unwrap();
    hosts.done(&["host", "undrain", "h2"]).unwrap();
    hosts.done(&["server-group", "create", "--policy", "anti-affinity", "ha"]).unwrap();
    let plan = hosts.done(&["server-group", "add", "ha", "--group", "default", "--plan"]).unwrap();
    assert!(plan.contains("h1 -> h2") && plan.contains("1 would move"), "{plan}");
    assert!(
        hosts.done(&["server-group", "add", "ha", "--group", "default"]).unwrap().contains("1 stay where they are")
    );
    hosts.done(&["server-group", "add", "ha", "--group", "default", "--move"]).unwrap();
    hosts.wait_for_spread(&[("h1", 1), ("h2", 1)]).unwrap();
}

#[test]
fn flowfuse() {
    let mut hosts = Hosts::start().unwrap();
    hosts.agent("h1", &[]).unwrap();
    hosts.agent("h2", &[]).unwrap();
    let file = hosts.file("group.json", &json!({"name": "default", "replicas": 1})).unwrap();
    hosts.done(&["group", "add", "-f", &file]).unwrap();
    hosts.deploy(&flow("one", "")).unwrap();
    eventually("one replica", ENDS, || (hosts.admin.ready() == 1).then_some(())).unwrap();
    hosts.done(&["scale", "--replicas", "2"]).unwrap();
    hosts.wait_for_spread(&[("h1", 1), ("h2", 1)]).unwrap();
    let shown = |wanted: &str| {
        eventually(&format!("{wanted} at the front door"), ENDS, || {
            get(hosts.http, "/version").ok().filter(|answer| answer.status == 200 && answer.body == wanted)
        })
        .unwrap();
    };
    shown("one");
    // Nobody says in a node that its messages are shared.
    let out = Collector::start(hosts.mqtt, "out", 1).unwrap();
    let sent = publish(&hosts, 100);
    eventually("all messages", ENDS, || (out.distinct() == sent).then_some(())).unwrap();
    assert!(out.counts().values().all(|count| *count == 1), "each came once: {:?}", out.counts());
    hosts.done(&["snapshot", "create", "before"]).unwrap();
    let document = tempfile::TempDir::new().unwrap();
    let export = document.path().join("snapshot.json").display().to_string();
    hosts.done(&["snapshot", "export", "before", "--as", "flowfuse", "--output", &export]).unwrap();
    let quick = ["--wait", "--probation", "0.5"];
    let two = write_flow(document.path(), &hosts.at_its_broker(&flow("two", ""))).unwrap().display().to_string();
    hosts.done(&[&["deploy", &two][..], &quick].concat()).unwrap();
    shown("two");
    hosts.done(&[&["deploy", &export][..], &quick].concat()).unwrap();
    shown("one");
    hosts.done(&[&["deploy", &two][..], &quick].concat()).unwrap();
    hosts.done(&[&["snapshot", "restore", "before"][..], &quick].concat()).unwrap();
    shown("one");
    let audit = hosts.done(&["audit"]).unwrap();
    assert!(audit.contains("scale") && audit.contains("deploy"), "{audit}");
}
