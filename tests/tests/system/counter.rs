//! A counter in shared context is exact, whoever dies.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use flotilla_tests::{Up, UpOptions, eventually, kill, request, write_flow};
use serde_json::json;

/// Increments for each request and answers the sum. By POST: a GET whose replica died is sent to another one.
fn start() -> Up {
    let folder = tempfile::TempDir::new().unwrap();
    let document = json!([
        {"id": "t1", "type": "tab", "label": "Counter", "disabled": false, "info": ""},
        {"id": "h1", "type": "http in", "z": "t1", "name": "", "url": "/count", "method": "post", "upload": false,
         "swaggerDoc": "", "x": 100, "y": 200, "wires": [["f1"]]},
        {"id": "f1", "type": "function", "z": "t1", "name": "", "outputs": 1, "timeout": 0, "noerr": 0,
         "func": "msg.payload = String(global.incr('count', 1, 'shared'));\nreturn msg;",
         "initialize": "", "finalize": "", "libs": [], "x": 200, "y": 200, "wires": [["r1"]]},
        {"id": "r1", "type": "http response", "z": "t1", "name": "", "statusCode": "", "headers": {}, "x": 300,
         "y": 200, "wires": []}
    ]);
    let file = write_flow(folder.path(), &document).unwrap();
    Up::start(&file, UpOptions { replicas: 4, args: Vec::new() }).unwrap()
}

#[test]
fn it_is_exact_where_each_increment_was_acknowledged_while_a_replica_is_killed() {
    let up = start();
    let (stop, acknowledged, failed) = (AtomicBool::new(false), AtomicU64::new(0), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    match request(up.http, "POST", "/count", "", "") {
                        Ok(answer) if answer.status == 200 => acknowledged.fetch_add(1, Ordering::Relaxed),
                        _ => failed.fetch_add(1, Ordering::Relaxed),
                    };
                }
            });
        }
        let count = |least: u64| (acknowledged.load(Ordering::Relaxed) >= least).then_some(());
        let some = eventually("increments", Duration::from_secs(60), || count(300));
        let killed = kill(up.replicas().remove(0).pid);
        let more = eventually("more increments", Duration::from_secs(60), || count(1_000));
        stop.store(true, Ordering::Relaxed);
        some.and(killed).and(more).unwrap();
    });
    let read = up.run(&["context", "get", "global/count"]).unwrap();
    let sum: u64 = String::from_utf8_lossy(&read.stdout).trim().parse().unwrap();
    let (acknowledged, failed) = (acknowledged.into_inner(), failed.into_inner());
    println!("{sum} counted, {acknowledged} acknowledged, {failed} requests failed");
    // A request that died with its replica may have been counted, and nobody was told.
    assert!(
        (acknowledged..=acknowledged + failed).contains(&sum),
        "{sum} counted, {acknowledged} acknowledged, {failed} failed"
    );
    assert!(failed <= 4, "only what was in flight on the dead replica may fail");
}
