//! What comes next while hosts go to the new binary.

use flotilla_api::placement::{HostStep, Trial, Upgrade, binary_name};
use flotilla_api::rollout::{Phase, Step};

use super::pair::{group_of, host_of, set_host, set_member};
use super::trial::{Verdict, look};
use crate::placement::decide::Decision;
use crate::placement::document::member_name;
use crate::placement::view::{HostSeen, PlacementView};

/// How long an agent may take to get a binary, beside the time to be ready, in milliseconds.
pub(super) const TRANSFER_MS: u64 = 120_000;
/// How long a replica may wait for its turn (a paused group, a rollout that does not end), in milliseconds: an hour.
pub(super) const TURN_MS: u64 = 3_600_000;

impl Decision {
    pub(super) fn forward(&mut self, seen: &PlacementView, upgrade: &mut Upgrade) {
        if upgrade.trial.is_some() {
            return self.try_on(seen, upgrade);
        }
        let under_way = |step: HostStep| matches!(step, HostStep::Staging | HostStep::Replicas | HostStep::Agent);
        let now = upgrade.hosts.iter().find(|host| under_way(host.step)).cloned();
        if let Some(now) = now {
            let Some(host) = host_of(seen, &now.host) else { return };
            if !host.alive || self.placement.lost.contains_key(&now.host) {
                if self.placement.lost.contains_key(&now.host) {
                    self.halt(seen, upgrade, &now.host, "the host was lost while it was upgraded");
                }
                return;
            }
            return match now.step {
                HostStep::Staging => self.stage(seen, upgrade, host, now.since_ms),
                HostStep::Replicas => self.replicas(seen, upgrade, host, now.since_ms),
                _ => self.agent(seen, upgrade, host, now.since_ms),
            };
        }
        let lost =
            |name: &str| host_of(seen, name).is_none_or(|host| !host.alive) || self.placement.lost.contains_key(name);
        let waiting: Vec<String> =
            upgrade.hosts.iter().filter(|host| host.step == HostStep::Waiting).map(|host| host.host.clone()).collect();
        if let Some(next) = waiting.iter().find(|name| !lost(name)) {
            let why = format!("upgrade {}: its agent gets the binary {}", upgrade.number, binary_name(&upgrade.to));
            self.say("", "upgrade-host", None, format!("host \"{next}\": {why}"));
            return set_host(upgrade, next, HostStep::Staging, "", seen.now_ms);
        }
        // A lost host without members takes the binary by itself when it comes back.
        let lived_in = |name: &&String| self.placement.groups.values().any(|places| places.on.contains_key(*name));
        if let Some(name) = waiting.iter().find(lived_in) {
            let why =
                format!("host \"{name}\" is lost: it is to come back, or its replicas are to be placed elsewhere");
            return self.waits("", why);
        }
        let before = std::mem::replace(&mut self.placement.binary, upgrade.to.clone());
        self.placement.groups.values_mut().for_each(|places| places.trial.clear());
        upgrade.phase = Phase::Done;
        let (from, to) = (binary_name(&before), binary_name(&upgrade.to));
        self.say(
            "",
            "upgrade-done",
            None,
            format!("upgrade {}: agents and replicas went from {from} to {to}", upgrade.number),
        );
    }

    fn stage(&mut self, seen: &PlacementView, upgrade: &mut Upgrade, host: &HostSeen, since_ms: u64) {
        let name = &host.facts.name;
        if let Some(why) = refused(host, &upgrade.to) {
            return self.halt(seen, upgrade, name, &why);
        }
        if host.binary.runs == upgrade.to || host.binary.staged.contains(&upgrade.to) {
            return set_host(upgrade, name, HostStep::Replicas, "", seen.now_ms);
        }
        if seen.now_ms > since_ms + TRANSFER_MS + upgrade.rules.ready_ms {
            return self.halt(seen, upgrade, name, "its agent did not get the binary in time");
        }
        self.waits("", format!("host \"{name}\" gets the binary, and looks whether it starts"));
    }

    /// `since_ms`: since when nothing has moved there.
    fn replicas(&mut self, seen: &PlacementView, upgrade: &mut Upgrade, host: &HostSeen, since_ms: u64) {
        let name = &host.facts.name;
        match self.next_of(seen, name, |places, number| !places.trial.contains(&number)) {
            None => {
                upgrade.agents.insert(name.clone());
                let why = format!("host \"{name}\": its replicas have moved; its agent restarts itself");
                self.say("", "upgrade-host", None, why);
                set_host(upgrade, name, HostStep::Agent, "", seen.now_ms);
            }
            Some((group, number, None)) => {
                set_host(upgrade, name, HostStep::Replicas, "", seen.now_ms);
                self.start_pair(seen, upgrade, &group, number, name);
            }
            Some((group, number, Some(why))) if seen.now_ms > since_ms + TURN_MS => {
                let member = member_name(&group, number);
                self.halt(seen, upgrade, name, &format!("{member} waited an hour for its turn to move: {why}"));
            }
            Some((group, number, Some(why))) => {
                self.waits(&group, format!("{} is to move to the new binary: {why}", member_name(&group, number)));
            }
        }
    }

    fn agent(&mut self, seen: &PlacementView, upgrade: &mut Upgrade, host: &HostSeen, since_ms: u64) {
        let name = &host.facts.name;
        if host.binary.runs == upgrade.to {
            return set_host(upgrade, name, HostStep::Done, "", seen.now_ms);
        }
        if let Some(why) = refused(host, &upgrade.to) {
            return self.halt(seen, upgrade, name, &why);
        }
        if seen.now_ms > since_ms + TRANSFER_MS + upgrade.rules.ready_ms {
            return self.halt(seen, upgrade, name, "its agent did not restart itself in time");
        }
        self.waits("", format!("the agent of host \"{name}\" restarts itself"));
    }

    /// A pair on probation.
    fn try_on(&mut self, seen: &PlacementView, upgrade: &mut Upgrade) {
        let Some(mut trial) = upgrade.trial.take() else { return };
        let there = self.placement.groups.get(&trial.group).zip(group_of(seen, &trial.group));
        let Some((places, group)) = there.map(|(places, group)| (places.clone(), group)) else {
            return self.lost_pair(seen, upgrade, &trial);
        };
        let has = |number: u64| places.host_of(number).is_some();
        let leaves = |number: u64| places.leaving.contains(&number);
        if trial.passed_ms.is_some() && !has(trial.old) {
            let unproven =
                upgrade.members.iter().rev().find(|member| member.by == member_name(&trial.group, trial.new));
            let unproven = unproven.map(|member| member.reason.clone()).unwrap_or_default();
            return set_member(upgrade, &trial, Step::Moved, &unproven);
        }
        if !has(trial.new) || !has(trial.old) || leaves(trial.new) || self.placement.lost.contains_key(&trial.host) {
            return self.lost_pair(seen, upgrade, &trial);
        }
        if leaves(trial.old) {
            upgrade.trial = Some(trial);
            return;
        }
        let by = member_name(&trial.group, trial.new);
        let verdict = match trial.passed_ms {
            Some(_) => Verdict::Pass(String::new()),
            None => look(&mut trial, upgrade, seen, group, &places),
        };
        let on_probation = trial.probation.as_ref().is_some_and(|record| record.members[0].step == Step::Probation);
        match verdict {
            Verdict::Wait(why) => {
                if on_probation {
                    set_member(upgrade, &trial, Step::Probation, "");
                }
                self.waits(&trial.group, format!("{by} runs with the new binary: {why}"));
            }
            Verdict::Fail(_) | Verdict::Pass(_) if group.locked => {
                self.waits(&trial.group, format!("{by} has ended its probation; a rollout moves replicas first"));
            }
            Verdict::Fail(why) => {
                set_member(upgrade, &trial, Step::Failed, &why);
                self.leave(&trial.group, trial.new, &why);
                return self.halt(seen, upgrade, &trial.host, &format!("{by}: {why}"));
            }
            Verdict::Pass(unproven) => {
                if trial.passed_ms.is_none() {
                    trial.passed_ms = Some(seen.now_ms);
                    set_member(upgrade, &trial, Step::Probation, &unproven);
                }
                let least = upgrade.rules.min_available.unwrap_or(usize::MAX).min(places.count().saturating_sub(1));
                let left = group.ready.iter().filter(|number| **number != trial.old && !leaves(**number)).count();
                if !group.ready.contains(&trial.old) || left >= least {
                    self.leave(&trial.group, trial.old, &format!("{by} has passed its probation with the new binary"));
                } else if seen.now_ms > trial.passed_ms.unwrap_or_default() + upgrade.rules.ready_ms {
                    let why = format!("only {left} replicas would stay ready, min_available is {least}");
                    set_member(upgrade, &trial, Step::Failed, &why);
                    self.leave(&trial.group, trial.new, &why);
                    return self.halt(seen, upgrade, &trial.host, &why);
                } else {
                    self.waits(
                        &trial.group,
                        format!("{} more replicas must be ready before the old one leaves", least - left),
                    );
                }
            }
        }
        upgrade.trial = Some(trial);
    }

    /// A pair that is none any more: its host is lost, or users took the group away or made it smaller.
    fn lost_pair(&mut self, seen: &PlacementView, upgrade: &mut Upgrade, trial: &Trial) {
        set_member(upgrade, trial, Step::Gone, "it left, or its host was lost");
        if self.placement.lost.contains_key(&trial.host) {
            self.halt(seen, upgrade, &trial.host, "the host was lost while it was upgraded");
        }
    }

    /// Halts: what moved goes back.
    fn halt(&mut self, seen: &PlacementView, upgrade: &mut Upgrade, host: &str, why: &str) {
        set_host(upgrade, host, HostStep::Failed, why, seen.now_ms);
        upgrade.phase = Phase::Returning;
        upgrade.reason = format!("host \"{host}\": {why}");
        self.say("", "upgrade-halts", None, format!("upgrade {}: {}", upgrade.number, upgrade.reason));
    }
}

/// Why a host cannot use a binary.
pub(super) fn refused(host: &HostSeen, sha256: &str) -> Option<String> {
    let refused = host.binary.refused.as_ref().filter(|refused| refused.sha256 == sha256)?;
    Some(format!("the binary {} cannot be used: {}", binary_name(sha256), refused.why))
}
