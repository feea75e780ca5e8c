//! A store that is away, on a broker that does not redispatch: nothing is lost, with nobody killed.

use std::time::Duration;

use flotilla_tests::{ClusterOptions, Group, Load, Mosquitto, StoreKind, StoreServer, pause, resume};
use serde_json::Value;

use crate::rollout_flow::flow;

/// Messages a second over 20 keys.
const RATE: f64 = 500.0;
/// Seconds that a lease outlives its replica.
const LEASE: u64 = 2;
/// Each message is held for some time, so that a replica always has some that are not acknowledged.
const HOLD: &str = "await new Promise(resolve => setTimeout(resolve, 20));";

/// What happens, for so many seconds, beginning after as many milliseconds of load.
#[derive(Clone, Copy, Debug)]
pub struct Outage {
    /// Decides when it begins.
    pub seed: u64,
    /// Which store.
    pub store: StoreKind,
    /// Seconds that the store is away.
    pub away: u64,
    /// All processes of the group stand still instead.
    pub group: bool,
}

fn document() -> Value {
    let mut document = flow("one", HOLD);
    for node in document.as_array_mut().into_iter().flatten() {
        match node["type"].as_str() {
            Some("mqtt in") => node["topic"] = Value::from("in/+"),
            Some("mqtt out") => node["topic"] = Value::from(""),
            Some("function") if node["id"] == "f1" => {
                let body = node["func"].as_str().unwrap_or_default();
                node["func"] = Value::from(format!("msg.topic = msg.topic.replace('in/', 'out/');\n{body}"));
            }
            _ => {}
        }
    }
    document
}

impl Outage {
    /// Runs it; whether nothing was lost, and a line that says what was.
    pub fn verdict(&self) -> (bool, String) {
        match self.run() {
            Ok(verdict) => verdict,
            Err(error) => (false, format!("{self:?}: {error:#}")),
        }
    }

    fn run(&self) -> anyhow::Result<(bool, String)> {
        let broker = Mosquitto::start()?;
        let mut store = StoreServer::start(self.store)?;
        let args: Vec<String> = ["--lease", &LEASE.to_string()].map(str::to_owned).into();
        let options = ClusterOptions { replicas: vec![Vec::new(); 3], args };
        let group = Group::start(&document(), options, store.url(), broker.address)?;
        group.admin.wait_for_ready(3)?;
        let load = Load {
            broker: broker.address,
            topic: "in/{1..20}".into(),
            outputs: "out/+".into(),
            rate: RATE,
            seconds: self.away + 8,
            drain: 45,
            clients: 5,
        };
        let running = std::thread::spawn(move || load.run());
        // Lengths of time are the fault itself here.
        std::thread::sleep(Duration::from_millis(1500 + self.seed * 397 % 1000));
        if self.group {
            let pids = group.pids();
            pids.iter().try_for_each(|pid| pause(*pid))?;
            std::thread::sleep(Duration::from_secs(self.away));
            pids.iter().try_for_each(|pid| resume(*pid))?;
        } else {
            store.pause()?;
            std::thread::sleep(Duration::from_secs(self.away));
            store.resume()?;
        }
        let results = running.join().map_err(|_| anyhow::anyhow!("the load generator panicked"))??;
        let totals = &results.totals;
        let good = totals.lost == 0 && totals.unconfirmed == 0 && totals.received == totals.sent;
        let what = if self.group { "all processes of the group stood still" } else { "the store was away" };
        let line = format!(
            "seed {} {:?}: {what} for {} s: {} sent, {} lost, {} unconfirmed, {} repeated",
            self.seed, self.store, self.away, totals.sent, totals.lost, totals.unconfirmed, totals.repeated
        );
        Ok((good, line))
    }
}
