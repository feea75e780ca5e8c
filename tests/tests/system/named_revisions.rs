//! `flotilla snapshot`: named revisions, restored, exported for FlowFuse and Node-RED, and read back.

use flotilla_tests::{Up, UpOptions, get, write_flow};
use serde_json::{Value, json};

/// `GET /show` answers two variables; `mark` changes another node.
fn flow(mark: &str) -> Value {
    let show = "msg.payload = [env.get('HOST'), env.get('TOKEN')].map(v => v || '-').join(' ');\nreturn msg;";
    json!([
        {"id": "t1", "type": "tab", "label": "Show"},
        {"id": "h1", "type": "http in", "z": "t1", "url": "/show", "method": "get", "x": 100, "y": 100, "wires": [["f1"]]},
        {"id": "f1", "type": "function", "z": "t1", "name": "show", "func": show, "outputs": 1, "x": 200, "y": 100, "wires": [["r1"]]},
        {"id": "r1", "type": "http response", "z": "t1", "headers": {}, "x": 300, "y": 100, "wires": []},
        {"id": "f2", "type": "function", "z": "t1", "name": "other", "func": format!("// {mark}\nreturn msg;"), "outputs": 1,
         "x": 200, "y": 200, "wires": [[]]}
    ])
}

fn run(up: &Up, args: &[&str]) -> (Option<i32>, String, String) {
    let done = up.run(args).unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (done.status.code(), text(done.stdout), text(done.stderr))
}

fn ok(up: &Up, args: &[&str]) -> String {
    let (code, out, error) = run(up, args);
    assert_eq!(code, Some(0), "{args:?}: {out}{error}");
    out
}

fn shown(up: &Up) -> String {
    get(up.http, "/show").unwrap().body
}

const QUICK: [&str; 3] = ["--wait", "--probation", "0.2"];

#[test]
fn a_snapshot_is_restored_exported_and_read_by_another_group() {
    let folder = tempfile::TempDir::new().unwrap();
    let file = |mark: &str| write_flow(folder.path(), &flow(mark)).unwrap().display().to_string();
    let credentials = folder.path().join("cred.json");
    std::fs::write(&credentials, json!({"f2": {"password": "hush-1"}}).to_string()).unwrap();
    let options = || UpOptions { replicas: 1, args: Vec::new() };
    let up = Up::start(file("one").as_ref(), options()).unwrap();
    let cred = ["deploy", "--credentials", credentials.to_str().unwrap(), "--env", "HOST=a"];
    ok(&up, &[&cred[..], &QUICK].concat());
    ok(&up, &["env", "set", "--secret", "TOKEN=hush-2", "--wait"]);
    let first = up.revisions().remove(0);
    ok(&up, &["snapshot", "create", "before the fair", "--description", "as the customer saw it"]);
    ok(&up, &[&["deploy", &file("two"), "--env", "HOST=b"][..], &QUICK].concat());
    assert_eq!(shown(&up), "b hush-2");
    let list = ok(&up, &["snapshot", "list"]);
    assert!(list.contains("before the fair") && list.contains(&first), "{list}");
    ok(&up, &[&["snapshot", "restore", "before the fair"][..], &QUICK].concat());
    assert_eq!(shown(&up), "a hush-2");
    assert_eq!(up.revisions().remove(0), first);
    let (code, _, error) = run(&up, &["snapshot", "show", "no such"]);
    assert!(code == Some(7) && error.contains("flotilla snapshot list"), "{error}");

    let (code, _, error) = run(&up, &["snapshot", "export", "1"]);
    assert!(code == Some(3) && error.contains("--credential-secret"), "credentials do not leave in plain: {error}");
    let export = folder.path().join("snapshot.json");
    let secret = ["--credential-secret", "s3cret"];
    let args = ["snapshot", "export", "1", "--secrets", "--output", export.to_str().unwrap()];
    ok(&up, &[&args[..], &secret].concat());
    let text = std::fs::read_to_string(&export).unwrap();
    assert!(!text.contains("hush"), "{text}");
    let found: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(found["flows"]["flows"], flow("one"));
    assert_eq!((&found["name"], &found["settings"]["env"]["HOST"]), (&json!("before the fair"), &json!("a")));
    assert_eq!(found["settings"]["env"]["TOKEN"]["hidden"], true);

    let node_red = folder.path().join("userdir");
    let args = ["snapshot", "export", "1", "--as", "userdir", "--output", node_red.to_str().unwrap()];
    ok(&up, &[&args[..], &secret].concat());
    let read = |name: &str| std::fs::read_to_string(node_red.join(name)).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&read("flows.json")).unwrap(), flow("one"));
    assert!(read("flows_cred.json").contains("\"$\"") && read("settings.js").contains("credentialSecret"));
    assert_eq!(read("environment"), "HOST=a\n");
    assert_eq!(
        serde_json::from_str::<Value>(&ok(&up, &["snapshot", "export", "1", "--as", "flows"])).unwrap(),
        flow("one")
    );

    let other = Up::start(file("three").as_ref(), options()).unwrap();
    let deploy = ["deploy", export.to_str().unwrap()];
    let (code, _, error) = run(&other, &deploy);
    assert!(code == Some(2) && error.contains("--credential-secret"), "{error}");
    let (code, _, error) = run(&other, &[&deploy[..], &["--credential-secret", "wrong"]].concat());
    assert!(code == Some(2) && error.contains("not the one"), "{error}");
    assert_eq!(shown(&other), "- -");
    ok(&other, &[&deploy[..], &secret, &QUICK].concat());
    assert_eq!(shown(&other), "a hush-2", "env and secrets came along");
    let list = ok(&other, &["env", "list"]);
    assert!(list.contains("***") && !list.contains("hush"), "what was hidden is a secret: {list}");
    assert!(ok(&other, &["revision", "list"]).contains("before the fair: as the customer saw it"));
    ok(&other, &["snapshot", "create", "back"]);
    let again = folder.path().join("again.json");
    let args = ["snapshot", "export", "back", "--secrets", "--output", again.to_str().unwrap()];
    ok(&other, &[&args[..], &secret].concat());
    let again: Value = serde_json::from_str(&std::fs::read_to_string(&again).unwrap()).unwrap();
    // The cipher's initialisation vector follows from the content: equal text is equal plain text.
    assert_eq!(again["flows"], found["flows"], "flows and credentials");
    assert_eq!(again["settings"]["env"], found["settings"]["env"]);
    let (code, _, _) = run(&other, &[&deploy[..], &secret].concat());
    assert_eq!(code, Some(6), "the same snapshot changes nothing");

    ok(&up, &["snapshot", "remove", "1"]);
    assert_eq!(run(&up, &["snapshot", "show", "1"]).0, Some(7));
    let audit = ok(&up, &["audit"]);
    for action in ["snapshot-create", "snapshot-restore", "snapshot-export", "snapshot-remove"] {
        assert!(audit.contains(action), "{action}: {audit}");
    }
}
