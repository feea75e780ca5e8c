//! What 0.1.0 left works, and what a newer Flotilla left is refused by name: `tests/fixtures/0.1.0`.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use flotilla_tests::{Part, Up, UpOptions, eventually, flotilla, free_ports, get, wait_for};

/// The two revisions that its group was given, the newer one first.
const REVISIONS: [&str; 2] = ["18222c87ce04bda7", "0719470de835e9d4"];

fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/0.1.0").join(name)
}

fn copy(of: &str, into: &Path) {
    std::fs::create_dir_all(into).unwrap();
    for file in std::fs::read_dir(fixture(of)).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), into.join(file.file_name())).unwrap();
    }
}

#[test]
fn a_data_folder_of_0_1_0_goes_on() {
    let options = UpOptions { replicas: 2, args: Vec::new() };
    let up = Up::start_on(&fixture("data"), &fixture("flows.json"), options).unwrap();
    assert_eq!(up.revisions(), [REVISIONS[0]; 2], "it runs what was deployed last");
    let asks = || get(up.http, "/asks").unwrap().body;
    assert_eq!(asks(), "Basic dTpw plant-1 4", "credentials, env and context are as they were");
    let run = |args: &[&str]| {
        let done = up.run(args).unwrap();
        assert!(done.status.success(), "{args:?}: {}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).unwrap()
    };
    let list = run(&["revision", "list"]);
    assert!(REVISIONS.iter().all(|revision| list.contains(revision)), "{list}");
    let audit = run(&["audit"]);
    assert!(audit.contains("deploy") && audit.contains("rollout-done"), "its entries are shown: {audit}");
    run(&["env", "set", "--secret", "--wait", "TOKEN=new"]);
    run(&["rollback", REVISIONS[1], "--wait"]);
    assert_eq!(up.revisions(), [REVISIONS[1]; 2]);
    assert_eq!(asks(), "Basic dTpw plant-1 5");
    run(&["deploy", "--env", "HOST=plant-2", "--wait", "--probation", "0.2"]);
    assert_eq!(asks(), "Basic dTpw plant-2 6");
    run(&["key", "rotate"]);
    run(&["rollback", REVISIONS[0], "--wait"]);
    assert_eq!(asks(), "Basic dTpw plant-1 7", "also with another key");
    let mode = std::fs::metadata(up.data().join("store.db")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "others could read the store of 0.1.0");
}

#[test]
fn the_volumes_of_0_1_0_go_on() {
    let folder = tempfile::TempDir::new().unwrap();
    let (data, broker) = (folder.path().join("store"), folder.path().join("broker"));
    copy("data", &data);
    copy("broker", &broker);
    let key = std::fs::read_to_string(data.join("group.key")).unwrap();
    let [http, admin, mqtt] = free_ports().unwrap();
    // As the services of the compose file are started.
    let token = "a-token-of-the-compose-file";
    let store = format!("sqlite:{}", data.join("store.db").display());
    let (mqtt_at, http_at, admin_at) = (mqtt.to_string(), http.to_string(), admin.to_string());
    let (persist, logs) = (broker.display().to_string(), data.join("logs").display().to_string());
    let env =
        [("FLOTILLA_BROKER_LISTEN", &*mqtt_at), ("FLOTILLA_BROKER_PERSIST", &persist), ("FLOTILLA_OPS", "127.0.0.1:0")];
    let _broker = Part::start(&["broker"], &env).unwrap();
    let env = [
        ("FLOTILLA_STORE", &*store),
        ("FLOTILLA_HTTP", "127.0.0.1:0"),
        ("FLOTILLA_GROUP_KEY", &key),
        ("FLOTILLA_OPS", "127.0.0.1:0"),
    ];
    let flows = fixture("flows.json").display().to_string();
    let replicas = [(), ()].map(|()| Part::start(&["replica", &flows], &env).unwrap());
    let env = [
        ("FLOTILLA_STORE", &*store),
        ("FLOTILLA_HTTP", &http_at),
        ("FLOTILLA_ADMIN", &admin_at),
        ("FLOTILLA_ADMIN_TOKEN", token),
        ("FLOTILLA_GROUP_KEY", &key),
        ("FLOTILLA_LOGS", &logs),
    ];
    let _gateway = Part::start(&["gateway"], &env).unwrap();
    assert_eq!(wait_for(http, "/asks", 200).unwrap(), "Basic dTpw plant-1 4");
    let status = Command::new(flotilla().unwrap())
        .args(["status", "--json", "--admin", &admin_at])
        .env("FLOTILLA_ADMIN_TOKEN", token)
        .output()
        .unwrap();
    let shown = String::from_utf8(status.stdout).unwrap();
    assert!(shown.contains(REVISIONS[0]), "{shown}");
    for (topic, payload, id) in [("old/retained", "kept", "anybody"), ("old/queue", "waits", "kept-session")] {
        let port = mqtt.port().to_string();
        let heard = || {
            let sub = ["-p", &port, "-t", topic, "-q", "1", "-i", id, "-c", "-C", "1", "-W", "5"];
            let heard = Command::new("mosquitto_sub").args(sub).output().ok()?;
            (String::from_utf8_lossy(&heard.stdout).trim() == payload).then_some(())
        };
        eventually(&format!("{payload} on {topic}"), Duration::from_secs(30), heard).unwrap();
    }
    for replica in replicas {
        assert!(replica.stop().unwrap().success());
    }
}

#[test]
fn a_record_of_a_newer_version_is_refused_by_name() {
    let folder = tempfile::TempDir::new().unwrap();
    let data = folder.path().join("data");
    copy("data", &data);
    let store = rusqlite::Connection::open(data.join("store.db")).unwrap();
    let key = format!("revision/{}", REVISIONS[0]);
    let read = |row: &rusqlite::Row<'_>| row.get::<_, Vec<u8>>(0);
    let value = store.query_row("SELECT value FROM entry WHERE key = ?1", [&key], read).unwrap();
    let mut record: serde_json::Value = serde_json::from_slice(&value).unwrap();
    record["format"] = 99.into();
    let changed = store.execute("UPDATE entry SET value = ?2 WHERE key = ?1", (&key, record.to_string().into_bytes()));
    assert_eq!(changed.unwrap(), 1);
    drop(store);
    let [http, admin, mqtt] = free_ports().unwrap();
    let log = folder.path().join("log");
    let mut command = Command::new(flotilla().unwrap());
    command
        .arg("up")
        .arg(fixture("flows.json"))
        .arg("--data")
        .arg(&data)
        .args(["--http", &http.to_string(), "--admin", &admin.to_string(), "--mqtt", &mqtt.to_string()])
        .stdout(Stdio::null())
        .stderr(std::fs::File::create(&log).unwrap());
    let mut up = Part::run(command).unwrap();
    let ended = eventually("flotilla up to end", Duration::from_mins(1), || up.ended());
    let text = String::from_utf8_lossy(&std::fs::read(&log).unwrap()).into_owned();
    let status = ended.unwrap_or_else(|error| panic!("{error}: {text}"));
    assert!(!status.success(), "{text}");
    assert!(text.contains(REVISIONS[0]) && text.contains("format 99") && text.contains("upgrade"), "{text}");
}
