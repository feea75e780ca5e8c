//! `flotilla test`: results in three formats, tests that fail, files that cannot be used.

use std::path::{Path, PathBuf};
use std::process::Command;

use flotilla_tests::{example, flotilla};

/// Hex digits of a `_msgid`.
const MSG_ID: usize = 16;

/// A flow with everything that a test can speak of.
fn flow() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("flows/tested.json")
}

/// Standard output, standard error and the exit code.
fn run(flows: &Path, tests: &Path, args: &[&str]) -> (String, String, Option<i32>) {
    let ended = Command::new(flotilla().unwrap()).arg("test").args([flows, tests]).args(args).output().unwrap();
    (String::from_utf8(ended.stdout).unwrap(), String::from_utf8(ended.stderr).unwrap(), ended.status.code())
}

/// A tests file of the folder `flows`.
fn tests(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("flows").join(name)
}

/// Times and ids differ from run to run.
fn without_times(text: &str) -> String {
    let mut out = String::new();
    for line in text.lines() {
        let mut line = line.to_owned();
        for (before, after) in [(" (", " ms)"), ("duration_ms: ", ""), (" time=\"", "\"")] {
            let Some(start) = line.rfind(before).map(|at| at + before.len()) else { continue };
            let length = line[start..].bytes().take_while(|byte| byte.is_ascii_digit() || *byte == b'.').count();
            if length > 0 && line[start + length..].starts_with(after) {
                line.replace_range(start..start + length, "N");
            }
        }
        for quote in ["\"", "\\\"", "&quot;"] {
            let before = format!("_msgid{quote}:{quote}");
            if let Some(start) = line.find(&before).map(|at| at + before.len()) {
                line.replace_range(start..start + MSG_ID, "ID");
            }
        }
        out.push_str(&line);
        out.push('\n');
    }
    out
}

#[test]
fn the_example_passes() {
    let (out, err, code) = run(&example("plant.json"), &example("plant.tests.json"), &[]);
    assert_eq!((code, err.as_str()), (Some(0), ""), "{out}");
    insta::assert_snapshot!(without_times(&out));
}

#[test]
fn every_kind_of_expectation_can_pass() {
    let (out, err, code) = run(&flow(), &tests("tested.passes.json"), &[]);
    assert_eq!((code, err.as_str()), (Some(0), ""), "{out}");
    insta::assert_snapshot!(without_times(&out));
}

#[test]
fn failures_say_what_was_expected_and_what_came() {
    let (out, _, code) = run(&flow(), &tests("tested.fails.json"), &[]);
    assert_eq!(code, Some(1), "{out}");
    insta::assert_snapshot!(without_times(&out));
}

#[test]
fn tap_is_for_pipelines() {
    let (out, _, code) = run(&flow(), &tests("tested.fails.json"), &["--format", "tap"]);
    assert_eq!(code, Some(1), "{out}");
    insta::assert_snapshot!(without_times(&out));
}

#[test]
fn junit_is_for_ci_servers() {
    let dir = tempfile::TempDir::new().unwrap();
    let file = dir.path().join("report.xml");
    let args = ["--format", "junit", "--output", file.to_str().unwrap()];
    let (out, _, code) = run(&flow(), &tests("tested.fails.json"), &args);
    assert_eq!(code, Some(1), "{out}");
    assert!(out.contains("passed"), "people read theirs on standard output: {out}");
    insta::assert_snapshot!(without_times(&std::fs::read_to_string(file).unwrap()));
}

#[test]
fn a_bad_tests_file_is_told_line_by_line() {
    let (out, err, code) = run(&flow(), &tests("tested.bad.json"), &[]);
    assert_eq!((code, out.as_str()), (Some(2), ""));
    insta::assert_snapshot!(err.replace(env!("CARGO_MANIFEST_DIR"), "."));
}

#[test]
fn files_that_cannot_be_used_are_exit_2() {
    let dir = tempfile::TempDir::new().unwrap();
    let write = |name: &str, text: &str| {
        let file = dir.path().join(name);
        std::fs::write(&file, text).unwrap();
        file
    };
    let torn = write("torn.json", "{\n  \"tests\": [\n    {\"name\": }\n  ]\n}");
    let (_, err, code) = run(&flow(), &torn, &[]);
    assert!(code == Some(2) && err.contains("torn.json:3:14: not valid JSON"), "{err}");

    let (_, err, code) = run(&flow(), &dir.path().join("none.json"), &[]);
    assert!(code == Some(2) && err.contains("cannot read") && err.contains("none.json"), "{err}");

    let tests = write("t.json", r#"{"tests":[{"name":"a","inject":[{"at":"m"}],"expect":[{"at":"d","count":1}]}]}"#);
    let (_, err, code) = run(&write("f.json", "[1]"), &tests, &[]);
    assert!(code == Some(2) && err.contains("f.json") && err.contains("entry 0"), "{err}");

    let unknown = write(
        "u.json",
        r#"[{"id":"t","type":"tab","label":"Line 4"},
        {"id":"m","type":"modbus-read","name":"coil","z":"t","x":1,"y":1,"wires":[["d"]]},
        {"id":"d","type":"debug","z":"t","x":1,"y":1,"wires":[]}]"#,
    );
    let (_, err, code) = run(&unknown, &tests, &[]);
    assert_eq!(code, Some(2));
    for part in ["modbus-read", "coil", "Line 4", "node-red-contrib-modbus", "--allow-unknown"] {
        assert!(err.contains(part), "{part}: {err}");
    }
    let answered = write(
        "a.json",
        r#"{"tests":[{"name":"a","answers":{"coil":{"msg":{"payload":7}}},"inject":[{"at":"coil"}],
            "expect":[{"at":"d","count":1,"msg":{"payload":7}}]}]}"#,
    );
    let (out, err, code) = run(&unknown, &answered, &["--allow-unknown"]);
    assert_eq!(code, Some(0), "{out}{err}");

    let (_, err, code) = run(&unknown, &answered, &["--allow-unknown", "--only", "zzz"]);
    assert!(code == Some(2) && err.contains("no test has \"zzz\" in its name"), "{err}");
}

#[test]
fn env_comes_from_a_file_and_from_the_tests() {
    let dir = tempfile::TempDir::new().unwrap();
    let env = dir.path().join("env");
    std::fs::write(&env, "LIMIT=3\n").unwrap();
    let file = dir.path().join("t.json");
    std::fs::write(
        &file,
        r#"{"tests":[
            {"name":"file","inject":[{"at":"env"}],"expect":[{"at":"end","msg":{"payload":"3"}}]},
            {"name":"test","env":{"LIMIT":"4"},"inject":[{"at":"env"}],"expect":[{"at":"end","msg":{"payload":"4"}}]}]}"#,
    )
    .unwrap();
    let (out, err, code) = run(&flow(), &file, &["--env-file", env.to_str().unwrap()]);
    assert_eq!(code, Some(0), "{out}{err}");
}
