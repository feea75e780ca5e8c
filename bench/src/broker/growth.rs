//! How the broker's cost and memory grow: with groups, with retained topics, with what it has delivered.

use std::net::SocketAddr;
use std::path::Path;

use super::client::Client;
use super::load::{self, Case, PAYLOAD};
use super::run::start;
use crate::peer::Process;
use crate::report::say;

const GROUPS: usize = 1000;
const RETAINED: usize = 100_000;
/// Messages of a measurement.
const MESSAGES: usize = 300_000;
/// 300 MB of payload.
const LONG: usize = 300_000_000 / PAYLOAD.len();
const CASE: Case = Case { name: "growth", topic: "growth/t", publishers: 1, group: 1, qos: 1, topics: 1, order: None };

/// Measures it.
pub fn run(dir: &Path) -> anyhow::Result<()> {
    let (address, broker) = start(dir)?;
    cost(address, &broker)?;
    let alone = cost(address, &broker)?;
    let mut others = Vec::new();
    for number in 1..GROUPS {
        let mut client = Client::connect(address, &format!("g{number}"))?;
        client.subscribe(&format!("$share/g{number}/growth/{number}/+"), 1)?;
        others.push(client);
    }
    let groups = cost(address, &broker)?;
    say(&format!("CPU a message: {alone:.2} us with 1 group, {groups:.2} us with {GROUPS}"));
    retain(address)?;
    let retained = cost(address, &broker)?;
    say(&format!("CPU a message: {groups:.2} us with no retained topic, {retained:.2} us with {RETAINED}"));
    let before = broker.memory()?;
    load::run(CASE, address, LONG, 100)?;
    say(&format!("memory: {} MiB before and {} MiB after 300 MB were delivered", before >> 20, broker.memory()? >> 20));
    Ok(())
}

/// Microseconds of the broker's processor time a message.
fn cost(address: SocketAddr, broker: &Process) -> anyhow::Result<f64> {
    let before = broker.cpu()?;
    load::run(CASE, address, MESSAGES, 100)?;
    Ok((broker.cpu()? - before) * 1e6 / MESSAGES as f64)
}

/// Publishes the retained topics; every one is acknowledged.
fn retain(address: SocketAddr) -> anyhow::Result<()> {
    let mut client = Client::connect(address, "retainer")?;
    let (mut sent, mut done) = (0, 0);
    while done < RETAINED {
        while sent < RETAINED && sent < done + 100 {
            sent += 1;
            client.retain(&format!("retained/{}/{sent}", sent % 100), &PAYLOAD, (sent % 65_000) as u16 + 1);
        }
        client.flush()?;
        client.read(|packet, _| done += usize::from(packet[0] == 0x40))?;
    }
    Ok(())
}
