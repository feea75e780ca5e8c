//! A child process with its processor time.

use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};

use super::threads::ThreadTimes;

/// Kernel clock ticks a second in `/proc/<pid>/stat` (USER_HZ, fixed at 100 on Linux).
const TICKS: f64 = 100.0;

/// A child process; killed when dropped.
pub struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts it with its output in `log`.
    pub fn start(mut command: Command, log: PathBuf) -> anyhow::Result<Process> {
        let file = std::fs::File::create(&log).with_context(|| log.display().to_string())?;
        command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file);
        let child = command.spawn().with_context(|| format!("cannot start {}", command.get_program().display()))?;
        Ok(Process { child, log })
    }

    /// Waits until something listens there.
    pub fn wait_for(&mut self, address: SocketAddr) -> anyhow::Result<()> {
        let deadline = Instant::now() + Duration::from_mins(1);
        while TcpStream::connect_timeout(&address, Duration::from_secs(1)).is_err() {
            self.check()?;
            if Instant::now() > deadline {
                bail!("nothing listens on {address} after a minute; see {}", self.log.display());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    /// An error when the process has ended.
    pub fn check(&mut self) -> anyhow::Result<()> {
        if let Some(status) = self.child.try_wait()? {
            let log = std::fs::read_to_string(&self.log).unwrap_or_default();
            let _ = std::io::stderr().write_all(log.as_bytes());
            bail!("it ended with {status}");
        }
        Ok(())
    }

    /// SIGSTOP: it stands still until [`Process::resume`].
    pub fn stop(&self) -> anyhow::Result<()> {
        self.signal("STOP")
    }

    /// SIGCONT.
    pub fn resume(&self) -> anyhow::Result<()> {
        self.signal("CONT")
    }

    fn signal(&self, name: &str) -> anyhow::Result<()> {
        let pid = self.child.id().to_string();
        let status = Command::new("kill").args([format!("-{name}"), pid.clone()]).status()?;
        ensure!(status.success(), "kill -{name} {pid}: {status}");
        Ok(())
    }

    /// Resident memory now, in bytes.
    pub fn memory(&self) -> anyhow::Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("a status has VmRSS")?;
        let kilobytes: u64 = line.trim().trim_end_matches(" kB").parse()?;
        Ok(kilobytes << 10)
    }

    /// Processor time of its threads so far: [`Process::cpu`] counts in steps of 10 ms.
    pub fn thread_times(&self) -> anyhow::Result<ThreadTimes> {
        ThreadTimes::of(self.child.id())
    }

    /// User and system time of the process so far, in seconds.
    pub fn cpu(&self) -> anyhow::Result<f64> {
        cpu_of(self.child.id())
    }

    /// The same with the processes that it started and that still run.
    pub fn cpu_of_family(&self) -> anyhow::Result<f64> {
        let (mut all, mut at) = (vec![self.child.id()], 0);
        while let Some(parent) = all.get(at) {
            for thread in std::fs::read_dir(format!("/proc/{parent}/task"))?.flatten() {
                let children = std::fs::read_to_string(thread.path().join("children")).unwrap_or_default();
                all.extend(children.split_whitespace().filter_map(|pid| pid.parse::<u32>().ok()));
            }
            at += 1;
        }
        Ok(all.into_iter().filter_map(|pid| cpu_of(pid).ok()).sum())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A loopback port that is free now.
pub fn free_port() -> anyhow::Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}

/// User and system time of a process so far, in seconds.
fn cpu_of(pid: u32) -> anyhow::Result<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name in parentheses may hold anything; fields are counted after it (proc(5): utime 14, stime 15).
    let (_, rest) = stat.rsplit_once(')').context("a stat line has a name")?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let ticks: u64 =
        fields.get(11..13).context("a stat line has times")?.iter().flat_map(|field| field.parse::<u64>()).sum();
    Ok(ticks as f64 / TICKS)
}
