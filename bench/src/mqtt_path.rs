//! mqtt in -> change -> function -> mqtt out at QoS 1.

use anyhow::Context;
use clap::Args;

use crate::load::mqtt::{self, Backlog, Load};
use crate::peer::{Mosquitto, NodeRed, Process, Replica};
use crate::report::{median, say};

const FLOW: &str = include_str!("../flows/mqtt-path.json");

/// How the MQTT path is measured.
#[derive(Args)]
pub struct MqttPathArgs {
    /// Messages in each round
    #[arg(long, default_value_t = 40_000)]
    messages: usize,
    /// Rounds; the sides alternate
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Messages between publisher and output at once
    #[arg(long, default_value_t = 500)]
    window: usize,
    /// Protocol of the flow's broker connection: 4 is MQTT 3.1.1, the editor's default; 5 is MQTT 5
    #[arg(long, default_value = "4")]
    protocol: String,
}

/// One side's rounds: messages a second, and microseconds of processor time a message.
#[derive(Default)]
struct Side {
    rates: Vec<f64>,
    costs: Vec<f64>,
    broker_costs: Vec<f64>,
}

/// How the messages come.
#[derive(Clone, Copy)]
enum Kind {
    /// As many as the window allows, while the outputs come.
    Stream,
    /// All are with the broker before the flow goes on.
    Backlog,
}

impl Side {
    fn round(&mut self, kind: Kind, load: Load<'_>, process: &mut Process, broker: &Process) -> anyhow::Result<()> {
        let backlog = match kind {
            Kind::Stream => None,
            Kind::Backlog => Some(Backlog::pile_up(load, process)?),
        };
        let (before, broker_before) = (process.cpu()?, broker.cpu()?);
        let took = backlog.map_or_else(|| mqtt::run(load), Backlog::work_off)?;
        process.check()?;
        self.rates.push(load.messages as f64 / took.as_secs_f64());
        self.costs.push((process.cpu()? - before) * 1e6 / load.messages as f64);
        self.broker_costs.push((broker.cpu()? - broker_before) * 1e6 / load.messages as f64);
        Ok(())
    }

    fn print(&self, name: &str) {
        say(&format!(
            "{name:10} {:>8.0} messages/s  {:>6.1} us CPU a message, the broker {:>5.1} us  (medians; rounds: {:.0?} /s, {:.1?} us)",
            median(&self.rates),
            median(&self.costs),
            median(&self.broker_costs),
            self.rates,
            self.costs,
        ));
    }
}

/// Measures both sides by turns against one Mosquitto.
pub fn run(args: &MqttPathArgs) -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    let broker = Mosquitto::start(dir.path()).context("mosquitto is needed")?;
    let flow = |side: &str| {
        FLOW.replace("INPUT", &format!("bench/{side}/in"))
            .replace("OUTPUT", &format!("bench/{side}/out"))
            .replace("PORT", &broker.address.port().to_string())
            .replace("PROTOCOL", &args.protocol)
    };
    let mut replica = Replica::start(dir.path(), &flow("flotilla"))?;
    let mut node_red = NodeRed::start(dir.path(), &flow("node-red"))?;
    let load =
        |input, output| Load { broker: broker.address, input, output, messages: args.messages, window: args.window };
    let ours = load("bench/flotilla/in", "bench/flotilla/out");
    let theirs = load("bench/node-red/in", "bench/node-red/out");
    for warm_up in [ours, theirs] {
        mqtt::wait_until_answered(warm_up)?;
        mqtt::run(Load { messages: args.messages.min(10_000), ..warm_up })?;
    }
    for (kind, how) in [(Kind::Stream, "as a stream"), (Kind::Backlog, "as a backlog, which the broker holds already")]
    {
        let (mut flotilla, mut peer) = (Side::default(), Side::default());
        for _ in 0..args.rounds {
            flotilla.round(kind, ours, &mut replica.process, &broker.process)?;
            peer.round(kind, theirs, &mut node_red.process, &broker.process)?;
        }
        say(&format!(
            "mqtt in -> change -> function -> mqtt out, QoS 1, {} messages a round {how}, window {}, Mosquitto between",
            args.messages, args.window
        ));
        flotilla.print("Flotilla");
        peer.print("Node-RED");
        say(&format!(
            "ratio      {:>8.2} x messages/s  {:>6.2} x less CPU a message",
            median(&flotilla.rates) / median(&peer.rates),
            median(&peer.costs) / median(&flotilla.costs),
        ));
    }
    Ok(())
}
