//! What a group shows of itself: debug nodes, statuses, counts, buttons.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use flotilla_api::debug::{DebugMessage, DebugMessages};
use flotilla_api::node::GroupNodes;
use flotilla_tests::{Up, UpOptions, eventually, flotilla, get, pause, resume, write_flow};
use serde_json::{Value, json};

const SOON: Duration = Duration::from_secs(20);

/// A button that fires once in each replica at the start too; what follows shows a status, sends as often as the message
/// says, and fails when it is told to.
fn flow() -> Value {
    let func = "if (msg.payload === 'fail') { throw new Error('as told') }\n\
                node.status({fill: 'green', shape: 'dot', text: String(msg.payload)});\n\
                const times = Number(msg.payload) || 1;\n\
                for (let i = 0; i < times; i++) node.send({payload: msg.payload, i});\n";
    json!([
        {"id": "tab1", "type": "tab", "label": "Line 1", "disabled": false, "info": ""},
        {"id": "i1", "type": "inject", "z": "tab1", "name": "button", "props": [{"p": "payload"}], "repeat": "",
         "crontab": "", "once": true, "onceDelay": 0.1, "topic": "", "payload": "started", "payloadType": "str",
         "wires": [["f1"]]},
        {"id": "f1", "type": "function", "z": "tab1", "name": "work", "func": func, "outputs": 1, "wires": [["d1"]]},
        {"id": "d1", "type": "debug", "z": "tab1", "name": "seen", "active": true, "tosidebar": true, "console": false,
         "tostatus": false, "complete": "payload", "targetType": "msg", "wires": []}
    ])
}

fn start() -> (tempfile::TempDir, Up) {
    let folder = tempfile::TempDir::new().unwrap();
    let file = write_flow(folder.path(), &flow()).unwrap();
    let up = Up::start(&file, UpOptions::default()).unwrap();
    (folder, up)
}

fn nodes(up: &Up) -> GroupNodes {
    up.api().ask(|client| async move { client.nodes("default").await }).unwrap()
}

fn debugged(up: &Up) -> DebugMessages {
    up.api().ask(|client| async move { client.debug("default", "").await }).unwrap()
}

fn inject(up: &Up, args: &[&str]) {
    let done = up.run(&[&["inject", "button"], args].concat()).unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

/// `flotilla debug --follow --json`, read while it runs.
struct Follower {
    child: Child,
    seen: Arc<Mutex<Vec<DebugMessage>>>,
    /// What it says beside the messages: who does not answer.
    said: Arc<Mutex<String>>,
}

impl Follower {
    fn start(up: &Up) -> Follower {
        let mut command = Command::new(flotilla().unwrap());
        command.args(["debug", "--follow", "--json"]).env("FLOTILLA_ADMIN", up.admin.to_string());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.env("FLOTILLA_DATA", up.data()).spawn().unwrap();
        let (seen, output) = (Arc::<Mutex<Vec<_>>>::default(), child.stdout.take().unwrap());
        let sink = seen.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                sink.lock().unwrap().push(serde_json::from_str(&line).unwrap());
            }
        });
        let (said, errors) = (Arc::<Mutex<String>>::default(), child.stderr.take().unwrap());
        let sink = said.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(errors).lines().map_while(Result::ok) {
                *sink.lock().unwrap() += &line;
            }
        });
        Follower { child, seen, said }
    }

    fn seen(&self) -> Vec<DebugMessage> {
        self.seen.lock().unwrap().clone()
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a new flow in Node-RED's editor is for many: a button and a debug node, which fires once at the start here.
fn hello() -> Value {
    json!([
        {"id": "f1", "type": "tab", "label": "Flow 1"},
        {"id": "i1", "type": "inject", "z": "f1", "name": "hello", "props": [{"p": "payload"}, {"p": "topic", "vt": "str"}],
         "repeat": "", "crontab": "", "once": true, "onceDelay": 0.1, "topic": "greeting", "payload": "Hello World!",
         "payloadType": "str", "x": 110, "y": 80, "wires": [["d1"]]},
        {"id": "d1", "type": "debug", "z": "f1", "name": "debug 1", "active": true, "tosidebar": true, "console": false,
         "tostatus": false, "complete": "payload", "targetType": "msg", "statusVal": "", "statusType": "auto", "x": 320,
         "y": 80, "wires": []}
    ])
}

/// The transcript is in `docs/operations.md`, too.
#[test]
fn the_first_minute_of_a_new_flow() {
    let folder = tempfile::TempDir::new().unwrap();
    let file = write_flow(folder.path(), &hello()).unwrap();
    let up = Up::start(&file, UpOptions::default()).unwrap();
    let debugged = || {
        let log = up.log();
        let mut lines: Vec<_> = log.lines().filter(|line| line.contains(" debug \"")).map(str::to_owned).collect();
        lines.sort_by_key(|line| line.split_once("default-").map(|(_, rest)| rest.to_owned()));
        (lines.len() == 3).then_some(lines)
    };
    let lines = eventually("what the debug node shows of each replica", SOON, debugged).unwrap();
    let data = up.data();
    let mut transcript = up.output();
    for (from, to) in [
        (data.parent().unwrap().join("flows.json").display().to_string(), "flows.json"),
        (data.display().to_string(), ".flotilla"),
        (up.mqtt.to_string(), "127.0.0.1:1883"),
        (up.http.to_string(), "127.0.0.1:1880"),
        (up.admin.to_string(), "127.0.0.1:1881"),
    ] {
        transcript = transcript.replace(&from, to);
    }
    let (before, revision) = transcript.split_once("revision ").unwrap();
    transcript = format!("$ flotilla up flows.json\n{before}revision [revision]{}", &revision[16..]);
    for line in lines {
        let (_, rest) = line.split_once(' ').unwrap();
        transcript += &format!("[time] {rest}\n");
    }
    insta::assert_snapshot!(transcript);
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/operations.md");
    let page = std::fs::read_to_string(page).unwrap();
    for line in transcript.lines().filter(|line| line.contains(" debug \"")) {
        assert!(page.contains(line), "docs/operations.md lacks: {line}");
    }
}

#[test]
fn debug_nodes_show_in_up_and_in_the_api_with_the_replica() {
    let (_folder, up) = start();
    let by_replica = |messages: &[DebugMessage]| {
        let mut replicas: Vec<_> = messages.iter().map(|message| message.replica.clone()).collect();
        replicas.sort();
        replicas
    };
    let first = eventually("what each replica showed at its start", SOON, || {
        let found = debugged(&up);
        (found.messages.len() == 3).then_some(found)
    });
    let first = first.unwrap();
    assert_eq!(by_replica(&first.messages), ["default-1", "default-2", "default-3"]);
    let one = &first.messages[0];
    assert_eq!((&*one.node, &*one.name, &*one.tab_label, &*one.format), ("d1", "seen", "Line 1", "string[7]"));
    // A newcomer sees it where the group was started.
    eventually("the debug node in the output of up", SOON, || {
        (up.log().matches("msg.payload : string[7] \"started\"").count() == 3).then_some(())
    })
    .unwrap();

    let follower = Follower::start(&up);
    // The follower hears from when it is connected on: press until it has heard.
    eventually("the first message that is followed", SOON, || {
        inject(&up, &["--payload", "\"hello\""]);
        (!follower.seen().is_empty()).then_some(())
    })
    .unwrap();
    inject(&up, &["--payload", "{\"a\":1}", "--replica", "each"]);
    eventually("a message of each replica", SOON, || {
        let seen = follower.seen();
        let objects: Vec<_> = seen.into_iter().filter(|message| message.format == "Object").collect();
        (by_replica(&objects) == ["default-1", "default-2", "default-3"]).then_some(())
    })
    .unwrap();
}

#[test]
fn who_follows_gets_each_message_once_whatever_becomes_of_the_streams() {
    let (_folder, up) = start();
    let follower = Follower::start(&up);
    eventually("a message of each replica", SOON, || {
        inject(&up, &["--payload", "\"first\"", "--replica", "each"]);
        let seen = follower.seen();
        up.replicas().iter().all(|replica| seen.iter().any(|message| message.replica == replica.id)).then_some(())
    })
    .unwrap();
    let held = up.replicas().into_iter().find(|replica| replica.id == "default-2").unwrap();
    for round in 0..3 {
        // Messages are on their way when the replica stops: its stream is lost, and goes on behind what was handed out.
        inject(&up, &["--payload", "40", "--replica", "default-2"]);
        pause(held.pid).unwrap();
        let lost =
            || (follower.said.lock().unwrap().matches("default-2 does not answer").count() > round).then_some(());
        let lost = eventually("its stream to be lost", SOON, lost);
        resume(held.pid).unwrap();
        lost.unwrap();
        inject(&up, &["--payload", "\"again\"", "--replica", "each"]);
        eventually("the last of the round", SOON, || {
            let again = |message: &&DebugMessage| message.replica == "default-2" && message.format == "string[5]";
            (follower.seen().iter().filter(again).filter(|message| message.msg == "again").count() > round)
                .then_some(())
        })
        .unwrap();
    }
    let shown = debugged(&up).messages;
    let of = |messages: &[DebugMessage], id: &str| {
        messages.iter().filter(|message| message.replica == id).map(|message| message.position).collect::<Vec<_>>()
    };
    for replica in up.replicas() {
        let seen = of(&follower.seen(), &replica.id);
        let first = seen[0];
        let all: Vec<u64> = of(&shown, &replica.id).into_iter().filter(|position| *position >= first).collect();
        assert_eq!(seen, all, "{}: none skipped, none twice, in order", replica.id);
    }
    assert!(of(&follower.seen(), "default-2").len() > 100);
}

#[test]
fn what_comes_too_fast_is_counted_and_nothing_else_is_missing() {
    let (_folder, up) = start();
    eventually("the start", SOON, || (debugged(&up).messages.len() == 3).then_some(())).unwrap();
    inject(&up, &["--payload", "500", "--replica", "default-1"]);
    let found = eventually("500 messages, shown or left out", SOON, || {
        let found = debugged(&up);
        (found.messages.len() as u64 + found.left_out == 503).then_some(found)
    });
    let found = found.unwrap();
    assert!(found.left_out >= 350, "{}", found.left_out);
    let node = nodes(&up).nodes.into_iter().find(|node| node.id.node == "d1").unwrap();
    assert_eq!(node.counts.received, 503);
}

#[test]
fn nodes_are_counted_and_statuses_merged_and_silent_replicas_named() {
    let (_folder, up) = start();
    let node = |id: &str| nodes(&up).nodes.into_iter().find(|node| node.id.node == id).unwrap();
    eventually("the status of each", SOON, || (node("f1").status() == "3 started").then_some(())).unwrap();
    inject(&up, &["--payload", "\"odd\"", "--replica", "default-2"]);
    eventually("the status that differs", SOON, || (node("f1").status() == "2 started; default-2: odd").then_some(()))
        .unwrap();
    let shown = String::from_utf8(up.run(&["status", "--nodes"]).unwrap().stdout).unwrap();
    assert!(shown.contains("2 started; default-2: odd"), "{shown}");

    inject(&up, &["--payload", "\"fail\"", "--replica", "each"]);
    eventually("three errors", SOON, || (node("f1").counts.errors == 3).then_some(())).unwrap();
    let counts = node("f1").counts;
    assert_eq!((counts.received, counts.sent), (7, 4));
    assert_eq!(node("i1").counts.sent, 7);
    let troubled = String::from_utf8(up.run(&["nodes", "--trouble"]).unwrap().stdout).unwrap();
    assert!(troubled.contains("work") && !troubled.contains("seen"), "{troubled}");

    let refused = up.run(&["inject", "work"]).unwrap();
    assert!(!refused.status.success());
    let why = String::from_utf8(refused.stderr).unwrap();
    assert!(why.contains("\"work\" is of type function"), "{why}");

    // The control server of a replica answers those that show the group's token, and nobody else.
    let replica = up.replicas().remove(0);
    let answer = get(replica.ops.unwrap(), "/control/v1/nodes").unwrap();
    assert_eq!((answer.status, answer.body.contains("no_control_token")), (401, true));

    pause(replica.pid).unwrap();
    let unanswered = nodes(&up).unanswered;
    resume(replica.pid).unwrap();
    assert_eq!(unanswered.iter().map(|missing| &*missing.replica).collect::<Vec<_>>(), [&*replica.id]);
}
