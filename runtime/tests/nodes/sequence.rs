//! split, join, sort, batch.

use flotilla_value::Value;

use crate::flow::Flow;
use crate::parser::survives;

#[test]
fn split_names_its_parts() {
    let flow = Flow::of(r#"{"type":"split","splt":"\\n","spltType":"str","arraySplt":2,"addname":"topic"}"#);
    flow.send(r#"{"payload":"a\nb"}"#);
    flow.send(r#"{"payload":[1,2,3],"parts":{"id":"outer"}}"#);
    flow.send(r#"{"payload":{"k":"v"}}"#);
    assert_eq!(flow.payloads(5), r#"["a","b",[1,2],[3],"v"]"#);
    let messages = flow.messages(5);
    assert_eq!(messages[1].get("parts").get("ch"), Value::from("\n"));
    assert_eq!(messages[3].get("parts").get("parts").get("id"), Value::from("outer"));
    assert_eq!(messages[4].get("topic"), Value::from("k"));
    assert_ne!(messages[0].get("_msgid"), messages[1].get("_msgid"));
    assert_eq!(flow.settled().completed, 3);
}

#[test]
fn split_of_a_stream_keeps_the_end_and_its_delivery() {
    let flow = Flow::of(r#"{"type":"split","splt":"\\n","spltType":"str","stream":true}"#);
    flow.send(r#"{"payload":"a\nb"}"#);
    assert_eq!(flow.payloads(1), r#"["a"]"#);
    assert_eq!(flow.open_deliveries(), 1);
    flow.send(r#"{"payload":"c\n"}"#);
    assert_eq!(flow.payloads(2), r#"["a","bc"]"#);
    assert_eq!(flow.settled().completed, 2);
}

#[test]
fn split_of_a_stream_by_length_leaves_nothing_over_when_it_comes_out_even() {
    let flow = Flow::of(r#"{"type":"split","splt":"2","spltType":"len","stream":true}"#);
    flow.send(r#"{"payload":"abcd"}"#);
    flow.send(r#"{"payload":"efg"}"#);
    assert_eq!(flow.payloads(3), r#"["ab","cd","ef"]"#);
    assert_eq!(flow.open_deliveries(), 1);
    flow.send(r#"{"payload":"h"}"#);
    assert_eq!(flow.payloads(4), r#"["ab","cd","ef","gh"]"#);
    assert_eq!(flow.settled().completed, 3);
}

#[test]
fn split_cuts_buffers() {
    let flow = Flow::of(r#"{"type":"split","splt":"[10]","spltType":"bin"}"#);
    flow.send_payload(Value::Buffer("a\nb\n".into()));
    let messages = flow.messages(2);
    assert_eq!(messages[1].get("payload"), Value::Buffer("b".into()));
    assert_eq!(messages[1].get("parts").get("count"), Value::Number(2.0));
}

#[test]
fn join_holds_its_parts_until_all_are_there() {
    let flow = Flow::of(r#"{"type":"join","mode":"auto"}"#);
    flow.send(r#"{"payload":"b","parts":{"id":"s","type":"string","ch":"-","index":1,"count":2}}"#);
    flow.send(r#"{"payload":"x","parts":{"id":"o","type":"object","key":"k","index":0,"count":2}}"#);
    flow.send(
        r#"{"payload":"a","parts":{"id":"s","type":"string","ch":"-","index":0,"count":2,"parts":{"id":"outer"}}}"#,
    );
    assert_eq!(flow.payloads(1), r#"["a-b"]"#);
    assert_eq!(flow.messages(1)[0].get("parts").get("id"), Value::from("outer"));
    flow.send(r#"{"payload":"y","parts":{"id":"o","type":"object","key":"l","index":1,"count":2}}"#);
    assert_eq!(flow.payloads(2), r#"["a-b",{"k":"x","l":"y"}]"#);
    assert_eq!(flow.settled().completed, 4);
}

#[test]
fn join_by_the_nodes_own_rules() {
    let flow =
        Flow::of(r#"{"type":"join","mode":"custom","build":"object","key":"topic","count":"2","accumulate":true}"#);
    for (topic, payload) in [("a", 1), ("b", 2), ("a", 3)] {
        flow.send(&format!(r#"{{"topic":"{topic}","payload":{payload}}}"#));
    }
    assert_eq!(flow.payloads(2), r#"[{"a":1,"b":2},{"a":3,"b":2}]"#);
    flow.settled();
    let flow = Flow::of(r#"{"type":"join","mode":"custom","build":"merged","count":""}"#);
    flow.send(r#"{"payload":{"a":1}}"#);
    flow.send(r#"{"payload":{"b":2},"complete":true}"#);
    assert_eq!(flow.payloads(1), r#"[{"a":1,"b":2}]"#);
    let flow = Flow::of(r#"{"type":"join","mode":"custom","build":"array","timeout":"0.01","count":""}"#);
    flow.send(r#"{"payload":1}"#);
    assert_eq!(flow.payloads(1), "[[1]]");
}

#[test]
fn join_by_expressions() {
    let flow = Flow::of(
        r#"{"type":"join","mode":"reduce","reduceExp":"$A+payload*$I","reduceInit":"1","reduceInitType":"num","reduceFixup":"$A/$N"}"#,
    );
    flow.send(r#"{"payload":5,"parts":{"id":"g","index":1,"count":2}}"#);
    flow.send(r#"{"payload":9,"parts":{"id":"g","index":0,"count":2}}"#);
    assert_eq!(flow.payloads(1), "[3]");
    assert_eq!(flow.settled().completed, 2);
}

#[test]
fn sort_of_arrays_and_sequences() {
    let flow = Flow::of(
        r#"{"type":"sort","target":"payload","targetType":"msg","msgKeyType":"elem","as_num":true,"order":"descending"}"#,
    );
    flow.send(r#"{"payload":["10",9,"1"]}"#);
    assert_eq!(flow.payloads(1), r#"[["10",9,"1"]]"#);
    let flow = Flow::of(
        r#"{"type":"sort","target":"payload","targetType":"msg","msgKey":"v","msgKeyType":"jsonata","order":"ascending"}"#,
    );
    flow.send(r#"{"payload":[{"v":"b"},{"v":"a"}]}"#);
    assert_eq!(flow.payloads(1), r#"[[{"v":"a"},{"v":"b"}]]"#);
    let flow = Flow::of(r#"{"type":"sort","target":"","targetType":"seq","seqKey":"topic","seqKeyType":"msg"}"#);
    for (topic, index) in [("b", 0), ("a", 1)] {
        flow.send(&format!(
            r#"{{"topic":"{topic}","payload":{index},"parts":{{"id":"s","index":{index},"count":2}}}}"#
        ));
    }
    assert_eq!(flow.payloads(2), "[1,0]");
    assert_eq!(flow.messages(2)[0].get("parts").get("index"), Value::Number(0.0));
    assert_eq!(flow.settled().completed, 2);
}

#[test]
fn batch_by_count_with_an_overlap() {
    let flow = Flow::of(r#"{"type":"batch","mode":"count","count":"2","overlap":"1"}"#);
    for payload in 1..=3 {
        flow.send(&format!(r#"{{"payload":{payload}}}"#));
    }
    assert_eq!(flow.payloads(4), "[1,2,2,3]");
    assert_eq!(flow.open_deliveries(), 1, "the last message is kept for the next batch");
    flow.send(r#"{"reset":true}"#);
    assert_eq!(flow.settled().completed, 4);
}

#[test]
fn batch_by_topic_and_by_time() {
    let flow = Flow::of(r#"{"type":"batch","mode":"concat","topics":[{"topic":"B"},{"topic":"A"}]}"#);
    for topic in ["A", "B"] {
        flow.send(&format!(
            r#"{{"topic":"{topic}","payload":"{topic}","parts":{{"id":"{topic}","index":0,"count":1}}}}"#
        ));
    }
    assert_eq!(flow.payloads(2), r#"["B","A"]"#);
    assert_eq!(flow.settled().completed, 2);
    let flow = Flow::of(r#"{"type":"batch","mode":"interval","interval":"0.02"}"#);
    flow.send(r#"{"payload":1}"#);
    assert_eq!(flow.payloads(1), "[1]");
    assert_eq!(flow.settled().completed, 1);
}

#[test]
fn payloads_of_every_kind_do_no_harm() {
    for node in [
        r#"{"type":"split","splt":"2","spltType":"len","stream":false}"#,
        r#"{"type":"join","mode":"custom","build":"string","count":"2","joiner":",","useparts":false}"#,
        r#"{"type":"join","mode":"custom","build":"buffer","count":"1"}"#,
        r#"{"type":"sort","target":"payload","targetType":"msg","msgKeyType":"elem"}"#,
        r#"{"type":"batch","mode":"count","count":"3"}"#,
    ] {
        survives(node);
    }
}
