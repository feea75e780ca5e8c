//! Machines that lose their power, are cut off, come back and are drained, under load: network namespaces with an agent each.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use flotilla_tests::{Collector, Hosts, Network, eventually};
use serde_json::{Value, json};

use crate::hosts::Publisher;
use crate::rollout_flow::flow;

const ENDS: Duration = Duration::from_secs(120);

/// How large the story is.
struct Size {
    hosts: usize,
    replicas: usize,
    /// What the server group allows on one host.
    most: usize,
}

#[test]
fn three_machines_lose_one_and_lose_nothing() {
    story(&Size { hosts: 3, replicas: 4, most: 2 });
}

#[test]
#[ignore = "five machines and twelve replicas take minutes: tests/run --long"]
fn five_machines_and_twelve_replicas() {
    story(&Size { hosts: 5, replicas: 12, most: 3 });
}

fn story(size: &Size) {
    if !Network::is_possible() {
        eprintln!("SKIPPED: machines as network namespaces: this needs root, iproute2 and a kernel with bridges");
        return;
    }
    let mut hosts = Hosts::start_in(Some(Network::start().unwrap())).unwrap();
    let name = |index: usize| format!("m{index}");
    for index in 0..size.hosts {
        hosts.machine(&name(index)).unwrap();
        hosts.agent(&name(index), &[]).unwrap();
    }
    let rule = format!("max_server_per_host={}", size.most);
    hosts.done(&["server-group", "create", "--policy", "anti-affinity", "--rule", &rule, "plant"]).unwrap();
    let spec = json!({"name": "default", "replicas": size.replicas});
    let spec = hosts.file("group.json", &spec).unwrap();
    hosts.done(&["group", "add", "-f", &spec, "--hint", "group=plant"]).unwrap();
    hosts.deploy(&flow("one", "")).unwrap();
    let all = |hosts: &Hosts| hosts.spread().values().sum::<usize>() == size.replicas;
    eventually("all replicas", ENDS, || all(&hosts).then_some(())).unwrap();
    let out = Collector::start(hosts.mqtt, "out", 1).unwrap();
    let stream = Stream::start(&hosts);
    let looks = Cell::new(0);

    // The power goes: nobody is told.
    hosts.power_off("m0").unwrap();
    wait_without(&hosts, size, &looks, "m0");
    // It comes back, and is a host like any other.
    hosts.cut("m0", false).unwrap();
    hosts.agent("m0", &[]).unwrap();
    wait_for_all(&hosts, size, &looks);

    // Cut off: alive, and alone.
    hosts.cut("m1", true).unwrap();
    wait_without(&hosts, size, &looks, "m1");
    hosts.cut("m1", false).unwrap();
    wait_for_all(&hosts, size, &looks);

    // Drained: the new replica is ready before the old one leaves.
    hosts.done(&["host", "drain", "m2"]).unwrap();
    let mut fewest = usize::MAX;
    eventually("m2 to be empty", ENDS, || {
        watch(&hosts, size, &looks);
        fewest = fewest.min(hosts.admin.ready());
        hosts.host("m2")?["members"].as_array()?.is_empty().then_some(())
    })
    .unwrap();
    assert!(fewest >= size.replicas, "{fewest} replicas were ready in between");
    hosts.done(&["host", "undrain", "m2"]).unwrap();
    wait_for_all(&hosts, size, &looks);

    // The binary: host by host, replica by replica, then the agents.
    let binary = hosts.other_binary("next").unwrap().display().to_string();
    hosts.done(&["upgrade", "--binary", &binary, "--probation", "1", "--ready-timeout", "60"]).unwrap();
    let mut fewest = usize::MAX;
    let status = || serde_json::from_str::<Value>(&hosts.done(&["upgrade", "status", "--json"]).ok()?).ok();
    let ended = eventually("the upgrade to end", ENDS * 4, || {
        watch(&hosts, size, &looks);
        fewest = fewest.min(hosts.admin.ready());
        status().filter(|status| !status["upgrade"]["ended_ms"].is_null())
    });
    let ended = ended.unwrap_or_else(|error| panic!("{error}: {:#?}", status()));
    assert_eq!(ended["upgrade"]["phase"], "done", "{ended:#}");
    assert!(fewest >= size.replicas, "{fewest} replicas were ready in between");
    wait_for_all(&hosts, size, &looks);

    let sent = stream.stop();
    let wanted = |number: usize| format!("one:m{number}");
    let lost = || {
        let counts = out.counts();
        (0..sent).map(wanted).filter(|payload| !counts.contains_key(payload)).collect::<Vec<_>>()
    };
    let _ = eventually("all messages", ENDS, || lost().is_empty().then_some(()));
    let lost = lost();
    assert!(lost.is_empty(), "{} of {sent} messages are lost, first {:?}", lost.len(), lost.first());
    assert_eq!(out.distinct(), sent, "nothing came that was not sent");
    let twice = out.counts().values().filter(|count| **count > 1).count();
    eprintln!("{sent} messages, {twice} of them more than once");
    explained(&hosts);
    assert!(looks.get() > 0, "nobody could look at the server group: its policy was not watched");
}

/// Waits until all replicas are elsewhere.
fn wait_without(hosts: &Hosts, size: &Size, looks: &Cell<usize>, host: &str) {
    let gone = eventually(&format!("all replicas without {host}"), ENDS, || {
        watch(hosts, size, looks);
        let spread = hosts.spread();
        (!spread.contains_key(host) && spread.values().sum::<usize>() == size.replicas).then_some(())
    });
    gone.unwrap_or_else(|error| {
        panic!("{error}: {:?}, {}", hosts.spread(), hosts.done(&["status"]).unwrap_or_default())
    });
}

/// Waits until all hosts are there and as many replicas as wanted, none of them doubled.
fn wait_for_all(hosts: &Hosts, size: &Size, looks: &Cell<usize>) {
    let all = eventually("all hosts and replicas", ENDS, || {
        watch(hosts, size, looks);
        let known: Value = serde_json::from_str(&hosts.done(&["host", "list", "--json"]).ok()?).ok()?;
        let well = |host: &Value| host["alive"] == true && host["lost_since_ms"].is_null();
        let back = known.as_array()?.iter().filter(|host| well(host)).count() == size.hosts;
        let all = hosts.admin.replicas();
        (back && all.len() == size.replicas && hosts.admin.ready() == size.replicas).then_some(())
    });
    all.unwrap_or_else(|error| {
        panic!("{error}: {:?}, {}", hosts.spread(), hosts.done(&["host", "list"]).unwrap_or_default())
    });
}

/// What has to hold at each moment: the policy, and at most one member that moves. Counts the looks that succeeded.
fn watch(hosts: &Hosts, size: &Size, looks: &Cell<usize>) {
    let Ok(shown) = hosts.done(&["server-group", "show", "plant", "--json"]) else { return };
    looks.set(looks.get() + 1);
    let shown: Value = serde_json::from_str(&shown).unwrap();
    let members = shown["members"].as_array().unwrap();
    let mut on = BTreeMap::<&str, usize>::new();
    let replaced: Vec<&str> = members.iter().filter_map(|member| member["replaces"].as_str()).collect();
    for member in members {
        // A member with its replacement on the same host counts once.
        if !replaced.contains(&member["member"].as_str().unwrap()) {
            *on.entry(member["host"].as_str().unwrap()).or_default() += 1;
        }
    }
    assert!(on.values().all(|count| *count <= size.most), "the policy is broken: {shown:#}");
    let leaving = members.iter().filter(|member| member["leaving"] == true && member["replaces"].is_null());
    let moving =
        leaving.filter(|member| !replaced.contains(&member["member"].as_str().unwrap())).count() + replaced.len();
    assert!(moving <= 1, "{moving} members move at once: {shown:#}");
}

/// Each decision is in an audit log, with a reason; an entry is written after its step.
fn explained(hosts: &Hosts) {
    for action in ["member-placed", "host-lost", "host-back", "member-replaced", "member-moves", "member-leaves"] {
        eventually(&format!("{action} in an audit log"), ENDS, || {
            let log = hosts.done(&["audit", "--json"]).ok()? + &hosts.done(&["audit", "--system", "--json"]).ok()?;
            let entries = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
            let found: Vec<Value> = entries.filter(|entry| entry["action"] == action).collect();
            assert!(found.iter().all(|entry| entry["why"].as_str().is_some_and(|why| !why.is_empty())), "{found:#?}");
            (!found.is_empty()).then_some(())
        })
        .unwrap();
    }
}

/// Numbered messages at QoS 1, some 100 a second, until it is stopped or dropped.
pub struct Stream {
    stop: Arc<AtomicBool>,
    publisher: Publisher,
    sender: Option<JoinHandle<std::io::Result<usize>>>,
}

impl Stream {
    /// Starts it.
    pub fn start(hosts: &Hosts) -> Stream {
        let stop = Arc::new(AtomicBool::new(false));
        let (publisher, mut input) = Publisher::start(hosts.mqtt);
        let stopped = stop.clone();
        let sender = std::thread::spawn(move || -> std::io::Result<usize> {
            let mut sent = 0;
            while !stopped.load(Ordering::Relaxed) {
                writeln!(input, "m{sent}")?;
                sent += 1;
                std::thread::sleep(Duration::from_millis(10));
            }
            Ok(sent)
        });
        Stream { stop, publisher, sender: Some(sender) }
    }

    /// Ends it; answers how many messages the broker has taken.
    pub fn stop(mut self) -> usize {
        self.stop.store(true, Ordering::Relaxed);
        let sender = self.sender.take_if(|sender| {
            eventually("the last message to be written", ENDS, || sender.is_finished().then_some(())).is_ok()
        });
        let sent = sender.expect("mosquitto_pub reads what is written").join().unwrap().unwrap();
        self.publisher.ends(ENDS);
        sent
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // A write that waits for it ends, too.
        self.publisher.kill();
        if let Some(sender) = self.sender.take() {
            let _ = sender.join();
        }
    }
}
