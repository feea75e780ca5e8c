//! `flotilla up` as the agent of its own machine.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use flotilla_tests::{Part, Redis, Up, UpOptions, eventually, flotilla, kill, write_flow};
use serde_json::{Value, json};

use crate::rollout_flow::flow;

const ENDS: Duration = Duration::from_mins(1);
/// The key that machines which share a store have in common.
const KEY: &str = "the key of the machines that share a store";

fn file(folder: &Path) -> PathBuf {
    write_flow(folder, &flow("one", "")).unwrap()
}

fn start(args: &[&str], replicas: usize) -> Up {
    let folder = tempfile::TempDir::new().unwrap();
    let args = args.iter().map(|arg| (*arg).to_owned()).collect();
    Up::start(&file(folder.path()), UpOptions { replicas, args }).unwrap()
}

/// What a command that succeeds prints, as JSON.
fn json_of(up: &Up, args: &[&str]) -> Value {
    let output = up.run(&[args, &["--json"]].concat()).unwrap();
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The ids of the replicas and their processes.
fn replicas(up: &Up) -> BTreeMap<String, u32> {
    up.replicas().into_iter().map(|replica| (replica.id, replica.pid)).collect()
}

fn ids(up: &Up) -> Vec<String> {
    replicas(up).into_keys().collect()
}

/// The members that are placed on a host.
fn placed(up: &Up, host: &str) -> Vec<String> {
    let shown = json_of(up, &["host", "show", host]);
    shown["members"].as_array().unwrap().iter().map(|member| member.as_str().unwrap().to_owned()).collect()
}

#[test]
fn its_replicas_are_placed_on_it_and_stay_its_own_under_another_name() {
    let folder = tempfile::TempDir::new().unwrap();
    let mut up = start(&["--host", "here", "--zone", "a"], 3);
    assert_eq!(ids(&up), ["default-1", "default-2", "default-3"]);
    let hosts = json_of(&up, &["host", "list"]);
    assert_eq!(hosts.as_array().unwrap().len(), 1, "{hosts:#}");
    assert_eq!((&hosts[0]["name"], &hosts[0]["zone"], &hosts[0]["alive"]), (&json!("here"), &json!("a"), &json!(true)));
    assert_eq!(placed(&up, "here"), ids(&up));
    assert!(up.replicas().iter().all(|replica| replica.host == "here"));

    // Another number: the newest leave, and numbers are never used again.
    for (size, wanted) in [("2", vec!["default-1", "default-2"]), ("3", vec!["default-1", "default-2", "default-4"])] {
        assert!(up.run(&["scale", "--replicas", size]).unwrap().status.success());
        eventually("the new size", ENDS, || (ids(&up) == wanted && up.ready() == wanted.len()).then_some(())).unwrap();
        assert_eq!(placed(&up, "here"), wanted);
    }
    for size in ["0", "65"] {
        let refused = up.run(&["scale", "--replicas", size]).unwrap();
        let why = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(!refused.status.success() && why.contains("must be 1 to 64"), "{size}: {why}");
    }
    // A template without a number takes no replica away.
    let spec = folder.path().join("group.json");
    std::fs::write(&spec, json!({"name": "default", "description": "edited"}).to_string()).unwrap();
    let edited = up.run(&["group", "add", "-f", spec.to_str().unwrap()]).unwrap();
    assert!(edited.status.success(), "{}", String::from_utf8_lossy(&edited.stderr));
    // It is `up` of one group, and starts no replicas of other groups.
    std::fs::write(&spec, json!({"name": "other", "replicas": 2}).to_string()).unwrap();
    assert!(up.run(&["group", "add", "-f", spec.to_str().unwrap()]).unwrap().status.success());
    let nobody = up.run(&["scale", "--group", "other", "--replicas", "1"]).unwrap();
    let why = String::from_utf8_lossy(&nobody.stderr).into_owned();
    assert!(!nobody.status.success() && why.contains("nothing starts and stops replicas"), "{why}");
    // A replica that dies comes back: by then the scheduler has had its turns at both groups.
    let victim = replicas(&up)["default-4"];
    kill(victim).unwrap();
    eventually("another one in its place", ENDS, || {
        (ids(&up) == ["default-1", "default-2", "default-4.1"] && up.ready() == 3).then_some(())
    })
    .unwrap();
    assert_eq!(placed(&up, "here"), ["default-1", "default-2", "default-4"]);

    // Killed, and started anew where the machine has another name, as a container has.
    kill(up.pid()).unwrap();
    up.stop().unwrap();
    up.start_again_with(&["--host", "there"], 3).unwrap();
    let hosts = json_of(&up, &["host", "list"]);
    assert_eq!(hosts.as_array().unwrap().len(), 1, "{hosts:#}");
    assert_eq!(placed(&up, "there"), ["default-1", "default-2", "default-4"]);
    // Those of the run before end when they notice that it is gone.
    eventually("replicas on the new host alone", ENDS, || {
        up.replicas().iter().all(|replica| replica.host == "there").then_some(())
    })
    .unwrap();
    assert!(up.stop().unwrap().success());
}

#[test]
fn an_agent_on_another_machine_shares_its_group_where_both_reach_the_store() {
    let redis = Redis::start().unwrap();
    let folder = tempfile::TempDir::new().unwrap();
    let options = UpOptions { replicas: 2, args: vec!["--host".to_owned(), "one".to_owned()] };
    let env = [("FLOTILLA_STORE", redis.url()), ("FLOTILLA_GROUP_KEY", KEY.to_owned())];
    let env = env.map(|(name, value)| (name.to_owned(), value)).to_vec();
    let mut up = Up::start_under(&file(folder.path()), options, env.clone()).unwrap();
    assert!(!up.data().join("store.db").exists(), "the store is the one that was given");
    let mut agent = std::process::Command::new(flotilla().unwrap());
    let data = folder.path().join("agent").display().to_string();
    agent.args(["agent", "--host", "two", "--http", "127.0.0.1:0", "--host-lease", "2", "--data", &data]);
    let agent = Part::run({
        agent.envs(env);
        agent
    })
    .unwrap();
    eventually("the agent's host", ENDS, || {
        json_of(&up, &["host", "list"])
            .as_array()?
            .iter()
            .any(|host| host["name"] == "two" && host["alive"] == true)
            .then_some(())
    })
    .unwrap();
    let spread = |up: &Up| {
        let mut on = BTreeMap::<String, usize>::new();
        up.replicas().into_iter().for_each(|replica| *on.entry(replica.host).or_default() += 1);
        on
    };
    let halves = || BTreeMap::from([("one".to_owned(), 2), ("two".to_owned(), 2)]);
    assert!(up.run(&["scale", "--replicas", "4"]).unwrap().status.success());
    eventually("two on each", ENDS, || (up.ready() == 4 && spread(&up) == halves()).then_some(()))
        .unwrap_or_else(|error| panic!("{error}: {:?}", spread(&up)));
    assert_eq!(flotilla_tests::get(up.http, "/version").unwrap().body, "one");

    // `up` dies and is started again: its replicas come back, and those of the agent have gone on.
    let before = placed(&up, "one");
    let of_agent: Vec<_> = up.replicas().into_iter().filter(|replica| replica.host == "two").collect();
    kill(up.pid()).unwrap();
    up.stop().unwrap();
    up.start_again_with(&["--replicas", "4"], 4).unwrap();
    eventually("two on each", ENDS, || (up.ready() == 4 && spread(&up) == halves()).then_some(())).unwrap();
    let after = replicas(&up);
    assert_eq!(placed(&up, "one"), before);
    assert!(of_agent.iter().all(|replica| after.get(&replica.id) == Some(&replica.pid)), "{of_agent:?} {after:?}");

    // No upgrade of the binary touches it.
    let binary = flotilla().unwrap().display().to_string();
    let begun = up.run(&["upgrade", "--binary", &binary, "--probation", "0.2"]).unwrap();
    assert!(begun.status.success(), "{}", String::from_utf8_lossy(&begun.stderr));
    let ended = eventually("the upgrade to end", ENDS * 4, || {
        let status = json_of(&up, &["upgrade", "status"]);
        (!status["upgrade"]["ended_ms"].is_null()).then_some(status)
    })
    .unwrap();
    let hosts = ended["upgrade"]["hosts"].as_array().unwrap();
    assert_eq!(ended["upgrade"]["phase"], "done", "{ended:#}");
    assert!(hosts.len() == 1 && hosts[0]["host"] == "two", "{ended:#}");
    let now = replicas(&up);
    assert!(
        up.replicas()
            .iter()
            .filter(|replica| replica.host == "one")
            .all(|replica| after.get(&replica.id) == Some(&replica.pid)),
        "{now:?}"
    );

    // A drain moves its replicas to the other machine, and `up` goes on as gateway.
    assert!(up.run(&["host", "drain", "one"]).unwrap().status.success());
    eventually("all on the other host", ENDS * 2, || {
        (up.ready() == 4 && spread(&up) == BTreeMap::from([("two".to_owned(), 4)])).then_some(())
    })
    .unwrap_or_else(|error| panic!("{error}: {:?}", spread(&up)));
    assert_eq!(flotilla_tests::get(up.http, "/version").unwrap().body, "one");
    assert!(agent.stop().unwrap().success());
    assert!(up.stop().unwrap().success());
}
