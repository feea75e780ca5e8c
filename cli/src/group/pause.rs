//! `flotilla group pause` and `resume`.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use flotilla_api::Client;
use flotilla_api::group::PauseChange;
use flotilla_api::replica::{ReplicaRecord, ReplicaState};

use crate::client;
use crate::exit::{Exit, Failure};
use crate::plain::print;
use crate::replica::PAUSED;

/// How often the replicas are looked at.
const LOOK: Duration = Duration::from_millis(200);

/// Pauses a group; with `drain` waits so many seconds at most until nothing is in flight.
pub(super) async fn pause(
    client: &Client,
    group: &str,
    why: String,
    drain: Option<f64>,
    as_json: bool,
) -> anyhow::Result<ExitCode> {
    let change = PauseChange { why };
    let mut status = client.pause(group, true, &change).await?;
    if let Some(seconds) = drain {
        let until = Duration::try_from_secs_f64(seconds).ok().and_then(|limit| Instant::now().checked_add(limit));
        let until = until.ok_or_else(|| Failure::new(Exit::Usage, format!("--timeout {seconds}: use 0 or more")))?;
        loop {
            let busy: Vec<String> =
                client.replicas(group).await?.into_iter().filter(is_busy).map(|replica| replica.id).collect();
            if busy.is_empty() {
                break;
            }
            if Instant::now() >= until {
                let message =
                    format!("the group is paused, but after {seconds} s these are still at work: {}", busy.join(", "));
                return Err(Failure::new(Exit::TimedOut, message).into());
            }
            tokio::time::sleep(LOOK).await;
        }
        status = client.group(group).await?;
    }
    if as_json {
        client::json(&status);
    } else {
        print(&format!("group \"{group}\" is paused: `flotilla group resume {group}` resumes it\n"));
    }
    Ok(ExitCode::SUCCESS)
}

fn is_busy(replica: &ReplicaRecord) -> bool {
    let resting = replica.state == ReplicaState::Draining && replica.reason.starts_with(PAUSED);
    replica.in_flight > 0 || !resting
}

/// Lets a group go on.
pub(super) async fn resume(client: &Client, group: &str, as_json: bool) -> anyhow::Result<ExitCode> {
    let change = PauseChange::default();
    let status = client.pause(group, false, &change).await?;
    if as_json {
        client::json(&status);
    } else {
        print(&format!("group \"{group}\" runs again\n"));
    }
    Ok(ExitCode::SUCCESS)
}
