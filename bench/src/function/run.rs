//! Measures by turns, and prints.

use clap::Args;

use super::case::CASES;
use super::{engine, node_vm};
use crate::report::{median, say};

/// How the function node is measured.
#[derive(Args)]
pub struct FunctionArgs {
    /// Messages in each round
    #[arg(long, default_value_t = 50_000)]
    messages: usize,
    /// Rounds; the sides alternate
    #[arg(long, default_value_t = 5)]
    rounds: usize,
}

/// Measures the engine (dispatch, views, script, dispatch) and Node's `vm` doing what Node-RED's function node does.
pub fn run(args: &FunctionArgs) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    say(&format!(
        "a message through a function node, {} messages a round, best and median of {} rounds",
        args.messages, args.rounds
    ));
    for case in CASES {
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for _ in 0..args.rounds {
            ours.push(runtime.block_on(engine::measure(case, args.messages))?);
            theirs.push(node_vm::measure(case, args.messages)?);
        }
        let best = |rounds: &[f64]| rounds.iter().copied().fold(f64::INFINITY, f64::min);
        say(&format!(
            "{:28} {:>5} B  Flotilla {:>6.2} us (median {:>6.2})   Node vm {:>6.2} us (median {:>6.2})   ratio of medians {:.2}",
            case.name,
            case.message().len(),
            best(&ours),
            median(&ours),
            best(&theirs),
            median(&theirs),
            median(&theirs) / median(&ours),
        ));
    }
    Ok(())
}
