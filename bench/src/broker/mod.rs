//! The broker alone, beside Mosquitto: raw TCP clients, 64-byte payloads, acknowledgements at once.

mod client;
mod load;

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use anyhow::ensure;
use clap::Args;

use crate::peer::{Mosquitto, Process, free_port};
use crate::report::{median, say};
use load::Case;

/// How the brokers are measured.
#[derive(Args)]
pub struct BrokerArgs {
    /// Messages in each round
    #[arg(long, default_value_t = 200_000)]
    messages: usize,
    /// Rounds, by turns
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Un-acknowledged publishes of each publisher
    #[arg(long, default_value_t = 100)]
    window: usize,
}

const CASES: [Case; 4] = [
    Case { name: "QoS 0, one to one", publishers: 1, group: 0, qos: 0 },
    Case { name: "QoS 1, one to one", publishers: 1, group: 0, qos: 1 },
    Case { name: "QoS 1, 4 publishers to a share group of 3", publishers: 4, group: 3, qos: 1 },
    Case { name: "QoS 2, one to one", publishers: 1, group: 0, qos: 2 },
];

/// Measures both by turns.
pub fn run(args: &BrokerArgs) -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    let theirs = Mosquitto::start(dir.path())?;
    let (address, ours) = start(dir.path())?;
    for case in CASES {
        let (mut own, mut peer) = (Vec::new(), Vec::new());
        let before = (ours.cpu()?, theirs.process.cpu()?);
        for _ in 0..args.rounds {
            own.push(load::run(case, address, args.messages, args.window)?);
            peer.push(load::run(case, theirs.address, args.messages, args.window)?);
        }
        let whole = (args.messages * args.rounds) as f64;
        let cost = |now: f64, before: f64| (now - before) * 1e6 / whole;
        let (own_cost, peer_cost) = (cost(ours.cpu()?, before.0), cost(theirs.process.cpu()?, before.1));
        say(&format!("{}: ratio {:.2}", case.name, median(&own) / median(&peer)));
        say(&format!(
            "  flotilla  {:>8.0} messages/s, {own_cost:.2} us CPU a message (rounds {own:.0?})",
            median(&own)
        ));
        say(&format!(
            "  mosquitto {:>8.0} messages/s, {peer_cost:.2} us CPU a message (rounds {peer:.0?})",
            median(&peer)
        ));
    }
    Ok(())
}

/// `flotilla broker`, with room for what Mosquitto is given.
fn start(dir: &Path) -> anyhow::Result<(SocketAddr, Process)> {
    let binary = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/release/flotilla");
    ensure!(binary.exists(), "{} is not there: run cargo build --release -p flotilla first", binary.display());
    let address = free_port()?;
    let mut command = Command::new(binary);
    command.args(["broker", "--listen", &address.to_string()]);
    let mut process = Process::start(command, dir.join("broker.log"))?;
    process.wait_for(address)?;
    Ok((address, process))
}
