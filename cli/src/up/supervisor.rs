//! Keeps the replicas of a machine running: starts them, starts them again, stops them.

use std::process::Stdio;
use std::time::{Duration, Instant};

use flotilla_group::sealing::KeyRing;
use flotilla_tasks::Task;
use parking_lot::Mutex;
use tokio::process::{Child, Command};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::backoff::{Backoff, Verdict};
use super::living::Living;
use super::printer::Printer;

/// How a replica process is started: `flotilla replica` with these arguments and `--id`.
#[derive(Clone, Debug)]
pub struct ReplicaCommand {
    /// Arguments in common to all replicas.
    pub args: Vec<String>,
    /// The group's name, the stem of the replicas' ids.
    pub group: String,
    /// The group's keys: handed on in the environment, where other users cannot read them.
    pub keys: KeyRing,
    /// The store's URL, handed on in the same way, if not among the arguments: it may have a password.
    pub store: Option<String>,
    /// How long a replica that was asked to stop may take before it is killed.
    pub patience: Duration,
}

/// Keeps replicas running until it is stopped.
pub struct Supervisor {
    command: ReplicaCommand,
    living: Living,
    printer: Printer,
    places: Mutex<Places>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

/// The places that are kept filled.
#[derive(Default)]
struct Places {
    /// How each is stopped, the oldest first.
    stops: Vec<CancellationToken>,
    /// Places so far: a number is never used twice, as its last replica may still drain.
    numbered: u64,
}

impl Supervisor {
    /// A supervisor without replicas yet.
    pub fn new(command: ReplicaCommand, living: Living, printer: Printer) -> Supervisor {
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        Supervisor { command, living, printer, places: Mutex::default(), stop, tasks }
    }

    /// Keeps this many replicas running: more are started, the newest drain and leave.
    pub fn scale(&self, replicas: usize) {
        let mut places = self.places.lock();
        let kept = replicas.min(places.stops.len());
        places.stops.drain(kept..).for_each(|stop| stop.cancel());
        while places.stops.len() < replicas {
            places.numbered += 1;
            let stop = self.stop.child_token();
            places.stops.push(stop.clone());
            let task = Task {
                name: "replica place",
                owner: format!("place {}", places.numbered).into(),
                ends: "`up` stops or scales down",
                failure: "its replica is killed and not started again; restart `flotilla up`",
            };
            self.tasks.spawn(task.supervise(keep_running(
                self.command.clone(),
                self.living.clone(),
                self.printer,
                places.numbered,
                stop,
            )));
        }
    }

    /// How many replicas are kept running.
    pub fn replicas(&self) -> usize {
        self.places.lock().stops.len()
    }

    /// Asks every replica to drain and waits for all of them; what still runs at the deadline is killed.
    pub async fn shutdown(&self, deadline: Duration) {
        self.stop.cancel();
        self.tasks.close();
        if tokio::time::timeout(deadline, self.tasks.wait()).await.is_err() {
            tracing::warn!("some replicas did not drain within {} s and were killed", deadline.as_secs());
        }
    }
}

/// How long the last lines of a replica that ended are printed.
const LAST_LINES: Duration = Duration::from_secs(1);

/// Ids are never used twice within a life of the supervisor: a dead replica's lease may still be held.
fn id(group: &str, place: u64, generation: u64) -> String {
    match generation {
        0 => format!("{group}-{place}"),
        _ => format!("{group}-{place}.{generation}"),
    }
}

fn spawn(command: &ReplicaCommand, id: &str) -> std::io::Result<Child> {
    let mut process = Command::new(std::env::current_exe()?);
    // What configures `up` itself must not configure its children.
    for name in [
        "FLOTILLA_HTTP",
        "FLOTILLA_ID",
        "FLOTILLA_OPS",
        "FLOTILLA_ADVERTISE",
        "FLOTILLA_CONFIG",
        "FLOTILLA_SPARE",
        "FLOTILLA_JOIN",
        "FLOTILLA_ADMIN_TOKEN",
        "FLOTILLA_ALERT_SECRET",
        "FLOTILLA_OIDC_CLIENT_SECRET",
    ] {
        process.env_remove(name);
    }
    process.envs(command.keys.known().as_deref().map(|key| ("FLOTILLA_GROUP_KEY", key)));
    process.envs(command.store.iter().map(|store| ("FLOTILLA_STORE", store)));
    process
        .arg("replica")
        .args(&command.args)
        .args(["--id", id, "--exit-with-parent"])
        // The pipe closes when the supervisor dies, however it dies, and the replica drains.
        .stdin(Stdio::piped())
        .stdout(Stdio::inherit())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
}

/// Keeps one place filled. Ends when the supervisor stops and the process has drained.
pub async fn keep_running(
    command: ReplicaCommand,
    mut living: Living,
    printer: Printer,
    place: u64,
    stop: CancellationToken,
) {
    let mut backoff = Backoff::default();
    for generation in 0u64.. {
        let born = Instant::now();
        let id = id(&command.group, place, generation);
        let wait = match spawn(&command, &id) {
            Ok(mut child) => {
                let pid = child.id();
                // Held here, as waiting for a child closes its standard input first.
                let stdin = child.stdin.take();
                let printing = child.stderr.take().map(|output| printer.follow(&id, output));
                tokio::select! {
                    ended = child.wait() => {
                        let how = ended.map_or_else(|error| error.to_string(), |status| status.to_string());
                        tracing::warn!(place, pid, "replica died: {how}");
                    }
                    () = living.lost(&id, pid) => {
                        // It holds connections, and messages that nobody else gets until they are shut.
                        tracing::warn!(place, pid, id, "replica lost its lease and is not dead: it is killed and replaced");
                        let _ = child.kill().await;
                    }
                    () = stop.cancelled() => {
                        // Closing its standard input asks it to drain.
                        drop(stdin);
                        if tokio::time::timeout(command.patience, child.wait()).await.is_err() {
                            tracing::warn!(place, pid, id, "did not drain in time and is killed");
                            let _ = child.kill().await;
                        }
                        // What it wrote last is in the pipe. A process that it left behind may hold that open.
                        if let Some(printing) = printing {
                            let _ = tokio::time::timeout(LAST_LINES, printing).await;
                        }
                        return;
                    }
                }
                backoff.died(Instant::now(), born.elapsed())
            }
            Err(error) => {
                tracing::error!(place, %error, "cannot start a replica");
                backoff.died(Instant::now(), Duration::ZERO)
            }
        };
        let wait = match wait {
            Verdict::Restart(wait) => wait,
            Verdict::HoldDown(wait) => {
                tracing::error!(
                    place,
                    "replica {place} crash-loops: it is held down for {} s; its log lines above say why it dies",
                    wait.as_secs()
                );
                wait
            }
        };
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = stop.cancelled() => return,
        }
    }
}
