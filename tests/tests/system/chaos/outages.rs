//! What happens to a store, to clocks and to the group as a whole, on a broker that does not redispatch: nothing is lost, with
//! nobody killed.

use std::time::Duration;

use flotilla_tests::{ClusterOptions, Group, Mosquitto, StoreCluster, StoreKind, StoreServer, Wire, pause, resume};
use serde_json::Value;

use super::flows::{SAYS_TICKS, held, load};
use super::verdict::{Verdict, whole};

/// Messages a second over 20 keys.
const RATE: f64 = 500.0;
/// Seconds that a lease outlives its replica.
const LEASE: u64 = 2;
/// Each message is held for some time, so that a replica always has some that are not acknowledged.
const HOLD: &str = "await new Promise(resolve => setTimeout(resolve, 20));";
/// Where Debian's libfaketime is: a process that is started with it has a clock of its own.
const FAKETIME: &str = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1";

/// What happens.
#[derive(Clone, Copy, Debug)]
pub enum Trouble {
    /// The store is away for so many seconds: its processes stand still, its file is locked.
    StoreAway(u64),
    /// All processes of the group stand still for so many seconds.
    GroupStopped(u64),
    /// The replicas' clocks are set by so many seconds.
    Clock(i64),
    /// The store's first server is killed, another one takes over.
    FailOver,
    /// What goes to the store, and what comes back, takes so many milliseconds longer.
    StoreSlow(u64),
    /// The broker refuses what the flow publishes, for so many seconds.
    Refused(u64),
}

/// Trouble in the middle of a load.
#[derive(Clone, Copy, Debug)]
pub struct Outage {
    /// Decides when it begins.
    pub seed: u64,
    /// Which store.
    pub store: StoreKind,
    /// What happens.
    pub trouble: Trouble,
}

/// What trouble happens to.
struct Scene<'a> {
    store: &'a mut Store,
    group: &'a Group,
    broker: &'a Mosquitto,
    wire: Option<&'a Wire>,
    /// The file that sets the replicas' clocks.
    offset: &'a std::path::Path,
}

/// A store of one server, or of several.
enum Store {
    One(StoreServer),
    Several(StoreCluster),
}

/// The environment of processes whose clock is as far from the machine's as the file says.
fn clock(offset: &std::path::Path) -> Vec<(String, String)> {
    let env = [
        ("LD_PRELOAD", FAKETIME),
        ("FAKETIME_TIMESTAMP_FILE", offset.to_str().unwrap_or_default()),
        ("FAKETIME_NO_CACHE", "1"),
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
        ("DONT_FAKE_MONOTONIC", "1"),
    ];
    env.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec()
}

impl Store {
    fn start(outage: &Outage) -> anyhow::Result<Store> {
        Ok(match (outage.trouble, outage.store) {
            (Trouble::FailOver, StoreKind::Postgres) => Store::Several(StoreCluster::postgres()?),
            (Trouble::FailOver, StoreKind::Nats) => Store::Several(StoreCluster::nats()?),
            (Trouble::FailOver, other) => anyhow::bail!("{other:?} has no cluster here"),
            (_, one) => Store::One(StoreServer::start(one)?),
        })
    }

    fn url(&self) -> &str {
        match self {
            Store::One(one) => one.url(),
            Store::Several(several) => several.url(),
        }
    }
}

impl Trouble {
    /// How long it lasts.
    fn seconds(self) -> u64 {
        match self {
            Trouble::StoreAway(seconds) | Trouble::GroupStopped(seconds) | Trouble::Refused(seconds) => seconds,
            Trouble::Clock(_) | Trouble::FailOver | Trouble::StoreSlow(_) => 8,
        }
    }

    /// Lengths of time are the fault itself here.
    fn happen(self, scene: Scene<'_>) -> anyhow::Result<()> {
        let whole = Duration::from_secs(self.seconds());
        match (self, scene.store) {
            (Trouble::StoreSlow(ms), _) => {
                let wire = scene.wire.ok_or_else(|| anyhow::anyhow!("a file has no wire that could be slow"))?;
                wire.slow_down(Duration::from_millis(ms));
                std::thread::sleep(whole);
                wire.slow_down(Duration::ZERO);
                Ok(())
            }
            (Trouble::Refused(_), _) => {
                scene.broker.take_only("in/#")?;
                std::thread::sleep(whole);
                scene.broker.take_only("#")
            }
            (Trouble::GroupStopped(seconds), _) => {
                let pids = scene.group.pids();
                pids.iter().try_for_each(|pid| pause(*pid))?;
                std::thread::sleep(Duration::from_secs(seconds));
                pids.iter().try_for_each(|pid| resume(*pid))
            }
            (Trouble::StoreAway(seconds), Store::One(store)) => {
                store.pause()?;
                std::thread::sleep(Duration::from_secs(seconds));
                store.resume()
            }
            (Trouble::Clock(seconds), _) => Ok(std::fs::write(scene.offset, format!("{seconds:+}s\n"))?),
            (Trouble::FailOver, Store::Several(store)) => store.fail_over(),
            (trouble, _) => anyhow::bail!("{trouble:?} does not happen to this store"),
        }
    }
}

impl Outage {
    /// Runs it; whether nothing was lost and no tick fired twice, and a line that says what was.
    pub fn verdict(&self) -> Verdict {
        match self.run() {
            Ok(verdict) => verdict,
            Err(error) => (false, format!("{self:?}: {error:#}")),
        }
    }

    fn run(&self) -> anyhow::Result<Verdict> {
        let broker = Mosquitto::start()?;
        let mut store = Store::start(self)?;
        let folder = tempfile::TempDir::new()?;
        let offset = folder.path().join("offset");
        std::fs::write(&offset, "+0s\n")?;
        let mut env = if matches!(self.trouble, Trouble::Clock(_)) {
            anyhow::ensure!(std::path::Path::new(FAKETIME).exists(), "{FAKETIME} is needed (package faketime)");
            clock(&offset)
        } else {
            Vec::new()
        };
        env.push((SAYS_TICKS.0.to_owned(), SAYS_TICKS.1.to_owned()));
        let mut args: Vec<String> = ["--lease", &LEASE.to_string()].map(str::to_owned).into();
        if matches!(self.trouble, Trouble::Refused(_)) {
            // What could not be published is run again.
            args.extend(["--on-failure", "retry", "--max-retries", "20", "--retry-delay", "0.2"].map(str::to_owned));
        }
        let options = ClusterOptions { replicas: vec![env; 3], args };
        let (wire, url) = match (&store, self.trouble) {
            (Store::One(store), Trouble::StoreSlow(_)) => {
                let wire = Wire::to(store.address())?;
                let url = store.url_over(&wire);
                (Some(wire), url)
            }
            _ => (None, store.url().to_owned()),
        };
        let document = held("one", HOLD, &Value::from("least-in-flight"));
        let group = Group::start(&document, options, &url, broker.address)?;
        group.admin.wait_for_ready(3)?;
        if matches!(self.trouble, Trouble::Clock(_)) {
            let maps = |pid: u32| std::fs::read_to_string(format!("/proc/{pid}/maps")).unwrap_or_default();
            let own = group.pids().into_iter().filter(|pid| maps(*pid).contains("libfaketime")).count();
            anyhow::ensure!(own == 3, "{own} of 3 replicas have a clock of their own");
        }
        let load = load(broker.address, RATE, self.trouble.seconds() + 8);
        let running = std::thread::spawn(move || load.run());
        std::thread::sleep(Duration::from_millis(1500 + self.seed * 397 % 1000));
        let (group_of, wire) = (&group, wire.as_ref());
        self.trouble.happen(Scene { store: &mut store, group: group_of, broker: &broker, wire, offset: &offset })?;
        let results = running.join().map_err(|_| anyhow::anyhow!("the load generator panicked"))??;
        // It works afterwards, too: a clock that was set, a store that failed over.
        group.admin.wait_for_ready(3)?;
        let what = format!("seed {} {:?} {:?}", self.seed, self.store, self.trouble);
        Ok(whole(&what, &results, &group.log()))
    }
}
