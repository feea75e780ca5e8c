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
fn what_only_changes_an_undeclared_variable_throws_as_in_node_js() {
    for change in ["count += 1", "count++", "--count", "count ||= 1", "count ??= 1", "count &&= 1", "count **= 2"] {
        let body = format!(
            "try {{ {change}; msg.payload = 'none'; }} catch (e) {{ msg.payload = `${{e.name}}: ${{e.message}}`; }} return msg;"
        );
        let (code, host) = function(&body);
        for _ in 0..2 {
            code.receive(msg("{}"));
            let last = show(&host.sent.borrow().last().expect("the function sends a message").1.get("payload"));
            assert_eq!(last, "\"ReferenceError: count is not defined\"", "{change}");
        }
    }
    let (code, host) = function("count += 1; return msg;");
    code.receive(msg("{}"));
    let errors = host.errors.borrow();
    assert_eq!(show(&errors[0].0.get("message")), "\"ReferenceError: count is not defined (line 1, col 1)\"");
    // A declaration of one's own, what another part makes, a parameter, and a built-in are there.
    assert_eq!(payload("var n; n ??= 4; n += 1; msg.payload = n; return msg;", "{}"), "5");
    assert_eq!(payload("const f = (n) => { n += 1; return n; }; msg.payload = f(1); return msg;", "{}"), "2");
    assert_eq!(payload("eval('n = 1'); n += 1; msg.payload = n; return msg;", "{}"), "2");
    assert_eq!(payload("parseInt &&= (x) => x + '!'; msg.payload = parseInt('1'); return msg;", "{}"), "\"1!\"");
    assert_eq!(payload("msg.payload = [typeof n, parseInt('1')]; return msg;", "{}"), r#"["undefined",1]"#);
    // Of one that is made elsewhere it is not known whether that was before: `docs/compatibility.md`.
    assert_eq!(payload("n += 1; msg.payload = Number.isNaN(n); n = 1; return msg;", "{}"), "true");
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
