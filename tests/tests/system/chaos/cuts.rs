//! Machines that are cut off from all others and come back, as network namespaces: nobody is told, and nothing is reset.

use std::time::{Duration, Instant};

use flotilla_tests::{Hosts, Network, eventually};
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use serde_json::json;

use super::flows::{SAYS_TICKS, keyed, load};
use super::verdict::{Verdict, whole};

/// Messages a second over 20 keys.
const RATE: f64 = 150.0;
/// How long the group may take to be whole again.
const ENDS: Duration = Duration::from_secs(60);
const MACHINES: [&str; 3] = ["m0", "m1", "m2"];

/// A load, and machines that are cut off meanwhile, with deploys in between.
#[derive(Clone, Copy, Debug)]
pub struct Cuts {
    /// Decides which machine is cut off, when and for how long: for less and for more than its lease of 5 s.
    pub seed: u64,
    /// Seconds of load.
    pub seconds: u64,
}

impl Cuts {
    /// Runs it; whether nothing was lost and no tick fired twice, and a line that says what was.
    pub fn verdict(&self) -> Verdict {
        if !Network::is_possible() {
            return (true, "SKIPPED: machines as network namespaces: this needs root, iproute2 and bridges".to_owned());
        }
        self.run().unwrap_or_else(|error| (false, format!("{self:?}: {error:#}")))
    }

    fn run(&self) -> anyhow::Result<Verdict> {
        let mut random = SmallRng::seed_from_u64(self.seed);
        let mut hosts = Hosts::start_in(Some(Network::start()?))?;
        hosts.replace_after = 60;
        hosts.levels = Some(SAYS_TICKS.1.to_owned());
        for machine in MACHINES {
            hosts.machine(machine)?;
            hosts.agent(machine, &[])?;
        }
        let group = hosts.file("group.json", &json!({"name": "default", "replicas": 3}))?;
        hosts.done(&["group", "add", "-f", &group])?;
        hosts.deploy(&keyed("one"))?;
        let all = |hosts: &Hosts| {
            eventually("all replicas", ENDS, || (hosts.spread().values().sum::<usize>() == 3).then_some(()))
        };
        all(&hosts)?;
        let load = load(hosts.mqtt, RATE, self.seconds);
        let (began, mut cuts) = (Instant::now(), Vec::new());
        let running = std::thread::spawn(move || load.run());
        while began.elapsed() < Duration::from_secs(self.seconds) {
            std::thread::sleep(Duration::from_millis(random.random_range(500..2000)));
            let machine = MACHINES.choose(&mut random).copied().unwrap_or("m0");
            let pause = Duration::from_millis(random.random_range(800..9000));
            hosts.cut(machine, true)?;
            std::thread::sleep(pause);
            hosts.cut(machine, false)?;
            cuts.push(format!("{machine} {:.1} s", pause.as_secs_f64()));
            if random.random_bool(0.4) {
                // It may be refused or halted: a machine was just away.
                let file = hosts.file(
                    "again.json",
                    &hosts.at_its_broker(&keyed(if cuts.len() % 2 == 0 { "one" } else { "two" })),
                )?;
                hosts.run(&["deploy", &file])?;
                cuts.push("deploy".to_owned());
            }
        }
        let results = running.join().map_err(|_| anyhow::anyhow!("the load generator panicked"))??;
        all(&hosts)?;
        Ok(whole(&format!("seed {} cuts ({})", self.seed, cuts.join(", ")), &results, &hosts.log()))
    }
}
