//! One of three replicas is stopped under load: every request is answered.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use flotilla_tests::{eventually, pause, resume};

use super::kit::start;

const CLIENTS: usize = 24;
const LEASE: Duration = Duration::from_secs(2);

/// One request: its method, when it was sent, how long it took, and its status; 0 when the connection ended.
struct Asked {
    method: &'static str,
    at: Instant,
    took: Duration,
    status: u16,
}

/// Asks over one connection, one request after the other, until `stop`. Every other one is a POST.
fn client(gateway: SocketAddr, number: usize, stop: &AtomicBool) -> Vec<Asked> {
    let connect = || {
        let stream = TcpStream::connect(gateway).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(120))).unwrap();
        BufReader::new(stream)
    };
    let (mut stream, mut all) = (connect(), Vec::new());
    while !stop.load(Ordering::Relaxed) {
        let method = if (all.len() + number).is_multiple_of(2) { "GET" } else { "POST" };
        let at = Instant::now();
        let sent = write!(stream.get_mut(), "{method} /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx");
        let status = sent.ok().and_then(|()| read_answer(&mut stream)).unwrap_or(0);
        all.push(Asked { method, at, took: at.elapsed(), status });
        if status == 0 {
            stream = connect();
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    all
}

fn read_answer(stream: &mut BufReader<TcpStream>) -> Option<u16> {
    let (mut line, mut status, mut length) = (String::new(), None, 0);
    loop {
        line.clear();
        if stream.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let text = line.trim_end().to_lowercase();
        if status.is_none() {
            status = text.split(' ').nth(1)?.parse().ok();
        } else if text.is_empty() {
            break;
        } else if let Some(value) = text.strip_prefix("content-length: ") {
            length = value.parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    status
}

#[test]
fn every_request_is_answered_when_a_replica_is_stopped() {
    let up = start(3, &["--lease", "2"]);
    let victim = up.replicas().remove(0);
    let stop = AtomicBool::new(false);
    let (stopped, all) = std::thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|number| {
                scope.spawn({
                    let stop = &stop;
                    move || client(up.http, number, stop)
                })
            })
            .collect();
        std::thread::sleep(Duration::from_millis(500));
        let stopped = Instant::now();
        pause(victim.pid).unwrap();
        let gone = eventually("the registry to lose it", Duration::from_secs(30), || {
            up.replicas().iter().all(|replica| replica.id != victim.id).then_some(())
        });
        std::thread::sleep(Duration::from_secs(3));
        stop.store(true, Ordering::Relaxed);
        gone.unwrap();
        let all: Vec<Asked> = clients.into_iter().flat_map(|client| client.join().unwrap()).collect();
        // The supervisor may have replaced it by now.
        let _ = resume(victim.pid);
        (stopped, all)
    });
    let hit: Vec<_> = all.iter().filter(|asked| asked.took > Duration::from_millis(500)).collect();
    let longest = all.iter().map(|asked| asked.took).max().unwrap();
    let mut late: Vec<_> = all
        .iter()
        .filter(|asked| asked.at > stopped + LEASE + Duration::from_secs(2))
        .map(|asked| asked.took)
        .collect();
    late.sort_unstable();
    println!(
        "{} requests, {} held by the stopped replica, the longest {longest:?}; p99 from 2 s after the lease's end {:?}",
        all.len(),
        hit.len(),
        late.get(late.len() * 99 / 100)
    );
    assert!(!hit.is_empty(), "the stopped replica had requests");
    for asked in &all {
        let fine = match asked.method {
            "GET" => asked.status == 200,
            _ => asked.status == 200 || asked.status == 502,
        };
        assert!(fine, "{} was answered {} after {:?}", asked.method, asked.status, asked.took);
    }
    let failed = all.iter().filter(|asked| asked.status == 502).count();
    assert!(failed <= CLIENTS, "{failed} POSTs failed; only those in flight at the stopped replica may");
    // 1 s is promised; what is more is for slow machines. It was 60 s and more.
    assert!(longest < LEASE + Duration::from_secs(10), "{longest:?}");
}
