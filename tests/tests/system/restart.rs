//! `flotilla up` that ends and starts again in the same folder.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use flotilla_tests::{eventually, flotilla, free_ports, get, write_flow};

use crate::rollout_flow::flow;

/// An `up` in a folder. Dropped, it is killed.
struct Started {
    child: Child,
    http: SocketAddr,
}

impl Drop for Started {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn run(data: &Path, args: &[&str]) -> Output {
    Command::new(flotilla().unwrap()).args(args).args(["--data", data.to_str().unwrap()]).output().unwrap()
}

fn start(data: &Path, flows: &Path, more: &[&str]) -> Started {
    let [http, admin] = free_ports().unwrap();
    let child = Command::new(flotilla().unwrap())
        .args(["up", flows.to_str().unwrap(), "--no-broker", "--replicas", "1", "--data", data.to_str().unwrap()])
        .args(["--http", &http.to_string(), "--admin", &admin.to_string()])
        .args(more)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let started = Started { child, http };
    eventually("the flow to answer", Duration::from_mins(1), || {
        get(started.http, "/version").ok().filter(|answer| answer.status == 200).map(|_| ())
    })
    .unwrap();
    started
}

fn version(started: &Started) -> String {
    get(started.http, "/version").unwrap().body
}

#[test]
fn a_restart_undoes_no_deploy_and_a_changed_file_waits_for_deploy() {
    let folder = tempfile::TempDir::new().unwrap();
    let data = folder.path().join("data");
    let file = |mark: &str| write_flow(folder.path(), &flow(mark, "")).unwrap();
    let first = start(&data, &file("one"), &[]);
    assert_eq!(version(&first), "one");
    let other = folder.path().join("other");
    std::fs::create_dir(&other).unwrap();
    let two = write_flow(&other, &flow("two", "")).unwrap();
    // Found by its folder.
    let deployed = run(&data, &["deploy", two.to_str().unwrap(), "--wait", "--probation", "0.2"]);
    assert!(deployed.status.success(), "{}", String::from_utf8_lossy(&deployed.stderr));
    assert_eq!(version(&first), "two");
    let second =
        run(&data, &["up", two.to_str().unwrap(), "--no-broker", "--http", "127.0.0.1:0", "--admin", "127.0.0.1:0"]);
    let text = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(second.status.code() == Some(3) && text.contains("flotilla down"), "{text}");
    assert!(run(&data, &["down"]).status.success());
    drop(first);
    assert_eq!(run(&data, &["down"]).status.code(), Some(7), "nobody runs there any more");

    let again = start(&data, &file("one"), &[]);
    assert_eq!(version(&again), "two", "the deploy stays");
    assert!(run(&data, &["down"]).status.success());
    drop(again);
    let three = start(&data, &file("three"), &[]);
    assert_eq!(version(&three), "two", "a file that changed waits");
    assert!(run(&data, &["down"]).status.success());
    drop(three);
    let three = start(&data, &file("three"), &["--deploy"]);
    assert_eq!(version(&three), "three");
    assert!(run(&data, &["rollback", "--wait", "--probation", "0.2"]).status.success());
    assert_eq!(version(&three), "two", "it was a deploy like any other");
}
