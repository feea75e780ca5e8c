//! A group whose parts are processes of their own: what dies is started again, as a container platform does it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use anyhow::Context;
use serde_json::Value;
use tempfile::TempDir;

use crate::admin::Admin;
use crate::ports::free_ports;
use crate::process::flotilla;
use crate::redis::Redis;

/// How often it is looked what has died.
const LOOK: Duration = Duration::from_millis(50);

/// A broker, a gateway, replicas, and a redis-server as their store. Dropped, all are killed.
pub struct Cluster {
    /// The store.
    pub redis: Redis,
    /// Where the broker listens.
    pub mqtt: SocketAddr,
    /// Where the admin API is.
    pub admin: Admin,
    kept: Kept,
}

/// The replicas of a group and a gateway, beside a store and a broker of the test's own.
pub struct Group {
    /// Where the admin API is.
    pub admin: Admin,
    kept: Kept,
}

/// Processes that are kept running. Dropped, all are killed.
struct Kept {
    places: Arc<Mutex<Vec<Place>>>,
    stop: Arc<AtomicBool>,
    folder: TempDir,
}

/// How a cluster is made.
#[derive(Clone, Debug, Default)]
pub struct ClusterOptions {
    /// Environment variables of each replica; as many replicas as entries.
    pub replicas: Vec<Vec<(String, String)>>,
    /// More arguments for each replica.
    pub args: Vec<String>,
}

/// A process that is kept running.
struct Place {
    /// Replicas get a new id with each start, `STEM.GENERATION`.
    stem: Option<String>,
    generation: usize,
    args: Vec<String>,
    env: Vec<(String, String)>,
    log: PathBuf,
    child: Child,
}

impl Place {
    fn start(
        stem: Option<String>,
        args: Vec<String>,
        env: Vec<(String, String)>,
        log: PathBuf,
    ) -> anyhow::Result<Place> {
        let child = spawn(stem.as_deref(), 0, &args, &env, &log)?;
        Ok(Place { stem, generation: 0, args, env, log, child })
    }

    fn mend(&mut self) -> anyhow::Result<()> {
        if self.child.try_wait()?.is_some() {
            self.generation += 1;
            self.child = spawn(self.stem.as_deref(), self.generation, &self.args, &self.env, &self.log)?;
        }
        Ok(())
    }
}

fn spawn(
    stem: Option<&str>,
    generation: usize,
    args: &[String],
    env: &[(String, String)],
    log: &PathBuf,
) -> anyhow::Result<Child> {
    let log = std::fs::OpenOptions::new().create(true).append(true).open(log)?;
    let mut command = Command::new(flotilla()?);
    command.args(args).envs(env.iter().cloned()).stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
    if let Some(stem) = stem {
        command.args(["--id", &format!("{stem}.{generation}")]);
    }
    command.spawn().context("cannot start a part")
}

impl Kept {
    fn start(places: Vec<Place>, folder: TempDir) -> Kept {
        let (places, stop) = (Arc::new(Mutex::new(places)), Arc::new(AtomicBool::new(false)));
        let (kept, stopped) = (places.clone(), stop.clone());
        std::thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                for place in kept.lock().expect("no panic while mending").iter_mut() {
                    let _ = place.mend();
                }
                std::thread::sleep(LOOK);
            }
        });
        Kept { places, stop, folder }
    }

    fn places(&self) -> MutexGuard<'_, Vec<Place>> {
        self.places.lock().expect("no panic while mending")
    }

    /// The log lines of all parts, one after the other.
    fn log(&self) -> String {
        let read = |place: &Place| {
            format!("== {}\n{}", place.log.display(), std::fs::read_to_string(&place.log).unwrap_or_default())
        };
        self.places().iter().map(read).collect()
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if std::thread::panicking() {
            eprintln!("{}", self.log());
        }
        for place in self.places().iter_mut() {
            let _ = place.child.kill();
            let _ = place.child.wait();
        }
    }
}

/// Writes a flow document whose mqtt-broker nodes lead to this broker.
fn write(document: &Value, mqtt: SocketAddr, folder: &TempDir) -> anyhow::Result<PathBuf> {
    let mut document = document.clone();
    for node in document.as_array_mut().into_iter().flatten() {
        if node["type"] == "mqtt-broker" {
            node["port"] = Value::from(mqtt.port().to_string());
        }
    }
    let file = folder.path().join("flows.json");
    std::fs::write(&file, document.to_string())?;
    Ok(file)
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// A gateway, and replicas of a flow document.
fn members(
    file: &Path,
    options: ClusterOptions,
    store: &str,
    folder: &TempDir,
) -> anyhow::Result<(Vec<Place>, SocketAddr)> {
    let [http, admin] = free_ports()?;
    let log = |name: &str| folder.path().join(format!("{name}.log"));
    let (http_at, admin_at) = (http.to_string(), admin.to_string());
    let logs = folder.path().join("logs").display().to_string();
    let gateway = words(&["gateway", "--http", &http_at, "--admin", &admin_at, "--store", store, "--logs", &logs]);
    let mut places = vec![Place::start(None, gateway, Vec::new(), log("gateway"))?];
    let mut replica = words(&["replica", &file.display().to_string(), "--store", store]);
    replica.extend(options.args);
    for (number, env) in options.replicas.into_iter().enumerate() {
        let name = format!("r{number}");
        places.push(Place::start(Some(name.clone()), replica.clone(), env, log(&name))?);
    }
    Ok((places, admin))
}

impl Group {
    /// Starts the replicas with a flow document, whose mqtt-broker nodes are pointed at `broker`.
    pub fn start(document: &Value, options: ClusterOptions, store: &str, broker: SocketAddr) -> anyhow::Result<Group> {
        let folder = TempDir::new()?;
        let file = write(document, broker, &folder)?;
        let (places, admin) = members(&file, options, store, &folder)?;
        Ok(Group { admin: Admin { address: admin, token: None }, kept: Kept::start(places, folder) })
    }

    /// The log lines of all parts, one after the other.
    pub fn log(&self) -> String {
        self.kept.log()
    }

    /// The processes of the group: those of the replicas, and the gateway's.
    pub fn pids(&self) -> Vec<u32> {
        self.kept.places().iter().map(|place| place.child.id()).collect()
    }
}

impl Cluster {
    /// Starts all parts with a flow document, whose mqtt-broker nodes are pointed at the cluster's broker.
    pub fn start(document: &Value, options: ClusterOptions) -> anyhow::Result<Cluster> {
        let redis = Redis::start()?;
        let [mqtt] = free_ports()?;
        let folder = TempDir::new()?;
        let file = write(document, mqtt, &folder)?;
        let broker = words(&["broker", "--listen", &mqtt.to_string(), "--ops", "127.0.0.1:0"]);
        let broker = Place::start(None, broker, Vec::new(), folder.path().join("broker.log"))?;
        let (mut places, admin) = members(&file, options, &redis.url(), &folder)?;
        places.insert(1, broker);
        let kept = Kept::start(places, folder);
        Ok(Cluster { redis, mqtt, admin: Admin { address: admin, token: None }, kept })
    }

    /// The process of the gateway.
    pub fn gateway_pid(&self) -> u32 {
        self.kept.places()[0].child.id()
    }

    /// Where a part's log is: `gateway`, `broker`, `r0` and so on.
    pub fn log_file(&self, part: &str) -> PathBuf {
        self.kept.folder.path().join(format!("{part}.log"))
    }

    /// The log lines of all parts, one after the other.
    pub fn log(&self) -> String {
        self.kept.log()
    }
}
