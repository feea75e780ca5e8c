//! Bodies that come slowly.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use flotilla_tests::{get, request};

use super::kit::{replica_http, start};

/// More than the places in the flow and those who may wait for one.
const SLOW: usize = 120;

/// Connections that have begun a POST and go no further.
fn slow_posts(address: SocketAddr, length: usize) -> Vec<TcpStream> {
    let begin = || {
        let mut stream = TcpStream::connect(address).unwrap();
        write!(stream, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\nab").unwrap();
        stream
    };
    (0..SLOW).map(|_| begin()).collect()
}

#[test]
fn slow_bodies_hold_up_nobody_and_have_an_end() {
    let up = start(1, &["--max-in-flight", "20", "--body-timeout", "3"]);
    let replica = replica_http(&up);
    let small = slow_posts(up.http, 1_000);
    let large = slow_posts(up.http, 1_000_000);
    let direct = slow_posts(replica, 1_000);
    for address in [up.http, replica] {
        for _ in 0..20 {
            assert_eq!(get(address, "/echo").unwrap().status, 200);
            assert_eq!(request(address, "POST", "/echo", "", "x").unwrap().status, 200);
        }
    }
    // The gateway answers and closes: 408, and so ends what it had begun at the replica.
    for mut stream in small.into_iter().chain(large) {
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    }
    drop(direct);
    let metrics = get(up.admin, "/metrics").unwrap().body;
    assert!(metrics.contains(&format!("flotilla_gateway_refused_total{{status=\"408\"}} {}", SLOW * 2)), "{metrics}");
    assert!(!metrics.contains("flotilla_gateway_lost_total{"), "{metrics}");
}

#[test]
fn connections_beyond_the_bound_are_told_so() {
    let up = start(1, &["--max-connections", "10"]);
    let idle: Vec<TcpStream> = (0..10).map(|_| TcpStream::connect(up.http).unwrap()).collect();
    flotilla_tests::eventually("the bound", Duration::from_secs(10), || {
        get(up.http, "/echo").ok().filter(|answer| answer.status == 503)
    })
    .unwrap();
    drop(idle);
    flotilla_tests::eventually("room again", Duration::from_secs(10), || {
        get(up.http, "/echo").ok().filter(|answer| answer.status == 200)
    })
    .unwrap();
}
