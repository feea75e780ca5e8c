//! Nodes of the palette's first category, and how errors, statuses and links travel.

use flotilla_value::Value;

use crate::flow::Flow;

/// A function node `n` and more nodes; what is wired to `out` is seen.
fn around(func: &str, more: &str) -> Flow {
    Flow::new(&format!(
        r#"[{{"id":"t","type":"tab","label":"tab"}},
            {{"id":"n","z":"t","type":"function","name":"source","func":{},"outputs":1,"x":1,"y":1,"wires":[["l"]]}},
            {{"id":"out","z":"t","type":"sink","x":1,"y":1,"wires":[]}},
            {more}]"#,
        serde_json::Value::from(func)
    ))
}

#[test]
fn catch_hears_of_errors_with_their_source_and_the_delivery_is_fine() {
    let flow = around(
        "throw new Error('no ' + msg.payload)",
        r#"{"id":"c","z":"t","type":"catch","scope":null,"x":1,"y":1,"wires":[["out"]]}"#,
    );
    flow.send(r#"{"payload":"luck"}"#);
    let error = flow.messages(1)[0].get("error");
    assert_eq!(error.get("message"), Value::from("Error: no luck"));
    assert_eq!(error.get("source").get("id"), Value::from("n"));
    assert_eq!(error.get("source").get("name"), Value::from("source"));
    assert_eq!(error.get("source").get("count"), Value::from(1.0));
    assert_eq!(flow.settled().failed, 0);
}

#[test]
fn an_error_that_nobody_catches_is_logged_and_fails_the_delivery() {
    let flow = around("throw new Error('alone')", r#"{"id":"x","z":"t","type":"comment"}"#);
    flow.send("{}");
    flow.logged("Error: alone");
    assert_eq!(flow.settled().failed, 1);
}

#[test]
fn the_catch_for_what_is_left_hears_only_what_no_other_took() {
    let flow = around(
        "node.error('mine', msg)",
        r#"{"id":"a","z":"t","type":"catch","scope":["n"],"x":1,"y":1,"wires":[["named"]]},
           {"id":"b","z":"t","type":"catch","uncaught":true,"x":1,"y":1,"wires":[["rest"]]},
           {"id":"named","z":"t","type":"change","rules":[{"t":"set","p":"by","pt":"msg","to":"named","tot":"str"}],
            "x":1,"y":1,"wires":[["out"]]},
           {"id":"rest","z":"t","type":"change","rules":[{"t":"set","p":"by","pt":"msg","to":"rest","tot":"str"}],
            "x":1,"y":1,"wires":[["out"]]}"#,
    );
    flow.send("{}");
    flow.send("{}");
    let by: Vec<Value> = flow.messages(2).iter().map(|msg| msg.get("by")).collect();
    assert_eq!(by, [Value::from("named"), Value::from("named")]);
    assert_eq!(flow.settled().completed, 2);
}

#[test]
fn the_catch_for_what_is_left_waits_wherever_it_stands_in_the_document() {
    let to = |id: &str| {
        format!(
            r#"{{"id":"{id}","z":"t","type":"change","rules":[{{"t":"set","p":"by","pt":"msg","to":"{id}","tot":"str"}}],
               "x":1,"y":1,"wires":[["out"]]}}"#
        )
    };
    let flow = around(
        "node.error('mine', msg)",
        &[
            r#"{"id":"b","z":"t","type":"catch","scope":null,"uncaught":true,"x":1,"y":1,"wires":[["rest"]]}"#,
            r#"{"id":"a","z":"t","type":"catch","scope":null,"uncaught":false,"x":1,"y":1,"wires":[["all"]]}"#,
            r#"{"id":"c","z":"t","type":"catch","scope":["n"],"uncaught":false,"x":1,"y":1,"wires":[["named"]]}"#,
            &to("rest"),
            &to("all"),
            &to("named"),
        ]
        .join(","),
    );
    flow.send("{}");
    flow.send("{}");
    let by: Vec<Value> = flow.messages(4).iter().map(|msg| msg.get("by")).collect();
    assert_eq!(by, ["named", "all", "named", "all"].map(Value::from));
    assert_eq!(flow.settled().completed, 2);
}

#[test]
fn complete_carries_the_message_as_the_function_left_it() {
    for (func, seen) in [
        ("msg.payload = 'x';", "x"),
        ("msg.payload = 'x'; return { payload: 'new' };", "x"),
        ("msg.payload = 'x'; msg = { payload: 'other' }; return msg;", "x"),
        ("msg.payload = 'x'; return [msg, null];", "x"),
        ("msg.payload = 'x'; await null;", "x"),
        ("msg.payload = 'x'; setTimeout(() => { msg.payload += 'y'; node.done(); }, 1);", "xy"),
    ] {
        let flow = Flow::new(&format!(
            r#"[{{"id":"t","type":"tab"}},{{"id":"n","z":"t","type":"function","func":{},"outputs":1,"x":1,"y":1,"wires":[[]]}},
                {{"id":"d","z":"t","type":"complete","scope":["n"],"x":1,"y":1,"wires":[["out"]]}},
                {{"id":"out","z":"t","type":"sink","x":1,"y":1,"wires":[]}}]"#,
            serde_json::Value::from(func)
        ));
        flow.send(r#"{"payload":"as it came"}"#);
        assert_eq!(flow.messages(1)[0].get("payload"), Value::from(seen), "{func}");
        assert_eq!(flow.settled().completed, 1);
    }
}

#[test]
fn status_and_complete_are_heard() {
    let flow = around(
        "node.status({fill:'red',shape:'dot',text:'t' + msg.payload}); node.done()",
        r#"{"id":"s","z":"t","type":"status","scope":["n"],"x":1,"y":1,"wires":[["out"]]},
           {"id":"k","z":"t","type":"complete","scope":["n"],"x":1,"y":1,"wires":[["out"]]}"#,
    );
    flow.send(r#"{"payload":7}"#);
    let heard = flow.messages(2);
    let status = heard.iter().map(|msg| msg.get("status")).find(|status| !status.is_undefined()).unwrap();
    assert_eq!(status.get("text"), Value::from("t7"));
    assert_eq!(status.get("source").get("type"), Value::from("function"));
    assert!(heard.iter().any(|msg| msg.get("payload") == Value::from(7.0)));
}

#[test]
fn a_link_call_comes_back_to_where_it_was_called() {
    let flow = around(
        "return msg",
        r#"{"id":"l","z":"t","type":"link call","links":["in"],"linkType":"static","timeout":"5","x":1,"y":1,
            "wires":[["out"]]},
           {"id":"in","z":"t","type":"link in","links":[],"x":1,"y":1,"wires":[["double"]]},
           {"id":"double","z":"t","type":"function","func":"msg.payload *= 2; return msg","outputs":1,"x":1,"y":1,
            "wires":[["back"]]},
           {"id":"back","z":"t","type":"link out","mode":"return","links":[],"x":1,"y":1,"wires":[]}"#,
    );
    flow.send(r#"{"payload":4}"#);
    assert_eq!(flow.payloads(1), "[8]");
    assert!(flow.messages(1)[0].get("_linkSource").is_undefined());
    assert_eq!(flow.settled().completed, 1);
}

#[test]
fn an_instance_passes_its_variables_in_and_errors_out() {
    let flow = Flow::new(
        r#"[{"id":"t","type":"tab","label":"tab","env":[{"name":"OUTER","type":"str","value":"o"}]},
            {"id":"g","type":"global-config","env":[{"name":"G","type":"jsonata","value":"1 + 1"}]},
            {"id":"s","type":"subflow","name":"S","in":[{"x":1,"y":1,"wires":[{"id":"f"}]}],
             "out":[{"x":1,"y":1,"wires":[{"id":"f","port":0}]}],
             "env":[{"name":"A","type":"num","value":"5"},{"name":"B","type":"env","value":"A"},
                    {"name":"OUTER","type":"env","value":"OUTER"}]},
            {"id":"f","z":"s","type":"function","outputs":1,"x":1,"y":1,"wires":[[]],
             "func":"msg.payload = [env.get('A'), env.get('B'), env.get('OUTER'), env.get('G')]; return msg"},
            {"id":"n","z":"t","type":"subflow:s","x":1,"y":1,"env":[{"name":"A","type":"num","value":"6"}],"wires":[["out"]]},
            {"id":"out","z":"t","type":"sink","x":1,"y":1,"wires":[]}]"#,
    );
    flow.send("{}");
    assert_eq!(flow.payloads(1), r#"[[6,6,"o",2]]"#);
}
