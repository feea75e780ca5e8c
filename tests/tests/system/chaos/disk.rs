//! The disk that `flotilla up` writes to is full for some seconds. The store, the broker and the logs are all on it.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::ensure;
use flotilla_tests::{Up, UpOptions, eventually, write_flow};
use tempfile::TempDir;

use super::flows::{SAYS_TICKS, keyed, load};
use super::verdict::{Verdict, whole};

/// The load, in messages per second, over 20 keys.
const RATE: f64 = 150.0;
/// How long the group may take to recover.
const ENDS: Duration = Duration::from_secs(60);

/// Fills the disk while a load runs.
#[derive(Clone, Copy, Debug)]
pub struct FullDisk {
    /// The random seed that decides when the disk fills up.
    pub seed: u64,
    /// How long the disk stays full, in seconds.
    pub seconds: u64,
}

/// A small file system for this test. It is unmounted when dropped.
struct Disk(TempDir);

impl Disk {
    /// Mounts it. `None` if that fails: only root may mount.
    fn mount() -> anyhow::Result<Option<Disk>> {
        let folder = TempDir::new()?;
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=64m", "tmpfs"]).arg(folder.path()).stderr(Stdio::null());
        Ok(mount.status().is_ok_and(|status| status.success()).then_some(Disk(folder)))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Fills it to the last byte. It has room again when the returned file is removed.
    fn fill(&self) -> anyhow::Result<std::path::PathBuf> {
        let path = self.path().join("ballast");
        let mut ballast = std::fs::File::create(&path)?;
        let mut written = 0_usize;
        for size in [1 << 20, 4096, 1] {
            while let Ok(()) = ballast.write_all(&vec![0; size]) {
                written += size;
            }
        }
        ensure!(written > 1 << 20, "the disk was full before");
        Ok(path)
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily: what wrote there may still be about to end.
        let _ = Command::new("umount").arg("-l").arg(self.path()).stderr(Stdio::null()).status();
    }
}

impl FullDisk {
    /// Runs the test. Returns whether no message was lost and no tick fired twice, and a line for the report.
    pub fn verdict(&self) -> Verdict {
        self.run().unwrap_or_else(|error| (false, format!("{self:?}: {error:#}")))
    }

    fn run(&self) -> anyhow::Result<Verdict> {
        let Some(disk) = Disk::mount()? else {
            return Ok((true, "SKIPPED: a disk of its own: this needs root".to_owned()));
        };
        let folder = TempDir::new()?;
        let flows = write_flow(folder.path(), &keyed("one"))?;
        let broker = disk.path().join("broker").display().to_string();
        let args: Vec<String> = ["--lease", "2", "--mqtt-persist", &broker].map(str::to_owned).into();
        let env = vec![(SAYS_TICKS.0.to_owned(), SAYS_TICKS.1.to_owned())];
        let up = Up::start_on_disk(disk.path(), &flows, UpOptions { replicas: 2, args }, env)?;
        let load = load(up.mqtt, RATE, self.seconds + 6);
        let running = std::thread::spawn(move || load.run());
        std::thread::sleep(Duration::from_millis(1500 + self.seed * 397 % 1000));
        let ballast = disk.fill()?;
        std::thread::sleep(Duration::from_secs(self.seconds));
        std::fs::remove_file(ballast)?;
        let results = running.join().map_err(|_| anyhow::anyhow!("the load generator panicked"))??;
        eventually("all replicas", ENDS, || (up.ready() == 2).then_some(()))?;
        Ok(whole(&format!("seed {} full disk for {} s", self.seed, self.seconds), &results, &up.log()))
    }
}
