//! The process of `flotilla up`: what it printed, what it logged, and whether it is ready.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

use tempfile::TempDir;

use crate::process::flotilla;

/// A run of it. Its end is up to whoever holds it.
pub struct UpProcess {
    /// The process.
    pub child: Child,
    /// Where it sends `READY=1` (`sd_notify(3)`): the banner is printed by then.
    ready: UnixDatagram,
    is_ready: AtomicBool,
    /// Not in the data folder: some tests fill its disk.
    texts: TempDir,
}

/// Its children write to the same file.
fn append(path: &Path) -> std::io::Result<File> {
    OpenOptions::new().create(true).append(true).open(path)
}

impl UpProcess {
    /// Starts it.
    pub fn start(args: &[OsString], env: &[(String, String)]) -> anyhow::Result<UpProcess> {
        let texts = TempDir::new()?;
        let socket = texts.path().join("notify");
        let ready = UnixDatagram::bind(&socket)?;
        ready.set_nonblocking(true)?;
        let child = Command::new(flotilla()?)
            .args(args)
            .env("NOTIFY_SOCKET", &socket)
            .envs(env.iter().cloned())
            .stdin(Stdio::null())
            .stdout(append(&texts.path().join("output"))?)
            .stderr(append(&texts.path().join("log"))?)
            .spawn()?;
        Ok(UpProcess { child, ready, is_ready: AtomicBool::new(false), texts })
    }

    /// Whether it has reported that the group is ready.
    pub fn is_ready(&self) -> bool {
        let mut state = [0; 64];
        while let Ok(length) = self.ready.recv(&mut state) {
            self.is_ready.fetch_or(&state[..length] == b"READY=1", Ordering::Relaxed);
        }
        self.is_ready.load(Ordering::Relaxed)
    }

    /// What it printed, in whole lines.
    pub fn output(&self) -> String {
        self.text("output")
    }

    /// Its log, in whole lines.
    pub fn log(&self) -> String {
        self.text("log")
    }

    fn text(&self, name: &str) -> String {
        let bytes = std::fs::read(self.texts.path().join(name)).unwrap_or_default();
        let end = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        String::from_utf8_lossy(&bytes[..end]).into_owned()
    }
}
