//! `flotilla group edit` in an editor, while somebody else changes the group.

use std::path::Path;
use std::process::{Command, Output};

use flotilla_tests::{Up, UpOptions, flotilla, write_flow};
use serde_json::{Value, json};

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// `flotilla group edit default` with an editor that runs a script with the file as `$1`. What is kept goes to `folder`.
fn edit(up: &Up, folder: &Path, script: &str) -> Output {
    let editor = folder.join("editor.sh");
    std::fs::write(&editor, script).unwrap();
    let mut command = Command::new(flotilla().unwrap());
    command.args(["group", "edit", "default"]);
    command.env("FLOTILLA_ADMIN", up.admin.to_string()).env("FLOTILLA_DATA", up.data());
    command.env_remove("VISUAL").env("EDITOR", format!("sh {}", editor.display())).env("TMPDIR", folder);
    command.output().unwrap()
}

fn description(up: &Up) -> String {
    let shown = up.run(&["group", "show", "default"]).unwrap();
    let shown: Value = serde_json::from_slice(&shown.stdout).unwrap();
    shown["description"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn what_somebody_else_changed_while_one_typed_is_not_written_over_and_what_was_typed_is_kept() {
    let folder = tempfile::TempDir::new().unwrap();
    let flow = write_flow(folder.path(), &json!([{"id": "t", "type": "tab", "label": "nothing"}])).unwrap();
    let up = Up::start(&flow, UpOptions { replicas: 1, args: Vec::new() }).unwrap();
    let other = folder.path().join("other.json");
    std::fs::write(&other, json!({"name": "default", "description": "theirs", "replicas": 1}).to_string()).unwrap();
    let mine = folder.path().join("mine.json");
    std::fs::write(&mine, json!({"name": "default", "description": "mine", "replicas": 1}).to_string()).unwrap();
    let (flotilla, mine, other) = (flotilla().unwrap(), mine.display(), other.display());

    let refused = edit(
        &up,
        folder.path(),
        &format!("cp {mine} \"$1\"; {} group edit default --file {other}", flotilla.display()),
    );
    let said = text(&refused);
    assert_eq!(refused.status.code(), Some(3), "{said}");
    assert!(said.contains("was changed by somebody else while you edited it"), "{said}");
    assert_eq!(description(&up), "theirs", "{said}");
    let is_kept = |path: &Path| path.file_name().unwrap().to_string_lossy().starts_with("flotilla-edit-");
    let files = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
    let kept: Vec<_> = files.filter(|path| is_kept(path)).collect();
    let [kept] = kept.as_slice() else { panic!("what was typed is in one file: {kept:?}: {said}") };
    assert!(said.contains(&*kept.to_string_lossy()), "{said}");
    let typed: Value = serde_json::from_slice(&std::fs::read(kept).unwrap()).unwrap();
    assert_eq!(typed["description"], "mine");

    // Nobody else: it is written.
    let edited = edit(&up, folder.path(), &format!("cp {mine} \"$1\""));
    assert!(edited.status.success(), "{}", text(&edited));
    assert_eq!(description(&up), "mine");
}
