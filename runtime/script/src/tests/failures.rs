//! What goes wrong, and that nothing else does.

use std::time::{Duration, Instant};

use super::host::{function, msg, new_host, payload};
use crate::{FunctionScript, Script, Source};
use flotilla_value::Value;

fn error_of(body: &str) -> Value {
    let (code, host) = function(body);
    code.receive(msg(r#"{"payload":1}"#));
    let errors = host.errors.borrow();
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert!(errors[0].1.is_some(), "the error is about the message");
    assert!(host.done.borrow().is_empty(), "a failed message is not done");
    errors[0].0.clone()
}

#[test]
fn errors_say_what_and_where_in_v8s_words() {
    assert_eq!(
        error_of("var a = 1;\nretunr").get("message"),
        Value::from("ReferenceError: retunr is not defined (line 2, col 1)")
    );
    let error = error_of("var a;\nreturn a.x.y;");
    assert_eq!(error.get("name"), Value::from("TypeError"));
    let message = error.get("message").to_text();
    assert_eq!(
        message, "Cannot read properties of undefined (reading 'x')",
        "the place is told of ReferenceErrors only"
    );
    assert_eq!(error_of("throw new Error('mine')").to_text(), "Error: mine");
    assert_eq!(error_of("throw 'small'"), Value::from("small"));
    assert_eq!(error_of("throw 99"), Value::from("99"));
    assert_eq!(error_of("throw {a:1}"), Value::from(r#"{"a":1}"#));
    assert_eq!(error_of("await 1; throw new Error('later')").to_text(), "Error: later");
}

#[test]
fn code_that_does_not_compile_is_refused_with_its_place() {
    let source = Source::new("var ok = 1;\nvar x = = 2;", "", "", Vec::new(), true);
    let error = FunctionScript::new(Script::current().unwrap(), new_host(), source).err().expect("does not compile");
    assert_eq!(error.get("name"), Value::from("SyntaxError"));
    let message = error.get("message").to_text();
    assert!(message.contains("(line 2, col "), "{message}");
}

#[test]
fn an_endless_loop_fails_its_message_only() {
    let (code, host) = function("if (msg.payload === 1) { while (true) {} } return msg;");
    host.limit.set(Duration::from_millis(30));
    let begun = Instant::now();
    code.receive(msg(r#"{"payload":1}"#));
    assert!(begun.elapsed() < Duration::from_secs(10));
    let error = host.errors.borrow()[0].0.clone();
    assert_eq!(error.get("message"), Value::from("Script execution timed out after 30ms"));
    code.receive(msg(r#"{"payload":2}"#));
    assert_eq!(host.sent.borrow().len(), 1, "the next message runs");
}

#[test]
fn an_endless_promise_chain_is_stopped_too() {
    let (code, host) = function("(async () => { for (;;) await null; })(); return msg;");
    host.limit.set(Duration::from_millis(30));
    code.receive(msg("{}"));
    assert!(host.errors.borrow().iter().any(|(error, _)| error.to_text().contains("timed out")));
    assert_eq!(payload("msg.payload = 1; return msg;", "{}"), "1");
}

#[test]
fn running_out_of_memory_fails_its_message_only() {
    let (code, host) = function(
        "if (msg.payload === 1) { keep = []; for (;;) keep.push(new Array(1000).fill(7)); } msg.payload = typeof keep; return msg;",
    );
    code.receive(msg(r#"{"payload":1}"#));
    let error = host.errors.borrow()[0].0.clone();
    assert_eq!(error.get("code"), Value::from("ERR_SCRIPT_OUT_OF_MEMORY"), "{error:?}");
    code.receive(msg(r#"{"payload":2}"#));
    assert_eq!(host.sent.borrow()[0].1.get("payload"), Value::from("undefined"), "the node's variables were reset");
    let (code, host) = function("return {payload: 'x'.repeat(1e9)};");
    code.receive(msg("{}"));
    assert_eq!(host.errors.borrow().len(), 1);
    assert_eq!(payload("msg.payload = 1; return msg;", "{}"), "1");
}

#[test]
fn deep_recursion_is_an_error() {
    let error = error_of("function f() { return f() + 1; } return f();");
    assert!(error.to_text().contains("Maximum call stack size exceeded"), "{error:?}");
}

#[test]
fn what_nobody_handles_is_reported() {
    let (code, host) = function("Promise.reject(new Error('lost')); return msg;");
    code.receive(msg("{}"));
    assert_eq!(host.sent.borrow().len(), 1);
    assert_eq!(host.errors.borrow()[0].0.to_text(), "Error: lost");
    let (code, host) = function("Promise.reject(new Error('x')).catch(() => {}); return msg;");
    code.receive(msg("{}"));
    assert!(host.errors.borrow().is_empty());
}

#[test]
fn modules_of_node_js_are_refused_by_name() {
    let error = error_of("require('fs')");
    assert!(error.to_text().contains("Module fs is part of Node.js and not available here"), "{error:?}");
    let error = error_of("require('left-pad')");
    assert!(error.to_text().contains("--node-modules"), "{error:?}");
}
