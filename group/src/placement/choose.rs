//! The host for one more member.

use std::cmp::Reverse;

use flotilla_api::placement::Policy;

use super::board::{Board, Seat, View};
use super::obstacle::Obstacle;
use crate::no_place::NoValidHost;

/// What makes a host better than another: the smaller, the better. The name decides last, so that every process chooses the
/// same.
type Weight<'a> = (Reverse<u64>, u32, u32, u32, u64, &'a str);

impl Board<'_> {
    /// The host for the next of `need` members.
    ///
    /// # Errors
    /// Why each host is out.
    pub(super) fn choose(&self, view: &View<'_>, need: usize) -> Result<usize, NoValidHost> {
        let rooms = self.rooms(view);
        let home = Board::home(view, &rooms, need);
        let fits = (0..self.seats.len()).filter(|host| self.obstacle(view, home, *host).is_none());
        let best = fits.min_by_key(|host| self.weight(view, &rooms, home, need, *host));
        best.ok_or_else(|| {
            let line = |(host, seat): (usize, &Seat<'_>)| {
                let obstacle = self.obstacle(view, home, host)?;
                Some((seat.facts.name.clone(), obstacle.explain(view, seat)))
            };
            NoValidHost { hosts: self.seats.iter().enumerate().filter_map(line).collect() }
        })
    }

    /// Room for members of this view in each domain.
    fn rooms(&self, view: &View<'_>) -> Vec<u64> {
        let mut rooms = vec![0; view.domain_names.len()];
        for host in 0..self.seats.len() {
            if let Some(domain) = view.domain[host]
                && self.own_obstacle(view, host).is_none()
            {
                rooms[domain] += self.room(host);
            }
        }
        rooms
    }

    /// With affinity, the domain that all members are to be in: where they are. If a host that came back has spread them, it
    /// is one with room for all, of those the one where most of them are.
    fn home(view: &View<'_>, rooms: &[u64], need: usize) -> Option<usize> {
        let (_, group) = view.server_group?;
        if group.policy != Policy::Affinity {
            return None;
        }
        let all: u32 = view.settled.iter().sum();
        let lived_in = view.settled.iter().filter(|count| **count > 0).count();
        // Spread over several, any domain will do that takes all; one that was begun is gone on with.
        let candidates = (0..rooms.len()).filter(|domain| lived_in > 1 || view.settled[*domain] > 0);
        let home = candidates.max_by_key(|domain| {
            let others = u64::from(all - view.settled[*domain]);
            (rooms[*domain] >= others + need as u64, view.settled[*domain], Reverse(*domain))
        });
        home.filter(|_| lived_in > 0)
    }

    /// The same, of the view alone.
    pub(super) fn home_of(&self, view: &View<'_>) -> Option<usize> {
        Board::home(view, &self.rooms(view), 0)
    }

    /// What is in the way of a member on a host.
    fn obstacle(&self, view: &View<'_>, home: Option<usize>, host: usize) -> Option<Obstacle> {
        if let Some(obstacle) = self.own_obstacle(view, host) {
            return Some(obstacle);
        }
        let (_, group) = view.server_group?;
        match (group.policy, view.domain[host]) {
            (Policy::Affinity | Policy::AntiAffinity, None) => Some(Obstacle::NoDomain),
            (Policy::Affinity, Some(domain)) => {
                home.filter(|home| *home != domain).map(|home| Obstacle::Elsewhere { home })
            }
            (Policy::AntiAffinity, Some(domain)) => {
                let most = group.most().unwrap_or(u32::MAX);
                (view.bound[domain] >= most).then_some(Obstacle::Taken { domain, most })
            }
            _ => None,
        }
    }

    /// What is in the way whatever the policy says.
    fn own_obstacle(&self, view: &View<'_>, host: usize) -> Option<Obstacle> {
        let seat = &self.seats[host];
        if !seat.alive {
            return Some(Obstacle::Lost);
        }
        if seat.drained {
            return Some(Obstacle::Drained);
        }
        if seat.takes.is_some_and(|takes| !takes.contains(view.ask.group)) {
            return Some(Obstacle::Owned);
        }
        let asked = view.ask.placement.labels.iter();
        if let Some((label, _)) = asked.into_iter().find(|(label, value)| seat.facts.labels.get(*label) != Some(value))
        {
            return Some(Obstacle::Label { label: label.clone() });
        }
        (self.room(host) == 0).then_some(Obstacle::Full)
    }

    fn weight(&self, view: &View<'_>, rooms: &[u64], home: Option<usize>, need: usize, host: usize) -> Weight<'_> {
        let seat = &self.seats[host];
        let domain = view.domain[host];
        let room = domain.map_or(0, |domain| rooms[domain]);
        let bound = domain.map_or(0, |domain| view.bound[domain]);
        let (zone, own) = (view.own_zone[view.zone[host]], view.own_host[host]);
        match view.server_group.map(|(_, group)| group.policy) {
            // All have to fit where the first one goes.
            Some(Policy::Affinity) if home.is_none() => {
                (Reverse(room.min(need as u64)), 0, 0, own, seat.load, &seat.facts.name)
            }
            // Few domains: one that is lived in, or else the one that takes most.
            Some(Policy::SoftAffinity) => (
                Reverse(u64::from(bound)),
                u32::from(bound == 0) * (u32::MAX - room.min(u64::from(u32::MAX)) as u32),
                0,
                own,
                seat.load,
                &seat.facts.name,
            ),
            Some(Policy::AntiAffinity | Policy::SoftAntiAffinity) => {
                (Reverse(0), bound, zone, own, seat.load, &seat.facts.name)
            }
            Some(Policy::Affinity) | None => (Reverse(0), 0, zone, own, seat.load, &seat.facts.name),
        }
    }
}
