//! An upgrade as it goes, host by host and replica by replica.

use std::process::ExitCode;
use std::time::Duration;

use flotilla_api::Client;
use flotilla_api::placement::{Upgrade, binary_name};
use flotilla_api::rollout::Phase;

use crate::client;
use crate::exit::Exit;
use crate::plain::print;

/// How often it is looked at.
const LOOK: Duration = Duration::from_millis(300);
/// How long the admin API may be away meanwhile: so many looks.
const PATIENCE: u32 = 100;

/// Shows an upgrade until it ends, which the exit code tells: done, or halted and back.
pub(super) async fn watch(client: &Client, number: u64, as_json: bool) -> anyhow::Result<ExitCode> {
    let (mut shown, mut silent) = (Vec::<String>::new(), 0);
    loop {
        let status = match client.upgrade().await {
            Ok(status) => status,
            Err(error) if silent >= PATIENCE => return Err(error.into()),
            Err(_) => {
                silent += 1;
                tokio::time::sleep(LOOK).await;
                continue;
            }
        };
        silent = 0;
        let Some(upgrade) = status.upgrade.as_ref().filter(|upgrade| upgrade.number == number) else {
            anyhow::bail!("another upgrade has begun since upgrade {number}: see `flotilla upgrade status`");
        };
        if upgrade.is_active() {
            if !as_json {
                let lines = lines(upgrade);
                lines.iter().filter(|line| !shown.contains(line)).for_each(|line| print(line));
                shown = lines;
            }
            tokio::time::sleep(LOOK).await;
            continue;
        }
        if as_json {
            client::json(&status);
        } else {
            print(&summary(upgrade));
        }
        return Ok(if upgrade.phase == Phase::Done { Exit::Done } else { Exit::Halted }.into());
    }
}

/// Where it is, or how it ended.
pub(super) fn summary(upgrade: &Upgrade) -> String {
    let (from, to, reason) = (binary_name(&upgrade.from), binary_name(&upgrade.to), &upgrade.reason);
    let head = match upgrade.phase {
        Phase::Done => format!("the hosts run the binary {to}\n"),
        Phase::Returned => format!("halted, the hosts run the binary {from} as before: {reason}\n"),
        Phase::Forward => format!("forward: from {from} to {to}\n"),
        Phase::Returning => format!("returning: from {to} to {from}: {reason}\n"),
    };
    let more = match upgrade.moved_before {
        0 => String::new(),
        more => format!("  {more} more replicas have moved\n"),
    };
    head + &lines(upgrade).concat() + &more
}

fn lines(upgrade: &Upgrade) -> Vec<String> {
    let tidy = |line: String| format!("{}\n", line.trim_end());
    let host = upgrade
        .hosts
        .iter()
        .map(|host| tidy(format!("  host {:<19} {:<10} {}", host.host, host.step.to_string(), host.reason)));
    let member = upgrade.members.iter().map(|member| {
        let pair = format!("{} -> {}", member.member, member.by);
        tidy(format!("  {pair:<24} {:<10} {}", member.step.to_string(), member.reason))
    });
    host.chain(member).collect()
}
