//! What looking inside costs: one binary, set up in several ways.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};

use super::table::{Case, Measure, OLD, Plan, Section, Side, Sides, cost, rate, variants};
use crate::load::mqtt::{self, Load};
use crate::peer::{Mosquitto, Process, Replica, free_port};
use crate::report::say;

const FLOW: &str = include_str!("../../flows/mqtt-path.json");
const WINDOW: usize = 500;
/// Differences of a few percent need more rounds than others.
const ROUNDS: usize = 3;
/// How long a rule may take until trails come.
const PATIENCE: Duration = Duration::from_secs(30);

/// How a replica is set up.
struct SetUp {
    name: &'static str,
    /// More arguments of the replica.
    replica: &'static [&'static str],
    /// It writes no log line.
    silent: bool,
    /// A gateway collects its log lines and asks it how its nodes are.
    watched: bool,
    /// Trails of this share of the messages.
    sample: Option<&'static str>,
}

/// The first two are what the others are compared with.
const SET_UPS: [SetUp; 4] = [
    SetUp { name: "off", replica: &["--measure", "nothing"], silent: true, watched: false, sample: None },
    SetUp { name: "defaults", replica: &[], silent: false, watched: true, sample: None },
    SetUp { name: "trails of 1 %", replica: &[], silent: false, watched: true, sample: Some("1%") },
    SetUp { name: "trails of 100 %", replica: &[], silent: false, watched: true, sample: Some("100%") },
];

/// A replica with what looks inside.
struct Inside {
    name: String,
    input: String,
    output: String,
    replica: Replica,
    _gateway: Option<Gateway>,
}

/// A gateway without flow traffic.
struct Gateway {
    binary: PathBuf,
    admin: SocketAddr,
    _process: Process,
}

/// See the module.
pub fn run(plan: Plan<'_>, dir: &Path, section: &mut Section) -> anyhow::Result<()> {
    let messages = plan.messages(40_000);
    section.about = format!(
        "`mqtt in` (QoS 1) -> `change` -> `function` -> `mqtt out` (QoS 1), {messages} messages of about 200 bytes a round, {WINDOW} on \
         the way at once, Mosquitto between, one replica; the sides are one binary. \"off\": `--measure nothing`, `RUST_LOG=off`, no \
         gateway, no rule of trails. \"defaults\": nodes and latencies are measured, and a gateway collects log lines. The others in \
         addition record trails of a share of the messages (`flotilla trail --sample`). Trails of failures cannot be switched off; \
         nothing fails here. Processor time is the replica's alone, to the nanosecond. The percentages compare the two sides within \
         each round."
    );
    let broker = Mosquitto::start(dir).context("mosquitto")?;
    let mut all = Vec::new();
    let (name, binary) = plan.builds.first().context("a binary")?;
    for set_up in &SET_UPS {
        all.push(start(binary, dir, &broker, set_up, set_up.name.to_owned()).with_context(|| name.clone())?);
    }
    let older = SetUp { name: "old", replica: &[], silent: false, watched: false, sample: None };
    for (name, binary) in plan.builds.iter().skip(1) {
        all.push(start(binary, dir, &broker, &older, name.clone()).with_context(|| name.clone())?);
    }
    let mut sides: Vec<(String, Measure<'_>)> = Vec::new();
    for Inside { name, input, output, replica, .. } in &mut all {
        let load = Load { broker: broker.address, input, output, messages, window: WINDOW };
        let process = &mut replica.process;
        let measure = move || {
            let before = process.thread_times()?;
            let took = mqtt::run(load)?;
            process.check()?;
            let spent = process.thread_times()?.since(&before);
            Ok(vec![messages as f64 / took.as_secs_f64(), spent * 1e6 / messages as f64])
        };
        sides.push((name.clone(), Box::new(measure)));
    }
    let plan = Plan { rounds: plan.rounds * ROUNDS, ..plan };
    let metrics = [rate("messages/s"), cost("us of processor time a message")];
    section.cases = variants(plan, "MQTT path", &metrics, sides);
    let costs = section.cases.iter().find(|case| !case.metric.more).cloned();
    for base in [0, 1] {
        let compared = costs.as_ref().and_then(|costs| more_than(costs, base));
        for side in compared.iter().flat_map(|case| &case.sides) {
            let percent = side.median().map_or("-".to_owned(), |percent| format!("{percent:+.1} %"));
            say(&format!("  {}: {percent} processor time over {}", side.name, SET_UPS[base].name));
        }
        section.cases.extend(compared);
    }
    Ok(())
}

/// How much more than one side those after it took, in percent, round by round. An older build is none of them.
fn more_than(costs: &Case, base: usize) -> Option<Case> {
    let beside = costs.sides.get(base)?;
    let later = costs.sides.iter().skip(base + 1).filter(|side| !side.name.starts_with(OLD));
    let sides = later.map(|side| {
        let rounds = side.values.iter().zip(&beside.values);
        Side { values: rounds.map(|(own, other)| (own / other - 1.0) * 100.0).collect(), ..side.clone() }
    });
    Some(Case {
        who: Sides::Differences,
        name: format!("{}: more than \"{}\"", costs.name, beside.name),
        metric: cost("% of its processor time a message"),
        sides: sides.collect(),
    })
}

/// Starts a replica with what looks inside, and has it warm.
fn start(binary: &Path, dir: &Path, broker: &Mosquitto, set_up: &SetUp, name: String) -> anyhow::Result<Inside> {
    let side = set_up.name.replace([' ', '%'], "");
    let (input, output) = (format!("bench/{side}/in"), format!("bench/{side}/out"));
    let flow = FLOW
        .replace("INPUT", &input)
        .replace("OUTPUT", &output)
        .replace("PORT", &broker.address.port().to_string())
        .replace("PROTOCOL", "4");
    let home = dir.join(&side);
    let store = format!("sqlite:{}", home.join("store.db").display());
    let replica = Replica::set_up(binary, &home, &flow, &store, |command| {
        command.args(set_up.replica);
        if set_up.silent {
            command.env("RUST_LOG", "off");
        }
    })?;
    let gateway = set_up.watched.then(|| Gateway::start(binary, &home, &store)).transpose()?;
    let load = Load { broker: broker.address, input: &input, output: &output, messages: 5000, window: WINDOW };
    mqtt::wait_until_answered(load)?;
    mqtt::run(load)?;
    if let (Some(gateway), Some(share)) = (&gateway, set_up.sample) {
        gateway.record(share)?;
        let deadline = Instant::now() + PATIENCE;
        while !gateway.has_trails()? {
            ensure!(Instant::now() < deadline, "no trails within {} s of the rule", PATIENCE.as_secs());
            mqtt::run(load)?;
        }
    }
    Ok(Inside { name, input, output, replica, _gateway: gateway })
}

impl Gateway {
    fn start(binary: &Path, dir: &Path, store: &str) -> anyhow::Result<Gateway> {
        let (http, admin) = (free_port()?, free_port()?);
        let mut command = Command::new(binary);
        command.args(["gateway", "--store", store, "--http", &http.to_string(), "--admin", &admin.to_string()]);
        command.arg("--logs").arg(dir.join("logs"));
        let mut process = Process::start(command, dir.join("gateway.log"))?;
        process.wait_for(admin)?;
        Ok(Gateway { binary: binary.to_path_buf(), admin, _process: process })
    }

    /// `flotilla trail` with these arguments; what it printed.
    fn trail(&self, args: &[&str]) -> anyhow::Result<Vec<u8>> {
        let mut command = Command::new(&self.binary);
        command.arg("trail").args(args).args(["--admin", &self.admin.to_string()]);
        let answer = command.output().context("flotilla trail")?;
        ensure!(answer.status.success(), "flotilla trail: {}", String::from_utf8_lossy(&answer.stderr));
        Ok(answer.stdout)
    }

    /// From now on this share of the messages is recorded.
    fn record(&self, share: &str) -> anyhow::Result<()> {
        self.trail(&["--sample", share]).map(drop)
    }

    fn has_trails(&self) -> anyhow::Result<bool> {
        let found: serde_json::Value = serde_json::from_slice(&self.trail(&["--most", "1", "--json"])?)?;
        let trails = found.get("trails").and_then(serde_json::Value::as_array).context("an answer has trails")?;
        Ok(!trails.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sides_are_compared_round_by_round_with_one_before_them() {
        let side = |name: &str, values: &[f64]| Side { name: name.to_owned(), values: values.to_vec(), failed: None };
        let old = format!("{OLD}1");
        // The machine was half as fast in the second round; the last side failed then.
        let sides: [(&str, &[f64]); 4] =
            [("off", &[10.0, 20.0]), ("on", &[11.0, 22.0]), ("all", &[15.0]), (&old, &[9.0, 18.0])];
        let sides = sides.map(|(name, values)| side(name, values)).to_vec();
        let costs = Case { who: Sides::Variants, name: "c".to_owned(), metric: cost("us"), sides };
        let compared = |base: usize| {
            let case = more_than(&costs, base).unwrap();
            let rounded = |side: &Side| side.values.iter().map(|value| value.round() as i64).collect::<Vec<_>>();
            case.sides.iter().map(|side| (side.name.clone(), rounded(side))).collect::<Vec<_>>()
        };
        assert_eq!(compared(0), [("on".to_owned(), vec![10, 10]), ("all".to_owned(), vec![50])]);
        assert_eq!(compared(1), [("all".to_owned(), vec![36])]);
        assert!(more_than(&costs, 4).is_none());
    }
}
