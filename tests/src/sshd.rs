//! A real sshd on loopback, for one test: with a host key and a client key of its own.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, ensure};
use tempfile::TempDir;

use crate::ports::free_ports;
use crate::wait::eventually;

/// sshd wants its whole path.
const PROGRAM: &str = "/usr/sbin/sshd";

/// An sshd that runs. Dropped, it is killed.
pub struct Sshd {
    child: Child,
    folder: TempDir,
    port: u16,
    user: String,
    _run: RunFolder,
}

impl Sshd {
    /// True when it is installed.
    pub fn is_here() -> bool {
        Path::new(PROGRAM).exists()
    }

    /// Starts it. Returns when one can log in.
    pub fn start() -> anyhow::Result<Sshd> {
        let folder = TempDir::new()?;
        let [address] = free_ports()?;
        let at = |name: &str| folder.path().join(name);
        for name in ["host", "client"] {
            let made = Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(at(name)).status();
            ensure!(made.context("ssh-keygen is needed (package openssh-client)")?.success(), "no key was made");
        }
        std::fs::copy(at("client.pub"), at("authorized"))?;
        let host = std::fs::read_to_string(at("host.pub"))?;
        std::fs::write(at("known"), format!("[127.0.0.1]:{} {host}", address.port()))?;
        let config = format!(
            "ListenAddress {address}\nHostKey {}\nAuthorizedKeysFile {}\nPidFile none\nUsePAM no\nStrictModes no\n\
             PasswordAuthentication no\nKbdInteractiveAuthentication no\nPermitRootLogin prohibit-password\n",
            at("host").display(),
            at("authorized").display()
        );
        std::fs::write(at("config"), config)?;
        let run = RunFolder::make();
        let log = std::fs::File::create(at("log"))?;
        let child = Command::new(PROGRAM)
            .arg("-D")
            .arg("-e")
            .arg("-f")
            .arg(at("config"))
            .stdin(Stdio::null())
            .stderr(log)
            .spawn()
            .context("cannot start sshd")?;
        let user = String::from_utf8(Command::new("id").arg("-un").output()?.stdout)?.trim().to_owned();
        let sshd = Sshd { child, folder, port: address.port(), user, _run: run };
        let logs_in = || {
            let words = sshd.command();
            let mut words = words.split(' ');
            let tried =
                Command::new(words.next()?).args(words).arg(sshd.login()).arg("true").stderr(Stdio::null()).status();
            tried.is_ok_and(|status| status.success()).then_some(())
        };
        eventually("a login by ssh", Duration::from_secs(20), logs_in)
            .with_context(|| std::fs::read_to_string(sshd.folder.path().join("log")).unwrap_or_default())?;
        Ok(sshd)
    }

    /// What logs in, with the key: the value of `GIT_SSH_COMMAND`.
    pub fn command(&self) -> String {
        let at = |name: &str| -> PathBuf { self.folder.path().join(name) };
        format!(
            "ssh -F /dev/null -p {} -i {} -o IdentitiesOnly=yes -o BatchMode=yes -o UserKnownHostsFile={}",
            self.port,
            at("client").display(),
            at("known").display()
        )
    }

    /// The URL of a path there.
    pub fn url(&self, path: &Path) -> String {
        format!("ssh://{}{}", self.login(), path.display())
    }

    fn login(&self) -> String {
        format!("{}@127.0.0.1", self.user)
    }
}

/// The folder that sshd wants, where a package manager's start script would make it. Dropped, it is gone if it was not there.
struct RunFolder {
    made: bool,
}

impl RunFolder {
    const PATH: &str = "/run/sshd";

    fn make() -> RunFolder {
        RunFolder { made: std::fs::create_dir(RunFolder::PATH).is_ok() }
    }
}

impl Drop for RunFolder {
    fn drop(&mut self) {
        if self.made {
            let _ = std::fs::remove_dir(RunFolder::PATH);
        }
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
