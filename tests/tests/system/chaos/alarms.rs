//! Every kind of alert under load: a fault raises it once, and it ends when the fault does.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, ensure};
use flotilla_api::alert::{AlertKind, AlertRules};
use flotilla_api::group::GroupSpec;
use flotilla_api::replica::ReplicaRecord;
use flotilla_tests::{
    AlertReceiver, ClusterOptions, Group, Mosquitto, StoreKind, StoreServer, eventually, flotilla, kill, pause, resume,
};
use rand::rngs::SmallRng;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};

use super::flows::{SAYS_TICKS, held, load};
use super::verdict::{Verdict, whole};

/// Messages a second over 20 keys.
const RATE: f64 = 50.0;
/// Seconds of load: about as long as all faults take.
const SECONDS: u64 = 90;
/// Seconds that a lease outlives its replica; signs of life come three times as often.
const LEASE: &str = "2";
/// How long something may take that ends by itself.
const ENDS: Duration = Duration::from_secs(60);
/// Bytes that `eat` takes, of the 256 MB that a replica may have.
const EATS_PERCENT: u64 = 48 * 100 / 256;
/// What its topic says of a message: it fails for good, keeps its worker busy, takes memory for some time, or waits.
const HOLD: &str = "if (msg.topic === 'out/bad') throw new Error('as told');
if (msg.topic === 'out/hang') { const until = Date.now() + 4000; while (Date.now() < until) {} }
if (msg.topic === 'out/eat') { let eaten = Buffer.alloc(48 << 20, 1); setTimeout(() => { eaten = null; }, 10000); }
await new Promise(resolve => setTimeout(resolve, msg.topic === 'out/wait' ? 8000 : 20));";

/// All kinds of alerts, in an order that the seed decides.
#[derive(Clone, Copy, Debug)]
pub struct Alarms {
    /// See there.
    pub seed: u64,
}

/// What the faults happen to.
struct Scene {
    group: Group,
    store: StoreServer,
    broker: Mosquitto,
    receiver: AlertReceiver,
    /// Which replica dies.
    pick: usize,
}

/// The flow, which reconnects soon when its broker stands still.
fn document(mark: &str, broker: SocketAddr) -> Value {
    let mut document = held(mark, HOLD, &Value::from("least-in-flight"));
    for node in document.as_array_mut().into_iter().flatten() {
        if node["type"] == "mqtt-broker" {
            (node["keepalive"], node["port"]) = (json!("5"), json!(broker.port().to_string()));
        }
        if node["id"] == "f1" {
            node["timeout"] = json!(10);
        }
    }
    document
}

impl Scene {
    /// The rules of this kind, lowered; all others are off, so that a fault raises what is looked at.
    fn rules(&self, kind: AlertKind) -> AlertRules {
        let mut rules = AlertRules {
            webhook: self.receiver.url(),
            replica_crashed: false,
            replica_hangs_s: 0,
            rollout_halted: false,
            source_disconnected_s: 0,
            backlog_s: 0,
            dead_letters: 0,
            memory_percent: 0,
            memory_s: 0,
            store_away_s: 0,
        };
        match kind {
            AlertKind::ReplicaCrashed => rules.replica_crashed = true,
            AlertKind::ReplicaHangs => rules.replica_hangs_s = 1,
            AlertKind::RolloutHalted => rules.rollout_halted = true,
            AlertKind::SourceDisconnected => rules.source_disconnected_s = 1,
            AlertKind::Backlog => rules.backlog_s = 3,
            AlertKind::DeadLetters => rules.dead_letters = 1,
            AlertKind::Memory => {
                let percent = |used: u64, limit: u64| used * 100 / limit.max(1);
                let replicas = self.group.admin.replicas();
                let used = replicas.iter().map(|replica| percent(replica.memory, replica.memory_limit)).max();
                rules.memory_percent = used.unwrap_or_default() + EATS_PERCENT / 2;
            }
            AlertKind::StoreAway => rules.store_away_s = 2,
        }
        rules
    }

    /// Puts the rules of this kind in force, and waits until the gateway has read them: it looks once a second, and three signs of
    /// life take two.
    fn watch(&self, kind: AlertKind) -> anyhow::Result<()> {
        let spec = GroupSpec { alerts: self.rules(kind), replicas: 3, ..GroupSpec::named("default") };
        self.group.admin.ask(|client| async move { client.edit_group(&spec).await })?;
        let replicas = || self.group.admin.replicas();
        let begun: HashMap<String, u64> = replicas().into_iter().map(|replica| (replica.id, replica.beat)).collect();
        eventually("some signs of life of each replica", ENDS, || {
            let replicas = replicas();
            // One that was started anew since counts from the beginning.
            let alive = |replica: &ReplicaRecord| match begun.get(&replica.id) {
                Some(begun) if *begun <= replica.beat => replica.beat > begun + 6,
                _ => replica.beat > 6,
            };
            (replicas.len() == 3 && replicas.iter().all(alive)).then_some(())
        })
    }

    fn publish(&self, topic: &str) -> anyhow::Result<()> {
        let (host, port) = (self.broker.address.ip().to_string(), self.broker.address.port().to_string());
        let args = ["-h", &host, "-p", &port, "-V", "5", "-q", "1", "-t", topic, "-m", "x"];
        let done = Command::new("mosquitto_pub").args(args).status().context("see the package mosquitto-clients")?;
        ensure!(done.success(), "mosquitto_pub {topic}: {done}");
        Ok(())
    }

    fn deploy(&self, document: &Value) -> anyhow::Result<()> {
        self.group.admin.deploy(document, &json!({"probation_ms": 500}))?;
        self.group.admin.rollout_ended(ENDS).map(drop)
    }

    /// The fault begins.
    fn happen(&mut self, kind: AlertKind) -> anyhow::Result<()> {
        match kind {
            // The first process is the gateway's.
            AlertKind::ReplicaCrashed => kill(self.group.pids()[1 + self.pick % 3]),
            AlertKind::ReplicaHangs => self.publish("in/hang"),
            AlertKind::Backlog => self.publish("in/wait"),
            AlertKind::DeadLetters => self.publish("in/bad"),
            AlertKind::Memory => self.publish("in/eat"),
            AlertKind::RolloutHalted => {
                let mut bad = document("bad", self.broker.address);
                for node in bad.as_array_mut().into_iter().flatten().filter(|node| node["id"] == "f1") {
                    node["func"] = json!("this is no JavaScript");
                }
                self.deploy(&bad)
            }
            AlertKind::SourceDisconnected => pause(self.broker.pid()),
            AlertKind::StoreAway => self.store.pause(),
        }
    }

    /// It ends, where it does not end by itself.
    fn mend(&mut self, kind: AlertKind) -> anyhow::Result<()> {
        match kind {
            AlertKind::ReplicaCrashed | AlertKind::ReplicaHangs | AlertKind::Backlog | AlertKind::Memory => Ok(()),
            AlertKind::DeadLetters => {
                let mut discard = Command::new(flotilla()?);
                discard.args(["deadletter", "discard", "--all"]);
                let done = discard.env("FLOTILLA_ADMIN", self.group.admin.address.to_string()).output()?;
                ensure!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
                Ok(())
            }
            AlertKind::RolloutHalted => self.deploy(&document("two", self.broker.address)),
            AlertKind::SourceDisconnected => resume(self.broker.pid()),
            AlertKind::StoreAway => self.store.resume(),
        }
    }

    fn raise(&mut self, kind: AlertKind) -> anyhow::Result<()> {
        self.watch(kind)?;
        self.happen(kind)?;
        let raised = self.receiver.wait(kind, false).map(drop);
        // Whatever it came to, nothing stays paused.
        self.mend(kind)?;
        raised?;
        self.receiver.wait(kind, true).map(drop)
    }
}

impl Alarms {
    /// Runs it; whether each kind was raised once and ended once, and nothing was lost meanwhile.
    pub fn verdict(self) -> Verdict {
        self.run().unwrap_or_else(|error| (false, format!("{self:?}: {error:#}")))
    }

    fn run(self) -> anyhow::Result<Verdict> {
        let mut random = SmallRng::seed_from_u64(self.seed);
        let broker = Mosquitto::start()?;
        let store = StoreServer::start(StoreKind::Redis)?;
        let env = vec![(SAYS_TICKS.0.to_owned(), SAYS_TICKS.1.to_owned())];
        let args = ["--lease", LEASE, "--on-failure", "dead-letter", "--memory-limit", "256"].map(str::to_owned);
        let options = ClusterOptions { replicas: vec![env; 3], args: args.into() };
        let group = Group::start(&document("one", broker.address), options, store.url(), broker.address)?;
        group.admin.wait_for_ready(3)?;
        let address = broker.address;
        let receiver = AlertReceiver::start(0)?;
        let mut scene = Scene { group, store, broker, receiver, pick: random.random_range(0..3) };
        let running = std::thread::spawn(move || load(address, RATE, SECONDS).run());
        let mut kinds = AlertKind::ALL;
        kinds.shuffle(&mut random);
        for kind in kinds {
            scene.raise(kind).with_context(|| format!("{kind}, of {kinds:?}"))?;
        }
        let results = running.join().map_err(|_| anyhow::anyhow!("the load generator panicked"))??;
        scene.receiver.check(&kinds)?;
        for kind in kinds {
            let told = scene.receiver.alerts().iter().filter(|alert| alert.kind == kind).count();
            ensure!(told == 2, "{kind} was told {told} times: raised once and ended once are two");
        }
        scene.group.admin.wait_for_ready(3)?;
        let order = kinds.map(AlertKind::name).join(", ");
        Ok(whole(&format!("seed {} alerts ({order})", self.seed), &results, &scene.group.log()))
    }
}
