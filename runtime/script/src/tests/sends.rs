//! What functions send, return and report.

use super::host::{eval, function, json, msg, new_host, payload, show, with_host};
use flotilla_engine::observe::Level;
use flotilla_value::Value;

fn sent(body: &str) -> Vec<(usize, String)> {
    let (code, host) = function(body);
    code.receive(msg(r#"{"_msgid":"m","topic":"t","payload":"p"}"#));
    let sent = host.sent.borrow();
    sent.iter().map(|(port, msg)| (*port, show(&msg.get("payload")))).collect()
}

#[test]
fn a_returned_message_keeps_what_was_not_touched() {
    let (code, host) = function("msg.payload.a = 2; return msg;");
    let input = msg(r#"{"_msgid":"m","payload":{"a":1,"deep":{"x":[1,2]}},"other":{"y":1}}"#);
    code.receive(input.clone());
    let sent = host.sent.borrow();
    let out = &sent[0].1;
    assert_eq!(show(&out.value()), r#"{"_msgid":"m","payload":{"a":2,"deep":{"x":[1,2]}},"other":{"y":1}}"#);
    let same = |path: &[&str]| {
        let at = |msg: &flotilla_engine::message::Msg| path.iter().fold(msg.value(), |value, key| value.get(key));
        let (Value::Object(a), Value::Object(b)) = (at(&input), at(out)) else { panic!("both are objects") };
        std::sync::Arc::ptr_eq(&a, &b)
    };
    assert!(same(&["other"]) && same(&["payload", "deep"]), "untouched subtrees are shared");
    assert_eq!(show(&input.get("payload")), r#"{"a":1,"deep":{"x":[1,2]}}"#, "the input is unchanged");
    assert_eq!(host.done.borrow().len(), 1);
}

#[test]
fn an_untouched_message_is_the_same_one() {
    let (code, host) = function("var x = msg.payload.a; return msg;");
    let input = msg(r#"{"_msgid":"m","payload":{"a":{"b":1}}}"#);
    code.receive(input.clone());
    let sent = host.sent.borrow();
    let (Value::Object(a), Value::Object(b)) = (input.value(), sent[0].1.value()) else { panic!("objects") };
    assert!(std::sync::Arc::ptr_eq(&a, &b));
}

#[test]
fn outputs_and_lists() {
    assert_eq!(
        sent("return [{payload:1},[{payload:2},null,{payload:3}]]"),
        [(0, "1".into()), (1, "2".into()), (1, "3".into())]
    );
    assert_eq!(sent("return [null,{payload:2}]"), [(1, "2".into())]);
    assert_eq!(sent("return null"), []);
    assert_eq!(sent("node.send({payload:1}); node.send([[{payload:2}]]);"), [(0, "1".into()), (0, "2".into())]);
}

#[test]
fn sent_messages_carry_the_id_of_the_message() {
    let (code, host) = function("node.send({payload:1}); return {payload:2,_msgid:'x'}");
    code.receive(msg(r#"{"_msgid":1234}"#));
    assert!(host.sent.borrow().iter().all(|(_, msg)| msg.get("_msgid") == Value::Number(1234.0)));
}

#[test]
fn send_copies_unless_it_is_told_not_to() {
    let mut first = sent("node.send(msg); msg.payload = 'later'; node.send(msg, false); msg.payload = 'last';");
    assert_eq!(first.remove(0).1, "\"p\"");
    assert_eq!(first.remove(0).1, "\"last\"");
}

#[test]
fn what_is_no_message_is_an_error() {
    for (body, kind) in [
        ("return 'foo'", "string"),
        ("return 12", "number"),
        ("return true", "boolean"),
        ("return Buffer.from('x')", "Buffer"),
        ("return [[[1,2]]]", "Array"),
        ("return new Date()", "Date"),
    ] {
        let (code, host) = function(body);
        code.receive(msg("{}"));
        let errors = host.errors.borrow();
        assert_eq!(errors[0].0, Value::from(format!("Function tried to send a message of type {kind}")), "{body}");
        assert!(errors[0].1.is_none() && host.sent.borrow().is_empty());
    }
}

#[test]
fn the_node_object() {
    let text = payload("msg.payload = [node.id, node.name, node.path, node.outputCount]; return msg;", "{}");
    assert_eq!(text, r#"["n1","a name","tab/n1",2]"#);
    let (code, host) = function(
        "node.log('l'); node.warn({w:1}); node.debug('d'); node.trace('t'); node.status({text:'s'}); node.error('e', msg);",
    );
    code.receive(msg(r#"{"topic":"t"}"#));
    let levels: Vec<Level> = host.logs.borrow().iter().map(|(level, _)| *level).collect();
    assert_eq!(levels, [Level::Info, Level::Warn, Level::Debug, Level::Trace]);
    assert_eq!(host.statuses.borrow()[0].get("text"), Value::from("s"));
    let errors = host.errors.borrow();
    assert_eq!(errors[0].0, Value::from("e"));
    assert_eq!(errors[0].1.as_ref().unwrap().get("topic"), Value::from("t"));
}

#[test]
fn context_in_every_form() {
    let text = payload(
        "context.set('a', 1); flow.set(['b','c'], [2]); global.set('o.p', {q: 3});
         let seen; flow.get('b', (err, value) => { seen = value; });
         msg.payload = [context.get('a'), flow.get(['b','c']), global.get('o.p.q'), seen, context.flow.get('b'),
           flow.keys(), global.get('seed.a'), context.get('none'), flow.incr('n', 2), flow.incr('n'), flow.cas('n', 3, 9), flow.get('n')];
         return msg;",
        "{}",
    );
    assert_eq!(text, r#"[1,[2,null],3,2,2,["b","c"],5,null,2,3,true,9]"#);
    let (code, host) = function("context.get('a', 'memory', 'callback')");
    code.receive(msg("{}"));
    assert!(host.errors.borrow()[0].0.to_text().contains("Callback must be a function"));
}

#[test]
fn objects_of_memory_context_can_be_changed_in_place() {
    let host = new_host();
    host.contexts.scope(flotilla_engine::context::ScopeKey::flow("tab")).set("list", json("[1]"), None).unwrap();
    let code = with_host(&host, "", "flow.get('list').push(2); return msg;", "");
    code.receive(msg("{}"));
    code.receive(msg("{}"));
    let stored = host.contexts.scope(flotilla_engine::context::ScopeKey::flow("tab")).get("list", None).unwrap();
    assert_eq!(show(&stored), "[1,2,2]");
}

#[test]
fn the_environment_and_settings() {
    assert_eq!(eval("env.get('PLACE') + env.get('NONE')"), "hereundefined");
}
