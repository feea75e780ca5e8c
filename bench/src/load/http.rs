//! Requests over connections that are kept open, each waiting for its answer.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};

/// One connection's worth of requests. Every answer must be 200 with the expected text in it.
fn connection(address: SocketAddr, path: &str, expected: &str, requests: usize) -> anyhow::Result<Vec<u32>> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(Duration::from_secs(20)))?;
    let mut answers = BufReader::new(stream.try_clone()?);
    let request = format!("GET {path} HTTP/1.1\r\nHost: bench\r\nUser-Agent: flotilla-bench\r\nAccept: */*\r\n\r\n");
    let (mut line, mut body) = (String::new(), Vec::new());
    let mut delays = Vec::with_capacity(requests);
    for _ in 0..requests {
        let asked = Instant::now();
        stream.write_all(request.as_bytes())?;
        line.clear();
        answers.read_line(&mut line)?;
        ensure!(line.starts_with("HTTP/1.1 200"), "answered: {line}");
        let mut length = None;
        loop {
            line.clear();
            answers.read_line(&mut line)?;
            let header = line.trim();
            if header.is_empty() {
                break;
            }
            if let Some((name, value)) = header.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = Some(value.trim().parse::<usize>()?);
            }
        }
        body.resize(length.context("the answer has no content-length")?, 0);
        answers.read_exact(&mut body)?;
        ensure!(String::from_utf8_lossy(&body).contains(expected), "answered: {}", String::from_utf8_lossy(&body));
        delays.push(asked.elapsed().as_micros() as u32);
    }
    Ok(delays)
}

/// What a load took.
pub struct Timed {
    /// All of it.
    pub took: Duration,
    /// Each request, in microseconds, in order of size.
    pub delays: Vec<u32>,
}

/// All requests, over `connections` threads. Gives the time they took.
pub fn run(
    address: SocketAddr,
    path: &str,
    expected: &str,
    requests: usize,
    connections: usize,
) -> anyhow::Result<Duration> {
    Ok(run_timed(address, path, expected, requests, connections)?.took)
}

/// The same with the time of each request.
pub fn run_timed(
    address: SocketAddr,
    path: &str,
    expected: &str,
    requests: usize,
    connections: usize,
) -> anyhow::Result<Timed> {
    let begun = Instant::now();
    std::thread::scope(|scope| -> anyhow::Result<Timed> {
        let threads: Vec<_> = (0..connections)
            .map(|_| scope.spawn(move || connection(address, path, expected, requests / connections)))
            .collect();
        let mut delays = Vec::new();
        for thread in threads {
            delays.extend(thread.join().expect("a connection does not panic")?);
        }
        let took = begun.elapsed();
        delays.sort_unstable();
        Ok(Timed { took, delays })
    })
}
