//! Users, roles and tokens with the real commands.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use flotilla_tests::{Up, UpOptions, flotilla, write_flow};
use serde_json::{Value, json};

/// What must never show up anywhere.
const PASSWORD: &str = "planted-password-1";

fn start() -> Up {
    let folder = tempfile::TempDir::new().unwrap();
    let file = write_flow(folder.path(), &json!([{"id": "tab", "type": "tab", "label": "users"}])).unwrap();
    Up::start(&file, UpOptions { replicas: 1, args: Vec::new() }).unwrap()
}

/// A person at another desk: no data folder of `up`, a home of their own.
fn person(up: &Up, home: &Path, token: Option<&str>, args: &[&str], input: &str) -> Output {
    let mut command = Command::new(flotilla().unwrap());
    command.args(args).args(["--admin", &up.admin.to_string()]).current_dir(home);
    command.env_remove("FLOTILLA_DATA").env("XDG_RUNTIME_DIR", home).env("XDG_CONFIG_HOME", home);
    match token {
        Some(token) => command.env("FLOTILLA_ADMIN_TOKEN", token),
        None => command.env_remove("FLOTILLA_ADMIN_TOKEN"),
    };
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // A command that ends before it has read its input closes the pipe.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn people_and_machines_have_rights_of_their_own() {
    let up = start();
    let home = tempfile::TempDir::new().unwrap();
    let stranger = person(&up, home.path(), None, &["status"], "");
    assert_eq!(stranger.status.code(), Some(3), "{}", text(&stranger));
    assert!(text(&stranger).contains("flotilla login"), "it says how to get in: {}", text(&stranger));

    let admin = |args: &[&str], input: &str| {
        let token = up.api().token.unwrap();
        let output = person(&up, home.path(), Some(&token), args, input);
        assert!(output.status.success(), "{args:?}: {}", text(&output));
        String::from_utf8(output.stdout).unwrap()
    };
    admin(&["user", "add", "ann", "--role", "viewer:default"], &format!("{PASSWORD}\n"));
    admin(&["user", "add", "robot", "--role", "deployer:default", "--no-password"], "");
    let robot = admin(&["token", "new", "ci", "--user", "robot", "--expires", "1h"], "").trim().to_owned();
    assert!(admin(&["user", "list"], "").contains("viewer:default"));

    // A person logs in once and looks, and may do nothing else.
    let login = person(&up, home.path(), None, &["login", "ann"], &format!("{PASSWORD}\n"));
    assert!(login.status.success(), "{}", text(&login));
    assert!(person(&up, home.path(), None, &["status"], "").status.success());
    let refused = person(&up, home.path(), None, &["env", "set", "A=1"], "");
    assert_eq!(refused.status.code(), Some(3), "{}", text(&refused));
    assert!(text(&refused).contains("needs the right \"deploy\""), "{}", text(&refused));

    // A machine deploys; the audit log has its name whatever it says.
    let secret = person(&up, home.path(), Some(&robot), &["env", "set", "--secret", "KEY=planted-secret-2"], "");
    assert!(secret.status.success(), "{}", text(&secret));
    assert_eq!(person(&up, home.path(), Some(&robot), &["user", "list"], "").status.code(), Some(3));
    let log: Vec<Value> = up.audit();
    let of = |action: &str| {
        log.iter().find(|entry| entry["action"] == action).unwrap_or_else(|| panic!("{action}: {log:?}"))
    };
    assert_eq!((&of("secrets-change")["actor"], &of("secrets-change")["source"]), (&json!("robot"), &json!("cli")));
    assert_eq!((&of("refused")["actor"], &of("refused")["result"]), (&json!("ann"), &json!("refused")));
    let system = admin(&["audit", "--system", "--json"], "");
    assert!(system.contains("user-add") && system.contains("token-new") && system.contains("\"login\""), "{system}");

    // What was planted is nowhere: not in the logs, the audit, the store's files or the list of processes.
    let processes = Command::new("ps").args(["axww", "-o", "args"]).output().unwrap();
    let mut places = vec![up.log(), up.output(), system, json!(log).to_string(), text(&processes)];
    for name in ["store.db", "store.db-wal"] {
        places.push(String::from_utf8_lossy(&std::fs::read(up.data().join(name)).unwrap()).into_owned());
    }
    for (number, place) in places.iter().enumerate() {
        for planted in [PASSWORD, "planted-secret-2", robot.as_str()] {
            assert!(!place.contains(planted), "{planted} in place {number}");
        }
    }

    let logout = person(&up, home.path(), None, &["logout"], "");
    assert!(logout.status.success(), "{}", text(&logout));
    assert_eq!(person(&up, home.path(), None, &["status"], "").status.code(), Some(3));
    let id = admin(&["token", "list", "--user", "robot", "--json"], "");
    let id: Value = serde_json::from_str(&id).unwrap();
    admin(&["token", "revoke", id[0]["id"].as_str().unwrap()], "");
    assert_eq!(person(&up, home.path(), Some(&robot), &["status"], "").status.code(), Some(3));
}

#[test]
fn where_several_people_share_an_up_they_log_in() {
    let folder = tempfile::TempDir::new().unwrap();
    let file = write_flow(folder.path(), &json!([{"id": "tab", "type": "tab", "label": "users"}])).unwrap();
    let mut up = Up::start(&file, UpOptions { replicas: 1, args: vec!["--users".to_owned()] }).unwrap();
    assert!(up.output().contains("flotilla user add NAME --role admin"), "{}", up.output());
    let home = tempfile::TempDir::new().unwrap();
    let token = up.api().token.unwrap();
    let run = |token: Option<&str>, args: &[&str], input: &str| person(&up, home.path(), token, args, input);
    let first = run(Some(&token), &["user", "add", "ann", "--role", "admin"], &format!("{PASSWORD}\n"));
    assert!(first.status.success(), "{}", text(&first));
    let after = run(Some(&token), &["status"], "");
    assert!(after.status.code() == Some(3) && text(&after).contains("flotilla login NAME"), "{}", text(&after));
    let form = format!("grant_type=password&scope=*&username=admin&password={token}");
    let kind = "Content-Type: application/x-www-form-urlencoded\r\n";
    assert_eq!(flotilla_tests::request(up.admin, "POST", "/auth/token", kind, &form).unwrap().status, 403);
    let login = run(None, &["login", "ann"], &format!("{PASSWORD}\n"));
    assert!(login.status.success(), "{}", text(&login));
    assert!(run(None, &["env", "set", "A=1"], "").status.success());
    let audit = run(None, &["audit", "--json"], "");
    let by = |line: &str| serde_json::from_str::<Value>(line).unwrap()["actor"].clone();
    let lines = String::from_utf8(audit.stdout).unwrap();
    assert!(lines.lines().any(|line| by(line) == "ann"), "{lines}");
    up.stop().unwrap();
}
