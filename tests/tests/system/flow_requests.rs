//! `flotilla test` with requests: `http in` and `http response` run for real, over a connection that stays in memory.

use std::path::Path;
use std::process::Command;

use flotilla_tests::{example, flotilla};

/// Standard output, standard error and the exit code.
fn run(tests: &Path) -> (String, String, Option<i32>) {
    let ended =
        Command::new(flotilla().unwrap()).arg("test").arg(example("http-api.json")).arg(tests).output().unwrap();
    (String::from_utf8(ended.stdout).unwrap(), String::from_utf8(ended.stderr).unwrap(), ended.status.code())
}

/// The same for one test that is written here.
fn run_test(test: &str) -> (String, String, Option<i32>) {
    let dir = tempfile::TempDir::new().unwrap();
    let file = dir.path().join("t.json");
    std::fs::write(&file, format!(r#"{{"timeout": 2, "tests": [{{"name": "a", {test}}}]}}"#)).unwrap();
    run(&file)
}

#[test]
fn the_example_passes() {
    let (out, err, code) = run(&example("http-api.tests.json"));
    assert_eq!((code, err.as_str()), (Some(0), ""), "{out}");
    assert!(out.contains("2 of 2 passed"), "{out}");
}

#[test]
fn an_answer_that_differs_is_told_with_what_came() {
    for (expected, told) in [
        (r#"{"status": 201}"#, "the answer to request 1: status: expected 201"),
        (r#"{"headers": {"Content-Type": "text/html"}}"#, "the answer to request 1: headers.content-type"),
        (r#"{"body": {"name": "x", "hits": 2}}"#, "the answer to request 1: body.hits"),
    ] {
        let request = r#""inject": [{"request": {"url": "/hits/x"}}]"#;
        let (out, err, code) = run_test(&format!(r#"{request}, "expect": [{{"response": {expected}}}]"#));
        assert_eq!(code, Some(1), "{out}{err}");
        assert!(out.contains(told) && out.contains(r#""hits":1"#), "{told}: {out}");
    }
}

#[test]
fn bodies_go_as_they_are_said() {
    let put = |request: &str| {
        let inject = format!(r#""inject": [{{"request": {{"method": "put", "url": "/hits/x", {request}}}}}]"#);
        run_test(&format!(
            r#"{inject}, "expect": [{{"response": {{"status": 200, "body": {{"name": "x", "hits": 5}}}}}}]"#
        ))
    };
    for request in [
        r#""body": {"hits": 5}"#,
        r#""headers": {"content-type": "application/json"}, "body": "{\"hits\": 5}""#,
        r#""headers": {"content-type": "application/json"}, "body": {"$buffer": "eyJoaXRzIjo1fQ=="}"#,
    ] {
        let (out, err, code) = put(request);
        assert_eq!(code, Some(0), "{request}: {out}{err}");
    }
    // A text alone is no JSON to the flow.
    assert_eq!(put(r#""body": "{\"hits\": 5}""#).2, Some(1));
}

#[test]
fn what_cannot_be_sent_is_told_with_its_place() {
    for (test, told) in [
        (r#""inject": [{"request": {"url": "hits"}}], "expect": []"#, "is not a path with its query"),
        (r#""inject": [{"request": {"url": "/a", "method": "G T"}}], "expect": []"#, "is not a method of HTTP"),
        (
            r#""inject": [{"request": {"url": "/a", "headers": {"a b": "c"}}}], "expect": []"#,
            "is not a name of a header",
        ),
        (r#""inject": [{"at": "hit", "request": {"url": "/a"}}], "expect": []"#, "goes with a message that goes in"),
        (r#""expect": [{"response": {"status": 200}}]"#, "expects 1 responses, but 0 requests go in"),
        (r#""live": ["hit"], "expect": []"#, "runs for real in tests that inject a \"request\""),
    ] {
        let (out, err, code) = run_test(test);
        assert_eq!(code, Some(2), "{test}: {out}{err}");
        assert!(err.contains(told), "{told}: {err}");
    }
}
