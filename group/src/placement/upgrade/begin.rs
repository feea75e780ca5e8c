//! What users do to an upgrade: begin, cancel.

use std::collections::BTreeSet;

use flotilla_api::placement::{HostStep, HostUpgrade, Upgrade, binary_name};
use flotilla_api::rollout::{Phase, Rules};

use crate::placement::PlacementError;
use crate::placement::document::Placement;

/// Begins an upgrade to a binary (empty: what each machine has installed). `hosts`: those with an agent, by name.
///
/// # Errors
/// [`PlacementError::Upgrade`] while another runs, or when there is nothing to do.
pub fn begin(
    placement: &mut Placement,
    to: &str,
    rules: &Rules,
    hosts: Vec<String>,
    actor: &str,
    now_ms: u64,
) -> Result<Upgrade, PlacementError> {
    let refused = |code, why: String| PlacementError::Upgrade { code, why };
    if let Some(active) = placement.upgrade.as_ref().filter(|upgrade| upgrade.is_active()) {
        let why =
            format!("upgrade {} still runs: wait for it, or cancel it with `flotilla upgrade cancel`", active.number);
        return Err(refused("upgrade_active", why));
    }
    if placement.binary == to {
        let why = match to {
            "" => "no binary was sent: each machine runs what it has installed. Send a new one with `flotilla upgrade \
                   --binary FILE`"
                .to_owned(),
            _ => format!("agents and replicas run the binary {} already", binary_name(to)),
        };
        return Err(refused("unchanged", why));
    }
    if hosts.is_empty() {
        let why = "there is no host with an agent: start `flotilla agent` on each machine. Replicas that were started \
                   otherwise are upgraded by whoever starts them: those of `flotilla up` when it is started again with the \
                   new binary";
        return Err(refused("no_hosts", why.to_owned()));
    }
    let waits = |host| HostUpgrade { host, step: HostStep::Waiting, since_ms: now_ms, reason: String::new() };
    let upgrade = Upgrade {
        number: placement.upgrade.as_ref().map_or(1, |last| last.number + 1),
        from: placement.binary.clone(),
        to: to.to_owned(),
        phase: Phase::Forward,
        rules: rules.clone(),
        hosts: hosts.into_iter().map(waits).collect(),
        agents: BTreeSet::new(),
        members: Vec::new(),
        moved_before: 0,
        trial: None,
        reason: String::new(),
        actor: actor.to_owned(),
        started_ms: now_ms,
        ended_ms: None,
    };
    placement.upgrade = Some(upgrade.clone());
    Ok(upgrade)
}

/// Halts the upgrade that runs: what moved goes back.
///
/// # Errors
/// [`PlacementError::Upgrade`] when none goes forward.
pub fn cancel(placement: &mut Placement, actor: &str) -> Result<Upgrade, PlacementError> {
    let Some(upgrade) = placement.upgrade.as_mut().filter(|upgrade| upgrade.phase == Phase::Forward) else {
        let why = "no upgrade goes forward: see `flotilla upgrade status`".to_owned();
        return Err(PlacementError::Upgrade { code: "no_upgrade", why });
    };
    (upgrade.phase, upgrade.reason) = (Phase::Returning, format!("cancelled by {actor}"));
    Ok(upgrade.clone())
}
