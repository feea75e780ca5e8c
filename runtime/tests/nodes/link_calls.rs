//! `node.linkcall` of function nodes.

use flotilla_engine::DeployMode;
use flotilla_engine::settings::Settings;
use flotilla_value::Value;
use serde_json::{Value as Json, json};

use crate::flow::Flow;

/// A tab whose function `n` runs this code, and flows to call: `double` (by the ids `l2` and `double`), `lost`, which does not
/// return, `twice`, which is there twice, and `far` on a tab of its own.
fn document(code: &str) -> Json {
    json!([
        {"id": "t", "type": "tab", "label": "tab"},
        {"id": "u", "type": "tab", "label": "other"},
        {"id": "n", "z": "t", "type": "function", "func": code, "wires": [["out"]]},
        {"id": "c", "z": "t", "type": "catch", "scope": ["n"], "wires": [["out"]]},
        {"id": "out", "z": "t", "type": "sink", "wires": []},
        {"id": "l2", "z": "t", "type": "link in", "name": "double", "wires": [["f2"]]},
        {"id": "f2", "z": "t", "type": "function", "wires": [["r2"]],
            "func": "msg.payload = { was: msg.payload, is: msg.payload * 2 }; return msg;"},
        {"id": "r2", "z": "t", "type": "link out", "mode": "return", "wires": []},
        {"id": "l3", "z": "t", "type": "link in", "name": "lost", "wires": [[]]},
        {"id": "l4", "z": "t", "type": "link in", "name": "twice", "wires": [[]]},
        {"id": "l5", "z": "t", "type": "link in", "name": "twice", "wires": [[]]},
        {"id": "l6", "z": "u", "type": "link in", "name": "far", "wires": [["f6"]]},
        {"id": "f6", "z": "u", "type": "function", "func": "msg.payload += ' and back'; return msg;", "wires": [["r6"]]},
        {"id": "r6", "z": "u", "type": "link out", "mode": "return", "wires": []},
    ])
}

fn flow(code: &str, workers: usize) -> Flow {
    let settings = Settings { workers, ..Settings::default() };
    Flow::documented(&document(code), settings).unwrap()
}

#[test]
fn a_call_by_id_or_name_gives_the_answer_and_leaves_no_trace() {
    for target in ["l2", "double"] {
        let flow =
            flow(&format!("const back = await node.linkcall('{target}', msg); back.before = msg; return back;"), 1);
        flow.send(r#"{"payload":4,"_msgid":"m"}"#);
        let got = &flow.messages(1)[0];
        assert_eq!(got.get("payload").get("is"), Value::from(8.0));
        assert_eq!(got.get("before").get("payload"), Value::from(4.0), "the message was copied");
        assert_eq!(got.get("_msgid"), Value::from("m"));
        assert!(got.get("_linkSource").is_undefined());
        assert!(got.get("before").get("_linkSource").is_undefined());
        assert_eq!(flow.settled().completed, 1);
    }
}

#[test]
fn a_call_reaches_tabs_on_other_workers() {
    let flow = flow("msg.payload = 'there'; return await node.linkcall('far', msg);", 4);
    for _ in 0..50 {
        flow.send("{}");
    }
    let got = flow.messages(50);
    assert!(got.iter().all(|msg| msg.get("payload") == Value::from("there and back")));
    assert_eq!(flow.settled().completed, 50);
}

#[test]
fn without_a_clone_the_message_becomes_the_answer() {
    let code = "msg.extra = 1; const back = await node.linkcall('double', msg, { clone: false });
        return { payload: [msg.payload.is, back === msg, Object.keys(msg).sort().join()] };";
    let flow = flow(code, 1);
    flow.send(r#"{"payload":1}"#);
    assert_eq!(flow.payloads(1), r#"[[2,true,"_event,_msgid,extra,payload"]]"#);
}

#[test]
fn each_of_several_calls_gets_its_own_answer() {
    let code = "const all = await Promise.all([1, 2, 3].map((payload) => node.linkcall('double', { payload })));
        return { payload: all.map((back) => back.payload.is) };";
    let flow = flow(code, 1);
    flow.send("{}");
    assert_eq!(flow.payloads(1), "[[2,4,6]]");
}

#[test]
fn what_is_wrong_with_a_call_is_an_error_that_can_be_caught() {
    let code = "const said = [];
        for (const [target, what] of [['', msg], [5, msg], ['double', 'text'], ['double', null], ['double', [1]],
            ['gone', msg], ['c', msg], ['twice', msg]]) {
            try { await node.linkcall(target, what); said.push('none'); } catch (error) { said.push(String(error)); }
        }
        try { await node.linkcall('lost', msg, { timeout: 5 }); } catch (error) { said.push(String(error)); }
        return { payload: said };";
    let flow = flow(code, 1);
    flow.send("{}");
    let said = flow.messages(1)[0].get("payload");
    let said: Vec<String> = said.as_array().unwrap().iter().map(|text| text.to_text().to_string()).collect();
    assert_eq!(
        said,
        [
            "Error: Error link call target parameter is not valid, expected a string",
            "Error: Error link call target parameter is not valid, expected a string",
            "Error: Error link call msg parameter is not valid, expected an object",
            "Error: Error link call msg parameter is not valid, expected an object",
            "Error: Error link call msg parameter is not valid, expected an object",
            "Error: target link-in node 'gone' not found",
            "Error: target link-in node 'c' not found",
            "Error: Multiple link-in nodes named 'twice' found",
            "Error: timeout",
        ]
    );
    assert_eq!(flow.settled().completed, 1);
}

#[test]
fn an_error_that_nobody_catches_goes_to_catch_nodes() {
    let flow = flow("return await node.linkcall('lost', msg, { timeout: 1 });", 1);
    flow.send(r#"{"payload":"kept"}"#);
    let got = &flow.messages(1)[0];
    assert_eq!(got.get("error").get("message"), Value::from("Error: timeout"));
    assert_eq!(got.get("error").get("source").get("id"), Value::from("n"));
    assert_eq!(got.get("payload"), Value::from("kept"));
}

#[test]
fn a_call_that_waits_ends_with_its_node() {
    let flow = flow("return await node.linkcall('lost', msg, { timeout: 3600000 });", 1);
    flow.send("{}");
    flow.redeploy(&document("return msg;"), DeployMode::Full);
    let counts = flow.settled();
    assert_eq!((counts.completed, counts.abandoned), (0, 1), "{counts:?}");
}
