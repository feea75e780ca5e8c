//! http in -> change -> http response.

use clap::Args;

use crate::load::http;
use crate::peer::{NodeRed, Process, Replica};
use crate::report::{median, say};

const FLOW: &str = include_str!("../flows/http-path.json");

/// How the HTTP path is measured.
#[derive(Args)]
pub struct HttpPathArgs {
    /// Requests in each round
    #[arg(long, default_value_t = 30_000)]
    requests: usize,
    /// Rounds; the sides alternate
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Connections, each with one request at a time
    #[arg(long, default_value_t = 32)]
    connections: usize,
}

/// One side's rounds: requests a second, and requests a second of processor time.
#[derive(Default)]
struct Side {
    rates: Vec<f64>,
    per_cpu: Vec<f64>,
}

impl Side {
    fn round(
        &mut self,
        args: &HttpPathArgs,
        address: std::net::SocketAddr,
        process: &mut Process,
    ) -> anyhow::Result<()> {
        let before = process.cpu()?;
        let took = http::run(address, "/hello/world", "hello", args.requests, args.connections)?;
        process.check()?;
        self.rates.push(args.requests as f64 / took.as_secs_f64());
        self.per_cpu.push(args.requests as f64 / (process.cpu()? - before).max(0.01));
        Ok(())
    }

    fn print(&self, name: &str) {
        say(&format!(
            "{name:10} {:>8.0} requests/s  {:>8.0} requests a CPU second  (medians; rounds: {:.0?}, {:.0?})",
            median(&self.rates),
            median(&self.per_cpu),
            self.rates,
            self.per_cpu,
        ));
    }
}

/// Measures both sides by turns.
pub fn run(args: &HttpPathArgs) -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    let mut replica = Replica::start(dir.path(), FLOW)?;
    let mut node_red = NodeRed::start(dir.path(), FLOW)?;
    let warm_up = args.requests.min(5_000);
    for address in [replica.http, node_red.http] {
        wait_until_answered(address)?;
        http::run(address, "/hello/world", "hello", warm_up, args.connections)?;
    }
    let (mut flotilla, mut peer) = (Side::default(), Side::default());
    for _ in 0..args.rounds {
        flotilla.round(args, replica.http, &mut replica.process)?;
        peer.round(args, node_red.http, &mut node_red.process)?;
    }
    say(&format!(
        "http in -> change -> http response, {} requests a round over {} connections",
        args.requests, args.connections
    ));
    flotilla.print("Flotilla");
    peer.print("Node-RED");
    say(&format!(
        "ratio      {:>8.2} x requests/s  {:>8.2} x requests a CPU second",
        median(&flotilla.rates) / median(&peer.rates),
        median(&flotilla.per_cpu) / median(&peer.per_cpu),
    ));
    Ok(())
}

/// The port is open before the flow runs.
pub fn wait_until_answered(address: std::net::SocketAddr) -> anyhow::Result<()> {
    let deadline = std::time::Instant::now() + std::time::Duration::from_mins(1);
    loop {
        match http::run(address, "/hello/world", "hello", 1, 1) {
            Err(error) if std::time::Instant::now() > deadline => return Err(error),
            Err(_) => std::thread::sleep(std::time::Duration::from_millis(100)),
            Ok(_) => return Ok(()),
        }
    }
}
