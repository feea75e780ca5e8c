//! Rolling upgrades of the binary: under load, and back when the new one is no good.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use flotilla_tests::{Collector, Hosts, eventually};
use serde_json::{Value, json};

use crate::host_story::Stream;
use crate::rollout_flow::flow;

const ENDS: Duration = Duration::from_secs(120);
const REPLICAS: usize = 3;

fn two() -> Hosts {
    let mut hosts = Hosts::start().unwrap();
    hosts.replace_after = 3600;
    // As many replicas as a host may have: a replica and the one that takes its place count as one.
    hosts.agent("h1", &["--max-replicas", "2"]).unwrap();
    hosts.agent("h2", &["--max-replicas", "2"]).unwrap();
    let spec = hosts.file("group.json", &json!({"name": "default", "replicas": REPLICAS})).unwrap();
    hosts.done(&["group", "add", "-f", &spec]).unwrap();
    hosts.deploy(&flow("one", "")).unwrap();
    eventually("all replicas", ENDS, || (hosts.admin.ready() == REPLICAS).then_some(())).unwrap();
    hosts
}

/// The file that a process runs.
fn runs(pid: u32) -> PathBuf {
    std::fs::read_link(format!("/proc/{pid}/exe")).unwrap_or_default()
}

fn replicas(hosts: &Hosts) -> BTreeMap<String, u32> {
    hosts.admin.replicas().into_iter().map(|replica| (replica.id, replica.pid)).collect()
}

/// Begins an upgrade and looks at the group until it ends: its record, and the fewest replicas that were ready.
fn upgrade(hosts: &Hosts, binary: &Path, more: &[&str]) -> (Value, usize) {
    let binary = binary.display().to_string();
    let args = [&["upgrade", "--binary", &binary], more].concat();
    hosts.done(&args).unwrap();
    until_ended(hosts)
}

fn until_ended(hosts: &Hosts) -> (Value, usize) {
    let mut fewest = usize::MAX;
    let status = || serde_json::from_str::<Value>(&hosts.done(&["upgrade", "status", "--json"]).ok()?).ok();
    let ended = eventually("the upgrade to end", ENDS * 2, || {
        fewest = fewest.min(hosts.admin.ready());
        status().filter(|status| !status["upgrade"]["ended_ms"].is_null())
    });
    (ended.unwrap_or_else(|error| panic!("{error}: {:#?}", status()))["upgrade"].take(), fewest)
}

#[test]
fn a_new_binary_runs_everywhere_and_nothing_is_lost() {
    let hosts = two();
    let agents = ["h1", "h2"].map(|host| hosts.agent_pid(host).unwrap());
    let out = Collector::start(hosts.mqtt, "out", 1).unwrap();
    let stream = Stream::start(&hosts);
    let new = hosts.other_binary("new").unwrap();
    let before = replicas(&hosts);
    let (done, fewest) = upgrade(&hosts, &new, &["--probation", "1", "--ready-timeout", "60"]);
    assert_eq!(done["phase"], "done", "{done:#}");
    assert!(fewest >= REPLICAS, "{fewest} replicas were ready in between");
    let members = done["members"].as_array().unwrap();
    assert!(members.len() == REPLICAS && members.iter().all(|member| member["step"] == "moved"), "{done:#}");
    let binary = format!("binaries/{}/flotilla", done["to"].as_str().unwrap());
    let after = replicas(&hosts);
    assert!(after.len() == REPLICAS && after.keys().all(|id| !before.contains_key(id)), "{before:?} {after:?}");
    for (id, pid) in &after {
        assert!(runs(*pid).ends_with(&binary), "{id} runs {:?}", runs(*pid));
        assert!(!id.contains('.'), "{id}: the restart of its agent did not restart it");
    }
    for pid in agents {
        assert!(runs(pid).ends_with(&binary), "the same process as another binary: {:?}", runs(pid));
    }
    // The agents watch what they took over: it drains when it is to leave, and is started again when it dies.
    hosts.done(&["scale", "--replicas", "2"]).unwrap();
    eventually("one to leave", ENDS, || (hosts.admin.replicas().len() == 2).then_some(())).unwrap();
    let victim = replicas(&hosts).into_iter().next().unwrap();
    flotilla_tests::kill(victim.1).unwrap();
    eventually("another in its place", ENDS, || {
        let now = replicas(&hosts);
        let new = now.iter().find(|(id, _)| id.starts_with(&format!("{}.", victim.0)))?;
        (hosts.admin.ready() == 2 && runs(*new.1).ends_with(&binary)).then_some(())
    })
    .unwrap_or_else(|error| panic!("{error}: {victim:?} {:?}", replicas(&hosts)));
    let sent = stream.stop();
    let missing = || (0..sent).filter(|number| !out.counts().contains_key(&format!("one:m{number}"))).count();
    let _ = eventually("all messages", ENDS, || (out.distinct() >= sent).then_some(()));
    assert_eq!(missing(), 0, "of {sent} messages are lost");
    for action in ["binary-add", "upgrade-begins", "upgrade-host", "upgrade-done"] {
        let log = hosts.done(&["audit", "--system"]).unwrap();
        assert!(log.contains(action), "{action}: {log}");
    }
    let again = hosts.run(&["upgrade", "--binary", &new.display().to_string()]).unwrap();
    assert_eq!(again.status.code(), Some(6), "unchanged: {again:?}");
    let shown = hosts.done(&["upgrade", "status"]).unwrap();
    assert!(shown.contains("the hosts run the binary") && shown.matches("moved").count() == REPLICAS, "{shown}");
    // And back to what is installed.
    hosts.done(&["upgrade", "--installed", "--probation", "0.5", "--ready-timeout", "60", "--wait"]).unwrap();
    let installed = std::fs::canonicalize(flotilla_tests::flotilla().unwrap()).unwrap();
    for pid in agents.into_iter().chain(replicas(&hosts).into_values()) {
        assert_eq!(runs(pid), installed);
    }
}

#[test]
fn a_binary_that_is_no_good_goes_back() {
    let hosts = two();
    let out = Collector::start(hosts.mqtt, "out", 1).unwrap();
    let stream = Stream::start(&hosts);
    let ids = |hosts: &Hosts| replicas(hosts).into_keys().collect::<Vec<_>>();
    let before = ids(&hosts);
    let no_start = [("ends", "exit 1", "exit status: 1"), ("hangs", "exec sleep 1000", "it did not end within")];
    for (name, body, why) in no_start {
        let binary = hosts.script(name, body).unwrap();
        let (back, fewest) = upgrade(&hosts, &binary, &[]);
        assert_eq!((&back["phase"], &back["members"]), (&json!("returned"), &json!([])), "{name}: {back:#}");
        assert!(back["reason"].as_str().unwrap().contains(why), "{name}: {}", back["reason"]);
        assert!(fewest >= REPLICAS && ids(&hosts) == before, "{name}: no replica was touched");
    }
    let replica = |what: &str| format!("case \"$1\" in replica) {what};; esac\nexec \"$FLOTILLA\" \"$@\"");
    let fails = [
        ("sleeps", replica("exec sleep 1000"), "it did not start within", "--ready-timeout=5"),
        ("dies", replica("exec timeout -s KILL 8 \"$FLOTILLA\" \"$@\""), "it died", "--ready-timeout=60"),
    ];
    for (name, body, why, limit) in fails {
        let binary = hosts.script(name, &body).unwrap();
        let (back, fewest) = upgrade(&hosts, &binary, &["--probation", "20", limit]);
        assert_eq!(back["phase"], "returned", "{name}: {back:#}");
        assert!(back["reason"].as_str().unwrap().contains(why), "{name}: {}", back["reason"]);
        let failed = back["members"].as_array().unwrap();
        assert!(failed.len() == 1 && failed[0]["step"] == "failed", "{name}: {back:#}");
        assert!(fewest >= REPLICAS, "{name}: {fewest} replicas were ready in between");
        eventually("the failed one to be gone", ENDS, || (ids(&hosts) == before).then_some(()))
            .unwrap_or_else(|error| panic!("{name}: {error}: {:?}", ids(&hosts)));
    }
    // Those that moved go back, too, and an agent that has restarted itself.
    let good = hosts.other_binary("good").unwrap().display().to_string();
    hosts.done(&["upgrade", "--binary", &good, "--probation", "1", "--ready-timeout", "60"]).unwrap();
    let agents = ["h1", "h2"].map(|host| hosts.agent_pid(host).unwrap());
    eventually("an agent to have restarted itself", ENDS, || {
        agents.iter().any(|pid| runs(*pid).to_string_lossy().contains("/binaries/")).then_some(())
    })
    .unwrap();
    hosts.done(&["upgrade", "cancel"]).unwrap();
    let (back, _) = until_ended(&hosts);
    assert!(back["phase"] == "returned" && back["reason"].as_str().unwrap().starts_with("cancelled by"), "{back:#}");
    let installed = std::fs::canonicalize(flotilla_tests::flotilla().unwrap()).unwrap();
    eventually("all to run what is installed", ENDS, || {
        let all: Vec<u32> = agents.into_iter().chain(replicas(&hosts).into_values()).collect();
        (all.len() == 2 + REPLICAS && all.iter().all(|pid| runs(*pid) == installed)).then_some(())
    })
    .unwrap();
    let sent = stream.stop();
    let _ = eventually("all messages", ENDS, || (out.distinct() >= sent).then_some(()));
    let counts = out.counts();
    let lost = (0..sent).filter(|number| !counts.contains_key(&format!("one:m{number}"))).count();
    assert_eq!(lost, 0, "of {sent} messages are lost");
}

#[test]
fn only_what_an_administrator_sent_is_run() {
    let hosts = Hosts::start().unwrap();
    let binary = hosts.script("a", "exit 1").unwrap().display().to_string();
    let none = hosts.refused(&["upgrade", "--binary", &binary]).unwrap();
    assert!(none.contains("there is no host with an agent"), "{none}");
    let unknown = json!({"sha256": "a".repeat(64)}).to_string();
    let unknown =
        hosts.admin.request("POST", "/api/v1/upgrade", "Content-Type: application/json\r\n", &unknown).unwrap();
    assert_eq!(unknown.status, 404, "{unknown:?}");
    // Whoever can write to the store and has no key of the group cannot have an agent run something.
    let mut hosts = hosts;
    hosts.agent_with_key("h1", "another key of another group").unwrap();
    let (back, _) = upgrade(&hosts, &hosts.other_binary("unsigned").unwrap(), &[]);
    assert!(back["phase"] == "returned" && back["reason"].as_str().unwrap().contains("not signed"), "{back:#}");
}
