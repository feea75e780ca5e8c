//! A Mosquitto of its own: a broker that does not redispatch.

use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::Context;
use tempfile::TempDir;

use crate::ports::free_ports;
use crate::process::signal;
use crate::wait::eventually;

/// A Mosquitto that runs. Dropped, it is killed.
pub struct Mosquitto {
    process: Process,
    /// Where it listens.
    pub address: SocketAddr,
    folder: TempDir,
}

impl Mosquitto {
    /// Starts it on a free port of loopback.
    pub fn start() -> anyhow::Result<Mosquitto> {
        Mosquitto::start_with(true)
    }

    /// The same; nobody may connect unless `anonymous`.
    pub fn start_with(anonymous: bool) -> anyhow::Result<Mosquitto> {
        let [address] = free_ports()?;
        let folder = TempDir::new()?;
        let config = folder.path().join("mosquitto.conf");
        let acl = folder.path().join("acl");
        std::fs::write(&acl, "topic readwrite #\n")?;
        // As whom it is started, it reads the file again.
        let text = format!(
            "listener {} 127.0.0.1\nallow_anonymous {anonymous}\nmax_queued_messages 100000\nmax_inflight_messages 0\n\
             user root\nacl_file {}\n",
            address.port(),
            acl.display()
        );
        std::fs::write(&config, text)?;
        Ok(Mosquitto { process: run(&config, address)?, address, folder })
    }

    /// From now on takes publishes to these topics only and refuses all others (PUBACK with a reason); whatever is there may be
    /// read as before. `#`: all.
    pub fn take_only(&self, topics: &str) -> anyhow::Result<()> {
        std::fs::write(self.folder.path().join("acl"), format!("topic readwrite {topics}\ntopic read #\n"))?;
        signal("HUP", self.pid())
    }

    /// The same; this user may connect, with this password, and nobody else.
    pub fn start_for(user: &str, password: &str) -> anyhow::Result<Mosquitto> {
        let [address] = free_ports()?;
        let folder = TempDir::new()?;
        let (config, users) = (folder.path().join("mosquitto.conf"), folder.path().join("users"));
        std::fs::write(&users, "")?;
        let made = Command::new("mosquitto_passwd").arg("-b").arg(&users).args([user, password]).output()?;
        anyhow::ensure!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let text = format!(
            "listener {} 127.0.0.1\nuser root\nallow_anonymous false\npassword_file {}\nmax_queued_messages 100000\n",
            address.port(),
            users.display()
        );
        std::fs::write(&config, text)?;
        Ok(Mosquitto { process: run(&config, address)?, address, folder })
    }

    /// SIGKILL; it forgets everything.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        self.process.0.kill()?;
        self.process.0.wait()?;
        Ok(())
    }

    /// Starts it again where it was, after [`Mosquitto::kill`].
    pub fn restart(&mut self) -> anyhow::Result<()> {
        self.process = run(&self.folder.path().join("mosquitto.conf"), self.address)?;
        Ok(())
    }
}

impl Mosquitto {
    /// Its process.
    pub fn pid(&self) -> u32 {
        self.process.0.id()
    }
}

fn run(config: &Path, address: SocketAddr) -> anyhow::Result<Process> {
    let binary = if Path::new("/usr/sbin/mosquitto").exists() { "/usr/sbin/mosquitto" } else { "mosquitto" };
    let process = Command::new(binary)
        .arg("-c")
        .arg(config)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map(Process)
        .context("mosquitto is needed (package mosquitto)")?;
    eventually("mosquitto to listen", Duration::from_secs(10), || TcpStream::connect(address).ok())?;
    Ok(process)
}

/// Its process. Dropped, it is killed, also one that never listened.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
