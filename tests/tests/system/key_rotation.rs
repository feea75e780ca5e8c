//! The group's key is replaced while the group runs.

use std::path::Path;
use std::process::{Command, Output};

use flotilla_flows::read_credentials;
use flotilla_tests::{Part, Up, UpOptions, eventually, flotilla, free_ports, get, wait_for, write_flow};
use serde_json::{Value, json};

/// `GET /asks` answers a secret, and the header that another endpoint got with a password of the credentials.
fn flow(mark: &str) -> Value {
    let node = |id: &str, kind: &str, more: Value| {
        let mut node = json!({"id": id, "type": kind, "z": "t", "name": "", "x": 100, "y": 100});
        node.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        node
    };
    let function = |code: &str, wire: &str| {
        json!({"func": code, "outputs": 1, "timeout": 0, "noerr": 0, "initialize": "", "finalize": "", "libs": [],
               "wires": [[wire]]})
    };
    let input = |url: &str, wire: &str| json!({"url": url, "method": "get", "upload": false, "swaggerDoc": "", "wires": [[wire]]});
    let output = json!({"statusCode": "", "headers": {}, "wires": []});
    json!([
        {"id": "t", "type": "tab", "label": "key", "disabled": false, "info": mark},
        node("w", "http in", input("/who", "wf")),
        node("wf", "function", function("msg.payload = msg.req.headers.authorization || 'nobody'; return msg;", "wo")),
        node("wo", "http response", output.clone()),
        node("a", "http in", input("/asks", "af")),
        node("af", "function", function("msg.url = `http://${msg.req.headers.host}/who`; return msg;", "ask")),
        node("ask", "http request", json!({"method": "GET", "ret": "txt", "paytoqs": "ignore", "url": "", "tls": "",
            "persist": false, "proxy": "", "insecureHTTPParser": false, "authType": "basic", "senderr": false,
            "headers": [], "wires": [["as"]]})),
        node("as", "function", function("msg.payload += ' ' + env.get('TOKEN'); return msg;", "ao")),
        node("ao", "http response", output),
    ])
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn credentials(folder: &Path) -> String {
    let file = folder.join("cred.json");
    std::fs::write(&file, json!({"ask": {"user": "u", "password": "p"}}).to_string()).unwrap();
    file.display().to_string()
}

/// Everything in a store that is sealed; how much of it a key opens.
fn opened(store: &Path, key: &str) -> (usize, usize) {
    fn sealed(value: &Value, found: &mut Vec<Value>) {
        match value {
            Value::Object(fields) if fields.get("$").is_some_and(Value::is_string) => found.push(value.clone()),
            Value::Object(fields) => fields.values().for_each(|value| sealed(value, found)),
            Value::Array(values) => values.iter().for_each(|value| sealed(value, found)),
            _ => {}
        }
    }
    let store = rusqlite::Connection::open(store).unwrap();
    let mut entries = store.prepare("SELECT value FROM entry WHERE value IS NOT NULL").unwrap();
    let mut found = Vec::new();
    for value in entries.query_map([], |row| row.get::<_, Vec<u8>>(0)).unwrap() {
        if let Ok(value) = serde_json::from_slice::<Value>(&value.unwrap()) {
            sealed(&value, &mut found);
        }
    }
    (found.len(), found.iter().filter(|value| read_credentials(value, Some(key)).is_ok()).count())
}

/// "u:p", as `Authorization` has it.
const HEADER: &str = "Basic dTpw";

#[test]
fn an_up_takes_a_new_key_while_it_runs() {
    let folder = tempfile::TempDir::new().unwrap();
    let file = |mark: &str| write_flow(folder.path(), &flow(mark)).unwrap().display().to_string();
    let args = ["--credentials".to_owned(), credentials(folder.path())];
    let mut up = Up::start(file("one").as_ref(), UpOptions { replicas: 2, args: args.to_vec() }).unwrap();
    let run = |up: &Up, args: &[&str]| {
        let done = up.run(args).unwrap();
        assert!(done.status.success(), "{args:?}: {}", text(&done));
        text(&done)
    };
    let asks = |up: &Up| (0..4).map(|_| get(up.http, "/asks").unwrap().body).collect::<Vec<_>>();
    run(&up, &["env", "set", "--secret", "--wait", "TOKEN=before"]);
    assert_eq!(asks(&up), vec![format!("{HEADER} before"); 4]);
    let first = up.revisions().remove(0);
    let (key, pids) = (std::fs::read_to_string(up.data().join("group.key")).unwrap(), replicas(&up));

    let rotated = run(&up, &["key", "rotate"]);
    assert!(rotated.contains("the old key is out of use"), "{rotated}");
    let new = std::fs::read_to_string(up.data().join("group.key")).unwrap();
    assert_ne!(new, key);
    let (all, by_old) = opened(&up.data().join("store.db"), &key);
    assert!(all > 0 && by_old == 0, "{by_old} of {all} are sealed with the old key");
    assert_eq!(opened(&up.data().join("store.db"), &new), (all, all));
    assert_eq!(replicas(&up), pids, "no replica was restarted");
    assert_eq!(asks(&up), vec![format!("{HEADER} before"); 4]);
    assert_eq!(up.revisions().remove(0), first, "it is the same revision");

    run(&up, &["env", "set", "--secret", "--wait", "TOKEN=after"]);
    run(&up, &["deploy", &file("two"), "--wait", "--probation", "0.2"]);
    assert_eq!(asks(&up), vec![format!("{HEADER} after"); 4]);
    run(&up, &["rollback", &first, "--wait"]);
    assert_eq!(up.revisions(), [first.clone(), first.clone()]);
    assert_eq!(asks(&up), vec![format!("{HEADER} after"); 4], "a rollback reads what was sealed anew");
    let deploy = up.run(&["deploy", &file("one")]).unwrap();
    assert_eq!(deploy.status.code(), Some(6), "nothing differs: {}", text(&deploy));
    let audit = run(&up, &["key", "rotate"]);
    assert!(audit.contains("out of use"), "once more: {audit}");
    up.stop().unwrap();
    up.start_again(2).unwrap();
    assert_eq!(asks(&up), vec![format!("{HEADER} after"); 4]);
    assert!(!up.output().contains("differs from what"), "{}", up.output());
}

fn replicas(up: &Up) -> Vec<u32> {
    let mut pids: Vec<u32> = up.replicas().into_iter().map(|replica| replica.pid).collect();
    pids.sort_unstable();
    pids
}

#[test]
fn processes_that_were_given_their_key_are_restarted_one_by_one() {
    let folder = tempfile::TempDir::new().unwrap();
    let file = write_flow(folder.path(), &flow("one")).unwrap().display().to_string();
    let (cred, db) = (credentials(folder.path()), folder.path().join("store.db"));
    let store = format!("sqlite:{}", db.display());
    let [http, admin] = free_ports().unwrap();
    let (http_at, admin_at) = (http.to_string(), admin.to_string());
    let (old, logs) = ("the-first-key-of-this-group", folder.path().join("logs").display().to_string());
    let gateway = |key: &str| {
        let args = ["gateway", "--store", &store, "--http", &http_at, "--admin", &admin_at, "--logs", &logs];
        Part::start(&args, &[("FLOTILLA_GROUP_KEY", key)]).unwrap()
    };
    let replica = |id: &str, key: &str| {
        let args = [
            "replica",
            &file,
            "--store",
            &store,
            "--http",
            "127.0.0.1:0",
            "--ops",
            "127.0.0.1:0",
            "--id",
            id,
            "--credentials",
            &cred,
        ];
        Part::start(&args, &[("FLOTILLA_GROUP_KEY", key)]).unwrap()
    };
    let flotilla =
        |args: &[&str]| Command::new(flotilla().unwrap()).args(args).args(["--admin", &admin_at]).output().unwrap();
    let asks = || get(http, "/asks").unwrap().body;
    let door = gateway(old);
    let (one, two) = (replica("one", old), replica("two", old));
    let both = || {
        let status = String::from_utf8(flotilla(&["status", "--json"]).stdout).unwrap();
        let list: Vec<Value> = serde_json::from_str(&status).unwrap_or_default();
        (list.iter().filter(|replica| replica["state"] == "ready").count() == 2).then_some(())
    };
    let ready = || eventually("two ready replicas", std::time::Duration::from_secs(30), both).unwrap();
    wait_for(admin, "/livez", 200).unwrap();
    ready();
    let set = flotilla(&["env", "set", "--secret", "--wait", "TOKEN=kept"]);
    assert!(set.status.success(), "{}", text(&set));
    assert_eq!(asks(), format!("{HEADER} kept"));

    let bare = flotilla(&["key", "rotate"]);
    assert!(bare.status.code() == Some(3) && text(&bare).contains("new key"), "{}", text(&bare));
    let new_file = folder.path().join("new.key");
    let rotated = flotilla(&["key", "rotate", "--new-key", new_file.to_str().unwrap()]);
    assert!(rotated.status.success() && text(&rotated).contains("flotilla key finish"), "{}", text(&rotated));
    let new = std::fs::read_to_string(&new_file).unwrap();
    let (all, by_new) = opened(&db, &new);
    assert!(all > 0 && all == by_new, "{by_new} of {all}");
    let set = flotilla(&["env", "set", "--secret", "--wait", "TOKEN=new"]);
    assert!(set.status.success(), "those with the old key read the new one: {}", text(&set));
    assert_eq!(asks(), format!("{HEADER} new"));
    let early = flotilla(&["key", "finish"]);
    assert!(early.status.code() == Some(3) && text(&early).contains("replica one"), "{}", text(&early));

    one.stop().unwrap();
    let one = replica("one", &new);
    ready();
    two.stop().unwrap();
    let two = replica("two", &new);
    ready();
    assert_eq!(asks(), format!("{HEADER} new"));
    door.stop().unwrap();
    let door = gateway(&new);
    wait_for(admin, "/livez", 200).unwrap();
    let finish = || flotilla(&["key", "finish"]).status.success().then_some(());
    eventually("the end of the rotation: the old gateway is gone", std::time::Duration::from_secs(20), finish).unwrap();
    let shown = flotilla(&["key", "show", "--json"]);
    let state: Value = serde_json::from_slice(&shown.stdout).unwrap();
    assert!(state["pending"] == json!([]) && state["holders"].as_array().unwrap().len() == 3, "{state:#}");

    let mut late = replica("late", old);
    let ended = eventually("a replica with the old key to end", std::time::Duration::from_secs(20), || late.ended());
    assert_eq!(ended.unwrap().code(), Some(2), "the old key opens nothing any more");
    for part in [one, two, door] {
        part.stop().unwrap();
    }
}
