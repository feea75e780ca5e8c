//! A group of docker compose: the services of one compose file.

use std::path::PathBuf;
use std::time::Duration;

use super::command::run;
use super::group::GroupError;
use crate::run::Handle;

/// The services of a compose file.
pub struct Compose {
    file: String,
    program: Vec<&'static str>,
    replica: String,
    broker: Option<String>,
}

/// As this machine has it.
fn program() -> Vec<&'static str> {
    let plugin = std::process::Command::new("docker").args(["compose", "version"]).output();
    if plugin.is_ok_and(|output| output.status.success()) { vec!["docker", "compose"] } else { vec!["docker-compose"] }
}

impl Compose {
    /// The file's services: the one with "replica" in its name is the group's.
    pub(super) fn find(file: PathBuf) -> Result<Compose, GroupError> {
        let none = || GroupError::NoCompose(file.display().to_string());
        let program = program();
        let shown = file.display().to_string();
        let (first, rest) = program.split_first().ok_or_else(none)?;
        let listed = std::process::Command::new(first).args(rest).args(["-f", &shown, "config", "--services"]).output();
        let text = listed.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
        let service = |part: &str| text.lines().find(|name| name.contains(part)).map(str::to_owned);
        let replica = service("replica").ok_or_else(none)?;
        let broker = service("broker").or_else(|| service("mosquitto")).or_else(|| service("mqtt"));
        Ok(Compose { file: shown, program, replica, broker })
    }

    async fn compose(&self, args: &[&str]) -> Result<String, GroupError> {
        let mut all = self.program[1..].to_vec();
        all.extend(["-f", &self.file]);
        all.extend(args);
        run(self.program[0], &all).await
    }

    async fn containers(&self) -> Result<Vec<String>, GroupError> {
        let mut ids: Vec<String> =
            self.compose(&["ps", "-q", &self.replica]).await?.lines().map(str::to_owned).collect();
        ids.sort();
        Ok(ids)
    }

    async fn one(&self, pick: usize) -> Result<String, GroupError> {
        let ids = self.containers().await?;
        ids.get(pick % ids.len().max(1)).cloned().ok_or(GroupError::Nobody)
    }

    pub(super) async fn running(&self) -> Option<u32> {
        let ids = self.containers().await.ok()?;
        let mut running = 0;
        for id in ids {
            let state = run("docker", &["inspect", "-f", "{{.State.Status}}", &id]).await.ok()?;
            running += u32::from(state.trim() == "running");
        }
        Some(running)
    }

    pub(super) async fn kill(&self, pick: usize) -> Result<String, GroupError> {
        let id = self.one(pick).await?;
        run("docker", &["kill", &id]).await?;
        // Docker does not restart what was killed by hand.
        run("docker", &["start", &id]).await?;
        Ok(format!("killed container {} and started it again", short(&id)))
    }

    pub(super) async fn pause(&self, pick: usize, pause: Duration, handle: &Handle) -> Result<String, GroupError> {
        let id = self.one(pick).await?;
        run("docker", &["pause", &id]).await?;
        handle.event("fault", &format!("paused container {} for {:.1} s", short(&id), pause.as_secs_f64()));
        tokio::time::sleep(pause).await;
        run("docker", &["unpause", &id]).await?;
        Ok(format!("container {} goes on", short(&id)))
    }

    pub(super) async fn cut(&self, pick: usize, pause: Duration, handle: &Handle) -> Result<String, GroupError> {
        let id = self.one(pick).await?;
        let form = "{{range $name, $_ := .NetworkSettings.Networks}}{{$name}} {{end}}";
        let networks = run("docker", &["inspect", "-f", form, &id]).await?;
        let networks: Vec<&str> = networks.split_whitespace().collect();
        for network in &networks {
            run("docker", &["network", "disconnect", network, &id]).await?;
        }
        handle.event("fault", &format!("cut container {} off for {:.1} s", short(&id), pause.as_secs_f64()));
        tokio::time::sleep(pause).await;
        for network in &networks {
            run("docker", &["network", "connect", "--alias", &self.replica, network, &id]).await?;
        }
        Ok(format!("container {} is back on the network", short(&id)))
    }

    pub(super) async fn restart_broker(&self) -> Result<String, GroupError> {
        let none = GroupError::Impossible(
            "the compose file has no service with \"broker\", \"mosquitto\" or \"mqtt\" in its name",
        );
        let broker = self.broker.as_deref().ok_or(none)?;
        self.compose(&["restart", broker]).await?;
        Ok(format!("restarted {broker}"))
    }

    pub(super) async fn scale(&self, replicas: u16) -> Result<String, GroupError> {
        let wanted = format!("{}={replicas}", self.replica);
        self.compose(&["up", "-d", "--no-recreate", "--scale", &wanted]).await?;
        Ok(format!("scaled to {replicas} replicas"))
    }
}

fn short(id: &str) -> &str {
    id.get(..12).unwrap_or(id)
}
