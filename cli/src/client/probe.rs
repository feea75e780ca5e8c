//! A GET of what a process of Flotilla shows on its ops address.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// How long a process may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// More than this is no answer of ours.
const MOST: u64 = 64 << 20;

/// What was answered.
#[derive(Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: String,
}

/// One GET. An address that stands for all of a machine's (`0.0.0.0`) is asked on loopback.
///
/// # Errors
/// When nothing that speaks HTTP answers in time.
pub async fn probe(address: SocketAddr, path: &str) -> anyhow::Result<Answer> {
    let address = match address.ip() {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => SocketAddr::from((Ipv4Addr::LOCALHOST, address.port())),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => SocketAddr::from((Ipv6Addr::LOCALHOST, address.port())),
        _ => address,
    };
    tokio::time::timeout(PATIENCE, fetch(address, path))
        .await
        .with_context(|| format!("no answer from {address} within {} s", PATIENCE.as_secs()))?
        .with_context(|| format!("cannot ask {address}"))
}

async fn fetch(address: SocketAddr, path: &str) -> anyhow::Result<Answer> {
    let mut stream = TcpStream::connect(address).await?;
    // HTTP/1.0: the answer ends where the connection does.
    stream.write_all(format!("GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n").as_bytes()).await?;
    let mut answer = String::new();
    stream.take(MOST).read_to_string(&mut answer).await?;
    let (head, body) = answer.split_once("\r\n\r\n").context("the answer is not HTTP")?;
    let line = head.lines().next().unwrap_or_default();
    let Some(Ok(status)) = line.split(' ').nth(1).map(str::parse) else { bail!("the answer is {line:?}") };
    Ok(Answer { status, body: body.to_owned() })
}
