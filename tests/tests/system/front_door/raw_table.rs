//! Every raw case, at the gateway and at a replica.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use super::kit::{raw, replica_http, start};
use super::raw_cases::cases;

#[test]
fn gateway_and_replica_read_requests_as_the_rfcs_say() {
    let up = start(1, &[]);
    let replica = replica_http(&up);
    let cases = cases();
    assert!(cases.len() >= 120, "{} cases", cases.len());
    let mut wrong = Vec::new();
    for (name, address) in [("gateway", up.http), ("replica", replica)] {
        for case in &cases {
            let (status, head) = raw(address, &case.bytes);
            if status != case.status {
                wrong.push(format!("{name}: {}: {status} instead of {}\n{head}", case.name, case.status));
            }
        }
    }
    println!("{} raw cases", cases.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // A client's malformed request is no loss of a replica's.
    let metrics = flotilla_tests::get(up.admin, "/metrics").unwrap().body;
    assert!(!metrics.contains("flotilla_gateway_lost_total{"), "{metrics}");
}

#[test]
fn a_refused_request_comes_after_the_answers_before_it_and_ends_the_connection() {
    let up = start(1, &[]);
    for address in [up.http, replica_http(&up)] {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let good = "GET /echo HTTP/1.1\r\nHost: a\r\n\r\n";
        write!(stream, "{good}{good}GET /echo HTTP/1.1\nHost: a\n\n{good}").unwrap();
        let mut all = String::new();
        stream.read_to_string(&mut all).unwrap();
        let statuses: Vec<_> = all.match_indices("HTTP/1.1 ").map(|(at, _)| &all[at + 9..at + 12]).collect();
        assert_eq!(statuses, ["200", "200", "400"], "{all}");
    }
}
