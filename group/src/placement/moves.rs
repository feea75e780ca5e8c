//! The moves that a policy asks of members which are there already.

use flotilla_api::placement::{Joined, Move};

use super::board::{Ask, Board};
use super::document::{Placement, member_name};
use super::view::{GroupSeen, PlacementView};
use super::violations::violations;
use crate::no_place::NoValidHost;

/// The host for the replacement of a member.
pub(super) fn replacement(
    placement: &Placement,
    seen: &PlacementView,
    group: &GroupSeen,
    number: u64,
) -> Result<String, NoValidHost> {
    let board = Board::new(placement, seen);
    let view = board.view(placement, Ask { group: &group.name, placement: &group.placement, replacing: Some(number) });
    board.choose(&view, 1).map(|host| board.seats[host].facts.name.clone())
}

/// What would move, one after the other, so that the policy of a server group holds for all members of a group.
pub fn plan(placement: &Placement, seen: &PlacementView, group: &GroupSeen) -> Joined {
    let mut after = placement.clone();
    let mut joined = Joined::default();
    let Some(server_group) = after.groups.get_mut(&group.name).and_then(|places| {
        places.unbound.clear();
        places.server_group.clone()
    }) else {
        return joined;
    };
    loop {
        let Some(next) = violations(&after, seen, &server_group).into_iter().next() else { return joined };
        // A member of another group may be the one that moves.
        let other = seen.groups.iter().find(|other| other.name == next.group && other.name != group.name);
        match replacement(&after, seen, other.unwrap_or(group), next.number) {
            Ok(to) => {
                let Some(places) = after.groups.get_mut(&next.group) else { return joined };
                let from = places.host_of(next.number).unwrap_or_default().to_owned();
                places.drop_member(next.number);
                places.add(&to, seen.now_ms);
                joined.moves.push(Move { member: member_name(&next.group, next.number), from, to });
            }
            Err(none) => {
                joined.no_room = none.to_string();
                return joined;
            }
        }
    }
}
