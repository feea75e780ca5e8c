//! Function bodies: the engine beside Node's `vm`.

use std::path::Path;

use super::table::{Measure, Plan, Section, by_turns, cost};
use crate::function::{CASES, engine, node_vm};

/// See the module.
pub fn run(plan: Plan<'_>, _: &Path, section: &mut Section) -> anyhow::Result<()> {
    let messages = plan.messages(20_000);
    section.about = format!(
        "One message through a function node, {messages} a round: our engine (dispatch, view, script, dispatch) beside Node's `vm` doing \
         what Node-RED's function node does with it."
    );
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    for case in CASES {
        let sides: Vec<(String, Measure<'_>)> = vec![
            ("Flotilla".into(), Box::new(|| Ok(vec![runtime.block_on(engine::measure(case, messages))?]))),
            ("Node vm".into(), Box::new(|| Ok(vec![node_vm::measure(case, messages)?]))),
        ];
        section.cases.extend(by_turns(plan, case.name, &[cost("us a message")], sides));
    }
    Ok(())
}
