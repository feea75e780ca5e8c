//! Runs a scenario and says how it went.

use std::process::ExitCode;

use anyhow::{Context, bail, ensure};
use flotilla_load::report::{Results, junit, page, text};
use flotilla_load::run::{Options, run as run_scenario};
use flotilla_load::scenario::Scenario;

use super::args::{Client, LoadArgs, LoadCommand};
use super::live::Live;
use super::{compare, simple};
use crate::plain::print;

/// The exit code of a run that could not begin.
const NOT_RUN: u8 = 2;

/// Runs on a runtime of its own, on this thread: the generator is on one core.
pub fn run(args: &LoadArgs) -> anyhow::Result<ExitCode> {
    if let Some(LoadCommand::Compare(args)) = &args.command {
        return compare::run(args);
    }
    match load(args) {
        Ok(results) => {
            let code = if results.passed() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
            output(args, &results)?;
            Ok(code)
        }
        Err(error) => {
            eprintln!("flotilla: {error:#}");
            Ok(ExitCode::from(NOT_RUN))
        }
    }
}

fn load(args: &LoadArgs) -> anyhow::Result<Results> {
    let (mut scenario, text) = match &args.scenario {
        Some(path) => {
            if simple::given(&args.simple) {
                bail!("give a scenario file or the flags of a simple scenario, not both");
            }
            Scenario::read(path)?
        }
        None => {
            let words = std::env::args().skip(1).map(|word| quoted(&word)).collect::<Vec<_>>();
            (simple::scenario(&args.simple)?, format!("flotilla {}", words.join(" ")))
        }
    };
    scenario.duration = args.duration.or(scenario.duration);
    scenario.drain = args.drain.or(scenario.drain);
    scenario.seed = args.seed.unwrap_or(scenario.seed);
    scenario.thresholds.extend(args.require.iter().cloned());
    let faults = scenario.faults.clone().unwrap_or_default();
    let checked = scenario.check(text)?;
    if let Some(compares) = checked.thresholds.iter().find(|threshold| threshold.compares()) {
        bail!("\"{compares}\" compares two runs: use it with flotilla load compare");
    }
    ensure!(
        scenario.faults.is_none() || args.faults.is_some(),
        "the scenario has [faults]: name the group to run them on with --faults up:DIR or --faults compose:FILE"
    );
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut live = Live::new();
    let mut options = Options {
        stop: Some(Box::pin(async {
            // Without a handler Ctrl-C ends the process, which is as good.
            let _ = tokio::signal::ctrl_c().await;
        })),
        client: match args.client {
            Client::Flotilla => flotilla_load::run::Client::Flotilla,
            Client::Rumqttc => flotilla_load::run::Client::Rumqttc,
        },
        ..Options::default()
    };
    if !args.output.quiet {
        options.live = Some(Box::new(|snapshot| live.show(snapshot)));
    }
    if let Some(group) = &args.faults {
        options.beside = Some(flotilla_load::faults::schedule(group, &faults, scenario.seed)?);
    }
    Ok(runtime.block_on(run_scenario(checked, options))?)
}

fn output(args: &LoadArgs, results: &Results) -> anyhow::Result<()> {
    let write = |path: &std::path::Path, text: String| {
        std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
    };
    if let Some(path) = &args.output.report {
        write(path, page(results))?;
    }
    if let Some(path) = &args.output.junit {
        write(path, junit(results))?;
    }
    if args.output.json {
        print(&format!("{}\n", results.to_json()));
    } else {
        print(&text(results));
    }
    Ok(())
}

/// A word of a command line as a shell takes it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}
