//! The hosts with their load, and one group's view of them: what a choice counts.

use std::collections::{BTreeMap, BTreeSet};

use flotilla_api::placement::{Domain, HostFacts, PlacementSpec};

use super::document::{Placement, Places, ServerGroup};
use super::view::PlacementView;

/// Room on a host without a bound.
const UNBOUNDED: u64 = 1 << 32;

/// All hosts by name, with indices instead of names: a choice among 1,000 hosts is one pass over vectors.
pub(super) struct Board<'a> {
    pub(super) seats: Vec<Seat<'a>>,
}

/// A host.
pub(super) struct Seat<'a> {
    pub(super) facts: &'a HostFacts,
    pub(super) alive: bool,
    pub(super) drained: bool,
    /// The groups that it takes; `None`: all.
    pub(super) takes: Option<&'a BTreeSet<String>>,
    /// Lost for so long that its members are placed elsewhere.
    pub(super) given_up: bool,
    pub(super) lost_ms: Option<u64>,
    /// Members on it, those that leave included: they still run.
    pub(super) load: u64,
}

/// What one group asks for.
#[derive(Clone, Copy)]
pub(super) struct Ask<'a> {
    pub(super) group: &'a str,
    pub(super) placement: &'a PlacementSpec,
    /// The member whose place is taken.
    pub(super) replacing: Option<u64>,
}

/// One group's view of the board.
pub(super) struct View<'a> {
    pub(super) ask: Ask<'a>,
    pub(super) server_group: Option<(&'a str, ServerGroup)>,
    /// The domain of each host by the server group's policy (by host without one); `None`: the host says none.
    pub(super) domain: Vec<Option<usize>>,
    /// What each domain is called.
    pub(super) domain_names: Vec<&'a str>,
    /// Members of the server group in each domain; one with its replacement in the same domain counts once.
    pub(super) bound: Vec<u32>,
    /// The same without those that are to go elsewhere.
    pub(super) settled: Vec<u32>,
    /// The group's own members on each host, and in its zone.
    pub(super) own_host: Vec<u32>,
    pub(super) own_zone: Vec<u32>,
    pub(super) zone: Vec<usize>,
    /// Some member of the server group in each domain, for explanations.
    pub(super) someone: Vec<Option<Someone<'a>>>,
}

/// A member of a server group.
#[derive(Clone, Copy)]
pub(super) enum Someone<'a> {
    /// One that is placed: its group and its number.
    Member(&'a str, u64),
    /// One that is about to be placed.
    New(&'a str),
}

impl<'a> Board<'a> {
    pub(super) fn new(placement: &'a Placement, seen: &'a PlacementView) -> Board<'a> {
        let mut seats: Vec<Seat<'a>> = seen
            .hosts
            .iter()
            .map(|host| {
                let name = &host.facts.name;
                let lost_ms = placement.lost.get(name).map(|since| seen.now_ms.saturating_sub(*since));
                Seat {
                    facts: &host.facts,
                    alive: host.alive && lost_ms.is_none(),
                    drained: placement.drained.contains(name),
                    takes: host.takes.as_ref(),
                    given_up: lost_ms.is_some_and(|lost| lost >= seen.rules.replace_after_ms),
                    lost_ms,
                    load: 0,
                }
            })
            .collect();
        seats.sort_by(|a, b| a.facts.name.cmp(&b.facts.name));
        let mut board = Board { seats };
        for places in placement.groups.values() {
            let loads: Vec<_> = board.seated(places).map(|(index, numbers)| (index, numbers.len() as u64)).collect();
            loads.into_iter().for_each(|(index, load)| board.seats[index].load += load);
        }
        board
    }

    /// The members of a group on each host that is known. Both are in the order of the names, so that one pass over both finds
    /// all.
    pub(super) fn seated<'p>(&self, places: &'p Places) -> impl Iterator<Item = (usize, &'p BTreeSet<u64>)> {
        let mut next = 0;
        places.on.iter().filter_map(move |(host, numbers)| {
            while self.seats.get(next).is_some_and(|seat| seat.facts.name < *host) {
                next += 1;
            }
            let found = self.seats.get(next).is_some_and(|seat| seat.facts.name == *host);
            found.then_some((next, numbers))
        })
    }

    /// The index of a host.
    fn index_of(&self, host: &str) -> Option<usize> {
        self.seats.binary_search_by(|seat| seat.facts.name.as_str().cmp(host)).ok()
    }

    /// A host's room for further members.
    pub(super) fn room(&self, host: usize) -> u64 {
        let seat = &self.seats[host];
        seat.facts.max_replicas.map_or(UNBOUNDED, |most| u64::from(most).saturating_sub(seat.load))
    }

    /// True when members of this host are to go elsewhere.
    pub(super) fn is_going(&self, host: usize) -> bool {
        self.seats[host].drained || self.seats[host].given_up
    }

    pub(super) fn view(&self, placement: &'a Placement, ask: Ask<'a>) -> View<'a> {
        let of = |group: &str| placement.groups.get(group).and_then(|places| places.server_group.as_deref());
        let name = of(ask.group).or(ask
            .placement
            .server_group
            .as_deref()
            .filter(|_| !placement.groups.contains_key(ask.group)));
        let server_group = name
            .and_then(|name| placement.server_groups.get_key_value(name).map(|(name, group)| (name.as_str(), *group)));
        let by = server_group.map_or(Domain::Host, |(_, group)| group.domain);
        let strict = server_group.is_some_and(|(_, group)| is_hard(&group));
        let (domain, domain_names) = self.domains(by, strict);
        let (zone, zones) = self.domains(Domain::Zone, false);
        let zone = zone.into_iter().map(Option::unwrap_or_default).collect();
        let mut view = View {
            ask,
            server_group,
            bound: vec![0; domain_names.len()],
            settled: vec![0; domain_names.len()],
            someone: vec![None; domain_names.len()],
            domain,
            domain_names,
            own_host: vec![0; self.seats.len()],
            own_zone: vec![0; zones.len()],
            zone,
        };
        self.count_own(placement, &mut view);
        if let Some((name, _)) = server_group {
            for (group, places) in
                placement.groups.iter().filter(|(_, places)| places.server_group.as_deref() == Some(name))
            {
                self.count_bound(group, places, &mut view);
            }
        }
        view
    }

    fn count_own(&self, placement: &Placement, view: &mut View<'_>) {
        let Some(places) = placement.groups.get(view.ask.group) else { return };
        for (index, numbers) in self.seated(places) {
            let counts = |number: &&u64| places.stays(**number) && view.ask.replacing != Some(**number);
            let own = numbers.iter().filter(counts).count() as u32;
            view.own_host[index] += own;
            view.own_zone[view.zone[index]] += own;
        }
    }

    fn count_bound(&self, group: &'a str, places: &Places, view: &mut View<'a>) {
        for (index, numbers) in self.seated(places) {
            let Some(domain) = view.domain[index] else { continue };
            for number in numbers.iter().copied() {
                let own = group == view.ask.group && view.ask.replacing == Some(number);
                if own || places.unbound.contains(&number) {
                    continue;
                }
                let successor = places.replacement_of(number);
                let same = successor
                    .and_then(|new| self.index_of(places.host_of(new)?))
                    .is_some_and(|new| view.domain[new] == Some(domain));
                if !same {
                    view.bound[domain] += 1;
                    view.someone[domain].get_or_insert(Someone::Member(group, number));
                }
                if places.stays(number) && !self.is_going(index) {
                    view.settled[domain] += 1;
                }
            }
        }
    }

    /// The domain of each host, and the names of the domains in order. A host that does not say is in none; if not
    /// `strict`, all of them are in one.
    fn domains(&self, by: Domain, strict: bool) -> (Vec<Option<usize>>, Vec<&'a str>) {
        let mut names: BTreeMap<&'a str, usize> = BTreeMap::new();
        let name = |seat: &Seat<'a>| -> &'a str {
            match by {
                Domain::Host => &seat.facts.name,
                Domain::Rack => &seat.facts.rack,
                Domain::Zone => &seat.facts.zone,
            }
        };
        for seat in &self.seats {
            names.entry(name(seat)).or_default();
        }
        if strict {
            names.remove("");
        }
        names.values_mut().enumerate().for_each(|(index, domain)| *domain = index);
        let of = self.seats.iter().map(|seat| names.get(name(seat)).copied()).collect();
        (of, names.into_keys().collect())
    }

    /// Takes note of a new member.
    pub(super) fn take(&mut self, view: &mut View<'_>, host: usize) {
        self.seats[host].load += 1;
        view.own_host[host] += 1;
        view.own_zone[view.zone[host]] += 1;
        if let (Some(domain), Some(_)) = (view.domain[host], view.server_group) {
            view.bound[domain] += 1;
            view.settled[domain] += 1;
            view.someone[domain].get_or_insert(Someone::New(view.ask.group));
        }
    }
}

/// True for policies that hold or refuse.
pub(super) fn is_hard(group: &ServerGroup) -> bool {
    use flotilla_api::placement::Policy;
    matches!(group.policy, Policy::Affinity | Policy::AntiAffinity)
}
