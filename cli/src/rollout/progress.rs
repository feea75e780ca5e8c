//! A rollout as it goes: replica by replica, with a bar on a terminal.

use std::process::ExitCode;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value;

use crate::client::{ApiError, GroupArgs};
use crate::review::print;

/// How often the rollout is looked at.
const LOOK: Duration = Duration::from_millis(200);
/// How long the admin API may be away meanwhile.
const PATIENCE: u32 = 150;

/// Shows a rollout until it ends. 0 when the group runs the new revision, 1 when it was halted.
pub async fn watch(group: &GroupArgs, number: u64) -> anyhow::Result<ExitCode> {
    let bar = ProgressBar::new(1);
    if let Ok(style) = ProgressStyle::with_template("[{bar:30}] {pos}/{len} {msg}") {
        bar.set_style(style.progress_chars("=> "));
    }
    let (mut shown, mut silent) = (0, 0);
    loop {
        let course = match group.client().get(&group.path("rollout")).await {
            Ok(course) => course,
            Err(error) if error.is::<ApiError>() && silent >= PATIENCE => return Err(error),
            Err(error) if silent >= PATIENCE => return Err(error),
            Err(_) => {
                silent += 1;
                bar.set_message("the admin API does not answer; the rollout goes on without it");
                tokio::time::sleep(LOOK).await;
                continue;
            }
        };
        silent = 0;
        let rollout = &course["rollout"];
        if rollout["number"].as_u64() != Some(number) {
            anyhow::bail!("rollout {number} was followed by another: see `flotilla rollout status`");
        }
        let log = rollout["log"].as_array().map(Vec::as_slice).unwrap_or_default();
        for entry in log.iter().skip(shown).filter(|_| !group.admin.json) {
            bar.suspend(|| print(&line(entry)));
        }
        shown = log.len();
        let members = rollout["members"].as_array().map(Vec::as_slice).unwrap_or_default();
        let gone = |member: &&Value| member["step"] != "gone";
        let moved = members.iter().filter(|member| matches!(member["step"].as_str(), Some("moved" | "returned")));
        bar.set_length(members.iter().filter(gone).count() as u64);
        bar.set_position(moved.count() as u64);
        bar.set_message(course["waits_for"].as_str().unwrap_or_default().to_owned());
        let done = match rollout["phase"].as_str() {
            Some("done") => true,
            Some("returned") => false,
            _ => {
                tokio::time::sleep(LOOK).await;
                continue;
            }
        };
        bar.finish_and_clear();
        if group.admin.json {
            crate::client::json(&course);
        } else {
            print(&summary(rollout));
        }
        return Ok(if done { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
}

fn line(entry: &Value) -> String {
    let text = |field: &str| entry[field].as_str().unwrap_or_default();
    let (what, replica, why) = (text("action"), text("replica"), text("why"));
    format!("  {what:<18}{replica}{}{why}\n", if replica.is_empty() || why.is_empty() { "" } else { ": " })
}

/// How it ended, replica by replica.
pub(super) fn summary(rollout: &Value) -> String {
    let text = |value: &Value, field: &str| value[field].as_str().unwrap_or_default().to_owned();
    let mut lines = match rollout["phase"].as_str() {
        Some("done") => format!("the group runs revision {}\n", text(rollout, "to")),
        Some("returned") => format!(
            "halted, the group runs revision {} as before: {}\n",
            text(rollout, "from"),
            text(rollout, "reason")
        ),
        phase => format!("{}: from {} to {}\n", phase.unwrap_or_default(), text(rollout, "from"), text(rollout, "to")),
    };
    for member in rollout["members"].as_array().into_iter().flatten() {
        let line = format!("  {:<24} {:<10} {}", text(member, "id"), text(member, "step"), text(member, "reason"));
        lines += line.trim_end();
        lines.push('\n');
    }
    lines
}
