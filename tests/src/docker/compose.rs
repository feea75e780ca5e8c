//! The project's compose file, brought up on free ports.

use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use anyhow::ensure;
use serde_json::Value;

use super::daemon::{Docker, deploy};
use crate::http::request;
use crate::ports::free_ports;
use crate::wait::eventually;

/// What the gateway asks for.
const TOKEN: &str = "token-of-the-compose-test";

/// The services of `deploy/docker-compose.yml`. Dropped, they are gone, with their volumes and their image.
pub struct Compose {
    docker: Docker,
    project: String,
    /// Where the broker is published.
    pub mqtt: SocketAddr,
    /// Where the gateway takes the flow's requests.
    pub http: SocketAddr,
    /// Where the admin API is.
    pub admin: SocketAddr,
}

impl Compose {
    /// Makes the image and brings everything up.
    pub fn up(docker: Docker) -> anyhow::Result<Compose> {
        let [mqtt, http, admin] = free_ports()?;
        let project = format!("flotilla-test-{}", std::process::id());
        docker.make_image(&project)?;
        let compose = Compose { docker, project, mqtt, http, admin };
        compose.run(&["up", "-d"])?;
        Ok(compose)
    }

    fn command(&self) -> Command {
        let mut command = self.docker.command("docker-compose");
        command.arg("-f").arg(deploy("docker-compose.yml")).args(["-p", &self.project]);
        for (name, value) in [
            ("FLOTILLA_IMAGE", self.project.clone()),
            ("FLOTILLA_ADMIN_TOKEN", TOKEN.to_owned()),
            ("PUBLISH_MQTT", self.mqtt.to_string()),
            ("PUBLISH_HTTP", self.http.to_string()),
            ("PUBLISH_ADMIN", self.admin.to_string()),
        ] {
            command.env(name, value);
        }
        command
    }

    /// Runs `docker-compose ARGS`; what it printed.
    pub fn run(&self, args: &[&str]) -> anyhow::Result<String> {
        let ended = self.command().args(args).output()?;
        let (out, err) = (String::from_utf8_lossy(&ended.stdout), String::from_utf8_lossy(&ended.stderr));
        ensure!(ended.status.success(), "docker-compose {}: {out}{err}", args.join(" "));
        Ok(out.into_owned())
    }

    /// The containers of a service that run.
    pub fn containers(&self, service: &str) -> anyhow::Result<Vec<String>> {
        let project = format!("label=com.docker.compose.project={}", self.project);
        let service = format!("label=com.docker.compose.service={service}");
        let ids = self.docker.run(&["ps", "-q", "--no-trunc", "--filter", &project, "--filter", &service])?;
        Ok(ids.lines().map(str::to_owned).collect())
    }

    /// What `docker inspect` says of a container, by a Go template.
    pub fn inspect(&self, container: &str, template: &str) -> anyhow::Result<String> {
        self.docker.run(&["inspect", "--format", template, container])
    }

    /// A request to the admin API with the token, or with another.
    pub fn status(&self, token: Option<&str>) -> anyhow::Result<(u16, Value)> {
        let header = format!("Authorization: Bearer {}\r\n", token.unwrap_or(TOKEN));
        let answer = request(self.admin, "GET", "/api/v1/status", &header, "")?;
        Ok((answer.status, serde_json::from_str(&answer.body).unwrap_or_default()))
    }

    /// The ids of the replicas that are ready; none while the gateway does not answer.
    pub fn ready(&self) -> Vec<String> {
        let Ok((_, replicas)) = self.status(None) else { return Vec::new() };
        let ready = replicas.as_array().into_iter().flatten().filter(|replica| replica["state"] == "ready");
        ready.filter_map(|replica| Some(replica["id"].as_str()?.to_owned())).collect()
    }

    /// Waits until exactly these many replicas are ready; their ids.
    pub fn wait_for_ready(&self, replicas: usize) -> anyhow::Result<Vec<String>> {
        let what = format!("{replicas} ready replicas in containers");
        eventually(&what, Duration::from_mins(1), || Some(self.ready()).filter(|ready| ready.len() == replicas))
    }
}

impl Drop for Compose {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.run(&["logs", "--no-color", "--tail", "40"]).unwrap_or_default());
        }
        for args in [&["kill"][..], &["down", "--volumes"]] {
            if let Err(error) = self.run(args) {
                eprintln!("{error:#}");
            }
        }
        if let Err(error) = self.docker.run(&["rmi", "--force", &self.project]) {
            eprintln!("{error:#}");
        }
    }
}
