//! The Docker daemon that runs on this machine, or else one of the test's own.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use tempfile::TempDir;

use crate::process::flotilla;
use crate::wait::eventually;

/// A daemon. One of the test's own has its images in a folder of its own and is stopped when this is dropped.
pub struct Docker {
    own: Option<Own>,
}

struct Own {
    daemon: Child,
    folder: TempDir,
}

/// A file of the project's `deploy/`.
pub fn deploy(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy").join(name)
}

impl Docker {
    /// The daemon.
    ///
    /// # Errors
    /// Why there can be none here: a test is skipped then.
    pub fn start() -> anyhow::Result<Docker> {
        are_here(&[("docker", "docker.io"), ("docker-compose", "docker-compose")])?;
        let running = Docker { own: None };
        if running.answers() { Ok(running) } else { Docker::start_own() }
    }

    /// A daemon of the test's own, whatever runs here.
    ///
    /// # Errors
    /// Why there can be none here: a test is skipped then.
    pub fn start_own() -> anyhow::Result<Docker> {
        are_here(&[("docker", "docker.io")])?;
        let folder = TempDir::new()?;
        let path = |name: &str| folder.path().join(name);
        let log = std::fs::File::create(path("log"))?;
        let daemon = Command::new("dockerd")
            .arg("--data-root")
            .arg(path("data"))
            .arg("--exec-root")
            .arg(path("exec"))
            .arg("--pidfile")
            .arg(path("pid"))
            .arg("--host")
            .arg(format!("unix://{}", path("socket").display()))
            // The network of the compose file is enough.
            .arg("--bridge=none")
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .context("dockerd is not here (package docker.io)")?;
        let mut docker = Docker { own: Some(Own { daemon, folder }) };
        eventually("dockerd to answer or end", Duration::from_secs(30), || {
            (docker.answers() || docker.ended()).then_some(())
        })?;
        if docker.ended() {
            bail!("dockerd cannot start here (it needs root): {}", docker.last_words());
        }
        Ok(docker)
    }

    fn answers(&self) -> bool {
        let asked = self.command("docker").arg("info").stdout(Stdio::null()).stderr(Stdio::null()).status();
        asked.is_ok_and(|status| status.success())
    }

    fn ended(&mut self) -> bool {
        self.own.as_mut().is_some_and(|own| !matches!(own.daemon.try_wait(), Ok(None)))
    }

    fn last_words(&self) -> String {
        let log = self.own.as_ref().and_then(|own| std::fs::read_to_string(own.folder.path().join("log")).ok());
        log.as_deref().and_then(|log| log.lines().last()).unwrap_or_default().to_owned()
    }

    /// A command that talks to the daemon.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        if let Some(own) = &self.own {
            command.env("DOCKER_HOST", format!("unix://{}", own.folder.path().join("socket").display()));
        }
        command
    }

    /// Runs `docker ARGS`; what it printed, without the line's end.
    pub fn run(&self, args: &[&str]) -> anyhow::Result<String> {
        let ended = self.command("docker").args(args).output()?;
        ensure!(ended.status.success(), "docker {}: {}", args.join(" "), String::from_utf8_lossy(&ended.stderr));
        Ok(String::from_utf8_lossy(&ended.stdout).trim().to_owned())
    }

    /// Makes the image of the binary that was built beside this test, as `deploy/image` makes it for users.
    pub fn make_image(&self, tag: &str) -> anyhow::Result<()> {
        let mut image = self.command(deploy("image").to_str().context("the project's path is text")?);
        let ended = image.args(["--tag", tag, "--binary"]).arg(flotilla()?).output()?;
        ensure!(ended.status.success(), "deploy/image: {}", String::from_utf8_lossy(&ended.stderr));
        Ok(())
    }
}

fn are_here(commands: &[(&str, &str)]) -> anyhow::Result<()> {
    for (command, package) in commands {
        let found = Command::new(command).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
        ensure!(found.is_ok(), "{command} is not here (package {package})");
    }
    Ok(())
}

impl Drop for Docker {
    fn drop(&mut self) {
        let Some(own) = &mut self.own else { return };
        if !matches!(own.daemon.try_wait(), Ok(None)) {
            return;
        }
        // SIGTERM: it stops its containerd and takes its mounts away; a kill would leave both.
        let _ = Command::new("kill").arg(own.daemon.id().to_string()).status();
        let ended = || own.daemon.try_wait().ok().flatten();
        if eventually("dockerd to end", Duration::from_secs(20), ended).is_err() {
            let _ = own.daemon.kill();
            let _ = own.daemon.wait();
        }
    }
}
