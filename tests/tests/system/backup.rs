//! A backup that is made while the group runs, and brought back into an empty folder.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use flotilla_tests::{Up, UpOptions, flotilla, request, write_flow};
use serde_json::json;

fn run(args: &[&str], input: &str) -> Output {
    let mut child = Command::new(flotilla().unwrap())
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn url(data: &Path) -> String {
    format!("sqlite:{}", data.join("store.db").display())
}

#[test]
fn a_backup_of_a_running_group_brings_flows_context_and_secrets_back() {
    let func = "msg.payload = env.get('TOKEN') + global.incr('n', 1, 'shared');\nreturn msg;";
    let document = json!([
        {"id": "t1", "type": "tab", "label": "Main", "disabled": false, "info": ""},
        {"id": "h1", "type": "http in", "z": "t1", "name": "", "url": "/n", "method": "post", "upload": false,
         "swaggerDoc": "", "x": 100, "y": 100, "wires": [["f1"]]},
        {"id": "f1", "type": "function", "z": "t1", "name": "", "func": func, "outputs": 1, "timeout": 0, "noerr": 0,
         "initialize": "", "finalize": "", "libs": [], "x": 200, "y": 100, "wires": [["r1"]]},
        {"id": "r1", "type": "http response", "z": "t1", "name": "", "statusCode": "", "headers": {}, "x": 300, "y": 100,
         "wires": []}
    ]);
    let folder = tempfile::TempDir::new().unwrap();
    let flows = write_flow(folder.path(), &document).unwrap();
    let mut up = Up::start(&flows, UpOptions { replicas: 2, args: Vec::new() }).unwrap();
    let set = up.run(&["env", "set", "--secret", "TOKEN=hush-", "--wait"]).unwrap();
    assert!(set.status.success(), "{}", text(&set));
    let answer = |up: &Up| request(up.http, "POST", "/n", "", "").unwrap().body;
    assert_eq!(answer(&up), "hush-1");

    let file = folder.path().join("backup.jsonl");
    let file = file.to_str().unwrap();
    let exported = run(&["store", "export", file, "--store", &url(&up.data())], "");
    assert!(exported.status.success(), "{}", text(&exported));
    let backup = std::fs::read_to_string(file).unwrap();
    assert!(!backup.contains("hush-"), "secrets stay sealed");
    assert_eq!(answer(&up), "hush-2", "it ran on; what came after the backup is not in it");

    let (data, url) = (up.data(), url(&up.data()));
    let import = |args: &[&str]| run(&[&["store", "import", file, "--store", &url], args].concat(), "");
    let used = import(&["--replace"]);
    assert_eq!(used.status.code(), Some(3), "{}", text(&used));
    assert!(text(&used).contains("stop the group first"), "{}", text(&used));

    up.stop().unwrap();
    let full = import(&[]);
    assert_eq!(full.status.code(), Some(3), "{}", text(&full));
    assert!(text(&full).contains("--replace"), "{}", text(&full));
    let cut: String = backup.lines().take(3).flat_map(|line| [line, "\n"]).collect();
    let broken = run(&["store", "import", "-", "--replace", "--store", &url], &cut);
    assert_eq!(broken.status.code(), Some(2), "{}", text(&broken));

    // A disk that is gone: only the backup and the group's key are left.
    for file in ["store.db", "store.db-wal", "store.db-shm"] {
        let _ = std::fs::remove_file(data.join(file));
    }
    let imported = import(&[]);
    assert!(imported.status.success(), "{}", text(&imported));
    up.start_again(2).unwrap();
    assert_eq!(answer(&up), "hush-2", "as it was at the time of the backup");
}

#[test]
fn passwords_that_passwd_writes_let_clients_in() {
    let folder = tempfile::TempDir::new().unwrap();
    let users = folder.path().join("users");
    let users = users.to_str().unwrap();
    let passwd = |args: &[&str], input: &str| run(&[&["broker", "passwd", users], args].concat(), input);
    assert!(passwd(&["ann"], "first\n").status.success());
    assert!(passwd(&["bob"], "second\n").status.success());
    assert!(passwd(&["ann"], "third\n").status.success());
    assert_eq!(passwd(&["a:b"], "x\n").status.code(), Some(2));
    assert_eq!(passwd(&["eve"], "\n").status.code(), Some(2));
    assert_eq!(passwd(&["eve", "--delete"], "").status.code(), Some(7));
    assert!(passwd(&["bob", "--delete"], "").status.success());
    let config = flotilla_broker::Config {
        listen: "127.0.0.1:0".parse().unwrap(),
        users: Some(users.into()),
        ..flotilla_broker::Config::default()
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let broker = runtime.block_on(flotilla_broker::Broker::start(config)).unwrap();
    let port = broker.tcp_addr().port().to_string();
    let publish = |user: &str, password: &str| {
        let args = ["-h", "127.0.0.1", "-p", &port, "-u", user, "-P", password, "-t", "a", "-m", "x", "-q", "1"];
        Command::new("mosquitto_pub").args(args).output().unwrap().status.success()
    };
    assert!(publish("ann", "third") && !publish("ann", "first") && !publish("bob", "second"));
}
