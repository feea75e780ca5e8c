//! Slim views: whatever a script does by name, it sees and leaves behind what it would with a whole view.

use proptest::prelude::*;

use super::host::{function, json};
use flotilla_engine::message::Msg;
use flotilla_value::Value;

/// What the script sends and complains about, for the second message of its kind: the first has no slim view yet.
fn outcome(body: &str, input: &Value) -> (Vec<String>, Vec<String>) {
    let (code, host) = function(body);
    for _ in 0..2 {
        host.sent.borrow_mut().clear();
        code.receive(Msg::from_value(input.clone(), None));
    }
    let sent = host.sent.borrow().iter().map(|(port, msg)| format!("{port} {:?}", msg.value())).collect();
    let errors = host.errors.borrow().iter().map(|(error, _)| error.to_text().to_string()).collect();
    (sent, errors)
}

/// The same body, with a word that makes the views whole.
fn as_whole(body: &str) -> String {
    format!("{body}\n// Object")
}

const INPUT: &str = r#"{"_msgid":"a","topic":"t/1","payload":{"value":21.5,"unit":"C","gone":null,"on":true,"toString":"own",
    "deep":{"x":{"y":[1,{"z":2}]}},"list":[{"v":1,"w":"a"},{"v":2,"w":"b"},{"v":3,"w":"c"}],"long":"LONG","format":{"maximumFractionDigits":0,"useGrouping":false,"year":"numeric","timeZone":"UTC"},
    "bytes":{"type":"Buffer","data":[1,2,3]}},"req":"none"}"#;

fn input() -> Value {
    json(&INPUT.replace("LONG", &"x".repeat(300)))
}

#[test]
fn reading_and_writing_by_name_is_as_with_whole_views() {
    for body in [
        "return msg;",
        "msg.payload.value = msg.payload.value * 1.8 + 32; msg.topic = 'out'; return msg;",
        "msg.payload.added = 1; msg.payload.value = undefined; return msg;",
        "msg.payload.list.push({v: 4}); msg.payload.list[0].v += 10; return msg;",
        "let s = 0; for (const r of msg.payload.list) { s += r.v; r.seen = true; } msg.s = s; return msg;",
        "msg.payload = msg.payload.list.map(r => r.w + r.v).join(); return msg;",
        "var p = msg.payload; p.self = p.deep; p.deep = 1; return [msg, {payload: p}];",
        "msg.payload.me = msg.payload; return msg;",
        "if (msg.payload.missing === undefined && !msg.payload.gone) msg.payload.deep.x.y[1].z++; return msg;",
        "msg.payload.long = msg.payload.long.length; return msg;",
        "return {payload: [msg.payload === msg.payload, `${msg.payload.deep}`, msg.payload + '', typeof msg.payload.q]};",
        "node.send(msg); msg.payload.value = 2; node.send([null, msg]); msg.payload.value = 3; return null;",
        "flow.set('kept', msg.payload); const k = flow.get('kept'); k.value = 9; k.list[1].v = 8; return [msg, {payload: k}];",
        "msg.payload['va' + 'lue']++; msg.payload['new' + 1] = msg.payload['un' + 'it']; return msg;",
        "const { value, deep: { x } } = msg.payload; x.n = value; return msg;",
        "throw msg.payload.deep;",
        "msg = msg.payload; return msg;",
        "return msg.payload.list.sort((a, b) => b.v - a.v).filter(r => r.v > 1).map(payload => ({payload}));",
        "msg.payload.list.length = 1; return msg;",
        "msg.payload.value ??= 1; msg.payload.gone ??= 2; msg.payload.other ||= 3; return msg;",
        "await null; msg.payload.value = 1; return msg;",
        "return {payload: (1234.5).toLocaleString('en-US', msg.payload.format) + new Date(0).toLocaleString('en-GB', msg.payload.format)};",
        "return {payload: Buffer.from(msg.payload.bytes).length};",
    ] {
        let expected = outcome(&as_whole(body), &input());
        assert!(!expected.0.is_empty() || !expected.1.is_empty(), "{body}");
        assert_eq!(outcome(body, &input()), expected, "{body}");
    }
}

#[test]
fn what_was_not_changed_goes_on_as_the_same_object() {
    let (code, host) = function("const v = msg.payload.deep.x; msg.seen = v.y.length; return msg;");
    let input = input();
    for _ in 0..2 {
        code.receive(Msg::from_value(input.clone(), None));
    }
    let sent = host.sent.borrow();
    let (Value::Object(was), Some(Value::Object(is))) = (input.get("payload"), sent[1].1.get_ref("payload")) else {
        panic!("{:?}", sent[1])
    };
    assert!(std::ptr::eq(
        was.get("list").and_then(Value::as_array).unwrap(),
        is.get("list").and_then(Value::as_array).unwrap()
    ));
}

#[test]
fn common_code_gets_slim_views() {
    for body in [
        "msg.payload = parseFloat(msg.payload.value).toFixed(1); return msg;",
        "flow.set('n', (flow.get('n') || 0) + 1); global.set('t', Date.now()); context.set('x', env.get('PLACE'));",
        "setTimeout(() => { node.send(msg); node.done(); }, 10); node.status({fill: 'green', shape: 'dot', text: 'ok'});",
        "let at = new Date(msg.payload.at); msg.topic = `t/${at.toISOString()}`; node.warn(msg.topic); return [msg, null];",
        "msg.payload = JSON.parse(msg.payload); msg.payload.list = msg.payload.list.filter(x => x.on).map(x => x.v); return msg;",
        "msg.payload = Buffer.from(msg.payload.data, 'base64'); return msg;",
        "if (msg.payload.on === true) { count = (count || 0) + 1; } else { count = 0; } var count; return {payload: count};",
    ] {
        let (code, _) = function(body);
        assert!(!code.compiled.borrow().as_ref().unwrap().reflects, "{body}");
        let (code, _) = function(&as_whole(body));
        assert!(code.compiled.borrow().as_ref().unwrap().reflects, "{body}");
    }
}

/// Statements that go by names, over a few properties of a few kinds.
fn statement() -> impl Strategy<Value = String> {
    let place = prop::sample::select(vec!["msg", "msg.payload", "msg.payload.deep", "msg.payload.list[1]", "kept"]);
    let key = prop::sample::select(vec!["value", "unit", "deep", "list", "gone", "extra", "x", "v", "w", "topic", "7"]);
    let value =
        prop::sample::select(vec!["1", "'s'", "{a: 1}", "[1, {b: 2}]", "undefined", "null", "kept", "msg.payload"]);
    (place, key, value, 0..6).prop_map(|(place, key, value, kind)| match kind {
        0 => format!("{place}['{key}'] = {value};"),
        1 => format!("kept = {place}['{key}'] ?? kept;"),
        2 => format!("if ({place}['{key}']) {place}['{key}']['more'] = {value};"),
        3 => format!("node.send({{payload: {place}['{key}']}});"),
        4 => format!("if (Array.isArray({place}['{key}'])) {place}['{key}'].push({value});"),
        _ => format!("{place}['{key}'] += 'x';"),
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn any_script_by_names_leaves_the_same_behind(body in prop::collection::vec(statement(), 1..8)) {
        let body = format!("let kept = {{}}; {} return msg;", body.join(" "));
        prop_assert_eq!(outcome(&body, &input()), outcome(&as_whole(&body), &input()), "{}", body);
    }
}
