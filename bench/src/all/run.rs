//! Runs the sections and writes what they found.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use clap::Args;

use super::table::{OLD, Plan, Section};
use super::{brokers, failover, functions, gateway, growth, http, idle, inside, markdown, mqtt};
use crate::peer::binary;
use crate::report::say;

/// How everything is measured.
#[derive(Args)]
pub struct AllArgs {
    /// Only this comparison, several times for several: mqtt, inside, http, function, broker, gateway, failover, start,
    /// replicas, idle
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
    /// Rounds of each side; the sides alternate
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=99))]
    rounds: u16,
    /// No round begins after so many minutes; what was not measured is named
    #[arg(long, default_value_t = 40.0)]
    minutes: f64,
    /// Messages and requests of a round, as a share of the usual
    #[arg(long, default_value_t = 1.0)]
    scale: f64,
    /// An older binary, measured beside this one in the same rounds: mqtt, inside, http, broker, gateway and start
    #[arg(long, value_name = "BINARY")]
    old: Option<PathBuf>,
    /// Where the results go; charts go into the folder `charts` beside it
    #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/RESULTS.md"))]
    out: PathBuf,
}

/// A comparison.
type Run = fn(Plan<'_>, &Path, &mut Section) -> anyhow::Result<()>;

/// Name, heading, what runs it.
const SECTIONS: [(&str, &str, Run); 10] = [
    ("mqtt", "MQTT in to MQTT out", mqtt::run),
    ("inside", "What looking inside costs", inside::run),
    ("http", "HTTP in to HTTP response", http::run),
    ("function", "A message through a function node", functions::run),
    ("broker", "The broker", brokers::run),
    ("gateway", "The gateway", gateway::run),
    ("failover", "A replica dies or stands still", failover::run),
    ("start", "Start and memory", growth::start),
    ("replicas", "More replicas", growth::replicas),
    ("idle", "An idle group", idle::run),
];

/// Measures, writes, and fails only when nothing could be measured.
pub fn run(args: &AllArgs) -> anyhow::Result<()> {
    for name in &args.only {
        let names = SECTIONS.map(|(name, ..)| name).join(", ");
        ensure!(SECTIONS.iter().any(|(known, ..)| known == name), "--only {name}: there are {names}");
    }
    let begun = Instant::now();
    let minutes = Duration::try_from_secs_f64(args.minutes * 60.0).context("--minutes must be a number of minutes")?;
    let builds = builds(args.old.as_deref())?;
    let plan = Plan { builds: &builds, rounds: usize::from(args.rounds), until: begun + minutes, scale: args.scale };
    let machine = crate::machine::line();
    let mut sections = Vec::new();
    for (name, title, measure) in SECTIONS {
        let mut section = Section { name, title, ..Section::default() };
        if !args.only.is_empty() && !args.only.iter().any(|only| only == name) {
            continue;
        }
        say(&format!("{title}:"));
        if Instant::now() > plan.until {
            section.skip(title, format!("the {} minutes of this run were over", args.minutes));
        } else {
            let dir = tempfile::tempdir()?;
            if let Err(error) = measure(plan, dir.path(), &mut section) {
                section.skip(title, format!("it did not get through: {error:#}"));
            }
        }
        sections.push(section);
        // Each section at once: a run that is ended by hand has something to show.
        markdown::write(&args.out, &machine, args.rounds, &sections)?;
    }
    ensure!(
        sections.iter().any(|section| !section.cases.is_empty()),
        "nothing could be measured: see what was skipped"
    );
    say(&format!("{} ({:.0} s)", args.out.display(), begun.elapsed().as_secs_f64()));
    Ok(())
}

/// The binaries to measure: this build's is first.
fn builds(old: Option<&Path>) -> anyhow::Result<Vec<(String, PathBuf)>> {
    let mut builds = vec![("Flotilla".to_owned(), binary()?)];
    if let Some(old) = old {
        let asked = Command::new(old).arg("--version").output().with_context(|| format!("--old {}", old.display()))?;
        ensure!(asked.status.success(), "--old {}: it does not give its version: {}", old.display(), asked.status);
        let version = String::from_utf8_lossy(&asked.stdout);
        builds.push((format!("{OLD}{}", version.trim()), old.to_path_buf()));
    }
    Ok(builds)
}
