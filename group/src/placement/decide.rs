//! What comes next: a pure function of the document and of what the store shows.

use std::collections::{BTreeSet, HashSet};

use super::document::{Placement, Places, member_name};
use super::moves::replacement;
use super::propose::place;
use super::view::{GroupSeen, PlacementView};
use super::violations::{Violation, violations};

/// What comes next.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Decision {
    /// The document as it is to be.
    pub placement: Placement,
    /// What was decided, for the audit log.
    pub outcomes: Vec<Outcome>,
    /// What cannot be done now, and why: group and reason.
    pub notes: Vec<(String, String)>,
}

/// One thing that was decided.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// The group; empty when it is about a host without members.
    pub group: String,
    /// What: `host-lost`, `host-back`, `member-placed`, `member-replaced`, `member-moves`, `member-leaves`, `member-lost`.
    pub action: &'static str,
    /// The member; empty when it is about a host.
    pub member: String,
    /// Why, with the hosts.
    pub why: String,
}

/// What comes next. Deterministic: every process comes to the same answer, so that it does not matter who decides.
pub fn decide(placement: &Placement, seen: &PlacementView) -> Decision {
    let mut decision = Decision { placement: placement.clone(), ..Decision::default() };
    decision.judge(seen);
    let known = seen.hosts.iter().map(|host| host.facts.name.as_str()).collect();
    for group in &seen.groups {
        decision.settle(seen, group, &known);
        decision.resize(seen, group);
        decision.move_one(seen, group);
    }
    decision.dissolve(seen);
    decision.upgrade(seen);
    decision
}

impl Decision {
    pub(super) fn say(&mut self, group: &str, action: &'static str, number: Option<u64>, why: String) {
        let member = number.map(|number| member_name(group, number)).unwrap_or_default();
        self.outcomes.push(Outcome { group: group.to_owned(), action, member, why });
    }

    fn note(&mut self, group: &GroupSeen, why: String) {
        self.notes.push((group.name.clone(), why));
    }

    /// Which hosts are lost, and which are back.
    fn judge(&mut self, seen: &PlacementView) {
        let known = |name: &String| seen.hosts.iter().any(|host| host.facts.name == *name);
        self.placement.lost.retain(|name, _| known(name));
        self.placement.drained.retain(known);
        for host in &seen.hosts {
            let name = &host.facts.name;
            let (action, why) = if host.alive {
                if self.placement.lost.remove(name).is_none() {
                    continue;
                }
                ("host-back", format!("host \"{name}\" is back"))
            } else {
                if !seen.may_judge || self.placement.lost.contains_key(name) {
                    continue;
                }
                self.placement.lost.insert(name.clone(), seen.now_ms);
                let seconds = seen.rules.replace_after_ms / 1000;
                (
                    "host-lost",
                    format!("the lease of host \"{name}\" is over; its members are placed elsewhere in {seconds} s"),
                )
            };
            let with_members = self.placement.groups.iter().filter(|(_, places)| places.on.contains_key(name));
            let groups: Vec<String> = with_members.map(|(group, _)| group.clone()).collect();
            if groups.is_empty() {
                self.say("", action, None, why);
            } else {
                groups.iter().for_each(|group| self.say(group, action, None, why.clone()));
            }
        }
    }

    /// Takes note of what has happened: members that are ready, replacements that have taken their places or cannot.
    fn settle(&mut self, seen: &PlacementView, group: &GroupSeen, known: &HashSet<&str>) {
        let name = &group.name;
        let Some(places) = self.placement.groups.get_mut(name) else { return };
        places.fresh.retain(|number, _| !group.ready.contains(number));
        let places = &self.placement.groups[name];
        let removed = places.on.iter().filter(|(host, _)| !known.contains(host.as_str()));
        let mut gone: BTreeSet<u64> = removed.flat_map(|(_, numbers)| numbers).copied().collect();
        let ends = places.leaving.iter().chain(places.replaces.keys());
        gone.extend(
            ends.filter(|number| places.host_of(**number).is_some_and(|host| self.placement.lost.contains_key(host))),
        );
        for number in gone {
            let host = self.placement.groups[name].host_of(number).unwrap_or_default().to_owned();
            self.forget(name, number);
            self.say(name, "member-lost", Some(number), format!("it was on host \"{host}\", which is gone"));
        }
        for (new, old) in self.placement.groups[name].replaces.clone() {
            self.settle_pair(seen, group, new, old);
        }
    }

    fn settle_pair(&mut self, seen: &PlacementView, group: &GroupSeen, new: u64, old: u64) {
        let name = &group.name;
        if group.locked || self.is_pair_of_upgrade(name, new) {
            return;
        }
        if [new, old].iter().any(|number| self.placement.groups[name].leaving.contains(number)) {
            return;
        }
        let Some(host) = self.placement.groups[name].host_of(old).map(str::to_owned) else { return };
        let needless = !self.placement.drained.contains(&host) && self.violates_without(seen, name, new, old).is_none();
        // Also when the new one is ready: with affinity, the others stay where the old one is.
        let (leaves, why) = if needless {
            (new, format!("{} stays: there is no longer a reason to move it", member_name(name, old)))
        } else if group.ready.contains(&new) {
            (old, format!("{} is ready and takes its place", member_name(name, new)))
        } else {
            return;
        };
        if let Some(places) = self.placement.groups.get_mut(name) {
            places.leaving.insert(leaves);
        }
        self.say(name, "member-leaves", Some(leaves), why);
    }

    /// Whether a member would violate its policy without its replacement.
    fn violates_without(&mut self, seen: &PlacementView, group: &str, new: u64, old: u64) -> Option<Violation> {
        let places = self.placement.groups.get_mut(group)?;
        let server_group = places.server_group.clone()?;
        let before = places.clone();
        places.drop_member(new);
        let found = violations(&self.placement, seen, &server_group);
        self.placement.groups.insert(group.to_owned(), before);
        found.into_iter().find(|found| found.group == group && found.number == old)
    }

    /// Places what is missing, and has what is too much leave.
    fn resize(&mut self, seen: &PlacementView, group: &GroupSeen) {
        let has = self.placement.groups.get(&group.name).map_or(0, Places::count);
        if has < group.wanted {
            let (numbers, short) = place(&mut self.placement, seen, &group.name, &group.placement, group.wanted - has);
            for number in numbers {
                let host = self.placement.groups[&group.name].host_of(number).unwrap_or_default();
                let why = format!("this replica is to run on host \"{host}\"");
                self.choose_binary(&group.name, number);
                self.say(&group.name, "member-placed", Some(number), why);
            }
            if let Some(none) = short {
                let (placed, wanted) = (self.placement.groups[&group.name].count(), group.wanted);
                self.note(group, format!("{placed} of {wanted} replicas are placed. {none}"));
            }
        }
        if has > group.wanted && group.locked {
            return self.note(group, "replicas are to leave; a rollout moves replicas first".to_owned());
        }
        for _ in group.wanted..has {
            let Some(number) = self.dispensable(group) else { return };
            let why = format!("{} replicas are wanted", group.wanted);
            self.dismiss(&group.name, number, &why);
        }
    }

    /// The member that is best gone: on a lost or drained host, not ready, on the host with most of the group; the newest.
    fn dispensable(&self, group: &GroupSeen) -> Option<u64> {
        let places = self.placement.groups.get(&group.name)?;
        let stays = |number: &u64| places.stays(*number);
        let on = |host: &str| places.on.get(host).map_or(0, |on| on.iter().filter(|number| stays(number)).count());
        let members = places.members().filter(|(number, _)| stays(number));
        let best = members.max_by_key(|(number, host)| {
            let gone = self.placement.lost.contains_key(*host) || self.placement.drained.contains(*host);
            (gone, places.fresh.contains_key(number), on(host), *number)
        });
        best.map(|(number, _)| number)
    }

    /// Has a member leave, together with the one whose place it was to take.
    fn dismiss(&mut self, group: &str, number: u64, why: &str) {
        let Some(places) = self.placement.groups.get_mut(group) else { return };
        let old = places.replaces.get(&number).copied();
        for number in std::iter::once(number).chain(old) {
            let lost = places.host_of(number).is_some_and(|host| self.placement.lost.contains_key(host));
            if lost {
                places.drop_member(number);
            } else {
                places.leaving.insert(number);
            }
        }
        self.say(group, "member-leaves", Some(number), why.to_owned());
    }

    fn forget(&mut self, group: &str, number: u64) {
        if let Some(places) = self.placement.groups.get_mut(group) {
            places.drop_member(number);
        }
    }

    /// Begins to move one member, if none of the group moves.
    fn move_one(&mut self, seen: &PlacementView, group: &GroupSeen) {
        let Some(places) = self.placement.groups.get(&group.name) else { return };
        let wanted = self.reasons(seen, group, places);
        if wanted.is_empty() {
            return;
        }
        if let Some(why) = self.busy(seen, group, places) {
            return self.note(group, why);
        }
        for (number, why, lost) in wanted {
            match self.try_move(seen, group, number, lost, &why) {
                Ok(()) => return,
                Err(none) => {
                    let member = member_name(&group.name, number);
                    self.note(group, format!("{member} is to move ({why}) and cannot. {none}"));
                }
            }
        }
    }

    /// The first member for each kind of reason to move: number, why, whether it is lost.
    fn reasons(&self, seen: &PlacementView, group: &GroupSeen, places: &Places) -> Vec<(u64, String, bool)> {
        let stays = |number: u64| places.stays(number);
        let first = |fits: &dyn Fn(&str) -> bool| {
            places
                .members()
                .filter(|(number, host)| stays(*number) && fits(host))
                .min()
                .map(|(number, host)| (number, host.to_owned()))
        };
        let lost_for = |host: &str| self.placement.lost.get(host).map(|since| seen.now_ms.saturating_sub(*since));
        let given_up = first(&|host| lost_for(host).is_some_and(|ms| ms >= seen.rules.replace_after_ms));
        let drained = first(&|host| self.placement.drained.contains(host) && lost_for(host).is_none());
        let mut wanted = Vec::new();
        if let Some((number, host)) = given_up {
            let seconds = lost_for(&host).unwrap_or_default() / 1000;
            wanted.push((number, format!("host \"{host}\" has been lost for {seconds} s"), true));
        }
        if let Some((number, host)) = drained {
            wanted.push((number, format!("host \"{host}\" is drained"), false));
        }
        let server_group = places.server_group.as_deref();
        let violated = server_group.map_or_else(Vec::new, |name| violations(&self.placement, seen, name));
        // The newest of each host: where one cannot move, as the place of the others is full, one of those can.
        let mut tried = BTreeSet::new();
        for found in violated.into_iter().filter(|found| found.group == group.name && stays(found.number)) {
            // A lost host is no place to move from: its members are replaced when it is given up.
            let host = places.host_of(found.number).unwrap_or_default();
            if lost_for(host).is_none() && tried.insert(host.to_owned()) {
                wanted.push((found.number, found.why, false));
            }
        }
        wanted
    }

    /// Why no member can begin to move now.
    pub(super) fn busy(&self, seen: &PlacementView, group: &GroupSeen, places: &Places) -> Option<String> {
        let name = |number: &u64| member_name(&group.name, *number);
        if group.rolling || group.locked {
            return Some("members are to move; a rollout does first".to_owned());
        }
        if let Some(number) = places.leaving.first() {
            return Some(format!("{} drains and leaves", name(number)));
        }
        if let Some((new, old)) = places.replaces.first_key_value() {
            let host = places.host_of(*new).unwrap_or_default();
            return Some(format!(
                "{} on host \"{host}\" is to be ready, and takes the place of {} then",
                name(new),
                name(old)
            ));
        }
        let starting = places.fresh.iter().find(|(number, since)| {
            let lost = places.host_of(**number).is_none_or(|host| self.placement.lost.contains_key(host));
            !lost && seen.now_ms.saturating_sub(**since) < seen.rules.start_ms
        });
        starting.map(|(number, _)| format!("{} is to be ready before another member moves", name(number)))
    }

    fn try_move(
        &mut self,
        seen: &PlacementView,
        group: &GroupSeen,
        number: u64,
        lost: bool,
        why: &str,
    ) -> Result<(), super::NoValidHost> {
        let Some(places) = self.placement.groups.get_mut(&group.name) else { return Ok(()) };
        let before = places.clone();
        if lost {
            places.drop_member(number);
        }
        let host = match replacement(&self.placement, seen, group, number) {
            Ok(host) => host,
            Err(none) => {
                self.placement.groups.insert(group.name.clone(), before);
                return Err(none);
            }
        };
        let Some(places) = self.placement.groups.get_mut(&group.name) else { return Ok(()) };
        let new = places.add(&host, seen.now_ms);
        let by = member_name(&group.name, new);
        if !lost {
            places.replaces.insert(new, number);
        }
        self.choose_binary(&group.name, new);
        let (action, then) =
            if lost { ("member-replaced", "") } else { ("member-moves", " and takes its place when it is ready") };
        self.say(&group.name, action, Some(number), format!("{why}; {by} starts on host \"{host}\"{then}"));
        Ok(())
    }

    /// Has the members of groups that are gone leave.
    fn dissolve(&mut self, seen: &PlacementView) {
        let known = |name: &str| seen.groups.iter().any(|group| group.name == name);
        let gone: Vec<String> = self.placement.groups.keys().filter(|name| !known(name)).cloned().collect();
        for group in gone {
            for (number, host) in all(&self.placement.groups[&group]) {
                if self.placement.lost.contains_key(&host) {
                    self.forget(&group, number);
                } else if let Some(places) = self.placement.groups.get_mut(&group) {
                    places.leaving.insert(number);
                }
            }
            if self.placement.groups[&group].on.is_empty() {
                self.placement.forget_group(&group);
            }
        }
    }
}

/// All members with their hosts.
fn all(places: &Places) -> Vec<(u64, String)> {
    places.members().map(|(number, host)| (number, host.to_owned())).collect()
}
