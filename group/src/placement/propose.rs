//! What can be said of a placement without changing it, and the placing of several members.

use flotilla_api::placement::{PlacedMember, PlacementSpec};

use super::board::{Ask, Board};
use super::document::{Placement, member_name};
use super::view::PlacementView;
use crate::no_place::NoValidHost;

/// Where so many more members of a group would be, in order. Fewer hosts than asked for come with the reason.
pub fn propose(
    placement: &Placement,
    seen: &PlacementView,
    group: &str,
    asks: &PlacementSpec,
    more: usize,
) -> (Vec<String>, Option<NoValidHost>) {
    let mut board = Board::new(placement, seen);
    let ask = Ask { group, placement: asks, replacing: None };
    let mut view = board.view(placement, ask);
    let mut hosts = Vec::new();
    while hosts.len() < more {
        match board.choose(&view, more - hosts.len()) {
            Ok(host) => {
                hosts.push(board.seats[host].facts.name.clone());
                board.take(&mut view, host);
            }
            Err(none) => return (hosts, Some(none)),
        }
    }
    (hosts, None)
}

/// Places so many more members of a group, as many of them as have a place. Answers their numbers, and why there are fewer.
pub fn place(
    placement: &mut Placement,
    seen: &PlacementView,
    group: &str,
    asks: &PlacementSpec,
    more: usize,
) -> (Vec<u64>, Option<NoValidHost>) {
    let (hosts, short) = propose(placement, seen, group, asks, more);
    let is_new = !placement.groups.contains_key(group);
    let places = placement.places_of(group);
    if is_new {
        places.server_group.clone_from(&asks.server_group);
    }
    (hosts.iter().map(|host| places.add(host, seen.now_ms)).collect(), short)
}

/// The members of a group with their places, by number.
pub fn summary(placement: &Placement, group: &str) -> Vec<PlacedMember> {
    let Some(places) = placement.groups.get(group) else { return Vec::new() };
    let mut members: Vec<_> = places.members().collect();
    members.sort_unstable();
    members
        .into_iter()
        .map(|(number, host)| PlacedMember {
            member: member_name(group, number),
            group: group.to_owned(),
            host: host.to_owned(),
            bound: places.server_group.is_some() && !places.unbound.contains(&number),
            leaving: places.leaving.contains(&number),
            replaces: places.replaces.get(&number).map(|old| member_name(group, *old)),
        })
        .collect()
}
