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
