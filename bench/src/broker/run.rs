//! The cases, and their rounds by turns.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use anyhow::Context;
use clap::Args;

use super::load::Case;
use super::{growth, load, order};
use crate::peer::{Mosquitto, Process, Rumqttd, binary, free_port};
use crate::report::{median, say};

/// How the brokers are measured.
#[derive(Args)]
pub struct BrokerArgs {
    /// Messages in each round
    #[arg(long, default_value_t = 200_000)]
    pub(super) messages: usize,
    /// Rounds; the sides alternate
    #[arg(long, default_value_t = 3)]
    pub(super) rounds: usize,
    /// Un-acknowledged publishes of each publisher
    #[arg(long, default_value_t = 100)]
    pub(super) window: usize,
    /// Only the cases whose name contains this
    #[arg(long, default_value = "")]
    pub(super) only: String,
}

/// What is measured.
pub const CASES: [Case; 4] = [
    Case { name: "QoS 0, one to one", topic: "bench/0", publishers: 1, group: 0, qos: 0, topics: 1, order: None },
    Case { name: "QoS 1, one to one", topic: "bench/1", publishers: 1, group: 0, qos: 1, topics: 1, order: None },
    Case {
        name: "QoS 1, 4 publishers to a share group of 3",
        topic: "bench/group",
        publishers: 4,
        group: 3,
        qos: 1,
        topics: 1,
        order: None,
    },
    Case { name: "QoS 2, one to one", topic: "bench/2", publishers: 1, group: 0, qos: 2, topics: 1, order: None },
];

/// One broker and its rounds of a case.
struct Side<'a> {
    name: &'static str,
    address: SocketAddr,
    process: &'a Process,
    rates: Vec<f64>,
    /// CPU seconds.
    spent: f64,
    failed: Option<String>,
}

impl Side<'_> {
    fn round(&mut self, case: Case, args: &BrokerArgs) -> anyhow::Result<()> {
        let before = self.process.cpu()?;
        match load::run(case, self.address, args.messages, args.window) {
            Ok(rate) => self.rates.push(rate),
            Err(error) => self.failed = Some(format!("{error:#}")),
        }
        self.spent += self.process.cpu()? - before;
        Ok(())
    }

    /// `ours`: the rate to compare with.
    fn print(&self, args: &BrokerArgs, ours: Option<f64>) {
        let Side { name, rates, .. } = self;
        if let Some(why) = &self.failed {
            return say(&format!("  {name:9} does not get through: {why}"));
        }
        let cost = self.spent * 1e6 / (args.messages * args.rounds) as f64;
        let rate = median(rates);
        let ratio = ours.map(|ours| format!("; flotilla is {:.1} x", ours / rate)).unwrap_or_default();
        say(&format!("  {name:9} {rate:>8.0} messages/s, {cost:.2} us CPU a message (rounds {rates:.0?}){ratio}"));
    }
}

/// Measures all by turns, then how the broker's cost grows.
pub fn run(args: &BrokerArgs) -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    let mosquitto = Mosquitto::start(dir.path())?;
    let rumqttd = Rumqttd::start(dir.path())?;
    let (address, ours) = start(dir.path())?;
    for case in CASES.into_iter().filter(|case| case.name.contains(&args.only)) {
        let side =
            |name, address, process| Side { name, address, process, rates: Vec::new(), spent: 0.0, failed: None };
        let mut sides = [
            side("flotilla", address, &ours),
            side("mosquitto", mosquitto.address, &mosquitto.process),
            side("rumqttd", rumqttd.address, &rumqttd.process),
        ];
        for _ in 0..args.rounds {
            for side in sides.iter_mut().filter(|side| side.failed.is_none()) {
                side.round(case, args)?;
            }
        }
        if let Some(why) = &sides[0].failed {
            anyhow::bail!("{}: {why}", case.name);
        }
        say(case.name);
        let own = median(&sides[0].rates);
        for (at, side) in sides.iter().enumerate() {
            side.print(args, (at > 0).then_some(own));
        }
    }
    if args.only.is_empty() || "order".contains(&args.only) {
        order::run(address, &ours, args).context("delivery by key")?;
    }
    if args.only.is_empty() {
        growth::run(dir.path()).context("how the cost grows")?;
    }
    Ok(())
}

/// `flotilla broker`, with nothing persistent.
pub(super) fn start(dir: &Path) -> anyhow::Result<(SocketAddr, Process)> {
    start_with(&binary()?, dir, &[])
}

/// The same with another binary and more flags.
pub fn start_with(binary: &Path, dir: &Path, more: &[&str]) -> anyhow::Result<(SocketAddr, Process)> {
    std::fs::create_dir_all(dir)?;
    let address = free_port()?;
    let mut command = Command::new(binary);
    command.args(["broker", "--listen", &address.to_string()]).args(more);
    let mut process = Process::start(command, dir.join("broker.log"))?;
    process.wait_for(address)?;
    Ok((address, process))
}
