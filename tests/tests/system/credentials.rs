//! Credentials at rest.

use std::os::unix::fs::PermissionsExt;

use flotilla_tests::{Up, UpOptions, write_flow};
use serde_json::json;

use crate::rollout_flow::flow;

const SECRET: &str = "only-the-replicas-know-this";

#[test]
fn credentials_are_in_the_store_only_encrypted_with_the_groups_key() {
    let folder = tempfile::TempDir::new().unwrap();
    let credentials = folder.path().join("flows_cred.json");
    std::fs::write(&credentials, json!({"f1": {"password": SECRET}}).to_string()).unwrap();
    let file = write_flow(folder.path(), &flow("one", "")).unwrap();
    let args = vec!["--credentials".to_owned(), credentials.display().to_string()];
    let up = Up::start(&file, UpOptions { replicas: 1, args }).unwrap();
    let shown = up.run(&["revision", "list", "--json"]).unwrap();
    let list: serde_json::Value = serde_json::from_slice(&shown.stdout).unwrap();
    let shown = up.run(&["revision", "show", list[0]["id"].as_str().unwrap()]).unwrap();
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(shown.contains("\"has_credentials\": true") && !shown.contains(SECRET), "{shown}");
    let mut files = 0;
    for entry in std::fs::read_dir(up.data()).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        let found = bytes.windows(SECRET.len()).any(|window| window == SECRET.as_bytes());
        assert!(!found, "{} has the secret in the clear", path.display());
        files += 1;
    }
    assert!(files >= 2, "the store and the key");
    let mode = std::fs::metadata(up.data().join("group.key")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}
