//! `flotilla review`: what it says of a flow, and its exit codes.

use std::path::{Path, PathBuf};
use std::process::Command;

use flotilla_tests::{example, flotilla};

fn review(file: &Path, args: &[&str]) -> (String, Option<i32>) {
    let ended = Command::new(flotilla().unwrap()).arg("review").arg(file).args(args).output().unwrap();
    let text = [ended.stdout, ended.stderr].concat();
    (String::from_utf8(text).unwrap(), ended.status.code())
}

fn flow(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("flows").join(name)
}

#[test]
fn it_names_every_node_that_differs() {
    let (text, code) = review(&flow("differs.json"), &[]);
    assert_eq!(code, Some(1));
    insta::assert_snapshot!(text);
}

#[test]
fn its_json_is_for_pipelines() {
    let (text, code) = review(&flow("differs.json"), &["--json"]);
    assert_eq!(code, Some(1));
    let findings: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap();
    for finding in findings {
        for field in ["severity", "code", "node", "type", "name", "tab", "what", "advice"] {
            assert!(finding[field].is_string(), "{field} of {finding}");
        }
    }
}

#[test]
fn nothing_to_say_is_exit_0() {
    let dir = tempfile::TempDir::new().unwrap();
    let file = dir.path().join("flows.json");
    std::fs::write(&file, r#"[{"id":"t","type":"tab","label":"T"},{"id":"d","type":"debug","z":"t","wires":[]}]"#)
        .unwrap();
    assert_eq!(review(&file, &[]).1, Some(0));
}

#[test]
fn examples_can_be_reviewed() {
    for name in ["plant.json", "http-api.json", "nightly.json"] {
        let (text, code) = review(&example(name), &[]);
        assert!(matches!(code, Some(0 | 1)), "{name}: {text}");
    }
}

/// A document with a subflow that contains itself, an instance of a subflow that is not there, and an unknown type.
const REFUSED: &str = r#"[{"id":"t","type":"tab","label":"T"},{"id":"s","type":"subflow","name":"round"},
    {"id":"again","type":"subflow:s","z":"s","x":1,"y":1,"wires":[]},
    {"id":"i","type":"subflow:s","z":"t","x":1,"y":1,"wires":[]},
    {"id":"lost","type":"subflow:nowhere","z":"t","x":1,"y":1,"wires":[]},
    {"id":"f","type":"frob","z":"t","x":1,"y":1,"wires":[]}]"#;

#[test]
fn what_a_deploy_refuses_is_an_error() {
    let dir = tempfile::TempDir::new().unwrap();
    let file = dir.path().join("flows.json");
    std::fs::write(&file, REFUSED).unwrap();
    let (text, code) = review(&file, &["--json"]);
    assert_eq!(code, Some(1), "{text}");
    let findings: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap();
    let errors: Vec<(&str, &str)> = findings
        .iter()
        .filter(|finding| finding["severity"] == "error")
        .map(|finding| (finding["node"].as_str().unwrap(), finding["code"].as_str().unwrap()))
        .collect();
    assert_eq!(errors, [("f", "unknown-type"), ("again", "cannot-run"), ("lost", "cannot-run")]);
    // And `up` names them all.
    let ended = Command::new(flotilla().unwrap()).arg("up").arg(&file).current_dir(dir.path()).output().unwrap();
    let text = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(2));
    for part in ["\"round\" contains itself", "nowhere", "frob"] {
        assert!(text.contains(part), "{part} is not in: {text}");
    }
}

#[test]
fn a_tcp_client_is_not_said_to_share_a_port() {
    let dir = tempfile::TempDir::new().unwrap();
    let file = dir.path().join("flows.json");
    std::fs::write(&file, r#"[{"id":"t","type":"tab"},{"id":"c","type":"tcp in","server":"client","z":"t"}]"#).unwrap();
    let (text, _) = review(&file, &[]);
    assert!(text.contains("every replica connects on its own") && !text.contains("share the port"), "{text}");
}

#[test]
fn no_local_is_explained() {
    let dir = tempfile::TempDir::new().unwrap();
    let file = dir.path().join("flows.json");
    std::fs::write(&file, r#"[{"id":"t","type":"tab"},{"id":"m","type":"mqtt in","topic":"a","nl":true,"z":"t"}]"#)
        .unwrap();
    let (text, _) = review(&file, &[]);
    assert!(text.contains("MQTT 3.1.1 it cannot be kept"), "{text}");
}

#[test]
fn code_that_does_not_compile_is_named_with_line_and_column_also_by_flotilla_test() {
    let dir = tempfile::TempDir::new().unwrap();
    let (file, tests) = (dir.path().join("flows.json"), dir.path().join("tests.yaml"));
    let flow = r#"[{"id":"t","type":"tab","label":"Line 1"},
        {"id":"f","type":"function","z":"t","name":"add","func":"let a = 1;\nlet = ;","wires":[[]]},
        {"id":"c","type":"change","z":"t","name":"","rules":[{"t":"set","p":"payload","pt":"msg","to":"$sum(","tot":"jsonata"}],"wires":[[]]}]"#;
    std::fs::write(&file, flow).unwrap();
    std::fs::write(&tests, "").unwrap();
    let (text, code) = review(&file, &[]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("function \"add\" on tab \"Line 1\"\n        func (line 2, col "), "{text}");
    assert!(text.contains("rules[0].to (line 1, col 6)"), "{text}");
    let tested = Command::new(flotilla().unwrap()).arg("test").arg(&file).arg(&tests).output().unwrap();
    assert_eq!(tested.status.code(), Some(2));
    let text = String::from_utf8(tested.stderr).unwrap();
    assert!(text.contains("function \"add\": func (line 2, col "), "{text}");
}

#[test]
fn its_junit_and_sarif_name_the_same_findings_with_the_line_of_the_node() {
    let file = flow("differs.json");
    let findings: Vec<serde_json::Value> = serde_json::from_str(&review(&file, &["--json"]).0).unwrap();
    let (text, code) = review(&file, &["--format", "sarif"]);
    assert_eq!(code, Some(1));
    let sarif: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(sarif["version"], "2.1.0");
    let (rules, results) = (&sarif["runs"][0]["tool"]["driver"]["rules"], &sarif["runs"][0]["results"]);
    let results = results.as_array().unwrap();
    assert_eq!(results.len(), findings.len());
    let source = std::fs::read_to_string(&file).unwrap();
    for (result, finding) in results.iter().zip(&findings) {
        assert_eq!(result["ruleId"], finding["code"]);
        let rule = &rules[usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap()];
        assert_eq!(rule["id"], finding["code"]);
        let place = &result["locations"][0]["physicalLocation"];
        assert!(place["artifactLocation"]["uri"].as_str().unwrap().ends_with("flows/differs.json"), "{place}");
        let line = usize::try_from(place["region"]["startLine"].as_u64().unwrap()).unwrap();
        let line = source.lines().nth(line - 1).unwrap();
        assert!(line.contains(&finding["node"].to_string()), "{line} has not {finding}");
    }
    let (text, code) = review(&file, &["--format", "junit"]);
    assert_eq!(code, Some(1));
    assert_eq!(text.matches("<testcase ").count(), findings.len());
    let counted = findings.iter().filter(|finding| finding["severity"] != "info").count();
    assert_eq!(text.matches("<failure ").count(), counted);
    let dir = tempfile::TempDir::new().unwrap();
    let report = dir.path().join("review.xml");
    let (told, _) = review(&file, &["--format", "junit", "--output", report.to_str().unwrap()]);
    assert_eq!(std::fs::read_to_string(&report).unwrap(), text);
    assert!(told.contains("->"), "people read theirs: {told}");
}

#[test]
fn a_page_shows_each_tab_with_the_findings_on_its_nodes() {
    let dir = tempfile::TempDir::new().unwrap();
    let (page, file) = (dir.path().join("review.html"), dir.path().join("flows.json"));
    let flow = serde_json::json!([
        {"id": "t", "type": "tab", "label": "Line <1>"},
        {"id": "g", "type": "group", "z": "t", "name": "cells", "x": 40, "y": 20, "w": 400, "h": 120, "nodes": ["w", "d"]},
        {"id": "w", "type": "websocket in", "z": "t", "client": "c", "x": 140, "y": 80, "wires": [["d"]]},
        {"id": "d", "type": "debug", "z": "t", "name": "shown \"here\"", "x": 340, "y": 80, "wires": []},
        {"id": "c", "type": "websocket-client", "path": "ws://example.com/"},
        {"id": "b", "type": "mqtt-broker", "name": "house", "clientid": "x"}
    ]);
    std::fs::write(&file, flow.to_string()).unwrap();
    let (text, code) = review(&file, &["--html", page.to_str().unwrap()]);
    assert_eq!(code, Some(1), "{text}");
    let html = std::fs::read_to_string(&page).unwrap();
    for part in [
        "<h2>Line &lt;1&gt;</h2>",
        "id=\"node-w\"",
        "class=\"node warning\"",
        "shown &quot;here&quot;",
        "<path class=\"wire\"",
        "every replica connects on its own",
        "Config nodes and the document",
        "href=\"#node-w\">websocket in</a>",
        "1 warning</b>",
    ] {
        assert!(html.contains(part), "{part} is not in {html}");
    }
    // It is whole in itself.
    for outside in ["<script", "src=", "href=\"http", "url("] {
        assert!(!html.contains(outside), "{outside} is in the page");
    }
    assert_eq!(review(&file, &["--html", "/not/there/review.html"]).1, Some(1));
}
