//! Credentials at rest.

use std::os::unix::fs::PermissionsExt;

use flotilla_tests::{Up, UpOptions, write_flow};
use serde_json::json;

use crate::rollout_flow::flow;

const SECRET: &str = "only-the-replicas-know-this";

/// A group of one whose flow has a credential, and the folder that its files are in.
fn with_credentials() -> (tempfile::TempDir, Up) {
    let folder = tempfile::TempDir::new().unwrap();
    let credentials = folder.path().join("flows_cred.json");
    std::fs::write(&credentials, json!({"f1": {"password": SECRET}}).to_string()).unwrap();
    let file = write_flow(folder.path(), &flow("one", "")).unwrap();
    let args = vec!["--credentials".to_owned(), credentials.display().to_string()];
    let up = Up::start(&file, UpOptions { replicas: 1, args }).unwrap();
    (folder, up)
}

#[test]
fn credentials_are_in_the_store_only_encrypted_with_the_groups_key() {
    let (_folder, up) = with_credentials();
    let shown = up.run(&["revision", "list", "--json"]).unwrap();
    let list: serde_json::Value = serde_json::from_slice(&shown.stdout).unwrap();
    let shown = up.run(&["revision", "show", list[0]["id"].as_str().unwrap()]).unwrap();
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(shown.contains("\"has_credentials\": true") && !shown.contains(SECRET), "{shown}");
    let mut files = 0;
    for (path, bytes) in up.kept().unwrap() {
        let found = bytes.windows(SECRET.len()).any(|window| window == SECRET.as_bytes());
        assert!(!found, "{} has the secret in the clear", path.display());
        files += 1;
    }
    assert!(files >= 2, "the store and the key");
    for file in ["group.key", "store.db", "store.db-wal"] {
        let mode = std::fs::metadata(up.data().join(file)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
}

#[test]
fn a_copy_of_a_revision_takes_no_values_and_waits_until_the_other_group_has_its_own() {
    let (folder, up) = with_credentials();
    let spec = folder.path().join("group.json");
    std::fs::write(&spec, json!({"name": "b"}).to_string()).unwrap();
    assert!(up.run(&["group", "add", "-f", spec.to_str().unwrap()]).unwrap().status.success());
    let id = up.revisions().remove(0);
    let copy = |more: &[&str]| {
        let args = [&["revision", "copy", &id, "--from", "default", "--to", "b", "--json"][..], more].concat();
        let output = up.run(&args).unwrap();
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        serde_json::from_slice::<serde_json::Value>(&output.stdout).map_err(|_| text)
    };
    let refused = copy(&["--from-key", "another"]).unwrap_err();
    assert!(refused.contains("from_key"), "{refused}");
    let copied = copy(&[]).unwrap();
    assert_eq!(copied["missing"], json!(["credentials f1.password"]));
    let revision = copied["revision"].as_str().unwrap();
    let roll = up.run(&["rollback", revision, "--group", "b"]).unwrap();
    let text = String::from_utf8_lossy(&roll.stderr);
    assert!(roll.status.code() == Some(3) && text.contains("f1.password"), "{text}");
    let shown = up.run(&["revision", "show", revision, "--group", "b"]).unwrap();
    assert!(String::from_utf8_lossy(&shown.stdout).contains("\"has_credentials\": false"));
}
