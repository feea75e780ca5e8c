//! Timers of a group: no tick twice, none lost while one replica lives.

use std::time::Duration;

use flotilla_tests::{Cluster, ClusterOptions, Collector, Up, UpOptions, eventually, kill, pause, resume};
use serde_json::{Value, json};

const ENDS: Duration = Duration::from_secs(60);
/// Where Debian's libfaketime is: a process that is started with it has a clock of its own.
const FAKETIME: &str = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1";

/// An inject and what publishes its messages; `inject` overrides its properties.
fn flow(inject: &Value) -> Value {
    let mut node = json!({
        "id": "i1", "type": "inject", "z": "tab1", "name": "tick", "props": [{"p": "payload"}], "repeat": "",
        "crontab": "", "once": false, "onceDelay": 0.1, "topic": "", "payload": "", "payloadType": "date",
        "x": 100, "y": 100, "wires": [["o1"]]
    });
    for (name, value) in inject.as_object().unwrap() {
        node[name] = value.clone();
    }
    json!([
        {"id": "tab1", "type": "tab", "label": "Ticks", "disabled": false, "info": ""},
        {"id": "b1", "type": "mqtt-broker", "name": "", "broker": "127.0.0.1", "port": "1883", "clientid": "",
         "autoConnect": true, "usetls": false, "protocolVersion": "5", "keepalive": "60", "cleansession": true},
        node,
        {"id": "o1", "type": "mqtt out", "z": "tab1", "name": "", "topic": "ticks", "qos": "1", "retain": "false",
         "broker": "b1", "x": 300, "y": 100, "wires": []}
    ])
}

/// The scheduled times of the ticks of a node that replicas said they fire, in the order of time.
pub fn fired(log: &str, node: &str) -> Vec<i64> {
    let lines = log.lines().filter(|line| line.contains("fires a tick") && line.contains(&format!("\"{node}\"")));
    let mut ticks: Vec<i64> =
        lines.filter_map(|line| line.split("scheduled_ms=").nth(1)?.split_whitespace().next()?.parse().ok()).collect();
    ticks.sort_unstable();
    ticks
}

/// Three replicas of their own processes that say which ticks they fire.
fn cluster(document: &Value, clocks: [Option<&str>; 3]) -> Cluster {
    let env = |clock: Option<&str>| {
        let mut env = vec![("RUST_LOG".to_owned(), "info,flotilla::replica::schedule=debug".to_owned())];
        if let Some(shift) = clock {
            assert!(std::path::Path::new(FAKETIME).exists(), "{FAKETIME} is needed (package faketime)");
            env.extend([
                ("LD_PRELOAD".to_owned(), FAKETIME.to_owned()),
                ("FAKETIME".to_owned(), shift.to_owned()),
                ("FAKETIME_DONT_FAKE_MONOTONIC".to_owned(), "1".to_owned()),
            ]);
        }
        env
    };
    let replicas = clocks.into_iter().map(env).collect();
    let cluster = Cluster::start(document, ClusterOptions { replicas, args: vec!["--lease".into(), "2".into()] });
    let cluster = cluster.unwrap();
    cluster.admin.wait_for_ready(3).unwrap();
    cluster
}

#[test]
fn a_repeating_inject_fires_once_per_group_also_when_replicas_die() {
    let folder = tempfile::TempDir::new().unwrap();
    let file = folder.path().join("flows.json");
    std::fs::write(&file, flow(&json!({"repeat": "0.2"})).to_string()).unwrap();
    let up = Up::start(&file, UpOptions::default()).unwrap();
    let collector = Collector::start(up.mqtt, "ticks", 1).unwrap();
    eventually("ticks", Duration::from_secs(20), || (collector.distinct() >= 10).then_some(())).unwrap();
    let victim = up.replicas().remove(0);
    kill(victim.pid).unwrap();
    let before = collector.distinct();
    eventually("ticks after a death", Duration::from_secs(20), || (collector.distinct() >= before + 15).then_some(()))
        .unwrap();
    // Three replicas that each fired would send three times as many, at nearly the same milliseconds.
    let mut times: Vec<f64> = collector.counts().keys().filter_map(|payload| payload.parse().ok()).collect();
    times.sort_by(f64::total_cmp);
    let span = times.last().unwrap() - times.first().unwrap();
    let expected = span / 200.0 + 1.0;
    assert!((times.len() as f64) <= expected + 2.0, "{} ticks within {span} ms", times.len());
}

#[test]
fn no_tick_is_fired_twice_and_none_is_lost_with_clocks_apart_pauses_and_kills() {
    const PERIOD: i64 = 500;
    let document = flow(&json!({"repeat": "0.5", "payload": "x", "payloadType": "str"}));
    let cluster = cluster(&document, [None, Some("+2s"), Some("-2s")]);
    let ticks = || fired(&cluster.log(), "i1");
    let more = |what: &str| {
        let before = ticks().len();
        eventually(what, ENDS, || (ticks().len() >= before + 10).then_some(())).unwrap();
    };
    more("ticks by clocks that are apart");
    for victim in 0..3 {
        let replicas = cluster.admin.replicas();
        let one = replicas.iter().find(|replica| replica.id.starts_with(&format!("r{victim}."))).unwrap();
        if victim == 0 {
            kill(one.pid).unwrap();
            more("ticks after a death");
        } else {
            pause(one.pid).unwrap();
            let gone = || cluster.admin.replicas().iter().all(|replica| replica.id != one.id).then_some(());
            let lapsed = eventually("the lease of the paused replica to end", ENDS, gone);
            resume(one.pid).unwrap();
            lapsed.unwrap();
            more("ticks after a pause");
        }
        cluster.admin.wait_for_ready(3).unwrap();
    }
    let ticks = ticks();
    let gaps: Vec<_> = ticks.windows(2).filter(|pair| pair[1] - pair[0] != PERIOD).collect();
    // Where the store answers too late, ticks are left out, and the replica says so.
    let late =
        cluster.log().lines().filter(|line| line.contains("the store took") && line.contains("are skipped")).count();
    let lost = gaps.iter().filter(|pair| pair[1] - pair[0] > PERIOD).count();
    assert!(lost == gaps.len(), "twice (0): {gaps:?}");
    assert!(lost <= late, "lost (more than {PERIOD}), and the store was late {late} times: {gaps:?}");
    for (number, shift) in [(0, "+0s"), (1, "+2s"), (2, "-2s")] {
        let log = std::fs::read_to_string(cluster.log_file(&format!("r{number}"))).unwrap();
        println!("replica {number}, clock {shift}: {} of {} ticks", fired(&log, "i1").len(), ticks.len());
    }
}

#[test]
fn what_runs_once_at_start_runs_in_every_replica_or_once_for_the_group() {
    let folder = tempfile::TempDir::new().unwrap();
    let nothing = json!([{"id": "tab1", "type": "tab", "label": "Ticks", "disabled": false, "info": ""}]);
    let file = flotilla_tests::write_flow(folder.path(), &nothing).unwrap();
    let up = Up::start(&file, UpOptions::default()).unwrap();
    let collector = Collector::start(up.mqtt, "ticks", 1).unwrap();
    let each = json!({"once": true, "payload": "each", "payloadType": "str"});
    let mut document = flow(&each);
    let mut one = document[2].clone();
    (one["id"], one["payload"], one["ha"]) = (json!("i2"), json!("one"), json!("one"));
    document.as_array_mut().unwrap().push(one);
    up.point(&mut document);
    up.deploy(&document, &json!({"probation_ms": 500})).unwrap();
    assert_eq!(up.rollout_ended(ENDS).unwrap()["phase"], "done");
    let count = |payload: &str| collector.counts().get(payload).copied().unwrap_or_default();
    eventually("each replica's own", ENDS, || (count("each") == 3).then_some(())).unwrap();
    let victim = up.replicas().remove(0);
    kill(victim.pid).unwrap();
    eventually("that of the replica that started again", ENDS, || (count("each") == 4).then_some(())).unwrap();
    assert_eq!(count("one"), 1, "once for the group, also when one replica starts again");
}

#[test]
fn a_tick_that_nobody_could_fire_is_made_up_for_once_or_skipped() {
    let mut document = flow(&json!({"repeat": "3", "ha": {"missed": "latest"}}));
    let mut other = document[2].clone();
    (other["id"], other["ha"]) = (json!("i2"), Value::Null);
    document.as_array_mut().unwrap().push(other);
    let mut cluster = cluster(&document, [None; 3]);
    let both = |log: &str| (!fired(log, "i1").is_empty() && !fired(log, "i2").is_empty()).then_some(());
    eventually("both to fire", ENDS, || both(&cluster.log())).unwrap();
    cluster.redis.kill().unwrap();
    let away = cluster.log().len();
    eventually("ticks that no replica can claim", ENDS, || {
        let refused = |replica: &str| {
            let log = std::fs::read_to_string(cluster.log_file(replica)).unwrap();
            let mut lines = log.lines().filter(|line| line.contains("cannot claim"));
            let of = |node: &str, line: &str| line.contains(&format!("\"{node}\""));
            lines.clone().any(|line| of("i1", line)) && lines.any(|line| of("i2", line))
        };
        ["r0", "r1", "r2"].into_iter().all(refused).then_some(())
    })
    .unwrap();
    cluster.redis.restart().unwrap();
    eventually("the tick to be made up for", ENDS, || cluster.log().contains("makes up for the tick").then_some(()))
        .unwrap();
    let before = fired(&cluster.log(), "i2").len();
    eventually("further ticks", ENDS, || (fired(&cluster.log(), "i2").len() >= before + 2).then_some(())).unwrap();
    let log = cluster.log();
    assert!(log.len() > away);
    assert_eq!(log.matches("makes up for the tick").count(), 1, "one replica, once");
    let (made_up, skipped) = (fired(&log, "i1"), fired(&log, "i2"));
    for ticks in [&made_up, &skipped] {
        assert!(ticks.windows(2).all(|pair| pair[0] < pair[1]), "no tick twice: {ticks:?}");
    }
    assert!(skipped.windows(2).any(|pair| pair[1] - pair[0] > 3_000), "i2 skipped at least one: {skipped:?}");
}

/// `flotilla up` with a clock that goes by a file: `+3600s` in it puts it an hour forward.
fn up_with_a_clock(document: &Value, offset: &std::path::Path) -> Up {
    assert!(std::path::Path::new(FAKETIME).exists(), "{FAKETIME} is needed (package faketime)");
    let env = [
        ("LD_PRELOAD", FAKETIME),
        ("FAKETIME_TIMESTAMP_FILE", offset.to_str().unwrap()),
        ("FAKETIME_NO_CACHE", "1"),
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
        ("DONT_FAKE_MONOTONIC", "1"),
    ];
    let env = env.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    let folder = tempfile::TempDir::new().unwrap();
    let file = flotilla_tests::write_flow(folder.path(), document).unwrap();
    Up::start_under(&file, UpOptions { replicas: 2, args: Vec::new() }, env).unwrap()
}

#[test]
fn a_clock_that_is_put_back_by_an_hour_silences_no_interval_while_the_group_runs_and_while_it_does_not() {
    let folder = tempfile::TempDir::new().unwrap();
    let offset = folder.path().join("offset");
    let set = |text: &str| std::fs::write(&offset, format!("{text}\n")).unwrap();
    set("+7200s");
    let mut up = up_with_a_clock(&flow(&json!({"repeat": "0.5"})), &offset);
    let more = |up: &Up, what: &str| {
        let collector = Collector::start(up.mqtt, "ticks", 1).unwrap();
        eventually(what, ENDS, || (collector.distinct() >= 10).then_some(())).unwrap();
    };
    more(&up, "ticks with a clock that is two hours ahead");
    set("+3600s");
    eventually("a warning of the step back", ENDS, || up.log().contains("was set back").then_some(())).unwrap();
    more(&up, "ticks after the clock was put back by an hour");
    up.stop().unwrap();
    set("+0s");
    up.start_again(2).unwrap();
    more(&up, "ticks of a group that was stopped meanwhile");
}

#[test]
fn a_nightly_job_whose_replica_dies_runs_again_elsewhere() {
    let due = std::time::SystemTime::now() + Duration::from_secs(15);
    let day = due.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs() % 86_400;
    let crontab = format!("{} {} {} * * *", day % 60, day / 60 % 60, day / 3600);
    let mut document = flow(&json!({
        "crontab": crontab, "ha": {"timezone": "UTC"}, "flotilla": {"tick": "retry"}, "wires": [["f1"]]
    }));
    let job = "const me = env.get('FLOTILLA_REPLICA'); node.send({payload: 'began ' + me});
         await new Promise(resolve => setTimeout(resolve, 4000)); return {payload: 'done ' + me};";
    document.as_array_mut().unwrap().push(json!(
        {"id": "f1", "type": "function", "z": "tab1", "func": job, "outputs": 1, "x": 200, "y": 100, "wires": [["o1"]]}
    ));
    let folder = tempfile::TempDir::new().unwrap();
    let file = flotilla_tests::write_flow(folder.path(), &document).unwrap();
    let up = Up::start(&file, UpOptions { replicas: 3, args: vec!["--lease".into(), "2".into()] }).unwrap();
    let collector = Collector::start(up.mqtt, "ticks", 1).unwrap();
    let began = || -> Vec<String> {
        let counts = collector.counts();
        counts.keys().filter_map(|said| said.strip_prefix("began ")).map(str::to_owned).collect()
    };
    let first = eventually("the job to begin", ENDS, || began().pop()).unwrap();
    let victim = up.replicas().into_iter().find(|replica| replica.id == first).unwrap();
    kill(victim.pid).unwrap();
    let again = eventually("the job to begin elsewhere", ENDS, || began().into_iter().find(|id| *id != first)).unwrap();
    eventually("the job to be done", ENDS, || collector.counts().contains_key(&format!("done {again}")).then_some(()))
        .unwrap();
    let counts = collector.counts();
    assert_eq!(counts.len(), 3, "{counts:?}");
    assert!(counts.values().all(|count| *count == 1), "{counts:?}");
}
