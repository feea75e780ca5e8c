//! The real `node-red-admin` from npm, and what scripts send, against a group.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use flotilla_tests::{Up, UpOptions, eventually, get, request, write_flow};
use serde_json::{Value, json};

const PACKAGE: &str = "node-red-admin@4.1.7";

fn flow(version: &str) -> Value {
    json!([
        {"id": "tab", "type": "tab", "label": "one"},
        {"id": "in", "type": "http in", "z": "tab", "x": 1, "y": 1, "url": "/v", "method": "get", "wires": [["f"]]},
        {"id": "f", "type": "function", "z": "tab", "x": 1, "y": 1, "func": format!("msg.payload = '{version}'; return msg;"), "outputs": 1, "wires": [["out"]]},
        {"id": "out", "type": "http response", "z": "tab", "x": 1, "y": 1, "wires": []},
    ])
}

fn start() -> Up {
    let folder = tempfile::TempDir::new().unwrap();
    let file = write_flow(folder.path(), &flow("one")).unwrap();
    Up::start(&file, UpOptions { replicas: 2, args: Vec::new() }).unwrap()
}

/// The program, installed once for all runs; `None` without npm or its registry.
fn installed() -> Option<PathBuf> {
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join(PACKAGE);
    let program = place.join("node_modules/node-red-admin/node-red-admin.js");
    if !program.exists() {
        std::fs::create_dir_all(&place).unwrap();
        let mut npm = Command::new("npm");
        let npm = npm.args(["install", "--no-fund", "--no-audit", "--prefix"]).arg(&place).arg(PACKAGE);
        let done = npm.stdout(Stdio::null()).stderr(Stdio::null()).status();
        if !done.is_ok_and(|status| status.success()) || !program.exists() {
            eprintln!("SKIPPED: node-red-admin: npm is not here or did not install {PACKAGE}");
            return None;
        }
    }
    Some(program)
}

#[test]
fn node_red_admin_lists_what_is_there() {
    let Some(program) = installed() else { return };
    let up = start();
    let home = tempfile::TempDir::new().unwrap();
    let login =
        json!({"grant_type": "password", "username": "admin", "password": up.api().token.unwrap(), "scope": "*"});
    let answer =
        request(up.admin, "POST", "/auth/token", "Content-Type: application/json\r\n", &login.to_string()).unwrap();
    assert_eq!(answer.status, 200, "{}", answer.body);
    // As `node-red-admin login` keeps it; its prompt needs a terminal.
    let config = json!({"target": format!("http://{}", up.admin), "tokens": serde_json::from_str::<Value>(&answer.body).unwrap()});
    std::fs::create_dir(home.path().join(".node-red")).unwrap();
    std::fs::write(home.path().join(".node-red/.cli-config.json"), config.to_string()).unwrap();
    let run = |args: &[&str]| {
        let output = Command::new("node").arg(&program).args(args).env("HOME", home.path()).output().unwrap();
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let list = run(&["list"]);
    assert!(list.contains("node-red/inject") && list.contains("node-red/mqtt in"), "{list}");
    let info = run(&["info", "node-red/inject"]);
    assert!(info.contains("inject") && info.contains("enabled"), "{info}");
}

#[test]
fn a_script_for_node_red_deploys_a_group() {
    let up = start();
    let api = up.api();
    let v2 = "Node-RED-API-Version: v2\r\nContent-Type: application/json\r\n";
    let now = api.request("GET", "/flows", v2, "").unwrap();
    let now: Value = serde_json::from_str(&now.body).unwrap();
    assert_eq!(now["flows"], flow("one"));
    let deploy = json!({"flows": flow("two"), "rev": now["rev"]}).to_string();
    let answer = api.request("POST", "/flows", v2, &deploy).unwrap();
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(up.rollout_ended(Duration::from_mins(1)).unwrap()["phase"], "done");
    eventually("both replicas to answer with the new flow", Duration::from_secs(20), || {
        (0..4).all(|_| get(up.http, "/v").is_ok_and(|answer| answer.body == "two")).then_some(())
    })
    .unwrap();
    let stale = api.request("POST", "/flows", v2, &deploy).unwrap();
    assert!(stale.status == 409 && stale.body.contains("version_mismatch"), "{}", stale.body);
    let entry = up.audit().into_iter().find(|entry| entry["source"] == "editor").unwrap();
    assert_eq!(entry["actor"], "admin");
}
