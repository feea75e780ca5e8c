//! How a replica process is started.

use std::fmt;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use flotilla_group::sealing::KeyRing;
use tokio::process::{Child, Command};

/// The variable in which a process finds the hash of the binary that it is; empty: the installed one.
pub(super) const BINARY: &str = "FLOTILLA_BINARY";

/// The variable in which a replica finds the text that is its process's own: whoever started it can tell a broker of its end.
const PROCESS: &str = "FLOTILLA_PROCESS";

/// The text that this process was given by the process that started it.
pub fn process_text() -> Option<String> {
    std::env::var(PROCESS).ok().filter(|text| !text.is_empty())
}

type Hears = dyn Fn(&str) + Send + Sync;

/// Who is told the text of a process that has ended.
#[derive(Clone, Default)]
pub struct Ended(Option<Arc<Hears>>);

impl Ended {
    /// Tells `hears`.
    pub fn tell(hears: impl Fn(&str) + Send + Sync + 'static) -> Ended {
        Ended(Some(Arc::new(hears)))
    }

    pub(super) fn has(&self, process: &str) {
        if let Some(hears) = &self.0 {
            hears(process);
        }
    }
}

impl fmt::Debug for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Ended(somebody hears)" } else { "Ended(nobody hears)" })
    }
}

/// A binary of Flotilla.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Program {
    /// Where it is.
    pub path: PathBuf,
    /// SHA-256; empty: the installed one.
    pub sha256: String,
}

/// How a replica process is started: `flotilla replica` with these arguments and `--id`.
#[derive(Clone, Debug)]
pub struct ReplicaCommand {
    /// The binary.
    pub program: Program,
    /// Arguments in common to all replicas.
    pub args: Vec<String>,
    /// The group's name, the stem of the replicas' ids.
    pub group: String,
    /// The group's keys: handed on in the environment, where other users cannot read them.
    pub keys: KeyRing,
    /// The store's URL, handed on in the same way, if not among the arguments: it may have a password.
    pub store: Option<String>,
    /// The broker of project links, handed on in the same way.
    pub project_broker: Option<String>,
    /// How long a replica that was asked to stop may take before it is killed.
    pub patience: Duration,
    /// Who is told of the end of a process.
    pub ended: Ended,
}

impl Program {
    /// The binary that the service manager starts: it stays the same file when a package replaces it.
    pub fn installed() -> std::io::Result<Program> {
        let path = match std::env::var_os(super::handover::INSTALLED) {
            Some(path) => path.into(),
            None => std::env::current_exe()?,
        };
        Ok(Program { path, sha256: String::new() })
    }

    /// The hash of the binary that this process is; empty: the installed one.
    pub fn own_hash() -> String {
        std::env::var(BINARY).unwrap_or_default()
    }
}

impl ReplicaCommand {
    /// The id of a place's replica. Ids are never used twice within a life of the supervisor: a dead replica's lease may still
    /// be held.
    pub(super) fn id(&self, place: u64, generation: u64) -> String {
        let group = &self.group;
        match generation {
            0 => format!("{group}-{place}"),
            _ => format!("{group}-{place}.{generation}"),
        }
    }

    pub(super) fn spawn(&self, id: &str, text: &str) -> std::io::Result<Child> {
        let mut process = Command::new(&self.program.path);
        // What configures `up` or the agent itself must not configure its children.
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
            super::handover::FILE,
            super::handover::INSTALLED,
        ] {
            process.env_remove(name);
        }
        process.env(BINARY, &self.program.sha256).env(PROCESS, text);
        process.envs(self.keys.known().as_deref().map(|key| ("FLOTILLA_GROUP_KEY", key)));
        process.envs(self.project_broker.iter().map(|broker| ("FLOTILLA_PROJECT_BROKER", broker)));
        process.envs(self.store.iter().map(|store| ("FLOTILLA_STORE", store)));
        process
            .arg("replica")
            .args(&self.args)
            .args(["--id", id, "--exit-with-parent"])
            // The pipe closes when the supervisor dies, however it dies, and the replica drains.
            .stdin(Stdio::piped())
            .stdout(Stdio::inherit())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
    }
}
