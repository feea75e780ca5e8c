//! PostgreSQL of Debian as a store of a test.

use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, ensure};

/// The programs of the newest PostgreSQL here, as who may run them: PostgreSQL does not run as root, but as the user
/// `postgres` then.
pub(crate) struct Postgres {
    programs: PathBuf,
    owner: Option<(u32, u32)>,
}

impl Postgres {
    pub(crate) fn find() -> anyhow::Result<Postgres> {
        let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
        let mut found: Vec<PathBuf> = versions.filter_map(|entry| Some(entry.ok()?.path().join("bin"))).collect();
        found.retain(|path| path.join("initdb").exists());
        found.sort();
        let programs = found.pop().context("PostgreSQL is needed (package postgresql)")?;
        let id = |args: &[&str]| -> anyhow::Result<u32> {
            let output = Command::new("id").args(args).output()?;
            String::from_utf8_lossy(&output.stdout).trim().parse().context("there is no user postgres")
        };
        let owner = if id(&["-u"])? == 0 { Some((id(&["-u", "postgres"])?, id(&["-g", "postgres"])?)) } else { None };
        Ok(Postgres { programs, owner })
    }

    /// One of its programs.
    pub(crate) fn program(&self, name: &str) -> Command {
        let mut command = Command::new(self.programs.join(name));
        if let Some((uid, gid)) = self.owner {
            command.uid(uid).gid(gid);
        }
        command.current_dir("/").stdin(Stdio::null());
        command
    }

    /// Runs one of its programs to its end.
    pub(crate) fn run(&self, name: &str, args: &[&str]) -> anyhow::Result<()> {
        let output = self.program(name).args(args).output().with_context(|| name.to_owned())?;
        ensure!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
        Ok(())
    }

    /// Makes an empty database below a folder, which becomes its own.
    pub(crate) fn init(&self, folder: &Path, data: &Path) -> anyhow::Result<()> {
        if let Some((uid, gid)) = self.owner {
            std::os::unix::fs::chown(folder, Some(uid), Some(gid))?;
        }
        let data = data.display().to_string();
        self.run("initdb", &["-D", &data, "-U", "tester", "--auth=trust", "--no-sync", "--locale=C", "-E", "UTF8"])
    }

    /// The server of a database on a port of loopback.
    pub(crate) fn server(&self, data: &Path, port: u16) -> Command {
        let mut command = self.program("postgres");
        command.arg("-D").arg(data).args(["-p", &port.to_string(), "-c", "listen_addresses=127.0.0.1"]);
        command.args(["-c", "fsync=off", "-c", "unix_socket_directories=", "-c", "shared_buffers=16MB"]);
        command
    }
}
