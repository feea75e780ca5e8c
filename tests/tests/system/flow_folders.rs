//! `flotilla flows`: a document as one file per tab, in git, and back.

use std::path::Path;
use std::process::{Command, Output};

use flotilla_tests::flotilla;
use serde_json::{Value, json};
use tempfile::TempDir;

fn run(args: &[&str]) -> (Option<i32>, String) {
    let Output { status, stdout, stderr } = Command::new(flotilla().unwrap()).args(args).output().unwrap();
    (status.code(), String::from_utf8([stdout, stderr].concat()).unwrap())
}

fn git(folder: &Path, args: &[&str]) -> (bool, String) {
    let who = ["-c", "user.name=T", "-c", "user.email=t@example.com", "-c", "init.defaultBranch=main"];
    let done = Command::new("git").current_dir(folder).args(who).args(args).output().unwrap();
    (done.status.success(), String::from_utf8([done.stdout, done.stderr].concat()).unwrap())
}

/// Two tabs with a function each.
fn flow(first: &str, second: &str) -> Value {
    json!([
        {"id": "t1", "type": "tab", "label": "Presses"},
        {"id": "t2", "type": "tab", "label": "Ovens"},
        {"id": "f1", "type": "function", "z": "t1", "name": "calc", "func": format!("// calc\n{first}\nreturn msg;"), "x": 1, "y": 1, "wires": [[]]},
        {"id": "f2", "type": "function", "z": "t2", "name": "heat", "func": format!("// heat\n{second}\nreturn msg;"), "x": 1, "y": 1, "wires": [[]]}
    ])
}

#[test]
fn two_peoples_changes_on_two_tabs_merge_in_git_and_come_back_as_one_document() {
    let dir = TempDir::new().unwrap();
    let (file, folder) = (dir.path().join("flows.json"), dir.path().join("repo/plant"));
    let (file_arg, folder_arg) = (file.to_str().unwrap(), folder.to_str().unwrap());
    std::fs::create_dir_all(&folder).unwrap();
    let repo = dir.path().join("repo");
    let commit = |first: &str, second: &str, message: &str| {
        std::fs::write(&file, flow(first, second).to_string()).unwrap();
        let (code, text) = run(&["flows", "split", file_arg, folder_arg]);
        assert_eq!(code, Some(0), "{text}");
        git(&repo, &["add", "."]);
        git(&repo, &["commit", "-m", message])
    };
    git(&repo, &["init"]);
    assert!(commit("let a = 1;", "let b = 1;", "begin").0);
    git(&repo, &["checkout", "-b", "ada"]);
    assert!(commit("let a = 2;", "let b = 1;", "ada").0);
    let (_, shown) = git(&repo, &["show"]);
    assert!(shown.contains("-      \"let a = 1;\",\n+      \"let a = 2;\","), "the diff has the line: {shown}");
    git(&repo, &["checkout", "main"]);
    assert!(commit("let a = 1;", "let b = 2;", "bob").0);
    let (merged, text) = git(&repo, &["merge", "ada", "-m", "both"]);
    assert!(merged, "{text}");
    let (code, joined) = run(&["flows", "join", folder_arg]);
    assert_eq!(code, Some(0), "{joined}");
    assert_eq!(serde_json::from_str::<Value>(&joined).unwrap(), flow("let a = 2;", "let b = 2;"));
    assert_eq!(run(&["review", folder_arg]).0, Some(0), "a folder is read like a document");

    git(&repo, &["checkout", "-b", "eve", "HEAD~1"]);
    assert!(commit("let a = 3;", "let b = 2;", "eve").0);
    assert!(!git(&repo, &["merge", "main"]).0);
    let (code, text) = run(&["flows", "join", folder_arg]);
    assert!(code == Some(2) && text.contains("presses.t1.json") && text.contains("conflict"), "{text}");
}

#[test]
fn one_document_merges_as_a_driver_of_git_and_a_conflict_is_named() {
    let dir = TempDir::new().unwrap();
    let write = |name: &str, flow: &Value| {
        let path = dir.path().join(name);
        std::fs::write(&path, flow.to_string()).unwrap();
        path.display().to_string()
    };
    let base = write("base.json", &flow("1", "1"));
    let (ours, theirs) = (write("ours.json", &flow("2", "1")), write("theirs.json", &flow("1", "2")));
    let (code, merged) = run(&["flows", "merge", &base, &ours, &theirs]);
    assert_eq!((code, serde_json::from_str::<Value>(&merged).unwrap()), (Some(0), flow("2", "2")));
    let other = write("other.json", &flow("3", "1"));
    let (code, told) = run(&["flows", "merge", &base, &ours, &other, "--output", &ours]);
    assert!(code == Some(3) && told.contains("function \"calc\" (f1) on tab \"Presses\", func"), "{told}");
    assert_eq!(serde_json::from_str::<Value>(&std::fs::read_to_string(&ours).unwrap()).unwrap(), flow("2", "1"));
}

#[test]
fn files_of_tabs_that_are_gone_are_removed_and_foreign_folders_are_left_alone() {
    let dir = TempDir::new().unwrap();
    let (file, folder) = (dir.path().join("flows.json"), dir.path().join("plant"));
    let split = |flow: &Value| {
        std::fs::write(&file, flow.to_string()).unwrap();
        run(&["flows", "split", file.to_str().unwrap(), folder.to_str().unwrap()])
    };
    assert_eq!(split(&flow("1", "1")).0, Some(0));
    std::fs::write(folder.join("README.md"), "ours").unwrap();
    std::fs::write(folder.join("package.json"), "{}").unwrap();
    let mut one = flow("1", "1").as_array().unwrap().clone();
    one.retain(|node| node["id"] != "t2" && node["z"] != "t2");
    let (code, text) = split(&Value::Array(one));
    assert!(code == Some(0) && text.contains("1 files written, 1 as they were, 1 removed"), "{text}");
    assert!(folder.join("README.md").exists() && folder.join("package.json").exists());
    std::fs::remove_file(folder.join("flotilla-flows.json")).unwrap();
    let (code, text) = split(&flow("1", "1"));
    assert!(code == Some(2) && text.contains("Flotilla did not write it"), "{text}");
}
