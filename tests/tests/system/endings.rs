//! How processes end: what hangs is replaced, cut off or given up.

use std::path::Path;
use std::time::{Duration, Instant};

use flotilla_tests::{Up, UpOptions, eventually, get, kill, pause, terminate, write_flow};
use serde_json::{Value, json};

const SOON: Duration = Duration::from_secs(60);

/// `/quick` answers, `/slow` after a minute, `/hang` never: its function does not end.
fn flow(version: &str) -> Value {
    let quick = format!("msg.payload = '{version}'; return msg;");
    let slow = format!("setTimeout(() => {{ msg.payload = '{version}'; node.send(msg); }}, 60000); ");
    let mut nodes = vec![json!({"id": "tab", "type": "tab", "label": "endings"})];
    for (name, code) in [("quick", quick.as_str()), ("slow", &slow), ("hang", "for (;;) {}")] {
        let (function, out) = (format!("f-{name}"), format!("o-{name}"));
        nodes.extend([
            json!({"id": format!("in-{name}"), "type": "http in", "z": "tab", "url": format!("/{name}"), "method": "get", "wires": [[function]]}),
            json!({"id": function, "type": "function", "z": "tab", "func": code, "outputs": 1, "wires": [[out]]}),
            json!({"id": out, "type": "http response", "z": "tab", "wires": []}),
        ]);
    }
    Value::Array(nodes)
}

fn start(replicas: usize, args: &[&str]) -> Up {
    let folder = tempfile::TempDir::new().unwrap();
    let file = write_flow(folder.path(), &flow("one")).unwrap();
    Up::start(&file, UpOptions { replicas, args: args.iter().map(|arg| (*arg).to_owned()).collect() }).unwrap()
}

fn lives(pid: u32) -> bool {
    let stat = std::fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z'))
}

/// A request that nobody waits for.
fn ask(up: &Up, path: &'static str) {
    let gateway = up.http;
    std::thread::spawn(move || drop(get(gateway, path)));
}

#[test]
fn a_replica_that_is_stopped_is_replaced() {
    for replicas in [3, 1] {
        let up = start(replicas, &["--lease", "2"]);
        let victim = up.replicas().remove(0);
        pause(victim.pid).unwrap();
        eventually("the stopped process to be killed", SOON, || (!lives(victim.pid)).then_some(())).unwrap();
        eventually("another in its place", SOON, || {
            let all = up.replicas();
            (up.ready() == replicas && all.iter().all(|replica| replica.id != victim.id)).then_some(())
        })
        .unwrap();
        assert_eq!(get(up.http, "/quick").unwrap().status, 200);
    }
}

#[test]
fn a_replica_with_a_hanging_function_ends_with_its_supervisor() {
    let up = start(2, &["--drain-timeout", "2"]);
    let pids: Vec<u32> = up.replicas().iter().map(|replica| replica.pid).collect();
    (0..4).for_each(|_| ask(&up, "/hang"));
    eventually("the function to hang", SOON, || {
        up.replicas().iter().all(|replica| replica.in_flight > 0).then_some(())
    })
    .unwrap();
    kill(up.pid()).unwrap();
    let killed = Instant::now();
    // A function has 30 s, and there are several: no replica may wait for them.
    eventually("the replicas to end", Duration::from_secs(20), || pids.iter().all(|pid| !lives(*pid)).then_some(()))
        .unwrap();
    println!("the replicas ended {:?} after their supervisor, with a drain time-out of 2 s", killed.elapsed());
}

#[test]
fn sigterm_is_heard_in_the_middle_of_a_rollout_step() {
    let up = start(1, &["--drain-timeout", "60"]);
    let pid = up.replicas()[0].pid;
    ask(&up, "/slow");
    eventually("the request to be in the flow", SOON, || (up.replicas()[0].in_flight > 0).then_some(())).unwrap();
    up.deploy(&flow("two"), &json!({"min_available": 0})).unwrap();
    eventually("the step to begin", SOON, || {
        up.replicas().iter().any(|replica| format!("{:?}", replica.state) == "Draining").then_some(())
    })
    .unwrap();
    terminate(pid).unwrap();
    // The first one drains, for as long as it may; the second one does not wait.
    std::thread::sleep(Duration::from_millis(500));
    terminate(pid).unwrap();
    eventually("the replica to end", Duration::from_secs(15), || (!lives(pid)).then_some(())).unwrap();
}

#[test]
fn with_the_broker_away_a_stop_waits_for_nothing() {
    let folder = tempfile::TempDir::new().unwrap();
    let [nobody] = flotilla_tests::free_ports().unwrap();
    let document = json!([
        {"id": "tab", "type": "tab"},
        {"id": "b", "type": "mqtt-broker", "broker": "127.0.0.1", "port": nobody.port().to_string()},
        {"id": "in", "type": "mqtt in", "z": "tab", "topic": "t", "qos": "1", "broker": "b", "wires": [[]]},
    ]);
    let file = write_flow(folder.path(), &document).unwrap();
    let args = vec!["--drain-timeout".to_owned(), "40".to_owned()];
    let mut up = Up::start_beside(&file, UpOptions { replicas: 2, args }, nobody).unwrap();
    let began = Instant::now();
    assert!(up.stop().unwrap().success());
    println!("stopped in {:?} with the broker away and a drain time-out of 40 s", began.elapsed());
    assert!(began.elapsed() < Duration::from_secs(25), "{:?}", began.elapsed());
}
