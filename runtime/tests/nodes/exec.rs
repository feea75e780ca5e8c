//! exec.

use flotilla_engine::settings::Settings;
use flotilla_value::{Value, stringify};
use serde_json::json;

use crate::flow::Flow;

/// A node whose three outputs all go to the sink.
fn exec(more: &serde_json::Value) -> Flow {
    let mut node = json!({"id": "n", "type": "exec", "wires": [["out"], ["out"], ["out"]], "addpay": "payload"});
    for (name, value) in more.as_object().unwrap() {
        node[name] = value.clone();
    }
    Flow::with(json!([node]), Settings { workers: 1, ..Settings::default() }).unwrap()
}

fn text(value: &Value) -> String {
    stringify(value).unwrap().unwrap_or_default()
}

#[test]
fn a_shell_runs_the_line_and_the_code_comes_last() {
    let flow = exec(&json!({"command": "printf '%s-'", "append": "b; echo e >&2; exit 3"}));
    flow.send(r#"{"payload":"a","topic":"t"}"#);
    let messages = flow.messages(3);
    let payloads: Vec<String> = messages.iter().map(|msg| text(&msg.get("payload"))).collect();
    assert_eq!(payloads[..2], [r#""a-b-""#, r#""e\n""#]);
    assert!(payloads[2].starts_with(r#"{"code":3,"message":"Command failed: printf"#), "{}", payloads[2]);
    assert_eq!(messages[0].get("rc"), messages[2].get("payload"));
    assert_eq!(messages[2].get("topic"), Value::from("t"));
    flow.line(r#"status n {"fill":"red","shape":"dot","text":"error:3"}"#);
    assert_eq!(flow.settled().completed, 1);
}

#[test]
fn success_and_output_that_is_no_text() {
    let flow = exec(&json!({"command": "printf '\\377'", "addpay": false}));
    flow.send("{}");
    let messages = flow.messages(2);
    assert_eq!(messages[0].get("payload"), Value::Buffer(vec![0xff].into()));
    assert_eq!(text(&messages[1].get("payload")), r#"{"code":0}"#);
    let old = exec(&json!({"command": "true", "oldrc": true}));
    old.send("{}");
    assert_eq!(old.messages(1)[0].get("payload"), Value::from(""));
    assert_eq!(old.settled().completed, 1);
}

#[test]
fn output_comes_as_it_is_printed_without_a_shell() {
    let flow = exec(&json!({"command": "printf \"%s;\"", "useSpawn": "true"}));
    flow.send(r#"{"payload":"a \"b c\" $HOME"}"#);
    let messages = flow.messages(2);
    assert_eq!(messages[0].get("payload"), Value::from("a;b c;$HOME;"));
    assert_eq!(text(&messages[1].get("payload")), r#"{"code":0}"#);
}

#[test]
fn a_program_that_is_not_there() {
    let flow = exec(&json!({"command": "no-such-program-anywhere", "useSpawn": "true"}));
    flow.send("{}");
    assert_eq!(text(&flow.messages(1)[0].get("payload")), r#"{"code":-2}"#);
    flow.line(r#"status n {"fill":"red","shape":"dot","text":"rc:-2"}"#);
}

#[test]
fn processes_are_killed_by_message_and_by_time() {
    let flow = exec(&json!({"command": "sleep 60", "addpay": false, "useSpawn": "true"}));
    flow.send("{}");
    flow.line("pid:");
    flow.send(r#"{"kill":"sigint"}"#);
    assert_eq!(text(&flow.messages(1)[0].get("payload")), r#"{"code":null,"signal":"SIGINT"}"#);
    assert_eq!(flow.settled().completed, 2);
    let flow = exec(&json!({"command": "sleep 60", "addpay": false, "timer": "0.05"}));
    flow.send("{}");
    let ended = flow.messages(2)[1].get("payload");
    assert_eq!((ended.get("code"), ended.get("signal")), (Value::Null, Value::from("SIGTERM")));
}

#[test]
fn closing_ends_what_runs() {
    let folder = tempfile::tempdir().unwrap();
    let pid = folder.path().join("pid");
    let flow = exec(
        &json!({"command": format!("echo $$ > {0}.new; mv {0}.new {0}; exec sleep 60", pid.display()), "addpay": false}),
    );
    flow.send("{}");
    flow.line("pid:");
    let until = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while !pid.exists() {
        assert!(std::time::Instant::now() < until, "the process did not start");
        std::thread::yield_now();
    }
    let process = format!("/proc/{}", std::fs::read_to_string(&pid).unwrap().trim());
    drop(flow);
    // Gone, or a zombie that nobody has waited for yet.
    let ended = || std::fs::read_to_string(format!("{process}/stat")).map_or(true, |stat| stat.contains(") Z "));
    while !ended() {
        assert!(std::time::Instant::now() < until, "the process still runs");
        std::thread::yield_now();
    }
}

#[test]
fn without_a_command_it_is_an_error() {
    let flow = exec(&json!({"command": ""}));
    flow.send("{}");
    flow.line("there is no command to run");
    assert_eq!(flow.settled().failed, 1);
}
