//! A member and the one that takes its place with the other binary.

use flotilla_api::placement::{HostStep, HostUpgrade, MemberUpgrade, Trial, Upgrade, binary_name};
use flotilla_api::rollout::{Phase, Step};

use crate::placement::decide::Decision;
use crate::placement::document::{Places, member_name};
use crate::placement::view::{GroupSeen, HostSeen, PlacementView};

/// Members that are listed; more are counted.
const LISTED: usize = 1000;

impl Decision {
    /// Goes on with the upgrade that runs.
    pub(in crate::placement) fn upgrade(&mut self, seen: &PlacementView) {
        let Some(mut upgrade) = self.placement.upgrade.take() else { return };
        if upgrade.is_active() {
            enlist(seen, &mut upgrade);
            match upgrade.phase {
                Phase::Forward => self.forward(seen, &mut upgrade),
                _ => self.retreat(seen, &mut upgrade),
            }
            if !upgrade.is_active() {
                upgrade.ended_ms = Some(seen.now_ms);
            }
        }
        self.placement.upgrade = Some(upgrade);
    }

    /// A member that was placed for another reason while an upgrade runs gets the binary of the agent that starts it: an agent
    /// never starts replicas of a version that may not know its flags.
    pub(in crate::placement) fn choose_binary(&mut self, group: &str, number: u64) {
        let Some(host) = self.placement.groups.get(group).and_then(|places| places.host_of(number)) else { return };
        let on_trial = self.placement.upgrade.as_ref().is_some_and(|upgrade| {
            upgrade.is_active() && upgrade.agents.contains(host) && upgrade.to != self.placement.binary
        });
        if on_trial && let Some(places) = self.placement.groups.get_mut(group) {
            places.trial.insert(number);
        }
    }

    /// True for a pair whose fate the upgrade decides.
    pub(in crate::placement) fn is_pair_of_upgrade(&self, group: &str, new: u64) -> bool {
        let upgrade = self.placement.upgrade.as_ref().filter(|upgrade| upgrade.is_active());
        upgrade.and_then(|upgrade| upgrade.trial.as_ref()).is_some_and(|trial| trial.group == group && trial.new == new)
    }

    /// Starts the pair of a member: the new one runs on the same host, beside it.
    pub(super) fn start_pair(
        &mut self,
        seen: &PlacementView,
        upgrade: &mut Upgrade,
        group: &str,
        old: u64,
        host: &str,
    ) {
        let forward = upgrade.phase == Phase::Forward;
        let binary = if forward { &upgrade.to } else { &self.placement.binary };
        let binary = binary_name(binary).to_owned();
        let Some(places) = self.placement.groups.get_mut(group) else { return };
        let new = places.add(host, seen.now_ms);
        places.replaces.insert(new, old);
        if places.unbound.contains(&old) {
            places.unbound.insert(new);
        }
        if forward {
            places.trial.insert(new);
        }
        let (member, by) = (member_name(group, old), member_name(group, new));
        let then = if forward { "has passed its probation" } else { "is ready" };
        let why = format!(
            "upgrade {}: {by} starts on host \"{host}\" with the binary {binary} and takes its place when it {then}",
            upgrade.number
        );
        let step = if forward { Step::Moving } else { Step::Returning };
        upgrade.members.push(MemberUpgrade { member, by, host: host.to_owned(), step, reason: String::new() });
        if upgrade.members.len() > LISTED
            && let Some(at) = upgrade.members.iter().position(|one| one.step == Step::Moved && one.reason.is_empty())
        {
            upgrade.members.remove(at);
            upgrade.moved_before += 1;
        }
        upgrade.trial = Some(Trial {
            group: group.to_owned(),
            host: host.to_owned(),
            old,
            new,
            since_ms: seen.now_ms,
            passed_ms: None,
            probation: None,
        });
        self.say(group, "member-moves", Some(old), why);
    }

    /// The next member of a host whose place is to be taken: its group and number. With it why it has to wait, if it has to.
    pub(super) fn next_of(
        &self,
        seen: &PlacementView,
        host: &str,
        wanted: impl Fn(&Places, u64) -> bool,
    ) -> Option<(String, u64, Option<String>)> {
        let mut first = None;
        for group in &seen.groups {
            let Some(places) = self.placement.groups.get(&group.name) else { continue };
            let mut on = places.on.get(host).into_iter().flatten().copied();
            let Some(number) = on.find(|number| wanted(places, *number)) else { continue };
            let busy =
                self.busy(seen, group, places).or_else(|| (group.paused).then(|| "the group is paused".to_owned()));
            if busy.is_none() && places.stays(number) {
                return Some((group.name.clone(), number, None));
            }
            let why = busy.unwrap_or_else(|| format!("{} is to leave", member_name(&group.name, number)));
            first.get_or_insert((group.name.clone(), number, Some(why)));
        }
        first
    }

    /// Has one of a pair leave.
    pub(super) fn leave(&mut self, group: &str, number: u64, why: &str) {
        if let Some(places) = self.placement.groups.get_mut(group) {
            places.leaving.insert(number);
        }
        self.say(group, "member-leaves", Some(number), why.to_owned());
    }

    /// What is waited for, for people.
    pub(super) fn waits(&mut self, group: &str, why: impl Into<String>) {
        let why = why.into();
        if !group.is_empty() {
            self.notes.push((String::new(), why.clone()));
        }
        self.notes.push((group.to_owned(), why));
    }
}

/// Takes note of hosts that came in the middle. A host that was removed is none any more, and `up` goes on as it is.
fn enlist(seen: &PlacementView, upgrade: &mut Upgrade) {
    upgrade.hosts.retain(|known| host_of(seen, &known.host).is_some_and(has_agent));
    for host in seen.hosts.iter().filter(|host| has_agent(host)) {
        let name = &host.facts.name;
        if !upgrade.hosts.iter().any(|known| known.host == *name) {
            upgrade.hosts.push(HostUpgrade {
                host: name.clone(),
                step: HostStep::Waiting,
                since_ms: seen.now_ms,
                reason: String::new(),
            });
        }
    }
}

/// True for a host whose agent is a process of its own.
fn has_agent(host: &HostSeen) -> bool {
    host.facts.own_group.is_empty()
}

/// Sets how far a host is.
pub(super) fn set_host(upgrade: &mut Upgrade, host: &str, step: HostStep, reason: &str, now_ms: u64) {
    if let Some(known) = upgrade.hosts.iter_mut().find(|known| known.host == host) {
        (known.step, known.since_ms) = (step, now_ms);
        reason.clone_into(&mut known.reason);
    }
}

/// Sets how far the member of a trial is.
pub(super) fn set_member(upgrade: &mut Upgrade, trial: &Trial, step: Step, reason: &str) {
    let by = member_name(&trial.group, trial.new);
    if let Some(member) = upgrade.members.iter_mut().rev().find(|member| member.by == by) {
        member.step = step;
        reason.clone_into(&mut member.reason);
    }
}

pub(super) fn host_of<'a>(seen: &'a PlacementView, name: &str) -> Option<&'a HostSeen> {
    seen.hosts.iter().find(|host| host.facts.name == name)
}

pub(super) fn group_of<'a>(seen: &'a PlacementView, name: &str) -> Option<&'a GroupSeen> {
    seen.groups.iter().find(|group| group.name == name)
}
