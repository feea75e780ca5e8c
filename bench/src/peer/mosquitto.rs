//! Mosquitto, the broker of both sides.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use super::process::{Process, free_port};

/// A Mosquitto that neither drops nor holds back: the limits on what is in flight and queued are off.
pub struct Mosquitto {
    /// Where it listens.
    pub address: SocketAddr,
    /// The process.
    pub process: Process,
}

impl Mosquitto {
    /// Starts it with its files in `dir`.
    pub fn start(dir: &Path) -> anyhow::Result<Mosquitto> {
        let address = free_port()?;
        let file = dir.join("mosquitto.conf");
        let port = address.port();
        std::fs::write(
            &file,
            format!(
                "listener {port} 127.0.0.1\nallow_anonymous true\nmax_inflight_messages 0\nmax_queued_messages 0\n"
            ),
        )?;
        let mut command = Command::new("mosquitto");
        command.arg("-c").arg(&file);
        if let Some(path) = std::env::var_os("PATH") {
            // Debian keeps it where only root looks.
            let mut path = path;
            path.push(":/usr/sbin");
            command.env("PATH", path);
        }
        let mut process = Process::start(command, dir.join("mosquitto.log"))?;
        process.wait_for(address)?;
        Ok(Mosquitto { address, process })
    }
}
