//! A group of `flotilla up`, found by the store in its data folder.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::command;
use super::group::GroupError;
use crate::run::Handle;

/// A supervisor that has the folder's store open, and its children.
pub struct Up {
    supervisor: u32,
    admin: String,
    data: PathBuf,
}

/// SIGCONT when the run ends while a replica stands still.
struct Stopped(Pid);

impl Drop for Stopped {
    fn drop(&mut self) {
        let _ = kill_process(self.0, Signal::CONT);
    }
}

fn words(pid: u32) -> Vec<String> {
    let text = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    text.split(|byte| *byte == 0).map(|word| String::from_utf8_lossy(word).into_owned()).collect()
}

fn has_open(pid: u32, file: &Path) -> bool {
    let Ok(open) = std::fs::read_dir(format!("/proc/{pid}/fd")) else { return false };
    open.flatten().any(|entry| std::fs::read_link(entry.path()).is_ok_and(|target| target == file))
}

impl Up {
    /// The supervisor that has `store.db` of this folder open.
    pub(super) fn find(folder: &Path) -> Result<Up, GroupError> {
        let none = || GroupError::NoUp(folder.display().to_string());
        let data = folder.canonicalize().map_err(|_| none())?;
        let store = data.join("store.db");
        let processes = std::fs::read_dir("/proc").map_err(|_| none())?.flatten();
        let supervisor = processes
            .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok())
            .find(|pid| words(*pid).get(1).is_some_and(|word| word == "up") && has_open(*pid, &store))
            .ok_or_else(none)?;
        let args = words(supervisor);
        let given = args.iter().position(|word| word == "--admin").and_then(|at| args.get(at + 1).cloned());
        let joined = args.iter().find_map(|word| word.strip_prefix("--admin=").map(str::to_owned));
        let environment = std::fs::read(format!("/proc/{supervisor}/environ")).unwrap_or_default();
        let variable = environment
            .split(|byte| *byte == 0)
            .find_map(|line| Some(String::from_utf8_lossy(line.strip_prefix(b"FLOTILLA_ADMIN=")?).into_owned()));
        let admin = given.or(joined).or(variable).unwrap_or_else(|| "127.0.0.1:1881".to_owned());
        Ok(Up { supervisor, admin, data })
    }

    /// Replica processes, in the order of their start.
    fn replicas(&self) -> Vec<u32> {
        let file = format!("/proc/{0}/task/{0}/children", self.supervisor);
        let pids = |text: &str| text.split_whitespace().filter_map(|pid| pid.parse().ok()).collect::<Vec<u32>>();
        let mut children: Vec<u32> = match std::fs::read_dir(format!("/proc/{}/task", self.supervisor)) {
            Ok(threads) => threads
                .flatten()
                .filter_map(|thread| std::fs::read_to_string(thread.path().join("children")).ok())
                .flat_map(|text| pids(&text))
                .collect(),
            Err(_) => pids(&std::fs::read_to_string(&file).unwrap_or_default()),
        };
        children.retain(|pid| words(*pid).get(1).is_some_and(|word| word == "replica"));
        children.sort_unstable();
        children
    }

    /// Replicas that are there and not stopped.
    pub(super) fn running(&self) -> Option<u32> {
        let runs = |pid: &u32| {
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            let state = stat.rsplit_once(") ").and_then(|(_, rest)| rest.chars().next());
            !matches!(state, None | Some('T' | 't' | 'Z' | 'X'))
        };
        Some(self.replicas().iter().filter(|pid| runs(pid)).count() as u32)
    }

    fn one(&self, pick: usize) -> Result<(usize, Pid), GroupError> {
        let replicas = self.replicas();
        let at = pick % replicas.len().max(1);
        let pid =
            replicas.get(at).and_then(|pid| Pid::from_raw(i32::try_from(*pid).ok()?)).ok_or(GroupError::Nobody)?;
        Ok((at + 1, pid))
    }

    pub(super) fn kill(&self, pick: usize) -> Result<String, GroupError> {
        let (number, pid) = self.one(pick)?;
        kill_process(pid, Signal::KILL).map_err(|error| GroupError::Failed(format!("kill -9 {pid:?}: {error}")))?;
        Ok(format!("killed replica {number} (kill -9)"))
    }

    pub(super) async fn stop(&self, pick: usize, pause: Duration, handle: &Handle) -> Result<String, GroupError> {
        let (number, pid) = self.one(pick)?;
        kill_process(pid, Signal::STOP).map_err(|error| GroupError::Failed(format!("kill -STOP {pid:?}: {error}")))?;
        let stopped = Stopped(pid);
        handle.event("fault", &format!("stopped replica {number} (SIGSTOP) for {:.1} s", pause.as_secs_f64()));
        tokio::time::sleep(pause).await;
        drop(stopped);
        Ok(format!("replica {number} goes on (SIGCONT)"))
    }

    /// The supervisor, with the broker and the gateway in it, and all replicas: as a machine that is suspended.
    pub(super) async fn stop_all(&self, pause: Duration, handle: &Handle) -> Result<String, GroupError> {
        let mut stopped = Vec::new();
        // The supervisor first: else it could take the others for dead.
        for pid in std::iter::once(self.supervisor).chain(self.replicas()) {
            let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) else { continue };
            // One of them may have ended since.
            if kill_process(pid, Signal::STOP).is_ok() {
                stopped.push(Stopped(pid));
            }
        }
        handle.event("fault", &format!("stopped the whole group (SIGSTOP) for {:.1} s", pause.as_secs_f64()));
        tokio::time::sleep(pause).await;
        // The last one stopped goes on first.
        while stopped.pop().is_some() {}
        Ok("the whole group goes on (SIGCONT)".to_owned())
    }

    pub(super) async fn deploy(&self, flows: &Path) -> Result<String, GroupError> {
        let flows = flows.display().to_string();
        self.command(&["deploy", &flows]).await?;
        Ok(format!("deploy of {flows}"))
    }

    pub(super) async fn scale(&self, replicas: u16) -> Result<String, GroupError> {
        self.command(&["scale", "--replicas", &replicas.to_string()]).await?;
        Ok(format!("scaled to {replicas} replicas"))
    }

    /// The supervisor's own binary: the same version.
    async fn command(&self, args: &[&str]) -> Result<String, GroupError> {
        let binary = std::fs::read_link(format!("/proc/{}/exe", self.supervisor))
            .map_err(|_| GroupError::NoUp(self.data.display().to_string()))?;
        let mut all = args.to_vec();
        all.extend(["--admin", &self.admin]);
        // Where its admin token is; as a variable, which versions before that do not mind.
        command::run_in(&binary.display().to_string(), &all, &[("FLOTILLA_DATA", self.data.as_os_str())]).await
    }
}
