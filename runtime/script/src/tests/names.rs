//! Whose variables are whose.

use super::host::{function, msg, new_host, payload, show, with_host};

#[test]
fn undeclared_variables_stay_with_their_node() {
    let (one, host) =
        function("count = (typeof count === 'undefined' ? 0 : count) + 1; msg.payload = count; return msg;");
    one.receive(msg("{}"));
    one.receive(msg("{}"));
    let (other, seen) = function("msg.payload = typeof count; this.leak = 1; globalThis.leak2 = 2; return msg;");
    other.receive(msg("{}"));
    assert_eq!(show(&host.sent.borrow()[1].1.get("payload")), "2");
    assert_eq!(show(&seen.sent.borrow()[0].1.get("payload")), "\"undefined\"");
    assert_eq!(
        payload("msg.payload = [typeof leak, typeof leak2, typeof globalThis.leak]; return msg;", "{}"),
        r#"["undefined","undefined","undefined"]"#
    );
}

#[test]
fn on_start_and_on_stop_share_variables_with_the_body() {
    let host = new_host();
    let code =
        with_host(&host, "n = 40; node.log('start')", "n += 1; msg.payload = n; return msg;", "node.log('stop ' + n)");
    code.start(|result| assert_eq!(result, Ok(())));
    code.receive(msg("{}"));
    drop(code.close(true));
    assert_eq!(show(&host.sent.borrow()[0].1.get("payload")), "41");
    let logs: Vec<String> = host.logs.borrow().iter().map(|(_, text)| text.to_text().to_string()).collect();
    assert_eq!(logs, ["start", "stop 41"]);
}

#[test]
fn strict_mode_is_not_forced() {
    assert_eq!(payload("var o = {a:1}; with (o) { msg.payload = a + 010; } return msg;", "{}"), "9");
}

#[test]
fn jsonata_expressions_are_evaluated() {
    let body = "const e = RED.util.prepareJSONataExpression('payload.a + 1 & $env(\"PLACE\") & $flowContext(\"k\")', node); \
        flow.set('k', '!'); RED.util.evaluateJSONataExpression(e, msg, (error, value) => node.send({payload: [error, value]}));";
    assert_eq!(payload(body, r#"{"payload":{"a":1}}"#), r#"[null,"2here!"]"#);
    let body = "RED.util.evaluateNodeProperty('msg.payload.a', 'jsonata', node, msg, (error, value) => node.send({payload: [error, value]}));";
    assert_eq!(payload(body, r#"{"payload":{"a":1}}"#), "[null,1]");
    let body = "try { RED.util.prepareJSONataExpression('a.('); } catch (error) { return {payload: [error instanceof Error]} }";
    assert_eq!(payload(body, "{}"), "[true]");
    let body = "const e = RED.util.prepareJSONataExpression('$x + 1'); e.assign('x', 2); return {payload: [await e.evaluate({}), await e.evaluate({}, {x: 5})]};";
    assert_eq!(payload(body, "{}"), "[3,6]");
}
