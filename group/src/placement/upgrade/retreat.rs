//! What comes next while hosts go back to the binary before.

use flotilla_api::placement::{HostStep, Trial, Upgrade, binary_name};
use flotilla_api::rollout::{Phase, Step};

use super::forward::{TRANSFER_MS, TURN_MS, refused};
use super::pair::{group_of, host_of, set_host, set_member};
use crate::placement::decide::Decision;
use crate::placement::document::member_name;
use crate::placement::view::PlacementView;

impl Decision {
    /// The last host first; on each its agent first, so that it starts replicas of its own version.
    pub(super) fn retreat(&mut self, seen: &PlacementView, upgrade: &mut Upgrade) {
        if let Some(trial) = upgrade.trial.take() {
            upgrade.trial = self.return_pair(seen, upgrade, trial);
            return;
        }
        let away = |step: HostStep| !matches!(step, HostStep::Waiting | HostStep::Returned);
        let mut waits = None;
        for index in (0..upgrade.hosts.len()).rev() {
            let (name, step) = (upgrade.hosts[index].host.clone(), upgrade.hosts[index].step);
            let on_trial = self.placement.groups.values().any(|places| {
                places.on.get(&name).is_some_and(|on| on.iter().any(|number| places.trial.contains(number)))
            });
            if !away(step) && !on_trial {
                continue;
            }
            upgrade.agents.remove(&name);
            if step != HostStep::Returning && step != HostStep::Returned {
                let reason = upgrade.hosts[index].reason.clone();
                set_host(upgrade, &name, HostStep::Returning, &reason, seen.now_ms);
            }
            let took_ms = seen.now_ms.saturating_sub(upgrade.hosts[index].since_ms);
            let Some(host) = host_of(seen, &name) else { continue };
            if !host.alive || self.placement.lost.contains_key(&name) {
                // Its members are placed elsewhere, or it comes back.
                if on_trial {
                    waits.get_or_insert(format!("host \"{name}\" is lost, with replicas that run the new binary"));
                } else {
                    let reason = upgrade.hosts[index].reason.clone();
                    set_host(upgrade, &name, HostStep::Returned, &reason, seen.now_ms);
                }
                continue;
            }
            if host.binary.runs == upgrade.to {
                let why = match refused(host, &upgrade.from) {
                    Some(why) => format!(
                        "the agent of host \"{name}\" cannot go back: {why}. Mend that, or stop the agent: its replicas are \
                         placed elsewhere then"
                    ),
                    None => format!("the agent of host \"{name}\" restarts itself with the binary before"),
                };
                // Its replicas have to wait for it; those of other hosts do not, once it is late.
                if took_ms > TRANSFER_MS + upgrade.rules.ready_ms {
                    waits.get_or_insert(why);
                    continue;
                }
                return self.waits("", why);
            }
            match self.next_of(seen, &name, |places, number| places.trial.contains(&number)) {
                Some((group, number, None)) => {
                    let reason = upgrade.hosts[index].reason.clone();
                    set_host(upgrade, &name, HostStep::Returning, &reason, seen.now_ms);
                    return self.start_pair(seen, upgrade, &group, number, &name);
                }
                Some((group, number, Some(why))) => {
                    let why = format!("{} is to go back: {why}", member_name(&group, number));
                    if took_ms > TURN_MS {
                        waits.get_or_insert(why);
                        continue;
                    }
                    return self.waits(&group, why);
                }
                None => {
                    let reason = upgrade.hosts[index].reason.clone();
                    set_host(upgrade, &name, HostStep::Returned, &reason, seen.now_ms);
                }
            }
        }
        if let Some(why) = waits {
            return self.waits("", why);
        }
        upgrade.phase = Phase::Returned;
        let binary = binary_name(&self.placement.binary);
        let why = format!("upgrade {}: agents and replicas run {binary} as before", upgrade.number);
        self.say("", "upgrade-returned", None, why);
    }

    /// The pair of a member that goes back, or of one that went forward when it was halted; `None` when it is done with.
    fn return_pair(&mut self, seen: &PlacementView, upgrade: &mut Upgrade, mut trial: Trial) -> Option<Trial> {
        let (places, group) = self.placement.groups.get(&trial.group).cloned().zip(group_of(seen, &trial.group))?;
        let has = |number: u64| places.host_of(number).is_some();
        let by = member_name(&trial.group, trial.new);
        if places.trial.contains(&trial.new) {
            // It was to go forward. Whichever leaves already does.
            if has(trial.old)
                && has(trial.new)
                && [trial.old, trial.new].iter().all(|one| !places.leaving.contains(one))
            {
                if group.locked {
                    self.waits(&trial.group, format!("{by} is to leave; a rollout moves replicas first"));
                    return Some(trial);
                }
                set_member(upgrade, &trial, Step::Gone, "the upgrade was halted");
                self.leave(&trial.group, trial.new, "the upgrade was halted");
            }
            return None;
        }
        if !has(trial.old) {
            set_member(upgrade, &trial, Step::Returned, "");
            return None;
        }
        if !has(trial.new) || places.leaving.contains(&trial.new) {
            set_member(upgrade, &trial, Step::Gone, "it left, or its host was lost");
            return None;
        }
        if places.leaving.contains(&trial.old) {
            return Some(trial);
        }
        let late = seen.now_ms > trial.since_ms + upgrade.rules.ready_ms + upgrade.rules.drain_ms;
        let well = group.ready.contains(&trial.old);
        if group.locked {
            self.waits(&trial.group, format!("{by} is to take its place; a rollout moves replicas first"));
        } else if group.ready.contains(&trial.new) || (late && !well) {
            // One that does not work is no better than the binary before, which is the safe side.
            self.leave(&trial.group, trial.old, &format!("{by} runs the binary before and takes its place"));
            trial.passed_ms = Some(seen.now_ms);
        } else {
            if late {
                set_member(upgrade, &trial, Step::Stuck, "it is not ready with the binary before; it keeps trying");
            }
            self.waits(&trial.group, format!("{by} is to be ready with the binary before"));
        }
        Some(trial)
    }
}
