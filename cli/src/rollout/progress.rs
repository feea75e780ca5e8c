//! A rollout as it goes: replica by replica, with a bar on a terminal.

use std::process::ExitCode;
use std::time::Duration;

use flotilla_api::audit::AuditEntry;
use flotilla_api::rollout::{Phase, Rollout, Step};
use indicatif::{ProgressBar, ProgressStyle};

use crate::client::GroupArgs;
use crate::exit::Exit;
use crate::plain::print;

/// How often the rollout is looked at.
const LOOK: Duration = Duration::from_millis(200);
/// How long the admin API may be away meanwhile.
const PATIENCE: u32 = 150;

/// Shows a rollout until it ends, which the exit code tells: done, or halted and back.
pub async fn watch(group: &GroupArgs, number: u64) -> anyhow::Result<ExitCode> {
    let client = group.client();
    let bar = ProgressBar::new(1);
    if let Ok(style) = ProgressStyle::with_template("[{bar:30}] {pos}/{len} {msg}") {
        bar.set_style(style.progress_chars("=> "));
    }
    let (mut shown, mut silent) = (0, 0);
    let mut seen: Option<Rollout> = None;
    loop {
        let status = match client.rollout(&group.group).await {
            Ok(status) => status,
            Err(error) if silent >= PATIENCE => return Err(error.into()),
            Err(_) => {
                silent += 1;
                bar.set_message("the admin API does not answer; the rollout continues without it");
                tokio::time::sleep(LOOK).await;
                continue;
            }
        };
        silent = 0;
        let Some(rollout) = status.rollout.as_ref().filter(|rollout| rollout.number == number) else {
            bar.finish_and_clear();
            let ended = seen.as_ref().zip(status.rollout.as_ref()).and_then(|(ours, next)| ended_before(ours, next));
            let Some(exit) = ended else {
                anyhow::bail!("another rollout has begun since rollout {number}: see `flotilla rollout status`");
            };
            if group.admin.json {
                crate::client::json(&status);
            } else {
                print(&format!("rollout {number} has ended, and another has begun: see `flotilla rollout status`\n"));
            }
            return Ok(exit.into());
        };
        seen = Some(rollout.clone());
        for entry in rollout.log.iter().skip(shown).filter(|_| !group.admin.json) {
            bar.suspend(|| print(&line(entry)));
        }
        shown = rollout.log.len();
        let moved = rollout.members.iter().filter(|member| matches!(member.step, Step::Moved | Step::Returned));
        bar.set_length(rollout.members.iter().filter(|member| member.step != Step::Gone).count() as u64);
        bar.set_position(moved.count() as u64);
        bar.set_message(status.waits_for.clone().unwrap_or_default());
        if rollout.is_active() {
            tokio::time::sleep(LOOK).await;
            continue;
        }
        bar.finish_and_clear();
        let done = rollout.phase == Phase::Done;
        if group.admin.json {
            crate::client::json(&status);
        } else {
            print(&summary(rollout));
        }
        return Ok(if done { Exit::Done } else { Exit::Halted }.into());
    }
}

/// How a rollout ended that another one follows at once: the next starts from what the group runs.
fn ended_before(ours: &Rollout, next: &Rollout) -> Option<Exit> {
    (next.number == ours.number + 1).then(|| if next.from == ours.to { Exit::Done } else { Exit::Halted })
}

fn line(entry: &AuditEntry) -> String {
    let AuditEntry { action, replica, why, .. } = entry;
    format!("  {action:<18}{replica}{}{why}\n", if replica.is_empty() || why.is_empty() { "" } else { ": " })
}

/// How it ended, replica by replica.
pub(super) fn summary(rollout: &Rollout) -> String {
    let Rollout { from, to, reason, .. } = rollout;
    let mut lines = match rollout.phase {
        Phase::Done => format!("the group runs revision {to}\n"),
        Phase::Returned => format!("halted, the group runs revision {from} as before: {reason}\n"),
        Phase::Forward => format!("forward: from {from} to {to}\n"),
        Phase::Returning => format!("returning: from {from} to {to}\n"),
    };
    for member in &rollout.members {
        let line = format!("  {:<24} {:<10} {}", member.id, member.step, member.reason);
        lines += line.trim_end();
        lines.push('\n');
    }
    lines
}
