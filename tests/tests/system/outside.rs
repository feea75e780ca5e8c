//! `flotilla up` as its user meets it: what it prints works, it ends well, it says what is wrong.

use std::process::Command;
use std::time::Duration;

use flotilla_tests::{Up, UpOptions, eventually, example, flotilla, free_ports, get, kill};

#[test]
fn it_drains_on_sigterm_and_ends_with_0() {
    let mut up = Up::start(&example("plant.json"), UpOptions::default()).unwrap();
    let replicas = up.replicas();
    let status = up.stop().unwrap();
    assert!(status.success(), "{status}\n{}", up.log());
    for replica in replicas {
        let gone = || (!std::path::Path::new(&format!("/proc/{}", replica.pid)).exists()).then_some(());
        eventually("the replica to be gone", Duration::from_secs(5), gone).unwrap();
    }
}

#[test]
fn every_line_it_prints_to_try_works() {
    for flow in ["plant.json", "http-api.json"] {
        let up = Up::start(&example(flow), UpOptions::default()).unwrap();
        let printed = up.output();
        let lines: Vec<&str> = printed
            .lines()
            .map(str::trim)
            .filter(|line| line.starts_with("curl") || line.contains("_pub -h") || line.contains(" pub -h"))
            .collect();
        assert!(!lines.is_empty(), "{printed}");
        for line in lines {
            let done = Command::new("sh").args(["-c", line]).output().unwrap();
            assert!(done.status.success(), "{line}: {}", String::from_utf8_lossy(&done.stderr));
            if line.starts_with("curl") {
                let text = String::from_utf8_lossy(&done.stdout);
                assert!(text.starts_with("HTTP/1.1 200"), "{line}: {text}");
            }
        }
    }
}

#[test]
fn a_taken_port_is_named_with_its_flag() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap();
    for flag in ["--mqtt", "--http", "--admin"] {
        let [mqtt, http, admin] = free_ports().unwrap();
        let data = tempfile::TempDir::new().unwrap();
        let address = |name: &str, free: std::net::SocketAddr| if name == flag { port } else { free }.to_string();
        let ended = Command::new(flotilla().unwrap())
            .arg("up")
            .arg(example("plant.json"))
            .args([
                "--mqtt",
                &address("--mqtt", mqtt),
                "--http",
                &address("--http", http),
                "--admin",
                &address("--admin", admin),
            ])
            .arg("--data")
            .arg(data.path())
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&ended.stderr);
        assert!(!ended.status.success());
        assert!(text.contains(flag) && text.contains(&port.to_string()), "{flag}: {text}");
    }
}

#[test]
fn a_counter_in_shared_context_is_exact_over_replicas() {
    let up = Up::start(&example("http-api.json"), UpOptions::default()).unwrap();
    let mut seen = Vec::new();
    for _ in 0..60 {
        let answer = get(up.http, "/hits/front-door").unwrap();
        assert_eq!(answer.status, 200, "{}", answer.body);
        let value: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
        seen.push(value["hits"].as_u64().unwrap());
    }
    assert_eq!(seen, (1..=60).collect::<Vec<_>>());
    let busy = up.replicas().iter().filter(|replica| replica.completed > 0).count();
    assert!(
        busy >= 2
            || eventually("two replicas to show work", Duration::from_secs(10), || {
                (up.replicas().iter().filter(|replica| replica.completed > 0).count() >= 2).then_some(())
            })
            .is_ok()
    );
}

#[test]
fn requests_go_on_while_a_replica_is_killed_and_it_comes_back() {
    let up = Up::start(&example("http-api.json"), UpOptions::default()).unwrap();
    let victim = up.replicas().remove(0);
    kill(victim.pid).unwrap();
    for _ in 0..50 {
        assert_eq!(get(up.http, "/hits/x").unwrap().status, 200);
    }
    eventually("another process in its place", Duration::from_secs(30), || {
        let replicas = up.replicas();
        (up.ready() >= 3
            && replicas
                .iter()
                .filter(|replica| replica.state == flotilla_tests::ReplicaState::Ready)
                .all(|replica| replica.pid != victim.pid))
        .then_some(())
    })
    .unwrap();
}

#[test]
fn a_document_that_cannot_be_read_says_where() {
    let folder = tempfile::TempDir::new().unwrap();
    let file = folder.path().join("broken.json");
    std::fs::write(&file, "[\n {\"id\": }\n]").unwrap();
    for command in ["review", "up"] {
        let ended = Command::new(flotilla().unwrap()).arg(command).arg(&file).output().unwrap();
        let text = String::from_utf8_lossy(&ended.stderr);
        assert!(text.contains("line 2"), "{text}");
        assert_eq!(ended.status.code(), Some(2), "{command}");
    }
}
