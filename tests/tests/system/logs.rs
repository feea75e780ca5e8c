//! The logs of all replicas as one: nothing missing, nothing twice, whoever dies.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use flotilla_api::log::{LogFilter, LogLevel, LogLine, LogPage};
use flotilla_tests::{Admin, Cluster, ClusterOptions, Part, eventually, flotilla, free_ports, kill, pause, resume};
use serde_json::{Value, json};

const SOON: Duration = Duration::from_secs(30);
/// What a replica wrote so long before it was killed is at the gateway.
const BEHIND_MS: u64 = 100;

/// Each replica writes a numbered line every 10 ms.
fn flow() -> Value {
    let func = "const n = (context.get('n') || 0) + 1; context.set('n', n);\n\
                node.log('line ' + n); if (n % 50 === 0) node.warn('fifty more');";
    json!([
        {"id": "tab1", "type": "tab", "label": "Chatter", "disabled": false, "info": ""},
        {"id": "i1", "type": "inject", "z": "tab1", "name": "tick", "props": [], "repeat": "0.01", "crontab": "",
         "once": false, "onceDelay": 0.1, "topic": "", "ha": "each", "x": 1, "y": 1, "wires": [["f1"]]},
        {"id": "f1", "type": "function", "z": "tab1", "name": "talk", "func": func, "outputs": 1, "x": 2, "y": 1, "wires": [[]]}
    ])
}

fn start() -> Cluster {
    let cluster = Cluster::start(&flow(), ClusterOptions { replicas: vec![Vec::new(); 3], args: Vec::new() }).unwrap();
    cluster.admin.wait_for_ready(3).unwrap();
    cluster
}

fn logs(admin: &Admin, filter: &LogFilter, after: Option<&str>, limit: usize) -> LogPage {
    admin.ask(|client| async move { client.logs("default", filter, after, limit).await }).unwrap()
}

/// All lines behind a cursor, in small pages; the cursor moves along.
fn read_on(admin: &Admin, cursor: &mut String, limit: usize) -> Vec<LogLine> {
    let mut lines = Vec::new();
    loop {
        // A gateway that is just starting again is asked again.
        let asked = cursor.clone();
        let all = LogFilter::default();
        let page = admin.ask(|client| async move { client.logs("default", &all, Some(&asked), limit).await });
        let Ok(page) = page else {
            std::thread::sleep(Duration::from_millis(50));
            continue;
        };
        lines.extend(page.lines);
        *cursor = page.cursor;
        if !page.more {
            return lines;
        }
    }
}

/// The lines of each replica, which must come in one piece: no position missing, none twice. A gateway keeps its name over a
/// restart, and its positions jump there.
fn by_replica(lines: &[LogLine]) -> BTreeMap<String, Vec<LogLine>> {
    let mut all: BTreeMap<String, Vec<LogLine>> = BTreeMap::new();
    for line in lines {
        all.entry(line.replica.clone()).or_default().push(line.clone());
    }
    for (replica, lines) in &all {
        for pair in lines.windows(2) {
            let [before, after] = [pair[0].position, pair[1].position];
            let follows = if replica.starts_with("gateway-") { before < after } else { before + 1 == after };
            assert!(follows, "{replica}: {before}, then {:?}", pair[1]);
        }
    }
    all
}

fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as u64
}

/// The numbers of the lines that a replica itself wrote before a time, by its standard error.
fn written(cluster: &Cluster, part: &str, replica: &str, before_ms: u64) -> Vec<u64> {
    let text = std::fs::read_to_string(cluster.log_file(part)).unwrap();
    let numbers = text.lines().filter(|line| line.contains(&format!(" {replica} "))).filter_map(|line| {
        let time: jiff::Timestamp = line.split(' ').next()?.parse().ok()?;
        let number = line.split("(f1): line ").nth(1)?.trim().parse().ok()?;
        (time.as_millisecond() as u64 <= before_ms).then_some(number)
    });
    numbers.collect()
}

#[test]
fn nothing_is_missing_and_nothing_twice_over_kills_and_restarts() {
    let cluster = start();
    let replicas = cluster.admin.replicas();
    let (killed, stopped) = (&replicas[0], &replicas[1]);
    let mut cursor = String::new();
    let mut lines = Vec::new();
    eventually("a second of lines", SOON, || {
        lines.extend(read_on(&cluster.admin, &mut cursor, 70));
        (lines.len() > 300).then_some(())
    })
    .unwrap();

    pause(stopped.pid).unwrap();
    kill(killed.pid).unwrap();
    let death = now_ms();
    let unanswered = || {
        let page = logs(&cluster.admin, &LogFilter::default(), None, 1);
        page.unanswered.into_iter().map(|one| one.replica).collect::<Vec<_>>()
    };
    eventually("the stopped replica to be named", SOON, || unanswered().contains(&stopped.id).then_some(())).unwrap();
    resume(stopped.pid).unwrap();
    eventually("it to answer again", SOON, || (!unanswered().contains(&stopped.id)).then_some(())).unwrap();

    // The gateway dies, and goes on behind what it has; so does the cursor.
    kill(cluster.gateway_pid()).unwrap();
    cluster.admin.wait_for_ready(3).unwrap();
    let until = now_ms() + 1_000;
    eventually("lines of all after the restart", SOON, || {
        lines.extend(read_on(&cluster.admin, &mut cursor, 500));
        let late = |id: &str| lines.iter().any(|line| line.replica == id && line.time_ms > until);
        ["r0.1", &stopped.id, "r2.0"].into_iter().all(late).then_some(())
    })
    .unwrap();
    let all = by_replica(&lines);

    let wrote = written(&cluster, "r0", &killed.id, death - BEHIND_MS);
    let number = |line: &LogLine| line.message.strip_prefix("line ").and_then(|number| number.parse().ok());
    let has: Vec<u64> = all[&killed.id].iter().filter_map(number).collect();
    assert!(wrote.len() > 50 && has.starts_with(&wrote), "{} written, {} here", wrote.len(), has.len());
    let line = all[&killed.id].iter().find(|line| line.node == "f1").unwrap();
    let shown = [&*line.group, &*line.tab, &*line.tab_label, &*line.node_name, &*line.node_type];
    assert_eq!(shown, ["default", "tab1", "Chatter", "talk", "function"]);
    assert_eq!(line.revision, killed.revision);

    // One large answer is in the order of time.
    let page = logs(&cluster.admin, &LogFilter { level: Some(LogLevel::Info), ..LogFilter::default() }, None, 10_000);
    assert!(page.lines.windows(2).all(|pair| pair[0].time_ms <= pair[1].time_ms));
    let filter =
        LogFilter { node: "talk".into(), level: Some(LogLevel::Warn), replica: "r2.0".into(), ..LogFilter::default() };
    let warned = logs(&cluster.admin, &filter, None, 100).lines;
    assert!(!warned.is_empty() && warned.iter().all(|line| line.message == "fifty more" && line.replica == "r2.0"));
}

#[test]
fn two_gateways_collect_each_by_itself_and_take_each_others_cursors() {
    let cluster = start();
    let [http, admin] = free_ports().unwrap();
    let folder = tempfile::TempDir::new().unwrap();
    let (store, logs_at) = (cluster.redis.url(), folder.path().display().to_string());
    let second =
        ["gateway", "--http", &http.to_string(), "--admin", &admin.to_string(), "--store", &store, "--logs", &logs_at];
    let _second = Part::start(&second, &[]).unwrap();
    let second = Admin { address: admin, token: None };
    second.wait_for_ready(3).unwrap();
    let mut cursor = String::new();
    let mut lines = Vec::new();
    for round in 0..6 {
        let gateway = if round % 2 == 0 { &cluster.admin } else { &second };
        eventually("more lines", SOON, || {
            let more = read_on(gateway, &mut cursor, 100);
            lines.extend(more.iter().cloned());
            (!more.is_empty()).then_some(())
        })
        .unwrap();
    }
    // What the gateways say themselves is theirs, each under its own name.
    let all = by_replica(&lines);
    assert_eq!(all.keys().filter(|replica| !replica.starts_with("gateway-")).count(), 3, "{:?}", all.keys());
}

#[test]
fn who_follows_loses_no_line_when_the_gateway_dies() {
    let cluster = start();
    let mut command = Command::new(flotilla().unwrap());
    command
        .args(["logs", "--follow", "--json", "--node", "talk"])
        .env("FLOTILLA_ADMIN", cluster.admin.address.to_string());
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let output = child.stdout.take().unwrap();
    let (sender, receiver) = std::sync::mpsc::sync_channel(100_000);
    std::thread::spawn(move || {
        for line in std::io::BufRead::lines(std::io::BufReader::new(output)).map_while(Result::ok) {
            let _ = sender.send(serde_json::from_str::<LogLine>(&line).unwrap());
        }
    });
    let mut lines: Vec<LogLine> = Vec::new();
    let mut wait_for = |what: &str, more: usize| {
        let enough = lines.len() + more;
        eventually(what, SOON, || {
            lines.extend(receiver.try_iter());
            (lines.len() >= enough).then_some(())
        })
        .unwrap();
    };
    wait_for("the first lines", 100);
    kill(cluster.gateway_pid()).unwrap();
    wait_for("lines after the restart", 300);
    child.kill().unwrap();
    child.wait().unwrap();
    // The numbers of a replica's own lines have no gap, though lines of others are between them.
    let mut last: BTreeMap<String, u64> = BTreeMap::new();
    for line in &lines {
        let Some(number) = line.message.strip_prefix("line ").and_then(|number| number.parse::<u64>().ok()) else {
            continue;
        };
        if let Some(before) = last.insert(line.replica.clone(), number) {
            assert_eq!(before + 1, number, "{}", line.replica);
        }
    }
    assert_eq!(last.len(), 3);
}
