//! Runs for people.

use flotilla_api::pipeline::{Hop, PipelineSpec, Run, Step};

use crate::client;

/// The stages of a pipeline in one line.
pub(super) fn title(spec: &PipelineSpec) -> String {
    spec.stages.iter().map(|stage| stage.name.as_str()).collect::<Vec<_>>().join(" -> ")
}

/// A run in one line.
pub(super) fn line(run: &Run) -> String {
    let told = if run.is_active() { &run.waits_for } else { &run.reason };
    let more = if told.is_empty() { String::new() } else { format!(": {told}") };
    format!("run {} is {}{more}\n", run.number, run.phase)
}

/// A run with each stage and each step.
pub(super) fn lines(run: &Run) -> String {
    let mut text = line(run);
    for hop in &run.hops {
        text += &stage(hop);
    }
    for entry in &run.log {
        text += &format!("{}  {:<12} {:<20} {}\n", client::time(entry.time_ms), entry.actor, entry.action, entry.why);
    }
    text
}

fn stage(hop: &Hop) -> String {
    let mut text = format!("stage {}: {}\n", hop.stage, hop.step);
    let mut add = |what: &str, told: &str| {
        if !told.is_empty() {
            text += &format!("  {what}: {told}\n");
        }
    };
    if hop.snapshot > 0 {
        add("brings", &format!("snapshot {} of group {}, revision {}", hop.snapshot, hop.group, hop.source));
    } else {
        add("brings", &hop.source);
    }
    add("differs", &hop.plan.differs);
    hop.plan.effects.iter().for_each(|effect| add("would", effect));
    hop.plan.findings.iter().for_each(|finding| add("the review finds", finding));
    add("tests", &hop.plan.tests);
    if hop.step != Step::Done {
        add("had no value", &hop.plan.missing.join(", "));
    }
    hop.approvals.iter().for_each(|approval| add("approved by", &approval.actor));
    add("revision", &hop.revision);
    for member in &hop.members {
        add(&member.id, &format!("{} {}", member.step, member.reason));
    }
    text
}
