//! The HTTP path: Flotilla, Node-RED, and bare hyper.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use anyhow::Context;
use bytes::Bytes;
use clap::Args;
use futures::stream::{FuturesUnordered, StreamExt};
use http_body_util::Full;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;

use super::table::{Measure, Metric, Plan, Section, by_turns, cost, rate};
use crate::load::http;
use crate::peer::{NODE_REDS, NodeRed, Process, Replica, free_port};

const FLOW: &str = include_str!("../../flows/http-path.json");
const CONNECTIONS: usize = 32;
/// What each side is asked.
pub const PATH: &str = "/hello/world";
/// What a round gives.
pub const METRICS: [Metric; 3] =
    [rate("requests/s"), cost("us of processor time a request"), cost("ms at the 99th percentile")];

/// What the bare server takes.
#[derive(Args)]
pub struct HyperArgs {
    /// Where it listens
    listen: SocketAddr,
}

/// Answers everything alike, on one thread.
pub fn serve(args: &HyperArgs) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(args.listen).await?;
        let mut connections = FuturesUnordered::new();
        let answer = |_: Request<hyper::body::Incoming>| async {
            let body = Full::new(Bytes::from_static(b"{\"hello\":\"world\"}"));
            Ok::<_, Infallible>(Response::builder().header("content-type", "application/json").body(body).unwrap_or_default())
        };
        loop {
            tokio::select! {
                accepted = listener.accept() => {
                    let (stream, _) = accepted?;
                    stream.set_nodelay(true)?;
                    connections.push(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(answer)));
                }
                Some(_) = connections.next(), if !connections.is_empty() => {}
            }
        }
    })
}

/// A round against an address; `cost` gives the processor time so far, in seconds.
pub fn round(address: SocketAddr, requests: usize, cost: impl Fn() -> anyhow::Result<f64>) -> anyhow::Result<Vec<f64>> {
    let before = cost()?;
    let done = http::run_timed(address, PATH, "hello", requests, CONNECTIONS)?;
    let count = done.delays.len().max(1);
    let at = done.delays.get(count * 99 / 100).copied().unwrap_or_default();
    Ok(vec![
        done.delays.len() as f64 / done.took.as_secs_f64(),
        (cost()? - before) * 1e6 / count as f64,
        f64::from(at) / 1000.0,
    ])
}

/// See the module.
pub fn run(plan: Plan<'_>, dir: &Path, section: &mut Section) -> anyhow::Result<()> {
    let requests = plan.messages(20_000);
    section.about = format!(
        "`http in` -> `change` -> `http response`, {requests} requests a round over {CONNECTIONS} connections that are kept open, each \
         with one request at a time; one replica, one Node-RED, no gateway between. The bare limit is hyper with a fixed answer."
    );
    let mut peers: Vec<(String, SocketAddr, Process)> = Vec::new();
    for (at, (name, binary)) in plan.builds.iter().enumerate() {
        let replica = Replica::start_with(binary, &dir.join(format!("flotilla-{at}")), FLOW)?;
        peers.push((name.clone(), replica.http, replica.process));
    }
    for version in NODE_REDS {
        match NodeRed::start_version(dir, FLOW, version) {
            Ok(peer) => peers.push((format!("Node-RED {}", version.version), peer.http, peer.process)),
            Err(error) => section.skip(&format!("Node-RED {}", version.version), error),
        }
    }
    let bare = free_port()?;
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["hyper", &bare.to_string()]);
    let mut process = Process::start(command, dir.join("hyper.log"))?;
    process.wait_for(bare)?;
    peers.push(("bare limit".into(), bare, process));
    let mut sides: Vec<(String, Measure<'_>)> = Vec::new();
    for (name, address, process) in &peers {
        crate::http_path::wait_until_answered(*address).with_context(|| name.clone())?;
        http::run(*address, PATH, "hello", requests.min(3000), CONNECTIONS)?;
        sides.push((name.clone(), Box::new(|| round(*address, requests, || process.cpu()))));
    }
    section.cases = by_turns(plan, "HTTP path", &METRICS, sides);
    Ok(())
}
