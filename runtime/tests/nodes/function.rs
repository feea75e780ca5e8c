//! change, switch, range, template, delay, trigger, filter, function.

use flotilla_value::Value;

use crate::flow::Flow;

fn change(rules: &str) -> Flow {
    Flow::of(&format!(r#"{{"type":"change","rules":[{rules}]}}"#))
}

#[test]
fn change_applies_its_rules_in_order() {
    let flow = change(
        r#"{"t":"set","p":"payload.n","pt":"msg","to":"41","tot":"num"},
           {"t":"set","p":"payload.sum","pt":"msg","to":"payload.n + 1","tot":"jsonata"},
           {"t":"move","p":"topic","pt":"msg","to":"payload.from","tot":"msg"},
           {"t":"delete","p":"payload.n","pt":"msg"}"#,
    );
    flow.send(r#"{"payload":{},"topic":"here"}"#);
    assert_eq!(flow.payloads(1), r#"[{"sum":42,"from":"here"}]"#);
    assert!(flow.messages(1)[0].get("topic").is_undefined());
}

#[test]
fn change_searches_and_replaces_keeping_types() {
    let flow = change(
        r#"{"t":"change","p":"payload","pt":"msg","from":"(\\d+) of (\\d+)","fromt":"re","to":"$2/$1","tot":"str"}"#,
    );
    flow.send(r#"{"payload":"3 of 4, 1 of 2"}"#);
    assert_eq!(flow.payloads(1), r#"["4/3, 2/1"]"#);
    let flow = change(r#"{"t":"change","p":"payload","pt":"msg","from":"on","fromt":"str","to":"true","tot":"bool"}"#);
    flow.send(r#"{"payload":"on"}"#);
    flow.send(r#"{"payload":"once"}"#);
    assert_eq!(flow.payloads(2), r#"[true,"truece"]"#);
}

#[test]
fn change_keeps_context_between_messages() {
    let flow = change(
        r#"{"t":"set","p":"payload.before","pt":"msg","to":"last","tot":"flow"},
           {"t":"set","p":"last","pt":"flow","to":"topic","tot":"msg"}"#,
    );
    flow.send(r#"{"payload":{},"topic":"a"}"#);
    flow.send(r#"{"payload":{},"topic":"b"}"#);
    assert_eq!(flow.messages(2)[1].get("payload").get("before"), Value::from("a"));
}

#[test]
fn change_with_a_bad_expression_is_an_error_of_the_message() {
    let flow = change(r#"{"t":"set","p":"payload","pt":"msg","to":"$nothing.(","tot":"jsonata"}"#);
    flow.logged("change.errors.invalid-expr");
}

#[test]
fn switch_stops_at_the_first_match_or_goes_on() {
    for (all, expected) in [("true", 2), ("false", 1)] {
        let flow = Flow::of(&format!(
            r#"{{"type":"switch","property":"payload","propertyType":"msg","checkall":"{all}","outputs":1,
                "rules":[{{"t":"gte","v":"5","vt":"num"}},{{"t":"btwn","v":"10","vt":"num","v2":"1","v2t":"num"}},{{"t":"else"}}]}}"#
        ));
        // All three rules lead to different outputs; only the first is wired.
        flow.send(r#"{"payload":7}"#);
        flow.send(r#"{"payload":100}"#);
        assert_eq!(flow.payloads(2), "[7,100]");
        assert_eq!(flow.settled().completed, 2, "{expected}");
    }
}

#[test]
fn switch_tells_types_apart() {
    let flow = Flow::of(
        r#"{"type":"switch","property":"payload","propertyType":"msg","checkall":"false","outputs":1,
            "rules":[{"t":"istype","v":"buffer","vt":"buffer"}]}"#,
    );
    flow.send(r#"{"payload":"text"}"#);
    flow.send_payload(Value::Buffer(b"x".to_vec().into()));
    assert!(matches!(flow.messages(1)[0].get("payload"), Value::Buffer(_)));
    assert_eq!(flow.settled().completed, 2);
}

#[test]
fn range_scales_clamps_and_wraps() {
    for (action, payload, expected) in
        [("scale", 15.0, "[150]"), ("clamp", 15.0, "[100]"), ("roll", 15.0, "[50]"), ("clamp", -3.0, "[0]")]
    {
        let flow = Flow::of(&format!(
            r#"{{"type":"range","minin":"0","maxin":"10","minout":"0","maxout":"100","action":"{action}","round":true}}"#
        ));
        flow.send_payload(Value::from(payload));
        assert_eq!(flow.payloads(1), expected, "{action} {payload}");
    }
    let flow = Flow::of(r#"{"type":"range","minin":"0","maxin":"10","minout":"0","maxout":"1","action":"drop"}"#);
    flow.send(r#"{"payload":11}"#);
    flow.send(r#"{"payload":"5"}"#);
    assert_eq!(flow.payloads(1), "[0.5]");
}

#[test]
fn template_escapes_parses_and_lists() {
    let flow = Flow::of(
        r#"{"type":"template","field":"payload","fieldType":"msg","format":"handlebars","syntax":"mustache",
        "template":"{{payload.a}} {{{payload.a}}}{{#payload.list}}[{{.}}]{{/payload.list}}","output":"str"}"#,
    );
    flow.send(r#"{"payload":{"a":"<b>","list":[1,2]}}"#);
    assert_eq!(flow.payloads(1), r#"["&lt;b&gt; <b>[1][2]"]"#);
    let flow = Flow::of(
        r#"{"type":"template","field":"payload","fieldType":"msg","syntax":"mustache",
        "template":"{\"n\":{{payload}}}","output":"json"}"#,
    );
    flow.send(r#"{"payload":3}"#);
    assert_eq!(flow.payloads(1), r#"[{"n":3}]"#);
    flow.send(r#"{"payload":"}"}"#);
    assert_eq!(flow.settled().failed, 1);
}

#[test]
fn delay_holds_the_delivery_until_flushed_or_reset() {
    let flow = Flow::of(r#"{"type":"delay","pauseType":"delay","timeout":"1","timeoutUnits":"hours"}"#);
    for number in 0..3 {
        flow.send(&format!(r#"{{"payload":{number}}}"#));
    }
    flow.send(r#"{"flush":1}"#);
    assert_eq!(flow.payloads(1), "[0]");
    assert!(flow.open_deliveries() >= 2, "what is held keeps its delivery open");
    flow.send(r#"{"reset":true}"#);
    assert_eq!(flow.settled().in_flight, 0);
}

#[test]
fn a_rate_limit_passes_the_first_and_flushes_the_rest_in_order() {
    let flow =
        Flow::of(r#"{"type":"delay","pauseType":"rate","rate":"1","nbRateUnits":"1","rateUnits":"hour","drop":false}"#);
    for number in 0..4 {
        flow.send(&format!(r#"{{"payload":{number}}}"#));
    }
    assert_eq!(flow.payloads(1), "[0]");
    flow.send(r#"{"flush":true}"#);
    assert_eq!(flow.payloads(4), "[0,1,2,3]");
}

#[test]
fn a_burst_passes_so_many_and_the_rest_goes_to_the_second_output() {
    let nodes = serde_json::json!([
        {"id": "n", "type": "delay", "pauseType": "burst", "rate": "2", "nbRateUnits": "1", "rateUnits": "hour", "outputs": 2,
         "wires": [["out"], ["rest"]]},
        {"id": "rest", "type": "change", "rules": [{"t": "set", "p": "payload", "pt": "msg", "to": "rest", "tot": "str"}],
         "wires": [["out"]]},
    ]);
    let flow = Flow::with(nodes, flotilla_engine::settings::Settings::default()).unwrap();
    for number in 0..4 {
        flow.send(&format!(r#"{{"payload":{number}}}"#));
    }
    assert_eq!(flow.payloads(4), r#"[0,1,"rest","rest"]"#);
    flow.send(r#"{"reset":true}"#);
    flow.send(r#"{"payload":4}"#);
    assert_eq!(flow.payloads(5), r#"[0,1,"rest","rest",4]"#);
    assert_eq!(flow.settled().in_flight, 0, "nothing is held");
    let flow = Flow::of(
        r#"{"type":"delay","pauseType":"burst","rate":"1","nbRateUnits":"0.05","rateUnits":"second","outputs":1}"#,
    );
    flow.send(r#"{"payload":0}"#);
    assert_eq!(flow.payloads(1), "[0]");
    // The span, which began before that.
    std::thread::sleep(std::time::Duration::from_millis(50));
    flow.send(r#"{"payload":1}"#);
    assert_eq!(flow.payloads(2), "[0,1]");
}

#[test]
fn trigger_sends_twice_and_a_reset_stops_the_second() {
    let flow = Flow::of(
        r#"{"type":"trigger","op1":"on","op1type":"str","op2":"off","op2type":"str","duration":"20","units":"ms","extend":"false","outputs":1}"#,
    );
    flow.send("{}");
    assert_eq!(flow.payloads(2), r#"["on","off"]"#);
    let flow = Flow::of(
        r#"{"type":"trigger","op1":"on","op1type":"str","op2":"off","op2type":"str","duration":"1","units":"hr","reset":"stop","outputs":1}"#,
    );
    flow.send("{}");
    flow.send(r#"{"payload":"stop"}"#);
    flow.send("{}");
    assert_eq!(flow.payloads(2), r#"["on","on"]"#);
}

#[test]
fn the_filter_lets_changes_pass() {
    let flow = Flow::of(r#"{"type":"rbe","func":"rbe","property":"payload","septopics":true,"topi":"topic"}"#);
    for (payload, topic) in [(1, "a"), (1, "a"), (1, "b"), (2, "a")] {
        flow.send(&format!(r#"{{"payload":{payload},"topic":"{topic}"}}"#));
    }
    assert_eq!(flow.payloads(3), "[1,1,2]");
    let flow = Flow::of(r#"{"type":"rbe","func":"deadband","gap":"10%","property":"payload"}"#);
    for payload in [100, 105, 120] {
        flow.send(&format!(r#"{{"payload":{payload}}}"#));
    }
    assert_eq!(flow.payloads(2), "[100,120]");
}

#[test]
fn a_function_keeps_what_it_does_not_touch_and_its_context() {
    let flow = Flow::of(
        r#"{"type":"function","outputs":1,"initialize":"context.set('n', 10)",
            "func":"const n = context.get('n') + 1; context.set('n', n); msg.payload.n = n; return [[msg, {payload: n}]]"}"#,
    );
    flow.send(r#"{"payload":{"kept":[1,{"a":null}]}}"#);
    assert_eq!(flow.payloads(2), r#"[{"kept":[1,{"a":null}],"n":11},11]"#);
    let id = |msg: &Value| msg.get("_msgid");
    assert_eq!(id(&flow.messages(2)[0]), id(&flow.messages(2)[1]));
}

#[test]
fn a_function_that_never_ends_is_stopped_and_the_next_message_is_served() {
    let flow =
        Flow::of(r#"{"type":"function","outputs":1,"timeout":"0.1","func":"while (msg.payload) {} return msg"}"#);
    flow.send(r#"{"payload":true}"#);
    flow.send(r#"{"payload":false}"#);
    assert_eq!(flow.payloads(1), "[false]");
    assert_eq!(flow.settled().failed, 1);
}

#[test]
fn a_filter_that_ignores_the_first_value_knows_an_empty_object_as_one() {
    let flow = Flow::of(r#"{"type":"rbe","func":"rbei","property":"payload","topi":"topic"}"#);
    for payload in ["{}", "{}", "\"a\"", "\"a\"", "{}"] {
        flow.send(&format!(r#"{{"payload":{payload}}}"#));
    }
    assert_eq!(flow.payloads(1), r#"["a"]"#);
    assert_eq!(flow.settled().completed, 5);
}

#[test]
fn a_change_that_cannot_be_made_warns_and_one_on_an_array_or_buffer_does_not() {
    let warned = |rule: &str, payload: Value| {
        let flow = Flow::of(&format!(r#"{{"type":"change","rules":[{rule}]}}"#));
        flow.send_payload(payload);
        flow.messages(1);
        flow.settled();
        flow.lines().iter().any(|line| line.contains("no-override"))
    };
    let set = r#"{"t":"set","p":"payload.b","pt":"msg","to":"1","tot":"num"}"#;
    let moved = r#"{"t":"move","p":"payload.a","pt":"msg","to":"payload.b","tot":"msg"}"#;
    for rule in [set, moved] {
        assert!(warned(rule, Value::from("text")), "{rule}");
        assert!(!warned(rule, Value::object()), "{rule}");
        assert!(!warned(rule, Value::array(vec![1.0.into()])), "{rule}");
        assert!(!warned(rule, Value::Buffer(b"bytes".to_vec().into())), "{rule}");
    }
}

#[test]
fn the_memory_of_scripts_follows_the_settings() {
    let code = "msg.payload = new ArrayBuffer(msg.payload).byteLength; return msg;";
    let flow = Flow::of(&format!(r#"{{"type":"function","func":"{code}"}}"#));
    flow.send(r#"{"payload":40000000}"#);
    assert_eq!(flow.payloads(1), "[40000000]");
    flow.set("functionMemoryLimit", 16.into());
    flow.send(r#"{"payload":40000000}"#);
    flow.send(r#"{"payload":1000}"#);
    assert_eq!(flow.payloads(2), "[40000000,1000]");
    flow.set("functionMemoryLimit", 100.into());
    flow.send(r#"{"payload":80000000}"#);
    assert_eq!(flow.payloads(3), "[40000000,1000,80000000]");
}
