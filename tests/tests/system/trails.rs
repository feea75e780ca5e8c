//! Where is order 4711? Recorded deliveries, in real replicas.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use flotilla_api::trail::{Trail, TrailEnd, TrailFilter, Trails};
use flotilla_tests::{Collector, Up, UpOptions, eventually, get, write_flow};
use serde_json::{Value, json};

const SOON: Duration = Duration::from_secs(60);

/// Who asks for `bad` gets none, and the topic that the message has then is not what it came as.
const ASKED: &str = "if (msg.payload.order === 'bad') { msg.topic = 'mine'; throw new Error('no answer'); }\nmsg.statusCode = 203;\nreturn msg;";

/// Answers when nobody waits any more.
const WAIT: &str = "setTimeout(() => { node.send(msg); node.done(); }, 4500);";

/// Orders get a price and go out; number 13 has none.
fn flow() -> Value {
    let func = "msg.orderId = msg.payload.order;\nif (msg.orderId === 13) throw new Error('no price');\nreturn msg;";
    json!([
        {"id": "tab", "type": "tab", "label": "orders"},
        {"id": "b", "type": "mqtt-broker", "broker": "127.0.0.1", "port": "1883", "protocolVersion": "5"},
        {"id": "in", "type": "mqtt in", "z": "tab", "name": "orders in", "topic": "orders/#", "qos": "1", "datatype": "json", "broker": "b", "x": 1, "y": 1, "wires": [["f"]]},
        {"id": "f", "type": "function", "z": "tab", "name": "price", "func": func, "outputs": 1, "x": 2, "y": 1, "wires": [["out"]]},
        {"id": "out", "type": "mqtt out", "z": "tab", "name": "priced", "topic": "priced", "qos": "1", "broker": "b", "x": 3, "y": 1, "wires": []},
        {"id": "get", "type": "http in", "z": "tab", "name": "asked", "url": "/price", "method": "get", "x": 1, "y": 2, "wires": [["g"]]},
        {"id": "g", "type": "function", "z": "tab", "name": "answer", "func": ASKED, "outputs": 1, "x": 2, "y": 2, "wires": [["res"]]},
        {"id": "late", "type": "http in", "z": "tab", "name": "asked late", "url": "/late", "method": "get", "x": 1, "y": 3, "wires": [["wait"]]},
        {"id": "wait", "type": "function", "z": "tab", "name": "wait", "func": WAIT, "outputs": 1, "x": 2, "y": 3, "wires": [["res"]]},
        {"id": "own", "type": "http in", "z": "tab", "name": "asked others", "url": "/own", "method": "get", "x": 1, "y": 4, "wires": [["late-others"]]},
        {"id": "late-others", "type": "function", "z": "tab", "name": "others", "func": "msg.statusCode = 504;\nreturn msg;", "outputs": 1, "x": 2, "y": 4, "wires": [["res"]]},
        {"id": "res", "type": "http response", "z": "tab", "statusCode": "", "x": 3, "y": 2, "wires": []},
    ])
}

fn publish(broker: SocketAddr, topic: &str, order: u64) {
    let (host, port, text) = (broker.ip().to_string(), broker.port().to_string(), json!({"order": order}).to_string());
    let args = ["-h", &host, "-p", &port, "-V", "5", "-q", "1", "-t", topic, "-m", &text];
    assert!(Command::new("mosquitto_pub").args(args).status().unwrap().success());
}

fn start() -> Up {
    start_with(&json!({}))
}

/// With settings.
fn start_with(settings: &Value) -> Up {
    start_as(settings, &[])
}

/// With settings and arguments.
fn start_as(settings: &Value, more: &[&str]) -> Up {
    let folder = tempfile::TempDir::new().unwrap();
    let file = write_flow(folder.path(), &flow()).unwrap();
    let path = folder.path().join("settings.json");
    std::fs::write(&path, settings.to_string()).unwrap();
    let path = path.display().to_string();
    let own = ["--on-failure", "dead-letter", "--settings", &path];
    let args = own.iter().chain(more).map(|arg| (*arg).to_owned()).collect();
    Up::start(&file, UpOptions { replicas: 2, args }).unwrap()
}

fn trails(up: &Up, filter: TrailFilter) -> Trails {
    up.api().ask(|client| async move { client.trails("default", &filter).await }).unwrap()
}

fn found(up: &Up, what: &str) -> Vec<Trail> {
    trails(up, TrailFilter { find: what.to_owned(), ..TrailFilter::default() }).trails
}

fn run(up: &Up, args: &[&str]) -> String {
    let output = up.run(args).unwrap();
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn nodes(trail: &Trail) -> Vec<&str> {
    trail.steps.iter().map(|step| step.id.name.as_str()).collect()
}

#[test]
fn an_order_is_found_with_its_way() {
    let up = start();
    let collector = Collector::start(up.mqtt, "priced", 1).unwrap();
    run(&up, &["trail", "--property", "msg.orderId"]);
    // Each replica hears of the rule by itself; orders on many topics reach both.
    let mut probes = 0;
    eventually("a trail of each replica", SOON, || {
        probes += 1;
        publish(up.mqtt, &format!("orders/probe/{probes}"), 1);
        let seen = found(&up, "1");
        let replicas: std::collections::BTreeSet<_> = seen.iter().map(|trail| &trail.replica).collect();
        (replicas.len() == 2).then_some(())
    })
    .unwrap();
    publish(up.mqtt, "orders/a", 4711);
    let is_done = |trail: &Trail| trail.acknowledged_us.is_some();
    let found_now = || found(&up, "4711").into_iter().find(is_done);
    let trail = eventually("order 4711", SOON, found_now).unwrap();
    assert_eq!(found(&up, "4711").len(), 1);
    assert!(trail.whole && !trail.replica.is_empty() && !trail.message.is_empty(), "{trail:?}");
    assert_eq!(
        (trail.topic.as_str(), trail.property.as_str(), trail.value.as_str()),
        ("orders/a", "msg.orderId", "4711")
    );
    assert_eq!((trail.source.name.as_str(), nodes(&trail)), ("orders in", vec!["price", "priced"]));
    assert_eq!((trail.end, trail.error.as_str()), (Some(TrailEnd::Completed), ""));
    assert_eq!(trail.published.len(), 1);
    let published = &trail.published[0];
    assert_eq!((published.topic.as_str(), published.qos), ("priced", 1));
    let taken = published.taken_us.unwrap();
    let order = [trail.steps[0].at_us, published.at_us, taken, trail.ended_us, trail.acknowledged_us.unwrap()];
    assert!(order.is_sorted(), "its output is with the broker before its input is acknowledged: {order:?}");
    for what in [&trail.message, &trail.topic] {
        assert_eq!(found(&up, what).first().map(|found| found.number), Some(trail.number), "{what}");
    }
    let text = run(&up, &["trail", "4711"]);
    for part in ["msg.orderId 4711", "price (function) on orders", "published on priced", "completed", "acknowledged"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    eventually("all priced", SOON, || (collector.counts().values().sum::<usize>() == probes + 1).then_some(()))
        .unwrap();
}

#[test]
fn a_rule_takes_as_many_as_it_says_and_says_nothing_that_nobody_can_follow() {
    let up = start();
    run(&up, &["trail", "--node", "price", "--next", "2"]);
    let of = |up: &Up| trails(up, TrailFilter { topic: "orders/#".to_owned(), ..TrailFilter::default() });
    let mut sent = 0;
    let counts = |all: &Trails| {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        all.trails.iter().for_each(|trail| *counts.entry(trail.replica.clone()).or_default() += 1);
        counts
    };
    eventually("two of each replica", SOON, || {
        sent += 1;
        publish(up.mqtt, &format!("orders/{sent}"), 1);
        let counts = counts(&of(&up));
        (counts.len() == 2 && counts.values().all(|count| *count == 2)).then_some(())
    })
    .unwrap();
    for more in 0..20 {
        publish(up.mqtt, &format!("orders/more/{more}"), 1);
    }
    eventually("all to be done", SOON, || {
        let completed: u64 = up.replicas().iter().map(|replica| replica.completed).sum();
        (completed >= sent + 20).then_some(())
    })
    .unwrap();
    assert_eq!(of(&up).trails.len(), 4);
    assert_eq!(of(&up).rule.map(|rule| (rule.node, rule.next)), Some(("f".to_owned(), Some(2))));
    for (args, text) in [
        (["trail", "--node", "nowhere", "--next", "1"], "no node \"nowhere\""),
        (["trail", "--property", "msg.a[", "--next", "1"], "msg.a["),
        (["trail", "--sample", "200%", "--next", "1"], "200 %"),
    ] {
        let refused = up.run(&args).unwrap();
        let error = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(!refused.status.success() && error.contains(text), "{args:?}: {error}");
    }
    // A request, its answer and when that was given.
    run(&up, &["trail", "--node", "asked", "--next", "1"]);
    let answered = eventually("its trail", SOON, || {
        assert_eq!(get(up.http, "/price?order=good").unwrap().status, 203);
        found(&up, "GET /price").into_iter().find(|trail| trail.answered_us.is_some())
    })
    .unwrap();
    assert!(answered.whole && answered.status == 203, "{answered:?}");
    assert!(answered.answered_us <= Some(answered.ended_us) || answered.end.is_none(), "{answered:?}");
    assert!(run(&up, &["trail", "GET /price"]).contains("answered 203"));
    run(&up, &["trail", "--off"]);
    assert_eq!(of(&up).rule, None);
    let records = up.audit().iter().filter(|entry| entry["action"] == "trail-rule").count();
    assert_eq!(records, 3);
}

#[test]
fn failures_are_recorded_without_a_rule_and_a_dead_letter_has_its_trail() {
    let up = start();
    publish(up.mqtt, "orders/ok", 12);
    publish(up.mqtt, "orders/bad", 13);
    assert_eq!(get(up.http, "/price?order=bad").unwrap().status, 502);
    let asked = found(&up, "GET /price");
    assert_eq!(asked.len(), 1, "by what it came as: {asked:?}");
    assert!(!asked[0].whole && asked[0].status == 502 && asked[0].answered_us.is_some(), "{asked:?}");
    let failed = || trails(&up, TrailFilter { failed: true, ..TrailFilter::default() }).trails;
    let is_it = |trail: &Trail| trail.acknowledged_us.is_some();
    let trail = eventually("its trail", SOON, || failed().into_iter().find(is_it));
    let trail = trail.unwrap();
    assert!(!trail.whole && trail.error.contains("no price"), "{trail:?}");
    assert_eq!((trail.topic.as_str(), trail.failed.name.as_str()), ("orders/bad", "price"));
    assert_eq!(found(&up, "orders/ok"), [], "nothing else is recorded");
    let letters = || serde_json::from_str::<Value>(&run(&up, &["deadletter", "list", "--json"])).unwrap();
    let id = eventually("the dead letter", SOON, || letters()[0]["id"].as_u64()).unwrap().to_string();
    let shown = run(&up, &["deadletter", "show", &id]);
    assert!(shown.contains("failed in price (function) on orders: ") && shown.contains("orders in"), "{shown}");
    // Run again, it is recorded from its beginning.
    assert_eq!(up.run(&["deadletter", "replay", &id]).unwrap().status.code(), Some(1));
    let letter: Value = serde_json::from_str(&run(&up, &["deadletter", "show", &id, "--json"])).unwrap();
    assert_eq!((&letter["trail"]["whole"], &letter["trail"]["steps"][0]["name"]), (&json!(true), &json!("price")));
    assert_eq!(letter["trail"]["end"], "failed");
}

#[test]
fn a_request_that_the_flow_answers_too_late_has_a_trail_that_tells() {
    let up = start_with(&json!({"httpNodeTimeout": 3000}));
    assert_eq!(get(up.http, "/late").unwrap().status, 504);
    let trail = found(&up, "GET /late").remove(0);
    assert!(!trail.whole && trail.status == 504 && trail.answered_us >= Some(3_000_000), "without a rule: {trail:?}");
    assert_eq!(trail.source.name, "asked late");
    assert!(run(&up, &["trail", "--failed"]).contains("answered 504: the flow did not answer in time"));
    // How the delivery ended is known, too, and what it passed since then.
    let ended = || found(&up, "GET /late").into_iter().find(|trail| trail.end.is_some());
    let ended = eventually("the end of the delivery", SOON, ended).unwrap();
    assert_eq!((ended.number, ended.status, ended.end), (trail.number, 504, Some(TrailEnd::Completed)));
    assert_eq!(found(&up, "GET /late").len(), 1);
}

#[test]
fn a_request_that_the_gateway_gave_up_has_a_trail_that_names_the_replica() {
    let up = start_as(&json!({}), &["--route-timeout", "/late=1"]);
    assert_eq!(get(up.http, "/late").unwrap().status, 504);
    let [trail] = found(&up, "GET /late").try_into().unwrap();
    let Trail { at_gateway, too_late, status, answered_us, .. } = trail;
    assert!(at_gateway && too_late && status == 504 && answered_us >= Some(1_000_000), "{trail:?}");
    assert!(up.replicas().iter().any(|replica| replica.id == trail.replica), "{trail:?}");
    let shown = run(&up, &["trail", "--failed"]);
    let wanted = format!("replica {} had it, and its delivery may continue there", trail.replica);
    assert!(shown.contains("answered 504 by the gateway") && shown.contains(&wanted), "{shown}");
}

#[test]
fn a_flow_that_answers_504_itself_was_not_too_late() {
    let up = start();
    run(&up, &["trail", "--node", "asked others", "--next", "1"]);
    let trail = eventually("its trail", SOON, || {
        assert_eq!(get(up.http, "/own").unwrap().status, 504);
        found(&up, "GET /own").into_iter().find(|trail| trail.answered_us.is_some())
    })
    .unwrap();
    assert!(trail.status == 504 && !trail.too_late && !trail.at_gateway, "{trail:?}");
    assert_eq!(trails(&up, TrailFilter { failed: true, ..TrailFilter::default() }).trails, []);
}
