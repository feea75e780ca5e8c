//! One seed: a group, a load, faults; what was lost.

use std::path::PathBuf;
use std::time::Duration;

use flotilla_api::alert::{AlertKind, AlertRules};
use flotilla_api::group::GroupSpec;
use flotilla_load::report::Results;
use flotilla_load::scenario::{Faults, Pace, Publish, Rate, Span};
use flotilla_tests::{Admin, AlertReceiver, Mosquitto, Up, UpOptions, eventually, run_scenario, write_flow};
use serde_json::Value;

use super::flows::{SAYS_TICKS, held, load};
use super::verdict::{Verdict, is_whole, ticks};

/// Which broker the group and the load use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broker {
    /// That of `flotilla up`.
    Own,
    /// Mosquitto, which does not redispatch.
    Mosquitto,
}

/// What a seed does.
#[derive(Clone, Debug)]
pub struct Case {
    /// Decides which faults come when.
    pub seed: u64,
    /// Which broker.
    pub broker: Broker,
    /// Kinds of faults: those of the load generator, [`STUCK`] and [`PANIC`].
    pub kinds: &'static [&'static str],
    /// Seconds of load.
    pub seconds: u64,
}

/// Some messages hang their worker when they are run for the first time, for longer than the lease.
pub const STUCK: &str = "stuck";
/// Tasks panic: connections of replicas to the broker, and their heartbeats.
pub const PANIC: &str = "panic";
/// Messages a second over 20 keys.
const RATE: f64 = 150.0;
/// Seconds that a replica's lease outlives it: stops of up to three times of this are shorter and longer than it.
const LEASE: u64 = 2;
/// Each message is held so long that a replica always has some that are not acknowledged; those of one key for longer, and
/// those of another, of which there are many, for a moment.
const HOLD: &str = "const held = {'out/slow': 120, 'out/hot': 3}[msg.topic] ?? 30;
const id = 'hung' + String(msg.payload).replace(/\\W/g, '').slice(0, 80);
if (msg.topic === 'out/stuck' && flow.cas(id, undefined, 1, 'shared')) { for (;;) {} }
await new Promise(resolve => setTimeout(resolve, held));";
/// Seconds that a function may take.
const TIMEOUT: u64 = 4;
/// Messages a second that hang.
const HANGING: f64 = 0.15;
/// Which tasks panic, and one in how many of their turns.
const PANICS: (&str, &str) = ("FLOTILLA_PANIC_TASKS", "mqtt connection=2000,heartbeat=200");
/// Messages a second of the key that is slow, and of the key of which there are many.
const SLOW_AND_HOT: [(&str, f64); 2] = [("in/slow", 5.0), ("in/hot", 60.0)];

/// Why a fault may be left out: a deploy comes to a group that still rolls, or that runs that document already.
const LEFT_OUT: [&str; 2] = ["still runs", "runs revision"];

/// The flow in two versions, for deploys, and one that does not work: with the broker's port in them.
fn documents(folder: &std::path::Path, port: u16) -> [PathBuf; 3] {
    ["one", "two", "bad"].map(|mark| {
        // By key, as groups do it where nobody asks for something else.
        let mut document = held(mark, HOLD, &Value::Null);
        for node in document.as_array_mut().into_iter().flatten() {
            if node["type"] == "mqtt-broker" {
                node["port"] = Value::from(port.to_string());
            }
            if node["id"] == "f1" {
                node["timeout"] = Value::from(TIMEOUT);
                if mark == "bad" {
                    // It starts and does not work: the rollout halts and goes back.
                    node["initialize"] = Value::from("throw new Error('this revision does not work');");
                }
            }
        }
        let path = folder.join(format!("{mark}.json"));
        std::fs::write(&path, document.to_string()).unwrap();
        path
    })
}

/// Has the group's alerts sent to a receiver. A halted rollout is one until the next goes well, which no schedule promises.
fn watched(admin: &Admin) -> anyhow::Result<AlertReceiver> {
    let receiver = AlertReceiver::start(0)?;
    let alerts = AlertRules { webhook: receiver.url(), rollout_halted: false, ..AlertRules::default() };
    let spec = GroupSpec { alerts, replicas: 3, ..GroupSpec::named("default") };
    admin.ask(|client| async move { client.edit_group(&spec).await })?;
    // A replica that gave fewer than two signs of life cannot fall silent.
    let beats = || admin.replicas().iter().map(|replica| replica.beat).collect::<Vec<_>>();
    let begun = beats().into_iter().max().unwrap_or_default();
    eventually("some signs of life of each replica", Duration::from_mins(1), || {
        let beats = beats();
        (beats.len() == 3 && beats.iter().all(|beat| *beat > begun + 3)).then_some(())
    })?;
    Ok(receiver)
}

impl Case {
    /// Runs it, with a receiver of its alerts: each is raised once and ends once, and a replica that is killed raises one. Gives the
    /// results after every message came out or was waited for in vain, and what became of the ticks.
    fn run(&self) -> anyhow::Result<(Results, Verdict)> {
        let folder = tempfile::TempDir::new()?;
        let has = |kind: &str| self.kinds.contains(&kind);
        let mut args: Vec<String> = ["--lease", &LEASE.to_string(), "--drain-timeout", "5"].map(str::to_owned).into();
        if has(STUCK) || has(PANIC) {
            // What was cut off is run again.
            args.extend(["--on-failure", "retry", "--max-retries", "20", "--retry-delay", "0.2"].map(str::to_owned));
        }
        let mut env = vec![(SAYS_TICKS.0.to_owned(), SAYS_TICKS.1.to_owned())];
        if has(PANIC) {
            env.push((PANICS.0.to_owned(), format!("{}:{}", PANICS.1, self.seed)));
        }
        let options = UpOptions { replicas: 3, args };
        let mosquitto = (self.broker == Broker::Mosquitto).then(Mosquitto::start).transpose()?;
        // Read once to have a port; written again with the group's own.
        let first = write_flow(
            folder.path(),
            &serde_json::from_str(&std::fs::read_to_string(&documents(folder.path(), 1883)[0])?)?,
        )?;
        let up = match &mosquitto {
            Some(mosquitto) => Up::start_beside_under(&first, options, mosquitto.address, env)?,
            None => Up::start_under(&first, options, env)?,
        };
        let flows = documents(folder.path(), up.mqtt.port());
        let receiver = watched(&up.api())?;
        let span = |ms: u64| Some(Span(Duration::from_millis(ms)));
        let faults = Faults {
            seed: Some(self.seed),
            kinds: self
                .kinds
                .iter()
                .filter(|kind| !matches!(**kind, STUCK | PANIC))
                .map(|kind| (*kind).to_owned())
                .collect(),
            every: span(2500),
            after: span(1500),
            pause: span(LEASE * 3000),
            flows: flows.to_vec(),
            replicas: vec![2, 3, 4],
        };
        let mut scenario = load(up.mqtt, RATE, self.seconds).scenario(self.seed);
        scenario.publish.extend(SLOW_AND_HOT.map(|(topic, rate)| Publish {
            topic: topic.to_owned(),
            pace: Pace { rate: Some(Rate::Number(rate)), clients: Some(1), ..Pace::default() },
            ..Publish::default()
        }));
        if has(STUCK) {
            scenario.publish.push(Publish {
                topic: "in/stuck".to_owned(),
                pace: Pace { rate: Some(Rate::Number(HANGING)), clients: Some(1), ..Pace::default() },
                ..Publish::default()
            });
        }
        let faults = (!faults.kinds.is_empty()).then_some(&faults);
        let data = up.data();
        let results = run_scenario(&scenario, faults.map(|faults| (faults, data.as_path())))?;
        if results.totals.lost + results.totals.unconfirmed > 0 {
            // For whoever looks for the cause: the group is gone afterwards.
            let log = std::env::temp_dir().join(format!("chaos-seed-{}.log", self.seed));
            let broker = up.run(&["broker", "status"])?;
            std::fs::write(&log, format!("{}\n{}", up.log(), String::from_utf8_lossy(&broker.stdout)))?;
        }
        let killed = results.events.iter().any(|event| event.kind == "fault" && event.what.starts_with("killed"));
        receiver.check(if killed { &[AlertKind::ReplicaCrashed] } else { &[] })?;
        let ticks = ticks(&up.log());
        Ok((results, ticks))
    }

    /// Runs it and says what it found, on one line; the lost messages and the faults when there are any.
    pub fn verdict(&self) -> Verdict {
        let (results, (once, ticks)) = match self.run() {
            Ok(found) => found,
            Err(error) => return (false, format!("seed {} {:?}: {error:#}", self.seed, self.broker)),
        };
        let totals = &results.totals;
        // Our broker delivers by key: the first output of each message never comes after that of a later one, and what a
        // replica still publishes of messages that others were given never comes after what those made of later ones.
        // One that is run again comes after those that came meanwhile.
        let again = self.kinds.iter().any(|kind| matches!(*kind, STUCK | PANIC));
        let ordered = self.broker != Broker::Own || again || totals.out_of_order + totals.stale == 0;
        // A seed whose faults cannot be done tries nothing.
        let mut untried = results.events.iter().filter(|event| event.what.contains("could not be done"));
        let tried = untried.all(|event| LEFT_OUT.iter().any(|reason| event.what.contains(reason)));
        let good = ordered && tried && once && is_whole(totals);
        let mut line = format!(
            "seed {} {:?} {}: {} sent, {} lost, {} unconfirmed, {} repeated, {} out of order, {} stale, {ticks}, {} s, p99 {:.0} ms",
            self.seed,
            self.broker,
            self.kinds.join("+"),
            totals.sent,
            totals.lost,
            totals.unconfirmed,
            totals.repeated,
            totals.out_of_order,
            totals.stale,
            results.seconds,
            results.latency.p99
        );
        if !good {
            let list = |findings: &[flotilla_load::tracker::Finding]| {
                findings.iter().take(20).map(|one| format!("{}#{}", one.key, one.seq)).collect::<Vec<_>>().join(" ")
            };
            line += &format!(
                "\n  lost: {}\n  out of order: {}\n  stale: {}\n  unconfirmed: {}",
                list(&results.findings.lost),
                list(&results.findings.out_of_order),
                list(&results.findings.stale),
                list(&results.findings.unconfirmed)
            );
        }
        for event in results.events.iter().filter(|event| !good || event.kind == "note") {
            line += &format!("\n  {:.1} s {}: {}", event.at_s, event.kind, event.what);
        }
        (good, line)
    }
}
