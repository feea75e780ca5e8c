//! A deploy changes only what it was given.

use flotilla_tests::{Up, UpOptions, get, write_flow};
use serde_json::{Value, json};

/// `GET /show` answers two variables and a credential's presence; `mark` changes another node.
fn flow(mark: &str) -> Value {
    let show = "msg.payload = [env.get('HOST'), env.get('TOKEN')].map(v => v || '-').join(' ');\nreturn msg;";
    json!([
        {"id": "t1", "type": "tab", "label": "Show", "disabled": false, "info": ""},
        {"id": "h1", "type": "http in", "z": "t1", "name": "", "url": "/show", "method": "get", "upload": false,
         "swaggerDoc": "", "x": 100, "y": 100, "wires": [["f1"]]},
        {"id": "f1", "type": "function", "z": "t1", "name": "show", "func": show, "outputs": 1, "timeout": 0, "noerr": 0,
         "initialize": "", "finalize": "", "libs": [], "x": 200, "y": 100, "wires": [["r1"]]},
        {"id": "r1", "type": "http response", "z": "t1", "name": "", "statusCode": "", "headers": {}, "x": 300, "y": 100,
         "wires": []},
        {"id": "f2", "type": "function", "z": "t1", "name": "other", "func": format!("// {mark}\nreturn msg;"),
         "outputs": 1, "timeout": 0, "noerr": 0, "initialize": "", "finalize": "", "libs": [], "x": 200, "y": 200,
         "wires": [[]]}
    ])
}

/// Exit code, standard output and standard error.
fn run(up: &Up, args: &[&str]) -> (Option<i32>, String, String) {
    let done = up.run(args).unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (done.status.code(), text(done.stdout), text(done.stderr))
}

fn shown(up: &Up) -> String {
    get(up.http, "/show").unwrap().body
}

#[test]
fn what_a_deploy_is_not_given_stays_and_a_race_is_refused() {
    let folder = tempfile::TempDir::new().unwrap();
    let file = |mark: &str| write_flow(folder.path(), &flow(mark)).unwrap().display().to_string();
    let (env, credentials) = (folder.path().join("env"), folder.path().join("cred.json"));
    std::fs::write(&env, "HOST=a\nOTHER=1\n").unwrap();
    std::fs::write(&credentials, json!({"f2": {"password": "hush"}}).to_string()).unwrap();
    let args = ["--env-file", env.to_str().unwrap(), "--credentials", credentials.to_str().unwrap()];
    let options = UpOptions { replicas: 1, args: args.map(str::to_owned).to_vec() };
    let up = Up::start(file("one").as_ref(), options).unwrap();
    let revision = || up.revisions().remove(0);
    let (first, deploy) = (revision(), ["--wait", "--probation", "0.2"]);
    let deploy = |more: &[&str]| run(&up, &[&["deploy"][..], &deploy, more].concat());
    assert_eq!(shown(&up), "a -");

    let two = file("two");
    let (code, plan, _) = run(&up, &["deploy", &two, "--dry-run"]);
    assert_eq!(code, Some(0), "{plan}");
    assert!(plan.contains("1 nodes of the flow") && plan.contains("function \"other\" on Show"), "{plan}");
    assert_eq!(revision(), first, "a dry run changes nothing");
    let (code, _, error) = deploy(&[&two]);
    assert_eq!(code, Some(0), "{error}");
    assert_eq!(shown(&up), "a -", "env stays");
    let (_, text, _) = run(&up, &["revision", "show", &revision()]);
    assert!(text.contains("\"has_credentials\": true"), "credentials stay: {text}");

    assert_eq!(deploy(&["--env", "HOST=b"]).0, Some(0));
    assert_eq!(shown(&up), "b -", "one variable changes, and the flow stays");
    let (code, text, _) = run(&up, &["revision", "diff", &first, &revision()]);
    assert_eq!(code, Some(0));
    assert!(text.contains("- // one") && text.contains("+ // two") && text.contains("changed HOST"), "{text}");
    let (code, _, error) = deploy(&[&file("three"), "--base", &first]);
    assert!(code == Some(3) && error.contains("env HOST"), "{code:?} {error}");
    assert_eq!(deploy(&["--unset", "HOST"]).0, Some(0));
    assert_eq!(shown(&up), "- -");
    assert_eq!(deploy(&["--unset", "HOST"]).0, Some(7), "there is none any more");
    assert_eq!(deploy(&[]).0, Some(6), "nothing differs");
}

#[test]
fn secrets_are_the_groups_and_a_rollback_brings_none_back() {
    let folder = tempfile::TempDir::new().unwrap();
    let file = |mark: &str| write_flow(folder.path(), &flow(mark)).unwrap().display().to_string();
    let up = Up::start(file("one").as_ref(), UpOptions { replicas: 1, args: Vec::new() }).unwrap();
    let secret = |value: &str| run(&up, &["env", "set", "--secret", "--wait", &format!("TOKEN={value}")]);
    assert_eq!(secret("hush-1").0, Some(0));
    assert_eq!(shown(&up), "- hush-1");
    assert_eq!(run(&up, &["deploy", &file("two"), "--wait", "--probation", "0.2"]).0, Some(0));
    assert_eq!(shown(&up), "- hush-1", "it is not part of a revision");
    assert_eq!(secret("hush-2").0, Some(0));
    let (code, _, error) = run(&up, &["rollback", "--wait", "--probation", "0.2"]);
    assert_eq!(code, Some(0), "{error}");
    assert_eq!(shown(&up), "- hush-2", "a rollback does not bring a rotated secret back");
    let (_, list, _) = run(&up, &["env", "list"]);
    assert!(list.contains("TOKEN") && list.contains("***"), "{list}");
    let id = up.revisions().remove(0);
    for args in [&["env", "list", "--json"][..], &["audit", "--json"], &["revision", "show", &id]] {
        let (_, text, _) = run(&up, args);
        assert!(!text.contains("hush"), "{args:?}: {text}");
    }
    for (path, bytes) in up.kept().unwrap() {
        assert!(!bytes.windows(6).any(|window| window == b"hush-2"), "{} has it in the clear", path.display());
    }
}

#[test]
fn settings_of_nodes_are_carried_by_revisions() {
    let folder = tempfile::TempDir::new().unwrap();
    let file = |mark: &str| write_flow(folder.path(), &flow(mark)).unwrap().display().to_string();
    let up = Up::start(file("one").as_ref(), UpOptions { replicas: 1, args: Vec::new() }).unwrap();
    let ended = || up.rollout_ended(std::time::Duration::from_mins(1)).unwrap();
    let (code, _, error) = run(&up, &["group", "set", "nowhere", "each"]);
    assert!(code == Some(7) && error.contains("nowhere"), "{error}");
    let (code, _, error) = run(&up, &["group", "set", "h1", "every"]);
    assert!(code == Some(2) && error.contains("share=group|each|single"), "{error}");
    assert_eq!(run(&up, &["group", "set", "h1", "single"]).0, Some(0));
    assert_eq!(ended()["phase"], "done");
    assert_eq!(run(&up, &["deploy", &file("two"), "--wait", "--probation", "0.2"]).0, Some(0));
    let settings = || serde_json::from_str::<Value>(&run(&up, &["group", "set", "h1"]).1).unwrap();
    assert_eq!(settings(), json!({"share": "single"}), "a deploy keeps them");
    assert_eq!(run(&up, &["group", "set", "h1", "share="]).0, Some(0));
    assert_eq!(ended()["phase"], "done");
    assert_eq!(settings(), json!({}));
}
