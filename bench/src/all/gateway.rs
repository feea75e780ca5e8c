//! The gateway beside nginx and HAProxy, with the same two replicas behind each.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use super::http::{METRICS, round};
use super::table::{Measure, Plan, Section, by_turns};
use crate::http_path::wait_until_answered;
use crate::peer::{Process, Replica, free_port};

const FLOW: &str = include_str!("../../flows/http-path.json");

/// A balancer that runs: with its own processes, if it makes some.
struct Balancer {
    name: String,
    address: SocketAddr,
    process: Process,
}

/// See the module.
pub fn run(plan: Plan<'_>, dir: &Path, section: &mut Section) -> anyhow::Result<()> {
    let requests = plan.messages(20_000);
    section.about = format!(
        "{requests} requests a round over 32 connections to two replicas. Processor time is the balancer's alone. nginx and HAProxy \
         with as many workers as cores and connections to the replicas that are kept open."
    );
    // The older build has replicas of its own: it may not read what the newer one has written.
    let mut behind = Vec::new();
    let mut balancers = Vec::new();
    for (at, (name, binary)) in plan.builds.iter().enumerate() {
        let dir = dir.join(format!("flotilla-{at}"));
        behind.push(replicas(binary, &dir)?);
        balancers.push(gateway(name, binary, &dir)?);
    }
    let backs: Vec<SocketAddr> = behind.first().into_iter().flatten().map(|replica| replica.http).collect();
    match nginx(dir, &backs) {
        Ok(peer) => balancers.push(peer),
        Err(error) => section.skip("nginx", error),
    }
    match haproxy(dir, &backs) {
        Ok(peer) => balancers.push(peer),
        Err(error) => section.skip("HAProxy", error),
    }
    let mut sides: Vec<(String, Measure<'_>)> = Vec::new();
    for balancer in &balancers {
        wait_until_answered(balancer.address)?;
        round(balancer.address, requests.min(3000), || Ok(0.0))?;
        let measure = || round(balancer.address, requests, || balancer.process.cpu_of_family());
        sides.push((balancer.name.clone(), Box::new(measure)));
    }
    section.cases = by_turns(plan, "gateway", &METRICS, sides);
    Ok(())
}

fn replicas(binary: &Path, dir: &Path) -> anyhow::Result<Vec<Replica>> {
    (0..2).map(|number| Replica::join(binary, &dir.join(number.to_string()), FLOW, &store(dir))).collect()
}

fn store(dir: &Path) -> String {
    format!("sqlite:{}", dir.join("store.db").display())
}

fn gateway(name: &str, binary: &Path, dir: &Path) -> anyhow::Result<Balancer> {
    let (address, admin) = (free_port()?, free_port()?);
    let mut command = Command::new(binary);
    command.args(["gateway", "--store", &store(dir), "--http", &address.to_string(), "--admin", &admin.to_string()]);
    let mut process = Process::start(command, dir.join("gateway.log"))?;
    process.wait_for(address)?;
    Ok(Balancer { name: name.to_owned(), address, process })
}

/// Debian keeps it where only root looks.
fn system(program: &str) -> Command {
    let mut command = Command::new(program);
    if let Some(mut path) = std::env::var_os("PATH") {
        path.push(":/usr/sbin");
        command.env("PATH", path);
    }
    command
}

fn nginx(dir: &Path, backs: &[SocketAddr]) -> anyhow::Result<Balancer> {
    let address = free_port()?;
    let (file, at) = (dir.join("nginx.conf"), dir.display());
    let servers: String = backs.iter().map(|back| format!("server {back};")).collect();
    std::fs::write(
        &file,
        format!(
            "worker_processes auto; daemon off; pid {at}/nginx.pid; error_log {at}/nginx-error.log; events {{ worker_connections 1024; }}\n\
             http {{ access_log off; client_body_temp_path {at}/b; proxy_temp_path {at}/p; fastcgi_temp_path {at}/f; uwsgi_temp_path {at}/u; \
             scgi_temp_path {at}/s; upstream r {{ least_conn; {servers} keepalive 64; }} keepalive_requests 100000000;\n\
             server {{ listen {address}; location / {{ proxy_pass http://r; proxy_http_version 1.1; proxy_set_header Connection \"\"; }} }} }}\n"
        ),
    )?;
    let mut command = system("nginx");
    command.arg("-c").arg(&file).arg("-e").arg(dir.join("nginx-error.log"));
    let mut process = Process::start(command, dir.join("nginx.log"))?;
    process.wait_for(address)?;
    Ok(Balancer { name: "nginx".to_owned(), address, process })
}

fn haproxy(dir: &Path, backs: &[SocketAddr]) -> anyhow::Result<Balancer> {
    let address = free_port()?;
    let file = dir.join("haproxy.cfg");
    let servers: String = backs.iter().enumerate().map(|(at, back)| format!("  server r{at} {back}\n")).collect();
    std::fs::write(
        &file,
        format!(
            "global\n  maxconn 4096\ndefaults\n  mode http\n  timeout connect 5s\n  timeout client 60s\n  timeout server 60s\n  option http-keep-alive\n  http-reuse always\n\
             frontend f\n  bind {address}\n  default_backend b\nbackend b\n  balance leastconn\n{servers}"
        ),
    )?;
    let mut command = system("haproxy");
    command.arg("-db").arg("-f").arg(&file);
    let mut process = Process::start(command, dir.join("haproxy.log"))?;
    process.wait_for(address)?;
    Ok(Balancer { name: "HAProxy".to_owned(), address, process })
}
