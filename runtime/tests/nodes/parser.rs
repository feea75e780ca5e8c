//! csv, html, json, xml, yaml.

use flotilla_value::{Object, Value};
use proptest::prelude::*;

use crate::flow::Flow;

#[test]
fn csv_rows_come_one_by_one_as_a_sequence() {
    let flow = Flow::of(r#"{"type":"csv","hdrin":true,"multi":"one"}"#);
    flow.send(r#"{"_msgid":"m","payload":"a,b\n1,x\n2,\"y,z\"\n"}"#);
    assert_eq!(flow.payloads(2), r#"[{"a":1,"b":"x"},{"a":2,"b":"y,z"}]"#);
    let parts = flow.messages(2)[1].get("parts");
    assert_eq!((parts.get("id"), parts.get("index"), parts.get("count")), ("m".into(), 1.0.into(), 2.0.into()));
    assert_eq!(flow.messages(2)[0].get("columns"), Value::from("a,b"));
    assert_eq!(flow.settled().completed, 1);
}

#[test]
fn csv_parts_of_a_file_stay_open_until_all_rows_are_out() {
    let flow = Flow::of(r#"{"type":"csv","temp":"a","multi":"mult"}"#);
    flow.send(r#"{"payload":"1","parts":{"id":"f","index":0,"count":2}}"#);
    flow.send(r#"{"payload":"2","parts":{"id":"f","index":1,"count":2}}"#);
    assert_eq!(flow.payloads(1), r#"[[{"a":1},{"a":2}]]"#);
    assert_eq!(flow.settled().completed, 2);
}

#[test]
fn csv_in_rfc_mode_refuses_a_malformed_header() {
    let flow = Flow::of(r#"{"type":"csv","spec":"rfc","hdrin":true,"multi":"one"}"#);
    flow.send(r#"{"payload":"a\"b,c\n1,2\n"}"#);
    assert_eq!(flow.settled().failed, 1);
    flow.logged("UnquotedQuoteError: Quote found in the middle of an unquoted field");
}

#[test]
fn csv_is_written_with_a_header_once() {
    let flow = Flow::of(r#"{"type":"csv","temp":"b,a","hdrout":"once","ret":"\\r\\n"}"#);
    flow.send(r#"{"payload":{"a":1,"b":"x\"y"}}"#);
    flow.send(r#"{"payload":[{"a":2,"b":null}]}"#);
    assert_eq!(flow.payloads(2), r#"["b,a\r\n\"x\"\"y\",1\r\n","null,2\r\n"]"#);
}

#[test]
fn html_gives_parts_of_a_page() {
    let page = r#"{"payload":"<ul><li class='x'>a &amp; b</li><li>c</li></ul>"}"#;
    let flow = Flow::of(r#"{"type":"html","tag":"li","ret":"text","as":"multi"}"#);
    flow.send(page);
    assert_eq!(flow.payloads(2), r#"["a & b","c"]"#);
    let flow = Flow::of(r#"{"type":"html","tag":"li:first","ret":"compl","as":"single","chr":"v"}"#);
    flow.send(page);
    assert_eq!(flow.payloads(1), r#"[[{"v":"a &amp; b","class":"x"}]]"#);
}

#[test]
fn json_both_ways_and_checked() {
    let flow = Flow::of(r#"{"type":"json","action":""}"#);
    flow.send(r#"{"payload":"{\"a\":[1]}"}"#);
    flow.send(r#"{"payload":{"a":[1]}}"#);
    assert_eq!(flow.payloads(2), r#"[{"a":[1]},"{\"a\":[1]}"]"#);
    flow.send(r#"{"payload":{"a":"x"},"schema":{"properties":{"a":{"type":"number"}}}}"#);
    flow.logged("json.errors.schema-error: data/a must be number");
    flow.send(r#"{"payload":"nope"}"#);
    flow.logged("Unexpected token 'o'");
    assert_eq!(flow.settled().failed, 2);
}

#[test]
fn xml_both_ways() {
    let flow = Flow::of(r##"{"type":"xml","attr":"@","chr":"#"}"##);
    flow.send(r#"{"payload":"<a k=\"v\">t</a>"}"#);
    flow.send(r#"{"payload":{"a":{"$":{"k":"v"},"_":"t"}}}"#);
    let head = r#"<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>"#;
    assert_eq!(flow.payloads(2), format!(r##"[{{"a":{{"#":"t","@":{{"k":"v"}}}}}},"{head}<a k=\"v\">t</a>"]"##));
}

#[test]
fn yaml_both_ways() {
    let flow = Flow::of(r#"{"type":"yaml"}"#);
    flow.send(r#"{"payload":"a: [1, yes]\n"}"#);
    flow.send(r#"{"payload":{"a":[1,"yes"]}}"#);
    assert_eq!(flow.payloads(2), r#"[{"a":[1,"yes"]},"a:\n  - 1\n  - 'yes'\n"]"#);
    flow.send(r#"{"payload":true}"#);
    flow.logged("yaml.errors.dropped");
}

/// Payloads of every kind.
pub fn payload() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Undefined),
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<f64>().prop_map(Value::Number),
        "[ -~é\n]{0,20}".prop_map(Value::from),
        "[a-z,\"<>:{}=\n -]{0,30}".prop_map(Value::from),
        any::<Vec<u8>>().prop_map(|bytes| Value::Buffer(bytes.into())),
        any::<f64>().prop_map(Value::Date),
        Just(Value::Circular(1)),
        Just(Value::Function("f".into())),
        Just(Value::BigInt("12".into())),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::array),
            prop::collection::vec(("[a-z$_]{1,3}", inner.clone()), 0..4)
                .prop_map(|pairs| Value::from(pairs.into_iter().collect::<Object>())),
            prop::collection::vec(inner, 0..3).prop_map(|items| Value::Set(items.into())),
        ]
    })
}

/// Sends payloads of every kind to a node; it must settle each of them and live on.
pub fn survives(node: &str) {
    let flow = Flow::of(node);
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(64));
    let checked = runner.run(&(payload(), payload()), |(payload, parts)| {
        let msg: Object = [("payload", payload), ("parts", parts)].into_iter().collect();
        flow.send_value(Value::from(msg));
        Ok(())
    });
    assert!(checked.is_ok(), "{checked:?}");
    flow.send_value(Value::from([("reset", true)].into_iter().collect::<Object>()));
    flow.settled();
}

#[test]
fn payloads_of_every_kind_do_no_harm() {
    for node in [
        r#"{"type":"csv","hdrout":"all"}"#,
        r#"{"type":"csv","spec":"rfc","hdrin":true,"multi":"one"}"#,
        r#"{"type":"html","tag":"a","as":"multi"}"#,
        r#"{"type":"json"}"#,
        r#"{"type":"xml"}"#,
        r#"{"type":"yaml"}"#,
    ] {
        survives(node);
    }
}

#[test]
fn what_is_no_xml_is_refused_in_the_words_of_node_reds_libraries() {
    let said = |payload: Value| {
        let flow = Flow::of(r#"{"type":"xml","property":"payload"}"#);
        flow.send_payload(payload);
        assert_eq!(flow.settled().failed, 1);
        flow.lines().join("\n")
    };
    assert!(said("  6 x".into()).contains("Non-whitespace before first tag.\nLine: 0\nColumn: 3\nChar: 6"));
    assert!(said(Value::Null).contains("TypeError: Cannot convert undefined or null to object"));
    assert!(said(Value::Buffer(b"a".to_vec().into())).contains("Invalid character in name"));
}

#[test]
fn a_csv_error_has_the_name_of_the_one_that_node_red_throws() {
    let flow = Flow::of(r#"{"type":"csv","temp":"a,b"}"#);
    flow.send(r#"{"payload":[null]}"#);
    assert_eq!(flow.settled().failed, 1);
    flow.logged("TypeError: Cannot");
}
