//! Who may use the admin API of `flotilla up`, and what reaches terminals and logs.

use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::time::Duration;

use flotilla_tests::{Up, UpOptions, eventually, flotilla, get, request, write_flow};
use serde_json::{Value, json};

/// `/warn` logs what would be a line of its own, and would clear a screen.
fn flow(version: &str) -> Value {
    let code = format!("node.warn('a\\nERROR forged \\u001b[2J'); msg.payload = '{version}'; return msg;");
    json!([
        {"id": "tab", "type": "tab", "label": "doors \u{1b}[31m"},
        {"id": "in", "type": "http in", "z": "tab", "url": "/warn", "method": "get", "wires": [["f"]]},
        {"id": "f", "type": "function", "z": "tab", "name": "name\n\u{1b}[31m", "func": code, "outputs": 1, "wires": [["out"]]},
        {"id": "out", "type": "http response", "z": "tab", "wires": []},
    ])
}

fn start() -> Up {
    let folder = tempfile::TempDir::new().unwrap();
    let file = write_flow(folder.path(), &flow("one")).unwrap();
    Up::start(&file, UpOptions { replicas: 2, args: Vec::new() }).unwrap()
}

#[test]
fn the_admin_api_of_up_asks_for_the_token_in_its_folder() {
    let up = start();
    for name in ["admin.token", "group.key", "store.db", "store.db-wal"] {
        let mode = std::fs::metadata(up.data().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    assert_eq!(get(up.admin, "/api/v1/status").unwrap().status, 401);
    for _ in 0..3 {
        let wrong = "Authorization: Bearer 0123456789abcdef0123456789abcdef\r\n";
        assert_eq!(request(up.admin, "GET", "/api/v1/status", wrong, "").unwrap().status, 401);
    }
    assert_eq!(up.api().get("/api/v1/status").unwrap().status, 200);
    for open in ["/livez", "/readyz", "/metrics"] {
        assert_eq!(get(up.admin, open).unwrap().status, 200, "{open}");
    }
    let metrics = get(up.admin, "/metrics").unwrap().body;
    assert!(metrics.contains("flotilla_admin_refused_total{reason=\"wrong_token\"} 3"), "{metrics}");
    // The CLI finds it: by the address, in the folder where `up` was started, and where --data says.
    let status = |args: &[&str], folder: &std::path::Path| {
        let mut command = Command::new(flotilla().unwrap());
        let command = command.arg("status").args(["--admin", &up.admin.to_string()]).args(args);
        command.current_dir(folder).env_remove("FLOTILLA_DATA").output().unwrap()
    };
    let elsewhere = tempfile::TempDir::new().unwrap();
    assert!(status(&[], elsewhere.path()).status.success(), "the address alone is enough for this user");
    let mut stranger = Command::new(flotilla().unwrap());
    let stranger = stranger.args(["status", "--admin", &up.admin.to_string()]).current_dir(elsewhere.path());
    let stranger = stranger.env_remove("FLOTILLA_DATA").env("XDG_RUNTIME_DIR", elsewhere.path()).output().unwrap();
    assert_eq!(stranger.status.code(), Some(3), "and for nobody else: {}", String::from_utf8_lossy(&stranger.stderr));
    assert!(status(&["--data", up.data().to_str().unwrap()], elsewhere.path()).status.success());
    std::os::unix::fs::symlink(up.data(), elsewhere.path().join(".flotilla")).unwrap();
    assert!(status(&[], elsewhere.path()).status.success());
}

#[test]
fn a_refused_deploy_leaves_no_revision() {
    let up = start();
    up.deploy(&flow("two"), &json!({"probation_ms": 60_000})).unwrap();
    let list = || up.api().get("/api/v1/groups/default/revisions").unwrap().body;
    let before = list();
    assert!(up.deploy(&flow("three"), &json!({})).unwrap_err().to_string().contains("rollout_active"));
    assert_eq!(list(), before);
}

#[test]
fn what_flows_say_is_one_line_and_moves_no_cursor() {
    let up = start();
    assert_eq!(get(up.http, "/warn").unwrap().body, "one");
    eventually("the warning", Duration::from_secs(20), || up.log().contains("forged").then_some(())).unwrap();
    let log = up.log();
    assert!(!log.contains('\u{1b}'), "{log:?}");
    assert!(log.lines().all(|line| !line.starts_with("ERROR forged")), "{log}");
    assert!(!up.output().contains('\u{1b}'), "{:?}", up.output());
}
