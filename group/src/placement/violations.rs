//! Where a policy does not hold: after a host came back, or for members that were there before.

use flotilla_api::placement::{PlacementSpec, Policy};

use super::board::{Ask, Board, is_hard};
use super::document::{Placement, member_name};
use super::view::PlacementView;

/// A member that is not where its server group's policy wants it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Its group.
    pub group: String,
    /// Its number.
    pub number: u64,
    /// What does not hold, for people.
    pub why: String,
}

/// The members that are to move so that a server group's policy holds, the newest first. Soft policies are never violated.
pub fn violations(placement: &Placement, seen: &PlacementView, server_group: &str) -> Vec<Violation> {
    let Some(group) = placement.server_groups.get(server_group).filter(|group| is_hard(group)) else {
        return Vec::new();
    };
    let nothing = PlacementSpec { server_group: Some(server_group.to_owned()), ..PlacementSpec::default() };
    let board = Board::new(placement, seen);
    // A name that no group has, so that nothing counts as its own.
    let view = board.view(placement, Ask { group: "", placement: &nothing, replacing: None });
    let home = board.home_of(&view);
    let holds = |domain: usize| match (group.policy, group.most()) {
        (Policy::AntiAffinity, Some(most)) => view.bound[domain] <= most,
        (Policy::Affinity, _) => view.settled[domain] == 0 || home == Some(domain),
        _ => true,
    };
    // As nearly always. Each member is looked at only where it does not hold: this is asked for each group in each decision.
    if (0..view.bound.len()).all(holds) {
        return Vec::new();
    }
    let mut members = Vec::new();
    for (name, places) in
        placement.groups.iter().filter(|(_, places)| places.server_group.as_deref() == Some(server_group))
    {
        for (host, numbers) in board.seated(places).filter(|(host, _)| !board.is_going(*host)) {
            let bound = numbers.iter().filter(|number| !places.unbound.contains(number) && places.stays(**number));
            members.extend(bound.map(|number| (*number, name, host)));
        }
    }
    members.sort_unstable_by(|a, b| b.cmp(a));
    let (mut bound, word) = (view.bound.clone(), group.domain.word());
    let mut found = Vec::new();
    for (number, name, host) in members {
        let Some(domain) = view.domain[host] else { continue };
        let (member, place) = (|| member_name(name, number), view.domain_names[domain]);
        let why = match (group.policy, group.most()) {
            (Policy::AntiAffinity, Some(most)) if bound[domain] > most => {
                let all = bound[domain];
                bound[domain] -= 1;
                let member = member();
                format!(
                    "{member} is one of {all} members in {word} \"{place}\", at most {most} may be there (anti-affinity)"
                )
            }
            (Policy::Affinity, _) if home != Some(domain) => {
                let (member, home) = (member(), home.map_or("", |home| view.domain_names[home]));
                format!("{member} is in {word} \"{place}\", the others are in \"{home}\" (affinity)")
            }
            _ => continue,
        };
        found.push(Violation { group: name.clone(), number, why });
    }
    found
}

/// What does not hold of a server group's policy, for people: also where a member is on its way already.
/// Each with the group that it is about: not everybody may look at all of them.
pub fn violated(placement: &Placement, seen: &PlacementView, server_group: &str) -> Vec<(String, String)> {
    let mut settled = placement.clone();
    for places in settled.groups.values_mut() {
        let waits = |(_, old): &(&u64, &u64)| !places.leaving.contains(old);
        let on_their_way: Vec<u64> = places.replaces.iter().filter(waits).map(|(new, _)| *new).collect();
        on_their_way.into_iter().for_each(|number| places.drop_member(number));
    }
    violations(&settled, seen, server_group).into_iter().map(|found| (found.group, found.why)).collect()
}
