//! Groups over hosts: agents, placement, deaths, drains.

use std::io::Write as _;
use std::net::SocketAddr;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Duration;

use flotilla_tests::{Collector, Hosts, eventually, get, pause, resume, wait_for};
use serde_json::{Value, json};

use crate::rollout_flow::flow;

const ENDS: Duration = Duration::from_secs(60);

fn three() -> Hosts {
    three_replaced_after(3)
}

fn three_replaced_after(seconds: u32) -> Hosts {
    let mut hosts = Hosts::start().unwrap();
    hosts.replace_after = seconds;
    for (host, zone) in [("h1", "east"), ("h2", "east"), ("h3", "west")] {
        hosts.agent(host, &["--zone", zone]).unwrap();
    }
    hosts
}

#[test]
fn server_groups_place_replicas_and_say_why_not() {
    let hosts = three();
    hosts.done(&["server-group", "create", "--policy", "anti-affinity", "plant"]).unwrap();
    let twice = hosts.refused(&["server-group", "create", "--policy", "affinity", "plant"]).unwrap();
    assert!(twice.contains("\"plant\" already"), "{twice}");
    let rule = ["server-group", "create", "--policy", "soft-affinity", "--rule", "max_server_per_host=2", "x"];
    assert!(hosts.refused(&rule).unwrap().contains("only the anti-affinity policy supports rules"));
    let spec = hosts.file("group.json", &json!({"name": "default", "replicas": 3})).unwrap();
    assert!(
        hosts.refused(&["group", "add", "-f", &spec, "--hint", "group=none"]).unwrap().contains("could not be found")
    );
    hosts.done(&["group", "add", "-f", &spec, "--hint", "group=plant"]).unwrap();
    hosts.deploy(&flow("one", "")).unwrap();
    hosts.wait_for_spread(&[("h1", 1), ("h2", 1), ("h3", 1)]).unwrap();
    let why = hosts.refused(&["scale", "--replicas", "4"]).unwrap();
    assert!(why.contains("No valid host was found.") && why.matches("\n  h").count() == 3, "{why}");
    let check = hosts.run(&["placement", "check", "--replicas", "4"]).unwrap();
    assert_eq!(check.status.code(), Some(3), "{check:?}");
    insta::assert_snapshot!(String::from_utf8_lossy(&check.stderr), @r#"
    flotilla: No valid host was found.
      h1: default-1 is there; server group "plant" (anti-affinity) has 1 of at most 1 in host "h1"
      h2: default-3 is there; server group "plant" (anti-affinity) has 1 of at most 1 in host "h2"
      h3: default-2 is there; server group "plant" (anti-affinity) has 1 of at most 1 in host "h3"
    "#);
    let shown: Value =
        serde_json::from_str(&hosts.done(&["server-group", "show", "plant", "--json"]).unwrap()).unwrap();
    assert_eq!((shown["members"].as_array().unwrap().len(), &shown["violated"]), (3, &json!([])));
    let status = hosts.done(&["status"]).unwrap();
    assert!(status.contains("HOST") && status.contains("h3 (west)") && !status.contains("death of"), "{status}");
    let flows = hosts.file("flows.json", &flow("one", "")).unwrap();
    let review = |hosts: &Hosts| hosts.run(&["review", &flows, "--group", "default"]).unwrap();
    assert!(!String::from_utf8_lossy(&review(&hosts).stdout).contains("stops the group"));
    // One leaves; the others stay where they are.
    hosts.done(&["scale", "--replicas", "1"]).unwrap();
    eventually("one replica", ENDS, || (hosts.admin.ready() == 1).then_some(())).unwrap();
    let status = hosts.done(&["status"]).unwrap();
    assert!(status.contains("its death stops the group"), "{status}");
    let review = review(&hosts);
    assert_eq!(review.status.code(), Some(1), "a warning: {review:?}");
    assert!(String::from_utf8_lossy(&review.stdout).contains("its death stops the group"), "{review:?}");
    hosts.done(&["server-group", "delete", "plant"]).unwrap();
    hosts.done(&["scale", "--replicas", "6"]).unwrap();
    hosts.wait_for_any_spread(&[&[("h1", 2), ("h2", 1), ("h3", 3)], &[("h1", 1), ("h2", 2), ("h3", 3)]]).unwrap();
}

#[test]
fn a_host_that_dies_is_replaced_and_nothing_is_doubled_when_it_comes_back() {
    let mut hosts = three();
    let spec = hosts.file("group.json", &json!({"name": "default", "replicas": 3})).unwrap();
    hosts.done(&["group", "add", "-f", &spec]).unwrap();
    hosts.deploy(&flow("one", "")).unwrap();
    hosts.wait_for_spread(&[("h1", 1), ("h2", 1), ("h3", 1)]).unwrap();
    let out = Collector::start(hosts.mqtt, "out", 1).unwrap();
    hosts.kill("h3").unwrap();
    let sent = publish(&hosts, 200);
    eventually("all messages", ENDS, || (out.distinct() == sent).then_some(())).unwrap();
    eventually("its replacement", ENDS, || {
        (hosts.spread().values().sum::<usize>() == 3 && !hosts.spread().contains_key("h3")).then_some(())
    })
    .unwrap();
    hosts.agent("h3", &["--zone", "west"]).unwrap();
    hosts.done(&["scale", "--replicas", "4"]).unwrap();
    eventually("a fourth on it", ENDS, || (hosts.spread().get("h3") == Some(&1)).then_some(())).unwrap();
    assert_eq!(hosts.spread().values().sum::<usize>(), 4);
    // An agent that is stopped for a while, and its host with it, is no second death.
    let pid = hosts.agent_pid("h3").unwrap();
    pause(pid).unwrap();
    eventually("it to be lost", ENDS, || hosts.host("h3").filter(|host| host["alive"] == false)).unwrap();
    resume(pid).unwrap();
    eventually("it to be back", ENDS, || {
        hosts.host("h3").filter(|host| host["alive"] == true && host["lost_since_ms"].is_null())
    })
    .unwrap();
    eventually("four replicas", ENDS, || (hosts.spread().values().sum::<usize>() == 4).then_some(())).unwrap();
    // An entry is written after its step.
    for action in ["host-lost", "member-placed", "member-replaced", "host-back"] {
        eventually(&format!("{action} in an audit log"), ENDS, || {
            let of_hosts = hosts.done(&["audit", "--system"]).ok()?;
            (hosts.done(&["audit"]).ok()? + &of_hosts).contains(action).then_some(())
        })
        .unwrap();
    }
}

#[test]
fn a_drain_starts_before_it_stops_and_loses_nothing() {
    let mut hosts = three_replaced_after(3600);
    let spec = hosts.file("group.json", &json!({"name": "default", "replicas": 2})).unwrap();
    hosts.done(&["server-group", "create", "--policy", "anti-affinity", "plant"]).unwrap();
    hosts.done(&["group", "add", "-f", &spec, "--hint", "group=plant"]).unwrap();
    hosts.deploy(&flow("one", "")).unwrap();
    hosts.wait_for_spread(&[("h1", 1), ("h3", 1)]).unwrap();
    let out = Collector::start(hosts.mqtt, "out", 1).unwrap();
    hosts.done(&["host", "drain", "h1"]).unwrap();
    let mut sent = 0;
    let mut fewest = usize::MAX;
    eventually("it to have moved", ENDS, || {
        sent = publish_from(&hosts, sent, 20);
        fewest = fewest.min(hosts.admin.ready());
        (hosts.spread().get("h2") == Some(&1) && hosts.host("h1")?["members"].as_array()?.is_empty()).then_some(())
    })
    .unwrap();
    assert!(fewest >= 2, "the new one is ready before the old one drains");
    eventually("all messages", ENDS, || (out.distinct() == sent).then_some(())).unwrap();
    hosts.done(&["host", "drain", "h2"]).unwrap();
    hosts.done(&["host", "drain", "h3"]).unwrap();
    eventually("a reason why it cannot move", ENDS, || {
        hosts.done(&["status"]).ok().filter(|status| status.contains("No valid host was found."))
    })
    .unwrap();
    assert_eq!(hosts.admin.ready(), 2, "they stay");
    hosts.done(&["host", "undrain", "h1"]).unwrap();
    let alive = hosts.refused(&["host", "remove", "h1"]).unwrap();
    assert!(alive.contains("the agent of host \"h1\" is running"), "{alive}");
    // One that died keeps its places until they are placed elsewhere, and status says so.
    hosts.kill("h2").unwrap();
    eventually("status to tell of the lost host", ENDS, || {
        let status = hosts.done(&["status"]).ok()?;
        status.contains("host \"h2\" has given no sign of life for").then_some(())
    })
    .unwrap();
}

#[test]
fn either_of_two_gateways_may_die() {
    let mut hosts = Hosts::start().unwrap();
    hosts.agent("h1", &[]).unwrap();
    hosts.agent("h2", &[]).unwrap();
    let spec = hosts.file("group.json", &json!({"name": "default", "replicas": 2})).unwrap();
    hosts.done(&["group", "add", "-f", &spec]).unwrap();
    hosts.deploy(&flow("one", "")).unwrap();
    hosts.wait_for_spread(&[("h1", 1), ("h2", 1)]).unwrap();
    let lonely = |hosts: &Hosts| hosts.done(&["status"]).unwrap().contains("behind one gateway");
    assert!(lonely(&hosts));
    let mut gateways = [hosts.gateway().unwrap(), hosts.gateway().unwrap()];
    for (_, address) in &gateways {
        wait_for(*address, "/version", 200).unwrap();
    }
    assert!(!lonely(&hosts));
    for victim in 0..2 {
        // As a load balancer does: the other one when one does not answer.
        let mut answered = 0;
        for request in 0..100 {
            if request == 50 {
                gateways[victim].0.kill().unwrap();
            }
            let ask = |gateway: usize| get(gateways[gateway].1, "/version").ok().filter(|answer| answer.status == 200);
            let first = ask(victim);
            answered += usize::from(first.is_some());
            let answer = first.or_else(|| ask(1 - victim)).expect("the other one answers");
            assert_eq!(answer.body, "one");
        }
        assert_eq!(answered, 50, "it answered until it died");
        gateways[victim] = hosts.gateway().unwrap();
        wait_for(gateways[victim].1, "/version", 200).unwrap();
    }
    // Both follow a rollout: a replica drains when neither routes to it any more.
    hosts.deploy(&flow("two", "")).unwrap();
    eventually("the new revision through both", ENDS, || {
        let bodies = gateways.iter().map(|(_, address)| {
            let answer = get(*address, "/version").unwrap();
            assert_eq!(answer.status, 200, "{answer:?}");
            answer.body
        });
        let new = bodies.filter(|body| body == "two").count();
        let replicas = hosts.admin.replicas();
        let moved = replicas.iter().all(|replica| replica.revision == replicas[0].revision);
        (new == 2 && moved && hosts.admin.ready() == 2).then_some(())
    })
    .unwrap();
}

/// Publishes so many numbered messages.
pub fn publish(hosts: &Hosts, count: usize) -> usize {
    publish_from(hosts, 0, count)
}

fn publish_from(hosts: &Hosts, first: usize, count: usize) -> usize {
    let lines: String = (first..first + count).map(|number| format!("m{number}\n")).collect();
    let (mut publisher, mut input) = Publisher::start(hosts.mqtt);
    input.write_all(lines.as_bytes()).unwrap();
    drop(input);
    publisher.ends(ENDS);
    first + count
}

/// A `mosquitto_pub` that publishes each line at QoS 1 to the topic `in`. Dropped, it is killed.
pub struct Publisher(Child);

impl Publisher {
    /// Starts it; what takes its lines. Once that is dropped it ends, when the broker has taken all of them.
    pub fn start(broker: SocketAddr) -> (Publisher, ChildStdin) {
        let mut child = Command::new("mosquitto_pub")
            .args(["-h", &broker.ip().to_string(), "-p", &broker.port().to_string()])
            .args(["-q", "1", "-t", "in", "-l"])
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let input = child.stdin.take().unwrap();
        (Publisher(child), input)
    }

    /// Waits until the broker has taken all lines.
    pub fn ends(&mut self, deadline: Duration) {
        let ended = eventually("the broker to take all messages", deadline, || self.0.try_wait().unwrap());
        assert!(ended.unwrap().success(), "the broker has taken all of them");
    }

    /// SIGKILL; waits for the end.
    pub fn kill(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        self.kill();
    }
}
