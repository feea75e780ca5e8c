//! The MQTT path: Flotilla, Node-RED, and the bare limit.

use std::path::Path;
use std::process::Command;

use anyhow::Context;

use super::table::{Measure, Plan, Section, by_turns, cost, rate};
use crate::load::mqtt::{self, Load};
use crate::peer::{Mosquitto, NODE_REDS, NodeRed, Process, Replica};

const FLOW: &str = include_str!("../../flows/mqtt-path.json");
const WINDOW: usize = 500;

/// See the module.
pub fn run(plan: Plan<'_>, dir: &Path, section: &mut Section) -> anyhow::Result<()> {
    let messages = plan.messages(20_000);
    section.about = format!(
        "`mqtt in` (QoS 1) -> `change` -> `function` -> `mqtt out` (QoS 1), {messages} messages of about 200 bytes a round, {WINDOW} on \
         the way at once, Mosquitto between; one replica, one Node-RED. The bare limit is a loop on our codec that sends each message \
         back and does nothing else."
    );
    let broker = Mosquitto::start(dir).context("mosquitto")?;
    let topics = |side: &str| (format!("bench/{side}/in"), format!("bench/{side}/out"));
    let flow = |side: &str| {
        let (input, output) = topics(side);
        FLOW.replace("INPUT", &input)
            .replace("OUTPUT", &output)
            .replace("PORT", &broker.address.port().to_string())
            .replace("PROTOCOL", "4")
    };
    let mut peers: Vec<(String, String, Process)> = Vec::new();
    for (at, (name, binary)) in plan.builds.iter().enumerate() {
        let side = format!("flotilla-{at}");
        let replica = Replica::start_with(binary, &dir.join(&side), &flow(&side))?;
        peers.push((name.clone(), side, replica.process));
    }
    for version in NODE_REDS {
        let side = format!("node-red-{}", version.version);
        match NodeRed::start_version(dir, &flow(&side), version) {
            Ok(peer) => peers.push((format!("Node-RED {}", version.version), side, peer.process)),
            Err(error) => section.skip(&format!("Node-RED {}", version.version), error),
        }
    }
    let (input, output) = topics("bare");
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["echo", &broker.address.to_string(), &input, &output]);
    peers.push(("bare limit".into(), "bare".into(), Process::start(command, dir.join("echo.log"))?));
    let names: Vec<(String, String)> = peers.iter().map(|(_, side, _)| topics(side)).collect();
    let mut sides: Vec<(String, Measure<'_>)> = Vec::new();
    for ((name, _, process), (input, output)) in peers.iter_mut().zip(&names) {
        let load = Load { broker: broker.address, input, output, messages, window: WINDOW };
        mqtt::wait_until_answered(load).with_context(|| name.clone())?;
        mqtt::run(Load { messages: messages.min(5000), ..load })?;
        let measure = move || {
            let before = process.cpu()?;
            let took = mqtt::run(load)?;
            process.check()?;
            Ok(vec![messages as f64 / took.as_secs_f64(), (process.cpu()? - before) * 1e6 / messages as f64])
        };
        sides.push((name.clone(), Box::new(measure)));
    }
    section.cases = by_turns(plan, "MQTT path", &[rate("messages/s"), cost("us of processor time a message")], sides);
    Ok(())
}
