//! A failover of Redis with sentinels: the store goes on with the new master.
#![allow(clippy::unwrap_used, reason = "a test that unwraps nothing stops there, with the reason")]

use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use flotilla_store::{Event, Write, open};

use super::place::free_port;

const ENDS: Duration = Duration::from_secs(60);

struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(args: &[&str], port: u16) -> Option<Server> {
    let child = Command::new("redis-server").args(args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().ok()?;
    let server = Server(child);
    let deadline = Instant::now() + ENDS;
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(Instant::now() < deadline, "redis-server does not listen");
        std::thread::sleep(Duration::from_millis(20));
    }
    Some(server)
}

fn redis(folder: &Path, port: u16, master: Option<u16>) -> Option<Server> {
    let (port_text, folder) = (port.to_string(), folder.display().to_string());
    let mut args = vec!["--bind", "127.0.0.1", "--port", &port_text, "--save", "", "--dir", &folder];
    let master = master.map(|port| port.to_string());
    if let Some(master) = &master {
        args.extend(["--replicaof", "127.0.0.1", master]);
    }
    start(&args, port)
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_failover_the_store_is_that_of_the_new_master() {
    let folder = tempfile::tempdir().unwrap();
    let [first, second, sentinel] = [free_port(), free_port(), free_port()];
    let Some(master) = redis(folder.path(), first, None) else {
        return println!("SKIPPED: redis-server is not installed");
    };
    let _replica = redis(folder.path(), second, Some(first)).unwrap();
    let config = folder.path().join("sentinel.conf");
    let text = format!(
        "port {sentinel}\nbind 127.0.0.1\ndir {}\nsentinel monitor plant 127.0.0.1 {first} 1\n\
         sentinel down-after-milliseconds plant 500\nsentinel failover-timeout plant 3000\n",
        folder.path().display()
    );
    std::fs::write(&config, text).unwrap();
    let _sentinel = start(&[config.to_str().unwrap(), "--sentinel"], sentinel).unwrap();
    let url = format!("redis://127.0.0.1:{sentinel}?sentinel=plant&timeout=1s");
    let store = open(&url).await.unwrap();
    let mut watch = store.watch("k").await.unwrap();
    store.set("k", "before".into(), Write::default()).await.unwrap();
    // The replica has it, and the sentinel knows the replica.
    let client = redis::Client::open(format!("redis://127.0.0.1:{first}")).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let deadline = Instant::now() + ENDS;
    while redis::cmd("WAIT").arg(1).arg(100).query_async::<u32>(&mut connection).await.unwrap() < 1 {
        assert!(Instant::now() < deadline, "the replica does not follow");
    }
    let asked = redis::Client::open(format!("redis://127.0.0.1:{sentinel}")).unwrap();
    let mut asked = asked.get_multiplexed_async_connection().await.unwrap();
    loop {
        let mut command = redis::cmd("SENTINEL");
        let known: Vec<redis::Value> = command.arg("replicas").arg("plant").query_async(&mut asked).await.unwrap();
        if !known.is_empty() {
            break;
        }
        assert!(Instant::now() < deadline, "the sentinel does not know the replica");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    drop(master);
    let deadline = Instant::now() + ENDS;
    while let Err(error) = store.set("k", "after".into(), Write::default()).await {
        assert!(error.is_unavailable(), "{error}");
        assert!(Instant::now() < deadline, "the new master is not found: {error}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(store.get("k").await.unwrap().unwrap().value, "after");
    // Whoever watches hears of it, at the latest with a resync.
    let heard = async {
        loop {
            match watch.next().await {
                Some(Event::Resync) if store.get("k").await.is_ok_and(|found| found.unwrap().value == "after") => {
                    return;
                }
                Some(Event::Change { entry: Some(entry), .. }) if entry.value == "after" => return,
                Some(_) => {}
                None => panic!("the watch ended"),
            }
        }
    };
    tokio::time::timeout(ENDS, heard).await.unwrap();
}
