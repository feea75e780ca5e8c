//! What a group costs that has nothing to do.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::Context;

use super::group::Group;
use super::table::{Measure, Plan, Section, by_turns, cost};
use crate::peer::{Process, binary, free_port};

const HTTP: &str = include_str!("../../flows/http-path.json");
/// How long it is watched.
const SECONDS: u64 = 5;

/// Milliseconds of processor time a second of supervisor and three replicas, on SQLite.
fn sqlite(dir: &Path) -> anyhow::Result<Vec<f64>> {
    let group = Group::start(dir, HTTP, 3, &[])?;
    // The first second is still the start's.
    std::thread::sleep(Duration::from_secs(2));
    let (before, begun) = (group.process.cpu_of_family()?, Instant::now());
    std::thread::sleep(Duration::from_secs(SECONDS));
    Ok(vec![(group.process.cpu_of_family()? - before) * 1000.0 / begun.elapsed().as_secs_f64()])
}

fn commands(redis: std::net::SocketAddr) -> anyhow::Result<f64> {
    let text = Command::new("redis-cli").args(["-p", &redis.port().to_string(), "info", "stats"]).output()?;
    let text = String::from_utf8_lossy(&text.stdout).into_owned();
    let line = text.lines().find_map(|line| line.strip_prefix("total_commands_processed:"));
    line.and_then(|count| count.trim().parse().ok()).context("redis-cli info stats has total_commands_processed")
}

/// Commands a second that three replicas send to Redis.
fn redis(dir: &Path) -> anyhow::Result<Vec<f64>> {
    let address = free_port()?;
    let mut command = Command::new("redis-server");
    command.args(["--port", &address.port().to_string(), "--bind", "127.0.0.1", "--save", "", "--dir"]).arg(dir);
    let mut server = Process::start(command, dir.join("redis.log")).context("redis-server")?;
    server.wait_for(address)?;
    let file = dir.join("flows.json");
    std::fs::write(&file, HTTP)?;
    let mut replicas = Vec::new();
    for number in 0..3 {
        let http = free_port()?;
        let mut command = Command::new(binary()?);
        command.arg("replica").arg(&file).args(["--http", &http.to_string(), "--store", &format!("redis://{address}")]);
        let mut process = Process::start(command, dir.join(format!("replica{number}.log")))?;
        process.wait_for(http)?;
        replicas.push(process);
    }
    std::thread::sleep(Duration::from_secs(2));
    let (before, begun) = (commands(address)?, Instant::now());
    std::thread::sleep(Duration::from_secs(SECONDS));
    Ok(vec![(commands(address)? - before) / begun.elapsed().as_secs_f64()])
}

/// See the module.
pub fn run(plan: Plan<'_>, dir: &Path, section: &mut Section) -> anyhow::Result<()> {
    section.about = format!("Three replicas without work, watched for {SECONDS} s.");
    let sides: Vec<(String, Measure<'_>)> =
        vec![("Flotilla".into(), Box::new(|| sqlite(tempfile::tempdir_in(dir)?.path())))];
    section.cases.extend(by_turns(
        plan,
        "SQLite: flotilla up, all of its processes",
        &[cost("ms of processor time a second")],
        sides,
    ));
    let sides: Vec<(String, Measure<'_>)> =
        vec![("Flotilla".into(), Box::new(|| redis(tempfile::tempdir_in(dir)?.path())))];
    section.cases.extend(by_turns(plan, "Redis: three replicas", &[cost("commands/s")], sides));
    Ok(())
}
